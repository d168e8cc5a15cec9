"""What is read from a store: accounts, sign-ins, conversations, their logs. From any thread, beside the writer."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

from alonechat.core.message import EVENTS, LOBBY, MAX_SENT, SCROLLED, key_of, target_of
from alonechat.core.store import grams, search, sql, uploads, wire
from alonechat.core.store.overview import Overviewed
from alonechat.core.store.reader import Reader, served
from alonechat.core.store.records import (
    Account,
    Conversation,
    Event,
    Factor,
    Found,
    Invite,
    Membership,
    Session,
    Upload,
)
from alonechat.core.store.schema import LOBBY_ID
from alonechat.core.store.wire import COLUMNS, Names, Row
from alonechat.errors import Rejected

_SCROLLED = ", ".join(str(EVENTS.index(kind)) for kind in SCROLLED)
_ROOM_FOR_EVENTS = MAX_SENT - 4096
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Reads:
    """The reading half of a `records.Store`. Each thread that reads has a connection of its own."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], clock: Callable[[], int], names: Names) -> None:
        self._connect, self._clock, self._names = connect, clock, names
        self._own = threading.local()
        self._readers: WeakSet[Reader] = WeakSet()
        self._opening = threading.Lock()
        self._closed = False

    def _reader(self) -> Reader:
        found: Reader | None = getattr(self._own, "reader", None)
        if self._closed:
            raise Rejected("unavailable", "the store is closed")
        if found is None:
            found = self._own.reader = Reader(self._connect())
            with self._opening:
                self._readers.add(found)
        return found

    def _close_readers(self) -> None:
        self._closed = True
        with self._opening:
            for reader in list(self._readers):
                reader.close()

    def _rows(self, statement: str, **values: Any) -> list[Any]:
        return self._reader().raw.execute(statement, values).fetchall()

    def _one(self, statement: str, **values: Any) -> Any:
        row = self._reader().raw.execute(statement, values).fetchone()
        return None if row is None else row[0]

    # --- accounts, sign-ins, invites, settings ---

    @served
    def accounts(self) -> list[Account]:
        return [Account(*row) for row in self._rows(sql.ACCOUNTS)]

    @served
    def password(self, username: str) -> str | None:
        found: str | None = self._one(sql.PASSWORD, username=username)
        return found

    @served
    def factor(self, username: str) -> Factor | None:
        rows = self._rows(sql.FACTOR, username=username)
        return Factor(*rows[0]) if rows else None

    @served
    def factors(self) -> list[str]:
        return [row[0] for row in self._rows(sql.FACTORS)]

    @served
    def session(self, id: str) -> Session | None:
        rows = self._rows(sql.SESSION, id=id)
        return _session(rows[0]) if rows else None

    @served
    def sessions(self, username: str | None = None) -> list[Session]:
        """Those that hold: not revoked and not expired."""
        if username is None:
            rows = self._rows(sql.SESSIONS, now=self._clock())
        else:
            rows = self._rows(sql.SESSIONS_OF, now=self._clock(), username=username)
        return [_session(row) for row in rows]

    @served
    def invite(self, code: str) -> Invite | None:
        rows = self._rows(sql.INVITE, now=self._clock(), code=code)
        return Invite(*rows[0]) if rows else None

    @served
    def invites(self) -> list[Invite]:
        """Those that hold."""
        return [Invite(*row) for row in self._rows(sql.INVITES, now=self._clock())]

    @served
    def setting(self, name: str) -> str | None:
        found: str | None = self._one(sql.SETTING, name=name)
        return found

    # --- conversations ---

    def _account(self, username: str) -> int | None:
        row = self._reader().raw.execute("SELECT id FROM accounts WHERE username = ?", (username,)).fetchone()
        return None if row is None else row[0]

    @served
    def conversation(self, key: str) -> Conversation | None:
        with self._reader().snapshot():
            rows = self._rows(sql.CONVERSATION, key=key)
            if not rows:
                return None
            id, *rest = rows[0]
            found = Conversation(*rest)
            for name, since, moderator in self._rows(sql.MEMBERS, conversation=id):
                found.members[name] = Membership(since, bool(moderator))
            sets = {"ban": found.banned, "mute": found.muted, "invite": found.invited}
            for name, kind in self._rows(sql.SANCTIONS, conversation=id):
                sets[kind].add(name)
        return found

    @served
    def keys(self, username: str) -> list[str]:
        account = self._account(username)
        if account is None:
            return []
        mine = (
            "SELECT c.key FROM members m JOIN conversations c ON c.id = m.conversation"
            " WHERE m.account = ? ORDER BY c.id"
        )
        return [LOBBY, *(row[0] for row in self._reader().raw.execute(mine, (account,)))]

    @served
    def arrival(self, username: str) -> tuple[list[str], list[dict[str, Any]], bool]:
        with self._reader().snapshot():
            return self.keys(username), *self.overview(username)

    @served
    def rooms(self) -> list[dict[str, Any]]:
        names = ("key", "kind", "access", "topic", "seq", "members")
        with self._reader().snapshot():
            found = [dict(zip(names, row, strict=True)) for row in self._rows(sql.ROOMS)]
            found[0]["members"] = self._everybody()
        return found

    def _everybody(self) -> int:
        # accounts are never deleted, so their numbers have no gaps, and the last one is how many there are
        return int(self._reader().raw.execute("SELECT coalesce(max(id), 0) FROM accounts").fetchone()[0])

    @served
    def overview(self, username: str, limit: int = 500, before: str | None = None) -> tuple[list[dict[str, Any]], bool]:
        """See `overview` for how unread is counted. Raises `Rejected("not_found")`."""
        reader = self._reader()
        with reader.snapshot():
            account = self._account(username)
            if account is None:
                raise Rejected("not_found", f"no user {username}")
            before_last, before_id = self._position(None if before is None else key_of(before, username))
            asked = {"account": account, "most": limit + 1, "last": before_last, "id": before_id}
            rows = [Overviewed(*row) for row in reader.raw.execute(sql.OVERVIEW, asked)]
            latest = self._latest([row for row in rows[:limit] if row.latest])
            everybody = self._everybody()
        items = []
        for row in rows[:limit]:
            item: dict[str, Any] = {"target": target_of(row.key, username), "kind": row.kind}
            if row.kind == "room":
                item |= {"access": row.access, "topic": row.topic}
            item |= {"seq": row.seq, "read": row.read, "unread": row.unread, "mentions": row.mentions}
            item["muted"] = bool(row.muted)
            if row.kind == "room":
                item["members"] = everybody if row.id == LOBBY_ID else row.members
            last = latest.get(row.latest)
            item["last"] = last if last and (row.access == "open" or last["seq"] >= row.since) else None
            item["key"] = row.key
            items.append(item)
        return items, len(rows) > limit

    def _position(self, key: str | None) -> tuple[int, int]:
        """Where a conversation stands among those with the latest events first; before all of them without a key."""
        if key is None:
            return search.FOREVER, 0
        rows = self._rows(sql.POSITION, key=key)
        if not rows:
            raise Rejected("not_found", f"no conversation {key}")
        last, id = rows[0]
        return last, id

    def _latest(self, rows: Sequence[Any]) -> dict[int, Event]:
        """The latest messages of conversations as they stand now, by their numbers."""
        raw = self._reader().raw
        keys = {row.id: row.key for row in rows}
        among = ",".join(str(row.latest) for row in rows)
        found: list[Row] = raw.execute(f"SELECT {COLUMNS} FROM events e WHERE e.id IN ({among})").fetchall()
        events = wire.stand_in(raw, self._names, [(keys[row[1]], row) for row in found])
        return {row[0]: event for row, event in zip(found, events, strict=True)}

    # --- logs ---

    @served
    def event(self, key: str, id: str) -> Event | None:
        raw, number = self._reader().raw, wire.stored_id(id)
        with self._reader().snapshot():
            row = raw.execute(
                f"SELECT {COLUMNS} FROM events e JOIN conversations c ON c.id = e.conversation"
                " WHERE e.id = ? AND c.key = ?",
                (number, key),
            ).fetchone()
            return None if row is None else wire.stand(raw, self._names, key, [row])[0]

    @served
    def first(self, sender: str, nonce: str) -> tuple[str, Event] | None:
        raw = self._reader().raw
        row = raw.execute("SELECT id FROM accounts WHERE username = ?", (sender,)).fetchone()
        return None if row is None else wire.first(raw, row[0], sender, nonce)

    @served
    def latest(
        self, key: str, type: str, sender: str | None = None, ref: str | None = None, content: str | None = None
    ) -> Event | None:
        raw = self._reader().raw
        with self._reader().snapshot():
            kind = EVENTS.index(type)
            where = ["e.conversation = (SELECT id FROM conversations WHERE key = ?)", f"e.type = {kind}"]
            values: list[Any] = [key]
            if kind > 3:
                where.append("e.type > 3")  # names the index of these few
            if sender is not None:
                where.append("e.sender = (SELECT id FROM accounts WHERE username = ?)")
                values.append(sender)
            if ref is not None:
                where.append("e.ref = ?")
                values.append(wire.stored_id(ref))
            if content is not None:
                where.append("e.content = ?")
                values.append(content)
            statement = f"SELECT {COLUMNS} FROM events e WHERE {' AND '.join(where)} ORDER BY e.seq DESC LIMIT 1"
            row = raw.execute(statement, values).fetchone()
            return None if row is None else wire.event(row, key, self._names.name(raw, row[4]))

    @served
    def history(self, key: str, after: int | None, before: int | None, limit: int, first: int) -> Found:
        raw = self._reader().raw
        choice = f"SELECT {COLUMNS} FROM events e WHERE e.conversation = ? AND e.seq >= ?"
        with self._reader().snapshot():
            row = raw.execute("SELECT id FROM conversations WHERE key = ?", (key,)).fetchone()
            if row is None:
                return Found([], False)
            if after is not None:
                choice += " ORDER BY e.seq LIMIT ?"
                values: tuple[int, ...] = (row[0], max(first, after + 1), limit + 1)
            else:
                choice += f" AND e.seq < ? AND e.type IN ({_SCROLLED}) ORDER BY e.seq DESC LIMIT ?"
                values = (row[0], first, search.FOREVER if before is None else before, limit + 1)
            rows = raw.execute(choice, values).fetchall()
            events = wire.stand(raw, self._names, key, rows[:limit])
        fitting = _fitting(events)
        if after is None:
            fitting.reverse()
        return Found(fitting, len(rows) > len(fitting))

    @served
    def search(
        self, spans: Sequence[tuple[str, int]], text: str, sender: str | None, before: str | None, limit: int
    ) -> Found:
        raw, words = self._reader().raw, grams.query(text)
        upper = search.FOREVER if before is None else wire.stored_id(before)
        if upper is None:
            raise Rejected("invalid", f"before must be the id of an event, not {before!r}")
        with self._reader().snapshot():
            keys = self._numbers(spans)
            author = None if sender is None else self._account(sender)
            if words is None or not keys or (sender is not None and author is None):
                return Found([], False)
            firsts = {id: first for id, (_, first) in keys.items()}
            sought = search.Search(words, firsts, author, upper, self._since(firsts), limit + 1)
            hits = search.found(raw, sought)
            among = ",".join(str(id) for id, _, _ in hits[:limit])
            rows: list[Row] = raw.execute(
                f"SELECT {COLUMNS} FROM events e WHERE e.id IN ({among}) ORDER BY e.id DESC"
            ).fetchall()
            events = wire.stand_in(raw, self._names, [(keys[row[1]][0], row) for row in rows])
        return Found(events, len(hits) > limit)

    def _numbers(self, spans: Sequence[tuple[str, int]]) -> dict[int, tuple[str, int]]:
        """The conversations of `spans` by their numbers."""
        found = {}
        for key, first in spans:
            row = self._reader().raw.execute("SELECT id FROM conversations WHERE key = ?", (key,)).fetchone()
            if row is not None:
                found[row[0]] = (key, first)
        return found

    def _since(self, firsts: dict[int, int]) -> int:
        """The id below which nothing may be read: that of the first readable event, where all of the log isn't."""
        if len(firsts) > 1:
            return 0
        ((id, first),) = firsts.items()
        choice = "SELECT id FROM events WHERE conversation = ? AND seq >= ? ORDER BY seq LIMIT 1"
        row = self._reader().raw.execute(choice, (id, first)).fetchone()
        return row[0] if row else search.FOREVER

    @served
    def uploads(self, ids: Sequence[str]) -> list[Upload]:
        return uploads.found(self._reader().raw, ids)

    @served
    def upload_ids(self) -> set[str]:
        return uploads.ids(self._reader().raw)

    def faults(self) -> list[str]:
        raw = self._reader().raw
        try:
            found = [str(row[0]) for row in raw.execute("PRAGMA integrity_check")]
            lost = {str(row[0]) for row in raw.execute("PRAGMA foreign_key_check")}
        except sqlite3.DatabaseError as error:
            return [str(error)]
        return [
            *(each for each in found if each != "ok"),
            *(f"a row of {each} names what there is not" for each in sorted(lost)),
        ]

    def ready(self) -> bool:
        """Whether a trivial read works."""
        try:
            return self.setting("server_id") is not None
        except Rejected:
            return False


def _session(row: Sequence[Any]) -> Session:
    """A row of the statements that read sign-ins."""
    id, username, created, expires, seen, device, revoked = row
    return Session(id, username, created, expires, seen, device, bool(revoked))


def _fitting(events: list[Event]) -> list[Event]:
    """The events, as many from the beginning as one frame carries, and at least one."""
    size = 0
    for at, event in enumerate(events):
        size += len(_dumps(event).encode()) + 1
        if size > _ROOM_FOR_EVENTS and at:
            return events[:at]
    return events
