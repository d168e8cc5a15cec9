"""Files over REST: what a message bears is uploaded before it, and fetched by whoever may read it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from alonechat.api.call import Call
from alonechat.api.route import Row, answer, problem
from alonechat.api.schemas import BYTES, ref
from alonechat.core import image
from alonechat.core.fields import Field
from alonechat.core.server.files import CHUNK, NAME_BYTES, Coming, Opened

GROUP = "Files"
QUIET_SECONDS = 30.0
"""How long a client may send nothing of its file, or take nothing of one: then it is gone."""
HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})\Z")


async def upload(call: Call) -> Response:
    """Keep a file, for a message to bear."""
    request = call.request
    length = request.headers.get("content-length", "")
    coming = Coming(
        call.query["name"], request.headers.get("content-type", ""), int(length) if length.isdecimal() else None
    )
    found = await call.server.files.take(call.who.account, coming, _pieces(call))
    return answer(found.wire(), 201)


async def _pieces(call: Call) -> AsyncIterator[bytes]:
    """The body as it comes. Raises `TimeoutError` when the client falls silent, `Rejected` when its sign-in ended."""
    stream = call.request.stream()
    while True:
        async with asyncio.timeout(QUIET_SECONDS):
            piece = await anext(stream, None)
        if piece is None:
            break
        yield piece
    await call.server.auth.verify(call.token)


async def fetch(call: Call) -> Response:
    """A file's bytes."""
    opened = await call.server.files.open(call.who.username, call.part("id"))
    try:
        return _answer(call.request, opened)
    except BaseException:
        opened.close()
        raise


def _answer(request: Request, opened: Opened) -> Response:
    upload, size = opened.upload, opened.upload.size
    tag = f'"{upload.id}"'
    shown = "inline" if upload.mime in image.KINDS else "attachment"
    headers = {**HEADERS, "ETag": tag, "Content-Disposition": f"{shown}; {named(upload.name)}"}
    if tag in request.headers.get("if-none-match", ""):
        opened.close()
        return Response(status_code=304, headers=headers)
    wanted = _span(request, tag, size)
    if wanted is None:
        return Bytes(opened, (0, size), 200, headers)
    start, end = wanted
    if start >= end:
        opened.close()
        refused = problem("invalid", f"this file has {size} bytes: there is nothing in that range", 416)
        refused.headers["Content-Range"] = f"bytes */{size}"
        return refused
    return Bytes(opened, wanted, 206, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{size}"})


def _span(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """The part of the file that a request asks for, from and up to; None for all of it (RFC 9110, 14.2: what is not
    understood, and several parts at once, may be answered with the whole)."""
    found = _RANGE.match(request.headers.get("range", ""))
    if found is None or found[0] == "bytes=-" or request.headers.get("if-range", tag) != tag:
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1 if last else size)


def named(name: str) -> str:
    """The name under which a browser saves a file (RFC 6266; the plain form is for old clients)."""
    plain = re.sub(r'[^ !#-\[\]-~]|["\\%]', "_", name)
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


class Bytes(Response):
    """A part of a file, read piece by piece as the client takes it."""

    def __init__(self, opened: Opened, span: tuple[int, int], status: int, headers: dict[str, str]) -> None:
        self._opened, self._span = opened, span
        self.status_code, self.background = status, None
        size = str(span[1] - span[0])
        self.init_headers({**headers, "Content-Type": opened.upload.mime, "Content-Length": size})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Raises `ClientDisconnect` when the client has stopped taking it."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            at, end = self._span
            while at < end and scope["method"] != "HEAD":
                piece = await self._opened.read(at, min(CHUNK, end - at))
                if not piece:
                    raise OSError(f"the file {self._opened.upload.id} is shorter than it was")
                at += len(piece)
                async with asyncio.timeout(QUIET_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            raise ClientDisconnect from None
        finally:
            self._opened.close()


ROWS = (
    Row(
        "POST",
        "/files",
        upload,
        "Upload a file, for a message to bear; the body is its bytes, Content-Type what it is",
        GROUP,
        {201: ref("File")},
        query=(Field("name", required=True, least=1, most=NAME_BYTES, help="what it is called, such as plan.pdf"),),
        errors=("rate_limited",),
        raw=True,
    ),
    Row(
        "GET",
        "/files/{id}",
        fetch,
        "A file that a message bears which you may read, or that you uploaded; Range is honoured",
        GROUP,
        {200: BYTES, 206: BYTES},
        errors=("not_found",),
        media="*/*",
        also={304: "you have it: its ETag was in If-None-Match", 416: "it has nothing in that Range"},
    ),
)
