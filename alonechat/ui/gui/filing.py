"""What a person does with the files of messages: look at them, open, save, fetch again, choose some to send."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alonechat.core.client.files import MOST, File, opens
from alonechat.core.client.model import Fetched
from alonechat.core.client.rows import Row
from alonechat.core.client.shelf import measured, name_of
from alonechat.core.client.words import _
from alonechat.core.image import look
from alonechat.errors import AloneChatError
from alonechat.ui.gui import dialogs, system
from alonechat.ui.gui.attached import AUTO
from alonechat.ui.gui.pasting import pasted, sent
from alonechat.ui.gui.photos import shows

if TYPE_CHECKING:
    from alonechat.ui.gui.window import Window

MANY = 200
"""Messages of one's own whose files are remembered until they are sent."""
MOMENT = 5.0
"""Seconds within which the core says where a file is that was sent."""
ACTS = frozenset({"view", "fetch", "open", "save"})
"""Areas of a message that are about one of its files."""


@lru_cache(512)
def pixels(path: str) -> tuple[int, int]:
    """The size of a picture on this disk, (0, 0) for what is none."""
    try:
        with open(path, "rb") as file:

            def read(at: int, count: int) -> bytes:
                file.seek(at)
                return file.read(count)

            found = look(read)
    except OSError:
        return 0, 0
    return (found.width, found.height) if found else (0, 0)


def _sized(file: File) -> File:
    width, height = pixels(file.path) if file.is_image and not file.width and file.path else (0, 0)
    return replace(file, width=width, height=height) if width else file


def _here(file: File, own: File) -> File:
    return replace(file, state="ready", path=own.path, fraction=1.0)


