"""What a terminal sends, as keys with names, pasted text, mouse and focus. Pure: bytes come in, events come out."""

from __future__ import annotations

import re
from typing import NamedTuple


class Key(NamedTuple):
    """A key by the name that the table of actions knows: `ctrl+k`, `alt+up`, `enter`."""

    name: str


class Typed(NamedTuple):
    """Characters that were typed."""

    text: str


class Pasted(NamedTuple):
    """Text that was pasted as a whole."""

    text: str


class Mouse(NamedTuple):
    """`press`, `release`, `up` and `down` (the wheel), at a cell counted from 0; `button` 1 left, 2 middle, 3 right."""

    kind: str
    y: int
    x: int
    button: int = 0


class Focus(NamedTuple):
    """Whether the terminal's window has the keyboard now."""

    has: bool


class Answer(NamedTuple):
    """What the terminal answered to a question: the ground colour, `rgb:ffff/ffff/ffff`."""

    text: str


Input = Key | Typed | Pasted | Mouse | Focus | Answer

CONTROLS = {0x0D: "enter", 0x0A: "ctrl+j", 0x09: "tab", 0x7F: "backspace", 0x08: "ctrl+h", 0x00: "ctrl+space"}
CONTROLS |= {0x1C: "ctrl+\\", 0x1D: "ctrl+]", 0x1E: "ctrl+^", 0x1F: "ctrl+_"}
CONTROLS |= {code: f"ctrl+{chr(code + 96)}" for code in range(1, 27) if code not in CONTROLS}
LETTERS = {"A": "up", "B": "down", "C": "right", "D": "left", "F": "end", "H": "home"}
LETTERS |= {"P": "f1", "Q": "f2", "R": "f3", "S": "f4"}
CONSOLE = {"A": "f1", "B": "f2", "C": "f3", "D": "f4", "E": "f5"}
NUMBERS = {1: "home", 2: "insert", 3: "delete", 4: "end", 5: "pageup", 6: "pagedown", 7: "home", 8: "end"}
NUMBERS |= {11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5", 17: "f6", 18: "f7", 19: "f8", 20: "f9", 21: "f10"}
NUMBERS |= {23: "f11", 24: "f12"}
CODES = {13: "enter", 9: "tab", 27: "escape", 127: "backspace", 32: "space", 8: "backspace"}
RXVT = {"a": "shift+up", "b": "shift+down", "c": "shift+right", "d": "shift+left"}
_CSI = re.compile(rb"\x1b\[([<-?]?)([0-9;:]*)([ -/]*)([@-~])")
_STRING = re.compile(rb"\x1b[\]P_^](.*?)(?:\x07|\x1b\\)", re.DOTALL)
PASTE, PASTED = b"\x1b[200~", b"\x1b[201~"
MOST = 4 * 1024 * 1024
"""Bytes of one paste; what is longer is cut there."""


class Decoder:
    """Bytes to events. A lone ESC may be the key or the beginning of a sequence: `waiting` says that bytes are held
    back, and `flush`, when nothing followed within some 50 ms, takes them for keys."""

    def __init__(self) -> None:
        self._held = b""
        self._paste: bytearray | None = None

    @property
    def waiting(self) -> bool:
        """Whether something was held back that `flush` would give."""
        return bool(self._held) and self._paste is None

    def feed(self, data: bytes) -> list[Input]:
        """The events that these bytes complete."""
        found: list[Input] = []
        data, self._held = self._held + data, b""
        while data:
            if self._paste is not None:
                data = self._pasting(data, found)
                continue
            event, size = self._first(data)
            if not size:
                self._held = data
                break
            data = data[size:]
            if event is not None:
                _add(found, event)
        return found

    def flush(self) -> list[Input]:
        """What was held back, as keys: nothing followed it."""
        data, self._held = self._held, b""
        if not data or self._paste is not None:
            return []
        if data[:1] != b"\x1b":
            return []  # a character that was cut short
        rest = data[1:]
        if not rest:
            return [Key("escape")]
        return [Key(f"alt+{chr(rest[0])}")] if len(rest) == 1 and 32 < rest[0] < 127 else [Key("escape")]

    def _pasting(self, data: bytes, found: list[Input]) -> bytes:
        assert self._paste is not None
        end = data.find(PASTED)
        if end < 0:
            keep = next((n for n in range(len(PASTED) - 1, 0, -1) if data.endswith(PASTED[:n])), 0)
            self._paste += data[: len(data) - keep]
            self._held = data[len(data) - keep :]
            return b""
        self._paste += data[:end]
        text = bytes(self._paste[:MOST]).decode("utf-8", "replace")
        found.append(Pasted(text.replace("\r\n", "\n").replace("\r", "\n")))
        self._paste = None
        return data[end + len(PASTED) :]

    def _first(self, data: bytes) -> tuple[Input | None, int]:
        """The first event and how many bytes it takes; 0: more are needed to tell."""
        lead = data[0]
        if lead == 0x1B:
            return self._escaped(data)
        if lead < 0x20 or lead == 0x7F:
            return Key(CONTROLS[lead]), 1
        size = 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        if len(data) < size and all(0x80 <= byte < 0xC0 for byte in data[1:]):
            return None, 0
        try:
            return Typed(data[:size].decode("utf-8")), size
        except UnicodeDecodeError:
            return None, 1

    def _escaped(self, data: bytes) -> tuple[Input | None, int]:
        if len(data) == 1:
            return None, 0
        kind = data[1:2]
        if kind == b"[":
            return self._sequence(data)
        if kind == b"O":
            if len(data) < 3:
                return None, 0
            name = LETTERS.get(chr(data[2])) or ("enter" if data[2] == ord("M") else None)
            return (Key(name) if name else None), 3
        if kind in b"]P_^":
            if (found := _STRING.match(data)) is None:
                return (None, 0) if len(data) < 4096 else (None, len(data))
            text = found[1].decode("utf-8", "replace")
            return (Answer(text[3:]) if text.startswith("11;") else None), found.end()
        if kind == b"\x1b":
            if len(data) == 2:
                return None, 0
            event, size = self._escaped(data[1:])  # rxvt: Alt with an arrow is ESC before its sequence
            return (Key(_held(event.name, 2)) if isinstance(event, Key) else event), size + 1 if size else 0
        event, size = self._first(data[1:])
        if isinstance(event, Typed):
            char = event.text
            named = f"shift+{char.lower()}" if char.isalpha() and char.isupper() else "space" if char == " " else char
            return Key(f"alt+{named}"), size + 1
        return (Key(_held(event.name, 2)) if isinstance(event, Key) else event), size + 1 if size else 0

    def _sequence(self, data: bytes) -> tuple[Input | None, int]:
        if data.startswith(PASTE):
            self._paste = bytearray()
            return None, len(PASTE)
        if data[2:3] == b"[":
            return (Key(CONSOLE[chr(data[3])]) if chr(data[3]) in CONSOLE else None, 4) if len(data) > 3 else (None, 0)
        if (found := _CSI.match(data)) is None:
            known = data[2:].strip(b"0123456789;:<=>? !\"#$%&'()*+,-./") == b""
            return (None, 0) if known and len(data) < 64 else (None, 2)
        private, given, last = found[1].decode(), found[2].decode(), found[4].decode()
        numbers = [int(part.partition(":")[0] or 0) for part in given.split(";")] if given else []
        return _meaning(private, numbers, last), found.end()


def _add(found: list[Input], event: Input) -> None:
    """Characters that came together are one event."""
    if isinstance(event, Typed) and found and isinstance(found[-1], Typed):
        event = Typed(found.pop().text + event.text)  # type: ignore[union-attr]
    found.append(event)


def _meaning(private: str, numbers: list[int], last: str) -> Input | None:
    if private == "<" and last in "Mm" and len(numbers) == 3:
        return _mouse(numbers[0], numbers[1], numbers[2], last == "M")
    if private:
        return None
    if last in "IO" and not numbers:
        return Focus(last == "I")
    if last == "Z":
        return Key("shift+tab")
    bits = numbers[1] - 1 if len(numbers) > 1 else 0
    name: str | None
    if last == "~" and numbers[:1] == [27] and len(numbers) == 3:
        name = _coded(numbers[2])
    elif last == "u" and numbers:
        name = _coded(numbers[0])
    elif last in "~^$" and numbers:
        name = NUMBERS.get(numbers[0])
        bits |= {"^": 4, "$": 1}.get(last, 0)
    else:
        name = LETTERS.get(last) or RXVT.get(last)
    if name is None:
        return None
    held = _held(name, bits)
    return Typed(held) if len(held) == 1 else Key(held)


def _coded(code: int) -> str | None:
    return CODES.get(code) or (chr(code).lower() if 32 < code < 0x110000 and not 0xD800 <= code < 0xE000 else None)


def _held(name: str, bits: int) -> str:
    """The name with the keys held down, in the table's order. xterm: 1 Shift, 2 Alt, 4 Ctrl."""
    known = {part for part in ("ctrl", "alt", "shift") if f"{part}+" in name}
    bare = name.rpartition("+")[2] or name
    known |= {part for bit, part in ((4, "ctrl"), (2, "alt"), (1, "shift")) if bits & bit}
    return "+".join([part for part in ("ctrl", "alt", "shift") if part in known] + [bare])


def _mouse(code: int, x: int, y: int, pressed: bool) -> Mouse | None:
    if code & 32:
        return None  # the pointer was moved
    if code & 64:
        return Mouse("up" if code & 3 == 0 else "down", y - 1, x - 1) if code & 3 < 2 else None
    return Mouse("press" if pressed else "release", y - 1, x - 1, (code & 3) + 1)
