"""A long history: built by the store's own writer, then read through a server that starts on it.

    python -m tools.bench.history DIRECTORY [--messages 1000000] [--for SECONDS]

builds it, and goes on with one that is there. The texts have 100 bytes, of words with natural frequencies (Zipf), a
third of them Chinese; nine of ten stand in the lobby.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alonechat.core.store import open_store
from alonechat.core.store.records import Account, Post, Store

PEOPLE = [f"u{number}" for number in range(100)]
ROOMS = [f"#room{number}" for number in range(50)]
BYTES = 100
BATCH = 512
WORDS = 20_000


class Texts:
    """Texts of exactly so many bytes."""

    def __init__(self, seed: int) -> None:
        self._chance = chance = random.Random(seed)
        fixed = random.Random(7)  # the words are the same whatever the seed
        letters = "abcdefghiklmnoprstuvw"
        latin = ["".join(fixed.choices(letters, k=fixed.randint(2, 9))) for _ in range(WORDS)]
        han = ["".join(chr(fixed.randint(0x4E00, 0x56FF)) for _ in range(2)) for _ in range(WORDS)]
        self.words = {False: latin, True: han}
        self._weights = list(_summed(1 / (n + 5) for n in range(WORDS)))
        self._pick = chance.choices

    def text(self, number: int) -> str:
        """The text of one message."""
        han = number % 3 == 0
        picked = self._pick(self.words[han], cum_weights=self._weights, k=17)
        text = ("" if han else " ").join(picked)
        if han:
            return text[: BYTES // 3] + "." * (BYTES - BYTES // 3 * 3)
        return text[:BYTES].ljust(BYTES, ".")


def _summed(weights: Iterator[float]) -> Iterator[float]:
    total = 0.0
    for weight in weights:
        total += weight
        yield total


class Filling:
    """A store whose writer reports to this thread. The accounts are u0, u1 …, all of them in all rooms."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.store: Store = open_store(f"sqlite:///{directory}/alonechat.db")
        self._done = threading.Semaphore(0)
        fresh = not self.store.accounts()
        if fresh:
            self.store.transaction(lambda writes: writes.add_accounts([(Account(n, n), None) for n in PEOPLE]))
        self.store.start(self._deliver, lambda act, *given: act(*given))
        if fresh:
            self.send([Post("JOIN", room, who) for room in ROOMS for who in PEOPLE])

    def _deliver(self, batch: list[tuple[Post, Any, bool]]) -> None:
        for _, result, _ in batch:
            if isinstance(result, BaseException):
                raise result
        self._done.release(len(batch))

    def send(self, posts: list[Post]) -> None:
        """Post them and wait until they are committed."""
        for post in posts:
            self.store.post(post)
        for _ in posts:
            self._done.acquire()

    def count(self) -> int:
        """How many messages there are, as far as the lobby tells: nine of ten are in it."""
        last = self.store.history("#lobby", None, None, 1, 1).events
        return last[0]["seq"] * 10 // 9 if last else 0

    def fill(self, messages: int, seconds: float) -> int:
        """Add messages until there are so many, or the time is up. Gives how many there are."""
        at, until = self.count(), time.monotonic() + seconds
        texts, chance = Texts(at), random.Random(at)
        while at < messages and time.monotonic() < until:
            count = min(BATCH, messages - at)
            posts = []
            for number in range(at, at + count):
                room = ROOMS[number // 10 % len(ROOMS)] if number % 10 == 9 else "#lobby"
                posts.append(Post("TEXT", room, PEOPLE[int(chance.random() ** 2 * 100)], texts.text(number)))
            self.send(posts)
            at += count
        return at


def build(directory: Path, messages: int, seconds: float = 1e9) -> dict[str, float]:
    """Build it or go on with it. Gives messages, seconds, and bytes on disk for each message."""
    began, filling = time.perf_counter(), Filling(directory)
    before = filling.count()
    try:
        there = filling.fill(messages, seconds)
    finally:
        filling.store.close()
    took = time.perf_counter() - began
    size = sum(path.stat().st_size for name in ("", "-wal") if (path := directory / f"alonechat.db{name}").exists())
    return {"messages": there, "added": there - before, "build_s": took, "bytes_per_message": size / max(1, there)}


def main() -> None:
    """Build, and say how far it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="where the database is, or will be")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--for", type=float, default=1e9, dest="seconds", help="stop after so many seconds")
    given = parser.parse_args()
    found = build(given.directory, given.messages, given.seconds)
    print(
        f"{found['messages']:,.0f} messages, {found['added']:,.0f} of them added in {found['build_s']:.1f} s"
        f" ({found['added'] / found['build_s']:,.0f}/s), {found['bytes_per_message']:.0f} bytes each"
    )


if __name__ == "__main__":
    main()
