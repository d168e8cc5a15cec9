"""Rows of the log as the events that the wire carries, and back: ids, names, what is said of a message since."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from alonechat.core.message import EVENTS, stamp
from alonechat.core.store.records import Event, Post

TEXT: Final = 0
EDIT: Final = 1
DELETE: Final = 2
REACT: Final = 3
JOIN: Final = 4
LEAVE: Final = 5
TOPIC: Final = 6
"""The types by their number in the store, which is their position in `message.EVENTS`."""

Row = tuple[int, int, int, int, int, int, str, str | None, int | None, str | None, int]
"""id, conversation, seq, type, sender, stamp, content, nonce, ref, extra, deleted."""

COLUMNS: Final = "e.id, e.conversation, e.seq, e.type, e.sender, e.stamp, e.content, e.nonce, e.ref, e.extra, e.deleted"

_dumps: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def wire_id(id: int) -> str:
    """An id as the wire carries it: of equal width, so that strings sort as the numbers do."""
    return str(id).zfill(16)


def stored_id(id: str | None) -> int | None:
    """The number of an event id that a client named; None for what can't be one."""
    return int(id) if id and len(id) <= 18 and id.isascii() and id.isdigit() else None


def extra(post: Post) -> str | None:
    """What few events have, as JSON in the order of the wire."""
    if not (post.mentions or post.attachments or post.via or post.by or post.removed):
        return None
    found: dict[str, Any] = {}
    if post.mentions:
        found["mentions"] = list(post.mentions)
    if post.attachments:
        found["attachments"] = post.attachments
    if post.via:
        found["via"] = post.via
    if post.by:
        found["by"] = post.by
    if post.removed:
        found["removed"] = True
    return _dumps(found)


def blanked(content: str, given: str | None) -> tuple[str, str | None]:
    """Content and extra of a row whose text is deleted, of the same length in bytes.

    Equal sizes matter: SQLite then writes over the very bytes. A row of another size could move within its page and
    leave bytes behind that no later command reaches.
    """
    kept = None
    if given is not None:
        via = json.loads(given).get("via")
        kept = _dumps({"via": via}) if via else "{}"
        kept += " " * (len(given.encode()) - len(kept.encode()))
    return " " * len(content.encode()), kept


class Names:
    """Usernames by the number of the account. A name is never given out twice, so what was read once holds."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def name(self, raw: sqlite3.Connection, account: int) -> str:
        found = self._known.get(account)
        if found is None:
            row = raw.execute("SELECT username FROM accounts WHERE id = ?", (account,)).fetchone()
            found = self._known[account] = row[0]
        return found


def event(row: Row, key: str, sender: str) -> Event:
    """The event of a row as it was first echoed, but blank if it was deleted since. `key` is its conversation's."""
    id, _, seq, kind, _, at, content, nonce, ref, more, deleted = row
    target = key
    if key[0] != "#":
        one, other = key.split(" ")
        target = other if one == sender else one
    found: Event = {
        "type": EVENTS[kind],
        "sender": sender,
        "target": target,
        "content": "" if deleted else content,
        "timestamp": stamp(at),
        "id": wire_id(id),
        "seq": seq,
    }
    if nonce is not None:
        found["nonce"] = nonce
    if ref is not None:
        found["ref"] = wire_id(ref)
    if more is not None:
        found.update(json.loads(more))
    return found


def first(raw: sqlite3.Connection, sender: int, name: str, nonce: str) -> tuple[str, Event] | None:
    """The key and the event that `sender`, who is called `name`, first sent with `nonce`."""
    row = raw.execute(
        f"SELECT c.key, {COLUMNS} FROM events e JOIN conversations c ON c.id = e.conversation"
        " WHERE e.sender = ? AND e.nonce = ?",
        (sender, nonce),
    ).fetchone()
    return None if row is None else (row[0], event(row[1:], row[0], name))


def stand(raw: sqlite3.Connection, names: Names, key: str, rows: Iterable[Row]) -> list[Event]:
    """The events of one conversation as they stand now: the last edit's text, `edited`, `deleted`, `reactions`."""
    return stand_in(raw, names, [(key, row) for row in rows])


def stand_in(raw: sqlite3.Connection, names: Names, rows: Sequence[tuple[str, Row]]) -> list[Event]:
    """`stand` for events of several conversations, each row with its conversation's key. Within a snapshot."""
    found = [event(row, key, names.name(raw, row[4])) for key, row in rows]
    texts: dict[int, Event] = {}
    for (_, row), at in zip(rows, found, strict=True):
        if row[3] == TEXT:
            texts[row[0]] = at
            if row[10]:
                at["deleted"] = True
    if not texts:
        return found
    # these ids come from SQLite itself, so they may stand in the statement, however many there are
    among = ",".join(map(str, texts))
    for message, content, deleted, at_ms in raw.execute(
        "SELECT d.message, e.content, e.deleted, e.stamp FROM edits d JOIN events e ON e.id = d.edit"
        f" WHERE d.message IN ({among})"
    ):
        if not deleted:
            texts[message]["content"] = content
            texts[message]["edited"] = stamp(at_ms)
    for message, emoji, account in raw.execute(
        f"SELECT message, emoji, account FROM reactions WHERE message IN ({among}) ORDER BY given"
    ):
        by = texts[message].setdefault("reactions", {}).setdefault(emoji, [])
        by.append(names.name(raw, account))
    return found
