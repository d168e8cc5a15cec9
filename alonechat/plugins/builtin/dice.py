"""/roll 2d6+1: dice."""

from __future__ import annotations

import re
import secrets

from alonechat.errors import Rejected
from alonechat.plugins.contract import CommandPluginBase, PluginMetadata

_DICE = re.compile(r"(\d{0,3})d(\d{1,4})(?:([+-])(\d{1,6}))?", re.IGNORECASE)
MOST = 100


class Dice(CommandPluginBase):
    """`/roll` throws one die, `/roll 2d6+1` two of six sides and adds 1."""

    _metadata = PluginMetadata("dice", "1.0.0", "/roll 2d6+1: dice", "AloneChat")

    def can_handle(self, content: str) -> bool:
        return content.split(None, 1)[0] == "/roll"

    def execute(self, content: str, sender: str, target: str | None = None) -> str:
        asked = "".join(content.split()[1:]) or "1d6"
        found = _DICE.fullmatch(asked)
        count, sides = (int(found[1] or 1), int(found[2])) if found else (0, 0)
        if not found or not 1 <= count <= MOST or sides < 2:
            raise Rejected("bad_frame", f"use it as /roll [dice]d<sides>[+-n], such as /roll 2d6+1, not {asked[:20]}")
        thrown = [1 + secrets.randbelow(sides) for _ in range(count)]
        more = int((found[3] or "+") + (found[4] or "0"))
        parts = " + ".join(map(str, thrown)) if count <= 20 else f"{count} dice"
        sign = f" {'+' if more > 0 else '-'} {abs(more)}" if more else ""
        detail = f" ({parts}{sign})" if count > 1 or more else ""
        return f"🎲 {asked.lower()}: {sum(thrown) + more}{detail}"
