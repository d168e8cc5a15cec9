"""The store in one SQLite file: a writer with its thread, and readers beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from alonechat.core.store.books import Books
from alonechat.core.store.opening import connect, prepare
from alonechat.core.store.reads import Reads
from alonechat.core.store.records import Found, Post, Writes
from alonechat.core.store.wire import Names
from alonechat.core.store.writer import Act, Writer


class SqliteStore(Reads):
    """`records.Store` over a file. `purge_after`: seconds after which deleted texts are wiped out of the file."""

    def __init__(
        self, path: Path, clock: Callable[[], int], busy_timeout: float = 5.0, purge_after: float = 1.0
    ) -> None:
        self.path = path
        self._raw = prepare(path, busy_timeout)
        names = Names()
        super().__init__(lambda: connect(path, busy_timeout, writes=False), clock, names)
        books = Books(self._raw, clock, names)
        self._writer = Writer(books, purge_after, lambda: connect(path, busy_timeout, writes=True))
        self.post, self.is_resting = self._writer.post, self._writer.is_resting  # for each message: no step between
        self.server_id = self.setting("server_id") or ""
        self.epoch = self.setting("epoch") or ""

    @property
    def on_commit(self) -> Callable[[float], None] | None:
        """Called by the writer with the seconds that a commit took."""
        return self._writer.on_commit

    @on_commit.setter
    def on_commit(self, observe: Callable[[float], None] | None) -> None:
        self._writer.on_commit = observe

    def start(self, deliver: Callable[[list[tuple[Post, Any, bool]]], None], wake: Callable[..., Any]) -> None:
        self._writer.start(deliver, wake)

    def write(self, act: Callable[[Writes], Any], done: Callable[[Any], None] | None = None) -> None:
        self._writer.put([Act(act, done)])

    def search(
        self, spans: Sequence[tuple[str, int]], text: str, sender: str | None, before: str | None, limit: int
    ) -> Found:
        self._writer.catch_up()
        return super().search(spans, text, sender, before, limit)

    def transaction(self, act: Callable[[Writes], Any]) -> Any:
        return self._writer.transaction(act)

    def changed_elsewhere(self) -> bool:
        return self._writer.changed_elsewhere()

    def close(self) -> None:
        if self._closed:
            return
        self._writer.close()
        self._close_readers()
        self._raw.close()  # whoever closes last, of all processes, has SQLite empty the write-ahead log
