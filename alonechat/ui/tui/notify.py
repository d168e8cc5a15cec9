"""What calls a person who looks elsewhere: the bell, a notification of the desktop, the window's title."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from alonechat.core.client.files import said
from alonechat.core.client.listing import title
from alonechat.core.client.model import Model
from alonechat.core.client.preferences import Preferences
from alonechat.core.client.present import printable
from alonechat.core.client.words import _
from alonechat.ui.tui import terminal

BELL = "\x07"
PAUSE = 1.0
"""Seconds between two of them: a flood rings once."""


class Notifier:
    """Tells a terminal to call its person. `tell` writes a sequence; `now` is a clock in seconds."""

    def __init__(self, tell: Callable[[str], None], now: Callable[[], float]) -> None:
        self._tell, self._now = tell, now
        self._last = 0.0
        self._title = ""

    def mention(self, model: Model, preferences: Preferences, target: str, event: Mapping[str, Any]) -> None:
        """A message addresses this person, in a conversation that they don't look at."""
        if preferences.notify == "none" or self._now() - self._last < PAUSE:
            return
        self._last = self._now()
        if preferences.sound:
            self._tell(BELL)
        name = printable(model.shown(event["sender"]))
        where = f"{name} · {target}" if target.startswith("#") else name
        body = printable(said(event))
        self._tell(terminal.notification(printable(where), body, dict(os.environ)))

    def title(self, model: Model, target: str) -> None:
        """The window's title: where one is, and how many conversations have something new."""
        new = sum(1 for each in model.unread() if each.target != target)
        text = printable(title(model, target)) if target else "AloneChat"
        text = _("({n}) {name}").format(n=new, name=text) if new else text
        if text != self._title:
            self._title = text
            self._tell(terminal.title(f"{text} — AloneChat" if target else text))
