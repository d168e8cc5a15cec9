"""Who types `/join #room` means to go there: the room is gone to once one is in it. Pure; times are given."""

from __future__ import annotations

from collections.abc import Container

from alonechat.core.message import username
from alonechat.errors import Rejected

PATIENCE = 10.0
"""Seconds after which nobody waits to be there any more: they look at something else by then."""


class Joining:
    """The room that somebody is on the way to, if any."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.room = ""
        self._patience = patience
        self._until = 0.0

    def typed(self, text: str, now: float) -> None:
        """A text was sent."""
        words = text.split()
        if words[:1] == ["/join"] and len(words) > 1:
            try:
                self.room, self._until = "#" + username(words[1].removeprefix("#")), now + self._patience
            except Rejected:
                self.room = ""  # no name of a room, as the server will say

    def refused(self) -> bool:
        """Something was refused, as a command is; whether that ends the way to a room."""
        ended, self.room = bool(self.room), ""
        return ended

    def waits(self, now: float) -> bool:
        """Whether one is on the way still."""
        return bool(self.room) and now < self._until

    def there(self, conversations: Container[str], now: float) -> str:
        """The room, once, when one is in it in time; else an empty text."""
        if not self.room or self.room not in conversations:
            return ""
        room, self.room = self.room if self.waits(now) else "", ""
        return room
