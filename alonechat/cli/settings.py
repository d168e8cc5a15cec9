"""Options out of the table of settings, and the commands that show settings."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from alonechat import config
from alonechat.config import ROWS, Row, Settings

DATABASE = ("data_dir", "database_url", "env")
"""The settings that every command on the database takes; `--config` comes with them."""
SERVER = tuple(row.name for row in ROWS if not row.secret)
"""The settings that a server takes as flags. Other processes can read a command line, so a secret is none of them."""

WIDE = 24
"""Characters of choices that a placeholder may have; more of them stand in the sentence beside it."""
_SHORT = {"port": "-p", "env": "-e", "verbose": "-v"}
_PANELS = {
    "Options": ("host", "port", "api_port", "env", "data_dir", "database_url", "log_dir", "plugins", "verbose"),
    "TLS and proxies": ("tls_cert", "tls_key", "trusted_proxy"),
    "People": ("name", "registration", "room_creation", "token_days"),
    "Logs": ("log_level", "log_max_bytes", "log_keep"),
}
_PANEL_OF = {name: panel for panel, names in _PANELS.items() for name in names}
_LOADED = {row.variable for row in ROWS} | {"ALONECHAT_CONFIG"}
_METAVARS = {"integer": "N", "number": "N", "size": "BYTES", "path": "PATH", "text": "TEXT", "networks": "NETWORKS"}


class Command(TyperCommand):
    """A command each of whose options is an environment variable too, and shown so."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for param in self.params:
            if param.param_type_name == "option" and not param.envvar:
                param.envvar = variable_of(param.name or "", param.opts)


class SettingsCommand(Command):
    """A command with settings among its options. Reading their variables is left to `config.load`, which also knows
    the file, and says where a wrong value stood and what was expected."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for param in self.params:
            if param.envvar in _LOADED:
                vars(param)["value_from_envvar"] = _unread


def variable_of(name: str, options: Iterable[str]) -> str:
    """The variable of an option that is no setting: `--no-password` is ALONECHAT_NO_PASSWORD."""
    long = next((each[2:] for each in options if each.startswith("--")), name)
    return config.PREFIX + long.replace("-", "_").upper()


def _unread(context: object) -> None:
    return None


def command(
    app: typer.Typer, name: str, settings: Iterable[str] = (), panel: str = ""
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mount a function as the command `name`. With `settings` its first argument is the `Settings` that its flags,
    the environment and the file give, and the named ones are its options; the others stand in its signature."""
    names = tuple(settings)

    def mount(function: Callable[..., Any]) -> Callable[..., Any]:
        mounted = _with_settings(function, names) if names else function
        app.command(name, cls=SettingsCommand if names else Command, rich_help_panel=panel or None)(mounted)
        return function

    return mount


def _with_settings(function: Callable[..., Any], names: tuple[str, ...]) -> Callable[..., Any]:
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

    def run(**given: Any) -> Any:
        flags = {name: given.pop(name) for name in (*names, "config")}
        return function(config.load(flags, os.environ, Path.cwd()), **given)

    options = [*map(_option, map(config.row, names)), _config_option()]
    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *options)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__doc__ = function.__doc__
    return run


def _option(row: Row) -> inspect.Parameter:
    switch = row.kind == "switch"
    flag = f"{row.flag}/--no-{row.flag[2:]}" if switch else row.flag
    choices = "|".join(row.choices)
    short = len(choices) <= WIDE
    more = "" if short else f": {', '.join(row.choices)}"
    return _parameter(
        row.name,
        bool if switch else str,
        typer.Option(
            *filter(None, (flag, _SHORT.get(row.name))),
            help=f"{row.help[0].upper()}{row.help[1:]}{more}.",
            metavar=None if switch else (choices if short else "NAME") or _METAVARS[row.kind],
            envvar=row.variable,
            show_default=_default(row) or False,
            rich_help_panel=_panel(row.name),
        ),
    )


def _panel(name: str) -> str | None:
    """None is Typer's own panel, which comes first."""
    panel = _PANEL_OF.get(name, "Limits")
    return None if panel == "Options" else panel


def _default(row: Row) -> str:
    """The default as the help shows it, with the profiles that have another one."""
    if row.name == "database_url":
        return "alonechat.db in the data directory"
    others = [f"{profile}: {value}" for profile, value in (row.profiles or {}).items()]
    plain = "" if row.default in (None, ()) else _plain(row)
    return "; ".join([plain, *others]) if plain else ""


def _plain(row: Row) -> str:
    if row.kind == "switch":
        return ("" if row.default else "no-") + row.name.replace("_", "-")
    if row.kind == "path":
        return f"./{row.default.as_posix()}"
    return f"{row.default:g}" if row.kind == "number" else str(row.default)


def _config_option() -> inspect.Parameter:
    shown = f"{config.FILE} in the data directory, else here"
    return _parameter(
        "config",
        str,
        typer.Option(
            "--config", metavar="PATH", help="The settings file.", envvar="ALONECHAT_CONFIG", show_default=shown
        ),
    )


def _parameter(name: str, kind: Any, option: Any) -> inspect.Parameter:
    annotation = Annotated[kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def mount(app: typer.Typer) -> None:
    """`config` and `secret new`."""
    command(app, "config", SERVER, "Run a server")(show)
    secret = typer.Typer(help="Secrets for the environment.")
    app.add_typer(secret, name="secret", rich_help_panel="Run a server")
    from alonechat.cli import help_when_alone

    secret.callback(invoke_without_command=True)(help_when_alone)
    command(secret, "new")(new_secret)


def show(
    settings: Settings,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print each setting, its value, and where it came from. Secrets are masked."""
    rows = [(row.name, config.shown(settings, row), settings.origins.get(row.name, "default")) for row in ROWS]
    if as_json:
        import json

        print(json.dumps({name: {"value": value, "from": origin} for name, value, origin in rows}, indent=2))
        return
    from alonechat.cli.panel import table

    table(("setting", "value", "from"), rows, sys.stdout)


def new_secret() -> None:
    """Print a fresh secret for JWT_SECRET: 32 random bytes."""
    print(config.new_secret())
