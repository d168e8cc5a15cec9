"""Frames that are taken apart by hand: the same as the library would, wherever a stream of them is cut."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from alonechat.core.server import frames
from alonechat.testing import Server, serving

MOST = 65536
TEXTS = st.lists(st.text(max_size=300), max_size=6)


def sent(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    return Frame(opcode, data, fin).serialize(mask=True)


@given(TEXTS, st.data())
def test_a_stream_is_the_same_texts_wherever_it_is_cut(texts: list[str], data: st.DataObject) -> None:
    stream = b"".join(sent(Opcode.TEXT, text.encode()) for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    found, rest = [], b""
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        rest += stream[start:end]
        taken, pongs, at, odd = frames.take(rest, MOST)
        assert not odd and not pongs
        found += [text.decode() for text in taken]
        rest = rest[at:]
    assert found == texts and rest == b""


def test_pings_are_answered_and_pongs_passed_over() -> None:
    stream = sent(Opcode.PING, b"one") + sent(Opcode.PONG, b"") + sent(Opcode.TEXT, b"{}") + sent(Opcode.PING, b"")
    assert frames.take(stream, MOST) == ([b"{}"], b"\x8a\x03one\x8a\x00", len(stream), False)


@pytest.mark.parametrize(
    "odd",
    [
        sent(Opcode.TEXT, b"a", fin=False),
        sent(Opcode.CONT, b"a"),
        sent(Opcode.BINARY, b"a"),
        sent(Opcode.CLOSE, b""),
        b"\x89\xfe\x00\x7emask" + b"p" * 126,
        Frame(Opcode.TEXT, b"not masked").serialize(mask=False),
        b"\xc1\x81mask",
        sent(Opcode.TEXT, b"x" * 101),
        sent(Opcode.TEXT, b"x" * 70_000),
    ],
    ids=[
        "parts",
        "a later part",
        "binary",
        "close",
        "a long ping",
        "unmasked",
        "reserved bit",
        "over the limit",
        "64-bit length",
    ],
)
def test_what_is_rare_is_left_to_the_library_from_its_first_byte(odd: bytes) -> None:
    before = sent(Opcode.TEXT, b"hello")
    assert frames.take(before + odd, 100) == ([b"hello"], b"", len(before), True)


@given(st.text(max_size=70_000))
def test_what_is_sent_is_what_the_library_would_send(text: str) -> None:
    assert frames.frame(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def test_a_connection_takes_whole_and_cut_and_rare_frames_in_turn(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        ana = server.person("ana")
        url = urlsplit(server.ws_url)
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
        upgrade = f"Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n\r\n"
        head = f"GET /?token={ana.token} HTTP/1.1\r\n{upgrade}"

        def text(content: str) -> bytes:
            return json.dumps({"type": "TEXT", "content": content}).encode()

        first, long = text("one"), text("four " + "x" * 2000)
        stream = head.encode() + sent(Opcode.TEXT, first)  # in one piece with the upgrade
        stream += sent(Opcode.PING, b"") + sent(Opcode.TEXT, text("two"))
        stream += sent(Opcode.TEXT, text("three")[:9], fin=False) + sent(Opcode.PING, b"within")
        stream += sent(Opcode.CONT, text("three")[9:]) + sent(Opcode.TEXT, long)
        with socket.create_connection((url.hostname, url.port), 10) as found:
            for at in range(0, len(stream), 400):
                found.sendall(stream[at : at + 400])
            heard = b""
            while b'"content":"four ' not in heard:
                heard += found.recv(65536)
            found.sendall(sent(Opcode.CLOSE, b"\x03\xe8"))
            while more := found.recv(65536):
                heard += more
        assert heard.endswith(b"\x88\x02\x03\xe8") and b"\x8a\x06within" in heard
        said = [ana.hears("TEXT")["content"] for _ in range(4)]
        assert [each[:5].strip() for each in said] == ["one", "two", "three", "four"] and len(said[3]) == 2005


def upgrade(server: Server) -> bytes:
    """The header by which ana, who is registered here, asks for a WebSocket."""
    server.register("ana")
    return (
        f"GET /?token={server.token('ana')} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("cut", [1, 2, 3, 40, 10_000])
def test_an_upgrade_is_taken_in_pieces_of_any_size(tmp_path: Path, cut: int) -> None:
    with serving(tmp_path) as server:
        url, head = urlsplit(server.ws_url), upgrade(server)
        stream = head + sent(Opcode.TEXT, b'{"type": "HEARTBEAT", "nonce": "here"}')
        with socket.create_connection((url.hostname, url.port), 10) as found:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(stream), cut):
                found.sendall(stream[at : at + cut])
            heard = b""
            while b'"nonce":"here"' not in heard:
                heard += found.recv(65536)
        assert heard.index(b"WELCOME") < heard.index(b"HEARTBEAT")


@pytest.mark.parametrize("late", [1, 2, 3, 4])
def test_a_frame_behind_the_last_bytes_of_the_upgrade_is_taken(tmp_path: Path, late: int) -> None:
    with serving(tmp_path) as server:
        url, head = urlsplit(server.ws_url), upgrade(server)
        with socket.create_connection((url.hostname, url.port), 10) as found:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            found.sendall(head[:-late])
            time.sleep(0.1)  # so that the server has read that by itself
            found.sendall(head[-late:] + sent(Opcode.TEXT, b'{"type": "HEARTBEAT", "nonce": "here"}'))
            heard = b""
            while b'"nonce":"here"' not in heard:
                piece = found.recv(65536)
                assert piece, "the server has closed"
                heard += piece
