"""The terminal that a person sits at: pictures go out, keys come in, and it is left as it was found."""

from __future__ import annotations

import base64
import contextlib
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple, Protocol

from alonechat.core.client.opening import Unusable
from alonechat.core.client.words import _
from alonechat.ui.tui.keys import Decoder, Input
from alonechat.ui.tui.screen import Painter, Screen, Style
from alonechat.ui.tui.width import width

ESCAPE_SECONDS = 0.04
"""How long a lone ESC may be the beginning of a sequence: over slow links its bytes come that far apart."""
ENTER = "\x1b[?1049h\x1b[22;2t\x1b[?2004h\x1b[?1000h\x1b[?1006h\x1b[?1004h"
LEAVE = "\x1b[?1004l\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[23;2t\x1b[0m\x1b[?25h\x1b[?1049l"
"""Another screen, the title kept aside, pasting as a whole, the mouse, focus; and all of it undone."""
ASK_GROUND = "\x1b]11;?\x07"
BEGIN, END = "\x1b[?2026h", "\x1b[?2026l"
"""A picture is shown whole, where the terminal can (synchronized output); others ignore it."""


class Resized(NamedTuple):
    """The terminal has another size now, or must be painted anew."""


class Terminal(Protocol):
    """What the application needs of a terminal. `wake` and `end` may be called from any thread and from signals."""

    colours: int
    ended: bool

    def open(self) -> None: ...
    def close(self) -> None: ...
    def size(self) -> tuple[int, int]: ...
    def show(self, screen: Screen) -> None: ...
    def read(self, seconds: float | None) -> list[Input | Resized]: ...
    def wake(self) -> None: ...
    def paint(self, sequence: Callable[[Style], str]) -> None: ...
    def tell(self, sequence: str) -> None: ...
    def copy(self, text: str) -> bool: ...
    def suspend(self) -> None: ...
    def outside(self, act: Callable[[], None]) -> None: ...
    def forget(self) -> None: ...


