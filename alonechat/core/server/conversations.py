"""A lane for each conversation, so that decisions take turns, and the facts that they rest on, read where they are not
in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from alonechat.core.server.known import Known
from alonechat.core.server.parts import Parts
from alonechat.core.server.rooms import Facts
from alonechat.core.store.records import Account, Conversation, Upload

Frame = dict[str, Any]


class _Lane:
    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class Conversations:
    """Lanes, and what is `known`; where that is nothing, the store is asked."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lanes: dict[str, _Lane] = {}
        self.known = Known(parts, self._lanes)

    @asynccontextmanager
    async def lane(self, key: str) -> AsyncIterator[None]:
        """Decide about the conversation `key` one after the other, in the order of coming."""
        lane = self._lanes.setdefault(key, _Lane())
        lane.users += 1
        try:
            async with lane.lock:
                yield
        finally:
            lane.users -= 1
            if not lane.users:
                del self._lanes[key]

    async def get(self, key: str) -> Conversation | None:
        """The conversation, out of memory or the store; None when there is none. Call it inside the lane of `key`."""
        found = self.known.get(key)
        if found is None:
            generation, keep = self.known.generation, self._parts.keep
            found = await keep.read(keep.store.conversation, key)
            if found is not None:
                self.known.keep(key, found, generation)
        return found

    async def gather(self, me: Account, key: str, frame: Frame | None = None) -> Facts:
        """The facts about a frame, read where they are not in memory. Call it inside the lane of `key`."""
        conversation = await self.get(key)
        ref = frame.get("ref") if frame else None
        about = None
        if ref is not None and conversation is not None:
            about = await self._parts.keep.read(self._parts.keep.store.event, key, ref)
        facts = self.known.facts(me, key, conversation, about)
        if frame and frame.get("attachments"):
            facts.uploads = await self.uploads(frame)
        return facts

    async def uploads(self, frame: Frame) -> list[Upload]:
        """What the attachments of a frame name, of whomever."""
        ids = [each["id"] for each in frame["attachments"]]
        return await self._parts.keep.glance(self._parts.keep.store.uploads, ids)
