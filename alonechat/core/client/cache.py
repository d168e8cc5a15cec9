"""What a client keeps on the user's disk: conversations, their latest events, drafts, and what waits to be sent."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alonechat.core.client.files import DEVICES
from alonechat.core.client.state import Conversation, Event, amend
from alonechat.core.message import LOBBY, SCROLLED
from alonechat.errors import AloneChatError

VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS conversations (
    target TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, floor INTEGER NOT NULL, position INTEGER NOT NULL,
    item TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    conversation INTEGER NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (conversation, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS messages_id ON messages (id);
CREATE TABLE IF NOT EXISTS drafts (target TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY, nonce TEXT NOT NULL UNIQUE, frame TEXT NOT NULL, made REAL NOT NULL,
    code TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '');
"""
FIELDS = ("kind", "access", "topic", "members", "read", "unread", "mentions", "muted", "last", "seq")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was written and has no receipt yet. `made` is in seconds since 1970. With `code`, the server
    refused it, for the `reason`; `done`: the receipt is there, its event not yet."""

    nonce: str
    frame: Mapping[str, Any]
    made: float
    code: str = ""
    reason: str = ""
    done: bool = False

    @property
    def target(self) -> str:
        """The conversation that it is for."""
        return self.frame.get("target") or LOBBY

    @property
    def type(self) -> str:
        """The frame's type."""
        return str(self.frame["type"])

    @property
    def files(self) -> Sequence[Mapping[str, Any]]:
        """What a TEXT bears: name, mime and size of each, and the `id` of those that are uploaded."""
        return self.frame.get("files") or ()


@dataclass(frozen=True, slots=True)
class Span:
    """Messages of a conversation as they stand now, ascending. `start`: there is nothing older that one may read.
    `position`: every event up to this seq is in them."""

    messages: tuple[Event, ...]
    start: bool
    position: int


def directory() -> Path:
    """The user's data directory, where the system keeps such things (Linux: below `XDG_DATA_HOME`)."""
    from platformdirs import user_data_path

    return user_data_path("alonechat", appauthor=False)


def folder_of(home: Path, server: str, username: str) -> Path:
    """The folder of an account's files, beside its cache."""
    return home / _named(server) / f"{_named(username)}.files"


def path_of(home: Path, server: str, username: str) -> Path:
    """The cache file of an account of the server with that id."""
    return home / _named(server) / f"{_named(username)}.db"


def _named(text: str) -> str:
    name = quote(text, safe="")
    if sys.platform == "win32":  # where dots at an end don't count, and what is called like a device is one
        name = re.sub(r"\.+$", lambda dots: "%2E" * len(dots[0]), name)
        name = f"%{ord(name[0]):X}{name[1:]}" if DEVICES.match(name) else name
    return name


