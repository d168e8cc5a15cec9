"""What a plugin's process may compute, and which calls wait for it meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.plugins import process as processes
from alonechat.plugins.calls import Call, Calls, Shown
from alonechat.plugins.leash import BURST, Leash, Pack
from alonechat.testing import Server
from tests.plugins.conftest import command

Start = Callable[..., Server]
linux = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere: only Linux stops what computes, and says how much"
)
BUSY = "end = time.process_time() + float(content.split()[1])\n        while time.process_time() < end: pass\n"


def spent(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.alone
@linux
@pytest.mark.parametrize(("awaited", "most"), [(True, 0.7), (False, 0.4)])
def test_what_computes_on_and_on_stands_still_most_of_the_time(awaited: bool, most: float) -> None:
    async def looks() -> tuple[float, Leash]:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
        clock = asyncio.get_running_loop().time
        leash = Leash(process, clock())
        leash.awaited = awaited
        began, before = clock(), processes.used(process)
        try:
            while clock() < began + 1:
                await asyncio.sleep(leash.due)
                leash.look(leash.measured(clock()), began, False, False)
            return processes.used(process) - before, leash
        finally:
            await processes.end(process, gently=False)

    used, leash = asyncio.run(looks())
    assert BURST / 2 < used < most, "without a leash 1 s"
    assert leash.hogs and leash.behind and leash.lost > 0.1


@pytest.mark.alone
@linux
def test_of_several_that_compute_on_and_on_one_does_at_a_time_and_they_share_what_one_would_get() -> None:
    async def looks() -> tuple[list[float], list[int], list[Leash]]:
        clock = asyncio.get_running_loop().time
        hogs = [await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass") for _ in range(3)]
        began = clock()
        pack, before = Pack(), [0.0] * 3
        leashes = [Leash(hog, began, pack=pack) for hog in hogs]
        at_once = []

        async def watch(leash: Leash) -> None:
            while clock() < began + 4:
                await asyncio.sleep(leash.due)
                leash.look(leash.measured(clock()), began, False, False)
                if clock() > began + 1.5:
                    at_once.append(sum(not each.stopped for each in leashes))

        async def measure() -> None:
            await asyncio.sleep(1.5)
            before[:] = [processes.used(hog) for hog in hogs]

        try:
            await asyncio.gather(*map(watch, leashes), measure())
            return [processes.used(hog) - had for hog, had in zip(hogs, before, strict=True)], at_once, leashes
        finally:
            for hog in hogs:
                await processes.end(hog, gently=False)

    used, at_once, leashes = asyncio.run(looks())
    assert max(at_once) == 1
    assert 0.03 < sum(used) < 0.6, "of 2.5 s; each for itself would come to 0.75"
    assert all(leash.lost > 2 for leash in leashes), "what each stood still for others is given back"


@pytest.mark.alone
@linux
def test_what_is_answered_and_holds_messages_is_never_stopped() -> None:
    async def looks() -> tuple[float, Leash]:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "while True: pass")
        clock = asyncio.get_running_loop().time
        leash = Leash(process, clock())
        try:
            for _ in range(30):
                await asyncio.sleep(0.01)
                leash.look(leash.measured(clock()), clock(), True, True)
                assert not leash.stopped
            return processes.used(process), leash
        finally:
            await processes.end(process, gently=False)

    used, leash = asyncio.run(looks())
    assert used > 0.03 and not leash.hogs and not leash.behind


@pytest.mark.alone
@linux
def test_a_handler_that_loops_is_stopped_and_its_call_has_its_deadline_all_the_same(
    start: Start, tmp_path: Path
) -> None:
    source = """
    class Plugin(HandlerPluginBase):
        _metadata = PluginMetadata("loops")
        phases = (HookPhase.POST_MESSAGE,)
        def initialize(self, context): (context.data / "pid").write_text(str(os.getpid()))
        def handle(self, context):
            while "loop" in context.content: pass
    """
    server = start(loops=source)
    ana, pid = server.person("ana"), int((tmp_path / "data" / "pid").read_text())
    before = spent(pid)
    ana.says("loop")
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        ana.says("on it goes")
    assert spent(pid) - before < 1, "of 1.5 s"
    until = time.monotonic() + 15
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists(), "what it stood still is given back, but not for ever"


@pytest.mark.alone
@linux
def test_a_call_that_computes_for_long_is_slow_and_comes_to_its_end(start: Start) -> None:
    ana = start(busy=command("busy", BUSY + "        return str(os.getpid())")).person("ana")
    pid, began = ana.asks(type="TEXT", content="/busy 0")["content"], time.monotonic()
    ana.send(type="TEXT", content="/busy 0.6", nonce="long")
    assert ana.hears("TEXT", nonce="long")["content"] == pid
    assert time.monotonic() - began > 1.2, "past its first tenth of a second it gets a quarter of a processor"
    assert ana.asks(type="TEXT", content="/busy 0")["content"] == pid


def call(began: float, seconds: float = 2.0, lost: float = 0.0, phase: HookPhase | None = None) -> Call:
    return Call("handle", began, seconds, lost, None, phase)


def test_a_deadline_gives_back_what_was_lost_but_not_for_ever() -> None:
    one = call(began=10, lost=5)
    assert not one.is_late(12, 5) and one.is_late(12.1, 5)
    assert not one.is_late(13, 6.5) and one.is_late(13.6, 6.5)
    assert not one.is_late(18, 500) and one.is_late(18.1, 500), "four deadlines in all"
    look = call(began=10, lost=5, phase=HookPhase.POST_MESSAGE)
    assert not look.is_late(500, 493) and look.is_late(500, 492.9), "nobody waits, so it may take what others leave it"


def test_what_looks_on_waits_while_a_process_computes_and_its_time_begins_then() -> None:
    calls, looks = Calls(), HookPhase.POST_MESSAGE
    assert calls.add(call(0), "{}") == '{"id": 1, "do": "handle"}'
    assert calls.add(call(1, phase=looks), '{"a": 1}', wait=True) == ""
    assert calls.add(call(1, phase=looks), '{"a": 2}') == "", "in their order"
    assert calls.add(call(1), '{"a": 3}') == '{"id": 4, "do": "handle", "a": 3}', "what is waited for goes at once"
    assert len(calls) == 4 and calls.oldest() == 0
    assert calls.pop(1) is not None and calls.pop(1) is None
    assert list(calls.let_go(1, 50, 3)) == ['{"id": 2, "do": "look", "a": 1}']
    assert list(calls.let_go(9, 50, 3)) == ['{"id": 3, "do": "look", "a": 2}']
    late = calls.late(51, 3)
    assert late is not None and late.began == 1 and calls.late(51, 3) is None
    assert [each.began for each in calls.end()] == [50, 50] and len(calls) == 0


def test_what_is_shown_is_made_once_for_all_and_anew_when_it_changes() -> None:
    shown, context = Shown(), HookContext(HookPhase.PRE_MESSAGE, "ana", "#lobby", "hello")
    first = shown.of(context)
    assert '"content": "hello"' in first and shown.of(context) is first
    context.content = "changed"
    assert '"content": "changed"' in shown.of(context)
    assert shown.of(HookContext(HookPhase.POST_MESSAGE, "ana", "#lobby", "changed")) != shown.of(context)


@linux
def test_a_process_that_never_gets_the_processor_has_lost_all_of_the_time() -> None:
    """The system counts how long it waited only once it runs."""
    core = min(os.sched_getaffinity(0))
    alone = f"import os; os.sched_setaffinity(0, {{{core}}})\nwhile True: pass"

    async def looks() -> tuple[float, Leash]:
        busy = await asyncio.create_subprocess_exec(sys.executable, "-c", alone)
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", alone)
        clock = asyncio.get_running_loop().time
        try:
            await asyncio.sleep(0.3)
            processes.stand_back(process, 20)
            leash, began = Leash(process, clock()), clock()
            while clock() < began + 1.5:
                await asyncio.sleep(0.01)
                leash.look(leash.measured(clock()), began, False, True, 60)
            return processes.used(process), leash
        finally:
            for each in (busy, process):
                await processes.end(each, gently=False)

    _, leash = asyncio.run(looks())
    assert leash.lost > 1.2, "of 1.5 s"
