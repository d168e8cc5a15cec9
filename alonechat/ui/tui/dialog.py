"""What stands over the conversation for a while: a list to choose from, a form to fill in, a page to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from alonechat.ui.tui.composer import Editor, drawn, lay_out
from alonechat.ui.tui.screen import BOLD, DANGER, PLAIN, SECONDARY, Line, Piece, Screen, Style, cut, width_of, wrap
from alonechat.ui.tui.width import pad, width

BORDER = Style("accent")
CHOSEN = Style("", "selected", BOLD)


class Box(NamedTuple):
    """Where a dialog stands."""

    y: int
    x: int
    height: int
    width: int


def boxed(screen: Screen, title: str, foot: str, height: int, cells: int) -> Box:
    """Draw a frame in the middle of the screen, as large as asked for or as there is room; the place inside it."""
    height, cells = max(3, min(height + 2, screen.height)), max(4, min(cells + 4, screen.width))
    y, x = (screen.height - height) // 3, (screen.width - cells) // 2
    for row, left, text, right in ((y, "╭", title, "╮"), (y + height - 1, "╰", foot, "╯")):
        words = cut((Piece(f" {text} ", BORDER.plus(BOLD if row == y else 0)),) if text else (), cells - 4)
        rest = "─" * max(0, cells - 3 - width_of(words))
        screen.put(row, x, cells, (Piece(f"{left}─", BORDER), *words, Piece(rest + right, BORDER)))
    for row in range(y + 1, y + height - 1):
        screen.put(row, x, cells, (Piece("│", BORDER), Piece(" " * (cells - 2)), Piece("│", BORDER)))
    return Box(y + 1, x + 2, height - 2, cells - 4)


class Dialog:
    """The ground of all of them. `done`: it is to be taken away. Keys that a dialog does not take do nothing."""

    title = ""
    foot = ""
    done = False

    def draw(self, screen: Screen) -> None:
        """Draw it over a picture, and place the cursor."""
        raise NotImplementedError

    def press(self, name: str) -> None:
        """A key was pressed."""
        if name == "escape":
            self.done = True

    def type(self, text: str) -> None:
        """Characters were typed or pasted."""

    def click(self, y: int, x: int) -> None:
        """The mouse was pressed at a cell of the screen."""

    def wheel(self, by: int) -> None:
        """The wheel was turned: up is positive."""


class Choice(NamedTuple):
    """An entry of a list: what it shows on the left and on the right, and what choosing it does."""

    label: Line
    detail: str
    act: Callable[[], None]


class Picker(Dialog):
    """A list that is narrowed by what one types. `find` gives the choices for a text."""

    def __init__(self, title: str, find: Callable[[str], Sequence[Choice]], foot: str = "", empty: str = "") -> None:
        self.title, self.foot, self.empty = title, foot, empty
        self.editor = Editor(multiline=False)
        self.at = 0
        self.first = 0
        self.choices: list[Choice] = []
        self._find = find
        self._box = Box(0, 0, 0, 0)
        self.update()

    def update(self) -> None:
        """Find the choices anew."""
        self.choices = list(self._find(self.editor.text))
        self.at = max(0, min(self.at, len(self.choices) - 1))

    def press(self, name: str) -> None:
        """Arrows choose, Enter takes; the rest edits the text."""
        page = max(1, self._box.height - 3)
        moves = {"up": -1, "down": 1, "ctrl+p": -1, "ctrl+n": 1, "shift+tab": -1, "pageup": -page, "pagedown": page}
        if name in moves:
            self._move(moves[name])
        elif name == "enter":
            self.take()
        elif name == "tab":
            self._move(1)
        else:
            before = self.editor.text
            if not self.editor.press(name):
                super().press(name)
            if self.editor.text != before:
                self.changed()

    def _move(self, by: int) -> None:
        if by in (-1, 1) and self.choices:
            self.at = (self.at + by) % len(self.choices)
        else:
            self.at = max(0, min(len(self.choices) - 1, self.at + by))

    def take(self) -> None:
        """Choose the marked entry."""
        if self.choices:
            self.done = True
            self.choices[self.at].act()

    def type(self, text: str) -> None:
        """Narrow the list."""
        self.editor.insert(text, typed=True)
        self.changed()

    def changed(self) -> None:
        """The text is another one."""
        self.at = 0
        self.update()

    def click(self, y: int, x: int) -> None:
        """Choose what was clicked; outside, go away."""
        box, at = self._box, y - self._box.y - 2 + self.first
        if not (box.y - 1 <= y <= box.y + box.height and box.x - 2 <= x <= box.x + box.width + 1):
            self.done = True
        elif 0 <= y - box.y - 2 < box.height - 2 and 0 <= at < len(self.choices):
            self.at = at
            self.take()

    def wheel(self, by: int) -> None:
        self._move(-by if abs(by) > 1 else -by * 1)

    def draw(self, screen: Screen) -> None:
        """The text on top, the choices below it."""
        wanted = max(10, min(len(self.choices) + 2, screen.height - 6))
        margin = 8 if screen.width > 70 else 4
        box = self._box = boxed(screen, self.title, self.foot, wanted, min(84, screen.width - margin))
        screen.put(box.y, box.x, box.width, (Piece("> ", SECONDARY), Piece(self.editor.text[-box.width + 4 :])))
        screen.put(box.y + 1, box.x - 2, box.width + 4, (Piece("├" + "─" * (box.width + 2) + "┤", BORDER),))
        screen.cursor = (box.y, min(box.x + 2 + width(self.editor.text[: self.editor.at]), box.x + box.width - 1))
        room = box.height - 2
        self.first = max(0, min(self.first, len(self.choices) - room))
        self.first = self.at if self.at < self.first else max(self.first, self.at - room + 1)
        for row, choice in enumerate(self.choices[self.first : self.first + room]):
            self._draw(screen, box.y + 2 + row, choice, self.first + row == self.at)
        if not self.choices and self.empty:
            screen.put(box.y + 2, box.x, box.width, (Piece(self.empty, SECONDARY),))

    def _draw(self, screen: Screen, y: int, choice: Choice, chosen: bool) -> None:
        box = self._box
        detail = f" {choice.detail}" if choice.detail else ""
        label = cut(choice.label, box.width - 2 - min(width(detail), box.width // 2))
        gap = " " * max(0, box.width - 2 - width_of(label) - width(detail))
        lead = Piece("▸ " if chosen else "  ", BORDER)
        fill = CHOSEN if chosen else PLAIN
        screen.put(y, box.x, box.width, (lead, *label, Piece(gap), Piece(detail, SECONDARY)), fill)


class Page(Dialog):
    """Lines to read, with scrolling. `lay` gives them for a width."""

    def __init__(self, title: str, lay: Callable[[int], list[Line]], foot: str = "") -> None:
        self.title, self.foot, self._lay = title, foot, lay
        self.first = 0
        self._room = 1
        self._most = 0

    def press(self, name: str) -> None:
        """Arrows and pages scroll; anything that ends it ends it."""
        moves = {"up": -1, "down": 1, "pageup": -self._room, "pagedown": self._room, "home": -10_000, "end": 10_000}
        if name in moves:
            self.first = max(0, min(self._most, self.first + moves[name]))
        elif name in ("escape", "enter", "f1", "ctrl+c"):
            self.done = True

    def type(self, text: str) -> None:
        """q and ? go away too, a blank turns the page."""
        if text in ("q", "?"):
            self.done = True
        elif text == " ":
            self.press("pagedown")

    def wheel(self, by: int) -> None:
        self.first = max(0, min(self._most, self.first - by))

    def draw(self, screen: Screen) -> None:
        cells = min(96, screen.width - 4)
        laid = self._lay(cells)
        box = boxed(screen, self.title, self.foot, min(len(laid), screen.height - 2), cells)
        was_at_end = 0 < self._most == self.first  # what is added below is seen then
        self._room, self._most = box.height, max(0, len(laid) - box.height)
        self.first = self._most if was_at_end else min(self.first, self._most)
        for row, part in enumerate(laid[self.first : self.first + box.height]):
            screen.put(box.y + row, box.x, box.width, part)
        screen.cursor = None


@dataclass(slots=True)
class Field:
    """A line of a form. `secret` text is drawn as dots."""

    name: str
    label: str
    editor: Editor = field(default_factory=lambda: Editor(multiline=False))
    secret: bool = False


class Form(Dialog):
    """Lines to fill in; `submit` gets their texts by name."""

    def __init__(self, title: str, fields: Sequence[Field], submit: Callable[[dict[str, str]], None]) -> None:
        self.title, self.fields, self._submit = title, list(fields), submit
        self.at = 0
        self.note = ""
        self.is_error = False
        self.intro = ""
        self._box = Box(0, 0, 0, 0)
        self._top = 0

    def press(self, name: str) -> None:
        """Tab and arrows go from line to line, Enter to the next and at the last one submits."""
        if name in ("tab", "down", "shift+tab", "up"):
            self.at = (self.at + (1 if name in ("tab", "down") else -1)) % len(self.fields)
        elif name == "enter":
            if self.at + 1 < len(self.fields) and not all(each.editor.text for each in self.fields):
                self.at += 1
            else:
                self._submit({each.name: each.editor.text for each in self.fields})
        elif not self.fields[self.at].editor.press(name):
            super().press(name)

    def type(self, text: str) -> None:
        self.fields[self.at].editor.insert(text, typed=True)

    def click(self, y: int, x: int) -> None:
        at = (y - self._top) // 2
        if 0 <= at < len(self.fields):
            self.at = at

    def draw(self, screen: Screen) -> None:
        cells = min(64, screen.width - 4)
        intro = wrap((Piece(self.intro, SECONDARY),), cells) if self.intro else []
        note = wrap((Piece(self.note, DANGER if self.is_error else SECONDARY),), cells) if self.note else [()]
        spaced = 2 if screen.height >= len(self.fields) * 2 + len(intro) + len(note) + 4 else 1
        height = len(intro) + bool(intro) + spaced * len(self.fields) + len(note) + 1
        box = self._box = boxed(screen, self.title, self.foot, height, cells)
        for row, part in enumerate(intro):
            screen.put(box.y + row, box.x, box.width, part)
        self._top = box.y + len(intro) + bool(intro)
        labels = max(width(each.label) for each in self.fields) + 2
        for at, each in enumerate(self.fields):
            y, chosen = self._top + at * spaced, at == self.at
            label = Piece(pad(each.label, labels), PLAIN.plus(BOLD) if chosen else SECONDARY)
            room = max(1, box.width - labels - 1)
            shown = Editor("•" * len(each.editor.text), each.editor.at) if each.secret else each.editor
            line, column = scrolled(shown, room)
            screen.put(y, box.x, box.width, (label, *line), CHOSEN if chosen else PLAIN)
            if chosen:
                screen.cursor = (y, box.x + labels + column)
        for row, part in enumerate(note):
            screen.put(self._top + spaced * len(self.fields) + row + (spaced - 1), box.x, box.width, part)


def scrolled(editor: Editor, cells: int) -> tuple[Line, int]:
    """One line of an editor with the cursor in view, and the cursor's cell."""
    lines, row, column = drawn(editor, lay_out(editor, cells), 1)
    return lines[row], column
