"""The terminal client of the built file in a pseudo-terminal, seen through pyte: what is pressed, what is on screen."""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyte

from alonechat.core.client.accounts import Account, Accounts
from tests.journeys.people import People
from tests.tools.terminal import TAKES_TERMINAL

SECONDS = 20
KEYS = {"enter": "\r", "escape": "\x1b", "tab": "\t", "up": "\x1b[A", "down": "\x1b[B", "backspace": "\x7f"}
KEYS |= {"pageup": "\x1b[5~", "pagedown": "\x1b[6~", "end": "\x1b[F", "ctrl+up": "\x1b[1;5A", "ctrl+home": "\x1b[1;5H"}
KEYS |= {"alt+up": "\x1b[1;3A", "alt+down": "\x1b[1;3B", "alt+enter": "\x1b\r", "alt+shift+down": "\x1b[1;4B"}
KEYS |= {"f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "focus": "\x1b[I", "blur": "\x1b[O"}
KEYS |= {f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"}
KEYS |= {f"alt+{char}": f"\x1b{char}" for char in "123456789abcdefghijklmnopqrstuvwxyz"}


class Cells(pyte.Screen):
    """A terminal's cells, which may be looked at in the middle of a drawing."""

    @property
    def display(self) -> list[str]:
        """The lines. The second cell of a wide character is empty, also while its first is drawn over."""
        return ["".join(self.buffer[y][x].data for x in range(self.columns)) for y in range(self.lines)]


class Tui:
    """One client. `screen` is what a person sees; `raw` is all that was written to the terminal."""

    def __init__(self, command: list[str], env: dict[str, str], size: tuple[int, int]) -> None:
        import pty

        rows, columns = size
        self._end, other = pty.openpty()
        self.screen = Cells(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._closed = False
        self._set_size(rows, columns)
        given = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **env}
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKES_TERMINAL, *command],
            stdin=other,
            stdout=other,
            stderr=other,
            env={name: value for name, value in given.items() if value},
        )
        self._terminal = os.ttyname(other)
        os.close(other)

    def _set_size(self, rows: int, columns: int) -> None:
        import fcntl
        import termios

        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows: int, columns: int) -> None:
        """The window has another size now."""
        self.screen.resize(rows, columns)
        self._set_size(rows, columns)

    # --- what is seen ---

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Reads what the client writes until something is so; fails with the screen."""
        deadline = time.monotonic() + SECONDS
        while not true():
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"{what} was not seen within {SECONDS} s; the screen:\n{self.text}")

    def _read(self, seconds: float) -> bool:
        if not select.select([self._end], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(self._end, 1 << 16)
        except OSError:
            data = b""
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    @property
    def text(self) -> str:
        """The screen, line by line."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def sees(self, *texts: str) -> str:
        """Waits until all of the texts are on the screen; gives it."""
        self.until(lambda: all(text in self.text for text in texts), " and ".join(map(repr, texts)))
        return self.text

    def loses(self, text: str) -> None:
        """Waits until a text is not on the screen any more."""
        self.until(lambda: text not in self.text, f"a screen without {text!r}")

    def lists(self, name: str, badge: str = "") -> int:
        """Waits until the list of conversations has a line with a name and a badge; its row."""

        def listed() -> list[int]:
            lines = (line.partition("│")[0].strip(" ▸") for line in self.screen.display)
            end = f" {badge}" if badge else name
            return [at for at, line in enumerate(lines) if name in line and line.endswith(end)]

        self.until(lambda: bool(listed()), f"{name} {badge} in the list")
        return listed()[0]

    def row(self, text: str) -> int:
        """The lowest row that holds a text."""
        found = [at for at, line in enumerate(self.screen.display) if text in line]
        assert found, f"{text!r} is not on the screen:\n{self.text}"
        return found[-1]

    def line(self, text: str) -> str:
        """The lowest line that holds a text; empty while there is none."""
        return next((line.rstrip() for line in reversed(self.screen.display) if text in line), "")

    # --- what is done ---

    def press(self, *names: str) -> None:
        """Presses keys by name. An ESC right in front of another key would be Alt with it: no hand is that quick."""
        for name in names:
            seen = len(self.raw)
            os.write(self._end, KEYS[name].encode())
            if name == "escape":
                self.until(lambda seen=seen: len(self.raw) > seen, "an answer to Escape")  # type: ignore[misc]
                time.sleep(0.06)

    def taken(self) -> None:
        """Waits until the client knows of all that was pressed: it shows a letter that was typed after that, and takes
        it back. (That its terminal holds no more does not: the system gives it what was written a moment later.)"""
        self.type("~")
        self.sees("> ~")
        self.press("backspace")
        self.loses("> ~")

    def type(self, text: str) -> None:
        """Types, or sends bytes as they are."""
        data = text.encode()
        while data:
            data = data[os.write(self._end, data[:512]) :]
            self._read(0)

    def says(self, text: str) -> None:
        """Types a line and sends it."""
        self.type(text)
        self.press("enter")

    def paste(self, text: str) -> None:
        """Pastes, as a terminal does that can tell it from typing."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def click(self, row: int, column: int) -> None:
        """Presses and releases the left button at a cell."""
        self.type(f"\x1b[<0;{column + 1};{row + 1}M\x1b[<0;{column + 1};{row + 1}m")

    def wheel(self, row: int, column: int, notches: int) -> None:
        """Turns the wheel: up is positive."""
        for _ in range(abs(notches)):
            self.type(f"\x1b[<{64 if notches > 0 else 65};{column + 1};{row + 1}M")

    # --- the end ---

    def ends(self) -> int:
        """Waits for the client to end; its exit code."""
        while self._read(SECONDS):
            pass
        return self.process.wait(SECONDS)

    def close(self) -> None:
        """Ends the client if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if not self._closed:
            self._closed = True
            os.close(self._end)


def signed_in(people: People, home: Path, *names: str) -> dict[str, str]:
    """Accounts of these people saved below a home directory, the first one as the current; the environment that
    makes a client use that home."""
    env = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE")}
    accounts = Accounts(home / "config" / "alonechat" / "accounts.json")
    for each in reversed(names):
        people.register(each)
        accounts.save(Account(people.server.rest_url, each, people.token(each), people.server.ws_url))
    return env
