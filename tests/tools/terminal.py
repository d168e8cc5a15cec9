"""A program in a terminal of its own: what a person types, what is seen, how it ends."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 20


class Terminal:
    """A Python program of the tree that runs in a pseudo-terminal."""

    def __init__(self, *arguments: str) -> None:
        import pty

        self._end, other = pty.openpty()
        command = [sys.executable, *arguments]
        # A session of its own with this terminal as the controlling one: getpass opens /dev/tty.
        self._process = subprocess.Popen(
            [sys.executable, "-c", TAKES_TERMINAL, *command], cwd=ROOT, stdin=other, stdout=other, stderr=other
        )
        os.close(other)
        self.seen = ""

    def shows(self, text: str) -> str:
        """Waits until `text` is seen after what was asked for before; returns what was seen up to it."""
        deadline = time.monotonic() + SECONDS
        while text not in self.seen:
            if not select.select([self._end], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"{text!r} was not seen within {SECONDS} s, only {self.seen!r}")
            more = self._read()
            assert more, f"{text!r} was not seen before the program ended, only {self.seen!r}"
            self.seen += more
        found, _, self.seen = self.seen.partition(text)
        return found + text

    def type(self, keys: str | bytes) -> None:
        """Presses keys."""
        os.write(self._end, keys.encode() if isinstance(keys, str) else keys)

    def ends(self) -> tuple[int, str]:
        """Waits for the program to end; its exit code and what was seen meanwhile."""
        while more := self._read():
            self.seen += more
        return self._process.wait(SECONDS), self.seen

    def _read(self) -> str:
        try:
            return os.read(self._end, 65536).decode("utf-8", "replace")
        except OSError:  # Linux: nobody holds the other end any more
            return ""

    def close(self) -> None:
        """Ends the program if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._end)


TAKES_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@contextlib.contextmanager
def terminal(*arguments: str) -> Iterator[Terminal]:
    """A `Terminal` that is closed afterwards."""
    opened = Terminal(*arguments)
    try:
        yield opened
    finally:
        opened.close()
