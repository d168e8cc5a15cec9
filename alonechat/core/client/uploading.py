"""The files of what waits to be sent: uploaded once, however often a connection, this client or the server goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alonechat.core.client.cache import Entry
from alonechat.core.client.files import File, of_wire, too_large
from alonechat.core.client.model import Kept, Written
from alonechat.core.client.outbox import PASSES
from alonechat.core.client.words import _
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from pathlib import Path

    from alonechat.core.client.live import Live
    from alonechat.core.client.rest import Rest
    from alonechat.core.client.shelf import Shelf

PAUSE = 0.1
"""Seconds between two tellings of how far an upload or a download is."""
LIMIT = "files.max_bytes"
"""Where the cache keeps what the server said of the largest file."""
KNOWN = ("id", "width", "height", "mime", "size")
"""What an entry remembers of the server's answer to an upload."""
ANSWER = 5.0
"""Seconds that the server has to say what it takes, before what it said last time has to do."""
FRESH = 60.0
"""Seconds for which what the server said of the largest file need not be asked again: it says so itself, too."""
PATIENCE = 60.0
"""Seconds without a byte after which an upload or a download is given up, and tried again."""


UNSURE = 3
"""How often an upload is tried again whose token the server does not take any more: another program of the same user
may have renewed it, which this one learns when its connection ends. Where the sign-in has ended, the session tells."""


class Left(AloneChatError):
    """Nobody wants the entry any more: another window of the user discarded it."""


def shown(entry: Entry, shelf: Shelf | None) -> Written:
    """An entry of the outbox for a face."""
    content, ref = str(entry.frame.get("content") or ""), entry.frame.get("ref")
    removed = bool(entry.frame.get("removed"))
    found = Written(entry.nonce, entry.target, entry.type, content, ref, entry.made, entry.code, entry.reason, removed)
    return replace(found, files=_files(entry, shelf)) if entry.files else found


def _files(entry: Entry, shelf: Shelf | None) -> tuple[File, ...]:
    state, reason = ("failed", entry.reason) if entry.code else ("waiting", "")
    found = []
    for at, each in enumerate(entry.files):
        file, path = of_wire(each), shelf.waiting(entry.nonce, at, str(each["name"])) if shelf else ""
        now, fraction = ("ready", 1.0) if file.id and not entry.code else (state, 0.0)
        found.append(replace(file, state=now, fraction=fraction, path=str(path), reason=reason))
    return tuple(found)


def borne(entry: Entry) -> dict[str, Any]:
    """The frame of an entry as the wire has it: with the ids of its files, each of which is uploaded."""
    frame = {name: value for name, value in entry.frame.items() if name != "files"}
    if entry.files:
        frame["attachments"] = [{"id": each["id"]} for each in entry.files]
    return {**frame, "nonce": entry.nonce}


async def carrier(live: Live) -> Rest:
    """The REST side for files, made in a thread: loading what it takes, and the authorities of TLS, needs time."""

    def make() -> Rest:
        from alonechat.core.client.rest import Rest

        account = live.account_now
        return Rest(account.url, account.token, PATIENCE)

    return await asyncio.to_thread(make)


def paced(size: int, tell: Callable[[float], None]) -> Callable[[int], None]:
    """Hears how many bytes of `size` are through, and tells the fraction, not too often."""
    loop = asyncio.get_running_loop()
    last = loop.time()

    def told(done: int) -> None:
        nonlocal last
        if loop.time() - last >= PAUSE:
            last = loop.time()
            tell(min(1.0, done / size) if size else 0.0)

    return told


