"""Posts on their way to the writer: what arrives during one turn of the loop is handed over at its end, as one batch.

A writer that is woken for the first of a hundred frames commits that one alone, and takes the interpreter from the loop
to do so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

from alonechat.core.store.records import Post

FULL: Final = 1024
"""Posts that wait for their commit, of all connections together; from there everybody's frames wait."""
Batch = list[tuple[Post, Any, bool]]


class Waiter(Protocol):
    """Whoever has more to post."""

    def go_on(self) -> None: ...


class Intake:
    """What was posted, is with the writer, or waits for room. `hand` gives posts to the store, `is_resting` tells
    whether the writer lets more gather."""

    def __init__(self, hand: Callable[..., None], is_resting: Callable[[], bool]) -> None:
        self._hand, self._is_resting = hand, is_resting
        self._gathered: list[Post] = []
        self._away = 0
        self._waiters: dict[Waiter, None] = {}

    def post(self, post: Post) -> None:
        """Append an event; its `done` hears what became of it."""
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self.hand_over)
        self._gathered.append(post)

    def hand_over(self) -> None:
        """Give the store what has gathered."""
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._away += len(gathered)
            self._hand(*gathered)

    def returned(self, batch: Batch) -> None:
        """A batch was committed."""
        self._away -= len(batch)

    def is_writing(self) -> bool:
        """Whether the writer has posts in hand that have not come back."""
        return self._away > 0

    def is_committing(self) -> bool:
        """Whether the writer is about what was posted, and does not let more gather just now."""
        return self._away > 0 and not self._is_resting()

    def is_full(self, waiter: Waiter) -> bool:
        """Whether so much waits for its commit that nothing more is to be posted; then `waiter.go_on` is called once
        there is room, those first who came first."""
        if self._away + len(self._gathered) < FULL:
            return False
        self._waiters[waiter] = None
        return True

    def let_in(self) -> None:
        """Have those go on who waited, as far as there is room."""
        while self._waiters and self._away + len(self._gathered) < FULL:
            waiter = next(iter(self._waiters))
            del self._waiters[waiter]
            waiter.go_on()
