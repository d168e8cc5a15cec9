"""A store under test, as a script reads it: people, a clock that is moved by hand, posts that are waited for."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any, TypeVar

from alonechat.core.store import open_store
from alonechat.core.store.records import Account, Event, Post, Store, Upload, Writes

T = TypeVar("T")
PATIENCE = 20.0


class Clock:
    """Milliseconds since 1970 that stand still until they are moved."""

    def __init__(self, now: int = 1_790_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, ms: int) -> None:
        self.now += ms


class Kept:
    """An open store whose writer runs. `wakes` counts how often it woke its loop."""

    def __init__(self, url: str, clock: Clock | None = None, busy_timeout: float = 5.0) -> None:
        self.url, self.clock, self.busy_timeout = url, clock or Clock(), busy_timeout
        self.store: Store = open_store(url, self.clock, busy_timeout)
        self.heard: queue.SimpleQueue[tuple[Post, Any, bool]] = queue.SimpleQueue()
        self.wakes = 0
        self.started = False

    def start(self) -> None:
        if not self.started:
            self.started = True
            self.store.start(self._deliver, self._wake)

    def _deliver(self, batch: list[tuple[Post, Any, bool]]) -> None:
        for each in batch:
            self.heard.put(each)

    def _wake(self, act: Callable[..., Any], *given: Any) -> None:
        self.wakes += 1
        act(*given)

    def again(self) -> Kept:
        """Close it and open it anew."""
        self.store.close()
        return Kept(self.url, self.clock, self.busy_timeout)

    # --- acts that are waited for ---

    def outcomes(self, *posts: Post) -> list[tuple[Any, bool]]:
        """What came of each post: the event or what went wrong, and whether its nonce was known."""
        for post in posts:
            self.store.post(post)
        self.start()
        found = [self.heard.get(timeout=PATIENCE) for _ in posts]
        assert [post for post, _, _ in found] == list(posts)
        return [(result, known) for _, result, known in found]

    def post(self, type: str, key: str, sender: str, content: str = "", **more: Any) -> Event:
        """Post and give the event; raises what went wrong."""
        ((result, _),) = self.outcomes(Post(type, key, sender, content, **more))
        if isinstance(result, BaseException):
            raise result
        found: Event = result
        return found

    def says(self, sender: str, content: str, key: str = "#lobby", **more: Any) -> Event:
        return self.post("TEXT", key, sender, content, **more)

    def write(self, act: Callable[[Writes], T]) -> T:
        """A write through the writer; raises what went wrong."""
        self.start()
        results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.store.write(act, results.put)
        result = results.get(timeout=PATIENCE)
        if isinstance(result, BaseException):
            raise result
        found: T = result
        return found

    def people(self, *names: str) -> None:
        self.write(lambda writes: writes.add_accounts([(Account(name, name.title()), None) for name in names]))

    def uploads(self, owner: str, id: str, name: str = "plan.pdf", created: int = 0) -> Upload:
        """Somebody uploads a file."""
        found = Upload(id, owner, name, "application/pdf", 5, created=created or self.clock.now)
        self.write(lambda writes: writes.add_upload(found))
        return found

    # --- what is asked of it ---

    def texts(self, key: str = "#lobby", after: int = 0) -> list[str]:
        return [event["content"] for event in self.store.history(key, after, None, 200, 1).events]

    def item(self, username: str, target: str = "#lobby") -> dict[str, Any]:
        """The conversation `target` in the overview of an account."""
        (found,) = [each for each in self.store.overview(username)[0] if each["target"] == target]
        return found

    def unread(self, username: str, target: str = "#lobby") -> tuple[int, int]:
        found = self.item(username, target)
        return found["unread"], found["mentions"]

    def hits(self, text: str, *keys: str, sender: str | None = None) -> list[str]:
        spans = [(key, 1) for key in keys or ("#lobby",)]
        return [event["content"] for event in self.store.search(spans, text, sender, None, 100).events]