class Uploading:
    """Uploads for entries of the outbox, one at a time: on a slow link the first is through the soonest."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._turn = asyncio.Lock()
        self._asked = 0.0

    async def limit(self, anew: bool = False) -> int | None:
        """Bytes of the largest file that the server takes, 0 for none; what it says now (`anew`, or where it has not
        been asked for a minute), or said last. None where it never was asked, and can't be: it says so when it gets
        one."""
        now = self._live.timing.now()
        if self._live.there.is_set() and (anew or not 0 <= now - self._asked < FRESH):
            try:
                async with asyncio.timeout(ANSWER), await carrier(self._live) as rest:
                    said = (await rest.server()).get("files")
            except (AloneChatError, TimeoutError):
                pass  # what it said last has to do
            else:
                found = said.get("max_bytes") if isinstance(said, dict) else None
                most = found if isinstance(found, int) else 0
                self._asked = now
                self._live.keep(lambda cache: cache.put(LIMIT, most))
                return most
        known = self._live.keep(lambda cache: cache.get(LIMIT))
        return known if isinstance(known, int) else None

    async def up(self, entry: Entry) -> Entry:
        """The entry once all its files are uploaded. It waits for as long as that takes. Raises Rejected where the
        server refuses one, Left where nobody wants it any more."""
        for at, each in enumerate(entry.files):
            if not each.get("id"):
                answer = await self._one(entry, at)
                entry = self._reworded(entry, at, {name: answer[name] for name in KNOWN if name in answer})
        return entry

    def anew(self, entry: Entry) -> Entry:
        """The entry with nothing of it uploaded: the server has thrown away what nobody bore for a day."""
        for at in range(len(entry.files)):
            entry = self._reworded(entry, at, {"id": ""})
        return entry

    def _reworded(self, entry: Entry, at: int, known: Mapping[str, Any]) -> Entry:
        files = [{**each, **known} if place == at else each for place, each in enumerate(entry.files)]
        entry = replace(entry, frame={**entry.frame, "files": files})
        if not self._live.keep(lambda cache: cache.reword(entry.nonce, entry.frame)):
            raise Left(_("discarded"))
        return entry

    async def _one(self, entry: Entry, at: int) -> dict[str, Any]:
        attempt = 0
        while True:
            await self._live.there.wait()
            token = self._live.account_now.token
            try:
                async with self._turn:
                    return await self._put(entry, at)
            except Rejected as refused:
                renewed = token != self._live.account_now.token or attempt < UNSURE
                renewed = refused.code == "unauthorized" and renewed
                if refused.code not in PASSES and not renewed:
                    raise self._worded(refused) from None
                why, wait = refused.text, refused.retry_after or self._live.timing.backoff(attempt)
            except Left:
                raise
            except AloneChatError as error:
                why, wait = str(error), self._live.timing.backoff(attempt)
                await self._check(entry, at)
            attempt += 1
            self._tell(entry, at, "waiting", 0.0, why)
            await self._live.timing.sleep(max(wait, 0.05))

    async def _check(self, entry: Entry, at: int) -> None:
        """A connection that broke may have been the refusal of what is too large: who is refused before the end does
        not always hear why."""
        size, most = int(entry.files[at]["size"]), await self.limit(anew=True)
        if self._live.there.is_set() and most is not None and size > most:
            code = "too_long" if most else "forbidden"
            raise Rejected(code, too_large(str(entry.files[at]["name"]), size, most))

    @staticmethod
    def _worded(refused: Rejected) -> Rejected:
        if refused.code == "not_found":  # no such endpoint
            return Rejected("forbidden", _("this server takes no files"))
        return refused

    async def _put(self, entry: Entry, at: int) -> dict[str, Any]:
        each = entry.files[at]
        name, size, shelf = str(each["name"]), int(each["size"]), self._live.shelf
        path: Path | None = shelf.waiting(entry.nonce, at, name) if shelf else None
        self._tell(entry, at, "uploading", 0.0)
        told = paced(size, lambda fraction: self._tell(entry, at, "uploading", fraction))
        try:
            if path is None:
                raise FileNotFoundError(name)
            async with await carrier(self._live) as rest:
                return await rest.upload(path, name, str(each.get("mime") or ""), told)
        except OSError:
            if all(kept.nonce != entry.nonce for kept in self._live.keep(lambda cache: cache.outbox()) or ()):
                raise Left(_("discarded")) from None
            why = _("the copy of {name} on this machine is gone; discard it and send the file again").format(name=name)
            raise Rejected("invalid", why) from None

    def _tell(self, entry: Entry, at: int, state: str, fraction: float, reason: str = "") -> None:
        now = shown(entry, self._live.shelf)
        files = list(now.files)
        files[at] = replace(files[at], state=state, fraction=fraction, reason=reason)
        self._live.tell([Kept(replace(now, files=tuple(files)))])
