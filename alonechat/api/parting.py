"""A refusal that comes while the client still sends its body, given so that the client gets to read it."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

SECONDS = 2.0
"""How long what a client still sends is thrown away. A socket that is closed with unread bytes in it is reset, and the
client may lose the answer that it has already got."""


class Parting:
    """`response`, and then an ear for the rest of the body until it ends, the client hangs up or the time is over."""

    def __init__(self, response: Response) -> None:
        self.response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and listen on."""
        response = self.response
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        try:
            async with asyncio.timeout(SECONDS):
                more = True
                while more:
                    message = await receive()
                    more = message["type"] == "http.request" and message.get("more_body", False)
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})
