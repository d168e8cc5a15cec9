"""Rounded corners, discs and icons as coverage masks, and masks as PNG: X11's own shapes have jagged edges. Pure."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import cos, hypot, radians, sin
from zlib import compress, crc32


@dataclass(frozen=True, slots=True)
class Mask:
    """How much of each pixel a shape covers, 0 to 255, row after row."""

    width: int
    height: int
    cover: bytes


Distance = Callable[[float, float], float]
"""How far a point lies outside of a shape; negative inside."""


def drawn(width: int, height: int, distance: Distance) -> Mask:
    """A shape as a mask: a pixel whose middle lies on the edge is half covered."""
    cover = bytearray(width * height)
    at = 0
    for y in range(height):
        for x in range(width):
            inside = 0.5 - distance(x + 0.5, y + 0.5)
            cover[at] = 0 if inside <= 0 else 255 if inside >= 1 else int(inside * 255)
            at += 1
    return Mask(width, height, bytes(cover))


def png_file(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks (kind and data, IHDR first); the last one, IEND, is added."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))
        for kind, data in (*chunks, (b"IEND", b""))
    )


@lru_cache(256)
def _rows(mask: Mask) -> bytes:
    lines = (b"\0" + mask.cover[at : at + mask.width] for at in range(0, len(mask.cover), mask.width))
    return compress(b"".join(lines), 1)


def png(mask: Mask, colour: str) -> bytes:
    """A mask in a colour (`#RRGGBB`): a palette of that one colour in 256 strengths, so that recolouring is cheap."""
    head = struct.pack(">IIBBBBB", mask.width, mask.height, 8, 3, 0, 0, 0)
    palette = bytes.fromhex(colour[1:]) * 256
    return png_file((b"IHDR", head), (b"PLTE", palette), (b"tRNS", bytes(range(256))), (b"IDAT", _rows(mask)))


# --- shapes ---


@lru_cache(64)
def disc(size: int) -> Mask:
    """A filled circle."""
    middle = size / 2
    return drawn(size, size, lambda x, y: hypot(x - middle, y - middle) - middle + 0.2)


@lru_cache(64)
def ring(size: int, line: float) -> Mask:
    """A circle's line."""
    middle = size / 2
    return drawn(size, size, lambda x, y: abs(hypot(x - middle, y - middle) - middle + line / 2 + 0.2) - line / 2)


@lru_cache(64)
def half(size: int, line: float) -> Mask:
    """A circle whose left side is filled: somebody who is away."""
    middle = size / 2

    def distance(x: float, y: float) -> float:
        out = hypot(x - middle, y - middle) - middle + 0.2
        return min(abs(out + line / 2) - line / 2, max(out, x - middle))

    return drawn(size, size, distance)


@lru_cache(64)
def barred(size: int) -> Mask:
    """A disc with a bar cut out: somebody who is busy."""
    middle = size / 2

    def distance(x: float, y: float) -> float:
        out = hypot(x - middle, y - middle) - middle + 0.2
        bar = max(abs(x - middle) - size * 0.28, abs(y - middle) - size * 0.1)
        return max(out, -bar)

    return drawn(size, size, distance)


@lru_cache(64)
def corner(radius: int, which: int) -> Mask:
    """A quarter of a disc: 0 upper left, 1 upper right, 2 lower right, 3 lower left."""
    x0, y0 = (radius if which in (0, 3) else 0), (radius if which in (0, 1) else 0)
    return drawn(radius, radius, lambda x, y: hypot(x - x0, y - y0) - radius)


@lru_cache(64)
def outside(radius: int, which: int) -> Mask:
    """What a round corner leaves of its square: laid over a picture, it rounds it."""
    inside = corner(radius, which)
    return Mask(inside.width, inside.height, bytes(255 - cover for cover in inside.cover))


@lru_cache(64)
def pill(width: int, height: int, radius: float) -> Mask:
    """A rounded rectangle."""
    cx, cy = width / 2, height / 2

    def distance(x: float, y: float) -> float:
        dx, dy = abs(x - cx) - cx + radius, abs(y - cy) - cy + radius
        return hypot(max(dx, 0.0), max(dy, 0.0)) + min(max(dx, dy), 0.0) - radius

    return drawn(width, height, distance)


# --- icons: lines and circles on a grid of 24 ---

Stroke = tuple[float, ...]
"""A line of 4 numbers (x, y, x, y); a circle of 3 (x, y, radius)."""


def _bow(x: float, y: float, radius: float, begin: int) -> tuple[Stroke, ...]:
    """Half a circle from an angle in degrees, clockwise, as lines."""
    turns = [radians(begin + step * 30) for step in range(7)]
    points = [(x + radius * cos(turn), y + radius * sin(turn)) for turn in turns]
    return tuple((*one, *other) for one, other in pairwise(points))


