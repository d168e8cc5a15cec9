"""The line mode with input that no terminal of today gives, but pipes and old ones do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.people import People
from tests.ui.tui.tui import signed_in


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
