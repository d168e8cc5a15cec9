"""/remind me in 20m tea: a notice later, whatever happens to the server until then."""

from __future__ import annotations

import re
import secrets

from alonechat.errors import Rejected
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import CommandPluginBase, PluginMetadata

_ASKED = re.compile(r"(?:me\s+)?in\s+((?:\d{1,5}\s*[smhd]\s*)+)(.+)", re.IGNORECASE | re.DOTALL)
_PART = re.compile(r"(\d+)\s*([smhd])", re.IGNORECASE)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MOST = 366 * 86_400
MINE = 50
"""Reminders that one person may have waiting."""


class Remind(CommandPluginBase):
    """`/remind me in 1h30m tea`. The bot writes to its asker directly when it is time."""

    _metadata = PluginMetadata("remind", "1.0.0", "/remind me in 20m tea", "AloneChat")

    def initialize(self, context: PluginContext) -> None:
        super().initialize(context)
        for key, (at, who, what) in context.store.items("at:").items():
            self._plan(key, at, who, what)

    def can_handle(self, content: str) -> bool:
        return content.split(None, 1)[0] == "/remind"

    def execute(self, content: str, sender: str, target: str | None = None) -> None:
        found = _ASKED.fullmatch(content.partition(" ")[2].strip())
        wait = sum(int(n) * SECONDS[unit.lower()] for n, unit in _PART.findall(found[1])) if found else 0
        if found is None or not 0 < wait <= MOST:
            raise Rejected("bad_frame", "use it as /remind me in 20m <what>: s, m, h or d, at most a year")
        waiting = self.context.store.items("at:")
        if sum(who == sender for _, who, _ in waiting.values()) >= MINE:
            raise Rejected("rate_limited", f"you have {MINE} reminders waiting already")
        at, key = self.context.now() + wait, f"at:{secrets.token_hex(8)}"
        self.context.store.set(key, [at, sender, found[2].strip()])
        self._plan(key, at, sender, found[2].strip())
        self.context.tell(sender, f"I will remind you in {found[1].strip()}.", target or "#lobby")

    def _plan(self, key: str, at: float, who: str, what: str) -> None:
        async def due() -> None:
            if await self.context.send(who, f"⏰ {what}") is not None:
                self.context.store.delete(key)

        self.context.at(at, due)
