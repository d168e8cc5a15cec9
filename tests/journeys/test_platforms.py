"""Windows and macOS, as far as they can be tried elsewhere: every module is imported and what differs is walked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLATFORMS = ("win32", "darwin")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="elsewhere: this is one of them")


def walk(platform: str, place: Path, script: str, keys: str = "") -> str:
    """Runs a script in a process that takes itself for one on `platform`, in the directory `place`; what it printed."""
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tests.journeys.elsewhere import pretend\n"
        f"names = pretend({platform!r}, {keys!r})\n"
        f"place = Path({str(place)!r})\n" + script
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(place), "LOCALAPPDATA": str(place / "Local")}
    del env["ALONECHAT_CACHE"]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=place, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_module_is_imported(platform: str, tmp_path: Path) -> None:
    script = """
import importlib
for name in names:
    importlib.import_module(name)
print(sys.platform, *names)
"""
    said = walk(platform, tmp_path, script)
    assert said.split()[0] == platform
    assert {"alonechat.app", "alonechat.cli.serve", "alonechat.core.server.connection"} < set(said.split())


def test_a_windows_without_curses_says_so(tmp_path: Path) -> None:
    script = """
sys.modules["curses"] = None
from alonechat.core.client.opening import Unusable
from alonechat.ui.tui.terminals import terminal
try:
    terminal()
except Unusable as why:
    print(why)
"""
    said = walk("win32", tmp_path, script)
    assert said == f"there is no curses for Python {sys.version_info.major}.{sys.version_info.minor} here\n"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_secret_is_made_once(platform: str, tmp_path: Path) -> None:
    script = """
from alonechat.config import Settings
def try_in(data):
    first = Settings(data_dir=data).secret()
    assert len(first) >= 32 and Settings(data_dir=data).secret() == first
    assert [path.name for path in data.iterdir()] == ["jwt.secret"]
try_in(place / "data")
def link(*_):
    raise OSError(95, "a stick's file system has no hard links")
os.link = link
try_in(place / "stick")
"""
    walk(platform, tmp_path, script)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_log_lines_reach_their_file(platform: str, tmp_path: Path) -> None:
    script = """
from alonechat.config import Settings
from alonechat.core.logging import LoggingManager, get_logger
manager = LoggingManager()
manager.start(Settings(log_dir=place / "logs", data_dir=place, env="production"))
get_logger("try").error("something", size=3)
manager.stop()
assert '"event": "something"' in (place / "logs" / "prod" / "alonechat_errors.log").read_text("utf-8")
"""
    walk(platform, tmp_path, script)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_accounts_are_kept_and_found(platform: str, tmp_path: Path) -> None:
    script = """
from alonechat.core.client.accounts import Account, Accounts
kept = Accounts(place / "accounts.json")
kept.save(Account("http://127.0.0.1:1", "ana", "token"))
assert Accounts(place / "accounts.json").current().username == "ana"
"""
    walk(platform, tmp_path, script)


SERVES = """
import asyncio, signal, threading
from alonechat import app
from alonechat.config import Settings
places = {"data_dir": place / "data", "log_dir": place / "logs"}
settings = Settings(host="127.0.0.1", port=0, api_port=0, env="testing", **places)
announced = []
def announce(facts):
    announced.append(facts)
    from urllib.request import urlopen
    def ask():
        announced.append(urlopen(facts["rest"] + "/ready", timeout=10).status)
        signal.raise_signal(signal.{sign})
    threading.Timer(0.1, ask).start()
code = app.serve(settings, rest=True, announce=announce)
print(code, announced[1], announced[0]["websocket"].split(":")[0])
"""


@pytest.mark.parametrize(("platform", "sign"), [("win32", "SIGINT"), ("win32", "SIGTERM"), ("darwin", "SIGTERM")])
def test_a_server_runs_and_a_signal_ends_it(platform: str, sign: str, tmp_path: Path) -> None:
    said = walk(platform, tmp_path, SERVES.replace("{sign}", sign))
    assert said.split()[-3:] == ["0", "200", "ws"]


def test_one_data_directory_has_one_server_on_windows_too(tmp_path: Path) -> None:
    script = """
from alonechat import app
from alonechat.errors import StartError
with app.alone(place):
    try:
        with app.alone(place):
            raise SystemExit("both have it")
    except StartError as error:
        print(error)
"""
    assert "another server runs on" in walk("win32", tmp_path, script)


@pytest.mark.parametrize(
    ("platform", "cache"), [("win32", "Local/alonechat/cache"), ("darwin", "Library/Caches/alonechat")]
)
def test_the_file_unpacks_itself_where_the_system_keeps_caches(platform: str, cache: str, tmp_path: Path) -> None:
    script = """
import time, zipfile
from tools.bundle.start import unpack
assert (unpack.fcntl is None) == (sys.platform == "win32")
with zipfile.ZipFile(place / "it.pyz", "w") as packed:
    packed.writestr("site-packages/thing/__init__.py", "x = 1")
for number in range(5):
    site = unpack.find_or_unpack(str(place / "it.pyz"), f"build{number}")
    assert (Path(site) / "thing" / "__init__.py").read_text() == "x = 1"
    os.utime(Path(site).parent / "in-use", (time.time() + number, time.time() + number))
    assert unpack.find_or_unpack(str(place / "it.pyz"), f"build{number}") == site
print(site)
print(*sorted(path.name for path in Path(site).parents[1].iterdir()))
"""
    site, left = walk(platform, tmp_path, script).splitlines()
    assert site == str(tmp_path / cache / "build4" / "site")
    # Windows can't rename what is open; this process has all five open by shared locks where there are locks.
    expected = ["build2", "build3", "build4"] if platform == "win32" else [f"build{number}" for number in range(5)]
    assert left.split() == expected


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_help_is_shown_and_a_password_is_taken(platform: str, tmp_path: Path) -> None:
    script = """
from alonechat import cli
os.environ["ALONECHAT_PASSWORD"] = "correct horse"
code = cli.run(["user", "add", "ana", "--env", "testing"])
assert code == 0, code
raise SystemExit(cli.run(["--help"]))
"""
    assert "srv-only" in walk(platform, tmp_path, script)


def test_keys_are_read_by_windows_own_functions(tmp_path: Path) -> None:
    script = """
from tools import key_press
sys.stdin.isatty = lambda: True
raise SystemExit(key_press.main([]))
"""
    lines = walk("win32", tmp_path, script, keys="a\xe0H\x00;\r\x08\x03x\x03\x03").splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["a", "Up", "F1", "Enter", "Backspace", "Ctrl-C", "x"] + [
        "Ctrl-C"
    ] * 2
    assert "q" in walk("win32", tmp_path, script, keys="q").split()
