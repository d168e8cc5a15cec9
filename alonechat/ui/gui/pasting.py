"""A picture, or files, from the clipboard: by X11's selections, on Windows as they lie there, on macOS by Pillow where
that is there."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
import tkinter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from alonechat.ui.gui.photos import has_pillow

SECONDS = 5
STALE = 86_400
KINDS = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}
"""What is taken, the best first."""
LISTS = ("text/uri-list", "x-special/gnome-copied-files")


def pasted(root: Any, folder: Path) -> list[Path]:
    """What the clipboard holds, if it is files or a picture, which is written to `folder`; nothing for text, whose
    paste is Tk's."""
    system = root.tk.call("tk", "windowingsystem")
    if system == "x11":
        targets = _targets(root)
        for kind in LISTS:
            if kind in targets and (found := files_of(_bytes(root, kind).decode(errors="replace"))):
                return found
        if targets & {"UTF8_STRING", "STRING", "text/plain"}:
            return []
        kind = next((kind for kind in KINDS if kind in targets), "")
        return _kept(_bytes(root, kind), KINDS[kind], folder) if kind else []
    with suppress(tkinter.TclError):
        if root.clipboard_get():
            return []
    if system == "win32":
        from alonechat.ui.gui import clipboard

        return clipboard.files() or _kept(clipboard.picture(), ".png", folder)
    return _by_pillow(folder) if has_pillow() else []


def _targets(root: Any) -> set[str]:
    """The kinds that the clipboard's owner offers."""
    with suppress(tkinter.TclError):
        return set(str(root.selection_get(selection="CLIPBOARD", type="TARGETS")).split())
    return set()


def _bytes(root: Any, kind: str) -> bytes:
    """The clipboard as one kind. Tk gives what is no text as numbers; xclip and wl-paste, where one of them is there,
    give the bytes themselves, without this window waiting for another one."""
    for program, given in (("xclip", ("-selection", "clipboard", "-t", kind, "-o")), ("wl-paste", ("-t", kind))):
        if found := shutil.which(program):
            with suppress(OSError, subprocess.TimeoutExpired):
                said = subprocess.run([found, *given], capture_output=True, timeout=SECONDS, check=False)
                if said.returncode == 0 and said.stdout:
                    return said.stdout
    with suppress(tkinter.TclError, ValueError):
        text = str(root.selection_get(selection="CLIPBOARD", type=kind))
        if text.startswith("0x"):
            return bytes(int(part, 16) for part in text.split())
        return text.encode()
    return b""


def files_of(text: str) -> list[Path]:
    """The files that a list of addresses names, as file managers copy them."""
    found = []
    for line in text.replace("\0", "\n").splitlines():
        with suppress(ValueError, OSError):  # no address; a path that is too long, or in a folder that can't be read
            parts = urlparse(line.strip())
            path = Path(unquote(parts.path))
            if parts.scheme == "file" and parts.netloc in ("", "localhost") and path.is_file():
                found.append(path)
    return found


def _kept(data: bytes, ending: str, folder: Path) -> list[Path]:
    if not data:
        return []
    place = _place(folder, ending)
    place.write_bytes(data)
    return [place]


def _place(folder: Path, ending: str) -> Path:
    """Where a picture without a name is kept until it is sent; what was pasted a day ago and never sent goes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        with suppress(OSError):
            if old.stat().st_mtime < time.time() - STALE:
                shutil.rmtree(old)
    return Path(tempfile.mkdtemp(dir=folder)) / f"{time.strftime('%Y-%m-%d %H.%M.%S')}{ending}"


def sent(files: Sequence[Path], folder: Path) -> None:
    """These were sent, and are kept elsewhere: what was pasted goes."""
    for path in files:
        if folder in path.parents:
            shutil.rmtree(path.parent, ignore_errors=True)


def _by_pillow(folder: Path) -> list[Path]:
    """What Pillow finds there."""
    if sys.platform != "darwin":
        return []
    from PIL import ImageGrab

    found = None
    with suppress(OSError, NotImplementedError, subprocess.SubprocessError):
        found = ImageGrab.grabclipboard()
    if isinstance(found, list):
        return [Path(each) for each in found if Path(each).is_file()]
    if found is None:
        return []
    place = _place(folder, ".png")
    found.save(place)
    return [place]
