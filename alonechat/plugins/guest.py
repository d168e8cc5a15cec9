"""A plugin in a process of its own, as the server holds it: calls with a deadline, restarts, and an end to those."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from alonechat.core.logging import get_logger
from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.errors import Rejected
from alonechat.plugins import process as processes
from alonechat.plugins.calls import Call, Calls, Shown
from alonechat.plugins.failing import PluginFailure
from alonechat.plugins.leash import HOGGING, OFTEN, STARTING, Leash, Measured, Pack
from alonechat.plugins.pace import Pace, Sayings
from alonechat.plugins.printed import Printed
from alonechat.plugins.running import Bounds, Door, Facts, Running

GOODBYE = 1.0
"""Seconds that a plugin may take to shut down: the server itself has 5 to end."""
WAITING = 1024
"""Calls that may wait for a plugin's process; more hooks than that pass it by."""
GATHERED, APART = 512, 0.25
"""Calls of hooks that only look on which are written together: they wait for so many, or where some were written just
now, for the next of the moments that are so many seconds apart, the same for all plugins. Each write wakes a process
and each answer the server, in the middle of somebody's message: few messages shall meet that."""
TRUSTED = 64
"""How many of these are written together at most where it computes on and on."""
READING = 5
"""Turns of the loop until what lies in a plugin's pipe is taken: the pipe is asked, read, its bytes are handed on, and
its lines taken; one more, for what is due in a turn comes before what is read in it."""
TURN, FLOOD, REST = 16, 1000.0, 0.05
"""Frames that are taken from a plugin in one turn of the loop; how many a second may come that answer nothing; and for
how many seconds its pipe is not read when there are more, so that it waits for itself."""
HOLDING = {
    HookPhase.PRE_CONNECT,
    HookPhase.PRE_AUTHENTICATE,
    HookPhase.POST_AUTHENTICATE,
    HookPhase.PRE_MESSAGE,
    HookPhase.PRE_COMMAND,
}
"""Phases that wait for what a plugin says of them; in all others it looks on."""
log = get_logger(__name__)


