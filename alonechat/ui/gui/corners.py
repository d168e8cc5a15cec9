"""The corners of a sheet: what it lies over is drawn in them again, since Tk has no windows with round corners."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

TAG = "under"
COPIED = frozenset({"arc", "image", "line", "oval", "polygon", "rectangle", "text"})
Box = tuple[int, int, int, int]


def again(root: Any) -> None:
    """What lies below the sheets was drawn anew, or has moved."""
    for sheet in getattr(root, "sheets", ()):
        if (corners := getattr(sheet, "corners", None)) is not None:
            corners.soon()


class Corners:
    """Those of one frame. `below` gives the canvases there may be under it, the topmost last."""

    def __init__(self, frame: Any, radius: int, below: Callable[[], list[tkinter.Canvas]]) -> None:
        self._frame, self._canvas, self._radius, self._below = frame, frame._canvas, radius, below
        self._waits = ""
        tkinter.Misc.bind(frame, "<Configure>", lambda _event: self.soon(), "+")  # customtkinter's hears no moving

    def soon(self) -> None:
        """Draw in the corners what is below them, as soon as that is drawn."""
        if not self._waits:
            self._waits = self._canvas.after_idle(self._draw)

    def close(self) -> None:
        """The frame goes."""
        if self._waits:
            self._canvas.after_cancel(self._waits)
        self._waits = "gone"

    def _draw(self) -> None:
        self._waits = ""
        canvas, size = self._canvas, self._radius
        canvas.delete(TAG)
        wide, high = canvas.winfo_width(), canvas.winfo_height()
        if wide <= 2 * size or high <= 2 * size:
            return
        left, top = canvas.winfo_rootx(), canvas.winfo_rooty()
        corners = [(x, y, x + size, y + size) for x in (left, left + wide - size) for y in (top, top + high - size)]
        for source in self._below():
            if source.winfo_viewable():
                self._copy(source, corners)
        canvas.tag_lower(TAG)

    def _copy(self, source: tkinter.Canvas, corners: list[Box]) -> None:
        """What of a canvas lies below corners (in pixels of the screen): its ground, then the items upon that in their
        order, once each, since they are not cut off where a corner ends."""
        canvas, tk, call = self._canvas, source.tk, source.tk.call
        left, top = source.winfo_rootx(), source.winfo_rooty()
        right, bottom = left + source.winfo_width(), top + source.winfo_height()
        dx, dy = canvas.winfo_rootx(), canvas.winfo_rooty()
        here, there = int(source.canvasx(0)) - left, int(source.canvasy(0)) - top
        found: set[int] = set()
        for corner in corners:
            x0, y0, x1, y1 = max(corner[0], left), max(corner[1], top), min(corner[2], right), min(corner[3], bottom)
            if x0 < x1 and y0 < y1:
                box, ground = (x0 - dx, y0 - dy, x1 - dx, y1 - dy), source.cget("bg")
                canvas.create_rectangle(*box, fill=ground, outline="", tags=TAG)
                found.update(source.find_overlapping(x0 + here, y0 + there, x1 + here, y1 + there))
        for item in source.find_all() if found else ():
            kind = str(call(source, "type", item)) if item in found else ""
            if kind not in COPIED:
                continue
            given: list[Any] = []
            for described in tk.splitlist(call(source, "itemconfigure", item)):
                option, *_names, value = tk.splitlist(described)
                given += [option, value]
            coords = source.coords(item)
            moved = [at - (there + dy if n % 2 else here + dx) for n, at in enumerate(coords)]
            call(canvas, "create", kind, *moved, *given, "-tags", TAG)
