"""One socket: an asyncio.Protocol around websockets' sans-I/O protocol. No task and no stream per connection.

A connection opens (the upgrade), signs in (by header, query, or a first AUTH frame), is live, and closes. Frames are
taken one after the other; one that needs more than memory runs as a task, and those behind it wait.

The library's protocol does the upgrade, the close and whatever is rare (`frames`). Between the upgrade and the first
rare frame there is none: an idle connection is this object, its transport, and nothing else.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from websockets.exceptions import ProtocolError
from websockets.frames import CloseCode, Opcode
from websockets.frames import Frame as WireFrame
from websockets.http11 import Request
from websockets.protocol import Protocol, State
from websockets.server import ServerProtocol

from alonechat.core import message
from alonechat.core.logging import get_logger
from alonechat.core.server import apart, frames, pipes, upgrade
from alonechat.core.store.records import Event, Post
from alonechat.errors import Rejected

if TYPE_CHECKING:
    from alonechat.core.server.manager import UnifiedWebSocketManager

AUTH_SECONDS: Final = 10.0
"""Until when a connection must have signed in (PROTOCOL, section 2)."""
CLOSE_SECONDS: Final = 5.0
"""How long a client has to answer a close before its socket is cut."""
BAD_FRAMES: Final = 20
BAD_SECONDS: Final = 10.0
WAITING: Final = 64
"""Frames that wait behind one that takes its time; from there the socket is read no further."""
IN_FLIGHT: Final = 64
"""Texts of one connection that were given to the store and have not come back; from there its frames wait."""
HIGH_WATER: Final = 256 * 1024
"""Bytes in the outbox from which the client's own frames wait until it has read."""
_RATE: Final = 1
_OUTBOX: Final = 2
_WAITING: Final = 4
_STOPPING: Final = 8
"""Why a socket is read no further for now."""
log = get_logger(__name__)


