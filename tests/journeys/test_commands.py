"""Commands: what they do, who may run them, and how they are undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alonechat.core.server.commands import CommandProcessor
from alonechat.testing import Person
from tests.journeys.people import People
from tests.journeys.process import ServerProcess

Name = Callable[[str], str]


def run(person: Person, command: str, target: str | None = None) -> dict[str, Any]:
    """The answer to a command."""
    return person.asks(type="TEXT", content=command, **({"target": target} if target else {}))


@pytest.fixture
def room(people: People, name: Name) -> tuple[str, Person, Person]:
    """A room, who made it, and a member."""
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    room = "#" + name("room")
    assert run(ana, f"/join {room}")["type"] == "JOIN"
    assert run(bo, f"/join {room[1:]}")["type"] == "JOIN"
    return room, ana, bo


def test_help_lists_every_command_and_explains_each(people: People, name: Name) -> None:
    ana = people.connect(name("ana"))
    listed = run(ana, "/help")
    assert listed["type"] == "NOTICE" and listed["target"] == "#lobby"
    names = [line.split()[0].rstrip(":") for line in listed["content"].splitlines()]
    assert {"/help", "/me", "/msg", "/join", "/leave", "/topic", "/who", "/nick", "/kick", "/ban", "/unban"} <= {*names}
    assert {f"/{known}" for known in CommandProcessor()._known} < {*names}, "and what plugins add"
    for each in names:
        assert run(ana, f"/help {each}")["content"].startswith(each)
    assert run(ana, "/HELP kick")["content"].startswith("/kick")


def test_a_typing_error_is_met_with_the_nearest_command(people: People, name: Name) -> None:
    answer = run(people.connect(name("ana")), "/topci x")
    assert answer["code"] == "not_found" and "/topic" in answer["content"]


def test_commands_are_nobody_elses_business_and_not_stored(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    ana.says("hi", bo.username)
    bo.hears("TEXT")
    assert run(ana, "/who", bo.username)["type"] == "NOTICE"
    assert not [f for f in bo.quiet() if f["type"] in ("TEXT", "NOTICE")]
    log = ana.asks(type="HISTORY", target=bo.username, after=0)["events"]
    assert [e["content"] for e in log] == ["hi"]


def test_msg_me_and_topic(people: People, room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    event = run(ana, f"/msg @{bo.username} come over")
    assert (event["type"], event["target"], event["content"]) == ("TEXT", bo.username, "come over")
    waved = run(ana, "/me waves\nand smiles", where)
    assert (waved["content"], waved["via"], waved["target"]) == ("waves\nand smiles", "me", where)
    assert bo.hears("TEXT", via="me")["content"] == waved["content"]
    assert run(ana, "/topic what we do", where)["type"] == "TOPIC"
    assert "what we do" in run(bo, "/topic", where)["content"]
    assert run(bo, "/topic mine", where)["code"] == "forbidden"


def test_who_is_here(room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    bo.asks(type="PRESENCE", content="busy")
    said = run(ana, "/who", where)["content"]
    assert ana.username in said and f"{bo.username} (busy)" in said and "2 of 2" in said


def test_nick_is_told_to_those_who_share_a_conversation(people: People, room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    shown = f"Ana {ana.username} 安娜"
    assert run(ana, f"/nick {shown}")["type"] == "NOTICE"
    user = bo.hears("USER")["user"]
    assert user == {"username": ana.username, "display_name": shown, "role": "member"}
    assert run(bo, "/nick \u202eevil")["type"] == "ERROR", "a name that turns the line around"
    members = bo.asks(type="MEMBERS", target=where)["members"]
    assert {m["username"]: m["display_name"] for m in members}[ana.username] == shown


def test_kick_and_come_back(room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    assert run(bo, f"/kick {ana.username}", where)["code"] == "forbidden"
    assert run(ana, f"/kick {ana.username}", where)["code"] == "forbidden"
    assert run(ana, f"/kick {bo.username}", where)["type"] == "NOTICE"
    assert bo.hears("LEAVE")["by"] == ana.username
    assert run(ana, f"/kick {bo.username}", where)["code"] == "not_found"
    assert run(bo, f"/join {where}")["type"] == "JOIN"


def test_ban_and_unban(room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    assert run(ana, f"/ban {bo.username}", where)["type"] == "NOTICE"
    assert bo.hears("LEAVE")["by"] == ana.username
    assert run(bo, f"/join {where}")["code"] == "forbidden"
    assert run(ana, f"/unban {bo.username}", where)["type"] == "NOTICE"
    assert run(bo, f"/join {where}")["type"] == "JOIN"


def test_a_member_is_made_a_moderator_and_a_member_again(people: People, room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    cy = people.connect(ana.username.replace("ana", "cy"))
    assert run(cy, f"/join {where}")["type"] == "JOIN"
    assert run(bo, f"/kick {cy.username}", where)["code"] == "forbidden"
    assert run(ana, f"/mod {bo.username}", where)["type"] == "NOTICE"
    assert bo.hears("NOTICE")["content"] == f"You moderate {where} now."
    assert cy.hears("USER")["user"]["username"] == bo.username, "clients ask anew who is what"
    outside = people.connect(ana.username.replace("ana", "di"))
    members = cy.asks(type="MEMBERS", target=where)["members"]
    assert {each["username"]: each["role"] for each in members}[bo.username] == "moderator"
    assert run(bo, "/topic ours", where)["type"] == "TOPIC"
    assert run(bo, f"/mute {cy.username}", where)["type"] == "NOTICE"
    assert run(bo, "/restricted", where)["content"] == f"Muted in {where}: {cy.username}"
    for command in ("unmod", "kick", "ban", "mute"):
        assert run(bo, f"/{command} {ana.username}", where)["code"] == "forbidden"
    assert run(ana, f"/unmod {bo.username}", where)["type"] == "NOTICE"
    assert cy.hears("USER")["user"]["username"] == bo.username
    assert [each for each in outside.quiet() if each.get("user", {}).get("username") == bo.username] == []
    assert run(bo, "/topic mine", where)["code"] == "forbidden"


def test_a_moderator_of_a_room_is_one_after_a_restart(start_server: Callable[..., ServerProcess], name: Name) -> None:
    server = start_server()
    with People(server) as first:
        ana, bo = first.connect("ana"), first.connect("bo")
        assert run(ana, "/join #den private")["type"] == "JOIN"
        assert run(ana, "/invite bo", "#den")["type"] == "NOTICE"
        assert run(bo, "/join #den")["type"] == "JOIN"
        assert run(ana, "/mod bo", "#den")["type"] == "NOTICE"
        assert run(ana, "/leave #den")["type"] == "LEAVE"
    server.stop()
    server.start()
    with People(server) as second:
        bo = second.connect("bo")
        assert run(bo, "/invite ana", "#den")["type"] == "NOTICE", "the room outlives who made it"


def test_a_room_is_left_to_who_was_there_for_longest(people: People, room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    cy = people.connect(ana.username.replace("ana", "cy"))
    assert run(cy, f"/join {where}")["type"] == "JOIN"
    assert run(ana, f"/leave {where}")["type"] == "LEAVE"
    assert bo.hears("NOTICE")["content"] == f"You moderate {where} now."
    assert run(bo, "/topic ours now", where)["type"] == "TOPIC"
    assert run(cy, "/topic mine", where)["code"] == "forbidden"
    assert run(ana, f"/join {where}")["type"] == "JOIN"
    assert run(ana, "/topic mine again", where)["code"] == "forbidden", "who comes back is a member"


def test_who_can_not_moderate_does_not_inherit(people: People, room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    cy, di = (people.connect(ana.username.replace("ana", each)) for each in ("cy", "di"))
    for each in (cy, di):
        assert run(each, f"/join {where}")["type"] == "JOIN"
    assert run(ana, f"/mute {bo.username}", where)["type"] == "NOTICE"
    assert run(ana, f"/leave {where}")["type"] == "LEAVE"
    assert cy.hears("NOTICE")["content"] == f"You moderate {where} now.", "bo is muted"
    assert run(cy, f"/mod {bo.username}", where)["type"] == "NOTICE"
    assert bo.says("who moderates is not muted", where)


def test_a_room_whose_moderators_are_banned_has_another(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    code = next(line.split()[2] for line in server.lines if line.startswith("owner invite"))
    with People(server) as people:
        people.register("head", invite=code)
        head, ana, bo, cy, di = (people.connect(each) for each in ("head", "ana", "bo", "cy", "di"))
        assert run(ana, "/join #den private")["type"] == "JOIN"
        for each in (bo, cy, di):
            assert run(ana, f"/invite {each.username}", "#den")["type"] == "NOTICE"
            assert run(each, "/join #den")["type"] == "JOIN"
        assert run(ana, "/mod bo", "#den")["type"] == "NOTICE"
        assert run(head, "/ban bo")["type"] == "NOTICE"
        assert run(ana, "/leave #den")["type"] == "LEAVE"
        assert cy.hears("NOTICE")["content"] == "You moderate #den now.", "bo moderates on paper only"
        assert run(head, "/ban cy")["type"] == "NOTICE"
        assert di.hears("NOTICE")["content"] == "You moderate #den now."
        assert run(di, "/invite ana", "#den")["type"] == "NOTICE"


def test_an_empty_room_belongs_to_who_comes_first(people: People, room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    for each in (bo, ana):
        assert run(each, f"/leave {where}")["type"] == "LEAVE"
    assert run(bo, f"/join {where}")["type"] == "JOIN"
    assert bo.hears("NOTICE")["content"] == f"You moderate {where} now."
    assert run(bo, "/topic mine", where)["type"] == "TOPIC"


def test_a_command_that_is_sent_again_is_not_carried_out_again(
    people: People, room: tuple[str, Person, Person]
) -> None:
    where, ana, bo = room

    def again(command: str, nonce: str) -> dict[str, Any]:
        ana.send(type="TEXT", content=command, target=where, nonce=nonce)
        return ana.hears("NOTICE", nonce=nonce)

    first = again(f"/kick {bo.username}", f"kick of {bo.username}")
    assert run(bo, f"/join {where}")["type"] == "JOIN"
    second = again(f"/kick {bo.username}", f"kick of {bo.username}")
    assert second["content"] == first["content"] and second["target"] == where
    assert bo.says("still here", where)
    later = people.connect(ana.username)  # another connection, after the first was lost
    later.send(type="TEXT", content=f"/kick {bo.username}", target=where, nonce=f"kick of {bo.username}")
    assert later.hears("NOTICE")["content"] == first["content"] and bo.says("and here", where)
    bo.send(type="TEXT", content="/who", target=where, nonce=f"kick of {bo.username}")
    assert "are here" in bo.hears("NOTICE")["content"], "another's nonce is another one"


def test_mute_and_unmute(people: People, room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    event = ana.says("hear me", where)
    assert run(ana, f"/mute {bo.username}", where)["type"] == "NOTICE"
    assert bo.hears("NOTICE")["target"] == where
    for frame in ({"type": "TEXT", "content": "x"}, {"type": "REACT", "ref": event["id"], "content": "👍"}):
        assert bo.asks(target=where, **frame)["code"] == "forbidden"
    assert bo.asks(type="HISTORY", target=where)["type"] == "HISTORY", "who is muted reads on"
    assert run(ana, f"/unmute {bo.username}", where)["type"] == "NOTICE"
    assert bo.says("thanks", where)
    assert run(bo, "/mute", where)["type"] == "NOTICE"
    (item,) = [c for c in people.connect(bo.username).welcome["conversations"] if c["target"] == where]
    assert item["muted"] is True
    assert run(bo, "/unmute", where)["type"] == "NOTICE"
    (item,) = [c for c in people.connect(bo.username).welcome["conversations"] if c["target"] == where]
    assert item["muted"] is False


def test_invite_and_uninvite(people: People, name: Name) -> None:
    ana, bo = people.connect(name("ana")), people.connect(name("bo"))
    where = "#" + name("den")
    assert run(ana, f"/join {where} private")["type"] == "JOIN"
    assert run(ana, f"/invite {bo.username}", where)["type"] == "NOTICE"
    assert run(ana, f"/uninvite {bo.username}", where)["type"] == "NOTICE"
    assert run(bo, f"/join {where}")["code"] == "not_found"
    assert run(ana, f"/invite {bo.username}", where)["type"] == "NOTICE"
    assert run(bo, f"/join {where}")["type"] == "JOIN"
    assert run(bo, f"/leave {where}")["type"] == "LEAVE"
    assert run(bo, f"/join {where}")["code"] == "not_found", "an invitation is used up"
    assert run(ana, f"/invite {bo.username}")["code"] == "forbidden", "not in the lobby"


def test_moderators_delete_what_others_wrote(room: tuple[str, Person, Person]) -> None:
    where, ana, bo = room
    event = bo.says("spam", where)
    assert ana.asks(type="DELETE", target=where, ref=event["id"])["type"] == "DELETE"
    assert bo.hears("DELETE")["sender"] == ana.username
