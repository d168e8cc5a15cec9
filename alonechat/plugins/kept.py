"""What plugins keep: a key-value space each, in one SQLite file that a kill can't spoil; and which are switched off."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alonechat.errors import StartError

FILE = "plugins.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (plugin TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (plugin, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS states (
    plugin TEXT PRIMARY KEY, version TEXT NOT NULL, source TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS disabled (plugin TEXT PRIMARY KEY);
"""


@contextmanager
def opened(data: Path) -> Iterator[sqlite3.Connection]:
    """The file, in a transaction: committed at the end, taken back when something is raised. Raises StartError when it
    can't be used."""
    try:
        raw = sqlite3.connect(data / FILE, timeout=5)
    except sqlite3.Error as error:
        raise StartError(f"{data / FILE} can't be opened ({error}): --data-dir names another directory") from None
    try:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
            raw.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StartError(f"{data / FILE}, which is the plugins', can't be used ({error}): move it away") from None
        with raw:
            yield raw
    finally:
        raw.close()


class KeyValues:
    """One plugin's values by key: anything that JSON holds. What was set is on disk when `set` returns."""

    def __init__(self, data: Path, plugin: str) -> None:
        self._data, self._plugin = data, plugin

    def get(self, key: str, default: Any = None) -> Any:
        """The value of `key`, or `default`."""
        with opened(self._data) as raw:
            found = raw.execute("SELECT value FROM kept WHERE plugin = ? AND key = ?", (self._plugin, key)).fetchone()
        return default if found is None else json.loads(found[0])

    def set(self, key: str, value: Any) -> None:
        """Keep `value`. Raises TypeError for what JSON can't hold."""
        text = json.dumps(value, ensure_ascii=False)
        with opened(self._data) as raw:
            raw.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (self._plugin, key, text))

    def delete(self, key: str) -> None:
        """Forget `key`; nothing when there is none."""
        with opened(self._data) as raw:
            raw.execute("DELETE FROM kept WHERE plugin = ? AND key = ?", (self._plugin, key))

    def items(self, prefix: str = "") -> dict[str, Any]:
        """All values whose keys begin with `prefix`, by key."""
        with opened(self._data) as raw:
            rows = raw.execute("SELECT key, value FROM kept WHERE plugin = ? ORDER BY key", (self._plugin,)).fetchall()
        return {key: json.loads(value) for key, value in rows if key.startswith(prefix)}


def stamp(data: Path) -> tuple[int, ...]:
    """Another one when the file has changed, or may have."""
    found = []
    for path in (data / FILE, data / f"{FILE}-wal"):
        with suppress(OSError):  # there is none, for the most part
            about = path.stat()
            found += [about.st_mtime_ns, about.st_size, about.st_ino]
    return tuple(found)


def disabled(data: Path) -> set[str]:
    """The names that are switched off."""
    with opened(data) as raw:
        return {row[0] for row in raw.execute("SELECT plugin FROM disabled")}


def switch(data: Path, plugin: str, on: bool) -> None:
    """Switch a plugin on or off; a server that runs sees it by itself."""
    statement = "DELETE FROM disabled WHERE plugin = ?" if on else "INSERT OR IGNORE INTO disabled VALUES (?)"
    with opened(data) as raw:
        raw.execute(statement, (plugin,))


State = tuple[str, str, str, str, str]
"""name, version, source, state (`on`, `off`, `failed`), reason"""


def write_states(data: Path, states: list[State]) -> None:
    """Note how all plugins stand, for `alonechat plugin list`."""
    with opened(data) as raw:
        raw.execute("DELETE FROM states")
        raw.executemany("INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?, ?)", states)


def read_states(data: Path) -> list[State]:
    """How all plugins stood when that last changed."""
    if not (data / FILE).exists():
        return []
    with opened(data) as raw:
        return list(raw.execute("SELECT plugin, version, source, state, reason FROM states ORDER BY plugin"))
