"""Tk's key events as the table of actions names keys."""

from __future__ import annotations

import re
import sys
import tkinter
from typing import Any

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


_EMACS = re.compile(r"<(?:Control|Control-Lock|Meta|Lock-Meta)-Key-[abefnpwyABEFNPWY]>")


def as_on_desktops(root: tkinter.Misc) -> None:
    """Fields answer to Ctrl-A (select all), Ctrl-Y (redo), Ctrl-Backspace and Ctrl-Delete (a word) as everywhere on a
    desktop, but for Apple's, which has keys of its own. Tk has Emacs' instead, by which Ctrl-K, the way to the
    switcher, cuts what stands behind: on Windows some of them, under X11 more."""
    system = root.tk.call("tk", "windowingsystem")
    if system == "aqua":
        return
    if system == "x11":
        for event in root.event_info():
            for sequence in root.event_info(event):
                if _EMACS.fullmatch(sequence):
                    root.event_delete(event, sequence)
        root.event_add("<<SelectAll>>", "<Control-Key-a>", "<Control-Lock-Key-A>")
        root.event_add("<<Redo>>", "<Control-Key-y>", "<Control-Lock-Key-Y>")
    for kind in ("Text", "Entry"):
        for letter in "dhkot":
            root.unbind_class(kind, f"<Control-Key-{letter}>")
        root.bind_class(kind, "<Control-Key-BackSpace>", lambda event: _cut_word(event.widget, before=True))
        root.bind_class(kind, "<Control-Key-Delete>", lambda event: _cut_word(event.widget, before=False))


def _cut_word(field: Any, before: bool) -> None:
    """Take out what is selected, or the word before the cursor or behind it."""
    call, is_text = field.tk.call, field.winfo_class() == "Text"
    if field.tag_ranges("sel") if is_text else field.selection_present():
        field.delete("sel.first", "sel.last")
    elif before:
        find = ("tk::TextPrevPos", "tcl_startOfPreviousWord") if is_text else ("tk::EntryPreviousWord",)
        field.delete(call(find[0], field, "insert", *find[1:]), "insert")
    else:
        field.delete("insert", call("tk::TextNextWord" if is_text else "tk::EntryNextWord", field, "insert"))
