"""Posts and what they mean: the event, its number, its nonce, what it does to messages and rooms."""

from __future__ import annotations

import pytest

from alonechat.core import message
from alonechat.core.store.records import Membership, Post
from alonechat.errors import Rejected
from tests.conformance.kept import Clock, Kept


def test_a_text_comes_back_as_the_wire_carries_it_in_its_order(kept: Kept) -> None:
    file = kept.uploads("alice", "f", "a.txt").wire()
    event = kept.says("alice", "hi @bob", nonce="n1", mentions=["bob"], attachments=[file], via="me")
    assert list(event) == [
        "type", "sender", "target", "content", "timestamp", "id", "seq", "nonce", "mentions", "attachments", "via"
    ]  # fmt: skip
    assert event["type"] == "TEXT" and event["sender"] == "alice" and event["target"] == "#lobby"
    assert event["timestamp"] == message.stamp(kept.clock.now) and event["seq"] == 1 and event["mentions"] == ["bob"]
    assert kept.store.event("#lobby", event["id"]) == event
    assert kept.store.first("alice", "n1") == ("#lobby", event)
    assert kept.store.history("#lobby", 0, None, 50, 1).events == [event]


def test_what_is_not_there_is_left_out(kept: Kept) -> None:
    event = kept.says("alice", "plain", mentions=[])
    assert set(event) == {"type", "sender", "target", "content", "timestamp", "id", "seq"}


def test_seqs_have_no_gaps_and_ids_sort_by_time_though_the_clock_steps_back(kept: Kept, clock: Clock) -> None:
    events = []
    for step in (0, 5, -90_000, 0, 3, 200_000):
        clock.advance(step)
        events.append(kept.says("alice", "tick"))
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5, 6]
    ids, times = [event["id"] for event in events], [event["timestamp"] for event in events]
    assert ids == sorted(set(ids)) and len({len(id) for id in ids}) == 1
    assert times == sorted(times)


def test_after_a_restart_with_the_clock_stepped_back_numbers_go_on(kept: Kept, clock: Clock) -> None:
    before = kept.says("alice", "one")
    clock.advance(-3_600_000)
    again = kept.again()
    after = again.says("alice", "two")
    again.store.close()
    assert after["seq"] == 2 and after["id"] > before["id"] and after["timestamp"] >= before["timestamp"]


def test_a_first_direct_text_opens_the_conversation_for_both(kept: Kept) -> None:
    event = kept.says("bob", "psst", "alice bob")
    assert event["target"] == "alice" and event["sender"] == "bob"
    assert kept.says("alice", "yes?", "alice bob")["target"] == "bob"
    assert kept.store.keys("alice") == kept.store.keys("bob") == ["#lobby", "alice bob"]
    assert kept.store.keys("carol") == ["#lobby"] and kept.store.keys("nobody") == []
    found = kept.store.conversation("alice bob")
    assert found and found.kind == "direct" and found.members == {"alice": Membership(), "bob": Membership()}


def test_notes_to_oneself_are_for_oneself(kept: Kept) -> None:
    assert kept.says("alice", "milk", "alice alice")["target"] == "alice"
    assert kept.item("alice", "alice")["unread"] == 0 and kept.item("alice", "alice")["last"]["content"] == "milk"


@pytest.mark.parametrize(
    "post",
    [
        Post("TEXT", "#none", "alice", "hi"),
        Post("TEXT", "#lobby", "nobody", "hi"),
        Post("TEXT", "alice nobody", "alice", "hi"),
        Post("TEXT", "bob carol", "alice", "hi"),
        Post("EDIT", "#lobby", "alice", "hi", ref="0000000000000001"),
        Post("DELETE", "#lobby", "alice", ref="not an id"),
        Post("REACT", "#lobby", "alice", "👍", ref=None),
        Post("TOPIC", "#none", "alice", "hi"),
        Post("LEAVE", "#none", "alice"),
    ],
)
def test_what_can_not_be_is_refused_and_leaves_nothing(kept: Kept, post: Post) -> None:
    first, refused, last = kept.outcomes(Post("TEXT", "#lobby", "bob", "a"), post, Post("TEXT", "#lobby", "bob", "b"))
    assert isinstance(refused[0], Rejected) and refused[0].code == "not_found" and not refused[1]
    assert [first[0]["seq"], last[0]["seq"]] == [1, 2]
    assert kept.texts() == ["a", "b"] and kept.store.conversation("alice nobody") is None


