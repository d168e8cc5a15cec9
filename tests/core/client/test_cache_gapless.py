"""Whatever arrives in whatever batches, and however often the client restarts: what is kept of a log has no hole."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alonechat.core.client.cache import Cache
from alonechat.core.client.state import amend
from alonechat.core.message import SCROLLED
from tests.core.client.scripted import event

TARGET = "#lobby"
LENGTH = 80
Frame = dict[str, Any]


def log(seed: int) -> list[Frame]:
    """A conversation with events of every kind, those about a message of any age."""
    chance, events = random.Random(seed), list[Frame]()
    for seq in range(1, LENGTH + 1):
        texts = [each["id"] for each in events if each["type"] == "TEXT"]
        kind = chance.choice(["TEXT", "TEXT", "TEXT", "JOIN", "EDIT", "DELETE", "REACT", "REACT"])
        if kind in ("TEXT", "JOIN") or not texts:
            events.append(event(seq, TARGET, type="JOIN" if kind == "JOIN" else "TEXT"))
            continue
        more = {"ref": chance.choice(texts), "content": "👍" if kind == "REACT" else f"edited at {seq}"}
        removed = {"removed": True} if kind == "REACT" and chance.random() < 0.4 else {}
        events.append(event(seq, TARGET, chance.choice(["bo", "cy"]), type=kind, **more, **removed))
    return events


def standing(events: list[Frame]) -> dict[int, Frame]:
    """What a person scrolls through after these events, by seq: what the server's HISTORY gives."""
    found: dict[int, Frame] = {}
    for each in events:
        if each["type"] in SCROLLED:
            found[each["seq"]] = dict(each)
        else:
            for message in found.values():
                if message["id"] == each["ref"]:
                    amend(message, each)
    return found


class Client:
    """Two processes with one cache file, a server with a log, and what has to hold between any two steps."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self.log = path, log(seed)
        self.told = seed % 20  # there is a log already, of which this client knows nothing
        self.caches = [Cache(path), Cache(path)]

    @property
    def cache(self) -> Cache:
        return self.caches[0]

    def close(self) -> None:
        for each in self.caches:
            each.close()

    def take(self, skip: int, count: int) -> None:
        """The next events arrive; some of them were here before, or some are missed."""
        position = self.cache.position(TARGET)
        first = max(0, (self.told if position is None else position) + skip)
        batch = self.log[first : first + count]
        self.told = max(self.told, first + len(batch))
        self.cache.take([(TARGET, each) for each in batch])

    def restart(self, _skip: int, _count: int) -> None:
        self.cache.close()
        self.caches[0] = Cache(self.path)

    def switch(self, _skip: int, _count: int) -> None:
        """The other process goes on."""
        self.caches.reverse()

    def older(self, skip: int, count: int) -> None:
        """A page of HISTORY comes; with `skip`, for a floor that is another one meanwhile."""
        floor = max(0, self.cache.floor(TARGET) + skip)
        there = [message for seq, message in standing(self.log[: self.told]).items() if seq <= floor]
        self.cache.older(TARGET, floor, there[-count:], more=len(there) > count)

    def begin(self, skip: int, _count: int) -> None:
        """So much was missed that the conversation begins at its end."""
        self.told = min(LENGTH, self.told + abs(skip))
        self.cache.begin(TARGET, self.told)

    def is_whole(self) -> None:
        floor, position = self.cache.floor(TARGET), self.cache.position(TARGET) or 0
        wanted = [each["seq"] for each in self.log if each["type"] in SCROLLED and floor < each["seq"] <= position]
        for cache in self.caches:
            span = cache.before(TARGET, None, LENGTH)
            assert [message["seq"] for message in span.messages] == wanted
            assert span.position == position and span.start == (floor == 0 and cache.position(TARGET) is not None)
            assert cache.after(TARGET, floor, LENGTH) == span.messages
            assert wanted or not (span.start and self.told), "what was never seen has no beginning yet"
        assert all(self.cache.reaches(TARGET, seq) for seq in wanted)
        assert floor <= position <= self.told

    def catch_up(self) -> None:
        """Everything that was told comes, and every older page: nothing may lack, nothing may stand as it was."""
        self.cache.take([(TARGET, each) for each in self.log[(self.cache.position(TARGET) or 0) : self.told]])
        while self.cache.floor(TARGET) and self.cache.position(TARGET):
            self.older(0, 7)
        found = {message["seq"]: message for message in self.cache.before(TARGET, None, LENGTH).messages}
        assert {seq: _sorted(each) for seq, each in found.items()} == {
            seq: _sorted(each) for seq, each in standing(self.log[: self.told]).items()
        }


def _sorted(message: Frame) -> Frame:
    """Without the order of those who reacted: a reaction that came twice may stand at another place."""
    reactions = {emoji: sorted(who) for emoji, who in message.get("reactions", {}).items()}
    return {**message, "reactions": reactions}


STEPS: dict[str, Callable[[Client, int, int], None]] = {
    "take": Client.take,
    "older": Client.older,
    "restart": Client.restart,
    "switch": Client.switch,
    "begin": Client.begin,
}
steps = st.tuples(
    st.sampled_from(["take", "take", "take", "take", "older", "older", "restart", "switch", "begin"]),
    st.sampled_from([0, 0, 0, 0, -5, -1, 1, 4]),
    st.integers(1, 9),
)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.lists(steps, min_size=1, max_size=25))
def test_before_never_shows_a_hole(seed: int, taken: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        client = Client(Path(folder, "alice.db"), seed)
        try:
            for name, skip, count in taken:
                STEPS[name](client, skip, count)
                client.is_whole()
            client.catch_up()
        finally:
            client.close()
