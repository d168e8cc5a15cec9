"""Writing in the composer: text put in, completion with Tab, emoji by their names."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from alonechat.core.client.complete import Completion, complete
from alonechat.core.client.present import printable
from alonechat.core.client.words import _
from alonechat.ui.tui import paths
from alonechat.ui.tui.composer import Editor
from alonechat.ui.tui.local import COMMANDS
from alonechat.ui.tui.screen import ACCENT, BOLD, REVERSE, SECONDARY, Line, Piece
from alonechat.ui.tui.width import width

if TYPE_CHECKING:
    from alonechat.ui.tui.app import App

TAKES_PATH = re.compile(r"/(?:upload|save(?:\s+-\d+)?)\s+")
NAMED = re.compile(r"(?:^|(?<=\s)):([a-z0-9_+\-]{2,40}):$")


@dataclass(slots=True)
class Completing:
    """A completion under way: Tab goes to the next option, any other key ends it."""

    found: Completion | None = None
    at: int = 0
    end: int = 0
    before: str = field(default="")

    def stop(self) -> None:
        """It is decided."""
        self.found = None

    def line(self) -> Line:
        """The options, as they stand above the composer; nothing when there is no choice."""
        if self.found is None or len(self.found.options) < 2:
            return ()
        pieces: list[Piece] = [Piece(" ")]
        for at, option in enumerate(self.found.options):
            style = ACCENT.plus(BOLD | REVERSE) if at == self.at else ACCENT
            pieces.append(Piece(f" {printable(option.shown)} ", style))
        chosen = self.found.options[self.at]
        if chosen.detail:
            pieces.append(Piece(f" {printable(chosen.detail)}", SECONDARY))
        before = sum(width(piece.text) for piece in pieces[1 : self.at + 1])
        return tuple(pieces) if before < 50 else (Piece(" …"), *pieces[self.at :])


def insert(app: App, text: str, typed: bool) -> None:
    """Put typed or pasted text into the composer."""
    desk = app.desk
    if desk is None:
        return
    app.completing.stop()
    app.look.selected = None
    editor = desk.talk().editor
    if not typed:
        editor.insert(text.replace("\t", "    "))
    else:
        for part in re.findall("[^:]*:|[^:]+", text):
            editor.insert(part, typed=True)
            if part.endswith(":"):
                _name(editor)
    desk.typed()


def _name(editor: Editor) -> None:
    """Put the emoji in the place of its name, which was just ended by a colon."""
    if found := NAMED.search(editor.text[: editor.at]):
        from alonechat.core.client.emojis import by_name  # here: few messages name one, and it takes long to load

        if char := by_name(found[1]):
            editor.replace(found.start(), editor.at, char)


def complete_word(app: App, by: int) -> None:
    """Tab: complete what stands before the cursor, or go to the next option."""
    desk, state = app.desk, app.completing
    if desk is None:
        return
    editor = desk.talk().editor
    if state.found is not None:
        start = state.found.start
        state.at = (state.at + by) % len(state.found.options)
    else:
        ours = {f"/{each.name}": (each.usage, _(each.help)) for each in COMMANDS}
        found = _path(editor)
        model = replace(desk.model, commands={**desk.model.commands, **ours})
        found = found or complete(editor.text, editor.at, model, desk.target, _emoji)
        if found is None:
            return
        state.found, state.at, state.end = found, 0, found.end
        start = found.start
    option = state.found.options[state.at]
    editor.replace(start, state.end, option.insert)
    state.end = editor.at
    if len(state.found.options) == 1:
        state.stop()
    desk.typed()


def _path(editor: Editor) -> Completion | None:
    """What Tab makes of a path behind a command that takes one."""
    found = TAKES_PATH.match(editor.text[: editor.at])
    return paths.complete(editor.text, editor.at, found.end()) if found else None


def edit_outside(app: App) -> None:
    """Write in the person's own editor what is in the composer."""
    desk = app.desk
    if desk is None:
        return
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ("notepad" if os.name == "nt" else "vi")
    editor = desk.talk().editor
    handle, path = tempfile.mkstemp(suffix=".md", prefix="alonechat-")
    failed: list[OSError] = []

    def act() -> None:
        try:
            subprocess.run([*shlex.split(named, posix=os.name != "nt"), path], check=False)
        except OSError as error:
            failed.append(error)

    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(editor.text)
        app.terminal.outside(act)
        written = Path(path).read_text(encoding="utf-8", errors="replace").rstrip("\n")
    finally:
        os.unlink(path)
    if failed:
        app.say(_("can't start {program}: {why}").format(program=named, why=failed[0].strerror), is_error=True)
    elif written != editor.text:
        editor.set(written)
        desk.typed()


def _emoji(part: str) -> list[tuple[str, str]]:
    from alonechat.core.client.emojis import matching

    return matching(part)
