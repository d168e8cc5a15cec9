"""Uploads: free until a message bears them, gone with it, and never borne twice."""

from __future__ import annotations

import pytest

from alonechat.core.store.records import Post
from alonechat.errors import Rejected
from tests.conformance.kept import Clock, Kept


def test_an_upload_is_there_and_says_which_message_bears_it(kept: Kept) -> None:
    plan = kept.uploads("alice", "a1")
    assert kept.store.uploads(["a1", "nothing"]) == [plan] and kept.store.uploads([]) == []
    kept.says("bob", "first", "alice bob")
    event = kept.says("alice", "", "alice bob", attachments=[plan.wire()])
    (found,) = kept.store.uploads(["a1"])
    assert (found.key, found.seq) == ("alice bob", 2) and event["attachments"] == [plan.wire()]
    assert kept.store.upload_ids() == {"a1"}


def test_only_ones_own_and_only_once(kept: Kept) -> None:
    for id in ("a1", "a2"):
        kept.uploads("alice", id)
    mine = [{"id": "a1"}, {"id": "a2"}]
    with pytest.raises(Rejected, match="a1"):
        kept.says("bob", "x", attachments=mine)
    kept.says("alice", "one", attachments=mine[:1])
    with pytest.raises(Rejected) as refused:
        kept.says("alice", "both", attachments=mine)
    assert refused.value.code == "conflict" and kept.texts() == ["one"]
    assert kept.says("alice", "two", attachments=mine[1:])["seq"] == 2, "a refused message takes none of them"


def test_in_one_transaction_the_first_gets_it(kept: Kept) -> None:
    kept.uploads("alice", "a1")
    posts = [Post("TEXT", key, "alice", "x", attachments=[{"id": "a1"}]) for key in ("#lobby", "alice bob", "#lobby")]
    posts.insert(1, Post("TEXT", "#lobby", "bob", "between"))
    outcomes = [result for result, _ in kept.outcomes(*posts)]
    assert [isinstance(each, Rejected) for each in outcomes] == [False, False, True, True]
    assert kept.texts() == ["x", "between"] and kept.store.conversation("alice bob") is None


def test_a_deletion_says_which_went_and_they_are_gone(kept: Kept) -> None:
    files = [kept.uploads("alice", id).wire() for id in ("a1", "a2", "a3")]
    event = kept.says("alice", "", attachments=files[:2])
    delete = Post("DELETE", "#lobby", "alice", ref=event["id"])
    again = Post("DELETE", "#lobby", "alice", ref=event["id"])
    kept.outcomes(delete, again)
    assert sorted(delete.gone or ()) == ["a1", "a2"] and not again.gone
    assert kept.store.upload_ids() == {"a3"} and kept.store.uploads(["a1", "a2"]) == []
    assert (
        kept.says("alice", "no files", attachments=None)
        and "attachments" not in kept.store.history("#lobby", 0, None, 50, 1).events[0]
    )
    plain = kept.says("alice", "plain")
    bare = Post("DELETE", "#lobby", "alice", ref=plain["id"])
    kept.outcomes(bare)
    assert bare.gone is None


def test_what_waits_too_long_is_forgotten(kept: Kept, clock: Clock) -> None:
    kept.uploads("alice", "old")
    borne = kept.uploads("alice", "borne")
    kept.says("alice", "", attachments=[borne.wire()])
    clock.advance(1000)
    kept.uploads("bob", "new")
    assert kept.write(lambda writes: writes.drop_uploads(clock.now)) == ["old"]
    assert kept.write(lambda writes: writes.drop_uploads(clock.now)) == []
    assert kept.store.upload_ids() == {"borne", "new"}
    with pytest.raises(Rejected):
        kept.says("alice", "", attachments=[{"id": "old"}])


def test_they_stand_over_a_restart(kept: Kept) -> None:
    loose, borne = kept.uploads("alice", "a1"), kept.uploads("alice", "a2")
    kept.says("alice", "", attachments=[borne.wire()])
    again = kept.again()
    assert again.store.upload_ids() == {"a1", "a2"}
    again.says("alice", "at last", attachments=[loose.wire()])
    again.store.close()


def test_nobody_uploads_for_who_is_not_there(kept: Kept) -> None:
    with pytest.raises(Rejected):
        kept.uploads("nobody", "a1")
    assert kept.store.upload_ids() == set()
