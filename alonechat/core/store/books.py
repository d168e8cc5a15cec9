"""The writing connection, and what the writer remembers: numbers of accounts, the ends of the conversations' logs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from alonechat.core.store.index import Index
from alonechat.core.store.wire import Names
from alonechat.errors import Rejected


class Place:
    """The end of one conversation's log: what the next event follows."""

    __slots__ = ("id", "key", "kind", "last", "latest", "seq", "stamp", "texts")
    texts: dict[int, int] | None
    """How many texts each sender has in the tally that is not complete (`schema.BUCKET`). None: the log has to be
    asked, for it began before this process, or something was deleted."""

    def __init__(self, id: int, key: str, kind: str, seq: int, last: int, latest: int, stamp: int) -> None:
        self.id, self.key, self.kind, self.seq = id, key, kind, seq
        self.last, self.latest, self.stamp = last, latest, stamp
        self.texts = None


class Books:
    """The writer's connection and memory. One thread at a time; `forget` after a rollback or a foreign commit."""

    def __init__(self, raw: sqlite3.Connection, clock: Callable[[], int], names: Names) -> None:
        self.raw, self.clock, self.names = raw, clock, names
        self.index = Index(raw)
        self._accounts: dict[str, int] = {}
        self._places: dict[str, Place] = {}
        self._last: int | None = None

    def forget(self) -> None:
        """Read everything anew from the database."""
        self._accounts.clear()
        self._places.clear()
        self._last = None
        self.index.forget()

    def account(self, username: str) -> int:
        """The number of an account. Raises `Rejected("not_found")`."""
        found = self.find_account(username)
        if found is None:
            raise Rejected("not_found", f"no user {username}")
        return found

    def find_account(self, username: str) -> int | None:
        found = self._accounts.get(username)
        if found is None:
            row = self.raw.execute("SELECT id FROM accounts WHERE username = ?", (username,)).fetchone()
            if row is None:
                return None
            found = self._accounts[username] = row[0]
        return found

    def place(self, key: str) -> Place:
        """The place of a conversation. Raises `Rejected("not_found")`."""
        found = self.find_place(key)
        if found is None:
            raise Rejected("not_found", f"no conversation {key}")
        return found

    def find_place(self, key: str) -> Place | None:
        """The place of a conversation, out of the log where it is not known yet; None for one that there is not."""
        found = self._places.get(key)
        if found is None:
            row = self.raw.execute(
                "SELECT c.id, c.key, c.kind, coalesce(e.seq, 0), coalesce(e.id, 0),"
                " CASE WHEN e.seq > c.seq THEN e.id ELSE c.latest END, coalesce(e.stamp, 0)"
                " FROM conversations c LEFT JOIN events e ON e.conversation = c.id"
                " AND e.seq = (SELECT max(seq) FROM events WHERE conversation = c.id) WHERE c.key = ?",
                (key,),
            ).fetchone()
            if row is None:
                return None
            found = self._places[key] = Place(*row)
        return found

    def next_id(self, now: int) -> int:
        """An id above all before, whatever the clock did: milliseconds with 8 bits of room below."""
        if self._last is None:
            self._last = self.raw.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
        assert self._last is not None
        self._last = max(self._last + 1, now << 8)
        return self._last
