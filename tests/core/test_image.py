"""The size of an image off its head: by value for each kind, and noise never breaks it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alonechat.core.image import KINDS, Picture, look


def seen(data: bytes) -> Picture | None:
    """What `look` makes of these bytes."""
    return look(lambda at, count: data[at : at + count])


def png(width: int = 640, height: int = 480) -> bytes:
    """The head of a PNG."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBBI", width, height, 8, 2, 0, 0, 0, 0)


def webp(kind: bytes, rest: bytes) -> bytes:
    """A WebP whose first chunk is `kind`."""
    return b"RIFF\x40\0\0\0WEBP" + kind + struct.pack("<I", len(rest)) + rest + bytes(10)


def exif(orientation: int, order: str = "<") -> bytes:
    """An APP1 segment that says how the camera was held, behind another entry."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(order + "HHIHH", 0x0100, 3, 1, 7, 0) + struct.pack(
        order + "HHIHH", 0x0112, 3, 1, orientation, 0
    )
    body = b"Exif\0\0" + mark + struct.pack(order + "IH", 8, 2) + entries + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def jpeg(*segments: bytes, width: int = 4000, height: int = 3000, kind: int = 0xC0) -> bytes:
    """A JPEG up to its frame header, with `segments` before that."""
    frame = b"\xff" + bytes([kind]) + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(9) + b"".join(segments) + frame + b"\xff\xda\0\x0c"


PROFILE = b"\xff\xe2\xff\xff" + bytes(65533)
LOSSLESS = struct.pack("<BI", 0x2F, (1600 - 1) | (1200 - 1) << 14 | 1 << 28) + bytes(9)
EXTENDED = b"\x10\0\0\0" + (16383).to_bytes(3, "little") + (99).to_bytes(3, "little")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(), ("image/png", 640, 480)),
        (png(1, (1 << 31) - 1), ("image/png", 1, (1 << 31) - 1)),
        (b"GIF89a" + struct.pack("<HH", 320, 200) + bytes(20), ("image/gif", 320, 200)),
        (b"GIF87a" + struct.pack("<HH", 65535, 1), ("image/gif", 65535, 1)),
        (webp(b"VP8 ", b"\x30\1\0\x9d\x01\x2a" + struct.pack("<HH", 800 | 1 << 14, 600)), ("image/webp", 800, 600)),
        (webp(b"VP8L", LOSSLESS), ("image/webp", 1600, 1200)),
        (webp(b"VP8X", EXTENDED), ("image/webp", 16384, 100)),
        (jpeg(), ("image/jpeg", 4000, 3000)),
        (jpeg(kind=0xC2), ("image/jpeg", 4000, 3000)),
        (jpeg(b"\xff\xff\xff\xd0", b"\xff\x01"), ("image/jpeg", 4000, 3000)),
        (jpeg(*[PROFILE] * 40, b"\xff\xc4\0\4ab"), ("image/jpeg", 4000, 3000)),
        *((jpeg(exif(turn)), ("image/jpeg", 4000, 3000)) for turn in range(5)),
        *((jpeg(exif(turn)), ("image/jpeg", 3000, 4000)) for turn in range(5, 9)),
        (jpeg(exif(6, ">"), PROFILE), ("image/jpeg", 3000, 4000)),
        (jpeg(exif(9)), ("image/jpeg", 4000, 3000)),
    ],
)
def test_kind_and_size_are_read(data: bytes, expected: tuple[str, int, int]) -> None:
    assert seen(data) == Picture(*expected)
    assert expected[0] in KINDS


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        png(0, 5),
        png(1 << 31, 5),
        png()[:20],
        png().replace(b"IHDR", b"IDAT"),
        b"GIF89a\1",
        b"GIF88a" + bytes(30),
        webp(b"ALPH", bytes(20)),
        webp(b"VP8 ", bytes(20)),
        webp(b"VP8L", LOSSLESS)[:22],
        jpeg(width=0),
        jpeg(height=0),
        jpeg()[:28],
        b"\xff\xd8\xff\xe0\0\1",
        b"\xff\xd8\xff\xda\0\x0c" + jpeg(),
        b"\xff\xd8\xff\xd9" + jpeg()[2:],
        b"\xff\xd8" + b"\xff\xe0\0\2" * 600 + jpeg()[2:],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM" + bytes(40),
    ],
)
def test_what_is_none_of_these_or_broken_has_no_size(data: bytes) -> None:
    assert seen(data) is None


@given(
    st.sampled_from([b"", png(), webp(b"VP8X", EXTENDED), jpeg(exif(6)), b"GIF89a"]), st.binary(max_size=200), st.data()
)
def test_noise_gives_a_picture_with_a_size_or_none(head: bytes, noise: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(head)))
    found = seen(head[:cut] + noise)
    assert found is None or (found.mime in KINDS and found.width > 0 and found.height > 0)


@given(st.binary(max_size=300))
def test_a_jpeg_full_of_noise_ends(noise: bytes) -> None:
    found = seen(b"\xff\xd8" + noise)
    assert found is None or found.mime == "image/jpeg"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff" * 200_000,
        b"\xff\xd8\xff\xe1\0\x02Exif\0\0" + bytes(200_000),
        b"\xff\xd8" + b"\xff\xd0" * 100_000,
    ],
    ids=["fill", "a short Exif", "markers"],
)
def test_what_only_looks_like_a_jpeg_is_read_neither_whole_nor_byte_by_byte(data: bytes) -> None:
    counts = []

    def read(at: int, count: int) -> bytes:
        counts.append(count)
        return data[at:] if count < 0 else data[at : at + count]

    assert look(read) is None
    assert len(counts) <= 1100 and all(0 <= count <= 1 << 16 for count in counts)


def test_fill_bytes_before_a_segment_count_for_nothing() -> None:
    assert seen(jpeg(b"\xff" * 30)) == Picture("image/jpeg", 4000, 3000)
