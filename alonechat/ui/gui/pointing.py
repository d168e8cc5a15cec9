"""The pointer over the messages: links, buttons that appear under it, selecting text."""

from __future__ import annotations

import sys
import tkinter
from bisect import bisect_right
from collections.abc import Callable

from alonechat.core.client.rows import Row
from alonechat.ui.gui.keys import SECOND
from alonechat.ui.gui.layout import GUTTER
from alonechat.ui.gui.parts import Area, Emoji, Fill, Icon, Label, Laid
from alonechat.ui.gui.selection import Selection, Spot
from alonechat.ui.gui.timeline import Placed, Timeline

TOOLS = ("reply", "smile", "more")
STEP = 90
"""Pixels of a turn of the wheel."""
SLACK, EDGING = 4, 30
"""Pixels that a click may slip before it selects, and milliseconds between steps while one drags beyond the view."""

Act = Callable[[str, str, Row, "tkinter.Event[tkinter.Misc]"], None]


class Pointing:
    """`act(name, value, row, event)`: an area of a row, or a button of its tools, was clicked."""

    def __init__(self, timeline: Timeline, act: Act) -> None:
        self._timeline, self._act = timeline, act
        self._over = ""
        self._tools: list[Area] = []
        self._press: Spot | None = None
        self._pressed_at = (0, 0)
        self._dragging = False
        self._edging = ""
        self._beyond = (0, 0)
        self.selection = Selection(timeline)
        canvas = timeline.canvas
        for event, acts in (
            ("<Motion>", self._moved),
            ("<Leave>", lambda _e: self._hover(None)),
            ("<ButtonPress-1>", self._pressed),
            ("<B1-Motion>", self._dragged),
            ("<ButtonRelease-1>", self._released),
            ("<Double-Button-1>", self._doubled),
            (SECOND, self._menu),
        ):
            canvas.bind(event, acts)

    # --- under the pointer ---

    def _at(self, event: tkinter.Event[tkinter.Misc]) -> tuple[Placed | None, int, int]:
        found = self._timeline.under(event.y)
        y = event.y + self._timeline.offset - (found.y if found else 0)
        return found, event.x - self._timeline.left, y

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        found, x, y = self._at(event)
        self._hover(found)
        over_tool = any(area.holds(event.x, event.y + self._timeline.offset) for area in self._tools)
        cursor = "arrow"
        if over_tool or (found and found.laid.area(x, y)):
            cursor = "hand2"
        elif found and self._label(found.laid, x, y, exact=True) is not None:
            cursor = "xterm"
        if self._timeline.canvas.cget("cursor") != cursor:
            self._timeline.canvas.configure(cursor=cursor)

    def refresh(self) -> None:
        """Rows have moved, or were drawn anew."""
        self._over = ""
        self._hover(None)
        self.selection.draw()

    def _hover(self, found: Placed | None) -> None:
        key = found.row.key if found and found.row.kind == "message" and not found.row.deleted else ""
        if key == self._over:
            return
        self._over = key
        canvas = self._timeline.canvas
        canvas.delete("hover")
        self._tools = []
        if found is not None and key:
            self._draw_tools(found)

    def _draw_tools(self, found: Placed) -> None:
        timeline = self._timeline
        painter, px = timeline.painter, timeline.painter.fonts.px
        x0, y0, x1, _y1 = found.laid.bubble
        size, pad = px(28), px(2)
        wide = size * len(TOOLS) + 2 * pad
        left = timeline.left + (x0 - wide - px(6) if found.row.mine else x1 + px(6))
        left = max(min(left, timeline.left + timeline.column + px(4) - wide + (px(12) if found.row.mine else 0)), px(4))
        top = found.y + y0 - (0 if found.row.first else px(1))
        box = (left, top, left + wide, top + size + 2 * pad)
        painter.fill(timeline.canvas, box, Fill(*box, "ground", px(9), "pressed"), "hover")
        for at, name in enumerate(TOOLS):
            x, y = left + pad + at * size, top + pad
            inside = (size - px(18)) // 2
            painter.part(timeline.canvas, Icon(x + inside, y + inside, name, px(18), "secondary"), (0, 0), "hover")
            self._tools.append(Area(x, y, x + size, y + size, {"smile": "pick"}.get(name, name)))
        if not found.row.first and not found.row.mine:
            fonts = painter.fonts
            drop = y0 + (fonts.line("text") + px(16) - fonts.height("tiny")[1]) // 2
            at_x = (px(GUTTER) - px(8) - fonts.measure(found.row.time, "tiny")) // 2
            where = (timeline.left + at_x, found.y + drop)
            painter.part(timeline.canvas, Label(0, 0, found.row.time, "tiny", "secondary"), where, "hover")

    # --- clicks ---

    def _pressed(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._dragging = False
        self.selection.clear()
        found, x, y = self._at(event)
        self._press, self._pressed_at = None, (event.x, event.y)
        if found is not None and (self._label(found.laid, x, y, exact=True) or not found.laid.area(x, y)):
            self._press = self._spot(found, x, y)

    def _released(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._stop_edging()
        if self._dragging:
            self._dragging = False
            return
        y = event.y + self._timeline.offset
        found, x, inner = self._at(event)
        tool = next((area for area in self._tools if area.holds(event.x, y)), None)
        if tool is not None and (at := self._timeline.index.get(self._over)) is not None:
            self._act(tool.act, "", self._timeline.rows[at], event)
        elif found is not None and (area := found.laid.area(x, inner)):
            self._act(area.act, area.value, found.row, event)

    def _menu(self, event: tkinter.Event[tkinter.Misc]) -> None:
        found, x, y = self._at(event)
        if found is not None and found.row.kind in ("message", "written", "told"):
            area = found.laid.area(x, y)
            self._act("more", area.value if area and area.act == "link" else "", found.row, event)

    # --- selecting ---

    def text(self) -> str:
        """What is selected."""
        return self.selection.text()

    def _spot(self, found: Placed, x: int, y: int) -> Spot:
        return Spot(found.row.key, self._offset_at(found.laid, x, y, nearest=True) or 0)

    def _dragged(self, event: tkinter.Event[tkinter.Misc]) -> None:
        near = max(abs(event.x - self._pressed_at[0]), abs(event.y - self._pressed_at[1])) < SLACK
        if self._press is None or (near and not self._dragging):
            return
        self._dragging = True
        self._reach(event.x, event.y)
        outside = event.y < 0 or event.y >= self._timeline.height
        if not outside:
            self._stop_edging()
        elif not self._edging:
            self._edge(event.x, event.y)
        self._beyond = (event.x, event.y)

    def _reach(self, x: int, y: int) -> None:
        """Select up to a point of the view."""
        timeline = self._timeline
        y = max(0, min(y, timeline.height - 1))
        shown = timeline.shown()
        found = timeline.under(y) or (shown[-1] if shown else None)
        if found is not None and self._press is not None:
            here = self._spot(found, x - timeline.left, y + timeline.offset - found.y)
            self.selection.take(self._press, here)

    def _edge(self, x: int, y: int) -> None:
        """The pointer is dragged beyond the view: it follows, the faster the farther."""
        self._beyond = (x, y)

        def step() -> None:
            x, y = self._beyond
            far = y if y < 0 else y - self._timeline.height
            self._timeline.scroll(max(-60, min(far // 2 + (1 if far > 0 else 0), 60)))
            self._reach(x, y)
            self._edging = self._timeline.canvas.after(EDGING, step)

        self._edging = self._timeline.canvas.after(EDGING, step)

    def _stop_edging(self) -> None:
        if self._edging:
            self._timeline.canvas.after_cancel(self._edging)
            self._edging = ""

    def _doubled(self, event: tkinter.Event[tkinter.Misc]) -> None:
        found, x, y = self._at(event)
        at = self._offset_at(found.laid, x, y) if found else None
        if found is None or at is None:
            return
        text, start, end = found.laid.text, at, at
        while start and (text[start - 1].isalnum() or text[start - 1] in "_-'"):
            start -= 1
        while end < len(text) and (text[end].isalnum() or text[end] in "_-'"):
            end += 1
        if end > start:
            self._dragging = True
            self.selection.take(Spot(found.row.key, start), Spot(found.row.key, end))

    def _label(self, laid: Laid, x: int, y: int, exact: bool) -> Label | Emoji | None:
        """The piece of text at a point; the nearest one of that height where it needn't be exact."""
        best: tuple[int, Label | Emoji] | None = None
        for part in laid.parts:
            if not isinstance(part, (Label, Emoji)) or part.start < 0:
                continue
            wide, high = (part.width, part.height) if isinstance(part, Label) else (part.size, part.size)
            beside = max(part.x - x, x - part.x - wide, 0)
            above = max(part.y - y, y - part.y - high, 0)
            if exact and (beside or above):
                continue
            far = above * 100 + beside
            if best is None or far < best[0]:
                best = (far, part)
        return best[1] if best else None

    def _offset_at(self, laid: Laid, x: int, y: int, nearest: bool = False) -> int | None:
        part = self._label(laid, x, y, exact=not nearest)
        if part is None:
            return None
        if isinstance(part, Emoji):
            return part.start + (len(part.text) if x > part.x + part.size / 2 else 0)
        measure = self._timeline.painter.fonts.measure
        edges = [0] + [measure(part.text[: at + 1], part.font) for at in range(len(part.text))]
        at = bisect_right(edges, x - part.x) - 1
        if 0 <= at < len(part.text) and x - part.x > (edges[at] + edges[at + 1]) / 2:
            at += 1
        return part.start + max(0, min(at, len(part.text)))


def wheel(root: tkinter.Misc, scrollers: Callable[[tkinter.Misc], Callable[[int], None] | None], px: int) -> None:
    """Bind the wheel once for the window: what lies under the pointer scrolls."""

    def turned(event: tkinter.Event[tkinter.Misc], by: int) -> None:
        under = root.winfo_containing(event.x_root, event.y_root)
        found = scrollers(under) if under is not None else None
        if found is not None:
            found(by)

    root.bind_all("<Button-4>", lambda event: turned(event, -px))
    root.bind_all("<Button-5>", lambda event: turned(event, px))
    share = 120 if sys.platform == "win32" else 1
    root.bind_all("<MouseWheel>", lambda event: turned(event, -round(event.delta / share * px)))
