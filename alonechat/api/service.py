"""The server about itself: what it is, whether it is well, its figures, its description."""

from __future__ import annotations

from starlette.responses import Response

import alonechat
from alonechat.api.call import Call
from alonechat.api.page import docs
from alonechat.api.route import Row, answer
from alonechat.api.schemas import ref
from alonechat.core.message import PROTOCOL
from alonechat.errors import Rejected

GROUP = "Server"
PLAIN = "text/plain"


async def server(call: Call) -> Response:
    """What a client needs before sign-in."""
    house = call.server
    return answer(
        {
            "name": house.settings.name,
            "version": alonechat.__version__,
            "id": house.store.server_id,
            "epoch": house.store.epoch,
            "protocol": PROTOCOL,
            "ws_url": call.ws_url,
            "registration": house.settings.registration,
            "files": {"max_bytes": house.settings.max_file},
        }
    )


async def health(call: Call) -> Response:
    """The process lives and answers."""
    return answer({"status": "ok"})


async def ready(call: Call) -> Response:
    """Database and bus answer."""
    if not await call.server.ready():
        raise Rejected("unavailable", "the database or the bus does not answer; try again later")
    return answer({"status": "ready"})


async def metrics(call: Call) -> Response:
    """Figures for Prometheus: to this machine, and to administrators."""
    if not call.is_local():
        if not call.token:
            raise Rejected("unauthorized", "metrics are for this machine, or for an admin's token")
        caller = await call.server.auth.verify(call.token)
        if caller.account.role not in ("admin", "owner"):
            raise Rejected("forbidden", "metrics are for admins")
    return Response(call.server.metrics.render(), media_type="text/plain; version=0.0.4")


async def openapi(call: Call) -> Response:
    """This description."""
    from alonechat.api.openapi import description

    return answer(description())


ROWS = (
    Row("GET", "/server", server, "What a client needs before sign-in", GROUP, {200: ref("Server")}, signed=False),
    Row("GET", "/health", health, "Alive", GROUP, {200: ref("Status")}, signed=False),
    Row(
        "GET",
        "/ready",
        ready,
        "Able to serve: database and bus answer",
        GROUP,
        {200: ref("Status")},
        errors=("unavailable",),
        signed=False,
    ),
    Row(
        "GET",
        "/metrics",
        metrics,
        "Figures for Prometheus; from loopback, or with an admin's token",
        GROUP,
        {200: {"type": "string"}},
        errors=("unauthorized", "forbidden", "unavailable"),
        signed=False,
        media=PLAIN,
    ),
    Row("GET", "/openapi.json", openapi, "This description", GROUP, {200: {"type": "object"}}, signed=False),
    Row(
        "GET",
        "/docs",
        docs,
        "This description, to read and to try",
        GROUP,
        {200: {"type": "string"}},
        signed=False,
        media="text/html",
    ),
)
