"""The terminal through curses' windows: for the consoles of Windows (windows-curses), whatever they are."""

from __future__ import annotations

import contextlib
import curses
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from alonechat.core.client.opening import Unusable
from alonechat.core.client.words import _
from alonechat.ui.tui.keys import Decoder, Input, Key, Mouse, Pasted, Typed
from alonechat.ui.tui.screen import Painter, Screen, Style
from alonechat.ui.tui.terminal import ESCAPE_SECONDS, Resized

GLANCE = 0.04
"""Seconds between looks at whether the core called: curses can't wait for a key and for that at once."""
ATTRIBUTES = {"1": "A_BOLD", "2": "A_DIM", "3": "A_ITALIC", "4": "A_UNDERLINE", "7": "A_REVERSE"}
NAMED = {
    **{"KEY_UP": "up", "KEY_DOWN": "down", "KEY_LEFT": "left", "KEY_RIGHT": "right", "KEY_HOME": "home"},
    **{"KEY_END": "end", "KEY_PPAGE": "pageup", "KEY_NPAGE": "pagedown", "KEY_DC": "delete", "KEY_IC": "insert"},
    **{"KEY_BACKSPACE": "backspace", "KEY_ENTER": "enter", "PADENTER": "enter", "KEY_BTAB": "shift+tab"},
    **{"KEY_SR": "shift+up", "KEY_SF": "shift+down", "KEY_SLEFT": "shift+left", "KEY_SRIGHT": "shift+right"},
    **{"CTL_UP": "ctrl+up", "CTL_DOWN": "ctrl+down", "CTL_LEFT": "ctrl+left", "CTL_RIGHT": "ctrl+right"},
    **{"CTL_HOME": "ctrl+home", "CTL_END": "ctrl+end", "CTL_ENTER": "ctrl+enter", "ALT_ENTER": "alt+enter"},
    **{"ALT_UP": "alt+up", "ALT_DOWN": "alt+down", "ALT_LEFT": "alt+left", "ALT_RIGHT": "alt+right"},
    **{"ALT_BKSP": "alt+backspace", "ALT_DEL": "alt+delete", "kUP3": "alt+up", "kDN3": "alt+down"},
    **{"kUP4": "alt+shift+up", "kDN4": "alt+shift+down", "kUP5": "ctrl+up", "kDN5": "ctrl+down"},
    **{"kHOM5": "ctrl+home", "kEND5": "ctrl+end", "kLFT5": "ctrl+left", "kRIT5": "ctrl+right", "kLFT3": "alt+left"},
}
"""What curses calls keys (PDCurses' names and ncurses'), and what the table of actions does."""


