"""History, single events, conversations, and the overview that WELCOME sends."""

from __future__ import annotations

import json

import pytest

from alonechat.core import message
from alonechat.core.store.records import Found, Post
from alonechat.errors import Rejected
from tests.conformance.kept import Clock, Kept


def numbers(found: Found) -> list[int]:
    return [event["seq"] for event in found.events]


@pytest.fixture
def log(kept: Kept) -> Kept:
    """#room: JOIN, TEXT a, REACT, EDIT, TEXT b, TOPIC, DELETE of a, JOIN, LEAVE: seq 1 to 9."""
    kept.post("JOIN", "#room", "alice")
    ref = kept.says("alice", "a", "#room")["id"]
    kept.post("REACT", "#room", "alice", "👍", ref=ref)
    kept.post("EDIT", "#room", "alice", "aa", ref=ref)
    kept.says("alice", "b", "#room")
    kept.post("TOPIC", "#room", "alice", "letters")
    kept.post("DELETE", "#room", "alice", ref=ref)
    kept.post("JOIN", "#room", "bob")
    kept.post("LEAVE", "#room", "bob")
    return kept


def test_history_after_gives_every_type_from_there_on(log: Kept) -> None:
    ask = log.store.history
    assert numbers(ask("#room", 0, None, 50, 1)) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert ask("#room", 2, None, 3, 1) == Found(ask("#room", 2, None, 50, 1).events[:3], True)
    assert ask("#room", 6, None, 3, 1).more is False
    assert ask("#room", 9, None, 50, 1) == ask("#room", 1000, None, 50, 1) == Found([], False)
    deleted = ask("#room", 1, None, 1, 1).events[0]
    assert deleted["content"] == "" and deleted["deleted"] is True


def test_history_before_gives_what_a_person_scrolls_through(log: Kept) -> None:
    ask = log.store.history
    assert numbers(ask("#room", None, None, 50, 1)) == [1, 2, 5, 6, 8, 9]
    assert ask("#room", None, None, 2, 1).more is True and numbers(ask("#room", None, None, 2, 1)) == [8, 9]
    assert numbers(ask("#room", None, 8, 2, 1)) == [5, 6]
    assert numbers(ask("#room", None, 5, 2, 1)) == [1, 2] and ask("#room", None, 5, 2, 1).more is False
    assert ask("#room", None, 1, 50, 1) == ask("#none", None, None, 50, 1) == Found([], False)


def test_history_never_goes_below_the_first_that_may_be_read(log: Kept) -> None:
    ask = log.store.history
    assert numbers(ask("#room", 0, None, 50, 6)) == [6, 7, 8, 9]
    assert ask("#room", None, 8, 50, 6) == Found(ask("#room", None, 7, 1, 1).events, False)
    assert ask("#room", None, 5, 50, 6) == Found([], False)


def test_a_page_fits_into_one_frame(kept: Kept) -> None:
    texts = [Post("TEXT", "#lobby", "alice", chr(0x4E00 + n) * 60_000) for n in range(10)]
    kept.outcomes(*texts)
    after = kept.store.history("#lobby", 0, None, 200, 1)
    assert numbers(after) == [1, 2, 3, 4, 5] and after.more
    before = kept.store.history("#lobby", None, None, 200, 1)
    assert numbers(before) == [6, 7, 8, 9, 10] and before.more
    frame = {"type": "HISTORY", "target": "#lobby", "events": after.events, "more": True, "first": 1, "nonce": "n" * 64}
    assert len(message.encode(frame).encode()) <= message.MAX_SENT


def test_one_event_that_is_larger_than_a_frame_is_given_alone(kept: Kept) -> None:
    kept.outcomes(*(Post("TEXT", "#lobby", "alice", "x" * (message.MAX_SENT + 1)) for _ in range(2)))
    assert numbers(kept.store.history("#lobby", 0, None, 50, 1)) == [1]


def test_an_event_is_found_in_its_own_conversation_only(log: Kept) -> None:
    id = log.says("alice", "here")["id"]
    found = log.store.event("#lobby", id)
    assert found and found["content"] == "here"
    for key, wrong in (("#room", id), ("#lobby", "0"), ("#lobby", "x"), ("#lobby", "9" * 30), ("#none", id)):
        assert log.store.event(key, wrong) is None


def test_latest_is_the_newest_event_that_fits_as_it_was_echoed(log: Kept) -> None:
    latest = log.store.latest
    ref = log.store.history("#room", 1, None, 1, 1).events[0]["id"]
    assert latest("#room", "JOIN")["sender"] == "bob" and latest("#room", "JOIN", "alice")["seq"] == 1  # type: ignore[index]
    assert latest("#room", "TEXT")["content"] == "b"  # type: ignore[index]
    assert latest("#room", "REACT", "alice", ref, "👍")["seq"] == 3  # type: ignore[index]
    assert latest("#room", "REACT", "alice", ref, "👎") is None and latest("#room", "REACT", "bob") is None
    assert latest("#room", "DELETE", ref=ref)["seq"] == 7  # type: ignore[index]
    assert latest("#room", "LEAVE", "alice") is None and latest("#none", "JOIN") is None


