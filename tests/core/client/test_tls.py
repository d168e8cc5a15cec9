"""wss and https with a certificate that is trusted, with one that is not, and where one side speaks no TLS.

`localhost.pem` is a certificate for this machine and its key, for these tests alone:
`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500` with localhost as its subjectAltName.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat.core.client import Account, Rest, Session
from alonechat.errors import AloneChatError
from alonechat.testing import PASSWORD, Server, serving

PEM = Path(__file__).parent / "localhost.pem"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("tls"), tls_cert=PEM, tls_key=PEM) as running:
        running.register("ana")
        yield running


async def talk(server: Server) -> str:
    """Sign in and say something: who said it."""
    async with Rest(server.url) as rest:
        signed = await rest.login("ana", PASSWORD)
    assert signed["ws_url"].startswith("wss://")
    async with Session(Account(server.url, "ana", signed["token"], signed["ws_url"]), follow=False) as session:
        return str((await session.send("#lobby", "hello"))["sender"])


def test_a_trusted_certificate_serves_both_sides(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    assert asyncio.run(talk(server)) == "ana"


def test_a_certificate_that_is_not_trusted_is_refused_by_both_sides(server: Server) -> None:
    with pytest.raises(AloneChatError, match=r"cannot reach https:.*not trusted.*SSL_CERT_FILE"):
        asyncio.run(talk(server))
    account = Account(server.url, "ana", server.token("ana"), server.ws_url)
    with pytest.raises(AloneChatError, match=r"cannot reach wss:.*not trusted.*SSL_CERT_FILE"):
        asyncio.run(Session(account).start())


def test_tls_on_one_side_only_is_named(server: Server, tmp_path: Path) -> None:
    async def ask(url: str) -> None:
        async with Rest(url) as rest:
            await rest.server()

    with pytest.raises(AloneChatError, match="does it want TLS"):
        asyncio.run(ask(server.url.replace("https", "http")))
    with serving(tmp_path) as plain, pytest.raises(AloneChatError, match="does this port speak TLS"):
        asyncio.run(ask(plain.url.replace("http", "https")))
