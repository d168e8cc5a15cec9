"""Addresses as people write them, and what comes back from what is no AloneChat server."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest

from alonechat.core.client import Rest
from alonechat.core.client.rest import base_url, reachable, unreached
from alonechat.errors import AloneChatError, ConfigError, Rejected


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("localhost", "http://localhost:8766"),
        ("localhost:9000", "http://localhost:9000"),
        ("http://10.0.0.5:8766/", "http://10.0.0.5:8766"),
        ("https://chat.example", "https://chat.example:443"),
        ("http://[::1]:8766", "http://[::1]:8766"),
        ("https://chat.example/alone/", "https://chat.example:443/alone"),
    ],
)
def test_a_server_as_people_name_it(text: str, wanted: str) -> None:
    assert base_url(text) == wanted


@pytest.mark.parametrize("text", ["", "ftp://x", "http://", "http://x:port", "http://[::1", "ws://localhost:8765"])
def test_what_names_no_server_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="named like"):
        base_url(text)


@pytest.mark.parametrize(
    ("ws_url", "url", "wanted"),
    [
        ("ws://0.0.0.0:8765/", "http://10.0.0.5:8766", "ws://10.0.0.5:8765/"),
        ("ws://localhost:8765", "http://10.0.0.5:8766", "ws://10.0.0.5:8765"),
        ("ws://localhost:8765", "http://127.0.0.1:8766", "ws://localhost:8765"),
        ("wss://chat.example:8765", "https://10.0.0.5:8766", "wss://chat.example:8765"),
        ("ws://[::]:8765", "http://[fd00::1]:8766", "ws://[fd00::1]:8765"),
    ],
)
def test_the_websocket_is_looked_for_where_the_server_was_reached(ws_url: str, url: str, wanted: str) -> None:
    assert reachable(ws_url, url) == wanted


def answered(reply: bytes) -> AloneChatError:
    """The error out of one raw HTTP answer."""

    async def scene() -> AloneChatError:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(reply)
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server, Rest(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout=5) as rest:
            with pytest.raises(AloneChatError) as caught:
                await rest.me()
        return caught.value

    return asyncio.run(scene())


def http(status: str, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", "Connection: close", *headers, "", body]
    return "\r\n".join(lines).encode()


def test_a_refusal_has_the_servers_code_and_sentence() -> None:
    error = answered(http("403 No", '{"error": {"code": "forbidden", "message": "registration is closed"}}'))
    assert isinstance(error, Rejected) and (error.code, error.text) == ("forbidden", "registration is closed")


def test_a_refusal_says_how_long_to_wait() -> None:
    error = answered(http("429 Slow", '{"error": {"code": "rate_limited", "message": "x"}}', "Retry-After: 7"))
    assert isinstance(error, Rejected) and error.retry_after == 7.0
    error = answered(http("429 Slow", "{}", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"))
    assert isinstance(error, Rejected) and (error.code, error.retry_after) == ("rate_limited", None)


@pytest.mark.parametrize("reply", [http("200 OK", "<html>"), http("426 Upgrade Required", "no"), http("200 OK", "[]")])
def test_something_else_that_answers_is_told_apart(reply: bytes) -> None:
    error = answered(reply)
    assert not isinstance(error, Rejected) and "name its REST port" in str(error)


def test_a_broken_answer_is_one_sentence() -> None:
    assert "cannot reach http://127.0.0.1" in str(answered(b"nonsense\r\n\r\n"))


def test_nobody_there_is_one_sentence(free_port: Callable[[], int]) -> None:
    async def scene() -> None:
        async with Rest(f"http://127.0.0.1:{free_port()}") as rest:
            await rest.server()

    with pytest.raises(AloneChatError, match=r"Connection refused; is the server running\?|is the server running"):
        asyncio.run(scene())


REFUSED = "Connection refused"
if sys.platform == "win32":
    REFUSED = ctypes.FormatError(errno.ECONNREFUSED).strip().rstrip(".")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), REFUSED),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (OSError("Multiple exceptions: [Errno 111] …, [Errno 111] …"), "none of its addresses answers"),
    ],
)
def test_a_reason_is_in_the_systems_words(error: OSError, said: str) -> None:
    assert unreached("ws://x:1", error) == f"cannot reach ws://x:1: {said}; is the server running?"


def test_a_silent_server_is_not_waited_for_for_ever() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()

        async def scene() -> None:
            async with Rest(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2) as rest:
                await rest.server()

        with pytest.raises(AloneChatError, match="does not answer in time"):
            asyncio.run(scene())
