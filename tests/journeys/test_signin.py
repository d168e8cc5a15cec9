"""Signing in: all three ways, every close code, and what ends a sign-in."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from alonechat.testing import PASSWORD
from tests.journeys.people import People
from tests.journeys.process import ServerProcess

Name = Callable[[str], str]


def first_frame(url: str, *sent: str, **more: Any) -> dict[str, Any]:
    """The first frame that comes on a new connection, after what was sent."""
    with connect(url, proxy=None, **more) as ws:
        for text in sent:
            ws.send(text)
        frame: dict[str, Any] = json.loads(ws.recv(10))
        return frame


def refused(url: str, *sent: str, **more: Any) -> tuple[dict[str, Any], int]:
    """The ERROR frame and the close code of a connection that is refused."""
    with connect(url, proxy=None, close_timeout=1, **more) as ws:
        for text in sent:
            with contextlib.suppress(ConnectionClosed):
                ws.send(text)
        error = json.loads(ws.recv(15))
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(15)
        assert closed.value.rcvd is not None
        return error, closed.value.rcvd.code


def test_the_three_ways(people: People, shared: ServerProcess, name: Name) -> None:
    me = name("ana")
    people.register(me)
    token, url = people.token(me), shared.ws_url
    auth = json.dumps({"type": "AUTH", "content": token})
    for welcome in (
        first_frame(url, additional_headers={"Authorization": f"Bearer {token}"}),
        first_frame(f"{url}/?token={token}"),
        first_frame(url, auth),
    ):
        assert welcome["type"] == "WELCOME" and welcome["user"]["username"] == me
    assert token not in shared.said and token not in "".join(
        path.read_text("utf-8") for path in shared.log_dir.rglob("*.log")
    ), "a token is never logged"


def test_the_first_that_is_present_counts(people: People, shared: ServerProcess, name: Name) -> None:
    me = name("ana")
    people.register(me)
    good = people.token(me)
    error, code = refused(f"{shared.ws_url}/?token={good}", additional_headers={"Authorization": "Bearer nonsense"})
    assert (error["code"], code) == ("unauthorized", 4401)


def test_the_subprotocol_is_selected_when_offered_and_never_required(people: People, name: Name) -> None:
    me = name("ana")
    people.register(me)
    headers = {"Authorization": f"Bearer {people.token(me)}"}
    url = people.server.ws_url
    for offered, selected in (
        (["alonechat.v1"], "alonechat.v1"),
        (["other", "alonechat.v1"], "alonechat.v1"),
        (["other"], None),
        (None, None),
    ):
        with connect(url, proxy=None, additional_headers=headers, subprotocols=offered) as ws:  # type: ignore[arg-type]
            assert ws.subprotocol == selected
            assert json.loads(ws.recv(10))["type"] == "WELCOME"


@pytest.mark.parametrize("sent", ["nonsense", '{"type":"TEXT","content":"x"}', '{"type":"AUTH","content":"x.y.z"}'])
def test_a_bad_first_frame_is_refused(shared: ServerProcess, sent: str) -> None:
    error, code = refused(shared.ws_url, sent)
    assert code == 4401 and error["type"] == "ERROR" and error["code"] in ("unauthorized", "bad_frame")


def test_a_forged_token_is_refused(people: People, shared: ServerProcess, name: Name) -> None:
    import jwt

    people.register(me := name("ana"))
    claims = jwt.decode(people.token(me), options={"verify_signature": False})
    for forged in (jwt.encode(claims, "another secret of enough bytes!!", "HS256"), jwt.encode(claims, None, "none")):
        assert refused(f"{shared.ws_url}/?token={forged}")[1] == 4401


@pytest.mark.slow
def test_no_auth_in_time(shared: ServerProcess) -> None:
    error, code = refused(shared.ws_url)
    assert (error["code"], code) == ("unauthorized", 4408)


def test_logout_ends_the_connections_of_that_sign_in_alone(people: People, name: Name) -> None:
    laptop = people.connect(name("ana"))
    phone = people.connect(laptop.username)
    assert people.call(laptop, "POST", "/logout").status_code == 200
    assert laptop.hears("ERROR")["code"] == "unauthorized"
    assert laptop.closed() == 4401
    assert phone.says("still here")
    assert people.call(laptop, "GET", "/me").status_code == 401
    error, code = refused(people.server.ws_url, additional_headers={"Authorization": f"Bearer {laptop.token}"})
    assert (error["code"], code) == ("unauthorized", 4401)


def test_a_new_password_ends_the_other_sign_ins(people: People, name: Name) -> None:
    laptop = people.connect(name("ana"))
    phone = people.connect(laptop.username)
    body = {"password": "another password", "old_password": PASSWORD}
    assert people.call(laptop, "PATCH", "/me", json=body).status_code == 200
    assert phone.hears("ERROR")["code"] == "unauthorized" and phone.closed() == 4401
    assert laptop.says("still here")
    old = people.http.post("/login", json={"username": laptop.username, "password": PASSWORD})
    assert old.status_code == 401


def test_one_device_ends_another(people: People, name: Name) -> None:
    laptop = people.connect(name("ana"))
    phone = people.connect(laptop.username)
    listed = people.call(laptop, "GET", "/me/sessions").json()["items"]
    (other,) = [each["id"] for each in listed if not each["current"]]
    assert people.call(laptop, "DELETE", f"/me/sessions/{other}").status_code == 200
    assert phone.hears("ERROR")["code"] == "unauthorized" and phone.closed() == 4401
    assert people.call(laptop, "DELETE", f"/me/sessions/{other}").status_code == 404


def test_a_renewed_token_keeps_the_connection(people: People, name: Name) -> None:
    ana = people.connect(name("ana"))
    renewed = people.call(ana, "POST", "/renew").json()["token"]
    assert renewed != ana.token and ana.says("nothing was cut")
    assert people.call(ana, "GET", "/me").status_code == 200, "the old one holds for 60 s more"
    assert people.connect(ana.username, renewed).welcome["user"]["username"] == ana.username


def test_a_ban_from_the_server_ends_and_refuses(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    code = next(line.split()[2] for line in server.lines if line.startswith("owner invite"))
    with People(server) as found:
        found.register("olga", invite=code)
        olga, bo = found.connect("olga"), found.connect("bo")
        assert olga.welcome["user"]["role"] == "owner"
        assert olga.asks(type="TEXT", content="/ban bo")["type"] == "NOTICE"
        assert bo.hears("ERROR")["code"] == "forbidden" and bo.closed() == 4403
        error, closed = refused(server.ws_url, additional_headers={"Authorization": f"Bearer {bo.token}"})
        assert (error["code"], closed) == ("forbidden", 4403)
        refusal = found.http.post("/login", json={"username": "bo", "password": PASSWORD})
        assert refusal.status_code == 403
        assert olga.asks(type="TEXT", content="hello?", target="bo")["code"] == "forbidden"
        assert olga.asks(type="TEXT", content="/unban bo")["type"] == "NOTICE"
        assert found.connect("bo", bo.token).says("back again")
        again = found.http.post("/register", json={"username": "eve", "password": PASSWORD, "invite": code})
        assert again.status_code == 403, "an invite for one makes one owner"


def test_too_many_connections_of_one_account(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server(env={"ALONECHAT_MAX_CONNECTIONS": "2"})
    with People(server) as found:
        ana = found.connect("ana")
        found.connect("ana", ana.token)
        error, code = refused(server.ws_url, additional_headers={"Authorization": f"Bearer {ana.token}"})
        assert (error["code"], code) == ("rate_limited", 4429)


def test_failed_sign_ins_are_limited_by_account_and_address(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server(env={"ALONECHAT_RATE_LOGINS": "3"})
    with People(server) as found:
        found.register("ana")
        found.register("bo")
        wrong = {"username": "ana", "password": "wrong password"}
        assert [found.http.post("/login", json=wrong).status_code for _ in range(4)] == [401, 401, 401, 429]
        assert found.token("bo"), "another account from the same address is not locked out"


def test_addresses_behind_a_trusted_proxy_are_told_apart(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server("--trusted-proxy", "127.0.0.1", env={"ALONECHAT_RATE_LOGINS_ADDRESS": "2"})
    with People(server) as found:

        def attempt(name: str, address: str) -> int:
            body = {"username": name, "password": "wrong password"}
            return found.http.post("/login", json=body, headers={"X-Forwarded-For": address}).status_code

        assert [attempt(f"a{n}", "203.0.113.5") for n in range(3)] == [401, 401, 429]
        assert attempt("a9", "203.0.113.6") == 401


def test_the_other_paths_of_the_websocket_port(shared: ServerProcess) -> None:
    import httpx

    base = shared.ws_url.replace("ws", "http", 1)
    assert httpx.get(base, trust_env=False).status_code == 426
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    assert httpx.get(f"{base}/other", headers=upgrade, trust_env=False).status_code == 404
