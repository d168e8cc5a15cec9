"""A plugin's own process: loads it, calls it as the server asks, and is gone when the server is.

Frames are JSON, one a line, over what were standard input and output; what the plugin itself prints goes to standard
error, which the server logs. This protects from a plugin's faults, not from its malice.
"""

from __future__ import annotations

import asyncio
import faulthandler
import importlib.util
import inspect
import itertools
import json
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.errors import Rejected
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import CommandPluginBase, HandlerPluginBase, PluginBase, plugins_in
from alonechat.plugins.failing import PluginFailure, described
from alonechat.plugins.pace import Pace

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

MEMORY = 512 << 20
"""Bytes of address space; Python itself maps some 200 MiB. A plugin that wants more gets a MemoryError."""
PROCESSOR = 10
"""Seconds of processor time that may pass without a call coming to its end."""
LINE = 1 << 18
"""Bytes of one frame to the server."""
READ = 1 << 16
"""Bytes that are read from the server at once."""
PIECE, REST = 0.0003, 0.001
"""Seconds for which frames that nobody waits for are worked off in one piece, and between two of these."""
TOGETHER = 0.01
"""Seconds of computing for which the answer to what nobody waits for may wait for those that follow: the server takes
more than `leash.HOGGING` without any for a plugin that computes on and on."""
GROUP = "alonechat.plugins"


def load(source: str) -> type[PluginBase]:
    """The plugin class in a file, a folder, or the installed entry point `entry:NAME`. Raises PluginFailure."""
    module = _entry(source[6:]) if source.startswith("entry:") else _module(Path(source))
    found = plugins_in(vars(module), module.__name__) if isinstance(module, ModuleType) else [module]
    if len(found) != 1:
        names = ", ".join(c.__name__ for c in found)
        what = f"{len(found)} plugin classes ({names})" if found else "no plugin class"
        raise PluginFailure(f"{source} has {what}; one file holds one, with _metadata = PluginMetadata(…)")
    return found[0]


def _entry(name: str) -> Any:
    for point in entry_points(group=GROUP):
        if point.name == name:
            return point.load()
    raise PluginFailure(f"no installed package has the entry point {name} in the group {GROUP}")


