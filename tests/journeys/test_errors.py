"""Every refusal of the protocol: its code, and a sentence that says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.people import People

Name = Callable[[str], str]

BAD = {
    "not JSON": "{",
    "no object": "[1]",
    "no type": "{}",
    "an unknown type": '{"type":"SHOUT"}',
    "a type of the wrong kind": '{"type":7}',
    "content of the wrong kind": '{"type":"TEXT","content":7}',
    "no content": '{"type":"TEXT"}',
    "blank content": '{"type":"TEXT","content":" \\n "}',
    "a lone surrogate": '{"type":"TEXT","content":"\\ud800"}',
    "NUL": '{"type":"TEXT","content":"a\\u0000b"}',
    "nesting over 8": '{"type":"TEXT","content":"x","y":' + "[" * 9 + "]" * 9 + "}",
    "an integer outside the bounds": '{"type":"HISTORY","target":"#lobby","after":9007199254740993}',
    "an endless integer": '{"type":"HISTORY","target":"#lobby","after":' + "9" * 5000 + "}",
    "NaN": '{"type":"TEXT","content":"x","y":NaN}',
    "infinity": '{"type":"TEXT","content":"x","y":1e999}',
    "a boolean for a number": '{"type":"READ","target":"#lobby","seq":true}',
    "a limit over 200": '{"type":"HISTORY","target":"#lobby","limit":201}',
    "a nonce over 64": '{"type":"TEXT","content":"x","nonce":"' + "n" * 65 + '"}',
    "no emoji": '{"type":"REACT","target":"#lobby","ref":"%(id)s","content":"ok"}',
    "a presence that is none": '{"type":"PRESENCE","content":"asleep"}',
    "JOIN of a person": '{"type":"JOIN","target":"bob"}',
    "a second AUTH": '{"type":"AUTH","content":"x"}',
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_frame_is_answered_and_closes_nothing(people: People, name: Name, what: str) -> None:
    ana = people.connect(name("ana"))
    event = ana.says("something to react to")
    ana.ws.send(BAD[what] % {"id": event["id"]} if "%(id)s" in BAD[what] else BAD[what])
    error = ana.hears("ERROR")
    assert error["code"] == "bad_frame", error
    assert len(error["content"]) > 8
    assert ana.says("still here")


def test_the_nonce_of_a_bad_frame_comes_back(people: People, name: Name) -> None:
    answer = people.connect(name("ana")).asks(type="TEXT", content=7)
    assert answer["code"] == "bad_frame" and "content" in answer["content"]


def test_twenty_bad_frames_in_ten_seconds_close(people: People, name: Name) -> None:
    ana = people.connect(name("ana"))
    for _ in range(20):
        ana.ws.send("nonsense")
    assert ana.closed() == 1008


Refusal = tuple[dict[str, Any], str]
REFUSALS: dict[str, Refusal] = {
    "an unknown room": ({"type": "TEXT", "content": "x", "target": "#nowhere"}, "not_found"),
    "an unknown person": ({"type": "TEXT", "content": "x", "target": "nobody-here"}, "not_found"),
    "a name that is none": ({"type": "TEXT", "content": "x", "target": "a b"}, "not_found"),
    "a room without a name": ({"type": "JOIN", "target": "#"}, "not_found"),
    "an unknown message": ({"type": "EDIT", "target": "#lobby", "ref": "123", "content": "x"}, "not_found"),
    "an unknown reply": ({"type": "TEXT", "content": "x", "ref": "nonsense"}, "not_found"),
    "an unknown command": ({"type": "TEXT", "content": "/dance"}, "not_found"),
    "a command without its argument": ({"type": "TEXT", "content": "/msg"}, "bad_frame"),
    "attachments that were never uploaded": (
        {"type": "TEXT", "content": "x", "attachments": [{"id": "1"}]},
        "not_found",
    ),
    "leaving the lobby": ({"type": "LEAVE", "target": "#lobby"}, "forbidden"),
    "the lobby's topic": ({"type": "TOPIC", "target": "#lobby", "content": "mine"}, "forbidden"),
    "a text that is too long": ({"type": "TEXT", "content": "x" * 4001}, "too_long"),
    "a reserved room": ({"type": "JOIN", "target": "#everyone"}, "conflict"),
    "a topic in a direct conversation": ({"type": "TEXT", "content": "/topic x", "target": "%(me)s"}, "forbidden"),
    "muting somebody in a direct conversation": (
        {"type": "TEXT", "content": "/mute %(me)s", "target": "%(me)s"},
        "forbidden",
    ),
    "kicking somebody from the lobby": ({"type": "TEXT", "content": "/kick %(me)s"}, "forbidden"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_refusals(people: People, name: Name, what: str) -> None:
    frame, code = REFUSALS[what]
    ana = people.connect(name("ana"))
    answer = ana.asks(**json.loads(json.dumps(frame).replace("%(me)s", ana.username)))
    assert answer["type"] == "ERROR" and answer["code"] == code, answer
    assert len(answer["content"]) > 8 and "retry_after" not in answer


def test_others_messages_are_theirs(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    event = ana.says("mine", bo.username)
    bo.hears("TEXT")
    for kind, more in (("EDIT", {"content": "x"}), ("DELETE", {})):
        answer = bo.asks(type=kind, target=ana.username, ref=event["id"], **more)
        assert answer["code"] == "forbidden", answer
    lobby = ana.says("to all")
    assert bo.asks(type="EDIT", target=ana.username, ref=lobby["id"], content="x")["code"] == "not_found"


def test_what_was_deleted_can_be_neither_edited_nor_reacted_to(people: People, name: Name) -> None:
    ana = people.connect(name("ana"))
    event = ana.says("mine")
    ana.asks(type="DELETE", target="#lobby", ref=event["id"])
    assert ana.asks(type="EDIT", target="#lobby", ref=event["id"], content="x")["code"] == "not_found"
    assert ana.asks(type="REACT", target="#lobby", ref=event["id"], content="👍")["code"] == "not_found"


def test_a_text_of_exactly_the_bound_passes(people: People, name: Name) -> None:
    assert people.connect(name("ana")).says("长" * 4000)["content"] == "长" * 4000


def test_a_name_that_is_taken(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    answer = ana.asks(type="TEXT", content=f"/nick {bo.username}")
    assert answer["code"] == "conflict"


def test_over_the_rate(start_server: Callable[..., Any]) -> None:
    """Two connections of one account share its rate: who would have to wait for more than 2 s is refused."""
    server = start_server(env={"ALONECHAT_RATE_MESSAGES": "0.25", "ALONECHAT_RATE_BURST": "3"})
    with People(server) as found:
        ana = found.connect("ana")
        for number in range(3):
            ana.says(f"{number}")
        answer = ana.asks(type="TEXT", content="too much")
        assert answer["code"] == "rate_limited" and 2.0 < answer["retry_after"] <= 4.0
        assert ana.asks(type="HISTORY", target="#lobby")["type"] == "HISTORY", "reading is not limited"
        sent = found.call(ana, "POST", "/send", json={"content": "too much"})
        assert sent.status_code == 429 and int(sent.headers["Retry-After"]) >= 2


def test_over_the_rate_by_a_little_only_waits(start_server: Callable[..., Any]) -> None:
    server = start_server(env={"ALONECHAT_RATE_MESSAGES": "50", "ALONECHAT_RATE_BURST": "5"})
    with People(server) as found:
        ana = found.connect("ana")
        for number in range(40):
            ana.send(type="TEXT", content=f"{number}")
        assert [ana.hears("TEXT")["content"] for _ in range(40)] == [f"{n}" for n in range(40)], "order is kept"
