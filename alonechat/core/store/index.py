"""The search index as the writer keeps it: shards of FTS5, and their rewriting once something was deleted.

A shard indexes up to 32,768 consecutive texts; only the newest one grows, so a deletion has little to rewrite.
The shards hold tokens and no texts (`content=''`): to take an entry back, its text is tokenised again.

Texts are not indexed in the transaction that commits them: FTS5 writes a segment of its own for each transaction, which
for a single message took longer than all the rest of its commit. They wait, in the log and in memory, until there are
some, or somebody searches (`indexing`). The table `indexed` says up to which id they are in; after a crash the rest is
read from the log again.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from alonechat.core.store import bulk, grams

SHARD: Final = 32_768
"""Texts of one shard."""
PIECE: Final = 4096
"""Texts that wait are read from the log in pieces of this many."""

SEGMENTS: Final = 8
"""New segments from which a shard's are merged. With 4, as FTS5 has it by itself, it takes 1.7 times as long, which is
more than all else that is done to index a text."""
CREATE: Final = (
    "CREATE VIRTUAL TABLE search_{0} USING fts5(tokens, content='', columnsize=0, tokenize='ascii', prefix='1')"
)
"""With beginnings of one character, which is how one alone is found. Those of two as well were a third of the index and
a quarter of what it cost (two fifths in Chinese, where they are the grams themselves), and a word's first two letters
are found in a shard within 1.6 ms without. Shards of older versions have them, which does no harm."""
TUNE: Final = (("automerge", 0), ("usermerge", SEGMENTS), ("crisismerge", 256))
"""FTS5 merges a shard's segments when it is told to (`merge`), or when there are 256 of a kind."""
STAGE: Final = "CREATE TEMP TABLE staged (id INTEGER PRIMARY KEY, tokens TEXT NOT NULL)"
INSERT: Final = "INSERT INTO search_{0} (rowid, tokens) SELECT id, tokens FROM staged"
"""One statement for all that is indexed together: FTS5 writes a segment for each that has several rows. They are put
into a table in memory before, for a statement with all the values would be kept, with these, for every shard."""
SET: Final = "INSERT INTO search_{0} (search_{0}, rank) VALUES (?, ?)"


