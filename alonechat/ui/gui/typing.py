"""The line that says who is typing."""

from __future__ import annotations

import time
import tkinter
from typing import TYPE_CHECKING

from alonechat.core.client.words import _, n_

if TYPE_CHECKING:
    from alonechat.ui.gui.window import Window


def sentence(names: list[str]) -> str:
    """`ana is typing…`, `ana and bo are typing…`, `3 people are typing…`."""
    if not names:
        return ""
    if len(names) == 1:
        return _("{who} is typing…").format(who=names[0])
    if len(names) == 2:
        return _("{who} and {other} are typing…").format(who=names[0], other=names[1])
    return n_("{n} person is typing…", "{n} people are typing…", len(names))


class Typing:
    """A label of one line between the messages and the composer; it keeps its place, so that nothing jumps."""

    def __init__(self, parent: tkinter.Misc, window: Window) -> None:
        self._window = window
        get, fonts = window.kit.palette.get, window.kit.fonts
        self.label = tkinter.Label(
            parent, text="", anchor="w", bg=get("ground"), fg=get("secondary"), font=fonts.fonts["small"], bd=0,
            pady=fonts.px(3), padx=fonts.px(4),
        )  # fmt: skip
        self._timer = ""

    def close(self) -> None:
        """No clock runs any more."""
        if self._timer:
            self.label.after_cancel(self._timer)
            self._timer = ""

    def show(self) -> None:
        """As it is now."""
        model, target, now = self._window.model, self._window.target, time.time()
        names = [model.shown(name) for name in model.typists(target, now)]
        text = sentence(names)
        if self.label.cget("text") != text:
            self.label.configure(text=text)
        self.close()
        if names:
            until = min(model.typing[target].values())
            self._timer = self.label.after(max(int((until - now) * 1000), 100) + 50, self.show)
