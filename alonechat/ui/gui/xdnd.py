"""Files dropped on a window under X11 (XDND, version 5), without a library of Tk's: what the one who drags says comes
through Tk's own connection, by a handler for client messages; the answers, and the files, go over one of ours.

Tk's thread calls `_said` from within Tcl, where nothing of Tk may be called: it decides by what it holds, answers at
once (who drags from Wayland lets go without waiting) and has the rest done later, by `post`.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import time
import tkinter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from alonechat.ui.gui.pasting import files_of

VERSION = 5
LIST = "text/uri-list"
NAMES = (
    "XdndAware", "XdndEnter", "XdndPosition", "XdndStatus", "XdndLeave", "XdndDrop", "XdndFinished", "XdndSelection",
    "XdndTypeList", "XdndActionCopy", LIST, "AloneChatDrop",
)  # fmt: skip
ATOM, ANY = 4, 0
CLIENT_MESSAGE, SELECTION_NOTIFY = 33, 31
INPUT_ONLY = 2
MOST = 1 << 20
"""Bytes of a list of files that are read: twenty files, of which each has a path of 4,096 bytes with all written as
`%41`, have a quarter of it."""

LINES = 200
"""Lines of it that are looked at: each is a look at the disk."""
LATE = 10.0
"""Seconds after which nobody waits for it any more."""


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


class _Message(ctypes.Structure):
    """Xlib's XClientMessageEvent."""

    _fields_ = (
        ("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int), ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong), ("message_type", ctypes.c_ulong), ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
    )  # fmt: skip


HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Message))


