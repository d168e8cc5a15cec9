"""People who register, sign in and talk over real sockets."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

import httpx

from alonechat.core.server import otp
from alonechat.testing import PASSWORD, Person
from tests.journeys.process import ServerProcess


def code_of(secret: str, ahead: int = 0) -> str:
    """What an authenticator app shows now, or `ahead` steps later: the next one holds already."""
    return otp.code(secret, time.time_ns() // 1_000_000 // otp.PERIOD + ahead)


class People:
    """Everybody who talks to one server; all hang up at the end."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.rest_url, timeout=40, trust_env=False)
        self._here: list[Person] = []

    def __enter__(self) -> People:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for person in self._here:
            person.ws.close_timeout = 0.2
            person.close()
        self.http.close()

    def register(self, name: str, **more: Any) -> None:
        """Make an account, unless there is one."""
        found = self.http.post("/register", json={"username": name, "password": PASSWORD, **more})
        assert found.status_code in (201, 409), found.text

    def token(self, name: str) -> str:
        """A new sign-in."""
        found = self.http.post("/login", json={"username": name, "password": PASSWORD})
        assert found.status_code == 200, found.text
        return str(found.json()["token"])

    def ask_for_codes(self, name: str) -> tuple[str, list[str]]:
        """Have somebody's sign-in ask for one-time codes: the secret, for `code_of`, and the recovery codes."""
        self.register(name)
        http = httpx.Client(
            base_url=self.server.rest_url, headers={"Authorization": f"Bearer {self.token(name)}"}, trust_env=False
        )
        with http:
            secret = str(http.post("/me/otp", json={"password": PASSWORD}).json()["secret"])
            found = http.post("/me/otp/on", json={"otp": code_of(secret)})
        assert found.status_code == 200, found.text
        return secret, list(found.json()["recovery_codes"])

    def connect(self, name: str, token: str | None = None) -> Person:
        """A connection of somebody, who registers where that is needed."""
        if token is None:
            self.register(name)
            token = self.token(name)
        person = Person(self.server.ws_url, name, token)
        self._here.append(person)
        return person

    def call(self, person: Person, method: str, path: str, **more: Any) -> httpx.Response:
        """A REST request with the person's token."""
        headers = {"Authorization": f"Bearer {person.token}"}
        return self.http.request(method, path, headers=headers, **more)

    def metric(self, line: str) -> float:
        """A figure of /metrics: `line` is the name, with labels where there are any. 0 when it was never counted."""
        for each in self.http.get("/metrics").text.splitlines():
            if each.rpartition(" ")[0] == line:
                return float(each.rpartition(" ")[2])
        return 0.0
