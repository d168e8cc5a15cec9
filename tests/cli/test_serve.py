"""`server` and `srv-only`: what they print at start, how they end, and why they may not start."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.shell import SECONDS, Inside, Shell

FREE = ("--host", "127.0.0.1", "--port", "0", "--env", "testing")
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: no such signals or terminals")


class Server:
    """`alonechat server …` as a process, once it has said where it listens."""

    def __init__(self, shell: Shell, *arguments: str) -> None:
        self.process = subprocess.Popen(
            shell.command(*arguments),
            cwd=shell.cwd,
            env=shell.environ({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[tuple[str, str]] = []
        assert self.process.stdout is not None
        self.title = self.process.stdout.readline().rstrip("\n")
        for line in self.process.stdout:
            name, _, value = line.rstrip("\n").partition(": ")
            self.said.append((name, value))
            if name == "owner invite":  # the last line, as long as there is no owner
                break

    def fact(self, name: str) -> str:
        """The first value that it printed under `name`."""
        return next(value for each, value in self.said if each == name)

    def end(self) -> int:
        """Its exit code after SIGTERM."""
        self.process.terminate()
        self.process.communicate(timeout=SECONDS)
        return self.process.returncode


@pytest.fixture
def start(shell: Shell) -> Iterator[Callable[..., Server]]:
    """`start("server", …)`: a running server on free ports; ended after the test."""
    started: list[Server] = []

    def begin(command: str, *arguments: str) -> Server:
        started.append(Server(shell, command, *FREE, *(("--api-port", "0") if command == "server" else ()), *arguments))
        return started[-1]

    yield begin
    for each in started:
        if each.process.poll() is None:
            each.end()


@needs_posix
def test_a_server_says_in_plain_lines_where_it_listens_and_ends_with_0(
    start: Callable[..., Server], shell: Shell
) -> None:
    server = start("server")
    assert server.title.startswith("AloneChat ")
    assert server.fact("data") == str(shell.cwd / "data")
    assert server.fact("logs") == str(shell.cwd / "logs")
    assert server.fact("registration").startswith("open")
    assert server.fact("websocket").startswith("ws://127.0.0.1:")
    with urllib.request.urlopen(server.fact("rest") + "/health", timeout=SECONDS) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(server.fact("docs"), timeout=SECONDS) as answer:
        assert answer.status == 200
    assert server.end() == 0


@needs_posix
def test_the_invite_of_the_owner_is_the_same_until_there_is_one(
    start: Callable[..., Server], shell: Shell, inside: Inside
) -> None:
    first = start("server")
    code = first.fact("owner invite").split()[0]
    assert first.end() == 0
    assert code in inside.ok("invite", "list")
    second = start("server", "--port", "0")
    assert second.fact("owner invite").split()[0] == code
    assert second.end() == 0
    inside.ok("user", "add", "ana", "--role", "owner", "--no-password")
    third = subprocess.Popen(
        shell.command("server", *FREE, "--api-port", "0"),
        cwd=shell.cwd,
        env=shell.environ({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert third.stdout is not None
    lines = [third.stdout.readline() for _ in range(7)]
    assert lines[-1].startswith("registration: ")
    third.send_signal(signal.SIGINT)
    rest, _ = third.communicate(timeout=SECONDS)
    assert "owner invite" not in rest
    assert third.returncode == 0


@needs_posix
def test_srv_only_serves_no_rest(start: Callable[..., Server]) -> None:
    server = start("srv-only")
    assert not {"rest", "docs"} & {name for name, _ in server.said}
    port = int(server.fact("websocket").rstrip("/").rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()
    assert server.end() == 0


@needs_posix
def test_on_a_terminal_it_shows_a_panel_and_ctrl_c_ends_it_with_0(shell: Shell) -> None:
    code, shown = shell.on_terminal("server", *FREE, "--api-port", "0", types=[("Ctrl-C ends it", "\x03")])
    assert code == 0
    assert "╭─" in shown
    assert "ws://127.0.0.1:" in shown
    assert "Traceback" not in shown


def test_a_taken_port_is_one_sentence(shell: Shell, inside: Inside) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = inside.fails("server", *FREE, "--port", port, "--api-port", "0", code=2)
        assert said.startswith(f"port {port} is taken")
        said = shell.fails("server", *FREE, "--api-port", port, code=2)
        assert said.startswith(f"port {port} is taken")


def test_a_directory_that_can_not_be_written_is_one_sentence(shell: Shell) -> None:
    Path(shell.cwd, "taken").write_text("a file where the directory should be")
    for flag in ("--data-dir", "--log-dir"):
        said = shell.fails("server", *FREE, "--api-port", "0", flag, "taken", code=2)
        assert "can't be written" in said
        assert f"{flag} names another" in said