class Guest(Running):
    """One plugin outside the server. `on_off(reason)` is called when it has crashed too often. `pack`: that of the
    others."""

    _shown = Shown()

    def __init__(self, source: str, data: Path, door: Door, bounds: Bounds, pack: Pack | None = None) -> None:
        super().__init__(Facts(Path(source.removeprefix("entry:")).stem), source, door)
        self._data, self._bounds, self._pack = data, bounds, pack
        self.on_off: Callable[[str], None] = lambda reason: None
        self._settings: Mapping[str, Any] = {}
        self._process: Process | None = None
        self._printed: Printed | None = None
        self._reading: asyncio.Task[None] | None = None
        self._restart: asyncio.Task[None] | None = None
        self._calls = Calls()
        self._leash: Leash | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._answered = self._judging = False
        self._told, self._trust = 0.0, 1
        self._tasks: set[asyncio.Task[Any]] = set()
        self._crashes: deque[float] = deque()
        self._why = ""
        self._begun = self._ending = False
        self._behind = 0
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
        awaited = self.facts.command or self.facts.receives or self._holds
        if self._leash is not None and (self._crashes or not awaited):
            self._leash.stand_back()  # not before it runs: on a busy machine it would never come to that

    def look(self) -> None:
        if self._looking is None and self._begun:
            self._watch()

    async def shutdown(self) -> None:
        self._ending = True
        if self._restart is not None:  # it may be between a process that ended and the next
            self._restart.cancel()
            await asyncio.wait({self._restart})
        process = self._process
        if process is not None and process.returncode is None:
            if self._begun:
                self._let_go(WAITING)  # what passed before its end is seen, however much it has computed
                with suppress(PluginFailure, Rejected):
                    await self._ask("shutdown", GOODBYE)
            await processes.end(process, gently=False)
        self._fail_all("the plugin was ended")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start(self) -> dict[str, Any]:
        process = self._process = await processes.begin()
        self._leash = Leash(process, asyncio.get_running_loop().time(), self._pack)
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

    @property
    def _holds(self) -> bool:
        return any(phase in HOLDING for phase in self.facts.phases)

    # --- the pipe ---

    async def _listen(self, process: Process, stream: asyncio.StreamReader) -> None:
        why, taken, pace = "", 0, Pace(FLOOD, TURN * 16)
        try:
            while line := await stream.readline():
                taken += 1
                if self._take(json.loads(line)) and not pace.may():
                    await asyncio.sleep(REST)
                elif taken % TURN == 0:  # a line that is there already is read without a turn of the loop
                    await asyncio.sleep(0)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            why = f"it sent what is no frame ({error})"
            await processes.end(process, gently=False)
        code = await process.wait()
        if self._ending:
            self._fail_all("the plugin was ended")
        else:
            await self._read_out()
            self._crashed(why or self._why or processes.why_ended(code))

    async def _read_out(self) -> None:
        """Let what the process printed at its end arrive."""
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=0.3)

    def _take(self, frame: dict[str, Any]) -> bool:
        """Whether it was none that was asked for."""
        if "id" in frame:
            call = self._calls.pop(frame["id"])
            if call is None:
                return True
            self._answered = True
            if "failed" in frame:
                self._ended(call, PluginFailure(frame["failed"]))
            elif "refused" in frame:
                self._ended(call, Rejected(*frame["refused"]))
            elif call.future is not None and not call.future.done():
                call.future.set_result(frame.get("ok"))
            self._go_on()
            return False
        if "seen" in frame:
            for call in filter(None, map(self._calls.pop, frame["seen"])):
                if frame["failed"]:
                    self._ended(call, PluginFailure(frame["failed"]))
            self._answered = True
            self._go_on()
            return False
        if "tell" in frame:
            if self._pace.may():
                self.tell(str(frame["tell"]), str(frame["text"]), str(frame["target"]))
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
        except (LookupError, TypeError, ValueError) as error:  # unanswered it would wait until its deadline ends it
            answer["refused"] = ["bad_frame", f"{frame.get('do')} was asked with what it does not take ({error})"]
        self._send(answer)

    def _send(self, frame: dict[str, Any]) -> None:
        self._write(json.dumps(frame, ensure_ascii=False))

    def _write(self, line: str) -> None:
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(line.encode("utf-8", "replace") + b"\n")

    # --- calls ---

    async def _ask(self, do: str, seconds: float, **arguments: Any) -> Any:
        """Have the process do something. Raises PluginFailure, Rejected."""
        call = self._call(do, seconds, json.dumps(arguments, ensure_ascii=False))
        assert call.future is not None
        return await asyncio.shield(call.future)  # its deadline holds whether anybody still waits for it or not

    def _call(self, do: str, seconds: float, arguments: str, phase: HookPhase | None = None) -> Call:
        """`phase`: that of a handler which only looks on, so that nobody waits for an answer."""
        process, leash, loop = self._process, self._leash, asyncio.get_running_loop()
        if process is None or process.returncode is not None or leash is None:
            raise PluginFailure(self._why or "its process has ended")
        future = None if phase is not None else loop.create_future()
        call = Call(do, loop.time(), seconds, leash.lost, future, phase)
        if phase is None and not leash.hogs:
            self._let_go()  # what it was to see before
        line = self._calls.add(call, arguments, wait=phase is not None)
        if line:
            self._write(line)
        elif self._calls.held >= GATHERED and not leash.hogs:
            self._let_go()
        self._look_at(call.began + OFTEN if line else max(call.began + OFTEN, self._next))
        return call

    def _go_on(self) -> None:
        """Where it computes on and on and all is answered: some more of what was held back, twice as many as before
        where that was soon, else one: many short calls are no reason to write each by itself."""
        if self._leash is not None and self._leash.hogs and self._calls.oldest() is None:
            soon = asyncio.get_running_loop().time() - self._told < OFTEN
            self._trust = min(2 * self._trust, TRUSTED) if soon else 1
            self._let_go()

    def _let_go(self, most: int = 0) -> None:
        """Write what was held back; a few at a time while it computes on and on, unless told how many."""
        if self._leash is not None:
            most = most or (self._trust if self._leash.hogs else WAITING)
            now = asyncio.get_running_loop().time()
            lines = self._calls.let_go(most, now, self._leash.lost)
            if lines:
                self._told = now
                self._write("\n".join(lines))
                self._look_at(now + self._leash.due)

    def _ended(self, call: Call, error: PluginFailure | Rejected) -> None:
        if call.future is None:
            if call.phase is not None:
                self._grumble(call.phase, str(error))
        elif not call.future.done():
            call.future.set_exception(error)
            call.future.exception()  # whoever asked may have gone

    @property
    def _next(self) -> float:
        """When what is held back may be written."""
        return ((self._told + 0.001) // APART + 1) * APART

    def _look_at(self, when: float) -> None:
        """Look at the process then, if not before."""
        if self._looking is None or self._looking.when() > when:
            if self._looking is not None:
                self._looking.cancel()
            self._looking = asyncio.get_running_loop().call_at(when, self._watch)

    def _watch(self) -> None:
        """Measure what its process has computed. It is judged by that once what it has answered until now is read,
        however long the server is held up meanwhile."""
        self._looking = None
        if self._leash is not None and not self._judging:
            self._judging = True
            before, self._answered = self._answered, False
            self._read_on(self._leash, self._leash.measured(asyncio.get_running_loop().time()), before)

    def _read_on(self, leash: Leash, seen: Measured, before: bool, turns: int = READING) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._read_on, leash, seen, before, turns - 1)
            return
        self._judging = False
        if leash is self._leash:
            self._see(leash, seen, before)

    def _see(self, leash: Leash, seen: Measured, before: bool) -> None:
        """While it has not answered, or computes on and on: see to its deadlines, and that it stands back. What was
        answered since it was seen may have been computed before or behind: it counts for this look and the next."""
        if self._process is None or self._process.returncode is not None:
            return
        answered = before or self._answered
        now, since = seen.at, self._calls.oldest()
        if since is None or now - since > OFTEN / 2 or leash.hogs:
            free = not self._begun or (self._holds and answered)
            leash.awaited = self._calls.awaited()
            most = HOGGING if self._begun else STARTING
            leash.look(seen, now if since is None else since, answered, free, most)
            late = self._calls.late(now, leash.lost)
            if late is not None:
                self._leash = None
                self._spawn(self._overdue(self._process, late))
                return
        else:
            self._answered = answered
        if since is None if leash.hogs else now > self._next - 0.001:
            self._let_go()
        if leash.hogs or self._calls.oldest() is not None:
            self._look_at(now + leash.due)
        elif self._calls:
            self._look_at(self._next)

    async def _overdue(self, process: Process, call: Call) -> None:
        said = self._why = f"{call.do} passed its deadline of {call.seconds:g} s"
        try:
            await processes.end(process, gently=True)
            await self._read_out()
            self._why = said + self._where()
        finally:  # also where plugins are loaded anew meanwhile: somebody waits for it
            self._ended(call, PluginFailure(self._why))

    def _where(self) -> str:
        return self._printed.where(self.source) if self._printed is not None else ""

    # --- crashes ---

    def _crashed(self, why: str) -> None:
        if "(" not in why:
            why += self._where()
        self._process = self._leash = None
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
        for call in self._calls.end():
            self._ended(call, PluginFailure(why))

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

    def is_away(self) -> bool:
        return not self._begun and not self._ending

    async def can_handle(self, content: str) -> bool:
        return self._begun and bool(await self._ask("can_handle", self._bounds.call, content=content))

    async def execute(self, content: str, sender: str, target: str) -> str | None:
        found: str | None = await self._ask("execute", self._bounds.call, content=content, sender=sender, target=target)
        return found

    async def receive(self, secret: str, body: dict[str, Any]) -> bool:
        if not self.facts.receives:  # one that stands back would hold up who posted it to another
            return False
        return bool(await self._ask("receive", self._bounds.call, secret=secret, body=body))

    def handle(self, context: HookContext) -> Awaitable[HookContext | None] | None:
        """What it leaves of what passes. None, and nothing changed, while it can't say so: its process is being started
        again, it is behind, or it failed. Where it only looks on, nobody waits."""
        holding = context.phase in HOLDING
        if not self._begun or (holding and self._behind):
            return None
        if len(self._calls) >= WAITING:
            self._grumble(context.phase, f"{WAITING} calls wait for it already")
            return None
        seen, phase = self._shown.of(context), context.phase
        if holding:
            return self._passed(context, seen)
        try:
            self._call("handle", self._bounds.call, seen, phase)
        except PluginFailure as failure:
            self._grumble(phase, str(failure))
        return None

    async def _passed(self, context: HookContext, seen: str) -> HookContext | None:
        try:
            call = self._call("handle", self._bounds.call, seen)
            assert call.future is not None
            done, _ = await asyncio.wait({call.future}, timeout=self._bounds.hold)
            if done:
                found = call.future.result()
                context.content = found["content"]
                if found["stopped"]:
                    context.stop(found["reason"])
                return context
            self._behind += 1
            call.future.add_done_callback(self._caught_up)
            self._grumble(context.phase, f"handle took more than {self._bounds.hold:g} s")
        except (PluginFailure, Rejected) as error:
            self._grumble(context.phase, str(error))
        return None

    def _caught_up(self, future: asyncio.Future[Any]) -> None:
        self._behind -= 1

    def _grumble(self, phase: HookPhase, why: str) -> None:
        """Say what failed, but not as often as it fails: a message passes on unchanged a thousand times a second."""
        left_out = self._sayings.again(why)
        if left_out is not None:
            more = {"left_out": left_out} if left_out else {}
            log.error("a plugin failed; passed on unchanged", plugin=self.facts.name, phase=phase.name, why=why, **more)
