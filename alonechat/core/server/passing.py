"""Frames that make no event: reading, marks, typing, presence, members."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from alonechat.core import message
from alonechat.core.server.conversations import Conversations
from alonechat.core.server.parts import Parts
from alonechat.core.server.rooms import Facts, kind_of
from alonechat.core.store.records import Account
from alonechat.errors import Rejected

if TYPE_CHECKING:
    from alonechat.core.server.journey import Caller

Frame = dict[str, Any]
Work = Coroutine[Any, Any, None]


class Passing:
    """Answers frames that leave no trace in a log."""

    def __init__(self, parts: Parts, conversations: Conversations) -> None:
        self._parts, self._conversations = parts, conversations
        self._handlers: dict[str, Callable[[Caller, Frame], Work]] = {
            "HISTORY": self._history,
            "READ": self._read,
            "TYPING": self._typing,
            "PRESENCE": self._presence,
            "MEMBERS": self._members,
            "HEARTBEAT": self._heartbeat,
        }

    def carry(self, caller: Caller, frame: Frame) -> Work | None:
        """The work of answering `frame`; None when it is none of these."""
        handler = self._handlers.get(frame["type"])
        return handler(caller, frame) if handler is not None else None

    async def readable(self, me: Account, target: str | None) -> tuple[str, int]:
        """(key, lowest seq) of what `me` may read of a conversation. Raises `Rejected` where that is nothing."""
        facts = await self._facts(me, target)
        kind = kind_of(facts)
        kind.enter()
        return facts.key, kind.first()

    async def spans(self, me: Account, target: str | None) -> list[tuple[str, int]]:
        """(key, lowest seq) of one conversation, or of all that `me` is in."""
        if target is not None:
            return [await self.readable(me, target)]
        found = []
        for key in await self._parts.keep.read(self._parts.keep.store.keys, me.username):
            facts = await self.about(me, key)
            try:
                kind = kind_of(facts)
                kind.enter()
            except Rejected:
                continue  # left meanwhile
            found.append((key, kind.first()))
        return found

    async def _facts(self, me: Account, target: str | None) -> Facts:
        return await self.about(me, message.key_of(target, me.username))

    async def about(self, me: Account, key: str) -> Facts:
        """The facts about `me` in the conversation `key`."""
        found = self._conversations.known.at_hand(key)
        if found is None:
            async with self._conversations.lane(key):
                found = await self._conversations.get(key)
        return self._conversations.known.facts(me, key, found)

    def _me(self, caller: Caller) -> Account:
        found = self._parts.directory.get(caller.username)
        if found is None:
            raise Rejected("forbidden", "this account does not exist any more")
        return found

    async def _history(self, caller: Caller, frame: Frame) -> None:
        after, before = frame.get("after"), frame.get("before")
        if after is not None and before is not None:
            raise Rejected("bad_frame", "after and before exclude each other: give one")
        me = self._me(caller)
        key, first = await self.readable(me, frame.get("target"))
        keep, limit = self._parts.keep, frame.get("limit") or message.PAGE
        found = await keep.read(keep.store.history, key, after, before, limit, first)
        caller.told(
            {
                "type": "HISTORY",
                "target": message.target_of(key, me.username),
                "events": found.events,
                "more": found.more,
                "first": first,
                "nonce": frame.get("nonce"),
            }
        )

    async def _read(self, caller: Caller, frame: Frame) -> None:
        me = self._me(caller)
        facts = await self._facts(me, frame.get("target"))
        kind_of(facts).enter()
        key, seq = facts.key, frame["seq"]
        mark = 0
        if facts.conversation is not None:
            mark = await self._parts.keep.write(lambda writes: writes.mark_read(me.username, key, seq))
        answer = {"type": "READ", "target": message.target_of(key, me.username), "seq": mark}
        self._parts.delivery.tell(me.username, answer, besides=caller)
        caller.told({**answer, "nonce": frame.get("nonce")})

    async def _typing(self, caller: Caller, frame: Frame) -> None:
        me = self._me(caller)
        facts = await self._facts(me, frame.get("target"))
        kind_of(facts).write()
        self._parts.delivery.typing(me.username, facts.key, self._parts.now())

    async def _presence(self, caller: Caller, frame: Frame) -> None:
        me, state = self._me(caller), frame["content"]
        self._parts.delivery.choose(me.username, state)
        caller.told({"type": "PRESENCE", "sender": me.username, "content": state, "nonce": frame.get("nonce")})

    async def _members(self, caller: Caller, frame: Frame) -> None:
        me = self._me(caller)
        facts = await self._facts(me, frame.get("target"))
        kind_of(facts).enter()
        limit, names = frame.get("limit") or message.PAGE, self._names(facts)
        start = bisect.bisect_right(names, frame.get("after") or "")
        page = names[start : start + limit]
        caller.told(
            {
                "type": "MEMBERS",
                "target": message.target_of(facts.key, me.username),
                "members": [self._member(name, facts) for name in page],
                "more": start + limit < len(names),
                "nonce": frame.get("nonce"),
            }
        )

    def _names(self, facts: Facts) -> list[str]:
        if facts.key == message.LOBBY:
            return self._parts.directory.sorted()
        if facts.key.startswith("#"):
            return sorted(facts.conversation.members) if facts.conversation else []
        return sorted(set(facts.key.split(" ")))

    def _member(self, name: str, facts: Facts) -> Frame:
        """A member, with the role that counts in this conversation: who moderates a room is its moderator, whatever
        the account is elsewhere."""
        account = self._parts.directory.get(name) or Account(name, name)
        found = {**account.profile(), "presence": self._parts.delivery.presence(name)}
        room = facts.conversation
        membership = room.members.get(name) if room else None
        if room is not None and room.access == "private":
            found["role"] = "moderator" if membership is not None and membership.moderator else "member"
        elif membership is not None and membership.moderator and account.role == "member":
            found["role"] = "moderator"
        return found

    async def _heartbeat(self, caller: Caller, frame: Frame) -> None:
        caller.told({"type": "HEARTBEAT", "nonce": frame.get("nonce")})
