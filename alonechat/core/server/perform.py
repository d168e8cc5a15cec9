"""Carries out what was decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alonechat.core import message
from alonechat.core.server.conversations import Conversations
from alonechat.core.server.effects import (
    Appoint,
    Banish,
    Bequeath,
    Effect,
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
                case Bequeath(key, username):
                    await self._bequeath(key, username)
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
        """Who shares a conversation hears of it by a USER that says nothing new: clients then ask who is what."""
        await self._parts.keep.write(lambda writes: writes.set_moderator(key, username, holds))
        self._conversations.known.appointed(key, username, holds)
        account = self._parts.directory.get(username)
        if account is not None:
            self._parts.delivery.changed(username, account.profile())

    async def _bequeath(self, key: str, leaving: str) -> None:
        """The active member who has been there for longest, and rather one with a password than a bot, moderates."""
        room, directory, store = self._conversations.known.get(key), self._parts.directory, self._parts.keep.store
        members = sorted((one.since, name) for name, one in room.members.items()) if room else []
        found = ((name, directory.get(name)) for _since, name in members if name != leaving)
        active = [name for name, account in found if account is not None and account.standing == "active"]
        if not active:
            return
        heir = await self._parts.keep.read(lambda: next((name for name in active if store.password(name)), active[0]))
        await self._appoint(key, heir, True)
        self._notify(Notify(heir, key, f"You moderate {key} now."))

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
