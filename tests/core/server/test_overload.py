"""Too much at once stays in the sockets of those who send it; nobody else is dropped, and nothing is lost."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.frames import Frame, Opcode

from alonechat.core.server.intake import FULL
from alonechat.testing import serving

pytestmark = pytest.mark.usefixtures("way")
PATIENCE = 20.0


def texts(name: str, count: int, size: int) -> bytes:
    """`count` texts as a client sends them, in one piece."""
    frames = ({"type": "TEXT", "content": f"{name} {n} " + "x" * size, "nonce": f"{name}-{n}"} for n in range(count))
    return b"".join(Frame(Opcode.TEXT, json.dumps(each).encode()).serialize(mask=True) for each in frames)


def dial(url: str, token: str, buffer: int | None = None) -> socket.socket:
    """A connection that is signed in, without a library that would read for us."""
    found, at = socket.socket(), urlsplit(url)
    if buffer is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    found.settimeout(PATIENCE)
    found.connect((at.hostname, at.port))
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13"
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    found.sendall(f"GET /?token={token} HTTP/1.1\r\nHost: x\r\n{upgrade}\r\n{key}\r\n\r\n".encode())
    heard = b""
    while b"WELCOME" not in heard:
        heard += found.recv(4096)
    return found


def test_many_floods_at_once_are_carried_whole_and_in_order(tmp_path: Path) -> None:
    with serving(tmp_path, rate_messages=0) as server:
        bo = server.person("bo")
        names = [f"sender{n}" for n in range(8)]
        for name in names:
            server.register(name)
        sockets = [dial(server.ws_url, server.token(name)) for name in names]
        for name, found in zip(names, sockets, strict=True):
            found.sendall(texts(name, 300, 10))
        heard: dict[str, list[int]] = {name: [] for name in names}
        most, seq = 0, 0
        while seq < 2400:
            event = bo.hears("TEXT", "PRESENCE")
            if event["type"] == "TEXT":
                assert event["seq"] == seq + 1
                seq = event["seq"]
                heard[event["sender"]].append(int(event["content"].split()[1]))
            most = max(most, server.manager.keep.intake._away + len(server.manager.keep.intake._gathered))
        for found in sockets:
            found.close()
        assert heard == {name: list(range(300)) for name in names} and most <= FULL


def test_who_does_not_read_is_not_read_and_loses_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, rate_messages=0) as server:
        server.register("ana")
        ana = dial(server.ws_url, server.token("ana"), buffer=4096)
        flood = threading.Thread(target=ana.sendall, args=(texts("ana", 6000, 1000),), daemon=True)
        flood.start()
        until = time.monotonic() + PATIENCE
        while not server.manager.delivery.slow:
            assert time.monotonic() < until, "ana's outbox never filled"
            time.sleep(0.01)
        bo = server.person("bo")
        assert bo.says("still quick")["seq"] < 6000
        heard, tail = 0, b""
        while heard < 6000:
            more = ana.recv(1 << 20)
            assert more, "closed"
            heard += (tail + more).count(b'"nonce":"ana-')
            tail = (tail + more)[-12:]
        flood.join()
        ana.close()


def test_what_comes_in_the_moment_of_an_end_is_written_to_the_others(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        bo = server.person("bo")
        server.register("ana")
        ana = dial(server.ws_url, server.token("ana"))
        reception, delivery = server.manager.reception, server.manager.delivery

        async def at_once() -> None:
            (connection,) = (each for each in reception.connections if each.username == "ana")
            connection.eof_received()  # as the transport tells it, a turn before the connection is lost
            delivery.choose("bo", "busy")
            delivery.tick()

        server.do(at_once)
        assert bo.hears("PRESENCE", content="busy")
        assert bo.says("still here")["content"] == "still here"
        ana.close()
