"""A session: sign-in, reconnect with back-off, resume without gaps or doubles, requests and their answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from alonechat.core.client.accounts import Account
from alonechat.core.client.credentials import Credentials, Keeper
from alonechat.core.client.outbox import Outbox
from alonechat.core.client.present import literal
from alonechat.core.client.rest import Rest
from alonechat.core.client.state import Event, State
from alonechat.core.client.timing import Timing
from alonechat.core.client.transport import Closed, End, Frame, Wire, gone
from alonechat.core.message import MAX_FRAME, MAX_PAGE
from alonechat.errors import AloneChatError, Rejected

Work = Callable[[], Awaitable[None]]
PASSING = frozenset({"READ", "TYPING", "PRESENCE", "USER", "NOTICE", "ERROR"})
BOUND = 5_000
"""Events that may wait for `events()` before the socket is no longer read; the server's log keeps the rest."""
STEADY = 10.0
"""Seconds after which a connection counts as steady: the next loss starts with the shortest wait again."""
PATIENCE = 15.0
"""Seconds that a server may take to answer a sign-in with WELCOME or a refusal."""


@dataclass(frozen=True, slots=True)
class Status:
    """How the session stands: `connected`; else `reason` says why not, and it tries again in `retry_in` seconds."""

    connected: bool
    reason: str = ""
    retry_in: float = 0.0


