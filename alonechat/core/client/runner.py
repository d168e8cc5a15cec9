"""The core's own thread: a face hands it what a person does, and fetches what changed; neither waits for the other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from alonechat.core.client.accounts import Account
from alonechat.core.client.cache import directory
from alonechat.core.client.files import ROOM, File
from alonechat.core.client.live import Elsewhere, Live
from alonechat.core.client.model import Answered, Change, Connection, Gone, Page, Told, Window
from alonechat.core.client.refusals import translated
from alonechat.core.client.sending import Parcel
from alonechat.core.client.timing import Timing
from alonechat.core.client.words import language
from alonechat.core.client.writing import frames
from alonechat.core.message import LOBBY
from alonechat.errors import AloneChatError, Rejected

if TYPE_CHECKING:
    from alonechat.core.client.credentials import Keeper
    from alonechat.core.client.rest import Rest

T = TypeVar("T")
Then = Callable[[Any, Exception | None], None]

CROWD = 20_000
"""Changes that may wait for the face before the socket is no longer read; the server's log keeps the rest."""
HEAD_START = 0.25
"""Seconds that a face has to draw what the cache holds before the network's parts are loaded beside it: loading them
takes longer than all the rest, and the interpreter does one thing at a time."""
PAUSE = 0.4
"""Seconds that a draft may change before it is written to the disk."""
TYPING = 3.0
"""Seconds between two TYPING frames for one conversation (PROTOCOL, section 5)."""


class Runner:
    """One account's client without a face.

    `wake()` is called in the core's thread when `changes()` has something again; it must be quick. Everything that a
    person does returns at once: what comes of it comes as changes, and what fails as Told with `is_error`, unless a
    `then(result, error)` is given, which the face calls when it meets its Answered. `account` is whose client this is;
    `room` how many bytes the files that were fetched may take, which is set before the start.
    """

    def __init__(
        self,
        account: Account,
        keeper: Keeper | None = None,
        home: Path | None = None,
        wake: Callable[[], None] = lambda: None,
        timing: Timing | None = None,
    ) -> None:
        self.account = account
        self.ended: Exception | None = None
        self.room = ROOM
        self._keeper = keeper
        self._home = home or directory()
        self._wake = wake
        self._timing = timing or Timing()
        self._lock = threading.Lock()
        self._waiting: list[Change] = []
        self._fetched: asyncio.Event | None = None
        self._shown: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun: list[Callable[[], None]] = []
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="alonechat-client", daemon=True)
        self._typed: dict[str, float] = {}
        self._drafts: dict[str, str] = {}
        self._live = self._life(account)

    def _life(self, account: Account) -> Live:
        live = Live(account, self._keeper, self._home, self._tell, self._timing)
        live.crowded = self._crowded
        return live

    # --- the two threads ---

    def start(self) -> None:
        """Read what the cache holds, then go on in the core's thread. Returns before there is a connection."""
        self._recall()
        self._thread.start()

    def _recall(self) -> None:
        self._live.room = self.room
        self._live.recall()

    def changes(self) -> list[Change]:
        """Everything since the last call, in order, and in the language that was chosen."""
        with self._lock:
            found, self._waiting = self._waiting, []
        if self._fetched is not None and len(found) >= CROWD:
            self._soon(self._fetched.set)
        if self._shown is not None and not self._shown.is_set() and any(isinstance(c, Page) for c in found):
            self._soon(self._shown.set)
        return found if language() == "en" else [translated(change) for change in found]

    def close(self) -> None:
        """End the thread, for 3 s at most; what waits to be sent is on disk."""
        if self._thread.is_alive():
            self._soon(self._stop)
            self._thread.join(3)

    def _stop(self) -> None:
        if self._stopping is not None:
            self._stopping.set()

    def _tell(self, changes: Iterable[Change]) -> None:
        with self._lock:
            before = len(self._waiting)
            self._waiting.extend(changes)
            fresh = not before and bool(self._waiting)
        if fresh:
            self._wake()

    async def _crowded(self) -> None:
        while len(self._waiting) >= CROWD and self._fetched is not None:
            self._fetched.clear()
            with suppress(TimeoutError):  # it may have been fetched between the look and the wait
                await asyncio.wait_for(self._fetched.wait(), 0.5)

    def _soon(self, act: Callable[[], None]) -> None:
        """Run something in the core's thread, now or as soon as it has begun."""
        with self._lock:
            if self._loop is None:
                self._begun.append(act)
                return
        with suppress(RuntimeError):  # the loop is closed: nobody waits for it any more
            self._loop.call_soon_threadsafe(act)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:  # a fault of ours: the face must not wait for ever for a thread that is gone
            self._end(error)
            raise

    async def _main(self) -> None:
        self._stopping, self._fetched, self._shown = asyncio.Event(), asyncio.Event(), asyncio.Event()
        with self._lock:
            self._loop, begun = asyncio.get_running_loop(), self._begun
        living = asyncio.ensure_future(self._lives())
        stopping = asyncio.ensure_future(self._stopping.wait())
        for act in begun:
            act()
        try:
            await asyncio.wait((living, stopping), return_when=asyncio.FIRST_COMPLETED)
            if living.done():
                living.result()
                await stopping  # signed out: the cache can still be looked at
        finally:
            for task in (living, stopping):
                task.cancel()
            await asyncio.gather(living, stopping, return_exceptions=True)
            for target in list(self._drafts):
                self._keep_draft(target)
            await self._live.close()

    async def _lives(self) -> None:
        """Live until the sign-in ends; where another server answers at the address, go on with that one."""
        if self._shown is not None and self._live.state.conversations:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._shown.wait(), HEAD_START)
        while True:
            try:
                await self._live.run()
                return
            except Elsewhere as other:
                known = tuple(self._live.state.conversations)
                await self._live.close()
                self.account = self._live.moved(other.id)
                self._tell([Gone(known), Told(LOBBY, str(other), self._timing.now(), True)])
                self._live = self._life(self.account)
                self._recall()
            except Rejected as refused:
                self._end(refused)
                return

    def _end(self, error: Exception) -> None:
        self.ended = error
        self._tell([Connection("signed out", self._timing.now(), 0.0, str(error))])

    def _do(self, work: Callable[[Live], Awaitable[Any]], then: Then | None = None, target: str = "") -> None:
        def begin() -> None:
            self._live.spawn(self._done(work, then, target))

        self._soon(begin)

    async def _done(self, work: Callable[[Live], Awaitable[Any]], then: Then | None, target: str) -> None:
        result, failed = None, None
        try:
            result = await work(self._live)
        except AloneChatError as error:
            failed = error
        self._live.flush()  # who hears that a room was made looks for it at once
        if then is not None:
            self._tell([Answered(then, result, failed)])
        elif failed is not None:
            self._tell([Told(target or LOBBY, str(failed), self._timing.now(), True)])

    # --- looking ---

    def open(self, target: str) -> None:
        """Look at a conversation: a Page of its end comes, and what lacks in the cache behind it."""
        self._do(lambda live: live.looking.open(target), target=target)

    def older(self, window: Window) -> None:
        """The messages before a window's first. While one such question is open, a further one does nothing."""
        target, seq = window.target, window.messages[0]["seq"] if window.messages else None
        if not window.start:
            self._do(lambda live: live.looking.older(target, seq), target=target)

    def newer(self, window: Window) -> None:
        """The messages behind a window's last, when it does not reach the end."""
        target, seq = window.target, window.messages[-1]["seq"] if window.messages else 0
        if not window.live:
            self._do(lambda live: live.looking.newer(target, seq), target=target)

    def around(self, target: str, seq: int) -> None:
        """The messages around a seq: a hit of a search, what a reply quotes."""
        self._do(lambda live: live.looking.around(target, seq), target=target)

    def find(self, target: str, id: str, then: Then) -> None:
        """`then` gets the seq of a message of which only the id is known, such as the one that a reply is about."""
        self._do(lambda live: live.looking.find(target, id), then)

    def members(self, target: str) -> None:
        """Ask who is in a conversation."""
        self._do(lambda live: live.looking.members(target), target=target)

    def search(self, q: str, then: Then, **where: Any) -> None:
        """`then` gets `{"events", "more", "source"}`: newest first, each with its `conversation`; `source` is `server`
        or, when that does not answer, `cache`. `where`: target, sender, before (an event's id)."""
        self._do(lambda live: live.looking.search(q, **where), then)

    # --- writing ---

    def say(
        self, target: str, text: str, ref: str | None = None, files: Sequence[Path] = (), then: Then | None = None
    ) -> None:
        """A text, a reply to `ref`, or a command. It is kept on disk, shown, and sent; what is longer than a message
        may be becomes several. `files`: it bears them, and the text may be empty. They are copied first, so they may
        move away once Kept tells of them; until then the text stays a draft on disk, if it was one. Their entry is sent
        when all are uploaded, and what is said later does not wait for it. `then` gets (None, None), or why nothing was
        kept: a file that is not there or too large."""
        if files or then is not None:
            parcel = Parcel(target, text, ref, tuple(files))

            def send(live: Live) -> Awaitable[None]:
                self._keep_draft(target)
                return live.sending.parcel(parcel)

            self._do(send, then, target)
            return
        most = int(self._live.state.limits.get("max_content", 4000))
        self._post(frames(target, text, ref, most))

    def edit(self, target: str, ref: str, text: str) -> None:
        """Change a message of one's own."""
        self._post([{"type": "EDIT", "target": target, "ref": ref, "content": text}])

    def delete(self, target: str, ref: str) -> None:
        """Take a message away."""
        self._post([{"type": "DELETE", "target": target, "ref": ref}])

    def react(self, target: str, ref: str, emoji: str, removed: bool = False) -> None:
        """Add a reaction, or take it back."""
        self._post([{"type": "REACT", "target": target, "ref": ref, "content": emoji, "removed": removed or None}])

    def _post(self, written: list[dict[str, Any]]) -> None:
        self._soon(lambda: self._live.sending.post(written))

    # --- files ---

    def fetch(self, file: File, then: Then | None = None) -> None:
        """Bring a file of a message (a row's) to this machine: Fetched tells how far it is, where it is, or why it
        failed. Asked again it is told again, from here where it is here, and fetched once. What failed for the lack of
        a connection is tried again by itself at the next one. `then` gets the Path: give it for what a person asked
        for, such as to open it, and do so there, since what was fetched before may have had to go."""
        if then is None:
            self._do(lambda live: live.fetching.show(file))
        else:
            self._do(lambda live: live.fetching.fetch(file), then)

    def save(self, file: File, path: Path, then: Then, over: bool = False) -> None:
        """Save a file of a message at `path`, or in the folder `path` under its own name. `then` gets the Path where it
        is. Without `over` nothing is written over: a number is put behind the name."""
        self._do(lambda live: live.fetching.save(file, path, over), then)

    def again(self, nonce: str) -> None:
        """Send once more what the server refused."""
        self._soon(lambda: self._live.sending.again(nonce))

    def discard(self, nonce: str) -> None:
        """Throw away what was refused, or waits."""
        self._soon(lambda: self._live.sending.discard(nonce))

    def draft(self, target: str, text: str) -> None:
        """Keep what is being written, soon."""

        def keep() -> None:
            fresh = target not in self._drafts
            self._drafts[target] = text
            if fresh:
                asyncio.get_running_loop().call_later(PAUSE, self._keep_draft, target)

        self._soon(keep)

    def _keep_draft(self, target: str) -> None:
        text = self._drafts.pop(target, None)
        if text is not None:
            self._live.beside.draft(target, text)
            self._live.keep(lambda cache: cache.draft(target, text))

    # --- conversations and people ---

    def join(self, target: str, access: str | None = None, then: Then | None = None) -> None:
        """Join a room, or make it with that access."""
        self.request({"type": "JOIN", "target": target, "access": access}, then)

    def leave(self, target: str, then: Then | None = None) -> None:
        """Leave a room."""
        self.request({"type": "LEAVE", "target": target}, then)

    def topic(self, target: str, text: str, then: Then | None = None) -> None:
        """Set a room's topic."""
        self.request({"type": "TOPIC", "target": target, "content": text}, then)

    def command(self, target: str, text: str, then: Then | None = None) -> None:
        """Run a command whose answer the face itself wants: a NOTICE frame, or the event that it posted."""
        self.request({"type": "TEXT", "target": target, "content": text}, then)

    def request(self, frame: dict[str, Any], then: Then | None = None) -> None:
        """Any request of PROTOCOL, section 5; its answer goes to `then`. It is not kept over a restart."""

        async def ask(live: Live) -> Any:
            return await (await live.session()).request({k: v for k, v in frame.items() if v is not None})

        self._do(ask, then, str(frame.get("target") or ""))

    def read(self, target: str, seq: int) -> None:
        """Everything up to `seq` is read; kept on disk until the server has it."""
        self._soon(lambda: self._live.marks.read(target, seq))

    def typing(self, target: str) -> None:
        """One is typing; told to the others at most every 3 s."""
        now = self._timing.now()
        if now - self._typed.get(target, 0.0) >= TYPING:
            self._typed[target] = now
            self._do(lambda live: live.passing({"type": "TYPING", "target": target}))

    def presence(self, content: str) -> None:
        """One is `online`, `away` or `busy`."""
        self._do(lambda live: live.marks.be(content))

    def rest(self, call: Callable[[Rest], Awaitable[T]], then: Then) -> None:
        """Any question over REST, such as `lambda rest: rest.rooms()`."""

        async def ask(live: Live) -> T:
            from alonechat.core.client.rest import Rest

            async with Rest(live.account_now.url, live.account_now.token) as rest:
                return await call(rest)

        self._do(ask, then)

    def begun(self, then: Then) -> None:
        """`then` is called once all that was asked before is under way: what was written is on disk, and was told."""

        async def nothing(_live: Live) -> None:
            return

        self._do(nothing, then)

    def hurry(self) -> None:
        """Try to connect now."""
        self._soon(lambda: self._live.hurry())

    def sign_out(self, then: Then, wipe: bool = False) -> None:
        """End this sign-in at the server and forget the account; with `wipe`, what this machine kept of it too."""
        self._do(lambda live: live.sign_out(wipe), then)
