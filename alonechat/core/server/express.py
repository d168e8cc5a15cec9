"""What most frames are, plain texts whose facts are in memory, and what the store has committed: without a task."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from alonechat.core import message
from alonechat.core.server import rooms
from alonechat.core.server.effects import Post
from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.core.server.intake import Batch
from alonechat.core.server.known import Known
from alonechat.core.server.parts import Parts
from alonechat.core.store.records import Event
from alonechat.errors import Rejected

if TYPE_CHECKING:
    from alonechat.core.server.journey import Caller

Frame = dict[str, Any]
Work = Coroutine[Any, Any, None]
# an enum's member takes longer to look up than the hooks
_BEFORE: Final = HookPhase.PRE_MESSAGE
_AFTER: Final = HookPhase.POST_MESSAGE
_FANNED: Final = HookPhase.PRE_BROADCAST
_SENT: Final = HookPhase.POST_BROADCAST


class Express:
    """The quick part of the journey: `take` on the way in, `deliver` on the way out. Other frames go `otherwise`."""

    def __init__(self, parts: Parts, known: Known, otherwise: Callable[[Caller, Frame], Work]) -> None:
        self._parts, self._known, self._otherwise = parts, known, otherwise
        self._hooks, self._directory, self._intake = parts.hooks.kept, parts.directory, parts.keep.intake
        self.on_gone: Callable[[list[str]], None] = lambda ids: None
        """Called with the files that went with a message."""

    def carry(self, caller: Caller, frame: Frame) -> Work | None:
        """Take in a decoded frame. None: it is on its way to the store. Else a coroutine to be run before the caller's
        next frame, which raises `Rejected`. A plain text takes no task: that is what most frames are."""
        if frame["type"] == "TEXT" and self.take(caller, frame):
            return None
        return self._otherwise(caller, frame)

    def take(self, caller: Caller, frame: Frame) -> bool:
        """Post a plain text whose facts are all in memory. False, and nothing done, when it takes more than that."""
        content: str = frame["content"]
        if frame.get("attachments") or frame.get("ref") or content[0] == "/":  # content may be empty with attachments
            return False
        if self._hooks[_BEFORE]:
            return False
        me = self._directory.get(caller.username)
        if me is None:
            return False
        try:
            key = message.key_of(frame.get("target"), me.username)
            conversation = self._known.at_hand(key)
            if conversation is None:
                return False
            (effect,) = rooms.decide(self._known.facts(me, key, conversation), frame)
        except Rejected:
            return False
        assert isinstance(effect, Post)
        parts = self._parts
        if parts.messages.rate > 0:
            now = parts.now()
            if parts.messages.of(me.username, now).take(now):
                return False
        effect.done = caller.settled
        caller.posted()
        self._intake.post(effect)
        return True

    def deliver(self, batch: Batch) -> None:
        """Take a committed batch from the store: memory first, then everybody, then those who asked."""
        self._intake.returned(batch)
        fresh: list[tuple[str, Event]] = []
        for post, result, known in batch:
            if not known and not isinstance(result, BaseException):
                self._known.apply(post, result)
                fresh.append((post.key, result))
                if post.gone:
                    self.on_gone(post.gone)
        if fresh:
            self._watch(_FANNED, fresh)
            self._parts.bus.publish(fresh)
            self._watch(_SENT, fresh)
        for post, result, known in batch:
            if post.done is not None:
                post.done(post, result, known)
        if fresh:
            self._watch(_AFTER, fresh)
        self._intake.let_in()

    def _watch(self, phase: HookPhase, fresh: list[tuple[str, Event]]) -> None:
        if not self._hooks[phase]:
            return
        for _, event in fresh:
            kept = dict(event)
            context = HookContext(phase, event["sender"], event["target"], event["content"], event["type"], kept)
            self._parts.hooks.watch(context)
