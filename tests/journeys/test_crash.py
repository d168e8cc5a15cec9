"""Killed with -9 under load, again and again: what was echoed is there once, in order, without gaps."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from alonechat.testing import PASSWORD
from tests.journeys.process import ServerProcess

ROUNDS = 20
SENDERS = 4
ROOMS = ("#lobby", "#work", "#作坊")
Event = dict[str, Any]


@dataclass
class Sender:
    """Somebody who sends as fast as the server takes it, and keeps every nonce until its event came back."""

    name: str
    token: str
    unanswered: dict[str, Event] = field(default_factory=dict)
    echoed: dict[str, Event] = field(default_factory=dict)
    numbers: Any = field(default_factory=itertools.count)
    resent: int = 0

    def frame(self) -> Event:
        """The next frame: mostly texts, to one of the rooms or to the next sender."""
        number = next(self.numbers)
        target = (*ROOMS, f"sender{(int(self.name[-1]) + 1) % SENDERS}")[number % 4]
        nonce = f"{self.name}-{number}"
        return {"type": "TEXT", "target": target, "content": f"{self.name} 说 {number}", "nonce": nonce}

    async def talk(self, url: str) -> None:
        """Talk until the server is gone: first what is unanswered, in order, then new frames."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with contextlib.suppress(WebSocketException, OSError, EOFError):
            async with connect(url, additional_headers=headers, proxy=None, close_timeout=1) as ws:
                for frame in list(self.unanswered.values()):
                    self.resent += 1
                    await ws.send(json.dumps(frame))
                hearing = asyncio.create_task(self.hear(ws))
                try:
                    while not hearing.done():
                        if len(self.unanswered) > 40:
                            await asyncio.sleep(0.002)
                            continue
                        frame = self.frame()
                        self.unanswered[frame["nonce"]] = frame
                        await ws.send(json.dumps(frame))
                        await asyncio.sleep(0.001)  # some thousands a second in all: what is read after each kill grows
                finally:
                    hearing.cancel()
                    await asyncio.gather(hearing, return_exceptions=True)

    async def hear(self, ws: ClientConnection) -> None:
        """Note every echo of one's own."""
        with contextlib.suppress(ConnectionClosed):
            async for text in ws:
                event = json.loads(text)
                assert event["type"] != "ERROR", event
                if event["type"] == "TEXT" and event["sender"] == self.name:
                    before = self.echoed.setdefault(event["nonce"], event)
                    assert before == event, "an event that was sent again is the first one"
                    self.unanswered.pop(event["nonce"], None)

    async def settle(self, url: str) -> None:
        """Send what is unanswered until all of it has come back."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with connect(url, additional_headers=headers, proxy=None, max_size=1 << 21) as ws:
            hearing = asyncio.create_task(self.hear(ws))
            for frame in list(self.unanswered.values()):
                await ws.send(json.dumps(frame))
            async with asyncio.timeout(20):
                while self.unanswered:
                    await asyncio.sleep(0.01)
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


class Logs:
    """The logs of all conversations, as they were read: later reads only add to them."""

    def __init__(self, server: ServerProcess, senders: list[Sender]) -> None:
        self.senders = senders
        self.http = httpx.Client(base_url=server.rest_url, trust_env=False, verify=False)
        places = [(senders[0], room) for room in ROOMS]
        places += [(each, senders[(n + 1) % len(senders)].name) for n, each in enumerate(senders)]
        self.found: dict[tuple[str, str], list[Event]] = {(each.name, target): [] for each, target in places}
        self.tokens = {each.name: each.token for each in senders}

    def read(self) -> None:
        """Read on where the last read ended."""
        for (name, target), events in self.found.items():
            more = True
            while more:
                query = {"target": target, "after": events[-1]["seq"] if events else 0, "limit": 200}
                headers = {"Authorization": f"Bearer {self.tokens[name]}"}
                page = self.http.get("/recv", params=query, headers=headers).json()
                events += page["events"]
                more = page["more"]

    def check(self) -> dict[str, Event]:
        """Hold the logs against what was echoed; every text by its nonce."""
        found: dict[str, Event] = {}
        for (_, target), events in self.found.items():
            assert [e["seq"] for e in events] == list(range(1, len(events) + 1)), f"gaps in {target}"
            times = [e["timestamp"] for e in events]
            assert times == sorted(times) and [e["id"] for e in events] == sorted(e["id"] for e in events)
            last: dict[str, int] = {}
            for event in events:
                if event["type"] != "TEXT":
                    continue
                number = int(event["nonce"].rpartition("-")[2])
                assert last.get(event["sender"], -1) < number, f"doubled or out of order in {target}: {event}"
                last[event["sender"]] = number
                found[event["nonce"]] = event
        for sender in self.senders:
            for nonce, event in sender.echoed.items():
                assert found.get(nonce) == event, f"echoed and lost or changed: {event}"
        return found


@pytest.mark.slow
def test_killed_twenty_times_under_load(start_server: Callable[..., ServerProcess]) -> None:
    chance = random.Random(20)
    env = {"ALONECHAT_RATE_MESSAGES": "0", "ALONECHAT_RATE_LOGINS": "0"}
    server = start_server(env=env)
    senders = []
    with httpx.Client(base_url=server.rest_url, trust_env=False) as http:
        for number in range(SENDERS):
            body = {"username": f"sender{number}", "password": PASSWORD}
            assert http.post("/register", json=body).status_code == 201
            senders.append(Sender(body["username"], http.post("/login", json=body).json()["token"]))
    asyncio.run(prepare(server, senders))
    logs = Logs(server, senders)
    for _ in range(ROUNDS):
        asyncio.run(talk_until_killed(server, senders, chance.uniform(0.05, 0.8)))
        server.start()
        logs.read()
        logs.check()
    asyncio.run(settle(server, senders))
    whole = Logs(server, senders)  # read anew: nothing that was there has changed since
    whole.read()
    logs.read()
    assert whole.found == logs.found
    found = whole.check()
    assert len(found) == sum(len(sender.echoed) for sender in senders), "a nonce that was sent has exactly one event"
    resent = sum(sender.resent for sender in senders)
    print(f"{ROUNDS} kills, {len(found)} texts, {resent} sent again")
    assert len(found) > ROUNDS * SENDERS and resent > 0


async def prepare(server: ServerProcess, senders: list[Sender]) -> None:
    for sender in senders:
        headers = {"Authorization": f"Bearer {sender.token}"}
        async with connect(server.ws_url, additional_headers=headers, proxy=None) as ws:
            for room in ROOMS[1:]:
                await ws.send(json.dumps({"type": "JOIN", "target": room, "nonce": f"{sender.name}-join-{room}"}))
                while json.loads(await ws.recv()).get("type") != "JOIN":
                    pass


async def talk_until_killed(server: ServerProcess, senders: list[Sender], seconds: float) -> None:
    talks = [asyncio.create_task(sender.talk(server.ws_url)) for sender in senders]
    await asyncio.sleep(seconds)
    server.kill9()
    await asyncio.gather(*talks)


async def settle(server: ServerProcess, senders: list[Sender]) -> None:
    await asyncio.gather(*(sender.settle(server.ws_url) for sender in senders))
