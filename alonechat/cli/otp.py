"""`otp`: one-time codes of an authenticator app beside the password of one's own account."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from alonechat.cli.piped import text_of
from alonechat.cli.settings import Command
from alonechat.cli.talk import As, account_of, endings
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from alonechat.core.client import Account, Rest

T = TypeVar("T")
VARIABLE = "ALONECHAT_OTP"
ATTEMPTS = 3
ROOM = 2
"""Light modules around a QR code: the standard asks for four, readers for one or two."""
DARK_ON_LIGHT = "\033[38;5;16;48;5;231m"


def mount(app: typer.Typer) -> None:
    """`otp on`, `otp off`, `otp status`."""
    from alonechat.cli import help_when_alone

    group = typer.Typer(help="One-time codes beside your password: on, off, status.")
    group.callback(invoke_without_command=True)(help_when_alone)
    app.add_typer(group, name="otp", rich_help_panel="Talk")
    for name, run in (("on", on), ("off", off), ("status", status)):
        group.command(name, cls=Command)(run)


def read_code(prompt: str) -> str:
    """A one-time code: the next line of standard input where that is no terminal, else what is typed. Raises
    `AloneChatError` where none comes."""
    if sys.stdin is not None and sys.stdin.isatty():
        try:
            return input(f"{prompt}: ")
        except EOFError:
            raise AloneChatError("there is no code: nothing was changed") from None
    line = "" if sys.stdin is None else text_of(sys.stdin.buffer.readline()).strip()
    if not line:
        raise AloneChatError(
            f"there is no one-time code: set {VARIABLE}, or give it as the next line of standard input"
        )
    return line


def from_environment() -> str:
    """What `ALONECHAT_OTP` says; empty where it says nothing."""
    return os.environ.get(VARIABLE, "").strip()


def on(chosen: As = "") -> None:
    """Ask for a code of an authenticator app at every sign-in with your password, from now on.

    Shows a secret, as a picture where this is a terminal, and asks for the first code. Then come recovery codes: each
    signs in once without the app. The password is read as in login, the code from the terminal or the next line of
    standard input. Who is signed in stays so.
    """
    with endings():
        from alonechat.cli.password import read_password

        account = account_of(chosen)
        password = read_password(f"Password of {account.username}")
        _show(_asked(account, lambda rest: rest.offer_otp(password)))
        for left in reversed(range(ATTEMPTS)):
            try:
                code = read_code("The code that the app shows now")
                codes = _asked(account, partial(_turn_on, code))
                break
            except Rejected as refused:
                if refused.code != "forbidden" or not left or not sys.stdin.isatty():
                    raise
                typer.echo(f"alonechat: {refused.text}", err=True)
        typer.echo("\nOne-time codes are on. Keep these recovery codes where you find them without your device;")
        typer.echo("each signs in once, and they are not shown again:\n")
        for each in codes:
            typer.echo(f"    {each}")


def off(chosen: As = "") -> None:
    """Sign in with the password alone again. Asks for the password, and for a code of the app or a recovery code."""
    with endings():
        from alonechat.cli.password import read_password

        account = account_of(chosen)
        password = read_password(f"Password of {account.username}")
        code = from_environment() or read_code("One-time or recovery code")
        _asked(account, lambda rest: rest.turn_otp_off(password, code))
        typer.echo(f"{account.username} signs in with the password alone now")


def status(chosen: As = "") -> None:
    """Say whether codes are asked for, and how many recovery codes are left."""
    with endings():
        me = _asked(account_of(chosen), lambda rest: rest.me())
        left = me.get("recovery_codes")
        typer.echo(f"on, {left} recovery codes left" if me.get("otp") else "off")


def _asked(account: Account, ask: Callable[[Rest], Awaitable[T]]) -> T:
    import asyncio

    from alonechat.core.client import Rest

    async def work() -> T:
        async with Rest(account.url, account.token) as rest:
            return await ask(rest)

    return asyncio.run(work())


async def _turn_on(code: str, rest: Rest) -> list[str]:
    return await rest.turn_otp_on(code)


def _show(offered: dict[str, Any]) -> None:
    secret, uri = str(offered["secret"]), str(offered["uri"])
    typer.echo("Give this to an authenticator app, such as Aegis, FreeOTP or KeePassXC:\n")
    if sys.stdout.isatty():
        for line in picture(uri):
            typer.echo(f"    {DARK_ON_LIGHT}{line}\033[0m")
        typer.echo()
    typer.echo(f"    secret  {' '.join(secret[at : at + 4] for at in range(0, len(secret), 4))}")
    typer.echo(f"    uri     {uri}\n")


def picture(text: str) -> list[str]:
    """A QR code as lines of half blocks, for dark ink on light ground: two rows of it a line."""
    import segno

    rows = [list(map(bool, row)) for row in segno.make(text, error="m", micro=False).matrix_iter(border=ROOM)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    blocks = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    return ["".join(blocks[pair] for pair in zip(*rows[at : at + 2], strict=True)) for at in range(0, len(rows), 2)]
