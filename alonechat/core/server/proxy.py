"""Who really asks, and under which name: what a proxy says counts only where it is trusted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from alonechat.config import Settings

FORWARDED = frozenset({"x-forwarded-for", "forwarded", "x-real-ip"})
"""Headers that only a proxy sets."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::[0-9]{0,5})?\Z", re.ASCII)


def header(scope: Mapping[str, Any], name: bytes) -> str:
    """All lines of a header, joined by commas; an empty text when there is none."""
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


@lru_cache(1024)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    # a socket that listens on :: shows IPv4 clients as ::ffff:10.0.0.1, which no IPv4 network would hold
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(1024)
def _plain(text: str) -> str:
    """An address as it is written most shortly; what is none stays."""
    return str(_parsed(text) or text)


def is_trusted(address: str, networks: Iterable[Any]) -> bool:
    """Whether `address` lies in one of the networks."""
    found = _parsed(address)
    return found is not None and any(found in network for network in networks)


def address(scope: Mapping[str, Any], settings: Settings) -> str:
    """The client's address: the peer's, or behind a trusted proxy the rightmost one in X-Forwarded-For that is no such
    proxy. Whatever stands left of it is what the client itself may have claimed."""
    found = scope["client"][0] if scope.get("client") else ""
    if not settings.trusted_proxy:
        return _plain(found)
    for hop in reversed(header(scope, b"x-forwarded-for").split(",")):
        if not is_trusted(found, settings.trusted_proxy):
            break
        named = _parsed(hop)
        if named is None:  # nonsense, or the end of the list: the last one that is known for certain
            break
        found = str(named)
    return _plain(found)


def websocket_url(scope: Mapping[str, Any], settings: Settings, port: int) -> str:
    """The WebSocket's URL for a client that named this server by its Host header."""
    host, secure = header(scope, b"host"), settings.tls_cert is not None
    peer = scope["client"][0] if scope.get("client") else ""
    if is_trusted(peer, settings.trusted_proxy):
        host = header(scope, b"x-forwarded-host").rpartition(",")[2].strip() or host
        said = header(scope, b"x-forwarded-proto").rpartition(",")[2].strip().lower()
        secure = said == "https" if said in ("http", "https") else secure
    named = _HOST.match(host)
    name = named[1] if named else _literal((scope.get("server") or ("localhost",))[0])
    return f"{'wss' if secure else 'ws'}://{name}:{port}/"


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host
