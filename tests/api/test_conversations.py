"""Send, receive, long polls, lists, search: and both transports see the same events."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from .conftest import Person, Server, hears


def code(response: httpx.Response) -> str:
    return str(response.json()["error"]["code"])


def test_what_is_sent_is_the_event_that_every_member_sees(server: Server, ana: Person, bo: Person) -> None:
    with bo.socket() as ws:
        sent = ana.says("hello, lobby", nonce="n-1")
        heard = hears(ws, "TEXT")
    assert sent == heard
    assert (sent["sender"], sent["target"], sent["content"], sent["nonce"]) == ("ana", "#lobby", "hello, lobby", "n-1")
    assert ana.get("/recv", after=sent["seq"] - 1, limit=1).json()["events"] == [sent]


def test_what_comes_over_the_socket_is_received_over_rest(ana: Person, bo: Person) -> None:
    with bo.socket() as ws:
        ws.send(json.dumps({"type": "TEXT", "content": "over the socket", "target": "ana"}))
        heard = hears(ws, "TEXT")
    assert ana.get("/recv", target="bo", after=heard["seq"] - 1).json()["events"] == [heard]


def test_the_same_nonce_gives_the_first_event_again(ana: Person) -> None:
    first = ana.says("once", nonce="only-once")
    assert ana.says("once", nonce="only-once") == first
    assert ana.says("something else", nonce="only-once") == first


def test_a_command_that_posts_nothing_is_answered_by_a_notice(ana: Person) -> None:
    found = ana.post("/send", content="/help", nonce="h")
    assert found.status_code == 200, found.text
    assert found.json()["type"] == "NOTICE"
    assert found.json()["nonce"] == "h"


def test_a_command_that_speaks_posts_an_event(ana: Person) -> None:
    event = ana.says("/me waves")
    assert (event["type"], event["via"]) == ("TEXT", "me")


def test_an_unknown_command_is_not_found(ana: Person) -> None:
    found = ana.post("/send", content="/no-such-command")
    assert (found.status_code, code(found)) == (404, "not_found")


def test_a_text_that_is_too_long_is_refused(ana: Person) -> None:
    found = ana.post("/send", content="x" * 4001)
    assert (found.status_code, code(found)) == (413, "too_long")


def test_a_stranger_is_not_found_and_a_room_needs_membership(ana: Person, bo: Person) -> None:
    assert ana.post("/send", content="hi", target="no-such-person").status_code == 404
    assert ana.post("/send", content="hi", target="#no-such-room").status_code == 404
    ana.frame(type="JOIN", target="#den", access="private")
    ana.says("in the den", "#den")
    for path in ("/recv?target=%23den", "/rooms/den/members", "/search?q=den&target=%23den"):
        assert bo.get(path).status_code == 404, path
    assert bo.post("/send", content="hi", target="#den").status_code == 404


def test_pages_run_forward_with_after_and_backward_with_before(server: Server) -> None:
    ann, ben = server.person("pager"), server.person("reader")
    sent = [ann.says(f"line {n}", "reader") for n in range(7)]
    forward = ben.get("/recv", target="pager", after=2, limit=3).json()
    assert [e["seq"] for e in forward["events"]] == [3, 4, 5]
    assert (forward["more"], forward["first"]) == (True, 1)
    backward = ben.get("/recv", target="pager", before=6, limit=3).json()
    assert [e["seq"] for e in backward["events"]] == [3, 4, 5]
    assert backward["more"] is True
    latest = ben.get("/recv", target="pager", limit=2).json()
    assert latest["events"] == sent[-2:]


def test_rest_and_socket_give_the_same_history(server: Server, ana: Person) -> None:
    with ana.socket() as ws:
        ws.send(json.dumps({"type": "HISTORY", "target": "#lobby", "limit": 5}))
        over = hears(ws, "HISTORY")
    assert ana.get("/recv", limit=5).json() == {name: over[name] for name in ("events", "more", "first")}


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "many"},
        {"limit": "1.0"},
        {"after": -1},
        {"after": "٣"},
        {"after": 1, "before": 5},
        {"wait": 5},
        {"wait": 31, "after": 0},
        {"limit": ["1", "2"]},
    ],
)
def test_a_wrong_parameter_is_named(ana: Person, query: dict[str, object]) -> None:
    found = ana.get("/recv", **query)
    assert (found.status_code, code(found)) == (422, "invalid")
    assert any(name in found.json()["error"]["message"] for name in query)


def test_a_long_poll_is_answered_when_somebody_speaks(server: Server) -> None:
    waits, speaks = server.person("patient"), server.person("chatty")
    last = speaks.says("before", "patient")["seq"]
    answers: list[httpx.Response] = []
    began = time.monotonic()
    poll = threading.Thread(
        target=lambda: answers.append(waits.get("/recv", target="chatty", after=last, wait=20)), daemon=True
    )
    poll.start()
    time.sleep(0.3)  # the poll has to be held back before anything is said
    assert not answers
    event = speaks.says("now", "patient")
    poll.join(10)
    assert answers[0].json()["events"] == [event]
    assert time.monotonic() - began < 10


def test_a_long_poll_over_news_that_is_there_does_not_wait(server: Server, ana: Person) -> None:
    ana.says("already here", "ana")
    began = time.monotonic()
    assert ana.get("/recv", target="ana", after=0, wait=30).json()["events"]
    assert time.monotonic() - began < 5


def test_a_long_poll_ends_empty_when_its_time_is_over(server: Server, ana: Person) -> None:
    last = ana.says("the last word", "ana")["seq"]
    began = time.monotonic()
    found = ana.get("/recv", target="ana", after=last, wait=1)
    assert found.json()["events"] == []
    assert 0.9 < time.monotonic() - began < 5


def test_a_held_back_answer_is_refused_when_the_sign_in_ends_meanwhile(server: Server) -> None:
    here = server.person("fleeting")
    there = server.sign_in("fleeting")
    last = here.says("mine", "fleeting")["seq"]
    answers: list[httpx.Response] = []
    poll = threading.Thread(
        target=lambda: answers.append(there.get("/recv", target="fleeting", after=last, wait=20)), daemon=True
    )
    poll.start()
    time.sleep(0.3)
    session = next(s["id"] for s in here.get("/me/sessions").json()["items"] if not s["current"])
    assert here.http.delete(f"/me/sessions/{session}").status_code == 200
    here.says("not for there", "fleeting")
    poll.join(10)
    assert answers[0].status_code == 401


def test_too_many_long_polls_of_one_account_are_refused(another: Callable[..., Server]) -> None:
    server = another(max_connections="2")
    ana = server.person("ana")
    last = ana.says("last", "ana")["seq"]
    answers: list[int] = []
    polls = [
        threading.Thread(
            target=lambda: answers.append(ana.get("/recv", target="ana", after=last, wait=3).status_code), daemon=True
        )
        for _ in range(3)
    ]
    for poll in polls:
        poll.start()
    for poll in polls:
        poll.join(10)
    assert sorted(answers) == [200, 200, 429]
    assert ana.get("/recv", target="ana", after=last, wait=1).status_code == 200  # the places are free again


def test_conversations_come_with_what_is_unread_latest_first(server: Server) -> None:
    ann, ben = server.person("cora"), server.person("cyril")
    event = ann.says("@cyril are you there", "cyril")
    found = ben.get("/conversations").json()
    first = found["items"][0]
    assert (first["target"], first["kind"], first["unread"], first["last"]) == ("cora", "direct", 1, event)
    assert "key" not in first
    with ben.socket() as ws:
        ws.send(json.dumps({"type": "READ", "target": "cora", "seq": event["seq"]}))
        hears(ws, "READ")
    assert ben.get("/conversations").json()["items"][0]["unread"] == 0
    rest = ben.get("/conversations", before="cora").json()
    assert "cora" not in [each["target"] for each in rest["items"]]


def test_rooms_are_those_one_may_know_of(server: Server, ana: Person, bo: Person) -> None:
    ana.frame(type="JOIN", target="#garden")
    ana.frame(type="JOIN", target="#cellar", access="private")
    mine = {each["target"]: each for each in ana.get("/rooms").json()["items"]}
    others = {each["target"]: each for each in bo.get("/rooms").json()["items"]}
    assert mine["#garden"]["member"] is True and mine["#cellar"]["access"] == "private"
    assert others["#garden"]["member"] is False and "#cellar" not in others
    assert others["#lobby"]["member"] is True
    assert others["#lobby"]["members"] >= 2


def test_the_members_of_a_room_come_with_presence_in_pages(server: Server, ana: Person, bo: Person) -> None:
    ana.frame(type="JOIN", target="#yard")
    bo.frame(type="JOIN", target="#yard")
    found = ana.get("/rooms/yard/members").json()
    assert [each["username"] for each in found["items"]] == ["ana", "bo"]
    assert found["more"] is False
    page = ana.get("/rooms/yard/members", limit=1).json()
    assert (page["items"][0]["username"], page["more"]) == ("ana", True)
    assert ana.get("/rooms/yard/members", after="ana").json()["items"][0]["username"] == "bo"
    assert ana.get("/rooms/%F0%9F%98%80/members").status_code == 404


def test_search_finds_only_where_the_caller_may_read(server: Server) -> None:
    ann, ben, eve = (server.person(name) for name in ("seeker", "hider", "prying"))
    secret = ann.says("quintessence of dust", "hider")
    said = ann.says("quintessence in public")
    assert [e["id"] for e in ben.get("/search", q="quintessence").json()["events"]] == [said["id"], secret["id"]]
    assert [e["id"] for e in eve.get("/search", q="quintessence").json()["events"]] == [said["id"]]
    assert [e["id"] for e in ben.get("/search", q="quintessence", target="seeker").json()["events"]] == [secret["id"]]
    assert ben.get("/search", q="quintessence", sender="hider").json() == {"events": [], "more": False}
    page = ben.get("/search", q="quintessence", limit=1).json()
    assert page["more"] is True
    older = ben.get("/search", q="quintessence", before=page["events"][0]["id"]).json()
    assert [e["id"] for e in older["events"]] == [secret["id"]]


def test_search_finds_chinese(ana: Person) -> None:
    event = ana.says("我们明天去上海开会")
    assert event["id"] in [e["id"] for e in ana.get("/search", q="上海").json()["events"]]


def test_search_needs_something_to_look_for(ana: Person) -> None:
    assert ana.get("/search").status_code == 422
    assert ana.get("/search", q="x", sender="a b").status_code == 422
    assert ana.get("/search", q="hello", before="not an id").status_code in (200, 422)
