"""Who asks, and under which name."""

from __future__ import annotations

from typing import Any

import pytest

from alonechat.config import Settings, load
from alonechat.core.server.proxy import address, websocket_url


def settings(trusted: str = "") -> Settings:
    from pathlib import Path

    return load({"trusted_proxy": trusted or None}, {}, Path("/nonexistent"))


def scope(peer: str, **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return {"client": (peer, 1234), "server": ("192.0.2.1", 8766), "headers": pairs}


@pytest.mark.parametrize(
    ("peer", "said", "found"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.1", "198.51.100.7"),  # no proxy of ours: what it says is nothing
        ("10.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.1", "203.0.113.1"),  # the client made the left one up
        ("10.0.0.1", "6.6.6.6, 203.0.113.1, 10.0.0.9", "203.0.113.1"),  # two proxies of ours
        ("10.0.0.1", "10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, nonsense", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::5", "2001:db8::5"),
        ("::ffff:198.51.100.7", "", "198.51.100.7"),
    ],
)
def test_the_address_is_the_rightmost_that_is_no_proxy_of_ours(peer: str, said: str, found: str) -> None:
    headers = {"x_forwarded_for": said} if said else {}
    assert address(scope(peer, **headers), settings("10.0.0.0/8")) == found


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("chat.example", "ws://chat.example:8765/"),
        ("chat.example:8766", "ws://chat.example:8765/"),
        ("[2001:db8::1]:8766", "ws://[2001:db8::1]:8765/"),
        ("evil/../path", "ws://192.0.2.1:8765/"),
        ("user@evil", "ws://192.0.2.1:8765/"),
        ("[::1", "ws://192.0.2.1:8765/"),
        ("", "ws://192.0.2.1:8765/"),
    ],
)
def test_the_sockets_address_is_a_plain_host_whatever_came(host: str, url: str) -> None:
    assert websocket_url(scope("198.51.100.7", host=host), settings(), 8765) == url
