"""The process of one plugin: begun so that it never stands in the server's way, ended so that it says where it was."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

import alonechat
from alonechat.plugins.host import LINE

IDLE_PRIORITY_CLASS = 0x40
"""Windows' word for a process that runs when no other wants to."""
GOODBYE = 0.5
"""Seconds that a process has to say where it was."""
LOOK = 0.02
"""Seconds between two looks at a process that is waited for."""
GRACE = 4
"""How many times its deadline a call may take in all, when the machine was too busy to let it run."""


async def begin() -> Process:
    """Start one that stands back from its first instruction on: starting Python costs more than most plugins ever
    will. Raises OSError."""
    home = str(Path(alonechat.__file__).resolve().parent.parent)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([home, *(p for p in sys.path if p)])}
    env.pop("JWT_SECRET", None)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "alonechat.plugins.host",
        stdin=PIPE, stdout=PIPE, stderr=PIPE, env=env, limit=LINE,
        creationflags=IDLE_PRIORITY_CLASS if sys.platform == "win32" else 0,
    )  # fmt: skip
    stand_back(process, 10)
    return process


def stand_back(process: Process, nice: int) -> None:
    """Let it run behind the server: by so much, or with 20 only when nobody else wants the processor."""
    with suppress(OSError, AttributeError):  # gone, or a system that has no such thing
        if nice < 20:
            os.setpriority(os.PRIO_PROCESS, process.pid, nice)
        elif sys.platform == "linux":
            for thread in os.listdir(f"/proc/{process.pid}/task"):
                os.sched_setscheduler(int(thread), os.SCHED_IDLE, os.sched_param(0))
        else:
            os.setpriority(os.PRIO_PROCESS, process.pid, 19)


def step_up(process: Process) -> None:
    """Take back that it runs only when nobody else wants the processor, where the system lets this user: on a busy
    machine it would never come to say where it was."""
    with suppress(OSError, AttributeError):
        for thread in os.listdir(f"/proc/{process.pid}/task"):
            os.sched_setscheduler(int(thread), os.SCHED_OTHER, os.sched_param(0))


def pause(process: Process, on: bool) -> bool:
    """Stop it where it stands, or let it go on. False where that can't be."""
    if sys.platform != "linux" or process.returncode is not None:
        return False  # elsewhere one that is stopped might outlive a server that was killed
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)
    return True


def used(process: Process) -> float:
    """Seconds of processor time that all its threads have used. 0 where the system doesn't say."""
    if sys.platform != "linux" or process.returncode is not None:
        return 0.0
    try:
        return time.clock_gettime(~process.pid << 3 | 2)  # as clock_getcpuclockid makes it of a process
    except OSError:
        return 0.0


def starved(process: Process) -> float:
    """Seconds that it has been ready to run and got no processor. 0 where the system doesn't say."""
    try:
        return int(_told(process, "schedstat").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def is_ready(process: Process) -> bool:
    """Whether it runs, or would if it got a processor: `starved` says how long it has waited only once it runs."""
    try:
        return _told(process, "stat").rpartition(b")")[2].split()[0] == b"R"
    except (OSError, IndexError):
        return False


def _told(process: Process, name: str) -> bytes:
    """What the system says of it, in a third of the time that `Path.read_text` takes."""
    number = os.open(f"/proc/{process.pid}/{name}", os.O_RDONLY)
    try:
        return os.read(number, 4096)
    finally:
        os.close(number)


def held_up(process: Process, took: float, ran: float, waited: float) -> float:
    """Seconds of the `took` since the last look for which it was ready and the machine let others run; of them it `ran`
    for some, and has `waited` for some as far as the system knows, which says so only once it runs."""
    if ran < took / 10 and is_ready(process):
        return took - ran
    return max(0.0, min(waited, took - ran))


async def within(process: Process, future: asyncio.Future[Any], seconds: float) -> Any:
    """What `future` gives. Raises TimeoutError when the process had `seconds` for it: time for which it was ready and
    the machine let others run counts only from `GRACE` deadlines on."""
    clock = asyncio.get_running_loop().time
    began = at = clock()
    ran, waited, lost = used(process), starved(process), 0.0
    while (left := began + seconds + min(lost, seconds * (GRACE - 1)) - at) > 0.001:
        done, _ = await asyncio.wait({future}, timeout=min(left, LOOK))
        if done:
            return future.result()
        before, at = (at, ran, waited), clock()
        ran, waited = used(process), starved(process)
        lost += held_up(process, at - before[0], ran - before[1], waited - before[2])
    raise TimeoutError


async def end(process: Process, gently: bool) -> None:
    """End it; `gently`: it says first where it was."""
    if process.returncode is None:
        pause(process, False)
        with suppress(ProcessLookupError):
            if gently and sys.platform != "win32":
                step_up(process)
                process.send_signal(signal.SIGABRT)
                with suppress(TimeoutError):
                    await within(process, asyncio.ensure_future(process.wait()), GOODBYE)
            if process.returncode is None:
                process.kill()
    await process.wait()


def why_ended(code: int) -> str:
    """An exit code as a sentence."""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        return f"its process was ended by {name}"
    return f"its process ended by itself with exit code {code}"
