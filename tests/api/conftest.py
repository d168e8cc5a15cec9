"""A real server as a process on free ports, and people who talk to its REST side."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

PASSWORD = "correct horse"
START_SECONDS = 20


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Person:
    """Somebody with an account: REST calls with their token."""

    name: str
    token: str
    url: str
    ws_url: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=40, trust_env=False
        )

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query or None)

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body)

    def says(self, content: str, target: str | None = None, **more: Any) -> dict[str, Any]:
        found = self.post("/send", content=content, **({"target": target} if target else {}), **more)
        assert found.status_code == 201, found.text
        return dict(found.json())

    def frame(self, **frame: Any) -> dict[str, Any]:
        """Send one frame over a WebSocket of its own; the first answer that is no passing news."""
        with self.socket() as ws:
            return ask(ws, **frame)

    @contextlib.contextmanager
    def socket(self) -> Iterator[ClientConnection]:
        headers = {"Authorization": f"Bearer {self.token}"}
        with connect(self.ws_url, additional_headers=headers, proxy=None) as ws:
            assert hears(ws, "WELCOME")
            yield ws


def hears(ws: ClientConnection, kind: str) -> dict[str, Any]:
    """The next frame of this type."""
    import json

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        frame = json.loads(ws.recv(timeout=10))
        if frame["type"] == kind:
            return dict(frame)
        assert frame["type"] != "ERROR", frame
    raise AssertionError(f"no {kind} came")


def ask(ws: ClientConnection, **frame: Any) -> dict[str, Any]:
    """Send a frame and hear what answers it."""
    import json

    ws.send(json.dumps({"nonce": secrets.token_hex(8), **frame}))
    return hears(ws, "MEMBERS" if frame["type"] == "MEMBERS" else frame["type"])


@dataclass
class Server:
    """A server process."""

    pyz: Path
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    api_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def log(self) -> Path:
        return self.folder / "output"

    def logged(self) -> str:
        """All that it printed and logged so far."""
        files = [self.log, *self.folder.glob("logs/**/*.log")]
        return "\n".join(path.read_text("utf-8", "replace") for path in files)

    def start(self) -> Server:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("ALONECHAT_")}
        environ |= {f"ALONECHAT_{k.upper()}": v for k, v in self.settings.items()}
        command = [sys.executable, str(self.pyz), "server", "--env", "testing", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--api-port", str(self.api_port), "--data-dir", str(self.folder / "data")]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environ | {"ALONECHAT_LOG_DIR": str(self.folder / "logs")},
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(self.url + "/health", trust_env=False).status_code == 200:
                    return self
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the server does not answer:\n{self.log.read_text()}")

    def stop(self) -> int:
        """End it politely; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def person(self, name: str) -> Person:
        """The person of this name, who registers and signs in when first asked for."""
        if name not in self.people:
            self.register(name)
            self.people[name] = self.sign_in(name)
        return self.people[name]

    def register(self, name: str, **more: Any) -> httpx.Response:
        return httpx.post(
            self.url + "/register", json={"username": name, "password": PASSWORD, **more}, trust_env=False
        )

    def login(self, name: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
        body = {"username": name, "password": password}
        return httpx.post(self.url + "/login", json=body, headers=headers, trust_env=False)

    def sign_in(self, name: str) -> Person:
        """A sign-in of its own for somebody who has an account."""
        found = self.login(name)
        assert found.status_code == 200, found.text
        return Person(name, found.json()["token"], self.url, found.json()["ws_url"])


@pytest.fixture(scope="package")
def server(pyz: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the whole package, without a message rate: tests use names of their own."""
    running = Server(pyz, tmp_path_factory.mktemp("rest"), {"rate_messages": "0", "rate_logins": "0"}).start()
    try:
        yield running
    finally:
        running.kill()


@pytest.fixture
def another(pyz: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server with settings of its own."""
    running: list[Server] = []

    def start(**settings: str) -> Server:
        running.append(Server(pyz, tmp_path, settings))
        return running[-1].start()

    yield start
    for each in running:
        each.kill()


@pytest.fixture
def anonymous(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        yield http


@pytest.fixture
def ana(server: Server) -> Person:
    return server.person("ana")


@pytest.fixture
def bo(server: Server) -> Person:
    return server.person("bo")
