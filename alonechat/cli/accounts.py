"""`user`, `invite` and `token`: what is done on the database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from alonechat.cli.settings import DATABASE, command
from alonechat.config import Settings
from alonechat.errors import ConfigError

PANEL = "People"
ROLES = "member|moderator|admin|owner"

Name = Annotated[str, typer.Argument(metavar="NAME", help="The username.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Role = Annotated[str, typer.Option(metavar=ROLES, help="What the account may do.")]


def mount(app: typer.Typer) -> None:
    """`user`, `invite` and `token`."""
    from alonechat.cli import help_when_alone

    users = typer.Typer(help="Accounts: add, import, list, role, disable, enable, password, forget-otp.")
    invites = typer.Typer(help="Codes that let somebody register: new, list, revoke.")
    for group, name in ((users, "user"), (invites, "invite")):
        group.callback(invoke_without_command=True)(help_when_alone)
        app.add_typer(group, name=name, rich_help_panel=PANEL)
    of_users: dict[str, Callable[..., None]] = {
        "add": add,
        "import": import_,
        "list": list_,
        "role": role,
        "disable": disable,
        "enable": enable,
        "password": password,
        "forget-otp": forget_otp,
    }
    of_invites: dict[str, Callable[..., None]] = {"new": new_invite, "list": list_invites, "revoke": revoke_invite}
    for name, run in of_users.items():
        command(users, name, DATABASE)(run)
    for name, run in of_invites.items():
        command(invites, name, DATABASE)(run)
    command(app, "token", DATABASE, PANEL)(token)


def add(
    settings: Settings,
    name: Name,
    display_name: Annotated[str, typer.Option(metavar="TEXT", help="What others see; the username unless told.")] = "",
    role: Role = "member",
    no_password: Annotated[
        bool,
        typer.Option("--no-password", help="No password: it signs in by token."),
    ] = False,
) -> None:
    """Make an account. The password is asked for twice, or comes from ALONECHAT_PASSWORD or standard input."""
    from alonechat import admin
    from alonechat.cli.password import read_password

    wanted = admin.newcomer(name, display_name, role)
    if not no_password:
        given = admin.checked_password(read_password(f"Password of {wanted.username}", twice=True))
        wanted = admin.newcomer(name, display_name, role, given)
    with admin.opened(settings, make=True) as store:
        admin.add(store, [wanted], settings.scrypt_n)
    print(f"{wanted.username} was added as {wanted.role}")


def import_(
    settings: Settings,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV as Excel saves it too; - is standard input.")],
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="What FILE is written in, such as gb18030.", show_default=True)
    ] = "utf-8-sig",
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave out people whose username is there already.")
    ] = False,
) -> None:
    """Add all accounts of a CSV file, or none: username,display_name,role,password. All but the first may be empty."""
    from alonechat import admin
    from alonechat.cli.people import read_people

    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file} can't be read: {error.strerror or error}") from None
    people = read_people(data, encoding)
    with admin.opened(settings, make=True) as store:
        added = admin.add(store, people, settings.scrypt_n, skip_existing)
    said = f"{added} {'account was' if added == 1 else 'accounts were'} added"
    there = len(people) - added
    print(f"{said}, {there} {'was' if there == 1 else 'were'} there already" if skip_existing else said)


def list_(settings: Settings, as_json: Json = False) -> None:
    """List all accounts: username, display name, role, standing, when it was made, whether it asks for codes."""
    from alonechat import admin
    from alonechat.cli.panel import table

    with admin.opened(settings) as store:
        accounts, factors = sorted(store.accounts(), key=lambda each: each.username), set(store.factors())
    head = ("username", "display_name", "role", "standing", "created", "otp")
    rows = [
        (a.username, a.display_name, a.role, a.standing, _when(a.created), "on" if a.username in factors else "off")
        for a in accounts
    ]
    _print_json(head, rows) if as_json else table(head, rows, sys.stdout)


def role(
    settings: Settings, name: Name, role: Annotated[str, typer.Argument(metavar=ROLES, help="The new role.")]
) -> None:
    """Give an account another role. The last owner stays one."""
    from alonechat import admin

    with admin.opened(settings) as store:
        account = admin.set_role(store, name, role)
    print(f"{account.username} was {account.role}, and is {role} now")


def disable(settings: Settings, name: Name) -> None:
    """Let an account sign in no more; its sign-ins end at once, what it wrote stays."""
    from alonechat import admin

    with admin.opened(settings) as store:
        account = admin.disable(store, name)
    print(f"{account.username} is disabled, and all its sign-ins have ended")


def enable(settings: Settings, name: Name) -> None:
    """Let an account sign in again that was disabled or banned."""
    from alonechat import admin

    with admin.opened(settings) as store:
        account = admin.enable(store, name)
    print(f"{account.username} was {account.standing}, and is active now")


def password(settings: Settings, name: Name) -> None:
    """Give an account a new password; its sign-ins end. The password is asked for as in user add."""
    from alonechat import admin
    from alonechat.cli.password import read_password

    with admin.opened(settings) as store:
        who = admin.find(store, name).username
    given = read_password(f"New password of {who}", twice=True)
    with admin.opened(settings) as store:
        admin.set_password(store, who, given, settings.scrypt_n)
    print(f"{who} has a new password, and all its sign-ins have ended")


def forget_otp(settings: Settings, name: Name) -> None:
    """Let an account sign in with its password alone again, for who has lost device and recovery codes."""
    from alonechat import admin

    with admin.opened(settings) as store:
        username = admin.forget_otp(store, name)
    print(f"{username} signs in with the password alone now")


def new_invite(
    settings: Settings,
    role: Role = "member",
    uses: Annotated[int, typer.Option(metavar="N", help="How many may register with it.", show_default=True)] = 1,
    days: Annotated[float, typer.Option(metavar="N", help="How long it holds; 0 is for ever.")] = 7,
) -> None:
    """Make an invite and print its code."""
    from alonechat import admin

    with admin.opened(settings, make=True) as store:
        print(admin.invite(store, role, uses, days).code)


def list_invites(settings: Settings, as_json: Json = False) -> None:
    """List the invites that hold: code, role, uses that are left, when it expires, who made it."""
    from alonechat import admin
    from alonechat.cli.panel import table

    with admin.opened(settings) as store:
        invites = store.invites()
    head = ("code", "role", "uses", "expires", "by")
    rows = [(i.code, i.role, str(i.uses), _when(i.expires) if i.expires else "never", i.by) for i in invites]
    _print_json(head, rows) if as_json else table(head, rows, sys.stdout)


def revoke_invite(
    settings: Settings, code: Annotated[str, typer.Argument(metavar="CODE", help="The invite's code.")]
) -> None:
    """Let nobody register with an invite any more."""
    from alonechat import admin

    with admin.opened(settings) as store:
        admin.revoke_invite(store, code)
    print(f"the invite {code} is revoked")


def token(
    settings: Settings,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Usernames.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="One for every account that may sign in.")] = False,
    days: Annotated[
        float | None,
        typer.Option(metavar="N", help="How long they hold.", show_default="as token_days says"),
    ] = None,
) -> None:
    """Print tokens that sign in without a password, one a line, in the order of the names: for bots and tests."""
    from alonechat import admin

    if bool(names) == everybody:
        raise ConfigError("token needs either names or --all" + ("; not both" if everybody else ""))
    with admin.opened(settings) as store:
        wanted = None if everybody else names
        made = admin.tokens(store, settings, wanted, settings.token_days if days is None else days)
    for each in made:
        print(each)


def _when(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _print_json(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    import json

    print(json.dumps([dict(zip(head, row, strict=True)) for row in rows], ensure_ascii=False, indent=2))
