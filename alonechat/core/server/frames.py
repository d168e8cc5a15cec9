"""WebSocket frames (RFC 6455, section 5): those that nearly all are, taken apart by hand; the rest are the library's.

Why by hand: whole masked texts, pings and pongs are all that a client sends in hours. Reading these here takes a third
of the time that the library's parser takes, and a connection that has sent nothing else needs no parser of its own,
which was a third of an idle connection's memory.
"""

from __future__ import annotations

from typing import Final

from websockets import frames

_TEXT: Final = 0x81
_PING: Final = 0x89
_PONG: Final = 0x8A
_unmask: Final = frames.apply_mask  # type: ignore[attr-defined]  # in C where the library has it
_SMALL: Final = 125
"""Bytes of a payload whose length stands in the second byte."""
PING: Final = b"\x89\x00"


def frame(text: str) -> bytes:
    """The finished, unmasked text frame of `text`."""
    payload = text.encode()
    size = len(payload)
    if size <= _SMALL:
        return bytes((_TEXT, size)) + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def take(data: bytes, most: int) -> tuple[list[bytes], bytes, int, bool]:
    """What a client sent: its texts in order, the pongs that its pings ask for, how many bytes that was, and whether
    what comes next is for the library: a fragment, a close, another kind, a frame over `most` bytes, or a broken one.
    """
    texts: list[bytes] = []
    pongs = b""
    at, size = 0, len(data)
    while size - at >= 2:
        first, length = data[at], data[at + 1] - 128  # a client's frames are masked: the upper bit
        start = at + 6
        if length == 126:
            if size - at < 4:
                break
            length = data[at + 2] << 8 | data[at + 3]
            start = at + 8
        elif not 0 <= length <= _SMALL:
            return texts, pongs, at, True
        if length > most or (first != _TEXT and (length > _SMALL or (first != _PONG and first != _PING))):
            return texts, pongs, at, True
        end = start + length
        if end > size:
            break
        if first == _TEXT:
            texts.append(_unmask(data[start:end], data[start - 4 : start]))
        elif first == _PING:
            pongs += bytes((_PONG, length)) + _unmask(data[start:end], data[start - 4 : start])
        at = end
    return texts, pongs, at, False
