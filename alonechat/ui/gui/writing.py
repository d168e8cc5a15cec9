"""What the composer asks of the window: to send, to keep a draft, to complete, to find files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alonechat.core.client.complete import Completion, complete

if TYPE_CHECKING:
    from alonechat.ui.gui.window import Window


class Writing:
    """Stands between composer and window: composer.Acts says what each of these does."""

    def __init__(self, window: Window) -> None:
        self._window = window

    @property
    def target(self) -> str:
        """The conversation that is open."""
        return self._window.target

    def send(self, text: str, reply: str | None, edit: str | None, files: Sequence[Path]) -> None:
        window, runner = self._window, self._window.app.runner
        if edit is not None:
            runner.edit(window.target, edit, text.strip())
            return
        if files:
            window.filing.send(window.target, text.strip("\n"), reply, files)
        else:
            runner.say(window.target, text.strip("\n"), reply)
            runner.draft(window.target, "")  # one with files stays a draft on the disk until they are copied
            window.typed(text)
        window.model.drafts[window.target] = ""
        window.since = None
        there = window.model.windows.get(window.target)
        if there is not None and not there.live:
            window.latest()
        window.timeline.at_end = True

    def typed(self, text: str) -> None:
        window, runner = self._window, self._window.app.runner
        if window.target and text != window.model.drafts.get(window.target, ""):
            window.model.drafts[window.target] = text
            runner.draft(window.target, text)
            if text and not text.startswith("/"):
                runner.typing(window.target)

    def completion(self, text: str, cursor: int) -> Completion | None:
        from alonechat.core.client.emojis import matching

        return complete(text, cursor, self._window.model, self._window.target, matching)

    def edit_last(self) -> None:
        self._window.acting.edit_last()

    def pick_emoji(self) -> None:
        self._window.acting.pick_emoji()

    def key(self, name: str, writing: bool) -> str | None:
        return self._window.app.key(name, writing)

    def choose_files(self) -> None:
        self._window.filing.choose()

    def pasted(self) -> list[Path]:
        return self._window.filing.pasted()

    def fits(self, files: Sequence[Path]) -> list[Path]:
        return self._window.filing.fits(files)
