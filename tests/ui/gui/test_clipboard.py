"""Pictures and files of Windows' clipboard: bitmaps as programs put them there, and the clipboard itself."""

from __future__ import annotations

import ctypes
import io
import struct
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from alonechat.ui.gui import clipboard
from alonechat.ui.gui.clipboard import png_of

windows = pytest.mark.skipif(sys.platform != "win32", reason="elsewhere: the clipboard of Windows")
WIDE, HIGH = 7, 5


def picture() -> Image.Image:
    """One whose lines are no multiple of four bytes, and whose every pixel is another one."""
    made = Image.new("RGB", (WIDE, HIGH))
    made.putdata([(40 * x, 50 * y, (x * y * 9) % 256) for y in range(HIGH) for x in range(WIDE)])
    return made


def dib(bits: int, packed: int = 0, down: bool = False, head: int = 40) -> bytes:
    """The same as a bitmap without a file's head."""
    made = picture()
    lines = []
    for y in range(HIGH):
        line = b"".join(bytes(made.getpixel((x, y))[::-1]) + b"\0" * (bits // 8 - 3) for x in range(WIDE))  # type: ignore[index,misc]
        lines.append(line.ljust((len(line) + 3) // 4 * 4, b"\xee"))
    start = struct.pack("<IiiHHIIiiII", head, WIDE, -HIGH if down else HIGH, 1, bits, packed, 0, 0, 0, 0, 0)
    masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF) if packed == 3 else b""
    start = (start + masks).ljust(max(head, 40 + len(masks)), b"\0")
    return start + b"".join(lines if down else reversed(lines))


@pytest.mark.parametrize(
    "given", [dib(24), dib(32), dib(24, down=True), dib(32, 3), dib(32, 3, head=124), dib(32, head=124, down=True)]
)
def test_a_bitmap_becomes_a_picture(given: bytes) -> None:
    with Image.open(io.BytesIO(png_of(given))) as found:
        found.load()
        assert found.format == "PNG" and found.convert("RGB").tobytes() == picture().tobytes()


@given(st.binary(max_size=200) | st.builds(lambda cut: dib(32, 3)[:cut], st.integers(0, 190)))
@example(struct.pack("<IiiHHIIiiII", 40, 1 << 30, 1 << 30, 1, 32, 0, 0, 0, 0, 0, 0))
@example(struct.pack("<IiiHHIIiiII", 0xFFFFFFFF, 7, 5, 1, 24, 0, 0, 0, 0, 0xFFFFFFFF, 0))
@example(struct.pack("<IiiHHIIiiII", 40, -7, 5, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(500))
def test_what_is_no_bitmap_is_nothing(data: bytes) -> None:
    assert png_of(data) == b"" or png_of(data).startswith(b"\x89PNG")


def test_another_kind_of_bitmap_is_nothing() -> None:
    other = dib(32, 3)[:40] + struct.pack("<III", 0xFF, 0xFF00, 0xFF0000) + dib(32, 3)[52:]
    assert png_of(other) == png_of(dib(24)[:-1]) == png_of(dib(24).replace(b"\x18\0", b"\x10\0", 1)) == b""


def put(kind: int, data: bytes) -> None:
    """Put bytes on Windows' clipboard."""
    if sys.platform == "win32":
        user, kernel = ctypes.windll.user32, ctypes.windll.kernel32
        kernel.GlobalAlloc.restype = kernel.GlobalLock.restype = ctypes.c_void_p
        kernel.GlobalLock.argtypes = kernel.GlobalUnlock.argtypes = (ctypes.c_void_p,)
        user.SetClipboardData.argtypes = (ctypes.c_uint, ctypes.c_void_p)
        kernel.GlobalAlloc.argtypes = (ctypes.c_uint, ctypes.c_size_t)
        memory = kernel.GlobalAlloc(2, len(data))
        ctypes.memmove(kernel.GlobalLock(memory), data, len(data))
        kernel.GlobalUnlock(memory)
        assert user.OpenClipboard(None) and user.EmptyClipboard()
        assert user.SetClipboardData(kind, memory)
        user.CloseClipboard()


@windows
def test_a_picture_that_was_copied_is_a_file(tmp_path: Path) -> None:
    put(clipboard.DIB, dib(32))
    assert clipboard.files() == []
    with Image.open(io.BytesIO(clipboard.picture())) as found:
        assert found.convert("RGB").tobytes() == picture().tobytes()
    own = ctypes.windll.user32.RegisterClipboardFormatW("PNG") if sys.platform == "win32" else 0
    put(own, b"\x89PNG and so on")
    assert clipboard.picture().startswith(b"\x89PNG and so on")


@windows
def test_files_that_were_copied_are_files(tmp_path: Path) -> None:
    paths = [tmp_path / "a b.txt", tmp_path / "上海.txt", tmp_path / "gone.txt"]
    for path in paths[:2]:
        path.write_text("x")
    names = "\0".join(map(str, paths)) + "\0\0"
    put(clipboard.FILES, struct.pack("<IiiII", 20, 0, 0, 0, 1) + names.encode("utf-16-le"))
    assert clipboard.files() == paths[:2] and clipboard.picture() == b""