def test_the_lobby_is_neither_joined_nor_left(kept: Kept) -> None:
    for kind in ("JOIN", "LEAVE"):
        with pytest.raises(Rejected) as refused:
            kept.post(kind, "#lobby", "alice")
        assert refused.value.code == "forbidden"
    assert kept.texts() == []


# --- sent once ---


def test_a_known_nonce_gives_the_first_event_and_appends_nothing(kept: Kept) -> None:
    first = kept.says("alice", "once", nonce="n")
    ((event, known),) = kept.outcomes(Post("TEXT", "#lobby", "alice", "once more", nonce="n"))
    assert known and event == first and kept.texts() == ["once"]
    ((event, known),) = kept.outcomes(Post("JOIN", "#room", "alice", nonce="n"))
    assert known and event == first and kept.store.conversation("#room") is None


def test_two_devices_that_send_at_once_are_one_event(kept: Kept) -> None:
    twins = [Post("TEXT", "#lobby", "alice", "once", nonce="n") for _ in range(2)]
    (one, known), (other, known_too) = kept.outcomes(*twins)
    assert one == other and (known, known_too) == (False, True) and kept.texts() == ["once"]


def test_texts_that_come_again_among_new_ones_are_each_what_they_were(kept: Kept) -> None:
    """An outbox is sent again after a reconnect: some of it had arrived, in one batch with others' new texts."""
    kept.says("bob", "hi", "alice bob")
    plan = kept.uploads("alice", "A" * 22)
    sent = [
        Post("TEXT", "#lobby", "alice", "one", nonce="1"),
        Post("TEXT", "alice bob", "alice", "two", nonce="2", attachments=[plan.wire()]),
        Post("TEXT", "#lobby", "alice", "three", nonce="3"),
    ]
    first = kept.outcomes(*sent)
    fresh = [Post("TEXT", "#lobby", "bob", f"new {n}", nonce=str(n)) for n in range(100)]
    again = kept.outcomes(*fresh[:50], *sent, Post("TEXT", "#nowhere", "alice", "one", nonce="1"), *fresh[50:])
    assert again[50:53] == [(event, True) for event, _ in first]
    assert again[53] == (first[0][0], True), "its nonce counts, wherever it goes"
    assert [known for _, known in again[:50] + again[54:]] == [False] * 100
    assert kept.texts() == ["one", "three", *(post.content for post in fresh)]
    assert kept.texts("alice bob") == ["hi", "two"]
    assert kept.hits("new 99") and kept.hits("three"), "what was taken back and done again is indexed"


def test_nonces_are_each_senders_own_and_outlive_deletion_and_restart(kept: Kept) -> None:
    first = kept.says("alice", "mine", nonce="n")
    assert kept.says("bob", "mine too", nonce="n")["seq"] == 2
    kept.post("DELETE", "#lobby", "alice", ref=first["id"])
    again = kept.again()
    ((event, known),) = again.outcomes(Post("TEXT", "#lobby", "alice", "mine", nonce="n"))
    again.store.close()
    assert known and event == {**first, "content": ""}


def test_the_first_event_of_an_edited_text_is_as_it_was_echoed(kept: Kept) -> None:
    first = kept.says("alice", "before", nonce="n")
    kept.post("EDIT", "#lobby", "alice", "after", ref=first["id"])
    kept.post("REACT", "#lobby", "bob", "👍", ref=first["id"])
    assert kept.store.first("alice", "n") == ("#lobby", first)
    assert kept.store.first("alice", "other") is None and kept.store.first("nobody", "n") is None


# --- edit, delete, react ---


def test_an_edit_shows_in_the_message_and_stays_in_the_log(kept: Kept, clock: Clock) -> None:
    first = kept.says("alice", "teh")
    clock.advance(1000)
    kept.post("EDIT", "#lobby", "alice", "thee", ref=first["id"])
    edit = kept.post("EDIT", "#lobby", "alice", "the", ref=first["id"], nonce="e")
    assert edit["ref"] == first["id"] and edit["seq"] == 3
    now = kept.store.event("#lobby", first["id"])
    assert now == {**first, "content": "the", "edited": message.stamp(clock.now)}
    assert kept.texts() == ["the", "thee", "the"]
    assert kept.item("bob")["last"] == now


