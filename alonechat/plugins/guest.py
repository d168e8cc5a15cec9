"""A plugin in a process of its own, as the server holds it: calls with a deadline, restarts, and an end to those."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from alonechat.core.logging import get_logger
from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.errors import Rejected
from alonechat.plugins import process as processes
from alonechat.plugins.failing import PluginFailure
from alonechat.plugins.pace import Pace, Sayings
from alonechat.plugins.printed import Printed
from alonechat.plugins.running import Bounds, Door, Facts, Running

GOODBYE = 1.0
"""Seconds that a plugin may take to shut down: the server itself has 5 to end."""
WAITING = 256
"""Calls that may wait for a plugin's process; more hooks than that pass it by."""
TURN, FLOOD, REST = 16, 200, 0.01
"""Frames that are taken from a plugin in one turn of the loop; and how many a second may come that answer nothing,
before each turn of them costs it a rest, in seconds."""
BUSY = 0.2
"""Share of a processor from which on a plugin is let run only when nobody else wants to."""
HOLDING = {
    HookPhase.PRE_CONNECT,
    HookPhase.PRE_AUTHENTICATE,
    HookPhase.POST_AUTHENTICATE,
    HookPhase.PRE_MESSAGE,
    HookPhase.PRE_COMMAND,
}
"""Phases that wait for what a plugin says of them; in all others it looks on."""
SEEN = ("sender", "target", "content", "type", "event", "address", "attachments")
"""What a plugin outside sees of a `HookContext`."""
log = get_logger(__name__)


