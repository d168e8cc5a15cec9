"""Rows as what is drawn: groups with avatars, bubbles, reactions, days, notes. Pure: a row, a width, a ruler."""

from __future__ import annotations

from dataclasses import dataclass, field

from alonechat.core.client.markup import Span
from alonechat.core.client.rows import Row
from alonechat.core.client.theme import author_index, initials
from alonechat.core.client.words import _
from alonechat.ui.gui.bubble import Content, Look, content, ground_of, line_parts, line_width
from alonechat.ui.gui.flow import SMALL, Line, elided, emoji_size, flow
from alonechat.ui.gui.parts import Area, Avatar, Emoji, Fill, Label, Laid, Part, moved, shifted

AVATAR, GUTTER, PAD_X, PAD_Y = 36, 48, 12, 8
"""An avatar, where bubbles begin beside it, and the padding of a bubble."""
COLUMN, BUBBLE = 760, 600
"""The widest that the column of messages, and a bubble in it, become."""
INSIDE, BETWEEN = 2, 12
"""The space between bubbles of a group, and between groups."""


@dataclass(slots=True)
class _Sheet:
    """What was drawn so far of one row, `width` wide."""

    width: int
    look: Look
    parts: list[Part] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)


def laid(row: Row, width: int, look: Look) -> Laid:
    """A row laid out in a column of `width` pixels."""
    return _KINDS.get(row.kind, _note)(row, width, look)


# --- messages ---


def _message(row: Row, width: int, look: Look) -> Laid:
    px = look.ruler.px
    if row.action and not row.deleted:
        return _action(row, width, look)
    top = px(BETWEEN if row.first else INSIDE)
    sheet, y = _Sheet(width, look), top
    parts, areas = sheet.parts, sheet.areas
    if not row.mine and row.first:
        y = _heading(row, y, sheet)
    most = max(min(width - px(GUTTER) - px(32), px(BUBBLE)) - 2 * px(PAD_X), px(80))
    inside = content(row, most, look)
    pad_x, pad_y = (0, px(2)) if inside.plain else (px(PAD_X), px(PAD_Y))
    x1 = width if row.mine else px(GUTTER) + inside.width + 2 * pad_x
    x0 = x1 - inside.width - 2 * pad_x
    box = (x0, y, x1, y + inside.height + 2 * pad_y)
    if not inside.plain:
        parts += _ground(row, box, look)
    parts += [moved(part, x0 + pad_x, y + pad_y) for part in inside.parts]
    areas += shifted(inside.areas, x0 + pad_x, y + pad_y)
    y = box[3]
    if row.reactions:
        y = _reactions(row, box, y + px(4), sheet) + px(4)
    if row.state == "refused":
        y = _refused(row, y + px(4), sheet)
    return Laid(y, tuple(parts), tuple(areas), inside.text, box)


def _heading(row: Row, y: int, sheet: _Sheet) -> int:
    ruler, px = sheet.look.ruler, sheet.look.ruler.px
    parts, areas, width = sheet.parts, sheet.areas, sheet.width
    size = px(AVATAR)
    parts.append(Avatar(0, y, size, row.author, initials(row.shown)))
    areas.append(Area(0, y, size, y + size, "author", row.author))
    x, high = px(GUTTER), ruler.line("name")
    name = elided(row.name, width - x - px(80), "name", ruler)
    ink = f"author:{author_index(row.author)}"
    parts += line_parts(name, x, y, "name", ink, ruler)
    wide = line_width(name, "name", ruler)
    areas.append(Area(x, y, x + wide, y + high, "author", row.author))
    drop = ruler.height("name")[0] - ruler.height("small")[0]
    parts.append(Label(x + wide + px(8), y + drop, row.time, "small", "secondary"))
    return y + high + px(3)


def _ground(row: Row, box: tuple[int, int, int, int], look: Look) -> list[Part]:
    px = look.ruler.px
    x0, y0, x1, y1 = box
    parts: list[Part] = [Fill(x0, y0, x1, y1, ground_of(row), px(12))]
    if row.mention:
        parts.append(Fill(x0 - px(6), y0 + px(4), x0 - px(3), y1 - px(4), "accent", px(1)))
    return parts


