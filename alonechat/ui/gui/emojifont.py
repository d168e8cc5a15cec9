"""Colour emoji out of an OpenType font of bitmaps (CBDT): X11 draws them badly or not at all. Pure but for the file."""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from pathlib import Path

from alonechat.ui.gui.shapes import png_file

PLACES = (
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-emoji/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-color-emoji-fonts/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto-emoji/NotoColorEmoji.ttf",
    "/usr/local/share/fonts/NotoColorEmoji.ttf",
    "~/.local/share/fonts/NotoColorEmoji.ttf",
    "~/.fonts/NotoColorEmoji.ttf",
)
"""Where systems keep the font."""

_ONE = (
    "(?:[\U0001f1e6-\U0001f1ff]{2}"
    "|[0-9#*]\ufe0f?\u20e3"
    "|(?:[\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab"
    "\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e"
    "\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f004\U0001f0cf\U0001f18e"
    "\U0001f191-\U0001f19a\U0001f201\U0001f21a\U0001f22f\U0001f232-\U0001f236\U0001f238-\U0001f23a\U0001f250\U0001f251"
    "\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f90c-\U0001f9ff"
    "\U0001fa70-\U0001faff]\ufe0f?|[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u2328\u23cf-\u23fa\u24c2"
    "\u25aa-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f170-\U0001f251]\ufe0f)"
    "[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*)"
)
EMOJI = re.compile(f"{_ONE}(?:\u200d(?:{_ONE}|[\u2640\u2642\u2695\u2696\u2708\u2764\u2b1b\u27a1\u2194\u2195]))*")
"""An emoji as one meets it: with skin, joined to others, a flag, a keycap. Signs that have a plain form too, such as
©, only with the selector that asks for the picture."""


def only(text: str, most: int = 3) -> list[str]:
    """The emoji of a text that holds nothing else, at most `most`; else none."""
    if len(text) > 40 * most:
        return []
    found = EMOJI.findall(text)
    rest = EMOJI.sub("", text).strip()
    return found if found and len(found) <= most and not rest else []


def find() -> Path | None:
    """The font on this machine."""
    return next((path for place in PLACES if (path := Path(place).expanduser()).is_file()), None)


class EmojiFont:
    """The pictures of one font. Raises ValueError for a font that is made another way."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self._tables = self._directory()
            self._glyphs = self._characters()
            self._joined = self._ligatures()
            self._strikes = self._places()
        except (struct.error, KeyError, IndexError) as error:
            raise ValueError(f"{path} is no font of bitmaps: {error}") from None

    def _unpack(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(">" + form, self._data, at)

    def _directory(self) -> dict[bytes, int]:
        (count,) = self._unpack("H", 4)
        rows = (struct.unpack_from(">4sLLL", self._data, 12 + 16 * at) for at in range(count))
        return {tag: offset for tag, _sum, offset, _length in rows}

    def _characters(self) -> dict[int, int]:
        base = self._tables[b"cmap"]
        found: dict[int, int] = {}
        for at in range(self._unpack("H", base + 2)[0]):
            table = base + self._unpack("HHL", base + 4 + 8 * at)[2]
            if self._unpack("H", table)[0] == 12:
                for group in range(self._unpack("L", table + 12)[0]):
                    first, last, glyph = self._unpack("LLL", table + 16 + 12 * group)
                    found.update({code: glyph + code - first for code in range(first, last + 1)})
        return found

    def _ligatures(self) -> dict[int, list[tuple[tuple[int, ...], int]]]:
        """First glyph -> the rest of a sequence and what it becomes, the longest first."""
        base = self._tables[b"GSUB"]
        lookups = base + self._unpack("H", base + 8)[0]
        found: dict[int, list[tuple[tuple[int, ...], int]]] = {}
        for at in range(self._unpack("H", lookups)[0]):
            lookup = lookups + self._unpack("H", lookups + 2 + 2 * at)[0]
            kind, _flag, count = self._unpack("HHH", lookup)
            for sub in range(count):
                place = lookup + self._unpack("H", lookup + 6 + 2 * sub)[0]
                if kind == 4:
                    self._sets(place, found)
        for each in found.values():
            each.sort(key=lambda ligature: -len(ligature[0]))
        return found

    def _sets(self, base: int, found: dict[int, list[tuple[tuple[int, ...], int]]]) -> None:
        _form, coverage, count = self._unpack("HHH", base)
        firsts = self._coverage(base + coverage)
        for at in range(count):
            group = base + self._unpack("H", base + 6 + 2 * at)[0]
            for each in range(self._unpack("H", group)[0]):
                place = group + self._unpack("H", group + 2 + 2 * each)[0]
                glyph, length = self._unpack("HH", place)
                rest = self._unpack(f"{length - 1}H", place + 4)
                found.setdefault(firsts[at], []).append((rest, glyph))

    def _coverage(self, at: int) -> list[int]:
        form, count = self._unpack("HH", at)
        if form == 1:
            return list(self._unpack(f"{count}H", at + 4))
        ranges = (self._unpack("HHH", at + 4 + 6 * each) for each in range(count))
        return [glyph for first, last, _index in ranges for glyph in range(first, last + 1)]

    def _places(self) -> list[tuple[int, int, int, int]]:
        """First and last glyph, where their offsets stand, where their pictures begin."""
        base = self._tables[b"CBLC"]
        array, _size, count = self._unpack("LLL", base + 8)
        found = []
        for at in range(count):
            first, last, offset = self._unpack("HHL", base + array + 8 * at)
            index, image, begin = self._unpack("HHL", base + array + offset)
            if (index, image) == (1, 17):
                found.append((first, last, base + array + offset + 8, self._tables[b"CBDT"] + begin))
        if not found:
            raise KeyError("pictures")
        return found

    def glyph(self, emoji: str) -> int | None:
        """The one glyph of an emoji; None where this font has none."""
        codes = [ord(char) for char in emoji if char != "\ufe0f"]
        glyphs = [self._glyphs.get(code, 0) for code in codes]
        if not glyphs or not all(glyphs):
            return None
        at, shaped = 0, []
        while at < len(glyphs):
            for rest, becomes in self._joined.get(glyphs[at], ()):
                if tuple(glyphs[at + 1 : at + 1 + len(rest)]) == rest:
                    shaped.append(becomes)
                    at += 1 + len(rest)
                    break
            else:
                shaped.append(glyphs[at])
                at += 1
        return shaped[0] if len(shaped) == 1 else None

    def picture(self, emoji: str) -> bytes | None:
        """An emoji's PNG, as the font has it; None where it has none."""
        glyph = self.glyph(emoji)
        for first, last, offsets, begin in self._strikes if glyph else ():
            if first <= glyph <= last:  # type: ignore[operator]
                start, end = self._unpack("LL", offsets + 4 * (glyph - first))  # type: ignore[operator]
                if end > start:
                    (length,) = self._unpack("L", begin + start + 5)
                    return bytes(self._data[begin + start + 9 : begin + start + 9 + length])
        return None


