"""Files of messages, brought to this machine: once however often they are asked for, and from here without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from alonechat.core.client.files import File
from alonechat.core.client.model import Fetched
from alonechat.core.client.outbox import PASSES
from alonechat.core.client.shelf import Shelf, saved
from alonechat.core.client.uploading import carrier, paced
from alonechat.core.client.words import _
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from alonechat.core.client.live import Live

TRIES = 3
"""How often a download is tried while there is a connection."""
AT_ONCE = 3
"""Downloads that are under way at the same time; the others wait."""


class Fetching:
    """What is fetched, and what could not be."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._under_way: dict[str, asyncio.Task[Path]] = {}
        self._unreached: dict[str, File] = {}
        self._dead: set[str] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._placing = asyncio.Lock()
        """What comes and what has to go: one at a time, else two that came at once let go of each other."""

    async def show(self, file: File) -> None:
        """Fetch a file that a face wants to draw: how it went is told as Fetched alone."""
        try:
            await self.fetch(file)
        except AloneChatError:
            return  # it was told as `failed`

    async def fetch(self, file: File) -> Path:
        """Where a file of a message is on this machine, once it is here. Raises AloneChatError."""
        shelf = await self._shelf()
        here = shelf.find(file)
        if here is not None:
            self._live.tell([Fetched(file.id, "ready", str(here), 1.0)])
            return here
        task = self._under_way.get(file.id)
        if task is None:
            task = self._live.spawn(self._told(shelf, file))
            self._under_way[file.id] = task
            task.add_done_callback(lambda done: self._under_way.pop(file.id, None))
        return await asyncio.shield(task)

    async def save(self, file: File, path: Path, over: bool) -> Path:
        """Copy a file to where a person wants it; where it is then. One on its way out is taken from its copy."""
        source = Path(file.path) if file.path and not file.id else await self.fetch(file)
        return await asyncio.to_thread(saved, source, path, file.name, over)

    async def _shelf(self) -> Shelf:
        if self._live.shelf is None:
            await self._live.session()  # the very first time: whose files they are, the server has to say
        if self._live.shelf is None:
            raise AloneChatError(_("the server has not said yet who it is"))
        return self._live.shelf

    async def _told(self, shelf: Shelf, file: File) -> Path:
        self._unreached.pop(file.id, None)
        try:
            place = await self._patiently(shelf, file)
        except AloneChatError as error:
            if not isinstance(error, Rejected):
                self._unreached[file.id] = file
            self._live.tell([Fetched(file.id, "failed", reason=str(error))])
            raise
        await self.trim(shelf, place)
        return place

    async def _patiently(self, shelf: Shelf, file: File) -> Path:
        """Bring a file here; what breaks on the way, or is too much for the server now, is tried again a few times."""
        for attempt in range(TRIES - 1):
            try:
                return await self._brought(shelf, file)
            except AloneChatError as error:
                refused = error if isinstance(error, Rejected) else None
                if not self._live.there.is_set() or (refused is not None and refused.code not in PASSES):
                    raise
                wait = refused.retry_after if refused is not None else None
                await self._live.timing.sleep(wait or self._live.timing.backoff(attempt))
        return await self._brought(shelf, file)

    async def _brought(self, shelf: Shelf, file: File) -> Path:
        if not self._live.there.is_set():
            raise AloneChatError(_("you are offline, and {name} is not kept on this machine").format(name=file.name))
        self._live.tell([Fetched(file.id, "loading")])
        async with self._turns:
            half = await asyncio.to_thread(shelf.half)
            try:
                told = paced(file.size, lambda done: self._live.tell([Fetched(file.id, "loading", fraction=done)]))
                async with await carrier(self._live) as rest:
                    await rest.download(file.id, half, told, file.size or self._live.room)
                if file.message in self._dead:
                    raise Rejected("not_found", _("the message was deleted"))
                async with self._placing:
                    place = await asyncio.to_thread(shelf.take, half, file)
                    self._live.tell([Fetched(file.id, "ready", str(place), 1.0)])
                return place
            finally:
                half.unlink(missing_ok=True)

    async def trim(self, shelf: Shelf, kept: Path | None = None) -> None:
        """Let go of what was not used for longest, where there is too much."""
        async with self._placing:
            gone = await asyncio.to_thread(shelf.trim, kept)
            self._live.tell([Fetched(id, "there") for id in gone])

    def again(self) -> None:
        """A connection begins: what failed for the lack of one is tried again."""
        waiting, self._unreached = self._unreached, {}
        for file in waiting.values():
            self._live.spawn(self.show(file))

    def revive(self) -> None:
        """The server was restored from a backup: what was deleted may be there again."""
        self._dead.clear()

    def forget(self, messages: Iterable[str]) -> None:
        """Messages were deleted: their files go from this machine."""
        fresh = [message for message in messages if message not in self._dead]
        self._dead.update(fresh)
        if self._live.shelf is not None and fresh:
            self._live.spawn(asyncio.to_thread(self._live.shelf.forget, fresh))
