"""What the server says about itself; how it stops; what its description and its pages hold."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from alonechat.api.openapi import description
from alonechat.api.table import TABLE
from alonechat.errors import STATUS

from .conftest import Person, Server

DOCUMENT = Path(__file__).parents[2] / "docs" / "API.md"


def test_health_ready_and_server_answer_strangers(server: Server, anonymous: httpx.Client) -> None:
    assert anonymous.get("/health").json() == {"status": "ok"}
    assert anonymous.get("/ready").json() == {"status": "ready"}
    said = anonymous.get("/server").json()
    assert set(said) == {"name", "version", "id", "epoch", "protocol", "ws_url", "registration", "files"}
    assert (said["name"], said["protocol"], said["registration"]) == ("AloneChat", 1, "open")


def test_the_servers_id_is_the_one_of_the_welcome(ana: Person, anonymous: httpx.Client) -> None:
    import json

    from websockets.sync.client import connect

    with connect(ana.ws_url, additional_headers={"Authorization": f"Bearer {ana.token}"}, proxy=None) as ws:
        welcome = json.loads(ws.recv(timeout=5))
    said = anonymous.get("/server").json()
    assert {name: said[name] for name in ("name", "version", "id", "epoch")} == welcome["server"]


def test_metrics_are_for_this_machine_and_for_admins(server: Server, anonymous: httpx.Client, ana: Person) -> None:
    found = anonymous.get("/metrics")
    assert found.status_code == 200
    assert found.headers["content-type"].startswith("text/plain")
    assert "alonechat_events_total" in found.text
    anonymous.get("/no/such")
    proxied = {"X-Forwarded-For": "203.0.113.9"}
    assert anonymous.get("/metrics", headers=proxied).status_code == 401
    assert ana.http.get("/metrics", headers=proxied).status_code == 403


def test_refusals_are_counted(anonymous: httpx.Client) -> None:
    def count() -> float:
        found = re.search(r'alonechat_refusals_total\{code="unauthorized"\} (\S+)', anonymous.get("/metrics").text)
        return float(found[1]) if found else 0.0

    before = count()
    anonymous.get("/me")
    assert count() == before + 1


def test_behind_a_trusted_proxy_its_word_counts(another: Callable[..., Server]) -> None:
    server = another(trusted_proxy="127.0.0.1")
    server.register("ana")
    told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "chat.example", "X-Forwarded-Proto": "https"}
    assert server.login("ana", **told).json()["ws_url"].rstrip("/") == f"wss://chat.example:{server.port}"
    assert httpx.get(server.url + "/metrics", headers=told, trust_env=False).status_code == 401
    assert "203.0.113.9" in server.logged()


def test_an_undeclared_proxy_is_not_believed(server: Server, ana: Person) -> None:
    told = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.77"}
    assert server.login("ana", **told).json()["ws_url"].rstrip("/") == f"ws://127.0.0.1:{server.port}"
    assert "203.0.113.77" not in server.logged()


@pytest.mark.skipif(not hasattr(__import__("signal"), "SIGKILL"), reason="needs POSIX signals")
def test_a_stop_ends_long_polls_with_an_answer_and_idle_connections(another: Callable[..., Server]) -> None:
    server = another()
    ana = server.person("ana")
    last = ana.says("last", "ana")["seq"]
    answers: list[httpx.Response] = []
    poll = threading.Thread(
        target=lambda: answers.append(ana.get("/recv", target="ana", after=last, wait=30)), daemon=True
    )
    poll.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 5
    poll.join(5)
    assert (answers[0].status_code, answers[0].json()["events"]) == (200, [])
    assert "Traceback" not in server.logged()


# --- the description ---


def test_the_description_is_valid_openapi(anonymous: httpx.Client) -> None:
    said = anonymous.get("/openapi.json").json()
    assert said == description()
    OPENAPI_31_VALIDATOR.validate(said)
    names = [operation["operationId"] for path in said["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names)) == len(TABLE)
    text = str(said)
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in said["components"]["schemas"]
    for name in said["components"]["schemas"]:
        assert f"#/components/schemas/{name}'" in text, f"nothing uses {name}"


def test_the_description_says_what_validates() -> None:
    for row in TABLE:
        operation = description()["paths"][row.path][row.method.lower()]
        query = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
        assert query == [field.name for field in row.query]
        if row.body is not None:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert list(schema["properties"]) == [field.name for field in row.body]


# --- the pages ---


def test_the_page_loads_nothing_from_elsewhere_and_runs_only_what_is_in_it(anonymous: httpx.Client) -> None:
    import base64
    import hashlib

    found = anonymous.get("/docs")
    html, policy = found.text, found.headers["content-security-policy"]
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    outside = re.sub(r"xmlns='http://www\.w3\.org/2000/svg'", "", html)
    assert not re.search(r"https?://|//[a-z0-9-]+\.[a-z]|@import|url\(", outside)
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=\"(?!data:)", html)
    assert not re.search(r"\son\w+=\"|style=\"", html), "the policy would not let this run"
    blocks = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", html, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert base64.b64encode(hashlib.sha256(block.encode()).digest()).decode() in policy
    assert "unsafe" not in policy and "connect-src 'self'" in policy
    assert "innerHTML" not in html


def test_the_document_names_every_endpoint_with_its_fields_and_every_error() -> None:
    text = DOCUMENT.read_text("utf-8")
    for row in TABLE:
        line = next((each for each in text.splitlines() if each.startswith(f"| `{row.method} {row.path}`")), None)
        assert line is not None, f"{row.method} {row.path} is not in {DOCUMENT.name}"
        assert line.startswith(f"| `{row.method} {row.path}` |") is row.signed, f"{row.path}: the star is wrong"
        for field in (*(row.body or ()), *row.query):
            assert f"`{field.name}`" in line, f"{row.method} {row.path} takes {field.name}"
        for status in row.answers:
            assert str(status) in line
    for code, status in STATUS.items():
        assert f"| {status} | `{code}` |" in text
    named = re.findall(r"^\| `(\w+ /\S*)`", text, re.MULTILINE)
    assert set(named) == {f"{row.method} {row.path}" for row in TABLE}
