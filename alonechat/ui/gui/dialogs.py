"""Dialogs for files: the desktop's own where a program shows them, else Tk's."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tkinter import filedialog
from typing import TYPE_CHECKING

from alonechat.core.client.words import _

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App


def open_files(app: App, then: Callable[[list[Path]], None]) -> None:
    """`then(paths)` in Tk's thread, once some were chosen."""
    title = _("Send files")
    command = _asking(
        app,
        ["--file-selection", "--multiple", "--separator=\n", f"--title={title}"],
        ["--getopenfilename", "--multiple", "--separate-output", "--title", title, str(Path.home())],
    )
    if command is not None:
        _ask(app, command, then)
        return
    found = filedialog.askopenfilenames(parent=app.root, title=title)
    if found:
        then([Path(each) for each in found])


def save_as(app: App, name: str, then: Callable[[Path], None]) -> None:
    """`then(path)` in Tk's thread, once a place was chosen; the dialog has asked about a file that is there."""
    title, proposed = _("Save as"), _folder() / name
    command = _asking(
        app,
        ["--file-selection", "--save", "--confirm-overwrite", f"--title={title}", f"--filename={proposed}"],
        ["--getsavefilename", "--title", title, str(proposed)],
    )
    if command is not None:
        _ask(app, command, lambda paths: then(paths[0]))
        return
    found = filedialog.asksaveasfilename(parent=app.root, title=title, initialdir=_folder(), initialfile=name)
    if found:
        then(Path(found))


def _folder() -> Path:
    downloads = Path.home() / "Downloads"
    return downloads if downloads.is_dir() else Path.home()


def _asking(app: App, zenity: Sequence[str], kdialog: Sequence[str]) -> list[str] | None:
    """The program that shows the desktop's dialog under X11; Tk's is the system's own elsewhere."""
    if app.root.tk.call("tk", "windowingsystem") != "x11":
        return None
    for name, given in (("zenity", zenity), ("kdialog", kdialog)):
        if found := shutil.which(name):
            return [found, *given]
    return None


def _ask(app: App, command: Sequence[str], then: Callable[[list[Path]], None]) -> None:
    """Run it beside Tk's thread; closed without a choice, nothing happens."""

    def run() -> None:
        with suppress(OSError):
            said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            paths = [Path(line) for line in said.stdout.splitlines() if line]
            if paths and not said.returncode:
                app.waker.post(lambda: then(paths))

    threading.Thread(target=run, name="alonechat-dialog", daemon=True).start()
