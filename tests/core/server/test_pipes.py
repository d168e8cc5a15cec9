"""Writing to connections: all of it, in order, to whoever it is for, whether the socket has room or not."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import socket
import sys
from collections.abc import Awaitable, Callable

import pytest

from alonechat.core.server import pipes
from tests.core.server.conftest import WAYS

pytestmark = pytest.mark.usefixtures("way")
PIECES = 4000


class Ends:
    """Connected pairs: a transport of the running loop here, a plain socket there."""

    def __init__(self) -> None:
        self.transports: list[asyncio.Transport] = []
        self.writes: list[pipes.Write] = []
        self.others: list[socket.socket] = []

    async def add(self, pair: Callable[[], tuple[socket.socket, socket.socket]] = socket.socketpair) -> pipes.Write:
        """One more pair; what writes to it."""
        mine, other = pair()
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        other.setblocking(False)
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=mine)
        self.transports.append(transport)
        self.writes.append(pipes.beside(transport))
        self.others.append(other)
        return self.writes[-1]

    async def read(self, at: int, size: int) -> bytes:
        """What the other side of a pair gets."""
        found = b""
        async with asyncio.timeout(10):
            while len(found) < size:
                more = await asyncio.get_running_loop().sock_recv(self.others[at], 65536)
                assert more, f"it ended after {len(found)} bytes"
                found += more
        return found

    def lose(self, at: int) -> None:
        """The connection is lost."""
        self.transports[at].abort()
        pipes.lost(self.writes[at])

    def close(self) -> None:
        for at, other in enumerate(self.others):
            self.lose(at)
            other.close()


def run(act: Callable[[Ends], Awaitable[None]]) -> None:
    """Run it on a loop of its own, with pairs that are closed at the end."""

    async def main() -> None:
        ends = Ends()
        try:
            await act(ends)
        finally:
            ends.close()

    asyncio.run(main())


def test_all_is_read_in_order_by_who_reads_late() -> None:
    async def act(ends: Ends) -> None:
        write = await ends.add()
        sent = b""
        for number in range(PIECES):
            piece = b"%06d" % number * (1 + number % 40)
            sent += piece
            if number % 3:
                write(piece)
            else:
                pipes.spread({1: write}, piece)
            if number % 500 == 0:
                await asyncio.sleep(0)
        assert ends.transports[0].get_write_buffer_size() > 0, "the socket took all: nothing had to wait"
        assert await ends.read(0, len(sent)) == sent
        write(b"and after that")
        assert await ends.read(0, 14) == b"and after that"

    run(act)


@pytest.mark.parametrize("members", [1, 16, 17, 60, 129, 300])
def test_each_member_gets_what_it_gets_and_no_other(members: int) -> None:
    async def act(ends: Ends) -> None:
        for _ in range(members):
            await ends.add()
        everybody = dict(enumerate(ends.writes))
        full = b"x" * 300_000
        ends.writes[0](full)
        pipes.spread(everybody, b"to all")
        for at in range(members):
            ends.writes[at](b" and to %d" % at)
        pipes.spread(everybody, b", and again")
        for at in range(members):
            wanted = (full if at == 0 else b"") + b"to all and to %d, and again" % at
            assert await ends.read(at, len(wanted)) == wanted

    run(act)


@pytest.mark.parametrize("members", [1, 17, 129, 300])
def test_each_gets_its_own_piece_behind_what_was_written_before(members: int) -> None:
    async def act(ends: Ends) -> None:
        for _ in range(members):
            await ends.add()
        full = b"x" * 300_000
        ends.writes[0](full)
        for turn in range(3):
            pipes.scatter(ends.writes, [b"%d to %d;" % (turn, at) for at in range(members)])
        for at in range(members):
            wanted = (full if at == 0 else b"") + b"".join(b"%d to %d;" % (turn, at) for turn in range(3))
            assert await ends.read(at, len(wanted)) == wanted

    run(act)


def test_pieces_that_no_socket_takes_whole_come_whole() -> None:
    async def act(ends: Ends) -> None:
        for _ in range(20):
            await ends.add()
        pieces = [[bytes([65 + turn, 65 + at]) * 30_000 for at in range(20)] for turn in range(2)]
        for each in pieces:
            pipes.scatter(ends.writes[:], each)
        ends.lose(19)
        for at in range(19):
            assert await ends.read(at, 120_000) == pieces[0][at] + pieces[1][at]

    run(act)


@pytest.mark.parametrize("way", [each for each in WAYS if each.startswith("pipes")], indirect=True)
@pytest.mark.parametrize("given", [([print], []), ([print], [1]), ((), ()), ([], [], []), ([],)])
def test_compiled_pipes_take_nothing_else(given: tuple[object, ...]) -> None:
    with pytest.raises(TypeError, match="scatter takes a list of what is called, and a list of bytes as long"):
        pipes.scatter(*given)  # type: ignore[arg-type]


def over_tcp() -> tuple[socket.socket, socket.socket]:
    """A pair as a server's: with what the system's sockets do that its pairs don't."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        mine = socket.create_connection(server.getsockname())
        return mine, server.accept()[0]


@pytest.mark.parametrize("pair", [socket.socketpair, over_tcp])
@pytest.mark.parametrize("size", [16_383, 16_384, 32_767, 32_768, 52_000, 300_000])
def test_what_is_long_comes_whole_and_is_not_what_is_sent_next(
    size: int, pair: Callable[[], tuple[socket.socket, socket.socket]]
) -> None:
    async def act(ends: Ends) -> None:
        for _ in range(20):
            await ends.add(pair)
        everybody = dict(enumerate(ends.writes))
        pieces = [bytes([65 + number]) * size for number in range(4)]
        for piece in pieces:
            pipes.spread(everybody, piece)
        ends.writes[0](b"to the first")
        ends.lose(19)
        for at in range(19):
            wanted = b"".join(pieces) + (b"to the first" if at == 0 else b"")
            assert await ends.read(at, len(wanted)) == wanted

    run(act)


