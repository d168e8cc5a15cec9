"""What keeps the data safe: a backup while a server runs, its way back, and a look for what does not fit together."""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from alonechat.config import Settings
from alonechat.core.store import copy_database, is_older, open_shelf, open_store
from alonechat.core.store.records import Store
from alonechat.errors import StartError

DATABASE = "alonechat.db"
"""What a backup calls the database, whatever the settings call it."""
_LEFT_OUT = ("server.lock", "files", ".writable")
_SIDES = ("-wal", "-shm", "-journal", ".part", ".before-")
"""How the names of what SQLite and we keep beside a database go on behind its own."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What went into a backup, or came out of one: uploaded files and their bytes, and the ids of those without one."""

    files: int
    size: int
    missing: list[str]


@dataclass(frozen=True, slots=True)
class Health:
    """What `doctor` found: faults as sentences; `files` that are as they should be, of `size` bytes together."""

    faults: list[str]
    files: int
    size: int


def database(settings: Settings) -> Path:
    """The file of the database. Raises `StartError` where it is none."""
    path = settings.database_url.removeprefix("sqlite:///")
    if path in ("", ":memory:", settings.database_url):
        raise StartError(f"the database {settings.database_url[:60]!r} is no file that can be copied")
    return Path(path)


def backup(settings: Settings, place: Path) -> Copied:
    """Copy all that the server keeps to the new folder `place`, of one moment, while a server runs or not. The folder
    stands under its name only once it is whole. Raises `StartError`."""
    source = database(settings)
    if not source.is_file():
        raise StartError(f"there is no database {source}: --data-dir or --database-url names another one")
    inside, here = settings.data_dir.resolve(), place.resolve()
    if here.is_relative_to(inside):
        raise StartError(f"{place} lies in the data directory {settings.data_dir}: name a folder outside of it")
    if here == Path.cwd():  # it is put in place of what is there, and a shell would stay behind in that
        raise StartError(f"{place} is the folder that you are in: name a new one")
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise StartError(f"{place} is there already: name a new folder, so that an older backup stays whole")
    part = place.with_name(place.name + ".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700, parents=True)
        copied = _copy_out(settings, source, part)
        if place.is_dir():
            place.rmdir()
        os.replace(part, place)
        if hasattr(os, "sync"):
            os.sync()
    except OSError as error:
        raise StartError(f"the backup can't be written to {place}: {error.strerror or error}") from None
    return copied


def _copy_out(settings: Settings, source: Path, part: Path) -> Copied:
    try:
        copy_database(source, part / DATABASE)
    except sqlite3.Error as error:
        raise StartError(f"the database {source} can't be copied: {error}") from None
    for path in _others(settings.data_dir, source.name, DATABASE):
        if path.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(path, part / path.name, ignore=ignored, ignore_dangling_symlinks=True)
        elif path.suffix == ".db":
            try:
                copy_database(path, part / path.name)
            except sqlite3.Error:  # it is only called so, or damaged
                shutil.copy2(path, part / path.name)
        elif path.exists() and not path.name.endswith(("-wal", "-shm")):
            shutil.copy2(path, part / path.name)
    # the files after the database: whatever that names was there already, and what goes meanwhile is missed by nobody
    with closing(open_store(f"sqlite:///{(part / DATABASE).as_posix()}")) as kept:
        known = kept.upload_ids()
    _tidy(part / DATABASE)
    return _copy_files(settings.data_dir, part, known)


def _copy_files(source: Path, target: Path, known: set[str]) -> Copied:
    shelf, files, size, missing = open_shelf(source), 0, 0, []
    for id in sorted(known):
        found = shelf.copy(id, target)
        if found is None:
            missing.append(id)
        else:
            files, size = files + 1, size + found
    return Copied(files, size, missing)


def _tidy(path: Path) -> None:
    """Without what opening a copy of an older schema kept beside it."""
    for each in path.parent.glob(f"{path.name}.before-*"):
        each.unlink()


def _others(folder: Path, *databases: str) -> Iterator[Path]:
    """What lies in a data directory beside these databases, the files and what a running server holds."""
    sides = tuple(name + side for name in databases for side in _SIDES)
    for path in sorted(folder.iterdir()):
        if path.name not in (*_LEFT_OUT, *databases) and not path.name.startswith(sides):
            yield path


def _refuse_remains(target: Path) -> None:
    """Raise `StartError` where a database, or what one that was killed left beside it, is in the way of another."""
    if target.exists():
        raise StartError(f"there is a database {target} already: move it and what lies beside it away first")
    for side in ("-wal", "-journal"):
        if (left := target.with_name(target.name + side)).exists():
            raise StartError(f"{left} belongs to another database, and would spoil this one: move it away too")


def restore(settings: Settings, place: Path) -> Copied:
    """Put the backup `place` into the data directory, which must have no database; no server may run on it. Clients
    see that the logs are others: the epoch is new. Raises `StartError`."""
    target = database(settings)
    if not (place / DATABASE).is_file():
        raise StartError(f"{place} is no backup: it has no {DATABASE}")
    if settings.data_dir.resolve().is_relative_to(place.resolve()) and settings.data_dir.resolve() != place.resolve():
        raise StartError(f"the data directory {settings.data_dir} lies in the backup: --data-dir names another one")
    _refuse_remains(target)
    try:
        for path in _others(place, DATABASE):
            if path.is_dir():
                shutil.copytree(path, settings.data_dir / path.name, dirs_exist_ok=True)
            else:
                shutil.copy2(path, settings.data_dir / path.name)
        part = target.with_name(target.name + ".part")
        for side in ("-wal", "-shm", "-journal"):  # of a copy that broke off
            part.with_name(part.name + side).unlink(missing_ok=True)
        shutil.copyfile(place / DATABASE, part)
        with closing(open_store(f"sqlite:///{part.as_posix()}")) as kept:
            kept.transaction(lambda writes: writes.set_setting("epoch", secrets.token_hex(8)))
            known = kept.upload_ids()
        _tidy(part)
        copied = _copy_files(place, settings.data_dir, known)
        os.replace(part, target)  # last: what broke off halfway is no data directory yet, and may be done again
    except OSError as error:
        raise StartError(f"{place} can't be put into {settings.data_dir}: {error.strerror or error}") from None
    return copied


def refuse_older(settings: Settings) -> None:
    """Raise `StartError` for a database of an older schema, which to open is to change."""
    path = database(settings)
    if path.is_file() and is_older(path):
        raise StartError(
            f"{path} is from an older AloneChat: look at it with that, or start this one's server first, which keeps"
            " a copy and brings it up to date"
        )


def doctor(settings: Settings, store: Store) -> Health:
    """Look for what does not fit together; nothing is changed."""
    faults = [f"the database is damaged: {each}; restore a backup" for each in store.faults()]
    if faults:  # what it says of files counts for nothing
        return Health(faults, 0, 0)
    try:
        swept = open_shelf(settings.data_dir).sweep(store.upload_ids(), remove=False)
    except OSError as error:
        why = f"{error.filename or settings.data_dir / 'files'}: {error.strerror or error}"
        raise StartError(f"the files can't be looked through ({why}); run this as the server's user") from None
    known = store.upload_ids()  # again: a running server deletes beside us
    missing = [id for id in swept.missing if id in known]
    for id in missing:
        (upload,) = store.uploads([id]) or (None,)
        where = "no message" if upload is None or upload.key is None else f"message {upload.seq} in {upload.key}"
        faults.append(f"the file {id} of {where} is not there; a backup may have it, in files/{id[:2]}/{id}")
    if swept.orphans:
        faults.append(
            f"files/ has {swept.orphans} files that no upload is known of; the next start of the server removes them"
            " (while one runs, they may be just coming in)"
        )
    return Health(faults, len(known) - len(missing), swept.used)
