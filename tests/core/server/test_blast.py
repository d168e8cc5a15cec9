"""A sender of a thousand frames in one go is slowed by its own socket: nobody's outbox fills, nothing is lost."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from alonechat.core.server import connection
from alonechat.testing import Server, serving

COUNT = 1000


def text(content: str) -> bytes:
    payload = json.dumps({"type": "TEXT", "content": content, "nonce": content}).encode()
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload


def blast(server: Server, last: bytes) -> socket.socket:
    """COUNT texts and `last` from bo, in as few segments as they take."""
    server.register("bo")
    port = server.manager.ports["websocket"]
    raw = socket.create_connection(("127.0.0.1", port), 10)
    raw.sendall(
        f"GET /?token={server.token('bo')} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    heard = b""
    while b'"WELCOME"' not in heard:
        heard += raw.recv(65536)
    raw.sendall(b"".join(text(f"{number}") for number in range(COUNT)) + last)
    return raw


@pytest.mark.parametrize("last", [b"", b"\x88\x82" + bytes(4) + b"\x03\xe8"], ids=["stays", "says goodbye"])
def test_what_came_in_one_go_is_taken_in_portions_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: bytes
) -> None:
    flight: list[int] = []
    posted = connection.Connection.posted

    def watched(self: connection.Connection) -> None:
        posted(self)
        flight.append(self._in_flight)

    monkeypatch.setattr(connection.Connection, "posted", watched)
    with serving(tmp_path) as server:
        ana = server.person("ana")
        with blast(server, last):
            heard = [ana.hears("TEXT", sender="bo")["content"] for _ in range(COUNT)]
    assert heard == [f"{number}" for number in range(COUNT)]
    assert len(flight) == COUNT and max(flight) == connection.IN_FLIGHT