class Session:
    """One person's or bot's conversation with a server, over as many connections as it takes.

    `async with Session(account) as session:` signs in or raises what a person can act on; with `patient=True` it waits
    for a server that can't be reached yet. `events()` gives every event of one's conversations from then on, each once
    and in order within its conversation, whatever happens to connections and servers in between. `follow=False` is for
    who only asks. `begun` has the `seq` of each conversation of the first WELCOME, behind which `events()` begins.
    `partial`: there are conversations that `state` doesn't know yet. Who kept the `state` of an earlier session puts
    it here before the start: `events()` then goes on from there.
    """

    def __init__(
        self,
        account: Account,
        keeper: Keeper | None = None,
        follow: bool = True,
        patient: bool = False,
        timing: Timing | None = None,
    ) -> None:
        self.state = State()
        self.begun: dict[str, int] = {}
        self.partial = False
        self.status = Status(False, "not connected yet")
        self.on_status: Callable[[Status], None] = lambda status: None
        self.on_welcome: Callable[[Frame], None] = lambda frame: None
        self._follow = follow
        self._patient = patient
        self._time = timing or Timing()
        self._credentials = Credentials(account, keeper, self._time)
        self._wire: Wire | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._catching: dict[str, asyncio.Task[None]] = {}
        self._outbox = Outbox(self._put, self._time)
        self._outbox.on_ask = lambda: self._room.set()
        self._queue: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._ready = asyncio.Event()
        self._hurry = asyncio.Event()
        self._ended: BaseException | None = None
        self._closing = False

    @property
    def account(self) -> Account:
        """Who is signed in, with the token that holds now."""
        return self._credentials.account

    # --- life ---

    async def __aenter__(self) -> Session:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Connect and sign in. Raises Rejected (`unauthorized`, `forbidden`, `rate_limited`) or AloneChatError."""
        self._spawn(self._run)
        try:
            await self._ready.wait()
            if self._ended is not None:
                raise self._ended
        except BaseException:
            await self.close()
            raise
        self._spawn(self._credentials.keep)

    async def close(self) -> None:
        """End the session: what waits for an answer is cancelled, `events()` ends. A token that is just being renewed
        is kept first."""
        self._closing = True
        await self._credentials.settle()
        tasks = [*self._tasks, *self._catching.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await gone(self._wire)
        self._wire = None
        self._end(None)

    def _spawn(self, work: Work) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Work) -> None:
        """A part that fails ends the session with its error, rather than leave it half alive."""
        try:
            await work()
        except Exception as error:
            self._end(error)

    def _end(self, error: BaseException | None) -> None:
        self._ended = self._ended or error
        self._ready.set()
        self._outbox.end(error)
        self._queue.put_nowait(None)

    # --- connections ---

    async def _run(self) -> None:
        attempt = 0
        while True:
            begun = self._time.now()
            try:
                await self._connection()
            except Closed as closed:
                await gone(self._wire)
                self._wire = None
                if closed.end is End.SIGNED_OUT and self._credentials.is_fresh():
                    continue
                if closed.end is End.UNREACHED and await self._credentials.moved():
                    continue
                self._give_up(closed)
                steady = self.status.connected and self._time.now() - begun >= STEADY
                attempt = 0 if steady else attempt
                wait = self._time.backoff(attempt, least=5.0 if closed.end is End.CROWDED else 0.5)
                attempt += 1
                self._tell(Status(False, str(closed), wait))
                await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        """Wait, or until somebody wants it tried now."""
        self._hurry.clear()
        slept = asyncio.ensure_future(self._time.sleep(seconds))
        hurried = asyncio.ensure_future(self._hurry.wait())
        try:
            await asyncio.wait((slept, hurried), return_when=asyncio.FIRST_COMPLETED)
        finally:
            slept.cancel()
            hurried.cancel()

    def hurry(self) -> None:
        """Try to connect now, if there is no connection and a wait is on."""
        self._hurry.set()

    async def probe(self, patience: float = 4.0) -> None:
        """Ask whether the connection still stands, as after the machine slept; one that does not answer within
        `patience` seconds is cut, and made anew."""
        wire = self._wire
        try:
            async with asyncio.timeout(patience):
                await self.request({"type": "HEARTBEAT"})
        except TimeoutError:
            if wire is not None and wire is self._wire:
                wire.abort()

    @property
    def catching_up(self) -> bool:
        """Whether there are conversations whose missed events are still being asked for."""
        return bool(self._catching)

    def _give_up(self, closed: Closed) -> None:
        """Raise what trying again can't mend."""
        if closed.end is End.SIGNED_OUT:
            why = str(closed).removesuffix("; sign in again")  # the command is named instead
            raise Rejected("unauthorized", f"{why}; sign in again: alonechat login {self.account.username}")
        if closed.end is End.REFUSED:
            raise Rejected("forbidden", str(closed))
        if not self._ready.is_set() and not self._patient:
            raise closed

    def _tell(self, status: Status) -> None:
        self.status = status
        self.on_status(status)

    async def _connection(self) -> None:
        """One connection, from the handshake to its end, which is raised as Closed."""
        address = await self._credentials.address()
        self._credentials.used = self.account.token
        wire = await Wire.open(address, self.account.token)
        try:
            await self._welcome(wire, await self._greeting(wire))
            while True:
                self._take(await wire.receive())
                # With requests unanswered the socket must be read: their answers come behind what is queued.
                while self._queue.qsize() >= BOUND and not self._outbox:
                    self._room.clear()
                    await self._room.wait()
        finally:
            if self._wire is None:
                await gone(wire)

    async def _greeting(self, wire: Wire) -> Frame:
        try:
            async with asyncio.timeout(PATIENCE):
                while (frame := await wire.receive()).get("type") != "WELCOME":
                    pass  # an ERROR: the close that follows says it
                return frame
        except TimeoutError:
            raise Closed(End.LOST, f"{self.account.ws_url}: no WELCOME within {PATIENCE:g} s of the sign-in") from None

    async def _welcome(self, wire: Wire, frame: Frame) -> None:
        for task in self._catching.values():  # they ask from positions of before; WELCOME says where gaps are now
            task.cancel()
        self._catching.clear()
        self.on_welcome(frame)
        behind = self.state.welcome(frame).behind
        if not self._ready.is_set():
            self.begun = {target: found.seq for target, found in self.state.conversations.items()}
        self._credentials.found()
        self._outbox.max_frame = int(self.state.limits.get("max_frame", MAX_FRAME))
        self._wire = wire  # first: a request that comes while the others are sent again goes out by itself
        await self._outbox.resend(wire.send)
        self._catch_up(behind)
        self.partial = bool(frame.get("more"))
        if self.partial:
            self._spawn(partial(self._pages, frame["conversations"][-1]["target"]))
        self._tell(Status(True))
        self._ready.set()

    async def _pages(self, before: str) -> None:
        """The conversations that WELCOME had no room for: those behind `before`, its last one."""
        attempt = 0
        async with Rest(self.account.url, self.account.token) as rest:
            while True:
                try:
                    page = await rest.conversations(before)
                except AloneChatError as error:
                    if isinstance(error, Rejected) and error.code in ("unauthorized", "forbidden"):
                        return  # the connection is about to be told the same
                    await self._time.sleep(getattr(error, "retry_after", None) or self._time.backoff(attempt))
                    attempt += 1
                    continue
                self._catch_up(self.state.page(page["items"]).behind)
                if not page["more"] or not page["items"]:
                    self.partial = False
                    self.on_status(self.status)
                    return
                before = page["items"][-1]["target"]

    # --- arrivals ---

    def _take(self, frame: Frame) -> None:
        taken = self.state.take(frame)
        self._deliver(taken.events)
        self._catch_up(taken.behind)
        answered = self._outbox.take(frame, self.state.me)
        if not answered and frame.get("type") in PASSING and self._follow:
            self._queue.put_nowait(frame)

    def _deliver(self, events: Iterable[Event]) -> None:
        if self._follow:
            for event in events:
                self._queue.put_nowait(event)

    async def events(self, passing: bool = False) -> AsyncIterator[Frame]:
        """Every event from the sign-in on. With `passing`, also what is in no log: READ, TYPING, PRESENCE, USER,
        NOTICE, and ERROR that answers nothing. Ends with `close()`; raises Rejected when the sign-in has ended."""
        if not self._follow:
            raise ValueError("events() needs a Session with follow=True")
        while (frame := await self._queue.get()) is not None:
            if self._queue.qsize() < BOUND // 2:
                self._room.set()
            if passing or ("seq" in frame and "id" in frame):
                yield frame
        self._queue.put_nowait(None)  # for whoever else iterates
        if self._ended is not None:
            raise self._ended

    def _catch_up(self, targets: Iterable[str]) -> None:
        for target in targets:
            if target not in self._catching:
                task = self._spawn(partial(self._fill, target))
                self._catching[target] = task
                task.add_done_callback(lambda done, target=target: self._caught(target, done))  # type: ignore[misc]

    def _caught(self, target: str, done: asyncio.Task[None]) -> None:
        if self._catching.get(target) is done:
            del self._catching[target]
            if not self._catching and self._wire is not None:
                self.on_status(self.status)
            # A gap that opened between the last answer and now found this task still there.
            found = self.state.conversations.get(target)
            if found is not None and found.waiting and not self._closing and not done.cancelled():
                self._catch_up([target])

    async def _fill(self, target: str) -> None:
        attempt = 0
        more = True
        while more and (found := self.state.conversations.get(target)) is not None:
            ask = {"type": "HISTORY", "target": target, "after": found.position or 0, "limit": MAX_PAGE}
            try:
                answer = await self.request(ask)
            except Rejected as refused:
                if refused.code in ("forbidden", "not_found"):  # removed while we were away
                    self.state.forget(target)
                    return
                await self._time.sleep(self._time.backoff(attempt))
                attempt += 1
                continue
            events, more = self.state.caught_up(target, answer)
            self._deliver(events)
            while self._follow and self._queue.qsize() >= BOUND:
                self._room.clear()
                await self._room.wait()

    # --- requests ---

    async def request(self, frame: Mapping[str, Any]) -> Frame:
        """Send a request of PROTOCOL, section 5, and give its answer; raises Rejected when it is refused.

        It bears a nonce (made here unless given) and is sent again under the same one after every reconnect until it is
        answered; over the rate, or while the store can't commit, it waits and tries again. It waits as long as that
        takes: `asyncio.timeout` bounds it. Requests that write to one conversation are carried out in the order of
        their calls.
        """
        return await self._outbox.request(frame)

    async def _put(self, frame: Frame) -> None:
        if self._wire is not None:  # else the next WELCOME sends what is pending
            with suppress(Closed):  # the reader of that connection sees the same and reconnects
                await self._wire.send(frame)

    async def tell(self, frame: Frame) -> None:
        """Send what has no answer (TYPING), if there is a connection: it is worth nothing later."""
        await self._put(frame)

    async def send(self, target: str, content: str, ref: str | None = None, nonce: str | None = None) -> Event:
        """Say something. The event, once it is on the server's disk. A leading `/` is said, not run."""
        text = literal(content)
        return await self.request({"type": "TEXT", "target": target, "content": text, "ref": ref, "nonce": nonce})

    async def command(self, target: str, content: str) -> Frame:
        """Run a command (`/roll`): the NOTICE that answers it, or the event that it posted."""
        text = content if content.startswith("/") else "/" + content
        return await self.request({"type": "TEXT", "target": target, "content": text})

    async def history(self, target: str, before: int | None = None, limit: int = 50) -> list[Event]:
        """The latest messages before a seq (or of all), ascending, in as many pages as it takes."""
        found: list[Event] = []
        while len(found) < limit:
            ask = {"type": "HISTORY", "target": target, "before": before, "limit": min(MAX_PAGE, limit - len(found))}
            answer = await self.request(ask)
            found[:0] = answer["events"]
            if not answer["more"] or not answer["events"]:
                break
            before = answer["events"][0]["seq"]
        return found
