"""Sign-ins under way, and what is published until they have their WELCOME: one list for all of them.

Why one list: after a restart everybody comes back at once. Were each event kept for each of them, ten thousand sign-ins
would make every message ten thousand times as dear; this way it is kept once, and looked through once by each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice

from alonechat.core.store.records import Event


class Arrivals:
    """By connection, from where in the list on its sign-in has to look."""

    def __init__(self) -> None:
        self._since: dict[object, int] = {}
        self._published: deque[tuple[str, Event, bytes]] = deque()
        self._gone = 0

    def __bool__(self) -> bool:
        return bool(self._since)

    def begin(self, outlet: object) -> None:
        """From now on `outlet` misses nothing."""
        self._since.setdefault(outlet, self._gone + len(self._published))

    def note(self, key: str, event: Event, data: bytes) -> None:
        """An event is published; `data` is its frame."""
        self._published.append((key, event, data))

    def end(
        self, outlet: object, username: str, keys: Iterable[str], marks: Mapping[str, int]
    ) -> tuple[set[str], list[bytes]]:
        """What `outlet`'s account is in by now, and the frames that it missed: `keys` is what it was in at some time
        since `begin`, `marks` the seq of each conversation that its WELCOME told."""
        inside, missed = set(keys), []
        since = self._since.get(outlet, self._gone + len(self._published))
        for key, event, data in islice(self._published, since - self._gone, None):
            if enters(username, key, event):
                inside.add(key)
            if key in inside and event["seq"] > marks.get(key, 0):
                missed.append(data)
            if event["type"] == "LEAVE" and event["sender"] == username:
                inside.discard(key)
        self.drop(outlet)
        return inside, missed

    def drop(self, outlet: object) -> None:
        """The sign-in is over, or given up; what nobody waits for any more is forgotten."""
        if self._since.pop(outlet, None) is None:
            return
        first = next(iter(self._since.values()), self._gone + len(self._published))  # the oldest stands first
        while self._gone < first:
            self._published.popleft()
            self._gone += 1


def enters(username: str, key: str, event: Event) -> bool:
    """Whether `event` makes `username` a member of the conversation `key`."""
    if event["type"] == "JOIN":
        return bool(event["sender"] == username)
    return event["seq"] == 1 and not key.startswith("#") and username in key.split(" ")
