"""Those who wait for the next event of a conversation: long polls."""

from __future__ import annotations

import asyncio


class Waits:
    """Futures by conversation. `kept` is empty while nobody waits."""

    def __init__(self) -> None:
        self.kept: dict[str, list[asyncio.Future[None]]] = {}

    def wake(self, key: str) -> None:
        """An event was published in `key`."""
        for future in self.kept.pop(key, ()):
            if not future.done():
                future.set_result(None)

    async def until(self, key: str, timeout: float) -> None:
        """Return when an event is published in `key`, or after `timeout` seconds."""
        future = asyncio.get_running_loop().create_future()
        self.kept.setdefault(key, []).append(future)
        try:
            await asyncio.wait_for(future, timeout)
        except TimeoutError:
            kept = self.kept.get(key)
            if kept and future in kept:
                kept.remove(future)

    def release(self) -> None:
        """End every wait: the server goes down."""
        for futures in self.kept.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)
        self.kept.clear()
