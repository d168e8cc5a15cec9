"""The clock of a store: what its events are stamped with."""

from __future__ import annotations

import time


def now_ms() -> int:
    """The time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
