"""Measures the store: events a second in batches of 1, 10 and 100, and searches among many messages.

    python -m tools.bench.store [--messages 100000] [--keep DIRECTORY]

The texts are made from a word list with natural frequencies (Zipf), a third of them Chinese.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from alonechat.core.store import open_store
from alonechat.core.store.records import Account, Found, Post, Store

PEOPLE = [f"user{n}" for n in range(200)]
ROOMS = [f"#room{n}" for n in range(600)]
ROUNDS = 15


class Bench:
    """A store whose writer reports to this thread."""

    def __init__(self, directory: Path) -> None:
        self.store: Store = open_store(f"sqlite:///{directory}/bench.db")
        self._done = threading.Semaphore(0)
        self._chance = random.Random(7)
        letters = "abcdefghiklmnoprstuvw"
        latin = ["".join(self._chance.choices(letters, k=self._chance.randint(2, 9))) for _ in range(20000)]
        han = ["".join(chr(self._chance.randint(0x4E00, 0x56FF)) for _ in range(2)) for _ in range(20000)]
        self._words, self._weights = (latin, han), [1 / (n + 5) for n in range(20000)]
        if not self.store.accounts():
            self.store.transaction(lambda writes: writes.add_accounts([(Account(n, n), None) for n in PEOPLE]))
        self.store.start(self._deliver, lambda act, *given: act(*given))

    def _deliver(self, batch: list[tuple[Post, Any, bool]]) -> None:
        for _, result, _ in batch:
            if isinstance(result, BaseException):
                raise result
        self._done.release(len(batch))

    def send(self, posts: list[Post]) -> None:
        for post in posts:
            self.store.post(post)
        for _ in posts:
            self._done.acquire()

    def texts(self, count: int) -> Iterator[Post]:
        """Half of them in the lobby, the others in rooms that are busy in very different measure."""
        chance = self._chance
        words = [chance.choices(each, self._weights, k=count * 7) for each in self._words]
        for n in range(count):
            han = n % 3 == 0
            picked = words[han][n * 7 : n * 7 + chance.randint(1, 7)]
            text = ("" if han else " ").join(picked)
            key = "#lobby" if n % 2 else ROOMS[min(int(chance.expovariate(1 / 60)), len(ROOMS) - 1)]
            yield Post("TEXT", key, PEOPLE[int(chance.random() ** 2 * 200)], text, f"{chance.getrandbits(64):x}")

    def rates(self) -> None:
        rate: dict[int, float] = {}
        for size, batches in ((1, 400), (10, 200), (100, 100)):
            posts = list(self.texts(size * batches))
            began = time.perf_counter()
            for at in range(0, len(posts), size):
                self.send(posts[at : at + size])
            rate[size] = len(posts) / (time.perf_counter() - began)
            print(f"batches of {size:3}: {rate[size]:8.0f} events/s  ({rate[size] / rate[1]:.1f} times batches of 1)")

    def fill(self, messages: int) -> None:
        began, at = time.perf_counter(), 0
        while at < messages:
            count = min(512, messages - at)
            self.send(list(self.texts(count)))
            at += count
        took = time.perf_counter() - began
        print(f"{messages} messages in {took:.1f} s ({messages / max(took, 1e-9):.0f}/s with making them)")

    def searches(self) -> None:
        latin, han = self._words
        lobby, quiet = [("#lobby", 1)], [(ROOMS[450], 1), (ROOMS[451], 1)]
        every = [("#lobby", 1)] + [(room, 1) for room in ROOMS]
        small = [(room, 1) for room in ROOMS[100:]]
        quarter = [(room, 1) for room in ROOMS[:10]]
        cases: dict[str, tuple[list[tuple[str, int]], str, str | None]] = {
            "frequent word, lobby": (lobby, latin[0], None),
            "rare word, lobby": (lobby, latin[19990], None),
            "absent word, lobby": (lobby, "zzzzz", None),
            "two letters, lobby": (lobby, latin[5][:2], None),
            "one letter, lobby": (lobby, "s", None),
            "frequent 上海, lobby": (lobby, han[0], None),
            "rare 上海, lobby": (lobby, han[19990], None),
            "one 上, lobby": (lobby, han[19990][0], None),
            "frequent word, two quiet rooms": (quiet, latin[0], None),
            "one letter, two quiet rooms": (quiet, "s", None),
            "frequent word, 10 rooms": (quarter, latin[0], None),
            "frequent word, all rooms": (every, latin[0], None),
            "rare word, all rooms": (every, latin[19990], None),
            "frequent word, 500 quiet rooms": (small, latin[0], None),
            "rare word, 500 quiet rooms": (small, latin[19990], None),
            "one letter, 500 quiet rooms": (small, "s", None),
            "frequent word of one sender": (every, latin[1], PEOPLE[150]),
            "two frequent words, lobby": (lobby, f"{latin[0]} {latin[1]}", None),
            "three rare words, all rooms": (every, " ".join(latin[900:903]), None),
        }
        base = 0.0
        for name, (spans, text, sender) in cases.items():
            found, median, worst = self._timed(lambda s=spans, t=text, w=sender: self.store.search(s, t, w, None, 50))
            base = base or median
            hits = f"{len(found.events):2}{'+' if found.more else ' '}"
            print(f"search {name:31} {hits} hits  median {median:6.2f} ms  worst {worst:6.2f} ms  {median / base:5.1f}")

    def reads(self) -> None:
        for name, act in {
            "overview, lobby never read": lambda: self.store.overview(PEOPLE[0]),
            "history, the last 50": lambda: self.store.history("#lobby", None, None, 50, 1),
            "history, 200 after 1000": lambda: self.store.history("#lobby", 1000, None, 200, 1),
        }.items():
            _, median, worst = self._timed(act)
            print(f"{name:46} median {median:6.2f} ms  worst {worst:6.2f} ms")

    def _timed(self, act: Callable[[], Any]) -> tuple[Found, float, float]:
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            found = act()
            took.append((time.perf_counter() - began) * 1000)
        return found, statistics.median(took), max(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000, help="how many to search among")
    parser.add_argument("--keep", type=Path, help="a directory to keep the database in, and to use again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(given.keep or Path(scratch))
        for room in ROOMS:
            bench.store.post(Post("JOIN", room, PEOPLE[0]))
        for _ in ROOMS:
            bench._done.acquire()
        bench.rates()
        there = bench.store.history("#lobby", None, None, 1, 1).events
        bench.fill(max(0, given.messages - (there[0]["seq"] * 2 if there else 0)))
        bench.searches()
        bench.reads()
        bench.store.close()


if __name__ == "__main__":
    main()
