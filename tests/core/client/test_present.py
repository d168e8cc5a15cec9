"""Events as lines that can't lie, and texts cut to what a message holds."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alonechat.core.client.present import Now, line, parts, printable, short
from tests.core.client.scripted import event

NOW = Now(date(2026, 11, 23), UTC)


def shown(**more: Any) -> str | None:
    about = more.pop("about", None)
    return line(event(1, **more), "#lobby", about, NOW)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"content": "hi"}, "04:00 #lobby <bo> hi"),
        ({"content": "hi", "edited": "2026-11-23T04:01:00.000Z"}, "04:00 #lobby <bo> hi (edited)"),
        ({"content": "waves", "via": "me"}, "04:00 #lobby * bo waves"),
        ({"content": "rolls 6", "via": "dice"}, "04:00 #lobby <bo via dice> rolls 6"),
        ({"content": "x", "deleted": True}, "04:00 #lobby <bo> (deleted)"),
        ({"content": "x", "reactions": {"👍": ["ana", "cy"]}}, "04:00 #lobby <bo> x 👍2"),
        ({"content": "a\r\nb\tc"}, "04:00 #lobby <bo> a\n      b c"),
        ({"content": "a\n04:00 #lobby <ana> b"}, "04:00 #lobby <bo> a\n      04:00 #lobby <ana> b"),
        ({"content": "\x1b[31mred\x07"}, "04:00 #lobby <bo> \\x1b[31mred\\x07"),
        ({"type": "EDIT", "content": "ho"}, "04:00 #lobby <bo> edited: ho"),
        ({"type": "DELETE"}, "04:00 #lobby bo deleted a message"),
        ({"type": "DELETE", "about": {"sender": "cy", "content": ""}}, "04:00 #lobby bo deleted a message of cy"),
        ({"type": "REACT", "content": "👍"}, "04:00 #lobby bo reacted 👍 to a message"),
        ({"type": "REACT", "content": "👍", "removed": True}, "04:00 #lobby bo took 👍 back from a message"),
        ({"type": "REACT", "content": "👍", "about": {"content": "tea?"}}, '04:00 #lobby bo reacted 👍 to "tea?"'),
        ({"type": "JOIN"}, "04:00 #lobby bo joined"),
        ({"type": "LEAVE"}, "04:00 #lobby bo left"),
        ({"type": "LEAVE", "by": "ana"}, "04:00 #lobby ana removed bo"),
        ({"type": "TOPIC", "content": "tea"}, "04:00 #lobby bo set the topic: tea"),
        ({"type": "PIN"}, None),
        ({"content": "see", "attachments": [{"name": "a.txt", "size": 5}]}, "04:00 #lobby <bo> see [a.txt, 5 bytes]"),
    ],
)
def test_an_event_as_a_line(given: dict[str, Any], wanted: str | None) -> None:
    assert shown(**given) == wanted


def test_a_cleared_topic_says_so() -> None:
    assert line({**event(1, type="TOPIC"), "content": ""}, "#lobby", None, NOW) == "04:00 #lobby bo cleared the topic"


def test_other_days_bear_their_date() -> None:
    assert line(event(1), "bo", None, Now(date(2026, 11, 24), UTC)) == "2026-11-23 04:00 bo <bo> message 1"


@given(st.text())
def test_nothing_printable_obeys_and_no_line_begins_by_itself(text: str) -> None:
    assert printable(printable(text)) == printable(text)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in printable(text))
    lines = (line(event(1, content=text or "x"), "#lobby", None, NOW) or "").split("\n")
    assert lines[0].startswith("04:00 #lobby <bo>") and all(each.startswith("      ") for each in lines[1:])


def test_text_that_runs_backwards_is_made_visible_and_emoji_stay_whole() -> None:
    assert printable("a\u202eb") == "a\\u202eb"
    assert printable("👩\u200d💻 上海") == "👩\u200d💻 上海"


def test_short_cuts_to_one_line() -> None:
    assert short("a\nb") == "a b"
    assert short("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("text", "most", "wanted"),
    [
        ("hello", 10, ["hello"]),
        ("one\ntwo\nthree", 8, ["one\ntwo", "three"]),
        ("x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
        ("aa\n" + "x" * 15 + "\nb", 10, ["aa", "x" * 10, "xxxxx\nb"]),
        ("/etc\n/usr", 5, ["//etc", "//usr"]),
        ("/quit", 10, ["//quit"]),
        ("//x", 10, ["///x"]),
        ("a/b", 10, ["a/b"]),
        ("/" * 4, 4, ["////", "//"]),
        ("\n\n\n" + "x" * 5, 5, ["x" * 5]),
        ("上海" * 3, 4, ["上海上海", "上海"]),
        ("", 5, []),
    ],
)
def test_parts(text: str, most: int, wanted: list[str]) -> None:
    assert parts(text, most) == wanted


@given(st.text(st.sampled_from("ab /\n上"), max_size=200), st.integers(2, 30))
def test_no_part_is_too_long_or_a_command_and_nothing_but_blanks_is_lost(text: str, most: int) -> None:
    found = parts(text, most)
    assert all(1 <= len(each) <= most for each in found)
    assert all(not each.startswith("/") or each.startswith("//") for each in found)
    said = "".join(each[1:] if each.startswith("/") else each for each in found)
    assert "".join(said.split()) == "".join(text.split())
    if len(text) + text.startswith("/") <= most and text.strip():
        assert len(found) == 1 and said == text
