"""What a plugin's process was asked and has not answered yet, and the frames that ask it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.plugins.process import GRACE

SEEN = ("sender", "target", "content", "type", "event", "address", "attachments")
"""What a plugin outside sees of a `HookContext`."""


@dataclass(slots=True, eq=False)
class Call:
    """One call: when it began, its deadline in seconds, what its process had lost by then (see `Leash`), who waits for
    it; `phase` where nobody does."""

    do: str
    began: float
    seconds: float
    lost: float
    future: asyncio.Future[Any] | None
    phase: HookPhase | None

    def is_late(self, now: float, lost: float) -> bool:
        """Whether its process has had its time. What it lost is given back, up to `GRACE` deadlines in all where
        somebody waits: what only looks on runs when nobody else wants to, and is not ended for it."""
        back = lost - self.lost
        if self.phase is None:
            back = min(back, self.seconds * (GRACE - 1))
        return now > self.began + self.seconds + back


class Calls:
    """The calls of one process, in the order in which they were made."""

    def __init__(self) -> None:
        self._waiting: dict[int, Call] = {}
        self._held: deque[tuple[int, Call, str]] = deque()
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._held)

    def add(self, call: Call, arguments: str, wait: bool = False) -> str:
        """The frame to write. With `wait`, empty: what isn't urgent stays here until `let_go`, and so does what comes
        behind it."""
        number = next(self._numbers)
        do = call.do if call.phase is None else "look"
        line = f'{{"id": {number}, "do": "{do}"' + (f", {arguments[1:]}" if len(arguments) > 2 else "}")
        if wait or (call.phase is not None and self._held):
            self._held.append((number, call, line))
            return ""
        self._waiting[number] = call
        return line

    @property
    def held(self) -> int:
        """How many are held back."""
        return len(self._held)

    def let_go(self, most: int, now: float, lost: float) -> list[str]:
        """The first frames that were held back; their time begins now."""
        lines = []
        for _ in range(min(most, len(self._held))):
            number, call, line = self._held.popleft()
            call.began, call.lost = now, lost
            self._waiting[number] = call
            lines.append(line)
        return lines

    def pop(self, number: int) -> Call | None:
        """The call that is answered."""
        return self._waiting.pop(number, None)

    def oldest(self) -> float | None:
        """When the first was made that is not answered."""
        return next((call.began for call in self._waiting.values()), None)

    def awaited(self) -> bool:
        """Whether somebody waits for the answer of one."""
        return any(call.future is not None for call in self._waiting.values())

    def late(self, now: float, lost: float) -> Call | None:
        """One that has passed its deadline, taken out."""
        for number, call in self._waiting.items():
            if call.is_late(now, lost):
                return self._waiting.pop(number)
        return None

    def end(self) -> list[Call]:
        """All, taken out: none will be answered any more."""
        ended = [*self._waiting.values(), *(call for _, call, _ in self._held)]
        self._waiting.clear()
        self._held.clear()
        return ended


class Shown:
    """What handlers are told of a context, as JSON: the same for all that look at it one after the other."""

    def __init__(self) -> None:
        self._last: tuple[HookContext, HookPhase, str, str] | None = None

    def of(self, context: HookContext) -> str:
        """The arguments of `handle`."""
        if self._last is not None:
            last, phase, content, line = self._last
            if last is context and phase is context.phase and content == context.content:
                return line
        seen = {name: getattr(context, name) for name in SEEN}
        line = json.dumps({"phase": context.phase.name, "context": seen}, ensure_ascii=False)
        self._last = context, context.phase, context.content, line
        return line
