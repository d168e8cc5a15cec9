"""The place in a conversation that one looks at: what is laid out is what is seen, however long it is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from alonechat.core.client.rows import Row
from alonechat.ui.tui.screen import Line

Lay = Callable[[Row], list[Line]]


class Seen(NamedTuple):
    """A line that is in view, of which row."""

    row: Row
    line: Line


@dataclass(slots=True)
class Laid:
    """Rows that were laid out already, at one size: they are laid out again when something in them has changed."""

    lay: Lay
    _kept: dict[str, tuple[Row, list[Line]]] = field(default_factory=dict)

    def __call__(self, row: Row) -> list[Line]:
        """The lines of a row."""
        kept = self._kept.get(row.key)
        if kept is not None and (kept[0] is row or kept[0] == row):
            return kept[1]
        if len(self._kept) > 2_000:
            self._kept.clear()
        found = self.lay(row)
        self._kept[row.key] = (row, found)
        return found


@dataclass(slots=True)
class Place:
    """Where one looks: the row at the lower edge and how many of its lines are below it. No `key`: at the end, and
    what arrives is followed."""

    key: str | None = None
    below: int = 0

    def find(self, rows: Sequence[Row]) -> int:
        """Which row is at the lower edge; a row that is gone (its window was cut) gives way to the first."""
        if self.key is None:
            return len(rows) - 1
        found = next((at for at in range(len(rows) - 1, -1, -1) if rows[at].key == self.key), None)
        if found is None:
            self.below = 0
            return 0 if rows else -1
        return found

    def view(self, rows: Sequence[Row], lay: Lay, height: int) -> list[Seen]:
        """The lines in view, top down; fewer than `height` where there are no more."""
        at = self.find(rows)
        if at < 0:
            return []
        found: list[Seen] = []
        skip = self.below if self.key is not None else 0
        while at >= 0 and len(found) < height:
            row = rows[at]
            laid = lay(row)
            found += [Seen(row, each) for each in reversed(laid[: len(laid) - skip] if skip else laid)]
            skip = 0
            at -= 1
        return list(reversed(found[:height]))

    def scroll(self, rows: Sequence[Row], lay: Lay, height: int, by: int) -> bool:
        """Move up by so many lines, or down (negative). False: there was nothing further that way."""
        if not rows:
            return False
        before = (self.key, self.below)
        if by > 0:
            self._up(rows, lay, height, by)
        else:
            self._down(rows, lay, -by)
        return before != (self.key, self.below)

    def _up(self, rows: Sequence[Row], lay: Lay, height: int, by: int) -> None:
        at, below = self.find(rows), (self.below if self.key is not None else 0) + by
        at, below = _settled(rows, lay, at, below)
        # The first row stays at the upper edge: count back from it.
        filled, place = -below, at
        while place >= 0 and filled < height:
            filled += len(lay(rows[place]))
            place -= 1
        if filled < height:
            filled, at = 0, 0
            while at < len(rows) and filled + len(lay(rows[at])) < height:
                filled += len(lay(rows[at]))
                at += 1
            if at >= len(rows):
                self.key, self.below = None, 0
                return
            below = filled + len(lay(rows[at])) - height
        self._stand(rows, at, below)

    def _down(self, rows: Sequence[Row], lay: Lay, by: int) -> None:
        if self.key is None:
            return
        at, below = self.find(rows), self.below - by
        while below < 0 and at + 1 < len(rows):
            at += 1
            below += len(lay(rows[at]))
        self._stand(rows, at, max(0, below))

    def _stand(self, rows: Sequence[Row], at: int, below: int) -> None:
        at_end = at >= len(rows) - 1 and below == 0
        self.key, self.below = (None, 0) if at_end else (rows[at].key, below)

    def show(self, rows: Sequence[Row], lay: Lay, height: int, key: str) -> None:
        """Move as little as it takes so that a row is in view; one that is far off comes to the middle."""
        seen = self.view(rows, lay, height)
        mine = [at for at, each in enumerate(seen) if each.row.key == key]
        target = next((at for at in range(len(rows) - 1, -1, -1) if rows[at].key == key), None)
        if target is None:
            return
        size = len(lay(rows[target]))
        if len(mine) >= min(size, height):
            return
        if mine:
            if mine[0] == 0:  # its beginning is above the upper edge
                self.scroll(rows, lay, height, size - len(mine))
            else:
                self.scroll(rows, lay, height, len(mine) - size)
            return
        self._stand(rows, target, 0)
        self.scroll(rows, lay, height, -max(0, (height - size) // 2))


def _settled(rows: Sequence[Row], lay: Lay, at: int, below: int) -> tuple[int, int]:
    """The same place, told by the row in which it is."""
    while at > 0 and below >= len(lay(rows[at])):
        below -= len(lay(rows[at]))
        at -= 1
    return at, below