class Cache:
    """One SQLite file, mode 0600, per server and account; several processes may have it open.

    Of each conversation it holds the messages behind `floor` up to `position`, without a gap; older ones are added in
    front as they are read. Losing it loses drafts and what waits to be sent, nothing else. Without a path it lives in
    memory, for as long as the process. Raises AloneChatError where the file can't be used; a file that is no cache is
    put aside as `….broken`.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        if path is not None:
            self._make(path)
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as error:
            if path is None or isinstance(error, sqlite3.OperationalError):  # locked, full: the file may be whole
                raise AloneChatError(f"can't open {path}: {error}") from None
            self._put_aside(path)
            self._db = self._open()
        self._seen = self._version()

    @staticmethod
    def _make(path: Path) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise AloneChatError(f"can't keep messages in {path}: {error.strerror}; make it writable") from None

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path or ":memory:", isolation_level=None, timeout=5, check_same_thread=False)
        try:
            self._prepare(db)
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    @staticmethod
    def _prepare(db: sqlite3.Connection) -> None:
        # What was received can be asked for again; what is written can't, and is flushed: see `wait`.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", "cache_size=-2000"):
            db.execute(f"PRAGMA {pragma}")
        kept = int(db.execute("PRAGMA user_version").fetchone()[0])
        if kept not in (0, VERSION):
            raise sqlite3.DatabaseError("a cache of another version")
        if not kept:  # else other processes would take it for a change
            db.executescript(f"{SCHEMA} PRAGMA user_version={VERSION};")
        for table in ("meta", "conversations", "drafts", "outbox"):  # what a start reads has to be whole
            db.execute(f"SELECT * FROM {table}").fetchall()

    def _put_aside(self, path: Path) -> None:
        path.replace(path.with_name(f"{path.name}.broken"))
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        self._make(path)

    def close(self) -> None:
        """Close the file; what was kept is kept."""
        self._db.close()

    def remove(self) -> None:
        """Close the file and delete it, with what waits to be sent."""
        self._db.close()
        for end in ("", "-wal", "-shm"):
            if self.path is not None:
                self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One transaction: all of it is kept, or nothing; one inside another is part of it. Raises AloneChatError when
        the disk doesn't take it."""
        if self._db.in_transaction:
            yield
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise AloneChatError(f"can't write to {self.path}: {error}") from None

    def changed_elsewhere(self) -> bool:
        """Whether another process changed the file since this was last asked."""
        before, self._seen = self._seen, self._version()
        return before != self._seen

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _ask(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[Any]:
        """The rows that answer a question. Raises AloneChatError where the file is damaged."""
        try:
            yield from self._db.execute(sql, values)
        except sqlite3.DatabaseError as error:
            raise AloneChatError(f"can't read {self.path}: {error}; move it away") from None

    def _one(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        return next(self._ask(sql, values), None)

    # --- who and where ---

    def get(self, key: str) -> Any:
        """What was kept under a key; None where nothing was."""
        row = self._one("SELECT value FROM meta WHERE key=?", (key,))
        return json.loads(row[0]) if row else None

    def put(self, key: str, value: Any) -> None:
        """Keep a JSON value under a key."""
        if self.get(key) != value:
            with self.changing():
                self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, _json(value)))

    # --- conversations ---

    def conversations(self) -> list[Conversation]:
        """What was known of each conversation, for `State.recall`."""
        rows = self._ask("SELECT target, position, item FROM conversations")
        found = []
        for target, position, item in rows:
            known = Conversation(target, "room" if target.startswith("#") else "direct", position, floor=position)
            for name, value in json.loads(item).items():
                setattr(known, name, value)
            known.seq = max(known.seq, position)
            known.counted = known.seq
            found.append(known)
        return found

    def describe(self, found: Iterable[Conversation]) -> None:
        """Keep what is known of conversations beside their messages."""
        with self.changing():
            for each in found:
                self._row(each.target, each.position or each.seq)
                item = _json({name: getattr(each, name) for name in FIELDS})
                self._db.execute("UPDATE conversations SET item=? WHERE target=?", (item, each.target))

    def _row(self, target: str, position: int) -> tuple[int, int, int]:
        """Number, floor and position of a conversation; one that is new here begins behind `position`."""
        ask = "SELECT number, floor, position FROM conversations WHERE target=?"
        row = self._one(ask, (target,))
        if row is None:
            number = self._one("SELECT COALESCE(MAX(number), 0) + 1 FROM conversations")[0]
            row = (number, position, position)
            self._db.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, '{}')", (target, *row))
        return int(row[0]), int(row[1]), int(row[2])

    def position(self, target: str) -> int | None:
        """Up to which seq the messages of a conversation are here; None where there are none."""
        row = self._one("SELECT position FROM conversations WHERE target=?", (target,))
        return None if row is None else int(row[0])

    def begin(self, target: str, position: int) -> None:
        """Drop the messages of a conversation; new ones are taken from behind `position` on."""
        with self.changing():
            self._begin(target, position)

    def _begin(self, target: str, position: int) -> int:
        number, _, _ = self._row(target, position)
        self._db.execute("DELETE FROM messages WHERE conversation=?", (number,))
        self._db.execute("UPDATE conversations SET floor=?, position=? WHERE number=?", (position, position, number))
        return number

    def forget(self, target: str) -> None:
        """Drop a conversation that one is not in any more; its draft stays."""
        with self.changing():
            self._begin(target, 0)
            self._db.execute("DELETE FROM conversations WHERE target=?", (target,))

    def clear(self) -> None:
        """Drop every conversation: the server's logs are others now. Drafts and what waits to be sent stay."""
        with self.changing():
            self._db.execute("DELETE FROM messages")
            self._db.execute("DELETE FROM conversations")

    # --- messages ---

    def take(self, events: Sequence[tuple[str, Event]]) -> None:
        """Keep events that arrived, in order, each with its conversation; one that does not follow what is here
        begins that conversation anew."""
        with self.changing():
            rows: dict[str, list[int]] = {}
            for target, event in events:
                seq = event["seq"]
                row = rows.get(target) or list(self._row(target, seq - 1))
                rows[target] = row
                if seq <= row[1]:
                    continue  # from before this conversation began anew; it is asked for when one scrolls
                if seq > row[2] + 1:
                    row[:] = [self._begin(target, seq - 1), seq - 1, seq - 1]
                if event["type"] in SCROLLED:
                    kept = (row[0], seq, event["id"], _json(event))
                    self._db.execute("INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?)", kept)
                elif event.get("ref"):
                    self._amend(row[0], event)
                row[2] = max(row[2], seq)
            for number, _, position in rows.values():
                moved = "UPDATE conversations SET position=MAX(position, ?) WHERE number=?"
                self._db.execute(moved, (position, number))

    def _amend(self, number: int, event: Event) -> None:
        ask = "SELECT seq, body FROM messages WHERE id=? AND conversation=?"
        row = self._one(ask, (event["ref"], number))
        if row is not None:
            message = json.loads(row[1])
            amend(message, event)
            set_body = "UPDATE messages SET body=? WHERE conversation=? AND seq=?"
            self._db.execute(set_body, (_json(message), number, row[0]))

    def before(self, target: str, seq: int | None, limit: int) -> Span:
        """The latest messages of a conversation, or the latest before a seq, as far as they are here."""
        row = self._one("SELECT number, floor, position FROM conversations WHERE target=?", (target,))
        if row is None:
            return Span((), False, 0)
        number, floor, position = row
        ask = "SELECT body FROM messages WHERE conversation=? AND seq<? ORDER BY seq DESC LIMIT ?"
        found = list(self._ask(ask, (number, position + 1 if seq is None else seq, limit)))
        return Span(tuple(json.loads(body) for (body,) in reversed(found)), floor == 0 and len(found) < limit, position)

    def after(self, target: str, seq: int, limit: int) -> tuple[Event, ...]:
        """The first messages behind a seq that are here."""
        ask = """SELECT body FROM messages JOIN conversations ON conversation=number
                 WHERE target=? AND messages.seq>? ORDER BY messages.seq LIMIT ?"""
        return tuple(json.loads(body) for (body,) in self._ask(ask, (target, seq, limit)))

    def reaches(self, target: str, seq: int) -> bool:
        """Whether the message at `seq` would be here, if there is one."""
        row = self._one("SELECT floor, position FROM conversations WHERE target=?", (target,))
        return row is not None and row[0] < seq <= row[1]

    def seq_of(self, target: str, id: str) -> int | None:
        """Where a message stands in a conversation; None where it is not here."""
        ask = "SELECT messages.seq FROM messages JOIN conversations ON conversation=number WHERE target=? AND id=?"
        row = self._one(ask, (target, id))
        return int(row[0]) if row else None

    def floor(self, target: str) -> int:
        """Messages up to this seq are not here."""
        row = self._one("SELECT floor FROM conversations WHERE target=?", (target,))
        return int(row[0]) if row else 0

    def older(self, target: str, floor: int, events: Iterable[Event], more: bool) -> None:
        """Put in front what HISTORY brought before `floor` + 1; without `more`, there is nothing before it."""
        with self.changing():
            if not self.position(target):
                return  # up to where it reaches is not known
            number, now, _ = self._row(target, 0)
            events = list(events)
            if now != floor:
                return  # another process was here meanwhile; what is kept must have no gap
            for event in events:
                kept = (number, event["seq"], event["id"], _json(event))
                self._db.execute("INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?)", kept)
            lowest = events[0]["seq"] - 1 if more and events else 0
            self._db.execute("UPDATE conversations SET floor=? WHERE number=?", (lowest, number))

    def search(self, q: str, target: str | None = None, sender: str | None = None, limit: int = 50) -> list[Event]:
        """Messages here that hold every word of `q`, newest first."""
        words = q.casefold().split()
        ask = """SELECT target, body FROM messages JOIN conversations ON conversation=number
                 WHERE (?1 IS NULL OR target=?1) ORDER BY id DESC"""
        found: list[Event] = []
        for where, body in self._ask(ask, (target,)):
            if words and _json(words[0])[1:-1] not in body.casefold():  # most are none: not worth being read
                continue
            message = json.loads(body)
            text = str(message.get("content") or "").casefold()
            if message["type"] != "TEXT" or sender not in (None, message["sender"]):
                continue
            if all(word in text for word in words):
                found.append({**message, "conversation": where})
                if len(found) == limit:
                    break
        return found

    def searched(self, q: str, target: str | None = None, sender: str | None = None) -> list[Event]:
        """`search` by a connection of its own, so that the thread which asks may be another one."""
        if self.path is None:
            return self.search(q, target, sender)
        beside = Cache(self.path)
        try:
            return beside.search(q, target, sender)
        finally:
            beside.close()

    # --- what is being written ---

    def drafts(self) -> dict[str, str]:
        """The draft of each conversation that has one."""
        return dict(self._ask("SELECT target, text FROM drafts"))

    def draft(self, target: str, text: str) -> None:
        """Keep a draft; an empty one is dropped."""
        with self.changing():
            if text:
                self._db.execute("INSERT OR REPLACE INTO drafts VALUES (?, ?)", (target, text))
            else:
                self._db.execute("DELETE FROM drafts WHERE target=?", (target,))

    def outbox(self) -> list[Entry]:
        """What was written and has no receipt, in the order in which it was written."""
        rows = self._ask("SELECT nonce, frame, made, code, reason FROM outbox ORDER BY number")
        return [Entry(nonce, json.loads(frame), made, code, reason) for nonce, frame, made, code, reason in rows]

    def wait(self, entries: Iterable[Entry]) -> None:
        """Keep what is to be sent, before anybody is told that it is."""
        self._db.execute("PRAGMA synchronous=FULL")
        try:
            with self.changing():
                for entry in entries:
                    kept = (entry.nonce, _json(dict(entry.frame)), entry.made)
                    self._db.execute("INSERT INTO outbox (nonce, frame, made) VALUES (?, ?, ?)", kept)
        finally:
            self._db.execute("PRAGMA synchronous=NORMAL")

    def reword(self, nonce: str, frame: Mapping[str, Any]) -> bool:
        """Keep what is known better now of an entry's frame, such as which of its files are uploaded; whether there is
        such an entry still."""
        with self.changing():
            changed = self._db.execute("UPDATE outbox SET frame=? WHERE nonce=?", (_json(dict(frame)), nonce))
        return changed.rowcount > 0

    def refuse(self, nonce: str, code: str, reason: str) -> None:
        """Mark an entry as refused by the server; with no code, as one that waits again."""
        with self.changing():
            self._db.execute("UPDATE outbox SET code=?, reason=? WHERE nonce=?", (code, reason, nonce))

    def settle(self, nonce: str) -> None:
        """Drop an entry: its receipt is there, or nobody wants it any more."""
        with self.changing():
            self._db.execute("DELETE FROM outbox WHERE nonce=?", (nonce,))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def written(frame: Mapping[str, Any], nonce: str, made: float | None = None) -> Entry:
    """An entry for a frame that is about to be sent."""
    return Entry(nonce, {k: v for k, v in frame.items() if v is not None}, time.time() if made is None else made)
