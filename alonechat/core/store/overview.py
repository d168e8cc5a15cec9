"""The conversations of an account, as WELCOME lists them, with exact counts of what is unread.

How unread is counted, exactly and fast: texts are tallied by sender per 512 consecutive seqs (a bucket) once these are
complete, and a deletion lowers the tally. Unread is the rest of the bucket that the read mark is in, plus the others'
tallies between, plus the incomplete bucket at the end: two short walks over events and a sum, however long nobody read.
Mentions have rows of their own, which a deletion removes.
"""

from __future__ import annotations

from typing import NamedTuple


class Overviewed(NamedTuple):
    """A row of `sql.OVERVIEW`."""

    id: int
    key: str
    kind: str
    access: str
    topic: str
    seq: int
    last: int
    latest: int
    members: int
    since: int
    muted: int
    read: int
    unread: int
    mentions: int
