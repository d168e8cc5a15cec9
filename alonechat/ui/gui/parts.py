"""What a row looks like, as values: shapes, texts and pictures with their places, and the areas that do something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from alonechat.core.client.files import File

# Colours are named after the theme's fields (`accent`), or `author:3` for the colour of an author, so that what was
# laid out stays when the theme changes.


@dataclass(frozen=True, slots=True)
class Fill:
    """A rectangle with round corners; `edge`: the colour of a line around it."""

    x0: int
    y0: int
    x1: int
    y1: int
    colour: str
    radius: int = 0
    edge: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A text; `y` is its top. `start`: where it stands in what can be selected, -1 where it can't be. `hard`: a line
    of what is selected ends behind it."""

    x: int
    y: int
    text: str
    font: str
    colour: str
    start: int = -1
    width: int = 0
    height: int = 0
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Emoji:
    """An emoji as a picture of `size`."""

    x: int
    y: int
    text: str
    size: int
    start: int = -1
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Icon:
    """An icon of `shapes.ICONS`."""

    x: int
    y: int
    name: str
    size: int
    colour: str


@dataclass(frozen=True, slots=True)
class Avatar:
    """Initials on a disc in a person's colour."""

    x: int
    y: int
    size: int
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A file of a message as a picture that fills its box; `ground` is around its round corners, and below it."""

    x: int
    y: int
    width: int
    height: int
    file: File
    radius: int
    ground: str


Part = Fill | Label | Emoji | Icon | Avatar | Picture


@dataclass(frozen=True, slots=True)
class Area:
    """Where a click does something: `act` names it, `value` says with what."""

    x0: int
    y0: int
    x1: int
    y1: int
    act: str
    value: str = ""

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.x0 <= x < self.x1 and self.y0 <= y < self.y1


@dataclass(frozen=True, slots=True)
class Laid:
    """A row that is laid out: its height, what is drawn, what can be clicked, the text that can be selected, and where
    the bubble stands (x0, y0, x1, y1)."""

    height: int
    parts: tuple[Part, ...]
    areas: tuple[Area, ...] = ()
    text: str = ""
    bubble: tuple[int, int, int, int] = (0, 0, 0, 0)

    def area(self, x: float, y: float) -> Area | None:
        """The topmost area at a point."""
        return next((each for each in reversed(self.areas) if each.holds(x, y)), None)


def moved(part: Part, dx: int, dy: int) -> Part:
    """The same part elsewhere."""
    if isinstance(part, Fill):
        return replace(part, x0=part.x0 + dx, x1=part.x1 + dx, y0=part.y0 + dy, y1=part.y1 + dy)
    return replace(part, x=part.x + dx, y=part.y + dy)


def shifted(areas: Iterable[Area], dx: int, dy: int) -> list[Area]:
    """The same areas elsewhere."""
    return [replace(a, x0=a.x0 + dx, x1=a.x1 + dx, y0=a.y0 + dy, y1=a.y1 + dy) for a in areas]
