"""Which part of the terminal each pane has, at every size. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_FOR_LIST, LEAST_FOR_MEMBERS = 70, 90
LEAST_HEIGHT = 5
NAMES = 12
"""Cells of the column of names, at most."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Places and sizes in cells. A pane with 0 cells is hidden; the bars stand in the column in front of a pane."""

    height: int
    width: int
    list: int
    main_x: int
    main: int
    members_x: int
    members: int
    names: int
    time: int

    @property
    def body_y(self) -> int:
        """The first row of the messages."""
        return 1

    @property
    def text_x(self) -> int:
        """Where the text of a message begins, from the left of its pane."""
        return self.time + self.names + 3

    @property
    def text(self) -> int:
        """Cells of a message's text: one stays free on the right for how a message stands."""
        return max(8, self.main - self.text_x - 3)


def lay_out(height: int, width: int, wants_list: bool | None = None, wants_members: bool | None = None) -> Layout:
    """The panes at a size. `wants_…`: what a person chose; None: what there is room for."""
    shows_list = width >= LEAST_FOR_LIST if wants_list is None else wants_list and width >= 44
    shows_members = width >= LEAST_FOR_MEMBERS if wants_members is None else wants_members and width >= 44
    column = (20 if width < 110 else 24 if width < 160 else 30) if shows_list else 0
    people = (16 if width < 110 else 18 if width < 160 else 24) if shows_members else 0
    main_x = column + 1 if column else 0
    members_x = width - people if people else width
    main = max(1, (members_x - 1 if people else width) - main_x)
    names = NAMES if main >= 76 else 10 if main >= 56 else 8 if main >= 40 else 6
    time = 7 if main >= 36 else 0
    return Layout(height, width, column, main_x, main, members_x, people, names, time)