def smaller(png: bytes, size: int) -> bytes | None:
    """A picture of this font as a PNG of `size` by `size` pixels, each the mean of those it stands for; None for a PNG
    of another kind than the font's (a palette of 8 bits, without interlacing)."""
    chunks, at = dict[bytes, bytes](), 8
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">L4s", png, at)
        chunks[kind] = chunks.get(kind, b"") + png[at + 8 : at + 8 + length]
        at += 12 + length
    width, height, depth, colour, _c, _f, interlaced = struct.unpack(">LLBBBBB", chunks[b"IHDR"])
    if (depth, colour, interlaced) != (8, 3, 0):
        return None
    alphas = chunks.get(b"tRNS", b"").ljust(256, b"\xff")
    plte = chunks[b"PLTE"].ljust(768, b"\0")
    pixels = _unfiltered(zlib.decompress(chunks[b"IDAT"]), width, height)
    palette = [(plte[3 * n], plte[3 * n + 1], plte[3 * n + 2], alphas[n]) for n in range(256)]
    return _encoded(_averaged(pixels, palette, (width, height), size), size)


def _unfiltered(data: bytes, width: int, height: int) -> list[bytes]:
    rows: list[bytes] = []
    above = bytes(width)
    for y in range(height):
        kind, line = data[y * (width + 1)], bytearray(data[y * (width + 1) + 1 : (y + 1) * (width + 1)])
        if kind == 2:
            line = bytearray((a + b) & 255 for a, b in zip(line, above, strict=True))
        elif kind:
            for x in range(width):
                left, up = (line[x - 1] if x else 0), above[x]
                corner = above[x - 1] if x else 0
                line[x] = (line[x] + _predicted(kind, left, up, corner)) & 255
        above = bytes(line)
        rows.append(above)
    return rows


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 3:
        return (left + up) // 2
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))


def _averaged(
    rows: list[bytes], palette: list[tuple[int, int, int, int]], shape: tuple[int, int], size: int
) -> list[tuple[int, int, int, int]]:
    width, height = shape
    side = max(width, height)
    left, top = (side - width) / 2, (side - height) / 2
    spans = [(int(at * side / size), max(int((at + 1) * side / size), int(at * side / size) + 1)) for at in range(size)]
    found = []
    for y0, y1 in spans:
        lines = [rows[y] for y in range(max(0, int(y0 - top)), min(height, int(y1 - top)))]
        for x0, x1 in spans:
            from_x, to_x = max(0, int(x0 - left)), min(width, int(x1 - left))
            red = green = blue = alpha = 0
            for line in lines:
                for index in line[from_x:to_x]:
                    r, g, b, a = palette[index]
                    red, green, blue, alpha = red + r * a, green + g * a, blue + b * a, alpha + a
            area = (y1 - y0) * (x1 - x0)
            found.append((red // alpha, green // alpha, blue // alpha, alpha // area) if alpha else (0, 0, 0, 0))
    return found


def _encoded(pixels: list[tuple[int, int, int, int]], size: int) -> bytes:
    lines = (bytes(part for pixel in pixels[y * size : (y + 1) * size] for part in pixel) for y in range(size))
    data = zlib.compress(b"".join(b"\0" + line for line in lines), 6)
    head = struct.pack(">LLBBBBB", size, size, 8, 6, 0, 0, 0)
    return png_file((b"IHDR", head), (b"IDAT", data))
