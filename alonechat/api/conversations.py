"""Conversations over REST: send, receive, list, search. Whatever has rules enters by the journey."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.responses import Response

from alonechat.api.call import Call, frame
from alonechat.api.route import Row, answer
from alonechat.api.schemas import ref
from alonechat.core import message
from alonechat.core.fields import Field
from alonechat.errors import Rejected

GROUP = "Conversations"
MAX_WAIT = 30
MAX_WAITING = 50
"""Answers that one account may have held back at a time, where the settings put no bound on its connections."""


async def send(call: Call) -> Response:
    """Say something, or run a command."""
    said = frame("TEXT", call.body)
    message.check_frame(said, "invalid")
    found = await call.server.journey.ask(call.who.username, said)
    return answer(found, 201 if "seq" in found else 200)


async def receive(call: Call) -> Response:
    """A page of a conversation's log; with `wait`, once there is something new."""
    asked = frame("HISTORY", call.query, target=call.query.get("target") or message.LOBBY)
    wait, after = call.query.get("wait", 0), call.query.get("after")
    if after is not None and call.query.get("before") is not None:
        raise Rejected("invalid", "after and before exclude each other: give one")
    if wait and after is None:
        raise Rejected("invalid", "wait needs after: the seq that you have seen last")
    page = await call.server.journey.ask(call.who.username, asked)
    if wait and not page["events"]:
        with _place(call):
            page = await _hold(call, asked, wait)
    return answer({name: page[name] for name in ("events", "more", "first")})


@contextmanager
def _place(call: Call) -> Iterator[None]:
    """One of the answers that the caller may have held back at a time. Raises `Rejected("rate_limited")`."""
    waiting, me = call.house.waiting, call.who.username
    if waiting.get(me, 0) >= (call.server.settings.max_connections or MAX_WAITING):
        raise Rejected("rate_limited", "too many requests of yours wait for news at once; let one end first", 1.0)
    waiting[me] = waiting.get(me, 0) + 1
    try:
        yield
    finally:
        waiting[me] -= 1
        if not waiting[me]:
            del waiting[me]


async def _hold(call: Call, asked: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The page that was asked for, once it is not empty, the time is over, the client is gone or the server stops."""
    key, _ = await call.server.journey.readable(call.who.username, asked["target"])
    deadline = time.monotonic() + seconds
    ends = [asyncio.ensure_future(call.house.stopping.wait()), asyncio.ensure_future(call.gone())]
    try:
        while True:
            left = max(0.0, deadline - time.monotonic())
            # listen first, look second: what is published in between is not missed
            news = asyncio.ensure_future(call.server.delivery.waits.until(key, left))
            try:
                await asyncio.sleep(0)
                await call.server.auth.verify(call.token)  # the sign-in may have ended meanwhile
                page: dict[str, Any] = await call.server.journey.ask(call.who.username, asked)
                if page["events"] or not left or any(end.done() for end in ends):
                    return page
                await asyncio.wait([news, *ends], return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _end(news)
    finally:
        await _end(*ends)


async def _end(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def conversations(call: Call) -> Response:
    """One's conversations, those with the latest events first."""
    items, more = await call.server.read(
        call.server.store.overview, call.who.username, message.PAGE, call.query.get("before")
    )
    return answer({"items": [_without_key(each) for each in items], "more": more})


def _without_key(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "key" and (value is not None or name == "last")}


async def rooms(call: Call) -> Response:
    """The rooms that one may know of."""
    server = call.server
    mine, found = await server.read(
        lambda: (set(server.store.keys(call.who.username)), server.store.rooms()),
    )
    items = [
        {"target": each["key"], **_without_key(each), "member": each["key"] in mine}
        for each in found
        if each["access"] == "open" or each["key"] in mine
    ]
    return answer({"items": sorted(items, key=lambda each: each["target"]), "more": False})


async def members(call: Call) -> Response:
    """Who is in a room."""
    asked = frame("MEMBERS", call.query, target="#" + call.part("name"))
    found = await call.server.journey.ask(call.who.username, asked)
    return answer({"items": found["members"], "more": found["more"]})


async def search(call: Call) -> Response:
    """Messages that hold a text."""
    given, server = call.query, call.server
    sender = message.username(given["sender"]) if "sender" in given else None
    spans = await server.journey.spans(call.who.username, given.get("target"))
    limit = given.get("limit", message.PAGE)
    found = await server.read(server.store.search, spans, given["q"], sender, given.get("before"), limit)
    return answer({"events": found.events, "more": found.more})


ANY_TARGET = Field("target", least=1, most=64, help="#room, or a username")

ROWS = (
    Row(
        "POST",
        "/send",
        send,
        "Say something, or run a command",
        GROUP,
        {201: ref("Event"), 200: ref("Notice")},
        body=message.FRAMES["TEXT"],
        errors=("not_found", "conflict", "rate_limited"),
    ),
    Row(
        "GET",
        "/recv",
        receive,
        "Events of a conversation, as HISTORY chooses them",
        GROUP,
        {200: ref("History")},
        query=(
            message.TARGET,
            message.AFTER,
            message.BEFORE,
            message.LIMIT,
            Field("wait", "integer", least=0, most=MAX_WAIT, help="seconds to wait for something after `after`"),
        ),
        errors=("not_found", "rate_limited"),
    ),
    Row(
        "GET",
        "/conversations",
        conversations,
        "Your conversations, those with the latest events first",
        GROUP,
        {200: ref("Conversations")},
        query=(Field("before", least=1, most=64, help="the target of the last item that you have"),),
        errors=("not_found",),
    ),
    Row("GET", "/rooms", rooms, "The rooms that you may know of", GROUP, {200: ref("Rooms")}),
    Row(
        "GET",
        "/rooms/{name}/members",
        members,
        "Who is in a room",
        GROUP,
        {200: ref("Members")},
        query=(Field("after", least=1, most=32, help="a username: those that come after it"), message.LIMIT),
        errors=("not_found", "rate_limited"),
    ),
    Row(
        "GET",
        "/search",
        search,
        "Messages that hold a text, newest first",
        GROUP,
        {200: ref("Found")},
        query=(
            Field("q", required=True, least=1, most=200, help="what to look for"),
            ANY_TARGET,
            Field("sender", least=1, most=128, help="a username: only what this one wrote"),
            Field("before", least=1, most=32, help="the id of an event: what came before it"),
            message.LIMIT,
        ),
        errors=("not_found",),
    ),
)
