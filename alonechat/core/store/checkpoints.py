"""Moving the write-ahead log into the database, beside the writer.

SQLite does it by itself within a commit, once a thousand pages have gathered: that commit, and all that wait for it,
take several milliseconds longer, many times a second under load. So a thread with a connection of its own does it and
holds up nobody. What is written meanwhile is left over, and as long as something is, the log only grows: once it is
long, the writer moves that little itself, and the log begins anew.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Final

from alonechat.core.logging import get_logger

ENOUGH: Final = 256
"""Posts and writes after which there is enough to move."""
SELDOM: Final = 0.25
"""Seconds from one time to the next at least: a page that is written again and again is moved once."""
LONG: Final = 4_000
"""Pages of the log from which the writer has it begin anew: 16 MB."""
MOVE: Final = "PRAGMA wal_checkpoint(PASSIVE)"
log = get_logger(__name__)


class Checkpoints:
    """`start`, `wrote` and `close` are for the writer's thread. `is_long`: it should run MOVE itself, and unset it."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._since = 0
        self._busy = False
        self._wanted = threading.Semaphore(0)
        self._stopping = threading.Event()
        self._mover: threading.Thread | None = None
        self.is_long = False

    def start(self) -> None:
        """From now on `wrote` has an effect."""
        self._mover = threading.Thread(target=self._run, name="store-checkpoints", daemon=True)
        self._mover.start()

    def wrote(self, count: int) -> None:
        """So many posts and writes were committed."""
        self._since += count
        if self._since >= ENOUGH and not self._busy and self._mover is not None:
            self._since, self._busy = 0, True
            self._wanted.release()

    def close(self) -> None:
        """End the thread, after what it is at."""
        if self._mover is not None:
            self._stopping.set()
            self._wanted.release()
            self._mover.join()
            self._mover = None

    def _run(self) -> None:
        raw = self._connect()
        try:
            while True:
                self._wanted.acquire()
                if self._stopping.is_set():
                    return
                began = time.monotonic()
                self._move(raw)
                if self._stopping.wait(max(0.0, began + SELDOM - time.monotonic())):
                    return
                self._busy = False
        finally:
            raw.close()

    def _move(self, raw: sqlite3.Connection) -> None:
        try:
            _busy, pages, _moved = raw.execute(MOVE).fetchone()
        except sqlite3.Error as error:  # the next time moves it, too
            log.warning("the write-ahead log was not moved into the database", error=str(error))
            return
        if pages >= LONG:
            self.is_long = True