class Connection:
    """As much of xcb as is needed. Errors of the X server (a window that is gone) are no fault here: xcb only notes
    them, where Xlib would end the program. Raises OSError where there is no libxcb, or no such display."""

    def __init__(self, display: str) -> None:
        self._xcb, self._free = ctypes.CDLL("libxcb.so.1"), ctypes.CDLL(None).free
        self._free.argtypes, self._free.restype = (ctypes.c_void_p,), None
        word, place = ctypes.c_uint32, ctypes.c_void_p
        self._call("connect", place, ctypes.c_char_p, place)
        self._call("connection_has_error", ctypes.c_int, place)
        self._call("get_file_descriptor", ctypes.c_int, place)
        self._call("generate_id", word, place)
        self._call("flush", ctypes.c_int, place)
        self._call("disconnect", None, place)
        self._call("poll_for_event", place, place)
        self._call("intern_atom", _Cookie, place, ctypes.c_uint8, ctypes.c_uint16, ctypes.c_char_p)
        self._call("query_tree", _Cookie, place, word)
        self._call("get_property", _Cookie, place, ctypes.c_uint8, word, word, word, word, word)
        for name in ("intern_atom", "query_tree", "get_property"):
            self._call(f"{name}_reply", place, place, _Cookie, place)
        small, short = ctypes.c_uint8, ctypes.c_uint16
        self._call("change_property", _Cookie, place, small, word, word, word, small, word, ctypes.c_char_p)
        self._call("send_event", _Cookie, place, small, word, word, ctypes.c_char_p)
        self._call("convert_selection", _Cookie, place, word, word, word, word, word)
        sizes = (ctypes.c_int16, ctypes.c_int16, short, short, short, short)
        self._call("create_window", _Cookie, place, small, word, word, *sizes, word, word, place)
        self._raw = self._xcb.xcb_connect(display.encode(), None)
        if self.is_broken():
            self.close()
            raise OSError(f"no connection to the display {display}")
        self.file: int = self._xcb.xcb_get_file_descriptor(self._raw)

    def _call(self, name: str, result: Any, *arguments: Any) -> None:
        found = getattr(self._xcb, f"xcb_{name}")
        found.restype, found.argtypes = result, arguments

    def _reply(self, name: str, *arguments: Any) -> bytes:
        """The answer to a request, its data behind the first 32 bytes; empty where there was an error."""
        cookie = getattr(self._xcb, f"xcb_{name}")(self._raw, *arguments)
        place = getattr(self._xcb, f"xcb_{name}_reply")(self._raw, cookie, None)
        if not place:
            return b""
        try:
            head = ctypes.string_at(place, 32)
            return ctypes.string_at(place, 32 + 4 * struct.unpack_from("=I", head, 4)[0])
        finally:
            self._free(place)

    def atom(self, name: str) -> int:
        """The number of a name."""
        found = self._reply("intern_atom", 0, len(name), name.encode())
        return int(struct.unpack_from("=I", found, 8)[0]) if found else 0

    def above(self, window: int) -> tuple[int, int]:
        """The root of a window's screen, and the window that it is in."""
        found = self._reply("query_tree", window)
        return struct.unpack_from("=II", found, 8) if found else (0, 0)

    def of_window(self, window: int, name: int, delete: bool = False) -> tuple[int, bytes]:
        """A property: its type, and its bytes as far as `MOST`."""
        found = self._reply("get_property", int(delete), window, name, ANY, 0, MOST // 4)
        if not found:
            return 0, b""
        form, kind, count = found[1], *struct.unpack_from("=I4xI", found, 8)
        return kind, found[32 : 32 + count * form // 8]

    def put(self, window: int, name: int, value: int) -> None:
        """Set a property of one atom."""
        self._xcb.xcb_change_property(self._raw, 0, window, name, ATOM, 32, 1, struct.pack("=I", value))

    def child(self, root: int) -> int:
        """A window of ours that nobody sees."""
        made = self._xcb.xcb_generate_id(self._raw)
        self._xcb.xcb_create_window(self._raw, 0, made, root, -9, -9, 1, 1, 0, INPUT_ONLY, 0, 0, None)
        return int(made)

    def tell(self, window: int, kind: int, *data: int) -> None:
        """Send a client message."""
        filled = (*data, 0, 0, 0, 0, 0)[:5]
        event = struct.pack("=BBHII5I", CLIENT_MESSAGE, 32, 0, window, kind, *(each & 0xFFFFFFFF for each in filled))
        self._xcb.xcb_send_event(self._raw, 0, window, 0, event)

    def ask(self, window: int, selection: int, kind: int, answer: int, time: int) -> None:
        """Have a selection written into the property `answer` of a window of ours."""
        self._xcb.xcb_convert_selection(self._raw, window, selection, kind, answer, time & 0xFFFFFFFF)

    def flush(self) -> None:
        """Send what was asked for."""
        self._xcb.xcb_flush(self._raw)

    def events(self) -> list[bytes]:
        """What has come, 32 bytes each."""
        found = []
        while place := self._xcb.xcb_poll_for_event(self._raw):
            found.append(ctypes.string_at(place, 32))
            self._free(place)
        return found

    def is_broken(self) -> bool:
        """Whether the X server has ended it."""
        return bool(self._xcb.xcb_connection_has_error(self._raw))

    def close(self) -> None:
        """End it."""
        self._xcb.xcb_disconnect(self._raw)


class Drops:
    """Files that are dragged over a window of Tk's. `takes()` says whether they may be dropped now, and calls nothing
    of Tk's; `over(True)` and `over(False)` that they are over it and no longer; `drop(paths)` has those that are files
    of this machine. The last two are called by `post`, in Tk's thread. Raises OSError, AttributeError
    where this system has not what is needed."""

    def __init__(self, root: Any, post: Callable[[Callable[[], None]], None], takes: Callable[[], bool]) -> None:
        self._root, self._post, self._takes = root, post, takes
        self.over: Callable[[bool], None] = lambda shown: None
        self.drop: Callable[[list[Path]], None] = lambda paths: None
        self._tk = _tk()
        self._x = Connection(str(root.winfo_screen()))
        self._atoms = {name: self._x.atom(name) for name in NAMES}
        self._names = {number: name for name, number in self._atoms.items()}
        screen, self._window = self._x.above(root.winfo_id())
        self._mine = self._x.child(screen)
        self._acts = {
            "XdndEnter": self._entered, "XdndPosition": self._moved, "XdndLeave": self._left, "XdndDrop": self._let_go,
        }  # fmt: skip
        self._source, self._is_over, self._has_list = 0, False, False
        self._dropped, self._since = 0, 0.0
        self._x.put(self._window, self._atoms["XdndAware"], VERSION)
        self._x.flush()
        self._handler = HANDLER(self._said)
        self._tk.Tk_CreateClientMessageHandler(self._handler)
        root.tk.createfilehandler(self._x.file, tkinter.READABLE, lambda _file, _mask: self._came())

    def close(self) -> None:
        """Take no more."""
        self._tk.Tk_DeleteClientMessageHandler(self._handler)
        self._root.tk.deletefilehandler(self._x.file)
        self._x.close()

    # --- what the one who drags says ---

    def _said(self, _window: int, found: Any) -> int:
        """A client message of any window: 1 when it was for us."""
        message = found.contents
        kind = self._names.get(message.message_type)
        act = self._acts.get(kind or "")
        if message.window != self._window or message.format != 32 or act is None:
            return 0
        data = list(message.data)
        if kind == "XdndEnter":
            self._source, self._dropped = data[0] & 0xFFFFFFFF, 0
        if data[0] & 0xFFFFFFFF == self._source:
            act(data)
            self._x.flush()
        return 1

    def _entered(self, data: list[int]) -> None:
        kinds = [each & 0xFFFFFFFF for each in data[2:5]]
        if data[1] & 1:  # more than three
            kind, raw = self._x.of_window(self._source, self._atoms["XdndTypeList"])
            kinds = [each for (each,) in struct.iter_unpack("=I", raw)] if kind == ATOM and len(raw) % 4 == 0 else []
        self._has_list = self._atoms[LIST] in kinds

    def _moved(self, _data: list[int]) -> None:
        good = self._has_list and self._takes()
        action = self._atoms["XdndActionCopy"] if good else 0
        self._x.tell(self._source, self._atoms["XdndStatus"], self._window, int(good), 0, 0, action)
        self._hover(good)

    def _left(self, _data: list[int]) -> None:
        if not self._dropped:  # mutter leaves behind the drop, too
            self._source = 0
            self._hover(False)

    def _let_go(self, data: list[int]) -> None:
        self._hover(False)
        if not (self._has_list and self._takes()):
            self._end(self._source, False)
            return
        self._dropped, self._since = self._source, time.monotonic()
        self._x.ask(self._mine, self._atoms["XdndSelection"], self._atoms[LIST], self._atoms["AloneChatDrop"], data[2])

    def _hover(self, shown: bool) -> None:
        if shown != self._is_over:
            self._is_over = shown
            self._post(lambda: self.over(shown))

    def _end(self, source: int, good: bool) -> None:
        self._x.tell(
            source, self._atoms["XdndFinished"], self._window, int(good), self._atoms["XdndActionCopy"] if good else 0
        )

    # --- the files ---

    def _came(self) -> None:
        """Something came over our own connection: the list that was asked for."""
        for event in self._x.events():
            if event[0] & 0x7F != SELECTION_NOTIFY or not self._dropped:
                continue
            source, self._dropped, self._source = self._dropped, 0, 0
            if time.monotonic() - self._since > LATE:
                self._end(source, False)
                continue
            (answer,) = struct.unpack_from("=I", event, 20)
            kind, text = self._x.of_window(self._mine, answer, True) if answer else (0, b"")
            good = kind in (self._atoms[LIST], self._x.atom("STRING"), self._x.atom("UTF8_STRING"))
            self._end(source, good)
            lines = text.decode("utf-8", "replace").splitlines()[:LINES] if good else []
            paths = files_of("\n".join(lines))
            self._post(partial(self.drop, paths))
        self._x.flush()
        if self._x.is_broken():
            self._root.tk.deletefilehandler(self._x.file)  # it could be read for ever


def _tk() -> Any:
    """Tk itself, as this Python has it: beside `_tkinter`, or within Python."""
    import _tkinter

    found = ctypes.CDLL(getattr(_tkinter, "__file__", None))
    for call in (found.Tk_CreateClientMessageHandler, found.Tk_DeleteClientMessageHandler):
        call.argtypes, call.restype = (HANDLER,), None
    return found


def watch(root: Any, post: Callable[[Callable[[], None]], None], takes: Callable[[], bool]) -> Drops | None:
    """`Drops` for a window that is on the screen; None where there can be none."""
    if sys.platform == "win32" or root.tk.call("tk", "windowingsystem") != "x11":
        return None
    with suppress(OSError, AttributeError):  # no libxcb, or a Tk that shows nothing of itself
        return Drops(root, post, takes)
    return None
