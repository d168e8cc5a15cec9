"""Writing to many sockets at once where nothing is compiled: what `_pipes.c` is for the native file, and how it works.

A Pipe stands beside a connection's transport. While that has nothing waiting, a flush to many goes straight into the
sockets, by the ring (`ring.py`); what a socket does not take is its transport's, and so is all that follows until that
is gone. What is written to one connection alone is its transport's, too. Where there is no ring, all is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from alonechat.core.server.ring import Ring

FEW: Final = 16
"""Connections up to which each is written to by its transport: to fill the queue takes longer."""
Write = Callable[[bytes], None]


class Pipe:
    """Called with bytes, writes them to the connection whose socket is `fd`; `write` and `size` are its transport's."""

    __slots__ = ("_size", "_write", "behind", "fd")

    def __init__(self, fd: int, write: Write, size: Callable[[], int]) -> None:
        self.fd, self._write, self._size = fd, write, size
        self.behind = False
        """Whether the transport may hold bytes that have to go first."""

    def __call__(self, data: bytes) -> None:
        if self.fd >= 0:
            self.behind = True
            self._write(data)

    def is_ahead(self) -> bool:
        """Whether the socket may be written to."""
        if self.behind:
            self.behind = self._size() > 0
        return self.fd >= 0 and not self.behind

    def close(self) -> None:
        """The connection is lost: from now on a call does nothing."""
        self.fd = -1


def _ring() -> Ring:
    from alonechat.core.server.ring import Ring, keep_heap  # ctypes: for who is on a busy server, not for its start

    keep_heap()
    return Ring()


class Straight:
    """Writes to many. `make` gives a ring to the thread that comes first, or raises OSError, or ImportError where
    Python has no ctypes; other threads write as where there is none."""

    def __init__(self, make: Callable[[], Ring] = _ring) -> None:
        self._make = make
        self._ring: Ring | None = None
        self._tried = False

    def spread(self, members: Mapping[Any, Write], data: bytes) -> None:
        """Write the same to all: call each value of `members`, or do what comes to the same."""
        ring, length = self._ring_for(len(members)), len(data)
        if ring is None:
            for write in members.values():
                write(data)
            return
        writes = [*members.values()]
        sockets = _sockets(writes)
        took = ring.send_all(sockets, data) if max(sockets) >= 0 else [0] * len(writes)
        if took.count(length) < len(took):
            for write, sent in zip(writes, took, strict=True):
                if sent < length:
                    write(data[sent:])

    def scatter(self, writes: Sequence[Write], pieces: Sequence[bytes]) -> None:
        """Write to each its own piece, likewise."""
        ring = self._ring_for(len(writes))
        sockets = [] if ring is None else _sockets(writes)
        took = ring.send(sockets, pieces) if ring is not None and max(sockets) >= 0 else [0] * len(writes)
        for write, piece, sent in zip(writes, pieces, took, strict=True):
            if sent < len(piece):
                write(piece[sent:])

    def _ring_for(self, connections: int) -> Ring | None:
        """The ring, where it is worth it."""
        if connections <= FEW:
            return None
        if not self._tried:
            self._tried = True
            with suppress(OSError, ImportError):
                self._ring = self._make()
        return self._ring if self._ring is not None and self._ring.is_mine() else None


def _sockets(writes: Iterable[Write]) -> list[int]:
    """Where each writes to; -1, which no send gets anywhere with, where that has to be its transport."""
    return [write.fd if type(write) is Pipe and (not write.behind or write.is_ahead()) else -1 for write in writes]