class PosixTerminal:
    """A terminal on POSIX. Pictures are written as the sequences that every terminal of the terminfo database with
    `cup` and `smcup` obeys, rather than through curses' windows: those take the C library's widths for true, which
    break the columns at emoji."""

    def __init__(self) -> None:
        self.ended = False
        self.colours = _capable()
        self.painter = Painter()
        self._in, self._out = sys.stdin.fileno(), sys.stdout.fileno()
        self._sequence: Callable[[Style], str] = lambda style: "\x1b[0m"
        self._decoder = Decoder()
        self._kept: list[Any] | None = None
        self._resized = False
        self._heard, self._wake = os.pipe()
        for end in (self._heard, self._wake):
            os.set_blocking(end, False)
        self._handlers: dict[int, Any] = {}

    # --- life ---

    def open(self) -> None:
        """Take the terminal over."""
        wanted = {signal.SIGWINCH: self._on_resize, signal.SIGTSTP: self._on_stop}
        wanted |= {signal.SIGTERM: self._on_end, signal.SIGHUP: self._on_end}
        self._handlers = {number: signal.signal(number, act) for number, act in wanted.items()}
        self._enter()

    def close(self) -> None:
        """Give it back as it was."""
        self._leave()
        for number, before in self._handlers.items():
            signal.signal(number, before)
        self._handlers = {}

    def _enter(self) -> None:
        import termios
        import tty

        self._kept = termios.tcgetattr(self._in)
        tty.setraw(self._in, termios.TCSADRAIN)
        self._write(ENTER)
        self.painter.forget()

    def _leave(self) -> None:
        import termios

        if self._kept is not None:
            with contextlib.suppress(OSError, termios.error):  # the terminal is gone
                self._write(LEAVE)
                termios.tcsetattr(self._in, termios.TCSADRAIN, self._kept)
            self._kept = None

    def suspend(self) -> None:
        """Give the shell its turn, until it brings this back to the foreground."""
        self._leave()
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(0, signal.SIGTSTP)  # all of the job, as the terminal's driver would
        signal.signal(signal.SIGTSTP, before)
        self._enter()
        self._resized = True

    def outside(self, act: Callable[[], None]) -> None:
        """Lend the terminal to another program."""
        self._leave()
        try:
            act()
        finally:
            self._enter()
            self._resized = True

    def _on_resize(self, number: int, frame: FrameType | None) -> None:
        self._resized = True
        self.wake()

    def _on_end(self, number: int, frame: FrameType | None) -> None:
        self.ended = True
        self.wake()

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self.suspend()
        self.wake()

    # --- out ---

    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        found = shutil.get_terminal_size() if self._out < 0 else _size(self._out)
        return max(1, found.lines), max(1, found.columns)

    def paint(self, sequence: Callable[[Style], str]) -> None:
        """Other colours from now on."""
        self._sequence = sequence
        self.painter.forget()

    def forget(self) -> None:
        """Draw all of the next picture: something else may have written here."""
        self.painter.forget()

    def show(self, screen: Screen) -> None:
        """Make the terminal show a picture, by what differs."""
        out = [BEGIN]
        if not self.painter.shows(screen):
            out.append("\x1b[0m\x1b[2J")
        style: Style | None = None
        place = (-1, -1)
        for run in self.painter.paint(screen):
            if place != (run.y, run.x):
                out.append(f"\x1b[{run.y + 1};{run.x + 1}H")
            if run.style != style:
                style = run.style
                out.append(self._sequence(style))
            out.append(run.text)
            place = (-1, -1) if run.odd else (run.y, run.x + width(run.text))
        if style is not None:
            out.append("\x1b[0m")
        at = screen.cursor
        out.append("\x1b[?25l" if at is None else f"\x1b[{at[0] + 1};{at[1] + 1}H\x1b[?25h")
        out.append(END)
        self._write("".join(out))

    def tell(self, sequence: str) -> None:
        """Write a sequence that moves nothing: a bell, a title, a notification."""
        self._write(sequence)

    def copy(self, text: str) -> bool:
        """Hand text to the clipboard; whether that could be done, as far as can be known."""
        self._write(copying(text, dict(os.environ)))
        return True

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            try:
                data = data[os.write(self._out, data) :]
            except BlockingIOError:
                select.select([], [self._out], [], 1.0)
            except OSError:  # the other end is gone; SIGHUP says so too
                self.ended = True
                return

    # --- in ---

    def wake(self) -> None:
        """Let `read` return."""
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._wake, b".")

    def read(self, seconds: float | None) -> list[Input | Resized]:
        """What came, once something came, `wake` was called or so many seconds passed (None: however long)."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            patience = ESCAPE_SECONDS if self._decoder.waiting else None
            wait = min(w for w in (left, patience, 86_400.0) if w is not None)
            ready = select.select([self._in, self._heard], [], [], wait)[0]
            found: list[Input | Resized] = []
            if self._heard in ready:
                os.read(self._heard, 4096)
            if self._in in ready:
                found += self._fed()
            elif self._decoder.waiting:
                found += self._decoder.flush()
            if self._resized:
                self._resized = False
                found.insert(0, Resized())
            if found or self.ended or self._heard in ready or (until is not None and time.monotonic() >= until):
                return found

    def _fed(self) -> list[Input]:
        try:
            data = os.read(self._in, 65536)
        except OSError:
            data = b""
        if not data:
            self.ended = True
        return self._decoder.feed(data)


def _size(descriptor: int) -> os.terminal_size:
    try:
        found = os.get_terminal_size(descriptor)
    except OSError:
        return os.terminal_size((80, 24))
    return found if found.columns and found.lines else os.terminal_size((80, 24))


def _capable() -> int:
    """How many colours the terminal has. Raises Unusable where no pictures can be drawn on it."""
    name = os.environ.get("TERM", "")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Unusable(_("standard input and output are not a terminal"))
    if name in ("", "dumb"):
        raise Unusable(_("this terminal can't place its cursor (TERM={name})").format(name=name or "?"))
    try:
        import curses

        curses.setupterm(name, sys.stdout.fileno())
        if not curses.tigetstr("cup"):
            raise Unusable(_("this terminal can't place its cursor (TERM={name})").format(name=name))
        return max(0, curses.tigetnum("colors"))
    except ImportError:
        raise Unusable(_("this Python has no curses")) from None
    except curses.error:
        raise Unusable(_("the terminal {name} is not known on this system").format(name=name)) from None


# --- sequences ---


def notification(title: str, body: str, environment: dict[str, str]) -> str:
    """What makes a terminal show a desktop notification: OSC 777 where that is known, else OSC 9."""
    kind, vte = environment.get("TERM", ""), environment.get("VTE_VERSION")
    clean = [part.replace(";", ",") for part in (title, body)]
    if kind.startswith(("rxvt", "foot")) or vte:
        text = f"\x1b]777;notify;{clean[0]};{clean[1]}\x07"
    else:
        text = f"\x1b]9;{clean[0]}: {clean[1]}\x07"
    return through(text, environment)


def copying(text: str, environment: dict[str, str]) -> str:
    """OSC 52: what makes a terminal take text to the clipboard, also over SSH."""
    coded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    return through(f"\x1b]52;c;{coded}\x07", environment)


def through(sequence: str, environment: dict[str, str]) -> str:
    """A sequence that also passes through tmux to the terminal around it, where tmux allows that."""
    if environment.get("TMUX"):
        return sequence + "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return sequence


def title(text: str) -> str:
    """What sets the window's title."""
    return f"\x1b]2;{text}\x07"
