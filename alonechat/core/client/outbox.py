"""What a client asked and has no answer to yet: sent again after every reconnect, in order, under the same nonce."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alonechat.core.client.timing import Timing
from alonechat.core.message import LOBBY, MAX_FRAME, encode
from alonechat.errors import AloneChatError, Rejected

Frame = dict[str, Any]

ORDERED = frozenset({"TEXT", "EDIT", "DELETE", "REACT", "JOIN", "LEAVE", "TOPIC"})
"""Requests that write to a log: one at a time for each conversation, so that a refused one can't be overtaken."""
PASSES = frozenset({"rate_limited", "unavailable"})
"""Refusals that waiting mends."""


@dataclass(slots=True)
class _Pending:
    frame: Frame
    answer: asyncio.Future[Frame] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


def _says(asked: Frame) -> bool:
    """Whether nobody else's event can be the receipt: a text is one's own, whatever nonce others use. What changes
    nothing is answered with the event that made it so, which may be somebody else's: a moderator's DELETE."""
    content = str(asked.get("content") or "")
    return asked.get("type") in ("TEXT", "EDIT") and (not content.startswith("/") or content.startswith("//"))


class Outbox:
    """Requests under way. `put` hands a frame to the connection, if there is one; else the next `resend` does."""

    def __init__(self, put: Callable[[Frame], Awaitable[None]], timing: Timing) -> None:
        self._put = put
        self._time = timing
        self._pending: dict[str, _Pending] = {}
        self._lanes: dict[str, asyncio.Lock] = {}
        self._ended: BaseException | None = None
        self.max_frame = MAX_FRAME
        self.on_ask: Callable[[], None] = lambda: None

    def __bool__(self) -> bool:
        """Whether an answer is waited for."""
        return bool(self._pending)

    async def request(self, frame: Mapping[str, Any]) -> Frame:
        """Send a request and give its answer. Raises Rejected when it is refused for good; over the rate, or while the
        store can't commit, it waits and sends the same again before anything that was asked for later."""
        asked = {**frame, "nonce": frame.get("nonce") or secrets.token_hex(12)}
        self._check(asked)
        if asked.get("type") not in ORDERED:
            return await self._exchange(asked)
        async with self._lanes.setdefault(asked.get("target") or LOBBY, asyncio.Lock()):
            return await self._exchange(asked)

    def _check(self, frame: Frame) -> None:
        """Refuse here what would cost the connection, or come back as an error that bears no nonce."""
        nonce = frame["nonce"]
        if not isinstance(nonce, str) or len(nonce) > 64:
            raise Rejected("bad_frame", "a nonce has 1 to 64 characters")
        try:
            size = len(encode(frame).encode())
        except UnicodeEncodeError:
            raise Rejected("bad_frame", "a text holds a lone surrogate, which is no character") from None
        if size > self.max_frame:
            raise Rejected("too_long", f"a frame has at most {self.max_frame} bytes; this one has {size}")

    async def _exchange(self, frame: Frame) -> Frame:
        attempt = 0
        while True:
            answer = await self._once(frame)
            if answer.get("type") != "ERROR":
                return answer
            refused = Rejected(str(answer.get("code")), str(answer.get("content")), answer.get("retry_after"))
            if refused.code not in PASSES:
                raise refused
            wait = self._time.backoff(attempt) if refused.retry_after is None else refused.retry_after
            attempt += 1
            await self._time.sleep(max(wait, 0.05))

    async def _once(self, frame: Frame) -> Frame:
        nonce: str = frame["nonce"]
        if self._ended is not None:
            raise self._ended
        if nonce in self._pending:
            raise ValueError(f"a request with the nonce {nonce!r} is under way already")
        waiting = self._pending[nonce] = _Pending(frame)
        self.on_ask()
        try:
            await self._put(frame)
            return await waiting.answer
        finally:
            del self._pending[nonce]

    async def resend(self, put: Callable[[Frame], Awaitable[None]]) -> None:
        """A connection begins: send what is unanswered, in the order in which it was asked."""
        for waiting in list(self._pending.values()):
            if not waiting.answer.done():
                await put(waiting.frame)

    def take(self, frame: Mapping[str, Any], me: str) -> bool:
        """Whether `frame` answers a request of `me`; whoever asked has it then."""
        nonce = frame.get("nonce")
        waiting = self._pending.get(nonce) if isinstance(nonce, str) else None
        if waiting is None or (_says(waiting.frame) and frame.get("sender", me) != me):
            return False
        if not waiting.answer.done():
            waiting.answer.set_result(dict(frame))
        return True

    def end(self, error: BaseException | None) -> None:
        """Nothing will be answered any more: who waits gets `error`, or is cancelled by a close."""
        self._ended = self._ended or error or AloneChatError("the session is closed")
        for waiting in self._pending.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(error) if error else waiting.answer.cancel()
