"""A window of messages as the rows that a face draws: days, groups, notes, what waits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from alonechat.core.client.files import File, of_event, said
from alonechat.core.client.model import Model, Told, Window, Written
from alonechat.core.client.moment import Moment, clock, day, day_of, stamp_of
from alonechat.core.client.state import Event, amend
from alonechat.core.client.templates import posted, worded
from alonechat.core.client.words import _, n_

GROUP = 300.0
"""Seconds within which the messages of one author share a name and an avatar."""
NAMED = 3
"""How many people a note names before it counts the others."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that a reply answers; `text` is empty where it is not at hand, `seq` None."""

    id: str
    author: str = ""
    name: str = ""
    text: str = ""
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `kind`: `start` (the log begins here), `day`, `new` (what follows was not read before), `message`,
    `note` (somebody joined, left, set the topic), `written` (one's own, without a receipt yet), `told` (for this
    person alone). `key` is the same over redraws. `text` is ready to show, for messages their content
    (`written_text`: as it was written). `first` begins a group: name and avatar are shown. `shown`: the author's
    name; `name` says through which plugin, too. `state` of one's own: `waiting`, `sent`, `refused` with a `reason`.
    `files`: what the message bears, whose `text` may be empty then."""

    kind: str
    key: str
    text: str = ""
    event: Event | None = None
    written: Written | None = None
    first: bool = True
    mine: bool = False
    mention: bool = False
    author: str = ""
    shown: str = ""
    name: str = ""
    time: str = ""
    stamp: float = 0.0
    quote: Quote | None = None
    state: str = ""
    reason: str = ""
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    deleted: bool = False
    edited: bool = False
    action: bool = False
    is_error: bool = False
    files: tuple[File, ...] = ()

    @property
    def written_text(self) -> str:
        """What one changes: a plugin's text may be shown in another language."""
        return str(self.event["content"]) if self.kind == "message" and self.event else self.text


def rows(model: Model, target: str, moment: Moment, since: int | None = None) -> list[Row]:
    """The rows of a conversation, from the top. `since`: the read mark when one began to look; the `new` row stands
    behind it, unless only one's own messages follow."""
    window = model.windows.get(target)
    if window is None:
        return []
    waiting = model.waiting(target)
    drawn = [*_messages(model, window, moment), *_written(model, waiting, moment)] if window.live else None
    found = _merged(drawn or list(_messages(model, window, moment)), model.told.get(target, ()) if window.live else ())
    found = list(_grouped(_folded(model, found)))
    head = [Row("start", "start", _("This is where it begins"))] if window.start and found else []
    return [*head, *_divided(found, moment, since)]


def _messages(model: Model, window: Window, moment: Moment) -> Iterator[Row]:
    pending: dict[str, list[Written]] = {}
    for entry in model.outbox.values():
        if entry.ref and entry.target == window.target and entry.type != "TEXT":
            pending.setdefault(entry.ref, []).append(entry)
    places = {message["id"]: message for message in window.messages}
    for event in window.messages:
        if event["type"] == "TEXT":
            yield _message(model, event, pending.get(event["id"], ()), places, moment)
        else:
            stamp = stamp_of(event["timestamp"])
            text = note(model.shown, event)
            yield Row("note", event["id"], text, event, stamp=stamp, time=clock(stamp, moment.zone))


def _message(model: Model, event: Event, pending: Iterable[Written], places: dict[str, Event], moment: Moment) -> Row:
    mine = event["sender"] == model.me
    state, reason = ("sent" if mine else ""), ""
    for entry in pending:
        state, reason = ("refused", worded(entry.reason)) if entry.code else ("waiting", "")
        if not entry.code:
            event = dict(event)
            amend(event, _as_event(entry, model.me, event["timestamp"]))
    stamp = stamp_of(event["timestamp"])
    author = event["sender"]
    name = shown = model.shown(author)
    if (via := event.get("via")) and via != "me":
        name = _("{name} via {plugin}").format(name=name, plugin=via)
    named = event.get("mentions") or ()
    return Row(
        "message",
        event["id"],
        posted(event),
        event,
        mine=mine,
        mention=not mine and (model.me in named or "*" in named) and not event.get("deleted"),
        author=author,
        shown=shown,
        name=name,
        time=clock(stamp, moment.zone),
        stamp=stamp,
        quote=_quote(model, event.get("ref"), places),
        state=state,
        reason=reason,
        reactions=tuple((emoji, tuple(who)) for emoji, who in (event.get("reactions") or {}).items()),
        deleted=bool(event.get("deleted")),
        edited=bool(event.get("edited")),
        action=via == "me",
        files=_files(model, event),
    )


def _files(model: Model, event: Event) -> tuple[File, ...]:
    """What a message bears, as it stands on this machine."""
    if event.get("deleted"):
        return ()
    found = ((file, model.files.get(file.id)) for file in of_event(event))
    return tuple(
        replace(file, state=now.state, path=now.path, fraction=now.fraction, reason=now.reason) if now else file
        for file, now in found
    )


