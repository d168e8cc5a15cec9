"""The messages by keyboard: arrows choose one, Enter and the menu key open its menu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alonechat.ui.gui.window import Window


@dataclass(frozen=True, slots=True)
class At:
    """A place on the screen, as an event of the pointer has it."""

    x_root: int
    y_root: int


def by_keys(window: Window) -> None:
    """Bind the keys that hold while the focus is on the messages."""
    canvas, timeline = window.timeline.canvas, window.timeline

    def menu(_event: object) -> str:
        place = next((each for each in timeline.placed if each.row.key == timeline.chosen), None)
        if place is not None:
            x = canvas.winfo_rootx() + timeline.left + place.laid.bubble[0] + 20
            y = canvas.winfo_rooty() + place.y - timeline.offset + place.laid.bubble[1] + 20
            window.acting.message_menu(place.row, At(x, y))
        return "break"

    def step(by: int) -> str:
        timeline.step(by)
        return "break"

    def entered(_event: object) -> None:
        if not timeline.chosen:
            timeline.step(-1)

    canvas.bind("<Up>", lambda _event: step(-1))
    canvas.bind("<Down>", lambda _event: step(1))
    for key in ("<Return>", "<Menu>", "<Shift-F10>"):
        canvas.bind(key, menu)
    canvas.bind("<FocusIn>", entered)
    canvas.bind("<Button-1>", lambda _event: window.composer.text.focus_set(), add="+")
