"""What a session signs in with: the token, which is renewed in time, and the address, which may move."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from alonechat.core.client.accounts import Account
from alonechat.core.client.rest import Rest, reachable
from alonechat.core.client.timing import Timing
from alonechat.core.client.transport import Closed, End
from alonechat.errors import AloneChatError, Rejected


class Keeper(Protocol):
    """Where the account is kept, if it is: `Accounts` is one. A session without a keeper never renews its token,
    which would end it for whoever else uses it."""

    def find(self, url: str | None = None, username: str | None = None) -> Account | None: ...
    def update(self, account: Account) -> None: ...


class Credentials:
    """The account of a session, and what becomes of it as long as the session lasts."""

    def __init__(self, account: Account, keeper: Keeper | None, timing: Timing) -> None:
        self.account = account
        self.used = account.token
        self._keeper = keeper
        self._time = timing
        self._tried: set[str] = set()
        self._renewing = asyncio.Lock()

    async def address(self) -> str:
        """The WebSocket address; the server is asked for it where none was kept. Raises Closed, or Rejected."""
        if not self.account.ws_url:
            try:
                self.account = replace(self.account, ws_url=await self._named())
            except Rejected:
                raise
            except AloneChatError as error:
                raise Closed(End.LOST, str(error)) from None
        return self.account.ws_url

    async def _named(self) -> str:
        async with Rest(self.account.url) as rest:
            found = await rest.server()
        return reachable(str(found.get("ws_url") or ""), self.account.url)

    async def moved(self) -> bool:
        """Whether the server, asked over REST, names another WebSocket address than the one where nobody was."""
        kept = self.account.ws_url
        if kept in self._tried:
            return False
        self._tried.add(kept)
        try:
            found = await self._named()
        except AloneChatError:
            return False  # nobody there either: what is known stands
        self.account = replace(self.account, ws_url=found)
        if self._keeper is not None and found != kept:
            with suppress(AloneChatError):  # it can't be kept: then the next session asks again
                self._keeper.update(self.account)
        return found != kept

    def found(self) -> None:
        """The server was there: should it move, it is asked again."""
        self._tried.clear()

    def is_fresh(self) -> bool:
        """Whether there is a newer token than the one that was used: this session, or another process of the same
        account, renewed it."""
        if self.account.token != self.used:
            return True
        kept = self._keeper.find(self.account.url, self.account.username) if self._keeper else None
        fresh = kept if kept and kept.token != self.account.token else None
        self.account = fresh or self.account
        return fresh is not None

    async def keep(self) -> None:
        """Trade the token for a new one in time, again and again. Returns where nobody keeps the new one, where the
        token does not say how long it holds, and where it has ended."""
        while self._keeper is not None:
            due = self.account.renewal
            if due is None:
                return
            wait = due - self._time.now()
            if wait <= 0:
                try:
                    await self._renew(self._keeper)
                    continue
                except Rejected as refused:
                    if refused.code == "unauthorized" and not self.is_fresh():
                        return  # the connection is told the same, and says so
                    wait = 60.0
                except AloneChatError:
                    wait = 60.0  # not reachable now; a third of the token's life is left
            await self._time.sleep(min(wait, 3600.0))  # in steps: a laptop that slept doesn't count the hours

    async def _renew(self, keeper: Keeper) -> None:
        async with self._renewing, Rest(self.account.url, self.account.token) as rest:
            answer = await rest.renew()
            self.account = self.account.renewed(answer)
            keeper.update(self.account)
        # This connection ends with the old token, 60 s from now; the reconnect then takes the new one.

    async def settle(self) -> None:
        """Let a renewal that is under way be kept before everything is cancelled."""
        if self._renewing.locked():
            with suppress(TimeoutError):  # the server is stuck; the old token holds as long as it answers nothing
                async with asyncio.timeout(5), self._renewing:
                    pass
