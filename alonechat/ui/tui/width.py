"""How many cells text takes, and how it is cut and broken at their boundaries: grapheme by grapheme. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

NARROW = "\x20-\x7e\xa0-\xa8\xaa-\xac\xaf-\u02ff\u0386\u0388-\u038a\u038e-\u03a1\u03a3-\u03e1\u0400-\u0482\u048a-\u04ff"
LINES = "\u2500-\u257f"
SIGNS = (
    "\u2010-\u2027\u2030-\u203b\u203d-\u2048\u2190-\u2193\u2580-\u259f\u25b2\u25b8\u25bc\u25c9-\u25d5\u2713\u2717"
    "\U0001f5bc"
)
WIDE = "\u3001-\u3029\u3031-\u303c\u303e\u3041-\u3096\u309b-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60"
EMOJI = (
    "\U0001f300-\U0001f320\U0001f32d-\U0001f335\U0001f337-\U0001f37c\U0001f37e-\U0001f393"
    "\U0001f3a0-\U0001f3ca\U0001f3cf-\U0001f3d3\U0001f3e0-\U0001f3f0\U0001f3f4\U0001f3f8-\U0001f3fa"
    "\U0001f400-\U0001f43e\U0001f440\U0001f442-\U0001f4fc\U0001f4ff-\U0001f53d\U0001f54b-\U0001f54e"
    "\U0001f550-\U0001f567\U0001f57a\U0001f595-\U0001f596\U0001f5a4\U0001f5fb-\U0001f64f"
    "\U0001f680-\U0001f6c5\U0001f6cc\U0001f6d0-\U0001f6d2\U0001f6d5-\U0001f6d9\U0001f6dc-\U0001f6df"
    "\U0001f6eb-\U0001f6ec\U0001f6f4-\U0001f6fc\U0001f7da\U0001f7e0-\U0001f7eb\U0001f7f0"
    "\U0001f90c-\U0001f93a\U0001f93c-\U0001f945\U0001f947-\U0001f9ff\U0001fa70-\U0001fa7c"
    "\U0001fa80-\U0001fac6\U0001fac8\U0001facc-\U0001fadd\U0001fadf-\U0001faeb\U0001faef-\U0001fafa"
)
"""Ranges whose characters stand alone and have one width everywhere: most of what is ever written. A test holds them
to wcwidth, whose tables take 80 ms and 10 MB to load, and are loaded when another character appears."""
_SIMPLE = re.compile(f"[{NARROW}{LINES}{SIGNS}{WIDE}{EMOJI}]*")
_SURE = re.compile(f"[{NARROW}{LINES}{WIDE}]*")
_WIDE = re.compile(f"[{WIDE}{EMOJI}]")
# Where a line of Chinese or Japanese may not begin, and where it may not end (GB/T 15834, JIS X 4051).
_NOT_FIRST = frozenset("、。，．：；！？）］｝〉》」』】〕’”…·ーぁぃぅぇぉっゃゅょ々!?),.:;]}%‰℃")
_NOT_LAST = frozenset("（［｛〈《「『【〔‘“([{")

Grapheme = tuple[str, int]


def is_simple(text: str) -> bool:
    """Whether every terminal agrees on how wide this text is; some draw signs as wide as Chinese characters."""
    return text.isascii() or _SURE.fullmatch(text) is not None


@lru_cache(maxsize=2048)
def graphemes(text: str) -> tuple[Grapheme, ...]:
    """The text's graphemes, each with its cells. What takes none is left out, so nothing can hide in a cell."""
    return tuple(found for found in parts(text) if found[1])


def parts(text: str) -> Iterator[Grapheme]:
    """The text's graphemes, each with its cells, also those that take none: together they are the whole text."""
    if text.isascii():
        yield from ((char, 1) for char in text)
    elif _SIMPLE.fullmatch(text):
        yield from ((char, 2 if _WIDE.match(char) else 1) for char in text)
    else:
        import wcwidth

        for each in wcwidth.iter_graphemes(text):
            yield each, max(0, min(2, wcwidth.wcswidth(each)))


def width(text: str) -> int:
    """Cells that the text takes."""
    if text.isascii():
        return len(text)
    return sum(cells for _, cells in graphemes(text))


def clip(text: str, cells: int, mark: str = "…") -> str:
    """The text, or as much of its beginning as fits, with `mark` at the end."""
    if width(text) <= cells:
        return text
    room = cells - width(mark)
    if room < 0:
        return ""
    kept = []
    for each, wide in graphemes(text):
        if wide > room:
            break
        room -= wide
        kept.append(each)
    return "".join(kept) + mark


def pad(text: str, cells: int, right: bool = False) -> str:
    """The text in exactly so many cells: clipped, or filled with spaces, in front where it stands `right`."""
    text = clip(text, cells)
    gap = " " * (cells - width(text))
    return gap + text if right else text + gap


def step(text: str, at: int, by: int) -> int:
    """The place one grapheme before or behind place `at` of the text."""
    if by < 0:
        ends, place = 0, 0
        for each, _ in parts(text[:at]):
            place, ends = ends, ends + len(each)
        return place
    return at + len(next(parts(text[at : at + 64]), ("", 0))[0])


def breaks(cells: list[Grapheme], room: int) -> list[tuple[int, int]]:
    """Where lines of at most `room` cells begin and end, as places in `cells`: at spaces, which are dropped there,
    between wide characters, else within a word that is longer than a line."""
    lines: list[tuple[int, int]] = []
    begin, taken, chance = 0, 0, -1
    at = 0
    while at < len(cells):
        each, wide = cells[at]
        if at > begin and _may_break(cells, at):
            chance = at
        if taken + wide > room and at > begin:
            if each == " ":
                lines.append((begin, at))
                begin = at + 1
            elif chance > begin:
                end = chance - 1 if cells[chance - 1][0] == " " else chance
                lines.append((begin, end))
                begin = chance
            else:
                lines.append((begin, at))
                begin = at
            taken = sum(width for _, width in cells[begin:at])
            chance = -1
            if each == " " and begin > at:
                at += 1
                taken = 0
                continue
        taken += wide
        at += 1
    lines.append((begin, len(cells)))
    return lines


def _may_break(cells: list[Grapheme], at: int) -> bool:
    before, wide_before = cells[at - 1]
    after, wide_after = cells[at]
    if before == " ":
        return after != " "
    if before == "-" and at > 1 and cells[at - 2][0].isalpha():
        return after.isalpha()
    return (wide_before == 2 or wide_after == 2) and after not in _NOT_FIRST and before not in _NOT_LAST
