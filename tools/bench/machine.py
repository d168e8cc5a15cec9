"""What the machine does by itself, whatever server runs: how long its disk takes, and what others take of its cores."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from tools.bench.place import CORES, SERVER_CORE

COMMIT: Final = 2 * (4096 + 24)
"""Bytes that a commit of one text appends to SQLite's write-ahead log: two pages and their heads."""
LOG: Final = 320 * COMMIT
"""Bytes after which that log begins anew, at 200 commits a second."""
MUCH: Final = 0.5
"""Percent of the cores taken by others in a window from which it is no measure of a server any more."""


@contextmanager
def _on(core: int | None) -> Iterator[None]:
    """Have the calling thread keep to one core meanwhile."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def flushes(folder: Path, rate: float, seconds: float, windows: int = 3) -> dict[str, Any]:
    """What one commit waits for at least: as much as it appends, written and flushed `rate` times a second, on the
    server's core, into a file that has its full length. The keys `p50_us` and `p99_us` are medians of the windows."""
    file = os.open(folder / "flushed", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(file, bytes(LOG))
        os.fsync(file)
        with _on(SERVER_CORE):
            found = [_window(file, rate, max(2, int(rate * seconds))) for _ in range(windows)]
    finally:
        os.close(file)
    return {key: median(each[key] for each in found) for key in found[0]} | {"windows": found}


def _window(file: int, rate: float, count: int) -> dict[str, float]:
    took, data = [], os.urandom(COMMIT)
    due = time.perf_counter()
    for number in range(count):
        due += 1 / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        os.pwrite(file, data, number * COMMIT % LOG)
        os.fdatasync(file)
        took.append((time.perf_counter() - began) * 1e6)
    took.sort()
    return {"p50_us": took[count // 2], "p99_us": took[count * 99 // 100]}


class Others:
    """What other machines on the same processor took of this one's cores since it was made: a hypervisor tells it."""

    def __init__(self) -> None:
        self._began = _ticks()

    def percent(self) -> float:
        """Of the time of the two cores that are measured on; 0 where nobody tells."""
        stolen, whole = (now - before for now, before in zip(_ticks(), self._began, strict=True))
        return 100 * stolen / whole if whole else 0.0


def _ticks() -> tuple[int, int]:
    """(stolen, all) of the cores of server and load since the machine's start, in 1/100 s."""
    stolen = whole = 0
    stat = Path("/proc/stat")
    for line in stat.read_text().splitlines() if stat.exists() else ():
        name, _, fields = line.partition(" ")
        if name in [f"cpu{core}" for core in CORES[:2]]:
            ticks = [int(each) for each in fields.split()][:8]
            stolen += ticks[7]
            whole += sum(ticks)
    return stolen, whole


def said(percent: float) -> str:
    """A line on `Others.percent` where it is worth one, else nothing."""
    if percent < MUCH:
        return ""
    return f"  others took {percent:.1f} % of these cores meanwhile: the figures are of a busy machine"
