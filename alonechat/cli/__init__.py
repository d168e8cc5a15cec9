"""The command line: every command, and how a mistake becomes one sentence and an exit code."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec
from typing import Annotated, Any, NoReturn

import typer

from alonechat import __version__
from alonechat.cli.piped import is_closed
from alonechat.errors import AloneChatError, ConfigError, Rejected, StartError

WRONG = 2
"""Exit code for wrong usage, a wrong setting, or a server that can't start here; a refused request is 1."""
INTERRUPTED = 130


MOUNTED = {
    "serve": ("server", "srv-only"),
    "client": ("client",),
    "talk": ("login", "logout", "whoami", "send", "tail"),
    "otp": ("otp",),
    "devices": ("devices",),
    "files": ("fetch",),
    "upkeep": ("backup", "restore", "doctor"),
    "accounts": ("user", "invite", "token"),
    "plugin": ("plugin", "audit"),
    "bench": ("bench",),
    "settings": ("config", "secret"),
}
"""The modules that mount commands, in the order of the help, and what these are called."""


def build_app(rich: bool, only: str = "") -> typer.Typer:
    """All commands, or those of the module `only` (a key of `MOUNTED`): to build all of them takes longer than many
    of them run. `rich`: panels and colours in the help, for a terminal; else plain lines."""
    app = typer.Typer(
        name="alonechat",
        help="AloneChat: a whole team chat in one file.",
        epilog="Docs are in docs/; every option is shown with the environment variable that sets it too.",
        add_completion=False,
        rich_markup_mode="rich" if rich else None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback(invoke_without_command=True)(_alonechat)
    for name in (only,) if only else MOUNTED:
        import_module(f"{__name__}.{name}").mount(app)
    return app


def _alonechat(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        print(f"alonechat {__version__}{' (compiled)' * _is_compiled()}")
        raise typer.Exit()
    help_when_alone(context)


def _is_compiled() -> bool:
    """Whether the modules of a message's way are compiled here: they are in the native file, where a C compiler was at
    hand when it was built, and the system loads what it made."""
    found = find_spec("alonechat.core.message")
    return found is not None and isinstance(found.loader, ExtensionFileLoader)


def help_when_alone(context: typer.Context) -> None:
    """The callback of a group: without a command it shows what there is, which is wrong usage."""
    if context.invoked_subcommand is None:
        text = context.get_help()  # on a terminal it has printed itself
        if text:
            print(text)
        raise typer.Exit(WRONG)


@cache
def _command(rich: bool, only: str) -> Any:
    """`build_app`'s commands, put together once."""
    return typer.main.get_command(build_app(rich, only))


def _module_of(word: str) -> str:
    """The module that mounts the command `word`; nothing for what is none: then all commands are wanted."""
    return next((module for module, names in MOUNTED.items() if word in names), "")


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and give its exit code. A user's mistake is one sentence on stderr; only a fault of
    AloneChat itself is a traceback."""
    _prepare(sys.stdout)
    _prepare(sys.stderr)
    given = sys.argv[1:] if arguments is None else arguments
    try:
        command = _command(_is_terminal(), _module_of(given[0] if given else ""))
        code = command(given, prog_name="alonechat", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Rejected as error:
        return say(error.text, 1)
    except AloneChatError as error:
        return say(str(error), WRONG if isinstance(error, (ConfigError, StartError)) else 1)
    except Exception as error:
        return _leave_pipe() if is_closed(error) else _usage(error)


def say(sentence: str, code: int) -> int:
    """Print the reason of a failure, on one line and without what moves the cursor, and hand its exit code on."""
    if sys.stderr is not None:
        shown = "".join(
            each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in " ".join(sentence.split())
        )
        print(f"alonechat: {shown}", file=sys.stderr)
    return code


def _usage(error: Exception) -> int:
    """The exit code of wrong usage. Typer keeps the class of such errors private, so it is known by what it can do."""
    sentence = getattr(error, "format_message", None)
    if sentence is None:
        raise error
    context = getattr(error, "ctx", None)
    where = f"; see: {context.command_path} --help" if context is not None else ""
    return say(str(sentence()).rstrip(".") + where, int(getattr(error, "exit_code", WRONG)))


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _prepare(stream: object) -> None:
    """Let a stream that can't show a character show its number instead of failing."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _leave_pipe() -> int:
    """Nobody reads any more (`… | head`): keep the interpreter from flushing into the closed pipe at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 1


def main() -> NoReturn:
    """The entry of the console script and of the single file."""
    sys.exit(run())