class Console:
    """A terminal of curses. Pasted text comes as keys there: what comes at once with line ends in it counts as one
    paste."""

    def __init__(self) -> None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise Unusable(_("standard input and output are not a terminal"))
        self.ended = False
        self.colours = 0
        self.painter = Painter()
        self._sequence: Callable[[Style], str] = lambda style: ""
        self._window: Any = None
        self._called = threading.Event()
        self._decoder = Decoder()
        self._looks: dict[str, int] = {}
        self._pairs: dict[tuple[int, int], int] = {}

    # --- life ---

    def open(self) -> None:
        self._window = curses.initscr()
        curses.raw()
        curses.noecho()
        curses.nonl()
        self._window.keypad(True)
        with contextlib.suppress(curses.error):
            curses.set_escdelay(int(ESCAPE_SECONDS * 1000)) if hasattr(curses, "set_escdelay") else None
            curses.start_color()
            curses.use_default_colors()
            self.colours = int(curses.COLORS)
        curses.mousemask(curses.ALL_MOUSE_EVENTS)
        curses.mouseinterval(0)

    def close(self) -> None:
        if self._window is not None:
            self._window = None
            curses.endwin()

    def suspend(self) -> None:
        """There are no jobs to go back to."""

    def outside(self, act: Callable[[], None]) -> None:
        curses.endwin()
        try:
            act()
        finally:
            self._window.refresh()
            self.painter.forget()

    # --- out ---

    def size(self) -> tuple[int, int]:
        height, width = self._window.getmaxyx()
        return int(height), int(width)

    def paint(self, sequence: Callable[[Style], str]) -> None:
        self._sequence = sequence
        self._looks.clear()
        self.painter.forget()

    def forget(self) -> None:
        self.painter.forget()

    def show(self, screen: Screen) -> None:
        if not self.painter.shows(screen):
            self._window.erase()
            self._window.redrawwin()
        for run in self.painter.paint(screen):
            with contextlib.suppress(curses.error):  # the last cell: the cursor has nowhere to go
                self._window.addstr(run.y, run.x, run.text, self._look(run.style))
        with contextlib.suppress(curses.error):
            curses.curs_set(0 if screen.cursor is None else 1)
            if screen.cursor is not None:
                self._window.move(*screen.cursor)
        self._window.refresh()

    def _look(self, style: Style) -> int:
        """A style as curses has it, by the sequence that sets it elsewhere."""
        sequence = self._sequence(style)
        if sequence not in self._looks:
            self._looks[sequence] = self._attributes(sequence)
        return self._looks[sequence]

    def _attributes(self, sequence: str) -> int:
        text = sequence.removeprefix("\x1b[0").removesuffix("m")
        grounds = {kind: int(number) for kind, number in re.findall(r";([34])8;5;(\d+)", text)}
        plain = re.sub(r";[34]8;[0-9;]*", "", text).split(";")
        look = 0
        for code in plain:
            if code in ATTRIBUTES:
                look |= int(getattr(curses, ATTRIBUTES[code], 0))
            elif code.isdecimal() and 30 <= int(code) <= 37:
                grounds["3"] = int(code) - 30
            elif code.isdecimal() and 90 <= int(code) <= 97:
                grounds["3"] = int(code) - 82
        return look | self._pair(grounds.get("3", -1), grounds.get("4", -1))

    def _pair(self, ink: int, ground: int) -> int:
        if (ink, ground) == (-1, -1) or max(ink, ground) >= self.colours:
            return 0
        if (ink, ground) not in self._pairs:
            number = len(self._pairs) + 1
            try:
                curses.init_pair(number, ink, ground)
            except (curses.error, ValueError):
                return 0
            self._pairs[ink, ground] = number
        return int(curses.color_pair(self._pairs[ink, ground]))

    def tell(self, sequence: str) -> None:
        """A bell; the other sequences mean nothing here."""
        if sequence == "\x07":
            curses.beep()

    def copy(self, text: str) -> bool:
        """To the clipboard, by the system's own program."""
        if os.name != "nt":
            return False
        try:
            subprocess.run(["clip"], input=text.encode("utf-16"), check=True, timeout=5)
        except (OSError, subprocess.SubprocessError):
            return False
        return True

    # --- in ---

    def wake(self) -> None:
        self._called.set()

    def read(self, seconds: float | None) -> list[Input | Resized]:
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            left = GLANCE if until is None else max(0.0, min(GLANCE, until - time.monotonic()))
            found = self._keys(int(left * 1000))
            called = self._called.is_set()
            self._called.clear()
            if found or called or self.ended or (until is not None and time.monotonic() >= until):
                return found

    def _keys(self, milliseconds: int) -> list[Input | Resized]:
        """What was pressed, as far as it comes at once."""
        found: list[Input | Resized] = []
        self._window.timeout(milliseconds)
        while True:
            try:
                key = self._window.get_wch()
            except curses.error:
                break
            self._window.timeout(0)
            if key == "\n":  # Enter, in consoles that have no other end of a line
                key = "\r"
            found += self._decoder.feed(key.encode("utf-8", "replace")) if isinstance(key, str) else self._named(key)
        found += self._decoder.flush() if self._decoder.waiting else []
        return _pasted(found)

    def _named(self, code: int) -> list[Input | Resized]:
        if code == curses.KEY_RESIZE:
            with contextlib.suppress(curses.error):
                curses.resize_term(0, 0) if os.name == "nt" else curses.update_lines_cols()
            return [Resized()]
        if code == curses.KEY_MOUSE:
            return self._mouse()
        name = curses.keyname(code).decode("ascii", "replace")
        if function := re.fullmatch(r"KEY_F\((\d+)\)", name):
            return [Key(f"f{function[1]}")]
        if held := re.fullmatch(r"ALT_([0-9A-Z])", name):
            return [Key(f"alt+{held[1].lower()}")]
        return [Key(NAMED[name])] if name in NAMED else []

    def _mouse(self) -> list[Input | Resized]:
        try:
            _device, x, y, _z, state = curses.getmouse()
        except curses.error:
            return []
        if state & (curses.BUTTON1_PRESSED | curses.BUTTON1_CLICKED):
            return [Mouse("press", y, x, 1)]
        if state & curses.BUTTON4_PRESSED:
            return [Mouse("up", y, x)]
        return [Mouse("down", y, x)] if state & getattr(curses, "BUTTON5_PRESSED", 0) else []


def _pasted(found: list[Input | Resized]) -> list[Input | Resized]:
    """Characters with line ends among them that came at once, as one paste; a single Enter behind them is a key."""
    ends = [at for at, each in enumerate(found) if each in (Key("enter"), Key("ctrl+j"))]
    typed = all(isinstance(each, Typed) or at in ends or each == Key("tab") for at, each in enumerate(found))
    if not typed or not ends or ends == [len(found) - 1]:
        return found
    text = "".join(each.text if isinstance(each, Typed) else "\t" if each == Key("tab") else "\n" for each in found)
    return [Pasted(text)]
