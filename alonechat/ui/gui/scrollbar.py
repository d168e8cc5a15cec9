"""A slim scrollbar over the edge of a canvas, which shows while there is something to scroll."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from alonechat.ui.gui.draw import Painter

WIDTH = 10


class Scrollbar:
    """`on_drag(share)`: it was taken to where the view begins, between 0 and 1."""

    def __init__(
        self, over: tkinter.Canvas, painter: Painter, on_drag: Callable[[float], None], ground: str = "ground"
    ) -> None:
        self._painter, self._on_drag, self._ground = painter, on_drag, ground
        self._wide = painter.fonts.px(WIDTH)
        self.canvas = tkinter.Canvas(
            over, width=self._wide, highlightthickness=0, bd=0, cursor="arrow", takefocus=0,
            bg=painter.palette.get(ground),
        )  # fmt: skip
        self._span = (0.0, 1.0)
        self._thumb = (0, 0)
        self._grip: int | None = None
        self._over = False
        self._shown = False
        for event, act in (
            ("<ButtonPress-1>", self._pressed),
            ("<B1-Motion>", self._moved),
            ("<ButtonRelease-1>", self._released),
            ("<Configure>", lambda _event: self._draw()),
            ("<Enter>", lambda _event: self._hovered(True)),
            ("<Leave>", lambda _event: self._hovered(False)),
        ):
            self.canvas.bind(event, act)
        self._drawn: tuple[object, ...] = ()

    def update(self, begin: float, end: float) -> None:
        """The part of everything that is in view."""
        needed = end - begin < 0.999
        if needed != self._shown:
            self._shown = needed
            if needed:
                self.canvas.place(relx=1.0, x=-self._wide, rely=0, relheight=1.0)
            else:
                self.canvas.place_forget()
        self._span = (begin, end)
        if needed:
            self._draw()

    def _draw(self) -> None:
        high = self.canvas.winfo_height()
        if high < 20:
            return
        begin, end = self._span
        length = max(int(high * (end - begin)), self._painter.fonts.px(36))
        room = high - length
        top = int(room * min(begin / max(1 - (end - begin), 0.0001), 1.0))
        self._thumb = (top, top + length)
        palette = self._painter.palette
        colour = palette.get("secondary" if self._grip is not None else "pressed" if self._over else "divider")
        state = (top, length, colour, palette.get(self._ground))
        if state == self._drawn:
            return
        self._drawn = state
        self.canvas.configure(bg=palette.get(self._ground))
        self.canvas.delete("all")
        line = self._wide - 4
        self.canvas.create_line(
            self._wide / 2, top + line, self._wide / 2, top + length - line, width=line, capstyle="round", fill=colour
        )

    def _pressed(self, event: tkinter.Event[tkinter.Misc]) -> None:
        top, bottom = self._thumb
        self._grip = event.y - top if top <= event.y <= bottom else (bottom - top) // 2
        self._moved(event)

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if self._grip is None:
            return
        room = self.canvas.winfo_height() - (self._thumb[1] - self._thumb[0])
        share = min(max((event.y - self._grip) / max(room, 1), 0.0), 1.0)
        begin, end = self._span
        self._on_drag(1.0 if share >= 1 else share * (1 - (end - begin)))

    def _released(self, _event: tkinter.Event[tkinter.Misc]) -> None:
        self._grip = None
        self._draw()

    def _hovered(self, over: bool) -> None:
        self._over = over
        self._draw()
