"""One socket: an asyncio.Protocol around websockets' sans-I/O protocol. No task and no stream per connection.

A connection opens (the upgrade), signs in (by header, query, or a first AUTH frame), is live, and closes. Frames are
taken
one after the other; one that needs more than memory runs as a task, and those behind it wait.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ProtocolError
from websockets.frames import CloseCode, Opcode
from websockets.frames import Frame as WireFrame
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from alonechat.core import message
from alonechat.core.logging import get_logger
from alonechat.core.server import proxy
from alonechat.core.server.delivery import frame as wire
from alonechat.core.store.records import Event, Post
from alonechat.errors import Rejected

if TYPE_CHECKING:
    from alonechat.core.server.manager import UnifiedWebSocketManager

AUTH_SECONDS = 10.0
"""Until when a connection must have signed in (PROTOCOL, section 2)."""
CLOSE_SECONDS = 5.0
"""How long a client has to answer a close before its socket is cut."""
BAD_FRAMES, BAD_SECONDS = 20, 10.0
WAITING = 64
"""Frames that wait behind one that takes its time; from there the socket is read no further."""
IN_FLIGHT = 128
"""Texts that were given to the store and have not come back; from there the socket is read no further."""
HIGH_WATER = 256 * 1024
"""Bytes in the outbox from which the client's own frames wait until it has read."""
log = get_logger(__name__)
_quiet = logging.getLogger("alonechat.websocket")
_quiet.setLevel(logging.CRITICAL)  # its debug lines hold frames


