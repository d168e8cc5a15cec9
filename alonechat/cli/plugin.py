"""`plugin` (list, new, check, test, enable, disable), and `audit`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from alonechat.cli.settings import DATABASE, command
from alonechat.config import Settings

Name = Annotated[str, typer.Argument(metavar="NAME", help="The plugin's name.")]


def mount(app: typer.Typer) -> None:
    """`plugin …`."""
    from alonechat.cli import help_when_alone

    group = typer.Typer(help="Plugins: list, new, check, test, enable, disable.")
    group.callback(invoke_without_command=True)(help_when_alone)
    app.add_typer(group, name="plugin", rich_help_panel="Run a server")
    command(group, "list", DATABASE)(list_)
    command(group, "new", DATABASE)(new)
    command(group, "check")(check)
    command(group, "test")(test)
    command(group, "enable", DATABASE)(enable)
    command(group, "disable", DATABASE)(disable)
    command(app, "audit", DATABASE, "Run a server")(audit)


def list_(settings: Settings) -> None:
    """How each plugin stands, and why it is off where it is."""
    from alonechat.cli.panel import table
    from alonechat.plugins.handling import states

    found = states(settings.data_dir)
    rows = [(name, version, state, reason, source) for name, version, source, state, reason in found]
    table(("plugin", "version", "state", "reason", "from"), rows, sys.stdout)


def new(settings: Settings, name: Name) -> None:
    """Write a plugin that works, and its test, into the data directory's plugins/."""
    from alonechat.plugins.handling import new as write
    from alonechat.plugins.manager import FOLDER

    for path in write(settings.data_dir / FOLDER, name):
        print(path)


def check(path: Annotated[str, typer.Argument(metavar="PATH", help="A file, or a folder with __init__.py.")]) -> None:
    """Load a plugin as a server would, and say what it is or what is wrong with it."""
    from alonechat.plugins.handling import check as look

    found = look(Path(path))
    does = [*(["a command"] if found.command else []), *(phase.name for phase in found.phases)]
    about = found.description or "no description"
    print(f"{found.name} {found.version}: {about} ({', '.join(does) or 'does nothing'})")


def test(path: Annotated[str, typer.Argument(metavar="PATH", help="The plugin, or its test.")]) -> int:
    """Run the test that stands beside a plugin. pytest must be there for this Python."""
    from alonechat.plugins.handling import tested

    return tested(Path(path))


def enable(settings: Settings, name: Name) -> None:
    """Switch a plugin on. A server that runs sees it by itself."""
    from alonechat.plugins.handling import switch

    switch(settings.data_dir, name, on=True)
    print(f"{name} is on")


def disable(settings: Settings, name: Name) -> None:
    """Switch a plugin off. A server that runs sees it by itself."""
    from alonechat.plugins.handling import switch

    switch(settings.data_dir, name, on=False)
    print(f"{name} is off")


def audit(settings: Settings) -> None:
    """What moderators did by commands: when, who, where, what; the latest last."""
    from alonechat.cli.panel import table
    from alonechat.plugins.handling import audited

    table(("when", "who", "where", "what"), audited(settings.data_dir), sys.stdout)
