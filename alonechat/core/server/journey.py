"""The one door: every frame, over WebSocket or REST, goes through `Express.carry`, and all but plain texts on here."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from alonechat.core import message
from alonechat.core.server import rooms
from alonechat.core.server.commands import Call, CommandProcessor
from alonechat.core.server.conversations import Conversations
from alonechat.core.server.effects import Post, Tell
from alonechat.core.server.express import Express
from alonechat.core.server.hooks import Answer, HookContext, HookPhase
from alonechat.core.server.parts import Parts
from alonechat.core.server.passing import Passing
from alonechat.core.server.perform import Performer
from alonechat.core.store.records import Account, Event
from alonechat.errors import Rejected

PATIENCE = 2.0
"""Seconds for which an account over its rate is made to wait before it is refused (PROTOCOL, section 6)."""
REMEMBERED = 2_000
"""Answers of commands that are kept for who is unsure whether a command was carried out, and sends it again."""
Frame = dict[str, Any]


class Caller(Protocol):
    """Who sent a frame, and where its answer goes."""

    username: str

    def told(self, frame: Frame) -> None:
        """A frame for the caller alone."""

    def posted(self) -> None:
        """A frame of the caller's is on its way to the store: `settled` follows."""

    def settled(self, post: Post, result: Event | BaseException, known: bool) -> None:
        """What became of a post of the caller's: its event (`known`: an old one, for the caller alone) or a refusal."""

    def refused(self, refused: Rejected, nonce: str | None) -> None:
        """A refusal of a command that ran beside the caller's other frames."""

    def pause(self) -> None:
        """Send nothing more for now: the account is over its rate."""

    def resume(self) -> None:
        """Go on."""


class Guests(Protocol):
    """Commands that are not in the table: plugins'."""

    async def answer(self, content: str, sender: str, target: str) -> Answer | None:
        """For a text that starts with `/`. None: nobody knows it. Raises Rejected: what the sender reads."""

    async def receive(self, secret: str, body: dict[str, Any]) -> bool:
        """Take what another program posted to `/hooks/{secret}`. False: nobody knows the secret. Raises Rejected."""


