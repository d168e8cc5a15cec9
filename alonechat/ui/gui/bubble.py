"""What stands inside of a bubble: the quote of a reply, blocks of text, code with its button, the time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from alonechat.core.client.files import File
from alonechat.core.client.markup import Block, Span, blocks
from alonechat.core.client.rows import Quote, Row
from alonechat.core.client.theme import author_index
from alonechat.core.client.words import _
from alonechat.ui.gui.attached import RADIUS, Attached, Setting, attached
from alonechat.ui.gui.emojifont import only
from alonechat.ui.gui.flow import Line, Ruler, Style, elided, emoji_size, flow, pieces
from alonechat.ui.gui.parts import Area, Emoji, Fill, Icon, Label, Part, moved, shifted

JUMBO = 40
"""The size of an emoji that stands alone."""
STATES = {"waiting": "clock", "sent": "check", "refused": "warning"}
"""The icons of one's own message: on its way, on the server's disk, refused."""


@dataclass(slots=True)
class Content:
    """What is inside of a bubble, from its inner upper left corner. `plain`: it stands without a bubble."""

    width: int = 0
    height: int = 0
    parts: list[Part] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    text: str = ""
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What layout knows beside the row: the ruler, who reads, and which files are drawn as pictures here."""

    ruler: Ruler
    me: str = ""
    shown: Callable[[File], bool] = lambda file: bool(file.is_image and file.width and file.height)


def content(row: Row, most: int, look: Look) -> Content:
    """A message's content, at most `most` wide."""
    files = () if row.deleted else row.files
    if not row.deleted and row.quote is None and look.ruler.emoji and not files and (alone := only(row.text)):
        return _jumbo(row, alone, look)
    if files and row.quote is None and not row.text and all(look.shown(file) for file in files):
        return _bare(row, most, look)
    inside = _Inside(most, look, ground_of(row))
    if row.quote is not None and not row.deleted:
        inside.measure_quote(row.quote)
    if files:
        inside.measure_files(files, look)
    if row.text or not files:
        inside.measure(_blocks(row, look))
    inside.measure_meta(row)
    return inside.drawn(row)


def ground_of(row: Row) -> str:
    """The colour of a message's bubble."""
    return "own" if row.mine else "mention" if row.mention else "other"


def _bare(row: Row, most: int, look: Look) -> Content:
    """Pictures without a word: they need no bubble; one's own have time and state in their corner."""
    px, ruler = look.ruler.px, look.ruler
    files = attached(row.files, most, Setting(ruler, "ground", look.shown))
    found = Content(files.width, files.height, files.parts, files.areas, plain=True)
    parts, width, high = meta_parts(row, meta_of(row), ruler)
    if parts and width + px(20) < files.width:
        x, y = files.width - width - px(14), files.height - high - px(8)
        pill = Fill(x - px(8), y - px(3), files.width - px(6), files.height - px(6), "ground", px(8))
        found.parts += [pill, *(moved(part, x, y - px(1)) for part in parts)]
    return found


def _blocks(row: Row, look: Look) -> tuple[Block, ...]:
    if row.deleted:
        return (Block("paragraph", (Span(_("message deleted"), italic=True),)),)
    names: Collection[str] | None = (row.event or {}).get("mentions") or () if row.kind == "message" else None
    if row.kind == "told":
        return (Block("paragraph", (Span(row.text),)),)
    return blocks(row.text, look.me, names)


def _jumbo(row: Row, alone: list[str], look: Look) -> Content:
    px = look.ruler.px
    size, found = px(JUMBO), Content(plain=True, text="".join(alone))
    start = 0
    for at, emoji in enumerate(alone):
        found.parts.append(Emoji(at * (size + px(4)), 0, emoji, size, start))
        start += len(emoji)
    found.width, found.height = len(alone) * (size + px(4)), size
    meta = meta_of(row)
    if meta or row.mine:
        parts, width, high = meta_parts(row, meta, look.ruler)
        found.parts += [moved(part, found.width + px(6), size - high) for part in parts]
        found.width += px(6) + width
    return found


