"""When the writer indexes what waits, and merges what that left.

FTS5 writes a segment for each transaction, which for one message took as long as all the rest of its commit. So texts
wait until there are many, or some and the writer has nothing else to do, or the first has waited for a while, or
somebody searches.

By itself FTS5 merges segments in the middle of some transaction, 64 pages and more at once: for up to 36 ms nothing
was committed, which is what came late at 3,000 messages a second. So it is told not to (`index.TUNE`). The writer does
it once nothing has come for a moment, in steps of a few pages. Where there is no such moment it is left for later, for
150,000 texts, each shard then merged in one go, which is the least work: a search takes 7 µs longer for each word and
segment, so 1 to 3 ms for all that is left.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from alonechat.core.logging import get_logger
from alonechat.core.store.index import Index

GATHERED: Final = 256
"""Texts that wait from which they are indexed once nothing has come for a moment."""
PAUSE: Final = 0.005
"""Seconds: that moment. A queue that is empty is no reason: those who wait for their echo before they go on leave it so
a thousand times a second."""
MOST: Final = 1024
"""Texts that wait from which they are indexed in any case, so many in one transaction: 4 to 10 ms. They come as fast as
they can be taken, then, and the fewer segments the better."""
PIECE: Final = 512
"""Texts that are indexed in one transaction otherwise: 2 to 5 ms."""
PAGES: Final = 16
"""Pages that one step of merging writes: 0.8 ms, 2 at most. Whoever reads meanwhile on the same core waits so long."""
QUIET: Final = 0.1
"""Seconds since the last search from which segments are merged while nothing comes: it can wait, and who searches is
not to."""
LEFT: Final = 4
"""Shards that may be left unmerged for later, each of 32 segments where texts come in a stream that long."""
MANY: Final = 128
"""Segments of one shard from which it is merged in any case."""
LATEST: Final = 0.3
"""Seconds after which what waits is indexed in any case."""
SEARCH: Final = 5.0
"""Seconds that a search waits at most."""
AGAIN: Final = 10.0
"""Seconds until it is tried again when the disk did not take it."""

log = get_logger(__name__)


class Indexing:
    """For the writer's thread, but for `catch_up`. `transact(act)` carries out a transaction and raises sqlite3.Error
    when that failed and is taken back."""

    def __init__(self, index: Index, transact: Callable[[Callable[[], Any]], Any]) -> None:
        self._index, self._transact = index, transact
        self._by: float | None = None
        self._not_before = 0.0
        self._searched = 0.0
        self._asked: deque[threading.Event] = deque()

    def catch_up(self, wake: Callable[[], None]) -> None:
        """Return once all that was committed before is indexed; 5 s at most, and at once when the disk fails: then the
        last texts are not found. `wake` has the writer take its next turn."""
        self._searched = time.monotonic()
        if not self._index.is_current():
            done = threading.Event()
            self._asked.append(done)
            wake()
            done.wait(SEARCH)

    def begin(self) -> None:
        """Before the first turn: find out what an earlier process left to merge."""
        try:
            self._transact(lambda: self._index.look_back(LEFT + 1))
        except sqlite3.Error as error:  # what is left stays so for now; new texts are not harmed
            log.warning("the index can't be looked at", error=str(error))

    def all(self) -> None:
        """Index whatever waits. Raises sqlite3.Error."""
        self._some()
        while not self._index.is_current():
            self._some()

    def within(self) -> None:
        """In a transaction of a process that has no writer's thread: index whatever waits, and merge."""
        self._index.flush()
        while self._index.unmerged():
            self._index.merge(PAGES)

    def due(self) -> float | None:
        """When `turn` is to be called, if nothing comes before."""
        soon = max(self._not_before, time.monotonic() + PAUSE)
        if self._index.waits() >= GATHERED:
            return soon
        if self._index.unmerged():
            soon = max(soon, self._searched + QUIET)
            return soon if self._by is None else min(soon, self._by)
        return self._by

    def turn(self, idle: bool, ending: bool) -> None:
        """Between two transactions: do what it is time for. `idle`: nothing came for a moment; `ending`: nor will."""
        asked = [self._asked.popleft() for _ in range(len(self._asked))]
        now = time.monotonic()
        try:
            if asked or ending:
                self._by = None
                self.all()
            elif now >= self._not_before:
                self._do_some(idle, now)
        except sqlite3.Error as error:
            self._by = self._not_before = time.monotonic() + AGAIN
            log.warning("search does not know the latest texts", error=str(error), again_in=AGAIN)
        for each in asked:
            each.set()

    def _do_some(self, idle: bool, now: float) -> None:
        index = self._index
        if index.is_current():
            self._by = None
        elif self._by is None:
            self._by = now + LATEST
        elif now >= self._by or (idle and index.waits() >= GATHERED):
            self._some()
            self._by = None if index.is_current() else now + LATEST
        while index.waits() >= MOST:
            self._some(MOST)
        may_wait = not idle or now < self._searched + QUIET
        if index.unmerged(MANY) or index.unmerged() > (LEFT if may_wait else 0):
            self._transact(lambda: index.merge(PAGES))

    def _some(self, most: int = PIECE) -> None:
        self._transact(lambda: self._index.flush(most))
        self._index.settled()
