"""A window of messages as rows: days, groups, notes, what waits, what is new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alonechat.core.client.model import Arrived, Kept, Model, Page, Passed, Settled, Told, Welcomed, Written
from alonechat.core.client.moment import Moment, stamp_of
from alonechat.core.client.rows import Quote, Row, rows
from alonechat.core.client.words import choose
from tests.core.client.scripted import event

LOBBY = "#lobby"
AT = stamp_of(event(0)["timestamp"])
MOMENT = Moment(AT + 3600, UTC)
DAY = "day:2026-11-23"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    choose("en")
    yield
    choose("en")


def model(*messages: dict[str, Any], start: bool = False, live: bool = True) -> Model:
    found = Model()
    found.apply(Welcomed({"username": "alice"}, {}, {}))
    position = messages[-1]["seq"] if messages else 0
    found.apply(Page(LOBBY, "latest", messages, start, live, position))
    return found


def drawn(found: Model, since: int | None = None) -> list[Row]:
    return rows(found, LOBBY, MOMENT, since)


def shown(found: Model, since: int | None = None) -> list[str]:
    """The rows as lines: a message as `name: text`, `+` where it goes on in a group; else kind and text."""
    lines = []
    for row in drawn(found, since):
        if row.kind in ("message", "written"):
            lines.append(f"{row.name}: {row.text}" if row.first else f"+ {row.text}")
        else:
            lines.append(f"{row.kind}: {row.text}")
    return lines


def only(found: Model) -> Row:
    (row,) = [row for row in drawn(found) if row.kind in ("message", "written", "note", "told")]
    return row


def written(nonce: str = "n1", **more: Any) -> Kept:
    given = {"nonce": nonce, "target": LOBBY, "type": "TEXT", "content": "hi", "ref": None, "made": AT + 10, **more}
    return Kept(Written(**given))


# --- days, groups, what is new ---


def test_nothing_is_drawn_of_what_nobody_opened_and_of_what_is_empty() -> None:
    assert rows(Model(), LOBBY, MOMENT) == []
    assert drawn(model(start=True)) == []


def test_the_beginning_the_day_and_groups() -> None:
    found = model(event(1), event(2), event(3, sender="ana"), event(4), start=True)
    assert shown(found) == [
        "start: This is where it begins",
        "day: Today",
        "bo: message 1",
        "+ message 2",
        "ana: message 3",
        "bo: message 4",
    ]
    assert [row.time for row in drawn(found)][2:4] == ["04:00", "04:00"]


def test_a_group_ends_after_five_minutes() -> None:
    found = model(event(1), event(301), event(602))
    assert shown(found) == ["day: Today", "bo: message 1", "+ message 301", "bo: message 602"]


def test_each_day_has_a_line_and_begins_a_group() -> None:
    late = {"timestamp": "2026-11-22T23:59:00.000Z"}
    early = {"timestamp": "2026-11-23T00:01:00.000Z"}
    assert shown(model(event(1, **late), event(2, **early))) == [
        "day: Yesterday",
        "bo: message 1",
        "day: Today",
        "bo: message 2",
    ]


def test_a_machine_whose_clock_is_late_brings_no_day_back() -> None:
    found = model(event(1, timestamp="2026-11-22T10:00:00.000Z"), event(2))
    found.apply(written(made=AT - 86_400))
    assert [row.key for row in drawn(found) if row.kind == "day"] == ["day:2026-11-22", DAY]


@pytest.mark.parametrize(
    ("since", "before"),
    [(None, None), (0, "message 1"), (1, "message 2"), (2, "message 3"), (3, None), (4, None), (9, None)],
)
def test_what_is_new_has_a_line_above_it(since: int | None, before: str | None) -> None:
    found = drawn(model(event(1), event(2), event(3), event(4, sender="alice")), since)
    at = next((at for at, row in enumerate(found) if row.kind == "new"), None)
    assert (found[at + 1].text if at is not None else None) == before
    if at is not None:
        assert found[at + 1].first  # who wrote it is said again below the line


def test_notes_alone_are_not_new() -> None:
    assert [row.kind for row in drawn(model(event(1), event(2, type="JOIN")), since=1)] == ["day", "message", "note"]


# --- messages ---


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, {"author": "bo", "name": "bo", "mine": False, "mention": False, "state": ""}),
        ({"sender": "alice"}, {"mine": True, "state": "sent", "mention": False}),
        ({"mentions": ["alice"]}, {"mention": True}),
        ({"mentions": ["*"]}, {"mention": True}),
        ({"mentions": ["ana"]}, {"mention": False}),
        ({"mentions": ["alice"], "deleted": True}, {"mention": False, "deleted": True}),
        ({"mentions": ["alice"], "sender": "alice"}, {"mention": False}),
        ({"edited": "2026-11-23T04:00:09.000Z"}, {"edited": True, "deleted": False}),
        ({"via": "dice"}, {"name": "bo via dice", "shown": "bo", "action": False}),
        ({"via": "me"}, {"name": "bo", "action": True}),
        ({"reactions": {"👍": ["ana", "bo"], "🎉": ["cy"]}}, {"reactions": (("👍", ("ana", "bo")), ("🎉", ("cy",)))}),
    ],
)
def test_what_a_message_is(more: dict[str, Any], wanted: dict[str, Any]) -> None:
    row = only(model(event(1, **more)))
    assert {name: getattr(row, name) for name in wanted} == wanted
    assert (row.kind, row.key, row.stamp) == ("message", event(1)["id"], AT + 1)


def test_names_are_those_that_people_are_shown_by() -> None:
    found = model(event(1))
    found.apply(Passed({"type": "USER", "user": {"username": "bo", "display_name": "李雷"}}, 0.0))
    assert (only(found).name, only(found).author) == ("李雷", "bo")


def test_a_plugin_and_the_person_it_speaks_for_are_two_groups() -> None:
    assert shown(model(event(1), event(2, via="dice"), event(3))) == [
        "day: Today",
        "bo: message 1",
        "bo via dice: message 2",
        "bo: message 3",
    ]


@pytest.mark.parametrize(
    ("about", "wanted"),
    [
        ({}, Quote(event(1)["id"], "ana", "ana", "message 1", 1)),
        ({"content": "a\nb " + "x" * 200}, Quote(event(1)["id"], "ana", "ana", "a b " + "x" * 115 + "…", 1)),
        ({"deleted": True}, Quote(event(1)["id"], "ana", "ana", "deleted message", 1)),
    ],
)
def test_a_reply_quotes_what_it_answers(about: dict[str, Any], wanted: Quote) -> None:
    found = model(event(1, sender="ana", **about), event(2, ref=event(1)["id"]))
    assert drawn(found)[-1].quote == wanted


def test_a_reply_to_what_is_not_here_says_only_that() -> None:
    row = only(model(event(9, ref="far away")))
    assert row.quote == Quote("far away") and row.quote.seq is None


# --- notes ---


@pytest.mark.parametrize(
    ("more", "text", "chinese"),
    [
        ({"type": "JOIN"}, "bo joined", "bo 加入了聊天室"),
        ({"type": "LEAVE"}, "bo left", "bo 离开了聊天室"),
        ({"type": "LEAVE", "by": "ana"}, "ana removed bo", "ana 移除了 bo"),
        ({"type": "TOPIC", "content": "tea"}, "bo set the topic: tea", "bo 将话题改为：tea"),
    ],
)
def test_notes(more: dict[str, Any], text: str, chinese: str) -> None:
    found = model(event(1, **more))
    assert (only(found).kind, only(found).text) == ("note", text)
    choose("zh")
    assert only(found).text == chinese


def test_a_topic_that_was_cleared_says_so() -> None:
    assert only(model({**event(1, type="TOPIC"), "content": ""})).text == "bo cleared the topic"


def joins(*names: str, kind: str = "JOIN", first: int = 1) -> list[dict[str, Any]]:
    return [event(seq, sender=name, type=kind) for seq, name in enumerate(names, first)]


def test_a_run_of_people_is_one_note() -> None:
    found = model(*joins("ana", "bo"), *joins("cy", kind="LEAVE", first=3), event(4), *joins("di", first=5))
    assert shown(found) == ["day: Today", "note: ana, bo joined", "note: cy left", "bo: message 4", "note: di joined"]
    assert only(model(*joins("ana", "bo", "cy"))).text == "ana, bo, cy joined"
    assert only(model(*joins("ana", "bo", "cy", "di", kind="LEAVE"))).text == "ana, bo, cy and 1 other left"
    many = model(*joins("ana", "bo", "cy", "di", "ed", "bo"))
    assert only(many).text == "ana, bo, cy and 2 others joined"
    assert only(model(*joins("ana", "bo", "cy", "di"))).text == "ana, bo, cy and 1 other joined"
    many.apply(Passed({"type": "USER", "user": {"username": "bo", "display_name": "李雷"}}, 0.0))
    choose("zh")
    assert only(many).text == "ana、李雷、cy 和另外 2 人加入了聊天室"


def test_who_was_removed_is_said_by_itself() -> None:
    found = model(*joins("ana", kind="LEAVE"), event(2, type="LEAVE", sender="bo", by="cy"))
    assert shown(found) == ["day: Today", "note: ana left", "note: cy removed bo"]


# --- what one wrote ---


def test_what_waits_stands_at_the_end_and_says_how_it_is() -> None:
    found = model(event(1))
    for change in (written(), written("n2", code="forbidden", reason="you are muted"), written("n3")):
        found.apply(change)
    found.apply(Settled("n3", 40))
    states = [(row.key, row.state, row.reason, row.mine) for row in drawn(found) if row.kind == "written"]
    assert states == [
        ("n:n1", "waiting", "", True),
        ("n:n2", "refused", "you are muted", True),
        ("n:n3", "sent", "", True),
    ]
    assert shown(found)[-3:] == ["alice: hi", "+ hi", "+ hi"]


def test_what_waits_belongs_to_its_conversation_and_to_the_end_of_it() -> None:
    found = model(event(1))
    found.apply(written(target="bo"))
    assert len(drawn(found)) == 2
    past = model(event(1), live=False)
    past.apply(written())
    past.apply(Told(LOBBY, "nobody is called so", AT))
    assert [row.kind for row in drawn(past)] == ["day", "message"]


def test_a_slash_that_is_said_is_shown_once() -> None:
    found = model()
    found.apply(written(content="//etc"))
    assert only(found).text == "/etc"


def test_what_waits_may_be_a_reply() -> None:
    found = model(event(1))
    found.apply(written(ref=event(1)["id"]))
    assert drawn(found)[-1].quote == Quote(event(1)["id"], "bo", "bo", "message 1", 1)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"type": "EDIT", "content": "new"}, {"text": "new", "edited": True, "state": "waiting"}),
        ({"type": "DELETE", "content": ""}, {"text": "", "deleted": True, "state": "waiting"}),
        ({"type": "REACT", "content": "👍"}, {"reactions": (("👍", ("ana", "alice")),), "state": "waiting"}),
        ({"type": "EDIT", "content": "new", "code": "forbidden", "reason": "not yours"},
         {"text": "message 1", "edited": False, "state": "refused", "reason": "not yours"}),
    ],
)  # fmt: skip
def test_a_change_that_waits_is_shown_as_if_it_were_done(more: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = model(event(1, sender="alice", reactions={"👍": ["ana"]}))
    found.apply(written(ref=event(1)["id"], **more))
    row = only(found)
    assert {name: getattr(row, name) for name in wanted} == wanted
    assert found.windows[LOBBY].messages[0] == event(1, sender="alice", reactions={"👍": ["ana"]})  # not in the log


def test_a_reaction_that_is_taken_back_waits_too() -> None:
    found = model(event(1, reactions={"👍": ["alice"]}))
    found.apply(written(type="REACT", content="👍", ref=event(1)["id"], removed=True))
    assert only(found).reactions == ()


# --- what is for oneself alone ---


def test_notices_stand_where_they_came() -> None:
    found = model(event(1), event(5), event(9))
    found.apply(Told(LOBBY, "rolled 6", AT + 5))
    found.apply(Told(LOBBY, "no such room", AT + 60, True))
    found.apply(Told("bo", "elsewhere", AT + 6))
    assert shown(found) == [
        "day: Today",
        "bo: message 1",
        "+ message 5",
        "told: rolled 6",
        "bo: message 9",
        "told: no such room",
    ]
    assert [row.is_error for row in drawn(found) if row.kind == "told"] == [False, True]


# --- all of them ---

ROW = st.tuples(
    st.sampled_from(["text", "text", "join", "leave", "mine", "told", "written", "edit", "skip"]),
    st.integers(0, 90_000),
)


@given(st.lists(ROW, max_size=30), st.integers(-1, 40))
def test_every_row_has_a_key_of_its_own_and_keeps_it(steps: list[tuple[str, int]], since: int) -> None:
    found, seq, at = model(start=True), 0, AT
    for kind, seconds in steps:
        at += seconds
        if kind == "told":
            found.apply(Told(LOBBY, f"told {at}", at))
        elif kind == "written":
            found.apply(written(f"n{at}", made=at))
        else:
            seq += 1
            types = {"join": "JOIN", "leave": "LEAVE", "edit": "EDIT"}
            sender = "alice" if kind == "mine" else "bo"
            stamp = f"2026-11-{23 + seq // 8:02d}T04:{seq % 60:02d}:00.000Z"
            each = event(seq, sender=sender, type=types.get(kind, "TEXT"), timestamp=stamp, ref=None)
            found.apply(Arrived(LOBBY, each, True))
        drawn_now = drawn(found, since)
        keys = [row.key for row in drawn_now]
        assert len(set(keys)) == len(keys)
        assert all(row.first for before, row in pairwise(drawn_now) if before.kind in ("day", "new", "note"))
        assert sum(row.kind == "message" for row in drawn_now) == sum(
            message["type"] == "TEXT" for message in found.windows[LOBBY].messages
        )