ICONS: dict[str, tuple[Stroke, ...]] = {
    "search": ((10.5, 10.5, 6), (15, 15, 20, 20)),
    "people": ((9, 8, 3.5), (3, 19, 4, 16), (4, 16, 7, 14.5), (7, 14.5, 11, 14.5), (11, 14.5, 14, 16),
               (14, 16, 15, 19), (16, 4.8, 18.5, 6.5), (18.5, 6.5, 18.5, 9.5), (18.5, 9.5, 16, 11.2),
               (17.5, 14.7, 20, 16), (20, 16, 21, 19)),
    "plus": ((12, 5, 12, 19), (5, 12, 19, 12)),
    "close": ((6, 6, 18, 18), (18, 6, 6, 18)),
    "smile": ((12, 12, 9), (8.2, 14.2, 10, 16), (10, 16, 14, 16), (14, 16, 15.8, 14.2), (9, 9.6, 9, 10.2),
              (15, 9.6, 15, 10.2)),
    "send": ((4, 4.5, 20.5, 12), (20.5, 12, 4, 19.5), (4, 19.5, 6.5, 12), (6.5, 12, 4, 4.5), (6.5, 12, 12.5, 12)),
    "reply": ((10, 5, 4, 11), (4, 11, 10, 17), (4, 11, 14, 11), (14, 11, 18.5, 13), (18.5, 13, 20, 19)),
    "more": ((5.5, 12, 0.9), (12, 12, 0.9), (18.5, 12, 0.9)),
    "check": ((5, 12.5, 10, 17.5), (10, 17.5, 19.5, 7)),
    "clock": ((12, 12, 8.5), (12, 7.5, 12, 12), (12, 12, 15, 14)),
    "warning": ((12, 12, 9), (12, 7, 12, 13), (12, 16.4, 12, 16.6)),
    "down": ((12, 4.5, 12, 19), (5.5, 12.5, 12, 19), (12, 19, 18.5, 12.5)),
    "chevron": ((6, 9.5, 12, 15.5), (12, 15.5, 18, 9.5)),
    "menu": ((4, 6.5, 20, 6.5), (4, 12, 20, 12), (4, 17.5, 20, 17.5)),
    "copy": ((9, 9, 20, 9), (20, 9, 20, 20), (20, 20, 9, 20), (9, 20, 9, 9), (5, 15, 4, 15), (4, 15, 4, 4),
             (4, 4, 15, 4), (15, 4, 15, 5.5)),
    "edit": ((4, 20, 5, 15.5), (5, 15.5, 16, 4.5), (16, 4.5, 19.5, 8), (19.5, 8, 8.5, 19), (8.5, 19, 4, 20)),
    "muted": ((4, 9.5, 4, 14.5), (4, 9.5, 7, 9.5), (4, 14.5, 7, 14.5), (7, 9.5, 12, 5.5), (7, 14.5, 12, 18.5),
              (12, 5.5, 12, 18.5), (16, 9.5, 21, 14.5), (21, 9.5, 16, 14.5)),
    "lock": ((6, 11, 18, 11), (18, 11, 18, 20), (18, 20, 6, 20), (6, 20, 6, 11), (8.5, 11, 8.5, 8), (8.5, 8, 10, 5.5),
             (10, 5.5, 14, 5.5), (14, 5.5, 15.5, 8), (15.5, 8, 15.5, 11)),
    "gear": ((12, 12, 3), (12, 12, 6.6), (12, 2.8, 12, 5), (12, 19, 12, 21.2), (2.8, 12, 5, 12), (19, 12, 21.2, 12),
             (5.5, 5.5, 7.1, 7.1), (16.9, 16.9, 18.5, 18.5), (5.5, 18.5, 7.1, 16.9), (16.9, 7.1, 18.5, 5.5)),
    "clip": ((21.4, 11, 12.2, 20.2), *_bow(8, 16, 6, 45), (3.8, 11.8, 12.9, 2.6), *_bow(15.8, 5.4, 4, 225),
             (18.6, 8.2, 9.4, 17.4), *_bow(8, 16, 2, 45), (6.6, 14.6, 15, 6.1)),
    "file": ((6, 3, 14, 3), (14, 3, 19, 8), (19, 8, 19, 21), (19, 21, 6, 21), (6, 21, 6, 3), (14, 3, 14, 8),
             (14, 8, 19, 8)),
    "save": ((12, 4, 12, 15.5), (7, 10.5, 12, 15.5), (12, 15.5, 17, 10.5), (5, 20, 19, 20)),
    "left": ((15.5, 5, 8.5, 12), (8.5, 12, 15.5, 19)),
    "right": ((8.5, 5, 15.5, 12), (15.5, 12, 8.5, 19)),
    "hash": ((9.5, 4.5, 7.5, 19.5), (16.5, 4.5, 14.5, 19.5), (4.5, 9, 20, 9), (4, 15, 19.5, 15)),
    "link": ((14, 4.5, 19.5, 4.5), (19.5, 4.5, 19.5, 10), (19.5, 4.5, 11, 13), (10, 6, 5, 6), (5, 6, 5, 19),
             (5, 19, 18, 19), (18, 19, 18, 14)),
    "again": ((5, 12, 6.5, 8), (6.5, 8, 10, 5.5), (10, 5.5, 14, 5.5), (14, 5.5, 18, 8.5), (18, 8.5, 19.5, 12),
              (19.5, 12, 18, 16), (18, 16, 14, 18.7), (14, 18.7, 10, 18.6), (19, 4, 18.6, 8.8), (18.6, 8.8, 13.8, 8.4)),
}  # fmt: skip
"""Icons, in strokes of the weight that `icon` is given."""


def _line(x: float, y: float, stroke: Stroke) -> float:
    x0, y0, x1, y1 = stroke
    dx, dy = x1 - x0, y1 - y0
    along = max(0.0, min(1.0, ((x - x0) * dx + (y - y0) * dy) / ((dx * dx + dy * dy) or 1)))
    return hypot(x - x0 - along * dx, y - y0 - along * dy)


def _stroke(x: float, y: float, stroke: Stroke) -> float:
    if len(stroke) == 3:
        return abs(hypot(x - stroke[0], y - stroke[1]) - stroke[2])
    return _line(x, y, stroke)


@lru_cache(128)
def icon(name: str, size: int, weight: float = 1.7) -> Mask:
    """An icon of ICONS, `size` pixels wide and high; `weight`: its lines, in units of the grid."""
    strokes, scale = ICONS[name], 24 / size

    def distance(x: float, y: float) -> float:
        x, y = x * scale, y * scale
        return (min(_stroke(x, y, stroke) for stroke in strokes) - weight / 2) / scale

    return drawn(size, size, distance)