def _module(path: Path) -> ModuleType:
    file = path / "__init__.py" if path.is_dir() else path
    name = f"alonechat_plugin_{path.stem}".replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.exists():
        raise PluginFailure(f"{path} is no plugin: expected a file NAME.py, or a folder with __init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Host:
    """The plugin and the pipe to the server. `between` is called at the end of each call."""

    def __init__(self, inward: BinaryIO, outward: BinaryIO, between: Callable[[], None] = lambda: None) -> None:
        self._in, self._out, self._between = inward, outward, between
        self._loop = asyncio.new_event_loop()
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._write_lock = threading.Lock()
        self._plugin: PluginBase | None = None
        self._context: PluginContext | None = None
        self._pace = Pace(0, 0)
        self._skew = 0.0
        self._home = ""
        self._partial = b""
        self._lines: deque[bytes] = deque()
        self._urgent = False
        self._resting: asyncio.TimerHandle | None = None
        self._seen: dict[str, list[int]] = {}
        self._since = 0.0

    def run(self) -> None:
        """Serve until the server closes the pipe."""
        if sys.platform == "linux":  # where `limit` has seen to it that it ends with the server, even while it loops
            self._loop.add_reader(self._in.fileno(), self._read)
        else:
            threading.Thread(target=self._listen, daemon=True).start()
        self._loop.run_forever()

    def _read(self) -> None:
        """Take what has come: two threads that wake each other for a frame cost twice as much."""
        chunk = os.read(self._in.fileno(), READ)
        if not chunk:
            os._exit(0)
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        self._lines += lines
        self._urgent = self._urgent or not all(b'"do": "look"' in line for line in lines)
        if self._resting is None or self._urgent:
            self._work()

    def _work(self) -> None:
        """Take frames one after the other. Where nobody waits, in short pieces: the kernel may leave the processor to
        this process until its next tick, though one has woken up that stands back from nothing."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        began = time.perf_counter()
        while self._lines:
            self._take(json.loads(self._lines.popleft()))
            if not self._urgent and time.perf_counter() - began > PIECE:
                self._resting = self._loop.call_later(REST, self._work)
                return
        self._urgent = False
        self._tell_seen()

    def _listen(self) -> None:
        for line in self._in:
            self._loop.call_soon_threadsafe(self._take, json.loads(line))
        os._exit(0)  # the server is gone: whatever the plugin is doing

    def _take(self, frame: dict[str, Any]) -> None:
        if "answer" in frame:
            future = self._asked.pop(frame["answer"], None)
            if future is not None and not future.done():
                if "refused" in frame:
                    future.set_exception(Rejected(*frame["refused"]))
                else:
                    future.set_result(frame["ok"])
            return
        if frame["do"] == "look" and not self._tasks:  # nothing that came before is still to begin
            self._look(frame)
            return
        self._begin(self._serve(frame, _CALLS[frame["do"]](self, frame)))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _look(self, frame: dict[str, Any]) -> None:
        """Have the plugin look at what passes, without a task where it needs none: that is half of the time."""
        assert isinstance(self._plugin, HandlerPluginBase)
        try:
            found = self._plugin.handle(_shown(frame))
        except BaseException as error:
            self._looked(frame, described(error, self._home))
            return
        if inspect.isawaitable(found):
            self._begin(self._serve(frame, found))
        else:
            self._looked(frame, "")

    async def _serve(self, frame: dict[str, Any], work: Awaitable[Any]) -> None:
        answer: dict[str, Any] = {"id": frame["id"]}
        try:
            answer["ok"] = await work
        except Rejected as refused:
            answer["refused"] = [refused.code, refused.text]
        except PluginFailure as failure:
            answer["failed"] = str(failure)
        except BaseException as error:  # whatever a plugin raises, SystemExit too, is its caller's to hear
            answer["failed"] = described(error, self._home)
        if frame["do"] == "look" and "refused" not in answer:
            self._looked(frame, answer.get("failed", ""))
            return
        self._between()
        self._tell_seen()  # what was done before is answered before: with `shutdown` all ends
        try:
            self.send(answer)
        except PluginFailure as failure:
            self.send({"id": frame["id"], "failed": str(failure)})

    def _looked(self, frame: dict[str, Any], why: str) -> None:
        """`why` it failed, if it did."""
        self._between()
        if not self._seen:
            self._since = time.process_time()
            if not self._lines:
                self._loop.call_soon(self._tell_seen)
        self._seen.setdefault(why, []).append(frame["id"])
        if time.process_time() - self._since > TOGETHER:  # else many short ones would pass for one that is long
            self._tell_seen()

    def _tell_seen(self) -> None:
        """What nobody waits for is answered together, by what came of it, once all that came together is done: each
        frame wakes the server."""
        seen, self._seen = self._seen, {}
        for why, numbers in seen.items():
            self.send({"seen": numbers, "failed": why[: LINE // 8]})

    def send(self, frame: dict[str, Any]) -> None:
        """Write one frame to the server. Raises PluginFailure for one that is too long."""
        line = json.dumps(frame, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        if len(line) > LINE:
            raise PluginFailure(f"{len(line)} bytes at once are too many: {LINE} are allowed")
        with self._write_lock:
            self._out.write(line)
            self._out.flush()

    async def ask(self, do: str, **arguments: Any) -> Any:
        """Ask the server for something and wait for it. Raises Rejected."""
        if do in ("say", "history") and not self._pace.may():  # here, so that a flood is the plugin's own work
            raise Rejected("rate_limited", f"a plugin posts at most {self._pace.rate:g} messages a second")
        number = next(self._numbers)
        self.send({"ask": number, "do": do, **arguments})
        future = self._asked[number] = self._loop.create_future()
        return await future

    # --- what a context reaches the server by ---

    async def say(self, target: str, text: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.ask("say", target=target, text=text)
        return found

    async def history(self, target: str, limit: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.ask("history", target=target, limit=limit)
        return found

    def tell(self, username: str, text: str, target: str) -> None:
        if self._pace.may():
            self.send({"tell": username, "text": text, "target": target})

    async def role(self, username: str) -> str:
        return str(await self.ask("role", username=username))

    async def moderates(self, username: str, target: str) -> bool:
        return bool(await self.ask("moderates", username=username, target=target))

    def rehook(self) -> None:
        self.send({"phases": self._phases()})

    def now(self) -> float:
        return time.time() + self._skew

    # --- what the server asks ---

    async def load(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Load what `source` names, and give what it says of itself."""
        source = frame["source"]
        self._home = source
        self._pace = Pace(frame["rate"], frame["burst"])
        cls = load(source)
        self._plugin = cls()
        meta = self._plugin.metadata
        handler = isinstance(self._plugin, HandlerPluginBase)
        return {
            "name": meta.name, "version": meta.version, "description": meta.description, "author": meta.author,
            "dependencies": list(meta.dependencies), "command": isinstance(self._plugin, CommandPluginBase),
            "receives": cls.receive is not PluginBase.receive,
            "priority": cls.priority if handler else 100,  # type: ignore[attr-defined]
        }  # fmt: skip

    async def initialize(self, frame: dict[str, Any]) -> list[str]:
        assert self._plugin is not None
        self._skew = frame["now"] - time.time()
        self._context = PluginContext(self._plugin.metadata.name, frame["settings"], Path(frame["data"]), self)
        await called(self._plugin.initialize, self._context)
        return self._phases()

    def _phases(self) -> list[str]:
        return [p.name for p in self._plugin.phases] if isinstance(self._plugin, HandlerPluginBase) else []

    async def shutdown(self, frame: dict[str, Any]) -> None:
        if self._plugin is not None:
            await called(self._plugin.shutdown)
        if self._context is not None:
            await self._context.close()

    async def can_handle(self, frame: dict[str, Any]) -> bool:
        assert isinstance(self._plugin, CommandPluginBase)
        return bool(await called(self._plugin.can_handle, frame["content"]))

    async def execute(self, frame: dict[str, Any]) -> str | None:
        assert isinstance(self._plugin, CommandPluginBase)
        return text_of(await called(self._plugin.execute, frame["content"], frame["sender"], frame["target"]))

    async def receive(self, frame: dict[str, Any]) -> bool:
        assert self._plugin is not None
        return bool(await called(self._plugin.receive, frame["secret"], frame["body"]))

    async def handle(self, frame: dict[str, Any]) -> dict[str, Any]:
        assert isinstance(self._plugin, HandlerPluginBase)
        context = _shown(frame)
        answer = await called(self._plugin.handle, context)
        context = answer if isinstance(answer, HookContext) else context
        return {"content": str(context.content), "stopped": bool(context.stopped), "reason": str(context.reason)}

    async def look(self, frame: dict[str, Any]) -> None:
        """What passes and is only looked at: nobody waits for what comes of it."""
        await self.handle(frame)


def _shown(frame: dict[str, Any]) -> HookContext:
    return HookContext(HookPhase[frame["phase"]], **frame["context"])


_CALLS: dict[str, Callable[[Host, dict[str, Any]], Any]] = {
    name: getattr(Host, name)
    for name in ("load", "initialize", "shutdown", "can_handle", "execute", "receive", "handle", "look")
}


async def called(method: Callable[..., Any], *arguments: Any) -> Any:
    """What `method` returns, plain or `async def`."""
    found = method(*arguments)
    return await found if inspect.isawaitable(found) else found


def text_of(found: Any) -> str | None:
    """What `execute` returned, checked. Raises TypeError."""
    if found is not None and not isinstance(found, str):
        raise TypeError(f"execute must return a text or None, not {type(found).__name__}")
    return found


def limit() -> None:
    """Bound memory, where the system can; stand back behind the server; end with it even where nothing is read."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL


_allowed = -1.0


def allow_processor() -> None:
    """From now on, some seconds more of processor time for this process, and not without an end."""
    global _allowed
    used = time.process_time()
    if resource is not None and used >= _allowed:
        _allowed = used + 1  # not for each of a thousand calls a second
        most = int(used) + 1 + PROCESSOR
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main() -> None:
    """Take the pipes for the server's frames; give the plugin standard error for what it prints."""
    faulthandler.enable()  # the server ends a call that passed its deadline by SIGABRT, which then says where it was
    inward, outward = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    limit()
    allow_processor()
    Host(inward, outward, allow_processor).run()


if __name__ == "__main__":
    main()
