"""Token buckets. Time is an argument, in seconds. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """Lets `rate` things a second pass, and `burst` at once. A rate of 0 lets everything pass."""

    rate: float
    burst: float
    level: float = field(default=-1.0)
    at: float = 0.0

    def wait(self, now: float) -> float:
        """Seconds until one more may pass; 0 when it may now. Takes nothing."""
        if self.rate <= 0:
            return 0.0
        self._fill(now)
        return 0.0 if self.level >= 1.0 else (1.0 - self.level) / self.rate

    def take(self, now: float) -> float:
        """Take one if it may pass now. Gives the seconds to wait, 0 when one was taken."""
        left = self.wait(now)
        if left == 0.0:
            self.level -= 1.0
        return left

    def give(self) -> None:
        """Put one back that was taken for an attempt that does not count."""
        self.level = min(self.burst, self.level + 1.0)

    def is_full(self, now: float) -> bool:
        """Whether nothing was taken lately, so that the bucket can be forgotten."""
        self._fill(now)
        return self.level >= self.burst

    def _fill(self, now: float) -> None:
        if self.level < 0:
            self.level = self.burst
        else:
            self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now


class Buckets:
    """One bucket for each key; those that are full again are forgotten, so that strangers can't fill the memory."""

    def __init__(self, rate: float, burst: float, most: int = 4096) -> None:
        self.rate, self.burst, self.most = rate, burst, most
        self._kept: dict[object, Bucket] = {}

    def of(self, key: object, now: float) -> Bucket:
        """The bucket of `key`."""
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= self.most:
                self._kept = {k: b for k, b in self._kept.items() if not b.is_full(now)}
                self.most = max(self.most, 2 * len(self._kept))
            found = self._kept[key] = Bucket(self.rate, self.burst)
        return found
