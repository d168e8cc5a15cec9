"""A lean REST client for benchmarks: one kept connection, no more work than there must be."""

from __future__ import annotations

import json
import socket
import time
from typing import Any


class Rest:
    """One connection to `127.0.0.1:port`, with the token of one account or none."""

    def __init__(self, port: int, token: str = "") -> None:
        self._head = "Host: 127.0.0.1\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
        self._socket = socket.create_connection(("127.0.0.1", port), 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes, float]:
        """Status, body and seconds."""
        content = b"" if body is None else json.dumps(body).encode()
        kind = "Content-Type: application/json\r\n" if content else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}{kind}Content-Length: {len(content)}\r\n\r\n"
        began = time.perf_counter()
        self._socket.sendall(head.encode() + content)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        fields = dict(line.lower().split(b": ", 1) for line in data[:end].split(b"\r\n")[1:])
        answer = data[end + 4 :]
        while len(answer) < int(fields.get(b"content-length", b"0")):
            answer += self._more()
        return int(data[9:12]), answer, time.perf_counter() - began

    def get(self, path: str) -> Any:
        """What `path` answers, which must be 200."""
        status, body, _ = self.ask("GET", path)
        assert status == 200, (path, status, body[:200])
        return json.loads(body)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _more(self) -> bytes:
        found = self._socket.recv(1 << 18)
        if not found:
            raise ConnectionError("the server hung up")
        return found


def metric(port: int, name: str) -> float:
    """A figure of /metrics: the sum over its labels."""
    rest = Rest(port)
    try:
        _, body, _ = rest.ask("GET", "/metrics")
    finally:
        rest.close()
    lines = [line for line in body.decode().splitlines() if line.partition(" ")[0].partition("{")[0] == name]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def milliseconds(took: list[float]) -> dict[str, float]:
    """p50, p99 and the worst of some seconds, in milliseconds."""
    ordered = sorted(took)
    at = {"p50_ms": 0.5, "p99_ms": 0.99, "worst_ms": 1.0}
    return {name: ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 for name, share in at.items()}
