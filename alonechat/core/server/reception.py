"""Where connections come in: limits, sign-in, the WELCOME, and their end."""

from __future__ import annotations

import asyncio
from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Any

import alonechat
from alonechat.core import message
from alonechat.core.logging import get_logger
from alonechat.core.server.accounts import Accounts, is_loopback
from alonechat.core.server.auth import Identity
from alonechat.core.server.connection import Connection
from alonechat.core.server.frames import frame as wire
from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.core.server.parts import Parts
from alonechat.core.store.records import Session
from alonechat.errors import Rejected

if TYPE_CHECKING:
    from alonechat.core.server.manager import UnifiedWebSocketManager

CODES = {"unauthorized": 4401, "forbidden": 4403, "rate_limited": 4429, "unavailable": 1013}
"""The close code of each refusal (PROTOCOL, section 2)."""
ROOM = message.MAX_SENT - 16_384
"""Bytes of conversations in a WELCOME: what does not fit is fetched by GET /conversations."""
log = get_logger(__name__)


class Reception:
    """Every connection, from its first byte to its last."""

    def __init__(self, server: UnifiedWebSocketManager, parts: Parts, auth: Accounts) -> None:
        self._server, self._parts, self._auth = server, parts, auth
        self.connections: set[Connection] = set()
        self._addresses: Counter[str] = Counter()
        self._counted: dict[Connection, str] = {}
        self._people: dict[str, set[Connection]] = {}
        self._slice: list[Connection] = []
        self._share = self._due = 0.0
        self._silence = self._expiry = 0.0
        """When the first may have been silent for too long (the clock of `now`), and the first sign-in run out (ms)."""
        self.beat = parts.now()
        """The time of the last tick: how connections know when they were heard, without asking the clock each time."""

    # --- coming ---

    def opened(self, connection: Connection) -> None:
        """A socket was accepted."""
        self.connections.add(connection)

    async def greet(self, connection: Connection, token: str | None) -> None:
        """Sign a connection in, and welcome it; or say why not, and close it."""
        try:
            if connection not in self._counted:
                await self._admit(connection)
            if token is None:
                connection.expect_auth()
                return
            identity = await self._verify(connection, token)
            if not connection.leaving:
                await self._welcome(connection, identity)
        except Rejected as refused:
            connection.refuse(refused, CODES.get(refused.code, 4401))
        except Exception:
            log.exception("sign-in failed", connection=connection.id)
            connection.end(1011, "a fault of the server")

    async def _admit(self, connection: Connection) -> None:
        address, most = connection.address, self._parts.settings.max_connections_address
        self._counted[connection] = address
        self._addresses[address] += 1
        if most and self._addresses[address] > most and not is_loopback(address):
            raise Rejected("rate_limited", f"at most {most} connections from one address", 5.0)
        await self._ask(HookPhase.PRE_CONNECT, connection)

    async def _ask(self, phase: HookPhase, connection: Connection, sender: str = "") -> None:
        hooks = self._parts.hooks
        if hooks.on(phase):
            context = await hooks.run(HookContext(phase, sender, address=connection.address))
            if context.stopped:
                raise Rejected("forbidden", context.reason or "a plugin of this server refused the connection")

    def _look(self, phase: HookPhase, connection: Connection) -> None:
        hooks = self._parts.hooks
        if hooks.on(phase):
            hooks.watch(HookContext(phase, connection.username, address=connection.address))

    async def _verify(self, connection: Connection, token: str) -> Identity:
        await self._ask(HookPhase.PRE_AUTHENTICATE, connection)
        now, address = self._parts.now(), connection.address
        bucket = None if is_loopback(address) else self._parts.addresses.of(address, now)
        if bucket is not None and (wait := bucket.wait(now)):
            raise Rejected("rate_limited", f"too many failed sign-ins from your address; wait {wait:.0f} s", wait)
        try:
            identity = await self._auth.verify(token)
        except Rejected as refused:
            if bucket is not None and refused.code == "unauthorized":
                bucket.take(now)
            raise
        most = self._parts.settings.max_connections
        if most and len(self._people.get(identity.username, ())) >= most:
            raise Rejected("rate_limited", f"at most {most} connections per account: close one", 5.0)
        await self._ask(HookPhase.POST_AUTHENTICATE, connection, identity.username)
        return identity

    async def _welcome(self, connection: Connection, identity: Identity) -> None:
        me, keep, delivery = identity.username, self._parts.keep, self._parts.delivery
        self._people.setdefault(me, set()).add(connection)
        connection.signed_in(me, identity.session_id, identity.expires)
        self._expiry = min(self._expiry, identity.expires)
        delivery.arrivals.begin(connection)
        keys, items, more = await keep.glance(keep.store.arrival, me)
        identity = await self._auth.recheck(identity)
        if connection.leaving:
            return
        text, marks = self._written(identity, items, more)
        connection.write(wire(text))
        delivery.enter(connection, keys, marks)
        log.info("connected", connection=connection.id, user=me, address=connection.address)
        self._look(HookPhase.POST_CONNECT, connection)
        connection.begin()

    def _written(self, identity: Identity, items: list[dict[str, Any]], more: bool) -> tuple[str, dict[str, int]]:
        """The WELCOME's text, and the seq of each conversation that it tells of."""
        settings, store = self._parts.settings, self._parts.keep.store
        shown: list[str] = []
        marks, size = {}, 0
        for item in items:
            text = message.compact({name: value for name, value in item.items() if name != "key"})
            size += len(text.encode())
            if size > ROOM:
                more = True
                break
            shown.append(text)
            marks[item["key"]] = item["seq"]
        welcome = {
            "type": "WELCOME",
            "protocol": message.PROTOCOL,
            "timestamp": message.stamp(self._parts.keep.clock()),
            "server": {
                "name": settings.name,
                "version": alonechat.__version__,
                "id": store.server_id,
                "epoch": store.epoch,
            },
            "user": identity.account.profile(),
            "limits": {
                "max_content": settings.max_content,
                "max_frame": settings.max_frame,
                "heartbeat": settings.heartbeat,
            },
        }
        end = f',"conversations":[{",".join(shown)}],"more":{"true" if more else "false"}}}'
        return message.encode(welcome)[:-1] + end, marks

    # --- going ---

    def left(self, connection: Connection) -> None:
        """A connection takes part no longer: it closes, or is lost."""
        known = bool(connection.username)
        if known:
            self._look(HookPhase.PRE_DISCONNECT, connection)
            mine = self._people.get(connection.username)
            if mine is not None:
                mine.discard(connection)
                if not mine:
                    del self._people[connection.username]
        self._parts.delivery.exit(connection)
        if known:
            self._look(HookPhase.POST_DISCONNECT, connection)

    def closed(self, connection: Connection) -> None:
        """The socket is gone."""
        self.connections.discard(connection)
        address = self._counted.pop(connection, None)
        if address is not None:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
        if connection.username:
            log.info("disconnected", connection=connection.id, user=connection.username)

    def end_sessions(self, ids: list[str]) -> None:
        """These sign-ins have ended: so do their connections."""
        gone = set(ids)
        for connection in [c for c in self.connections if c.session_id in gone]:
            connection.refuse(Rejected("unauthorized", "this sign-in has ended; sign in again"), 4401)

    def end_account(self, username: str) -> None:
        """The account was banned or disabled: its connections end."""
        for connection in list(self._people.get(username, ())):
            connection.refuse(Rejected("forbidden", "this account was disabled or banned"), 4403)

    def renewed(self, old: str, session: Session) -> None:
        """A sign-in was renewed: its connections go on under the new one."""
        for connection in self.connections:
            if connection.session_id == old:
                connection.session_id, connection.expires = session.id, session.expires
        self._expiry = min(self._expiry, session.expires)

    def sessions(self) -> set[str]:
        """The sign-ins that are connected."""
        return {c.session_id for c in self.connections if c.session_id and not c.leaving}

    # --- who is there ---

    def look_around(self, now_ms: int) -> None:
        """Once per tick: cut the connections that were silent for two heartbeats, end those whose sign-in ran out, and
        ping a slice of all, so that each is asked once per heartbeat."""
        now, heartbeat = self._parts.now(), self._parts.settings.heartbeat
        passed, self.beat = now - self.beat, now
        if now >= self._silence or now_ms >= self._expiry:
            self._end_due(now - passed, now_ms)
        if not self._slice:
            self._slice = list(self.connections)
            self._share = len(self._slice) / heartbeat
        self._due += self._share * passed
        count = min(int(self._due), len(self._slice))
        self._due = max(0.0, self._due - count) if self._slice else 0.0
        due, self._slice = self._slice[:count], self._slice[count:]
        for connection in due:
            if connection.username:
                connection.ping()

    def _end_due(self, before: float, now_ms: int) -> None:
        """Cut who was silent for too long at `before`, the tick before this one, for `heard` is up to a tick older than
        the truth; end whose sign-in ran out. To look at ten thousand that say nothing took more than all else that is
        done for them, so it is noted when the first of them can be due."""
        patience = 2 * self._parts.settings.heartbeat
        first, expiry = self.beat, inf
        for connection in list(self.connections):
            if connection.username and not connection.leaving:
                if connection.heard < before - patience:
                    log.info("silent connection cut", connection=connection.id, user=connection.username)
                    connection.cut()
                elif connection.expires <= now_ms:
                    connection.refuse(Rejected("unauthorized", "the token has expired; sign in again"), 4401)
                else:
                    first, expiry = min(first, connection.heard), min(expiry, connection.expires)
        self._silence, self._expiry = first + patience, expiry

    async def end_all(self, seconds: float) -> None:
        """Close every connection with 1001; those whose clients have not agreed after `seconds` are cut."""
        for connection in list(self.connections):
            connection.end(1001, "the server goes down")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self.connections and loop.time() < deadline:
            await asyncio.sleep(0.02)
        for connection in list(self.connections):
            connection.cut()
