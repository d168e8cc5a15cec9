"""The upgrade from HTTP to WebSocket: what the library's protocol is told, and what its request tells us."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from urllib.parse import SplitResult, parse_qs

from websockets.http11 import Request
from websockets.protocol import Protocol, Side
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from alonechat.config import Settings
from alonechat.core import message
from alonechat.core.server import proxy

_OURS = Subprotocol(message.SUBPROTOCOL)
_quiet = logging.getLogger("alonechat.websocket")
_quiet.setLevel(logging.CRITICAL)  # its debug lines hold frames


def closed(settings: Settings) -> ServerProtocol:
    """The library's protocol of a connection that has yet to ask for its upgrade."""
    return ServerProtocol(
        max_size=settings.max_frame, subprotocols=[_OURS], select_subprotocol=_select, logger=_quiet
    )  # fmt: skip


def opened(settings: Settings) -> Protocol:
    """The library's protocol of a connection that is open."""
    return Protocol(Side.SERVER, max_size=settings.max_frame, logger=_quiet)


def _select(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Ours when it is offered; never a refusal."""
    return _OURS if _OURS in offered else None


def address(request: Request, peer: str, settings: Settings) -> str:
    """Where the client is, behind a proxy that is trusted or not."""
    headers = [
        (name.lower().encode(), value.encode(errors="surrogateescape")) for name, value in request.headers.raw_items()
    ]
    return proxy.address({"client": (peer, 0), "headers": headers}, settings)


def token(request: Request, url: SplitResult) -> str | None:
    """The token that came with the upgrade: in the header, else in the query."""
    given = request.headers.get_all("Authorization")
    if given:
        scheme, _, found = given[0].partition(" ")
        return found.strip() if scheme.lower() == "bearer" else ""
    values = parse_qs(url.query, keep_blank_values=True).get("token")
    return values[0] if values else None