class Connection(asyncio.Protocol):
    """A client's socket. Delivery writes into it by `write`; the journey answers it by `told` and `settled`."""

    __slots__ = (
        "_bad", "_busy", "_fragments", "_in_flight", "_open", "_paused", "_protocol", "_reasons", "_rest", "_server",
        "_task", "_timer", "_transport", "_waiting", "address", "expires", "heard", "id", "keys", "leaving", "live",
        "pend", "session_id", "username", "write",
    )  # fmt: skip
    write: Callable[[bytes], None]

    def __init__(self, server: UnifiedWebSocketManager) -> None:
        self._server = server
        self._protocol: Protocol | None = upgrade.closed(server.settings)
        self.id = secrets.token_hex(4)
        self.username, self.session_id, self.address = "", "", ""
        self.expires = 0
        self.live = self.leaving = self._open = False
        self.heard = server.reception.beat
        self.keys: set[str] = set()
        self.pend: list[bytes] = []
        self._rest: bytes | bytearray = b""
        # made when they are needed: an empty deque takes as much memory as all the rest of a connection
        self._waiting: deque[str] | None = None
        self._bad: list[float] | None = None
        self._fragments: list[bytes] | None = None
        self._busy = False
        self._in_flight = 0
        self._reasons = 0
        self._paused = False
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    # --- the transport ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # by what it can do: uvloop's is none by class
        self.write = pipes.beside(self._transport)
        self._transport.set_write_buffer_limits(HIGH_WATER)
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if peer else ""
        self._timer = asyncio.get_running_loop().call_later(AUTH_SECONDS, self._late)
        self._server.reception.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        self._stop_timer()
        pipes.lost(self.write)
        if self._task is not None and not self._busy:
            self._task.cancel()  # a sign-in; a frame that is being carried goes on: it may be half committed
        self._server.reception.closed(self)

    def pause_writing(self) -> None:
        self._server.delivery.slow.add(self)
        self._hold(_OUTBOX)

    def resume_writing(self) -> None:
        self._server.delivery.slow.discard(self)
        self._release(_OUTBOX)
        if self.live:
            self.go_on()

    def eof_received(self) -> bool:
        protocol = self._library()
        protocol.receive_eof()
        self._send_protocol(protocol)
        return False

    def data_received(self, data: bytes) -> None:
        self.heard = self._server.reception.beat
        if self._protocol is not None:
            self._feed(self._protocol, data)
            return
        if self._rest:
            self._rest += data
            data = bytes(self._rest)
        texts, pongs, taken, odd = frames.take(data, self._server.settings.max_frame)
        self._rest = b"" if taken == len(data) else bytearray(data[taken:])
        if pongs:
            self.write(pongs)
        for text in texts:
            if not self.leaving:
                self._take(text)
        if odd and self._protocol is None and not self._waiting:  # else it has its turn when these were taken
            self._library()

    def _library(self) -> Protocol:
        """The library's protocol, which takes what comes from now on, first what has come and was not taken."""
        protocol = self._protocol
        if protocol is None:
            protocol = self._protocol = upgrade.opened(self._server.settings)
            if self._rest:
                rest, self._rest = bytes(self._rest), b""
                self._feed(protocol, rest)
        return protocol

    def _feed(self, protocol: Protocol, data: bytes) -> None:
        if not self._open:
            self._handshake(protocol, data)
            return
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, WireFrame) and not self.leaving:
                self._take_frame(event)
        if protocol.close_expected():
            self._leave()
        self._send_protocol(protocol)

    def _send_protocol(self, protocol: Protocol) -> None:
        for data in protocol.data_to_send():
            if self._transport.is_closing():
                return
            if data:
                self.write(data)
            else:
                self._hang_up()

    def _hang_up(self) -> None:
        """Send no more, and read until the client ends, too: a socket that is closed with bytes unread is reset, and a
        reset may eat the close that says why."""
        self._leave()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    # --- reading less for a while ---

    def _hold(self, reason: int) -> None:
        self._reasons |= reason
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _release(self, reason: int) -> None:
        self._reasons &= ~reason
        if self._paused and not self._reasons and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()

    def pause(self) -> None:
        """The account is over its rate: read nothing until `resume`."""
        self._hold(_RATE)

    def resume(self) -> None:
        """Read on."""
        self._release(_RATE)

    # --- opening ---

    def _handshake(self, protocol: Protocol, data: bytes) -> None:
        """Take a piece of the upgrade; frames that came with it are taken after it."""
        seen = bytes(self._rest) + data  # the end of the header may come in pieces, the last one with frames behind it
        at = seen.find(b"\r\n\r\n")
        cut = at + 4 - len(self._rest) if at >= 0 else len(data)
        self._rest = b"" if at >= 0 else seen[-3:]
        protocol.receive_data(data[:cut])
        for event in protocol.events_received():
            if isinstance(event, Request):
                self._upgrade(cast(ServerProtocol, protocol), event)
        if protocol.handshake_exc is not None or protocol.close_expected():
            self._leave()
        self._send_protocol(protocol)
        if self._open and at >= 0:
            self._protocol = None
            if cut < len(data):
                self.data_received(data[cut:])

    def _upgrade(self, protocol: ServerProtocol, request: Request) -> None:
        url = urlsplit(request.path)
        if url.path != "/":
            protocol.send_response(protocol.reject(HTTPStatus.NOT_FOUND, "The WebSocket is at /.\n"))
            return
        response = protocol.accept(request)
        protocol.send_response(response)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            return
        self._open = True
        self._send_protocol(protocol)
        self.address = upgrade.address(request, self.address, self._server.settings)
        token = upgrade.token(request, url)
        self._task = asyncio.get_running_loop().create_task(self._server.reception.greet(self, token))

    def _late(self) -> None:
        if self._open:
            refused = Rejected("unauthorized", f"no AUTH frame came within {AUTH_SECONDS:.0f} s")
            self.refuse(refused, 4408)
        else:
            self._transport.abort()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def signed_in(self, username: str, session_id: str, expires: int) -> None:
        """A token was accepted: AUTH is waited for no longer."""
        self.username, self.session_id, self.expires = username, session_id, expires
        self._stop_timer()

    def begin(self) -> None:
        """The WELCOME went out: take frames, beginning with those that came early."""
        self.live = True
        self._task = None
        self.go_on()

    # --- frames ---

    def _take_frame(self, event: WireFrame) -> None:
        """A frame that the library parsed: it may be a part of a text, or no text at all."""
        if event.opcode is Opcode.BINARY:
            self.end(CloseCode.UNSUPPORTED_DATA, "one JSON object per text message")
        elif event.opcode is Opcode.TEXT and event.fin:
            self._take(bytes(event.data))
        elif event.opcode is Opcode.TEXT:
            self._fragments = [bytes(event.data)]
        elif event.opcode is Opcode.CONT and self._fragments is not None:
            self._fragments.append(bytes(event.data))
            if event.fin:
                data, self._fragments = b"".join(self._fragments), None
                self._take(data)
        # ping, pong and close are the library's

    def _take(self, data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.end(CloseCode.INVALID_DATA, "a text message must be UTF-8")
            return
        if not self.username and self._task is None:
            self._authenticate(text)
        elif not self.live or self._busy or self._waiting or self._is_ahead():
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append(text)
            if len(self._waiting) >= WAITING:
                self._hold(_WAITING)
        else:
            self._arrive(text)

    def _is_ahead(self) -> bool:
        """Whether the store has to catch up first, with this connection or with all, or the client with its reading:
        `go_on` follows."""
        return bool(self._reasons & _OUTBOX) or self._in_flight >= IN_FLIGHT or self._server.keep.intake.is_full(self)

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
            work = self._server.carry(self, frame)
        except Rejected as refused:
            self.answer(refused, nonce if nonce is not None else refused.nonce)
            return
        except Exception:
            self.broken(nonce)
            return
        if work is not None:
            self._busy = True
            self._task = asyncio.get_running_loop().create_task(apart.carry(self, work, nonce))

    def carried(self) -> None:
        """A frame that took its time is done."""
        self._busy, self._task = False, None
        self.go_on()

    def go_on(self) -> None:
        """Take the frames that wait, until one takes its time."""
        waiting = self._waiting
        while waiting and not self._busy and not self.leaving and not self._is_ahead():
            self._arrive(waiting.popleft())
        if not waiting or len(waiting) < WAITING:
            self._release(_WAITING)
        if not waiting and self._rest and not self.leaving:
            self.data_received(b"")  # a close, for example, that came behind them

    # --- answers ---

    def told(self, frame: dict[str, Any]) -> None:
        """A frame for this connection alone."""
        self._server.delivery.flush()  # what happened before it is sent before it; may close this connection (4413)
        if not self.leaving:
            self.write(frames.frame(message.encode(frame)))

    def posted(self) -> None:
        """A frame of this connection is on its way to the store."""
        self._in_flight += 1

    def settled(self, post: Post, result: Event | BaseException, known: bool) -> None:
        """What became of a text. The echo of a new one came by delivery, as it came to every member."""
        self._in_flight -= 1
        if self._waiting and self._in_flight < IN_FLIGHT // 2:
            self.go_on()
        if isinstance(result, Rejected):
            self.answer(result, post.nonce)
        elif isinstance(result, BaseException):
            self.broken(post.nonce, result)
        elif known:
            self.told(result)

    def refused(self, refused: Rejected, nonce: str | None) -> None:
        """What a command that ran beside the other frames was refused with."""
        if not self.leaving:
            self.answer(refused, nonce)

    def answer(self, refused: Rejected, nonce: str | None) -> None:
        """Say why a frame was refused; who sends many that are none is closed."""
        self._server.metrics.refused(refused.code)
        self.told(message.error(refused, nonce))
        if refused.code != "bad_frame":
            return
        now = self._server.now()
        self._bad = [at for at in self._bad or () if at > now - BAD_SECONDS] + [now]
        if len(self._bad) >= BAD_FRAMES:
            self.end(CloseCode.POLICY_VIOLATION, f"{BAD_FRAMES} bad frames within {BAD_SECONDS:.0f} s")

    def broken(self, nonce: str | None, error: BaseException | None = None) -> None:
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
        if not self._open:
            self._transport.abort()
            return
        protocol = self._library()
        if protocol.state is not State.OPEN:  # the client's own close was on its way
            self._transport.close()
            return
        try:
            protocol.send_close(code, reason.encode()[:120].decode(errors="ignore"))
        except ProtocolError:
            self._transport.abort()
            return
        self._send_protocol(protocol)

    def _leave(self) -> None:
        """Take part in nothing any more."""
        if self.leaving:
            return
        self.leaving = True
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)
        self._waiting = None
        self._release(self._reasons)
        self._server.reception.left(self)

    def stop_reading(self) -> None:
        """Take no more frames: the server goes down."""
        self._waiting = None
        if not self.leaving:  # else it only waits for the client's own end
            self._hold(_STOPPING)

    def ping(self) -> None:
        """Ask whether the client is there: whatever it answers counts as heard."""
        if self._open and not self.leaving:
            self.write(frames.PING)

    def cut(self) -> None:
        """Close without ceremony: nobody is there."""
        self._leave()
        self._transport.abort()

    def waiting_bytes(self) -> int:
        """Bytes that wait to be sent."""
        return self._transport.get_write_buffer_size()

    def overflow(self) -> None:
        """The client reads too slowly (4413): it comes again and catches up from the log."""
        log.info("slow reader closed", connection=self.id, user=self.username)
        self.end(4413, "you read too slowly; connect again and catch up from the log")
