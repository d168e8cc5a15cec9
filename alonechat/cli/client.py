"""`client`: opens a face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alonechat.cli.settings import command
from alonechat.cli.talk import As, account_of, endings
from alonechat.errors import ConfigError

if TYPE_CHECKING:
    from alonechat.core.client.opening import Opening

# Nothing else is imported up here: `alonechat --help` loads this module, and must not load the faces.


FACES = ("gui", "tui", "line")
"""What `--ui` takes, each giving way to the next where it can't work."""


def mount(app: typer.Typer) -> None:
    """`client`."""
    command(app, "client", panel="Talk")(client)


def client(
    ui: Annotated[
        str,
        typer.Option(
            metavar="gui|tui|line",
            help="Which face: the desktop's, the terminal's, or plain lines for screen readers and dumb terminals. "
            "One that can't work here says why, and gives way to the next.",
            envvar="ALONECHAT_UI",
        ),
    ] = "gui",
    as_: As = "",
    server: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Sign in at this server (http://host:8766) rather than open the current account."
        ),
    ] = "",
    lang: Annotated[
        str, typer.Option(metavar="en|zh", help="The language, instead of the system's.", envvar="ALONECHAT_LANG")
    ] = "",
) -> None:
    """Open the chat on the desktop or in the terminal.

    It opens the account that was signed in last on this machine, and asks for the server when there is none.
    """
    from alonechat.core.client import words
    from alonechat.core.client.preferences import load

    if ui not in FACES:
        raise ConfigError(f"--ui must be one of {', '.join(FACES)}, not {ui!r}")
    words.choose(lang or None)  # first: what is wrong with the files is said in the language that was asked for
    with endings():
        opening = _opening(as_, server)
        if not lang and (liked := load(opening.preferences).language):
            words.choose(liked)
        code = _open(ui, opening)
    raise typer.Exit(code)


def _opening(chosen: str, server: str) -> Opening:
    """Whose chat is opened, and where things are kept."""
    from alonechat.core.client.accounts import Accounts, directory
    from alonechat.core.client.cache import directory as home
    from alonechat.core.client.opening import Opening
    from alonechat.core.client.preferences import FILE
    from alonechat.core.client.rest import base_url

    accounts = Accounts()
    url = base_url(server) if server else ""
    account = account_of(chosen) if chosen else accounts.find(url) if url else accounts.current()
    return Opening(accounts, account, home(), directory() / FILE, url)


def _open(face: str, opening: Opening) -> int:
    """Open a face, or the next simpler one where it can't work."""
    from alonechat.core.client.opening import Unusable
    from alonechat.core.client.words import _

    if face == "gui":
        try:
            from alonechat.ui import gui

            return gui.run(opening)
        except Unusable as why:
            typer.echo("alonechat: " + _("{why}. This is the terminal client.").format(why=why), err=True)
    if face != "line":
        try:
            from alonechat.ui import tui

            return tui.run(opening)
        except Unusable as why:
            said = _("{why}. This is the line mode; /help lists what there is.").format(why=why)
            typer.echo(f"alonechat: {said}", err=True)
    from alonechat.ui.tui import line

    return line.run(opening)
