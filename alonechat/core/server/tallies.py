"""What is counted for each message, as plain numbers: `metrics` tells them to Prometheus when somebody asks.

Why: a counter of its library is a lock and three calls, a histogram's observation seven. With eight of them a message,
while its processor's caches were somewhere else, that took as long as all its JSON.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

BOUNDS: Final = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0]
"""Seconds up to which a duration is counted in each of a histogram's buckets."""


class Tally:
    """How many there were. One thread at a time adds; any may read."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, count: int) -> None:
        self.total += count


class Durations:
    """How long something took, by `BOUNDS` and in all. One thread at a time observes; any may read."""

    def __init__(self) -> None:
        self.counts: list[int] = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds
