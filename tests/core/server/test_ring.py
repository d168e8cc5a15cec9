"""The ring alone: what each socket took, whatever the sockets are, and whatever the kernel does."""

from __future__ import annotations

import ctypes
import errno
import gc
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from alonechat.core.server import ring, straight
from alonechat.core.server.ring import ENTRIES, Ring
from tests.core.server.test_pipes import has_rings, rings

pytestmark = pytest.mark.skipif(not has_rings(), reason="elsewhere: a ring needs Linux 6.1, and a host that allows it")
Pairs = Callable[[int], tuple[list[socket.socket], list[socket.socket]]]


@pytest.fixture
def own() -> Iterator[Ring]:
    found = Ring()
    yield found
    found.close()


@pytest.fixture
def pairs() -> Iterator[Pairs]:
    """So many connected sockets, and those on their other side."""
    with ExitStack() as stack:

        def make(count: int) -> tuple[list[socket.socket], list[socket.socket]]:
            made = [socket.socketpair() for _ in range(count)]
            for pair in made:
                for each in pair:
                    stack.enter_context(each)
                    each.settimeout(5)
            return [left for left, _ in made], [right for _, right in made]

        yield make


def numbers(sockets: list[socket.socket]) -> list[int]:
    return [each.fileno() for each in sockets]


@pytest.mark.parametrize("count", [1, 100, ENTRIES, ENTRIES + 1, 3 * ENTRIES + 7])
def test_each_socket_gets_its_own_in_order_round_after_round(own: Ring, pairs: Pairs, count: int) -> None:
    mine, others = pairs(count)
    for turn in range(5):  # the queue begins somewhere else each time, and goes round
        pieces = [b"%d for %d" % (turn, at) for at in range(count)]
        assert own.send(numbers(mine), pieces) == [len(piece) for piece in pieces]
        assert own.send_all(numbers(mine), b"!") == [1] * count
        assert [other.recv(100) for other in others] == [piece + b"!" for piece in pieces]


def test_what_finds_no_room_is_told(own: Ring, pairs: Pairs) -> None:
    mine, others = pairs(3)
    long = os.urandom(8 << 20)
    first, part, last = own.send([mine[0].fileno(), mine[1].fileno(), mine[2].fileno()], [b"a", long, b"c"])
    assert (first, last) == (1, 1) and 0 < part < len(long)
    assert own.send_all(numbers(mine), b"d") == [1, 0, 1]
    got = b""
    while len(got) < part:
        got += others[1].recv(1 << 20)
    assert got == long[:part] and others[0].recv(9) == b"ad" and others[2].recv(9) == b"cd"


def test_a_socket_that_is_none_or_is_broken_takes_nothing_and_harms_no_other(own: Ring, pairs: Pairs) -> None:
    mine, others = pairs(3)
    others[0].close()
    assert own.send_all([mine[0].fileno(), -1, mine[1].fileno(), 4095, mine[2].fileno()], b"ab") == [0, 0, 2, 0, 2]
    assert others[1].recv(9) == others[2].recv(9) == b"ab"


def test_nothing_and_empty_pieces(own: Ring, pairs: Pairs) -> None:
    mine, others = pairs(2)
    assert own.send([], []) == own.send_all([], b"x") == []
    assert own.send(numbers(mine), [b"", b"b"]) == [0, 1] and others[1].recv(9) == b"b"


@pytest.mark.parametrize("wrong", [bytearray(b"abc"), memoryview(b"abc"), "abc"])
def test_only_bytes_are_sent(own: Ring, pairs: Pairs, wrong: bytes) -> None:
    mine, others = pairs(1)
    for send in (lambda: own.send_all(numbers(mine), wrong), lambda: own.send(numbers(mine), [wrong])):
        with pytest.raises(TypeError, match="a ring sends bytes"):
            send()
    assert own.send_all(numbers(mine), b"abc") == [3] and others[0].recv(9) == b"abc"


def test_it_belongs_to_its_thread(own: Ring) -> None:
    assert own.is_mine()
    heard: list[bool] = []
    other = threading.Thread(target=lambda: heard.append(own.is_mine()))
    other.start()
    other.join()
    assert heard == [False]


def test_a_call_that_a_signal_ends_goes_on_and_one_that_fails_ends_the_ring(
    own: Ring, pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, others = pairs(2)
    enter, fails = own._call, [errno.EINTR, errno.EINTR, 0]

    def call(*given: int | None) -> int:
        why = fails.pop(0) if fails else 0
        ctypes.set_errno(why)
        return -1 if why else int(enter(*given))

    monkeypatch.setattr(own, "_call", call)
    assert own.send_all(numbers(mine), b"a") == [1, 1]
    fails = [errno.ENOMEM]
    before = len(rings())
    assert own.send_all(numbers(mine), b"b") == [0, 0] and own.send(numbers(mine), [b"c", b"c"]) == [0, 0]
    assert not own.is_mine() and others[0].recv(9) == b"a"
    gc.collect()
    assert len(rings()) < before, "what was mapped keeps a descriptor each"


def test_a_kernel_that_takes_a_part_is_asked_again(own: Ring, pairs: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, others = pairs(5)
    enter = own._call
    asked: list[int] = []

    def call(number: int, fd: int, count: int, wanted: int, *more: int | None) -> int:
        asked.append(count)
        return int(enter(number, fd, min(count, 2), min(wanted, 2), *more))

    monkeypatch.setattr(own, "_call", call)
    assert own.send_all(numbers(mine), b"a") == [1] * 5 and asked == [5, 3, 1]
    assert [other.recv(9) for other in others] == [b"a"] * 5


def test_where_there_is_none_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "_FLAGS", 1 << 31)  # what no kernel knows
    with pytest.raises(OSError, match="no io_uring"):
        Ring()
    monkeypatch.undo()
    monkeypatch.setattr(ctypes, "CDLL", lambda *_given, **_more: pytest.fail("a number means another call there"))
    for platform in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", platform)
        with pytest.raises(OSError, match="no io_uring"):
            Ring()


@pytest.mark.parametrize("why", [OSError("none"), ImportError("no ctypes")])
def test_it_is_asked_for_once_and_not_for_few(why: Exception) -> None:
    asked: list[int] = []

    def none() -> Ring:
        asked.append(1)
        raise why

    plain = straight.Straight(none)
    heard: list[bytes] = []
    few, many = ({at: heard.append for at in range(count)} for count in (straight.FEW, straight.FEW + 1))
    plain.spread(few, b"a")
    assert asked == []
    plain.spread(many, b"a")
    plain.scatter(list(many.values()), [b"a"] * len(many))
    assert asked == [1] and heard == [b"a"] * (len(few) + 2 * len(many))


def test_those_that_only_their_transports_may_write_to_are_no_matter_for_the_kernel(
    own: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "_call", lambda *_given: pytest.fail("the kernel was asked"))
    plain, heard = straight.Straight(lambda: own), list[bytes]()
    tls = {at: heard.append for at in range(20)}
    plain.spread(tls, b"a")
    plain.scatter(list(tls.values()), [b"b"] * 20)
    assert heard == [b"a"] * 20 + [b"b"] * 20
