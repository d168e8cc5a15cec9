"""The size of an image, read off the head of its bytes: PNG, JPEG, GIF, WebP. No pixel is decoded. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Read = Callable[[int, int], bytes]
"""`read(at, count)`: that many bytes from there on, fewer where the file ends."""
KINDS = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""The mimes whose bytes are looked at."""
SEGMENTS = 512
"""Segments of a JPEG before its frame, and runs of fill bytes: a camera writes a dozen, a profile at most 255."""
_ORIENTATION = 0x0112
_ENTRIES = 256
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Picture:
    """What an image is. `width` and `height` in pixels as it is to be shown: EXIF's turning is in them."""

    mime: str
    width: int
    height: int


def look(read: Read) -> Picture | None:
    """The image whose bytes `read` gives; None for what is none of these kinds, or has no size."""
    head = read(0, 32)
    if head.startswith(_PNG):
        found = _png(head)
    elif head[:6] in (b"GIF87a", b"GIF89a"):
        found = Picture("image/gif", _little(head, 6, 2), _little(head, 8, 2)) if len(head) >= 10 else None
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        found = _webp(head)
    elif head[:2] == b"\xff\xd8":
        found = _jpeg(read)
    else:
        found = None
    return found if found is not None and found.width > 0 and found.height > 0 else None


def _little(data: bytes, at: int, count: int) -> int:
    return int.from_bytes(data[at : at + count], "little")


def _big(data: bytes, at: int, count: int) -> int:
    return int.from_bytes(data[at : at + count], "big")


def _png(head: bytes) -> Picture | None:
    """PNG 3rd edition, 11.2.1: IHDR is the first chunk, and has 13 bytes."""
    if len(head) < 29 or head[8:16] != b"\0\0\0\rIHDR":
        return None
    width, height = _big(head, 16, 4), _big(head, 20, 4)
    return Picture("image/png", width, height) if max(width, height) < 1 << 31 else None


def _webp(head: bytes) -> Picture | None:
    """RFC 9649: lossy (`VP8 `), lossless (`VP8L`) or extended (`VP8X`), by the first chunk."""
    kind, width, height = head[12:16], 0, 0
    if len(head) < 30:
        return None
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = _little(head, 26, 2) & 0x3FFF, _little(head, 28, 2) & 0x3FFF
    elif kind == b"VP8L" and head[20] == 0x2F:
        bits = _little(head, 21, 4)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8X":
        width, height = 1 + _little(head, 24, 3), 1 + _little(head, 27, 3)
    return Picture("image/webp", width, height)


def _jpeg(read: Read) -> Picture | None:
    """ITU T.81, B.1.1: segments up to the frame header, which holds the size."""
    at, turned = 2, False
    for _ in range(SEGMENTS):
        head = read(at, 20)
        fill = len(head) - len(head.lstrip(b"\xff"))
        if fill > 1:  # these count as a segment: a file of nothing else would be read byte by byte
            at += fill - 1
            continue
        if len(head) < 4 or head[0] != 0xFF:
            return None
        marker, length = head[1], _big(head, 2, 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if len(head) < 9 or length < 8:
                return None
            height, width = _big(head, 5, 2), _big(head, 7, 2)
            return Picture("image/jpeg", *((height, width) if turned else (width, height)))
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:  # these have no length
            at += 2
            continue
        if length < 2 or marker in (0xD8, 0xD9, 0xDA):
            return None
        if marker == 0xE1 and length > 8 and head[4:10] == b"Exif\0\0":  # a negative count would read the whole file
            turned = _is_turned(read(at + 10, length - 8))
        at += 2 + length
    return None


def _is_turned(tiff: bytes) -> bool:
    """Whether EXIF's orientation (2.32, 4.6.4) lays width and height across: 5 to 8."""
    order = {b"II*\0": _little, b"MM\0*": _big}.get(tiff[:4])
    if order is None:
        return False
    at = order(tiff, 4, 4)
    for number in range(min(order(tiff, at, 2), _ENTRIES)):
        entry = tiff[at + 2 + 12 * number : at + 14 + 12 * number]
        if len(entry) == 12 and order(entry, 0, 2) == _ORIENTATION:
            return order(entry, 2, 2) == 3 and 5 <= order(entry, 8, 2) <= 8
    return False
