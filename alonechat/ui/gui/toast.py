"""A sentence at the lower edge of the window, for a moment."""

from __future__ import annotations

import tkinter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App

MOMENT = 3_000
"""Milliseconds that it stays."""


def toast(app: App, text: str) -> tkinter.Label:
    """Show it over all that is there; it goes by itself."""
    get = app.palette.get
    label = tkinter.Label(
        app.root, text=text[:1].upper() + text[1:], bg=get("text"), fg=get("ground"), padx=16, pady=9,
        font=app.fonts.fonts["small"], wraplength=app.fonts.px(420), justify="left",
    )  # fmt: skip
    label.place(relx=0.5, rely=1.0, y=-app.fonts.px(86), anchor="s")
    label.lift()

    def go() -> None:
        if label.winfo_exists():
            label.destroy()

    label.after(MOMENT, go)
    return label
