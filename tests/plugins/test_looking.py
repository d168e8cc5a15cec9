"""Plugins that only look on: told together, answered together, and nothing of it lost."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from alonechat.core.server.hooks import HookContext
from alonechat.plugins import HandlerPluginBase, PluginMetadata
from alonechat.plugins.host import Host
from alonechat.testing import Server, serving
from tests.plugins.conftest import HEAD, command

Start = Callable[..., Server]
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere: only Linux says how a process is scheduled")

LOOKS = """
class Plugin(HandlerPluginBase):
    _metadata = PluginMetadata("looks")
    phases = (HookPhase.POST_MESSAGE,)
    def initialize(self, context):
        self.context = context
        (context.data / "pid").write_text(str(os.getpid()))
    def handle(self, context):
        with (self.context.data / "seen").open("a") as file: file.write(context.content + "\\n")
"""


BOTH = """
class Plugin(HandlerPluginBase):
    _metadata = PluginMetadata("both")
    phases = (HookPhase.%s, HookPhase.POST_MESSAGE)
    def initialize(self, context): (context.data / "pid").write_text(str(os.getpid()))
    def handle(self, context):
        end = time.process_time() + 0.004
        while context.phase is HookPhase.POST_MESSAGE and time.process_time() < end: pass
"""
"""One that is asked, and looks on for 4 ms at each message."""


def put(tmp_path: Path, name: str, source: str) -> None:
    folder = tmp_path / "data" / "plugins"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(HEAD + source, "utf-8")


def test_what_passed_before_the_end_is_seen_and_nothing_is_called_failed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "looks", LOOKS)
    with serving(tmp_path, rest=False) as server:
        ana = server.person("ana")
        for number in range(50):
            ana.send(type="TEXT", content=f"{number}", nonce=f"n{number}")
        ana.hears("TEXT", nonce="n49")
    seen = (tmp_path / "data" / "seen").read_text().split()
    assert seen == [str(number) for number in range(50)]
    assert [line for line in caplog.messages if "failed" in line] == []


@pytest.mark.alone
def test_what_was_held_back_while_a_plugin_computed_is_seen_before_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    busy = "        end = time.process_time() + 0.025\n        while time.process_time() < end: pass\n"
    put(tmp_path, "looks", LOOKS + busy)
    with serving(tmp_path, rest=False) as server:
        ana = server.person("ana")
        for number in range(4):
            ana.says(f"{number}")
            time.sleep(0.012)
        ana.says("4")
    assert (tmp_path / "data" / "seen").read_text().split() == ["0", "1", "2", "3", "4"]
    assert [line for line in caplog.messages if "failed" in line] == []


@pytest.mark.alone
@linux
def test_many_short_looks_at_once_are_no_long_one(start: Start, tmp_path: Path) -> None:
    server = start(both=BOTH % "PRE_MESSAGE")
    pid = int((tmp_path / "data" / "pid").read_text())
    ana = server.person("ana")
    for _ in range(4):
        for number in range(60):
            ana.send(type="TEXT", content=f"{number}")
        ana.says("the last")
    time.sleep(0.5)
    assert os.sched_getscheduler(pid) == os.SCHED_OTHER


@pytest.mark.alone
@linux
def test_what_was_answered_while_the_server_was_held_up_counts(start: Start, tmp_path: Path) -> None:

    async def hold_up() -> None:
        time.sleep(0.05)

    server = start(both=BOTH % "PRE_CONNECT")
    pid = int((tmp_path / "data" / "pid").read_text())
    ana = server.person("ana")
    for number in range(120):  # more than half a second of short looks, written at once
        ana.send(type="TEXT", content=f"{number}", nonce=f"n{number}")
    ana.hears("TEXT", nonce="n119")
    for _ in range(10):
        server.do(hold_up)
        time.sleep(0.02)
    assert os.sched_getscheduler(pid) == os.SCHED_OTHER


def bounds() -> object:
    """What processor time this process may use; None on Windows."""
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrlimit(resource.RLIMIT_CPU)


def test_what_was_seen_is_told_before_the_end_is() -> None:
    out, before = io.BytesIO(), bounds()
    host = Host(io.BytesIO(), out)

    class Plugin(HandlerPluginBase):
        _metadata = PluginMetadata("looks")

        def handle(self, context: HookContext) -> None:
            """Nothing."""

    async def work() -> None:
        host._plugin = Plugin()
        for number in (1, 2):
            host._take({"id": number, "do": "look", "phase": "POST_MESSAGE", "context": {}})
        host._take({"id": 3, "do": "shutdown"})
        while out.getvalue().count(b"\n") < 2:
            await asyncio.sleep(0)

    host._loop.run_until_complete(asyncio.wait_for(work(), 5))
    host._loop.close()
    seen, ended = [json.loads(line) for line in out.getvalue().splitlines()]
    assert seen == {"seen": [1, 2], "failed": ""} and ended == {"id": 3, "ok": None}
    assert bounds() == before  # what `main` allows its process would end this one, in the middle of another test


@pytest.mark.alone
@linux
def test_only_what_nobody_ever_waits_for_stands_back_and_only_who_takes_webhooks_is_asked(
    start: Start, tmp_path: Path
) -> None:
    source = """
    class Plugin(HandlerPluginBase):
        _metadata = PluginMetadata({name!r})
        phases = (HookPhase.POST_MESSAGE,)
        def initialize(self, context): (context.data / {name!r}).write_text(str(os.getpid()))
        def handle(self, context):
            while context.content == {name!r}: pass
