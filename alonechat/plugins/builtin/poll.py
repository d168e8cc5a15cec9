"""/poll "Lunch?" noodles rice: a vote by reaction; /poll close: its result."""

from __future__ import annotations

import asyncio
import shlex
from typing import Any

from alonechat.core import message
from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.errors import Rejected
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import CommandPluginBase, HandlerPluginBase, PluginMetadata

MARKS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣", "6️⃣", "7️⃣", "8️⃣", "9️⃣")
OPEN = 200
"""Polls that are counted at the same time; of more, the oldest are counted no longer."""
USAGE = f'use it as /poll "Question?" answer "another answer" (2 to {len(MARKS)}), or /poll close'
HEAD = "📊 "


class Poll(CommandPluginBase, HandlerPluginBase):
    """Posts the question with a number for each answer; votes are reactions with that number, which the log keeps.
    `/poll close` posts the result of one's own latest poll in the conversation; a room's moderator closes anybody's."""

    _metadata = PluginMetadata(
        "poll", "1.1.0", '/poll "Lunch?" noodles rice: votes by reaction; /poll close: the result', "AloneChat"
    )

    def initialize(self, context: PluginContext) -> None:
        super().initialize(context)
        self._open: dict[str, dict[str, Any]] = context.store.items("open:")
        self._asked: set[tuple[str, str]] = set()
        self._writing = asyncio.Lock()
        self._watch()

    def _watch(self) -> None:
        self.phases = (HookPhase.POST_MESSAGE,) if self._open or self._asked else ()

    def can_handle(self, content: str) -> bool:
        return content.split(None, 1)[0] == "/poll"

    async def execute(self, content: str, sender: str, target: str | None = None) -> str:
        try:
            question, *answers = shlex.split(content.replace("“", '"').replace("”", '"'))[1:]
        except ValueError:
            question, answers = "", []
        if question == "close" and not answers:
            return await self._close(sender, message.key_of(target, sender))
        if not question or not 2 <= len(answers) <= len(MARKS):
            raise Rejected("bad_frame", USAGE)
        lines = [f"{mark} {answer}" for mark, answer in zip(MARKS, answers, strict=False)]
        text = "\n".join([HEAD + question, *lines, "Vote with a reaction."])
        self._asked.add((sender, text))
        self._watch()
        self.context.rehook()
        return text

    async def _close(self, sender: str, key: str) -> str:
        here = [(id, poll) for id, poll in self._open.items() if poll["key"] == key]
        room = key.startswith("#") and await self.context.moderates(sender, key)
        mine = [id for id, poll in here if room or poll["by"] == sender]
        if not mine:
            raise Rejected("not_found", "there is no poll here that you can close" if here else "no poll is open here")
        poll = self._open[mine[-1]]
        await self._drop(mine[-1])
        return result(poll["text"], poll["votes"])

    async def handle(self, context: HookContext) -> None:
        event = context.event or {}
        ref = f"open:{event.get('ref')}"
        if event.get("via") == "poll" and (event["sender"], event["content"]) in self._asked:
            self._asked.discard((event["sender"], event["content"]))
            key = message.key_of(event["target"], event["sender"])
            about = {"key": key, "by": event["sender"], "text": event["content"], "votes": {}}
            await self._keep(f"open:{event['id']}", about)
            while len(self._open) > OPEN:
                await self._drop(next(iter(self._open)))
        elif event.get("type") == "DELETE" and ref in self._open:
            await self._drop(ref)
        elif event.get("type") == "REACT" and ref in self._open:
            votes = self._open[ref]["votes"].setdefault(mark_of(event["content"]), [])
            if event["sender"] in votes:
                votes.remove(event["sender"])
            if not event.get("removed"):
                votes.append(event["sender"])
            await self._keep(ref, self._open[ref])

    async def _keep(self, id: str, poll: dict[str, Any]) -> None:
        self._open[id] = poll
        async with self._writing:  # what is kept last is the last
            await asyncio.to_thread(self.context.store.set, id, poll)

    async def _drop(self, id: str) -> None:
        self._open.pop(id, None)
        self._watch()
        self.context.rehook()
        async with self._writing:
            await asyncio.to_thread(self.context.store.delete, id)


def mark_of(emoji: str) -> str:
    """A number as this file writes it, with or without the character that asks for its picture."""
    return emoji.replace("\N{VARIATION SELECTOR-16}", "").replace("\N{COMBINING ENCLOSING KEYCAP}", "️⃣")


def result(text: str, votes: dict[str, list[str]]) -> str:
    """The poll's text with the votes of each answer, the most in bold, and how many people voted."""
    question, *lines = text.splitlines()[:-1]
    counts = [len(votes.get(line.split(" ", 1)[0], [])) for line in lines]
    most = max(counts)
    said = [f"{line}: {f'**{n}**' if n == most and n else n}" for line, n in zip(lines, counts, strict=True)]
    marks = {line.split(" ", 1)[0] for line in lines}
    people = len({who for mark, names in votes.items() if mark in marks for who in names})
    return "\n".join([f"{question} (closed)", *said, f"{people} voted."])