def _select(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Ours when it is offered; never a refusal."""
    ours = Subprotocol(message.SUBPROTOCOL)
    return ours if ours in offered else None


class Connection(asyncio.Protocol):
    """A client's socket. Delivery writes into it by `write`; the journey answers it by `told` and `settled`."""

    __slots__ = (
        "_bad", "_busy", "_fragments", "_in_flight", "_paused", "_protocol", "_reasons", "_server", "_task", "_timer",
        "_transport", "_waiting", "address", "expires", "heard", "id", "keys", "leaving", "live", "pend", "session_id",
        "username", "write",
    )  # fmt: skip
    write: Callable[[bytes], None]

    def __init__(self, server: UnifiedWebSocketManager) -> None:
        self._server = server
        self._protocol = ServerProtocol(
            max_size=server.settings.max_frame,
            subprotocols=[Subprotocol(message.SUBPROTOCOL)],
            select_subprotocol=_select,
            logger=_quiet,
        )
        self.id = secrets.token_hex(4)
        self.username, self.session_id, self.address = "", "", ""
        self.expires = 0
        self.live = self.leaving = False
        self.heard = server.reception.beat
        self.keys: set[str] = set()
        self.pend: list[bytes] = []
        self._waiting: deque[str] = deque()
        self._bad: deque[float] = deque()
        self._fragments: list[bytes] | None = None
        self._busy = False
        self._in_flight = 0
        self._reasons: set[str] = set()
        self._paused = False
        self._task: asyncio.Task[None] | None = None

    # --- the transport ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # by what it can do: uvloop's is none by class
        self.write = self._transport.write
        self._transport.set_write_buffer_limits(HIGH_WATER)
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if peer else ""
        self._timer = asyncio.get_running_loop().call_later(AUTH_SECONDS, self._late)
        self._server.reception.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        self._timer.cancel()
        if self._task is not None and not self._busy:
            self._task.cancel()  # a sign-in; a frame that is being carried goes on: it may be half committed
        self._server.reception.closed(self)

    def pause_writing(self) -> None:
        self._server.delivery.slow.add(self)
        self._hold("outbox")

    def resume_writing(self) -> None:
        self._server.delivery.slow.discard(self)
        self._release("outbox")

    def eof_received(self) -> bool:
        self._protocol.receive_eof()
        self._send_protocol()
        return False

    def data_received(self, data: bytes) -> None:
        self.heard = self._server.reception.beat
        protocol = self._protocol
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, WireFrame):
                if not self.leaving:
                    self._take(event)
            elif isinstance(event, Request):
                self._upgrade(event)
        if protocol.handshake_exc is not None or protocol.close_expected():
            self._leave()
        self._send_protocol()

    def _send_protocol(self) -> None:
        for data in self._protocol.data_to_send():
            if self._transport.is_closing():
                return
            if data:
                self._transport.write(data)
            else:
                self._transport.close()

    # --- reading less for a while ---

    def _hold(self, reason: str) -> None:
        self._reasons.add(reason)
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _release(self, reason: str) -> None:
        self._reasons.discard(reason)
        if self._paused and not self._reasons and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def pause(self) -> None:
        """The account is over its rate: read nothing until `resume`."""
        self._hold("rate")

    def resume(self) -> None:
        """Read on."""
        self._release("rate")

    # --- opening ---

    def _upgrade(self, request: Request) -> None:
        protocol = self._protocol
        url = urlsplit(request.path)
        if url.path != "/":
            protocol.send_response(protocol.reject(HTTPStatus.NOT_FOUND, "The WebSocket is at /.\n"))
            return
        response = protocol.accept(request)
        protocol.send_response(response)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            return
        self._send_protocol()
        headers = [
            (name.lower().encode(), value.encode(errors="surrogateescape"))
            for name, value in request.headers.raw_items()
        ]
        scope = {"client": (self.address, 0), "headers": headers}
        self.address = proxy.address(scope, self._server.settings)
        token = _token(request, url.query)
        self._task = asyncio.get_running_loop().create_task(self._server.reception.greet(self, token))

    def _late(self) -> None:
        if self._protocol.state is State.OPEN:
            refused = Rejected("unauthorized", f"no AUTH frame came within {AUTH_SECONDS:.0f} s")
            self.refuse(refused, 4408)
        else:
            self._transport.abort()

    def signed_in(self, username: str, session_id: str, expires: int) -> None:
        """A token was accepted: AUTH is waited for no longer."""
        self.username, self.session_id, self.expires = username, session_id, expires
        self._timer.cancel()

    def begin(self) -> None:
        """The WELCOME went out: take frames, beginning with those that came early."""
        self.live = True
        self._task = None
        self._next()

    # --- frames ---

    def _take(self, event: WireFrame) -> None:
        if event.opcode is Opcode.BINARY:
            self.end(CloseCode.UNSUPPORTED_DATA, "one JSON object per text message")
            return
        if event.opcode is Opcode.TEXT and event.fin:
            data = bytes(event.data)
        elif event.opcode is Opcode.TEXT:
            self._fragments = [bytes(event.data)]
            return
        elif event.opcode is Opcode.CONT and self._fragments is not None:
            self._fragments.append(bytes(event.data))
            if not event.fin:
                return
            data, self._fragments = b"".join(self._fragments), None
        else:  # ping, pong and close are the library's
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.end(CloseCode.INVALID_DATA, "a text message must be UTF-8")
            return
        if not self.username and self._task is None:
            self._authenticate(text)
        elif not self.live or self._busy:
            self._waiting.append(text)
            if len(self._waiting) >= WAITING:
                self._hold("waiting")
        else:
            self._arrive(text)

    def _authenticate(self, text: str) -> None:
        try:
            frame = message.decode(text)
            if frame["type"] != "AUTH":
                raise Rejected("unauthorized", "sign in first: the first frame must be AUTH with your token")
        except Rejected as refused:
            self.refuse(refused, 4401)
            return
        self._task = asyncio.get_running_loop().create_task(self._server.reception.greet(self, frame["content"]))

    def expect_auth(self) -> None:
        """No token came with the upgrade: the first frame has to bring it, or did."""
        self._task = None
        if self._waiting:
            self._authenticate(self._waiting.popleft())

    def _arrive(self, text: str) -> None:
        nonce = None
        try:
            frame = message.decode(text)
            nonce = frame.get("nonce")
            if frame["type"] == "AUTH":
                raise Rejected("bad_frame", "this connection is signed in already")
            work = self._server.journey.carry(self, frame)
        except Rejected as refused:
            self._answer(refused, nonce if nonce is not None else refused.nonce)
            return
        except Exception:
            self._broken(nonce)
            return
        if work is not None:
            self._busy = True
            self._task = asyncio.get_running_loop().create_task(self._work(work, nonce))

    async def _work(self, work: Coroutine[Any, Any, None], nonce: str | None) -> None:
        try:
            await work
        except Rejected as refused:
            self._answer(refused, nonce)
        except Exception:
            self._broken(nonce)
        finally:
            self._busy, self._task = False, None
            self._next()

    def _next(self) -> None:
        """Take the frames that wait, until one takes its time."""
        while self._waiting and not self._busy and not self.leaving:
            self._arrive(self._waiting.popleft())
        if len(self._waiting) < WAITING:
            self._release("waiting")

    # --- answers ---

    def told(self, frame: dict[str, Any]) -> None:
        """A frame for this connection alone."""
        self._server.delivery.flush()  # what happened before it is sent before it; may close this connection (4413)
        if not self.leaving:
            self.write(wire(message.encode(frame)))

    def posted(self) -> None:
        """A frame of this connection is on its way to the store."""
        self._in_flight += 1
        if self._in_flight >= IN_FLIGHT:
            self._hold("in flight")

    def settled(self, post: Post, result: Event | BaseException, known: bool) -> None:
        """What became of a text. The echo of a new one came by delivery, as it came to every member."""
        self._in_flight -= 1
        if self._in_flight < IN_FLIGHT // 2:
            self._release("in flight")
        if isinstance(result, Rejected):
            self._answer(result, post.nonce)
        elif isinstance(result, BaseException):
            self._broken(post.nonce, result)
        elif known:
            self.told(result)

    def refused(self, refused: Rejected, nonce: str | None) -> None:
        """What a command that ran beside the other frames was refused with."""
        if not self.leaving:
            self._answer(refused, nonce)

    def _answer(self, refused: Rejected, nonce: str | None) -> None:
        self._server.metrics.refused(refused.code)
        self.told(message.error(refused, nonce))
        if refused.code != "bad_frame":
            return
        now = self._server.now()
        self._bad.append(now)
        while self._bad[0] <= now - BAD_SECONDS:
            self._bad.popleft()
        if len(self._bad) >= BAD_FRAMES:
            self.end(CloseCode.POLICY_VIOLATION, f"{BAD_FRAMES} bad frames within {BAD_SECONDS:.0f} s")

    def _broken(self, nonce: str | None, error: BaseException | None = None) -> None:
        """A fault of ours: the client learns its id, the log everything."""
        id = secrets.token_hex(8)
        log.error("frame failed", request=id, connection=self.id, user=self.username, exc_info=error or True)
        self._server.metrics.refused("internal")
        self.told(message.error(Rejected("internal", f"a fault of the server; its log has it under {id}"), nonce))

    # --- the end ---

    def refuse(self, refused: Rejected, code: int) -> None:
        """Say why in an ERROR frame, and close."""
        if self.leaving:
            return
        self._server.metrics.refused(refused.code)
        self.told(message.error(refused))
        self.end(code, refused.text)

    def end(self, code: int, reason: str) -> None:
        """Begin to close: nothing is sent after this, and the client has 5 s to agree."""
        if self.leaving:
            return
        self._leave()
        if self._protocol.state is not State.OPEN:
            self._transport.abort()
            return
        try:
            self._protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))
        except ProtocolError:
            self._transport.abort()
            return
        self._send_protocol()

    def _leave(self) -> None:
        """Take part in nothing any more."""
        if self.leaving:
            return
        self.leaving = True
        self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)
        self._waiting.clear()
        for reason in tuple(self._reasons):
            self._release(reason)
        self._server.reception.left(self)

    def stop_reading(self) -> None:
        """Take no more frames: the server goes down."""
        self._waiting.clear()
        self._hold("stopping")

    def ping(self) -> None:
        """Ask whether the client is there: whatever it answers counts as heard."""
        if self._protocol.state is State.OPEN and not self.leaving:
            self.write(b"\x89\x00")

    def cut(self) -> None:
        """Close without ceremony: nobody is there."""
        self._leave()
        self._transport.abort()

    def outgrown(self, most: int) -> bool:
        """Whether more than `most` bytes wait to be sent."""
        return self._transport.get_write_buffer_size() > most

    def waiting_bytes(self) -> int:
        """Bytes that wait to be sent."""
        return self._transport.get_write_buffer_size()

    def overflow(self) -> None:
        """The client reads too slowly (4413): it comes again and catches up from the log."""
        log.info("slow reader closed", connection=self.id, user=self.username)
        self.end(4413, "you read too slowly; connect again and catch up from the log")


def _token(request: Request, query: str) -> str | None:
    """The token that came with the upgrade: in the header, else in the query."""
    given = request.headers.get_all("Authorization")
    if given:
        scheme, _, token = given[0].partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    found = parse_qs(query, keep_blank_values=True).get("token")
    return found[0] if found else None