class Index:
    """Puts texts into the newest shard and takes them out of any. One thread at a time, within a transaction."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        raw.execute(STAGE)
        self._starts: list[tuple[int, int]] | None = None
        self._room = 0
        self._rows: list[int | str] = []
        self._present: set[int] = set()
        self._arrived: list[int] = []
        self._waiting: list[tuple[int, str, int, int]] = []
        self._knows = False
        """Whether `_waiting` is all that waits."""
        self._written = 0
        self._segments: dict[int, int] = {}
        """By shard, how many it got since it was merged."""

    def forget(self) -> None:
        """Read anew from the database what shards there are and what waits; to be called after a rollback, when all
        that still counts is in the log."""
        self._knows = False  # first: readers ask without a lock
        self._starts = None
        self._rows.clear()
        self._arrived.clear()
        self._waiting.clear()
        self._written = 0

    def waits(self) -> int:
        """How many texts are known to wait. Any thread may ask."""
        return len(self._waiting)

    def is_current(self) -> bool:
        """Whether all that is committed is indexed, for certain. Any thread may ask."""
        return self._knows and not self._waiting

    def _upto(self) -> int:
        return int(self._raw.execute("SELECT upto FROM indexed").fetchone()[0])

    def _recall(self) -> None:
        """Read from the log what waits there, or the first of it."""
        if not self._knows and not self._waiting:
            left = "SELECT id, content, conversation, sender FROM events WHERE id > ? AND type = 0 ORDER BY id LIMIT ?"
            self._waiting = self._raw.execute(left, (self._upto(), PIECE)).fetchall()
            self._knows = len(self._waiting) < PIECE

    def _shards(self) -> list[tuple[int, int]]:
        """(number, first id) of each shard, ascending."""
        if self._starts is None:
            self._starts = list(self._raw.execute("SELECT number, first FROM shards ORDER BY number"))
            self._room = 0
            self._present.clear()
            if self._starts:
                used = "SELECT count(*) FROM events WHERE id >= ? AND id <= ? AND type = 0"
                row = self._raw.execute(used, (self._starts[-1][1], self._upto())).fetchone()
                self._room = SHARD - row[0]
                self._resume(self._starts[-1][0])
                here = "SELECT conversation FROM spread WHERE shard = ?"
                self._present.update(row[0] for row in self._raw.execute(here, (self._starts[-1][0],)))
        return self._starts

    def look_back(self, shards: int) -> None:
        """Count the segments of so many of the newest shards: an earlier process may have left them unmerged."""
        for number, _ in self._shards()[-shards:]:
            self._resume(number)

    def _resume(self, shard: int) -> None:
        """A shard as a process finds it: made by an older version perhaps, with many segments perhaps."""
        if shard not in self._segments:
            if self._raw.execute(f"SELECT 1 FROM search_{shard}_config WHERE k = 'crisismerge'").fetchone() is None:
                self._tune(shard)
            self._grew(shard, self._raw.execute(f"SELECT count(DISTINCT segid) FROM search_{shard}_idx").fetchone()[0])

    def _tune(self, shard: int) -> None:
        for setting in TUNE:
            self._raw.execute(SET.format(shard), setting)

    def add(self, id: int, text: str, conversation: int, sender: int) -> None:
        """A new text, whose id is above all before, waits to be indexed."""
        if self._knows:  # else it is read from the log with all others
            self._waiting.append((id, text, conversation, sender))

    def flush(self, most: int | None = None) -> None:
        """Index what waits, or (while not `is_current` after `settled`) the first of it, so many at most; its rows must
        be in the log. It still counts as waiting until `settled`."""
        self._recall()
        texts = self._waiting[self._written :][:most]
        if texts:
            for id, text, conversation, sender in texts:
                self._put(id, text, conversation, sender)
            self._write()
            self._raw.execute("UPDATE indexed SET upto = ?", (texts[-1][0],))
            self._written += len(texts)

    def unmerged(self, segments: int = SEGMENTS) -> int:
        """How many shards have got so many segments since they were merged."""
        return sum(grown >= segments for grown in self._segments.values())

    def merge(self, pages: int) -> None:
        """One step of merging the segments of the oldest shard that has many: so many pages."""
        there = {number for number, _ in self._shards()}  # what made others may be taken back
        self._segments = {shard: grown for shard, grown in self._segments.items() if shard in there}
        many = [shard for shard, grown in self._segments.items() if grown >= SEGMENTS]
        if many:
            shard, before = min(many), self._raw.total_changes
            self._raw.execute(SET.format(shard), ("merge", pages))
            if self._raw.total_changes - before < 2:  # FTS5's documentation: then there was nothing to do
                self._segments[shard] = 0

    def _grew(self, shard: int, segments: int) -> None:
        self._segments[shard] = self._segments.get(shard, 0) + segments

    def settled(self) -> None:
        """The transaction is committed: what `flush` indexed in it waits no longer."""
        if self._written:
            del self._waiting[: self._written]
            self._written = 0

    def _put(self, id: int, text: str, conversation: int, sender: int) -> None:
        shards = self._shards()
        if self._room <= 0:
            self._write()
            number = shards[-1][0] + 1 if shards else 0
            self._raw.execute(CREATE.format(number))
            self._tune(number)
            self._raw.execute("INSERT INTO shards VALUES (?, ?)", (number, id))
            shards.append((number, id))
            self._room = SHARD
            self._present.clear()
        self._room -= 1
        if conversation not in self._present:
            self._present.add(conversation)
            self._arrived += (conversation, shards[-1][0])
        self._rows += (id, grams.tokens(text, conversation, sender))

    def _write(self) -> None:
        if self._rows:
            newest = self._shards()[-1][0]
            bulk.execute(self._raw, "INSERT INTO staged VALUES {}", "(?, ?)", self._rows)
            self._raw.execute(INSERT.format(newest))
            self._raw.execute("DELETE FROM staged")
            self._rows.clear()
            self._grew(newest, 1)
        if self._arrived:
            bulk.execute(self._raw, "INSERT INTO spread VALUES {}", "(?, ?)", self._arrived)
            self._arrived.clear()

    def replace(self, id: int, old: str, new: str | None, conversation: int, sender: int) -> int:
        """Index `new` (None: nothing) in place of `old`. Gives the shard's number."""
        self.flush()
        while not self._knows:
            self.settled()
            self.flush()
        shard = next(number for number, first in reversed(self._shards()) if first <= id)
        self._raw.execute(
            f"INSERT INTO search_{shard} (search_{shard}, rowid, tokens) VALUES ('delete', ?, ?)",
            (id, grams.tokens(old, conversation, sender)),
        )
        if new is not None:
            self._raw.execute(
                f"INSERT INTO search_{shard} (rowid, tokens) VALUES (?, ?)",
                (id, grams.tokens(new, conversation, sender)),
            )
        return shard

    def purge(self, shard: int) -> None:
        """Rewrite a shard so that nothing of what was taken out is left in the file, not even in a page's unused part.

        FTS5 only marks entries as taken back; `optimize` merges all of its segments into one without them. But rows
        that SQLite moves between pages can leave copies in the gaps, which `secure_delete` does not reach. So the
        rows are written anew, in order, after the tables were emptied: that frees every page, and free ones are zeroed.
        """
        raw = self._raw
        raw.execute(f"INSERT INTO search_{shard} (search_{shard}) VALUES ('optimize')")
        for table, marks in ((f"search_{shard}_data", "?, ?"), (f"search_{shard}_idx", "?, ?, ?")):
            order = "id" if table.endswith("_data") else "segid, term"
            rows = raw.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
            raw.execute(f"DELETE FROM {table}")
            raw.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
