"""login, logout, whoami, send and tail, as processes, with a real server."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.client import Account, Accounts
from alonechat.testing import PASSWORD, Person, Server, serving
from tests.cli.shell import Ended, Inside

ROOT = Path(__file__).parents[2]
SECONDS = 15.0


class Following:
    """A command that runs on; its lines as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: queue.Queue[str] = queue.Queue()
        self.errors: queue.Queue[str] = queue.Queue()
        for stream, lines in ((process.stdout, self.lines), (process.stderr, self.errors)):
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()

    @staticmethod
    def _read(stream: Any, lines: queue.Queue[str]) -> None:
        for line in stream:
            lines.put(line.rstrip("\n"))

    def shows(self, count: int = 1) -> list[str]:
        return [self.lines.get(timeout=SECONDS) for _ in range(count)]

    def texts(self, count: int) -> list[str]:
        return [json.loads(line)["content"] for line in self.shows(count)]

    def end(self, sign: int = signal.SIGINT) -> int:
        self.process.send_signal(signal.SIGTERM if sys.platform == "win32" else sign)  # where no other can be sent
        return self.process.wait(SECONDS)


class Shell:
    """A shell of somebody on a machine of their own."""

    def __init__(self, home: Path, server: Server) -> None:
        self.home, self.server = home, server
        self.place = {"XDG_CONFIG_HOME": str(home), "WIN_PD_OVERRIDE_LOCAL_APPDATA": str(home)}
        more = {"HOME": str(home), "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        self.env = {**os.environ, **self.place, **more}
        self.started: list[subprocess.Popen[str]] = []

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "alonechat", *arguments]

    def run(self, *arguments: str, piped: str | bytes = "", **env: str) -> Ended:
        """What ends by itself runs in this process, where it needn't load everything each time."""
        ended = Inside(self.home).run(*arguments, stdin=piped, **self.place, **env)
        assert "Traceback" not in ended.err and "Warning" not in ended.err and "\x1b" not in ended.out + ended.err
        return ended

    def does(self, *arguments: str, piped: str | bytes = "", **env: str) -> str:
        """Run what succeeds; what it printed."""
        ran = self.run(*arguments, piped=piped, **env)
        assert ran.code == 0, ran.err
        return ran.out

    def fails(self, *arguments: str, piped: str | bytes = "", **env: str) -> str:
        """Run what fails with status 1; the sentence that says why."""
        ran = self.run(*arguments, piped=piped, **env)
        assert (ran.code, ran.out) == (1, ""), (ran.code, ran.out, ran.err)
        assert ran.err.startswith("alonechat: ") and ran.err.count("\n") == 1, ran.err
        return ran.err

    def start(self, *arguments: str) -> Following:
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(self.command(*arguments), **pipes, env=self.env, text=True, encoding="utf-8")
        self.started.append(process)
        return Following(process)

    def address(self) -> list[str]:
        return ["--api-host", "127.0.0.1", "--api-port", self.server.url.rpartition(":")[2]]

    def sign_in(self, name: str, *flags: str) -> str:
        return self.does("login", name, *self.address(), *flags, piped=PASSWORD + "\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("talk")) as running:
        yield running


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path, server)
    yield shell
    for process in shell.started:
        process.kill()
        process.wait(SECONDS)


@pytest.fixture
def room(server: Server, request: pytest.FixtureRequest) -> Iterator[tuple[Person, str]]:
    """Bo, in a room that is this test's own."""
    bo = server.person("bo")
    name = "#" + request.node.name.partition("[")[0].removeprefix("test_").replace("_", "-")[:31].strip("-")
    assert bo.asks(type="JOIN", target=name)["type"] == "JOIN"
    yield bo, name
    hang_up(bo)


def hang_up(person: Person) -> None:
    """Hang up now, and not all of them one by one when the server stops."""
    person.ws.close_timeout = 0.1
    person.close()


@pytest.fixture
def ana(shell: Shell, room: tuple[Person, str]) -> Shell:
    """Ana's shell: signed in, and in the room."""
    server = shell.server
    joining = server.person("ana")
    assert joining.asks(type="JOIN", target=room[1])["type"] == "JOIN"
    hang_up(joining)
    account = Account(server.url, "ana", server.token("ana"), server.ws_url)
    Accounts(shell.home / "alonechat" / "accounts.json").save(account)
    return shell


