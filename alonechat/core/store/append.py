"""Posts as the writer appends them: seq, id and time are given, and what a type means (`records.Post`) is applied."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from alonechat.core.message import EVENTS, LOBBY, stamp
from alonechat.core.store import bulk, runs, uploads, wire
from alonechat.core.store.books import Books, Place
from alonechat.core.store.records import Event, Post
from alonechat.core.store.runs import Run
from alonechat.core.store.schema import BUCKET, EVERYBODY
from alonechat.core.store.wire import DELETE, EDIT, JOIN, LEAVE, REACT, TEXT, TOPIC
from alonechat.errors import Rejected

Outcome = tuple[Event, bool]
"""The event, and whether it stood before: the first one of a known nonce, or the answer to a repeated request."""

_EVENT: Final = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
_PLACE: Final = "UPDATE conversations SET seq = ?, last = ?, latest = ? WHERE id = ?"
_PLACES: Final = (
    "UPDATE conversations SET seq = v.column2, last = v.column3, latest = v.column4"
    " FROM (VALUES {}) v WHERE id = v.column1"
)
_NONCES: Final = (
    "SELECT e.sender, e.nonce FROM (VALUES {}) v CROSS JOIN events e"
    " WHERE e.sender = v.column1 AND e.nonce = v.column2 AND e.nonce IS NOT NULL"
)
_TALLY: Final = (
    "INSERT INTO tallies SELECT ?1, ?2, sender, count(*) FROM events"
    " WHERE conversation = ?1 AND seq >= ?2 << ?3 AND seq < (?2 + 1) << ?3 AND type = 0 AND deleted = 0 GROUP BY sender"
)


class Repeated(Exception):
    """A text's nonce is in the log already: the transaction is to be begun again, and to look for known ones first."""


