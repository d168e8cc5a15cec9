"""What goes wrong is answered in one shape, with the fitting status, and tells strangers nothing."""

from __future__ import annotations

import http.client
import json
import socket

import httpx
import pytest

from alonechat.api.table import TABLE

from .conftest import Person, Server


def shape(response: httpx.Response) -> tuple[int, str]:
    error = response.json()["error"]
    assert set(error) == {"code", "message"} and error["message"]
    return response.status_code, error["code"]


@pytest.mark.parametrize("row", [row for row in TABLE if row.signed], ids=lambda row: f"{row.method} {row.path}")
def test_without_a_token_nothing_is_answered(anonymous: httpx.Client, row: object) -> None:
    path = row.path.replace("{name}", "lobby").replace("{id}", "x")  # type: ignore[attr-defined]
    for headers in ({}, {"Authorization": "Bearer made.up.token"}, {"Authorization": "Basic YW5hOng="}):
        found = anonymous.request(row.method, path, headers=headers)  # type: ignore[attr-defined]
        assert shape(found) == (401, "unauthorized")
        assert found.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[1]",
        b'"text"',
        b"null",
        b'{"content": NaN}',
        b'{"content": "\\u0000"}',
        b'{"content": "\\ud800"}',
        b'{"content": 9007199254740993}',
        b"\xff\xfe",
        b'{"content": ' + b"[" * 9 + b"]" * 9 + b"}",
        b"[" * 60_000,
    ],
)
def test_a_body_that_is_no_object_within_the_limits_is_a_bad_frame(ana: Person, body: bytes) -> None:
    assert shape(ana.http.post("/send", content=body)) == (400, "bad_frame")


@pytest.mark.parametrize(
    "body", [{}, {"content": None}, {"content": 5}, {"content": ""}, {"content": "x", "nonce": "n" * 65}]
)
def test_a_field_that_does_not_fit_is_named(ana: Person, body: dict[str, object]) -> None:
    found = ana.http.post("/send", json=body)
    assert shape(found) == (422, "invalid")
    assert found.json()["error"]["message"].split()[0] in ("content", "nonce")


def test_a_body_over_the_limit_is_refused_while_it_comes(ana: Person) -> None:
    assert shape(ana.http.post("/send", content=b"x" * 70_000)) == (413, "too_long")
    endless = ana.http.post("/send", content=(b"x" * 1000 for _ in range(200)))
    assert shape(endless) == (413, "too_long")


def test_an_unknown_path_and_an_unknown_method(anonymous: httpx.Client) -> None:
    assert shape(anonymous.get("/no/such")) == (404, "not_found")
    assert shape(anonymous.get("/health/")) == (404, "not_found")
    found = anonymous.put("/me")
    assert shape(found) == (405, "bad_frame")
    assert set(found.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PATCH"}


def test_head_and_options(anonymous: httpx.Client) -> None:
    head = anonymous.head("/health")
    assert (head.status_code, head.content) == (200, b"")
    options = anonymous.options("/me")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PATCH")
    assert "access-control-allow-origin" not in anonymous.get("/health", headers={"Origin": "http://evil"}).headers


def test_every_answer_has_an_id_and_may_not_be_kept_or_guessed_at(anonymous: httpx.Client) -> None:
    ids = set()
    for path in ("/health", "/no/such", "/me", "/docs"):
        headers = anonymous.get(path).headers
        ids.add(headers["x-request-id"])
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in headers
    assert len(ids) == 4


def test_the_log_has_templates_and_ids_but_no_secrets(server: Server, ana: Person) -> None:
    found = ana.http.delete("/me/sessions/a-secret-of-the-path")
    ana.says("words-that-nobody-logs")
    ana.get("/search", q="needle-in-the-query")
    logged = server.logged()
    assert found.headers["x-request-id"] in logged
    assert "/me/sessions/{id}" in logged
    for secret in ("a-secret-of-the-path", "words-that-nobody-logs", "needle-in-the-query", ana.token):
        assert secret not in logged


def test_bytes_that_are_no_http_harm_nobody(server: Server, anonymous: httpx.Client) -> None:
    for garbage in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.api_port), 5) as sock:
            sock.sendall(garbage)
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(5)
            assert b"Traceback" not in sock.recv(65536)
    assert anonymous.get("/health").status_code == 200


def test_a_client_that_hangs_up_half_way_harms_nobody(server: Server, ana: Person) -> None:
    for _ in range(20):
        link = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=5)
        link.putrequest("POST", "/send")
        link.putheader("Authorization", f"Bearer {ana.token}")
        link.putheader("Content-Length", "100")
        link.endheaders()
        link.send(b'{"content": ')
        link.close()
    assert ana.get("/me").status_code == 200
    assert "Traceback" not in server.logged()


def test_duplicate_keys_and_unknown_fields_are_no_fault(ana: Person) -> None:
    body = b'{"content": "first", "content": "second", "colour": {"of": ["nothing"]}}'
    found = ana.http.post("/send", content=body)
    assert (found.status_code, json.loads(found.content)["content"]) == (201, "second")
