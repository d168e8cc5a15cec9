"""Opening a database file: connections with their pragmas, and bringing the schema up to date."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from alonechat.core.store import schema
from alonechat.errors import StartError

APPLICATION = 0x416C6F43
"""PRAGMA application_id of our databases: `AloC`."""
LOG_BYTES: Final = 64 << 20
"""The write-ahead log's file is cut to this when it begins anew. It is longer only after a bulk load, or a reader that
stayed on for long; a file that grows with each commit is slower than one that is written over."""


def connect(path: Path, busy_timeout: float, writes: bool) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time; transactions are begun by hand."""
    raw = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("PRAGMA temp_store = MEMORY")  # so that no temporary file ever holds a text
        if writes:
            _write_ahead(raw, busy_timeout)
            raw.execute("PRAGMA synchronous = FULL")
            raw.execute("PRAGMA secure_delete = ON")
            raw.execute("PRAGMA cache_size = -32000")
            raw.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        else:
            raw.execute("PRAGMA query_only = ON")
            raw.execute("PRAGMA cache_size = -8000")
    except BaseException:
        raw.close()
        raise
    return raw


def _write_ahead(raw: sqlite3.Connection, busy_timeout: float) -> None:
    """Turn on WAL. SQLite does not wait for a lock here, so two first starts at once need the loop."""
    until = time.monotonic() + busy_timeout
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def prepare(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """The writing connection to the database at `path`, which is made or migrated. Raises `StartError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"the data directory {path.parent} can't be made: {_why(error)}; choose another") from None
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StartError(f"the data directory {path.parent} can't be written by this user; change its owner or mode")
    if path.is_dir():
        raise StartError(f"{path} must be a database file, but is a directory; name a file in it")
    try:
        raw = connect(path, busy_timeout, writes=True)
    except sqlite3.Error as error:
        raise _refusal(path, error) from None
    try:
        _migrate(raw, path)
    except sqlite3.Error as error:
        raw.close()
        raise _refusal(path, error) from None
    except OSError as error:
        raw.close()
        raise StartError(f"no copy of {path} can be kept before its schema changes: {_why(error)}") from None
    except BaseException:
        raw.close()
        raise
    return raw


def _migrate(raw: sqlite3.Connection, path: Path) -> None:
    """Run the migrations that are missing, in one transaction, so that two processes that open at once are safe."""
    newest = len(schema.MIGRATIONS)
    if _version(raw, path) == newest:
        return
    raw.execute("BEGIN IMMEDIATE")
    try:
        version = _version(raw, path)
        if 0 < version < newest:
            copy_database(path, path.with_name(f"{path.name}.before-{newest}"))
        for migration in schema.MIGRATIONS[version:]:
            migration(raw)
        raw.execute(f"PRAGMA user_version = {newest}")
        raw.execute(f"PRAGMA application_id = {APPLICATION}")
        raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        raise


def _version(raw: sqlite3.Connection, path: Path) -> int:
    """The schema version of our database, 0 for an empty one. Raises `StartError` for a foreign or newer one."""
    version: int = raw.execute("PRAGMA user_version").fetchone()[0]
    ours = raw.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
    if not ours and (version or raw.execute("SELECT 1 FROM sqlite_master").fetchone()):
        raise StartError(f"{path} is a database of another program; name a file of AloneChat's own")
    if version > len(schema.MIGRATIONS):
        raise StartError(
            f"{path} has schema {version}, and this version of AloneChat knows up to {len(schema.MIGRATIONS)}: "
            "start it with the newer AloneChat that wrote it"
        )
    return version


def is_older(path: Path) -> bool:
    """Whether `prepare` would migrate what is there. False for what is no database: that is said when it is opened."""
    try:
        with closing(sqlite3.connect(path)) as raw:
            version: int = raw.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error:
        return False
    return 0 < version < len(schema.MIGRATIONS)


def copy_database(path: Path, copy: Path) -> None:
    """A consistent copy of a database as it is, whoever writes to it meanwhile."""
    partial = copy.with_name(copy.name + ".part")
    partial.unlink(missing_ok=True)
    source, target = sqlite3.connect(path), sqlite3.connect(partial)
    try:
        source.backup(target)
    except sqlite3.Error:
        target.close()
        partial.unlink()
        raise
    finally:
        target.close()
        source.close()
    os.replace(partial, copy)


def _refusal(path: Path, error: sqlite3.Error) -> StartError:
    words = str(error)
    if "not a database" in words or "malformed" in words:
        return StartError(f"{path} is no database, or a damaged one ({words}); restore a backup or name another file")
    if "locked" in words:
        return StartError(f"{path} is locked by another process; try again when that is done")
    if "readonly" in words:
        return StartError(f"{path} can't be written by this user; change its owner or mode")
    if "unable to open" in words:
        return StartError(f"{path} can't be opened; check that its directory and file may be read and written")
    return StartError(f"{path} can't be used: {words}")


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
