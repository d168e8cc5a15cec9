"""Search: the shards of the index from the newest to the oldest, until the page is full."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from alonechat.core.store import grams

FEW = 16
"""Conversations up to which the index itself is asked for them alone."""
FOREVER = 1 << 62

Hit = tuple[int, int, int]
"""id, conversation, seq."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is sought: `words` as `grams.query` gives them; `spans`: conversations and the first seq to read there."""

    words: str
    spans: Mapping[int, int]
    sender: int | None
    before: int
    since: int
    limit: int


def found(raw: sqlite3.Connection, search: Search) -> list[Hit]:
    """The hits, newest first, at most `limit`. Within a snapshot."""
    hits: list[Hit] = []
    for hit in _stream(raw, search):
        if hit[2] >= search.spans.get(hit[1], FOREVER):
            hits.append(hit)
            if len(hits) >= search.limit:
                break
    return hits


def _stream(raw: sqlite3.Connection, search: Search) -> Iterator[Hit]:
    """All hits, newest first, and with many conversations also some that are in none of these.

    With few conversations, each is a term of the query, so that a word that is frequent elsewhere costs nothing. With
    many, a query that names them all is slow for rare words, so it is asked only once the hits turn out to be
    strangers' mostly: when these cost as much as naming the conversations will.
    """
    few = len(search.spans) <= FEW
    words = search.words
    if search.sender is not None:
        words = f'"{grams.author(search.sender)}" AND {words}'
    for number in _shards(raw, search, few):
        upper = search.before
        if not few:
            strangers, most = 0, 400 + 8 * len(search.spans)
            for hit in _hits(raw, number, words, upper, search.since):
                yield hit
                upper = hit[0]
                strangers += hit[1] not in search.spans
                if strangers > most:
                    break
            else:
                continue
        there = _present(raw, number, search.spans)
        if there:
            places = " OR ".join(f'"{grams.place(id)}"' for id in there)
            yield from _hits(raw, number, f"({places}) AND {words}", upper, search.since)


def _shards(raw: sqlite3.Connection, search: Search, few: bool) -> list[int]:
    """The shards that may hold hits, newest first."""
    oldest = "coalesce((SELECT max(first) FROM shards WHERE first <= ?), 0)"
    choice = f"SELECT number FROM shards WHERE first < ? AND first >= {oldest}"
    if few:
        choice += f" AND number IN (SELECT shard FROM spread WHERE conversation IN ({_list(search.spans)}))"
    return [row[0] for row in raw.execute(f"{choice} ORDER BY number DESC", (search.before, search.since))]


def _present(raw: sqlite3.Connection, shard: int, spans: Mapping[int, int]) -> list[int]:
    """The conversations that have texts in a shard."""
    choice = f"SELECT conversation FROM spread WHERE conversation IN ({_list(spans)}) AND shard = ?"
    return [row[0] for row in raw.execute(choice, (shard,))]


def _list(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


def _hits(raw: sqlite3.Connection, shard: int, words: str, before: int, since: int) -> Iterator[Hit]:
    # CROSS JOIN keeps the index the outer loop, which gives descending ids without sorting
    return raw.execute(
        f"SELECT e.id, e.conversation, e.seq FROM search_{shard} s CROSS JOIN events e ON e.id = s.rowid"
        " WHERE s.tokens MATCH ? AND s.rowid < ? AND s.rowid >= ? AND e.deleted = 0 ORDER BY s.rowid DESC",
        (words, before, since),
    )
