"""The Starlette application: routes out of the table, and the one place where a refusal becomes a status."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alonechat.api.call import House, open_call
from alonechat.api.route import Row, problem
from alonechat.api.table import TABLE
from alonechat.core.logging import get_logger, within
from alonechat.core.server import proxy
from alonechat.errors import Rejected

if TYPE_CHECKING:
    from alonechat.core.server.manager import UnifiedWebSocketManager

log = get_logger(__name__)

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""On every answer that has no such header of its own. Answers hold tokens and messages: nothing may keep them."""
QUIET = frozenset({"/health", "/ready", "/metrics"})
"""Asked every few seconds by a machine: logged at debug."""
HUNG_UP = 499
"""The status that is logged, as nginx does, when a client has gone before its answer."""


def create_app(server: UnifiedWebSocketManager) -> Starlette:
    """The REST side of `server` as an ASGI application. `app.state.house.stopping` ends what waits."""
    house = House(server)
    app = Starlette(
        routes=_routes(house),
        middleware=[Middleware(Envelope, house=house)],
        exception_handlers={Rejected: _refused, HTTPException: _unrouted},
    )
    app.router.redirect_slashes = False  # a redirect is an answer that no description names
    app.state.house = house
    return app


def _routes(house: House) -> list[Route]:
    """One route for each path, so that its Allow header names every method."""
    paths: dict[str, dict[str, Row]] = {}
    for row in TABLE:
        paths.setdefault(row.path, {})[row.method] = row
    return [Route(path, _endpoint(house, rows), methods=[*rows, "OPTIONS"]) for path, rows in paths.items()]


def _endpoint(house: House, rows: dict[str, Row]) -> Callable[[Request], Awaitable[Response]]:
    allowed = ", ".join(sorted({*rows, "OPTIONS", *(("HEAD",) if "GET" in rows else ())}))

    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": allowed})
        row = rows["GET" if request.method == "HEAD" else request.method]
        return await row.run(await open_call(house, row, request))

    return endpoint


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Rejected)
    request.app.state.house.server.metrics.refused(error.code)
    response = problem(error.code, error.text, needs=error.needs)
    if error.code == "unauthorized":
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.code == "rate_limited":
        response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or 1.0)))
    return response


async def _unrouted(request: Request, error: Exception) -> Response:
    """What Starlette's router refuses: an unknown path, or a method that a path does not have."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(sorted(request.scope["route"].methods))
        response = problem("bad_frame", f"this endpoint has no {request.method[:16]}: it has {allowed}", 405)
        response.headers["Allow"] = allowed
        return response
    return problem("not_found", "no such endpoint: GET /docs shows all there are")


class Envelope:
    """Around every request: its id, the headers of its answer, its line in the log, and what happens when it breaks."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self.app, self.house = app, house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Never raises but for a cancellation."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, name = time.perf_counter(), 0, secrets.token_hex(8)

        async def sealed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for key, value in HEADERS.items():
                    headers.setdefault(key, value)
                headers["x-request-id"] = name
            await send(message)

        with within(request=name):
            try:
                await self.app(scope, receive, sealed)
            except ClientDisconnect:
                status = HUNG_UP
            except Exception:
                # a fault of ours: the client learns the id, the log everything
                log.exception("request failed", route=_template(scope), method=scope["method"])
                if not status:
                    self.house.server.metrics.refused("internal")
                    text = f"a fault of the server; its log has it under the request id {name}"
                    await problem("internal", text)(scope, receive, sealed)
            took = round(1000 * (time.perf_counter() - began), 1)
            write = log.debug if _template(scope) in QUIET else log.info
            where = proxy.address(scope, self.house.server.settings)
            write("request", method=scope["method"], route=_template(scope), status=status, ms=took, address=where)


def _template(scope: Scope) -> str:
    """The route's path as the table has it. The path itself may hold a secret, and is never logged."""
    route = scope.get("route")
    return route.path if route is not None else "unknown"