class Journey:
    """Stamp, limit, hooks, decide, perform: rules exist once, here."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.commands = CommandProcessor()
        self.guests: Guests | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._answers: dict[tuple[str, str, str], tuple[str, str]] = {}
        self.conversations = Conversations(parts)
        self.express = Express(parts, self.conversations.known, self._whole)
        self.performer = Performer(parts, self.conversations)
        self.passing = Passing(parts, self.conversations)

    def _whole(self, caller: Caller, frame: Frame) -> Coroutine[Any, Any, None]:
        """A frame that is no plain text at hand."""
        return self.passing.carry(caller, frame) or self._event(caller, frame)

    async def _event(self, caller: Caller, frame: Frame) -> None:
        """A frame that makes an event, the whole way."""
        me, nonce = self._account(caller), frame.get("nonce")
        if nonce is not None and await self._answered(caller, nonce):
            return
        try:
            await self._pace(caller)
            key = message.key_of(frame.get("target"), me.username)
            if self._parts.hooks.on(HookPhase.PRE_MESSAGE):
                async with self.conversations.lane(f"hooks of {key}"):  # who came first is posted first
                    frame = await self._hooked(HookPhase.PRE_MESSAGE, me.username, frame)
                    await self._carried(caller, me, key, frame)
            else:
                await self._carried(caller, me, key, frame)
        except Rejected:
            # it may have been committed while this one was decided: then that is the answer, whatever has changed since
            if nonce is None or not await self._answered(caller, nonce):
                raise

    async def _carried(self, caller: Caller, me: Account, key: str, frame: Frame) -> None:
        content = frame.get("content") or ""
        if frame["type"] == "TEXT" and content.startswith("/") and not content.startswith("//"):
            if frame.get("attachments"):
                raise Rejected("bad_frame", "a command takes no attachments; // begins a text that starts with a slash")
            await self._command(caller, me, key, frame)
        else:
            await self._decide(caller, me, key, frame)

    def _account(self, caller: Caller) -> Account:
        found = self._parts.directory.get(caller.username)
        if found is None or found.standing != "active":
            raise Rejected("forbidden", "this account may not write any more")
        return found

    async def _answered(self, caller: Caller, nonce: str) -> bool:
        """Answer a request whose nonce is known with its first event, to the caller alone."""
        keep = self._parts.keep
        found = await keep.glance(keep.store.first, caller.username, nonce)
        if found is None:
            return False
        caller.told(found[1])
        return True

    async def _pace(self, caller: Caller) -> None:
        now = self._parts.now
        bucket = self._parts.messages.of(caller.username, now())
        left = PATIENCE
        while wait := bucket.take(now()):
            if wait > left:
                raise Rejected("rate_limited", f"too many messages; send this one again in {wait:.1f} s", wait)
            left -= wait
            caller.pause()
            try:
                await asyncio.sleep(wait)
            finally:
                caller.resume()

    async def _hooked(self, phase: HookPhase, sender: str, frame: Frame) -> Frame:
        """The frame as the hooks of `phase` left it. Raises `Rejected("forbidden")` when one stopped it."""
        hooks = self._parts.hooks
        if not hooks.on(phase):
            return frame
        content = frame.get("content") or ""
        context = HookContext(phase, sender, frame.get("target") or message.LOBBY, content, frame["type"])
        if frame.get("attachments"):
            named = await self.conversations.uploads(frame)
            context.attachments = [each.wire() for each in named if each.owner == sender]
        context = await hooks.run(context)
        if context.stopped:
            raise Rejected("forbidden", context.reason or "a plugin of this server stopped it")
        return frame if context.content == content else {**frame, "content": context.content}

    async def _decide(self, caller: Caller, me: Account, key: str, frame: Frame) -> None:
        async with self.conversations.lane(key):
            facts = await self.conversations.gather(me, key, frame)
            await self.performer.perform(caller, frame, rooms.decide(facts, frame))

    async def _command(self, caller: Caller, me: Account, key: str, frame: Frame) -> None:
        frame = await self._hooked(HookPhase.PRE_COMMAND, me.username, frame)
        if self.guests is not None and not self.commands.knows(frame["content"]):
            task = asyncio.get_running_loop().create_task(self._guest(caller, me, key, frame))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            return
        command, rest = self.commands.find(frame["content"], me.role)
        parts = self._parts
        instead: Frame | None = None
        target = message.target_of(key, me.username)
        async with self.conversations.lane(key):  # where the same one may just be carried out, for a lost connection
            if self._repeated(caller, frame):
                return
            facts = await self.conversations.gather(me, key)
            people = parts.directory.names
            call = Call(facts, target, rest, parts.directory.get, people, parts.delivery.presence)
            outcome = self.commands.run(command, call)
            if isinstance(outcome, dict):
                instead = {**outcome, "nonce": frame.get("nonce")}
            else:
                await self.performer.perform(caller, {**frame, "target": target}, outcome)
                said = [effect.content for effect in outcome if isinstance(effect, Tell)]
                self._remember(me.username, frame, target, said[0] if said else "")
        if instead is not None:
            message.check_frame(instead)
            await self._decide(caller, me, message.key_of(instead.get("target"), me.username), instead)
        if parts.hooks.on(HookPhase.POST_COMMAND):
            parts.hooks.watch(HookContext(HookPhase.POST_COMMAND, me.username, target, frame["content"], "TEXT"))

    def _remember(self, username: str, frame: Frame, target: str, said: str) -> None:
        if said and (nonce := frame.get("nonce")) is not None:
            self._answers[(username, nonce, frame["content"])] = (target, said)
            while len(self._answers) > REMEMBERED:
                del self._answers[next(iter(self._answers))]

    def _repeated(self, caller: Caller, frame: Frame) -> bool:
        """Whether this command was carried out already, which is then answered as it was. What makes an event is known
        by its nonce for ever; of others the last are, until the server ends."""
        nonce = frame.get("nonce")
        found = self._answers.get((caller.username, nonce, frame["content"])) if nonce is not None else None
        if found is not None:
            stamp = message.stamp(self._parts.keep.clock())
            notice = {"type": "NOTICE", "content": found[1], "target": found[0]}
            caller.told({**notice, "timestamp": stamp, "nonce": nonce})
        return found is not None

    async def _guest(self, caller: Caller, me: Account, key: str, frame: Frame) -> None:
        """A plugin's command. It runs beside everything else; what it says is decided when it says it."""
        content, nonce, parts = frame["content"], frame.get("nonce"), self._parts
        target = message.target_of(key, me.username)
        try:
            if self._repeated(caller, frame):
                return
            async with self.conversations.lane(key):
                rooms.kind_of(await self.conversations.gather(me, key)).write()
            assert self.guests is not None
            found = await self.guests.answer(content, me.username, target)
            if found is None:
                self.commands.find(content, me.role)  # raises what is said of a command that nobody knows
                return
            who, text, note, about = found
            if text is None:
                stamp, said = message.stamp(parts.keep.clock()), note or f"{who}: done"
                notice = {"type": "NOTICE", "content": said, "target": about or target}
                caller.told({**notice, "timestamp": stamp, "nonce": nonce})
                self._remember(me.username, frame, about or target, said)
            else:
                said = "/" + text if text.startswith("//") else text
                post = {"type": "TEXT", "target": target, "content": said, "via": who, "nonce": nonce}
                await self._decide(caller, me, key, post)
        except Rejected as refused:
            caller.refused(refused, nonce)
            return
        if parts.hooks.on(HookPhase.POST_COMMAND):
            parts.hooks.watch(HookContext(HookPhase.POST_COMMAND, me.username, target, content, "TEXT"))

    # --- for REST ---

    async def ask(self, username: str, frame: Frame) -> Frame:
        """Carry a frame of somebody who waits for its one answer, and return that: the event, a NOTICE, a HISTORY …
        Raises `Rejected`."""
        caller = _Asker(username)
        work = self.express.carry(caller, frame)
        if work is not None:
            await work
        return await caller.answer

    async def pace(self, username: str) -> None:
        """Wait until the rate of an account lets one more request pass. Raises `Rejected("rate_limited")`."""
        await self._pace(_Asker(username))

    async def may_read(self, username: str, key: str, seq: int) -> bool:
        """Whether an account may read the event `seq` of the conversation `key`, and what it bears."""
        return rooms.may_read(await self.passing.about(self._me(username), key), seq)

    async def rename(self, username: str, display_name: str) -> Account:
        """Give an account another display name. Raises Rejected: `invalid`, `conflict`, `rate_limited`."""
        await self.pace(username)
        return await self.performer.rename(username, display_name)

    async def moderates(self, username: str, target: str) -> bool:
        """Whether an account moderates a conversation."""
        me = self._me(username)
        key = message.key_of(target, username)
        async with self.conversations.lane(key):
            return rooms.kind_of(await self.conversations.gather(me, key)).moderates()

    async def readable(self, username: str, target: str | None) -> tuple[str, int]:
        """(key, lowest seq) of what an account may read of a conversation. Raises Rejected where it may not."""
        return await self.passing.readable(self._me(username), target)

    async def spans(self, username: str, target: str | None) -> list[tuple[str, int]]:
        """What an account may search in: (key, lowest seq) of one conversation, or of all its own."""
        return await self.passing.spans(self._me(username), target)

    def _me(self, username: str) -> Account:
        found = self._parts.directory.get(username)
        if found is None:
            raise Rejected("unauthorized", "this account does not exist any more")
        return found


class _Asker:
    """A caller who waits for one answer."""

    def __init__(self, username: str) -> None:
        self.username = username
        self.answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()

    def told(self, frame: Frame) -> None:
        if not self.answer.done():
            self.answer.set_result({name: value for name, value in frame.items() if value is not None})

    def posted(self) -> None:
        """Nothing to do: an asker waits anyway."""

    def settled(self, post: Post, result: Event | BaseException, known: bool) -> None:
        if self.answer.done():
            return
        if isinstance(result, BaseException):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)

    def refused(self, refused: Rejected, nonce: str | None) -> None:
        if not self.answer.done():
            self.answer.set_exception(refused)

    def pause(self) -> None:
        """Nothing to do: an asker sends nothing while it waits."""

    def resume(self) -> None:
        """Nothing to do."""
