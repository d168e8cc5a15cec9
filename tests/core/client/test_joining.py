"""Who types /join goes to the room, once it is there, and in time."""

from __future__ import annotations

import math

import pytest

from alonechat.core.client.joining import PATIENCE, Joining


@pytest.mark.parametrize("text", ["/join #tea", "/join tea", "/join #TEA private", "/join  #Ｔea"])
def test_the_room_is_gone_to_once(text: str) -> None:
    joining = Joining()
    joining.typed(text, 5.0)
    assert joining.waits(6.0) and joining.there({"#lobby"}, 6.0) == ""
    assert joining.there({"#lobby", "#tea"}, 7.0) == "#tea"
    assert not joining.waits(7.0) and joining.there({"#lobby", "#tea"}, 7.0) == ""


@pytest.mark.parametrize(
    "text", ["/join", "/joint #tea", "join #tea", "hello /join #tea", "/join a/b", "//join #tea", ""]
)
def test_other_texts_lead_nowhere(text: str) -> None:
    joining = Joining()
    joining.typed(text, 5.0)
    assert not joining.waits(5.0) and joining.there({"#tea", "#a/b"}, 5.0) == ""


def test_after_a_while_nobody_is_taken_anywhere() -> None:
    joining, patient = Joining(), Joining(math.inf)
    for each in (joining, patient):
        each.typed("/join #tea", 5.0)
    late = 5.0 + PATIENCE
    assert not joining.waits(late) and joining.there({"#tea"}, late) == ""
    assert patient.waits(late) and patient.there({"#tea"}, late) == "#tea"


def test_a_refusal_ends_it() -> None:
    joining = Joining()
    assert not joining.refused()
    joining.typed("/join #tea", 5.0)
    assert joining.refused() and not joining.waits(5.0) and joining.there({"#tea"}, 5.0) == ""
