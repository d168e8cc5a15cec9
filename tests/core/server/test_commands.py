"""Commands: how their words are taken."""

from __future__ import annotations

import pytest

from alonechat.core.server.commands import COMMANDS, Call, CommandProcessor, Outcome
from alonechat.core.server.effects import Appoint, Inherit, Notify, Sanction, Silence, Tell
from alonechat.core.server.rooms import Facts, decide
from alonechat.core.store.records import Account, Conversation, Membership
from alonechat.errors import Rejected

PEOPLE = {name: Account(name, name.title()) for name in ("ana", "bo", "cy")}
ONE = ("kick", "ban", "unban", "mute", "unmute", "mod", "unmod", "invite", "uninvite")
"""The commands that take a name and nothing else."""


def work(access: str = "private") -> Conversation:
    """The room #work that ana made; bo is a member, cy is not."""
    room = Conversation("#work", "room", access, seq=9)
    room.members.update({"ana": Membership(1, True), "bo": Membership(5)})
    return room


def run(text: str, room: Conversation | None = None, me: Account = PEOPLE["ana"]) -> Outcome:
    """What `text` comes to, of ana (or `me`) in the room #work (or `room`)."""
    room = room or work()
    processor = CommandProcessor()
    command, rest = processor.find(text, "member")
    facts = Facts(me, room.key, room, set(PEOPLE))
    return processor.run(command, Call(facts, "#work", rest, PEOPLE.get, PEOPLE, lambda name: "online"))


def refusal(text: str) -> tuple[str, str]:
    """Code and sentence with which it is refused."""
    with pytest.raises(Rejected) as refused:
        run(text)
    return refused.value.code, refused.value.text


def test_these_are_all_the_commands_of_one_name() -> None:
    assert [each.name for each in COMMANDS if each.usage in ("<name>", "[name]")] == list(ONE)


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("words", ["bo 10m", "@bo cy", "bo\n10m", "  bo   for ever and ever", "nobody 10m"])
def test_a_command_of_one_name_refuses_more_words(name: str, words: str) -> None:
    assert refusal(f"/{name} {words}") == ("bad_frame", f"use it as /{name} <name>")


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("who", ["bo", "@BO", "  bo  "])
def test_with_the_name_alone_it_runs(name: str, who: str) -> None:
    assert run(f"/{name} {who}")


def test_who_is_muted_is_the_one_that_is_named_and_without_a_name_it_is_oneself_who_is_not_notified() -> None:
    assert Sanction("#work", "bo", "mute", True) in run("/mute bo")
    assert Sanction("#work", "bo", "mute", False) in run("/unmute bo")
    assert Silence("#work", True) in run("/mute")
    assert Silence("#work", False) in run("/unmute ")


def refused(text: str, room: Conversation, me: str | Account) -> str:
    """The code with which it is refused to somebody."""
    with pytest.raises(Rejected) as caught:
        run(text, room, PEOPLE[me] if isinstance(me, str) else me)
    return caught.value.code


def test_a_moderator_makes_others_and_unmakes_those_who_came_later() -> None:
    room = work()
    assert Appoint("#work", "bo", True) in run("/mod bo", room)
    assert refused("/mod bo", room, "bo") == refused("/unmod ana", room, "bo") == "forbidden"  # a member only
    assert refused("/mod cy", room, "ana") == "not_found"  # not in the room
    room.members["bo"].moderator = True
    assert run("/mod bo", room) == [Tell("bo moderates #work already.")]
    assert refused("/unmod ana", room, "bo") == "forbidden"  # who made the room is not put down
    assert Appoint("#work", "bo", False) in run("/unmod bo", room)
    assert run("/unmod bo", work()) == [Tell("bo does not moderate #work.")]
    assert refused("/unmod ana", room, "ana") == "forbidden"  # oneself


def test_a_moderator_of_the_server_is_above_a_rooms_where_it_is_open() -> None:
    mod = Account("cy", "Cy", "moderator")
    for access in ("open", "private"):
        room = work(access)
        room.members["cy"] = Membership(9)
        if access == "open":
            assert Appoint("#work", "ana", False) in run("/unmod ana", room, mod)
        else:
            assert refused("/unmod ana", room, mod) == "forbidden"


def test_whoever_goes_or_comes_it_is_looked_whether_somebody_moderates() -> None:
    room, names = work("open"), {"ana": PEOPLE["ana"], "cy": PEOPLE["cy"]}

    def kinds(name: str, frame: str) -> list[str]:
        facts = Facts(names[name], room.key, room, set(PEOPLE))
        return [type(effect).__name__ for effect in decide(facts, {"type": frame, "target": "#work"})]

    assert kinds("ana", "LEAVE") == ["Inherit", "Post"]
    assert kinds("cy", "JOIN") == ["Post", "Inherit"]
    assert Inherit("#work", "bo") in run("/kick bo", room)
    assert Inherit("#work", "bo") in run("/ban bo", room)


@pytest.mark.parametrize("command", ["kick", "ban", "mute", "unmod"])
def test_a_room_is_not_taken_over_by_who_came_later(command: str) -> None:
    room = work()
    room.members["bo"].moderator = True
    assert refused(f"/{command} ana", room, "bo") == "forbidden"
    assert run(f"/{command} bo", room)  # ana was there first
    del room.members["ana"]
    room.members["ana"] = Membership(9, True)  # she left, and came back
    assert refused(f"/{command} bo", room, "ana") == "forbidden"
    room.members["ana"].moderator = False
    assert run(f"/{command} ana", room, PEOPLE["bo"])


def test_a_notice_of_a_mute_goes_to_members_only() -> None:
    assert [type(each) for each in run("/mute cy", work())] == [Sanction, Tell]  # cy may not know of #work
    assert Notify("bo", "#work", "You can read but not write in #work now.") in run("/mute bo", work())


def test_who_is_restricted_is_said_to_moderators() -> None:
    room = work()
    assert run("/restricted", room) == [Tell("Nobody is muted in #work, banned or invited.")]
    room.muted.update(("bo", "al"))
    room.banned.add("cy")
    room.invited.add("di")
    (told,) = run("/restricted", room)
    assert told == Tell("Muted in #work: al, bo\nBanned from #work: cy\nInvited to #work: di")
    assert refused("/restricted", room, "bo") == "forbidden"
    room.invited.update(f"n{at:03}" for at in range(120))
    (told,) = run("/restricted", room)
    assert isinstance(told, Tell) and told.content.endswith("n048 (+71)")


def test_those_that_take_more_still_do() -> None:
    assert run("/me waves to bo") == {"type": "TEXT", "target": "#work", "content": "waves to bo", "via": "me"}
    assert run("/msg bo see you at 5") == {"type": "TEXT", "target": "bo", "content": "see you at 5"}
    assert run("/join #tea private") == {"type": "JOIN", "target": "#tea", "access": "private"}
    assert run("/topic plans for may") == {"type": "TOPIC", "target": "#work", "content": "plans for may"}
    assert run("/nick Ana of the hill")
    assert refusal("/msg bo") == ("bad_frame", "use it as /msg <name> <text>")
    assert refusal("/kick") == ("bad_frame", "use it as /kick <name>")
