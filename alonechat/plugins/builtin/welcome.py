"""A message of the day for who connects, and a welcome for who joins a room."""

from __future__ import annotations

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import HandlerPluginBase, PluginMetadata


class Welcome(HandlerPluginBase):
    """In `plugins.toml`: `[welcome]`, `motd = "Backup on Friday."`, and for rooms `"#work" = "Welcome, {name}!"`."""

    _metadata = PluginMetadata("welcome", "1.0.0", "message of the day, and a welcome in rooms", "AloneChat")

    def initialize(self, context: PluginContext) -> None:
        super().initialize(context)
        self._motd = str(context.settings.get("motd", ""))
        self._rooms = {room: str(text) for room, text in context.settings.items() if room.startswith("#")}
        self.phases = (HookPhase.POST_CONNECT,) if self._motd else ()
        self.phases += (HookPhase.POST_MESSAGE,) if self._rooms else ()

    def handle(self, context: HookContext) -> None:
        if context.phase is HookPhase.POST_CONNECT:
            self.context.tell(context.sender, self._motd)
        elif context.type == "JOIN" and context.sender != self._metadata.name and context.target in self._rooms:
            self.context.send(context.target, self._rooms[context.target].replace("{name}", context.sender))