def test_an_account_is_made_signed_in_shown_and_signed_out(shell: Shell) -> None:
    assert "nobody is signed in; sign in with: alonechat login NAME" in shell.fails("whoami")
    assert "wrong" in shell.fails("login", "eve", *shell.address(), ALONECHAT_PASSWORD=PASSWORD)
    said = shell.does("login", "Eve", *shell.address(), "--register", ALONECHAT_PASSWORD=PASSWORD)
    assert said.startswith(f"eve (member) is signed in at {shell.server.url}, until ")
    assert "taken" in shell.fails("login", "eve", *shell.address(), "--register", ALONECHAT_PASSWORD=PASSWORD)
    assert shell.does("whoami").startswith(f"eve (member) at {shell.server.url}, until ")
    [sign_in] = shell.server.manager.store.sessions("eve")
    assert shell.does("logout") == f"eve is signed out of {shell.server.url}\n"
    assert shell.server.manager.store.sessions("eve") == [], f"{sign_in.id} is revoked"
    assert "nobody is signed in" in shell.fails("logout")


def test_an_invitation_makes_the_account_and_a_bad_one_does_not(shell: Shell) -> None:
    reason = shell.fails("login", "guest", *shell.address(), "--invite", "nonsense", ALONECHAT_PASSWORD=PASSWORD)
    assert "invit" in reason
    assert shell.server.manager.directory.get("guest") is None


def test_no_password_no_sign_in(shell: Shell) -> None:
    assert "password" in shell.run("login", "ana", *shell.address(), piped="").err


@pytest.mark.skipif(os.name != "posix", reason="elsewhere: terminals of POSIX")
def test_a_password_that_is_typed_is_not_shown(shell: Shell) -> None:
    typed = [("Password: ", PASSWORD), ("The same again: ", PASSWORD)]
    flags = ["login", "typist", *shell.address(), "--register"]
    code, shown = Inside(shell.home).on_terminal(*flags, types=typed, XDG_CONFIG_HOME=str(shell.home))
    assert code == 0 and "typist (member) is signed in" in shown
    assert PASSWORD not in shown