def _reactions(row: Row, box: tuple[int, int, int, int], y: int, sheet: _Sheet) -> int:
    look, px = sheet.look, sheet.look.ruler.px
    parts, areas, width = sheet.parts, sheet.areas, sheet.width
    high, gap = px(26), px(4)
    pills = [(emoji, who, *_pill(emoji, who, look)) for emoji, who in row.reactions]
    left, right = (px(GUTTER), width) if not row.mine else (px(GUTTER), box[2])
    rows: list[list[int]] = [[]]
    x = 0
    for at, pill in enumerate(pills):
        if rows[-1] and x + pill[3] > right - left:
            rows.append([])
            x = 0
        rows[-1].append(at)
        x += pill[3] + gap
    for line in rows:
        wide = sum(pills[at][3] for at in line) + gap * (len(line) - 1)
        x = right - wide if row.mine else left
        for at in line:
            emoji, who, inside, pill_width = pills[at]
            mine = look.me in who
            parts.append(
                Fill(x, y, x + pill_width, y + high, "selected" if mine else "other", high // 2,
                     "accent" if mine else "")
            )  # fmt: skip
            parts += [moved(part, x, y) for part in inside]
            areas.append(Area(x, y, x + pill_width, y + high, "unreact" if mine else "react", emoji))
            x += pill_width + gap
        y += high + gap
    return y - gap


