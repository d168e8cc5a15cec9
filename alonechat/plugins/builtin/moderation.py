"""/slow and /lockdown, a guard against floods, and a log of what moderators do."""

from __future__ import annotations

from collections import deque

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.errors import Rejected
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import CommandPluginBase, HandlerPluginBase, PluginMetadata

AUDITED = ("/kick", "/ban", "/unban", "/mute", "/unmute", "/slow", "/lockdown", "/plugins")
KEPT = 10_000
"""Lines of the audit log that are kept."""
LONGEST = 3600


class Moderation(CommandPluginBase, HandlerPluginBase):
    """`/slow 30` in a room: one message every 30 s from each but its moderators; `/slow off`. `/lockdown`: they alone
    write; `/lockdown off`. In `plugins.toml`: `[moderation]`, `flood = 10`, `within = 5`: so many messages within so
    many seconds in one conversation, and the rest is stopped."""

    _metadata = PluginMetadata("moderation", "1.0.0", "/slow <seconds>, /lockdown: for moderators", "AloneChat")
    priority = 20

    def initialize(self, context: PluginContext) -> None:
        super().initialize(context)
        self._slow: dict[str, int] = context.store.get("slow", {})
        self._locked: set[str] = set(context.store.get("locked", []))
        self._flood = int(context.settings.get("flood", 0))
        self._within = float(context.settings.get("within", 5))
        self._said: dict[tuple[str, str], deque[float]] = {}
        self._number = max((int(key[6:]) for key in context.store.items("audit:")), default=0)
        self._watch()

    def _watch(self) -> None:
        guards = bool(self._slow or self._locked or self._flood)
        self.phases = (HookPhase.POST_COMMAND, *((HookPhase.PRE_MESSAGE,) if guards else ()))

    def can_handle(self, content: str) -> bool:
        return content.split(None, 1)[0] in ("/slow", "/lockdown")

    async def execute(self, content: str, sender: str, target: str | None = None) -> str:
        command, *words = content.split()
        room = target or "#lobby"
        if not await self.context.moderates(sender, room):
            raise Rejected("forbidden", f"{command} is for moderators of {room}")
        said = self._slowed(room, words) if command == "/slow" else self._lock(room, words)
        self._watch()
        self.context.rehook()
        return said

    def _slowed(self, room: str, words: list[str]) -> str:
        if words == ["off"] or words == ["0"]:
            self._slow.pop(room, None)
        elif len(words) == 1 and words[0].isdecimal() and int(words[0]) <= LONGEST:
            self._slow[room] = int(words[0])
        else:
            raise Rejected("bad_frame", f"use it as /slow <seconds, up to {LONGEST}> or /slow off")
        self.context.store.set("slow", self._slow)
        return f"Slow mode: one message every {self._slow[room]} s." if room in self._slow else "Slow mode is off."

    def _lock(self, room: str, words: list[str]) -> str:
        if words not in ([], ["on"], ["off"]):
            raise Rejected("bad_frame", "use it as /lockdown or /lockdown off")
        (self._locked.discard if words == ["off"] else self._locked.add)(room)
        self.context.store.set("locked", sorted(self._locked))
        return "Lockdown: only moderators write here." if room in self._locked else "The lockdown is over."

    async def handle(self, context: HookContext) -> None:
        if context.phase is HookPhase.POST_COMMAND:
            self._note(context)
            return
        room, now = context.target or "#lobby", self.context.now()
        if context.type != "TEXT" or (context.content.startswith("/") and not context.content.startswith("//")):
            return
        said = self._said.setdefault((context.sender, room), deque())
        while said and said[0] < now - max(self._within, self._slow.get(room, 0)):
            said.popleft()
        why = ""
        if room in self._locked:
            why = f"{room} is locked down: only moderators write"
        elif room in self._slow and said:
            why = f"slow mode: write again in {max(1, round(said[-1] + self._slow[room] - now))} s"
        elif self._flood and sum(at > now - self._within for at in said) >= self._flood:
            why = f"too much at once: {self._flood} messages within {self._within:g} s are allowed here"
        if why and not await self.context.moderates(context.sender, room):
            context.stop(why)
            return
        said.append(now)
        if len(self._said) > KEPT:
            self._said = {key: times for key, times in self._said.items() if times and times[-1] > now - LONGEST}

    def _note(self, context: HookContext) -> None:
        if context.content.split(None, 1)[0] not in AUDITED:
            return
        self._number += 1
        line = [self.context.now(), context.sender, context.target, context.content]
        self.context.store.set(f"audit:{self._number:09d}", line)
        self.context.store.delete(f"audit:{self._number - KEPT:09d}")
