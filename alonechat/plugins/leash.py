"""How much of the processor a plugin's process gets: what it likes for a moment, a little once it computes on and on.

A process that has the lowest priority still costs the others something: in one of a hundred wake-ups the kernel leaves
it the core until its next tick, and a virtual machine that is busy all the time is put to rest by its host. So who
computes without an end is not only put behind all others, it stands still most of the time.
"""

from __future__ import annotations

from asyncio.subprocess import Process
from typing import NamedTuple

from alonechat.plugins import process as processes

HOGGING, STARTING = 0.03, 2.0
"""Seconds that a call, and a start, may compute before the process is let run only when nobody else wants to."""
BURST, RUN = 0.1, 0.08
"""Seconds of processor time that a process may use up at once, and for how long it goes on in one piece from then on.
In short pieces it would cost the others more: with each that begins, the kernel leaves it the core until its next tick
once, whoever wakes up."""
AWAITED, ASIDE = 0.25, 0.1
"""How much of a processor it gets from then on: while somebody waits for an answer of it, and else, together with all
others that are so."""
OFTEN, SELDOM = 0.01, 0.1
"""Seconds between two looks: at a process of which nothing is known yet, and at most at one
that computes on and on, or stands back already."""


class Measured(NamedTuple):
    """What a process has used of the processor by the moment `at`, and for how long it has waited for it; seconds."""

    at: float
    used: float
    starved: float


class Pack:
    """The leashes of a server's plugins. Of those that compute on and on while nobody waits for them one does so at a
    time: of two the kernel may take the other one when it should let somebody else run."""

    def __init__(self) -> None:
        self._hogs: set[Leash] = set()
        self._turn: Leash | None = None

    @property
    def size(self) -> int:
        """How many share what those get for which nobody waits; at least 1."""
        return max(1, len(self._hogs))

    def looked(self, leash: Leash) -> None:
        """More is known of one."""
        self._hogs = {each for each in self._hogs | {leash} if each.runs and each.hogs}

    def may_run(self, leash: Leash) -> bool:
        """Whether no other process computes on and on; then this one does."""
        turn = self._turn
        if turn is not None and turn is not leash and turn in self._hogs and turn.runs and not turn.stopped:
            return False
        self._turn = leash
        return True


class Leash:
    """What one process computes, looked at now and then. `lost`: seconds that its deadlines give back: those for which
    it was ready and the machine let others run, half of those for which it was stopped, and all for which others were
    let run in its place. `awaited`: somebody waits for an answer of it."""

    def __init__(self, process: Process, now: float, pack: Pack | None = None) -> None:
        """`pack`: that of the other plugins."""
        self._process, self._pack = process, pack or Pack()
        self.lost, self.stopped, self.behind, self.awaited = 0.0, False, False, False
        self._left, self._computed, self._at = BURST, 0.0, now
        self._used, self._starved = processes.used(process), processes.starved(process)

    @property
    def hogs(self) -> bool:
        """Whether it computes on and on, as far as is known: what isn't urgent may wait until it is done."""
        return self._computed > HOGGING or self._left < BURST / 2

    @property
    def _share(self) -> float:
        return AWAITED if self.awaited else ASIDE / self._pack.size

    @property
    def due(self) -> float:
        """Seconds until it is worth another look."""
        if not self.hogs:
            return SELDOM if self.behind else OFTEN
        wait = (RUN - self._left) / self._share if self.stopped else self._left
        return min(max(wait, OFTEN), SELDOM)

    def measured(self, now: float) -> Measured:
        """What it has used by now."""
        return Measured(now, processes.used(self._process), processes.starved(self._process))

    def look(self, seen: Measured, since: float, answered: bool, free: bool, most: float = HOGGING) -> None:
        """Judge by what was seen of it: stop it, or let it go on. `since`: when the oldest call was made that it has
        not answered; `answered`: it has answered one since the last look; `free`: it may use up `BURST` anew; `most`:
        what one call may compute."""
        now, used, starved = seen
        ran, took = used - self._used, now - self._at
        waited = processes.held_up(self._process, took, ran, starved - self._starved)
        stood = took * (1 - 0.5 / self._pack.size) if self.stopped else 0.0
        self.lost += min(took, waited + stood)  # one that is stopped counts as ready until it would have run
        spent = max(0.0, min(ran, now - max(since, self._at)))
        self._computed = min(spent, OFTEN) if answered else self._computed + spent  # a late look is no long call
        self._left = BURST if free else max(-RUN, min(BURST, self._left + took * self._share - ran))
        self._used, self._starved, self._at = used, starved, now
        self._pack.looked(self)
        if self._computed > most or self._left <= 0:
            self.stand_back()
        if self.stopped and self._left >= RUN and self._may_run:
            processes.pause(self._process, False)
            self.stopped = False
        elif not self.stopped and (self._left <= 0 or (self.behind and self.hogs and not self._may_run)):
            self.stopped = processes.pause(self._process, True)

    @property
    def _may_run(self) -> bool:
        return self.awaited or self._pack.may_run(self)

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process.returncode is None

    def stand_back(self) -> None:
        """Let it run only when nobody else wants to, from now on: who may not do all may not take that back."""
        if not self.behind:
            self.behind = True
            processes.stand_back(self._process, 20)
