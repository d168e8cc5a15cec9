"""HTTP as no library writes it: what goes to the REST port byte by byte, and what has to come back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 10
HOST = b"Host: localhost\r\n"
LOGIN = b'{"username": "nobody", "password": "wrong words"}'
PARTS = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (LOGIN[:9], LOGIN[9:], b""))
CASES: dict[str, tuple[bytes, tuple[bytes, ...]]] = {
    "noise": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9, (b"400",)),
    "no version": (b"GET /health\r\n\r\n", (b"200", b"400")),
    "a path that is no ASCII": (b"GET /rooms/\xe4\xb8\xad HTTP/1.1\r\n" + HOST + b"\r\n", (b"400", b"401", b"404")),
    "two lengths": (
        b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        (b"400", b"422"),
    ),
    "a length that is none": (b"POST /login HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", (b"400",)),
    "a name with a blank": (b"GET /health HTTP/1.1\r\n" + HOST + b"X y: 1\r\n\r\n", (b"400",)),
    "a body in parts": (
        b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + PARTS, (b"401",),
    ),
    "an upgrade": (
        b"GET /health HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", (b"200", b"400"),
    ),
    "the form for proxies": (b"GET http://localhost/health HTTP/1.1\r\n" + HOST + b"\r\n", (b"200", b"404")),
    "version 1.0": (b"GET /health HTTP/1.0\r\n\r\n", (b"200",)),
}  # fmt: skip
"""What is sent, and the status that may come."""
ENDLESS = {
    "an address": b"GET /" + b"a" * 4096,
    "a name": b"GET / HTTP/1.1\r\n" + b"a" * 4096,
    "a value": b"GET / HTTP/1.1\r\nX: " + b"a" * 4096,
    "lines": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 600,
    "trailers": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 600,
    "a trailer": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 4096,
    "a chunk's line": b"POST /login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"a" * 4096,
}
"""What goes on, beside a body, with what it ends with."""


@contextmanager
def line(port: int) -> Iterator[socket.socket]:
    """A connection to the REST port."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as sock:
        sock.settimeout(SECONDS)
        yield sock


def status(port: int, sent: bytes) -> bytes:
    """The status of the first answer to these bytes."""
    with line(port) as sock:
        sock.sendall(sent)
        return _head(sock).split(b" ", 2)[1]


def _head(sock: socket.socket) -> bytes:
    found = b""
    while b"\r\n" not in found:
        piece = sock.recv(4096)
        assert piece, found
        found += piece
    return found


def pours(port: int, begun: bytes) -> int:
    """Send a head that never ends, until the server has enough; the bytes that it took."""
    sent, more = 0, begun[-2400:]
    with line(port) as sock:
        try:
            sock.sendall(begun)
            while sent < 1 << 26:
                sock.sendall(more)
                sent += len(more)
        except (ConnectionError, TimeoutError):
            pass
        return sent


def both(port: int) -> bytes:
    """Two requests in one piece; all that is answered."""
    one = b"GET /health HTTP/1.1\r\n" + HOST
    with line(port) as sock:
        sock.sendall(one + b"\r\n" + one + b"Connection: close\r\n\r\n")
        found = b""
        while piece := sock.recv(4096):
            found += piece
        return found


def waits(port: int) -> list[bytes]:
    """A body that is sent once the server says so: what came before it, and behind it."""
    with line(port) as sock:
        head = b"POST /login HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n"
        sock.sendall(head % len(LOGIN))
        first = _head(sock)
        sock.sendall(LOGIN)
        return [first.split(b" ", 2)[1], _head(sock).split(b" ", 2)[1]]