def _pill(emoji: str, who: tuple[str, ...], look: Look) -> tuple[list[Part], int]:
    ruler, px = look.ruler, look.ruler.px
    high, count = px(26), str(len(who))
    ink = "accent" if look.me in who else "secondary"
    top = (high - ruler.height("strong")[1]) // 2
    if ruler.emoji:
        size = px(16)
        parts: list[Part] = [Emoji(px(9), (high - size) // 2, emoji, size)]
        x = px(9) + size + px(5)
    else:
        parts = [Label(px(9), (high - ruler.height("text")[1]) // 2, emoji, "text", "text")]
        x = px(9) + ruler.measure(emoji, "text") + px(5)
    parts.append(Label(x, top, count, "strong", ink))
    return parts, x + ruler.measure(count, "strong") + px(9)


def _refused(row: Row, y: int, sheet: _Sheet) -> int:
    """`not sent: reason · try again · discard`, on the right, in as many lines as it takes."""
    ruler, px = sheet.look.ruler, sheet.look.ruler.px
    parts, areas, width = sheet.parts, sheet.areas, sheet.width
    doings = ((_("try again"), "again"), (_("discard"), "discard"))
    tail = sum(ruler.measure(text, "strong") for text, _act in doings) + 2 * ruler.measure(" · ", "small")
    room = width - px(GUTTER)
    text = _("not sent: {reason}").format(reason=row.reason) if row.reason else _("not sent")
    lines = flow((Span(text),), room, ruler, SMALL)
    high = ruler.line("small")
    value = row.written.nonce if row.written else (row.event or {}).get("id", "")
    fits = lines[-1].width + tail <= room
    for at, line in enumerate(lines):
        x = width - line.width - (tail if fits and at == len(lines) - 1 else 0)
        parts += [Label(x + run.x, y, run.text, "small", "danger") for run in line.runs]
        y += high
    y -= high if fits else 0
    x = width - tail + (0 if fits else ruler.measure(" · ", "small"))
    for at, (word, act) in enumerate(doings):
        if at or fits:
            parts.append(Label(x, y, " · ", "small", "secondary"))
            x += ruler.measure(" · ", "small")
        wide = ruler.measure(word, "strong")
        parts.append(Label(x, y, word, "strong", "accent" if act == "again" else "danger"))
        areas.append(Area(x - px(2), y - px(2), x + wide + px(2), y + high, act, value))
        x += wide
    return y + high


def _action(row: Row, width: int, look: Look) -> Laid:
    """`/me waves`: a line without a bubble."""
    ruler, px = look.ruler, look.ruler.px
    spans = (Span(row.name + " ", bold=True), Span(row.text, italic=True))
    lines = flow(spans, width - px(GUTTER) - px(32), ruler)
    y, high = px(BETWEEN - 4), ruler.line("text")
    ink = f"author:{author_index(row.author)}"
    start = y
    parts: list[Part] = [Label(px(GUTTER) - px(16), y, "∗", "text", ink)]
    for line in lines:
        for run in line.runs:
            x = px(GUTTER) + run.x
            if run.kind == "emoji":
                size = emoji_size(ruler, run.font)
                parts.append(Emoji(x, y + (high - size) // 2, run.text, size))
            else:
                colour = ink if run.font == "bold" else "text"
                parts.append(Label(x, y, run.text, run.font, colour, run.start, run.width, high, line.hard))
        y += high
    right = px(GUTTER) + max(line.width for line in lines)
    box = (px(GUTTER), start, right, y)
    sheet = _Sheet(width, look, parts)
    if row.reactions:
        y = _reactions(row, box, y + px(4), sheet)
    return Laid(y + px(4), tuple(parts), tuple(sheet.areas), row.name + " " + row.text, box)


# --- what stands between them ---


def _day(row: Row, width: int, look: Look) -> Laid:
    return _ruled(row.text, "secondary", "divider", width, look)


def _new(row: Row, width: int, look: Look) -> Laid:
    return _ruled(row.text, "accent", "accent", width, look)


def _ruled(text: str, ink: str, line: str, width: int, look: Look) -> Laid:
    ruler, px = look.ruler, look.ruler.px
    high = px(44)
    wide, top = ruler.measure(text, "strong"), (high - ruler.height("strong")[1]) // 2
    x, middle = (width - wide) // 2, high // 2
    parts: list[Part] = [
        Fill(0, middle, x - px(12), middle + px(1), line),
        Fill(x + wide + px(12), middle, width, middle + px(1), line),
        Label(x, top, text, "strong", ink),
    ]
    return Laid(high, tuple(parts))


def _note(row: Row, width: int, look: Look) -> Laid:
    ruler, px = look.ruler, look.ruler.px
    lines = flow((Span(row.text),), width - px(64), ruler, SMALL)
    y, high = px(8), ruler.line("small")
    parts: list[Part] = []
    for line in lines:
        parts += _centred(line, width, y, look)
        y += high
    return Laid(y + px(4), tuple(parts), (), row.text, (0, px(8), width, y))


def _centred(line: Line, width: int, y: int, look: Look) -> list[Part]:
    x = (width - line.width) // 2
    found: list[Part] = []
    for run in line.runs:
        if run.kind == "emoji":
            size = emoji_size(look.ruler, "small")
            found.append(Emoji(x + run.x, y + (look.ruler.height("small")[1] - size) // 2, run.text, size))
        else:
            ink = "secondary" if run.kind == "text" else "accent"
            found.append(Label(x + run.x, y, run.text, "small", ink, run.start, run.width, look.ruler.line("small")))
    return found


def _start(row: Row, width: int, look: Look) -> Laid:
    ruler, px = look.ruler, look.ruler.px
    high = px(72)
    wide = ruler.measure(row.text, "small")
    return Laid(high, (Label((width - wide) // 2, px(36), row.text, "small", "secondary"),))


def _told(row: Row, width: int, look: Look) -> Laid:
    """The answer of a command, a notice: for this person alone, and it says so."""
    ruler, px = look.ruler, look.ruler.px
    y, x = px(BETWEEN), px(GUTTER)
    inside: Content = content(row, min(width - x - px(32), px(BUBBLE)) - 2 * px(PAD_X), look)
    head = _("only you see this")
    wide = max(inside.width, ruler.measure(head, "tiny"))
    high = ruler.line("tiny")
    box = (x, y, x + wide + 2 * px(PAD_X), y + high + inside.height + 2 * px(PAD_Y))
    edge = "danger" if row.is_error else "divider"
    parts: list[Part] = [Fill(*box, "ground", px(12), edge)]
    parts.append(Label(x + px(PAD_X), y + px(PAD_Y) - px(1), head, "tiny", "danger" if row.is_error else "secondary"))
    parts += [moved(part, x + px(PAD_X), y + px(PAD_Y) + high) for part in inside.parts]
    areas = shifted(inside.areas, x + px(PAD_X), y + px(PAD_Y) + high)
    return Laid(box[3], tuple(parts), tuple(areas), inside.text, box)


_KINDS = {"message": _message, "written": _message, "day": _day, "new": _new, "start": _start, "told": _told}
