"""What all tests share: a clean environment, the built file, servers as processes, and a limit on their time."""

from __future__ import annotations

import faulthandler
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.people import People
from tests.journeys.process import ServerProcess
from tests.turns import Turns
from tools.bundle import archive, commands, system

ROOT = Path(__file__).resolve().parents[1]
TEST_SECONDS = 120
SETUP_SECONDS = 300
"""Setting up may build the file, and the first build fetches packages."""
ELSEWHERE = "elsewhere: "
"""How the reason of a skip begins when no machine of this kind can run the test. With CI=true any other skip fails."""
OTHERS = ("JWT_SECRET", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "PYTHONDONTWRITEBYTECODE")
"""Variables that programs heed and that tests set themselves. (Without bytecode each of some hundred programs that are
started would compile what it imports.)"""

TURNS = pytest.StashKey[Turns]()
_numbers = itertools.count(1)
_given = dict(os.environ)
"""The environment before it is cleaned: the build needs the user's own directories."""


def pytest_configure(config: pytest.Config) -> None:
    """No setting or directory of whoever runs the tests reaches them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # run with `&`: what tests start would ignore it, too
    for name in list(os.environ):
        if name.startswith("ALONECHAT_") or name in OTHERS:
            del os.environ[name]
    private = tempfile.mkdtemp(prefix="alonechat-tests-")
    config.add_cleanup(lambda: shutil.rmtree(private, ignore_errors=True))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        os.environ[f"XDG_{name}_HOME"] = str(Path(private, name.lower()))
    for name in ("APPDATA", "LOCAL_APPDATA"):
        os.environ[f"WIN_PD_OVERRIDE_{name}"] = str(Path(private, name.lower()))
    os.environ["ALONECHAT_CACHE"] = str(ROOT / "build" / "cache")
    if hasattr(config, "workerinput"):  # one of several processes, and no pytest that a test runs
        turns = config.stash[TURNS] = Turns(ROOT / "build" / "turns")
        config.add_cleanup(turns.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a slow test first, so that of test processes side by side none ends with a long one alone; those last
    in which some wait until all others stand still, so that few have to."""
    slow, alone = ({item.path for item in items if item.get_closest_marker(mark)} for mark in ("slow", "alone"))
    items.sort(key=lambda item: (item.path in alone, item.path not in slow))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """One that is marked `alone` waits for the others, before any limit on its time begins."""
    turns = item.config.stash.get(TURNS, None)
    with turns.taken(item.get_closest_marker("alone") is not None) if turns is not None else nullcontext():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with _limited(item, "setting up", SETUP_SECONDS):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with _limited(item, "the test", TEST_SECONDS):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    with _limited(item, "tearing down", TEST_SECONDS):
        return (yield)


class _limited:
    """Ends what hangs with a failure that shows where every thread was. Windows has no such alarm: there
    faulthandler_timeout of pyproject.toml shows the threads."""

    def __init__(self, item: pytest.Item, doing: str, seconds: int) -> None:
        self._what, self._seconds = f"{doing} of {item.nodeid}", seconds

    def __enter__(self) -> None:
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, self._ring)
            # Again every 5 s: an event loop catches what is raised inside one of its callbacks.
            signal.setitimer(signal.ITIMER_REAL, self._seconds, 5)

    def __exit__(self, *_: object) -> None:
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, *_: object) -> None:
        faulthandler.dump_traceback(file=sys.__stderr__, all_threads=True)
        pytest.fail(f"{self._what} took more than {self._seconds} s and was ended")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """With CI=true a test that was skipped for a missing part has failed."""
    report: Any = yield
    if report.skipped and not hasattr(report, "wasxfail") and _given.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith(ELSEWHERE):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped, which CI=true forbids. {reason}"
    return report  # type: ignore[no-any-return]


@pytest.fixture
def needs_program() -> Callable[[str], str]:
    """`needs_program("name")`: its path; skips the test, with the line that installs it, where it is missing."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"{program} is missing: {system.line_for([system.PROGRAMS[program]])}")
        return path

    return find


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that returns a port nobody listens on, another one each time."""
    handed_out: set[int] = set()

    def find() -> int:
        while True:
            with socket.socket() as asked:
                asked.bind(("127.0.0.1", 0))
                port = int(asked.getsockname()[1])
            if port not in handed_out:
                handed_out.add(port)
                return port

    return find


@pytest.fixture
def private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory, which this process and its children take for the user's."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    places = {
        "XDG_CONFIG_HOME": ".config",
        "XDG_DATA_HOME": ".local/share",
        "XDG_STATE_HOME": ".local/state",
        "XDG_CACHE_HOME": ".cache",
        "LOCALAPPDATA": "AppData/Local",
        "APPDATA": "AppData/Roaming",
        "WIN_PD_OVERRIDE_LOCAL_APPDATA": "AppData/Local",
        "WIN_PD_OVERRIDE_APPDATA": "AppData/Roaming",
    }
    for name, path in places.items():
        monkeypatch.setenv(name, str(home / path))
    return home


@pytest.fixture(scope="session")
def pyz() -> Path:
    """The built file, built anew where the tree has changed."""
    if not archive.is_current(False, commands.FILE):
        command = [sys.executable, str(ROOT / "build.py")]
        built = subprocess.run(command, env=_given, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert built.returncode == 0, f"the file can't be built:\n{built.stdout}{built.stderr}"
    return commands.FILE


@pytest.fixture
def start_server(pyz: Path, tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """`start_server(*flags, env={…})`: a server of the built file on free ports. All are ended after the test."""
    started: list[ServerProcess] = []

    def start(*flags: str, **more: Any) -> ServerProcess:
        place = tmp_path / f"server-{len(started)}"
        server = ServerProcess(pyz, place, *flags, **more)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.end()


@pytest.fixture
def server(start_server: Callable[..., ServerProcess]) -> ServerProcess:
    """One running server of the built file."""
    return start_server()


@pytest.fixture(scope="session")
def shared(pyz: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of the built file without a message rate, for all tests that need none of their own: they use names of
    their own."""
    env = {"ALONECHAT_RATE_MESSAGES": "0", "ALONECHAT_RATE_LOGINS": "0"}
    found = ServerProcess(pyz, tmp_path_factory.mktemp("shared"), env=env)
    found.start()
    yield found
    found.end()


@pytest.fixture
def people(shared: ServerProcess) -> Iterator[People]:
    """Who talks to the shared server."""
    with People(shared) as found:
        yield found


@pytest.fixture
def name() -> Callable[[str], str]:
    """`name("ana")`: a name that no other test uses."""
    return lambda stem: f"{stem}{next(_numbers)}"