class Guest(Running):
    """One plugin outside the server. `on_off(reason)` is called when it has crashed too often."""

    def __init__(self, source: str, data: Path, door: Door, bounds: Bounds) -> None:
        super().__init__(Facts(Path(source.removeprefix("entry:")).stem), source)
        self._data, self._door, self._bounds = data, door, bounds
        self.on_off: Callable[[str], None] = lambda reason: None
        self._settings: Mapping[str, Any] = {}
        self._process: Process | None = None
        self._printed: Printed | None = None
        self._reading: asyncio.Task[None] | None = None
        self._restart: asyncio.Task[None] | None = None
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._calls: set[asyncio.Task[Any]] = set()
        self._crashes: deque[float] = deque()
        self._why = ""
        self._begun = self._ending = False
        self._behind, self._used = 0, 0.0
        self._pace = Pace(bounds.rate, bounds.burst)
        self._sayings = Sayings()

    # --- life ---

    async def load(self) -> None:
        """Start the process and have it load the plugin. Raises PluginFailure."""
        found = await self._start()
        self.facts = Facts(**{**found, "dependencies": tuple(found["dependencies"])})

    async def initialize(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        now = self._door.clock() / 1000
        about = {"settings": dict(settings), "data": str(self._data), "now": now}
        phases = await self._ask("initialize", self._bounds.start, **about)
        self.facts = replace(self.facts, phases=tuple(HookPhase[name] for name in phases))
        self._begun = True

    def look(self, seconds: float) -> None:
        if self._process is not None:
            used = processes.used(self._process)
            if used - self._used > seconds * BUSY:
                processes.stand_back(self._process, 20)
            self._used = used

    async def shutdown(self) -> None:
        self._ending = True
        if self._restart is not None:  # it may be between a process that ended and the next
            self._restart.cancel()
            await asyncio.wait({self._restart})
        process = self._process
        if process is not None and process.returncode is None:
            if self._begun:
                with suppress(PluginFailure, Rejected):
                    await self._ask("shutdown", GOODBYE)
            await processes.end(process, gently=False)
        self._fail_all("the plugin was ended")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._calls, return_exceptions=True)

    async def _start(self) -> dict[str, Any]:
        process = self._process = await processes.begin()
        self._used = math.inf  # what its start takes is not held against it
        assert process.stdout is not None and process.stderr is not None
        self._printed = Printed(process.stderr, lambda: self.facts.name, lambda: process.returncode is not None)
        self._reading = self._spawn(self._printed.read())
        self._spawn(self._listen(process, process.stdout))
        bounds = {"rate": self._bounds.rate, "burst": self._bounds.burst}
        found: dict[str, Any] = await self._ask("load", self._bounds.start, source=self.source, **bounds)
        return found

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- the pipe ---

    async def _listen(self, process: Process, stream: asyncio.StreamReader) -> None:
        why, loop = "", asyncio.get_running_loop()
        second, taken, unasked = loop.time(), 0, 0
        try:
            while line := await stream.readline():
                taken += 1
                unasked += self._take(json.loads(line))
                if taken % TURN == 0:  # a line that is there already is read without a turn of the loop
                    if loop.time() - second >= 1:
                        second, unasked = loop.time(), 0
                    await asyncio.sleep(REST if unasked > FLOOD else 0)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            why = f"it sent what is no frame ({error})"
            await processes.end(process, gently=False)
        code = await process.wait()
        if not self._ending:
            await self._read_out()
            self._crashed(why or self._why or processes.why_ended(code))

    async def _read_out(self) -> None:
        """Let what the process printed at its end arrive."""
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=0.3)

    def _take(self, frame: dict[str, Any]) -> bool:
        """Whether it was none that was asked for."""
        if "id" in frame:
            future = self._asked.pop(frame["id"], None)
            if future is None or future.done():
                return True
            if "failed" in frame:
                future.set_exception(PluginFailure(frame["failed"]))
            elif "refused" in frame:
                future.set_exception(Rejected(*frame["refused"]))
            else:
                future.set_result(frame.get("ok"))
            return False
        if "tell" in frame:
            if self._pace.may():
                self._door.tell(str(frame["tell"]), str(frame["text"]), str(frame["target"]))
        elif "phases" in frame:
            self.facts = replace(self.facts, phases=tuple(HookPhase[name] for name in frame["phases"]))
            self.on_phases()
        else:
            self._spawn(self._serve(frame))
        return True

    async def _serve(self, frame: dict[str, Any]) -> None:
        """What the plugin asks of the server."""
        answer: dict[str, Any] = {"answer": frame.get("ask")}
        try:
            do = frame.get("do")
            if do == "role":
                answer["ok"] = self._door.role(str(frame["username"]))
            elif do == "moderates":
                answer["ok"] = await self._door.moderates(str(frame["username"]), str(frame["target"]))
            elif not self._pace.may():
                raise Rejected("rate_limited", f"a plugin posts at most {self._pace.rate:g} messages a second")
            elif do == "say":
                answer["ok"] = await self._door.say(self.facts.name, str(frame["target"]), str(frame["text"]))
            else:
                limit = int(frame["limit"])
                answer["ok"] = await self._door.history(self.facts.name, str(frame["target"]), limit)
        except Rejected as refused:
            answer["refused"] = [refused.code, refused.text]
        self._send(answer)

    def _send(self, frame: dict[str, Any]) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return
        process.stdin.write(json.dumps(frame, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    # --- calls ---

    def _call(self, do: str, seconds: float, **arguments: Any) -> asyncio.Task[Any]:
        """Have the process do something: a task that raises PluginFailure, Rejected. Its deadline holds whether anybody
        still waits for it or not."""
        task = asyncio.get_running_loop().create_task(self._answered(do, seconds, arguments))
        self._calls.add(task)
        task.add_done_callback(self._called)
        return task

    def _called(self, task: asyncio.Task[Any]) -> None:
        self._calls.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone

    async def _ask(self, do: str, seconds: float, **arguments: Any) -> Any:
        return await asyncio.shield(self._call(do, seconds, **arguments))

    async def _answered(self, do: str, seconds: float, arguments: dict[str, Any]) -> Any:
        process = self._process
        if process is None or process.returncode is not None:
            raise PluginFailure(self._why or "its process has ended")
        number = next(self._numbers)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "do": do, **arguments})
        try:
            most = processes.STARTING if do in ("load", "initialize") else processes.HOGGING
            return await processes.within(process, future, seconds, most)
        except TimeoutError:
            self._asked.pop(number, None)
            said = f"{do} passed its deadline of {seconds:g} s"
            self._why = said
            await processes.end(process, gently=True)
            await self._read_out()
            self._why = said + self._where()
            raise PluginFailure(self._why) from None

    def _where(self) -> str:
        return self._printed.where(self.source) if self._printed is not None else ""

    # --- crashes ---

    def _crashed(self, why: str) -> None:
        if "(" not in why:
            why += self._where()
        self._process = None
        self._fail_all(why)
        if not self._begun:
            return  # it fails to start, which is said there
        self._begun = False
        now = asyncio.get_running_loop().time()
        self._crashes.append(now)
        while self._crashes[0] < now - 3600:
            self._crashes.popleft()
        log.error("a plugin's process ended", plugin=self.facts.name, why=why, crashes=len(self._crashes))
        if len(self._crashes) >= self._bounds.crashes:
            self.on_off(f"switched off after {len(self._crashes)} crashes within an hour; the last: {why}")
        else:
            wait = self._bounds.back_off * 2 ** (len(self._crashes) - 1)
            self._restart = self._spawn(self._again(wait))

    def _fail_all(self, why: str) -> None:
        """Nothing that was asked is answered any more."""
        asked, self._asked = self._asked, {}
        for future in asked.values():
            if not future.done():
                future.set_exception(PluginFailure(why))
                future.exception()  # whoever asked may have gone

    async def _again(self, wait: float) -> None:
        await asyncio.sleep(wait)
        self._why, self._begun = "", False
        try:
            await self._start()
            await self.initialize(self._settings)
        except (PluginFailure, OSError) as error:
            if self._process is not None:
                await processes.end(self._process, gently=False)
            self.on_off(f"could not be started again: {error}")

    # --- what it does ---

    async def can_handle(self, content: str) -> bool:
        return self._begun and bool(await self._ask("can_handle", self._bounds.call, content=content))

    async def execute(self, content: str, sender: str, target: str) -> str | None:
        found: str | None = await self._ask("execute", self._bounds.call, content=content, sender=sender, target=target)
        return found

    async def receive(self, secret: str, body: dict[str, Any]) -> bool:
        return bool(await self._ask("receive", self._bounds.call, secret=secret, body=body))

    async def handle(self, context: HookContext) -> HookContext | None:
        """What it leaves of what passes. None, and nothing changed, while it can't say so: its process is being started
        again, it is behind, or it failed."""
        holding = context.phase in HOLDING
        if not self._begun or (holding and self._behind) or len(self._asked) >= WAITING:
            return None
        seen = {name: getattr(context, name) for name in SEEN}
        call = self._call("handle", self._bounds.call, phase=context.phase.name, context=seen)
        if not holding:
            call.add_done_callback(lambda done: self._handled(context.phase, done))
            return None
        done, _ = await asyncio.wait({call}, timeout=self._bounds.hold)
        if not done:
            self._behind += 1
            call.add_done_callback(self._caught_up)
            self._grumble(context.phase, f"handle took more than {self._bounds.hold:g} s")
            return None
        found = self._handled(context.phase, call)
        if found is None:
            return None
        context.content = found["content"]
        if found["stopped"]:
            context.stop(found["reason"])
        return context

    def _caught_up(self, call: asyncio.Task[Any]) -> None:
        self._behind -= 1

    def _handled(self, phase: HookPhase, call: asyncio.Task[Any]) -> Any:
        """What `handle` answered. None, and a line in the log, when it failed."""
        error = None if call.cancelled() else call.exception()
        if isinstance(error, PluginFailure | Rejected):
            self._grumble(phase, str(error))
        return None if error is not None or call.cancelled() else call.result()

    def _grumble(self, phase: HookPhase, why: str) -> None:
        """Say what failed, but not as often as it fails: a message passes on unchanged a thousand times a second."""
        left_out = self._sayings.again(why)
        if left_out is not None:
            more = {"left_out": left_out} if left_out else {}
            log.error("a plugin failed; passed on unchanged", plugin=self.facts.name, phase=phase.name, why=why, **more)
