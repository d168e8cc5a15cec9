"""`devices`: one's own sign-ins, and their end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alonechat.cli.settings import Command
from alonechat.cli.talk import As, account_of, endings
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from alonechat.core.client import Account

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="What `devices list` shows in its first column.")]
Sessions = list[dict[str, Any]]
Chosen = Callable[[Sessions], Sessions]


def mount(app: typer.Typer) -> None:
    """`devices list`, `devices end`, `devices end-others`."""
    from alonechat.cli import help_when_alone

    group = typer.Typer(help="Where your account is signed in: list, end, end-others.")
    group.callback(invoke_without_command=True)(help_when_alone)
    app.add_typer(group, name="devices", rich_help_panel="Talk")
    for name, run in (("list", list_), ("end", end), ("end-others", end_others)):
        # ids of an earlier version may begin with a dash
        group.command(name, cls=Command, context_settings={"ignore_unknown_options": name == "end"})(run)


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
                printable(str(each.get("id"))),
                printable(str(each.get("created"))[:16].replace("T", " ")) + " UTC",
                called(str(each.get("device") or "")),
                "this one" if each.get("current") else "",
            )
            for each in _asked(account_of(chosen), _none)
        ]
        table(("id", "since", "device", ""), rows, sys.stdout)


def end(ids: Ids, chosen: As = "") -> None:
    """End sign-ins: what is connected with them is signed out at once."""

    def wanted(found: Sessions) -> Sessions:
        return list({one["id"]: one for one in (_named(id, found) for id in ids)}.values())

    with endings():
        account = account_of(chosen)
        found = _asked(account, wanted)
        own = any(each["current"] for each in wanted(found))
        typer.echo(f"ended; this one was it: sign in again with alonechat login {account.username}" if own else "ended")


def _named(id: str, found: Sessions) -> dict[str, Any]:
    """The sign-in of that id, or whose id alone begins so."""
    alike = [each for each in found if each["id"] == id] or [each for each in found if id and each["id"].startswith(id)]
    if len(alike) == 1:
        return alike[0]
    what = f"there are {len(alike)} sign-ins whose id begins with {id}" if alike else f"you have no sign-in {id!r}"
    raise AloneChatError(f"{what}; alonechat devices list shows those that there are")


def _none(found: Sessions) -> Sessions:
    return []


def end_others(chosen: As = "") -> None:
    """End all sign-ins but the one that asks."""
    with endings():
        import asyncio

        from alonechat.core.client import Rest

        async def work(account: Account) -> int:
            async with Rest(account.url, account.token) as rest:
                return len(await rest.end_other_sessions())

        others = asyncio.run(work(account_of(chosen)))
        typer.echo(f"{others} ended" if others else "there was no other one")


def _asked(account: Account, choose: Chosen) -> Sessions:
    """The sign-ins as they were, after those that `choose` takes of them were ended, the one that asks last."""
    import asyncio

    from alonechat.core.client import Rest

    async def work() -> Sessions:
        async with Rest(account.url, account.token) as rest:
            found: Sessions = (await rest.sessions())["items"]
            for each in sorted(choose(found), key=lambda each: each["current"]):
                try:
                    await rest.end_session(each["id"])
                except Rejected as refused:
                    if refused.code != "not_found":  # it ended by itself a moment ago
                        raise
            return found

    return asyncio.run(work())
