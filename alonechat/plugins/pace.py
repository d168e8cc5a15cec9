"""How fast a plugin may speak, and how often the same is logged of it."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic


class Pace:
    """`burst` at once, `rate` a second on the whole. Kept in the plugin's own process, so that a flood costs the server
    nothing, and once more in the server."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self.rate, self._burst, self._clock = rate, burst, clock
        self._spoken, self._at = 0.0, clock()

    def may(self) -> bool:
        """Whether one more is allowed now; it counts when it is."""
        now = self._clock()
        self._spoken = max(0.0, self._spoken - (now - self._at) * self.rate)
        self._at = now
        if self._spoken + 1 > self._burst:
            return False
        self._spoken += 1
        return True


class Sayings:
    """What may be logged again and again: each sentence once in `seconds`, with how often it was left out between."""

    MOST = 100

    def __init__(self, seconds: float = 10.0, clock: Callable[[], float] = monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._said: dict[str, tuple[float, int]] = {}

    def again(self, sentence: str) -> int | None:
        """How often it was left out since it was last said; None when it is left out now too."""
        now = self._clock()
        at, left_out = self._said.get(sentence, (-self._seconds, 0))
        if now - at < self._seconds:
            self._said[sentence] = at, left_out + 1
            return None
        if len(self._said) >= self.MOST:
            self._said.clear()
        self._said[sentence] = now, 0
        return left_out
