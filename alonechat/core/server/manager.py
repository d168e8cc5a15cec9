"""The server: joins its parts, listens, keeps time, and stops without losing what it accepted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import TypeVar

from alonechat.config import Settings
from alonechat.core.bus import Bus, LocalBus
from alonechat.core.logging import get_logger
from alonechat.core.server.accounts import Accounts
from alonechat.core.server.connection import Connection
from alonechat.core.server.delivery import Delivery
from alonechat.core.server.directory import Directory
from alonechat.core.server.files import Files
from alonechat.core.server.hooks import Hook, HookPhase, Hooks
from alonechat.core.server.journey import Journey
from alonechat.core.server.keep import Keep
from alonechat.core.server.metrics import Metrics
from alonechat.core.server.parts import Parts
from alonechat.core.server.reception import Reception
from alonechat.core.store import now_ms
from alonechat.core.store.records import Shelf, Store, Writes
from alonechat.errors import Rejected, StartError

BACKLOG = 65_535
"""Connections that wait to be accepted, as far as the system allows: after a restart everybody comes back at once, and
whoever finds the queue full asks again a second later, then three, then seven."""
NOTICE_SECONDS = 0.5
"""How often the store is asked whether another process, such as `alonechat user`, changed it."""
GOODBYE_SECONDS = 2.0
"""How long clients have to agree to the close when the server goes down."""
FRESH = 200
"""Accounts that another process made, of which who is connected is told at once; after a list of thousands was taken in
they are asked for as they are met."""
T = TypeVar("T")
log = get_logger(__name__)


class UnifiedWebSocketManager:
    """A chat server over one store. `start` and `stop` it inside a running loop; `register_hook` at any time.

    `clock` gives milliseconds since 1970; it stamps events and decides when tokens expire.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        shelf: Shelf,
        clock: Callable[[], int] = now_ms,
        bus: Bus | None = None,
    ) -> None:
        self.settings, self.store, self.clock = settings, store, clock
        self.metrics, self.hooks = Metrics(), Hooks()
        self.delivery = Delivery(self.metrics, settings.outbox)
        self.directory = Directory(store.accounts())
        keep = self.keep = Keep(store, clock, self.metrics)
        self._parts = Parts(
            settings,
            keep,
            self.directory,
            self.delivery,
            self.metrics,
            self.hooks,
            bus if bus is not None else LocalBus(),
        )
        self.journey = Journey(self._parts)
        self.files = Files(self._parts, shelf, self.journey)
        self.carry = self.journey.express.carry
        self.journey.express.on_gone = self.files.drop
        self.auth = Accounts(self._parts, settings.secret())
        self.reception = Reception(self, self._parts, self.auth)
        self.auth.on_end, self.auth.on_renew = self.reception.end_sessions, self.reception.renewed
        self.journey.performer.on_banish = self.reception.end_account
        self.ports: dict[str, int] = {}
        """The ports that are listened on, by `websocket` and `rest`."""
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    # --- for plugins ---

    def register_hook(self, phase: HookPhase, hook: Hook, priority: int = 100) -> None:
        """Call `hook(ctx)`, plain or async, in `phase`; lower priorities first."""
        self.hooks.register(phase, hook, priority)

    def unregister_hook(self, phase: HookPhase, hook: Hook) -> bool:
        """Call `hook` no longer in `phase`. False when it was not registered."""
        return self.hooks.unregister(phase, hook)

    # --- for the REST side ---

    def now(self) -> float:
        """A monotonic clock in seconds."""
        return self._parts.now()

    async def read(self, act: Callable[..., T], *arguments: object) -> T:
        """`act(*arguments)`, which reads from the store, on a reader thread."""
        return await self._parts.keep.read(act, *arguments)

    async def write(self, act: Callable[[Writes], T]) -> T:
        """Have the writer call `act`; returns its result once that is committed."""
        return await self._parts.keep.write(act)

    async def ready(self) -> bool:
        """Whether store and bus answer."""
        try:
            return not self._stopping and await self.read(self.store.ready)
        except Rejected:
            return False

    async def set_role(self, username: str, role: str) -> None:
        """Give an account another server role; those who share a conversation hear of it. Raises `Rejected`."""
        account = self.directory.get(username)
        if account is None:
            raise Rejected("not_found", f"there is nobody called {username}")
        await self._parts.keep.write(lambda writes: writes.change_account(username, role=role))
        account.role = role
        self.delivery.changed(username, account.profile())

    # --- life ---

    async def start(self, sock: socket.socket) -> None:
        """Listen on a bound socket. Raises `StartError` when the certificate can't be used."""
        self.metrics.outbox.set_function(lambda: sum(c.waiting_bytes() for c in self.reception.connections))
        self._parts.bus.subscribe(self.delivery.publish)
        self._parts.keep.start(self.journey.express.deliver)
        self.files.begin()
        intake = self._parts.keep.intake
        self.delivery.more, self.delivery.soon = intake.is_writing, intake.is_committing
        loop = asyncio.get_running_loop()
        context = tls_context(self.settings)
        self._server = await loop.create_server(lambda: Connection(self), sock=sock, ssl=context, backlog=BACKLOG)
        self.ports["websocket"] = sock.getsockname()[1]
        self._tasks = [loop.create_task(self._tick()), loop.create_task(self._notice())]

    async def stop(self) -> None:
        """Accept nothing more, commit and echo what was accepted, close every connection with 1001, close the store."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self.reception.connections:
            connection.stop_reading()
        with contextlib.suppress(Rejected, TimeoutError):  # a store that is away keeps nobody from going
            await asyncio.wait_for(self._parts.keep.write(lambda writes: None), GOODBYE_SECONDS)
        self.delivery.flush()
        self.delivery.waits.release()
        await self.reception.end_all(GOODBYE_SECONDS)
        self.auth.close()
        await self.hooks.close()
        await self.files.close()
        await self._parts.keep.close()

    async def _tick(self) -> None:
        """Presence, pings, and how late the loop is: once a second, or faster where the heartbeat is shorter."""
        every = min(1.0, self.settings.heartbeat / 4)
        loop = asyncio.get_running_loop()
        due = loop.time() + every
        while True:
            await asyncio.sleep(due - loop.time())
            now = loop.time()
            self.metrics.lag.set(max(0.0, now - due))
            due = max(due + every, now)
            try:
                self.delivery.tick()
                self.reception.look_around(self.clock())
                self.files.tick(self.clock())
            except Exception:  # one turn that fails must not stop the clock for everybody
                log.exception("tick failed")

    async def _notice(self) -> None:
        """See within a second what another process wrote: accounts, roles, invites, ended sign-ins."""
        while True:
            await asyncio.sleep(NOTICE_SECONDS)
            try:
                if await self.read(self.store.changed_elsewhere):
                    await self.reload()
            except Rejected as refused:
                log.warning("the store does not answer", why=refused.text)
            except Exception:
                log.exception("looking for changes failed")

    async def reload(self) -> None:
        """Take in what another process changed in the store."""
        self.journey.conversations.known.forget()
        self.auth.forget()
        changed = self.directory.replace(await self.read(self.store.accounts))
        fresh = [account for before, account in changed if before is None and account.display_name != account.username]
        for account in fresh[:FRESH]:
            self.delivery.changed(account.username, account.profile())
        for before, account in changed:
            if account.standing != "active":
                self.reception.end_account(account.username)
                await self.journey.performer.leave_behind(account.username)
            elif before is not None and before.profile() != account.profile():
                self.delivery.changed(account.username, account.profile())
        for id in self.reception.sessions():
            session = await self.read(self.store.session, id)
            if session is None or session.revoked:
                self.reception.end_sessions([id])


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """What TLS is spoken with; None without a certificate. Raises `StartError` when it can't be used."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise StartError(
            f"the certificate {settings.tls_cert} with the key {settings.tls_key} can't be used: {why};"
            " both must be PEM"
        ) from None
    return context
