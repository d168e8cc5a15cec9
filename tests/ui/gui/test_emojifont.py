"""Emoji out of a font of bitmaps, which is made here by hand; masks as PNG."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from alonechat.ui.gui import shapes
from alonechat.ui.gui.emojifont import EmojiFont, smaller


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def picture(index: int, size: int = 8) -> bytes:
    """A PNG of one colour of a palette of three: clear, red, green."""
    rows = b"".join(b"\0" + bytes([index]) * size for _ in range(size))
    parts = (
        (b"IHDR", struct.pack(">LLBBBBB", size, size, 8, 3, 0, 0, 0)),
        (b"PLTE", b"\0\0\0\xff\0\0\0\xff\0"),
        (b"tRNS", b"\0\xff\xff"),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)


def font() -> bytes:
    """Glyph 1 is 👍 (red), 2 the dark skin, 3 both joined (green)."""
    cmap = struct.pack(">HHHHL", 0, 1, 3, 10, 12) + struct.pack(
        ">HHLLL6L", 12, 0, 40, 0, 2, 0x1F44D, 0x1F44D, 1, 0x1F3FF, 0x1F3FF, 2
    )
    pictures = [picture(1), picture(1), picture(2)]
    body, offsets = b"", [0]
    for each in pictures:
        body += struct.pack(">BBBBBL", 8, 8, 0, 0, 8, len(each)) + each
        offsets.append(len(body))
    cbdt = struct.pack(">HH", 3, 0) + body
    head = struct.pack(">HHL", 3, 0, 1) + struct.pack(">LLLL", 56, 0, 1, 0) + bytes(32)
    cblc = head + struct.pack(">HHL", 1, 3, 8) + struct.pack(">HHL", 1, 17, 4) + struct.pack(">4L", *offsets)
    ligature = struct.pack(">HHH", 3, 2, 2)
    group = struct.pack(">HH", 1, 4) + ligature
    table = struct.pack(">HHHH", 1, 8, 1, 8 + 6) + struct.pack(">HHH", 1, 1, 1) + group
    lookups = struct.pack(">HH", 1, 4) + struct.pack(">HHHH", 4, 0, 1, 8) + table
    gsub = struct.pack(">HHHHH", 1, 0, 0, 0, 10) + lookups
    tables = {b"CBDT": cbdt, b"CBLC": cblc, b"GSUB": gsub, b"cmap": cmap}
    at, listed, data = 12 + 16 * len(tables), b"", b""
    for tag, content in tables.items():
        listed += struct.pack(">4sLLL", tag, 0, at + len(data), len(content))
        data += content
    return struct.pack(">LHHHH", 0x10000, len(tables), 0, 0, 0) + listed + data


def test_an_emoji_and_one_that_is_joined_of_two(tmp_path: Path) -> None:
    path = tmp_path / "emoji.ttf"
    path.write_bytes(font())
    found = EmojiFont(path)
    assert (found.glyph("👍"), found.glyph("👍🏿"), found.glyph("🎉")) == (1, 3, None)
    assert found.picture("👍") == picture(1) and found.picture("👍🏿") == picture(2)
    assert found.picture("🎉") is None


def test_a_font_that_is_made_another_way_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.ttf"
    path.write_bytes(struct.pack(">LHHHH", 0x10000, 0, 0, 0, 0) + bytes(20))
    with pytest.raises(ValueError, match="no font of bitmaps"):
        EmojiFont(path)


def pixels(png: bytes, size: int) -> list[tuple[int, ...]]:
    """The pixels of a small picture."""
    data = zlib.decompress(png[png.index(b"IDAT") + 4 :][: struct.unpack(">L", png[png.index(b"IDAT") - 4 :][:4])[0]])
    rows = [data[y * (4 * size + 1) + 1 : (y + 1) * (4 * size + 1)] for y in range(size)]
    return [tuple(row[4 * x : 4 * x + 4]) for row in rows for x in range(size)]


def test_a_picture_is_made_smaller_by_means() -> None:
    small = smaller(picture(1), 4)
    assert small is not None and set(pixels(small, 4)) == {(255, 0, 0, 255)}
    assert smaller(picture(1).replace(struct.pack(">BB", 8, 3), struct.pack(">BB", 8, 6), 1), 4) is None


def test_masks_cover_what_they_should_and_every_icon_draws() -> None:
    disc = shapes.disc(16)
    assert disc.cover[8 * 16 + 8] == 255 and disc.cover[0] == 0
    assert shapes.corner(8, 0).cover[0] == 0 and shapes.corner(8, 0).cover[-1] == 255
    for name in shapes.ICONS:
        assert max(shapes.icon(name, 20).cover) > 150, name
    assert shapes.png(disc, "#FF0000").startswith(b"\x89PNG")
