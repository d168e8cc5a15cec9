"""The outbox of a person: on disk before it is shown, sent under its nonce, in order, until there is a receipt."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alonechat.core.client.cache import Entry, written
from alonechat.core.client.files import MOST, of_event
from alonechat.core.client.model import Fetched, Kept, Settled, Told
from alonechat.core.client.uploading import Uploading, borne, shown
from alonechat.core.client.words import _
from alonechat.core.client.writing import frames
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from alonechat.core.client.cache import Cache
    from alonechat.core.client.live import Live


SILENCE = {"/mute": True, "/unmute": False}
"""Commands that change what WELCOME says of a conversation, and that no frame tells of."""


def is_command(entry: Entry) -> bool:
    """Whether the server runs it rather than keeps it (PROTOCOL, section 5)."""
    content = str(entry.frame.get("content") or "")
    return entry.type == "TEXT" and content.startswith("/") and not content.startswith("//")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A text with files: the text may be empty, or longer than a message may be; the last message bears the files."""

    target: str
    text: str
    ref: str | None
    files: tuple[Path, ...]


class Sending:
    """What is written and on its way."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._uploading = Uploading(live)
        self._copying = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def post(self, frames: Sequence[Mapping[str, Any]]) -> None:
        """Keep frames on disk, show them, and send them in order."""
        made = self._live.timing.now()
        self._begin([written(frame, secrets.token_hex(12), made) for frame in frames])

    def _begin(self, entries: list[Entry]) -> None:
        self._live.keep(lambda cache: cache.wait(entries))
        self._live.tell([Kept(shown(entry, self._live.shelf)) for entry in entries])
        for entry in entries:
            self._send(entry)

    async def parcel(self, parcel: Parcel) -> None:
        """Keep a text and copies of its files on disk, show them, and send them: the texts in order, what bears files
        once these are uploaded. Raises AloneChatError, and keeps nothing, where one of them can't be sent."""
        self._copying += 1
        self._idle.clear()
        try:
            await self._kept(parcel)
        finally:
            self._copying -= 1
            if not self._copying:
                self._idle.set()

    async def idle(self) -> None:
        """Wait until what a person sends is on this disk."""
        await self._idle.wait()

    async def _kept(self, parcel: Parcel) -> None:
        most = int(self._live.state.limits.get("max_content", 4000))
        said = frames(parcel.target, parcel.text, parcel.ref, most)
        said = said or [{"type": "TEXT", "target": parcel.target, "content": "", "ref": parcel.ref}]
        if len(parcel.files) > MOST:
            wrong = _("a message bears at most {most} files; these are {n}").format(most=MOST, n=len(parcel.files))
            raise AloneChatError(wrong)
        if is_command(written(said[0], "")):
            raise AloneChatError(_("a command bears no files: send them with another text, or with none"))
        if self._live.shelf is None:
            await self._live.session()  # the very first time: whose files they are, the server has to say
        shelf, nonce, largest = self._live.shelf, secrets.token_hex(12), await self._uploading.limit()
        if shelf is None:
            raise AloneChatError(_("the server has not said yet who it is"))
        kept = await asyncio.to_thread(shelf.copy_in, nonce, parcel.files, largest)
        made = self._live.timing.now()
        *before, last = said
        entries = [written(frame, secrets.token_hex(12), made) for frame in before]
        self._begin([*entries, written({**last, "files": kept}, nonce, made)])
        self._live.keep(lambda cache: self._undraft(cache, parcel))

    def _undraft(self, cache: Cache, parcel: Parcel) -> None:
        """What is kept is no draft any more: until now that was all that an end in between would have left of it."""
        if parcel.text and cache.drafts().get(parcel.target, "").strip("\n") == parcel.text:
            cache.draft(parcel.target, "")
            self._live.beside.draft(parcel.target, "")

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
                self._live.tell([Kept(shown(fresh, self._live.shelf))])
                self._send(fresh)

    def discard(self, nonce: str) -> None:
        """Throw away what was refused, or waits. What is under way already may have arrived all the same."""
        task = self._under_way.get(nonce)
        if task is not None:
            task.cancel()
        self._live.keep(lambda cache: cache.settle(nonce))
        self._live.tell([Settled(nonce, 0)])
        if self._live.shelf is not None:
            self._live.spawn(asyncio.to_thread(self._live.shelf.drop, nonce))

    def _send(self, entry: Entry) -> None:
        task = self._live.spawn(self._sent(entry))
        self._under_way[entry.nonce] = task
        task.add_done_callback(lambda done: self._under_way.pop(entry.nonce, None))

    async def _sent(self, entry: Entry) -> None:
        try:
            answer = await self._asked(entry)
        except Rejected as refused:
            if refused.code == "unauthorized":
                return  # the sign-in has ended: it waits on disk for the next one
            self._refuse(entry, refused)
            return
        except AloneChatError:
            return  # the session ended; the next one sends it
        self._live.keep(lambda cache: cache.settle(entry.nonce))
        if entry.files:
            self._adopt(entry, answer)
        self._live.tell([Settled(entry.nonce, answer.get("seq") or 0)])
        if answer.get("type") == "NOTICE":
            self._tell(entry, str(answer.get("content") or ""))
            silence = SILENCE.get(str(entry.frame.get("content")).strip().lower())
            if silence is not None:
                self._live.marks.silence(entry.target, silence)

    async def _asked(self, entry: Entry) -> Mapping[str, Any]:
        """Upload what an entry bears, then send it. What was uploaded long ago the server may have thrown away, as it
        does with what no message bears: then it is uploaded anew, under the same nonce."""
        session = await self._live.session()
        if not entry.files:
            return await session.request(borne(entry))
        old = any(each.get("id") for each in entry.files)
        entry = await self._uploading.up(entry)
        try:
            return await session.request(borne(entry))
        except Rejected as refused:
            if not old or refused.code not in ("not_found", "conflict"):
                raise
        entry = await self._uploading.up(self._uploading.anew(entry))
        return await session.request(borne(entry))

    def _adopt(self, entry: Entry, event: Mapping[str, Any]) -> None:
        """What was sent is on this machine already: nobody fetches it again."""
        shelf, files = self._live.shelf, of_event(event)
        if shelf is None:
            return
        for at, (each, file) in enumerate(zip(entry.files, files, strict=False)):
            try:
                place = shelf.adopt(entry.nonce, at, str(each["name"]), file)
            except AloneChatError:
                continue  # the disk does not take it: it is fetched when somebody looks at it
            if place is not None:
                self._live.tell([Fetched(file.id, "ready", str(place), 1.0)])
        shelf.drop(entry.nonce)
        self._live.spawn(self._live.fetching.trim(shelf))

    def _refuse(self, entry: Entry, refused: Rejected) -> None:
        if is_command(entry) or entry.type not in ("TEXT", "EDIT"):  # nothing that somebody wrote is lost with it
            self._live.keep(lambda cache: cache.settle(entry.nonce))
            self._live.tell([Settled(entry.nonce, 0)])
            self._tell(entry, refused.text, is_error=True)
            return
        self._live.keep(lambda cache: cache.refuse(entry.nonce, refused.code, refused.text))
        fresh = replace(entry, code=refused.code, reason=refused.text)
        self._live.tell([Kept(shown(fresh, self._live.shelf))])

    def _tell(self, entry: Entry, text: str, is_error: bool = False) -> None:
        self._live.tell([Told(entry.target, text, self._live.timing.now(), is_error)])
