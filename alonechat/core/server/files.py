"""Uploads as the server takes, keeps and shows them. What blocks runs in threads of its own, never in the loop."""

from __future__ import annotations

import asyncio
import errno
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

from alonechat.core import image
from alonechat.core.logging import get_logger
from alonechat.core.server.journey import Journey
from alonechat.core.server.parts import Parts
from alonechat.core.store import Shelf
from alonechat.core.store.records import Account, Draft, Upload
from alonechat.errors import Rejected

UNCLAIMED_MS = 24 * 3_600_000
"""How long an upload waits for its message."""
SWEEP_MS = 600_000
"""How often those that waited too long are looked for."""
AGAIN_SECONDS = 1.0
"""Until what could not be done, such as to remove what somebody reads, is tried again."""
SWEEP_SECONDS = 10.0
"""How long an upload waits for the look through all files with which the server begins."""
AT_ONCE = 8
"""Uploads of one account at a time."""
THREADS = 4
CHUNK = 1 << 18
"""Bytes that are gathered before a thread writes them, and that one reads at once."""
RESERVE = 64 << 20
"""Bytes that a file leaves on the disk: the log needs them."""
LEAST_RATE = 16 << 10
"""Bytes a second that an upload has to come with, after its first minute."""
PATIENCE = 60.0
NAME_BYTES = 255
PLAIN = "application/octet-stream"
_MIME = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\Z")
_SENSELESS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
T = TypeVar("T")
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Coming:
    """What a client says of a file before its bytes: `length` in bytes, None where it does not say."""

    name: str
    mime: str
    length: int | None


class Opened:
    """A file that is being read. `close` it."""

    def __init__(self, upload: Upload, file: BinaryIO, do: Callable[..., Any]) -> None:
        self.upload, self._file, self._do = upload, file, do

    async def read(self, at: int, count: int) -> bytes:
        """At most `count` bytes from `at` on."""
        found: bytes = await self._do(_read, self._file, at, min(count, CHUNK))
        return found

    def close(self) -> None:
        """End reading."""
        self._file.close()


