"""Rows of a conversation as lines to draw: time, name, text wrapped under itself, quotes, reactions, states. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alonechat.core.client.markup import Block, Span, blocks, plain
from alonechat.core.client.present import printable
from alonechat.core.client.rows import Quote, Row
from alonechat.core.client.theme import author_index
from alonechat.core.client.words import _
from alonechat.ui.tui import chips
from alonechat.ui.tui.layout import Layout
from alonechat.ui.tui.screen import (
    ACCENT,
    BOLD,
    DANGER,
    DIVIDER,
    ITALIC,
    PLAIN,
    SECONDARY,
    STRIKE,
    UNDERLINE,
    Line,
    Piece,
    Style,
    cut,
    width_of,
    wrap,
)
from alonechat.ui.tui.width import clip, pad, width

MOST_LINES = 400
"""Lines that one message takes at most: what is longer is cut, with a word that says so."""
BAR = Piece(" │ ", DIVIDER)
MARKS = {"waiting": Piece(" ◔", SECONDARY), "sent": Piece(" ✓", SECONDARY), "refused": Piece(" ✗", DANGER)}
CODE = Style("", "other")


def author(username: str) -> Style:
    """The style of somebody's name."""
    return Style(f"author:{author_index(username)}")


def lines(row: Row, layout: Layout, hint: str = "", hasty: bool = False) -> list[Line]:
    """A row as lines over the whole pane. `hint`: what can be done with a message that was refused. `hasty`: texts as
    they were written, since what reads Markdown is not loaded yet."""
    if row.kind in ("day", "new"):
        return [divider(row.text, layout.main, Style("accent", "", BOLD) if row.kind == "new" else SECONDARY)]
    if row.kind == "start":
        return [(Piece(" " * layout.text_x), Piece(part.text, SECONDARY)) for (part,) in _plain(row.text, layout)]
    if row.kind in ("note", "told"):
        return _aside(row, layout)
    body = _body(row, layout, hint, hasty)
    marked = row.state in MARKS and row.mine
    name = _("you") if row.mine else printable(row.name or row.author)
    found = [_head(row, layout, name)]
    found += [_gutter(layout)] * (len(body) - 1)
    whole = [(*head, *part) for head, part in zip(found, body, strict=True)]
    if marked:
        gap = layout.main - width_of(whole[0]) - 3
        whole[0] = (*whole[0], Piece(" " * max(0, gap)), MARKS[row.state])
    return whole


