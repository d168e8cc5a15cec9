"""An account's files on this disk: copies of what waits to be sent, and a bounded cache of what was fetched."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import secrets
import shutil
import stat
import time
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from alonechat.core.client import whole
from alonechat.core.client.files import DEVICES, File, too_large
from alonechat.core.client.words import _
from alonechat.errors import AloneChatError

PLAIN = re.compile(r"[0-9A-Za-z_-]{1,64}")
NAME_BYTES = 150
"""Bytes of a name on this disk: a path of Windows has 260 characters in all."""
STALE = 3600.0
"""Seconds after which a copy that no entry of the outbox names is left over from a program that was ended."""
MIMES = {"webp": "image/webp", "md": "text/markdown", "log": "text/plain"}
"""Kinds that the tables of Python 3.11 lack."""


def name_of(text: str) -> str:
    """A file's name as this disk takes it, on every system: no folders, nothing hidden, nothing that a listing could
    be deceived by."""
    kept = "".join(
        "_" if char in '<>:"/\\|?*' or unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") else char
        for char in text
    ).strip(" ")
    kept = re.sub(r"[. ]+$", "", kept)
    if not kept or kept.startswith(".") or DEVICES.match(kept):
        kept = "_" + kept
    stem, dot, ending = kept.rpartition(".")
    if not dot or len(ending) > 16:
        stem, ending = kept, ""
    room = NAME_BYTES - len((dot + ending).encode()) if ending else NAME_BYTES
    stem = stem.encode()[:room].decode(errors="ignore")
    return f"{stem}.{ending}" if ending else stem


def mime_of(name: str) -> str:
    """The kind of a file by its name."""
    ending = name.rpartition(".")[2].lower()
    return MIMES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def measured(path: Path, most: int | None) -> int:
    """The size of a file that is to be sent. Raises AloneChatError, a sentence for the person, where it can't be."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise AloneChatError(_("there is no file {path}").format(path=path)) from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if stat.S_ISDIR(found.st_mode):
        raise AloneChatError(_("{path} is a folder: name the files in it").format(path=path))
    if not stat.S_ISREG(found.st_mode):
        raise AloneChatError(_("{path} is no ordinary file").format(path=path))
    if most is not None and found.st_size > most:
        raise AloneChatError(too_large(path.name, found.st_size, most))
    return found.st_size


def _unreadable(path: Path, error: Exception) -> AloneChatError:
    why = getattr(error, "strerror", None) or str(error)
    return AloneChatError(_("can't read {path}: {why}").format(path=path, why=why))


def _part(id: str) -> str:
    """An id of the server's as the name of a folder: whatever it is, it can't lead out of the shelf."""
    return id if PLAIN.fullmatch(id) else hashlib.sha256(id.encode()).hexdigest()[:32]


