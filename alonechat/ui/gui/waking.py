"""How other threads reach Tk's: a pipe that Tk watches, so that nothing turns while nothing happens."""

from __future__ import annotations

import os
import queue
import sys
import tkinter
from collections.abc import Callable
from contextlib import suppress

from alonechat.ui.gui import collecting

POLL = 80
"""Milliseconds between looks where Tk can't watch a pipe (Windows)."""


class Waker:
    """`wake()` may be called in any thread: soon after, `act()` is called in Tk's. `post(call)` has that called there
    too, before `act`. Garbage is collected behind them (`collecting`)."""

    def __init__(self, root: tkinter.Misc, act: Callable[[], None]) -> None:
        self._root, self._act = root, act
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._woken = False
        self._ends: tuple[int, int] | None = None
        self._timer = ""
        if sys.platform == "win32":
            self._poll()
        else:
            self._ends = os.pipe()
            for end in self._ends:
                os.set_blocking(end, False)
            root.tk.createfilehandler(self._ends[0], tkinter.READABLE, self._readable)

    def wake(self) -> None:
        """Have `act` called in Tk's thread."""
        if not self._woken:
            self._woken = True
            if self._ends is not None:
                with suppress(OSError):  # full: it is awake already; closed: nobody waits any more
                    os.write(self._ends[1], b"!")

    def post(self, call: Callable[[], None]) -> None:
        """Have something called in Tk's thread."""
        self._calls.put(call)
        self.wake()

    def _readable(self, _file: int, _mask: int) -> None:
        assert self._ends is not None
        with suppress(BlockingIOError):
            os.read(self._ends[0], 4096)
        self._run()

    def _poll(self) -> None:
        if self._woken:
            self._run()
        self._timer = self._root.after(POLL, self._poll)

    def _run(self) -> None:
        self._woken = False
        while True:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                break
            self._carried(call)
        self._carried(self._act)
        collecting.collect()

    def _carried(self, call: Callable[[], None]) -> None:
        """A fault is reported as those of Tk's own calls are: out of here it would end the main loop."""
        try:
            call()
        except Exception:
            self._root.report_callback_exception(*sys.exc_info())  # type: ignore[attr-defined]

    def close(self) -> None:
        """Stop watching."""
        if self._timer:
            self._root.after_cancel(self._timer)
        if self._ends is not None:
            self._root.tk.deletefilehandler(self._ends[0])
            read, write = self._ends
            self._ends = None
            os.close(read)
            os.close(write)
