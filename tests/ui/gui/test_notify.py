"""Whether an arrival is told, and by what; whether there is a desktop to tell it on."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.client import words
from alonechat.core.client.model import Arrived, Connection, Listed, Model, Summary, Welcomed
from alonechat.core.client.preferences import Preferences
from alonechat.ui.gui import notify, system
from alonechat.ui.gui.banner import sentence
from alonechat.ui.gui.typing import sentence as typists

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def english() -> None:
    words.choose("en")


def model() -> Model:
    """Ana's, with a room that is muted."""
    found = Model()
    found.apply(Welcomed({"username": "ana"}, {"id": "s"}, {}))
    found.apply(Listed((Summary("#loud", "room"), Summary("#quiet", "room", muted=True))))
    return found


def arrived(target: str = "#loud", live: bool = True, **more: Any) -> Arrived:
    """A text of bo's."""
    event = {"type": "TEXT", "sender": "bo", "target": target, "content": "hello", "id": "m", "seq": 1, **more}
    return Arrived(target, event, live)


ALL, SOME = Preferences(notify="all"), Preferences()


@pytest.mark.parametrize(
    ("change", "preferences", "told"),
    [
        (arrived(), ALL, True),
        (arrived(), SOME, False),
        (arrived(mentions=["ana"]), SOME, True),
        (arrived(mentions=["*"]), SOME, True),
        (arrived("bo"), SOME, True),
        (arrived("bo"), replace(SOME, notify="none"), False),
        (arrived("#quiet"), ALL, False),
        (arrived("#quiet", mentions=["ana"]), ALL, True),
        (arrived(sender="ana"), ALL, False),
        (arrived(type="JOIN"), ALL, False),
        (arrived(live=False), ALL, False),
    ],
)
def test_what_is_told(change: Arrived, preferences: Preferences, told: bool) -> None:
    assert (notify.due(change, model(), preferences, in_front=False) is not None) is told
    assert notify.due(change, model(), preferences, in_front=True) is None


def test_a_notice_names_who_and_where_and_nothing_that_lies() -> None:
    found = notify.due(arrived(mentions=["ana"], content="a\u202eb" + "x" * 500), model(), SOME, False)
    assert found is not None and found.title == "bo in #loud"
    assert "\\u202e" in found.text and len(found.text) < 180


def test_it_is_told_by_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    heard: list[str] = []
    assert sys.platform != "linux" or notify.command("a", "b") is None
    if sys.platform == "linux":
        assert "libnotify-bin" in notify._shown("a", "b")
        tool = tmp_path / "notify-send"
        tool.write_text(f'#!/bin/sh\n[ "$1" = --help ] || echo "$@" > "{tmp_path}/said"\n')
        tool.chmod(0o755)
        assert notify._shown("-t", "b") == f"Shown by {tool}."
        assert (tmp_path / "said").read_text().strip() == "--app-name=AloneChat -- -t b"
        tool.write_text("#!/bin/sh\necho no bus >&2\nexit 1\n")
        assert notify._shown("a", "b") == f"{tool} failed: no bus"
    assert heard == []


def test_a_toast_is_one_of_a_program_that_windows_knows_and_its_texts_are_no_code() -> None:
    script = base64.b64decode(notify._toast("a';rm", "b")).decode("utf-16-le")
    assert "CreateToastNotifier('AloneChat')" in script and "rm" not in script
    if sys.platform == "win32":
        import winreg

        system.settle()
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, r"Software\Classes\AppUserModelId\AloneChat") as key:
            assert winreg.QueryValueEx(key, "DisplayName") == ("AloneChat", winreg.REG_SZ)


def test_the_strip_says_how_the_connection_stands() -> None:
    found = model()
    assert sentence(found, 0) == ("", False)
    found.connection = Connection("connected", 0)
    assert sentence(found, 100) == ("", False)
    found.connection = Connection("catching up", 0)
    assert sentence(found, 100) == ("Catching up…", False)
    found.connection = Connection("offline", 0, 104.2)
    text, offers = sentence(found, 100)
    assert text.startswith("Offline since ") and text.endswith("trying again in 5 s.") and offers
    assert typists([]) == "" and typists(["bo"]) == "bo is typing…"
    assert typists(["bo", "cy"]) == "bo and cy are typing…" and typists(["a", "b", "c"]) == "3 people are typing…"


def client(code: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs the client's face in a process of its own."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home), **env}
    given.pop("WAYLAND_DISPLAY", None)
    if "DISPLAY" not in env:
        given.pop("DISPLAY", None)
    return subprocess.run(
        [sys.executable, "-c", code], env=given, capture_output=True, text=True, timeout=60, check=False, cwd=home
    )


OPEN = (
    "from alonechat.ui import gui\nfrom alonechat.core.client.opening import Unusable\n"
    "try:\n    gui.run(None)\nexcept Unusable as why:\n    print(why)\n"
)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere: X11")
def test_without_a_display_or_tk_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    said = client(OPEN, tmp_path).stdout
    assert said.strip() == "the desktop client needs a display (DISPLAY is not set); over ssh, connect with: ssh -X"
    hidden = "import sys\nsys.modules['tkinter'] = None\n"
    said = client(hidden + OPEN, tmp_path, DISPLAY=":0").stdout
    assert said.startswith("the desktop client needs Python's Tk; install it with: sudo ")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere: X11")
def test_without_a_display_the_next_face_opens(tmp_path: Path, needs_program: Callable[[str], str]) -> None:
    code = "import sys\nsys.argv = ['alonechat', 'client']\nfrom alonechat.cli import main\nmain()\n"
    done = client(code, tmp_path, TERM="dumb")
    assert "DISPLAY is not set" in done.stderr and "terminal client" in done.stderr
