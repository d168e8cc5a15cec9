"""What is kept: `open_store(url)` gives the store behind a URL. Drivers are imported when they are opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alonechat.core.store.clock import now_ms
from alonechat.core.store.records import Shelf, Store
from alonechat.errors import StartError

__all__ = ["Shelf", "Store", "copy_database", "is_older", "now_ms", "open_shelf", "open_store"]

_SQLITE = "sqlite:///"


def open_store(url: str, clock: Callable[[], int] = now_ms, busy_timeout: float = 5.0) -> Store:
    """The store at `url`: `sqlite:///relative/path` or `sqlite:////absolute/path`, made when there is none.

    `clock` gives milliseconds since 1970; `busy_timeout` is how many seconds a write waits for another process.
    Raises `StartError` in one sentence when the store can't be opened, is of a newer version, or is no database.
    """
    scheme = url.partition(":")[0]
    if not url.startswith(_SQLITE):
        raise StartError(
            f"the database URL must begin with {_SQLITE} (the only kind that this version has), not {scheme[:20]!r}: "
            f"give {_SQLITE}./data/alonechat.db, for example"
        )
    path = url.removeprefix(_SQLITE)
    if path in ("", ":memory:"):
        raise StartError(f"the database URL must name a file, like {_SQLITE}./data/alonechat.db, not {url!r}")
    from alonechat.core.store.sqlite import SqliteStore

    return SqliteStore(Path(path), clock, busy_timeout)


def copy_database(path: Path, copy: Path) -> None:
    """A consistent copy of the database file `path`, whoever writes to it meanwhile. Raises OSError, sqlite3.Error."""
    from alonechat.core.store import opening

    opening.copy_database(path, copy)
    copy.chmod(0o600)


def is_older(path: Path) -> bool:
    """Whether the database file `path` has an older schema, so that to open it is to change it."""
    from alonechat.core.store import opening

    return opening.is_older(path)


def open_shelf(data_dir: Path) -> Shelf:
    """The files of the server whose data lies in `data_dir`. Nothing is made before the first one comes."""
    from alonechat.core.store.shelf import FileShelf

    return FileShelf(data_dir / "files")
