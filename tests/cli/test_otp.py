"""`otp`, and `login` where codes are asked for, as people and scripts use them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat.cli.otp import DARK_ON_LIGHT, ROOM, picture
from alonechat.core.client import Account, Accounts
from alonechat.testing import PASSWORD, Server, serving
from tests.cli.shell import Own, Shell
from tests.journeys.people import code_of

needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: no pseudo-terminals")
MODULES = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
FINDER = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("otp"), rate_logins=1000) as running:
        yield running


@pytest.fixture
def who(server: Server, request: pytest.FixtureRequest) -> str:
    """An account of this test's own."""
    name = re.sub(r"\W", "", request.node.name.removeprefix("test_").replace("_", ""))[:30]
    server.register(name)
    return name


@pytest.fixture
def own(server: Server, who: str, tmp_path: Path) -> Own:
    """Their command line; they are signed in."""
    Accounts(tmp_path / "alonechat" / "accounts.json").save(Account(server.url, who, server.token(who), server.ws_url))
    return Own(tmp_path)


def login(server: Server, who: str) -> list[str]:
    return ["login", who, "--api-host", "127.0.0.1", "--api-port", server.url.rpartition(":")[2]]


def secret_in(shown: str) -> str:
    found = re.search(r"secret +((?:[A-Z2-7]{4} ?)+)", shown)
    assert found is not None, shown
    return found[1].replace(" ", "")


def turned_on(own: Own) -> tuple[str, list[str]]:
    """Turn codes on through pipes, as a script does: the secret, and the recovery codes."""
    process = subprocess.Popen(
        own.command("otp", "on"), cwd=own.cwd, env=own.environ({}), encoding="utf-8",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(PASSWORD + "\n")
        process.stdin.flush()
        shown = ""
        while "uri " not in shown:
            line = process.stdout.readline()
            assert line, process.stderr
            shown += line
        secret = secret_in(shown)
        assert f"secret={secret}&" in shown and "█" not in shown
        said, error = process.communicate(code_of(secret) + "\n", timeout=20)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, error) == (0, ""), error
    return secret, re.findall(r"^ +(\w{4}-\w{4}-\w{4})$", said, re.MULTILINE)


def test_a_script_turns_it_on_signs_in_and_turns_it_off(own: Own, server: Server, who: str) -> None:
    assert own.ok("otp", "status") == "off\n"
    secret, codes = turned_on(own)
    assert len(codes) == 10 and own.ok("otp", "status") == "on, 10 recovery codes left\n"
    said = own.fails(*login(server, who), code=1, stdin=f"{PASSWORD}\n")
    assert said == "there is no one-time code: set ALONECHAT_OTP, or give it as the next line of standard input"
    assert "is signed in at" in own.ok(*login(server, who), stdin=f"{PASSWORD}\n{code_of(secret, 1)}\n")
    assert "is signed in at" in own.ok(*login(server, who), stdin=f"{PASSWORD}\n", ALONECHAT_OTP=codes[0])
    said = own.fails(*login(server, who), code=1, stdin=f"{PASSWORD}\n", ALONECHAT_OTP=codes[0])
    assert said == "the one-time code is wrong, or was used already"
    assert own.ok("otp", "status") == "on, 9 recovery codes left\n"
    assert "already; turn them off first" in own.fails("otp", "on", code=1, stdin=f"{PASSWORD}\n")
    assert own.fails("otp", "off", code=1, stdin=f"wrong words\n{codes[1]}\n") == "the password is wrong"
    assert "with the password alone" in own.ok("otp", "off", stdin=f"{PASSWORD}\n{codes[1]}\n")
    assert "not on" in own.fails("otp", "off", code=1, stdin=f"{PASSWORD}\n{codes[1]}\n")
    assert "is signed in at" in own.ok(*login(server, who), stdin=f"{PASSWORD}\n")


@needs_pty
def test_a_terminal_shows_a_picture_and_asks_again_after_a_wrong_code(own: Own, server: Server, who: str) -> None:
    known: list[str] = []

    def right(shown: str) -> str:
        known.append(secret_in(shown))
        return code_of(known[0])

    types = [("Password of", PASSWORD), ("shows now: ", "12345"), ("is the clock of your device right?", right)]
    code, shown = own.on_terminal("otp", "on", types=types)
    assert code == 0 and PASSWORD not in shown, shown
    lines = [part.partition("\033[0m")[0] for part in shown.split(DARK_ON_LIGHT)[1:]]
    uri = re.search(r"uri +(\S+)", shown)
    assert uri is not None and lines == picture(uri[1])
    codes = re.findall(r"^ +(\w{4}-\w{4}-\w{4})\r$", shown, re.MULTILINE)
    assert len(codes) == 10
    types = [("Password: ", PASSWORD), ("One-time code: ", codes[0])]
    code, shown = own.on_terminal(*login(server, who), types=types)
    assert code == 0 and "is signed in at" in shown


def test_the_picture_is_a_code_with_its_three_corners_and_room_around_it() -> None:
    lines = picture("otpauth://totp/AloneChat:ana?secret=JBSWY3DPEHPK3PXP")
    rows = ["".join(str(MODULES[each][half]) for each in line) for line in lines for half in (0, 1)]
    side = len(rows[0])
    assert len(rows) - side in (0, 1) and (side - 2 * ROOM - 17) % 4 == 0
    assert not any("1" in row for row in (*rows[:ROOM], *rows[side - ROOM :]))
    for top, left in ((ROOM, ROOM), (ROOM, side - ROOM - 7), (side - ROOM - 7, ROOM)):
        assert [row[left : left + 7] for row in rows[top : top + 7]] == FINDER


def test_whoever_runs_the_server_sees_it_and_can_end_it(own: Own, server: Server, who: str) -> None:
    turned_on(own)
    data = ("--data-dir", str(server.settings.data_dir))
    listed = {each["username"]: each["otp"] for each in json.loads(own.ok("user", "list", "--json", *data))}
    assert listed[who] == "on" and "off" in listed.values()
    assert own.ok("user", "forget-otp", who, *data) == f"{who} signs in with the password alone now\n"
    assert own.fails("user", "forget-otp", who, *data, code=1) == f"one-time codes are not on for {who}"
    assert "is signed in at" in own.ok(*login(server, who), stdin=f"{PASSWORD}\n")


def test_who_is_not_signed_in_is_told_how(tmp_path: Path) -> None:
    for what in ("on", "off", "status"):
        assert "alonechat login NAME" in Own(tmp_path).fails("otp", what, code=1, stdin=f"{PASSWORD}\n")
    assert Shell(tmp_path).run("otp").code == 2
