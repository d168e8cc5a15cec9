"""Files that are replaced whole, so that nobody reads half of one, and the lock of those who change one.

Windows refuses to replace a file for as long as somebody has it open, and to open one that is being replaced. Others
hold these files for moments only, so there it is tried again for one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

PATIENCE, HELD, AGAIN = 1.0, 10.0, 0.01
"""Seconds for which Windows is asked again for a file (a scanner of viruses holds a new one as long) and for a lock,
and between two times."""

T = TypeVar("T")


def replace(draft: Path, path: Path) -> None:
    """Give the draft the name `path`, in place of what has it. Raises OSError."""
    _patiently(lambda: os.replace(draft, path))


def read(path: Path) -> str:
    """The text of a file that others replace. Raises OSError, UnicodeDecodeError."""
    return _patiently(lambda: path.read_text(encoding="utf-8"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that this file is; it is made when it is not there, and stays. Who comes second waits, also in
    another process (on Windows for `HELD` seconds). Raises OSError."""
    lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        _lock(lock)
        yield
    finally:
        os.close(lock)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        _again(lambda: msvcrt.locking(file, msvcrt.LK_NBLCK, 1), OSError, HELD)  # LK_LOCK looks once a second

    def _patiently(act: Callable[[], T]) -> T:
        return _again(act, PermissionError, PATIENCE)

    def _again(act: Callable[[], T], refused: type[OSError], seconds: float) -> T:
        until = time.monotonic() + seconds
        while True:
            try:
                return act()
            except refused:
                if time.monotonic() > until:
                    raise
                time.sleep(AGAIN)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _patiently(act: Callable[[], T]) -> T:
        return act()