def meta_of(row: Row) -> str:
    """What stands small at the end of a bubble: of one's own the plugin that wrote it and the time, and that a message
    was edited."""
    if row.deleted and not row.mine:
        return ""
    edited = _("edited") if row.edited and not row.deleted else ""
    plugin = (row.event or {}).get("via") if row.mine and not row.deleted else None
    via = _("via {plugin}").format(plugin=plugin) if plugin and plugin != "me" else ""
    return " ".join(filter(None, (via, edited, row.time if row.mine else "")))


def meta_parts(row: Row, text: str, ruler: Ruler) -> tuple[list[Part], int, int]:
    """The end of a bubble from (0, 0): parts, width, height."""
    px, parts, width = ruler.px, list[Part](), 0
    high = ruler.line("tiny")
    if text:
        parts.append(Label(0, 0, text, "tiny", "secondary"))
        width = ruler.measure(text, "tiny")
    if row.mine and (icon := STATES.get(row.state)):
        size = px(14)
        colour = {"refused": "danger", "sent": "accent"}.get(row.state, "secondary")
        parts.append(Icon(width + px(4), (high - size) // 2 - px(1), icon, size, colour))
        width += px(4) + size
    return parts, width, high


@dataclass(slots=True)
class _Part:
    """A block that was measured."""

    block: Block
    lines: list[Line]
    indent: int
    start: int


class _Inside:
    """First everything is measured, so that the width is known; then it is drawn."""

    def __init__(self, most: int, look: Look, ground: str) -> None:
        self.most, self.ruler, self.px = most, look.ruler, look.ruler.px
        self.width = 0
        self.found = Content()
        self.quote: Quote | None = None
        self.blocks: list[_Part] = []
        self.files = Attached()
        self.beyond = 0
        """How far pictures reach into the bubble's padding."""
        self.meta: tuple[list[Part], int, int] = ([], 0, 0)
        self.meta_inline = False
        self.ground = ground

    # --- measuring ---

    def measure_quote(self, quote: Quote) -> None:
        """The box above a reply."""
        self.quote = quote
        texts = ((quote.name, "strong"), (quote_text(quote), "small"))
        wide = max(self.ruler.measure(text, font) for text, font in texts) + self.px(24)
        self.width = max(self.width, min(wide, self.most, self.px(420)))

    def measure(self, given: tuple[Block, ...]) -> None:
        """Blocks of text."""
        start, texts = 0, []
        for block in given:
            code = block.kind == "code"
            marker = self.px(18) * block.depth if block.kind == "item" else 0
            indent = marker or (self.px(10) if code or block.kind == "quote" else 0)
            spans = block.spans if not code else tuple(Span(s.text.expandtabs(4), code=True) for s in block.spans)
            room = self.most - indent - (self.px(10) if code else 0)
            lines = flow(spans, room, self.ruler, Style(), start)
            wide = max(line.width for line in lines) + indent + (self.px(10) if code else 0)
            least = self.px(160) if code else 0
            self.width = max(self.width, min(max(wide, least), self.most))
            text = "".join(span.text for span in spans)
            self.blocks.append(_Part(block, lines, indent, start))
            texts.append(text)
            start += len(text) + 1
        self.found.text = "\n".join(texts)

    def measure_files(self, files: Collection[File], look: Look) -> None:
        """What is attached; a text under pictures is not wider than they are."""
        pictures = any(look.shown(file) for file in files)
        self.beyond = self.px(8) if pictures else 0
        setting = Setting(self.ruler, self.ground, look.shown, self.beyond)
        self.files = attached(tuple(files), self.most + 2 * self.beyond, setting)
        wide = self.files.width - 2 * self.beyond
        self.width = max(self.width, wide)
        if pictures:
            self.most = min(self.most, max(self.width, self.px(220)))

    def measure_meta(self, row: Row) -> None:
        """The time: behind the last line where there is room, else under it."""
        text = meta_of(row)
        if not text and not row.mine:
            return
        self.meta = meta_parts(row, text, self.ruler)
        last = self.blocks[-1] if self.blocks else None
        wide = self.meta[1] + self.px(10)
        if last is not None and last.block.kind not in ("code",):
            line = last.indent + last.lines[-1].width
            self.meta_inline = line + wide <= self.most
            if self.meta_inline:
                self.width = max(self.width, line + wide)
                return
        self.width = max(self.width, self.meta[1])

    # --- drawing ---

    def drawn(self, row: Row) -> Content:
        """Everything in its place."""
        y = self._quote(0) if self.quote is not None else 0
        y = self._files(y) if self.files.height else y
        for at, part in enumerate(self.blocks):
            if at:
                y += self.px(4) if part.block.kind == "item" or self.blocks[at - 1].block.kind == "item" else self.px(6)
            y = self._block(part, y, row)
        parts, width, high = self.meta
        if parts:
            if not self.meta_inline:
                y += high
            top = y - high + self.px(3)
            self.found.parts += [moved(part, self.width - width, top) for part in parts]
        self.found.width, self.found.height = self.width, y
        return self.found

    def _quote(self, y: int) -> int:
        quote, px, ruler = self.quote, self.px, self.ruler
        assert quote is not None
        high = ruler.line("strong") + ruler.line("small") + px(8)
        colour = f"author:{author_index(quote.author)}" if quote.author else "secondary"
        self.found.parts += [
            Fill(0, y, self.width, y + high, f"inset:{self.ground}", px(6)),
            Fill(0, y, px(3), y + high, colour, px(1)),
        ]
        room = self.width - px(20)
        name = elided(quote.name or _("a message"), room, "strong", ruler)
        self.found.parts.append(Label(px(10), y + px(4), name, "strong", colour))
        self._small(quote_text(quote), px(10), y + px(4) + ruler.line("strong"), room)
        self.found.areas.append(Area(0, y, self.width, y + high, "jump", quote.id))
        return y + high + px(6)

    def _files(self, y: int) -> int:
        """Pictures reach into the padding, so that they stand in the bubble as in a frame."""
        px, files = self.px, self.files
        x, up = -self.beyond, px(4) if self.beyond and self.quote is None else 0
        room = self.width + 2 * self.beyond
        if self.beyond and files.width < room:
            back = Fill(x, y - up, x + room, y - up + files.height, f"inset:{self.ground}", px(RADIUS))
            self.found.parts.append(back)
            x += (room - files.width) // 2
        self.found.parts += [moved(part, x, y - up) for part in files.parts]
        self.found.areas += shifted(files.areas, x, y - up)
        return y - up + files.height + (px(7) if self.blocks else px(3) if self.meta[0] else 0)

    def _small(self, text: str, x: int, y: int, room: int) -> None:
        text = elided(text, room, "small", self.ruler)
        for part in line_parts(text, x, y, "small", "secondary", self.ruler):
            self.found.parts.append(part)

    def _block(self, part: _Part, y: int, row: Row) -> int:
        px, kind = self.px, part.block.kind
        if kind == "code":
            return self._code(part, y)
        high = self.ruler.line("text")
        end = y + high * len(part.lines)
        colour = "secondary" if row.deleted or kind == "quote" else "danger" if row.is_error else "text"
        if kind == "quote":
            self.found.parts.append(Fill(0, y, px(3), end, "secondary", px(1)))
        if kind == "item" and part.block.marker:
            marker = part.block.marker
            x = part.indent - self.ruler.measure(marker, "text") - px(6)
            self.found.parts.append(Label(x, self._top(y, "text"), marker, "text", "secondary"))
        for line in part.lines:
            self._line(line, part.indent, y, colour)
            y += high
        return end

    def _top(self, y: int, font: str) -> int:
        """Where a font's box begins, so that all fonts of a line stand on one base line."""
        ascent, high = self.ruler.height("text")
        return y + (self.ruler.line("text") - high) // 2 + ascent - self.ruler.height(font)[0]

    def _line(self, line: Line, indent: int, y: int, colour: str) -> None:
        px, found, high = self.px, self.found, self.ruler.line("text")
        for at, run in enumerate(line.runs):
            x, hard = indent + run.x, line.hard and at == len(line.runs) - 1
            if run.kind == "emoji":
                size = emoji_size(self.ruler, run.font)
                found.parts.append(Emoji(x + px(1), y + (high - size) // 2, run.text, size, run.start, hard))
                continue
            ink = {"link": "accent", "mention": "accent", "me": "text", "room": "accent"}.get(run.kind, colour)
            if run.kind in ("code", "me"):
                back = f"inset:{self.ground}" if run.kind == "code" else "mark"
                found.parts.append(Fill(x - px(2), y + px(1), x + run.width + px(2), y + high - px(1), back, px(4)))
            found.parts.append(
                Label(x, self._top(y, run.font), run.text, run.font, ink, run.start, run.width, high, hard)
            )
            if run.kind == "link":
                found.parts.append(Fill(x, y + high - px(3), x + run.width, y + high - px(2), "accent"))
            if run.strike:
                found.parts.append(Fill(x, y + high // 2, x + run.width, y + high // 2 + px(1), colour))
            if run.kind in ("link", "mention", "me", "room"):
                act = "mention" if run.kind == "me" else run.kind
                found.areas.append(Area(x, y, x + run.width, y + high, act, run.value))

    def _code(self, part: _Part, y: int) -> int:
        px, found, ruler = self.px, self.found, self.ruler
        high, head = ruler.line("code"), px(26)
        end = y + head + high * len(part.lines) + px(8)
        found.parts.append(Fill(0, y, self.width, end, f"inset:{self.ground}", px(8)))
        if part.block.info:
            found.parts.append(Label(px(10), y + px(6), part.block.info, "tiny", "secondary"))
        size = px(15)
        word = _("copy")
        wide = ruler.measure(word, "tiny")
        found.parts += [
            Icon(self.width - px(10) - wide - px(4) - size, y + px(6), "copy", size, "secondary"),
            Label(self.width - px(10) - wide, y + px(6), word, "tiny", "secondary"),
        ]
        text = part.block.spans[0].text if part.block.spans else ""
        found.areas.append(Area(self.width - px(20) - wide - size, y, self.width, y + head, "copy", text))
        y += head
        for line in part.lines:
            for at, run in enumerate(line.runs):
                hard = line.hard and at == len(line.runs) - 1
                found.parts.append(
                    Label(px(10) + run.x, y, run.text, "code", "text", run.start, run.width, high, hard)
                )  # fmt: skip
            y += high
        return end


def quote_text(quote: Quote) -> str:
    """What a quote shows of its message."""
    return quote.text or _("show the message")


def line_parts(text: str, x: int, y: int, font: str, colour: str, ruler: Ruler) -> list[Part]:
    """One line of plain text with its emoji as pictures; it can't be selected."""
    if text.isascii():
        return [Label(x, y, text, font, colour)]
    found: list[Part] = []
    size = emoji_size(ruler, font)
    for piece, is_emoji in pieces(text, ruler.emoji):
        if is_emoji:
            found.append(Emoji(x + ruler.px(1), y + (ruler.height(font)[1] - size) // 2, piece, size))
            x += size + ruler.px(2)
        else:
            found.append(Label(x, y, piece, font, colour))
            x += ruler.measure(piece, font)
    return found


def line_width(text: str, font: str, ruler: Ruler) -> int:
    """How wide `line_parts` draws a text."""
    if text.isascii():
        return ruler.measure(text, font)
    wide = emoji_size(ruler, font) + ruler.px(2)
    return sum(wide if is_emoji else ruler.measure(piece, font) for piece, is_emoji in pieces(text, ruler.emoji))
