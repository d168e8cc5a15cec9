"""Measures Python's part of a message: from the bytes of a socket to a post, from there to a row and an event, and from
that to the members' outboxes; without sockets, without SQLite's statements, in one thread.

    python -m tools.bench.steps [--package DIRECTORY]

`--package` takes another build's packages than this tree's, such as `site` below its cache directory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MEMBERS, SENDERS, FLIGHT = 100, 50, 4
ROUNDS, PASSES = 60, 9
TEXT = "Lunch at twelve, at the usual place? The new one at the corner is said to be good, and it has rooms"


class Silent:
    """A transport that takes everything and sends nothing."""

    def write(self, data: bytes) -> None: ...
    def set_write_buffer_limits(self, high: int) -> None: ...
    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 1)


class Rig:
    """A server whose store keeps what it is given, and a log that writes to a database in memory."""

    def __init__(self, folder: Path) -> None:
        from alonechat.config import load
        from alonechat.core.server.connection import Connection
        from alonechat.core.server.manager import UnifiedWebSocketManager
        from alonechat.core.store import now_ms, open_shelf, open_store
        from alonechat.core.store.append import Log
        from alonechat.core.store.records import Account

        settings = load({"env": "testing", "data_dir": folder, "log_dir": folder, "rate_messages": 0}, {}, folder)
        store = open_store(f"sqlite:///{folder}/bench.db")
        names = [f"member{number}" for number in range(MEMBERS)]
        store.transaction(lambda writes: writes.add_accounts([(Account(name, name), None) for name in names]))
        self.posts: list[Any] = []
        self.server = UnifiedWebSocketManager(settings, store, open_shelf(folder), now_ms)
        self.intake = self.server.keep.intake
        self.deliver = self.server.journey.express.deliver
        self.server._parts.bus.subscribe(self.server.delivery.publish)
        known = self.server.journey.conversations.known
        lobby = store.conversation("#lobby")
        assert lobby is not None
        known.keep("#lobby", lobby, known.generation)
        self.log = Log(store._writer._books)  # type: ignore[attr-defined]
        self.raw: sqlite3.Connection = store._raw  # type: ignore[attr-defined]
        self.connections = []
        for name in names:
            connection = Connection(self.server)
            connection.connection_made(Silent())  # type: ignore[arg-type]
            connection._protocol, connection._open = None, True
            connection.signed_in(name, "", 0)
            connection.begin()
            self.server.delivery.enter(connection, ["#lobby"], {})
            self.connections.append(connection)

    def round(self, number: int) -> tuple[float, float, float]:
        """Seconds that a round of messages takes: in, to rows and events, out."""
        pieces = [
            b"".join(masked(json.dumps({"type": "TEXT", "content": TEXT, "nonce": f"{number}-{sender}-{each}"}))
                     for each in range(FLIGHT))
            for sender in range(SENDERS)
        ]  # fmt: skip
        began = time.perf_counter()
        for connection, piece in zip(self.connections, pieces, strict=False):
            connection.data_received(piece)
        taken = time.perf_counter()
        posts, self.intake._gathered = self.intake._gathered, []
        self.intake._away += len(posts)
        assert len(posts) == SENDERS * FLIGHT
        self.raw.execute("BEGIN")
        self.log.begin(posts, trusting=True)
        ready = time.perf_counter()
        batch = [(post, *self.log.post(post)) for post in posts]
        written = time.perf_counter()
        self.log.flush()
        self.raw.execute("COMMIT")
        again = time.perf_counter()
        self.deliver(batch)
        self.server.delivery.flush()
        return taken - began, written - ready, time.perf_counter() - again


def masked(text: str) -> bytes:
    """A client's frame."""
    data = text.encode()
    size = bytes((0x81, 0x80 | len(data))) if len(data) < 126 else bytes((0x81, 0xFE)) + len(data).to_bytes(2, "big")
    return size + bytes(4) + data


async def measure(folder: Path) -> list[float]:
    """µs a message of the three parts: medians over the best rounds of each pass."""
    rig = Rig(folder)
    number = 0
    passes = []
    for _ in range(PASSES):
        rounds = []
        for _ in range(ROUNDS):
            rounds.append(rig.round(number))
            number += 1
            await asyncio.sleep(0)
        passes.append([min(part) for part in zip(*rounds, strict=True)])
    found = [statistics.median(part) / (SENDERS * FLIGHT) * 1e6 for part in zip(*passes, strict=True)]
    rig.server.keep.store.close()
    return found


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, help="a directory with another build's packages")
    given = parser.parse_args()
    if given.package:
        sys.path.insert(0, str(given.package))
    from alonechat.core import message

    with tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(measure(Path(folder)))
    kind = "sources" if (message.__file__ or "").endswith(".py") else "compiled"
    words = ("in", "row and event", "out")
    parts = ", ".join(f"{word} {each:.2f}" for word, each in zip(words, took, strict=True))
    print(f"{kind} ({os.path.dirname(message.__file__ or '')}): {parts}; all {sum(took):.2f} µs a message")


if __name__ == "__main__":
    main()
