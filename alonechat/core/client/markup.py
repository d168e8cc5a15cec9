"""The everyday part of Markdown, as blocks of spans that a face draws: markdown-it reads it, this names it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text of one kind. `link`: where it leads; `mention`: whose name it is (`*` for everybody); `room`: a
    room's name. `me`: it is this person who is mentioned. A text may hold line ends."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    link: str = ""
    mention: str = ""
    room: str = ""
    me: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """`paragraph`, `code` (`info` is its language), `quote`, or `item` of a list with its `marker` (`•` or `2.`).
    `depth`: how deep an item or quote lies, from 1."""

    kind: str
    spans: tuple[Span, ...]
    info: str = ""
    depth: int = 0
    marker: str = ""


MARKS = re.compile(r"[*_`~\[\]<>\\]|^\s*(?:[-+>]|\d+[.)]) ?", re.MULTILINE)
"""What a text must hold for Markdown to change anything about it."""
PIECES = re.compile(
    r"(?P<url>https?://[^\s<>\"']+)|(?<![\w@/])@(?P<name>[\w][\w.\-]*)|(?<![\w#/&])#(?P<room>[\w][\w.\-]*)"
)
URL = re.compile(r"(?:https?://)?((?<=//)[^/?#\s]+|www\.[^/?#\s]+)", re.IGNORECASE)
"""A text that looks like an address; what it begins with is the host."""
STOPS = frozenset(".,;:!?…。，；：！？、")
CLOSING = {")": "(", "]": "[", "）": "（", "】": "【"}
SAFE = ("http://", "https://", "mailto:")
"""Where a link may lead; any other scheme is shown as it was written."""


@lru_cache(1)
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt  # here: most messages are plain, and it takes longer to load than to draw them

    reader = MarkdownIt("commonmark", {"html": False, "breaks": True})
    reader.enable("strikethrough")
    reader.disable(["html_block", "html_inline", "heading", "lheading", "hr", "reference", "code", "image", "entity"])
    reader.validateLink = lambda url: url.lower().startswith(SAFE)  # type: ignore[method-assign]
    return reader


def blocks(text: str, me: str = "", names: Collection[str] | None = None) -> tuple[Block, ...]:
    """A message's content as blocks. `names`: whose mentions are marked (a message names them itself); None marks
    whatever looks like one. `me`: whose mention is one's own."""
    if not MARKS.search(text):
        return (Block("paragraph", tuple(_pieces(Span(text), me, names))),)
    found = [
        replace(block, spans=tuple(_finished(block, me, names))) for block in _Walk(_reader().parse(text)).blocks()
    ]
    return tuple(found) or (Block("paragraph", (Span(text),)),)


def plain(text: str) -> str:
    """A message's content without its marks, on as many lines as it has; for previews and the clipboard."""
    return "\n".join("".join(span.text for span in block.spans) for block in blocks(text))


class _Walk:
    """Tokens of markdown-it, block after block."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._quotes = 0
        self._lists: list[list[Any]] = []
        self._marker = ""

    def blocks(self) -> Iterator[Block]:
        for token in self._tokens:
            match token.type:
                case "blockquote_open":
                    self._quotes += 1
                case "blockquote_close":
                    self._quotes -= 1
                case "bullet_list_open":
                    self._lists.append(["•", 0])
                case "ordered_list_open":
                    self._lists.append(["", int(token.attrGet("start") or 1)])
                case "bullet_list_close" | "ordered_list_close":
                    self._lists.pop()
                case "list_item_open":
                    sort, number = self._lists[-1]
                    self._marker = sort or f"{number}."
                    self._lists[-1][1] += 1
                case "fence":
                    language = token.info.strip().split(" ")[0]
                    yield Block("code", (Span(token.content.rstrip("\n"), code=True),), info=language)
                case "inline":
                    yield self._block(tuple(_spans(token.children or [])))

    def _block(self, spans: tuple[Span, ...]) -> Block:
        if self._lists:
            marker, self._marker = self._marker, ""
            return Block("item", spans, depth=len(self._lists), marker=marker)
        return Block("quote", spans, depth=self._quotes) if self._quotes else Block("paragraph", spans)


def _spans(tokens: list[Token]) -> Iterator[Span]:
    style = Span("")
    for token in tokens:
        match token.type:
            case "text":
                yield replace(style, text=token.content)
            case "softbreak" | "hardbreak":
                yield replace(style, text="\n")
            case "code_inline":
                yield replace(style, text=token.content, code=True)
            case "strong_open" | "strong_close":
                style = replace(style, bold=token.nesting > 0)
            case "em_open" | "em_close":
                style = replace(style, italic=token.nesting > 0)
            case "s_open" | "s_close":
                style = replace(style, strike=token.nesting > 0)
            case "link_open" | "link_close":
                style = replace(style, link=str(token.attrGet("href") or "") if token.nesting > 0 else "")


def _finished(block: Block, me: str, names: Collection[str] | None) -> Iterator[Span]:
    """Links that nobody marked, mentions and rooms in what is plain; neighbours of one kind joined."""
    if block.kind == "code":
        yield from block.spans
        return
    last: Span | None = None
    for span in block.spans:
        if not span.text:
            continue
        if last is not None and replace(last, text="") == replace(span, text=""):
            last = replace(last, text=last.text + span.text)
            continue
        if last is not None:
            yield from _pieces(last, me, names)
        last = span
    if last is not None:
        yield from _pieces(last, me, names)


def _pieces(span: Span, me: str, names: Collection[str] | None) -> Iterator[Span]:
    if span.code or span.link:
        yield replace(span, text=span.link) if _disguised(span) else span
        return
    at = 0
    for found in PIECES.finditer(span.text):
        piece = _piece(span, found, me, names)
        if piece is None:
            continue
        if found.start() > at:
            yield replace(span, text=span.text[at : found.start()])
        yield piece
        at = found.start() + len(piece.text)
    if at < len(span.text):
        yield replace(span, text=span.text[at:])


def _disguised(span: Span) -> bool:
    """Whether a link's text names another place than it leads to."""
    shown = URL.match(span.text.strip()) if span.link else None
    return shown is not None and shown[1].casefold() != (leads[1].casefold() if (leads := URL.match(span.link)) else "")


def _piece(span: Span, found: re.Match[str], me: str, names: Collection[str] | None) -> Span | None:
    if url := found["url"]:
        url = _trimmed(url)
        return replace(span, text=url, link=url)
    if room := found["room"]:
        room = room.rstrip(".-")
        return replace(span, text=f"#{room}", room=room)
    name = _named(found["name"], names)
    if name is None:
        return None
    everybody = name.casefold() == "all"
    mention = "*" if everybody else name.casefold()
    return replace(span, text=f"@{name}", mention=mention, me=everybody or mention == me)


def _trimmed(url: str) -> str:
    """A URL without the sentence around it: a full stop behind it, a bracket that was opened before it."""
    while True:
        last = url[-1:]
        unopened = last in CLOSING and url.count(CLOSING[last]) < url.count(last)
        if not unopened and last not in STOPS:
            return url
        url = url[:-1]


def _named(name: str, names: Collection[str] | None) -> str | None:
    """The longest beginning of `name` that somebody is called (PROTOCOL, section 3)."""
    if names is None:
        return name.rstrip(".-") or None
    known = {each.casefold() for each in names} | ({"all"} if "*" in names else set())
    return next((name[:end] for end in range(len(name), 0, -1) if name[:end].casefold() in known), None)
