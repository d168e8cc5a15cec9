"""The strip that says how the connection stands; nothing when it is there."""

from __future__ import annotations

import math
import time
import tkinter
from collections.abc import Callable

from alonechat.core.client.model import Model
from alonechat.core.client.moment import clock
from alonechat.core.client.words import _, n_
from alonechat.ui.gui.style import Kit

HIGH = 28
PATIENCE = 1.0
"""Seconds that a first connection may take before the strip comes."""


def sentence(model: Model, now: float) -> tuple[str, bool]:
    """What the strip says, and whether it offers to try now."""
    connection = model.connection
    waiting = sum(1 for entry in model.waiting() if not entry.code)
    wait = " " + n_("{n} message waits.", "{n} messages wait.", waiting) if waiting else ""
    match connection.state:
        case "catching up":
            return _("Catching up…"), False
        case "connecting":
            return (_("Connecting…"), False) if now - connection.since > PATIENCE else ("", False)
        case "offline":
            left = math.ceil(connection.again_at - now)
            text = _("Offline since {time}").format(time=clock(connection.since, None))
            if left > 0:
                text += " · " + n_("trying again in {n} s", "trying again in {n} s", left)
            else:
                text += " · " + _("trying again")
            return f"{text}.{wait}", True
        case "signed out":
            return _("Signed out: {reason}").format(reason=connection.reason), True
    return "", False


class Banner:
    """`on_now()`: the person wants it to be tried now."""

    def __init__(self, parent: tkinter.Misc, kit: Kit, on_now: Callable[[], None]) -> None:
        self._kit, self._on_now = kit, on_now
        get = kit.palette.get
        self.frame = tkinter.Frame(parent, bg=get("selected"), height=kit.fonts.px(HIGH))
        self.frame.pack_propagate(False)
        self._inner = tkinter.Frame(self.frame, bg=get("selected"))
        self._inner.pack(expand=True)
        self._text = tkinter.Label(
            self._inner, bg=get("selected"), fg=get("text"), font=kit.fonts.fonts["small"], bd=0, pady=0
        )
        self._text.pack(side="left")
        self._now = tkinter.Label(
            self._inner, text=_("now"), bg=get("selected"), fg=get("accent"), font=kit.fonts.fonts["strong"],
            cursor="hand2", bd=0, takefocus=1, highlightthickness=1, highlightbackground=get("selected"),
            highlightcolor=get("accent"),
        )  # fmt: skip
        for event in ("<Button-1>", "<Return>", "<space>"):
            self._now.bind(event, lambda _e: self._on_now())
        self._timer = ""
        self.text = ""

    def show(self, model: Model, before: tkinter.Misc) -> None:
        """As the connection stands now; `before`: what it is put above."""
        self.text, now = sentence(model, time.time())
        if self._timer:
            self.frame.after_cancel(self._timer)
            self._timer = ""
        if not self.text:
            self.frame.pack_forget()
            if model.connection.state == "connecting":
                self._timer = self.frame.after(1_100, lambda: self.show(model, before))
            return
        self._text.configure(text=self.text)
        if now:
            self._now.configure(text=_("sign in") if model.connection.state == "signed out" else _("now"))
            self._now.pack(side="left", padx=(6, 0))
        else:
            self._now.pack_forget()
        if not self.frame.winfo_manager():
            self.frame.pack(fill="x", before=before)
        if model.connection.state == "offline":  # it counts down
            self._timer = self.frame.after(1_000, lambda: self.show(model, before))

    def close(self) -> None:
        """No clock runs any more."""
        if self._timer:
            self.frame.after_cancel(self._timer)
            self._timer = ""
