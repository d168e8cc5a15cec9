"""The outbox of a person: on disk before it is shown, sent under its nonce, in order, until there is a receipt."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alonechat.core.client.cache import Entry, written
from alonechat.core.client.model import Kept, Settled, Told, Written
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from alonechat.core.client.live import Live


SILENCE = {"/mute": True, "/unmute": False}
"""Commands that change what WELCOME says of a conversation, and that no frame tells of."""


def shown(entry: Entry) -> Written:
    """An entry of the outbox for a face."""
    content, ref = str(entry.frame.get("content") or ""), entry.frame.get("ref")
    removed = bool(entry.frame.get("removed"))
    return Written(entry.nonce, entry.target, entry.type, content, ref, entry.made, entry.code, entry.reason, removed)


def is_command(entry: Entry) -> bool:
    """Whether the server runs it rather than keeps it (PROTOCOL, section 5)."""
    content = str(entry.frame.get("content") or "")
    return entry.type == "TEXT" and content.startswith("/") and not content.startswith("//")


class Sending:
    """What is written and on its way."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def post(self, frames: Sequence[Mapping[str, Any]]) -> None:
        """Keep frames on disk, show them, and send them in order."""
        made = self._live.timing.now()
        entries = [written(frame, secrets.token_hex(12), made) for frame in frames]
        self._live.keep(lambda cache: cache.wait(entries))
        self._live.tell([Kept(shown(entry)) for entry in entries])
        for entry in entries:
            self._send(entry)

    def resume(self) -> None:
        """Send what an earlier run of this client left, but for what was refused."""
        for entry in self._live.cache.outbox() if self._live.cache else ():
            if not entry.code and entry.nonce not in self._under_way:
                self._send(entry)

    def again(self, nonce: str) -> None:
        """Send once more what was refused, under the same nonce: should it have arrived, it is not doubled."""
        for entry in self._live.cache.outbox() if self._live.cache else ():
            if entry.nonce == nonce and entry.code:
                self._live.keep(lambda cache: cache.refuse(nonce, "", ""))
                fresh = replace(entry, code="", reason="")
                self._live.tell([Kept(shown(fresh))])
                self._send(fresh)

    def discard(self, nonce: str) -> None:
        """Throw away what was refused, or waits. What is under way already may have arrived all the same."""
        task = self._under_way.get(nonce)
        if task is not None:
            task.cancel()
        self._live.keep(lambda cache: cache.settle(nonce))
        self._live.tell([Settled(nonce, 0)])

    def _send(self, entry: Entry) -> None:
        task = self._live.spawn(self._sent(entry))
        self._under_way[entry.nonce] = task
        task.add_done_callback(lambda done: self._under_way.pop(entry.nonce, None))

    async def _sent(self, entry: Entry) -> None:
        session = await self._live.session()
        try:
            answer = await session.request({**entry.frame, "nonce": entry.nonce})
        except Rejected as refused:
            if refused.code == "unauthorized":
                return  # the sign-in has ended: it waits on disk for the next one
            self._refuse(entry, refused)
            return
        except AloneChatError:
            return  # the session ended; the next one sends it
        self._live.keep(lambda cache: cache.settle(entry.nonce))
        self._live.tell([Settled(entry.nonce, answer.get("seq") or 0)])
        if answer.get("type") == "NOTICE":
            self._tell(entry, str(answer.get("content") or ""))
            silence = SILENCE.get(str(entry.frame.get("content")).strip().lower())
            if silence is not None:
                self._live.marks.silence(entry.target, silence)

    def _refuse(self, entry: Entry, refused: Rejected) -> None:
        if is_command(entry) or entry.type not in ("TEXT", "EDIT"):  # nothing that somebody wrote is lost with it
            self._live.keep(lambda cache: cache.settle(entry.nonce))
            self._live.tell([Settled(entry.nonce, 0)])
            self._tell(entry, refused.text, is_error=True)
            return
        self._live.keep(lambda cache: cache.refuse(entry.nonce, refused.code, refused.text))
        self._live.tell([Kept(replace(shown(entry), code=refused.code, reason=refused.text))])

    def _tell(self, entry: Entry, text: str, is_error: bool = False) -> None:
        self._live.tell([Told(entry.target, text, self._live.timing.now(), is_error)])
