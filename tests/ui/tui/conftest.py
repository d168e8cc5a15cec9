"""One server of the built file, people who talk to it, and clients in terminals."""

from __future__ import annotations

import itertools
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.people import People
from tests.journeys.process import ServerProcess
from tests.ui.tui.tui import Tui, signed_in

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared(pyz: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server without a message rate: tests use names of their own."""
    env = {"ALONECHAT_RATE_MESSAGES": "0", "ALONECHAT_RATE_LOGINS": "0"}
    server = ServerProcess(pyz, tmp_path_factory.mktemp("tui-server"), env=env)
    server.start()
    yield server
    server.end()


@pytest.fixture
def people(shared: ServerProcess) -> Iterator[People]:
    """Who talks to the server."""
    with People(shared) as found:
        yield found


@pytest.fixture
def name() -> Callable[[str], str]:
    """`name("ana")`: a name that no other test uses."""
    return lambda stem: f"{stem}{next(_numbers)}"


@pytest.fixture
def tui(pyz: Path, tmp_path: Path) -> Iterator[Callable[..., Tui]]:
    """`tui(people, "ana")`: the terminal client, signed in; `home=` to share what is on disk, `size=(rows, columns)`,
    `env={…}`. `tui(None)` knows no account."""
    opened: list[Tui] = []

    def start(people: People | None, *names: str, **more: Any) -> Tui:
        home = more.get("home") or tmp_path / f"home-{len(opened)}"
        env = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE")}
        if people is not None and not more.get("again"):
            env = signed_in(people, home, *names)
        command = more.get("command") or [str(pyz), "client", "--ui", "tui", *more.get("arguments", ())]
        command = [sys.executable, *command]
        if shell := more.get("shell"):  # one with job control, which says how the client ended
            line = shlex.join(command)
            command = [shell, "--norc", "--noprofile", "-i"]
        client = Tui(command, {**env, **more.get("env", {})}, more.get("size", (30, 100)))
        if shell:
            client.type(f"{line}; echo ended with $?\n")
        opened.append(client)
        return client

    yield start
    for client in opened:
        client.close()
