"""Whatever is sent to it: the server lives, its memory returns, and others notice nothing."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alonechat.core import message
from tests.journeys.people import People
from tests.journeys.process import ServerProcess

OUTBOX = 256 * 1024
CONNECTIONS = 2000
KINDS = (*message.FRAMES, "WELCOME", "ERROR", "NOTICE", "text", "", "💥")
FIELDS = ("content", "target", "ref", "nonce", "seq", "after", "before", "limit", "removed", "access", "sender", "x")


@pytest.fixture(scope="module")
def server(pyz: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of its own: its memory is measured."""
    env = {"ALONECHAT_RATE_MESSAGES": "0", "ALONECHAT_RATE_LOGINS": "0", "ALONECHAT_OUTBOX": str(OUTBOX)}
    found = ServerProcess(pyz, tmp_path_factory.mktemp("hostile"), env=env)
    found.start()
    yield found
    found.end()


@pytest.fixture
def talkers(server: ServerProcess) -> Iterator[People]:
    """Who talks to this server."""
    with People(server) as found:
        yield found


def raw(server: ServerProcess, token: str) -> socket.socket:
    """A socket that is upgraded and signed in, whose frames nobody checks before they are sent."""
    parts = urlsplit(server.ws_url)
    found = socket.create_connection((parts.hostname, parts.port), timeout=10)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    found.sendall(
        f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += found.recv(4096)
    assert b" 101 " in head.split(b"\r\n", 1)[0], head
    return found


def masked(opcode: int, data: bytes, fin: bool = True) -> bytes:
    """A client's frame."""
    key = secrets.token_bytes(4)
    size = len(data)
    first = bytes([(0x80 if fin else 0) | opcode])
    length = (
        bytes([0x80 | size]) if size < 126
        else b"\xfe" + struct.pack(">H", size) if size < 65536
        else b"\xff" + struct.pack(">Q", size)
    )  # fmt: skip
    return first + length + key + bytes(b ^ key[i % 4] for i, b in enumerate(data))


def close_code(found: socket.socket) -> int:
    """The code of the close frame with which the server ends the connection; 0 when it just ends."""
    data = b""
    found.shutdown(socket.SHUT_WR)  # so that the server need not wait for an answer to its close
    while chunk := found.recv(65536):
        data += chunk
    found.close()
    at = 0
    while at + 2 <= len(data):
        opcode, size = data[at] & 15, data[at + 1] & 127
        at += 2
        if size == 126:
            size, at = struct.unpack(">H", data[at : at + 2])[0], at + 2
        elif size == 127:
            size, at = struct.unpack(">Q", data[at : at + 8])[0], at + 8
        if opcode == 8:
            return int(struct.unpack(">H", data[at : at + 2])[0])
        at += size
    return 0


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
LIKELY = st.sampled_from(
    ["#lobby", "#nowhere", "ana", "", "#", "/", "/help", "//", "@all", "👍", "\x00", "\ud800", 0, -1, 2**53, True, None]
)
FRAMES = st.one_of(
    ANY_JSON,
    st.fixed_dictionaries(
        {"type": st.sampled_from(KINDS) | ANY_JSON},
        optional={name: LIKELY | ANY_JSON for name in FIELDS},
    ),
)


def test_frames_of_any_shape_are_answered_or_refused(talkers: People) -> None:
    bo = talkers.connect("bo")
    here = [talkers.connect("ana")]

    @settings(max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(FRAMES | st.text(max_size=60))
    def send(frame: Any) -> None:
        ana = here[-1]
        ana.ws.send(frame if isinstance(frame, str) and len(frame) % 2 else json.dumps(frame))
        told = ana.quiet()
        assert all(each.get("code") != "internal" for each in told), (frame, told)
        here.append(ana)
        if len(here) > 15:  # 20 bad frames within 10 s would close it
            ana.close()
            here[:] = [talkers.connect("ana", ana.token)]

    send()
    assert bo.says("still here")["content"] == "still here"


def test_twenty_bad_frames_close_only_their_own_connection(talkers: People) -> None:
    bo, ana = talkers.connect("bo"), talkers.connect("ana")
    for _ in range(20):
        ana.ws.send("[")
    assert ana.closed() == 1008
    assert bo.says("still here")["content"] == "still here"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (masked(1, b'{"type":"TEXT","content":"' + b"a" * 70_000 + b'"}'), 1009),
        (masked(1, b"a" * 40_000, fin=False) + masked(0, b"a" * 40_000), 1009),
        (masked(2, b"{}"), 1003),
        (masked(1, b"\xff\xfe"), 1007),
        (masked(3, b""), 1002),
        (masked(0, b"no beginning"), 1002),
        (b"\x81\x02{}", 1002),  # not masked
        (b"\xff" * 14, 1002),
        (masked(8, struct.pack(">H", 1000)), 1000),
    ],
    ids=["too-long", "long-in-parts", "binary", "not-utf-8", "opcode", "continuation", "unmasked", "noise", "close"],
)
def test_what_is_no_frame_ends_its_connection_with_a_code(
    server: ServerProcess, talkers: People, sent: bytes, code: int
) -> None:
    bo = talkers.connect("bo")
    talkers.register("ana")
    found = raw(server, talkers.token("ana"))
    found.sendall(sent)
    assert close_code(found) == code
    assert bo.says("still here")["content"] == "still here"


