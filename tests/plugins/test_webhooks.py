"""Webhooks in and out, with real HTTP on both sides."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from alonechat.plugins.kept import KeyValues, read_states
from alonechat.testing import Clock, Server, serving

SECRET = "a-long-secret-0123456789"
Start = Callable[..., Server]


class Receiver:
    """A program that takes webhooks; `fails` so many times first."""

    def __init__(self, fails: int = 0) -> None:
        self.got: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.left = fails
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                failing = outer.left > 0
                outer.left -= 1
                self.send_response(503 if failing else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if not failing:
                    outer.got.put(({k.lower(): v for k, v in self.headers.items()}, body))

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/in"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


def eventually(so: Callable[[], bool]) -> None:
    """Wait until this is so."""
    until = time.monotonic() + 15
    while not so():
        assert time.monotonic() < until, "it never was so"
        threading.Event().wait(0.01)


def test_other_programs_post_into_rooms(start: Start) -> None:
    server = start(settings=f'[webhooks.in]\n"{SECRET}" = "#lobby"')
    ana = server.person("ana")
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as http:
        assert http.post(f"/hooks/{SECRET}", json={"text": "build 7 is green", "icon_emoji": ":x:"}).status_code == 200
        said = ana.hears("TEXT")
        assert (said["sender"], said["content"]) == ("webhooks", "build 7 is green")
        form = {"payload": json.dumps({"text": "as a form", "username": "CI"})}
        assert http.post(f"/hooks/{SECRET}", data=form).status_code == 200
        assert ana.hears("TEXT")["content"] == "**CI**: as a form"
        assert http.post(f"/hooks/{SECRET}", json={"text": "/kick ana"}).status_code == 200
        assert ana.hears("TEXT")["content"] == "/kick ana", "no command, whatever it begins with"
        assert http.post("/hooks/wrong-secret-0123456789", json={"text": "x"}).status_code == 404
        assert http.post(f"/hooks/{SECRET}", json={}).status_code == 422
        assert http.post(f"/hooks/{SECRET}", content=b"[").status_code == 400


@pytest.mark.parametrize(
    "body",
    ['{"text": "%s"}', ' \n{"text": "%s"}', 'payload={"text": "%s"}', 'channel=x&payload={"text":+"%s"}'],
    ids=["curl", "spaces", "slack", "more-fields"],
)
def test_curl_calls_its_json_a_form(start: Start, body: str) -> None:
    server = start(settings=f'[webhooks.in]\n"{SECRET}" = "#lobby"')
    ana = server.person("ana")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(base_url=server.url, trust_env=False, headers=headers) as http:
        done = http.post(f"/hooks/{SECRET}", content=(body % "build=7").encode())
        assert done.status_code == 200, done.text
        assert ana.hears("TEXT")["content"] == "build=7"


def test_json_that_curl_calls_a_form_is_taken_as_it_is(start: Start) -> None:
    server = start(settings=f'[webhooks.in]\n"{SECRET}" = "#lobby"')
    ana = server.person("ana")
    text = "上海 100% 1+1 %41 a&payload=b;c"
    headers = {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"}
    with httpx.Client(base_url=server.url, trust_env=False, headers=headers) as http:
        sent = json.dumps({"text": text}, ensure_ascii=False).encode()
        assert http.post(f"/hooks/{SECRET}", content=sent).status_code == 200
        assert ana.hears("TEXT")["content"] == text
        form = b"payload=%7B%22text%22%3A%22ok%22%7D"
        assert http.post(f"/hooks/{SECRET}", content=form).status_code == 200
        assert ana.hears("TEXT")["content"] == "ok"
        for wrong in (b"", b"text=hello", b"payload=", b"[1]"):
            assert http.post(f"/hooks/{SECRET}", content=wrong).status_code == 400


def test_messages_go_out_signed_and_those_with_the_keyword_alone(start: Start, receiver: Receiver) -> None:
    out = f'[[webhooks.out]]\nurl = "{receiver.url}"\nkeyword = "deploy"\nsecret = "s3"\nprivate = true\n'
    ana = start(settings=out).person("ana")
    ana.says("nothing of it")
    event = ana.says("Deploy 上海 now")
    headers, body = receiver.got.get(timeout=10)
    assert json.loads(body) == {"text": "Deploy 上海 now", **event}
    assert headers["x-alonechat-signature"] == "sha256=" + hmac.new(b"s3", body, hashlib.sha256).hexdigest()
    assert receiver.got.empty()


def test_a_message_of_files_alone_has_a_text_for_those_who_show_nothing_else(start: Start, receiver: Receiver) -> None:
    server = start(settings=f'[[webhooks.out]]\nurl = "{receiver.url}"\nprivate = true\n')
    ana = server.person("ana")
    headers = {"Authorization": f"Bearer {ana.token}"}
    sent = httpx.post(f"{server.url}/files?name=plan.pdf", content=b"x", headers=headers, trust_env=False).json()
    ana.asks(type="TEXT", content="", attachments=[{"id": sent["id"]}])
    said = json.loads(receiver.got.get(timeout=10)[1])
    assert (said["text"], said["content"], said["attachments"]) == ("[plan.pdf]", "", [sent])


def test_what_fails_is_tried_again_also_after_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    clock = Clock()
    receiver.left = 1
    (tmp_path / "data").mkdir()
    out = f'[[webhooks.out]]\nurl = "{receiver.url}"\nprivate = true\n'
    (tmp_path / "data" / "plugins.toml").write_text(out)
    kept = KeyValues(tmp_path / "data", "webhooks")
    with serving(tmp_path, clock) as server:
        server.person("ana").says("important")
        eventually(lambda: [tries for _, _, tries in kept.items("out:").values()] == [1])
        assert receiver.got.empty()
    clock.forward(5)
    with serving(tmp_path, clock):
        assert json.loads(receiver.got.get(timeout=10)[1])["text"] == "important"
        eventually(lambda: not kept.items("out:"))


def test_private_addresses_are_not_posted_to_unless_allowed(
    start: Start, tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    server = start(settings=f'[[webhooks.out]]\nurl = "{receiver.url}"\n')
    server.person("ana").says("to nobody")
    kept = KeyValues(tmp_path / "data", "webhooks")
    # what is to be posted is kept after the echo: an empty store means that it is done only once it was given up
    eventually(lambda: "a webhook was given up" in caplog.text and not kept.items("out:"))
    assert "an address of a private network" in caplog.text and receiver.got.empty()


@pytest.mark.parametrize("settings", ['[webhooks.in]\n"short" = "#lobby"', '[[webhooks.out]]\nurl = "ftp://x"'])
def test_settings_that_can_not_be_are_said(start: Start, tmp_path: Path, settings: str) -> None:
    start(settings=settings)
    found = {name: (state, reason) for name, _, _, state, reason in read_states(tmp_path / "data")}
    state, reason = found["webhooks"]
    assert state == "failed" and ("16 characters" in reason or "https" in reason)
    assert found["dice"][0] == "on"
