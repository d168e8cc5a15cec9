"""A session joined with the disk: what arrives is kept and told to the face, what is written is kept and sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from alonechat.core.client.accounts import Account, Accounts
from alonechat.core.client.beside import Beside
from alonechat.core.client.cache import Cache, folder_of, path_of
from alonechat.core.client.fetching import Fetching
from alonechat.core.client.files import ROOM
from alonechat.core.client.looking import Looking
from alonechat.core.client.marks import Marks
from alonechat.core.client.model import (
    Arrived,
    Change,
    Connection,
    Gone,
    Learned,
    Listed,
    Passed,
    Summary,
    Told,
    Welcomed,
)
from alonechat.core.client.sending import Sending
from alonechat.core.client.shelf import Shelf
from alonechat.core.client.state import Conversation, Event, State
from alonechat.core.client.templates import worded
from alonechat.core.client.timing import Timing
from alonechat.core.client.words import _
from alonechat.core.message import LOBBY
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from pathlib import Path

    from alonechat.core.client.credentials import Keeper
    from alonechat.core.client.session import Session, Status

Frame = dict[str, Any]
T = TypeVar("T")
Tell = Callable[[Iterable[Change]], None]

LEAP = 5_000
"""Events of one conversation that were missed and are still asked for one by one; beyond that its cache begins anew,
since 25 pages for each conversation are what a slow link can do while somebody looks on."""
SLEPT = 20.0
"""Seconds by which the clock must have leapt between two glances for the machine to count as having slept."""
UNHEARD = "unheard"
"""The nonce of what is worth nothing later: nobody wants to hear that it was refused."""
COPIED = 2.0
"""Seconds that an end waits for files which are just being copied to be sent."""
GLANCE = 1.0
"""Seconds between looks at whether another process of the same user changed drafts or the outbox."""


class Elsewhere(AloneChatError):
    """Another server answers at the address of this one. `id` is its id."""

    def __init__(self, id: str) -> None:
        super().__init__("another server answers at this address; what was kept of the old one stays on disk")
        self.id = id


def summary(found: Conversation) -> Summary:
    """A conversation as the list shows it."""
    return Summary(
        found.target,
        found.kind,
        found.access,
        found.topic,
        found.members,
        found.seq,
        found.read,
        found.unread,
        found.mentions,
        found.muted,
        found.last,
    )


class Live:
    """What lives in the loop's thread. `tell` hands changes to the face; `crowded()` says that it does not fetch them,
    so that the socket is not read either, and the server's log keeps the rest."""

    def __init__(self, account: Account, keeper: Keeper | None, home: Path, tell: Tell, timing: Timing) -> None:
        self.account = account
        self.tell = tell
        self.timing = timing
        self.state = State(keep=200, leap=LEAP)
        self.cache: Cache | None = None
        self.shelf: Shelf | None = None
        self.room = ROOM
        self.there = asyncio.Event()
        """Set while there is a connection."""
        self.opened: list[str] = []
        """Conversations that the face looked at, the latest last."""
        self.sending = Sending(self)
        self.looking = Looking(self)
        self.fetching = Fetching(self)
        self.beside = Beside()
        self.marks = Marks(self)
        self._keeper = keeper
        self._home = home
        self._session: asyncio.Future[Session] | None = None
        self._hurry = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._batch: list[tuple[str, Event]] = []
        self._dirty: set[str] = set()
        self._listed: set[str] = set()
        self._restarted: set[str] = set()
        self._flushing = False
        self._connection = Connection("connecting", timing.now())
        self.crowded: Callable[[], Awaitable[None]] | None = None

    # --- beginning ---

    def recall(self) -> None:
        """Open the cache and tell what is in it; without a server's id there is none yet. Touches no network."""
        if not self.account.server:
            return
        try:
            self.cache = Cache(path_of(self._home, self.account.server, self.account.username))
        except AloneChatError as error:
            self._unkept(error)
        assert self.cache is not None
        self.shelf = Shelf(folder_of(self._home, self.account.server, self.account.username), self.room)
        self.marks.recall(self.cache)
        server, user = self.cache.get("server"), self.cache.get("user")
        if server and user:
            self.state.recall(server, self.cache.conversations())
            self.state.me = user["username"]
            self._listed = set(self.state.conversations)
            self.tell([Welcomed(user, server, {}), *self.looking.recall(self.cache), *self._summaries(self._listed)])
        self.tell(self.beside.look(self.cache, self.shelf))

    def _unkept(self, error: AloneChatError) -> None:
        """The disk does not take what is to be kept: go on in memory, and say so once."""
        where = self.opened[-1] if self.opened else LOBBY
        text = _("{error}; what is written here is lost when the program ends").format(error=worded(str(error)))
        self.tell([Told(where, text, self.timing.now(), True)])
        self.cache = Cache(None)

    async def run(self) -> None:
        """Live until the sign-in ends. Raises Rejected then, Elsewhere when the server is another one."""
        if self._session is None:
            self._session = asyncio.get_running_loop().create_future()
        while not self.account.server:
            await self._identify()
        if self.cache is None:
            self.recall()
        session = await asyncio.get_running_loop().run_in_executor(None, self._made)
        session.on_status = self._status
        session.on_welcome = self._greeted
        self._session.set_result(session)
        glancing = asyncio.ensure_future(self._glance())
        try:
            self.sending.resume()
            self.marks.resume()
            self.spawn(self._tidy())
            async with session:
                async for frame in session.events(passing=True):
                    self._arrive(session, frame)
                    if self.crowded is not None:
                        await self.crowded()
        finally:
            glancing.cancel()
            self.flush()

    async def _tidy(self) -> None:
        """What programs that were ended left of files goes, and what has no room any more."""
        if self.shelf is not None:
            nonces = {entry.nonce for entry in self.keep(lambda cache: cache.outbox()) or ()}
            await asyncio.to_thread(self.shelf.sweep, nonces)
            await self.fetching.trim(self.shelf)

    def _made(self) -> Session:
        from alonechat.core.client.session import Session  # here, in a thread: it takes longer than the first picture

        session = Session(self.account, self._keeper, patient=True, timing=self.timing)
        session.state = self.state
        return session

    async def _identify(self) -> None:
        from alonechat.core.client.rest import Rest

        attempt = 0
        while True:
            try:
                async with Rest(self.account.url, self.account.token) as rest:
                    self.account = replace(self.account, server=str((await rest.server())["id"]))
            except AloneChatError as error:
                wait = self.timing.backoff(attempt)
                attempt += 1
                self._stand(Connection("offline", self._since("offline"), self.timing.now() + wait, str(error)))
                self._hurry.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), wait)
                continue
            if self._keeper is not None:
                self._keeper.update(self.account)
            return

    async def session(self) -> Session:
        """The session, once there is one; it may still be on its way to the server."""
        if self._session is None:
            self._session = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._session)

    def hurry(self) -> None:
        """Try to connect now."""
        self._hurry.set()
        if self._session is not None and self._session.done():
            self._session.result().hurry()

    def spawn(self, work: Awaitable[Any]) -> asyncio.Task[Any]:
        """Run something beside; it ends with this."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End what runs beside, and the cache. What is just being copied to be sent is kept first."""
        with suppress(TimeoutError):
            async with asyncio.timeout(COPIED):
                await self.sending.idle()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.looking.flush()
        self.flush()
        if self.cache is not None:
            self.cache.close()
            self.cache = None

    async def _glance(self) -> None:
        """Another window of the same user may write a draft, or throw something away; a laptop may have slept."""
        last = self.timing.now()
        while True:
            await asyncio.sleep(GLANCE)
            now = self.timing.now()
            if now - last > SLEPT and self._session is not None and self._session.done():
                self.spawn(self._session.result().probe())
            last = now
            if self.cache is not None and self.cache.changed_elsewhere():
                self.tell(self.beside.look(self.cache, self.shelf))

    # --- how it stands ---

    def _since(self, state: str) -> float:
        return self._connection.since if self._connection.state == state else self.timing.now()

    def _stand(self, connection: Connection) -> None:
        self._connection = connection
        if connection.state in ("connected", "catching up"):
            self.there.set()
        else:
            self.there.clear()
        self.tell([connection])

    def _status(self, status: Status) -> None:
        session = self._session.result() if self._session and self._session.done() else None
        if not status.connected or session is None:
            again = self.timing.now() + status.retry_in
            self._stand(Connection("offline", self._since("offline"), again, status.reason))
            return
        self.flush()
        self.marks.overlay()
        state = "catching up" if session.catching_up else "connected"
        fresh = self._connection.state not in ("connected", "catching up")
        current = set(self.state.conversations)
        gone = () if session.partial else tuple(self._listed - current)
        self._listed |= current
        self._listed -= set(gone)
        self.tell([Welcomed(self.state.user, self.state.server, self.state.limits), *self._summaries(current)])
        if gone:
            self.tell([Gone(gone)])
        self.keep(lambda cache: self._keep_all(cache, current, gone))
        self._stand(Connection(state, self._since(state)))
        if fresh:
            self.fetching.again()
            self.spawn(self._look_around(session))

    def _keep_all(self, cache: Cache, current: set[str], gone: Iterable[str]) -> None:
        cache.put("server", self.state.server)
        cache.put("user", self.state.user)
        for target in gone:
            cache.forget(target)
        for target in current:
            found = self.state.conversations[target]
            if found.position is not None and cache.position(target) is None:
                cache.begin(target, found.floor)
        cache.describe(self.state.conversations[target] for target in current)

    def _greeted(self, frame: Frame) -> None:
        """A WELCOME, before it is folded in: what is kept of logs that are others now is dropped."""
        server = frame["server"]
        if self.account.server and server["id"] != self.account.server:
            raise Elsewhere(server["id"])
        kept = self.state.server
        if kept and kept.get("epoch") != server.get("epoch"):
            self._restarted |= set(self.opened)
            self.keep(lambda cache: cache.clear())
            self.fetching.revive()
            return
        for item in frame["conversations"]:
            target, known = item["target"], self.state.conversations.get(item["target"])
            position = known.position if known else None
            if position is not None and (position > item["seq"] or item["seq"] - position > LEAP):
                self._restarted.add(target)
                self.keep(lambda cache, target=target, seq=item["seq"]: cache.begin(target, seq))  # type: ignore[misc]

    async def _look_around(self, session: Session) -> None:
        """After a connection came about: windows whose log began anew, who is there."""
        await self.marks.be_again()
        restarted, self._restarted = self._restarted & set(self.opened), set()
        self.looking.again()
        for target in restarted:
            await self.looking.open(target)
        await self.looking.look_around()
        await self._learn(session)

    async def _learn(self, session: Session) -> None:
        """Which commands there are: nobody but the server's own /help knows what its plugins add."""
        try:
            answer = await session.command(LOBBY, "/help")
        except Rejected:
            return  # then Tab completes no commands
        lines = [line.partition(": ") for line in str(answer.get("content") or "").splitlines()]
        known = {usage.split()[0]: (usage, words) for usage, _colon, words in lines if usage.startswith("/")}
        self.tell([Learned(known)])

    async def passing(self, frame: Frame) -> None:
        """Send what is worth nothing later, if there is a connection now."""
        if self._session is not None and self._session.done():
            await self._session.result().tell({**frame, "nonce": UNHEARD})

    # --- the account ---

    @property
    def account_now(self) -> Account:
        """The account with the token that holds now."""
        return self._session.result().account if self._session and self._session.done() else self.account

    def moved(self, server: str) -> Account:
        """This account at another server of the same address; kept so."""
        account = replace(self.account_now, server=server)
        if self._keeper is not None:
            self._keeper.update(account)
        return account

    async def sign_out(self, wipe: bool) -> None:
        """End the sign-in at the server, and forget the account; the file of an account that is wiped goes too."""
        from alonechat.core.client.rest import Rest

        async with Rest(self.account_now.url, self.account_now.token) as rest:
            try:
                await rest.logout()
            except Rejected as refused:
                if refused.code != "unauthorized":  # it had ended before
                    raise
        if isinstance(self._keeper, Accounts):
            self._keeper.forget(self.account)
        if wipe and self.cache is not None:
            self.cache.remove()
            self.cache = Cache(None)
            if self.shelf is not None:
                await asyncio.to_thread(self.shelf.remove)

    # --- arrivals ---

    def _arrive(self, session: Session, frame: Frame) -> None:
        kind = frame.get("type")
        if "seq" in frame and "id" in frame:
            target = self.state.filed(frame)
            if kind in ("JOIN", "LEAVE"):
                self.looking.moved(target, frame)
            self._batch.append((target, frame))
            self.touch(target)
        elif kind == "READ":
            self.touch(frame["target"])
        elif kind == "ERROR" and frame.get("nonce") == UNHEARD:
            return  # somebody who may not write here began to: the message itself is refused in its place
        elif kind in ("NOTICE", "ERROR"):
            target = frame.get("target") or (self.opened[-1] if self.opened else LOBBY)
            self.tell([Told(target, str(frame.get("content") or ""), self.timing.now(), kind == "ERROR")])
        else:
            self.tell([Passed(frame, self.timing.now())])
            if kind == "USER":
                self.looking.heard_of(frame["user"])

    def touch(self, target: str) -> None:
        """What is known of a conversation has changed: the face and the disk are told soon."""
        self._dirty.add(target)
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """What arrived since the last turn of the loop: to the disk, then to the face."""
        self._flushing = False
        batch, self._batch = self._batch, []
        dirty, self._dirty = self._dirty, set()
        if not batch and not dirty:
            return
        self.keep(lambda cache: cache.take(batch))
        self.fetching.forget([event["ref"] for _target, event in batch if event["type"] == "DELETE"])
        if any(event["type"] == "JOIN" and event["sender"] == self.state.me for _target, event in batch):
            self.spawn(self.looking.describe())  # topic, access, members: no event of a room says these
        session = self._session.result() if self._session and self._session.done() else None
        live = session is not None and not session.catching_up
        gone = tuple(dirty - set(self.state.conversations))
        self.tell([*(Arrived(target, event, live) for target, event in batch), *self._summaries(dirty)])
        self._listed |= dirty
        if gone:
            self._listed -= set(gone)
            self.tell([Gone(gone)])
        self.keep(lambda cache: self._keep_some(cache, dirty, gone))

    def _keep_some(self, cache: Cache, dirty: set[str], gone: Iterable[str]) -> None:
        for target in gone:
            cache.forget(target)
        cache.describe(found for target in dirty if (found := self.state.conversations.get(target)))

    def _summaries(self, targets: Iterable[str]) -> list[Change]:
        found = (self.state.conversations.get(target) for target in targets)
        return [Listed(tuple(summary(each) for each in found if each is not None))]

    def keep(self, act: Callable[[Cache], T]) -> T | None:
        """Change the cache, or ask it; where the disk fails, what is new is kept in memory from then on."""
        if self.cache is None:
            return None
        try:
            return act(self.cache)
        except AloneChatError as error:
            self.cache.close()
            self._unkept(error)
            return act(self.cache)
