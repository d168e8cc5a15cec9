"""Search: the shards of the index from the newest to the oldest, until the page is full."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alonechat.core.store import grams

FEW = 16
"""Conversations up to which the index itself is asked for them alone."""
STRANGERS = 400
"""Hits in a shard that are in nobody's conversations, after which the index is asked for these conversations alone."""
FOREVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Search:
    """What is sought: `words` as `grams.query` gives it; `spans` are conversations and the first seq to read in each."""

    words: str
    spans: Mapping[int, int]
    sender: int | None
    before: int
    since: int
    limit: int


def found(raw: sqlite3.Connection, search: Search) -> list[tuple[int, int]]:
    """(id, conversation) of the hits, newest first, at most `limit`. Within a snapshot.

    With few conversations, each is a term of the query, so that a word that is frequent elsewhere costs nothing. With
    many, such a query is slow for rare words: then hits are filtered here, until they turn out to be others' mostly.
    """
    hits: list[tuple[int, int]] = []
    words = search.words
    if search.sender is not None:
        words = f'"{grams.author(search.sender)}" AND {words}'
    where = " OR ".join(f'"{grams.place(id)}"' for id in search.spans)
    narrow = f"({where}) AND {words}"
    shards = list(raw.execute("SELECT number, first FROM shards WHERE first < ? ORDER BY number DESC", (search.before,)))
    newer = FOREVER
    for number, first in shards:
        if newer <= search.since:
            break
        newer = first
        upper = search.before
        if len(search.spans) > FEW:
            strangers = 0
            for id, conversation, seq in _hits(raw, number, words, upper, search.since):
                if seq >= search.spans.get(conversation, FOREVER):
                    hits.append((id, conversation))
                    if len(hits) >= search.limit:
                        return hits
                else:
                    strangers += 1
                upper = id
                if strangers > STRANGERS:
                    break
            else:
                continue
        for id, conversation, seq in _hits(raw, number, narrow, upper, search.since):
            if seq >= search.spans.get(conversation, FOREVER):
                hits.append((id, conversation))
                if len(hits) >= search.limit:
                    return hits
    return hits


def _hits(raw: sqlite3.Connection, shard: int, words: str, before: int, since: int) -> Iterator[tuple[int, int, int]]:
    return raw.execute(
        f"SELECT e.id, e.conversation, e.seq FROM search_{shard} s CROSS JOIN events e ON e.id = s.rowid"
        f" WHERE s.tokens MATCH ? AND s.rowid < ? AND s.rowid >= ? AND e.deleted = 0 ORDER BY s.rowid DESC",
        (words, before, since),
    )
