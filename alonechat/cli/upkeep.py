"""`backup`, `restore` and `doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alonechat.cli.settings import DATABASE, command
from alonechat.config import Settings

if TYPE_CHECKING:
    from alonechat.upkeep import Copied

PANEL = "Run a server"
Place = Annotated[Path, typer.Argument(metavar="PLACE", help="The folder of the backup.", show_default=False)]


def mount(app: typer.Typer) -> None:
    """`backup`, `restore`, `doctor`."""
    for run in (backup, restore, doctor):
        command(app, run.__name__, DATABASE, PANEL)(run)


def backup(settings: Settings, place: Place) -> None:
    """Copy the database, the files and the rest of the data to a new folder, while the server runs or not."""
    from alonechat import upkeep

    print(f"{place} has {_told(upkeep.backup(settings, place))}")


def restore(settings: Settings, place: Place) -> None:
    """Put a backup into an empty data directory. No server may run on it."""
    from alonechat import upkeep
    from alonechat.app import alone, make_directory

    make_directory(settings.data_dir)
    with alone(settings.data_dir):
        copied = upkeep.restore(settings, place)
    print(f"{settings.data_dir} has {_told(copied)}")


def doctor(settings: Settings) -> int:
    """Look for damage: the database, files without a message, messages without their file. Changes nothing."""
    from alonechat import admin, upkeep

    upkeep.refuse_older(settings)
    with admin.opened(settings) as store:
        found = upkeep.doctor(settings, store)
    for each in found.faults:
        print(each)
    if not found.faults:
        print(f"all is well: the database is whole, and {_files(found.files, found.size)} are there")
    return 1 if found.faults else 0


def _told(copied: Copied) -> str:
    lost = f"; {len(copied.missing)} that messages name were not there" if copied.missing else ""
    return f"the database and {_files(copied.files, copied.size)}{lost}"


def _files(count: int, size: int) -> str:
    return f"{count} {'file' if count == 1 else 'files'} of {size:,} bytes"
