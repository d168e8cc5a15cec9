"""Conversations in memory: the facts that decisions rest on, and a lane for each, so that decisions take turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from alonechat.core import message
from alonechat.core.server.parts import Parts
from alonechat.core.server.rooms import Facts
from alonechat.core.store.records import Account, Conversation, Event, Membership, Post, Upload

Frame = dict[str, Any]
KEPT = 20_000
"""Conversations that are remembered."""


class _Lane:
    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class Conversations:
    """What is known of conversations. They change only as the store commits, or are forgotten and read again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._kept: dict[str, Conversation] = {}
        self._lanes: dict[str, _Lane] = {}
        self._generation = 0

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

    def at_hand(self, key: str) -> Conversation | None:
        """The conversation, when it is in memory and nothing is being decided about it."""
        return None if key in self._lanes else self._kept.get(key)

    def is_known(self, key: str) -> bool:
        """Whether the conversation exists, as far as memory says."""
        return key in self._kept

    async def get(self, key: str) -> Conversation | None:
        """The conversation, out of memory or the store; None when there is none. Call it inside the lane of `key`."""
        found = self._kept.get(key)
        if found is None:
            generation, keep = self._generation, self._parts.keep
            found = await keep.read(keep.store.conversation, key)
            if found is not None and generation == self._generation:
                if len(self._kept) >= KEPT:
                    self._kept.clear()
                self._kept[key] = found
        return found

    def facts(self, me: Account, key: str, conversation: Conversation | None, about: Event | None = None) -> Facts:
        """The facts about `me` in a conversation; `about` is the event that a frame's `ref` names."""
        settings, people = self._parts.settings, self._parts.directory
        other = None if key[0] == "#" else people.get(message.target_of(key, me.username))
        may_make = settings.room_creation == "everyone" or me.role != "member"
        return Facts(me, key, conversation, people.names, other, about, settings.max_content, may_make)

    async def gather(self, me: Account, key: str, frame: Frame | None = None) -> Facts:
        """The facts about a frame, read where they are not in memory. Call it inside the lane of `key`."""
        conversation = await self.get(key)
        ref = frame.get("ref") if frame else None
        about = None
        if ref is not None and conversation is not None:
            about = await self._parts.keep.read(self._parts.keep.store.event, key, ref)
        facts = self.facts(me, key, conversation, about)
        if frame and frame.get("attachments"):
            facts = facts._replace(uploads=await self.uploads(frame))
        return facts

    async def uploads(self, frame: Frame) -> list[Upload]:
        """What the attachments of a frame name, of whomever."""
        ids = [each["id"] for each in frame["attachments"]]
        return await self._parts.keep.glance(self._parts.keep.store.uploads, ids)

    def apply(self, post: Post, event: Event) -> None:
        """Take in a committed event."""
        key, sender, seq = post.key, post.sender, event["seq"]
        found = self._kept.get(key)
        if found is None:
            return
        if seq <= found.seq:  # it was read with this event in it
            return
        found.seq = seq
        if post.type == "JOIN":
            found.members[sender] = Membership(seq, False)
            found.invited.discard(sender)
        elif post.type == "LEAVE":
            found.members.pop(sender, None)
        elif post.type == "TOPIC":
            found.topic = post.content

    def sanctioned(self, key: str, username: str, kind: str, holds: bool) -> None:
        """Take in a committed ban, mute or invitation."""
        found = self._kept.get(key)
        if found is None:
            return
        names = {"ban": found.banned, "mute": found.muted, "invite": found.invited}[kind]
        if holds:
            names.add(username)
        else:
            names.discard(username)

    def forget(self) -> None:
        """Another process changed the store: read everything again."""
        self._generation += 1
        self._kept.clear()
