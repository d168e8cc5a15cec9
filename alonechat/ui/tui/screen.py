"""What is to be seen: styled lines in slots of rows, and the difference to what a terminal shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from alonechat.ui.tui.width import breaks, graphemes, is_simple, width

BOLD, DIM, ITALIC, UNDERLINE, REVERSE, STRIKE = 1, 2, 4, 8, 16, 32


class Style(NamedTuple):
    """How text looks: roles of the theme (`accent`, `author:3`; "" is the terminal's own), and attributes."""

    ink: str = ""
    ground: str = ""
    attributes: int = 0

    def on(self, ground: str) -> Style:
        """The same, on another ground."""
        return Style(self.ink, ground or self.ground, self.attributes)

    def plus(self, attributes: int) -> Style:
        """The same, with more attributes."""
        return Style(self.ink, self.ground, self.attributes | attributes)


PLAIN = Style()
SECONDARY = Style("secondary")
ACCENT = Style("accent")
DANGER = Style("danger")
DIVIDER = Style("secondary", "", DIM)
"""Dimmed text rather than the theme's divider: nobody knows how dark the terminal's own ground is."""


class Piece(NamedTuple):
    """A stretch of text in one style."""

    text: str
    style: Style = PLAIN


Line = tuple[Piece, ...]
Cell = tuple[str, Style]
FREE: Cell = (" ", PLAIN)


class Slot(NamedTuple):
    """Where a line stands in a row: from cell `x` on, in `cells` cells, the rest of them filled in `fill`'s style."""

    x: int
    cells: int
    line: Line
    fill: Style


class Run(NamedTuple):
    """Cells of a row that must be written: from cell `x` on, stretches of one style each. `odd`: terminals differ in
    how wide its last character is, so the cursor is to be placed anew behind it."""

    y: int
    x: int
    text: str
    style: Style
    odd: bool


def line(text: str, style: Style = PLAIN) -> Line:
    """A line of one piece."""
    return (Piece(text, style),)


def width_of(pieces: Iterable[Piece]) -> int:
    """Cells that a line takes."""
    return sum(width(piece.text) for piece in pieces)


def cut(pieces: Iterable[Piece], cells: int) -> Line:
    """A line, or as much of its beginning as fits, with … at the end."""
    pieces = tuple(pieces)
    if width_of(pieces) <= cells:
        return pieces
    kept: list[Piece] = []
    room = cells - 1
    for piece in pieces:
        text = ""
        for each, wide in graphemes(piece.text):
            if wide > room:
                return (*kept, Piece(text + "…", piece.style)) if cells > 0 else ()
            text, room = text + each, room - wide
        kept.append(piece)
    return tuple(kept)


def wrap(pieces: Sequence[Piece], cells: int) -> list[Line]:
    """A line broken into lines of at most so many cells."""
    if width_of(pieces) <= cells:
        return [tuple(pieces)]
    flat = [(each, wide, piece.style) for piece in pieces for each, wide in graphemes(piece.text)]
    places = breaks([(each, wide) for each, wide, _ in flat], max(2, cells))
    return [tuple(_joined((each, style) for each, _, style in flat[begin:end])) for begin, end in places]


def _joined(cells: Iterable[Cell]) -> Iterator[Piece]:
    text, current = "", PLAIN
    for each, style in cells:
        if style != current and text:
            yield Piece(text, current)
            text = ""
        text, current = text + each, style
    if text:
        yield Piece(text, current)


@dataclass(slots=True)
class Screen:
    """One picture. Slots that are put later cover earlier ones. `cursor`: where the terminal's cursor stands (y, x)."""

    height: int
    width: int
    cursor: tuple[int, int] | None = None
    rows: list[list[Slot]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = [[] for _ in range(self.height)]

    def put(self, y: int, x: int, cells: int, pieces: Line, fill: Style = PLAIN) -> None:
        """Put a line into `cells` cells of row `y` from `x` on; what doesn't fit, or lies outside, is not seen."""
        if 0 <= y < self.height and x < self.width and cells > 0:
            self.rows[y].append(Slot(x, min(cells, self.width - x), pieces, fill))


class Painter:
    """Remembers what a terminal shows, and says what must be written so that it shows the next picture."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._slots: list[list[Slot]] = []
        self._cells: list[list[Cell]] = []

    def forget(self) -> None:
        """The terminal may show anything now."""
        self._size = (0, 0)

    def shows(self, screen: Screen) -> bool:
        """Whether the terminal was painted at this size before; else it is to be cleared first."""
        return self._size == (screen.height, screen.width)

    def paint(self, screen: Screen) -> list[Run]:
        """What to write, top down."""
        if not self.shows(screen):
            self._size = (screen.height, screen.width)
            self._slots = [[] for _ in range(screen.height)]
            self._cells = [[FREE] * screen.width for _ in range(screen.height)]
        runs: list[Run] = []
        for y, slots in enumerate(screen.rows):
            if slots != self._slots[y]:
                cells = _cells(slots, screen.width)
                runs += _changed(y, self._cells[y], cells)
                self._slots[y], self._cells[y] = slots, cells
        return runs

    def text(self) -> str:
        """What the terminal shows, without styles: for captures."""
        return "\n".join("".join(each for each, _ in row).rstrip() for row in self._cells)


def _cells(slots: Iterable[Slot], wide: int) -> list[Cell]:
    """A row's cells: a wide character's second cell is empty."""
    row = [FREE] * wide
    for x, room, pieces, fill in slots:
        end = x + room
        if row[x][0] == "":  # half of what was there is covered: the other half can't stay
            row[x - 1] = (" ", row[x - 1][1])
        if end < wide and row[end][0] == "":
            row[end] = (" ", row[end][1])
        for text, style in pieces:
            if fill.ground and not style.ground:
                style = style.on(fill.ground)
            for each, cells in graphemes(text):
                if x + cells > end:
                    room = 0
                    break
                row[x] = (each, style)
                if cells == 2:
                    row[x + 1] = ("", style)
                x += cells
            if not room:
                break
        row[x:end] = [(" ", fill)] * (end - x)
    return row


def _changed(y: int, before: list[Cell], after: list[Cell]) -> Iterator[Run]:
    """The stretches in which a row differs; few unchanged cells between two of them are written again, which is
    shorter than to place the cursor."""
    places = [x for x in range(len(after)) if before[x] != after[x]]
    at = 0
    while at < len(places):
        begin = end = places[at]
        while at < len(places) and places[at] <= end + 4:
            end = places[at]
            at += 1
        while after[begin][0] == "":
            begin -= 1
        while end + 1 < len(after) and after[end + 1][0] == "":
            end += 1
        yield from _runs(y, begin, after[begin : end + 1])


def _runs(y: int, x: int, cells: list[Cell]) -> Iterator[Run]:
    text, begin, style = "", x, cells[0][1]
    for offset, (each, look) in enumerate(cells):
        odd = bool(each) and not is_simple(each)
        if (look != style or odd) and text:
            yield Run(y, begin, text, style, False)
            text, begin = "", x + offset
        text, style = text + each, look
        if odd:
            wide = offset + 1 < len(cells) and cells[offset + 1][0] == ""
            if wide:  # where a terminal draws it in one cell, nothing old is left in the other
                yield Run(y, begin, "  ", style, True)
            yield Run(y, begin, text, style, True)
            text, begin = "", x + offset + (2 if wide else 1)
    if text:
        yield Run(y, begin, text, style, False)
