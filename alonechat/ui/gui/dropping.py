"""Files that are dragged into the window: what is shown meanwhile, and into which composer they go."""

from __future__ import annotations

import tkinter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alonechat.core.client.words import _

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App

INSET = 14
"""Pixels of the design between the sign and the edge of the messages that it lies over."""
LATER = 200
"""Milliseconds from when the window is on the screen until drags are heard."""


class Dropping:
    """Joins what the system says of a drag with the window. It is heard once the window is on the screen."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._drops: Any = None
        self._watches = False
        self._place: tuple[Any, str] = (None, "")
        self.sign: tkinter.Canvas | None = None
        app.root.bind("<Map>", lambda _event: self._mapped(), add="+")

    def _mapped(self) -> None:
        if not self._watches:
            self._watches = True
            self._app.root.after(LATER, self._watch)

    def _watch(self) -> None:
        from alonechat.ui.gui import windrop, xdnd  # here: ctypes need not be there before the window is

        for system in (xdnd, windrop):
            found: Any = system.watch(self._app.root, self._app.waker.post, self._takes)
            if found is not None:
                self._drops = found
                found.over, found.drop = self._over, self._drop

    def _takes(self) -> bool:
        """Whether files may be dropped now. Asked from within Tk: nothing of Tk is called."""
        window = self._app.window
        if window is None or not window.target or self._app.root.sheets or window.filing.most == 0:
            return False
        self._place = (window, window.target)
        return True

    def _over(self, shown: bool) -> None:
        """They are over the window, or no longer."""
        if self.sign is not None:
            self.sign.destroy()
            self.sign = None
        window = self._app.window
        if not shown or window is None:
            return
        px, get = self._app.fonts.px, self._app.palette.get
        self.sign = sign = tkinter.Canvas(window.middle, bg=get("ground"), highlightthickness=0, bd=0)
        inset = px(INSET)
        sign.place(
            in_=window.timeline.canvas, x=inset, y=inset, relwidth=1, relheight=1, width=-2 * inset, height=-2 * inset
        )
        sign.bind("<Configure>", lambda event: self._draw(event.width, event.height))

    def _draw(self, wide: int, high: int) -> None:
        sign, window = self.sign, self._app.window
        if sign is None or window is None:
            return
        px, get = self._app.fonts.px, self._app.palette.get
        sign.delete("all")
        sign.create_rectangle(
            px(1), px(1), wide - px(2), high - px(2), outline=get("accent"), width=px(2), dash=(px(8), px(6))
        )
        icon = self._app.pictures.icon("save", px(40), get("accent"))
        sign.create_image(wide // 2, high // 2 - px(26), image=icon)
        sign.create_text(
            wide // 2, high // 2 + px(20), text=_("Drop here to send to {name}").format(name=window.acting.titled()),
            fill=get("text"), font=self._app.fonts.fonts["name"], width=max(1, wide - px(40)), justify="center",
        )  # fmt: skip

    def _drop(self, paths: list[Path]) -> None:
        """They were let go: into the composer, where a caption can be written before they are sent. Where that is no
        longer the one that they were dropped on, for their program took its time, they go nowhere."""
        place = self._place
        window = self._app.window
        if not self._takes() or self._place != place or window is None:
            self._app.toast(_("The files came too late; drop them again."))
            return
        files = [path for path in paths if _is_file(path)]
        if files:
            window.composer.attach(files)
        else:
            self._app.toast(_("Only files of this machine can be dropped here, no folders."))

    def close(self) -> None:
        """Take no more."""
        if self._drops is not None:
            self._drops.close()


def _is_file(path: Path) -> bool:
    """Whether it is one that can be looked at."""
    try:
        return path.is_file()
    except OSError:
        return False
