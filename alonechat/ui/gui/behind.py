"""What lies behind a sheet hears no click: one beside the sheet closes it, and does nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alonechat.ui.gui.sheet import Sheet

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App

TAG = "Behind"
WHEEL = (4, 5)
"""Buttons that X11 has a turn of the wheel for."""


def guard(app: App, frame: Any) -> None:
    """Have a widget and all that is in it now hear no button while there is a sheet. A menu by itself is none: what is
    clicked beside it is meant."""
    held = False

    def pressed(event: Any) -> str | None:
        nonlocal held
        if event.num in WHEEL:
            return None
        held = any(isinstance(sheet, Sheet) for sheet in app.root.sheets)
        if held and event.num == 1:
            app.beside(event)
        return "break" if held else None

    def dragged(_event: Any) -> str | None:
        return "break" if held else None

    def released(event: Any) -> str | None:
        nonlocal held
        if event.num in WHEEL:
            return None
        was, held = held, False
        return "break" if was else None

    app.root.bind_class(TAG, "<Button>", pressed)
    app.root.bind_class(TAG, "<B1-Motion>", dragged)
    app.root.bind_class(TAG, "<ButtonRelease>", released)
    tk = app.root.tk
    paths = [str(frame)]
    while paths:  # by Tk's own names: customtkinter hides its canvases
        path = paths.pop()
        paths += (str(each) for each in tk.splitlist(tk.call("winfo", "children", path)))
        tk.call("bindtags", path, (TAG, *tk.splitlist(tk.call("bindtags", path))))
