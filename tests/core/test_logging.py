"""Log lines: where they go, how they look, what never appears in them, and what a slow or full disk does."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from alonechat.config import Settings
from alonechat.core.logging import HIDDEN, LoggingManager, auto_configure, get_logger, hide_secrets, is_secret, mask
from alonechat.errors import StartError

ROOT = Path(__file__).resolve().parents[2]
SECRET = "Zq7vXw9Kp2Lm"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.dGhlLXNpZ25hdHVyZS1vZi1pdA"


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., LoggingManager]]:
    """`started(**settings)`: a running manager whose files lie in tmp_path; stopped after the test."""
    managers: list[LoggingManager] = []

    def start(waiting: int = 10_000, **settings: Any) -> LoggingManager:
        manager = LoggingManager(waiting)
        manager.start(Settings(**{"env": "production", "log_dir": tmp_path / "logs", **settings}))
        managers.append(manager)
        return manager

    yield start
    for manager in managers:
        manager.stop()


def lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a log file, which are JSON."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# --- where lines go ---


@pytest.mark.parametrize(("env", "directory"), [("development", "dev"), ("production", "prod"), ("testing", "test")])
def test_each_profile_has_a_directory_and_errors_a_file_of_their_own(
    started: Callable[..., LoggingManager], tmp_path: Path, env: str, directory: str
) -> None:
    manager = started(env=env)
    log = get_logger("alonechat.test")
    log.info("somebody came", user="ana", connection="c1")
    log.error("it broke", code=7)
    manager.stop()
    everything = lines(tmp_path / "logs" / directory / "alonechat.log")
    errors = lines(tmp_path / "logs" / directory / "alonechat_errors.log")
    assert [line["event"] for line in everything] == ["somebody came", "it broke"]
    assert [line["event"] for line in errors] == ["it broke"]
    line = everything[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "logger": "alonechat.test",
        "event": "somebody came",
        "user": "ana",
        "connection": "c1",
    }


def test_the_console_gets_json_in_production_and_lines_to_read_in_development(
    started: Callable[..., LoggingManager], capsys: pytest.CaptureFixture[str]
) -> None:
    for env in ("production", "development"):
        manager = started(env=env)
        get_logger("alonechat.test").info("somebody came", user="ana")
        manager.stop()
    json_line, plain = capsys.readouterr().err.splitlines()
    assert json.loads(json_line)["user"] == "ana"
    assert "somebody came" in plain
    assert "user=ana" in plain
    assert "\x1b" not in plain, "no colours where the console is no terminal"


def test_a_development_console_shows_debug_lines_only_when_verbose(
    started: Callable[..., LoggingManager], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verbose in (False, True):
        manager = started(env="development", verbose=verbose)
        get_logger("alonechat.test").debug(f"verbose is {verbose}")
        manager.stop()
    assert [line["event"] for line in lines(tmp_path / "logs/dev/alonechat.log")] == [
        "verbose is False",
        "verbose is True",
    ]
    assert "verbose is False" not in (said := capsys.readouterr().err)
    assert "verbose is True" in said


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", ["", "1"])
@pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: colours need colorama there")
def test_a_terminal_gets_colours_unless_it_wants_none(
    started: Callable[..., LoggingManager], monkeypatch: pytest.MonkeyPatch, no_color: str
) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("NO_COLOR", no_color)
    manager = started(env="development")
    get_logger("alonechat.test").warning("look")
    manager.stop()
    assert ("\x1b[" in terminal.getvalue()) is not bool(no_color)


def test_what_people_send_can_not_forge_lines_or_move_the_cursor(
    started: Callable[..., LoggingManager], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manager = started(env="development")
    get_logger("alonechat.test").info("named\x1b[2J", user="ana\n2026-11-23 forged\r\x9b1m\u202e")
    manager.stop()
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert not set("\x1b\r\x9b\u202e") & set(said)
    assert len((tmp_path / "logs/dev/alonechat.log").read_bytes().splitlines()) == 1


def test_the_level_is_a_setting(started: Callable[..., LoggingManager], tmp_path: Path) -> None:
    manager = started(log_level="warning")
    log = get_logger("alonechat.test")
    log.info("not this")
    log.warning("but this")
    manager.stop()
    assert [line["event"] for line in lines(tmp_path / "logs/prod/alonechat.log")] == ["but this"]


def test_lines_of_libraries_are_written_too_with_their_traceback(
    started: Callable[..., LoggingManager], tmp_path: Path
) -> None:
    manager = started()
    logging.getLogger("some.library").warning("took %d s", 5)
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("some.library").exception("it failed")
        get_logger("alonechat.test").exception("so did we")
    manager.stop()
    first, second, third = lines(tmp_path / "logs/prod/alonechat.log")
    assert first["event"] == "took 5 s"
    assert first["logger"] == "some.library"
    for line in (second, third):
        assert "ValueError: odd" in line["exception"]
        assert "test_logging.py" in line["exception"]


def test_frames_headers_and_paths_of_libraries_stay_out(started: Callable[..., LoggingManager], tmp_path: Path) -> None:
    manager = started(verbose=True)
    logging.getLogger("websockets.server").debug("< TEXT '%s'", SECRET)
    logging.getLogger("uvicorn.access").info("GET /?token=%s", SECRET)
    logging.getLogger("sqlalchemy.engine").info("INSERT … %s", SECRET)
    logging.getLogger("uvicorn.error").warning("kept")
    manager.stop()
    assert [line["event"] for line in lines(tmp_path / "logs/prod/alonechat.log")] == ["kept"]


def test_ids_that_were_bound_are_on_every_line(started: Callable[..., LoggingManager], tmp_path: Path) -> None:
    manager = started()
    with structlog.contextvars.bound_contextvars(request="r1"):
        get_logger("alonechat.test").info("one")
        get_logger("alonechat.test").bind(connection="c2").info("two")
    get_logger("alonechat.test").info("three")
    manager.stop()
    found = lines(tmp_path / "logs/prod/alonechat.log")
    assert [(line.get("request"), line.get("connection")) for line in found] == [
        ("r1", None),
        ("r1", "c2"),
        (None, None),
    ]


# --- starting and stopping ---


def test_after_stop_every_logger_is_as_it_was(started: Callable[..., LoggingManager]) -> None:
    root, quiet = logging.getLogger(), logging.getLogger("websockets")
    before = (root.level, list(root.handlers), quiet.level)
    manager = started()
    assert root.level == logging.INFO
    manager.stop()
    manager.stop()
    assert (root.level, list(root.handlers), quiet.level) == before


def test_a_manager_starts_once_at_a_time_and_can_start_again(
    started: Callable[..., LoggingManager], tmp_path: Path
) -> None:
    manager = started()
    settings = Settings(env="production", log_dir=tmp_path / "logs")
    with pytest.raises(StartError, match="started already"):
        manager.start(settings)
    manager.stop()
    manager.start(settings)
    get_logger("alonechat.test").warning("again")
    manager.stop()
    assert [line["event"] for line in lines(tmp_path / "logs/prod/alonechat.log")] == ["again"]


def test_a_directory_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file where the directory should be")
    with pytest.raises(StartError, match=r"alonechat\.log can't be written: .*; --log-dir names another directory"):
        LoggingManager().start(Settings(log_dir=tmp_path / "logs"))
    assert not [each for each in logging.getLogger().handlers if "alonechat" in type(each).__module__]


def test_an_errors_file_that_can_not_be_written_leaves_no_file_open(tmp_path: Path) -> None:
    (tmp_path / "logs/prod/alonechat_errors.log").mkdir(parents=True)
    with pytest.raises(StartError, match=r"alonechat_errors\.log can't be written"):
        LoggingManager().start(Settings(env="production", log_dir=tmp_path / "logs"))
    if os.path.isdir("/proc/self/fd"):
        opened = [os.path.realpath(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")]
        assert not [each for each in opened if each.startswith(str(tmp_path))]


def test_before_logging_starts_warnings_go_to_stderr_plainly_and_structlog_is_not_loaded() -> None:
    code = (
        "import sys; from alonechat.core.logging import get_logger; log = get_logger('alonechat.x')\n"
        "assert 'structlog' not in sys.modules\n"
        "log.info('hush'); log.warning('mind', step=2, password='Zq7vXw9Kp2Lm')"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout == ""
    assert ended.stderr == f"mind step=2 password={HIDDEN}\n"


def test_auto_configure_starts_once_from_the_environment_and_writes_all_at_exit(tmp_path: Path) -> None:
    code = (
        "from alonechat.core.logging import auto_configure, get_logger\n"
        "assert auto_configure() is auto_configure()\n"
        "get_logger('alonechat.x').info('bye')"
    )
    environ = {**os.environ, "ALONECHAT_ENV": "production", "ALONECHAT_LOG_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert [line["event"] for line in lines(tmp_path / "prod/alonechat.log")] == ["bye"]


def test_auto_configure_takes_settings_and_starts_anew_after_a_stop(tmp_path: Path) -> None:
    first = auto_configure(Settings(log_dir=tmp_path))
    assert auto_configure() is first
    first.stop()
    second = auto_configure(Settings(log_dir=tmp_path))
    second.stop()
    assert second is not first


# --- files that grow, disks that fail ---


def test_a_full_file_is_followed_by_the_next_and_so_many_are_kept(
    started: Callable[..., LoggingManager], tmp_path: Path
) -> None:
    manager = started(log_max_bytes=1024, log_keep=2)
    for number in range(60):
        get_logger("alonechat.test").info("a line", number=number)
    manager.stop()
    kept = sorted(path.name for path in (tmp_path / "logs/prod").glob("alonechat.log*"))
    assert kept == ["alonechat.log", "alonechat.log.1", "alonechat.log.2"]
    assert all((tmp_path / "logs/prod" / name).stat().st_size <= 1024 for name in kept)
    numbers = [line["number"] for name in reversed(kept) for line in lines(tmp_path / "logs/prod" / name)]
    assert numbers == list(range(60 - len(numbers), 60))


def test_keeping_none_begins_the_file_anew(started: Callable[..., LoggingManager], tmp_path: Path) -> None:
    manager = started(log_max_bytes=1024, log_keep=0)
    for number in range(60):
        get_logger("alonechat.test").info("a line", number=number)
    manager.stop()
    assert [path.name for path in (tmp_path / "logs/prod").glob("alonechat.log*")] == ["alonechat.log"]
    found = lines(tmp_path / "logs/prod/alonechat.log")
    assert found[-1]["number"] == 59
    assert len(found) < 20


class _Gate(logging.Handler):
    """Holds the writing thread until it is opened, as a disk does that hangs."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.opened = threading.Event(), threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.reached.set()
        assert self.opened.wait(30)


