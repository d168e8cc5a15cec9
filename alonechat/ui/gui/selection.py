"""Text that is selected in the messages, within one or over several, and what of it is copied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from alonechat.core.client.rows import Row
from alonechat.ui.gui.parts import Emoji, Label
from alonechat.ui.gui.timeline import Placed, Timeline

SAID = ("message", "written", "told")
"""Kinds of rows that somebody said something in; days and notes between them are not copied."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the text of a row."""

    key: str
    at: int


def attributed(row: Row, text: str) -> str:
    """A message as it is copied among others: when, who, what."""
    when = datetime.fromtimestamp(row.stamp).strftime("%Y-%m-%d %H:%M")
    return f"[{when}] {row.name}: {text}" if row.name else f"[{when}] {text}"


class Selection:
    """From the spot where the pointer was pressed to where it was dragged."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.begin: Spot | None = None
        self.end: Spot | None = None

    @property
    def chosen(self) -> bool:
        """Whether something is selected."""
        return self.begin is not None and self.end is not None and self.begin != self.end

    def clear(self) -> None:
        """Nothing is selected."""
        self.begin = self.end = None
        self._timeline.canvas.delete("selection")

    def take(self, begin: Spot, end: Spot) -> None:
        """Select what lies between two spots, whichever comes first."""
        self.begin, self.end = begin, end
        self.draw()

    def spans(self) -> list[tuple[Row, int, int]]:
        """The rows that are selected, in order, each from where to where in its text."""
        index, rows = self._timeline.index, self._timeline.rows
        if not self.chosen or self.begin is None or self.end is None:
            return []
        if self.begin.key not in index or self.end.key not in index:
            return []
        first, last = sorted((self.begin, self.end), key=lambda spot: (index[spot.key], spot.at))
        low, high = index[first.key], index[last.key]
        found = []
        for at in range(low, high + 1):
            text = self._timeline.layout(rows[at]).text
            start, end = (first.at if at == low else 0), (last.at if at == high else len(text))
            if rows[at].kind in SAID or low == high:
                found.append((rows[at], start, end))
        return found

    def text(self) -> str:
        """What is copied: the piece of a message; of several, each on a line of its own with time and author."""
        pieces = [(row, self._timeline.layout(row).text[start:end]) for row, start, end in self.spans()]
        if len(pieces) == 1:
            return pieces[0][1]
        pieces = [(row, text or ", ".join(file.name for file in row.files)) for row, text in pieces]
        return "\n".join(attributed(row, text) for row, text in pieces if text.strip() and not row.deleted)

    # --- drawing ---

    def draw(self) -> None:
        """Mark what is selected: its ground, and the text upon it in the one colour that can be read there."""
        canvas = self._timeline.canvas
        canvas.delete("selection")
        spans = {row.key: (start, end) for row, start, end in self.spans()}
        for place in self._timeline.placed if spans else ():
            if place.row.key in spans:
                start, end = spans[place.row.key]
                for part, low, high in _pieces(place, start, end):
                    self._piece(place, part, low, high)

    def _piece(self, place: Placed, part: Label | Emoji, low: int, high: int) -> None:
        canvas, painter = self._timeline.canvas, self._timeline.painter
        x, y = self._timeline.left + part.x, place.y + part.y
        measure, ground = painter.fonts.measure, painter.palette.get("selection")
        if isinstance(part, Emoji):
            x0, x1, tall = x - 1, x + part.size + 1, part.size
        else:
            x0, x1 = x + measure(part.text[:low], part.font), x + measure(part.text[:high], part.font)
            tall = part.height - 2
        canvas.create_rectangle(x0, y, x1, y + tall, fill=ground, width=0, tags="selection")
        if isinstance(part, Emoji):
            painter.emoji(canvas, part, (self._timeline.left, place.y), "selection")
        else:
            painter.part(canvas, Label(x0, y, part.text[low:high], part.font, "text"), (0, 0), "selection")


def _pieces(place: Placed, start: int, end: int) -> Iterator[tuple[Label | Emoji, int, int]]:
    """The parts of a row that lie between two places of its text, and from where to where in each."""
    for part in place.laid.parts:
        if isinstance(part, (Label, Emoji)) and part.start >= 0:
            low, high = max(start - part.start, 0), min(end - part.start, len(part.text))
            if low < high:
                yield part, low, high
