"""The public test kit: a running server on free ports, people who talk, and a clock that is moved by hand.

    with serving(tmp_path) as server:
        ana, bo = server.person("ana"), server.person("bo")
        ana.send(type="TEXT", content="hello")
        assert bo.hears("TEXT")["content"] == "hello"

The server is a real one in a thread of its own: real sockets on 127.0.0.1, a real SQLite file under the folder.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from alonechat.app import House, running
from alonechat.config import Settings, load

PASSWORD = "correct horse"
SECONDS = 10.0
"""How long a test waits for what has to come."""
Frame = dict[str, Any]
T = TypeVar("T")


class Clock:
    """Milliseconds since 1970, as the test sets them."""

    def __init__(self, ms: int = 1_767_225_600_000) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.ms += int(seconds * 1000)


class Server:
    """A server in a thread. `do` runs something inside its loop."""

    def __init__(self, settings: Settings, clock: Callable[[], int] | None = None, rest: bool = True) -> None:
        self.settings = settings
        self._clock, self._rest = clock, rest
        self._loop = asyncio.new_event_loop()
        self._started: Future[House] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self._people: list[Person] = []

    def start(self) -> Server:
        """Returns once it listens; raises what kept it from that."""
        self._thread.start()
        self.house = self._started.result(SECONDS)
        self.manager = self.house.server
        return self

    def stop(self) -> None:
        """Stop it as SIGTERM would, and wait."""
        for person in self._people:
            person.ws.close_timeout = 0.5
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(SECONDS)
        if self._thread.is_alive():
            raise TimeoutError(f"the server did not stop within {SECONDS:.0f} s")
        for person in self._people:
            person.close()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        try:
            async with running(self.settings, self._rest, self._clock) as house:
                self._started.set_result(house)
                await self._stop.wait()
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    def do(self, act: Callable[[], Awaitable[T]]) -> T:
        """Await `act()` inside the server's loop."""

        async def run() -> T:
            return await act()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(SECONDS)

    @property
    def ws_url(self) -> str:
        """The URL of the WebSocket."""
        return self.house.url("websocket") or ""

    @property
    def url(self) -> str:
        """The URL of the REST side, without a slash at the end."""
        return (self.house.url("rest") or "").rstrip("/")

    def register(self, username: str, role: str = "member") -> None:
        """Make an account whose password is `PASSWORD`."""
        from alonechat.core.server.accounts import Registration

        if self.manager.directory.get(username) is None:
            self.do(lambda: self.manager.auth.register(Registration(username, PASSWORD)))
        if role != "member":
            self.do(lambda: self.manager.set_role(username, role))

    def token(self, username: str) -> str:
        """A fresh sign-in of an account."""
        from alonechat.core.server.accounts import Attempt

        return self.do(lambda: self.manager.auth.login(Attempt(username, PASSWORD))).token

    def person(self, username: str, role: str = "member") -> Person:
        """Somebody who is connected; the account is made when there is none. Again for another device."""
        self.register(username, role)
        person = Person(self.ws_url, username, self.token(username))
        self._people.append(person)
        return person


class Person:
    """One connection of somebody: sends frames, hears frames in order."""

    def __init__(self, url: str, username: str, token: str) -> None:
        self.username, self.token = username, token
        headers = {"Authorization": f"Bearer {token}"}
        self._held = ExitStack()
        opened = connect(url, additional_headers=headers, proxy=None, max_size=1 << 21)
        self.ws: ClientConnection = self._held.enter_context(opened)
        self.welcome = self.hears("WELCOME")
        self._nonces = 0
        self._mark = secrets.token_hex(6)  # a nonce is unique for ever, over every run against the same data

    def send(self, **frame: Any) -> None:
        """Send a frame."""
        self.ws.send(json.dumps(frame, ensure_ascii=False))

    def next(self, timeout: float = SECONDS) -> Frame:
        """The next frame, whatever it is."""
        frame: Frame = json.loads(self.ws.recv(timeout))
        return frame

    def hears(self, *kinds: str, **fields: Any) -> Frame:
        """The next frame of one of these types with these fields; what comes before it is passed over, but an ERROR
        that was not asked for is a failure."""
        deadline = time.monotonic() + SECONDS
        seen = []
        while (left := deadline - time.monotonic()) > 0:
            try:
                frame = self.next(left)
            except TimeoutError:
                break
            seen.append(frame)
            if frame["type"] in kinds and all(frame.get(name) == value for name, value in fields.items()):
                return frame
            if frame["type"] == "ERROR" and "ERROR" not in kinds:
                break
        raise AssertionError(f"{self.username} waited for {kinds} {fields} and heard {seen}")

    def asks(self, **frame: Any) -> Frame:
        """Send a frame with a nonce of its own and return what answers it, an ERROR too."""
        self._nonces += 1
        nonce = frame.setdefault("nonce", f"{self._mark}-{self._nonces}")
        self.send(**frame)
        deadline = time.monotonic() + SECONDS
        while (left := deadline - time.monotonic()) > 0:
            answer = self.next(left)
            if answer.get("nonce") == nonce:
                return answer
        raise AssertionError(f"nothing answered {frame}")

    def says(self, content: str, target: str | None = None, **more: Any) -> Frame:
        """Post a text and return its event."""
        event = self.asks(type="TEXT", content=content, **({"target": target} if target else {}), **more)
        assert event["type"] == "TEXT", event
        return event

    def quiet(self) -> list[Frame]:
        """Everything that came before an echo that is asked for now: what was to be sent has been sent."""
        self._nonces += 1
        nonce = f"quiet-{self._mark}-{self._nonces}"
        self.send(type="HEARTBEAT", nonce=nonce)
        found = []
        while (frame := self.next()).get("nonce") != nonce:
            found.append(frame)
        return found

    def closed(self) -> int:
        """Wait until the server closes the connection; the close code."""
        try:
            while True:
                self.ws.recv(SECONDS)
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd is not None else 1006

    def close(self) -> None:
        """Hang up."""
        self._held.close()


@contextmanager
def serving(
    folder: Path, clock: Callable[[], int] | None = None, rest: bool = True, **settings: Any
) -> Iterator[Server]:
    """A server on free ports whose data lies under `folder`, in the testing profile without a message rate, but for
    `settings`."""
    given = {"host": "127.0.0.1", "port": 0, "api_port": 0, "env": "testing", "rate_messages": 0, **settings}
    given.setdefault("data_dir", folder / "data")
    given.setdefault("log_dir", folder / "logs")
    server = Server(load(given, {}, folder), clock, rest).start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def plugged(folder: Path, *plugins: Path, settings: str = "") -> Iterator[Server]:
    """A server with these plugins (files or folders) in its data directory, for their tests; `settings` is what its
    `plugins.toml` says. Each has to start: raises AssertionError with the reason where one doesn't."""
    import shutil

    from alonechat.plugins.kept import read_states

    place = folder / "data" / "plugins"
    place.mkdir(parents=True, exist_ok=True)
    for path in plugins:
        (shutil.copytree if path.is_dir() else shutil.copy)(path, place / path.name)
    (folder / "data" / "plugins.toml").write_text(settings, "utf-8")
    with serving(folder) as server:
        wrong = [f"{name}: {reason}" for name, _, _, state, reason in read_states(folder / "data") if state == "failed"]
        assert not wrong, "; ".join(wrong)
        yield server
