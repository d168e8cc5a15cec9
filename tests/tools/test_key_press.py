"""tools/key_press.py in a real terminal, and the names of its keys."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.tools.terminal import terminal
from tools import key_press

posix = pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: a pseudo-terminal")


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (b"a", "a"),
        ("你".encode(), "你"),
        (b"\x01", "Ctrl-A"),
        (b"\x1b", "Escape"),
        (b"\x1b[A", "Up"),
        (b"\x1bOA", "Up"),
        (b"\x1bOP", "F1"),
        (b"\x1b[[C", "F3"),
        (b"\x1b[1;5C", "Ctrl-Right"),
        (b"\x1b[3;6~", "Ctrl-Shift-Delete"),
        (b"\x1b[24~", "F12"),
        (b"\x1b[Z", "Shift-Tab"),
        (b"\x1bx", "Alt-x"),
        (b"\x7f", "Backspace"),
        (b"\x1b[999~", "unknown"),
        (b"\xff", "unknown"),
    ],
)
def test_a_key_is_called_what_a_person_calls_it(sent: bytes, name: str) -> None:
    assert key_press.name_of(sent) == name
    assert list(key_press.split(sent)) == [sent]


def test_keys_that_come_at_once_are_told_apart() -> None:
    keys = [b"a", b"\x1b[1;2A", "é".encode(), b"\x1bOH", b"\x1b[[A", b"\x1b\x1b[B", b"\r"]
    assert list(key_press.split(b"".join(keys))) == keys


@posix
def test_it_shows_bytes_and_name_and_ends_with_q() -> None:
    with terminal("tools/key_press.py") as screen:
        screen.shows("ends.")
        screen.type(b"\x1b[5~")
        assert "1b 5b 35 7e" in screen.shows("Page Up")
        screen.type("上")
        assert "e4 b8 8a" in screen.shows("上")
        screen.type("q")
        code, seen = screen.ends()
        assert (code, seen.split()[0]) == (0, "71")


@posix
def test_one_ctrl_c_is_shown_and_the_second_ends_it() -> None:
    with terminal("tools/key_press.py") as screen:
        screen.shows("ends.")
        screen.type(b"\x03")
        screen.shows("Ctrl-C")
        screen.type(b"x\x03")
        screen.shows("Ctrl-C")
        screen.type(b"\x03")
        assert screen.ends()[0] == 0


def test_without_a_terminal_it_says_what_it_needs() -> None:
    done = subprocess.run([sys.executable, "tools/key_press.py"], input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "key_press: standard input must be a terminal, to press keys in\n")
