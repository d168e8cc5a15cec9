"""`login`, `logout`, `whoami`, `send`, `tail`: talking from a shell. Plain text, made for pipes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alonechat.cli.piped import text_of
from alonechat.cli.settings import Command
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from alonechat.core.client import Account, Session, Status

# Nothing else is imported up here: `alonechat --help` loads this module, and must not load httpx or websockets.

INTERRUPTED = 130
PIPE_CLOSED = 141
"""What a shell reports for a program that SIGINT, or SIGPIPE, ended."""

As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="NAME[@HOST]",
        help="Another account that is signed in here than the current one.",
        envvar="ALONECHAT_AS",
    ),
]


def mount(app: typer.Typer) -> None:
    """`login`, `logout`, `whoami`, `send`, `tail`."""
    for command in (login, logout, whoami, send, tail):
        app.command(cls=Command, rich_help_panel="Talk")(command)


@contextmanager
def endings() -> Iterator[None]:
    """What can go wrong becomes one sentence and a status: no traceback, and silence for Ctrl-C and a closed pipe."""
    try:
        yield
        sys.stdout.flush()
    except AloneChatError as error:
        from alonechat.core.client.present import printable

        typer.echo(f"alonechat: {printable(str(error))}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        if error.errno != (errno.EINVAL if os.name == "nt" else errno.EPIPE):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the last flush complains again
        raise typer.Exit(PIPE_CLOSED) from None


def account_of(chosen: str) -> Account:
    """The account to act as: the one that was chosen, else the current one."""
    from alonechat.core.client import Accounts

    accounts = Accounts()
    found = accounts.named(chosen) if chosen else accounts.current()
    if found is not None:
        return found
    known = ", ".join(f"{a.username}@{a.url.partition('://')[2]}" for a in accounts.all())
    others = f"; signed in here: {known} (choose one with --as)" if known else ""
    if chosen:
        raise AloneChatError(f"{chosen} is not signed in here; sign in with: alonechat login NAME{others}")
    raise AloneChatError(f"nobody is signed in; sign in with: alonechat login NAME{others}")


def login(
    name: Annotated[str, typer.Argument(help="Your username.", show_default=False)],
    api_host: Annotated[str, typer.Option(help="The server's host.", envvar="ALONECHAT_API_HOST")] = "localhost",
    api_port: Annotated[
        int, typer.Option(help="The server's REST port.", envvar="ALONECHAT_API_PORT", min=1, max=65535)
    ] = 8766,
    tls: Annotated[
        bool, typer.Option("--tls", help="The server speaks TLS (https, wss).", envvar="ALONECHAT_TLS")
    ] = False,
    register: Annotated[
        bool, typer.Option("--register", help="Make the account first.", envvar="ALONECHAT_REGISTER")
    ] = False,
    invite: Annotated[
        str,
        typer.Option(metavar="CODE", help="Make the account first, with this invitation.", envvar="ALONECHAT_INVITE"),
    ] = "",
) -> None:
    """Sign in, and keep the sign-in for the other commands.

    The password is asked for on the terminal, or read from ALONECHAT_PASSWORD, or from the first line of standard
    input; so is a one-time code, where the account asks for one: from ALONECHAT_OTP, or from the next line.
    """
    with endings():
        import asyncio

        from alonechat.cli import otp
        from alonechat.cli.password import read_password
        from alonechat.core.client.accounts import Account, Accounts, when
        from alonechat.core.client.rest import Rest, base_url

        host = f"[{api_host}]" if ":" in api_host else api_host
        url = base_url(f"{'https' if tls else 'http'}://{host}:{api_port}")
        accounts = Accounts()
        accounts.all()  # a file that can't be read is better known before the password is asked for
        making = register or bool(invite)
        password = read_password("Password", twice=making)

        async def sign_in() -> dict[str, Any]:
            async with Rest(url) as rest:
                if making:
                    await rest.register(name, password, invite or None)
                return await rest.login(name, password, otp.from_environment() or None)

        async def with_code(code: str) -> dict[str, Any]:
            async with Rest(url) as rest:
                return await rest.login(name, password, code)

        try:
            answer = asyncio.run(sign_in())
        except Rejected as refused:
            if refused.needs != "otp" or otp.from_environment():
                raise
            answer = asyncio.run(with_code(otp.read_code("One-time code")))
        user = answer["user"]
        ends = str(answer.get("expires_at") or "")
        account = Account(url, user["username"], answer["token"], answer["ws_url"], ends)
        accounts.save(account)
        until = f", until {when(account.expires)}" if account.expires else ""
        typer.echo(f"{account.username} ({user['role']}) is signed in at {url}{until}")


def logout(
    chosen: As = "",
    local: Annotated[
        bool, typer.Option("--local", help="Only forget it here; the server is not asked.", envvar="ALONECHAT_LOCAL")
    ] = False,
) -> None:
    """End the sign-in on the server, and forget it here."""
    with endings():
        import asyncio

        from alonechat.core.client import Accounts, Rest

        account = account_of(chosen)

        async def sign_out() -> None:
            async with Rest(account.url, account.token) as rest:
                await rest.logout()

        if not local:
            try:
                asyncio.run(sign_out())
            except Rejected as refused:
                if refused.code not in ("unauthorized", "forbidden"):  # those two: it had ended already
                    raise
            except AloneChatError as error:
                raise AloneChatError(f"{error} The sign-in was kept; --local forgets it all the same") from None
        Accounts().forget(account)
        typer.echo(f"{account.username} is signed out of {account.url}")


def whoami(chosen: As = "") -> None:
    """Say who is signed in, and where."""
    with endings():
        import asyncio

        from alonechat.core.client import Rest
        from alonechat.core.client.accounts import when
        from alonechat.core.client.present import printable

        account = account_of(chosen)

        async def ask() -> dict[str, Any]:
            async with Rest(account.url, account.token) as rest:
                return await rest.me()

        me = asyncio.run(ask())
        until = f", until {when(account.expires)}" if account.expires else ""
        shown = f"{me['display_name']}, " if me["display_name"] != me["username"] else ""
        typer.echo(printable(f"{me['username']} ({shown}{me['role']}) at {account.url}{until}"))


def send(
    target: Annotated[str, typer.Argument(help="'#room' or a username.", show_default=False)],
    text: Annotated[
        list[str] | None, typer.Argument(help="What to say; standard input without it.", show_default=False)
    ] = None,
    command: Annotated[
        bool, typer.Option("--command", help="Run it as a command: /roll 2d6.", envvar="ALONECHAT_COMMAND")
    ] = False,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            metavar="PATH",
            help="A file that the message bears; again for more. The text may then be missing.",
            envvar="ALONECHAT_FILE",
            show_default=False,
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for the receipt of a message.", envvar="ALONECHAT_TIMEOUT", min=0.1)
    ] = 60,
    chosen: As = "",
) -> None:
    """Say something; succeed once the server has it on disk.

    Standard input is one message as a whole, cut only where it is longer than the server takes, at line ends; with
    --file it isn't read. A leading / is said, not run, unless --command is there.
    """
    with endings():
        import asyncio

        account = account_of(chosen)
        said = " ".join(text) if text else "" if files else _input()
        if files and command:
            raise AloneChatError("a command bears no files: send them without --command")
        if not files and not said.strip():
            raise AloneChatError("expected something to say, and got nothing but blanks")
        asyncio.run(_send(account, _target(target), (said, files or []), (command, timeout)))


def _input() -> str:
    """All of standard input, its lines as they end in messages, without the last line end."""
    if sys.stdin.isatty():
        keys = "Ctrl-D" if os.name == "posix" else "Ctrl-Z and Enter"
        typer.echo(f"Write the message; {keys} on an empty line sends it.", err=True)
    text = text_of(sys.stdin.buffer.read()).replace("\r\n", "\n")
    return text.removeprefix("\ufeff").removesuffix("\n").removesuffix("\r")


def _target(text: str) -> str:
    """A conversation as the server calls it."""
    from alonechat.core.message import username

    try:
        return "#" + username(text[1:]) if text.startswith("#") else username(text)
    except Rejected as refused:
        raise AloneChatError(f"expected '#room' or a username, not {text[:40]!r}: {refused}") from None


async def _send(account: Account, target: str, what: tuple[str, list[Path]], how: tuple[bool, float]) -> None:
    import asyncio

    from alonechat.cli.files import uploaded
    from alonechat.core.client import Accounts, Session
    from alonechat.core.client.present import parts, printable

    (said, files), (command, timeout) = what, how
    bears = await uploaded(account, files)
    async with Session(account, Accounts(), follow=False) as session:
        if command:
            pieces = [said if said.startswith("/") else "/" + said]
        else:
            pieces = parts(said, int(session.state.limits["max_content"])) or [""]
        for done, piece in enumerate(pieces):
            more = {"attachments": bears} if bears and done == len(pieces) - 1 else {}  # the last part bears the files
            try:
                async with asyncio.timeout(timeout):
                    answer = await session.request({"type": "TEXT", "target": target, "content": piece, **more})
            except TimeoutError:
                why = session.status.reason or "the server does not answer"
                raise AloneChatError(_unsent(done, len(pieces), f"no receipt within {timeout:g} s: {why}")) from None
            except AloneChatError as error:
                raise AloneChatError(_unsent(done, len(pieces), str(error))) from None
            if answer["type"] == "NOTICE":
                typer.echo(printable(answer["content"], lines=True))


def _unsent(done: int, of: int, why: str) -> str:
    return f"not sent: {why}" if of == 1 else f"{done} of {of} parts were sent, the next was not: {why}"


def tail(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TARGET]...", help="'#room' or a username; all without it.", show_default=False),
    ] = None,
    count: Annotated[
        int, typer.Option("-n", help="So many past messages first, of all together.", envvar="ALONECHAT_LINES", min=0)
    ] = 20,
    as_json: Annotated[
        bool, typer.Option("--json", help="One event a line, as JSON, as the server sent it.", envvar="ALONECHAT_JSON")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Whether to wait for what comes.", envvar="ALONECHAT_FOLLOW")
    ] = True,
    chosen: As = "",
) -> None:
    """Show what was said, and what is being said.

    It reconnects by itself and resumes where it was: nothing is missing, nothing comes twice.
    """
    with endings():
        import asyncio

        account = account_of(chosen)
        wanted = list(dict.fromkeys(_target(each) for each in targets or ()))
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(**({"encoding": "utf-8"} if as_json else {"errors": "replace"}))
        asyncio.run(_Tail(account, wanted, as_json).run(count, follow))


class _Tail:
    """One run of `tail`."""

    def __init__(self, account: Account, wanted: list[str], as_json: bool) -> None:
        self.account = account
        self.wanted = wanted
        self.as_json = as_json
        self.lost = False

    async def run(self, count: int, follow: bool) -> None:
        from alonechat.core.client import Accounts, Session

        async with Session(self.account, Accounts(), follow=follow) as session:
            session.on_status = self.status
            if follow:
                self.require_membership(session)
            shown = await self.past(session, count)
            if follow:
                await self.live(session, shown)

    def require_membership(self, session: Session) -> None:
        """Following a room that one is not in would wait for ever."""
        if session.partial:
            return
        for target in self.wanted:
            if target.startswith("#") and target not in session.state.conversations:
                raise AloneChatError(
                    f"you are not in {target}; join it with: alonechat send --command '#lobby' '/join {target}'"
                )

    async def past(self, session: Session, count: int) -> str:
        """Show the latest `count` messages of all wanted conversations together. The `id` of the last one."""
        found: list[tuple[str, dict[str, Any]]] = []
        # The latest `count` messages lie within the `count` conversations that something happened in last.
        for target in self.wanted or list(session.begun)[:count]:
            begun = session.begun.get(target)
            try:
                events = await session.history(target, None if begun is None else begun + 1, count)
            except Rejected as refused:
                if self.wanted or refused.code not in ("not_found", "forbidden"):
                    raise
                continue  # left a moment ago, on another device
            session.state.older(target, events)
            found += [(target, event) for event in events]
        found.sort(key=lambda each: each[1]["id"])
        for target, event in found[len(found) - min(count, len(found)) :]:
            self.show(session, event, target)
        return str(found[-1][1]["id"]) if found else ""

    async def live(self, session: Session, shown: str) -> None:
        async for event in session.events():
            target = session.state.filed(event)
            again = target not in session.begun and event["id"] <= shown  # else `past` ended where this begins
            if not again and (not self.wanted or target in self.wanted):
                self.show(session, event, target)

    def show(self, session: Session, event: dict[str, Any], target: str) -> None:
        if self.as_json:
            import json

            text: str | None = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        else:
            from datetime import date

            from alonechat.core.client.present import Now, line

            text = line(event, target, session.state.find(target, event.get("ref")), Now(date.today()))
        if text is not None:
            print(text, flush=True)

    def status(self, status: Status) -> None:
        """Say on standard error that the connection was lost, once, and that it is there again."""
        if status.connected == self.lost:
            self.lost = not status.connected
            news = "connected again" if status.connected else f"{status.reason}; trying again"
            from alonechat.core.client.present import printable

            typer.echo(f"alonechat: {printable(news)}", err=True)
