"""Word lists: messages that hold one of their words are stopped. One for all conversations, and one for each room."""

from __future__ import annotations

import re

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.errors import Rejected
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import CommandPluginBase, HandlerPluginBase, PluginMetadata

USE = "use it as /words, /words add <word …> or /words remove <word …>"
MOST, LONGEST = 500, 64
"""Words of one room's list, and characters of a word."""


class Words(CommandPluginBase, HandlerPluginBase):
    """In `plugins.toml`: `[words]`, `stop = ["word", "another"]` for all conversations, `say = "Please don't."`.
    `/words add`, `/words remove`, `/words`: a room's own list, for its moderators, who alone are answered. Whole words
    of scripts with spaces, any part of Chinese, Japanese and Korean."""

    _metadata = PluginMetadata("words", "1.1.0", "/words add <word>: a room's word list, for moderators", "AloneChat")
    priority = 10

    def initialize(self, context: PluginContext) -> None:
        super().initialize(context)
        self._everywhere = _pattern(context.setting("stop", list[str]()))
        self._rooms: dict[str, list[str]] = context.store.get("rooms", {})
        self._of_room = {room: _pattern(words) for room, words in self._rooms.items()}
        self._say = context.setting("say", "") or "That word is not wanted here."
        self._watch()

    def _watch(self) -> None:
        guards = self._everywhere is not None or bool(self._rooms)
        self.phases = (HookPhase.PRE_MESSAGE,) if guards else ()

    def can_handle(self, content: str) -> bool:
        return content.split(None, 1)[0] == "/words"

    async def execute(self, content: str, sender: str, target: str | None = None) -> None:
        room = target or "#lobby"
        if not room.startswith("#") or not await self.context.moderates(sender, room):
            raise Rejected("forbidden", f"/words is for moderators of a room, which you are not of {room}")
        _, *rest = content.split()
        listed = list(self._rooms.get(room, []))
        if rest:
            listed = _changed(listed, rest[0], [word.casefold() for word in rest[1:]])
            self._keep(room, listed)
        said = ", ".join(listed) or "nothing yet"
        self.context.tell(sender, f"Stopped in {room}: {said}.", room)

    def _keep(self, room: str, listed: list[str]) -> None:
        self._rooms.pop(room, None)
        self._of_room.pop(room, None)
        if listed:
            self._rooms[room], self._of_room[room] = listed, _pattern(listed)
        self.context.store.set("rooms", self._rooms)
        self._watch()
        self.context.rehook()

    def handle(self, context: HookContext) -> None:
        if context.content.split(None, 1)[:1] == ["/words"]:
            return  # it posts nothing, and a list must be changed by naming its words
        for pattern in (self._everywhere, self._of_room.get(context.target or "#lobby")):
            if pattern is not None and pattern.search(context.content):
                context.stop(self._say)
                return


def _changed(listed: list[str], what: str, words: list[str]) -> list[str]:
    if what not in ("add", "remove") or not words:
        raise Rejected("bad_frame", USE)
    if what == "remove":
        if missing := [word for word in words if word not in listed]:
            raise Rejected("not_found", f"{', '.join(missing)}: not in this room's list; /words shows it")
        return [word for word in listed if word not in words]
    listed = list(dict.fromkeys([*listed, *words]))
    if len(listed) > MOST or any(len(word) > LONGEST for word in words):
        raise Rejected("too_long", f"a room's list holds {MOST} words of {LONGEST} characters at most")
    return listed


def _pattern(words: list[str]) -> re.Pattern[str] | None:
    parts = [rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in words]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None
