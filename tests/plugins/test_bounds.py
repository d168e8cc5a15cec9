"""What a plugin outside the server may take, and what happens when it takes more."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

import pytest

from alonechat.plugins import process as processes
from alonechat.plugins.context import PluginContext
from alonechat.plugins.host import Host
from alonechat.plugins.pace import Pace, Sayings
from alonechat.testing import Clock, Person, Server
from tests.plugins.conftest import command

Start = Callable[..., Server]
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere: Linux says how a process is scheduled")


def handler(name: str, body: str, phase: str = "PRE_MESSAGE") -> str:
    return f"""
class Plugin(HandlerPluginBase):
    _metadata = PluginMetadata({name!r})
    phases = (HookPhase.{phase},)
    def handle(self, context):
        {body}
"""


def took(person: Person, content: str) -> float:
    began = time.monotonic()
    assert person.says(content)["content"] == content
    return time.monotonic() - began


def test_a_handler_that_loops_holds_up_one_message_for_a_second_and_no_other(start: Start) -> None:
    ana = start(stuck=handler("stuck", "while 'loop' in context.content: pass")).person("ana")
    assert took(ana, "before") < 1
    assert 0.9 < took(ana, "loop") < 3
    assert sum(took(ana, f"after {number}") for number in range(5)) < 1, "it is behind: they pass it by"


def test_a_handler_that_fails_is_named_with_its_line_and_said_once(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    ana = start(broken=handler("broken", "context.content = 'spoilt'; raise RuntimeError('no')")).person("ana")
    for number in range(20):
        assert ana.says(f"{number}")["content"] == f"{number}", "passed on unchanged"
    said = [line for line in caplog.messages if "passed on unchanged" in line and "plugin=broken" in line]
    assert len(said) == 1 and "phase=PRE_MESSAGE" in said[0] and "RuntimeError: no (broken.py:" in said[0]


def test_a_flood_stays_in_the_plugins_own_process(start: Start) -> None:
    body = "[self.context.tell(sender, 'y') for _ in range(900)]; [self.context.send(target, 'x') for _ in range(900)]"
    ana = start(gush=command("gush", body)).person("ana")
    ana.send(type="TEXT", content="/gush", nonce="f")
    assert ana.hears("NOTICE", nonce="f")
    ana.says("and people talk on")
    heard = [frame for frame in ana.quiet() if frame.get("sender") == "gush" or frame["type"] == "NOTICE"]
    assert len(heard) <= 40


def test_refused_messages_of_a_flood_are_one_line_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def flood() -> None:
        host = Host(io.BytesIO(), io.BytesIO())  # which lets nothing pass before it has heard what it may
        context = PluginContext("gush", {}, tmp_path, host)
        assert await asyncio.gather(*[context.send("#lobby", "x") for _ in range(500)]) == [None] * 500

    asyncio.run(flood())
    assert [line for line in caplog.messages if "was refused" in line and "target=#lobby" in line] == caplog.messages[
        :1
    ]


def test_who_asks_the_server_too_much_waits_for_itself(start: Start) -> None:
    asks = """
    class Plugin(CommandPluginBase):
        _metadata = PluginMetadata("asks")
        def can_handle(self, content): return content.startswith("/asks")
        async def execute(self, content, sender, target=None):
            began = time.monotonic()
            found = await asyncio.gather(*[self.context.role(sender) for _ in range(int(content.split()[1]))])
            return f"{len(found)} {time.monotonic() - began}"
    """
    ana = start(asks=asks).person("ana")
    answered, seconds = ana.asks(type="TEXT", content="/asks 1200")["content"].split()
    assert answered == "1200" and 0.5 < float(seconds) < 8, "256 at once, a thousand a second"


def test_an_answer_without_measure_is_refused(start: Start) -> None:
    ana = start(huge=command("huge", "return 'x' * 1_000_000 if content == '/huge' else 'small'")).person("ana")
    refused = ana.asks(type="TEXT", content="/huge")
    assert refused["code"] == "internal" and "bytes at once are too many" in refused["content"]
    assert ana.asks(type="TEXT", content="/huge no")["content"] == "small", "its process lives on"


def test_scheduled_work_goes_on_after_a_failure(start: Start) -> None:
    source = """
    class Plugin(CommandPluginBase):
        _metadata = PluginMetadata("tick")
        def initialize(self, context):
            self.context, self.count = context, 0
            context.every(0.05, self.work)
            context.at(context.now() + 0.1, self.once)
        def can_handle(self, content): return content == "/ticks"
        def execute(self, content, sender, target=None): return "at work" if self.count > 2 else "not yet"
        async def work(self):
            self.count += 1
            self.context.logger.info("worked", count=self.count)
            if self.count == 1: raise RuntimeError("the first time")
            if self.count == 3: await self.context.say("#lobby", "three times")
        def once(self): self.context.send("#lobby", "once")
    """
    ana = start(tick=source).person("ana")
    said = {event["content"] for event in ana.asks(type="HISTORY", target="#lobby")["events"]}
    while said != {"three times", "once"}:
        said.add(ana.hears("TEXT", sender="tick")["content"])
    assert ana.asks(type="TEXT", content="/ticks")["content"] == "at work"


def test_only_what_begins_with_a_slash_is_asked_for_and_all_are_asked_at_once(start: Start, tmp_path: Path) -> None:
    nosy = """
    class Plugin(CommandPluginBase):
        _metadata = PluginMetadata("{name}")
        def can_handle(self, content):
            with open(self.context.data / "{name}", "a") as out: out.write(content + "\\n")
            time.sleep(0.4)
            return content == "/{name}"
        def execute(self, content, sender, target=None): return "{name}"
    """
    server = start(**{name: nosy.format(name=name) for name in ("one", "two", "three")})
    ana = server.person("ana")
    for text in ("plain", "//slash", "/roll"):
        assert ana.asks(type="TEXT", content=text)["type"] == "TEXT"
    began = time.monotonic()
    assert ana.asks(type="TEXT", content="/three")["content"] == "three"
    assert time.monotonic() - began < 1.1, "three that take 0.4 s each, asked at the same time"
    assert (tmp_path / "data" / "three").read_text() == "/three\n", "built-in ones come first: /roll was not asked for"


@pytest.mark.alone
@linux
def test_who_computes_long_stands_back_for_good_and_others_do_not(start: Start) -> None:
    body = "end = time.process_time() + float(content.split()[1])\n        while time.process_time() < end: pass\n"
    body += "        return str(os.getpid())"
    ana = start(busy=command("busy", body)).person("ana")
    pid = int(ana.asks(type="TEXT", content="/busy 0")["content"])
    assert os.sched_getscheduler(pid) == os.SCHED_OTHER and os.getpriority(os.PRIO_PROCESS, pid) == 10
    assert int(ana.asks(type="TEXT", content="/busy 0.15")["content"]) == pid
    assert os.sched_getscheduler(pid) == os.SCHED_IDLE


async def on_one_core(does: str, count: int) -> list[Process]:
    """So many processes that do the same there, each of which has begun."""
    core = min(os.sched_getaffinity(0))
    code = f"import faulthandler, os; faulthandler.enable(); os.sched_setaffinity(0, {{{core}}})\nprint(flush=True)\n"
    command = [sys.executable, "-c", code + does]
    started = [await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE) for _ in range(count)]
    for each in started:
        assert each.stdout is not None
        await each.stdout.readline()
    return started


@pytest.mark.alone
@linux
def test_a_deadline_gives_back_the_time_that_the_machine_had_for_others() -> None:
    async def waits(hogs: int, behind: bool = False) -> float:
        started = await on_one_core("while True: pass" if hogs else "import time; time.sleep(60)", hogs or 1)
        if behind:  # so it never gets the processor, and the system counts how long it waited only once it runs
            processes.stand_back(started[0], 20)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await processes.within(started[0], asyncio.get_running_loop().create_future(), 0.3)
        took = time.monotonic() - began
        for process in started:
            await processes.end(process, gently=False)
        return took

    asleep, hogged, behind = asyncio.run(waits(0)), asyncio.run(waits(3)), asyncio.run(waits(3, behind=True))
    assert 0.25 < asleep < 1 and hogged > asleep * 1.3 and behind > max(0.9, asleep * 2)


@linux
@pytest.mark.skipif(getattr(os, "geteuid", int)() != 0, reason="elsewhere: only root lets one step up again")
def test_who_stands_behind_all_others_still_says_where_it_was_on_a_busy_machine() -> None:
    async def said() -> bytes:
        behind, *others = await on_one_core("while True: pass", 4)
        processes.stand_back(behind, 20)
        try:
            await processes.end(behind, gently=True)
            assert behind.stderr is not None
            return await behind.stderr.read()
        finally:
            for each in others:
                await processes.end(each, gently=False)

    assert b"line 3" in asyncio.run(said())


@linux
def test_one_that_crashed_starts_like_any_other_and_stands_behind_all_others_once_it_runs(start: Start) -> None:
    body = "return os._exit(3) if 'now' in content else str(os.getpid())"
    ana = start(quits=command("quits", body)).person("ana")
    first = int(ana.asks(type="TEXT", content="/quits")["content"])
    assert os.sched_getscheduler(first) == os.SCHED_OTHER
    assert ana.asks(type="TEXT", content="/quits now")["code"] == "internal"
    until = time.monotonic() + 20
    while (answer := ana.asks(type="TEXT", content="/quits")).get("code") == "unavailable":
        assert time.monotonic() < until, "it was not started again"
        time.sleep(0.05)
    again = int(answer["content"])
    assert again != first and os.sched_getscheduler(again) == os.SCHED_IDLE


@pytest.mark.parametrize("gently", [True, False])
def test_a_process_that_has_ended_by_itself_is_ended(gently: bool) -> None:
    async def ends() -> None:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(3)")
        await processes.end(process, gently)
        await processes.end(process, gently)
        assert process.returncode is not None

    asyncio.run(ends())
    assert processes.why_ended(3) == "its process ended by itself with exit code 3"
    assert processes.why_ended(-9) == f"its process was ended by {'9' if sys.platform == 'win32' else 'SIGKILL'}"


def test_pace_and_what_is_said_again() -> None:
    clock = Clock(0)
    pace = Pace(10, 3, lambda: clock.ms / 1000)
    assert [pace.may() for _ in range(4)] == [True, True, True, False]
    clock.forward(0.1)
    assert [pace.may() for _ in range(2)] == [True, False]
    sayings = Sayings(10, lambda: clock.ms / 1000)
    assert [sayings.again("a"), sayings.again("a"), sayings.again("b")] == [0, None, 0]
    clock.forward(10)
    assert [sayings.again("a"), sayings.again("b")] == [1, 0]
    assert [sayings.again(f"{n}") for n in range(Sayings.MOST * 2)] == [0] * Sayings.MOST * 2