class Shelf:
    """Files of one account, each readable by its user alone: `waiting/NONCE/N/NAME` and `got/MESSAGE/ID/NAME`. Several
    processes of the user share it: a file appears in its place whole. `room`: bytes that what was fetched may take.
    What reads or writes whole files, or many, is called in a thread: `copy_in`, `sweep`, `trim`, `forget`, `clear`."""

    def __init__(self, root: Path, room: int) -> None:
        self.root = root
        self.room = room

    # --- on its way out ---

    def waiting(self, nonce: str, at: int, name: str) -> Path:
        """Where the copy of an entry's file is."""
        return self.root / "waiting" / _part(nonce) / str(at) / name_of(name)

    def copy_in(self, nonce: str, paths: Sequence[Path], most: int | None) -> list[dict[str, Any]]:
        """Copy files for an entry of the outbox, flushed to the disk; all of them or none. What the entry remembers of
        each: name, mime, size. Raises AloneChatError where one can't be sent."""
        for path in paths:  # before anything is copied: the twentieth may be the one that is too large
            measured(path, most)
        try:
            return [self._copy(nonce, at, path, most) for at, path in enumerate(paths)]
        except BaseException:
            self.drop(nonce)
            raise

    def _copy(self, nonce: str, at: int, path: Path, most: int | None) -> dict[str, Any]:
        name = unicodedata.normalize("NFC", path.name)  # macOS gives names taken apart
        name = "".join("_" if unicodedata.category(char) in ("Cc", "Cs") else char for char in name)
        place = self.waiting(nonce, at, name)
        try:
            source = open(path, "rb")  # noqa: SIM115 - its errors are told apart from those of the copy
        except OSError as error:
            raise _unreadable(path, error) from None
        with source:
            try:
                self._folder(place.parent)
                with os.fdopen(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
                    copy.flush()
                    os.fsync(copy.fileno())
                    size = copy.tell()
            except OSError as error:
                raise self.unwritable(error) from None
        if most is not None and size > most:  # it grew meanwhile
            raise AloneChatError(too_large(name, size, most))
        return {"name": name, "mime": mime_of(name), "size": size}

    def drop(self, nonce: str) -> None:
        """The entry is gone: so are its copies."""
        shutil.rmtree(self.root / "waiting" / _part(nonce), ignore_errors=True)

    def sweep(self, nonces: Collection[str], now: float | None = None) -> None:
        """Remove what programs that were ended left: copies of no entry, halves of what was fetched."""
        known = {_part(nonce) for nonce in nonces}
        before = (time.time() if now is None else now) - STALE
        for folder in self._in(self.root / "waiting"):
            if folder.name not in known and self._touched(folder) < before:
                shutil.rmtree(folder, ignore_errors=True)
        for half in self._in(self.root / "half"):
            if self._touched(half) < before:
                half.unlink(missing_ok=True)

    # --- what was fetched ---

    def _place(self, file: File) -> Path:
        return self.root / "got" / _part(file.message) / _part(file.id) / name_of(file.name)

    def find(self, file: File) -> Path | None:
        """Where a file is here, which counts as a use of it; None where it is not."""
        place = self._place(file)
        try:
            os.utime(place)
        except OSError:
            return None
        return place

    def half(self) -> Path:
        """A new file to write into while one arrives. Raises AloneChatError where there can't be any."""
        path = self.root / "half" / secrets.token_hex(8)
        try:
            self._folder(path.parent)
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise self.unwritable(error) from None
        return path

    def take(self, half: Path, file: File) -> Path:
        """A file has arrived: put it in its place."""
        place = self._place(file)
        try:
            self._folder(place.parent)
            whole.replace(half, place)
            os.utime(place)  # when it was last used, not when it was copied to be sent
        except OSError as error:
            raise self.unwritable(error) from None
        return place

    def adopt(self, nonce: str, at: int, name: str, file: File) -> Path | None:
        """The copy of what was sent, by its own name, stays here as what was fetched; None where it is gone."""
        copy = self.waiting(nonce, at, name)
        return self.take(copy, file) if copy.is_file() else None

    def trim(self, kept: Path | None = None) -> list[str]:
        """Remove what was not used for longest until the rest has room, but not `kept`; the ids of what went."""
        found = []
        for place in self._all():
            try:
                known = place.stat()
            except OSError:
                continue  # another process of the user was faster
            found.append((known.st_mtime, known.st_size, place))
        total, gone = sum(size for _, size, _ in found), []
        for _used, size, place in sorted(found):
            if total <= self.room:
                break
            if place != kept:
                self._remove(place)
                total -= size
                gone.append(place.parent.name)
        return gone

    def _all(self) -> Iterator[Path]:
        for message in self._in(self.root / "got"):
            for id in self._in(message):
                yield from self._in(id)

    def _remove(self, place: Path) -> None:
        shutil.rmtree(place.parent, ignore_errors=True)
        if not any(self._in(place.parent.parent)):
            shutil.rmtree(place.parent.parent, ignore_errors=True)

    def forget(self, messages: Iterable[str]) -> None:
        """Messages were deleted: their files go."""
        for message in messages:
            shutil.rmtree(self.root / "got" / _part(message), ignore_errors=True)

    def clear(self) -> None:
        """Remove everything that was fetched."""
        shutil.rmtree(self.root / "got", ignore_errors=True)

    def remove(self) -> None:
        """Remove everything, also what waits to be sent."""
        shutil.rmtree(self.root, ignore_errors=True)

    # --- the disk ---

    def _folder(self, path: Path) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)  # whose mode keeps others out of all that is in it
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    @staticmethod
    def _in(folder: Path) -> list[Path]:
        try:
            return list(folder.iterdir())
        except OSError:
            return []

    @staticmethod
    def _touched(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0

    def unwritable(self, error: OSError) -> AloneChatError:
        """What to tell where this disk does not take a file."""
        why = error.strerror or str(error)
        return AloneChatError(_("can't keep files in {path}: {why}").format(path=self.root, why=why))


def saved(source: Path, path: Path, name: str, over: bool) -> Path:
    """Copy a file to where a person wants it: `path`, or under its `name` in the folder `path`. Without `over` nothing
    is written over: `cat (1).png` is what a second `cat.png` becomes. Gives the path. Raises AloneChatError."""
    wanted = path
    try:
        wanted = path / name_of(name) if path.is_dir() else path
        if over:
            _replaced(source, wanted)
            return wanted
        for place in _free(wanted):
            try:
                copy = open(place, "xb")  # noqa: SIM115 - what is there already is told apart from other errors
            except FileExistsError:
                continue
            try:
                with copy, open(source, "rb") as there:
                    shutil.copyfileobj(there, copy, 1 << 20)
            except OSError:
                place.unlink(missing_ok=True)  # a half would pass for the file
                raise
            return place
    except (OSError, ValueError) as error:  # a NUL in it is no path
        why = getattr(error, "strerror", None) or str(error)
        raise AloneChatError(_("can't save {path}: {why}").format(path=wanted, why=why)) from None
    raise AloneChatError(_("can't save {path}: there are too many of that name").format(path=wanted))


def _replaced(source: Path, wanted: Path) -> None:
    """Put a copy in the place of `wanted`, whole or not at all: a disk that is full must not cost what was there."""
    place = wanted.resolve()  # what a link leads to
    if place.exists() and not place.is_file():  # a device, which is written to
        shutil.copyfile(source, place)
        return
    half = place.with_name(f".{secrets.token_hex(8)}.part")
    try:
        shutil.copyfile(source, half)
        if place.exists():
            shutil.copymode(place, half)
        whole.replace(half, place)
    finally:
        half.unlink(missing_ok=True)


def _free(wanted: Path) -> Iterator[Path]:
    yield wanted
    for number in range(1, 1000):
        yield wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
