"""The writer: one thread that commits what has gathered in one transaction (group commit), has texts indexed for search
a moment later, and purges the deleted. `gathering` says when it had better wait for more.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from alonechat.core.logging import get_logger
from alonechat.core.store.append import Log, Repeated
from alonechat.core.store.books import Books
from alonechat.core.store.checkpoints import MOVE, Checkpoints
from alonechat.core.store.gathering import Gathering
from alonechat.core.store.inbox import Inbox
from alonechat.core.store.indexing import Indexing
from alonechat.core.store.records import Post, Writes
from alonechat.core.store.writes import SqliteWrites
from alonechat.errors import Rejected

BATCH: Final = 512
"""Posts and writes of one transaction at most."""
CAREFUL: Final = 256
"""Transactions that look for known nonces first, after one has met some: who comes back sends again what he has in his
outbox, and often others with him."""
RETRY: Final = 0.1
"""Seconds until a checkpoint that a reader was in the way of is tried again."""

log = get_logger(__name__)

Delivered = tuple[Post, Any, bool]


@dataclass(slots=True)
class Act:
    """A write that is no post."""

    act: Callable[[Writes], Any]
    done: Callable[[Any], None] | None = None


Item = Post | Act
Result = tuple[Item, Any, bool]


class Writer:
    """All that is written goes through here. `lock` guards the connection; a transaction holds it until the commit."""

    def __init__(self, books: Books, purge_after: float, connect: Callable[[], sqlite3.Connection]) -> None:
        self._books, self._raw = books, books.raw
        self._checkpoints = Checkpoints(connect)
        self._log, self._writes = Log(books), SqliteWrites(books)
        self._queue = Inbox()
        self._left: list[Item] = []
        self._careful = 0
        self._worker: threading.Thread | None = None
        self._deliver: Callable[[list[Delivered]], None] | None = None
        self._wake: Callable[..., Any] | None = None
        self._purge_after = purge_after
        self._due: float | None = None
        self._rewritten: set[int] = set()
        self._elsewhere = False
        self._flushes = True
        self._indexing = Indexing(books.index, self._apart)
        self.gathering = Gathering()
        self.lock = threading.Lock()
        self.on_commit: Callable[[float], None] | None = None
        self._version = self._data_version()

    # --- from other threads ---

    def start(self, deliver: Callable[[list[Delivered]], None], wake: Callable[..., Any]) -> None:
        if self._worker is not None:
            raise RuntimeError("the writer runs already")
        self._deliver, self._wake = deliver, wake
        # what was deleted just before a process ended; a tool that only looks leaves that to the server
        self._log.purges |= {row[0] for row in self._raw.execute("SELECT shard FROM purges")}
        self._plan()
        self._raw.execute("PRAGMA wal_autocheckpoint = 0")
        self._checkpoints.start()
        self._worker = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._worker.start()

    def put(self, items: list[Item]) -> None:
        self._queue.put(items)

    def post(self, *posts: Post) -> None:
        self._queue.put([*posts])

    def is_resting(self) -> bool:
        """Whether more is let gather: nothing is being committed now."""
        return self.gathering.resting

    def transaction(self, act: Callable[[Writes], Any]) -> Any:
        if self._worker is not None:
            raise RuntimeError("a writer thread runs in this process: use write")
        ((_, result, _),) = self._commit([Act(act)])
        if isinstance(result, BaseException):
            raise result
        return result

    def changed_elsewhere(self) -> bool:
        """Whether another process committed since the last call. Own commits don't count: `data_version` as this
        connection sees it stands still for these, and no other connection of this process commits."""
        if self.lock.acquire(blocking=False):  # else a transaction is being written, which looks for itself
            try:
                self._look()
            except sqlite3.Error:
                pass  # busy or failing: the next call sees it
            finally:
                self.lock.release()
        found, self._elsewhere = self._elsewhere, False
        return found

    def catch_up(self) -> None:
        """Return once all that was committed before is indexed (`Indexing.catch_up`). For the readers' threads."""
        if self._worker is not None:
            self._indexing.catch_up(lambda: self._queue.put([]))
        elif not self._books.index.is_current():
            try:
                self._indexing.all()
            except sqlite3.Error as error:
                log.warning("search does not know the latest texts", error=str(error))

    def close(self) -> None:
        """Commit what was queued, index it, purge what is due, end the thread."""
        self._queue.put(None)
        if self._worker is not None:
            self._worker.join()
            self._checkpoints.close()
        else:
            self._run()
        self._queue.close()

    # --- the thread ---

    def _run(self) -> None:
        if self._worker is not None:
            self._indexing.begin()
        more = True
        while more:
            self.gathering.rest()
            batch, more = self._gather()
            if batch:
                results = self._commit(batch)
                self.gathering.committed(len(batch), more=more and not self._left and not self._queue.is_empty())
                self._hand_over(results)
            if self._worker is not None:  # a tool indexes its own, and leaves the rest to the server
                self._indexing.turn(idle=not batch and self._queue.is_empty(), ending=not more)
            if self._checkpoints.is_long:
                self._begin_log_anew()
            if self._due is not None and (not more or time.monotonic() >= self._due):
                self._purge()

    def _gather(self) -> tuple[list[Item], bool]:
        """What waits, at least one unless a purge is due first; False when nothing comes after it."""
        batch, self._left = self._left[:BATCH], self._left[BATCH:]
        if batch:
            return batch, True
        due = [at for at in (self._due, self._indexing.due()) if at is not None]
        try:
            items = self._queue.get(min(due) if due else None)
            while items is not None:
                batch += items
                if len(batch) >= BATCH:
                    self._left = batch[BATCH:]
                    return batch[:BATCH], True
                items = self._queue.get(0.0)
        except IndexError:
            return batch, True
        return batch, False

    def _hand_over(self, results: list[Result]) -> None:
        """Give the results to the loop, in commit order, with one wake-up."""
        if self._wake is None:
            return
        try:
            self._wake(self._pass_on, results)
        except RuntimeError:  # the loop is closed: nobody is left to hear of it, and all is committed
            self._wake = None

    def _pass_on(self, results: list[Result]) -> None:
        """On the loop: batches of posts to `deliver`, and each write's result to its `done`, in order."""
        deliver = self._deliver
        assert deliver is not None
        posts: list[Delivered] = []
        for item, result, known in results:
            if isinstance(item, Post):
                posts.append((item, result, known))
                continue
            if posts:
                deliver(posts)
                posts = []
            if item.done is not None:
                item.done(result)
        if posts:
            deliver(posts)

    # --- a transaction ---

    def _commit(self, batch: list[Item]) -> list[Result]:
        """Carry out and commit. When the store can't commit, every result is `Rejected("unavailable")`."""
        with self.lock:
            return self._settle(batch)

    def _settle(self, batch: list[Item]) -> list[Result]:
        try:
            return self._transact(batch)
        except Repeated:
            self._undo()
            self._careful = CAREFUL
            return self._settle(batch)
        except BaseException as error:
            self._undo()
            why = _trouble(error)
            if why:
                return [(item, _unavailable(why), False) for item in batch]
            if not isinstance(error, Exception):
                raise
            if len(batch) == 1:
                return [(batch[0], error, False)]
        # one of them holds what can't be stored: each by itself, so that it harms no other
        return [result for item in batch for result in self._settle([item])]

    def _transact(self, batch: list[Item]) -> list[Result]:
        began = time.perf_counter()
        self._begin()
        posts = [item for item in batch if isinstance(item, Post)]
        trusting = not self._careful and len(posts) == len(batch) and all([post.type == "TEXT" for post in posts])
        self._careful = max(0, self._careful - 1)
        self._log.begin(posts, trusting)
        results = [(item, *self._outcome(item)) for item in batch]
        self._log.flush()
        if self._worker is None:
            self._indexing.within()
        self._raw.execute("COMMIT")
        self._books.index.settled()
        self._checkpoints.wrote(len(batch))
        if self._log.purges:
            self._plan()
        if self.on_commit is not None:
            self.on_commit(time.perf_counter() - began)
        return results

    def _outcome(self, item: Item) -> tuple[Any, bool]:
        """What came of one item: its result, or what it raised; then nothing of it is left."""
        if isinstance(item, Post) and item.type == "TEXT":
            try:
                return self._log.post(item)
            except Rejected as refused:
                return refused, False
        self._log.flush()
        self._raw.execute("SAVEPOINT act")
        try:
            found = self._log.post(item) if isinstance(item, Post) else (item.act(self._writes), False)
            self._raw.execute("RELEASE act")
            return found
        except Exception as error:
            if _trouble(error):
                raise  # the disk, not the act: the whole transaction is in doubt
            return self._take_back(error), False  # the caller's to hear

    def _take_back(self, error: Exception) -> Exception:
        self._raw.execute("ROLLBACK TO act")
        self._raw.execute("RELEASE act")
        self._log.drop()
        self._books.forget()
        return error

    def _undo(self) -> None:
        if self._raw.in_transaction:
            with suppress(sqlite3.Error):  # SQLite may have rolled back already, as it does when the disk is full
                self._raw.execute("ROLLBACK")
        self._log.drop()
        self._books.forget()

    def _data_version(self) -> int:
        return int(self._raw.execute("PRAGMA data_version").fetchone()[0])

    def _begin(self, flushes: bool = True) -> None:
        """Begin a transaction. `flushes`: its commit returns once it is on the disk, with all before it."""
        if flushes != self._flushes:
            self._raw.execute(f"PRAGMA synchronous = {'FULL' if flushes else 'NORMAL'}")
            self._flushes = flushes
        self._raw.execute("BEGIN IMMEDIATE")
        self._look()

    def _look(self) -> None:
        """Notice what another process committed."""
        version = self._data_version()
        if version != self._version:
            self._version = version
            self._elsewhere = True
            self._books.forget()

    def _apart(self, act: Callable[[], Any]) -> Any:
        """A transaction that posts and writes do not depend on. Raises sqlite3.Error, and then it is taken back.

        It is flushed with the next that is: until then a machine that stops loses it, and what it did is done again."""
        with self.lock:
            try:
                self._begin(flushes=False)
                found = act()
                self._raw.execute("COMMIT")
            except sqlite3.Error:
                self._undo()
                raise
            return found

    # --- deleted is gone ---

    def _plan(self) -> None:
        if self._due is None and self._log.purges:
            self._due = time.monotonic() + self._purge_after

    def _purge(self) -> None:
        """Rewrite the shards that something was deleted from, then empty the write-ahead log, which has older pages."""
        with self.lock:
            try:
                self._rewrite()
                emptied = self._checkpoint()
                if emptied and self._rewritten:
                    self._forget_purges()
            except sqlite3.Error:
                self._undo()
                emptied = False
            self._due = None
            if not emptied:
                self._due = time.monotonic() + RETRY
            else:
                self._plan()

    def _rewrite(self) -> None:
        shards = self._log.purges - self._rewritten
        if not shards:
            return
        self._begin()
        for shard in sorted(shards):
            self._books.index.purge(shard)
        self._raw.execute("COMMIT")
        self._rewritten |= shards

    def _begin_log_anew(self) -> None:
        """Move what `checkpoints` left over: the next transaction writes to its beginning, if no reader needs that."""
        self._checkpoints.is_long = False
        with self.lock, suppress(sqlite3.Error):  # told again when it is longer still
            self._raw.execute(MOVE)

    def _checkpoint(self) -> bool:
        """Move the write-ahead log into the database and empty it. False when a reader was in the way."""
        timeout = self._raw.execute("PRAGMA busy_timeout").fetchone()[0]
        self._raw.execute("PRAGMA busy_timeout = 20")
        try:
            busy: int = self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            self._raw.execute(f"PRAGMA busy_timeout = {timeout}")
        return not busy

    def _forget_purges(self) -> None:
        self._begin()
        self._raw.executemany("DELETE FROM purges WHERE shard = ?", [(shard,) for shard in self._rewritten])
        self._raw.execute("COMMIT")
        self._log.purges -= self._rewritten
        self._rewritten.clear()


def _trouble(error: BaseException) -> str:
    """What the database or its disk says, when it is that and not the act that fails; else nothing."""
    of_the_store = isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError
    return str(error) if of_the_store else ""


def _unavailable(why: str) -> Rejected:
    return Rejected("unavailable", f"the store can't commit now ({why}): nothing was stored; send it again later")