def test_who_still_sends_while_it_is_closed_is_not_reset(server: ServerProcess, talkers: People) -> None:
    talkers.register("ana")
    found = raw(server, talkers.token("ana"))
    sent = masked(1, b"a" * 300_000)
    found.sendall(sent[:70_000])
    assert found.recv(4096), "the server closes when it sees the length"
    while found.recv(4096):  # until the server has nothing more to say
        pass
    for at in range(70_000, len(sent), 50_000):
        found.sendall(sent[at : at + 50_000])
    assert found.recv(1) == b""
    assert close_code(found) == 0


def test_a_half_sent_frame_holds_up_nobody(server: ServerProcess, talkers: People) -> None:
    bo = talkers.connect("bo")
    talkers.register("ana")
    whole = masked(1, json.dumps({"type": "TEXT", "content": "in two halves"}).encode())
    begun = [raw(server, talkers.token("ana")) for _ in range(20)]
    for found in begun:
        found.sendall(whole[:-5])
    assert bo.says("meanwhile")["content"] == "meanwhile"
    begun[0].sendall(whole[-5:])
    assert bo.hears("TEXT", sender="ana")["content"] == "in two halves"
    for found in begun:
        found.close()
    assert bo.says("after them")["content"] == "after them"


def test_half_a_request_is_cut_and_the_rest_served(server: ServerProcess, talkers: People) -> None:
    bo = talkers.connect("bo")
    parts = urlsplit(server.ws_url)
    begun = [socket.create_connection((parts.hostname, parts.port), timeout=15) for _ in range(50)]
    kinds = [b"", b"GET / HT", b"\x16\x03\x01\x02\x00", b"POST /x HTTP/1.1\r\n\r\n", b"\0" * 9000]
    for number, found in enumerate(begun):
        found.sendall(kinds[number % len(kinds)])
    assert bo.says("meanwhile")["content"] == "meanwhile"
    until = time.monotonic() + 14
    for found in begun:
        found.settimeout(max(0.1, until - time.monotonic()))
        try:
            while found.recv(4096):
                pass
        except ConnectionResetError:
            pass
        found.close()


def test_a_slow_reader_is_closed_and_catches_up(server: ServerProcess, talkers: People) -> None:
    bo = talkers.connect("bo")
    talkers.register("ana")
    token = talkers.token("ana")
    ana = talkers.connect("ana", token)
    at = next(c["seq"] for c in ana.welcome["conversations"] if c["target"] == "#lobby")
    ana.close()
    slow = raw(server, token)
    text, sent, took = "slow " * 700, 0, 0.0
    settle(talkers, 2)
    while (left := talkers.metric("alonechat_connections")) == 2 and sent < 6000:
        began = time.monotonic()
        for _ in range(100):
            bo.send(type="TEXT", content=text)
        bo.quiet()
        took = max(took, time.monotonic() - began)
        sent += 100
    print(f"closed after {sent} messages, the slowest hundred took {took:.2f} s")
    assert left == 1, f"not closed after {sent} messages of {len(text)} bytes"
    assert close_code(slow) in (4413, 0)  # its close frame stands behind what it never read, and may be cut with it
    assert took < 10
    back = talkers.connect("ana", token)
    found, more, after = [], True, at
    while more:
        page = back.asks(type="HISTORY", target="#lobby", after=after, limit=200)
        found += [event["seq"] for event in page["events"]]
        more, after = page["more"], found[-1]
    assert found == list(range(at + 1, at + 1 + len(found))) and len(found) >= sent


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_two_thousand_connections_come_and_go(server: ServerProcess, talkers: People) -> None:
    bo = talkers.connect("bo")
    names = [f"crowd{n}" for n in range(45)]
    for name in names:
        talkers.register(name)
    tokens = [talkers.token(name) for name in names]

    def round_of(count: int) -> float:
        """Open and drop, every second one without a word, while bo talks: the longest that an echo took."""
        begun: list[socket.socket] = []
        longest = 0.0
        for number in range(count):
            begun.append(raw(server, tokens[number % len(tokens)]))
            if number % 100 == 0:
                began = time.monotonic()
                bo.says(f"{number}")
                longest = max(longest, time.monotonic() - began)
        for number, found in enumerate(begun):
            if number % 2:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
            found.close()
        assert bo.says("they are gone")["content"] == "they are gone"
        bo.quiet()
        return longest

    round_of(CONNECTIONS)  # what caches and allocator keep once is no leak
    settle(talkers, 1)
    before = resident(server.pid)
    longest = round_of(CONNECTIONS)
    settle(talkers, 1)
    grown = resident(server.pid) - before
    print(f"longest echo {longest * 1000:.0f} ms, memory grew by {grown / 1024:.0f} KiB")
    assert longest < 5
    assert grown < 16 << 20, f"{CONNECTIONS} connections left {grown} bytes behind"


def settle(talkers: People, connected: int) -> None:
    """Wait until so many connections are counted."""
    until = time.monotonic() + 20
    while (counted := talkers.metric("alonechat_connections")) != connected:
        assert time.monotonic() < until, f"{counted} connections are counted, not {connected}"
        time.sleep(0.05)