"""
    takes = "        async def receive(self, secret, body): return secret == 'mine'\n"
    server = start(ahead=source.format(name="ahead"), takes=source.format(name="takes") + takes)
    pids = {name: int((tmp_path / "data" / name).read_text()) for name in ("ahead", "takes")}
    assert os.sched_getscheduler(pids["ahead"]) == os.SCHED_IDLE
    assert os.sched_getscheduler(pids["takes"]) == os.SCHED_OTHER
    server.person("ana").says("ahead")
    began = time.monotonic()
    assert httpx.post(f"{server.url}/hooks/mine", json={"text": "hello"}, trust_env=False).status_code < 300
    assert time.monotonic() - began < 1, "the other loops"


def test_a_command_that_passed_its_deadline_is_answered_though_plugins_are_loaded_anew(start: Start) -> None:
    body = "import faulthandler, signal; faulthandler.disable(); signal.signal(signal.SIGABRT, signal.SIG_IGN)\n"
    server = start(stuck=command("stuck", body + "        time.sleep(60)"))
    ana, root = server.person("ana"), server.person("root", role="admin")
    ana.send(type="TEXT", content="/stuck", nonce="stuck")
    time.sleep(2.15)  # past its deadline, and within the half second that it has to say where it was
    root.asks(type="TEXT", content="/plugins reload")
    assert "deadline" in ana.hears("ERROR", nonce="stuck")["content"]


def test_who_asks_the_server_for_nonsense_is_told_so(start: Start) -> None:
    source = command("past", "return self.past(target)\n    async def past(self, target):\n        ")
    source += "        await self.context.history(target, 'all')\n"
    ana = start(past=source).person("ana")
    began = time.monotonic()
    assert "does not take" in ana.asks(type="TEXT", content="/past")["content"]
    assert time.monotonic() - began < 1.5, "it does not wait for its deadline"


def look(number: int) -> bytes:
    """A frame about a message that passes."""
    context = {"sender": "ana", "target": "#lobby", "content": f"{number}", "type": "TEXT"}
    frame = {"id": number, "do": "look", "phase": "POST_MESSAGE", "context": context}
    return json.dumps(frame).encode() + b"\n"


@linux
def test_what_nobody_waits_for_is_looked_at_in_pieces_and_answered_together_and_what_is_awaited_at_once() -> None:
    read, write = os.pipe()
    out, seen, turns = io.BytesIO(), list[str](), list[int]()
    host = Host(os.fdopen(read, "rb"), out)

    class Plugin(HandlerPluginBase):
        _metadata = PluginMetadata("looks")

        def handle(self, context: HookContext) -> None:
            seen.append(context.content)
            time.sleep(0.0001)

    host._plugin = Plugin()

    async def until(so: Callable[[], bool]) -> None:
        while not so():
            turns.append(len(seen))
            await asyncio.sleep(0.0005)

    async def work() -> None:
        host._loop.add_reader(read, host._read)
        os.write(write, b"".join(look(number) for number in range(100)))
        await until(lambda: b" 99]" in out.getvalue())
        assert len(set(turns)) > 10, "whoever else wants the processor gets it between"
        answers = [json.loads(line) for line in out.getvalue().splitlines()]
        assert [number for answer in answers for number in answer["seen"]] == list(range(100)) and len(answers) < 20
        turns.clear()
        os.write(write, b"".join(look(number) for number in range(100, 200)) + b'{"id": 200, "do": "shutdown"}\n')
        await until(lambda: b'{"id": 200' in out.getvalue())
        assert len(set(turns)) <= 3 and seen == [str(number) for number in range(200)], "it hears all that came before"

    host._loop.run_until_complete(asyncio.wait_for(work(), 10))
    host._loop.close()
    os.close(write)


@linux
def test_a_plugin_that_looks_on_is_told_of_many_messages_in_few_frames(start: Start, tmp_path: Path) -> None:
    source = """
    class Plugin(HandlerPluginBase):
        _metadata = PluginMetadata("counts")
        phases = (HookPhase.POST_MESSAGE,)
        def initialize(self, context):
            read, self.times, self.file = os.read, [], context.data / "times"
            def counted(number, most):
                self.times.append(time.monotonic())
                return read(number, most)
            os.read = counted
        def handle(self, context):
            if context.content == "the last":
                draft = self.file.with_name("draft")
                draft.write_text(" ".join(map(str, self.times)))
                draft.rename(self.file)  # there at once, whoever looks
    """
    ana = start(counts=source).person("ana")
    until, said = time.monotonic() + 2.5, 0
    while time.monotonic() < until:
        ana.says(f"{said}")
        said += 1
        time.sleep(0.004)  # a lively room: of a flood it would miss some where it has little processor
    ana.says("the last")
    file, until = tmp_path / "data" / "times", time.monotonic() + 20
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.02)
    times = [float(each) for each in file.read_text().split()]
    late = [each for each in times if each > times[-1] - 1]  # where it had little processor it may have begun as a hog
    assert said > 50 and 2 <= len(late) <= 20, "four times a second, 64 KiB at once"
