"""The world's time and chance as a client sees them, and how long it waits before it tries again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock, sleep and chance; tests move them by hand."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random

    def backoff(self, attempt: int, least: float = 0.5, most: float = 30.0) -> float:
        """Seconds to wait before trying for the `attempt`th time (from 0): doubled each time, then spread over its
        upper half, so that a server which comes back isn't met by everybody at once."""
        wait = min(most, least * 2.0 ** min(attempt, 16))
        return wait * (0.5 + self.random() / 2)
