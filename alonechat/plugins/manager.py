"""The plugins of one server: found, ordered, started, asked, stopped; one at fault is off, and all others run."""

from __future__ import annotations

import asyncio
import sqlite3
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from alonechat.core.logging import get_logger
from alonechat.core.server.hooks import Answer, Hook, HookPhase
from alonechat.errors import Rejected, StartError
from alonechat.plugins import kept
from alonechat.plugins.builtin import BUILT_IN
from alonechat.plugins.contract import PluginBase
from alonechat.plugins.failing import PluginFailure
from alonechat.plugins.guest import Guest
from alonechat.plugins.host import GROUP
from alonechat.plugins.leash import Pack
from alonechat.plugins.running import Bounds, Door, Inside, Running

FOLDER, SETTINGS = "plugins", "plugins.toml"
LOOK = 1.0
"""Seconds between two looks at how busy plugins are, and at what another process has switched on or off."""
log = get_logger(__name__)


def is_plugin(path: Path) -> bool:
    """Whether a file or folder in `plugins/` is taken for a plugin; tests and what begins with `_` or `.` are not."""
    return not path.name.startswith((".", "_", "test_")) and (path.suffix == ".py" or (path / "__init__.py").exists())


@dataclass(slots=True)
class Plugin:
    """A plugin that was found. `state`: `on`, `off` (switched off) or `failed`, with the reason."""

    running: Running
    state: str = "on"
    reason: str = ""
    hooks: list[tuple[HookPhase, Hook]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name."""
        return self.running.facts.name


class PluginManager:
    """Plugins from three places: built in, `plugins/` in the data directory, installed packages (entry points of the
    group `alonechat.plugins`). Those that are not built in run in processes of their own."""

    def __init__(
        self, door: Door, data: Path, builtin: Iterable[type[PluginBase]] = BUILT_IN, bounds: Bounds | None = None
    ) -> None:
        self._door, self._data, self._builtin = door, data, tuple(builtin)
        self._bounds = bounds or Bounds()
        self._pack = Pack()
        self.plugins: list[Plugin] = []
        self._off: set[str] = set()
        self._strange: list[str] = []
        self._lock, self._stopped = asyncio.Lock(), asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    # --- life ---

    async def start(self) -> None:
        """Find and start all. What fails is off, with its reason. Raises StartError where `plugins.toml` can't be
        read: a word list that is not there would be missed by nobody until it is too late."""
        async with self._lock:
            await self._start(self._settings())
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        """End all: those outside at the same time, then the built-in ones in the reverse order."""
        self._stopped.set()
        if self._watching is not None:
            await self._watching
        async with self._lock:
            await self._stop()

    async def reload(self) -> None:
        """End all and start what is there now; messages flow meanwhile. Raises Rejected, and leaves all as it is, where
        `plugins.toml` can't be read."""
        async with self._lock:
            try:
                settings = await asyncio.to_thread(self._settings)
            except StartError as error:
                raise Rejected("invalid", f"nothing was changed: {error}") from None
            await self._stop()
            await self._start(settings)

    async def _watch(self) -> None:
        """Until it is stopped: have plugins that compute all the time stand back; take in what `alonechat plugin
        enable` and `disable` changed."""
        seen = kept.stamp(self._data)
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), LOOK)
            for plugin in self.plugins:
                plugin.running.look()
            if (now := kept.stamp(self._data)) == seen or self._stopped.is_set():
                continue
            try:
                async with self._lock:  # what `/plugins` switches, it loads anew itself
                    if await asyncio.to_thread(kept.disabled, self._data) != self._off:
                        settings = await asyncio.to_thread(self._settings)
                        log.info("plugins were switched by another process")
                        await self._stop()
                        await self._start(settings)
                seen = now
            except (OSError, sqlite3.Error, StartError) as error:  # looked at again the next time
                log.warning("which plugins are on can't be read", why=str(error))

    async def _start(self, settings: dict[str, dict[str, Any]]) -> None:
        loaded = await asyncio.gather(*(self._load(each) for each in self._found()))
        self._off = off = kept.disabled(self._data)
        taken: set[str] = set()
        for plugin in loaded:
            if plugin.state == "on" and plugin.name in taken:
                self._fail(plugin, f"another plugin is called {plugin.name} too: rename one")
            elif plugin.name in off and plugin.state == "on":
                plugin.state, plugin.reason = "off", f"switched off: alonechat plugin enable {plugin.name}"
            taken.add(plugin.name)
        for plugin in self._ordered(loaded):
            await self._begin(plugin, settings.get(plugin.name, {}), loaded)
        self.plugins, self._strange = loaded, sorted(settings.keys() - {plugin.name for plugin in loaded})
        if self._strange:
            log.warning("plugins.toml has tables that are no plugin's", tables=self._strange)
        for plugin in loaded:
            if plugin.state != "on":
                await plugin.running.shutdown()
        self._note()

    async def _stop(self) -> None:
        plugins, self.plugins = self.plugins, []
        for plugin in plugins:
            self._unhook(plugin)
        outside = [p for p in plugins if not isinstance(p.running, Inside)]
        await asyncio.gather(*(self._end(plugin) for plugin in outside))
        for plugin in reversed(plugins):
            if isinstance(plugin.running, Inside):
                await self._end(plugin)

    async def _end(self, plugin: Plugin) -> None:
        if plugin.state != "on" and isinstance(plugin.running, Inside):
            return
        try:
            await plugin.running.shutdown()
        except (PluginFailure, Rejected) as error:
            log.warning("a plugin failed to shut down", plugin=plugin.name, why=str(error))

    # --- where they come from ---

    def _found(self) -> list[Running]:
        found: list[Running] = [Inside(cls, self._data, self._door, self._bounds) for cls in self._builtin]
        folder = self._data / FOLDER
        places = sorted(folder.iterdir()) if folder.is_dir() else []
        sources = [str(path.resolve()) for path in places if is_plugin(path)]
        sources += [f"entry:{point.name}" for point in entry_points(group=GROUP)]
        for source in sources:
            guest = Guest(source, self._data, self._door, self._bounds, self._pack)
            guest.on_off = lambda reason, guest=guest: self._switched_off(guest, reason)  # type: ignore[misc]
            found.append(guest)
        return found

    async def _load(self, running: Running) -> Plugin:
        plugin = Plugin(running)
        try:
            await running.load()
        except (PluginFailure, OSError, ValueError, TypeError, KeyError) as error:
            self._fail(plugin, str(error))
        return plugin

    def _settings(self) -> dict[str, dict[str, Any]]:
        path = self._data / SETTINGS
        if not path.exists():
            return {}
        try:
            found = tomllib.loads(path.read_text("utf-8-sig"))
        except (OSError, ValueError) as error:
            raise StartError(f"{path} can't be read: {error}; mend it, or move it away") from None
        loose = [name for name, table in found.items() if not isinstance(table, dict)]
        if loose:
            raise StartError(f"{path}: {loose[0]} stands in no table; put the name of its plugin above it, as [words]")
        return found

    def _ordered(self, loaded: list[Plugin]) -> list[Plugin]:
        """Those that are on, each behind what it depends on; what can't be is failed."""
        by_name = {p.name: p for p in loaded if p.state == "on"}
        while True:
            needs = {n: [d for d in p.running.facts.dependencies if d in by_name] for n, p in by_name.items()}
            try:
                return [by_name[name] for name in TopologicalSorter(needs).static_order()]
            except CycleError as error:
                circle = error.args[1]
                for name in circle:
                    if name in by_name:
                        self._fail(by_name.pop(name), f"depends on itself: {' needs '.join(circle)}")

    async def _begin(self, plugin: Plugin, settings: dict[str, Any], among: list[Plugin]) -> None:
        running = {p.name for p in among if p.state == "on"}
        for name in plugin.running.facts.dependencies:
            if name not in running:
                state = next((p.state for p in among if p.name == name), "not here")
                self._fail(plugin, f"needs the plugin {name}, which is {state}")
                return
        try:
            await plugin.running.initialize(settings)
        except (PluginFailure, Rejected) as error:
            self._fail(plugin, str(error))
            return
        self._hook_up(plugin)
        plugin.running.on_phases = lambda: self._rehook(plugin)

    def _rehook(self, plugin: Plugin) -> None:
        if plugin.state == "on" and plugin in self.plugins:
            self._unhook(plugin)
            self._hook_up(plugin)

    def _hook_up(self, plugin: Plugin) -> None:
        for phase in plugin.running.facts.phases:
            hook = self._hook(plugin)
            self._door.hooks.register(phase, hook, plugin.running.facts.priority, f"plugin {plugin.name}")
            plugin.hooks.append((phase, hook))

    def _hook(self, plugin: Plugin) -> Hook:
        # Each is told from the others by what it is. The cast: one and the same plugin may answer at once or later,
        # from call to call, which `Hooks` takes, and the type has no word for.
        return cast("Hook", lambda context: plugin.running.handle(context))

    def _unhook(self, plugin: Plugin) -> None:
        for phase, hook in plugin.hooks:
            self._door.hooks.unregister(phase, hook)
        plugin.hooks.clear()

    # --- when something is wrong ---

    def _fail(self, plugin: Plugin, reason: str) -> None:
        plugin.state, plugin.reason = "failed", reason
        log.error("a plugin is off", plugin=plugin.name, source=plugin.running.source, why=reason)

    def _switched_off(self, running: Running, reason: str) -> None:
        for plugin in self.plugins:
            if plugin.running is running and plugin.state == "on":
                self._unhook(plugin)
                self._fail(plugin, reason)
                for admin in self._door.admins():
                    self._door.tell(admin, f"The plugin {plugin.name} is off: {reason}")
                self._note()

    def _note(self) -> None:
        rows = [(p.name, p.running.facts.version, p.running.source, p.state, p.reason) for p in self.plugins]
        kept.write_states(self._data, rows)

    # --- commands ---

    async def answer(self, content: str, sender: str, target: str) -> Answer | None:
        """See `journey.Guests`."""
        if content.split(None, 1)[0] == "/plugins":
            return await self._handling(content.split()[1:], sender, target)
        commands = [p for p in self.plugins if p.state == "on" and p.running.facts.command]
        for plugin in commands:
            if isinstance(plugin.running, Inside) and await self._takes(plugin, content):
                return await self._executed(plugin, content, sender, target)
        outside = [p for p in commands if not isinstance(p.running, Inside)]
        taker = await self._first(outside, content)
        if taker is not None:
            return await self._executed(taker, content, sender, target)
        if away := [plugin.name for plugin in outside if plugin.running.is_away()]:
            names, command = ", ".join(away), content.split(None, 1)[0]
            raise Rejected(
                "unavailable",
                f"no plugin that runs now takes {command}, and {names} is just being started again: try it in a moment",
            )
        return None

    async def _first(self, plugins: list[Plugin], content: str) -> Plugin | None:
        """Who says first that it takes a command: all are asked at the same time, so that a busy one holds up none."""
        asked = {asyncio.ensure_future(self._takes(plugin, content)): plugin for plugin in plugins}
        waiting = set(asked)
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for plugin in plugins:
                    if any(asked[task] is plugin and task.result() for task in done):
                        return plugin
            return None
        finally:
            for task in waiting:
                task.cancel()

    def lines(self) -> list[str]:
        """What `/help` says of plugins' commands."""
        on = [p.running.facts for p in self.plugins if p.state == "on" and p.running.facts.command]
        return [facts.description or f"a command of the plugin {facts.name}" for facts in on]

    async def receive(self, secret: str, body: dict[str, Any]) -> bool:
        """See `journey.Guests`."""
        for plugin in self.plugins:
            try:
                if plugin.state == "on" and await plugin.running.receive(secret, body):
                    return True
            except PluginFailure as error:
                log.error("a plugin failed", plugin=plugin.name, in_="receive", why=str(error))
        return False

    async def _takes(self, plugin: Plugin, content: str) -> bool:
        try:
            return await plugin.running.can_handle(content)
        except PluginFailure as error:
            log.error("a plugin failed", plugin=plugin.name, in_="can_handle", why=str(error))
            return False

    async def _executed(self, plugin: Plugin, content: str, sender: str, target: str) -> Answer:
        try:
            return await plugin.running.answer(content, sender, target)
        except PluginFailure as error:
            log.error("a plugin failed", plugin=plugin.name, in_="execute", why=str(error))
            raise Rejected("internal", f"the plugin {plugin.name} failed: {error}") from error

    async def _handling(self, words: list[str], sender: str, target: str) -> Answer:
        """`/plugins`, `/plugins reload`, `/plugins enable NAME`, `/plugins disable NAME`: for admins."""
        if self._door.role(sender) not in ("admin", "owner"):
            raise Rejected("forbidden", "/plugins is for admins")
        if words and words[0] in ("enable", "disable") and len(words) == 2:
            if words[1] not in [p.name for p in self.plugins]:
                raise Rejected("not_found", f"there is no plugin {words[1]}")
            kept.switch(self._data, words[1], words[0] == "enable")
            await self.reload()
        elif words == ["reload"]:
            await self.reload()
        elif words:
            raise Rejected("bad_frame", "use it as /plugins [reload | enable <name> | disable <name>]")
        named = [(f"{p.name} {p.running.facts.version}".rstrip(), p) for p in self.plugins]
        lines = [f"{name}: {p.state}{p.reason and f' ({p.reason})'}" for name, p in named]
        lines += [f"plugins.toml: there is no plugin {name}" for name in self._strange]
        return Answer("plugins", None, "\n".join(lines) or "There are no plugins.", target)