class Log:
    """Appends within one transaction. Rows wait in memory until `flush`, so that many texts are one statement each
    of the few kinds; everything is checked before anything is changed, so a refused post leaves nothing behind."""

    def __init__(self, books: Books) -> None:
        self._books, self._raw = books, books.raw
        self._rows: list[Any] = []
        self._runs: list[Run] = []
        self._mentions: list[int] = []
        self._touched: dict[int, Place] = {}
        self._complete: list[tuple[int, int, dict[int, int] | None]] = []
        self._pending: dict[tuple[int, str], Event] = {}
        self._fresh: set[tuple[int, str]] = set()
        self._trusting = False
        self._now = 0
        self._stamped = (-1, "")
        self.purges: set[int] = set()
        """Shards of the index that something was deleted from since this was last emptied."""

    def begin(self, posts: list[Post], trusting: bool = False) -> None:
        """A transaction begins: it has one time, and which nonces are known is asked for all of `posts` at once.

        `trusting`: plain texts are taken for new, which nearly all are; the log refuses those that are not, and then
        `flush` raises `Repeated`. To look for each costs as much as a third of its row."""
        self._now = self._books.clock()
        self._fresh = set()
        self._trusting = trusting
        if trusting:
            return
        for post in posts:
            if post.nonce is not None and (sender := self._books.find_account(post.sender)) is not None:
                self._fresh.add((sender, post.nonce))
        if self._fresh:
            known = bulk.execute(self._raw, _NONCES, "(?, ?)", [value for pair in self._fresh for value in pair])
            self._fresh.difference_update(known)

    def drop(self) -> None:
        """Forget what was not flushed."""
        self._rows.clear()
        self._runs.clear()
        self._mentions.clear()
        self._touched.clear()
        self._complete.clear()
        self._pending.clear()

    def flush(self) -> None:
        """Write what waits."""
        raw = self._raw
        try:
            runs.insert(raw, self._runs)
            bulk.execute(raw, "INSERT INTO events VALUES {}", _EVENT, self._rows)
        except sqlite3.IntegrityError as error:
            if self._trusting and "events.nonce" in str(error):
                raise Repeated from None
            raise
        if self._mentions:
            bulk.execute(raw, "INSERT OR IGNORE INTO mentions VALUES {}", "(?, ?, ?, ?)", self._mentions)
        if len(self._touched) == 1:
            (end,) = self._touched.values()
            raw.execute(_PLACE, (end.seq, end.last, end.latest, end.id))
        elif self._touched:
            ends = [value for p in self._touched.values() for value in (p.id, p.seq, p.last, p.latest)]
            bulk.execute(raw, _PLACES, "(?, ?, ?, ?)", ends)
        for conversation, bucket, texts in self._complete:
            if texts is None:
                raw.execute(_TALLY, (conversation, bucket, BUCKET))
            else:
                rows = [value for sender, count in texts.items() for value in (conversation, bucket, sender, count)]
                bulk.execute(raw, "INSERT INTO tallies VALUES {}", "(?, ?, ?, ?)", rows)
        self.drop()

    def post(self, post: Post) -> Outcome:
        """Append `post`. Raises `Rejected` when it can't be, with nothing changed."""
        books = self._books
        sender = books.account(post.sender)
        place = books.find_place(post.key) if post.type == "TEXT" else None
        if post.nonce is not None and not (self._trusting and place is not None and not post.attachments):
            known = self._known(sender, post)
            if known is not None:
                return known, True
        if post.type == "TEXT":
            bears = uploads.claimable(self._raw, post.attachments, sender) if post.attachments else None
            place = place or self._direct(post)
            event = self._append(TEXT, place, sender, post, wire.stored_id(post.ref))
            if bears:
                uploads.claim(self._raw, bears, place.last)
            return event, False
        self.flush()
        try:
            act = _ACTS[post.type]
        except KeyError:
            raise Rejected("bad_frame", f"type must be one of {', '.join(EVENTS)}, not {post.type}") from None
        return act(self, post, sender)

    def _known(self, sender: int, post: Post) -> Event | None:
        """The first event of a nonce that was taken before."""
        assert post.nonce is not None
        pair = (sender, post.nonce)
        known = self._pending.get(pair)
        if known is not None:
            return known
        if pair in self._fresh:  # in no log when the transaction began, and met for the first time in it
            self._fresh.remove(pair)
            return None
        found = wire.first(self._raw, sender, post.sender, post.nonce)
        return found[1] if found else None

    # --- appending ---

    def _append(self, kind: int, place: Place, sender: int, post: Post, ref: int | None = None) -> Event:
        books, now = self._books, self._now
        if now > place.stamp:
            place.stamp = now
        seq = place.seq = place.seq + 1
        place.last = id = books.next_id(now)
        extra = wire.extra(post)
        if kind == TEXT and ref is None and extra is None:
            self._follow(id, place, sender, post)
        else:
            self._rows += (id, place.id, seq, kind, sender, place.stamp, post.content, post.nonce, ref, extra)
        if not seq & ((1 << BUCKET) - 1):
            self._complete.append((place.id, (seq >> BUCKET) - 1, place.texts))
            place.texts = {}
        if kind != TEXT:
            self._touched[place.id] = place
        else:
            place.latest = id
            if place.texts is not None:
                place.texts[sender] = place.texts.get(sender, 0) + 1
            books.index.add(id, post.content, place.id, sender)
            if post.mentions:
                self._mention(post.mentions, place, sender)
        event = self._event(post, place, id, ref)
        if extra is not None:
            _add_extra(event, post)
        if post.nonce is not None and not self._trusting:
            self._pending[sender, post.nonce] = event
        return event

    def _follow(self, id: int, place: Place, sender: int, post: Post) -> None:
        run = self._runs[-1] if self._runs else None
        if run is None or not run.is_before(id, place.id, place.stamp):
            run = Run(id, place.id, place.seq, place.stamp)
            self._runs.append(run)
        run.count += 1
        if post.nonce:
            run.nonced = True
        run.values += (sender, post.content, post.nonce or "")

    def _event(self, post: Post, place: Place, id: int, ref: int | None) -> Event:
        """The same as `wire.event` makes of the row, but for what `_add_extra` adds."""
        target = place.key
        if target[0] != "#":
            one, other = target.split(" ")
            target = other if one == post.sender else one
        if self._stamped[0] != place.stamp:
            self._stamped = (place.stamp, stamp(place.stamp))
        event: Event = {
            "type": post.type,
            "sender": post.sender,
            "target": target,
            "content": post.content,
            "timestamp": self._stamped[1],
            "id": wire.wire_id(id),
            "seq": place.seq,
        }
        if post.nonce is not None:
            event["nonce"] = post.nonce
        if ref is not None:
            event["ref"] = wire.wire_id(ref)
        return event

    def _mention(self, names: list[str], place: Place, sender: int) -> None:
        if "*" in names:
            found: set[int | None] = {EVERYBODY}
        else:
            found = {self._books.find_account(name) for name in names}
        for account in found:
            if account is not None:
                self._mentions += (account, place.id, place.seq, sender)

    def _direct(self, post: Post) -> Place:
        """Make the direct conversation that a first TEXT opens."""
        one, space, other = post.key.partition(" ")
        if not space or post.sender not in (one, other):
            raise Rejected("not_found", f"no conversation {post.key}")
        people = {self._books.account(one), self._books.account(other)}
        return self._make(post.key, "direct", "private", people)

    def _make(self, key: str, kind: str, access: str, people: set[int]) -> Place:
        cursor = self._raw.execute(
            "INSERT INTO conversations (key, kind, access, members) VALUES (?, ?, ?, ?)",
            (key, kind, access, len(people)),
        )
        row = [(cursor.lastrowid, account, kind == "room") for account in people]
        self._raw.executemany("INSERT INTO members VALUES (?, ?, 1, ?)", row)
        return self._books.place(key)

    # --- what the other types mean ---

    def _message(self, post: Post, place: Place) -> wire.Row:
        """The TEXT that `post` is about."""
        id = wire.stored_id(post.ref)
        row: wire.Row | None = self._raw.execute(
            f"SELECT {wire.COLUMNS} FROM events e WHERE e.id = ? AND e.conversation = ? AND e.type = 0", (id, place.id)
        ).fetchone()
        if row is None:
            raise Rejected("not_found", f"no message {post.ref} in {post.key}")
        return row

    def _text(self, message: wire.Row) -> str:
        """The text of a message as it stands now."""
        row = self._raw.execute(
            "SELECT e.content FROM edits d JOIN events e ON e.id = d.edit WHERE d.message = ?", (message[0],)
        ).fetchone()
        return str(row[0]) if row else message[6]

    def _same(self, post: Post, kind: int, where: str, values: tuple[int, ...]) -> Outcome:
        """What a request that changes nothing is answered with: the event that made it so, with the request's nonce."""
        row = self._raw.execute(
            f"SELECT {wire.COLUMNS} FROM events e WHERE {where} AND e.type = {kind} ORDER BY e.id DESC LIMIT 1", values
        ).fetchone()
        if row is None:
            raise Rejected("not_found", f"there is nothing to change in {post.key}")
        event = wire.event(row, post.key, self._books.names.name(self._raw, row[4]))
        event.pop("nonce", None)
        if post.nonce is not None:
            event["nonce"] = post.nonce
        return event, True

    def _edit(self, post: Post, sender: int) -> Outcome:
        place = self._books.place(post.key)
        message = self._message(post, place)
        if message[10]:
            raise Rejected("not_found", "that message was deleted")
        old = self._text(message)
        event = self._append(EDIT, place, sender, post, message[0])
        self._raw.execute("INSERT OR REPLACE INTO edits VALUES (?, ?)", (message[0], place.last))
        self._books.index.replace(message[0], old, post.content, place.id, message[4])
        self.flush()
        return event, False

    def _delete(self, post: Post, sender: int) -> Outcome:
        place, raw = self._books.place(post.key), self._raw
        message = self._message(post, place)
        if message[10]:
            return self._same(post, DELETE, "e.ref = ?", (message[0],))
        shard = self._books.index.replace(message[0], self._text(message), None, place.id, message[4])
        texts = [(*wire.blanked(message[6], message[9]), message[0])]
        its_edits = "SELECT id, content, extra FROM events WHERE ref = ? AND type = 1"
        for id, content, more in raw.execute(its_edits, (message[0],)):
            texts.append((*wire.blanked(content, more), id))
        raw.executemany("UPDATE events SET content = ?, extra = ?, deleted = 1 WHERE id = ?", texts)
        post.gone = uploads.drop_of(raw, message[0])
        raw.execute("DELETE FROM reactions WHERE message = ?", (message[0],))
        raw.execute("DELETE FROM mentions WHERE conversation = ? AND seq = ?", (place.id, message[2]))
        raw.execute(
            "UPDATE tallies SET texts = texts - 1 WHERE conversation = ? AND bucket = ? AND sender = ?",
            (place.id, message[2] >> BUCKET, message[4]),
        )
        raw.execute("INSERT OR IGNORE INTO purges VALUES (?)", (shard,))
        self.purges.add(shard)
        place.texts = None
        if place.latest == message[0]:
            row = raw.execute(
                "SELECT id FROM events WHERE conversation = ? AND seq < ? AND type = 0 AND deleted = 0"
                " ORDER BY seq DESC LIMIT 1",
                (place.id, message[2]),
            ).fetchone()
            place.latest = row[0] if row else 0
        event = self._append(DELETE, place, sender, post, message[0])
        self.flush()
        return event, False

    def _react(self, post: Post, sender: int) -> Outcome:
        place, raw = self._books.place(post.key), self._raw
        message = self._message(post, place)
        if message[10]:
            raise Rejected("not_found", "that message was deleted")
        key = (message[0], post.content, sender)
        stands = raw.execute("SELECT 1 FROM reactions WHERE message = ? AND emoji = ? AND account = ?", key).fetchone()
        if bool(stands) != post.removed:
            return self._same(post, REACT, "e.ref = ? AND e.content = ? AND e.sender = ?", key)  # type: ignore[arg-type]
        event = self._append(REACT, place, sender, post, message[0])
        if post.removed:
            raw.execute("DELETE FROM reactions WHERE message = ? AND emoji = ? AND account = ?", key)
        else:
            raw.execute("INSERT INTO reactions VALUES (?, ?, ?, ?)", (*key, place.last))
        self.flush()
        return event, False

    def _join(self, post: Post, sender: int) -> Outcome:
        raw = self._raw
        if post.key == LOBBY or not post.key.startswith("#"):
            raise Rejected("forbidden", f"{post.key} can't be joined: who is in it is in it")
        place = self._books.find_place(post.key)
        if place is None:
            place = self._make(post.key, "room", post.access, {sender})
        else:
            at = (place.id, sender)
            if raw.execute("SELECT 1 FROM members WHERE conversation = ? AND account = ?", at).fetchone():
                return self._same(post, JOIN, "e.type > 3 AND e.conversation = ? AND e.sender = ?", at)
            raw.execute("INSERT INTO members VALUES (?, ?, ?, 0)", (*at, place.seq + 1))
            raw.execute("UPDATE conversations SET members = members + 1 WHERE id = ?", (place.id,))
            raw.execute("DELETE FROM sanctions WHERE conversation = ? AND account = ? AND kind = 'invite'", at)
        event = self._append(JOIN, place, sender, post)
        self.flush()
        return event, False

    def _leave(self, post: Post, sender: int) -> Outcome:
        raw, place = self._raw, self._books.place(post.key)
        if place.kind != "room" or post.key == LOBBY:
            raise Rejected("forbidden", f"{post.key} can't be left")
        at = (place.id, sender)
        if not raw.execute("DELETE FROM members WHERE conversation = ? AND account = ?", at).rowcount:
            return self._same(post, LEAVE, "e.type > 3 AND e.conversation = ? AND e.sender = ?", at)
        raw.execute("UPDATE conversations SET members = members - 1 WHERE id = ?", (place.id,))
        raw.execute("DELETE FROM marks WHERE conversation = ? AND account = ?", at)
        event = self._append(LEAVE, place, sender, post)
        self.flush()
        return event, False

    def _topic(self, post: Post, sender: int) -> Outcome:
        place = self._books.place(post.key)
        self._raw.execute("UPDATE conversations SET topic = ? WHERE id = ?", (post.content, place.id))
        event = self._append(TOPIC, place, sender, post)
        self.flush()
        return event, False


def _add_extra(event: Event, post: Post) -> None:
    """What few events have, in the order of `wire.extra`."""
    if post.mentions:
        event["mentions"] = list(post.mentions)
    if post.attachments:
        event["attachments"] = post.attachments
    if post.via:
        event["via"] = post.via
    if post.by:
        event["by"] = post.by
    if post.removed:
        event["removed"] = True


_ACTS = {
    "EDIT": Log._edit,
    "DELETE": Log._delete,
    "REACT": Log._react,
    "JOIN": Log._join,
    "LEAVE": Log._leave,
    "TOPIC": Log._topic,
}
