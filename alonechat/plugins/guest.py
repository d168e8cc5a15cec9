"""A plugin in a process of its own, as the server holds it: calls with a deadline, restarts, and an end to those."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import alonechat
from alonechat.core.logging import get_logger
from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.errors import Rejected
from alonechat.plugins.failing import PluginFailure
from alonechat.plugins.running import Bounds, Door, Facts, Running

LINE = 1 << 20
"""Bytes of one frame from a plugin's process; more is a fault of the plugin's."""
GOODBYE = 1.0
"""Seconds that a plugin may take to shut down: the server itself has 5 to end."""
WAITING = 256
"""Calls that may wait for a plugin's process; more hooks than that pass it by."""
PRINTED = 20
"""Lines a second of what a plugin prints that are logged."""
log = get_logger(__name__)


class Guest(Running):
    """One plugin outside the server. `on_off(reason)` is called when it has crashed too often."""

    def __init__(self, source: str, data: Path, door: Door, bounds: Bounds) -> None:
        super().__init__(Facts(Path(source.removeprefix("entry:")).stem), source)
        self._data, self._door, self._bounds = data, door, bounds
        self.on_off: Callable[[str], None] = lambda reason: None
        self._settings: Mapping[str, Any] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._crashes: deque[float] = deque()
        self._said: deque[str] = deque(maxlen=60)
        self._why = ""
        self._begun = self._ending = False
        self._spoken, self._spoke_at = 0.0, 0.0

    # --- life ---

    async def load(self) -> None:
        """Start the process and have it load the plugin. Raises PluginFailure."""
        await self._start()
        found = await self._ask("load", self._bounds.start, source=self.source)
        self.facts = Facts(**{**found, "dependencies": tuple(found["dependencies"])})

    async def initialize(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        now = self._door.clock() / 1000
        about = {"settings": dict(settings), "data": str(self._data), "now": now}
        phases = await self._ask("initialize", self._bounds.start, **about)
        self.facts = replace(self.facts, phases=tuple(HookPhase[name] for name in phases))
        self._begun = True

    async def shutdown(self) -> None:
        self._ending = True
        if self._process is not None and self._process.returncode is None:
            if self._begun:
                with suppress(PluginFailure, Rejected):
                    await self._ask("shutdown", GOODBYE)
            await self._kill(gently=False)
        self._fail_all("the plugin was ended")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start(self) -> None:
        home = str(Path(alonechat.__file__).resolve().parent.parent)
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([home, *(p for p in sys.path if p)])}
        env.pop("JWT_SECRET", None)
        self._said.clear()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "alonechat.plugins.host",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=env, limit=LINE,
        )  # fmt: skip
        self._spawn(self._listen(self._process))
        self._spawn(self._hear(self._process))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _kill(self, gently: bool) -> None:
        """End the process; `gently`: it says first where it was."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            if gently and sys.platform != "win32":
                process.send_signal(signal.SIGABRT)
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 0.5)
            if process.returncode is None:
                process.kill()
        await process.wait()

    # --- the pipe ---

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        why = ""
        try:
            while line := await process.stdout.readline():
                self._take(json.loads(line))
        except ValueError as error:  # no JSON, or a line without an end
            why = f"it sent what is no frame ({error})"
            await self._kill(gently=False)
        code = await process.wait()
        if not self._ending:
            # standard error has been read when the pipe of frames has ended, up to what is still on its way
            await asyncio.sleep(0.05)
            self._crashed(why or self._why or _ended(code))

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        """What the plugin prints, and what Python says of its end."""
        assert process.stderr is not None
        loop = asyncio.get_running_loop()
        second, count = loop.time(), 0
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:  # longer than a line may be: what was read of it is dropped
                continue
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip()
            self._said.append(text)
            if loop.time() - second >= 1:
                second, count = loop.time(), 0
            count += 1
            if count <= PRINTED:
                log.info("printed by a plugin", plugin=self.facts.name, line=text[:500])

    def _take(self, frame: dict[str, Any]) -> None:
        if "id" in frame:
            future = self._asked.pop(frame["id"], None)
            if future is None or future.done():
                return
            if "failed" in frame:
                future.set_exception(PluginFailure(frame["failed"]))
            elif "refused" in frame:
                future.set_exception(Rejected(*frame["refused"]))
            else:
                future.set_result(frame.get("ok"))
        elif "tell" in frame:
            if self._may_speak():
                self._door.tell(str(frame["tell"]), str(frame["text"]), str(frame["target"]))
        elif "phases" in frame:
            self.facts = replace(self.facts, phases=tuple(HookPhase[name] for name in frame["phases"]))
            self.on_phases()
        else:
            self._spawn(self._serve(frame))

    def _may_speak(self) -> bool:
        """At most so many frames a second into the chat: a flood is the plugin's own affair."""
        now = asyncio.get_running_loop().time()
        self._spoken = max(0.0, self._spoken - (now - self._spoke_at) * self._bounds.rate) + 1
        self._spoke_at = now
        if self._spoken > self._bounds.burst:
            self._spoken -= 1
            return False
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
            elif not self._may_speak():
                raise Rejected("rate_limited", f"a plugin posts at most {self._bounds.rate:g} messages a second")
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

    async def _ask(self, do: str, seconds: float, **arguments: Any) -> Any:
        """Have the process do something. Raises PluginFailure; past its deadline the process is ended."""
        if self._process is None or self._process.returncode is not None:
            raise PluginFailure(self._why or "its process has ended")
        number = next(self._numbers)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "do": do, **arguments})
        try:
            return await asyncio.wait_for(future, seconds)
        except TimeoutError:
            self._asked.pop(number, None)
            said = f"{do} passed its deadline of {seconds:g} s"
            self._why = said
            await self._kill(gently=True)
            await asyncio.sleep(0.05)
            self._why = said + self._where()
            raise PluginFailure(self._why) from None

    def _where(self) -> str:
        """The line of the plugin's that Python named as it ended."""
        home = re.escape(self.source)
        for line in self._said:
            found = re.search(rf'File "({home}[^"]*)", line (\d+)', line)
            if found:
                return f" ({Path(found[1]).name}:{found[2]})"
        return ""

    # --- crashes ---

    def _crashed(self, why: str) -> None:
        if why == _ended(-6) or "(" not in why:
            why += self._where()
        self._process = None
        self._fail_all(why)
        if not self._begun:
            return  # it fails to start, which is said there
        now = asyncio.get_running_loop().time()
        self._crashes.append(now)
        while self._crashes[0] < now - 3600:
            self._crashes.popleft()
        log.error("a plugin's process ended", plugin=self.facts.name, why=why, crashes=len(self._crashes))
        if len(self._crashes) >= self._bounds.crashes:
            self._begun = False
            self.on_off(f"switched off after {len(self._crashes)} crashes within an hour; the last: {why}")
        else:
            self._spawn(self._again(self._bounds.back_off * 2 ** (len(self._crashes) - 1)))

    def _fail_all(self, why: str) -> None:
        """Nothing that was asked is answered any more."""
        asked, self._asked = self._asked, {}
        for future in asked.values():
            if not future.done():
                future.set_exception(PluginFailure(why))
                future.exception()  # whoever asked may have gone

    async def _again(self, wait: float) -> None:
        await asyncio.sleep(wait)
        self._why = ""
        try:
            await self._start()
            await self._ask("load", self._bounds.start, source=self.source)
            await self.initialize(self._settings)
        except (PluginFailure, OSError) as error:
            self._begun = False
            self.on_off(f"could not be started again: {error}")

    # --- what it does ---

    async def can_handle(self, content: str) -> bool:
        return bool(await self._ask("can_handle", self._bounds.call, content=content))

    async def execute(self, content: str, sender: str, target: str) -> str | None:
        found: str | None = await self._ask(
            "execute", self._bounds.call, content=content, sender=sender, target=target
        )
        return found

    async def receive(self, secret: str, body: dict[str, Any]) -> bool:
        return bool(await self._ask("receive", self._bounds.call, secret=secret, body=body))

    async def handle(self, context: HookContext) -> HookContext | None:
        if self._process is None or len(self._asked) >= WAITING:
            return None  # it is being started again, or can't keep up: what passes, passes unchanged
        seen = {name: getattr(context, name) for name in ("sender", "target", "content", "type", "event", "address")}
        found = await self._ask("handle", self._bounds.call, phase=context.phase.name, context=seen)
        context.content = found["content"]
        if found["stopped"]:
            context.stop(found["reason"])
        return context


def _ended(code: int) -> str:
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        return f"its process was ended by {name}"
    return f"its process ended by itself with exit code {code}"
