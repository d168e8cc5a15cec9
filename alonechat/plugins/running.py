"""A plugin that runs, wherever it does: what the manager asks of it, and what it may ask of the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from alonechat.core.server.hooks import Answer, HookContext, HookPhase, Hooks
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import CommandPluginBase, HandlerPluginBase, PluginBase
from alonechat.plugins.failing import PluginFailure, described
from alonechat.plugins.host import called, text_of


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a plugin outside the server may take: seconds for a call and for its start, messages a second, crashes
    within an hour; `hold`: seconds for which a message waits for a handler; `back_off`: seconds until the first
    restart, doubled each time."""

    call: float = 2.0
    hold: float = 1.0
    start: float = 10.0
    rate: float = 10.0
    burst: float = 30.0
    crashes: int = 3
    back_off: float = 0.5


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plugin says of itself. `receives`: it may take webhooks."""

    name: str
    version: str = ""
    description: str = ""
    author: str = ""
    dependencies: tuple[str, ...] = ()
    command: bool = False
    receives: bool = True
    phases: tuple[HookPhase, ...] = ()
    priority: int = 100


class Door(Protocol):
    """The server as plugins reach it."""

    hooks: Hooks

    def clock(self) -> int: ...
    async def say(self, bot: str, target: str, text: str) -> dict[str, Any]: ...
    async def history(self, bot: str, target: str, limit: int) -> list[dict[str, Any]]: ...
    def tell(self, username: str, text: str, target: str = ...) -> None: ...
    def role(self, username: str) -> str: ...
    async def moderates(self, username: str, target: str) -> bool: ...
    def admins(self) -> list[str]: ...


class Running:
    """One plugin: loaded, initialized, asked, shut down. Every method may raise PluginFailure."""

    def __init__(self, facts: Facts, source: str, door: Door) -> None:
        self.facts, self.source, self._door = facts, source, door
        self._asking: dict[str, int] = {}
        self._notes: dict[str, tuple[str, str]] = {}
        self.on_phases: Callable[[], None] = lambda: None
        """Called when `facts.phases` have changed while it runs."""

    async def load(self) -> None:
        """Learn `facts`."""

    async def initialize(self, settings: Mapping[str, Any]) -> None:
        """Let it begin."""

    async def shutdown(self) -> None:
        """Let it end."""

    def look(self) -> None:
        """Called every second: see to it that it takes no more than it should."""

    def is_away(self) -> bool:
        """Whether it is just being started again, and takes nothing meanwhile."""
        return False

    async def can_handle(self, content: str) -> bool:
        """Whether it takes a command."""
        raise NotImplementedError

    async def execute(self, content: str, sender: str, target: str) -> str | None:
        """Run a command."""
        raise NotImplementedError

    async def answer(self, content: str, sender: str, target: str) -> Answer:
        """Run a command. What it tells the sender last is the answer when it posts nothing."""
        self._asking[sender] = self._asking.get(sender, 0) + 1
        text, failed = None, True
        try:
            text = await self.execute(content, sender, target)
            failed = False
        finally:
            self._asking[sender] -= 1
            if not self._asking[sender]:
                del self._asking[sender]
            note = self._notes.pop(sender, None)
            if note is not None and (failed or text is not None):
                self._door.tell(sender, *note)
        return Answer(self.facts.name, text, *(note or ()))

    def tell(self, username: str, text: str, target: str) -> None:
        """A notice of the plugin for somebody. The last for who waits for its command is kept until that is done."""
        note: tuple[str, str] | None = (text, target)
        if username in self._asking:
            self._notes[username], note = (text, target), self._notes.get(username)
        if note is not None:
            self._door.tell(username, *note)

    async def receive(self, secret: str, body: dict[str, Any]) -> bool:
        """Take a webhook."""
        raise NotImplementedError

    def handle(self, context: HookContext) -> Awaitable[HookContext | None] | None:
        """Pass a hook phase."""
        raise NotImplementedError


class _Near:
    """How a plugin inside the server reaches it."""

    def __init__(self, plugin: Inside, door: Door) -> None:
        self._bot, self._door = plugin.facts.name, door
        self.rehook, self.tell = plugin.rehooked, plugin.tell

    async def say(self, target: str, text: str) -> dict[str, Any]:
        return await self._door.say(self._bot, target, text)

    async def history(self, target: str, limit: int) -> list[dict[str, Any]]:
        return await self._door.history(self._bot, target, limit)

    async def role(self, username: str) -> str:
        return self._door.role(username)

    async def moderates(self, username: str, target: str) -> bool:
        return await self._door.moderates(username, target)

    def now(self) -> float:
        return self._door.clock() / 1000


class Inside(Running):
    """A built-in plugin, which runs in the server."""

    def __init__(self, cls: type[PluginBase], data: Path, door: Door, bounds: Bounds) -> None:
        self._plugin = cls()
        meta = self._plugin.metadata
        handler = isinstance(self._plugin, HandlerPluginBase)
        facts = Facts(
            meta.name, meta.version, meta.description, meta.author, tuple(meta.dependencies),
            isinstance(self._plugin, CommandPluginBase),
            priority=cls.priority if handler else 100,  # type: ignore[attr-defined]
        )  # fmt: skip
        super().__init__(facts, "built in", door)
        self._data, self._bounds = data, bounds
        self._context: PluginContext | None = None

    async def initialize(self, settings: Mapping[str, Any]) -> None:
        self._context = PluginContext(self.facts.name, settings, self._data, self._near())
        await self._call(self._plugin.initialize, self._context)
        self._look()

    def _near(self) -> _Near:
        return _Near(self, self._door)

    def _look(self) -> None:
        if isinstance(self._plugin, HandlerPluginBase):
            self.facts = replace(self.facts, phases=tuple(self._plugin.phases))

    def rehooked(self) -> None:
        """Its phases may have changed."""
        self._look()
        self.on_phases()

    async def shutdown(self) -> None:
        try:
            await self._call(self._plugin.shutdown)
        finally:
            if self._context is not None:
                await self._context.close()

    async def can_handle(self, content: str) -> bool:
        assert isinstance(self._plugin, CommandPluginBase)
        return bool(await self._call(self._plugin.can_handle, content))

    async def execute(self, content: str, sender: str, target: str) -> str | None:
        assert isinstance(self._plugin, CommandPluginBase)
        return text_of(await self._call(self._plugin.execute, content, sender, target))

    async def handle(self, context: HookContext) -> HookContext | None:
        assert isinstance(self._plugin, HandlerPluginBase)
        found = await called(self._plugin.handle, context)
        return found if isinstance(found, HookContext) else None

    async def receive(self, secret: str, body: dict[str, Any]) -> bool:
        return bool(await self._call(self._plugin.receive, secret, body))

    async def _call(self, method: Callable[..., Any], *arguments: Any) -> Any:
        from alonechat.errors import Rejected

        try:
            return await asyncio.wait_for(called(method, *arguments), self._bounds.call)
        except TimeoutError:
            raise PluginFailure(f"{method.__name__} passed its deadline of {self._bounds.call:g} s") from None
        except (Rejected, PluginFailure):
            raise
        except Exception as error:
            raise PluginFailure(described(error)) from error
