"""docs/BOTS.md: its bot answers, its shell lines do what the page says, and it names every public name there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat.core import client
from alonechat.core.client import Account, Accounts, Session
from alonechat.testing import Server, serving

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "BOTS.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server, and a machine on which robot is signed in."""
    with serving(tmp_path / "server") as running:
        running.register("robot")
        account = Account(running.url, "robot", running.token("robot"), running.ws_url)
        Accounts(tmp_path / "alonechat" / "accounts.json").save(account)
        yield running


def environ(home: Path) -> dict[str, str]:
    """Where `alonechat` is this tree's."""
    program = home / "bin" / "alonechat"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m alonechat "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "XDG_CONFIG_HOME": str(home), "PYTHONPATH": str(ROOT), "PATH": path}


@pytest.mark.skipif(os.name == "nt", reason="elsewhere: `alonechat` of the page is a script with a first line")
def test_the_bot_of_the_page_answers_in_rooms_and_directly(server: Server, tmp_path: Path) -> None:
    [code] = blocks("python")
    ana = server.person("ana")
    bot = subprocess.Popen([sys.executable, "-c", code], env=environ(tmp_path), stderr=subprocess.PIPE)
    try:
        ana.hears("PRESENCE", sender="robot", content="online")
        for target in ("#lobby", "robot"):
            asked = ana.says("ping", target)
            answer = ana.hears("TEXT", sender="robot")
            assert (answer["content"], answer["ref"]) == ("pong", asked["id"])
        assert bot.poll() is None
    finally:
        bot.kill()
        assert bot.communicate()[1] == b""


@pytest.mark.skipif(os.name != "posix", reason="elsewhere: a shell of POSIX")
def test_the_shell_lines_of_the_page_talk(server: Server, tmp_path: Path) -> None:
    [_, lines] = blocks("sh")
    ran = subprocess.run(["sh", "-ec", lines], env=environ(tmp_path), capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    shown = ran.stdout.splitlines()
    assert len(shown) == 2 and shown[1].endswith("#lobby <robot> The backup is done.")


def test_the_page_names_what_there_is() -> None:
    documented = set(re.findall(r"\w+", PAGE))
    assert set(client.__all__) - {"Closed", "End"} <= documented, "those two never reach a bot"
    public = {name for name in vars(Session) if not name.startswith("_")} - {"start", "close", "account", "tell"}
    assert public <= documented
