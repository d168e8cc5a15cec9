"""Stops, starts, and what another process does beside a running server."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.journeys.people import People
from tests.journeys.process import ServerProcess

SECOND = 1.0
"""Within which a server sees what another process changed; ten times that fails a test on a machine under load."""


def alonechat(server: ServerProcess, *words: str, env: dict[str, str] | None = None) -> str:
    """A command on the server's data, as another process."""
    done = subprocess.run(
        [sys.executable, str(server.pyz), *words, "--data-dir", str(server.data_dir)],
        capture_output=True, text=True, timeout=60, env={**server.env, **(env or {})}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(os.name == "nt", reason="elsewhere: Windows ends a process at once that is sent SIGTERM")
def test_sigterm_closes_with_1001_and_keeps_what_was_accepted(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server(env={"ALONECHAT_RATE_MESSAGES": "0"})
    with People(server) as people:
        ana, bo = people.connect("ana"), people.connect("bo")
        for number in range(500):
            ana.send(type="TEXT", content=f"{number}", nonce=f"n{number}")
        ana.hears("TEXT", nonce="n0")
        began = time.monotonic()
        assert server.stop() == 0
        took = time.monotonic() - began
        assert ana.closed() == 1001 and bo.closed() == 1001
    assert took < 5, f"the stop took {took:.1f} s"
    assert "Traceback" not in server.said
    server.start()
    with People(server) as people:
        back = people.connect("ana")
        events = back.asks(type="HISTORY", after=0, limit=200)["events"]
        assert [event["nonce"] for event in events] == [f"n{n}" for n in range(len(events))] and events


def test_an_account_is_disabled_and_enabled_beside_a_running_server(
    start_server: Callable[..., ServerProcess],
) -> None:
    server = start_server()
    with People(server) as people:
        ana, bo = people.connect("ana"), people.connect("bo")
        alonechat(server, "user", "disable", "ana")
        began = time.monotonic()
        assert ana.closed() in (4401, 4403)
        assert time.monotonic() - began < 10 * SECOND
        refused = people.http.post("/login", json={"username": "ana", "password": "correct horse"})
        assert refused.status_code in (401, 403)
        assert bo.asks(type="TEXT", target="ana", content="are you there?")["code"] == "forbidden"
        alonechat(server, "user", "enable", "ana")
        until = time.monotonic() + 10 * SECOND
        while people.http.post("/login", json={"username": "ana", "password": "correct horse"}).status_code != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        token = alonechat(server, "token", "bo").strip()
        assert people.connect("bo", token).says("by a token of another process")


def test_a_role_given_by_another_process_counts_at_once(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    with People(server) as people:
        ana, bo = people.connect("ana"), people.connect("bo")
        said = bo.says("to be deleted")
        assert ana.asks(type="DELETE", ref=said["id"])["code"] == "forbidden"
        alonechat(server, "user", "role", "ana", "moderator")
        until = time.monotonic() + 10 * SECOND
        while (answer := ana.asks(type="DELETE", ref=said["id"]))["type"] == "ERROR":
            assert time.monotonic() < until, answer
            time.sleep(0.1)
        assert bo.hears("DELETE")["ref"] == said["id"]


def test_a_new_secret_ends_every_sign_in(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server(env={"JWT_SECRET": "a" * 32})
    with People(server) as people:
        people.register("ana")
        token = people.token("ana")
    server.stop()
    server.env["JWT_SECRET"] = "b" * 32
    server.start()
    assert "sign-in has ended" in server.said
    with People(server) as people:
        found = people.http.get("/me", headers={"Authorization": f"Bearer {token}"})
        assert found.status_code == 401
        assert people.connect("ana").says("signed in anew")


def test_a_newer_database_is_refused_in_a_sentence(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    server.stop()
    with sqlite3.connect(server.data_dir / "alonechat.db") as raw:
        version = raw.execute("PRAGMA user_version").fetchone()[0]
        raw.execute(f"PRAGMA user_version = {version + 1}")
    raw.close()
    with pytest.raises(AssertionError, match="exit code 2") as refused:
        server.start()
    assert "newer" in str(refused.value) and "Traceback" not in str(refused.value)


def test_deleted_bytes_leave_the_files_within_five_seconds(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    secret = "Heringssalat-7361"
    with People(server) as people:
        ana = people.connect("ana")
        first = ana.says(f"the code is {secret}")
        ana.asks(type="EDIT", ref=first["id"], content=f"the code was {secret}, I think")
        assert bytes_in(server.data_dir, secret), "what is there can be found"
        began = time.monotonic()
        assert ana.asks(type="DELETE", ref=first["id"])["type"] == "DELETE"
        while bytes_in(server.data_dir, secret):
            assert time.monotonic() - began < 15, f"still in {bytes_in(server.data_dir, secret)}"
            time.sleep(0.2)
        print(f"gone after {time.monotonic() - began:.1f} s")
        assert people.call(ana, "GET", "/search", params={"q": "Heringssalat"}).json()["events"] == []


def bytes_in(folder: Path, text: str) -> list[str]:
    """The files that hold a text."""
    return [path.name for path in folder.iterdir() if path.is_file() and text.encode() in path.read_bytes()]


def test_two_servers_on_one_directory(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    done = subprocess.run(
        [sys.executable, str(server.pyz), "server", "-p", "0", "--api-port", "0", "--data-dir", str(server.data_dir)],
        capture_output=True, text=True, timeout=60, cwd=server.place, env={**os.environ}, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 2 and "another server runs on" in done.stderr and "Traceback" not in done.stderr
    assert httpx.get(f"{server.rest_url}/health", trust_env=False).status_code == 200


def test_no_text_password_or_token_is_logged(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server("--verbose")
    with People(server) as people:
        ana = people.connect("ana")
        ana.says("a text that nobody logs")
        ana.ws.send(json.dumps({"type": "TEXT", "content": ["a text that nobody logs"]}))
        ana.hears("ERROR")
        people.http.get("/me", params={"token": ana.token})
        people.http.post("/login", json={"username": "ana", "password": "a wrong password"})
        token = ana.token
    server.stop()
    written = server.said + "".join(p.read_text("utf-8") for p in server.log_dir.rglob("*") if p.is_file())
    assert "connected" in written
    for secret in ("a text that nobody logs", "correct horse", "a wrong password", token, token.split(".")[2]):
        assert secret not in written
