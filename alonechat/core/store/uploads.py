"""Uploads in the database: which are there, which message bears them, and how they are forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from alonechat.core.store.records import Upload
from alonechat.errors import Rejected

_THERE = (
    "SELECT u.id, n.username, u.name, u.mime, u.size, u.width, u.height, u.created, c.key, coalesce(e.seq, 0)"
    " FROM uploads u JOIN accounts n ON n.id = u.account"
    " LEFT JOIN loose l ON l.upload = u.number LEFT JOIN attachments a ON a.upload = u.number"
    " LEFT JOIN events e ON e.id = a.event LEFT JOIN conversations c ON c.id = e.conversation"
    " WHERE u.id IN ({}) AND (l.upload IS NOT NULL OR a.upload IS NOT NULL)"
)
_IDS = (
    "SELECT u.id FROM loose l JOIN uploads u ON u.number = l.upload UNION ALL"
    " SELECT u.id FROM attachments a JOIN uploads u ON u.number = a.upload"
)
_FREE = "SELECT u.number FROM uploads u JOIN loose l ON l.upload = u.number WHERE u.id = ? AND u.account = ?"


def found(raw: sqlite3.Connection, ids: Sequence[str]) -> list[Upload]:
    """Those of `ids` that are there."""
    if not ids:
        return []
    return [Upload(*row) for row in raw.execute(_THERE.format(", ".join("?" * len(ids))), ids)]


def ids(raw: sqlite3.Connection) -> set[str]:
    """The ids of all that are there."""
    return {row[0] for row in raw.execute(_IDS)}


def add(raw: sqlite3.Connection, upload: Upload, account: int) -> None:
    """Keep what somebody uploaded; no message bears it yet."""
    cursor = raw.execute(
        "INSERT INTO uploads (id, account, created, size, width, height, name, mime) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (upload.id, account, upload.created, upload.size, upload.width, upload.height, upload.name, upload.mime),
    )
    raw.execute("INSERT INTO loose VALUES (?)", (cursor.lastrowid,))


def claimable(raw: sqlite3.Connection, attachments: Iterable[dict[str, Any]], account: int) -> list[int]:
    """The numbers of what a TEXT is to bear. Raises `Rejected("conflict")` where one can't be borne any more: since the
    decision another message took it, or its time was over."""
    numbers = []
    for each in attachments:
        row = raw.execute(_FREE, (each["id"], account)).fetchone()
        if row is None:
            raise Rejected("conflict", f"another message bears the file {each['id']} meanwhile; upload it again")
        numbers.append(row[0])
    return numbers


def claim(raw: sqlite3.Connection, numbers: Sequence[int], event: int) -> None:
    """From now on `event` bears these."""
    raw.executemany("DELETE FROM loose WHERE upload = ?", [(number,) for number in numbers])
    raw.executemany("INSERT INTO attachments VALUES (?, ?)", [(number, event) for number in numbers])


def drop_of(raw: sqlite3.Connection, event: int) -> list[str] | None:
    """Forget what a message bore; the ids, None for nothing."""
    choice = "SELECT u.number, u.id FROM attachments a JOIN uploads u ON u.number = a.upload WHERE a.event = ?"
    rows = raw.execute(choice, (event,)).fetchall()
    raw.execute("DELETE FROM attachments WHERE event = ?", (event,))
    return _blank(raw, rows) or None


def drop_loose(raw: sqlite3.Connection, before: int) -> list[str]:
    """Forget what was uploaded before that time (ms) and no message bears; the ids."""
    choice = "SELECT u.number, u.id FROM loose l JOIN uploads u ON u.number = l.upload WHERE u.created < ?"
    rows = raw.execute(choice, (before,)).fetchall()
    raw.executemany("DELETE FROM loose WHERE upload = ?", [(number,) for number, _ in rows])
    return _blank(raw, rows)


def _blank(raw: sqlite3.Connection, rows: list[tuple[int, str]]) -> list[str]:
    """Write over the names, byte for byte (`wire.blanked` says why), and give the ids."""
    for number, _ in rows:
        name, mime = raw.execute("SELECT name, mime FROM uploads WHERE number = ?", (number,)).fetchone()
        blanks = (" " * len(name.encode()), " " * len(mime.encode()), number)
        raw.execute("UPDATE uploads SET name = ?, mime = ? WHERE number = ?", blanks)
    return [id for _, id in rows]
