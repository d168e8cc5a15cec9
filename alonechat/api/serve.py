"""Serves the REST application with uvicorn inside the loop that is running, on a socket that is bound already."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from alonechat.api.app import create_app
from alonechat.core.imports import bare

_package: Any = bare("uvicorn")  # the whole is a command line too, and brings click along

from uvicorn.config import Config  # noqa: E402
from uvicorn.server import Server  # noqa: E402

_package.Config = Config  # asked of the package by the module that lifespan="off" names

if TYPE_CHECKING:
    from alonechat.core.server.manager import UnifiedWebSocketManager

GRACE = 1
"""Seconds that answers under way get at stop, before they are cut off."""
HEAD_SECONDS = 30
"""Seconds for the head of a request, and of rest between two on one connection."""


HEAD = 65_536
"""Bytes of the head of a request: what uvicorn allows over h11."""


class _Punctual:
    """Mixed into uvicorn's HTTP protocols, which wait for ever for a head that never ends: closes a connection that has
    not come to a new request since the last look."""

    cycle: Any
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.Transport) -> None:
        """As the protocol's, and begins to look."""
        super().connection_made(transport)  # type: ignore[misc]
        self._seen: Any = None
        self._later(asyncio.get_running_loop())

    def connection_lost(self, exc: Exception | None) -> None:
        """As the protocol's, and ends looking."""
        self._timer.cancel()
        super().connection_lost(exc)  # type: ignore[misc]

    def _later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(HEAD_SECONDS, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.cycle is self._seen and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()
            return
        self._seen = self.cycle
        self._later(loop)


class _Bounded:
    """Mixed into uvicorn's protocol over httptools, which takes heads, lines of chunks and trailers of any length: as
    over h11, what is no body has an end."""

    _beside = 0

    def data_received(self, data: bytes) -> None:
        """As the protocol's, and refuses what goes on for more than `HEAD` bytes without a body or an end."""
        self._beside += len(data)
        super().data_received(data)  # type: ignore[misc]
        if self._beside > HEAD:
            self._beside = 0
            self.send_400_response("The head of the request is too long.")  # type: ignore[attr-defined]

    def on_body(self, body: bytes) -> None:
        """As the protocol's: a piece of a body came."""
        self._beside = 0
        super().on_body(body)  # type: ignore[misc]

    def on_message_complete(self) -> None:
        """As the protocol's: a request has ended."""
        self._beside = 0
        super().on_message_complete()  # type: ignore[misc]


def _protocol() -> type[asyncio.Protocol]:
    """uvicorn's protocol over httptools where that is installed (the native file has it: two thirds of h11's time for a
    request), else over h11; made punctual."""
    found: Any
    kinds: tuple[type, ...]
    if find_spec("httptools"):
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as found

        kinds = (_Punctual, _Bounded, found)
    else:
        from uvicorn.protocols.http.h11_impl import H11Protocol as found

        kinds = (_Punctual, found)
    made: type[asyncio.Protocol] = type("Http", kinds, {})
    return made


class _Guest(Server):
    """uvicorn as a guest: signals belong to the host, and it says when it listens."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, and sets `listening`."""
        await super().startup(sockets)
        self.listening.set()


class Rest:
    """The REST side of one server: `start`, and `stop` within two seconds, whatever waits."""

    def __init__(self, server: UnifiedWebSocketManager, sock: socket.socket) -> None:
        settings = server.settings
        self.app = create_app(server)
        self._sock = sock
        self._task: asyncio.Task[None] | None = None
        self._uvicorn = _Guest(
            Config(
                self.app,
                http=_protocol(),
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=GRACE,
                ssl_certfile=settings.tls_cert,
                ssl_keyfile=settings.tls_key,
            )
        )

    async def start(self) -> None:
        """Returns once the socket listens; raises what kept it from that, such as a bad certificate."""
        self._task = asyncio.create_task(self._uvicorn.serve([self._sock]), name="rest")
        listening = asyncio.create_task(self._uvicorn.listening.wait())
        await asyncio.wait([self._task, listening], return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """Stop listening, end long polls, give the answers under way `GRACE` seconds. Safe to call twice."""
        self.app.state.house.stopping.set()
        if self._task is None:
            self._sock.close()
            return
        self._uvicorn.should_exit = True
        await asyncio.wait([self._task])
        task, self._task = self._task, None
        task.result()
