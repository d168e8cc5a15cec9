"""Help, version, wrong usage: what everybody sees first."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from alonechat import __version__
from alonechat.cli import build_app
from alonechat.config import ROWS, VARIABLES
from tests.cli.shell import ROOT, Inside, Shell

needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: no pseudo-terminals")
COMMANDS = [
    "server",
    "srv-only",
    "client",
    "login",
    "logout",
    "whoami",
    "send",
    "tail",
    "user",
    "invite",
    "token",
    "config",
    "secret",
]
HEAVY = ("structlog", "sqlalchemy", "websockets", "httpx", "starlette", "uvicorn", "jwt", "precis_i18n", "asyncio")


def every_command(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All commands below `command`, with what one types to reach them."""
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from every_command(inner, f"{path} {name}".strip())
    else:
        yield path, command


def test_help_names_every_command_and_is_plain_without_a_terminal(shell: Shell) -> None:
    said = shell.ok("--help")
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", said, re.MULTILINE), name
    assert not set("\x1b╭│") & set(said)


@needs_pty
@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_help_has_panels_on_a_terminal_and_colours_unless_it_wants_none(
    shell: Shell, no_color: str, coloured: bool
) -> None:
    code, shown = shell.on_terminal("server", "--help", **({"NO_COLOR": no_color} if no_color else {}))
    assert code == 0
    assert "╭─" in shown
    for panel in ("Options", "TLS and proxies", "People", "Logs", "Limits"):
        assert panel in shown
    assert bool(re.search(r"\x1b\[[0-9;]*3\dm", shown)) is coloured


def test_the_server_help_shows_every_setting_with_its_variable_and_default(inside: Inside) -> None:
    said = " ".join(inside.ok("server", "--help").split())
    for row in ROWS:
        assert (row.flag in said) is not row.secret, row.name
        assert (f"env var: {row.variable}" in said) is not row.secret, row.name
    assert "(open; production: invite)" in said
    assert "-p, --port" in said
    assert "-e, --env" in said
    assert "-v, --verbose" in said
    assert "--no-plugins" in said


def test_srv_only_takes_what_the_server_takes_but_a_rest_port(inside: Inside) -> None:
    flags = [set(re.findall(r"--[a-z-]+", inside.ok(name, "--help"))) for name in ("server", "srv-only")]
    assert flags[0] - flags[1] == {"--api-port"}
    assert not flags[1] - flags[0]


def test_every_option_of_every_command_is_a_variable_that_settings_know() -> None:
    known = {row.variable for row in ROWS} | set(VARIABLES)
    commands = dict(every_command(typer.main.get_command(build_app(rich=False))))
    assert {"server", "user add", "invite revoke", "token", "secret new", "tail"} <= set(commands)
    for path, command in commands.items():
        for option in command.params:
            if option.param_type_name == "option":
                assert option.envvar in known, f"{path} {option.opts}: {option.envvar} is missing in config.VARIABLES"
                assert option.show_envvar, f"{path} {option.opts}"
            assert option.help, f"{path} {option.name} has no help"


def test_every_command_has_a_help_of_its_own() -> None:
    for path, command in every_command(typer.main.get_command(build_app(rich=False))):
        assert command.help, f"{path} has no help"


def test_version(inside: Inside) -> None:
    assert inside.ok("--version") == f"alonechat {__version__}\n"


def test_without_a_command_it_shows_the_help_and_says_that_one_is_missing(inside: Inside) -> None:
    for group in ((), ("user",), ("invite",), ("secret",)):
        ended = inside.run(*group)
        assert ended.code == 2
        assert ended.out.startswith("Usage: alonechat")
        assert "Commands:" in ended.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve"], "No such command 'serve'"),
        (["server", "--prot", "1"], "No such option: --prot"),
        (["server", "--port"], "--port"),
        (["user", "add"], "Missing argument 'NAME'"),
        (["user", "list", "extra"], "extra"),
        (["server", "--port", "web"], "--port must be an integer from 0 to 65535, not 'web'"),
        (["server", "--env", "prod"], "--env must be one of development, production, testing, not 'prod'"),
        (["server", "--config", "none.toml"], "none.toml can't be read: No such file or directory"),
        (["server", "--tls-cert", "a.pem"], "tls_cert is set without tls_key: TLS needs both, or neither"),
        (["client", "--ui", "web"], "--ui must be one of gui, tui, line, not 'web'"),
        (["client", "--lang", "fr"], "--lang takes en, zh, not 'fr'"),
        (["token"], "token needs either names or --all"),
        (["token", "--all", "ana"], "not both"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(inside: Inside, arguments: list[str], said: str) -> None:
    assert said in inside.fails(*arguments, code=2)


def test_wrong_usage_of_a_process_is_the_same(shell: Shell) -> None:
    assert shell.fails("serve", code=2).startswith("No such command 'serve'")
    assert shell.fails("config", "--port", "web", code=2) == "--port must be an integer from 0 to 65535, not 'web'"


def test_a_sentence_moves_no_cursor_and_fills_one_line(inside: Inside) -> None:
    said = inside.fails("client", "--ui", "a\x1b[2J\nb\u202ec", code=2)
    assert not set("\x1b\u202e\n") & set(said)


def test_a_reader_that_goes_away_is_no_error(shell: Shell) -> None:
    head = [sys.executable, "-c", "import os, sys; os.read(0, 1); sys.exit(0)"]
    for arguments in (["config"], ["server", "--help"]):
        with subprocess.Popen(
            shell.command(*arguments),
            cwd=shell.cwd,
            env=shell.environ({}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as writer:
            assert writer.stdout is not None
            assert writer.stderr is not None
            subprocess.run(head, stdin=writer.stdout, check=True)
            writer.stdout.close()
            assert writer.stderr.read() == b""


def test_help_loads_nothing_that_only_a_server_needs_and_is_quick(shell: Shell) -> None:
    code = (
        "import sys; from alonechat.cli import run; run(['--help']); run(['server', '--help']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    began = time.perf_counter()
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.stderr == "[]\n"
    assert time.perf_counter() - began < 3, "0.4 s on an idle machine"
