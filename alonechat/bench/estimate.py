"""From what was measured to how many people that is. Pure; docs/PERFORMANCE.md says why these figures."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

EACH = 1 / 60
"""Messages a second of one who is online: one a minute is a lively hour; a work day has less."""
SHARE = 0.25
"""Of the most that the machine can do: so far from it nobody waits, and there is room for whatever else it does."""
MEMBERS = 100
"""People in the rooms that they write to."""
MEMORY = 0.5
"""Of the memory that is free."""


@dataclass(frozen=True)
class Carries:
    """How many people are online at once, and what ends first: `processor`, `memory` or `files`."""

    people: int
    ends: str

    def sentence(self) -> str:
        """For a person."""
        ends = {
            "processor": "more of them would want a faster processor",
            "memory": "more of them would want more memory",
            "files": "more of them would want a higher limit of open files",
        }[self.ends]
        return (
            f"This box carries a chat of about {self.people:,} people who are online at once and write a message a"
            f" minute each, in rooms of {MEMBERS}, with a quarter of what it can do; {ends}."
        )


def carries(messages: float, connection: float | None, free: float | None, files: int | None) -> Carries:
    """`messages` a second was the most, into rooms of 100 each; `connection`: bytes that one more takes of the `free`
    memory; `files` that may be open at once. What the system doesn't say (None) limits nothing."""
    limits = {"processor": messages * SHARE / EACH}
    if connection and free:
        limits["memory"] = free * MEMORY / connection
    if files:
        limits["files"] = files * 0.9
    ends = min(limits, key=lambda name: limits[name])
    return Carries(rounded(limits[ends]), ends)


def rounded(number: float) -> int:
    """Two digits of it: more would be a promise."""
    if number < 1:
        return 0
    unit = 10 ** max(0, floor(log10(number)) - 1)
    return int(number // unit * unit)
