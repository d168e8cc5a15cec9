"""How committed events reach every node: a bus per address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from alonechat.core.store.records import Event
from alonechat.errors import StartError

Batch = list[tuple[str, Event]]
"""Committed events in commit order, each with its conversation's key."""


class Bus(Protocol):
    """Carries committed events to every subscriber, in order within a conversation."""

    def subscribe(self, take: Callable[[Batch], None]) -> None:
        """Call `take` on the loop with what was published, here or on another node."""

    def publish(self, batch: Batch) -> None:
        """Hand on what the store has committed."""


class LocalBus:
    """One process: what is published is taken at once."""

    def __init__(self) -> None:
        self._takers: list[Callable[[Batch], None]] = []

    def subscribe(self, take: Callable[[Batch], None]) -> None:
        self._takers.append(take)

    def publish(self, batch: Batch) -> None:
        for take in self._takers:
            take(batch)


def open_bus(url: str = "local://") -> Bus:
    """The bus at `url`. Raises `StartError` for a kind that this version does not have."""
    if url != "local://":
        raise StartError(f"this version has one bus, local://, not {url}")
    return LocalBus()
