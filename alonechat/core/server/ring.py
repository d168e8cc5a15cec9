"""A hundred sends in one system call, by Linux's io_uring, with nothing compiled; `_ring.h` says why it is worth it.

For Python it is worth more: a call of `socket.send` for each member hands its lock over a hundred times, to a writer
that may have work for it, and costs as much again as the way into the kernel. Here the numbers of the sockets and where
the bytes lie are put into the queue as arrays, a few calls for all of them together, and one call of the C library,
which lets go of Python's lock once, has them sent.

Nothing is ever left under way: each send says MSG_DONTWAIT, so it is done, or has failed for want of room, when that
call is over. The process and the kernel share the queue, but only within that call, in one thread: so nothing has to be
ordered between processors. The thread that makes the ring is the only one that may use it.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
import threading
from array import array
from collections.abc import Sequence
from typing import Final

ENTRIES: Final = 128
"""Sends of one call."""
_SETUP, _ENTER = 425, 426  # the same on every processor
_FLAGS: Final = 1 << 12 | 1 << 13  # IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_DEFER_TASKRUN: Linux 6.1
_GETEVENTS: Final = 1
_SEND: Final = 26
_SENDS_AT: Final = 0x10000000
_PARAMS: Final = struct.Struct("=10I 10I 10I")
"""struct io_uring_params: what is asked for, and where things lie in the queues of sends and of ends."""
_ONE: Final = struct.Struct("=BBHiQQIIQHHIQQ")
"""struct io_uring_sqe. Of what is not set once for all: fd, address and length."""
_HEADER: Final = bytes.__basicsize__ - 1
"""Bytes before those of a `bytes` object, in memory."""
_LOW: Final = 0 if sys.byteorder == "little" else 1
"""Which half of a long number has its low bits."""


KEPT, APART = 8 << 20, 1 << 20
"""Bytes at a heap's end that are not given back, and from which a block is none of the heap's."""
_TOLD: Final = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
"""Variables by which whoever runs it has told glibc something else."""


def keep_heap() -> None:
    """Have glibc keep some of what is freed; `_pipes.c` says why. Other libraries of C have no such setting."""
    if sys.platform == "linux" and not any(name in os.environ for name in _TOLD):
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            library.mallopt(-1, KEPT)  # M_TRIM_THRESHOLD
            library.mallopt(-2, KEPT)  # M_TOP_PAD
            library.mallopt(-3, APART)  # M_MMAP_THRESHOLD


def _address(data: bytes) -> int:
    """Where the bytes lie; they must be kept for as long as that is used."""
    if type(data) is not bytes:
        raise TypeError(f"a ring sends bytes, not {type(data).__name__}")
    return id(data) + _HEADER


class Ring:
    """One for the calling thread. Raises OSError where there is none to be had: another system, an older Linux, or one
    that forbids it, as many containers do."""

    def __init__(self) -> None:
        if sys.platform != "linux" or hasattr(sys, "getandroidapilevel"):  # Android ends a process that asks
            raise OSError(errno.ENOSYS, "there is no io_uring here")
        self._call = ctypes.CDLL(None, use_errno=True).syscall
        self._call.restype = ctypes.c_long
        asked = ctypes.create_string_buffer(_PARAMS.pack(0, 0, _FLAGS, *[0] * 27))
        self.fd = self._call(ctypes.c_long(_SETUP), ctypes.c_uint(ENTRIES), asked)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "there is no io_uring here")
        self.owner = threading.get_ident()
        try:
            self._map(_PARAMS.unpack(asked.raw[: _PARAMS.size]))
        except BaseException:
            self.close()
            raise
        self._call.argtypes = (ctypes.c_long, *[ctypes.c_uint] * 4, ctypes.c_void_p, ctypes.c_size_t)

    def _map(self, made: tuple[int, ...]) -> None:
        sends, ends = made[0], made[1]
        _, sq_tail, sq_mask, *_, order = made[10:17]
        cq_head, cq_tail, cq_mask, _, _, cqes = made[20:26]
        protection, flags = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | mmap.MAP_POPULATE
        both = mmap.mmap(self.fd, max(order + 4 * sends, cqes + 16 * ends), flags, protection)
        queue = mmap.mmap(self.fd, 64 * sends, flags, protection, offset=_SENDS_AT)
        how = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
        for at in range(sends):
            _ONE.pack_into(queue, 64 * at, _SEND, 0, 0, -1, 0, 0, 0, how, at, 0, 0, 0, 0, 0)
        numbers = memoryview(both).cast("I")
        self._sq_tail, self._cq_head, self._cq_tail = sq_tail // 4, cq_head // 4, cq_tail // 4
        self._sq_mask, self._cq_mask = numbers[sq_mask // 4], numbers[cq_mask // 4]
        self._numbers = numbers
        self._order = numbers[order // 4 : order // 4 + sends]
        self._ends = numbers[cqes // 4 : cqes // 4 + 4 * ends].cast("B").cast("i")
        whole = memoryview(queue)
        self._fds, self._lengths = whole.cast("i")[1::16], whole.cast("I")[6::16]
        self._addresses = whole.cast("Q")[2::8]
        self._each = array("I", range(sends))

    def is_mine(self) -> bool:
        """Whether the calling thread may use it."""
        return self.fd >= 0 and self.owner == threading.get_ident()

    def send(self, fds: Sequence[int], pieces: Sequence[bytes]) -> list[int]:
        """Send each piece to the socket of the same place; what each took. 0 as well where it failed, which its
        transport will meet, too, and for all that were not asked any more because the kernel took no more: then there
        is no ring from then on. Raises TypeError for what is no bytes."""
        found: list[int] = []
        for at in range(0, len(fds), ENTRIES):
            some = pieces[at : at + ENTRIES]
            addresses = array("Q", map(_address, some))
            found += self._carry_out(fds[at : at + ENTRIES], addresses, array("I", map(len, some)))
        return found

    def send_all(self, fds: Sequence[int], data: bytes) -> list[int]:
        """Send the same to all, likewise."""
        found, address, length = [], array("Q", [_address(data)]), array("I", [len(data)])
        for at in range(0, len(fds), ENTRIES):
            some = fds[at : at + ENTRIES]
            found += self._carry_out(some, address * len(some), length * len(some))
        return found

    def _carry_out(self, fds: Sequence[int], addresses: array[int], lengths: array[int]) -> list[int]:
        count = len(fds)
        took, taken, done = [0] * count, 0, 0
        if self.fd < 0:
            return took
        tail = self._numbers[self._sq_tail]
        self._fds[:count] = array("i", fds)
        self._addresses[:count] = addresses
        self._lengths[:count] = lengths
        at = tail & self._sq_mask
        first = min(count, len(self._order) - at)
        self._order[at : at + first] = self._each[:first]
        self._order[: count - first] = self._each[first:count]
        self._numbers[self._sq_tail] = tail + count & 0xFFFFFFFF
        while done < count:
            found = self._call(_ENTER, self.fd, count - taken, count - done, _GETEVENTS, None, 0)
            why = ctypes.get_errno() if found < 0 else 0
            taken += max(found, 0)
            done += self._reap(took)
            if why not in (0, errno.EINTR):
                self.close()
                break
        return took

    def _reap(self, took: list[int]) -> int:
        """Note what came of the sends that are done; how many these are."""
        numbers, ends = self._numbers, self._ends
        head, end = numbers[self._cq_head], numbers[self._cq_tail]
        count = end - head & 0xFFFFFFFF
        at, size = head & self._cq_mask, self._cq_mask + 1
        for start, stop in ((at, min(at + count, size)), (0, max(0, at + count - size))):
            places, results = ends[4 * start + _LOW : 4 * stop : 4], ends[4 * start + 2 : 4 * stop : 4]
            for which, result in zip(places, results, strict=True):
                took[which] = max(result, 0)
        numbers[self._cq_head] = end
        return count

    def close(self) -> None:
        """There is no ring any more."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1
        nothing = memoryview(b"")  # the memory, which keeps the ring, goes with the last that looks at it
        self._numbers = self._order = self._ends = self._fds = self._lengths = self._addresses = nothing
