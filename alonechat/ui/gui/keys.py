"""Tk's key events as the table of actions names keys."""

from __future__ import annotations

import sys
import tkinter

NAMES = {
    "Return": "enter",
    "KP_Enter": "enter",
    "Prior": "pageup",
    "Next": "pagedown",
    "ISO_Left_Tab": "tab",
    "BackSpace": "backspace",
    "comma": "comma",
    "question": "?",
    "plus": "+",
    "KP_Add": "+",
    "space": "space",
}
CONTROL, SHIFT, COMMAND = 0x4, 0x1, 0x8
SECOND = "<Button-2>" if sys.platform == "darwin" else "<Button-3>"
"""The button of the pointer that opens menus."""
ALT = {"win32": 0x20000, "darwin": 0x10}.get(sys.platform, 0x8)


def name_of(event: tkinter.Event[tkinter.Misc]) -> str:
    """The key of an event: `ctrl+k`, `alt+shift+down`, `f1`, `?`; empty for a modifier by itself. On macOS the command
    key counts as Ctrl."""
    state = int(event.state) if isinstance(event.state, int) else 0
    symbol = event.keysym
    if symbol.endswith(("_L", "_R")) or symbol in ("??", "Multi_key"):
        return ""
    name = NAMES.get(symbol) or symbol.lower()
    control = bool(state & CONTROL) or (sys.platform == "darwin" and bool(state & COMMAND))
    alt = bool(state & ALT)
    shift = bool(state & SHIFT) or symbol == "ISO_Left_Tab"
    if len(name) == 1 and not name.isalpha() and not control and not alt:
        shift = False  # `?` is a key of its own, wherever it lies
    return "+".join([*(["ctrl"] * control), *(["alt"] * alt), *(["shift"] * shift), name])
