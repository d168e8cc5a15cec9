"""What the clipboard of Windows holds beside text, read without a library: files, and a picture."""

from __future__ import annotations

import ctypes
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alonechat.ui.gui.shapes import png_file

DIB, FILES = 8, 15
"""CF_DIB and CF_HDROP."""
PIXELS = 40_000_000
"""Of the largest picture that is taken."""
TRIES, AGAIN = 10, 0.02
"""How often it is asked for while another program holds it, and seconds between two times."""
MASKS = (0xFF0000, 0xFF00, 0xFF)
"""Where red, green and blue are in a pixel of 32 bits."""


def png_of(dib: bytes) -> bytes:
    """A device-independent bitmap of 24 or 32 bits a pixel, as the clipboard has it, as PNG; empty for what is none, or
    of another kind. What 32 bits say of transparency most programs leave at zero: it counts for nothing."""
    if len(dib) < 40:
        return b""
    head, wide, high, _planes, bits, packed, _size, _x, _y, colours, _used = struct.unpack_from("<IiiHHIIiiII", dib)
    at, count = head + 4 * colours + (12 if packed == 3 and head == 40 else 0), bits // 8
    masks = struct.unpack_from("<III", dib, 40) if packed == 3 and len(dib) >= 52 else MASKS
    line, lines = (wide * count + 3) // 4 * 4, abs(high)
    plain = bits in (24, 32) and packed in (0, 3) and masks == MASKS
    if not plain or head < 40 or not 0 < wide * lines <= PIXELS or wide < 0 or len(dib) < at + line * lines:
        return b""
    rows = bytearray()
    for row in range(lines) if high < 0 else range(lines - 1, -1, -1):
        pixels = dib[at + row * line : at + row * line + wide * count]
        colour = bytearray(3 * wide)
        colour[0::3], colour[1::3], colour[2::3] = pixels[2::count], pixels[1::count], pixels[0::count]
        rows += b"\0" + colour
    picture = struct.pack(">IIBBBBB", wide, lines, 8, 2, 0, 0, 0)
    return png_file((b"IHDR", picture), (b"IDAT", zlib.compress(rows, 3)))


if sys.platform == "win32":

    @cache
    def _user() -> ctypes.WinDLL:
        found = ctypes.WinDLL("user32")
        found.GetClipboardData.restype = ctypes.c_void_p
        return found

    @cache
    def _kernel() -> ctypes.WinDLL:
        found = ctypes.WinDLL("kernel32")
        found.GlobalLock.restype, found.GlobalSize.restype = ctypes.c_void_p, ctypes.c_size_t
        for call in (found.GlobalLock, found.GlobalUnlock, found.GlobalSize):
            call.argtypes = (ctypes.c_void_p,)
        return found

    @cache
    def _name_at() -> Callable[..., int]:
        """DragQueryFileW, which says how many files there are and what each is called."""
        found = ctypes.WinDLL("shell32").DragQueryFileW
        found.argtypes = (ctypes.c_void_p, ctypes.c_uint, ctypes.c_wchar_p, ctypes.c_uint)
        return found

    @contextmanager
    def _held(kind: int) -> Iterator[int | None]:
        """The clipboard's data of one kind, which stays its own; None where there is none, or another program keeps
        the clipboard."""
        if not _user().IsClipboardFormatAvailable(kind):
            yield None
            return
        for _ in range(TRIES):
            if _user().OpenClipboard(None):
                break
            time.sleep(AGAIN)
        else:
            yield None
            return
        try:
            yield _user().GetClipboardData(kind)
        finally:
            _user().CloseClipboard()

    def _bytes(kind: int) -> bytes:
        with _held(kind) as data:
            place = _kernel().GlobalLock(data) if data else None
            if not place:
                return b""
            try:
                return ctypes.string_at(place, _kernel().GlobalSize(data))
            finally:
                _kernel().GlobalUnlock(data)

    def files() -> list[Path]:
        """The files that were copied; empty where it holds something else."""
        found = []
        with _held(FILES) as data:
            for at in range(_name_at()(data, 0xFFFFFFFF, None, 0) if data else 0):
                name = ctypes.create_unicode_buffer(_name_at()(data, at, None, 0) + 1)
                _name_at()(data, at, name, len(name))
                found.append(Path(name.value))
        return [path for path in found if path.is_file()]

    def picture() -> bytes:
        """A picture that was copied, as PNG; empty where it holds none."""
        own = _bytes(_user().RegisterClipboardFormatW("PNG"))  # as browsers copy, with what can be seen through
        return own if own.startswith(b"\x89PNG") else png_of(_bytes(DIB))

else:

    def files() -> list[Path]:
        """Elsewhere the clipboard is asked by other means."""
        return []

    def picture() -> bytes:
        """Elsewhere the clipboard is asked by other means."""
        return b""
