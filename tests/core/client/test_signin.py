"""Signing in from a face, at a real server: what it says of itself, passwords, new accounts, invitations."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from alonechat import admin
from alonechat.core.client.rest import Rest
from alonechat.core.client.signin import Newcomer, Place, in_thread, look, register, sign_in
from alonechat.errors import AloneChatError, ConfigError, Rejected
from alonechat.testing import PASSWORD, Server, serving

T = TypeVar("T")


def done(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("open"), registration="open", name="The House") as server:
        server.register("ana")
        yield server


@pytest.fixture
def place(server: Server) -> Place:
    return done(look(server.url))


def test_a_server_says_what_it_is(server: Server) -> None:
    for address in (server.url, server.url.removeprefix("http://"), f" {server.url}/ "):
        found = done(look(address))
        assert (found.url, found.name, found.registration) == (server.url, "The House", "open")
        assert found.version and len(found.id) > 8


@pytest.mark.parametrize("address", ["", "  ", "ftp://host", "http://host:port", "ws://localhost:8765"])
def test_what_is_no_address_is_said(address: str) -> None:
    with pytest.raises(ConfigError, match="a server is named like"):
        done(look(address))


def test_nobody_there_is_said(free_port: Callable[[], int]) -> None:
    with pytest.raises(AloneChatError, match=r"cannot reach .*; is the server running"):
        done(look(f"127.0.0.1:{free_port()}"))


def test_the_websockets_port_is_said(server: Server) -> None:
    with pytest.raises(AloneChatError, match=r"name its REST port|cannot reach"):
        done(look(server.ws_url.replace("ws://", "http://")))


@pytest.mark.parametrize("body", [b"{}", b'{"name": "Printer"}', b"[]", b"<html>", b""])
def test_another_service_is_said(body: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening, body))
        thread.start()
        with pytest.raises(AloneChatError, match="not as an AloneChat server does"):
            done(look(f"127.0.0.1:{listening.getsockname()[1]}"))
        thread.join(5)


def answer(listening: socket.socket, body: bytes) -> None:
    """One HTTP answer of something that is no AloneChat."""
    asked, _address = listening.accept()
    with asked, suppress(OSError):
        asked.recv(65536)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        asked.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)


def test_a_password_gives_an_account_whose_token_holds(server: Server, place: Place) -> None:
    account = done(sign_in(place, " ana ", PASSWORD))
    assert (account.url, account.username, account.server) == (server.url, "ana", place.id)
    assert account.ws_url == server.ws_url and account.expires_at > "2026"

    async def who() -> str:
        async with Rest(account.url, account.token) as rest:
            return str((await rest.me())["username"])

    assert done(who()) == "ana"


@pytest.mark.parametrize(
    ("name", "password"), [("ana", "wrong horse"), ("nobody", PASSWORD), ("a b", PASSWORD), ("", "")]
)
def test_a_wrong_name_or_password_is_refused(place: Place, name: str, password: str) -> None:
    with pytest.raises(Rejected) as refused:
        done(sign_in(place, name, password))
    assert refused.value.code in ("unauthorized", "invalid", "bad_frame") and refused.value.text


def test_a_newcomer_is_signed_in_at_once(place: Place) -> None:
    account = done(register(place, Newcomer(" 李雷 ", PASSWORD, display_name=" Li Lei ")))
    assert account.username == "李雷"

    async def called() -> str:
        async with Rest(account.url, account.token) as rest:
            return str((await rest.me())["display_name"])

    assert done(called()) == "Li Lei"


@pytest.mark.parametrize(
    ("newcomer", "code"),
    [
        (Newcomer("ana", PASSWORD), "conflict"),
        (Newcomer("cy", "short"), "invalid"),
        (Newcomer("c y", PASSWORD), "invalid"),
        (Newcomer("di", PASSWORD, invite="made-up"), "forbidden"),
    ],
)
def test_who_can_not_be_is_told_why(place: Place, newcomer: Newcomer, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        done(register(place, newcomer))
    assert refused.value.code == code and refused.value.text


def test_by_invitation_only(tmp_path: Path) -> None:
    with serving(tmp_path, registration="invite") as server:
        place = done(look(server.url))
        assert place.registration == "invite"
        with pytest.raises(Rejected, match="needs an invite"):
            done(register(place, Newcomer("bo", PASSWORD)))
        with admin.opened(server.settings) as store:
            code = admin.invite(store, "member", 1, 1).code
        assert done(register(place, Newcomer("bo", PASSWORD, invite=f" {code} "))).username == "bo"
        with pytest.raises(Rejected, match="does not hold"):
            done(register(place, Newcomer("cy", PASSWORD, invite=code)))


# --- in a thread ---


def outcome(work: Coroutine[Any, Any, Any]) -> tuple[Any, AloneChatError | None]:
    found: list[tuple[Any, AloneChatError | None]] = []
    in_thread(work, lambda result, error: found.append((result, error))).join(10)
    assert len(found) == 1
    return found[0]


def test_a_face_does_not_wait_for_it(server: Server, free_port: Callable[[], int]) -> None:
    result, error = outcome(look(server.url))
    assert (result.name, error) == ("The House", None)
    result, error = outcome(look(f"127.0.0.1:{free_port()}"))
    assert result is None and "cannot reach" in str(error)


def test_a_fault_of_ours_is_an_answer_too() -> None:
    async def broken() -> None:
        raise KeyError("user")

    result, error = outcome(broken())
    assert result is None and "KeyError" in str(error)
