"""People talk: every frame that a client may send, answered by the built file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.journeys.people import People

Name = Callable[[str], str]


def test_welcome_says_what_a_client_needs(people: People, name: Name) -> None:
    me = name("ana")
    people.register(me, display_name="Ana Müller")
    welcome = people.connect(me).welcome
    assert welcome["protocol"] == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", welcome["timestamp"])
    assert {"name", "version", "id", "epoch"} <= welcome["server"].keys()
    assert welcome["user"] == {"username": me, "display_name": "Ana Müller", "role": "member"}
    assert welcome["limits"] == {"max_content": 4000, "max_frame": 65536, "heartbeat": 30}
    assert welcome["more"] is False
    (lobby,) = welcome["conversations"]
    assert (lobby["target"], lobby["kind"], lobby["access"]) == ("#lobby", "room", "open")
    assert lobby["unread"] == 0 and lobby["muted"] is False and lobby["members"] >= 1 and "last" in lobby
    assert "key" not in lobby


def test_everybody_gets_the_same_bytes(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    ana.send(type="TEXT", content="hello 上海", nonce="n1", sender="somebody else", extra=[1])
    mine = ana.hears("TEXT", nonce="n1")
    assert bo.hears("TEXT", nonce="n1") == mine
    assert mine["sender"] == ana.username and mine["target"] == "#lobby" and mine["content"] == "hello 上海"
    assert list(mine) == ["type", "sender", "target", "content", "timestamp", "id", "seq", "nonce"]


def test_seq_goes_on_without_gaps_after_the_welcome(people: People, name: Name) -> None:
    ana = people.connect(name("ana"))
    room = "#" + name("room")
    ana.asks(type="JOIN", target=room)
    for number in range(5):
        ana.says(str(number), room)
    again = people.connect(ana.username)
    (item,) = [c for c in again.welcome["conversations"] if c["target"] == room]
    assert item["seq"] == 6 and item["last"]["content"] == "4"
    ana.says("next", room)
    assert again.hears("TEXT", target=room)["seq"] == 7


def test_direct_is_the_same_for_both_and_nobody_else(people: People, name: Name) -> None:
    ana, bo, eve = (people.connect(name(who)) for who in ("ana", "bo", "eve"))
    event = ana.says("psst", bo.username)
    assert event["target"] == bo.username and event["seq"] == 1
    assert bo.hears("TEXT", sender=ana.username) == event
    back = bo.says("yes?", ana.username)
    assert back["seq"] == 2 and ana.hears("TEXT", sender=bo.username) == back
    assert not [f for f in eve.quiet() if f["type"] == "TEXT"]
    note = ana.says("buy milk", ana.username)
    assert (note["sender"], note["target"], note["seq"]) == (ana.username, ana.username, 1)


def test_edit_delete_react_and_what_history_shows(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    first = ana.says("helo", bo.username)
    bo.hears("TEXT")
    edit = ana.asks(type="EDIT", target=bo.username, ref=first["id"], content="hello")
    assert (edit["type"], edit["ref"], edit["content"], edit["seq"]) == ("EDIT", first["id"], "hello", 2)
    assert bo.hears("EDIT") == edit
    like = bo.asks(type="REACT", target=ana.username, ref=first["id"], content="👍")
    assert (like["type"], like["content"]) == ("REACT", "👍") and "removed" not in like
    again = bo.asks(type="REACT", target=ana.username, ref=first["id"], content="👍")
    assert {**again, "nonce": ""} == {**like, "nonce": ""}, "a repeated reaction is answered by the one that stands"
    ana.asks(type="REACT", target=bo.username, ref=first["id"], content="❤️")
    shown = bo.asks(type="HISTORY", target=ana.username)
    (text,) = shown["events"]
    assert text["content"] == "hello" and text["edited"] == edit["timestamp"]
    assert text["reactions"] == {"👍": [bo.username], "❤️": [ana.username]}
    off = bo.asks(type="REACT", target=ana.username, ref=first["id"], content="👍", removed=True)
    assert off["removed"] is True
    gone = ana.asks(type="DELETE", target=bo.username, ref=first["id"])
    assert gone["type"] == "DELETE"
    repeated = ana.asks(type="DELETE", target=bo.username, ref=first["id"])
    assert (repeated["id"], repeated["seq"]) == (gone["id"], gone["seq"])
    log = bo.asks(type="HISTORY", target=ana.username, after=0)["events"]
    assert [e["type"] for e in log] == ["TEXT", "EDIT", "REACT", "REACT", "REACT", "DELETE"]
    assert log[0]["deleted"] is True and log[0]["content"] == "" and log[1]["content"] == ""
    assert "reactions" not in log[0]
    assert [e["seq"] for e in log] == [1, 2, 3, 4, 5, 6]


def test_a_reply_names_what_it_answers_and_mentions_are_found(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    first = ana.says(f"hi @{bo.username}, and @{bo.username.upper()}!")
    assert first["mentions"] == [bo.username]
    reply = bo.says("hello", ref=first["id"])
    assert reply["ref"] == first["id"]
    assert ana.says("@all lunch")["mentions"] == ["*"]
    again = people.connect(bo.username)
    assert again.welcome["conversations"][0]["mentions"] >= 2


def test_a_room_from_its_making_to_its_leaving(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    room = "#" + name("Room")
    joined = ana.asks(type="JOIN", target=room)
    assert (joined["type"], joined["seq"], joined["target"]) == ("JOIN", 1, room.lower())
    again = ana.asks(type="JOIN", target=room)
    assert again["id"] == joined["id"], "who is in already is answered with the JOIN that made it so"
    bo.asks(type="JOIN", target=room)
    assert ana.hears("JOIN", sender=bo.username)["seq"] == 2
    topic = ana.asks(type="TOPIC", target=room, content="what we do")
    assert bo.hears("TOPIC") == topic
    assert bo.asks(type="TOPIC", target=room, content="mine")["code"] == "forbidden"
    ana.says("welcome", room)
    bo.hears("TEXT", target=room.lower())
    left = bo.asks(type="LEAVE", target=room)
    assert left["type"] == "LEAVE" and ana.hears("LEAVE") == left
    ana.says("gone?", room)
    assert not [f for f in bo.quiet() if f.get("target") == room.lower()]
    assert bo.asks(type="HISTORY", target=room)["code"] == "forbidden"
    repeated = bo.asks(type="LEAVE", target=room)
    assert repeated["id"] == left["id"], "a LEAVE repeated is answered with the one that made it so"
    assert bo.asks(type="TEXT", target=room, content="still here?")["code"] == "forbidden"


def test_a_private_room_is_nobody_elses_business(people: People, name: Name) -> None:
    ana, bo, eve = (people.connect(name(who)) for who in ("ana", "bo", "eve"))
    room = "#" + name("secret")
    ana.asks(type="JOIN", target=room, access="private")
    ana.says("before", room)
    for frame in ({"type": "JOIN"}, {"type": "HISTORY"}, {"type": "TEXT", "content": "x"}, {"type": "MEMBERS"}):
        assert eve.asks(target=room, **frame)["code"] == "not_found", frame
    assert ana.asks(type="TEXT", target=room, content=f"/invite {bo.username}")["type"] == "NOTICE"
    assert room in bo.hears("NOTICE")["content"]
    joined = bo.asks(type="JOIN", target=room)
    assert joined["type"] == "JOIN"
    ana.says("after", room)
    page = bo.asks(type="HISTORY", target=room, after=0)
    assert [e["content"] for e in page["events"]] == ["", "after"] and page["first"] == joined["seq"]
    assert room not in [r["target"] for r in people.call(eve, "GET", "/rooms").json()["items"]]
    assert room in [r["target"] for r in people.call(bo, "GET", "/rooms").json()["items"]]


def test_history_scrolls_and_catches_up(people: People, name: Name) -> None:
    ana = people.connect(name("ana"))
    room = "#" + name("room")
    ana.asks(type="JOIN", target=room)
    texts = [ana.says(f"message {n}", room) for n in range(7)]
    ana.asks(type="EDIT", target=room, ref=texts[0]["id"], content="changed")
    latest = ana.asks(type="HISTORY", target=room, limit=3)
    assert [e["seq"] for e in latest["events"]] == [6, 7, 8] and latest["more"] is True and latest["first"] == 1
    older = ana.asks(type="HISTORY", target=room, before=6, limit=3)
    assert [e["seq"] for e in older["events"]] == [3, 4, 5] and older["more"] is True
    oldest = ana.asks(type="HISTORY", target=room, before=3, limit=3)
    assert [e["type"] for e in oldest["events"]] == ["JOIN", "TEXT"] and oldest["more"] is False
    assert oldest["events"][1]["content"] == "changed"
    missed = ana.asks(type="HISTORY", target=room, after=6)
    assert [e["type"] for e in missed["events"]] == ["TEXT", "TEXT", "EDIT"] and missed["more"] is False
    assert ana.asks(type="HISTORY", target=room, after=1, before=2)["code"] == "bad_frame"


def test_marks_of_reading_reach_ones_other_devices(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    phone = people.connect(bo.username)
    for number in range(3):
        ana.says(f"{number}", bo.username)
    mark = bo.asks(type="READ", target=ana.username, seq=2)
    assert mark["seq"] == 2 and mark["target"] == ana.username
    heard = phone.hears("READ")
    assert (heard["target"], heard["seq"]) == (ana.username, 2) and "nonce" not in heard
    assert bo.asks(type="READ", target=ana.username, seq=1)["seq"] == 2, "never backward"
    (item,) = [c for c in people.connect(bo.username).welcome["conversations"] if c["target"] == ana.username]
    assert (item["read"], item["unread"], item["seq"]) == (2, 1, 3)
    assert bo.asks(type="READ", target=ana.username, seq=1 << 40)["seq"] == 3, "never beyond the log"
    assert not [f for f in ana.quiet() if f["type"] == "READ"], "marks are one's own"


def test_typing_is_told_to_the_others_once_in_three_seconds(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    ana.says("hi", bo.username)
    bo.hears("TEXT")
    for _ in range(5):
        ana.send(type="TYPING", target=bo.username)
    assert not [f for f in ana.quiet() if f["type"] == "TYPING"]
    heard = [f for f in [bo.hears("TYPING"), *bo.quiet()] if f["type"] == "TYPING"]
    assert heard == [{"type": "TYPING", "sender": ana.username, "target": bo.username}]


def test_presence_follows_the_devices(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    assert ana.hears("PRESENCE", sender=bo.username)["content"] == "online"
    answer = bo.asks(type="PRESENCE", content="away")
    assert (answer["type"], answer["content"]) == ("PRESENCE", "away")
    assert ana.hears("PRESENCE", sender=bo.username)["content"] == "away"
    phone = people.connect(bo.username)
    bo.close()
    members = ana.asks(type="MEMBERS", target=bo.username)["members"]
    assert {m["username"]: m["presence"] for m in members}[bo.username] == "away", "the other device is still here"
    phone.close()
    assert ana.hears("PRESENCE", sender=bo.username)["content"] == "offline"


def test_members_come_in_pages_with_presence(people: People, name: Name) -> None:
    room = "#" + name("room")
    stem = name("member")
    everybody = [people.connect(f"{stem}{n}") for n in range(4)]
    for each in everybody:
        each.asks(type="JOIN", target=room)
    page = everybody[0].asks(type="MEMBERS", target=room, limit=3)
    assert [m["username"] for m in page["members"]] == [f"{stem}{n}" for n in range(3)] and page["more"] is True
    assert page["members"][0].keys() == {"username", "display_name", "role", "presence"}
    assert [m["role"] for m in page["members"]] == ["moderator", "member", "member"], "who makes a room moderates it"
    rest = everybody[0].asks(type="MEMBERS", target=room, limit=3, after=f"{stem}2")
    assert [m["username"] for m in rest["members"]] == [f"{stem}3"] and rest["more"] is False


def test_heartbeat_is_answered(people: People, name: Name) -> None:
    assert people.connect(name("ana")).asks(type="HEARTBEAT") | {"nonce": ""} == {"type": "HEARTBEAT", "nonce": ""}


def test_a_nonce_posts_once_and_is_answered_to_the_asker_alone(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    phone = people.connect(ana.username)
    event = ana.asks(type="TEXT", target=bo.username, content="once", nonce="same")
    bo.hears("TEXT")
    phone.hears("TEXT")
    assert ana.asks(type="TEXT", target=bo.username, content="other words", nonce="same") == event
    assert phone.asks(type="TEXT", target="#lobby", content="another place", nonce="same") == event
    assert not [f for f in bo.quiet() if f["type"] == "TEXT"]
    for person in (ana, bo):
        person.send(type="TEXT", content="each has nonces of one's own", nonce="mine")
    assert bo.hears("TEXT", sender=bo.username, nonce="mine")


def test_a_resend_after_a_kick_gets_its_event(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    room = "#" + name("room")
    ana.asks(type="JOIN", target=room)
    bo.asks(type="JOIN", target=room)
    event = bo.asks(type="TEXT", target=room, content="said", nonce="said")
    assert ana.asks(type="TEXT", target=room, content=f"/kick {bo.username}")["type"] == "NOTICE"
    left = bo.hears("LEAVE")
    assert left["by"] == ana.username and left["sender"] == bo.username
    assert bo.asks(type="TEXT", target=room, content="said", nonce="said") == event
    assert bo.asks(type="TEXT", target=room, content="more")["code"] == "forbidden"


@pytest.mark.parametrize(
    ("content", "said"),
    [("//etc is a folder", "/etc is a folder"), ("/me waves", "waves"), ("  /help", "  /help")],
)
def test_slashes(people: People, name: Name, content: str, said: str) -> None:
    ana = people.connect(name("ana"))
    event = ana.asks(type="TEXT", content=content)
    assert (event["type"], event["content"]) == ("TEXT", said)
    assert event.get("via") == ("me" if content.startswith("/me") else None)


def test_history_is_what_was_heard_live(people: People, name: Name) -> None:
    """What the log gives later is, event for event, what a member heard when it happened."""
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    room = "#" + name("room")
    ana.asks(type="JOIN", target=room)
    bo.asks(type="JOIN", target=room)
    for number in range(20):
        (ana if number % 2 else bo).send(type="TEXT", target=room, content=f"{number} 消息", nonce=f"{room}{number}")
    heard = [ana.hears("TEXT", target=room) for _ in range(20)]
    assert [e["seq"] for e in heard] == list(range(3, 23))
    assert bo.asks(type="HISTORY", target=room, after=2)["events"] == heard
    assert len(json.dumps(heard)) > 1000
