"""A message of the day for who connects, and a welcome for who joins a room."""

from __future__ import annotations

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import HandlerPluginBase, PluginMetadata

DAY = 20 * 3600.0
"""Seconds after which somebody is told again: who comes each morning may come a little earlier."""


class Welcome(HandlerPluginBase):
    """In `plugins.toml`: `[welcome]`, `motd = "Backup on Friday."`, which is told once a day to each who connects, and
    for rooms `"#work" = "Welcome, {name}!"`."""

    _metadata = PluginMetadata("welcome", "1.0.0", "message of the day, and a welcome in rooms", "AloneChat")

    def initialize(self, context: PluginContext) -> None:
        super().initialize(context)
        self._motd = context.setting("motd", "")
        self._rooms = {room: context.setting(room, "") for room in context.settings if room.startswith("#")}
        self._told: dict[str, float] = {}
        self.phases = (HookPhase.POST_CONNECT,) if self._motd else ()
        self.phases += (HookPhase.POST_MESSAGE,) if self._rooms else ()

    def handle(self, context: HookContext) -> None:
        if context.phase is HookPhase.POST_CONNECT:
            self._greet(context.sender)
        elif context.type == "JOIN" and context.sender != self._metadata.name and context.target in self._rooms:
            self.context.send(context.target, self._rooms[context.target].replace("{name}", context.sender))

    def _greet(self, who: str) -> None:
        """Once a day: who reconnects, or has a program that sends, need not read it again each time."""
        now = self.context.now()
        if now - self._told.get(who, 0.0) >= DAY:
            self._told[who] = now
            self.context.tell(who, self._motd)
