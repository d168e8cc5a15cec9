"""How the writer's thread wakes the loop.

uvloop's `call_soon_threadsafe` writes to its file while the caller has Python's lock. On one core the loop then runs at
once, finds the lock taken, and waits; the writer goes on, lets go of it, and the loop finds the lock's own lock taken:
six changes of thread, 50 µs, before anything is delivered. `os.write` lets go of the lock first, so there are two.
(asyncio's own loop does the same by itself.)
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import Any, Final

_ONE: Final = (1).to_bytes(8, "little")


class Wakes:
    """A file that `loop` reads, in place of its own. `call` is for other threads, until `close`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._file = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        loop.add_reader(self._file, self._read)

    def call(self, act: Callable[..., Any], *given: Any) -> None:
        """Have the loop call `act(*given)`, in the order of the calls."""
        self._due.append((act, given))
        os.write(self._file, _ONE)

    def _read(self) -> None:
        os.read(self._file, 8)
        self._call_due()

    def _call_due(self) -> None:
        try:
            while self._due:
                act, given = self._due.popleft()
                act(*given)
        finally:
            if self._due:  # one failed, which the loop hears of, and takes nothing from the others
                self._loop.call_soon(self._call_due)

    def close(self) -> None:
        """On the loop, once no thread calls any more."""
        for act, given in self._due:
            self._loop.call_soon(act, *given)
        self._due.clear()
        self._loop.remove_reader(self._file)
        os.close(self._file)


def wakes(loop: asyncio.AbstractEventLoop) -> Wakes | None:
    """None where the loop's own way is as good, or there is no such file."""
    return Wakes(loop) if hasattr(os, "eventfd") and type(loop).__module__.startswith("uvloop") else None
