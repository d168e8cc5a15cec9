"""The line mode with input that no terminal of today gives, but pipes and old ones do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alonechat.core.client.accounts import Account, Accounts
from alonechat.testing import Person
from tests.journeys.people import People
from tests.journeys.process import ServerProcess
from tests.ui.tui.tui import Tui, signed_in

Name = Callable[[str], str]
Open = Callable[..., Tui]


def opened(pyz: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    """The line mode, with pipes."""
    return subprocess.Popen(
        [sys.executable, str(pyz), "client", "--ui", "line", "--lang", "en"],
        env={**os.environ, **env, "PYTHONIOENCODING": "utf-8"}, encoding="utf-8",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def piped(pyz: Path, env: dict[str, str], *lines: str) -> tuple[int, str]:
    """Lines that are in the pipe before the client listens: its exit code, and what it said."""
    line = opened(pyz, env)
    try:
        said, _none = line.communicate("".join(f"{each}\n" for each in lines), timeout=60)
        return line.returncode, said
    finally:
        line.kill()
        line.wait()


def told(line: subprocess.Popen[str], text: str) -> list[str]:
    """What the client says, up to a line that holds a text."""
    assert line.stdout is not None
    found: list[str] = []
    while not found or text not in found[-1]:
        found.append(line.stdout.readline())
        assert found[-1], f"it ended without {text!r}:\n{''.join(found)}"
    return found


def said_in(person: Person, target: str, *senders: str) -> list[str]:
    """The texts of these people in a conversation."""
    events = person.asks(type="HISTORY", target=target, limit=100)["events"]
    return [each["content"] for each in events if each["type"] == "TEXT" and each["sender"] in senders]


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_bytes_that_are_no_text_are_sent_as_far_as_they_are(
    pyz: Path, people: People, name: Callable[[str], str], tmp_path: Path, errors: str
) -> None:
    ana = name("ana")
    env = {**os.environ, **signed_in(people, tmp_path, ana), "PYTHONIOENCODING": f"utf-8:{errors}"}
    line = subprocess.Popen(
        [sys.executable, str(pyz), "client", "--ui", "line"],
        env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert line.stdin is not None and line.stdout is not None
    try:
        while b"Connected." not in line.stdout.readline():
            assert line.poll() is None
        said, _none = line.communicate(f"/go {ana}\ncaf".encode() + b"\xe9\nand after it\n", timeout=20)
        assert b"Traceback" not in said and line.returncode == 0
        assert f"<{ana}> caf\N{REPLACEMENT CHARACTER}".encode() in said and f"<{ana}> and after it".encode() in said
    finally:
        line.kill()
        line.wait()


def test_what_the_server_refuses_is_said_in_chinese(
    pyz: Path, people: People, name: Callable[[str], str], tmp_path: Path
) -> None:
    ana, bo, room = name("ana"), people.connect(name("bo")), "#" + name("room")
    for person in (bo, people.connect(ana)):
        person.asks(type="JOIN", target=room)
    bo.asks(type="TEXT", target=room, content=f"/mute {ana}")
    env = {**os.environ, **signed_in(people, tmp_path, ana), "PYTHONIOENCODING": "utf-8"}
    line = subprocess.Popen(
        [sys.executable, str(pyz), "client", "--ui", "line", "--lang", "zh"],
        env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
    )  # fmt: skip
    assert line.stdin is not None and line.stdout is not None
    try:
        while "已连接" not in line.stdout.readline():
            assert line.poll() is None
        said, _none = line.communicate(f"/go {room}\nmay I?\n/topic my own\n", timeout=20)
        assert line.returncode == 0, said
        assert f"! 发送失败：版主已将你在 {room} 禁言；你仍可查看消息: may I?" in said
        assert "! 只有该聊天室的版主可以设置话题" in said
    finally:
        line.kill()
        line.wait()


def test_lines_that_come_before_the_connection_are_carried_out_in_order_once_it_stands(
    pyz: Path, people: People, name: Name, tmp_path: Path
) -> None:
    ana, bo, room = name("ana"), people.connect(name("bo")), "#" + name("room")
    for person in (bo, people.connect(ana)):
        person.asks(type="JOIN", target=room)
    lines = (f"/go {room}", "one", "two", f"/go {bo.username}", "for you alone", f"/go {room}", "three")
    code, said = piped(pyz, signed_in(people, tmp_path, ana), *lines)
    assert "no conversation" not in said and code == 0, said
    assert said_in(bo, room, ana) == ["one", "two", "three"] and said_in(bo, ana, ana) == ["for you alone"]
    assert said_in(bo, "#lobby", ana) == []


def test_what_was_typed_too_early_on_a_terminal_is_carried_out_too(
    pyz: Path, people: People, tui: Open, name: Name
) -> None:
    ana, bo, room = name("ana"), people.connect(name("bo")), "#" + name("room")
    for person in (bo, people.connect(ana)):
        person.asks(type="JOIN", target=room)
    line = tui(people, ana, command=[str(pyz), "client", "--ui", "line", "--lang", "en"])
    line.type(f"/go {room}\nhello at once\n")
    line.sees(f"waiting for the connection: /go {room}", f"--- {room}", f"{room} <{ana}> hello at once")
    line.type("/go nowhere at all\n")
    line.sees("no conversation is called nowhere at all", f"you are still in {room}")
    line.type("/quit\n")
    assert line.ends() == 0 and said_in(bo, "#lobby", ana) == []


def test_a_pipe_says_nothing_after_a_go_that_found_nothing_until_one_does(
    pyz: Path, people: People, name: Name, tmp_path: Path
) -> None:
    ana, bo, room = name("ana"), people.connect(name("bo")), "#" + name("room")
    for person in (bo, people.connect(ana)):
        person.asks(type="JOIN", target=room)
    line = opened(pyz, signed_in(people, tmp_path, ana))
    try:
        told(line, "Connected.")
        lines = f"/go #{name('qqxx')}\nfor a few\n/reply no\n/go {room}\nhere I am\n/hit 7\nfor whom?\n"
        said, _none = line.communicate(lines, timeout=60)
        assert said.count("nothing is sent until a /go finds its conversation") == 2, said
        for text in ("for a few", "/reply no", "for whom?"):
            assert f"! not sent: the conversation was not found: {text}\n" in said
        assert line.returncode == 1
    finally:
        line.kill()
        line.wait()
    assert said_in(bo, room, ana) == ["here I am"] and said_in(bo, "#lobby", ana) == []


def test_a_pipe_may_go_at_once_to_a_room_that_it_makes(pyz: Path, people: People, name: Name, tmp_path: Path) -> None:
    ana, bo, room = name("ana"), people.connect(name("bo")), "#" + name("room")
    bo.asks(type="JOIN", target=room + "-of-others")  # its name fits, too
    people.connect(ana).asks(type="JOIN", target=room + "-of-others")
    code, said = piped(pyz, signed_in(people, tmp_path, ana), f"/join {room}", f"/go {room}", "first words")
    assert code == 0, said
    assert said_in(people.connect(ana), room, ana) == ["first words"]
    assert said_in(bo, room + "-of-others", ana) == []


def test_who_is_removed_from_a_room_does_not_go_on_in_the_lobby(
    pyz: Path, people: People, name: Name, tmp_path: Path
) -> None:
    ana, bo, room = name("ana"), people.connect(name("bo")), "#" + name("room")
    for person in (bo, people.connect(ana)):
        person.asks(type="JOIN", target=room)
    line = opened(pyz, signed_in(people, tmp_path, ana))
    assert line.stdin is not None
    try:
        told(line, "Connected.")
        line.stdin.write(f"/go {room}\n")
        line.stdin.flush()
        told(line, f"--- {room}")
        bo.asks(type="TEXT", target=room, content=f"/kick {ana}")
        told(line, "nothing is sent until a /go finds its conversation")
        said, _none = line.communicate("among us\n", timeout=60)
        assert "! not sent: the conversation was not found: among us" in said and line.returncode == 1
    finally:
        line.kill()
        line.wait()
    assert said_in(bo, "#lobby", ana) == []


def test_a_room_that_is_joined_is_where_what_follows_goes(
    pyz: Path, people: People, name: Name, tmp_path: Path
) -> None:
    ana, bo, room, den = name("ana"), people.connect(name("bo")), "#" + name("room"), "#" + name("den")
    bo.asks(type="JOIN", target=room)
    bo.asks(type="JOIN", target=den, access="private")
    env = signed_in(people, tmp_path, ana)
    code, said = piped(pyz, env, f"/join {room}", "a first word")
    assert code == 0 and f"--- {room}" in said and said.count(f"{ana} joined") == 1, said
    code, said = piped(pyz, env, f"/join {room}", "and a second")
    assert code == 0 and f"--- {room}" in said, said
    assert said_in(bo, room, ana) == ["a first word", "and a second"]
    code, said = piped(pyz, env, f"/join {den}", "let me in", f"/go {room}", "a third")
    assert code == 1 and "! not sent: the conversation was not found: let me in" in said, said
    assert said_in(bo, room, ana)[2:] == ["a third"] and said_in(bo, "#lobby", ana) == [], said


def test_what_waits_for_the_first_connection_is_sent_when_it_comes(
    pyz: Path, start_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = start_server()
    with People(server) as people:
        for each in ("ana", "bo"):
            people.connect(each).asks(type="JOIN", target="#room")
        env = signed_in(people, tmp_path, "ana")
        server.end()
        line = opened(pyz, env)
        assert line.stdin is not None
        try:
            line.stdin.write("/go #room\nas soon as may be\n/help\n")
            line.stdin.flush()
            told(line, "Everything else waits for the connection.")
            told(line, "2 lines wait for the connection")
            line.stdin.write("and this\n")
            line.stdin.flush()
            told(line, "waiting for the connection: and this")
            server.start()
            told(line, "<ana> and this")
            line.communicate(timeout=60)
            assert line.returncode == 0
        finally:
            line.kill()
            line.wait()
        bo = people.connect("bo")
        assert said_in(bo, "#room", "ana") == ["as soon as may be", "and this"] and said_in(bo, "#lobby", "ana") == []


def test_what_could_not_be_sent_at_the_end_is_said(pyz: Path, free_port: Callable[[], int], tmp_path: Path) -> None:
    Accounts(tmp_path / "config" / "alonechat" / "accounts.json").save(
        Account(f"http://127.0.0.1:{free_port()}", "ana", "a token", f"ws://127.0.0.1:{free_port()}")
    )
    env = {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "STATE")}
    code, said = piped(pyz, env, "/go #room", "hello")
    assert code == 1, said
    for text in ("/go #room", "hello"):
        assert f"! not sent: there was no connection: {text}\n" in said, said
