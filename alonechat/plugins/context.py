"""What a plugin may do: speak as its own bot, tell one person, read, keep values, do things later."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from alonechat.core.logging import get_logger
from alonechat.errors import Rejected
from alonechat.plugins.kept import KeyValues
from alonechat.plugins.pace import Sayings

Work = Callable[[], Any]
T = TypeVar("T", str, int, float, bool, list[str])
_KINDS = {
    str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false",
    list: 'a list of texts, such as ["one", "another"]',
}  # fmt: skip


class Reach(Protocol):
    """How a context reaches the server: directly, or from a process of its own."""

    async def say(self, target: str, text: str) -> dict[str, Any]: ...
    async def history(self, target: str, limit: int) -> list[dict[str, Any]]: ...
    def tell(self, username: str, text: str, target: str) -> None: ...
    async def role(self, username: str) -> str: ...
    async def moderates(self, username: str, target: str) -> bool: ...
    def rehook(self) -> None: ...
    def now(self) -> float: ...


class PluginContext:
    """A plugin's side of the server. Everything may be called from plain methods as well as from `async def`.

    `name`, `settings` (the plugin's table in `plugins.toml`), `logger`, `store` (its own key-value space), `data` (the
    server's data directory).
    """

    def __init__(self, name: str, settings: Mapping[str, Any], data: Path, reach: Reach) -> None:
        self.name, self.settings, self.data = name, dict(settings), data
        self.logger = get_logger(f"alonechat.plugins.{name}")
        self.store = KeyValues(data, name)
        self._reach = reach
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sayings = Sayings()

    def now(self) -> float:
        """The server's clock: seconds since 1970."""
        return self._reach.now()

    def setting(self, key: str, default: T) -> T:
        """What `plugins.toml` says of `key`: of the kind of `default`, where a list is one of texts, and a whole number
        may stand for a fraction. Raises Rejected, which says why the plugin does not start."""
        found = self.settings.get(key, default)
        if isinstance(default, float) and isinstance(found, int) and not isinstance(found, bool):
            found = float(found)
        good = type(found) is type(default)
        if good and isinstance(found, list):
            good = all(isinstance(each, str) for each in found)
        if not good:
            raise Rejected(
                "invalid", f"plugins.toml: {key} of [{self.name}] must be {_KINDS[type(default)]}, not {found!r}"
            )
        return cast("T", found)

    def send(self, target: str, text: str) -> asyncio.Task[dict[str, Any] | None]:
        """Post to a conversation as the plugin's own bot account. Await the result for the event; None, and a line in
        the log, when it was refused."""
        return self._begin(self._said(target, text))

    async def say(self, target: str, text: str) -> dict[str, Any]:
        """As `send`, for who wants to know: the event. Raises Rejected."""
        return await self._reach.say(target, text)

    def tell(self, user: str, text: str, target: str = "#lobby") -> None:
        """A NOTICE for one person alone, about the conversation `target`."""
        self._reach.tell(user, text, target)

    async def history(self, target: str, limit: int = 50) -> list[dict[str, Any]]:
        """The last events of a conversation that the bot account may read. Raises Rejected."""
        return await self._reach.history(target, limit)

    async def role(self, user: str) -> str:
        """`member`, `moderator`, `admin`, `owner`; empty for nobody."""
        return await self._reach.role(user)

    async def moderates(self, user: str, target: str) -> bool:
        """Whether somebody may moderate a room."""
        return await self._reach.moderates(user, target)

    def rehook(self) -> None:
        """The handler's `phases` have changed: it is called in those of now on."""
        self._reach.rehook()

    def every(self, seconds: float, work: Work) -> asyncio.Task[None]:
        """Call `work()` every so many seconds; cancel the task to end it."""
        return self._begin(self._repeated(seconds, work))

    def at(self, time: float, work: Work) -> asyncio.Task[None]:
        """Call `work()` once at `time`, in seconds since 1970 (now, when that is past)."""
        return self._begin(self._later(time, work))

    async def close(self) -> None:
        """End everything that was begun."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _said(self, target: str, text: str) -> dict[str, Any] | None:
        try:
            return await self._reach.say(target, text)
        except Rejected as refused:
            left_out = self._sayings.again(refused.text)
            if left_out is not None:  # a line for each of a flood would cost more than the flood
                more = {"left_out": left_out} if left_out else {}
                self.logger.warning("a plugin's message was refused", target=target, why=refused.text, **more)
            return None

    async def _repeated(self, seconds: float, work: Work) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._call(work)

    async def _later(self, time: float, work: Work) -> None:
        while (left := time - self.now()) > 0:
            await asyncio.sleep(min(left, 1.0))  # the clock may be put forward or back meanwhile
        await self._call(work)

    async def _call(self, work: Work) -> None:
        try:
            found = work()
            if inspect.isawaitable(found):
                await found
        except Exception:  # scheduled work that fails once is called again, and its plugin goes on
            self.logger.exception("scheduled work failed", work=getattr(work, "__qualname__", repr(work)))

    def _begin(self, work: Coroutine[Any, Any, Any] | Awaitable[Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