def test_a_deletion_blanks_the_text_its_edits_and_its_reactions(kept: Kept) -> None:
    first = kept.says("alice", "oops", mentions=["bob"], via="me")
    kept.post("EDIT", "#lobby", "alice", "ooops", ref=first["id"])
    kept.post("REACT", "#lobby", "bob", "👍", ref=first["id"])
    kept.post("DELETE", "#lobby", "bob", ref=first["id"])
    now = kept.store.event("#lobby", first["id"])
    assert now and now["content"] == "" and now["deleted"] is True and now["via"] == "me"
    assert not {"edited", "reactions", "mentions"} & set(now)
    assert kept.texts() == ["", "", "👍", ""]
    with pytest.raises(Rejected, match="deleted"):
        kept.post("EDIT", "#lobby", "alice", "back", ref=first["id"])
    with pytest.raises(Rejected, match="deleted"):
        kept.post("REACT", "#lobby", "alice", "👍", ref=first["id"])


def test_reactions_are_listed_in_the_order_in_which_they_were_given(kept: Kept) -> None:
    id = kept.says("alice", "cake?")["id"]
    for name, emoji in (("carol", "🎂"), ("bob", "👍"), ("alice", "🎂"), ("bob", "🎂")):
        kept.post("REACT", "#lobby", name, emoji, ref=id)
    assert kept.store.event("#lobby", id)["reactions"] == {"🎂": ["carol", "alice", "bob"], "👍": ["bob"]}  # type: ignore[index]
    back = kept.post("REACT", "#lobby", "bob", "👍", ref=id, removed=True)
    assert back["removed"] is True
    assert kept.store.event("#lobby", id)["reactions"] == {"🎂": ["carol", "alice", "bob"]}  # type: ignore[index]


def test_what_changes_nothing_is_answered_with_the_event_that_made_it_so(kept: Kept) -> None:
    id = kept.says("alice", "x")["id"]
    react = kept.post("REACT", "#lobby", "bob", "👍", ref=id, nonce="r1")
    ((event, known),) = kept.outcomes(Post("REACT", "#lobby", "bob", "👍", ref=id, nonce="r2"))
    assert known and event == {**react, "nonce": "r2"}
    deletion = kept.post("DELETE", "#lobby", "alice", ref=id)
    ((event, known),) = kept.outcomes(Post("DELETE", "#lobby", "alice", ref=id))
    assert known and event == deletion
    join = kept.post("JOIN", "#room", "alice", nonce="j1")
    ((event, known),) = kept.outcomes(Post("JOIN", "#room", "alice", nonce="j2"))
    assert known and event == {**join, "nonce": "j2"}
    leave = kept.post("LEAVE", "#room", "alice")
    ((event, known),) = kept.outcomes(Post("LEAVE", "#room", "alice"))
    assert known and event == leave
    assert kept.item("bob")["seq"] == 3


# --- rooms ---


def test_join_makes_a_room_whose_maker_moderates_it(kept: Kept) -> None:
    event = kept.post("JOIN", "#den", "alice", access="private")
    assert event == {**event, "type": "JOIN", "sender": "alice", "target": "#den", "content": "", "seq": 1}
    kept.write(lambda writes: writes.sanction("#den", "bob", "invite", True))
    found = kept.store.conversation("#den")
    assert found and found.access == "private" and found.invited == {"bob"}
    kept.post("JOIN", "#den", "bob", access="open")
    found = kept.store.conversation("#den")
    assert found and found.access == "private" and found.invited == set() and found.seq == 2
    assert found.members == {"alice": Membership(1, True), "bob": Membership(2, False)}


def test_leave_removes_the_member_and_says_by_whom(kept: Kept) -> None:
    kept.post("JOIN", "#room", "alice")
    kept.post("JOIN", "#room", "bob")
    assert kept.post("LEAVE", "#room", "bob", by="alice")["by"] == "alice"
    found = kept.store.conversation("#room")
    assert found and set(found.members) == {"alice"} and kept.store.keys("bob") == ["#lobby"]
    assert {room["key"]: room["members"] for room in kept.store.rooms()} == {"#lobby": 3, "#room": 1}


def test_a_topic_is_set_and_kept(kept: Kept) -> None:
    kept.post("JOIN", "#room", "alice")
    kept.post("TOPIC", "#room", "alice", "cats")
    found = kept.store.conversation("#room")
    assert found and found.topic == "cats" and kept.item("alice", "#room")["topic"] == "cats"
    assert kept.store.rooms()[1] == {
        "key": "#room", "kind": "room", "access": "open", "topic": "cats", "seq": 2, "members": 1
    }  # fmt: skip
