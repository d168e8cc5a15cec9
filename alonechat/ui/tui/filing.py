"""Files in the terminal: sent by their paths, opened by the system's program for them, saved."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from alonechat.core.client.files import File, label, opens
from alonechat.core.client.present import printable
from alonechat.core.client.rows import Row
from alonechat.core.client.shelf import measured, name_of
from alonechat.core.client.words import _, n_
from alonechat.ui.tui import paths
from alonechat.ui.tui.desk import Desk
from alonechat.ui.tui.dialog import Choice, Field, Form, Picker
from alonechat.ui.tui.screen import ACCENT, Piece

if TYPE_CHECKING:
    from alonechat.ui.tui.app import App

BEGUN = 5.0
"""Seconds within which a viewer that can't work says so; one that stays for longer shows the file."""


class Front(Protocol):
    """What this needs of the face: a line to say something on, and its own thread for what another one found."""

    def say(self, text: str, is_error: bool = False) -> None: ...
    def post(self, act: Callable[[], None]) -> None: ...


# --- sending ---


def upload(front: Front, desk: Desk, text: str) -> None:
    """`/upload PATH …`: send files."""
    found = paths.named(text)
    if not found:
        front.say(_("which file? /upload PATH, several with blanks between; Tab completes"), True)
    elif not desk.target:
        front.say(_("no conversation is known yet; wait for the connection"), True)
    else:
        send(front, desk, found, f"/upload {text}")


def send(front: Front, desk: Desk, found: Sequence[Path], back: str = "") -> None:
    """Send files to the conversation that one looks at, as a reply where one is being written. `back`: what stands in
    the composer again where they can't be sent."""
    talk, target = desk.talk(), desk.target
    reply = talk.reply

    def kept(result: Any, error: Exception | None) -> None:
        if error is not None:
            front.say(printable(str(error)), True)
            if back and not talk.editor.text:
                talk.editor.set(back)
        elif talk.reply is reply:
            talk.reply = None

    talk.since, desk.stale = None, True
    desk.runner.say(
        target, "", (reply.event or {}).get("id") if reply else None, [each.absolute() for each in found], kept
    )
    desk.latest()


def offer(app: App, text: str) -> None:
    """What was pasted is the path of a file, as terminals paste what is dropped on them: ask whether it is meant. The
    text is in the composer already, and stays there unless it is."""
    found = paths.dropped(text) if app.desk is not None else []
    if not found or app.desk is None or app.desk.talk().editor.text.strip() != text.strip():
        return
    desk, target = app.desk, app.desk.target

    def act() -> None:
        if desk.target == target:
            desk.talk().editor.set("")
            desk.typed()
            send(app, desk, found, text)

    named = label(File(found[0].name, size=_size(found[0])))
    title = n_("Send {n} file?", "Send {n} files?", len(found))
    choices = [
        Choice((Piece(_("Send as a file") if len(found) == 1 else _("Send as files")),), printable(named), act),
        Choice((Piece(_("Keep the text")),), "", lambda: None),
    ]
    app.show(Picker(title, lambda typed: choices, _("Enter · Esc")))


def _size(path: Path) -> int:
    from alonechat.errors import AloneChatError

    try:
        return measured(path, None)
    except AloneChatError:
        return 0  # it is gone already: sending it says so


# --- what others sent ---


def chosen(app: App, row: Row, title: str, act: Callable[[File], None]) -> None:
    """Do something with the file of a message; choose, where there are several."""
    if len(row.files) == 1:
        act(row.files[0])
        return
    choices = [Choice((Piece(printable(label(each)), ACCENT),), "", partial(act, each)) for each in row.files]
    app.show(Picker(title, lambda text: [each for each in choices if text in each.label[0].text]))


def open_file(front: Front, desk: Desk, file: File) -> None:
    """Fetch a file, and hand it to the system's program for it. Where there is none, or none that only shows it, it is
    saved, and where is said."""
    if not opens(file.name):
        save(front, desk, file, downloads(), _("not opened: it may run as a program"))
        return
    if not has_viewer(os.environ):
        save(front, desk, file, downloads())
        return

    def there(path: Any, error: Exception | None) -> None:
        if error is not None:
            front.say(printable(str(error)), True)
        else:
            threading.Thread(target=show, args=(Path(path),), name="alonechat-viewer", daemon=True).start()

    def show(path: Path) -> None:
        if view(path):
            front.post(lambda: front.say(_("opened {name}").format(name=printable(file.name))))
        else:
            front.post(lambda: save(front, desk, file, downloads(), _("no program here shows it")))

    if file.id:
        front.say(_("fetching {name}…").format(name=printable(file.name)))
        desk.runner.fetch(file, there)
    else:
        there(file.path, None)


def save(front: Front, desk: Desk, file: File, path: Path, why: str = "") -> None:
    """Save a file at a path, or in a folder, and say where it is, and why it was not opened."""

    def saved(place: Any, error: Exception | None) -> None:
        if error is not None:
            front.say(printable(str(error)), True)
            return
        text = _("saved to {path}").format(path=printable(_homely(Path(place))))
        front.say(f"{text} · {why}" if why else text)

    front.say(_("fetching {name}…").format(name=printable(file.name)))
    desk.runner.save(file, path, saved)


def _homely(path: Path) -> str:
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):  # elsewhere, or nobody's
        return str(path)


def save_as(app: App, row: Row) -> None:
    """Ask where to, and save the file of a message there."""
    chosen(app, row, _("Save a file"), partial(_asked, app))


def _asked(app: App, file: File) -> None:
    desk = app.desk
    if desk is None:
        return
    place = Field("path", _("Path"))
    place.editor.set(_homely(downloads() / name_of(file.name)))

    def submit(given: dict[str, str]) -> None:
        form.done = True
        save(app, desk, file, paths.path_of(given["path"].strip()).absolute())

    form = Form(_("Save {name}").format(name=printable(file.name)), [place], submit)
    form.foot = _("Enter · Esc")
    app.show(form)


def downloads() -> Path:
    """The folder in which the system keeps what was fetched; the user's home where there is none."""
    from platformdirs import user_downloads_path

    found = user_downloads_path()
    try:
        found.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path.home()
    return found


def has_viewer(environment: Mapping[str, str]) -> bool:
    """Whether a file that is opened shows where the person sits: not over SSH, and not without a desktop."""
    if environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"):
        return False
    return sys.platform in ("win32", "darwin") or any(environment.get(each) for each in ("DISPLAY", "WAYLAND_DISPLAY"))


def view(path: Path) -> bool:
    """Hand a file to the system's program for it; whether that shows it, as far as can be known within a moment."""
    if sys.platform == "win32":
        try:
            os.startfile(path)
        except OSError:
            return False
        return True
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if program is None:
        return False
    nothing = subprocess.DEVNULL  # what it prints would stand in the picture
    try:
        viewer = subprocess.Popen(
            [program, str(path)], stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )
        return viewer.wait(BEGUN) == 0
    except subprocess.TimeoutExpired:
        return True
    except OSError:
        return False
