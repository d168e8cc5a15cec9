"""The store as the server's loop uses it: reads on a few threads, writes that are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from alonechat.core.server.intake import Batch, Intake
from alonechat.core.server.metrics import Metrics
from alonechat.core.server.wakes import Wakes, wakes
from alonechat.core.store.records import Event, Post, Store, Writes

READERS = 4
"""Threads that read. SQLite reads in parallel; more of them only take turns at Python's lock."""
T = TypeVar("T")
GLANCES = 32
"""Short reads that one thread makes in a row: more would keep the first of them waiting."""
Glance = tuple[Callable[..., Any], tuple[Any, ...], asyncio.Future[Any]]


class Keep:
    """One store under one event loop. Every method may raise `Rejected("unavailable")` when the store can't serve."""

    def __init__(self, store: Store, clock: Callable[[], int], metrics: Metrics) -> None:
        self.store, self.clock, self.metrics = store, clock, metrics
        self._readers = ThreadPoolExecutor(READERS, "store-reader")
        self._asked: list[Glance] = []
        self._wakes: Wakes | None = None
        self.intake = Intake(store.post, store.is_resting)

    def start(self, deliver: Callable[[Batch], None]) -> None:
        """Begin to write. `deliver` gets each committed batch on the running loop."""
        observe = self.metrics.commit.observe
        if hasattr(self.store, "on_commit"):
            self.store.on_commit = observe
        loop = asyncio.get_running_loop()
        self._wakes = wakes(loop)
        self.store.start(deliver, self._wakes.call if self._wakes is not None else loop.call_soon_threadsafe)

    async def read(self, act: Callable[..., T], *arguments: Any) -> T:
        """`act(*arguments)` on a reader thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, act, *arguments)

    async def glance(self, act: Callable[..., T], *arguments: Any) -> T:
        """`read` for what takes no time: all that is asked for in one turn of the loop goes to a thread together."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if not self._asked:
            loop.call_soon(self._ask)
        self._asked.append((act, arguments, future))
        return await future

    def _ask(self) -> None:
        asked, self._asked = self._asked, []
        loop = asyncio.get_running_loop()
        for at in range(0, len(asked), GLANCES):
            some = asked[at : at + GLANCES]
            self._readers.submit(_answer, some).add_done_callback(
                lambda done, some=some: loop.call_soon_threadsafe(_settle_all, some, done)  # type: ignore[misc]
            )

    async def write(self, act: Callable[[Writes], T]) -> T:
        """Have the writer call `act`; returns its result once that is committed, and raises what it raised."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.intake.hand_over()  # what was posted before is before it in the log
        self.store.write(act, lambda result: _settle(future, result))
        return await future

    async def append(self, post: Post) -> Event | BaseException:
        """Append an event; returns it once it is committed and handed to delivery, or what went wrong."""
        future: asyncio.Future[Event | BaseException] = asyncio.get_running_loop().create_future()
        before = post.done

        def done(post: Post, result: Event | BaseException, known: bool) -> None:
            if before is not None:
                before(post, result, known)
            if not future.done():
                future.set_result(result)

        post.done = done
        self.intake.post(post)
        return await future

    async def close(self) -> None:
        """Commit what was queued and close the store."""
        self.intake.hand_over()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._readers.shutdown)
        await loop.run_in_executor(None, self.store.close)
        if self._wakes is not None:
            self._wakes.close()
            self._wakes = None


def _answer(asked: list[Glance]) -> list[Any]:
    """On a reader thread: what each read gives, or raises."""
    found: list[Any] = []
    for act, arguments, _ in asked:
        try:
            found.append(act(*arguments))
        except Exception as error:  # the one who asked gets it
            found.append(error)
    return found


def _settle_all(asked: list[Glance], done: Future[list[Any]]) -> None:
    for (_, _, future), result in zip(asked, done.result(), strict=True):
        _settle(future, result)


def _settle(future: asyncio.Future[Any], result: Any) -> None:
    if future.done():  # whoever waited has gone
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
