"""One request: who asks, from where, and what for, checked against its row of the table."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from alonechat.api.route import Row
from alonechat.core import fields, message
from alonechat.core.server import proxy
from alonechat.errors import Rejected

if TYPE_CHECKING:
    from alonechat.core.server.auth import Identity
    from alonechat.core.server.manager import UnifiedWebSocketManager

BODY_SECONDS = 30
"""How long a body may take to arrive: without a bound, a client that trickles holds a task for ever."""
_INTEGER = re.compile(r"-?[0-9]{1,17}\Z")


@dataclass(slots=True)
class House:
    """What all requests share: the server, and the end of its serving."""

    server: UnifiedWebSocketManager
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: dict[str, int] = field(default_factory=dict)
    """How many answers each account has held back (GET /recv with wait)."""


@dataclass(slots=True)
class Call:
    """A request that fits its row. `identity` is there whenever the row needs sign-in."""

    house: House
    request: Request
    address: str
    token: str = ""
    identity: Identity | None = None
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def server(self) -> UnifiedWebSocketManager:
        """The server that this is a face of."""
        return self.house.server

    @property
    def who(self) -> Identity:
        """The identity of a signed-in caller."""
        if self.identity is None:
            raise Rejected("unauthorized", "sign in first: Authorization: Bearer <the token that POST /login returned>")
        return self.identity

    @property
    def device(self) -> str:
        """What the client calls itself, for the list of sign-ins."""
        return self.request.headers.get("user-agent", "")[:120]

    @property
    def ws_url(self) -> str:
        """Where the WebSocket is, for a client that reached REST under this name."""
        return proxy.websocket_url(self.request.scope, self.server.settings, self.server.ports["websocket"])

    def part(self, name: str) -> str:
        """What stands in the path for `{name}`."""
        return str(self.request.path_params[name])

    def is_local(self) -> bool:
        """Whether it comes from this machine itself, and not through a proxy that nobody declared."""
        try:
            here = ipaddress.ip_address(self.address).is_loopback
        except ValueError:
            return False
        return here and not (proxy.FORWARDED & set(self.request.headers.keys()))

    async def gone(self) -> None:
        """Returns when the client has hung up."""
        while (await self.request.receive())["type"] != "http.disconnect":
            pass


async def open_call(house: House, row: Row, request: Request) -> Call:
    """The call of a request, checked in the order sign-in, query, body. Raises Rejected."""
    call = Call(house, request, proxy.address(request.scope, house.server.settings))
    call.token = bearer(request)
    if row.signed:
        if not call.token:
            raise Rejected("unauthorized", "sign in first: Authorization: Bearer <the token that POST /login returned>")
        call.identity = await house.server.auth.verify(call.token)
    call.query = read_query(row, request.scope["query_string"])
    if row.body is not None:
        call.body = await read_body(request, house.server.settings.max_frame, row.form)
        fields.check(row.body, call.body, "invalid")
    return call


def bearer(request: Request) -> str:
    """The token of the Authorization header, or an empty text."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def read_query(row: Row, raw: bytes) -> dict[str, Any]:
    """The query parameters that the row knows, by kind. Raises `Rejected("invalid")`."""
    known = {f.name: f for f in row.query}
    found: dict[str, Any] = {}
    for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="replace"):
        wanted = known.get(name)
        if wanted is None:
            continue
        if name in found:
            raise Rejected("invalid", f"{name} is given twice: it may stand once in the query")
        if "\0" in value:
            raise Rejected("invalid", f"{name} holds NUL")
        found[name] = _number(name, value) if wanted.kind == "integer" else value
    fields.check(row.query, found, "invalid")
    return found


def _number(name: str, value: str) -> int:
    if not _INTEGER.match(value):
        raise Rejected("invalid", f"{name} must be an integer, not {value[:24]!r}")
    return int(value)


async def read_body(request: Request, most: int, form: bool = False) -> dict[str, Any]:
    """The JSON object that a request brings, at most `most` bytes; with `form`, also as the field `payload` of one.
    Raises Rejected: `too_long`, `bad_frame`."""
    gathered = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                gathered += chunk
                if len(gathered) > most:
                    raise Rejected("too_long", f"a body must be at most {most} bytes")
    except TimeoutError:
        raise Rejected("bad_frame", f"the body must arrive within {BODY_SECONDS} s") from None
    try:
        text = gathered.decode()
        if form and request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
            text = _payload(text)
        return message.parse(text)
    except UnicodeDecodeError as error:
        raise Rejected("bad_frame", f"a body must be UTF-8; byte {error.start} is not") from None


def _payload(text: str) -> str:
    """The JSON in a body that calls itself a form. curl calls everything so that it is not told about: what begins as
    an object, or has no field `payload`, is the JSON itself."""
    return text if text.lstrip().startswith("{") else dict(parse_qsl(text)).get("payload", text)


def frame(kind: str, given: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The frame of type `kind` out of those `given` fields that it knows, and `more`; what is None is left out."""
    known = {f.name for f in message.FRAMES[kind]}
    both = {**{name: value for name, value in given.items() if name in known}, **more}
    return {"type": kind, **{name: value for name, value in both.items() if value is not None}}
