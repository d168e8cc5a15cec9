"""The list of conversations: sections, titles, previews, badges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest

from alonechat.core.client.listing import Listing, badge, line, listing, preview, title
from alonechat.core.client.model import Drafted, Listed, Model, Passed, Summary, Welcomed
from alonechat.core.client.moment import Moment, stamp_of
from alonechat.core.client.words import choose
from tests.core.client.scripted import event

MOMENT = Moment(stamp_of(event(0)["timestamp"]) + 3600, UTC)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    choose("en")
    yield
    choose("en")


@pytest.fixture
def model() -> Model:
    found = Model()
    found.apply(Welcomed({"username": "alice"}, {}, {}))
    found.apply(Passed({"type": "USER", "user": {"username": "bo", "display_name": "李雷"}}, 0.0))
    return found


def shown(model: Model, summary: Summary) -> Listing:
    return line(model, summary, MOMENT)


@pytest.mark.parametrize(("count", "text"), [(0, ""), (1, "1"), (999, "999"), (1000, "999+"), (10**6, "999+")])
def test_a_number_as_a_badge(count: int, text: str) -> None:
    assert badge(count) == text


def test_titles(model: Model) -> None:
    assert title(Model(), "") == ""  # before anything is known
    assert [title(model, target) for target in ("#茶", "bo", "cy", "alice")] == ["#茶", "李雷", "cy", "Notes to self"]


@pytest.mark.parametrize(
    ("target", "more", "wanted", "chinese"),
    [
        ("#tea", {}, "李雷: message 7", "李雷: message 7"),
        ("#tea", {"sender": "alice"}, "you: message 7", "我：message 7"),
        ("#tea", {"deleted": True, "content": "gone"}, "李雷: message deleted", "李雷: 消息已删除"),
        ("#tea", {"content": "a\n\n  b"}, "李雷: a b", "李雷: a b"),
        ("bo", {}, "message 7", "message 7"),
        ("bo", {"sender": "alice"}, "you: message 7", "我：message 7"),
        ("bo", {"content": "x" * 200}, "x" * 79 + "…", "x" * 79 + "…"),
        ("alice", {"sender": "alice"}, "message 7", "message 7"),
    ],
)
def test_the_latest_message_on_one_line(
    model: Model, target: str, more: dict[str, Any], wanted: str, chinese: str
) -> None:
    kind = "room" if target.startswith("#") else "direct"
    summary = Summary(target, kind, last=event(7, target, **more))
    assert preview(model, summary) == wanted
    choose("zh")
    assert preview(model, summary) == chinese


def test_without_a_message_a_room_shows_its_topic(model: Model) -> None:
    assert preview(model, Summary("#tea", "room", topic="green and black")) == "green and black"
    assert preview(model, Summary("bo", "direct")) == ""


def test_a_file_is_shown_by_its_name(model: Model) -> None:
    last = {**event(7, "bo", attachments=[{"id": "f", "name": "plan.pdf", "mime": "", "size": 1}]), "content": ""}
    assert preview(model, Summary("bo", "direct", last=last)) == "plan.pdf"


def test_a_line_has_all_that_is_drawn(model: Model) -> None:
    model.apply(Passed({"type": "PRESENCE", "sender": "bo", "content": "away"}, 0.0))
    summary = Summary("bo", "direct", unread=12, mentions=1, muted=True, last=event(60, "bo"))
    assert shown(model, summary) == Listing(
        "conversation", "李雷", summary, "message 60", "04:01", "12", mention=True, muted=True, presence="away"
    )
    room = shown(model, Summary("#tea", "room"))
    assert (room.presence, room.time, room.badge, room.mention, room.target) == ("", "", "", False, "#tea")
    assert shown(model, Summary("cy", "direct")).presence == "offline"


def test_a_draft_goes_before_the_latest_message(model: Model) -> None:
    model.apply(Drafted("bo", "  half a\nsentence "))
    found = shown(model, Summary("bo", "direct", last=event(7, "bo")))
    assert (found.preview, found.draft) == ("Draft: half a sentence", True)
    model.apply(Drafted("bo", "  \n"))
    assert not shown(model, Summary("bo", "direct")).draft


@pytest.fixture
def full(model: Model) -> Model:
    summaries = [Summary(name, "room") for name in ("#tea", "#lobby", "#team-room")]
    summaries += [Summary("bo", "direct", last=event(5, "bo")), Summary("teo", "direct", last=event(9, "teo"))]
    model.apply(Listed(tuple(summaries)))
    return model


def test_rooms_then_people_each_under_its_title(full: Model) -> None:
    assert [(each.kind, each.title) for each in listing(full, MOMENT)] == [
        ("section", "Rooms"),
        ("conversation", "#lobby"),
        ("conversation", "#tea"),
        ("conversation", "#team-room"),
        ("section", "Direct"),
        ("conversation", "teo"),
        ("conversation", "李雷"),
    ]
    choose("zh")
    assert [each.title for each in listing(full, MOMENT) if each.kind == "section"] == ["聊天室", "私聊"]
    assert listing(full, MOMENT)[0].target == ""


def test_a_query_leaves_what_fits_the_best_first(full: Model) -> None:
    assert [each.title for each in listing(full, MOMENT, "te")] == ["teo", "#tea", "#team-room"]
    assert [each.title for each in listing(full, MOMENT, "tr")] == ["#team-room"]
    assert [each.title for each in listing(full, MOMENT, "李")] == ["李雷"]
    assert listing(full, MOMENT, "nobody") == []
    assert len(listing(full, MOMENT, "  ")) == 7


def test_without_conversations_there_are_the_titles(model: Model) -> None:
    assert [each.kind for each in listing(model, MOMENT)] == ["section", "section"]
