"""/slow, /flood and /lockdown for rooms, and a log of what moderators do."""

from __future__ import annotations

from collections import deque

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.errors import Rejected
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import CommandPluginBase, HandlerPluginBase, PluginMetadata

AUDITED = (
    "/kick",
    "/ban",
    "/unban",
    "/mute",
    "/unmute",
    "/mod",
    "/unmod",
    "/slow",
    "/flood",
    "/lockdown",
    "/words",
    "/plugins",
)
KEPT = 10_000
"""Lines of the audit log that are kept."""
LONGEST = 3600


class Moderation(CommandPluginBase, HandlerPluginBase):
    """`/slow 30` in a room: one message every 30 s from each but its moderators; `/slow off`. `/lockdown`: they alone
    write; `/lockdown off`. `/flood 10 5`: ten messages within 5 s from each, and the rest is stopped; `/flood off`.
    In `plugins.toml`: `[moderation]`, `flood = 10`, `within = 5`: the same for conversations that chose nothing."""

    _metadata = PluginMetadata("moderation", "1.0.0", "/slow 30, /flood 10 5, /lockdown: for moderators", "AloneChat")
    priority = 20

    def initialize(self, context: PluginContext) -> None:
        super().initialize(context)
        self._slow: dict[str, int] = context.store.get("slow", {})
        self._locked: set[str] = set(context.store.get("locked", []))
        self._flood = (context.setting("flood", 0), context.setting("within", 5.0))
        self._floods: dict[str, list[float]] = context.store.get("floods", {})
        self._said: dict[tuple[str, str], deque[float]] = {}
        self._number = max((int(key[6:]) for key in context.store.items("audit:")), default=0)
        self._watch()

    def _watch(self) -> None:
        guards = bool(self._slow or self._locked or self._floods or self._flood[0])
        self.phases = (HookPhase.POST_COMMAND, *((HookPhase.PRE_MESSAGE,) if guards else ()))

    def can_handle(self, content: str) -> bool:
        return content.split(None, 1)[0] in ("/slow", "/flood", "/lockdown")

    async def execute(self, content: str, sender: str, target: str | None = None) -> str:
        command, *words = content.split()
        room = target or "#lobby"
        if not await self.context.moderates(sender, room):
            raise Rejected("forbidden", f"{command} is for moderators of {room}")
        said = {"/slow": self._slowed, "/flood": self._dammed, "/lockdown": self._lock}[command](room, words)
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

    def _dammed(self, room: str, words: list[str]) -> str:
        """`off` is kept as well: a room may choose none where there is one for all."""
        if words == ["off"]:
            self._floods[room] = [0, 0]
        elif len(words) == 2 and all(w.isdecimal() and int(w) for w in words) and int(words[1]) <= LONGEST:
            self._floods[room] = [int(words[0]), int(words[1])]
        else:
            raise Rejected("bad_frame", f"use it as /flood <messages> <within seconds, up to {LONGEST}> or /flood off")
        self.context.store.set("floods", self._floods)
        most, within = self._floods[room]
        said = "message" if most == 1 else "messages"
        return f"At most {most} {said} within {within} s from each of you." if most else "Floods are not stopped here."

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
        if context.type == "EDIT" and room in self._locked:  # a new text in an old place is one all the same
            if not await self.context.moderates(context.sender, room):
                context.stop(f"{room} is locked down: only moderators write")
            return
        if context.type != "TEXT" or (context.content.startswith("/") and not context.content.startswith("//")):
            return
        most, within = self._floods.get(room, self._flood)
        said = self._said.setdefault((context.sender, room), deque())
        while said and said[0] < now - max(within, self._slow.get(room, 0)):
            said.popleft()
        why = ""
        if room in self._locked:
            why = f"{room} is locked down: only moderators write"
        elif room in self._slow and said:
            why = f"slow mode: write again in {max(1, round(said[-1] + self._slow[room] - now))} s"
        elif most and sum(at > now - within for at in said) >= most:
            why = f"too much at once: {most:g} messages within {within:g} s are allowed here"
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
