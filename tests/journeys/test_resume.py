"""Cut connections, several devices, REST and WebSocket side by side: everybody ends up with the same log."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from alonechat.testing import Person
from tests.journeys.people import People
from tests.journeys.process import ServerProcess

Name = Callable[[str], str]


def caught_up(person: Person, target: str, after: int) -> list[dict[str, Any]]:
    """All events after a seq, page by page."""
    events: list[dict[str, Any]] = []
    while True:
        page = person.asks(type="HISTORY", target=target, after=events[-1]["seq"] if events else after, limit=7)
        events += page["events"]
        if not page["more"]:
            return events


def cut(person: Person) -> None:
    """Lose the connection as a laptop that falls asleep does: without a close."""
    person.ws.socket.shutdown(socket.SHUT_RDWR)


def test_what_was_missed_is_caught_up_without_gap_or_double(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    first = ana.says("one", bo.username)
    assert bo.hears("TEXT")["seq"] == 1
    cut(bo)
    for number in range(20):
        ana.says(f"missed {number}", bo.username)
    ana.asks(type="EDIT", target=bo.username, ref=first["id"], content="ONE")
    ana.asks(type="REACT", target=bo.username, ref=first["id"], content="🎉")
    again = people.connect(bo.username, bo.token)
    (item,) = [c for c in again.welcome["conversations"] if c["target"] == ana.username]
    assert (item["seq"], item["unread"]) == (23, 21)
    ana.send(type="TEXT", target=bo.username, content="live")
    missed = caught_up(again, ana.username, 1)
    live = again.hears("TEXT") if missed[-1]["seq"] == 23 else missed.pop()
    assert live["seq"] == 24
    assert [e["seq"] for e in missed] == list(range(2, 24))
    assert [e["type"] for e in missed[-2:]] == ["EDIT", "REACT"]


def test_the_first_live_event_follows_the_welcome_under_load(people: People, name: Name) -> None:
    """Connecting while others write: nothing falls between the WELCOME and the first live event."""
    room = "#" + name("room")
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    for person in (ana, bo):
        person.asks(type="JOIN", target=room)
    token = people.token(bo.username)
    for number in range(10):
        for each in range(30):
            ana.send(type="TEXT", target=room, content=f"{number} {each}")
        device = people.connect(bo.username, token)
        (item,) = [c for c in device.welcome["conversations"] if c["target"] == room]
        for each in range(10):
            ana.send(type="TEXT", target=room, content=f"after {each}")
        last = ana.asks(type="TEXT", target=room, content="last", nonce=f"{room} last {number}")["seq"]
        seqs = []
        while not seqs or seqs[-1] < last:
            seqs.append(device.hears("TEXT", target=room)["seq"])
        assert seqs == list(range(item["seq"] + 1, last + 1))
        device.close()


def test_two_devices_see_the_same(people: People, name: Name) -> None:
    ana = people.connect(name("ana"))
    laptop, phone = people.connect(name("bo")), None
    phone = people.connect(laptop.username)
    sent = laptop.says("from the laptop", ana.username)
    assert phone.hears("TEXT") == sent
    back = ana.says("to both", laptop.username)
    assert laptop.hears("TEXT", sender=ana.username) == back and phone.hears("TEXT", sender=ana.username) == back


def test_rest_and_websocket_see_the_same_events(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    answer = people.call(ana, "POST", "/send", json={"content": "by REST", "target": bo.username, "nonce": "r1"})
    assert answer.status_code == 201
    assert bo.hears("TEXT") == answer.json() and ana.hears("TEXT") == answer.json()
    live = bo.says("by WebSocket", ana.username)
    page = people.call(ana, "GET", "/recv", params={"target": bo.username, "after": 0}).json()
    assert page["events"] == [answer.json(), live] and page["more"] is False and page["first"] == 1
    again = people.call(ana, "POST", "/send", json={"content": "resent", "target": bo.username, "nonce": "r1"})
    assert again.json() == answer.json(), "a nonce counts once, whichever way it comes"
    shown = people.call(ana, "GET", "/conversations").json()["items"]
    listed = people.connect(ana.username).welcome["conversations"]
    assert shown == listed


def test_a_silent_connection_is_noticed_and_a_live_one_kept(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server(env={"ALONECHAT_HEARTBEAT": "0.5"})
    with People(server) as found:
        ana, bo = found.connect("ana"), found.connect("bo")
        assert ana.hears("PRESENCE", sender="bo")["content"] == "online"
        # a socket whose other end vanished: its library answers no ping any more
        bo.ws.protocol.receive_data = lambda data: None  # type: ignore[method-assign]
        assert ana.hears("PRESENCE", sender="bo")["content"] == "offline"
        assert ana.says("the one that answers pings stays")
