"""The editor of what is being written: several lines, emacs keys, history, undo; and how it is laid out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from alonechat.ui.tui.screen import PLAIN, Line, Piece
from alonechat.ui.tui.width import breaks, parts, step, width

MOST_UNDO = 200
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class History:
    """What was sent before, the latest last. `at` counts back from the end; 0 is what is being written."""

    entries: list[str] = field(default_factory=list)
    at: int = 0
    kept: str = ""

    def add(self, text: str) -> None:
        """Remember something that was sent."""
        self.at, self.kept = 0, ""
        if text.strip() and self.entries[-1:] != [text]:
            self.entries.append(text)
            del self.entries[:-500]

    def move(self, by: int, text: str) -> str | None:
        """The entry further back (1) or forward (-1); None where there is none. `text` is kept for the way back."""
        at = self.at + by
        if not 0 <= at <= len(self.entries):
            return None
        if self.at == 0:
            self.kept = text
        self.at = at
        return self.entries[-at] if at else self.kept


@dataclass(slots=True)
class Editor:
    """Text with a cursor. `press` takes the name of a key and says whether it was one of the editor's."""

    text: str = ""
    at: int = 0
    killed: str = ""
    multiline: bool = True
    _undo: list[tuple[str, int]] = field(default_factory=list)
    _typing: bool = False
    _killing: bool = False

    def set(self, text: str, at: int | None = None) -> None:
        """Other text, with the cursor at its end or at `at`."""
        if text != self.text:
            self._remember()
        self._typing = False
        self.text, self.at = text, len(text) if at is None else at

    def insert(self, text: str, typed: bool = False) -> None:
        """Put text where the cursor stands. Typed characters are undone together, up to a blank."""
        if not self.multiline:
            text = " ".join(text.splitlines())
        if not (typed and self._typing and not text.isspace()):
            self._remember()
        self._typing, self._killing = typed, False
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)

    def replace(self, begin: int, end: int, text: str) -> None:
        """Put text in the place of a stretch, and the cursor behind it."""
        self._remember()
        self._typing = False
        self.text = self.text[:begin] + text + self.text[end:]
        self.at = begin + len(text)

    def press(self, name: str) -> bool:
        """Carry out an editing key; False: it is none."""
        act = KEYS.get(name)
        if act is None:
            return False
        self._killing = self._killing and name in KILLS
        act(self)
        self._typing = False
        return True

    # --- what keys do ---

    def _remember(self) -> None:
        if not self._undo or self._undo[-1] != (self.text, self.at):
            self._undo.append((self.text, self.at))
            del self._undo[:-MOST_UNDO]

    def undo(self) -> None:
        """Back to how it was before the last change."""
        while self._undo:
            before = self._undo.pop()
            if before[0] != self.text:
                self.text, self.at = before
                return

    def move(self, at: int) -> None:
        """Place the cursor."""
        self.at = max(0, min(len(self.text), at))

    def line(self) -> tuple[int, int]:
        """Where the line with the cursor begins and ends."""
        begin = self.text.rfind("\n", 0, self.at) + 1
        end = self.text.find("\n", self.at)
        return begin, len(self.text) if end < 0 else end

    def word_left(self) -> int:
        """Where the word in front of the cursor begins."""
        found = [match.start() for match in _WORD.finditer(self.text, 0, self.at)]
        return found[-1] if found else 0

    def word_right(self) -> int:
        """Where the word behind the cursor ends."""
        found = _WORD.search(self.text, self.at)
        return found.end() if found else len(self.text)

    def kill(self, begin: int, end: int) -> None:
        """Cut a stretch out; Ctrl-Y puts it back. Killing on joins what was cut to it."""
        begin, end = max(0, begin), min(len(self.text), end)
        if begin == end:
            return
        self._remember()
        gone = self.text[begin:end]
        if not self._killing:
            self.killed = ""
        self.killed = gone + self.killed if end == self.at else self.killed + gone
        self.text, self.at = self.text[:begin] + self.text[end:], begin
        self._killing = True

    def erase(self, by: int) -> None:
        """Delete a grapheme in front of (-1) or behind (1) the cursor. In front, a combined one loses its last part
        first only where it is no emoji: nobody types those piece by piece."""
        other = step(self.text, self.at, by)
        begin, end = min(self.at, other), max(self.at, other)
        if begin != end:
            self._remember()
            self.text, self.at = self.text[:begin] + self.text[end:], begin

    def swap(self) -> None:
        """Exchange the two graphemes around the cursor, as emacs does."""
        at = self.at if self.at < len(self.text) else step(self.text, self.at, -1)
        before, after = step(self.text, at, -1), step(self.text, at, 1)
        if before < at < after:
            self._remember()
            self.text = self.text[:before] + self.text[at:after] + self.text[before:at] + self.text[after:]
            self.at = after

    def recase(self, change: Callable[[str], str]) -> None:
        """Change the word behind the cursor."""
        end = self.word_right()
        self.replace(self.at, end, change(self.text[self.at : end]))

    # --- lines as they are seen ---

    def up_or_down(self, by: int, cells: int) -> bool:
        """Move the cursor by a line as it is seen in `cells`; False where there is no further one."""
        layout = lay_out(self, cells)
        row = layout.row + by
        if not 0 <= row < len(layout.lines):
            return False
        self.move_to_cell(*layout.lines[row], layout.column)
        return True

    def move_to_cell(self, begin: int, end: int, cell: int) -> None:
        """Place the cursor within the line from `begin` to `end`, at a cell or as near as there is text."""
        at, column = begin, 0
        for each, wide in parts(self.text[begin:end]):
            if column + wide > cell:
                break
            at, column = at + len(each), column + wide
        self.at = min(at, end)


