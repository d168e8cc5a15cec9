"""Tests that need the processor for themselves, while others run in processes beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: there they run beside the others
    fcntl = None  # type: ignore[assignment]


class Turns:
    """Two locks in a folder that all the processes share, each held for one test. A process that dies leaves none;
    one that is stopped, as by a debugger, has the others wait until it goes on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._next, self._runs = ((folder / name).open("w") for name in ("next", "runs"))

    @contextmanager
    def taken(self, alone: bool) -> Iterator[None]:
        """For the time of one test: `alone`, when all others have come to their end, and so that none begins."""
        with ExitStack() as running:
            with _held(self._next):  # who waits to be alone keeps the others from beginning
                running.enter_context(_held(self._runs, shared=not alone))
            yield

    def close(self) -> None:
        self._next.close()
        self._runs.close()


@contextmanager
def _held(file: IO[str], shared: bool = False) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
