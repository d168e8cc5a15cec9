"""When the writer takes up what has come, and when it lets more gather first.

A commit takes 0.2 ms of processor and a flush to a room of a hundred members 0.5, however many messages are in them. A
writer that begins the next transaction as soon as one is done commits 3,000 messages a second, which come one by one,
in 2,100 transactions: that was more than half of all that the server did. So while messages come fast, and the next
are there already when a commit is done, it rests for two milliseconds before it takes them. That costs each of them
one millisecond on average, and less than it takes away from all: nobody waits behind so many commits.

It never rests when there is little to do. Whoever waits for his echo before he goes on leaves the queue empty, however
quick he is, and two who happen to write at once are no stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

REST: Final = 0.002
"""Seconds from the end of a commit to the beginning of the next, when more is to gather."""
STREAM: Final = 0.001
"""Seconds between two items, on average: if it is less, they come fast enough to be worth a rest."""
SMALL: Final = 32
"""Items of a commit up to which a rest is worth it. Of a larger one, what each item costs is the greater part."""
MEMORY: Final = 64
"""Items over which that average is taken."""
PAUSE: Final = 0.02
"""Seconds as which a longer time between two items counts: a stream is known for one after some 200."""


class Gathering:
    """For the writer's thread, but for `resting`. `now` gives seconds, `sleep` passes them."""

    def __init__(
        self, now: Callable[[], float] = time.perf_counter, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._now, self._sleep = now, sleep
        self._ended = now()
        self._interval = PAUSE
        self.resting = False
        """Whether nothing is being committed now, though there may be items. Any thread may ask."""

    def committed(self, items: int, more: bool) -> None:
        """A commit of so many items is done. `more`: others have come meanwhile."""
        now = self._now()
        share = min(items / MEMORY, 0.5)
        self._interval += (min((now - self._ended) / items, PAUSE) - self._interval) * share
        self._ended = now
        self.resting = more and items <= SMALL and self._interval < STREAM

    def rest(self) -> None:
        """Let more gather, if that is worth it."""
        if self.resting:
            left = self._ended + REST - self._now()
            if left > 0.0:
                self._sleep(left)
            self.resting = False
