"""A face without a screen: what a runner tells is folded into a model, and waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from alonechat.core.client.accounts import Account, Accounts
from alonechat.core.client.model import Answered, Change, Model
from alonechat.core.client.runner import Runner
from alonechat.core.client.timing import Timing
from alonechat.testing import Server

SECONDS = 10.0


class Face:
    """One window of somebody's client."""

    def __init__(self, account: Account, home: Path, keeper: Accounts | None = None, now: Any = time.time) -> None:
        self.model = Model()
        self.seen: list[Change] = []
        self._woken = threading.Event()
        timing = Timing(now=now, random=lambda: 0.0)
        self.runner = Runner(account, keeper, home, self._woken.set, timing)

    def start(self) -> Face:
        self.runner.start()
        self.fetch()
        return self

    def fetch(self) -> None:
        """Take what there is."""
        for change in self.runner.changes():
            self.seen.append(change)
            self.model.apply(change)
            if isinstance(change, Answered):
                change.then(change.result, change.error)

    def until(self, holds: Callable[[], Any], what: str = "") -> Any:
        """Take what comes until something holds; what it gave."""
        deadline = time.monotonic() + SECONDS
        while not (found := holds()):
            if time.monotonic() > deadline:
                tail = "\n".join(str(change)[:300] for change in self.seen[-12:])
                raise AssertionError(f"waited for {what or holds} in vain; the last changes:\n{tail}")
            self._woken.wait(0.02)
            self._woken.clear()
            self.fetch()
        return found

    def connected(self) -> Face:
        self.until(lambda: self.model.connection.state == "connected", "a connection")
        return self

    def offline(self) -> Face:
        self.until(lambda: self.model.connection.state == "offline", "the loss of the connection")
        return self

    def open(self, target: str = "#lobby") -> Face:
        self.runner.open(target)
        self.until(lambda: target in self.model.windows, f"a window of {target}")
        return self

    def texts(self, target: str = "#lobby") -> list[str]:
        """What the window shows."""
        window = self.model.windows.get(target)
        return [m["content"] for m in window.messages if m["type"] == "TEXT"] if window else []

    def shows(self, *texts: str, target: str = "#lobby") -> None:
        self.until(lambda: self.texts(target) == list(texts), f"{texts} (there are {self.texts(target)[-5:]})")

    def back(self, target: str = "#lobby") -> None:
        """Scroll to the beginning."""
        while not (window := self.model.windows[target]).start:
            version = window.version
            self.runner.older(window)
            self.until(partial(self._moved, target, version), "an older page")

    def forth(self, target: str = "#lobby") -> None:
        """Scroll to the end."""
        while not (window := self.model.windows[target]).live:
            version = window.version
            self.runner.newer(window)
            self.until(partial(self._moved, target, version), "a newer page")

    def _moved(self, target: str, version: int) -> bool:
        return self.model.windows[target].version > version

    def answer(self, ask: Callable[[Callable[[Any, Exception | None], None]], None]) -> tuple[Any, Exception | None]:
        """Ask something with a `then`, and give what came."""
        got: list[tuple[Any, Exception | None]] = []
        ask(lambda result, error: got.append((result, error)))
        self.until(lambda: got, "an answer")
        return got[0]

    def close(self) -> None:
        self.runner.close()


def account(server: Server, name: str, known: bool = True) -> Account:
    """A sign-in of somebody, with the server's id as a sign-in keeps it."""
    server.register(name)
    id = server.manager.store.server_id if known else ""
    return Account(server.url, name, server.token(name), server.ws_url, "", id)
