"""What one says of oneself: up to where one has read, what one is not notified of, whether one is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from alonechat.core.client.cache import Cache
from alonechat.errors import Rejected

if TYPE_CHECKING:
    from alonechat.core.client.live import Live

KEY = "reads"
"""Where the cache keeps the read marks that the server has not heard of yet."""


class Marks:
    """Marks are shown at once, and told to the server as soon as there is a connection, over restarts of the client
    too."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._reads: dict[str, int] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}
        self._presence = "online"

    def recall(self, cache: Cache) -> None:
        """What an earlier run of this client could not tell."""
        self._reads = dict(cache.get(KEY) or {})

    def resume(self) -> None:
        """Tell what waits, once there is a connection."""
        for target in self._reads:
            self._tell(target)

    def read(self, target: str, seq: int) -> None:
        """Everything up to `seq` is read: shown at once, kept on disk until the server has it."""
        found = self._live.state.conversations.get(target)
        if seq <= max(self._reads.get(target, 0), found.read if found is not None else 0):
            return
        if found is not None:
            self._live.state.mark(found, min(seq, found.seq))
            self._live.touch(target)
        self._reads[target] = seq
        self._live.keep(lambda cache: cache.put(KEY, self._reads))
        self._tell(target)

    def overlay(self) -> None:
        """The server has just said which marks it knows: those that it has not heard of yet hold all the same."""
        for target, seq in self._reads.items():
            if found := self._live.state.conversations.get(target):
                self._live.state.mark(found, min(seq, found.seq))

    def _tell(self, target: str) -> None:
        if target not in self._telling:
            self._telling[target] = self._live.spawn(self._told(target))

    async def _told(self, target: str) -> None:
        session = await self._live.session()
        told = -1
        try:
            while told < self._reads[target]:
                told = self._reads[target]
                await session.request({"type": "READ", "target": target, "seq": told})
        except Rejected as refused:
            if refused.code == "unauthorized":
                return  # it waits on disk for the next sign-in
        finally:
            del self._telling[target]
        del self._reads[target]
        self._live.keep(lambda cache: cache.put(KEY, self._reads))

    def silence(self, target: str, muted: bool) -> None:
        """One is notified of a conversation no more, or again."""
        if found := self._live.state.conversations.get(target):
            found.muted = muted
            self._live.touch(target)

    async def be(self, presence: str) -> None:
        """Say that one is `online`, `away` or `busy`; it is said again after every reconnect."""
        self._presence = presence
        await self._live.passing({"type": "PRESENCE", "content": presence})

    async def be_again(self) -> None:
        """A connection begins: the server takes everybody who comes for online."""
        if self._presence != "online":
            await self.be(self._presence)
