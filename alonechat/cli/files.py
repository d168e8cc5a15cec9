"""Files in a shell: what `send --file` uploads, and `fetch`."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alonechat.cli.talk import As, account_of, endings
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from alonechat.core.client import Account, Rest

# Nothing else is imported up here: see cli.talk

SECONDS = 60.0
"""Without a sign of the server while a file goes or comes."""
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}\Z")


async def uploaded(account: Account, paths: Sequence[Path]) -> list[dict[str, Any]]:
    """These files as attachments, in their order. Where one can't be sent, none is: raises AloneChatError."""
    from alonechat.core.client import Rest
    from alonechat.core.client.files import MOST
    from alonechat.core.client.shelf import measured

    if not paths:
        return []
    if len(paths) > MOST:
        raise AloneChatError(f"a message bears at most {MOST} files; these are {len(paths)}")
    for path in paths:
        measured(path, None)
    async with Rest(account.url, account.token, SECONDS) as rest:
        most = int(((await rest.server()).get("files") or {}).get("max_bytes") or 0)
        for path in paths:
            measured(path, most)
        return [{"id": (await _upload(rest, path))["id"]} for path in paths]


async def _upload(rest: Rest, path: Path) -> dict[str, Any]:
    """One file, waiting as long as the server says "too fast"."""
    import asyncio

    from alonechat.core.client.shelf import mime_of

    while True:
        try:
            return await rest.upload(path, mime=mime_of(path.name))
        except Rejected as refused:
            if refused.code != "rate_limited":
                raise AloneChatError(f"{path} was not sent: {refused}") from None
            await asyncio.sleep(refused.retry_after or 1.0)
        except OSError as error:
            raise AloneChatError(f"{path} can't be read: {error.strerror or error}") from None


def mount(app: typer.Typer) -> None:
    """`fetch`."""
    from alonechat.cli.settings import Command

    app.command(cls=Command, rich_help_panel="Talk")(fetch)


def fetch(
    id: Annotated[str, typer.Argument(metavar="ID", help="The file's id, as tail shows it.", show_default=False)],
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="Where to: a file, a folder, or - for standard output; its own name here without it.",
            envvar="ALONECHAT_OUTPUT",
        ),
    ] = "",
    chosen: As = "",
) -> None:
    """Fetch a file that a message bears.

    A file of that name that is there already is overwritten only where PATH names it. Nothing is left of what broke off
    in the middle.
    """
    with endings():
        import asyncio

        account = account_of(chosen)
        if not _ID.match(id):
            raise AloneChatError(f"expected the id of a file, as tail shows it, not {id[:40]!r}")
        asyncio.run(_fetch(account, id, output))


async def _fetch(account: Account, id: str, output: str) -> None:
    from alonechat.core.client import Rest
    from alonechat.core.client.shelf import name_of

    given = Path(output) if output not in ("", "-") else None
    piped = output == "-" or (given is not None and given.exists() and not given.is_file() and not given.is_dir())
    if given is not None and given.is_symlink() and not piped:
        given = given.resolve()  # what it leads to is written, not the link
    folder = given if given is not None and given.is_dir() else given.parent if given is not None else Path()
    place = Path(tempfile.gettempdir()) if piped else folder
    try:
        number, name = tempfile.mkstemp(prefix=".alonechat-", dir=place)
    except OSError as error:
        raise AloneChatError(f"nothing can be written in {place}: {error.strerror or error}") from None
    os.close(number)
    part = Path(name)
    try:
        async with Rest(account.url, account.token, SECONDS) as rest:
            called = name_of(await rest.download(id, part) or id)
        if piped:  # a device or a pipe is written to: to put a file in its place would be its end
            with part.open("rb") as file, given.open("wb") if given else nullcontext(sys.stdout.buffer) as out:
                shutil.copyfileobj(file, out)
            return
        target = given if given is not None and given != folder else folder / called
        if given != target and target.exists():
            raise AloneChatError(f"{target} is there already: -o names another place, or that file itself")
        part.chmod(0o666 & ~_umask())
        os.replace(part, target)
        typer.echo(str(target))
    except OSError as error:
        raise AloneChatError(f"the file can't be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    """The modes that this user wants no new file to have."""
    found = os.umask(0o077)
    os.umask(found)
    return found
