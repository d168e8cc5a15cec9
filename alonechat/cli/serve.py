"""`server` and `srv-only`: settings in, a running server, an exit code out."""

from __future__ import annotations

import sys
from typing import Any

import typer

from alonechat.cli.settings import SERVER, command
from alonechat.config import Settings


def mount(app: typer.Typer) -> None:
    """`server` and `srv-only`."""
    command(app, "server", SERVER, "Run a server")(server)
    command(app, "srv-only", [name for name in SERVER if name != "api_port"], "Run a server")(srv_only)


def server(settings: Settings) -> int:
    """Run the server: WebSocket and REST. Ctrl-C or SIGTERM ends it."""
    return _serve(settings, rest=True)


def srv_only(settings: Settings) -> int:
    """Run the server without REST: who is to talk needs a token (alonechat token NAME)."""
    return _serve(settings, rest=False)


def _serve(settings: Settings, rest: bool) -> int:
    from alonechat.app import serve

    return serve(settings, rest=rest, announce=announce)


def announce(facts: dict[str, Any]) -> None:
    """Say on stdout that the server listens, and what its people need to know."""
    from alonechat.cli.panel import print_start

    if sys.stdout is not None:
        print_start(facts, sys.stdout)
