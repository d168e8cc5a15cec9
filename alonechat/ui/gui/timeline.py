"""The messages on one canvas: only rows near the view are drawn, and what is being read stays in its place."""

from __future__ import annotations

import tkinter
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

from alonechat.core.client.rows import Row
from alonechat.ui.gui.bubble import Look
from alonechat.ui.gui.draw import Painter
from alonechat.ui.gui.layout import COLUMN, laid
from alonechat.ui.gui.parts import Fill, Laid, Picture
from alonechat.ui.gui.scrollbar import Scrollbar

MARGIN = 400
"""Pixels above and below the view that are drawn ahead."""
EDGE = 25
"""Rows that may be left before the next page is asked for."""
FRAME = 8
"""Milliseconds between steps of a scroll that glides."""


@dataclass(slots=True)
class Placed:
    """A row that is drawn: where it is in the list, its top on the canvas, its layout, the tag of its items."""

    index: int
    y: int
    laid: Laid
    row: Row
    tag: str
    held: list[tkinter.PhotoImage] = field(default_factory=list)
    """Its pictures, which Tk takes off the canvas when nobody holds them."""

    @property
    def end(self) -> int:
        """Where the next row begins."""
        return self.y + self.laid.height


class Timeline:
    """A list of rows. `on_edge("older" | "newer")` asks for more; `on_scroll()` tells that the view has moved,
    `on_drawn(rows)` which rows have come near it."""

    def __init__(self, parent: tkinter.Misc, painter: Painter, on_edge: Callable[[str], None]) -> None:
        self.painter, self._on_edge = painter, on_edge
        self.on_scroll: Callable[[], None] = lambda: None
        self.on_drawn: Callable[[list[Row]], None] = lambda _rows: None
        self.canvas = tkinter.Canvas(
            parent, highlightthickness=0, bd=0, confine=False, yscrollincrement=1, takefocus=1, cursor="arrow"
        )
        self.bar = Scrollbar(self.canvas, painter, self._dragged)
        self.rows: list[Row] = []
        self.index: dict[str, int] = {}
        self.placed: list[Placed] = []
        self.look = Look(painter.fonts)
        self.at_end = True
        """The view reaches to the end, and stays there when something comes."""
        self.chosen = ""
        self.motion = True
        self.width = self.height = 0
        self.left = self.column = 0
        self._offset = 0
        self._cache: dict[str, tuple[Row, int, Laid]] = {}
        self._tags = 0
        self._glide = 0.0
        self._gliding: str | None = None
        self._flash: str | None = None
        self.canvas.bind("<Configure>", self._resized)

    # --- what is shown ---

    def show(self, rows: list[Row], look: Look) -> None:
        """The same conversation with other rows: the line that is being read stays where it is."""
        self.look = look
        anchor = self._anchor() if self.placed and not self.at_end else None
        self.rows = rows
        self.index = {row.key: at for at, row in enumerate(rows)}
        if len(self._cache) > 4_000:
            kept = {each.row.key for each in self.placed}
            self._cache = {key: value for key, value in self._cache.items() if key in kept}
        self._arrange(anchor)

    def open(self, rows: list[Row], look: Look, key: str = "") -> None:
        """Another conversation, at its end, or with the row `key` near the top of the view."""
        self.clear()
        self.at_end = not key
        self.look, self.rows = look, rows
        self.index = {row.key: at for at, row in enumerate(rows)}
        self._arrange((key, self.height // 4) if key in self.index else None)

    def clear(self) -> None:
        """Nothing is shown, nothing is remembered."""
        self._stop_glide()
        if self._flash is not None:
            self.canvas.after_cancel(self._flash)
            self._flash = None
        self.canvas.delete("all")
        self.placed, self.rows, self.index = [], [], {}
        self._cache.clear()
        self.at_end, self.chosen = True, ""

    def restyle(self) -> None:
        """Fonts or colours have changed: everything is laid out and drawn anew."""
        anchor = self._anchor() if self.placed and not self.at_end else None
        self.canvas.configure(bg=self.painter.palette.get("ground"))
        self.canvas.delete("all")
        self.placed = []
        self._cache.clear()
        self._measure()
        self._arrange(anchor)

    # --- places ---

    def _resized(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if (event.width, event.height) == (self.width, self.height):
            return
        anchor = self._anchor() if self.placed and not self.at_end else None
        wider = event.width != self.width
        self.width, self.height = event.width, event.height
        self._measure()
        if wider:
            self.canvas.delete("all")
            self.placed = []
        self._arrange(anchor)

    def _measure(self) -> None:
        px = self.painter.fonts.px
        self.column = max(min(px(COLUMN), self.width - px(40)), px(120))
        self.left = (self.width - self.column) // 2

    def _anchor(self) -> tuple[str, int] | None:
        """The first message whose beginning is in view, and how far below the view's top it is."""
        view = [each for each in self.placed if each.end > self._offset]
        steady = [each for each in view if each.row.kind in ("message", "written", "told") and each.y >= self._offset]
        found = (steady or view or self.placed)[0] if self.placed else None
        return (found.row.key, found.y - self._offset) if found else None

    def layout(self, row: Row) -> Laid:
        """A row laid out for the column as it is now."""
        known = self._cache.get(row.key)
        if known is not None and known[1] == self.column and known[0] == row:
            return known[2]
        found = laid(row, self.column, self.look)
        self._cache[row.key] = (row, self.column, found)
        return found

    def _arrange(self, anchor: tuple[str, int] | None) -> None:
        """Place rows around the anchor, or from the end upwards; draw what has changed."""
        if self.height < 2:
            return
        if not self.rows:
            self.canvas.delete("all")
            self.placed = []
            self._moved()
            return
        if anchor is not None and anchor[0] in self.index:
            at = self.index[anchor[0]]
            y = self._offset + anchor[1]
        else:
            self.at_end = True
            at = len(self.rows) - 1
            y = self._offset + self.height - self._pad() - self.layout(self.rows[at]).height
        placed = [self._place(at, y)]
        self._extend(placed)
        self._draw(placed)
        self.scroll(0)

    def _pad(self) -> int:
        return self.painter.fonts.px(12)

    def _place(self, index: int, y: int) -> Placed:
        row = self.rows[index]
        return Placed(index, y, self.layout(row), row, "")

    def _extend(self, placed: list[Placed], by: int = 0) -> None:
        """Add rows before and behind until the view and its margins are filled."""
        top, bottom = self._offset + min(by, 0) - MARGIN, self._offset + self.height + max(by, 0) + MARGIN
        before: list[Placed] = []
        first = placed[0]
        while first.index and first.y > top:
            found = self._place(first.index - 1, 0)
            found.y = first.y - found.laid.height
            before.append(found)
            first = found
        placed[:0] = reversed(before)
        while placed[-1].index + 1 < len(self.rows) and placed[-1].end < bottom:
            placed.append(self._place(placed[-1].index + 1, placed[-1].end))

    def _draw(self, placed: list[Placed]) -> None:
        """Make the canvas show these rows: what stands already is kept, or moved."""
        old = {each.row.key: each for each in self.placed}
        canvas = self.canvas
        for each in placed:
            known = old.get(each.row.key)
            if known is not None and known.laid is each.laid:
                each.tag, each.held = known.tag, known.held
                if known.y != each.y:
                    canvas.move(each.tag, 0, each.y - known.y)
                del old[each.row.key]
        for gone in old.values():
            canvas.delete(gone.tag)
        fresh = []
        for each in placed:
            if not each.tag:
                fresh.append(each.row)
                self._tags += 1
                each.tag = f"r{self._tags}"
                each.held = self.painter.laid(canvas, each.laid, (self.left, each.y), each.tag)
        self.placed = placed
        self._ring()
        if fresh:
            self.on_drawn(fresh)

    def redraw(self, path: str) -> None:
        """A picture has been decoded: the rows that show it are drawn anew."""
        for each in self.placed:
            if any(isinstance(part, Picture) and part.file.path == path for part in each.laid.parts):
                self.canvas.delete(each.tag)
                each.held = self.painter.laid(self.canvas, each.laid, (self.left, each.y), each.tag)
        for tag in ("hover", "selection", "overlay"):
            self.canvas.tag_raise(tag)

    # --- scrolling ---

    def scroll(self, by: int) -> int:
        """Move the view by pixels, downwards for positive ones, as far as there is something; how far it went."""
        if not self.placed:
            self._moved()
            return 0
        placed = list(self.placed)
        self._extend(placed, by)
        by = self._bounded(placed, by)
        if by:
            self._offset += by
            self.canvas.tk.call(str(self.canvas), "yview", "scroll", by, "units")
            self.canvas.move("overlay", 0, by)
        top, bottom = self._offset - 2 * MARGIN, self._offset + self.height + 2 * MARGIN
        self._draw([each for each in placed if each.end > top and each.y < bottom])
        self._moved()
        return by

    def _bounded(self, placed: list[Placed], by: int) -> int:
        pad = self._pad()
        first, last = placed[0], placed[-1]
        whole = first.index == 0 and last.index == len(self.rows) - 1
        lowest = last.end + pad - self.height  # the offset at which the end is in view
        if whole and lowest <= first.y - pad:
            by = lowest - self._offset  # it all fits: it stands at the bottom, beside the composer
            self.at_end = True
            return by
        if last.index == len(self.rows) - 1:
            by = min(by, lowest - self._offset)
        if first.index == 0:
            by = max(by, first.y - self._offset)
        self.at_end = last.index == len(self.rows) - 1 and self._offset + by >= lowest - 2
        return by

    def _moved(self) -> None:
        self.bar.update(*self._span())
        self.on_scroll()
        if not self.placed:
            return
        if self.placed[0].index < EDGE:
            self._on_edge("older")
        if self.placed[-1].index > len(self.rows) - EDGE:
            self._on_edge("newer")

    def _span(self) -> tuple[float, float]:
        """Which part of all rows is in view: its begin and end between 0 and 1."""
        if not self.placed:
            return 0.0, 1.0
        count, top, end = len(self.rows), self._offset, self._offset + self.height

        def share(y: int) -> float:
            at = max(bisect_right([each.y for each in self.placed], y) - 1, 0)
            each = self.placed[at]
            return (each.index + min(max((y - each.y) / max(each.laid.height, 1), 0.0), 1.0)) / count

        return share(top), share(end)

    def _dragged(self, share: float) -> None:
        """The scrollbar was taken to a place."""
        self._stop_glide()
        if share >= 0.999:
            self.to_end()
            return
        place = share * len(self.rows)
        at = min(int(place), len(self.rows) - 1)
        row = self.rows[at]
        self.at_end = False
        self._jump(row.key, -int((place - at) * self.layout(row).height))

    def wheel(self, by: int) -> None:
        """Glide by pixels, within 120 ms."""
        if not self.motion:
            self.scroll(by)
            return
        self._glide += by
        if self._gliding is None:
            self._step()

    def _step(self) -> None:
        by = round(self._glide * 0.34) or (1 if self._glide > 0 else -1)
        went = self.scroll(by)
        self._glide -= by
        if abs(self._glide) < 1 or went != by:
            self._glide, self._gliding = 0.0, None
        else:
            self._gliding = self.canvas.after(FRAME, self._step)

    def _stop_glide(self) -> None:
        if self._gliding is not None:
            self.canvas.after_cancel(self._gliding)
        self._glide, self._gliding = 0.0, None

    def page(self, direction: int) -> None:
        """A view's height up (-1) or down (1), with a line kept."""
        self.wheel(direction * (self.height - self.painter.fonts.px(60)))

    def to_end(self) -> None:
        """To the latest row that is here."""
        self._stop_glide()
        self.at_end = True
        self._arrange(None)

    def to_top(self) -> None:
        """To the oldest row that is here."""
        if self.rows:
            self._jump(self.rows[0].key, 0)

    def to(self, key: str, flash: bool = True) -> bool:
        """Bring a row into view, and mark it for a moment; False when it is not here."""
        if key not in self.index:
            return False
        self._stop_glide()
        place = next((each for each in self.placed if each.row.key == key), None)
        inside = place and self._offset <= place.y and place.end <= self._offset + self.height
        if not inside:
            self._jump(key, max(self.height // 3, 0))
        if flash:
            self.choose(key)
            if self._flash is not None:
                self.canvas.after_cancel(self._flash)
            self._flash = self.canvas.after(1_600, self._unflash)
        return True

    def _unflash(self) -> None:
        self._flash = None
        if self.canvas.focus_get() is not self.canvas:
            self.choose("")

    def _jump(self, key: str, below: int) -> None:
        self.at_end = False
        self.canvas.delete("row")
        self._arrange((key, below))

    # --- the row that is chosen ---

    def choose(self, key: str) -> None:
        """Choose a row, or none; it bears a ring."""
        self.chosen = key
        self._ring()

    def step(self, direction: int) -> None:
        """Choose the message before (-1) or behind (1); from none, the last one in view."""
        said = ("message", "written", "told")
        if self.chosen in self.index:
            at = self.index[self.chosen] + direction
        else:
            view = [each for each in self.placed if each.y < self._offset + self.height and each.row.kind in said]
            at = view[-1].index if view else len(self.rows) - 1
        while 0 <= at < len(self.rows) and self.rows[at].kind not in said:
            at += direction
        if 0 <= at < len(self.rows):
            self.choose(self.rows[at].key)
            self._into_view(self.chosen)
        elif direction > 0:
            self.choose("")

    def _into_view(self, key: str) -> None:
        place = next((each for each in self.placed if each.row.key == key), None)
        if place is None:
            self.to(key, flash=False)
        elif place.y < self._offset:
            self.scroll(place.y - self._offset - self._pad())
        elif place.end > self._offset + self.height:
            self.scroll(place.end - self._offset - self.height + self._pad())

    @property
    def row(self) -> Row | None:
        """The row that is chosen."""
        at = self.index.get(self.chosen)
        return self.rows[at] if at is not None else None

    def _ring(self) -> None:
        self.canvas.delete("ring")
        place = next((each for each in self.placed if each.row.key == self.chosen), None)
        if place is None:
            return
        grow, (x0, y0, x1, y1) = self.painter.fonts.px(2), place.laid.bubble
        box = (self.left + x0 - grow, place.y + y0 - grow, self.left + x1 + grow, place.y + y1 + grow)
        self.painter.fill(self.canvas, box, Fill(*box, "accent", self.painter.fonts.px(14)), "ring")
        self.canvas.tag_lower("ring")

    # --- where something is ---

    @property
    def offset(self) -> int:
        """The canvas' y at the top of the view."""
        return self._offset

    def under(self, y: int) -> Placed | None:
        """The row at a y of the view."""
        at = bisect_right([each.y for each in self.placed], y + self._offset) - 1
        found = self.placed[at] if at >= 0 else None
        return found if found is not None and y + self._offset < found.end else None

    def shown(self) -> list[Placed]:
        """The rows in view, from the top."""
        return [each for each in self.placed if each.end > self._offset and each.y < self._offset + self.height]
