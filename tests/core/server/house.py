"""What tests of files share: a server with a REST client, uploads, and what lies on its disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from alonechat.testing import Person, Server

WITHIN = 5.0
"""Seconds after which a deleted file has to be gone (PROTOCOL, section 9)."""


class House:
    """A server and a REST client, with shorthands."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, trust_env=False, timeout=20)
        self.folder = server.settings.data_dir / "files"

    def upload(self, who: Person, data: Any = b"five!", name: str = "plan.pdf", mime: str = "application/pdf") -> Any:
        """What POST /files answers."""
        headers = {"Authorization": f"Bearer {who.token}", **({"Content-Type": mime} if mime else {})}
        return self.http.post("/files", params={"name": name}, content=data, headers=headers)

    def keeps(self, who: Person, data: Any = b"five!", **more: Any) -> dict[str, Any]:
        """The file that was taken in."""
        found = self.upload(who, data, **more)
        assert found.status_code == 201, found.text
        return dict(found.json())

    def sends(self, who: Person, *ids: str, content: str = "", **more: Any) -> dict[str, Any]:
        """A TEXT with these attachments, or the ERROR."""
        return who.asks(type="TEXT", content=content, attachments=[{"id": id} for id in ids], **more)

    def get(self, who: Person, id: str, **headers: str) -> httpx.Response:
        """What GET /files/{id} answers."""
        return self.http.get(f"/files/{id}", headers={"Authorization": f"Bearer {who.token}", **headers})

    def on_disk(self) -> list[str]:
        """The files that lie on the shelf, also those that came in halfway."""
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    def metric(self, name: str) -> float:
        """One of the figures of GET /metrics."""
        lines = self.http.get("/metrics").text.splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def until(holds: Callable[[], object], seconds: float = WITHIN) -> None:
    """Wait until it holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and error code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]