def test_lines_that_come_faster_than_the_disk_are_dropped_counted_and_reported(
    started: Callable[..., LoggingManager], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = _Gate()
    monkeypatch.setattr("alonechat.core.logging._console", lambda settings: [gate])
    manager = started(waiting=5)
    log = get_logger("alonechat.test")
    log.info("first")
    assert gate.reached.wait(10)
    for number in range(12):
        log.info("more", number=number)
    assert manager.dropped == 7
    gate.opened.set()
    manager.stop()
    found = lines(tmp_path / "logs/prod/alonechat.log")
    assert [line["number"] for line in found if line["event"] == "more"] == [0, 1, 2, 3, 4]
    assert [line["event"] for line in found if "dropped" in line["event"]] == [
        "7 log lines were dropped: they came faster than they could be written"
    ]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="elsewhere: /dev/full is Linux's")
def test_a_full_disk_is_said_once_on_stderr(
    started: Callable[..., LoggingManager], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs/prod").mkdir(parents=True)
    (tmp_path / "logs/prod/alonechat.log").symlink_to("/dev/full")
    manager = started()
    for _ in range(3):
        get_logger("alonechat.test").info("lost")
    manager.stop()
    assert len(re.findall(r"alonechat\.log can't be written: .*No space left", capsys.readouterr().err)) == 1


# --- what never appears ---


@pytest.mark.parametrize(
    "text",
    [
        f"GET /?token={SECRET}&x=1",
        f"Authorization: Bearer {SECRET}",
        f"headers: [('authorization', 'bearer {SECRET}')]",
        f"postgresql://chat:{SECRET}@db.lan/chat",
        f"password={SECRET}",
        f"new_password='{SECRET} and more'",
        f'{{"type": "TEXT", "content": "hi \\" {SECRET}"}}',
        f"{{'password': '{SECRET}', 'name': 'ana'}}",
        f"[SQL: INSERT INTO events …]\n[parameters: ('{SECRET}', 5)]",
        f"jwt_secret={SECRET}",
        f"otp={SECRET}",
    ],
)
def test_what_looks_like_a_secret_is_masked_in_texts(text: str) -> None:
    assert SECRET not in mask(text)
    assert HIDDEN in mask(text)


def test_a_token_is_masked_wherever_it_stands() -> None:
    assert mask(f"sign-in with {JWT} failed") == f"sign-in with {HIDDEN} failed"


def test_ordinary_texts_are_left_as_they_are() -> None:
    for text in ("room #tea has 5 members", "GET /users/{name} 200", "a=1 b=2", "", "the token has expired", "数据"):
        assert mask(text) == text


@pytest.mark.parametrize(
    ("key", "hidden"),
    [
        ("password", True),
        ("new_password", True),
        ("Authorization", True),
        ("accessToken", True),
        ("jwt_secret", True),
        ("content", True),
        ("set-cookie", True),
        ("content_length", False),
        ("token_days", False),
        ("invite_id", False),
        ("context", False),
        ("user", False),
        ("", False),
    ],
)
def test_values_are_hidden_by_the_name_they_are_logged_under(key: str, hidden: bool) -> None:
    assert is_secret(key) is hidden


_names = st.sampled_from(["password", "old_password", "token", "accessToken", "content", "JWT_SECRET", "cookie", "otp"])
_plain = st.text(max_size=20) | st.integers() | st.booleans() | st.none() | st.binary(max_size=8)
_held = st.recursive(
    st.fixed_dictionaries({}, optional={"user": _plain}).flatmap(
        lambda rest: _names.map(lambda name: {**rest, name: SECRET})
    ),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, min_size=1, max_size=3)
        | st.tuples(_plain, inner)
    ),
    max_leaves=6,
)


