"""Clients in terminals."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.people import People
from tests.ui.tui.tui import Tui, signed_in


@pytest.fixture
def tui(pyz: Path, tmp_path: Path) -> Iterator[Callable[..., Tui]]:
    """`tui(people, "ana")`: the terminal client, signed in; `home=` to share what is on disk, `size=(rows, columns)`,
    `env={…}`. `tui(None)` knows no account."""
    if sys.platform == "win32":
        pytest.skip("elsewhere: Windows has no pseudo-terminal that a test can look into")
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
