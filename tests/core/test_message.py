"""Frames as text: what is fast is the same as what is plain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alonechat.core import message
from alonechat.errors import Rejected

EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(message.EVENTS),
        "sender": st.sampled_from(["ana", "鲍勃", "a.b-c"]),
        "target": st.sampled_from(["#lobby", "bo"]),
        "content": st.text(),
        "timestamp": st.just("2026-11-23T04:24:00.123Z"),
        "id": st.just("0000123456789012"),
        "seq": st.integers(1, 1 << 53),
    },
    optional={
        "nonce": st.none() | st.text(min_size=1),
        "ref": st.just("0000123456789011"),
        "mentions": st.lists(st.text()),
        "removed": st.booleans(),
        "via": st.text(),
    },
)


@given(EVENTS)
def test_an_event_is_encoded_as_any_frame_is(event: dict[str, Any]) -> None:
    first = ("type", "sender", "target", "content", "timestamp", "id", "seq")
    ordered = {name: event[name] for name in first} | event
    assert message.encode_event(event) == message.encode(ordered)


SMALL = st.integers(-9, 9)
LIKELY = st.none() | st.text("aé中#/", max_size=70) | SMALL | st.lists(SMALL, max_size=2) | st.booleans()


@given(st.dictionaries(st.sampled_from(["content", "target", "ref", "attachments", "nonce", "other"]), LIKELY))
def test_a_text_is_taken_or_refused_as_its_fields_say(given_: dict[str, Any]) -> None:
    frame = {"type": "TEXT", **given_}

    def outcome(take: Any) -> str | None:
        try:
            take()
        except Rejected as refused:
            return refused.text
        return None

    assert outcome(lambda: message.decode(json.dumps(frame))) == outcome(lambda: message.check_frame(frame))


@pytest.mark.parametrize("text", ['{"type": "HEARTBEAT"}', ' {"type":"HEARTBEAT"}', '{"type":"HEARTBEAT"}\n\t '])
def test_blanks_around_a_frame_are_no_fault(text: str) -> None:
    assert message.decode(text) == {"type": "HEARTBEAT"}


@pytest.mark.parametrize("text", ["", " ", "{", '{"type":"HEARTBEAT"}}', "{} {}", "nul", "[1", '"', "\ufeff{}"])
def test_what_is_no_json_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(Rejected, match=r"not JSON: .* at character \d"):
        message.parse(text)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('"other":[[[[[[[[1]]]]]]]]', "nesting is deeper than 8"),
        ('"other":1e999', "a number is too large"),
        ('"other":"\\u0000"', "a string holds NUL"),
        ('"nonce":"\\ud800"', "a string holds a lone surrogate"),
        ('"attachments":"f1"', "attachments must be"),
    ],
)
def test_a_plain_text_hides_nothing_that_a_frame_may_not_hold(more: str, why: str) -> None:
    with pytest.raises(Rejected, match=why) as refused:
        message.decode(f'{{"type":"TEXT","content":"hello",{more}}}')
    assert refused.value.code == "bad_frame"
