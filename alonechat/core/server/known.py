"""What is known of conversations, in memory: the facts that decisions rest on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from alonechat.core import message
from alonechat.core.server.parts import Parts
from alonechat.core.server.rooms import Facts
from alonechat.core.store.records import Account, Conversation, Event, Membership, Post

KEPT: Final = 20_000
"""Conversations that are remembered."""


class Known:
    """Conversations by key. They change only as the store commits, or are forgotten and read again. `busy` holds the
    keys of those about which something is being decided."""

    def __init__(self, parts: Parts, busy: Collection[str]) -> None:
        self._directory, self._busy = parts.directory, busy
        self._kept: dict[str, Conversation] = {}
        self._everybody_makes = parts.settings.room_creation == "everyone"
        self._max_content = parts.settings.max_content
        self.generation = 0
        """Grows when everything is forgotten."""

    def at_hand(self, key: str) -> Conversation | None:
        """The conversation, when it is in memory and nothing is being decided about it."""
        return None if key in self._busy else self._kept.get(key)

    def get(self, key: str) -> Conversation | None:
        """The conversation, when it is in memory."""
        return self._kept.get(key)

    def keep(self, key: str, conversation: Conversation, generation: int) -> None:
        """Remember what was read, unless everything was forgotten since `generation`."""
        if generation == self.generation:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = conversation

    def facts(self, me: Account, key: str, conversation: Conversation | None, about: Event | None = None) -> Facts:
        """The facts about `me` in a conversation; `about` is the event that a frame's `ref` names."""
        people = self._directory
        other = None if key[0] == "#" else people.get(message.target_of(key, me.username))
        may_make = self._everybody_makes or me.role != "member"
        return Facts(me, key, conversation, people.names, other, about, self._max_content, may_make)

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

    def appointed(self, key: str, username: str, holds: bool) -> None:
        """Take in that a member moderates the room now, or no longer."""
        member = self._kept[key].members.get(username) if key in self._kept else None
        if member is not None:
            member.moderator = holds

    def forget(self) -> None:
        """Another process changed the store: read everything again."""
        self.generation += 1
        self._kept.clear()