def test_who_speaks_is_chosen_by_name_and_the_latest_sign_in_is_current(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    ana.sign_in("cy", "--register")
    assert ana.does("whoami").startswith("cy ")
    ana.does("send", "--as", "ana@127.0.0.1", name, "it is me")
    assert bo.hears("TEXT")["sender"] == "ana"
    ana.does("logout")
    reason = ana.fails("send", name, "who?")
    assert "nobody is signed in" in reason and "ana@127.0.0.1:" in reason
    assert "dora is not signed in here" in ana.fails("whoami", "--as", "dora")


def test_a_sign_in_that_was_ended_elsewhere_says_so_and_can_be_forgotten(ana: Shell, room: tuple[Person, str]) -> None:
    for each in ana.server.manager.store.sessions("ana"):
        ana.server.do(lambda each=each: ana.server.manager.auth.end("ana", each.id))  # type: ignore[misc]
    reason = ana.fails("send", room[1], "x")
    assert "alonechat login ana" in reason
    assert "alonechat: " in ana.fails("whoami")
    ana.does("logout")


def test_arguments_are_one_message_and_a_slash_is_said(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    assert ana.does("send", name, "hello", "my", "world") == ""
    assert bo.hears("TEXT")["content"] == "hello my world"
    ana.does("send", name, "/quit")
    assert bo.hears("TEXT")["content"] == "/quit"


@pytest.mark.parametrize(
    ("piped", "said"),
    [
        ("one\ntwo\n\n", "one\ntwo\n"),
        ("/etc/passwd\nx", "/etc/passwd\nx"),
        ("上海 👩‍💻\r\n", "上海 👩‍💻"),
        ("one\r\ntwo\r\n", "one\ntwo"),
        (b"caf\xe9\n", b"caf\xe9".decode("oem") if sys.platform == "win32" else "caf\ufffd"),
    ],
)
def test_standard_input_is_one_message(ana: Shell, room: tuple[Person, str], piped: str | bytes, said: str) -> None:
    bo, name = room
    ana.does("send", name, piped=piped)
    assert bo.hears("TEXT", sender="ana")["content"] == said


def test_nothing_but_blanks_is_not_sent(ana: Shell, room: tuple[Person, str]) -> None:
    assert "nothing but blanks" in ana.fails("send", room[1], piped=" \n\n")


def test_a_command_runs_only_when_asked_and_its_answer_is_printed(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    assert "/help" in ana.does("send", "--command", name, "/help")
    assert ana.does("send", "--command", name, "me waves") == ""
    assert bo.hears("TEXT")["via"] == "me"
    assert "/nope" in ana.fails("send", "--command", name, "/nope")
    ana.does("send", name, piped="/me is piped")
    assert "via" not in bo.hears("TEXT")


@pytest.mark.parametrize(
    ("target", "reason"),
    [("#nowhere-yet", "not sent: no room"), ("nobody", "no such user"), ("#a b", "expected '#room'")],
)
def test_what_cannot_be_sent_says_why(ana: Shell, target: str, reason: str) -> None:
    assert reason in ana.fails("send", target, "x")


def test_a_server_that_is_not_there_is_one_sentence(ana: Shell, free_port: Callable[[], int]) -> None:
    reason = ana.fails("login", "ana", "--api-port", str(free_port()), ALONECHAT_PASSWORD=PASSWORD)
    assert "cannot reach http://localhost:" in reason and "is the server running?" in reason


def test_a_long_pipe_is_cut_at_line_ends_and_keeps_its_order_within_the_rate(tmp_path: Path) -> None:
    with serving(tmp_path / "server", rate_messages=20, rate_burst=3, max_content=200) as server:
        shell = Shell(tmp_path, server)
        shell.sign_in("ana", "--register")
        lines = [f"/line {n} " + "x" * (n % 90) for n in range(60)] + ["y" * 450]
        shell.does("send", "#lobby", piped="\n".join(lines))
        shown = shell.does("tail", "#lobby", "-n", "200", "--no-follow", "--json")
        parts = [json.loads(line)["content"] for line in shown.splitlines()]
        assert "\n".join(parts[:-3]).split("\n") == lines[:-1]
        assert [len(part) for part in parts[-3:]] == [200, 200, 50]
        assert max(map(len, parts)) <= 200 and len(parts) < 40


def test_tail_shows_the_latest_of_all_conversations_together(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    for n in range(3):
        bo.says(f"in the room {n}", name)
        bo.says(f"to you {n}", "ana")
    shown = ana.does("tail", "--no-follow", "-n", "3").splitlines()
    assert [line.partition(" ")[2] for line in shown] == [
        "bo <bo> to you 1",
        f"{name} <bo> in the room 2",
        "bo <bo> to you 2",
    ]
    assert ana.does("tail", "--no-follow", "-n", "0") == ""
    [only] = ana.does("tail", "bo", "--no-follow", "-n", "1", "--json").splitlines()
    assert json.loads(only)["content"] == "to you 2"


def test_tail_follows_with_what_happened_to_messages_and_nothing_obeys(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    bo.says("before", name)
    tail = ana.start("tail", name, "-n", "1")
    assert tail.shows()[0].endswith(f"{name} <bo> before")
    told = bo.says("\x1b[31mred\nsecond", name)
    bo.says("elsewhere", "#lobby")
    bo.asks(type="EDIT", target=name, ref=told["id"], content="blue")
    bo.asks(type="REACT", target=name, ref=told["id"], content="👍")
    bo.asks(type="DELETE", target=name, ref=told["id"])
    bo.asks(type="TOPIC", target=name, content="tea")
    assert [line.partition(" ")[2] or line for line in tail.shows(6)] == [
        f"{name} <bo> \\x1b[31mred",
        "     second",
        f"{name} <bo> edited: blue",
        f'{name} bo reacted 👍 to "blue"',
        f"{name} bo deleted a message of bo",
        f"{name} bo set the topic: tea",
    ]
    assert tail.end() == 130
    assert tail.errors.empty()


def test_tail_and_send_go_on_after_the_server_was_away(tmp_path: Path, free_port: Callable[[], int]) -> None:
    ports = {"port": free_port(), "api_port": free_port()}
    with serving(tmp_path / "server", **ports) as server:
        shell = Shell(tmp_path, server)
        shell.sign_in("ana", "--register")
        bo = server.person("bo")
        bo.says("1")
        tail = shell.start("tail", "#lobby", "--json")
        assert tail.texts(1) == ["1"]
        bo.says("2")
        assert tail.texts(1) == ["2"]
    assert "trying again" in tail.errors.get(timeout=SECONDS)
    assert "is the server running?" in shell.fails("send", "#lobby", "x", "--timeout", "5")
    with serving(tmp_path / "server", **ports) as server:
        bo = server.person("bo")
        for n in range(3, 9):
            bo.says(str(n))
        assert tail.texts(6) == [str(n) for n in range(3, 9)]
        bo.says("9")
        assert tail.texts(1) == ["9"]
        assert "connected again" in tail.errors.get(timeout=SECONDS)
        shell.does("send", "#lobby", "10")
        assert tail.texts(1) == ["10"]
        assert tail.end() == (1 if sys.platform == "win32" else 130)
        assert tail.lines.empty() and tail.errors.empty()


def test_a_pipe_in_the_middle_of_a_restart_arrives_once_and_in_order(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    ports = {"port": free_port(), "api_port": free_port()}
    limits = {"max_content": 10, "rate_messages": 50, "rate_burst": 5}
    lines = [f"line {n:04}" for n in range(100)]
    with serving(tmp_path / "server", **ports, **limits) as server:
        shell = Shell(tmp_path, server)
        shell.sign_in("ana", "--register")
        watcher = server.person("bo")
        sending = shell.start("send", "#lobby")
        assert sending.process.stdin is not None
        sending.process.stdin.write("\n".join(lines))
        sending.process.stdin.close()
        watcher.hears("TEXT", content="line 0030")
    with serving(tmp_path / "server", **ports, **limits):
        assert sending.process.wait(30) == 0, sending.errors.get()
        shown = shell.does("tail", "#lobby", "-n", "200", "--no-follow", "--json").splitlines()
        assert [json.loads(line)["content"] for line in shown] == lines


def test_no_receipt_in_time_is_a_failure_that_says_how_far_it_came(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    ports = {"port": free_port(), "api_port": free_port()}
    with serving(tmp_path / "server", **ports, rate_messages=1, rate_burst=2, max_content=5) as server:
        shell = Shell(tmp_path, server)
        shell.sign_in("ana", "--register")
        reason = shell.fails("send", "#lobby", "--timeout", "0.3", piped="one\ntwo\nthree\nfour\nfive\nsix")
        assert "of 6 parts were sent, the next was not: no receipt within 0.3 s" in reason


def test_a_room_one_is_not_in_is_not_followed_for_ever(ana: Shell) -> None:
    reason = ana.fails("tail", "#somewhere-else")
    assert "you are not in #somewhere-else; join it with: alonechat send --command '#lobby' '/join #some" in reason
    assert "no room" in ana.fails("tail", "#somewhere-else", "--no-follow")


def test_tail_ends_with_the_reason_when_the_sign_in_is_ended(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    bo.says("first", name)
    tail = ana.start("tail", name)
    tail.shows()
    for each in ana.server.manager.store.sessions("ana"):
        ana.server.do(lambda each=each: ana.server.manager.auth.end("ana", each.id))  # type: ignore[misc]
    assert tail.process.wait(SECONDS) == 1
    assert "alonechat login ana" in tail.errors.get(timeout=SECONDS)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere: pipes of POSIX")
def test_a_closed_pipe_ends_tail_quietly(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    for n in range(5):
        bo.says(f"message {n}", name)
    tail = subprocess.Popen(ana.command("tail", name), env=ana.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ana.started.append(tail)  # type: ignore[arg-type]
    assert tail.stdout is not None and tail.stderr is not None
    assert b"joined" in tail.stdout.readline()
    tail.stdout.close()
    deadline = time.monotonic() + SECONDS
    while tail.poll() is None and time.monotonic() < deadline:
        bo.says("is anybody there?", name)
        time.sleep(0.05)
    assert tail.returncode == 141
    assert tail.stderr.read() == b""


# --- files ---


def test_files_are_sent_shown_and_fetched(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    plan, empty = ana.home / "plan v2.txt", ana.home / "empty"
    plan.write_bytes(b"the plan\n" * 20_000)
    empty.touch()
    assert ana.does("send", name, "two", "files", "--file", str(plan), "--file", str(empty)) == ""
    heard = bo.hears("TEXT", target=name)
    assert heard["content"] == "two files"
    assert [(f["name"], f["mime"], f["size"]) for f in heard["attachments"]] == [
        ("plan v2.txt", "text/plain", 180_000), ("empty", "application/octet-stream", 0)
    ]  # fmt: skip
    ids = [each["id"] for each in heard["attachments"]]
    shown = ana.does("tail", name, "-n", "1", "--no-follow")
    assert f"<ana> two files [plan v2.txt, 180000 bytes, {ids[0]}] [empty, 0 bytes, {ids[1]}]" in shown
    plan.unlink()
    assert ana.does("fetch", ids[0]) == "plan v2.txt\n" and plan.read_bytes() == b"the plan\n" * 20_000
    assert "is there already" in ana.fails("fetch", ids[0])
    other = ana.home / "other"
    other.mkdir()
    assert ana.does("fetch", ids[0], "-o", str(other)) == f"{other / 'plan v2.txt'}\n"
    plan.write_bytes(b"old")
    assert ana.does("fetch", ids[0], "-o", str(plan)) == f"{plan}\n" and plan.stat().st_size == 180_000
    assert ana.does("fetch", ids[0], "--output", "-").replace("\r", "") == "the plan\n" * 20_000
    assert ana.does("fetch", ids[1], "-o", str(empty)) and empty.read_bytes() == b""
    assert [path.name for path in ana.home.rglob(".alonechat-*")] == []


def test_a_file_alone_is_a_message_and_a_long_text_has_it_at_its_end(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    note = ana.home / "note.txt"
    note.write_text("x")
    ana.does("send", name, "--file", str(note), piped="not read")
    heard = bo.hears("TEXT", target=name)
    assert heard["content"] == "" and heard["attachments"][0]["name"] == "note.txt"
    ana.does("send", name, "a" * 4000 + "b", ALONECHAT_FILE=str(note))
    first, last = bo.hears("TEXT", target=name), bo.hears("TEXT", target=name)
    assert "attachments" not in first and (last["content"], len(last["attachments"])) == ("b", 1)


def test_what_can_not_be_sent_or_fetched_is_said(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    good = ana.home / "good.txt"
    good.write_text("x")
    missing = ("--file", str(ana.home / "missing"))
    assert "there is no file" in ana.fails("send", name, "x", "--file", str(good), *missing)
    assert "folder" in ana.fails("send", name, "--file", str(ana.home))
    assert "at most 20 files" in ana.fails("send", name, *(["--file", str(good)] * 21))
    assert "a command bears no files" in ana.fails("send", name, "/me x", "--command", "--file", str(good))
    assert "#nowhere" in ana.fails("send", "#nowhere", "--file", str(good))
    settings = ana.server.settings
    object.__setattr__(settings, "max_file", 3)
    good.write_text("four")
    try:
        assert "too large" in ana.fails("send", name, "--file", str(good))
    finally:
        object.__setattr__(settings, "max_file", 1 << 20)
    assert [frame for frame in bo.quiet() if frame["type"] == "TEXT"] == []
    assert "no such file" in ana.fails("fetch", "0" * 32)
    assert "expected the id of a file" in ana.fails("fetch", "../../etc")
    assert "nothing can be written" in ana.fails("fetch", "0" * 32, "-o", str(ana.home / "no" / "such" / "place"))
    assert [path.name for path in ana.home.rglob(".alonechat-*")] == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_pipes_links_and_names_that_are_no_text(ana: Shell, room: tuple[Person, str]) -> None:
    bo, name = room
    odd = os.fsencode(ana.home) + b"/caf\xe9.txt"
    Path(os.fsdecode(odd)).write_text("odd")
    ana.does("send", name, "--file", os.fsdecode(odd))
    (file,) = bo.hears("TEXT", target=name)["attachments"]
    assert file["name"] == "caf?.txt" and file["size"] == 3
    pipe, link, old = ana.home / "pipe", ana.home / "link", ana.home / "old"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        ana.does("fetch", file["id"], "-o", str(pipe))
        assert reader.communicate(timeout=SECONDS)[0] == b"odd"
    assert pipe.is_fifo(), "what is no file is written to, not replaced: -o /dev/null"
    old.write_text("before")
    link.symlink_to(old)
    ana.does("fetch", file["id"], "-o", str(link))
    assert link.is_symlink() and old.read_text() == "odd"