class Filing:
    """Holds which files were asked for and are not here yet."""

    def __init__(self, window: Window) -> None:
        self._window, self._app = window, window.app
        self._asked: set[str] = set()
        self._own: dict[str, tuple[float, tuple[File, ...]]] = {}
        self._crowded_out: set[str] = set()
        self.kept: dict[str, list[Path]] = {}
        """Files that wait in the composers of other conversations."""
        self.most: int | None = None
        """Bytes of the largest file that the server takes, 0 for none; None as long as it has not said."""

    # --- one's own, before and after they are sent ---

    def known(self, row: Row) -> Row:
        """A message with what this window knows of its files. What waits to be sent has the sizes that the server will
        say, too; what was sent just now is here before the core has said where: so that nothing jumps or blinks."""
        if any(file.id in self._crowded_out for file in row.files):
            row = replace(row, files=tuple(self._told(file) for file in row.files))
        if not row.mine or not row.files:
            return row
        if row.written is not None:
            files = tuple(_sized(file) for file in row.files)
            if len(self._own) > MANY:
                self._own.clear()
            self._own[row.written.nonce] = (time.monotonic(), files)
            return replace(row, files=files)
        at, files = self._own.get(str((row.event or {}).get("nonce") or ""), (0.0, ()))
        if len(files) != len(row.files) or time.monotonic() - at > MOMENT:
            return row
        pairs = zip(row.files, files, strict=True)
        return replace(row, files=tuple(_here(file, own) if file.state == "there" else file for file, own in pairs))

    def _told(self, file: File) -> File:
        if file.id not in self._crowded_out or file.state != "there":
            return file
        return replace(file, state="failed", reason=_("no room is left for it on this machine"))

    # --- pictures that come by themselves ---

    def drawn(self, rows: Iterable[Row]) -> None:
        """These rows are near the view: their pictures are fetched, but for large ones."""
        for row in rows:
            for file in row.files:
                if file.id and file.state == "there" and file.size <= AUTO and shows(file):
                    self.want(file)

    def want(self, file: File) -> None:
        """Have a file fetched, unless it is on its way."""
        if file.id not in self._asked:
            self._asked.add(file.id)
            self._crowded_out.discard(file.id)
            self._app.runner.fetch(file)

    def changed(self, change: Fetched) -> None:
        """How a file stands has changed."""
        if change.state != "loading":
            self._asked.discard(change.id)
        if change.state == "ready":
            self._app.photos.forget(change.path)
        elif change.state == "there" and self._in_view(change.id):
            self._crowded_out.add(change.id)  # fetched by itself it would crowd out the next one, for ever

    def _in_view(self, id: str) -> bool:
        return any(file.id == id for each in self._window.timeline.placed for file in each.row.files)

    def left(self) -> None:
        """Another conversation is looked at: who comes back has all pictures fetched again."""
        self._crowded_out.clear()

    # --- what is clicked ---

    def act(self, name: str, value: str, row: Row) -> None:
        """A picture or a chip of a message was clicked."""
        at = int(value)
        if at >= len(row.files):
            return
        file = row.files[at]
        match name:
            case "view":
                self.view(row, at)
            case "fetch":
                self._asked.discard(file.id)
                if row.state == "refused":
                    self._window.acting.outbox(row, "again")
                else:
                    self.want(file)
            case "open":
                self.open(file)
            case "save":
                self.save(file)

    def view(self, row: Row, at: int) -> None:
        """A picture as large as the window."""
        from alonechat.ui.gui.viewer import Viewer, images

        found = images(self._window.timeline.rows, shows)
        here = next((place for place, each in enumerate(found) if (each.key, each.at) == (row.key, at)), 0)
        if found:
            self._app.viewer = Viewer(self._window, found, here)

    def open(self, file: File) -> None:
        """By the system's own program; what the system would run is saved instead."""
        if not opens(file.name):
            self.save(file)
        elif file.path and not file.id:
            self._opened(Path(file.path), None)
        else:
            self._app.runner.fetch(file, self._opened)

    def _opened(self, path: Path | None, error: Exception | None) -> None:
        wrong = str(error) if error is not None or path is None else system.show(path)
        if wrong:
            self._app.toast(wrong)

    def save(self, file: File) -> None:
        """Where the person wants it."""

        def chosen(path: Path) -> None:
            self._app.runner.save(file, path, self._saved, True)

        dialogs.save_as(self._app, name_of(file.name), chosen)

    def _saved(self, path: Path | None, error: Exception | None) -> None:
        self._app.toast(str(error) if error is not None else _("Saved as {path}").format(path=path))

    def first(self, row: Row, name: str) -> bool:
        """Do something with a message's first file, by a key; whether it has one."""
        if not row.files:
            return False
        file = row.files[0]
        self.act("view" if name == "open" and shows(file) and file.path else name, "0", row)
        return True

    # --- sending ---

    def send(self, target: str, text: str, reply: str | None, files: Sequence[Path]) -> None:
        """A message with files; what the core refuses comes back into the composer, with the reason."""

        def kept(_result: object, error: Exception | None) -> None:
            if error is None:
                sent(files, self._pasted_in)
                return
            if self._app.window is not None:  # it may be another one by now
                self._app.window.filing.put_back(target, text, files)
            self._app.toast(str(error))

        self._app.runner.say(target, text, reply, files, kept)

    def put_back(self, target: str, text: str, files: Sequence[Path]) -> None:
        """What could not be kept stands in its composer again, before what was written there since."""
        window = self._window
        if window.target == target:
            window.composer.attach(files)
            window.composer.text.insert("1.0", f"{text}\n" if window.composer.content and text else text)
            return
        before = self.kept.get(target, [])
        self.kept[target] = [*before, *(path for path in files if path not in before)]
        drafts = window.model.drafts
        drafts[target] = "\n".join(filter(None, (text, drafts.get(target, ""))))
        self._app.runner.draft(target, drafts[target])

    def pasted(self) -> list[Path]:
        """Files, or a picture, from the clipboard."""
        try:
            return pasted(self._app.root, self._pasted_in)
        except OSError as error:
            self._app.toast(_("can't keep what is pasted: {why}").format(why=error.strerror or error))
            return []

    @property
    def _pasted_in(self) -> Path:
        return self._app.opening.home / "pasted"

    def fits(self, files: Sequence[Path]) -> list[Path]:
        """Those that can be sent; of the others a sentence says why not."""
        good, wrong = [], ""
        for path in files:
            try:
                measured(path, self.most)
                good.append(path)
            except AloneChatError as error:
                wrong = str(error)
        if len(good) > MOST:
            wrong = _("A message bears at most {most} files.").format(most=MOST)
        if wrong:
            self._app.toast(wrong)
        return good[:MOST]

    def choose(self) -> None:
        """Files to send, in the system's dialog."""
        dialogs.open_files(self._app, lambda paths: self._window.composer.attach(paths))

    def ask_limit(self) -> None:
        """Learn how large a file may be, so that it is said before anything is copied or sent."""

        def said(found: Any, error: Exception | None) -> None:
            if error is None and isinstance(found, dict):
                files = found.get("files")
                self.most = int(files.get("max_bytes") or 0) if isinstance(files, dict) else 0

        self._app.runner.rest(lambda rest: rest.server(), said)
