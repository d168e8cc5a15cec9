"""`devices`: one's own sign-ins, and their end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alonechat.cli.settings import Command
from alonechat.cli.talk import As, account_of, endings
from alonechat.errors import AloneChatError

if TYPE_CHECKING:
    from alonechat.core.client import Account

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="What `devices list` shows in its first column.")]
Chosen = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def mount(app: typer.Typer) -> None:
    """`devices list`, `devices end`, `devices end-others`."""
    from alonechat.cli import help_when_alone

    group = typer.Typer(help="Where your account is signed in: list, end, end-others.")
    group.callback(invoke_without_command=True)(help_when_alone)
    app.add_typer(group, name="devices", rich_help_panel="Talk")
    for name, run in (("list", list_), ("end", end), ("end-others", end_others)):
        group.command(name, cls=Command)(run)


def list_(chosen: As = "") -> None:
    """List where your account is signed in: id, since when, what signed in, and which one asks. The latest first.

    A sign-in is a device, or a program such as a bot. A new password ends all but the one that it is set with.
    """
    with endings():
        from alonechat.cli.panel import table
        from alonechat.core.client.devices import called
        from alonechat.core.client.present import printable

        rows = [
            (
                each["id"],
                each["created"][:16].replace("T", " ") + " UTC",
                printable(called(each["device"])),
                "this one" if each["current"] else "",
            )
            for each in _asked(account_of(chosen), lambda found: [])
        ]
        table(("id", "since", "device", ""), rows, sys.stdout)


def end(ids: Ids, chosen: As = "") -> None:
    """End sign-ins: what is connected with them is signed out at once."""

    def wanted(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        known = {each["id"]: each for each in found}
        if unknown := [id for id in ids if id not in known]:
            raise AloneChatError(f"you have no sign-in {unknown[0]}; alonechat devices list shows those that there are")
        return [known[id] for id in dict.fromkeys(ids)]

    with endings():
        _asked(account_of(chosen), wanted)
        typer.echo("ended")


def end_others(chosen: As = "") -> None:
    """End all sign-ins but the one that asks."""
    with endings():
        others = len(_asked(account_of(chosen), lambda found: [each for each in found if not each["current"]])) - 1
        typer.echo(f"{others} ended" if others else "there was no other one")


def _asked(account: Account, choose: Chosen) -> list[dict[str, Any]]:
    """The sign-ins as they were, after those that `choose` takes of them were ended, the one that asks last."""
    import asyncio

    from alonechat.core.client import Rest

    async def work() -> list[dict[str, Any]]:
        async with Rest(account.url, account.token) as rest:
            found: list[dict[str, Any]] = (await rest.sessions())["items"]
            for each in sorted(choose(found), key=lambda each: each["current"]):
                await rest.end_session(each["id"])
            return found

    return asyncio.run(work())
