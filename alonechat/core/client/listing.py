"""The list of conversations as a face shows it: sections, titles, previews, badges. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alonechat.core.client.files import said
from alonechat.core.client.fuzzy import ranked
from alonechat.core.client.model import Model, Summary
from alonechat.core.client.moment import Moment, stamp_of, when
from alonechat.core.client.present import short
from alonechat.core.client.words import _

MOST = 999
"""The largest number that a badge shows."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A line of the list: a `section` with its title, or a `conversation`. `badge` is the number of unread messages as
    text; `mention`: somebody means this person. `presence` of a direct one: `online`, `away`, `busy`, `offline`."""

    kind: str
    title: str
    summary: Summary | None = None
    preview: str = ""
    time: str = ""
    badge: str = ""
    mention: bool = False
    muted: bool = False
    presence: str = ""
    draft: bool = False

    @property
    def target(self) -> str:
        """The conversation; empty for a section."""
        return self.summary.target if self.summary else ""


def badge(count: int) -> str:
    """A number as a badge: empty for none, `999+` from a thousand on."""
    return "" if not count else str(count) if count <= MOST else f"{MOST}+"


def title(model: Model, target: str) -> str:
    """What a conversation is called: `#room`, the name of the other one, or one's own notes."""
    if target.startswith("#"):
        return target
    return _("Notes to self") if target and target == model.me else model.shown(target)


def preview(model: Model, summary: Summary) -> str:
    """The latest message on one line: `ana: ok…`, without the name in a direct conversation with somebody else."""
    last = summary.last
    if last is None:
        return summary.topic if summary.kind == "room" else ""
    text = _("message deleted") if last.get("deleted") else said(last, 80)
    sender = last["sender"]
    if sender == model.me:
        return text if summary.target == model.me else _("you: {text}").format(text=text)
    return f"{model.shown(sender)}: {text}" if summary.kind == "room" else text


def line(model: Model, summary: Summary, moment: Moment) -> Listing:
    """A conversation as a line of the list."""
    last, target = summary.last, summary.target
    draft = model.drafts.get(target, "").strip()
    shown = _("Draft: {text}").format(text=short(draft, 80)) if draft else preview(model, summary)
    return Listing(
        "conversation",
        title(model, target),
        summary,
        shown,
        when(stamp_of(last["timestamp"]), moment) if last else "",
        badge(summary.unread),
        summary.mentions > 0,
        summary.muted,
        "" if summary.kind == "room" else model.presence.get(target, "offline"),
        bool(draft),
    )


def listing(model: Model, moment: Moment, query: str = "") -> list[Listing]:
    """The whole list, rooms first; with a `query`, only what it fits, the best first and without sections."""
    if query.strip():
        fits = ranked(query, model.order(), lambda each: title(model, each.target))
        return [line(model, each, moment) for each, _places in fits]
    return [
        *_section(_("Rooms"), model, model.rooms(), moment),
        *_section(_("Direct"), model, model.directs(), moment),
    ]


def _section(name: str, model: Model, found: Iterable[Summary], moment: Moment) -> Iterator[Listing]:
    yield Listing("section", name)
    for each in found:
        yield line(model, each, moment)
