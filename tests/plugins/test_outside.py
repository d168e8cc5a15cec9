"""Plugins in processes of their own: whatever they do, people talk on; what is wrong is said with file and line."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from alonechat.plugins.kept import KeyValues, read_states
from alonechat.testing import Server
from tests.journeys.people import People
from tests.journeys.process import ServerProcess
from tests.plugins.conftest import HEAD, command

Start = Callable[..., Server]


def states(tmp_path: Path) -> dict[str, tuple[str, str]]:
    return {name: (state, reason) for name, _, _, state, reason in read_states(tmp_path / "data")}


def test_async_methods_context_and_store(start: Start, tmp_path: Path) -> None:
    source = """
    class Plugin(CommandPluginBase):
        _metadata = PluginMetadata("counter", "1.0.0")
        async def initialize(self, context):
            self.context = context
        async def can_handle(self, content): return content == "/count"
        async def execute(self, content, sender, target=None):
            count = self.context.store.get("count", 0) + 1
            self.context.store.set("count", count)
            self.context.tell(sender, f"for you, {await self.context.role(sender)}")
            event = await self.context.send(target, f"the bot says {self.context.settings['word']}")
            found = await self.context.history(target, 5)
            assert event["id"] == found[-1]["id"]
            return f"{count} after {found[-1]['content']}"
    """
    server = start(counter=source, settings='[counter]\nword = "你好"')
    ana = server.person("ana")
    first = ana.asks(type="TEXT", content="/count")
    assert first["content"] == "1 after the bot says 你好"
    assert ana.asks(type="TEXT", content="/count")["content"].startswith("2 ")
    log = ana.asks(type="HISTORY", target="#lobby")["events"]
    assert [e["sender"] for e in log] == ["counter", "ana", "counter", "ana"]


def test_a_notice_and_none(start: Start) -> None:
    body = 'self.context.tell(sender, "only you read this", target)'
    posts = 'self.context.tell(sender, "and this for you"); return "for all"'
    server = start(whisper=command("whisper", body), nothing=command("nothing", "pass"), posts=command("posts", posts))
    ana, bo = server.person("ana"), server.person("bo")
    ana.send(type="TEXT", content="/whisper", nonce="n")
    assert ana.hears("NOTICE")["nonce"] == "n", "what it told is the answer"
    assert [f["content"] for f in ana.quiet() if f["type"] == "NOTICE"] == []
    assert ana.asks(type="TEXT", content="/nothing")["content"] == "nothing: done"
    ana.send(type="TEXT", content="/posts", nonce="p")
    assert ana.hears("NOTICE")["content"] == "and this for you"
    assert ana.hears("TEXT", nonce="p")["content"] == "for all"
    assert [f.get("content") for f in bo.quiet() if f["type"] in ("NOTICE", "TEXT")] == ["for all"]


def test_a_failure_names_plugin_file_and_line_and_the_next_call_works(start: Start) -> None:
    body = "return str(1 // (len(content) - len('/broken')))"
    ana = start(broken=command("broken", body)).person("ana")
    refused = ana.asks(type="TEXT", content="/broken")
    assert (refused["type"], refused["code"]) == ("ERROR", "internal")
    assert "the plugin broken failed: ZeroDivisionError" in refused["content"]
    assert "(broken.py:" in refused["content"]
    assert ana.asks(type="TEXT", content="/broken 1")["content"] == "0"


def test_printing_harms_nothing(start: Start) -> None:
    body = "print('x' * 100000); os.write(1, b'{\"id\": 1}\\n'); return 'fine'"
    ana = start(loud=command("loud", body)).person("ana")
    assert [ana.asks(type="TEXT", content="/loud")["content"] for _ in range(3)] == ["fine"] * 3


def test_a_running_command_holds_up_nobody(start: Start) -> None:
    slow = "time.sleep(1); return 'at last'"
    server = start(snail=command("snail", slow), fast=command("fast", "return 'at once'"))
    ana = server.person("ana")
    began = time.monotonic()
    ana.send(type="TEXT", content="/snail", nonce="s")
    ana.says("meanwhile")
    assert ana.asks(type="TEXT", content="/fast")["content"] == "at once"
    assert time.monotonic() - began < 1
    later = ana.hears("TEXT", nonce="s")
    assert later["content"] == "at last" and later["seq"] == 3


def test_a_loop_is_ended_at_its_deadline_with_its_line_and_three_of_them_switch_it_off(
    start: Start, tmp_path: Path
) -> None:
    server = start(loop=command("loop", "while True: pass"))
    server.register("boss")
    boss, ana = server.person("boss", "owner"), server.person("ana")
    for number in range(3):
        until = time.monotonic() + 20
        while (refused := ana.asks(type="TEXT", content="/loop"))["code"] == "unavailable":
            assert time.monotonic() < until, "it was not started again"
            time.sleep(0.1)
        assert refused["code"] == "internal" and "passed its deadline of 2 s" in refused["content"], (number, refused)
        assert sys.platform == "win32" or "(loop.py:" in refused["content"]  # where no process can be asked for it
        ana.says("still here")
    notice = boss.hears("NOTICE")["content"]
    assert "The plugin loop is off: switched off after 3 crashes within an hour" in notice
    assert sys.platform == "win32" or "loop.py:" in notice
    assert states(tmp_path)["loop"][0] == "failed"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero (bad.py:4)"),
        ("def (", "SyntaxError"),
        ("import nothing_like_this", "ModuleNotFoundError"),
        ("x = 1", "has no plugin class"),
        (command("lonely", "pass", ', dependencies=["absent"]'), "needs the plugin absent, which is not here"),
        ("class P(CommandPluginBase): _metadata = PluginMetadata('Bad Name')", "a plugin's name has 1 to 31 of"),
        ("os._exit(3)", "ended by itself with exit code 3"),
        (command("dice", "pass"), "another plugin is called dice too"),
    ],
    ids=["raises", "syntax", "import", "empty", "dependency", "name", "exit", "duplicate"],
)
def test_what_can_not_start_is_off_with_a_reason_and_the_others_run(
    start: Start, tmp_path: Path, source: str, reason: str
) -> None:
    server = start(bad=source, good=command("good", "return 'good'"))
    assert server.person("ana").asks(type="TEXT", content="/good")["content"] == "good"
    found = [row for row in read_states(tmp_path / "data") if row[3] == "failed"] or [
        row for row in read_states(tmp_path / "data") if reason in row[4]
    ]
    assert any(reason in row[4] for row in found), read_states(tmp_path / "data")


def test_dependencies_start_first_and_a_circle_is_off(start: Start, tmp_path: Path) -> None:
    server = start(
        a=command("a", "return 'a'", ', dependencies=["b"]'),
        b=command("b", "return 'b'"),
        c=command("c", "return 'c'", ', dependencies=["d"]'),
        d=command("d", "return 'd'", ', dependencies=["c"]'),
    )
    ana = server.person("ana")
    assert ana.asks(type="TEXT", content="/a")["content"] == "a"
    assert ana.asks(type="TEXT", content="/c")["code"] == "not_found"
    found = states(tmp_path)
    assert found["a"][0] == found["b"][0] == "on"
    assert found["c"][0] == found["d"][0] == "failed" and "depends on itself" in found["c"][1]


def test_a_handler_changes_and_stops_and_order_is_kept(start: Start) -> None:
    source = """
    class Plugin(HandlerPluginBase):
        _metadata = PluginMetadata("polite", "1.0.0")
        async def handle(self, context):
            await asyncio.sleep(0.2 if "slow" in context.content else 0)
            if "rude" in context.content:
                context.stop("be polite")
            context.content = context.content.replace("hi", "good day")
    """
    server = start(polite=source)
    ana, bo = server.person("ana"), server.person("bo")
    assert ana.says("hi")["content"] == "good day"
    assert ana.asks(type="TEXT", content="rude")["content"] == "be polite"
    ana.send(type="TEXT", content="slow")
    time.sleep(0.05)
    bo.says("quick")
    log = ana.asks(type="HISTORY", target="#lobby")["events"]
    assert [event["content"] for event in log] == ["good day", "slow", "quick"]


def test_every_bad_plugin_at_once_and_nothing_is_late_or_lost(start: Start, tmp_path: Path) -> None:
    handler = """
    class Plugin(HandlerPluginBase):
        _metadata = PluginMetadata("{name}", "1.0.0")
        phases = (HookPhase.POST_MESSAGE,)
        def initialize(self, context):
            self.context = context
            {begin}
        def handle(self, context):
            {body}
    """
    bad = {
        "loops": ("pass", "while True: pass"),
        "eats": ("pass", "x = [bytes(1 << 20)] * 2 + [bytearray(1 << 28) for _ in range(20)]"),
        "exits": ("pass", "os._exit(7)"),
        "raises": ("pass", "raise RuntimeError('no')"),
        "prints": ("pass", "print('noise ' * 1000)"),
        "floods": ("pass", "[self.context.send('#lobby', 'flood') for _ in range(500)]"),
    }
    sources = {name: handler.format(name=name, begin=begin, body=body) for name, (begin, body) in bad.items()}
    server = start(**sources)
    ana, bo = server.person("ana"), server.person("bo")
    took = []
    for number in range(200):
        began = time.monotonic()
        ana.says(f"message {number}")
        took.append(time.monotonic() - began)
    heard: list[str] = []
    while len(heard) < 200:
        frame = bo.hears("TEXT", sender="ana")
        heard.append(frame["content"])
    assert heard == [f"message {number}" for number in range(200)]
    took.sort()
    print(f"echo beside them: median {took[100] * 1000:.1f} ms, p99 {took[197] * 1000:.1f} ms")
    assert took[197] < 1


@pytest.mark.skipif(os.name != "posix", reason="elsewhere there is no signal to look with")
@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_the_process_is_gone_when_the_server_is_gone(
    start_server: Callable[..., ServerProcess], tmp_path: Path, end: str
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "pid.py").write_text(HEAD + command("pid", "return str(os.getpid())"))
    server = start_server("--data-dir", str(tmp_path))
    with People(server) as people:
        ana = people.connect("ana")
        pid = int(ana.asks(type="TEXT", content="/pid")["content"])
        ana.send(type="TEXT", content="/pid")
        os.kill(pid, 0)
        getattr(server, end)()
    until = time.monotonic() + 5
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < until:
            os.kill(pid, 0)
            time.sleep(0.02)
    if end == "stop":
        assert "Traceback" not in server.said


def test_one_that_can_not_begin_again_is_off_and_its_process_is_gone(start: Start, tmp_path: Path) -> None:
    source = """
    class Plugin(CommandPluginBase):
        _metadata = PluginMetadata("once")
        def initialize(self, context):
            count = context.store.get("count", 0) + 1
            context.store.set("count", count)
            context.store.set("pid", os.getpid())
            if count > 1: raise RuntimeError("only once")
        def can_handle(self, content): return content == "/once"
        def execute(self, content, sender, target=None): os._exit(1)
    """
    server = start(once=source)
    boss = server.person("boss", "owner")
    assert boss.asks(type="TEXT", content="/once")["code"] == "internal"
    notice = boss.hears("NOTICE")["content"]
    assert "could not be started again: RuntimeError: only once (once.py:" in notice
    assert boss.asks(type="TEXT", content="/once")["code"] == "not_found"
    assert states(tmp_path)["once"][0] == "failed"
    if sys.platform != "win32":  # where 0 is a signal
        with pytest.raises(ProcessLookupError):
            os.kill(KeyValues(tmp_path / "data", "once").get("pid"), 0)


def test_a_command_is_told_that_its_plugin_is_just_being_started_again(start: Start) -> None:
    source = """
    class Plugin(CommandPluginBase):
        _metadata = PluginMetadata("falls")
        def initialize(self, context): self.context = context
        def can_handle(self, content): return content.startswith("/falls")
        def execute(self, content, sender, target=None):
            if content == "/falls now": os._exit(1)
            return "stands again"
    """
    server = start(falls=source)
    ana = server.person("ana")
    assert ana.asks(type="TEXT", content="/falls now")["code"] == "internal"
    told = ana.asks(type="TEXT", content="/falls")
    assert told["code"] == "unavailable"
    assert told["content"].startswith("no plugin that runs now takes /falls, and falls is just being started again")
    until = time.monotonic() + 10
    while (found := ana.asks(type="TEXT", content="/falls")).get("code") == "unavailable":
        assert time.monotonic() < until, "it was never started again"
        time.sleep(0.02)
    assert found["content"] == "stands again"
    assert ana.asks(type="TEXT", content="/fals")["code"] == "not_found"


def test_a_handler_sees_the_files_that_a_message_is_to_bear(start: Start) -> None:
    source = """
    class Plugin(HandlerPluginBase):
        _metadata = PluginMetadata("gate")
        def handle(self, context):
            if any(each["name"].endswith(".exe") for each in context.attachments): context.stop("no programs here")
    """
    server = start(gate=source)
    ana = server.person("ana")

    def sends(name: str) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {ana.token}"}
        url = f"{server.url}/files?name={name}"
        id = httpx.post(url, content=b"x", headers=headers, trust_env=False).json()["id"]
        return ana.asks(type="TEXT", content="", attachments=[{"id": id}])

    assert sends("a.exe")["content"] == "no programs here" and sends("a.pdf")["type"] == "TEXT"
