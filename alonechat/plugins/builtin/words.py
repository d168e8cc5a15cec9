"""A word list: messages that hold one of its words are stopped."""

from __future__ import annotations

import re

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import HandlerPluginBase, PluginMetadata


class Words(HandlerPluginBase):
    """In `plugins.toml`: `[words]`, `stop = ["word", "another"]`, `say = "Please don't."`. Whole words of scripts with
    spaces, any part of Chinese, Japanese and Korean."""

    _metadata = PluginMetadata("words", "1.0.0", "stops messages with words of a list", "AloneChat")
    priority = 10

    def initialize(self, context: PluginContext) -> None:
        super().initialize(context)
        words = [str(word) for word in context.settings.get("stop", [])]
        parts = [rf"\b{re.escape(w)}\b" if w.isascii() else re.escape(w) for w in words]
        self._list = re.compile("|".join(parts), re.IGNORECASE) if parts else None
        self.phases = (HookPhase.PRE_MESSAGE,) if parts else ()
        self._say = str(context.settings.get("say", "That word is not wanted here."))

    def handle(self, context: HookContext) -> None:
        if self._list is not None and self._list.search(context.content):
            context.stop(self._say)