def test_who_is_gone_is_written_nothing_though_the_number_is_somebody_elses_by_now() -> None:
    async def act(ends: Ends) -> None:
        gone = await ends.add()
        here = await ends.add()
        ends.lose(0)
        await asyncio.sleep(0)
        others = [each for _ in range(20) for each in socket.socketpair()]
        pipes.spread({1: gone, 2: here}, b"for those who are here")
        assert await ends.read(1, 22) == b"for those who are here"
        gone(b"for nobody")
        for each in others:
            each.setblocking(False)
            with pytest.raises(BlockingIOError):
                each.recv(1)
        for each in others:
            each.close()

    run(act)


def test_a_broken_socket_is_found_by_its_transport_and_harms_no_other() -> None:
    async def act(ends: Ends) -> None:
        await ends.add()
        await ends.add()
        ends.others[0].close()
        for _ in range(3):
            pipes.spread(dict(enumerate(ends.writes)), b"once more")
        assert await ends.read(1, 27) == b"once more" * 3
        async with asyncio.timeout(10):
            while not ends.transports[0].is_closing():
                await asyncio.sleep(0.01)

    run(act)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere: only Linux says what is behind a descriptor")
def test_no_descriptor_is_left_open() -> None:
    async def act(ends: Ends) -> None:
        for _ in range(20):
            await ends.add()
        pipes.spread(dict(enumerate(ends.writes)), bytes(50_000))
        sockets = [each.get_extra_info("socket") for each in ends.transports]
        numbers = [number(each.fileno()) for each in sockets]
        assert not [each for each in range(4096) if "memfd:alonechat" in named(each)]
        assert all(descriptors(each) for each in numbers), "the sockets are not found while they are open"
        for at in range(20):
            ends.lose(at)
        await asyncio.sleep(0)
        assert [descriptors(each) for each in numbers] == [[]] * 20

    run(act)


def rings() -> list[int]:
    return [each for each in range(4096) if named(each) == "anon_inode:[io_uring]"]


def has_rings() -> bool:
    """Whether the system lets this process have a ring: Linux from 6.1 on, where it is not forbidden."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    asked = (ctypes.c_uint32 * 30)(0, 0, 1 << 12 | 1 << 13)  # io_uring_params: SINGLE_ISSUER, DEFER_TASKRUN
    found = libc.syscall(425, 1, ctypes.byref(asked))
    if found >= 0:
        os.close(found)
    return found >= 0


def test_many_short_writes_go_through_one_ring_where_there_may_be_one(request: pytest.FixtureRequest, way: str) -> None:
    if way not in ("pipes", "straight"):
        return
    before = rings()  # of a test that ran earlier: there is one for all time

    async def act(ends: Ends) -> None:
        for _ in range(17):
            await ends.add()
        for number in range(3):
            pipes.spread(dict(enumerate(ends.writes)), b"%d" % number)
        if way == "pipes":
            assert len(rings()) == has_rings() and before in ([], rings())
        else:
            assert len(rings()) - len(before) == 3 * has_rings(), "its mappings have a descriptor each"
        for at in range(17):
            assert await ends.read(at, 3) == b"012"

    run(act)


def test_another_thread_than_the_rings_writes_the_same() -> None:
    async def act(ends: Ends) -> None:
        for _ in range(20):
            await ends.add()
        everybody = dict(enumerate(ends.writes))
        pipes.spread(everybody, b"here, ")
        await asyncio.to_thread(pipes.spread, everybody, b"and there")
        for at in range(20):
            assert await ends.read(at, 15) == b"here, and there"

    run(act)


def named(descriptor: int) -> str:
    """What Linux calls a descriptor's file; nothing where there is none, or elsewhere."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


def number(descriptor: int) -> tuple[int, int]:
    """What is behind a descriptor: the same for each that stands for it."""
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


def descriptors(wanted: tuple[int, int]) -> list[int]:
    """The descriptors of this process that stand for it: what other tests open and close changes nothing."""
    found = []
    for at in range(4096):
        with contextlib.suppress(OSError):
            if number(at) == wanted:
                found.append(at)
    return found


def test_a_pipe_takes_bytes_and_a_spread_a_dict(request: pytest.FixtureRequest, way: str) -> None:
    if way != "pipes":
        return
    written = request.getfixturevalue("c_pipes")
    left, right = socket.socketpair()
    pipe = written.Pipe(left.fileno(), left.send, lambda: 0)
    for wrong in ((), ("text",), (b"a", b"b"), (bytearray(b"a"),)):
        with pytest.raises(TypeError):
            pipe(*wrong)
    with pytest.raises(TypeError):
        written.spread([pipe], b"a")
    with pytest.raises(OSError, match="Bad file descriptor"):
        written.Pipe(-1, left.send, lambda: 0)
    pipe.close()
    pipe.close()
    left.close()
    right.close()


def test_one_whose_write_fails_keeps_nothing_from_the_others(
    request: pytest.FixtureRequest, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way != "pipes":
        return
    heard: list[bytes] = []
    noted: list[str] = []

    def broken(data: bytes) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(sys, "unraisablehook", lambda about: noted.append(str(about.exc_value)))
    request.getfixturevalue("c_pipes").spread({1: broken, 2: heard.append}, b"a")
    assert heard == [b"a"] and noted == ["broken"]
