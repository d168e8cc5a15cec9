"""A session joined with the disk: what arrives is kept and told to the face, what is written is kept and sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alonechat.core.client.accounts import Account
from alonechat.core.client.cache import Cache, Entry, path_of
from alonechat.core.client.credentials import Keeper
from alonechat.core.client.model import (
    Arrived,
    Change,
    Connection,
    Drafted,
    Gone,
    Kept,
    Listed,
    Passed,
    Settled,
    Summary,
    Told,
    Welcomed,
    Written,
)
from alonechat.core.client.state import Conversation, Event, State
from alonechat.core.client.timing import Timing
from alonechat.core.message import LOBBY
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from pathlib import Path

    from alonechat.core.client.session import Session, Status

Frame = dict[str, Any]
Tell = Callable[[Iterable[Change]], None]

LEAP = 5_000
"""Events of one conversation that were missed and are still asked for one by one; beyond that its cache begins anew,
since 25 pages for each conversation are what a slow link can do while somebody looks on."""
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


def shown(entry: Entry) -> Written:
    """An entry of the outbox for a face."""
    content, ref = str(entry.frame.get("content") or ""), entry.frame.get("ref")
    return Written(entry.nonce, entry.target, entry.type, content, ref, entry.made, entry.code, entry.reason)


class Live:
    """What lives in the loop's thread. `tell` hands changes to the face; `crowded()` says that it does not fetch them,
    so that the socket is not read either, and the server's log keeps the rest."""

    def __init__(self, account: Account, keeper: Keeper | None, home: Path, tell: Tell, timing: Timing) -> None:
        self.account = account
        self.tell = tell
        self.timing = timing
        self.state = State(keep=200, leap=LEAP)
        self.cache: Cache | None = None
        self.opened: list[str] = []
        """Conversations that the face looked at, the latest last."""
        self._keeper = keeper
        self._home = home
        self._session: asyncio.Future[Session] | None = None
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._batch: list[tuple[str, Event]] = []
        self._dirty: set[str] = set()
        self._listed: set[str] = set()
        self._restarted: set[str] = set()
        self._flushing = False
        self._connection = Connection("connecting", timing.now())
        self.reopen: Callable[[str], Awaitable[None]] | None = None
        self.crowded: Callable[[], Awaitable[None]] | None = None

    # --- beginning ---

    def recall(self) -> None:
        """Open the cache and tell what is in it; without a server's id there is none yet. Touches no network."""
        if not self.account.server:
            return
        self.cache = Cache(path_of(self._home, self.account.server, self.account.username))
        server, user = self.cache.get("server"), self.cache.get("user")
        if server and user:
            self.state.recall(server, self.cache.conversations())
            self.state.me = user["username"]
            self._listed = set(self.state.conversations)
            self.tell([Welcomed(user, server, {}), *self._summaries(self._listed)])
        self._retell()

    def _retell(self) -> None:
        """Drafts and the outbox, as they are on disk."""
        if self.cache is not None:
            drafts = [Drafted(target, text) for target, text in self.cache.drafts().items()]
            self.tell([*drafts, *(Kept(shown(entry)) for entry in self.cache.outbox())])

    async def run(self) -> None:
        """Live until the sign-in ends. Raises Rejected then, Elsewhere when the server is another one."""
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
            for entry in self.cache.outbox() if self.cache else ():
                if not entry.code:
                    self._send(entry)
            async with session:
                async for frame in session.events(passing=True):
                    self._arrive(session, frame)
                    if self.crowded is not None:
                        await self.crowded()
        finally:
            glancing.cancel()
            self._flush()

    def _made(self) -> Session:
        from alonechat.core.client.session import Session  # here, in a thread: it takes longer than the first picture

        return Session(self.account, self._keeper, patient=True, timing=self.timing, state=self.state)

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
                await self.timing.sleep(wait)
                continue
            if self._keeper is not None:
                self._keeper.update(self.account)
            return

    async def session(self) -> Session:
        """The session, once there is one; it may still be on its way to the server."""
        while self._session is None:
            await asyncio.sleep(0)
        return await asyncio.shield(self._session)

    def spawn(self, work: Awaitable[Any]) -> asyncio.Task[Any]:
        """Run something beside; it ends with this."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End what runs beside, and the cache."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._flush()
        if self.cache is not None:
            self.cache.close()
            self.cache = None

    async def _glance(self) -> None:
        """Another window of the same user may write a draft, or throw something away."""
        while self.cache is not None:
            await asyncio.sleep(GLANCE)
            if self.cache is not None and self.cache.changed_elsewhere():
                drafts, kept = self.cache.drafts(), {entry.nonce for entry in self.cache.outbox()}
                gone = [nonce for nonce in self._sending if nonce not in kept]
                self.tell([*(Drafted(t, text) for t, text in drafts.items()), *(Settled(n, 0) for n in gone)])
                self._retell()

    # --- how it stands ---

    def _since(self, state: str) -> float:
        return self._connection.since if self._connection.state == state else self.timing.now()

    def _stand(self, connection: Connection) -> None:
        self._connection = connection
        self.tell([connection])

    def _status(self, status: Status) -> None:
        session = self._session.result() if self._session and self._session.done() else None
        if not status.connected or session is None:
            again = self.timing.now() + status.retry_in
            self._stand(Connection("offline", self._since("offline"), again, status.reason))
            return
        self._flush()
        state = "catching up" if session.catching_up else "connected"
        fresh = self._connection.state not in ("connected", "catching up")
        current = set(self.state.conversations)
        gone = () if session.partial else tuple(self._listed - current)
        self._listed |= current
        self._listed -= set(gone)
        self.tell([Welcomed(self.state.user, self.state.server, self.state.limits), *self._summaries(current)])
        if gone:
            self.tell([Gone(gone)])
        self._keep(lambda cache: self._keep_all(cache, current, gone))
        self._stand(Connection(state, self._since(state)))
        if fresh:
            self.spawn(self._look_around(session))

    def _keep_all(self, cache: Cache, current: set[str], gone: Iterable[str]) -> None:
        cache.put("server", self.state.server)
        cache.put("user", self.state.user)
        for target in gone:
            cache.forget(target)
        for target in current:
            found = self.state.conversations[target]
            if found.position is not None and found.position > (cache.position(target) or -1):
                cache.begin(target, found.position)
        cache.describe(self.state.conversations[target] for target in current)

    def _greeted(self, frame: Frame) -> None:
        """A WELCOME, before it is folded in: what is kept of logs that are others now is dropped."""
        server = frame["server"]
        if self.account.server and server["id"] != self.account.server:
            raise Elsewhere(server["id"])
        kept = self.state.server
        if kept and kept.get("epoch") != server.get("epoch"):
            self._restarted |= set(self.opened)
            self._keep(lambda cache: cache.clear())
            return
        for item in frame["conversations"]:
            target, known = item["target"], self.state.conversations.get(item["target"])
            position = known.position if known else None
            if position is not None and (position > item["seq"] or item["seq"] - position > LEAP):
                self._restarted.add(target)
                self._keep(lambda cache, target=target, seq=item["seq"]: cache.begin(target, seq))  # type: ignore[misc]

    async def _look_around(self, session: Session) -> None:
        """After a connection came about: windows whose log began anew, who is there."""
        restarted, self._restarted = self._restarted & set(self.opened), set()
        for target in restarted:
            if self.reopen is not None:
                await self.reopen(target)
        directs = [each for each in self.state.conversations.values() if each.kind == "direct" and each.last]
        directs.sort(key=lambda each: str((each.last or {}).get("timestamp")), reverse=True)
        for target in [*self.opened[-3:], *(each.target for each in directs[:30])]:
            try:
                await self.members(session, target)
            except Rejected:
                continue  # left or removed meanwhile

    async def members(self, session: Session, target: str) -> None:
        """Ask who is in a conversation, and tell it: the first 600, in pages."""
        after = None
        for _ in range(3):
            answer = await session.request({"type": "MEMBERS", "target": target, "after": after, "limit": 200})
            self.state.take(answer)
            self.tell([Passed({**answer, "after": after}, self.timing.now())])
            if not answer.get("more") or not answer["members"]:
                return
            after = answer["members"][-1]["username"]

    # --- arrivals ---

    def _arrive(self, session: Session, frame: Frame) -> None:
        kind = frame.get("type")
        if "seq" in frame and "id" in frame:
            target = self.state.filed(frame)
            self._batch.append((target, frame))
            self._touch(target)
        elif kind == "READ":
            self._touch(frame["target"])
        elif kind in ("NOTICE", "ERROR"):
            target = frame.get("target") or (self.opened[-1] if self.opened else LOBBY)
            self.tell([Told(target, str(frame.get("content") or ""), self.timing.now(), kind == "ERROR")])
        else:
            self.tell([Passed(frame, self.timing.now())])

    def _touch(self, target: str) -> None:
        self._dirty.add(target)
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def touch(self, target: str) -> None:
        """What is known of a conversation has changed: the face and the disk are told soon."""
        self._touch(target)

    def _flush(self) -> None:
        self._flushing = False
        batch, self._batch = self._batch, []
        dirty, self._dirty = self._dirty, set()
        if not batch and not dirty:
            return
        self._keep(lambda cache: cache.take(batch))
        session = self._session.result() if self._session and self._session.done() else None
        live = session is not None and not session.catching_up
        gone = tuple(dirty - set(self.state.conversations))
        self.tell([*(Arrived(target, event, live) for target, event in batch), *self._summaries(dirty)])
        self._listed |= dirty
        if gone:
            self._listed -= set(gone)
            self.tell([Gone(gone)])
        self._keep(lambda cache: self._keep_some(cache, dirty, gone))

    def _keep_some(self, cache: Cache, dirty: set[str], gone: Iterable[str]) -> None:
        for target in gone:
            cache.forget(target)
        cache.describe(found for target in dirty if (found := self.state.conversations.get(target)))

    def _summaries(self, targets: Iterable[str]) -> list[Change]:
        found = (self.state.conversations.get(target) for target in targets)
        return [Listed(tuple(summary(each) for each in found if each is not None))]

    def _keep(self, act: Callable[[Cache], None]) -> None:
        """Change the cache; without it (the disk is full) the client goes on, and says so once."""
        if self.cache is None:
            return
        try:
            act(self.cache)
        except AloneChatError as error:
            where = self.opened[-1] if self.opened else LOBBY
            text = f"{error}; messages are shown, and not kept on this machine"
            self.tell([Told(where, text, self.timing.now(), True)])
            self.cache.close()
            self.cache = None

    # --- what is written ---

    def post(self, entries: list[Entry]) -> None:
        """Keep entries on disk, show them, and send them in order. Raises AloneChatError where the disk is full."""
        if self.cache is not None:
            self.cache.wait(entries)
        self.tell([Kept(shown(entry)) for entry in entries])
        for entry in entries:
            self._send(entry)

    def _send(self, entry: Entry) -> None:
        task = self.spawn(self._sent(entry))
        self._sending[entry.nonce] = task
        task.add_done_callback(lambda done: self._sending.pop(entry.nonce, None))

    async def _sent(self, entry: Entry) -> None:
        session = await self.session()
        try:
            answer = await session.request({**entry.frame, "nonce": entry.nonce})
        except Rejected as refused:
            if refused.code == "unauthorized":
                return  # the sign-in has ended: it waits on disk for the next one
            self._refuse(entry, refused.code, refused.text)
            return
        except AloneChatError:
            return  # the session ended; the next one sends it
        self._keep(lambda cache: cache.settle(entry.nonce))
        self.tell([Settled(entry.nonce, answer.get("seq") or 0)])

    def _refuse(self, entry: Entry, code: str, reason: str) -> None:
        def keep(cache: Cache) -> None:
            cache.refuse(entry, code, reason)

        self._keep(keep)
        self.tell([Kept(replace(shown(entry), code=code, reason=reason))])

    def discard(self, nonce: str) -> None:
        """Throw away what was refused, or waits. What is under way already may have arrived all the same."""
        task = self._sending.get(nonce)
        if task is not None:
            task.cancel()
        self._keep(lambda cache: cache.settle(nonce))
        self.tell([Settled(nonce, 0)])
