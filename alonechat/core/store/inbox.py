"""What waits for the writer's thread, and how that is woken.

A queue of the standard library wakes who waits while the caller has Python's lock. On one core the writer then runs at
once, finds the lock taken, and waits; when the caller comes to let go of it, the writer runs and finds the lock's own
lock taken: six changes of thread, where two are needed. To write to an `eventfd` lets go of the lock first.
"""

from __future__ import annotations

import os
import queue
import select
import time
from collections import deque
from typing import Any, Final, Protocol

_ONE: Final = (1).to_bytes(8, "little")


class Bell(Protocol):
    """Wakes a thread: `wait` returns once it was rung since the last time, or after so many seconds, None for ever."""

    def ring(self) -> None: ...
    def wait(self, seconds: float | None) -> None: ...
    def close(self) -> None: ...


class FileBell:
    """A file of Linux."""

    def __init__(self) -> None:
        self._file = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.epoll()
        self._poll.register(self._file, select.EPOLLIN | select.EPOLLET)  # each ring is told once: nothing to read

    def ring(self) -> None:
        os.write(self._file, _ONE)

    def wait(self, seconds: float | None) -> None:
        self._poll.poll(seconds, 1)

    def close(self) -> None:
        self._poll.close()
        os.close(self._file)


class QueueBell:
    """A queue of the standard library, for any system."""

    def __init__(self) -> None:
        self._rung: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        self._rung.put(None)

    def wait(self, seconds: float | None) -> None:
        try:
            self._rung.get(timeout=seconds)
        except queue.Empty:
            return

    def close(self) -> None:
        """Nothing is left behind."""


class Inbox:
    """`put` is for any thread, the rest for the one that takes."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._bell: Bell = FileBell() if hasattr(os, "eventfd") else QueueBell()
        self._waits = False

    def put(self, item: Any) -> None:
        self._items.append(item)
        if self._waits:
            self._waits = False
            self._bell.ring()

    def is_empty(self) -> bool:
        return not self._items

    def get(self, until: float | None) -> Any:
        """The first item, once there is one. Raises IndexError when there is none at `until` (`time.monotonic`)."""
        items = self._items
        while not items:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0.0:
                break
            self._waits = True
            if not items:  # else it came before the caller could know that somebody waits
                self._bell.wait(left)
            self._waits = False
        return items.popleft()

    def close(self) -> None:
        self._bell.close()