class Files:
    """Takes uploads in, gives them out to who may read them, and removes what no message bears."""

    def __init__(self, parts: Parts, shelf: Shelf, journey: Journey) -> None:
        self._parts, self._shelf, self._journey = parts, shelf, journey
        self._settings, self._keep = parts.settings, parts.keep
        self._threads = ThreadPoolExecutor(THREADS, "files")
        self._coming: Counter[str] = Counter()
        self._used = self._arriving = 0
        self._begun = asyncio.Event()
        self._swept = 0
        self._doomed: list[str] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- in ---

    async def take(self, me: Account, coming: Coming, pieces: AsyncIterator[bytes]) -> Upload:
        """Keep what `pieces` bring, on the disk for good once this returns. Raises `Rejected`: `forbidden` (uploads are
        off), `too_long`, `invalid` (the name), `rate_limited`, `unavailable` (no room), `bad_frame` (too slow)."""
        name = self._checked(coming)
        with self._place(me.username):
            await self._journey.pace(me.username)
            await self._wait_for_sweep()
            draft = await self._stored(self._begin, coming.length or 0)
            try:
                await self._fill(draft, coming.length, pieces)
            except BaseException:
                self._threads.submit(draft.drop)
                raise
            self._count(draft.size)  # from here on it is no more among those that arrive
            # once the file stands in its place its row is written, whatever becomes of who waits for it
            return await asyncio.shield(self._spawn(self._settle(me, name, coming.mime, draft)))

    def _checked(self, coming: Coming) -> str:
        """The name as it is kept. Raises `Rejected` for what need not be read to be refused."""
        if not self._settings.max_file:
            raise Rejected("forbidden", "this server takes no files")
        name = file_name(coming.name)
        self._fits(coming.length or 0)
        self._has_room(coming.length or 0)
        return name

    def _fits(self, size: int) -> None:
        """Raise `Rejected` where a file of `size` bytes is too large."""
        most = self._settings.max_file
        if size > most:
            raise Rejected("too_long", f"a file may have at most {words(most)} here; make it smaller, or share a link")

    def _has_room(self, size: int) -> None:
        """Raise `Rejected` where `size` bytes more are too much."""
        room = self._settings.max_all_files
        if room and self._used + self._arriving + size > room:
            full = f"the server keeps at most {words(room)} of files: delete messages with files, or ask its admin"
            raise Rejected("unavailable", full)

    @contextmanager
    def _place(self, username: str) -> Iterator[None]:
        if self._coming[username] >= AT_ONCE:
            raise Rejected("rate_limited", f"{AT_ONCE} files of yours are coming in already; wait for one to end", 1.0)
        self._coming[username] += 1
        try:
            yield
        finally:
            self._coming[username] -= 1
            if not self._coming[username]:
                del self._coming[username]

    def _begin(self, length: int) -> Draft:
        if self._shelf.free() - length < RESERVE:
            raise _no_room()
        return self._shelf.begin()

    def _write(self, draft: Draft, pieces: list[bytes]) -> None:
        """Raises `Rejected` at the log's reserve: others came in meanwhile, and not all say a length."""
        if self._shelf.free() < RESERVE:
            raise _no_room()
        draft.write(pieces)

    async def _fill(self, draft: Draft, length: int | None, pieces: AsyncIterator[bytes]) -> None:
        gathered: list[bytes] = []
        waiting = size = 0
        expected = length if length is not None else self._settings.max_file
        try:
            async with asyncio.timeout(PATIENCE + expected / LEAST_RATE):
                async for piece in pieces:
                    size += len(piece)
                    waiting += len(piece)
                    self._arriving += len(piece)
                    self._fits(size)
                    self._has_room(0)
                    gathered.append(piece)
                    if waiting >= CHUNK:
                        await self._stored(self._write, draft, gathered)
                        gathered, waiting = [], 0
            await self._stored(self._write, draft, gathered)
        except TimeoutError:
            raise Rejected("bad_frame", "the file came too slowly; send it again over a better connection") from None
        finally:
            self._arriving -= size

    async def _settle(self, me: Account, name: str, mime: str, draft: Draft) -> Upload:
        try:
            upload = await self._stored(self._shelve, me.username, name, mime, draft)
        except BaseException:
            self._count(-draft.size)
            raise
        finally:
            self._threads.submit(draft.drop)
        try:
            await self._keep.write(lambda writes: writes.add_upload(upload))
        except Exception:
            self.drop([upload.id])
            raise
        self._parts.metrics.uploads.inc()
        return upload

    def _shelve(self, owner: str, name: str, mime: str, draft: Draft) -> Upload:
        kind, picture = plain_mime(mime), None
        if kind in image.KINDS:
            picture = image.look(draft.read)
            if picture is None or picture.mime != kind:
                kind, picture = PLAIN, None
        id, size = secrets.token_hex(16), draft.size
        self._shelf.keep(draft, id)
        width, height = (picture.width, picture.height) if picture else (0, 0)
        return Upload(id, owner, name, kind, size, width, height, self._keep.clock())

    async def _stored(self, act: Callable[..., T], *arguments: Any) -> T:
        """`act` on a thread. Raises `Rejected("unavailable")` where the disk does not take it."""
        try:
            return await self._do(act, *arguments)
        except OSError as error:
            if error.errno in _FULL:
                raise _no_room() from None
            log.error("an upload can't be kept", why=str(error))
            raise Rejected(
                "unavailable", "the server can't keep files now, its log says why; try again later"
            ) from None

    async def _do(self, act: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, act, *arguments)

    # --- out ---

    async def open(self, username: str, id: str) -> Opened:
        """A file that somebody may read: the uploader, and who may read the message that bears it. Raises
        `Rejected("not_found")`, the same for what there is not and for what one may not know of."""
        none = Rejected(
            "not_found", "there is no such file, or none that you may read; it may have gone with its message"
        )
        for upload in await self._keep.glance(self._keep.store.uploads, [id]):
            mine = upload.owner == username
            if mine or (upload.key and await self._journey.may_read(username, upload.key, upload.seq)):
                try:
                    return Opened(upload, await self._do(self._shelf.open, id), self._do)
                except FileNotFoundError:
                    raise none from None
                except OSError as error:
                    log.error("a file can't be read", file=id, why=str(error))
                    raise Rejected("unavailable", "the server can't read this file now; try again later") from None
        raise none

    # --- away ---

    def begin(self) -> None:
        """Remove what an earlier run left behind; nothing is taken in before."""
        self._spawn(self._first_sweep())

    async def _first_sweep(self) -> None:
        while not self._begun.is_set():
            try:
                known = await self._keep.read(self._keep.store.upload_ids)
                found = await self._do(self._shelf.sweep, known)
            except (OSError, Rejected) as error:
                log.error("files can't be looked through, so none is taken; trying again", why=str(error))
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self._count(found.used)
            if found.orphans or found.missing:
                log.info("files were swept", removed=found.orphans, missing=len(found.missing))
            self._begun.set()

    async def _wait_for_sweep(self) -> None:
        try:
            await asyncio.wait_for(self._begun.wait(), SWEEP_SECONDS)
        except TimeoutError:
            raise Rejected("unavailable", "the server still looks through its files; try again soon") from None

    def drop(self, ids: list[str]) -> None:
        """Remove files whose message is gone."""
        if not self._doomed:
            self._doomed = [*ids]
            self._spawn(self._remove())
        else:
            self._doomed += ids

    async def _remove(self) -> None:
        while self._doomed:
            ids, self._doomed = self._doomed, []
            freed, left = await self._do(self._shelf.drop, ids)
            self._count(-freed)
            if left:
                self._doomed += left
                await asyncio.sleep(AGAIN_SECONDS)

    def tick(self, now: int) -> None:
        """Every second or so: remove what has waited for its message for longer than a day."""
        if self._begun.is_set() and now - self._swept >= SWEEP_MS:
            self._swept = now
            self._spawn(self._forget(now - UNCLAIMED_MS))

    async def _forget(self, before: int) -> None:
        try:
            gone = await self._keep.write(lambda writes: writes.drop_uploads(before))
        except Rejected as refused:
            log.warning("uploads without a message can't be removed now", why=refused.text)
            return
        if gone:
            self.drop(gone)
            log.info("uploads that no message bears were removed", files=len(gone))

    def _count(self, size: int) -> None:
        self._used += size
        self._parts.metrics.files.set(self._used)

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Finish what is under way. What could not be removed is swept at the next start."""
        await asyncio.wait(self._tasks, timeout=1.0) if self._tasks else None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)


def file_name(text: str) -> str:
    """The name of a file as it is kept. Raises `Rejected("invalid")` that says what a name may hold."""
    name = unicodedata.normalize("NFC", text).strip()
    size = len(name.encode("utf-8", "surrogatepass"))
    if not name or name in (".", ".."):
        raise Rejected("invalid", "name must be the name of a file, such as plan.pdf")
    if size > NAME_BYTES:
        raise Rejected("invalid", f"name must have at most {NAME_BYTES} bytes in UTF-8, not {size}")
    if "/" in name or any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in _BIDI for c in name):
        raise Rejected("invalid", "name must hold no slash and no control characters")
    return name


def plain_mime(text: str) -> str:
    """The kind of a file without parameters; `application/octet-stream` for what is none, or senseless for a file."""
    found = text.partition(";")[0].strip().lower()
    if found in _SENSELESS or not _MIME.match(found):
        return PLAIN
    return "image/jpeg" if found == "image/jpg" else found


def words(size: int) -> str:
    """A number of bytes for a person: `25 MiB`."""
    power = max(0, min(3, (size.bit_length() - 1) // 10))
    return f"{size / (1 << 10 * power):.4g} {('bytes', 'KiB', 'MiB', 'GiB')[power]}"


def _no_room() -> Rejected:
    return Rejected("unavailable", "the server's disk is full, nothing was kept; ask its admin to make room")


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)
