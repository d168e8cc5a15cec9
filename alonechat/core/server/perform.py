"""Carries out what was decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alonechat.core import message
from alonechat.core.logging import get_logger
from alonechat.core.server.conversations import Conversations
from alonechat.core.server.effects import (
    Appoint,
    Banish,
    Effect,
    Inherit,
    Invite,
    Notify,
    Post,
    Rename,
    Same,
    Sanction,
    Silence,
    Tell,
    Uninvite,
)
from alonechat.core.server.parts import Parts
from alonechat.core.store.records import Account
from alonechat.errors import Rejected

if TYPE_CHECKING:
    from alonechat.core.server.journey import Caller

log = get_logger(__name__)
Frame = dict[str, Any]


class Performer:
    """Performs effects. `on_banish(username)` is called when an account was banned: its connections are closed."""

    def __init__(self, parts: Parts, conversations: Conversations) -> None:
        self._parts, self._conversations = parts, conversations
        self.on_banish: Callable[[str], None] = lambda username: None

    async def perform(self, caller: Caller, frame: Frame, effects: list[Effect]) -> None:
        """Perform `effects` of `frame` in order. All but a plain text are committed when this returns, so that the next
        decision about the conversation sees them; call it inside the lane."""
        me = caller.username
        for effect in effects:
            match effect:
                case Post():
                    await self._post(caller, effect)
                case Tell(content):
                    caller.told(self._notice(content, frame.get("target") or message.LOBBY, frame.get("nonce")))
                case Notify():
                    self._notify(effect)
                case Same():
                    await self._same(caller, frame, effect)
                case Sanction(key, username, kind, holds):
                    await self._sanction(key, username, kind, holds)
                case Appoint(key, username, holds):
                    await self._appoint(key, username, holds)
                case Inherit(key, leaving):
                    await self._inherit(key, leaving)
                case Invite(key, username):
                    await self._sanction(key, username, "invite", True)
                case Uninvite(key, username):
                    await self._sanction(key, username, "invite", False)
                case Silence(key, holds):
                    await self._silence(me, key, holds)
                case Banish(username, holds):
                    await self._banish(username, holds)
                case Rename(display_name):
                    await self.rename(me, display_name)

    def _notice(self, content: str, target: str, nonce: str | None = None) -> Frame:
        now = message.stamp(self._parts.keep.clock())
        return {"type": "NOTICE", "content": content, "target": target, "timestamp": now, "nonce": nonce}

    def _notify(self, told: Notify) -> None:
        username = told.username
        self._parts.delivery.tell(username, self._notice(told.content, message.target_of(told.key, username)))

    async def _post(self, caller: Caller, post: Post) -> None:
        keep = self._parts.keep
        own = post.by is None  # a removal is answered by the notice that follows it
        if post.type == "TEXT" and self._conversations.known.get(post.key) is not None:
            post.done = caller.settled
            caller.posted()
            keep.intake.post(post)
            return
        if own:
            post.done = caller.settled
            caller.posted()
        result = await keep.append(post)
        if not own and isinstance(result, BaseException):
            raise result  # else the caller was told by `settled`

    async def _same(self, caller: Caller, frame: Frame, same: Same) -> None:
        found = same.event
        if found is None:
            store = self._parts.keep.store
            found = await self._parts.keep.read(
                lambda: store.latest(same.key, same.type, same.sender, same.ref, same.content)
            )
        if found is None or (same.type == "REACT" and bool(found.get("removed")) != bool(frame.get("removed"))):
            raise Rejected(*same.otherwise)
        caller.told({**found, "nonce": frame.get("nonce")})

    async def _sanction(self, key: str, username: str, kind: str, holds: bool) -> None:
        await self._parts.keep.write(lambda writes: writes.sanction(key, username, kind, holds))
        self._conversations.known.sanctioned(key, username, kind, holds)

    async def _appoint(self, key: str, username: str, holds: bool) -> None:
        """A mute ends with it. The room's members hear a USER that says nothing new: clients then ask who is what."""
        room = await self._conversations.get(key)
        if holds and room is not None and username in room.muted:
            await self._sanction(key, username, "mute", False)
        await self._parts.keep.write(lambda writes: writes.set_moderator(key, username, holds))
        self._conversations.known.appointed(key, username, holds)
        account = self._parts.directory.get(username)
        if account is not None:
            self._parts.delivery.regraded(key, account.profile())

    async def _inherit(self, key: str, leaving: str = "") -> None:
        """The active member who has been there for longest, and rather one who was not muted and has a password, which
        bots have not. For a private room without a moderator is shut for ever."""
        room, directory, store = await self._conversations.get(key), self._parts.directory, self._parts.keep.store
        if room is None:
            return
        members = [(name, one) for name, one in room.members.items() if name != leaving and directory.is_active(name)]
        if not members or any(one.moderator for _name, one in members):
            return
        muted = room.muted

        def heir() -> str | None:
            there = {each.username for each in store.accounts() if each.standing == "active"}  # also as of this moment
            found = [
                (name in muted, not store.password(name), one.since, name) for name, one in members if name in there
            ]
            return min(found)[-1] if found else None

        chosen = await self._parts.keep.read(heir)
        if chosen is None:
            return
        try:
            await self._appoint(key, chosen, True)
        except Rejected as refused:
            if refused.code != "not_found":
                raise
            log.warning("who should moderate a room has left it", room=key, user=chosen)  # in another process
            return
        self._notify(Notify(chosen, key, f"You moderate {key} now."))

    async def _silence(self, me: str, key: str, holds: bool) -> None:
        if self._conversations.known.get(key) is not None:
            await self._parts.keep.write(lambda writes: writes.mute(me, key, holds))

    async def _banish(self, username: str, holds: bool) -> None:
        standing = "banned" if holds else "active"
        await self._parts.keep.write(lambda writes: writes.change_account(username, standing=standing))
        account = self._parts.directory.get(username)
        if account is not None:
            account.standing = standing
        if holds:
            self.on_banish(username)
            await self.leave_behind(username)

    async def leave_behind(self, username: str) -> None:
        """Somebody is not active any more: the rooms that they moderated alone get another moderator. Not to be called
        inside a lane but the lobby's, which nobody waits for in another one."""
        for key in await self._parts.keep.read(self._parts.keep.store.keys, username):
            if key.startswith("#") and key != message.LOBBY:
                async with self._conversations.lane(key):
                    await self._inherit(key)

    async def rename(self, username: str, display_name: str) -> Account:
        """Give an account another display name; those who share a conversation hear of it. Raises Rejected: `invalid`,
        `conflict`."""
        directory = self._parts.directory
        account = directory.get(username)
        if account is None:
            raise Rejected("not_found", "this account does not exist any more")
        shown = message.display_name(display_name)
        if directory.is_taken(shown, username):
            raise Rejected("conflict", f"{shown} is another's username; choose another display name")
        if shown != account.display_name and directory.passes_for(shown, account):
            raise Rejected(
                "conflict", f"{shown} is how a moderator or admin is shown here; choose another display name"
            )
        if shown != account.display_name:
            await self._parts.keep.write(lambda writes: writes.change_account(username, display_name=shown))
            directory.rename(account, shown)
            self._parts.delivery.changed(username, account.profile())
        return account
