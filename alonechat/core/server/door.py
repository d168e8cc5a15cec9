"""What plugins may ask of the server, and nothing more: speak as a bot, tell one person, read what the bot may read."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alonechat.core import message
from alonechat.core.server.hooks import Hooks
from alonechat.core.store.records import Account
from alonechat.errors import Rejected

if TYPE_CHECKING:
    from alonechat.core.server.manager import UnifiedWebSocketManager


class Door:
    """The server as plugins see it. Everything enters by the same journey as people's frames do."""

    def __init__(self, server: UnifiedWebSocketManager) -> None:
        self._server = server
        self.hooks: Hooks = server.hooks
        self.clock: Callable[[], int] = server.clock
        self._entering: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def say(self, bot: str, target: str, text: str) -> dict[str, Any]:
        """Post `text` as the account `bot`, which is made, and joins an open room, where that is needed. Returns the
        event. Raises Rejected."""
        await self._enter(bot, target)
        content = "/" + text if text.startswith("/") else text
        return await self._server.journey.ask(bot, {"type": "TEXT", "target": target, "content": content})

    async def history(self, bot: str, target: str, limit: int) -> list[dict[str, Any]]:
        """The last events of a conversation that the bot may read. Raises Rejected."""
        await self._enter(bot, target)
        found = await self._server.journey.ask(bot, {"type": "HISTORY", "target": target, "limit": limit})
        events: list[dict[str, Any]] = found["events"]
        return events

    def tell(self, username: str, text: str, target: str = message.LOBBY) -> None:
        """A NOTICE for every connection of somebody."""
        stamp = message.stamp(self._server.clock())
        notice = {"type": "NOTICE", "content": text, "target": target, "timestamp": stamp}
        self._server.delivery.tell(username, notice)

    def role(self, username: str) -> str:
        """Somebody's role on this server: `member`, `moderator`, `admin` or `owner`; `` for nobody."""
        found = self._server.directory.get(username)
        return found.role if found is not None else ""

    async def moderates(self, username: str, target: str) -> bool:
        """Whether somebody may moderate a room."""
        return await self._server.journey.moderates(username, target)

    def admins(self) -> list[str]:
        """Who runs this server."""
        return [a.username for a in self._server.directory.all() if a.role in ("admin", "owner")]

    async def _enter(self, bot: str, target: str) -> None:
        async with self._entering[bot]:  # one after the other: what is said first is posted first
            await self._entered(bot, target)

    async def _entered(self, bot: str, target: str) -> None:
        if self._server.directory.get(bot) is None:
            account = Account(bot, bot, created=self._server.clock())
            await self._server.write(lambda writes: writes.add_accounts([(account, None)]))
            self._server.directory.add(account)
        if target.startswith("#") and target != message.LOBBY:
            rooms = await self._server.read(self._server.store.conversation, message.key_of(target, bot))
            if rooms is None:
                raise Rejected("not_found", f"no room {target}")
            if bot not in rooms.members:
                await self._server.journey.ask(bot, {"type": "JOIN", "target": target})
