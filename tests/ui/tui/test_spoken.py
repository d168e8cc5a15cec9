"""What the line mode says of an event: people as they are shown, in the language chosen, in lines that can't lie."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any

import pytest

from alonechat.core.client import words
from alonechat.core.client.model import Model, Passed
from alonechat.core.client.present import Now
from alonechat.ui.tui.spoken import named, spoken
from tests.core.client.scripted import event

NOW = Now(date(2026, 11, 23), UTC)


@pytest.fixture
def model() -> Model:
    """bo is shown as 李雷, cy as Cy, di as herself."""
    found = Model(me="ana")
    for name, shown in (("bo", "李雷"), ("cy", "Cy"), ("di", "di")):
        found.apply(Passed({"type": "USER", "user": {"username": name, "display_name": shown}}, 0.0))
    return found


@pytest.fixture
def chinese() -> Iterator[None]:
    before = words.language()
    words.choose("zh")
    yield
    words.choose(before)


def said(model: Model, about: Any = None, **more: Any) -> str | None:
    return spoken(model, event(1, **more), "#lobby", about, NOW)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"content": "hi"}, "04:00 #lobby <李雷> hi"),
        ({"content": "hi", "sender": "di"}, "04:00 #lobby <di> hi"),
        ({"content": "hi", "edited": "2026-11-23T04:01:00.000Z"}, "04:00 #lobby <李雷> hi (edited)"),
        ({"content": "waves", "via": "me"}, "04:00 #lobby * 李雷 waves"),
        ({"content": "rolls 6", "via": "dice"}, "04:00 #lobby <李雷 via dice> rolls 6"),
        ({"content": "x", "deleted": True}, "04:00 #lobby <李雷> (deleted)"),
        ({"content": "x", "reactions": {"👍": ["ana", "cy"]}}, "04:00 #lobby <李雷> x 👍2"),
        ({"content": "a\n04:00 #lobby <ana> b"}, "04:00 #lobby <李雷> a\n      04:00 #lobby <ana> b"),
        ({"content": "\x1b[31mred\x07"}, "04:00 #lobby <李雷> \\x1b[31mred\\x07"),
        ({"type": "EDIT", "content": "ho"}, "04:00 #lobby <李雷> edited: ho"),
        ({"type": "DELETE"}, "04:00 #lobby 李雷 deleted a message"),
        ({"type": "DELETE", "about": {"sender": "cy", "content": ""}}, "04:00 #lobby 李雷 deleted a message of Cy"),
        ({"type": "REACT", "content": "👍"}, "04:00 #lobby 李雷 reacted 👍 to a message"),
        ({"type": "REACT", "content": "👍", "removed": True}, "04:00 #lobby 李雷 took 👍 back from a message"),
        ({"type": "REACT", "content": "👍", "about": {"content": "tea?"}}, '04:00 #lobby 李雷 reacted 👍 to "tea?"'),
        ({"type": "JOIN"}, "04:00 #lobby 李雷 joined"),
        ({"type": "LEAVE", "by": "cy"}, "04:00 #lobby Cy removed 李雷"),
        ({"type": "TOPIC", "content": "tea"}, "04:00 #lobby 李雷 set the topic: tea"),
        ({"type": "PIN"}, None),
        ({"content": "see", "attachments": [{"name": "a.txt", "size": 5}]}, "04:00 #lobby <李雷> see [a.txt, 5 B]"),
    ],
)
def test_an_event_as_a_line(model: Model, given: dict[str, Any], wanted: str | None) -> None:
    assert said(model, **given) == wanted


def test_who_is_shown_alike_is_told_apart_and_no_name_looks_like_two(model: Model) -> None:
    model.apply(Passed({"type": "USER", "user": {"username": "ed", "display_name": "李雷"}}, 0.0))
    assert (named(model, "bo"), named(model, "ed")) == ("李雷 (bo)", "李雷 (ed)")
    model.apply(Passed({"type": "USER", "user": {"username": "ed", "display_name": "李雷 (bo)"}}, 0.0))
    assert (named(model, "bo"), named(model, "ed")) == ("李雷", "李雷 (bo) (ed)")
    model.apply(Passed({"type": "USER", "user": {"username": "ed", "display_name": "ed> yes <Cy"}}, 0.0))
    assert said(model, sender="ed", content="no") == "04:00 #lobby <ed› yes ‹Cy> no"
    assert named(model, "bo") == "李雷"


@pytest.mark.usefixtures("chinese")
def test_it_is_said_in_chinese(model: Model) -> None:
    notes: list[dict[str, Any]] = [
        *({"type": "JOIN"}, {"type": "LEAVE", "by": "cy"}, {"type": "DELETE"}, {"type": "EDIT", "content": "好"}),
        *({"type": "REACT", "content": "👍"}, {"content": "好", "deleted": True}),
    ]
    for given in notes:
        line = said(model, **given)
        assert line is not None
        rest = line.removeprefix("04:00 #lobby").replace("Cy", "")
        assert not any(char.isascii() and char.isalpha() for char in rest), line
