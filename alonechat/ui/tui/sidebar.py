"""The list of conversations and the list of members, as lines. Pure."""

from __future__ import annotations

from alonechat.core.client.listing import badge as count
from alonechat.core.client.listing import title
from alonechat.core.client.model import Model, Summary
from alonechat.core.client.present import printable
from alonechat.core.client.words import _
from alonechat.ui.tui.messages import author
from alonechat.ui.tui.screen import BOLD, PLAIN, SECONDARY, Line, Piece, Style
from alonechat.ui.tui.width import pad, width

SIGNS = {"online": ("◉", Style("online")), "away": ("◐", Style("away")), "busy": ("◒", Style("danger"))}
ABSENT = ("○", SECONDARY)
CURRENT = Style("", "selected", BOLD)


def presence(model: Model, username: str) -> Piece:
    """A shape for whether somebody is there."""
    sign, style = SIGNS.get(model.presence.get(username, ""), ABSENT)
    return Piece(sign, style)


def badge(found: Summary) -> Piece:
    """How much is new: `12`, `@1` when one is addressed."""
    if found.mentions:
        return Piece(f"@{count(found.mentions)}", Style("danger", "", BOLD))
    if found.unread:
        return Piece(count(found.unread), SECONDARY if found.muted else Style("accent", "", BOLD))
    return Piece("")


def conversation(model: Model, found: Summary, current: bool, cells: int) -> Line:
    """A line of the list."""
    mark = badge(found)
    lead = Piece("▸" if current else " ", Style("accent"))
    fresh = found.unread and not found.muted
    style = PLAIN.plus(BOLD) if fresh or current else SECONDARY if found.muted else PLAIN
    draft = "✎" if model.drafts.get(found.target) and not current else ""
    room = cells - 2 - width(mark.text) - (1 if mark.text else 0) - len(draft)
    if found.kind == "room":
        name: Line = (Piece(pad(printable(found.target), room), style),)
    else:
        own = found.target == model.me
        shown = printable(title(model, found.target))
        sign = Piece("≡", SECONDARY) if own else presence(model, found.target)
        name = (sign, Piece(" "), Piece(pad(shown, max(0, room - 2)), style))
    return (lead, *name, Piece(draft, SECONDARY), Piece(" " if mark.text else ""), mark, Piece(" "))


def conversations(model: Model, target: str, cells: int, height: int) -> tuple[list[Line], list[str]]:
    """The lines of the list that fit, around the current one, and which conversation each is. Where some are not
    seen, the last line says how many of them have something new."""
    order = model.order()
    at = next((n for n, each in enumerate(order) if each.target == target), 0)
    if len(order) <= height:
        shown = order
        first = 0
    else:
        first = max(0, min(at - (height - 1) // 2, len(order) - (height - 1)))
        shown = order[first : first + height - 1]
    lines = [conversation(model, each, each.target == target, cells) for each in shown]
    targets = [each.target for each in shown]
    if len(order) > height:
        seen = set(targets)
        new = sum(1 for each in model.unread() if each.target not in seen)
        left = len(order) - len(shown)
        text = _("{n} more, {new} new").format(n=left, new=new) if new else _("{n} more").format(n=left)
        lines.append((Piece(pad(f" {text}", cells), SECONDARY),))
    return lines, targets


ORDER = {"online": 0, "busy": 1, "away": 2}


def members(model: Model, target: str, cells: int, height: int) -> tuple[list[Line], list[str]]:
    """Who is in a conversation: those who are there first. Lines, and who each is."""
    names = model.members.get(target, ())
    ranked = sorted(names, key=lambda name: (ORDER.get(model.presence.get(name, ""), 3), model.shown(name).casefold()))
    lines: list[Line] = []
    shown = ranked if len(ranked) <= height else ranked[: max(0, height - 1)]
    for name in shown:
        star = " *" if model.role(name, target) != "member" else ""
        here = model.presence.get(name, "offline") not in ("", "offline")
        style = author(name) if here else SECONDARY
        text = pad(printable(model.shown(name)), max(0, cells - 4 - len(star)))
        text = text.rstrip() + star
        lines.append((Piece(" "), presence(model, name), Piece(" "), Piece(text, style)))
    if len(ranked) > height:
        lines.append((Piece(" " + _("{n} more").format(n=len(ranked) - len(shown)), SECONDARY),))
    return lines, list(shown)