@given(_held, st.text(max_size=10))
def test_no_shape_of_values_lets_a_secret_through(held: Any, key: str) -> None:
    shown = hide_secrets(None, "info", {"event": "x", key.lstrip("_"): held})
    assert SECRET not in repr(shown)
    assert SECRET not in json.dumps(shown, default=repr)


@given(st.text(alphabet=st.characters(exclude_characters="\"'\\ \t\r\n&;,)]}"), max_size=12), _names)
def test_a_secret_in_a_text_does_not_show_whatever_stands_around_it(around: str, name: str) -> None:
    for text in (
        f"{around} {name}={SECRET} {around}",
        f'{around} {{"{name}": "{SECRET}"}}',
        f"{around} Bearer {SECRET}",
    ):
        assert SECRET not in mask(text)


@given(st.dictionaries(st.text(max_size=8), _plain, max_size=5), st.text(max_size=30))
def test_every_line_is_one_line_of_json(values: dict[str, Any], event: str) -> None:
    from alonechat.core.logging import _formatter, _json

    record = logging.LogRecord("alonechat.x", logging.INFO, __file__, 1, {**values, "event": event}, None, None)
    record._logger, record._name = None, "info"  # what structlog's hand-over leaves on a record
    line = _formatter(_json()).format(record)
    assert "\n" not in line
    assert json.loads(line)["level"] == "info"


def test_later_changes_of_a_value_do_not_reach_its_line(started: Callable[..., LoggingManager], tmp_path: Path) -> None:
    manager = started()
    members = ["ana"]
    get_logger("alonechat.test").info("room", members=members)
    members.append("bo")
    manager.stop()
    assert lines(tmp_path / "logs/prod/alonechat.log")[0]["members"] == ["ana"]


def test_a_secret_in_a_traceback_is_masked(started: Callable[..., LoggingManager], tmp_path: Path) -> None:
    manager = started()
    try:
        raise RuntimeError(f"GET /?token={SECRET} failed")
    except RuntimeError:
        get_logger("alonechat.test").exception("it failed")
        logging.getLogger("some.library").exception("it failed, password=%s", SECRET)
    manager.stop()
    for name in ("alonechat.log", "alonechat_errors.log"):
        assert SECRET not in (tmp_path / "logs/prod" / name).read_text()
