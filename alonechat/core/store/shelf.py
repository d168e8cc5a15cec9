"""Uploaded files on the disk, by their ids: what comes is written aside, and stands in its place once it is whole."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import threading
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from alonechat.core.store.records import Swept

INCOMING = "incoming"
SYNC_EACH = 1 << 20
"""Bytes after which what was written is flushed: one flush of a whole file would hold up the log's on the same disk."""
_ID = re.compile(r"[0-9a-f]{32}\Z")
_sync = getattr(os, "fdatasync", os.fsync)


class Draft:
    """A file that is coming in. Any thread may call its methods: a lock keeps a `drop` from closing what is written."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, 0
        self._file: BinaryIO = open(path, "x+b", buffering=0, opener=_private)  # noqa: SIM115 - `drop` closes it
        self._unsynced = 0
        self._lock = threading.Lock()

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append. Raises OSError where the disk does not take it, or the draft was dropped."""
        with self._lock:
            for piece in pieces:
                left = memoryview(piece)
                while left:
                    left = left[self._file.write(left) :]
                self.size += len(piece)
                self._unsynced += len(piece)
            if self._unsynced >= SYNC_EACH:
                self._unsynced = 0
                _sync(self._file.fileno())

    def read(self, at: int, count: int) -> bytes:
        """What was written, from `at` on."""
        with self._lock:
            self._file.seek(at)
            return self._file.read(count)

    def finish(self) -> None:
        """Flush all of it to the disk, and close it."""
        with self._lock:
            os.fsync(self._file.fileno())
            self._file.close()

    def drop(self) -> None:
        """Remove it, if it still lies aside. Never fails: what is left is swept at the next start."""
        with self._lock, suppress(OSError):
            self._file.close()
            self.path.unlink(missing_ok=True)


class FileShelf:
    """`records.Shelf` in a folder, which is made with the first file: `files/ab/ab12…`, none readable to others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self) -> Draft:
        return Draft(self._place(INCOMING) / secrets.token_hex(16))

    def free(self) -> int:
        return shutil.disk_usage(self._place("")).free

    def keep(self, draft: Draft, id: str) -> None:
        path = self.path(id)
        self._place(path.parent.name)
        draft.finish()
        os.replace(draft.path, path)
        _sync_folder(path.parent)

    def path(self, id: str) -> Path:
        if not _ID.match(id):
            raise FileNotFoundError(f"no file has the id {id[:40]!r}")
        return self.folder / id[:2] / id

    def open(self, id: str) -> BinaryIO:
        return self.path(id).open("rb", buffering=0)

    def copy(self, id: str, data_dir: Path) -> int | None:
        other = FileShelf(data_dir / self.folder.name)
        draft = other.begin()
        try:
            with self.open(id) as file:
                while piece := file.read(1 << 20):
                    draft.write([piece])
            other.keep(draft, id)
        except FileNotFoundError:
            return None
        finally:
            draft.drop()
        return draft.size

    def drop(self, ids: Iterable[str]) -> tuple[int, list[str]]:
        freed, left = 0, []
        for id in ids:
            path = self.path(id)
            try:
                size = path.stat().st_size
                path.unlink()
                freed += size
            except FileNotFoundError:
                continue
            except OSError:  # on Windows: somebody reads it
                left.append(id)
        return freed, left

    def sweep(self, known: Collection[str], remove: bool = True) -> Swept:
        kept, orphans, used = set(), [], 0
        for path, id in self._found():
            if id in known:
                with suppress(FileNotFoundError):  # a running server deletes beside whoever only looks
                    used += path.stat().st_size
                    kept.add(id)
            else:
                orphans.append(path)
        for path in orphans if remove else ():
            with suppress(OSError):
                path.unlink()
        return Swept(used, len(orphans), sorted(set(known) - kept))

    def _place(self, name: str) -> Path:
        """A folder of the shelf, made where it is missing."""
        for place in (self.folder, self.folder / name):
            if not place.is_dir():
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
                _sync_folder(place.parent)
        return place

    def _found(self) -> Iterable[tuple[Path, str]]:
        """Every file, and the id that it has; `` for what came in halfway."""
        if not self.folder.is_dir():
            return
        for place in sorted(self.folder.iterdir()):
            if place.is_dir():
                for path in sorted(place.iterdir()):
                    yield path, path.name if path.name[:2] == place.name else ""


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(place: Path) -> None:
    """Make the names in a folder last; Windows has no such thing, and needs none."""
    if os.name == "nt":
        return
    number = os.open(place, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
