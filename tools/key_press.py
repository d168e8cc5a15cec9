#!/usr/bin/env python3
"""Shows which key the terminal sends: its bytes and its name. q, or Ctrl-C twice, ends."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator

NAMES = {
    b"\r": "Enter",
    b"\n": "Ctrl-J",
    b"\t": "Tab",
    b"\x1b": "Escape",
    b"\x7f": "Backspace",
    b"\x00": "Ctrl-Space",
    b"\x1c": "Ctrl-\\",
    b"\x1d": "Ctrl-]",
    b"\x1e": "Ctrl-^",
    b"\x1f": "Ctrl-_",
    b" ": "Space",
    b"\x1b[Z": "Shift-Tab",
}
LETTERS = {"A": "Up", "B": "Down", "C": "Right", "D": "Left", "E": "Begin", "F": "End", "H": "Home"}
FUNCTIONS = {"P": "F1", "Q": "F2", "R": "F3", "S": "F4"}
CONSOLE = {"A": "F1", "B": "F2", "C": "F3", "D": "F4", "E": "F5"}
"""The Linux console's function keys come as ESC [ [ letter."""
NUMBERS = {
    **{1: "Home", 2: "Insert", 3: "Delete", 4: "End", 5: "Page Up", 6: "Page Down", 7: "Home", 8: "End"},
    **{11: "F1", 12: "F2", 13: "F3", 14: "F4", 15: "F5", 17: "F6", 18: "F7", 19: "F8", 20: "F9", 21: "F10"},
    **{23: "F11", 24: "F12", 200: "Paste begins", 201: "Paste ends"},
}
"""CSI number ~: what xterm, the Linux console and rxvt send."""
WINDOWS = {
    **{"H": "Up", "P": "Down", "M": "Right", "K": "Left", "G": "Home", "O": "End", "R": "Insert", "S": "Delete"},
    **{"I": "Page Up", "Q": "Page Down", "\x85": "F11", "\x86": "F12"},
    **{chr(0x3A + number): f"F{number}" for number in range(1, 11)},
}
"""The second code of a key on Windows, after \\x00 or \\xe0."""
PAUSE = 0.05
"""Seconds within which the bytes of one key follow each other; a lone Escape has nothing after it."""
CTRL_C = b"\x03"
GREETING = "Press keys; q, or Ctrl-C twice, ends."


def name_of(key: bytes) -> str:
    """What a person calls the key that sent these bytes; "unknown" for a sequence that no table has."""
    if key in NAMES:
        return NAMES[key]
    if len(key) == 1 and key < b" ":
        return f"Ctrl-{chr(key[0] + 64)}"
    if key[:2] in (b"\x1b[", b"\x1bO"):
        return _name_of_sequence(key[:2].decode(), key[2:].decode("ascii", "replace"))
    if key[:1] == b"\x1b":
        return f"Alt-{name_of(key[1:])}"
    try:
        text = key.decode("utf-8")
    except UnicodeDecodeError:
        return "unknown"
    return text if text.isprintable() else "unknown"


def _name_of_sequence(start: str, rest: str) -> str:
    if not rest:
        return f"Alt-{start[1]}"
    numbers, last = rest[:-1].split(";"), rest[-1]
    if rest[0] == "[":
        return CONSOLE.get(last, "unknown")
    tables = {**LETTERS, **FUNCTIONS}
    if last == "~" and numbers[0].isdecimal():
        name = NUMBERS.get(int(numbers[0]))
    else:
        name = tables.get(last) if last.isalpha() else None
    if name is None:
        return "unknown"
    return _held(int(numbers[1]) - 1) + name if len(numbers) == 2 and numbers[1].isdecimal() else name


def _held(bits: int) -> str:
    """The keys held down: xterm sends one more than the sum of 1 Shift, 2 Alt, 4 Ctrl, 8 Meta."""
    return "".join(name for bit, name in ((4, "Ctrl-"), (2, "Alt-"), (1, "Shift-"), (8, "Meta-")) if bits & bit)


def split(data: bytes) -> Iterator[bytes]:
    """The keys in what was read at once: escape sequences and UTF-8 characters stay whole."""
    while data:
        size = _size_of_first(data)
        yield data[:size]
        data = data[size:]


def _size_of_first(data: bytes) -> int:
    if data[:1] == b"\x1b" and len(data) > 1:
        if data[1:2] == b"[":
            if data[2:3] == b"[":
                return min(4, len(data))
            ends = (place for place in range(2, len(data)) if 0x40 <= data[place] <= 0x7E)
            return next(ends, len(data) - 1) + 1
        return min(3, len(data)) if data[1:2] == b"O" else 1 + _size_of_first(data[1:])
    lead = data[0]
    return min(len(data), 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4)


def watch(read: Callable[[], bytes], write: Callable[[str], None]) -> None:
    """Writes a line for every key until q, Ctrl-C twice in a row, or the end of the input."""
    before = b""
    while data := read():
        for key in split(data):
            write(f"{key.hex(' '):<24} {key!r:<24} {name_of(key)}")
            if key == b"q" or key == before == CTRL_C:
                return
            before = key


@contextlib.contextmanager
def _posix_keys() -> Iterator[Callable[[], bytes]]:
    """Bytes as the terminal sends them, none held back or acted upon; the terminal is put right afterwards."""
    import select
    import termios
    import tty

    terminal = sys.stdin.fileno()
    kept = termios.tcgetattr(terminal)

    def read() -> bytes:
        data = os.read(terminal, 1024)
        while data and select.select([terminal], [], [], PAUSE)[0]:
            more = os.read(terminal, 1024)
            if not more:
                break
            data += more
        return data

    try:
        tty.setraw(terminal)
        yield read
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, kept)


def _watch_windows(write: Callable[[str], None]) -> None:
    """Windows sends characters, and two codes for keys that have none."""
    import msvcrt

    before = ""
    while True:
        key: str = msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
        if key in ("\x00", "\xe0"):
            second: str = msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
            name, key = WINDOWS.get(second, "unknown"), key + second
        else:
            name = "Backspace" if key == "\x08" else name_of(key.encode("utf-8", "replace"))
        write(f"{' '.join(f'{ord(code):02x}' for code in key):<24} {key!a:<24} {name}")
        if key == "q" or key == before == "\x03":
            return
        before = key


def main(arguments: list[str] | None = None) -> int:
    """Watches the terminal and returns the exit code."""
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    if sys.stdin is None or not sys.stdin.isatty():
        print("key_press: standard input must be a terminal, to press keys in", file=sys.stderr)
        return 2

    def write(line: str) -> None:
        sys.stdout.write(line + "\r\n")
        sys.stdout.flush()

    if sys.platform == "win32":
        write(GREETING)
        _watch_windows(write)
    else:
        with _posix_keys() as read:
            write(GREETING)  # only now: keys that are pressed before the terminal is ready are lost
            watch(read, write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
