"""The tables as they are made: numbered migrations. `statements` names them as they are now."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from sqlite3 import Connection
from typing import Final

LOBBY_ID: Final = 1
"""The row of `#lobby`, made by the first migration."""
BUCKET: Final = 9
"""Texts are tallied over 2**BUCKET consecutive seqs, once these are complete."""
EVERYBODY: Final = 0
"""Instead of an account: whom `@all` addresses."""

_ONE = """
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY, username TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL, role TEXT NOT NULL,
    standing TEXT NOT NULL, password TEXT, created INTEGER NOT NULL, lobby INTEGER NOT NULL);
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, access TEXT NOT NULL,
    topic TEXT NOT NULL DEFAULT '', seq INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL DEFAULT 0,
    latest INTEGER NOT NULL DEFAULT 0, members INTEGER NOT NULL DEFAULT 0);
CREATE TABLE members (
    conversation INTEGER NOT NULL REFERENCES conversations, account INTEGER NOT NULL REFERENCES accounts,
    since INTEGER NOT NULL, moderator INTEGER NOT NULL, PRIMARY KEY (conversation, account)) WITHOUT ROWID;
CREATE INDEX members_of_account ON members (account, conversation);
CREATE TABLE marks (
    account INTEGER NOT NULL REFERENCES accounts, conversation INTEGER NOT NULL REFERENCES conversations,
    read INTEGER NOT NULL DEFAULT 0, muted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, conversation)) WITHOUT ROWID;
CREATE TABLE sanctions (
    conversation INTEGER NOT NULL REFERENCES conversations, account INTEGER NOT NULL REFERENCES accounts,
    kind TEXT NOT NULL, PRIMARY KEY (conversation, account, kind)) WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL REFERENCES conversations, seq INTEGER NOT NULL,
    type INTEGER NOT NULL, sender INTEGER NOT NULL REFERENCES accounts, stamp INTEGER NOT NULL,
    content TEXT NOT NULL, nonce TEXT, ref INTEGER, extra TEXT, deleted INTEGER NOT NULL);
CREATE UNIQUE INDEX events_in_order ON events (conversation, seq);
CREATE UNIQUE INDEX events_sent_once ON events (sender, nonce) WHERE nonce IS NOT NULL;
CREATE INDEX events_about ON events (ref) WHERE ref IS NOT NULL;
CREATE INDEX events_of_rooms ON events (conversation, type, seq) WHERE type > 3;
CREATE TABLE edits (message INTEGER PRIMARY KEY, edit INTEGER NOT NULL);
CREATE TABLE reactions (
    message INTEGER NOT NULL, emoji TEXT NOT NULL, account INTEGER NOT NULL, given INTEGER NOT NULL,
    PRIMARY KEY (message, emoji, account)) WITHOUT ROWID;
CREATE TABLE mentions (
    account INTEGER NOT NULL, conversation INTEGER NOT NULL, seq INTEGER NOT NULL, sender INTEGER NOT NULL,
    PRIMARY KEY (account, conversation, seq)) WITHOUT ROWID;
CREATE TABLE tallies (
    conversation INTEGER NOT NULL, sender INTEGER NOT NULL, bucket INTEGER NOT NULL, texts INTEGER NOT NULL,
    PRIMARY KEY (conversation, sender, bucket)) WITHOUT ROWID;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES accounts, created INTEGER NOT NULL,
    expires INTEGER NOT NULL, seen INTEGER NOT NULL, device TEXT NOT NULL, revoked INTEGER NOT NULL);
CREATE INDEX sessions_of_account ON sessions (account);
CREATE TABLE invites (
    code TEXT PRIMARY KEY, role TEXT NOT NULL, uses INTEGER NOT NULL, expires INTEGER NOT NULL,
    created INTEGER NOT NULL, by TEXT NOT NULL);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE shards (number INTEGER PRIMARY KEY, first INTEGER NOT NULL);
CREATE TABLE spread (
    conversation INTEGER NOT NULL, shard INTEGER NOT NULL, PRIMARY KEY (conversation, shard)) WITHOUT ROWID;
CREATE TABLE purges (shard INTEGER PRIMARY KEY);
INSERT INTO conversations (id, key, kind, access) VALUES (1, '#lobby', 'room', 'open')
"""


def _first(raw: Connection) -> None:
    for statement in _ONE.split(";\n"):
        raw.execute(statement)
    rows = [("server_id", secrets.token_hex(16)), ("epoch", secrets.token_hex(8))]
    raw.executemany("INSERT INTO settings VALUES (?, ?)", rows)


Migration = Callable[[Connection], None]


def _second(raw: Connection) -> None:
    """Tallies lie in the order in which they are made, and over more events: one for each sender in every 32 events,
    kept by sender, was half of what a commit wrote."""
    raw.execute("DROP TABLE tallies")
    raw.execute(
        "CREATE TABLE tallies (conversation INTEGER NOT NULL, bucket INTEGER NOT NULL, sender INTEGER NOT NULL,"
        " texts INTEGER NOT NULL, PRIMARY KEY (conversation, bucket, sender)) WITHOUT ROWID"
    )
    raw.execute(
        "INSERT INTO tallies SELECT e.conversation, e.seq >> 9, e.sender, count(*) FROM events e"
        " JOIN conversations c ON c.id = e.conversation"
        " WHERE e.type = 0 AND e.deleted = 0 AND e.seq >> 9 < c.seq >> 9 GROUP BY 1, 2, 3"
    )


_THREE = """
CREATE TABLE uploads (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, account INTEGER NOT NULL REFERENCES accounts,
    created INTEGER NOT NULL, size INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    name TEXT NOT NULL, mime TEXT NOT NULL);
CREATE UNIQUE INDEX uploads_by_id ON uploads (id);
CREATE TABLE loose (upload INTEGER PRIMARY KEY REFERENCES uploads);
CREATE TABLE attachments (upload INTEGER PRIMARY KEY REFERENCES uploads, event INTEGER NOT NULL);
CREATE INDEX attachments_of_event ON attachments (event)
"""


def _third(raw: Connection) -> None:
    """Uploads. Whether one is borne stands in tables of its own: a row of `uploads` keeps its size and its page for
    ever, so that its name can be blanked in place (`wire.blanked`)."""
    for statement in _THREE.split(";\n"):
        raw.execute(statement)


def _fourth(raw: Connection) -> None:
    """Texts are indexed for search a moment after they are committed: up to which id they are, is written here."""
    raw.execute("CREATE TABLE indexed (upto INTEGER NOT NULL)")
    raw.execute("INSERT INTO indexed SELECT coalesce(max(id), 0) FROM events")


def _fifth(raw: Connection) -> None:
    """`conversations` says no longer where its log ends now, only where its last event that is no text is: to write it
    with each text was a page of three. What is there holds; an older AloneChat would take it for the end."""


_SIX = """
CREATE TABLE factors (
    account INTEGER PRIMARY KEY REFERENCES accounts, secret TEXT NOT NULL, since INTEGER NOT NULL,
    step INTEGER NOT NULL);
CREATE TABLE recoveries (
    account INTEGER NOT NULL REFERENCES accounts, digest TEXT NOT NULL, PRIMARY KEY (account, digest)) WITHOUT ROWID
"""


def _sixth(raw: Connection) -> None:
    """One-time codes as a second factor: the secret that they are made of, and what is typed when it is lost."""
    for statement in _SIX.split(";\n"):
        raw.execute(statement)


MIGRATIONS: list[Migration] = [_first, _second, _third, _fourth, _fifth, _sixth]
"""What each schema version adds to the one before. What was released is never changed: a change is a new entry."""