def _to_line_end(editor: Editor) -> None:
    _, end = editor.line()
    editor.kill(editor.at, end if end > editor.at else end + 1)


def _word_backward(editor: Editor) -> None:
    """As a shell's Ctrl-W: up to a blank."""
    begin = len(editor.text[: editor.at].rstrip())
    while begin and not editor.text[begin - 1].isspace():
        begin -= 1
    editor.kill(begin, editor.at)


KEYS: dict[str, Callable[[Editor], None]] = {
    "left": lambda e: e.move(step(e.text, e.at, -1)),
    "right": lambda e: e.move(step(e.text, e.at, 1)),
    "ctrl+b": lambda e: e.move(step(e.text, e.at, -1)),
    "ctrl+left": lambda e: e.move(e.word_left()),
    "ctrl+right": lambda e: e.move(e.word_right()),
    "alt+b": lambda e: e.move(e.word_left()),
    "alt+f": lambda e: e.move(e.word_right()),
    "ctrl+a": lambda e: e.move(e.line()[0]),
    "ctrl+e": lambda e: e.move(e.line()[1]),
    "home": lambda e: e.move(e.line()[0]),
    "end": lambda e: e.move(e.line()[1]),
    "backspace": lambda e: e.erase(-1),
    "ctrl+h": lambda e: e.erase(-1),
    "delete": lambda e: e.erase(1),
    "ctrl+d": lambda e: e.erase(1),
    "ctrl+u": lambda e: e.kill(e.line()[0], e.at),
    "alt+k": _to_line_end,
    "ctrl+w": _word_backward,
    "alt+backspace": lambda e: e.kill(e.word_left(), e.at),
    "alt+d": lambda e: e.kill(e.at, e.word_right()),
    "ctrl+y": lambda e: e.insert(e.killed),
    "ctrl+t": Editor.swap,
    "alt+l": lambda e: e.recase(str.lower),
    "alt+c": lambda e: e.recase(str.capitalize),
    "ctrl+_": Editor.undo,
}
KILLS = frozenset({"ctrl+u", "alt+k", "ctrl+w", "alt+backspace", "alt+d"})


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of an editor's text as places in it, and the line and cell where the cursor stands."""

    lines: tuple[tuple[int, int], ...]
    row: int
    column: int


def lay_out(editor: Editor, cells: int) -> Layout:
    """The text in lines of at most `cells` cells. A place is left for the cursor behind a full line."""
    lines: list[tuple[int, int]] = []
    begin = 0
    for part in editor.text.split("\n"):
        lines += _broken(part, begin, cells)
        begin += len(part) + 1
    row = max((at for at, (start, _) in enumerate(lines) if start <= editor.at), default=0)
    start, end = lines[row]
    column = width(shown(editor.text[start : min(editor.at, end)]))
    if column >= cells:
        lines.insert(row + 1, (end, end))
        row, column = row + 1, 0
    return Layout(tuple(lines), row, column)


def _broken(part: str, begin: int, cells: int) -> list[tuple[int, int]]:
    flat = list(parts(shown(part)))
    if sum(wide for _, wide in flat) <= cells:
        return [(begin, begin + len(part))]
    places, at = [begin], begin
    for each, _ in flat:
        at += len(each)
        places.append(at)
    return [(places[one], places[two]) for one, two in breaks(flat, max(2, cells))]


def shown(text: str) -> str:
    """A line of the text as it is drawn: each character one that takes cells, so that places agree with the text."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c in "\u200c\u200d" else "·" for c in text)


def drawn(editor: Editor, layout: Layout, rows: int) -> tuple[list[Line], int, int]:
    """At most `rows` lines around the cursor; the cursor's line among them, and its cell."""
    first = max(0, min(layout.row - rows + 1, len(layout.lines) - rows))
    if layout.row < first:
        first = layout.row
    lines: list[Line] = [
        (Piece(shown(editor.text[begin:end]), PLAIN),) for begin, end in layout.lines[first : first + rows]
    ]
    return lines, layout.row - first, layout.column
