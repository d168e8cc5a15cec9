"""A WebSocket server that says what a test tells it to, a clock that is moved by hand, and tokens."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve

from alonechat.core.client import Account, Session, Timing

Frame = dict[str, Any]
SERVER = {"name": "AloneChat", "version": "2.0.0", "id": "5f0c", "epoch": "a1"}
LIMITS = {"max_content": 4000, "max_frame": 65536, "heartbeat": 30}


def jwt(**claims: Any) -> str:
    """A token that says this of itself; nobody here looks at its signature."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


def event(seq: int, target: str = "#lobby", sender: str = "bo", content: str = "", **more: Any) -> Frame:
    """An event of a log, as the server sends it."""
    return {
        "type": "TEXT",
        "sender": sender,
        "target": target,
        "content": content or f"message {seq}",
        "timestamp": f"2026-11-23T04:{seq // 60 % 60:02d}:{seq % 60:02d}.000Z",
        "id": f"{seq:06d}{target}",
        "seq": seq,
        **more,
    }


def listed(target: str, seq: int, **more: Any) -> Frame:
    """A conversation as WELCOME lists it."""
    kind = "room" if target.startswith("#") else "direct"
    return {"target": target, "kind": kind, "seq": seq, "read": seq, "unread": 0, "mentions": 0, "last": None, **more}


def welcome(*conversations: Frame, **more: Any) -> Frame:
    user = {"username": "alice", "display_name": "Alice", "role": "member"}
    frame = {"type": "WELCOME", "protocol": 1, "server": SERVER, "user": user, "limits": LIMITS, "more": False}
    return {**frame, "conversations": list(conversations), **more}


class Clock:
    """Time that passes only when somebody sleeps: at once, and remembered."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)

    @property
    def timing(self) -> Timing:
        return Timing(self.now, self.sleep, lambda: 1.0)


@dataclass
class Line:
    """One client's connection, seen from the server."""

    socket: ServerConnection
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def token(self) -> str:
        assert self.socket.request is not None
        return self.socket.request.headers["Authorization"].removeprefix("Bearer ")

    async def hears(self, kind: str) -> Frame:
        """The next frame of the client, which is of this type."""
        frame: Frame = json.loads(await self.socket.recv())
        assert frame["type"] == kind, frame
        return frame

    async def says(self, *frames: Frame) -> None:
        for frame in frames:
            await self.socket.send(json.dumps(frame))

    async def answers(self, *events: Frame, more: bool = False, first: int = 1) -> Frame:
        """Hear HISTORY and answer with these events; what was asked."""
        asked = await self.hears("HISTORY")
        answer = {"type": "HISTORY", "target": asked["target"], "events": list(events), "more": more, "first": first}
        await self.says({**answer, "nonce": asked["nonce"]})
        return asked

    def cut(self) -> None:
        self.socket.transport.abort()
        self.done.set()

    async def close(self, code: int, content: str = "", error: str = "unauthorized") -> None:
        if content:
            await self.says({"type": "ERROR", "code": error, "content": content})
        await self.socket.close(code)
        self.done.set()


class Script:
    """The server: connections come in the order in which clients make them."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[Line] = asyncio.Queue()
        self._server: Server | None = None
        self.port = 0

    async def open(self, port: int = 0) -> None:
        self._server = await serve(self._accept, "127.0.0.1", port, max_size=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _accept(self, socket: ServerConnection) -> None:
        line = Line(socket)
        await self._lines.put(line)
        await socket.wait_closed()

    async def line(self, *conversations: Frame, **more: Any) -> Line:
        """The next connection; it is welcomed with these conversations, if any."""
        line = await self._lines.get()
        if conversations:
            await line.says(welcome(*conversations, **more))
        return line

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def account(self, token: str = "token-1", url: str = "http://127.0.0.1:1") -> Account:
        return Account(url, "alice", token, self.url)


@dataclass
class Stage:
    """What a scene is played on."""

    script: Script
    clock: Clock

    @asynccontextmanager
    async def session(self, *conversations: Frame, **more: Any) -> AsyncIterator[tuple[Session, Line]]:
        """A session that is signed in, and the server's end of it."""
        session = Session(**{"account": self.script.account(), "timing": self.clock.timing, **more})
        starting = asyncio.ensure_future(session.start())
        line = await self.script.line(*conversations or (listed("#lobby", 0),))
        await starting
        try:
            yield session, line
        finally:
            await session.close()


Scene = Callable[[Stage], Coroutine[Any, Any, None]]


async def play(scene: Scene) -> None:
    """Run a scene, for 15 s at most."""
    stage = Stage(Script(), Clock())
    await stage.script.open()
    try:
        async with asyncio.timeout(15):
            await scene(stage)
    finally:
        await stage.script.close()


async def following(session: Session, count: int) -> list[Frame]:
    """The next `count` events."""
    found: list[Frame] = []
    if count:
        async for each in session.events():
            found.append(each)
            if len(found) == count:
                break
    return found