# --- overview ---


def test_the_lobby_is_everybodys_from_the_beginning(kept: Kept) -> None:
    item = {"target": "#lobby", "kind": "room", "access": "open", "topic": "", "seq": 0, "read": 0, "unread": 0}
    item |= {"mentions": 0, "muted": False, "members": 3, "last": None, "key": "#lobby"}
    found = kept.store.overview("alice")
    assert found == ([item], False) and list(found[0][0]) == list(item)


def test_a_direct_conversation_has_neither_access_nor_topic_nor_members(kept: Kept) -> None:
    last = kept.says("bob", "psst", "alice bob")
    item = kept.item("alice", "bob")
    assert item == {
        "target": "bob", "kind": "direct", "seq": 1, "read": 0, "unread": 1, "mentions": 0, "muted": False,
        "last": last, "key": "alice bob",
    }  # fmt: skip
    assert json.dumps(item)


def test_the_latest_event_comes_first_page_by_page(kept: Kept, clock: Clock) -> None:
    for n in range(7):
        kept.post("JOIN", f"#r{n}", "alice")
        clock.advance(10)
    kept.says("alice", "bump", "#r2")
    kept.post("JOIN", "#others", "bob")
    order = ["#r2", "#r6", "#r5", "#r4", "#r3", "#r1", "#r0", "#lobby"]
    assert [item["target"] for item in kept.store.overview("alice")[0]] == order
    seen: list[str] = []
    more = True
    while more:
        items, more = kept.store.overview("alice", 3, seen[-1] if seen else None)
        seen += [item["target"] for item in items]
    assert seen == order
    with pytest.raises(Rejected):
        kept.store.overview("alice", 3, "#nowhere")


def test_last_is_the_latest_text_that_stands_and_that_one_may_read(kept: Kept) -> None:
    kept.post("JOIN", "#den", "alice", access="private")
    one, two, three = (kept.says("alice", text, "#den") for text in ("one", "two", "three"))
    kept.post("JOIN", "#den", "bob")
    assert kept.item("alice", "#den")["last"] == three and kept.item("bob", "#den")["last"] is None
    kept.post("DELETE", "#den", "alice", ref=two["id"])
    kept.post("DELETE", "#den", "alice", ref=three["id"])
    assert kept.item("alice", "#den")["last"] == one
    kept.post("DELETE", "#den", "alice", ref=one["id"])
    assert kept.item("alice", "#den")["last"] is None
    after = kept.says("alice", "four", "#den")
    assert kept.item("bob", "#den")["last"] == after


def test_a_new_members_mark_is_the_join_and_the_lobbys_the_accounts_making(kept: Kept) -> None:
    kept.post("JOIN", "#room", "alice")
    kept.says("alice", "before", "#room")
    kept.says("alice", "long ago")
    kept.post("JOIN", "#room", "bob")
    kept.people("dora")
    assert kept.item("bob", "#room")["read"] == 3 and kept.unread("bob", "#room") == (0, 0)
    assert kept.item("dora")["read"] == 1 and kept.unread("dora") == (0, 0)
    kept.says("alice", "now", "#room")
    kept.says("alice", "now", mentions=["dora"])
    assert kept.unread("bob", "#room") == (1, 0) and kept.unread("dora") == (1, 1)


def test_read_marks_move_forward_within_the_log_only(kept: Kept) -> None:
    for _ in range(5):
        kept.says("bob", "x")
    moves = [(3, 3), (2, 3), (-1, 3), (99, 5), (0, 5)]
    for asked, holds in moves:
        assert kept.write(lambda writes, seq=asked: writes.mark_read("alice", "#lobby", seq)) == holds  # type: ignore[misc]
        assert kept.item("alice")["read"] == holds
    with pytest.raises(Rejected):
        kept.write(lambda writes: writes.mark_read("alice", "#none", 1))
    kept.post("JOIN", "#room", "bob")
    with pytest.raises(Rejected):
        kept.write(lambda writes: writes.mark_read("alice", "#room", 1))


def test_who_joins_again_reads_from_the_new_join_on(kept: Kept) -> None:
    kept.post("JOIN", "#room", "alice")
    kept.post("JOIN", "#room", "bob")
    kept.write(lambda writes: writes.mute("bob", "#room", True))
    kept.post("LEAVE", "#room", "bob")
    kept.says("alice", "while bob was away", "#room")
    kept.post("JOIN", "#room", "bob")
    assert kept.item("bob", "#room")["read"] == 5 and kept.item("bob", "#room")["muted"] is False


def test_mute_is_ones_own_choice_and_keeps_the_mark(kept: Kept) -> None:
    kept.says("bob", "x")
    kept.write(lambda writes: writes.mark_read("alice", "#lobby", 1))
    kept.write(lambda writes: writes.mute("alice", "#lobby", True))
    assert kept.item("alice")["muted"] is True and kept.item("alice")["read"] == 1
    assert kept.item("bob")["muted"] is False
    kept.write(lambda writes: writes.mute("alice", "#lobby", False))
    assert kept.item("alice")["muted"] is False
