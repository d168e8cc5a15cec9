"""A desk as a picture: list, header, messages, members, composer, status."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from alonechat.core.client.files import called
from alonechat.core.client.listing import title
from alonechat.core.client.model import Connection, Model
from alonechat.core.client.moment import Moment, when
from alonechat.core.client.present import printable
from alonechat.core.client.words import _, n_
from alonechat.ui.tui import messages, sidebar
from alonechat.ui.tui.composer import drawn
from alonechat.ui.tui.composer import lay_out as lay_out_text
from alonechat.ui.tui.desk import Desk, Talk
from alonechat.ui.tui.history import Laid, Seen
from alonechat.ui.tui.layout import LEAST_HEIGHT, Layout, lay_out
from alonechat.ui.tui.screen import (
    ACCENT,
    BOLD,
    DANGER,
    DIVIDER,
    PLAIN,
    SECONDARY,
    Line,
    Piece,
    Screen,
    Style,
    cut,
    width_of,
)
from alonechat.ui.tui.width import width

BAR = (Piece("│", DIVIDER),)
PROMPT = 2
"""Cells of `> ` in front of what is being written."""


@dataclass(slots=True)
class Look:
    """What a person chose to see, and what the last picture looked like: clicks are looked up in it."""

    wants_list: bool | None = None
    wants_members: bool | None = None
    selected: str | None = None
    flash: str = ""
    is_error: bool = False
    options: Line = ()
    hints: tuple[tuple[str, str], ...] = ()
    refused: str = ""
    layout: Layout = field(default_factory=lambda: lay_out(24, 80))
    laid: Laid | None = None
    hasty: bool = False
    seen: list[Seen] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    body: tuple[int, int] = (1, 1)
    composer: tuple[int, int] = (0, 1)

    def arrange(self, height: int, width: int) -> Layout:
        """The panes at this size. What was laid out at another width is forgotten."""
        found = lay_out(height, width, self.wants_list, self.wants_members)
        if self.laid is None or (found.main, found.names) != (self.layout.main, self.layout.names):
            self.laid = Laid(lambda row, found=found: messages.lines(row, found, self.refused, self.hasty))  # type: ignore[misc]
        self.layout = found
        return found


def draw(desk: Desk, look: Look, height: int, cells: int) -> Screen:
    """The whole picture at a size."""
    screen = Screen(height, cells)
    layout = look.arrange(height, cells)
    if height < LEAST_HEIGHT or cells < 20:
        screen.put(0, 0, cells, (Piece(_("too small"), SECONDARY),))
        return screen
    bottom = _composer(screen, desk, look)
    look.body = (1, bottom)
    _header(screen, desk, layout)
    _messages(screen, desk, look)
    _sides(screen, desk, look)
    _status(screen, desk, look)
    return screen


def _composer(screen: Screen, desk: Desk, look: Look) -> int:
    """What is being written, above the status; gives the row of the line above it, where it is said who types."""
    layout, talk = look.layout, desk.talk()
    room = max(1, layout.main - PROMPT - 2)
    text = lay_out_text(talk.editor, room)
    most = max(1, min(8, (screen.height - 4) // 2))
    lines, row, column = drawn(talk.editor, text, min(most, len(text.lines)))
    top = screen.height - 1 - len(lines)
    look.composer = (top, len(lines))
    lead = Piece("> ", ACCENT.plus(BOLD))
    if not talk.editor.text:
        name = printable(title(desk.model, desk.target))
        lines = [(Piece(_("Message {name}").format(name=name), SECONDARY),)] if desk.target else lines
    for at, each in enumerate(lines):
        x = layout.main_x
        screen.put(top + at, x, layout.main, (Piece(" "), lead if at == 0 else Piece("  "), *each))
    screen.cursor = (top + row, layout.main_x + 1 + PROMPT + column)
    screen.put(top - 1, layout.main_x, layout.main, cut(_above(desk, look), layout.main - 1))
    return top - 1


def _above(desk: Desk, look: Look) -> Line:
    """The line above the composer: what was just said, what is replied to, what is below, who types."""
    talk = desk.talk()
    if look.options:
        return look.options
    if look.flash:
        return (Piece(f" {look.flash}", DANGER if look.is_error else ACCENT),)
    if talk.editing is not None:
        return (
            Piece(" ┃ ", ACCENT),
            Piece(_("editing"), ACCENT),
            Piece(f": {_short(called(talk.editing.text, talk.editing.files))}", SECONDARY),
        )
    if talk.reply is not None:
        name = printable(talk.reply.name or talk.reply.author)
        lead = Piece(" ┃ ", ACCENT), Piece(_("reply to {name}").format(name=name), messages.author(talk.reply.author))
        return (*lead, Piece(f": {_short(called(talk.reply.text, talk.reply.files))}", SECONDARY))
    if below := _below(desk, talk):
        return (Piece(f" {below}", ACCENT.plus(BOLD)),)
    return (Piece(f" {typing(desk.model, desk.target, desk.now())}", SECONDARY),)


def _short(text: str) -> str:
    return " ".join(printable(text[:200], lines=True).split())


def _below(desk: Desk, talk: Talk) -> str:
    """What one misses while one looks at an older place."""
    if desk.is_at_end():
        return ""
    found = desk.model.conversations.get(desk.target)
    if found is not None and found.unread:
        return "↓ " + n_("{n} new message", "{n} new messages", found.unread)
    return "↓ " + _("older messages") if desk.model.windows.get(desk.target) else ""


def typing(model: Model, target: str, now: float) -> str:
    """Who is typing, in a sentence; empty when nobody is."""
    names = [printable(model.shown(name)) for name in model.typists(target, now)]
    if not names:
        return ""
    if len(names) == 1:
        return _("{who} is typing…").format(who=names[0])
    if len(names) == 2:
        return _("{who} and {other} are typing…").format(who=names[0], other=names[1])
    return n_("{n} person is typing…", "{n} people are typing…", len(names))


def _header(screen: Screen, desk: Desk, layout: Layout) -> None:
    model, target = desk.model, desk.target
    found = model.conversations.get(target)
    room = target.startswith("#")
    name = printable(title(model, target).removeprefix("#"))
    pieces: list[Piece] = [Piece(" ")]
    if target and not room:
        pieces += [sidebar.presence(model, target), Piece(" ")]
    pieces.append(Piece(name, PLAIN.plus(BOLD)))
    if found is not None and found.access == "private":
        pieces.append(Piece(" · " + _("private"), SECONDARY))
    if found is not None and found.muted:
        pieces.append(Piece(" · " + _("muted"), SECONDARY))
    if found is not None and found.topic:
        pieces.append(Piece(" · " + _short(found.topic), SECONDARY))
    right = _counts(desk) if room else ""
    if not layout.list and (new := _elsewhere(desk)):
        right = f"{new} · {right}" if right and layout.main > 60 else new
    left = cut(pieces, layout.main - width(right) - 3)
    gap = layout.main - width_of(left) - width(right) - 1
    screen.put(0, layout.main_x, layout.main, (*left, Piece(" " * max(1, gap)), Piece(right, SECONDARY)))


def _counts(desk: Desk) -> str:
    found, model = desk.model.conversations.get(desk.target), desk.model
    names = model.members.get(desk.target, ())
    here = sum(1 for name in names if model.presence.get(name, "offline") not in ("", "offline"))
    count = max(found.members if found else 0, len(names))
    return _("{n} · {here} online").format(n=count, here=here) if here else str(count or "")


def _elsewhere(desk: Desk) -> str:
    """What is new in other conversations, where the list has no room."""
    others = [each for each in desk.model.unread() if each.target != desk.target]
    mentions = sum(each.mentions for each in others)
    text = n_("{n} other unread", "{n} others unread", len(others)) if others else ""
    return f"@{mentions} · {text}" if mentions else text


def _messages(screen: Screen, desk: Desk, look: Look) -> None:
    layout, (top, bottom) = look.layout, look.body
    assert look.laid is not None
    place = desk.talk().place
    rows = desk.rows(whole=place.key is not None or look.selected is not None)
    height = bottom - top
    if desk.talk().jump is not None and place.key is not None:
        key, place.key = place.key, None
        place.show(rows, look.laid, height, key)
        if place.key is None and not desk.is_at_end():
            place.key, place.below = key, 0
        look.selected = key
        desk.talk().jump = None
    look.seen = place.view(rows, look.laid, height)
    first = bottom - len(look.seen)
    x, cells = layout.main_x, layout.main
    for at, (row, line) in enumerate(look.seen):
        if row.key == look.selected:
            screen.put(first + at, x, cells, (Piece("▸", ACCENT.plus(BOLD)), *_behind(line)), Style("", "selected"))
        else:
            screen.put(first + at, x, cells, line)
    if not look.seen:
        _empty(screen, desk, layout, bottom)


def _behind(line: Line) -> Line:
    """A line without its first cell, where the mark of the selected one stands."""
    first, *rest = line
    return (Piece(first.text[1:], first.style), *rest)


def _empty(screen: Screen, desk: Desk, layout: Layout, bottom: int) -> None:
    """A place without messages says what to do."""
    if desk.target in desk.model.windows:
        text = _("Nothing was written here yet.")
    elif desk.model.connection.state in ("connected", "catching up") or not desk.target:
        text = "…"
    else:
        text = _("Nothing of this conversation is kept on this machine.")
    screen.put(bottom - 1, layout.main_x, layout.main, (Piece(f" {text}", SECONDARY),))


def _sides(screen: Screen, desk: Desk, look: Look) -> None:
    layout, height = look.layout, screen.height - 1
    look.listed, look.people = [], []
    if layout.list:
        lines, look.listed = sidebar.conversations(desk.model, desk.target, layout.list, height)
        for y, line in enumerate(lines):
            fill = sidebar.CURRENT if look.listed[y : y + 1] == [desk.target] else PLAIN
            screen.put(y, 0, layout.list, line, fill)
        for y in range(screen.height):
            screen.put(y, layout.list, 1, BAR)
    if layout.members:
        lines, look.people = sidebar.members(desk.model, desk.target, layout.members, height)
        for y, line in enumerate(lines):
            screen.put(y, layout.members_x, layout.members, line)
        for y in range(height):
            screen.put(y, layout.members_x - 1, 1, BAR)


def _status(screen: Screen, desk: Desk, look: Look) -> None:
    layout, y, model = look.layout, screen.height - 1, desk.model
    who = printable(str(model.user.get("display_name") or model.me or desk.runner.account.username))
    state, style = standing(model.connection)
    left: Line = (Piece(f" {who}", PLAIN.plus(BOLD)), Piece(" · ", SECONDARY), Piece(state, style))
    x = 0
    if layout.list:
        screen.put(y, 0, layout.list, cut(left, layout.list - 1))
        x = layout.main_x
    else:
        left = cut(left, max(10, screen.width // 2))
        screen.put(y, 0, width_of(left), left)
        screen.put(y, width_of(left), 3, (Piece(" │ ", DIVIDER),))
        x = width_of(left) + 2
    told = explained(desk)
    pieces: list[Piece] = [Piece(" ")]
    if told:
        pieces.append(Piece(told, style))
    else:
        for key, does in look.hints:
            if width_of(pieces) + width(key) + width(does) + 2 > screen.width - x:
                break
            pieces += [Piece(key, ACCENT), Piece(f" {does}  ", SECONDARY)]
    screen.put(y, x, screen.width - x, cut(pieces, screen.width - x))


def standing(connection: Connection) -> tuple[str, Style]:
    """How the connection stands, in a word."""
    words = {
        "connecting": (_("connecting"), SECONDARY),
        "connected": (_("connected"), SECONDARY),
        "catching up": (_("catching up"), ACCENT),
        "offline": (_("offline"), DANGER),
        "signed out": (_("signed out"), DANGER),
    }
    return words.get(connection.state, (connection.state, SECONDARY))


def explained(desk: Desk) -> str:
    """What there is to say about the connection; nothing when it stands."""
    connection, waiting = desk.model.connection, len(desk.model.waiting())
    if connection.state == "catching up":
        return _("Catching up…")
    if connection.state == "signed out":
        return printable(connection.reason)
    if connection.state != "offline":
        return ""
    since = when(connection.since, Moment(desk.now(), None)) if connection.since else ""
    parts = [_("Offline since {time}").format(time=since)]
    left = int(connection.again_at - time.time() + 0.999)
    parts.append(_("trying again in {n} s").format(n=left) if left > 0 else _("trying again now"))
    if waiting:
        parts.append(n_("{n} message waits", "{n} messages wait", waiting))
    return " · ".join(parts)
