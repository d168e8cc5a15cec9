"""Answers by keyword: what is often asked is answered by itself."""

from __future__ import annotations

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import HandlerPluginBase, PluginMetadata

EVERY = 60.0
"""Seconds before the same answer is given again in the same room."""


class Keywords(HandlerPluginBase):
    """In `plugins.toml`: `[keywords]`, then `"wifi password" = "It hangs beside the door."`. Rooms only."""

    _metadata = PluginMetadata("keywords", "1.0.0", "answers by keyword, from plugins.toml", "AloneChat")

    def handle(self, context: HookContext) -> None:
        room = context.target or ""
        if context.type != "TEXT" or not room.startswith("#") or context.sender == self._metadata.name:
            return
        said, now = context.content.casefold(), self.context.now()
        for keyword, answer in self.context.settings.items():
            if keyword.casefold() in said and now - self._given.get((room, keyword), -EVERY) >= EVERY:
                self._given[room, keyword] = now
                self.context.send(room, str(answer))

    def initialize(self, context: PluginContext) -> None:
        super().initialize(context)
        self.phases = (HookPhase.POST_MESSAGE,) if context.settings else ()
        self._given: dict[tuple[str, str], float] = {}
