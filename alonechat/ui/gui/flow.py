"""Text as lines: spans broken where a line is full, each piece with its place. Pure: widths come from the ruler."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from alonechat.core.client.markup import Span
from alonechat.ui.gui.emojifont import EMOJI

WIDE = "\u2e80-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
TOKENS = re.compile(rf"\n|[^\S\n]+|[{WIDE}]|[^\s{WIDE}]+")
"""What a line is broken between: words, spaces, each character of Chinese, Japanese and Korean."""
CLOSING = frozenset("，。！？、；：）】」』》”’…,.!?;:)]}%")
"""What never begins a line."""


class Ruler(Protocol):
    """What layout has to know of the screen."""

    emoji: bool
    """Emoji are drawn as pictures."""

    def px(self, pixels: float) -> int:
        """The design's pixels on this screen."""

    def measure(self, text: str, role: str) -> int:
        """The width of a text in a font."""

    def height(self, role: str) -> tuple[int, int]:
        """A font's ascent, and its height in all."""

    def line(self, role: str) -> int:
        """How far apart lines are."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of one line that is drawn at once. `start`: where its text stands in the text that can be selected.
    `kind`: `text`, `emoji`, `code`, `link`, `mention`, `me`, `room`; `value`: where it leads."""

    x: int
    width: int
    text: str
    font: str
    kind: str = "text"
    value: str = ""
    start: int = 0
    strike: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of runs. `hard`: the text itself breaks behind it."""

    runs: tuple[Run, ...]
    width: int
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Style:
    """The fonts of a flow: for a quote or a note they are smaller than a message's."""

    text: str = "text"
    bold: str = "bold"
    italic: str = "italic"
    both: str = "both"
    code: str = "code"


SMALL = Style("small", "strong", "small", "strong", "small")


def _font(span: Span, style: Style) -> str:
    if span.code:
        return style.code
    if span.bold and span.italic:
        return style.both
    return style.bold if span.bold or span.me else style.italic if span.italic else style.text


def _kind(span: Span) -> tuple[str, str]:
    if span.code:
        return "code", ""
    if span.link:
        return "link", span.link
    if span.mention:
        return ("me" if span.me else "mention"), span.mention
    return ("room", f"#{span.room}") if span.room else ("text", "")


class _Filling:
    """Lines while they are filled."""

    def __init__(self, width: int, ruler: Ruler) -> None:
        self.width, self.ruler = width, ruler
        self.lines: list[Line] = []
        self.runs: list[Run] = []
        self.x = 0

    def end(self, hard: bool = False) -> None:
        runs = self.runs
        if runs and runs[-1].kind == "text" and runs[-1].text.endswith(" ") and not hard:
            last = runs.pop()
            if text := last.text.rstrip(" "):
                width = self.ruler.measure(text, last.font)
                runs.append(Run(last.x, width, text, last.font, last.kind, last.value, last.start, last.strike))
        right = runs[-1].x + runs[-1].width if runs else 0
        self.lines.append(Line(tuple(runs), right, hard))
        self.runs, self.x = [], 0

    def put(self, text: str, width: int, like: Run) -> None:
        last = self.runs[-1] if self.runs else None
        same = (
            last is not None
            and (last.font, last.kind, last.value, last.strike) == (like.font, like.kind, like.value, like.strike)
            and like.kind != "emoji"
        )
        if last is not None and same:
            self.runs[-1] = Run(
                last.x, last.width + width, last.text + text, last.font, last.kind, last.value, last.start, last.strike
            )
        else:
            self.runs.append(Run(self.x, width, text, like.font, like.kind, like.value, like.start, like.strike))
        self.x += width


def pieces(text: str, with_emoji: bool) -> Iterator[tuple[str, bool]]:
    """A text between its emoji, and these."""
    at = 0
    for found in EMOJI.finditer(text) if with_emoji and not text.isascii() else ():
        if found.start() > at:
            yield text[at : found.start()], False
        yield found.group(), True
        at = found.end()
    if at < len(text):
        yield text[at:], False


def flow(spans: Iterable[Span], width: int, ruler: Ruler, style: Style = Style(), start: int = 0) -> list[Line]:
    """Spans as lines of at most `width`; `start` is the place of the first character in what can be selected."""
    filling = _Filling(width, ruler)
    emoji_wide = _emoji_width(ruler, style)
    for span in spans:
        font, (kind, value) = _font(span, style), _kind(span)
        for text, is_emoji in pieces(span.text, ruler.emoji and not span.code):
            if is_emoji:
                if filling.x + emoji_wide > width and filling.x:
                    filling.end()
                filling.put(text, emoji_wide, Run(0, 0, "", font, "emoji", text, start))
                start += len(text)
                continue
            for found in TOKENS.finditer(text):
                token = found.group()
                if token == "\n":
                    filling.end(hard=True)
                else:
                    _place(filling, token, Run(0, 0, "", font, kind, value, start, span.strike))
                start += len(token)
    filling.end(hard=True)
    return filling.lines


def _emoji_width(ruler: Ruler, style: Style) -> int:
    return emoji_size(ruler, style.text) + ruler.px(2)


def emoji_size(ruler: Ruler, role: str) -> int:
    """How large an emoji is drawn in a text of that font."""
    return round(ruler.height(role)[1] * 1.06)


def _place(filling: _Filling, token: str, like: Run) -> None:
    wide = filling.ruler.measure(token, like.font)
    if filling.x + wide <= filling.width or (filling.x and token in CLOSING and len(token) == 1):
        filling.put(token, wide, like)
        return
    if token.isspace():
        if filling.x:
            filling.end()
        return
    if filling.x and wide <= filling.width:
        filling.end()
        filling.put(token, wide, like)
        return
    if filling.x > filling.width // 2:  # little of it would stand here
        filling.end()
    _split(filling, token, like)


def _split(filling: _Filling, token: str, like: Run) -> None:
    """A word that no line can hold, such as a long address: cut where the line ends."""
    measure, start = filling.ruler.measure, like.start
    while token:
        room = filling.width - filling.x
        low, high = 0, min(len(token), max(1, room))  # a character is at least a pixel wide
        while low < high:
            middle = (low + high + 1) // 2
            if measure(token[:middle], like.font) <= room:
                low = middle
            else:
                high = middle - 1
        if not low and filling.x:
            filling.end()
            continue
        low = max(low, 1)
        part = Run(0, 0, "", like.font, like.kind, like.value, start, like.strike)
        filling.put(token[:low], measure(token[:low], like.font), part)
        start, token = start + low, token[low:]
        if token:
            filling.end()


def elided(text: str, width: int, role: str, ruler: Ruler) -> str:
    """One line of a text, cut with … where it is too wide."""
    if ruler.measure(text, role) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if ruler.measure(text[:middle].rstrip() + "…", role) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if low else "…"