def _as_event(entry: Written, me: str, at: str) -> Event:
    return {"type": entry.type, "sender": me, "content": entry.content, "timestamp": at, "removed": entry.removed}


def _quote(model: Model, ref: str | None, places: dict[str, Event]) -> Quote | None:
    if not ref:
        return None
    found = places.get(ref)
    if found is None:
        return Quote(ref)
    text = _("deleted message") if found.get("deleted") else said(found)
    return Quote(ref, found["sender"], model.shown(found["sender"]), text, found["seq"])


def note(shown: Callable[[str], str], event: Event) -> str:
    """What a JOIN, LEAVE or TOPIC says; `shown` gives the name that a person is shown by."""
    who, kind = shown(event["sender"]), event["type"]
    if kind == "JOIN":
        return _("{who} joined").format(who=who)
    if kind == "LEAVE":
        if by := event.get("by"):
            return _("{by} removed {who}").format(by=shown(by), who=who)
        return _("{who} left").format(who=who)
    if not event["content"]:
        return _("{who} cleared the topic").format(who=who)
    return _("{who} set the topic: {topic}").format(who=who, topic=event["content"])


def _written(model: Model, waiting: Iterable[Written], moment: Moment) -> Iterator[Row]:
    for entry in waiting:
        if entry.type != "TEXT":
            continue
        state = "refused" if entry.code else "sent" if entry.done else "waiting"
        content = entry.content[1:] if entry.content.startswith("//") else entry.content
        yield Row(
            "written",
            f"n:{entry.nonce}",
            content,
            written=entry,
            mine=True,
            author=model.me,
            name=model.shown(model.me),
            time=clock(entry.made, moment.zone),
            stamp=entry.made,
            quote=_quote(model, entry.ref, {m["id"]: m for m in model.windows[entry.target].messages})
            if entry.ref
            else None,
            state=state,
            reason=worded(entry.reason),
            files=entry.files,
        )


def _merged(found: list[Row], told: Iterable[Told]) -> list[Row]:
    """Notices among the messages, each where it came."""
    for at, each in enumerate(told):
        row = Row("told", f"t:{each.at}:{at}", each.text, stamp=each.at, is_error=each.is_error)
        place = next((n for n in range(len(found), 0, -1) if found[n - 1].stamp <= each.at), 0)
        found.insert(place, row)
    return found


def _folded(model: Model, found: Iterable[Row]) -> Iterator[Row]:
    """Runs of people who joined, or who left, as one note."""
    run: list[Row] = []
    for row in found:
        if run and not (_folds(row) and _kind(row) == _kind(run[0])):
            yield _run(model, run)
            run = []
        if _folds(row):
            run.append(row)
        else:
            yield row
    if run:
        yield _run(model, run)


def _folds(row: Row) -> bool:
    event = row.event
    return row.kind == "note" and event is not None and event["type"] in ("JOIN", "LEAVE") and not event.get("by")


def _kind(row: Row) -> str:
    return str(row.event["type"]) if row.event else ""


def _run(model: Model, run: list[Row]) -> Row:
    if len(run) == 1:
        return run[0]
    names = [model.shown(who) for who in dict.fromkeys(row.event["sender"] for row in run if row.event)]
    named, more = _(", ").join(names[:NAMED]), len(names) - NAMED
    joined = _kind(run[0]) == "JOIN"
    if more > 0:
        others = n_("{n} other", "{n} others", more)
        text = _("{names} and {others} joined") if joined else _("{names} and {others} left")
        return replace(run[0], text=text.format(names=named, others=others))
    return replace(run[0], text=(_("{who} joined") if joined else _("{who} left")).format(who=named))


def _grouped(found: Iterable[Row]) -> Iterator[Row]:
    last: Row | None = None
    for row in found:
        said = row.kind in ("message", "written")
        follows = (
            said
            and last is not None
            and (last.author, last.name) == (row.author, row.name)
            and abs(row.stamp - last.stamp) <= GROUP
            and not row.action
            and not last.action
        )
        last = row if said else None
        yield replace(row, first=False) if follows else row


def _divided(found: Iterable[Row], moment: Moment, since: int | None) -> Iterator[Row]:
    """Days, and the line above what is new."""
    last: date | None = None
    found = list(found)
    new = _first_new(found, since)
    for at, row in enumerate(found):
        of = day_of(row.stamp, moment.zone)
        fresh = last is None or of > last  # a clock that is late must not bring yesterday back
        if fresh:
            last = of
            yield Row("day", f"day:{of.isoformat()}", day(of, moment.today), stamp=row.stamp)
        if at == new:
            yield Row("new", "new", _("new"), stamp=row.stamp)
        yield replace(row, first=True) if (fresh or at == new) and not row.first else row


def _first_new(found: list[Row], since: int | None) -> int | None:
    if since is None:
        return None
    behind = [at for at, row in enumerate(found) if row.event is not None and row.event["seq"] > since]
    if not any(found[at].kind == "message" and not found[at].mine for at in behind):
        return None
    return behind[0]
