"""One WebSocket connection to a server: frames in, frames out, and how it ended (PROTOCOL, sections 1 and 2)."""

from __future__ import annotations

import asyncio
import enum
import json
import logging
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.typing import Subprotocol

from alonechat.core.client.rest import LOOPBACK, tls, unreached
from alonechat.core.message import MAX_SENT, SUBPROTOCOL, encode
from alonechat.errors import AloneChatError

Frame = dict[str, Any]

_quiet = logging.getLogger("alonechat.client.wire")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # `Closed` says how a connection ended; the library would say it again, with a traceback


class End(enum.Enum):
    """Why a connection ended, as far as it decides what a client does next."""

    SIGNED_OUT = "signed out"  # 4401: a new token, or nothing, helps
    REFUSED = "refused"  # 4403: banned or disabled; trying again is useless
    CROWDED = "crowded"  # 4429: too many attempts or connections; wait longer
    SLOW = "slow"  # 4413: this client read too slowly; the log has all of it
    GOING = "going"  # 1001: the server goes down, and likely comes back
    UNREACHED = "unreached"  # no connection came about: nobody listens there, or somebody else
    LOST = "lost"  # anything else: the network, a crash, 1008, 4408


ENDS = {4401: End.SIGNED_OUT, 4403: End.REFUSED, 4413: End.SLOW, 4429: End.CROWDED, 1001: End.GOING}


class Closed(AloneChatError):
    """The connection ended, or none came about. `end` says which kind, `code` is the close code where there was one."""

    def __init__(self, end: End, text: str, code: int | None = None) -> None:
        super().__init__(text)
        self.end = end
        self.code = code


class Wire:
    """An open connection. Everything that ends it is raised as Closed."""

    def __init__(self, socket: ClientConnection, url: str) -> None:
        self._socket = socket
        self._url = url
        self._refusal = ""

    @classmethod
    async def open(cls, url: str, token: str, timeout: float = 10) -> Wire:
        """Connect and sign in by header. The answer to the sign-in is the first frame, or the close."""
        try:
            parts = urlsplit(url)
            socket = await connect(
                url,
                additional_headers={"Authorization": f"Bearer {token}"},
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                max_size=MAX_SENT + 4096,
                compression=None,  # chat frames are small; their time counts, not their bytes
                open_timeout=timeout,
                close_timeout=2,
                proxy=None if parts.hostname in LOOPBACK else True,
                ssl=tls() if parts.scheme == "wss" else None,
                logger=_quiet,
            )
        except InvalidURI:
            raise AloneChatError(f"expected ws://host:8765 or wss://host:8765, not {url!r}") from None
        except InvalidStatus as error:
            what = f"it answered HTTP {error.response.status_code} where a WebSocket was expected"
            raise Closed(End.UNREACHED, f"cannot connect to {url}: {what}") from None
        except TimeoutError:
            raise Closed(End.UNREACHED, f"cannot connect to {url}: no answer within {timeout:g} s") from None
        except (WebSocketException, OSError, EOFError) as error:
            raise Closed(End.UNREACHED, unreached(url, error)) from None
        except ValueError:  # behind OSError: a certificate that is not trusted is both
            raise AloneChatError(f"expected ws://host:8765 or wss://host:8765, not {url!r}") from None
        return cls(socket, url)

    async def receive(self) -> Frame:
        """The next frame. Raises Closed."""
        while True:
            try:
                text = await self._socket.recv()
            except ConnectionClosed as closed:
                raise self._ended(closed) from None
            try:
                frame = json.loads(text)
            except ValueError:
                frame = None
            if isinstance(frame, dict):
                if frame.get("type") == "ERROR" and "nonce" not in frame:
                    self._refusal = str(frame.get("content") or "")  # where a close follows, this is its sentence
                return frame

    async def send(self, frame: Frame) -> None:
        """Hand a frame to the network. Raises Closed."""
        try:
            await self._socket.send(encode(frame))
        except ConnectionClosed as closed:
            raise self._ended(closed) from None

    async def close(self) -> None:
        """Say goodbye, for 2 s at most."""
        await self._socket.close()

    def abort(self) -> None:
        """Cut the connection, saying nothing."""
        self._socket.transport.abort()

    def _ended(self, closed: ConnectionClosed) -> Closed:
        # 1006, or our own ping's 1011, mean that the network or the server is gone: the client decides as for any loss.
        code = closed.rcvd.code if closed.rcvd else None
        end = ENDS.get(code or 0, End.LOST)
        words = (closed.rcvd.reason if closed.rcvd else "") or self._refusal
        said = self._refusal if end in (End.SIGNED_OUT, End.REFUSED, End.CROWDED) and self._refusal else words
        default = "the server goes down" if end is End.GOING else "the connection was lost"
        return Closed(end, f"{self._url}: {said or default}", code)


async def gone(wire: Wire | None) -> None:
    """Close what may be open, whatever state it is in."""
    if wire is not None:
        try:
            await asyncio.wait_for(wire.close(), 3)
        except (TimeoutError, ConnectionClosed, OSError):
            wire.abort()