def divider(text: str, cells: int, style: Style) -> Line:
    """A line across the pane with words in its middle."""
    text = clip(f" {text} ", max(0, cells - 4))
    left = max(0, (cells - width(text)) // 2)
    right = max(0, cells - left - width(text))
    return (Piece("─" * left, DIVIDER), Piece(text, style), Piece("─" * right, DIVIDER))


def _head(row: Row, layout: Layout, name: str) -> Line:
    """Time and name in front of the first line of a message; of a later one in its group, nothing."""
    lead = Piece("@", Style("danger", "", BOLD)) if row.mention else Piece(" ")
    if not row.first:
        blank = " " * (layout.time + layout.names - 1)
        return (lead, Piece(blank), BAR)
    time = Piece(pad(row.time, layout.time - 1), SECONDARY) if layout.time else Piece("")
    style = author(row.author).plus(BOLD)
    room = layout.names if layout.time else layout.names - 1
    return (lead, time, Piece(pad(name, room, right=True), style), BAR)


def _gutter(layout: Layout) -> Line:
    return (Piece(" " * (layout.time + layout.names)), BAR)


def _aside(row: Row, layout: Layout) -> list[Line]:
    """What nobody said: who came and went, what the server answers to this person."""
    style = DANGER if row.is_error else PLAIN if row.kind == "told" else SECONDARY
    mark = "!" if row.is_error else "*" if row.kind == "told" else "—"
    time = pad(f" {row.time}", layout.time) if layout.time else ""
    head = (Piece(time or " ", SECONDARY), Piece(pad(mark, layout.names - (not time), right=True), style), BAR)
    body = [(Piece(part.text, style),) for (part,) in _plain(row.text, layout)]
    return [(*(head if at == 0 else _gutter(layout)), *part) for at, part in enumerate(body)]


def _plain(text: str, layout: Layout) -> list[tuple[Piece]]:
    found: list[tuple[Piece]] = []
    for part in printable(text, lines=True).replace("\t", "    ").split("\n"):
        found += [(Piece("".join(p.text for p in each)),) for each in wrap((Piece(part),), layout.text)]
    return found


def _body(row: Row, layout: Layout, hint: str, hasty: bool) -> list[Line]:
    found: list[Line] = []
    if row.quote is not None:
        found.append(cut((Piece("┃ ", ACCENT), *_quoted(row.quote, hasty)), layout.text))
    if row.deleted:
        found.append((Piece(_("(deleted)"), SECONDARY.plus(ITALIC)),))
    elif row.text or row.action or not row.files:
        found += _content(row, layout, hasty)
    for each in row.files:
        found += chips.lines(each, layout.text, own=row.kind == "written")
    if row.reactions:
        found += wrap(tuple(_reactions(row)), layout.text)
    if row.state == "refused":
        reason = _("not sent: {reason}").format(reason=printable(row.reason or ""))
        found += wrap((Piece(reason, DANGER), Piece(f" · {hint}" if hint else "", DANGER)), layout.text)
    return found or [()]


def _quoted(quote: Quote, hasty: bool) -> Line:
    if not quote.author:
        return (Piece(_("an earlier message"), SECONDARY),)
    said = " ".join(printable(quote.text if hasty else plain(quote.text), lines=True).split())
    return (Piece(printable(quote.name), author(quote.author)), Piece(f": {said}", SECONDARY))


def _content(row: Row, layout: Layout, hasty: bool) -> list[Line]:
    lead: Line = (Piece(f"* {printable(row.name)} ", author(row.author).plus(ITALIC)),) if row.action else ()
    named = tuple((row.event or {}).get("mentions") or ()) if row.event else None
    read = (Block("paragraph", (Span(row.text),)),) if hasty else blocks(row.text, "", named)
    found = _blocks(read, layout.text, lead) or [lead]
    if len(found) > MOST_LINES:
        left = len(found) - MOST_LINES
        found = [*found[:MOST_LINES], (Piece(_("… {n} more lines").format(n=left), SECONDARY),)]
    if row.edited:
        found += _ended(found.pop(), Piece(_("(edited)"), SECONDARY), layout.text)
    return found


def _ended(last: Line, mark: Piece, cells: int) -> list[Line]:
    """A last line with a mark behind it, or below it where there is no room."""
    if width_of(last) + 1 + width(mark.text) <= cells:
        return [(*last, Piece(" "), mark)]
    return [last, (mark,)]


def _reactions(row: Row) -> Iterable[Piece]:
    for at, (emoji, who) in enumerate(row.reactions):
        yield Piece(f"{' ' if at else ''}{printable(emoji)}")
        yield Piece(str(len(who)), SECONDARY)


# --- the everyday part of Markdown ---


def _blocks(found: Sequence[Block], cells: int, lead: Line) -> list[Line]:
    whole: list[Line] = []
    for at, block in enumerate(found):
        first = lead if at == 0 else ()
        if block.kind == "code":
            whole += [first] if first else []
            whole += _code(block, cells)
        elif block.kind == "quote":
            part = _paragraph((*first, *_pieces(block.spans)), cells - 2)
            whole += [(Piece("┃ ", SECONDARY), *each) for each in part]
        elif block.kind == "item":
            marker = f"{'  ' * max(0, block.depth - 1)}{block.marker or ' '} "
            part = _paragraph((*first, *_pieces(block.spans)), max(4, cells - width(marker)))
            blank = " " * width(marker)
            whole += [(Piece(marker if n == 0 else blank, SECONDARY), *each) for n, each in enumerate(part)]
        else:
            whole += _paragraph((*first, *_pieces(block.spans)), cells)
    return whole


def _paragraph(pieces: Line, cells: int) -> list[Line]:
    """Pieces wrapped; a line end in a span is one here."""
    whole: list[Line] = []
    current: list[Piece] = []
    for text, style in pieces:
        first, *rest = text.split("\n")
        current.append(Piece(first, style))
        for part in rest:
            whole += wrap(current, cells)
            current = [Piece(part, style)]
    return whole + wrap(current, cells)


def _code(block: Block, cells: int) -> list[Line]:
    whole: list[Line] = []
    for part in printable(block.spans[0].text, lines=True).replace("\t", "    ").rstrip("\n").split("\n"):
        for each in wrap((Piece(part, CODE),), cells - 2):
            gap = " " * max(0, cells - 1 - width_of(each))
            whole.append((Piece(" ", CODE), *each, Piece(gap, CODE)))
    return whole


def _pieces(spans: Iterable[Span]) -> Iterable[Piece]:
    for span in spans:
        text = printable(span.text, lines=True).replace("\t", "    ")
        yield Piece(text, _style(span))
        if span.link and printable(span.link) != text:
            yield Piece(f" <{printable(span.link)}>", SECONDARY)


def _style(span: Span) -> Style:
    attributes = (BOLD if span.bold else 0) | (ITALIC if span.italic else 0) | (STRIKE if span.strike else 0)
    if span.code:
        return Style("", "other", attributes)
    if span.link:
        return Style("accent", "", attributes | UNDERLINE)
    if span.mention == "*":
        return Style("accent", "", attributes | BOLD)
    if span.mention:
        return author(span.mention).plus(attributes | BOLD)
    return Style("accent", "", attributes) if span.room else Style("", "", attributes)
