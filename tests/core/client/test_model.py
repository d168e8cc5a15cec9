"""What a face draws from, as a fold over changes: windows, the outbox, people, order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alonechat.core.client.model import (
    MOST,
    Answered,
    Arrived,
    Change,
    Connection,
    Drafted,
    Gone,
    Kept,
    Learned,
    Listed,
    Model,
    Page,
    Passed,
    Settled,
    Summary,
    Told,
    Welcomed,
    Window,
    Written,
)
from tests.core.client.scripted import LIMITS, SERVER, event

LOBBY = "#lobby"
ALICE = {"username": "alice", "display_name": "Alice A", "role": "member"}


@pytest.fixture
def model() -> Model:
    return told(Welcomed(ALICE, SERVER, LIMITS))


def told(*changes: Change) -> Model:
    model = Model()
    for change in changes:
        model.apply(change)
    return model


def page(place: str, *seqs: int, start: bool = False, live: bool = True, position: int | None = None) -> Page:
    last = (seqs[-1] if seqs else 0) if position is None else position
    return Page(LOBBY, place, tuple(event(seq) for seq in seqs), start, live, last)


def arrived(seq: int, target: str = LOBBY, **more: Any) -> Arrived:
    return Arrived(target, event(seq, target, **more), True)


def entry(nonce: str = "n1", target: str = LOBBY, **more: Any) -> Written:
    return Written(
        **{"nonce": nonce, "target": target, "type": "TEXT", "content": "hi", "ref": None, "made": 0.0, **more}
    )


def seqs(model: Model) -> list[int]:
    return [message["seq"] for message in model.windows[LOBBY].messages]


# --- windows ---


def test_a_window_begins_with_its_latest_page_and_goes_on_with_what_arrives(model: Model) -> None:
    model.apply(arrived(3))  # nobody looks at it
    assert model.windows == {}
    model.apply(page("latest", 1, 2, 3, start=True))
    model.apply(arrived(4))
    model.apply(arrived(4))
    assert seqs(model) == [1, 2, 3, 4]
    window = model.windows[LOBBY]
    assert (window.start, window.live, window.position, window.version) == (True, True, 4, 1)


def test_a_page_of_the_past_is_not_added_to(model: Model) -> None:
    model.apply(page("around", 5, 6, live=False, position=0))
    model.apply(arrived(9))
    assert seqs(model) == [5, 6]
    model.apply(page("newer", 7, 8, live=False, position=0))
    assert (seqs(model), model.windows[LOBBY].live) == ([5, 6, 7, 8], False)
    model.apply(page("newer", 8, 9, live=True, position=9))
    assert (seqs(model), model.windows[LOBBY].live) == ([5, 6, 7, 8, 9], True)
    model.apply(arrived(10))
    assert seqs(model) == [5, 6, 7, 8, 9, 10]


def test_older_pages_go_in_front_and_only_what_lacks(model: Model) -> None:
    model.apply(page("older", 1, 2))
    assert model.windows == {}  # nobody looks at it any more
    model.apply(page("latest", 5, 6))
    model.apply(page("older", 3, 4, 5))
    model.apply(page("older", 1, 2, start=True))
    assert (seqs(model), model.windows[LOBBY].start) == ([1, 2, 3, 4, 5, 6], True)
    model.apply(page("older", start=True))
    assert seqs(model) == [1, 2, 3, 4, 5, 6]


def test_an_empty_window_takes_what_is_older(model: Model) -> None:
    model.apply(page("latest"))
    model.apply(page("older", 1, 2, start=True))
    model.apply(arrived(2))
    model.apply(arrived(3))
    assert seqs(model) == [1, 2, 3]


def test_a_new_page_replaces_the_window(model: Model) -> None:
    model.apply(page("latest", 8, 9))
    before = model.windows[LOBBY].version
    model.apply(page("around", 2, 3, start=True, live=False))
    assert (seqs(model), model.windows[LOBBY].version > before) == ([2, 3], True)
    model.apply(page("latest", 8, 9))
    assert (seqs(model), model.windows[LOBBY].live) == ([8, 9], True)


def test_a_window_has_a_size(model: Model) -> None:
    model.apply(page("latest", *range(1, MOST + 1), start=True))
    model.apply(arrived(MOST + 1))
    window = model.windows[LOBBY]
    assert len(window.messages) <= MOST and seqs(model)[-1] == MOST + 1 and not window.start
    model.apply(page("latest", *range(101, MOST + 101)))
    model.apply(page("older", *range(1, 101), start=True))
    window = model.windows[LOBBY]
    assert (seqs(model), window.start, window.live) == (list(range(1, MOST + 1)), True, False)
    model.apply(page("newer", *range(MOST + 1, MOST + 51), live=True, position=MOST + 50))
    window = model.windows[LOBBY]
    assert (seqs(model), window.start, window.live) == (list(range(51, MOST + 51)), False, True)


@pytest.mark.parametrize(
    ("change", "field", "wanted"),
    [
        ({"type": "EDIT", "content": "new"}, "content", "new"),
        ({"type": "EDIT", "content": "new"}, "edited", event(9)["timestamp"]),
        ({"type": "DELETE"}, "deleted", True),
        ({"type": "REACT", "content": "👍"}, "reactions", {"👍": ["bo"]}),
    ],
)
@pytest.mark.parametrize("live", [True, False])
def test_what_changes_a_message_changes_it_in_any_window(
    model: Model, live: bool, change: dict[str, Any], field: str, wanted: Any
) -> None:
    model.apply(page("around", 1, 2, live=live, position=2))
    before = model.windows[LOBBY].messages[0]
    model.apply(arrived(9, ref=before["id"], **change))
    after = model.windows[LOBBY].messages[0]
    assert after[field] == wanted
    assert field not in before or before[field] != wanted  # what a face has drawn already is another record
    assert model.windows[LOBBY].version == 1 and seqs(model) == [1, 2]


def test_a_message_is_found_by_its_id() -> None:
    window = Window(LOBBY, [event(1), event(2)], True, True, 2)
    assert (window.find(event(2)["id"]), window.find("no such"), window.find(None), window.find("")) == (
        1,
        None,
        None,
        None,
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["latest", "older", "newer", "around", "come"]), st.integers(0, 30), st.integers(0, 8)
        )
    )
)
def test_messages_ascend_whatever_pages_come(changes: list[tuple[str, int, int]]) -> None:
    model = Model()
    for place, first, count in changes:
        change = arrived(first + 1) if place == "come" else page(place, *range(first + 1, first + count + 1))
        model.apply(change)
        for window in model.windows.values():
            found = [message["seq"] for message in window.messages]
            assert found == sorted(set(found))


# --- the outbox ---


def test_what_is_written_waits_until_its_event_is_there(model: Model) -> None:
    model.apply(page("latest", 1))
    model.apply(Kept(entry()))
    assert [each.nonce for each in model.waiting(LOBBY)] == ["n1"]
    model.apply(Settled("n1", 2))
    (waiting,) = model.waiting(LOBBY)
    assert waiting.done and not waiting.code  # it does not vanish before its event is drawn
    model.apply(arrived(2, sender="alice", nonce="n1"))
    assert model.waiting() == [] and seqs(model) == [1, 2]


def test_an_event_before_its_receipt_ends_the_waiting(model: Model) -> None:
    model.apply(page("latest", 1))
    model.apply(Kept(entry()))
    model.apply(arrived(2, sender="bo", nonce="n1"))  # somebody else's nonce is nothing to us
    assert len(model.waiting()) == 1
    model.apply(arrived(3, sender="alice", nonce="n1"))
    model.apply(Settled("n1", 3))
    assert model.waiting() == []


def test_a_receipt_that_no_window_waits_for_ends_it(model: Model) -> None:
    model.apply(Kept(entry("n1", "bo")))
    model.apply(Settled("n1", 2))  # no window
    model.apply(page("around", 1, live=False))
    model.apply(Kept(entry("n2")))
    model.apply(Settled("n2", 40))  # a window onto the past
    model.apply(Kept(entry("n3", type="REACT", ref="m1")))
    model.apply(Settled("n3", 41))
    model.apply(Settled("n4", 42))  # unknown
    assert model.waiting() == []


def test_what_was_done_goes_with_a_new_page(model: Model) -> None:
    model.apply(page("latest", 1))
    for change in (Kept(entry("n1")), Settled("n1", 2), Kept(entry("n2"))):
        model.apply(change)
    model.apply(page("latest", 1, 2))
    assert [each.nonce for each in model.waiting()] == ["n2"]


def test_a_refusal_stays_and_can_be_thrown_away(model: Model) -> None:
    model.apply(Kept(entry("n1")))
    model.apply(Kept(entry("n2", "bo")))
    model.apply(Kept(entry("n1", code="forbidden", reason="you are muted")))
    assert [(each.nonce, each.code) for each in model.waiting()] == [("n1", "forbidden"), ("n2", "")]  # in its place
    assert [each.nonce for each in model.waiting("bo")] == ["n2"]
    model.apply(Settled("n1", 0))
    assert [each.nonce for each in model.waiting()] == ["n2"]


# --- people ---


def test_who_one_is_is_known_with_the_welcome(model: Model) -> None:
    assert (model.me, model.shown("alice"), model.shown("bo")) == ("alice", "Alice A", "bo")
    model.apply(Passed({"type": "USER", "user": {**ALICE, "display_name": "A"}}, 0.0))
    assert (model.user["display_name"], model.shown("alice")) == ("A", "A")


def members(*names: str, after: str | None = None, **more: Any) -> Passed:
    found = [{"username": name, "display_name": name.title(), "presence": "online"} for name in names]
    return Passed({"type": "MEMBERS", "target": LOBBY, "members": found, "after": after, **more}, 0.0)


def test_members_come_in_pages_join_and_leave(model: Model) -> None:
    model.apply(members("alice", "bo"))
    model.apply(members("bo", "cy", after="bo"))
    assert model.members[LOBBY] == ["alice", "bo", "cy"]
    model.apply(arrived(1, sender="di", type="JOIN"))
    model.apply(arrived(2, sender="di", type="JOIN"))
    model.apply(arrived(3, sender="bo", type="LEAVE"))
    model.apply(arrived(4, sender="zed", type="LEAVE"))
    assert model.members[LOBBY] == ["alice", "cy", "di"]
    model.apply(members("alice"))
    assert model.members[LOBBY] == ["alice"]
    assert (model.shown("cy"), model.presence["cy"]) == ("Cy", "online")


def test_typing_ends_by_itself_and_with_the_message(model: Model) -> None:
    for sender, target in (("bo", LOBBY), ("cy", LOBBY), ("alice", LOBBY), ("bo", "alice")):
        model.apply(Passed({"type": "TYPING", "sender": sender, "target": target}, 100.0))
    assert model.typists(LOBBY, 105.9) == ["bo", "cy"]  # not oneself
    assert model.typists("bo", 105.9) == ["bo"]  # a direct one is called by the other's name
    model.apply(arrived(1, sender="bo"))
    assert model.typists(LOBBY, 105.9) == ["cy"]
    assert model.typists(LOBBY, 106.0) == []


def test_offline_nobody_is_known_to_be_there(model: Model) -> None:
    model.apply(Passed({"type": "PRESENCE", "sender": "bo", "content": "away"}, 0.0))
    model.apply(Passed({"type": "TYPING", "sender": "bo", "target": LOBBY}, 0.0))
    assert model.presence == {"bo": "away"}
    model.apply(Connection("catching up", 1.0))
    assert model.presence == {"bo": "away"}
    model.apply(Connection("offline", 2.0, 7.0, "the line was cut"))
    assert (model.presence, model.typists(LOBBY, 1.0)) == ({}, [])
    assert (model.connection.state, model.connection.again_at, model.connection.reason) == (
        "offline",
        7.0,
        "the line was cut",
    )


# --- conversations ---


def test_rooms_come_by_name_behind_the_lobby_and_people_by_their_last_word(model: Model) -> None:
    summaries = [Summary(name, "room") for name in ("#zoo", LOBBY, "#art")]
    summaries += [
        Summary("bo", "direct", last=event(5, "bo")),
        Summary("ana", "direct"),
        Summary("cy", "direct", last=event(9, "cy")),
    ]
    model.apply(Listed(tuple(summaries)))
    assert [each.target for each in model.order()] == [LOBBY, "#art", "#zoo", "cy", "bo", "ana"]
    model.apply(Listed((Summary("ana", "direct", last=event(11, "ana")),)))
    assert [each.target for each in model.directs()] == ["ana", "cy", "bo"]
    assert [each.name for each in model.rooms()] == ["lobby", "art", "zoo"]


def test_what_is_muted_asks_for_nothing_unless_one_is_meant(model: Model) -> None:
    model.apply(Listed((
        Summary("#a", "room", unread=2), Summary("#b", "room", unread=2, muted=True),
        Summary("#c", "room", unread=2, mentions=1, muted=True), Summary("#d", "room"),
    )))  # fmt: skip
    assert [each.target for each in model.unread()] == ["#a", "#c"]


def test_a_conversation_that_is_left_is_gone_but_for_what_one_wrote(model: Model) -> None:
    for change in (Listed((Summary("#tea", "room"),)), Drafted("#tea", "half"), Kept(entry("n1", "#tea"))):
        model.apply(change)
    model.apply(Page("#tea", "latest", (), True, True, 0))
    model.apply(Gone(("#tea", "#never")))
    assert (model.conversations, model.windows) == ({}, {})
    assert (model.drafts, [each.nonce for each in model.waiting()]) == ({"#tea": "half"}, ["n1"])


def test_what_is_told_is_kept_for_a_while(model: Model) -> None:
    for n in range(60):
        model.apply(Told(LOBBY, str(n), float(n)))
    assert [each.text for each in model.told[LOBBY]] == [str(n) for n in range(10, 60)]


def test_commands_are_those_that_were_learned_last(model: Model) -> None:
    model.apply(Learned({"/a": ("/a", "")}))
    model.apply(Learned({"/b": ("/b", "")}))
    assert set(model.commands) == {"/b"}


def test_an_answer_changes_nothing(model: Model) -> None:
    before = repr(model)
    model.apply(Answered(lambda result, error: None, 7, None))
    assert repr(model) == before


def test_who_is_new_on_the_server_is_in_the_lobby_once_seen(model: Model) -> None:
    model.apply(arrived(1, sender="early", type="TEXT", content="before anybody was asked for"))
    assert LOBBY not in model.members
    model.apply(members("alice", "bo"))
    model.apply(arrived(2, sender="fay", type="TEXT", content="I am new here"))
    model.apply(Passed({"type": "PRESENCE", "sender": "gil", "content": "online"}, 0.0))
    model.apply(Passed({"type": "PRESENCE", "sender": "gone", "content": "offline"}, 0.0))
    model.apply(arrived(3, sender="bo", type="TEXT", content="welcome"))
    assert model.members[LOBBY] == ["alice", "bo", "fay", "gil"] and model.shown("fay") == "fay"
    model.apply(members("alice", "bo", "fay"))
    assert model.members[LOBBY] == ["alice", "bo", "fay"] and model.shown("fay") == "Fay"


def test_who_moderates_one_room_is_a_member_in_others() -> None:
    model = Model()
    model.apply(Welcomed(ALICE, {}, {}))

    def members(target: str, **roles: str) -> Passed:
        listed = [{"username": name, "display_name": name, "role": role} for name, role in roles.items()]
        return Passed({"type": "MEMBERS", "target": target, "members": listed}, 0.0)

    model.apply(members("#tea", alice="moderator", bo="member", cy="admin"))
    model.apply(members("#coffee", alice="member", bo="moderator", cy="admin"))
    roles = {(name, room): model.role(name, room) for name in ("alice", "bo", "cy") for room in ("#tea", "#coffee")}
    assert roles == {
        ("alice", "#tea"): "moderator",
        ("alice", "#coffee"): "member",
        ("bo", "#tea"): "member",
        ("bo", "#coffee"): "moderator",
        ("cy", "#tea"): "admin",
        ("cy", "#coffee"): "admin",
    }
    model.apply(Gone(("#tea",)))
    assert model.role("alice", "#tea") == "member"
