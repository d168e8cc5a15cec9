"""Every phase is called when the page says so, may do what it says, and a hook's failure stays its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from alonechat.core.server import HookContext, HookPhase
from alonechat.testing import Server, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as found:
        yield found


class Seen:
    """Notes the contexts of each phase, in order."""

    def __init__(self, server: Server, *phases: HookPhase) -> None:
        self.found: list[HookContext] = []
        self._came = threading.Condition()
        for phase in phases:
            server.manager.register_hook(phase, self.note)

    def note(self, context: HookContext) -> None:
        with self._came:
            self.found.append(context)
            self._came.notify_all()

    def wait(self, count: int) -> list[HookContext]:
        with self._came:
            assert self._came.wait_for(lambda: len(self.found) >= count, 10), self.found
            return self.found


def test_the_phases_of_a_connection_come_in_their_order(server: Server) -> None:
    phases = [p for p in HookPhase if p.name.endswith(("CONNECT", "AUTHENTICATE"))]
    seen = Seen(server, *phases)
    ana = server.person("ana")
    ana.close()
    found = seen.wait(6)
    assert [c.phase.name for c in found] == [
        "PRE_CONNECT", "PRE_AUTHENTICATE", "POST_AUTHENTICATE", "POST_CONNECT", "PRE_DISCONNECT", "POST_DISCONNECT",
    ]  # fmt: skip
    assert found[0].sender == "" and found[0].address == "127.0.0.1"
    assert {c.sender for c in found[2:]} == {"ana"}


def test_the_phases_of_a_message_come_in_their_order(server: Server) -> None:
    ana = server.person("ana")
    seen = Seen(
        server, HookPhase.PRE_MESSAGE, HookPhase.PRE_BROADCAST, HookPhase.POST_BROADCAST, HookPhase.POST_MESSAGE
    )
    event = ana.says("hello")
    found = seen.wait(4)
    assert [c.phase.name for c in found] == ["PRE_MESSAGE", "PRE_BROADCAST", "POST_BROADCAST", "POST_MESSAGE"]
    assert found[0].event is None and (found[0].sender, found[0].target, found[0].content) == ("ana", "#lobby", "hello")
    assert all(c.event == event for c in found[1:])


def test_the_phases_of_a_command(server: Server) -> None:
    ana = server.person("ana")
    seen = Seen(server, HookPhase.PRE_COMMAND, HookPhase.POST_COMMAND)
    assert ana.asks(type="TEXT", content="/who")["type"] == "NOTICE"
    assert [(c.phase.name, c.content) for c in seen.wait(2)] == [("PRE_COMMAND", "/who"), ("POST_COMMAND", "/who")]


def test_a_hook_changes_what_is_stored_and_heard(server: Server) -> None:
    ana, bo = server.person("ana"), server.person("bo")

    def whisper(context: HookContext) -> HookContext:
        context.content = context.content.lower()
        return context

    server.manager.register_hook(HookPhase.PRE_MESSAGE, whisper)
    event = ana.says("LOUD")
    assert event["content"] == "loud" and bo.hears("TEXT") == event
    assert ana.asks(type="HISTORY", target="#lobby")["events"][-1]["content"] == "loud"
    assert server.manager.unregister_hook(HookPhase.PRE_MESSAGE, whisper)
    assert ana.says("LOUD")["content"] == "LOUD"


def test_a_hook_stops_a_message_and_its_sender_reads_why(server: Server) -> None:
    ana, bo = server.person("ana"), server.person("bo")

    async def stop(context: HookContext) -> None:
        await asyncio.sleep(0)
        if "spam" in context.content:
            context.stop("no spam here")

    server.manager.register_hook(HookPhase.PRE_MESSAGE, stop)
    refused = ana.asks(type="TEXT", content="spam")
    assert (refused["type"], refused["code"], refused["content"]) == ("ERROR", "forbidden", "no spam here")
    ana.says("fine")
    assert bo.hears("TEXT")["content"] == "fine"


def test_a_hook_stops_a_command(server: Server) -> None:
    ana = server.person("ana")
    server.manager.register_hook(HookPhase.PRE_COMMAND, lambda context: context.stop("closed today"))
    assert ana.asks(type="TEXT", content="/who")["content"] == "closed today"


@pytest.mark.parametrize("phase", [HookPhase.PRE_CONNECT, HookPhase.PRE_AUTHENTICATE, HookPhase.POST_AUTHENTICATE])
def test_a_hook_turns_a_connection_away(server: Server, phase: HookPhase) -> None:
    server.register("ana")
    token = server.token("ana")
    server.manager.register_hook(phase, lambda context: context.stop("not today"))
    with connect(server.ws_url, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None) as ws:
        assert '"not today"' in str(ws.recv(10))
        with pytest.raises(Exception) as closed:
            ws.recv(10)
    assert closed.value.rcvd.code == 4403  # type: ignore[attr-defined]


def test_hooks_run_by_priority_and_then_in_order(server: Server) -> None:
    ana = server.person("ana")
    for priority, mark in ((100, "b"), (100, "c"), (50, "a")):

        def add(context: HookContext, mark: str = mark) -> HookContext:
            context.content += mark
            return context

        server.manager.register_hook(HookPhase.PRE_MESSAGE, add, priority)
    assert ana.says("-")["content"] == "-abc"


def test_a_hook_that_fails_changes_nothing(server: Server) -> None:
    ana = server.person("ana")

    def broken(context: HookContext) -> None:
        context.content = "half done"
        raise ValueError("a plugin's fault")

    server.manager.register_hook(HookPhase.PRE_MESSAGE, broken)
    server.manager.register_hook(HookPhase.POST_MESSAGE, broken)
    assert ana.says("whole")["content"] == "whole"
    assert ana.says("and again")["content"] == "and again"


def test_a_hook_that_takes_too_long_is_left_behind(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alonechat.core.server.hooks.DEADLINE", 0.05)
    ana = server.person("ana")

    async def hang(context: HookContext) -> None:
        await asyncio.Event().wait()

    server.manager.register_hook(HookPhase.PRE_MESSAGE, hang)
    assert ana.says("on its way")["content"] == "on its way"


def test_a_resend_is_answered_before_hooks(server: Server) -> None:
    ana = server.person("ana")
    first = ana.says("once", nonce="n")
    server.manager.register_hook(HookPhase.PRE_MESSAGE, lambda context: context.stop("closed"))
    assert ana.asks(type="TEXT", content="once", nonce="n") == first
    assert ana.asks(type="TEXT", content="new", nonce="m")["code"] == "forbidden"


def test_what_is_no_phase_or_no_hook_is_said(server: Server) -> None:
    with pytest.raises(TypeError, match="phase must be a HookPhase, not 'PRE_MESSAGE'"):
        server.manager.register_hook("PRE_MESSAGE", print)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="hook must be a function"):
        server.manager.register_hook(HookPhase.PRE_MESSAGE, 5)  # type: ignore[arg-type]
