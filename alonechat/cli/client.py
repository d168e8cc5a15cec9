"""`client`: opens a face."""

from __future__ import annotations

from typing import Annotated

import typer

from alonechat.cli.settings import command
from alonechat.errors import ConfigError, StartError

FACES = ("gui", "tui")


def mount(app: typer.Typer) -> None:
    """`client`."""
    command(app, "client", panel="Talk")(client)


def client(
    ui: Annotated[str, typer.Option(help="Which face: the desktop's or the terminal's.", metavar="gui|tui")] = "gui",
) -> None:
    """Open the chat on the desktop or in the terminal."""
    if ui not in FACES:
        raise ConfigError(f"--ui must be one of {', '.join(FACES)}, not {ui!r}")
    name = {"gui": "desktop", "tui": "terminal"}[ui]
    raise StartError(f"the {name} client is not built yet; alonechat send and alonechat tail talk from a shell")
