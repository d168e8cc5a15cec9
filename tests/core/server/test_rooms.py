"""What is decided: facts in, effects out."""

from __future__ import annotations

from typing import Any

import pytest

from alonechat.core.server.effects import Inherit, Post, Same, Tell
from alonechat.core.server.rooms import Facts, decide, is_emoji, may_read, mentions
from alonechat.core.store.records import Account, Conversation, Membership, Upload
from alonechat.errors import Rejected

ANA, BO, MOD = Account("ana", "Ana"), Account("bo", "Bo"), Account("mod", "Mod", "moderator")
TEXT = {"type": "TEXT", "id": "7", "seq": 3, "sender": "bo", "content": "hi"}


def room(access: str = "open", **more: Any) -> Conversation:
    """#work with ana, who made it, and bo, who came at seq 5."""
    found = Conversation("#work", "room", access, seq=9)
    found.members.update({"ana": Membership(1, True), "bo": Membership(5)})
    for name, value in more.items():
        getattr(found, name).update(value)
    return found


def facts(me: Account = ANA, conversation: Conversation | None = None, **more: Any) -> Facts:
    key = more.pop("key", conversation.key if conversation else "#lobby")
    return Facts(me, key, conversation, {"ana", "bo", "mod"}, **more)


def refusal(given: Facts, **frame: Any) -> str:
    with pytest.raises(Rejected) as refused:
        decide(given, frame)
    return refused.value.code


def test_a_text_of_a_member_is_posted() -> None:
    (post,) = decide(facts(ANA, room()), {"type": "TEXT", "content": "hello @bo", "nonce": "n"})
    assert isinstance(post, Post)
    found = (post.type, post.key, post.sender, post.content, post.nonce, post.mentions)
    assert found == ("TEXT", "#work", "ana", "hello @bo", "n", ["bo"])


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (facts(MOD, room()), "forbidden"),
        (facts(MOD, room("private")), "not_found"),
        (facts(ANA, None, key="#nowhere"), "not_found"),
        (facts(BO, room(muted={"bo"})), "forbidden"),
        (facts(ANA, None, key="ana bo", other=Account("bo", "Bo", standing="disabled")), "forbidden"),
        (facts(ANA, None, key="ana zoe"), "not_found"),
        (facts(ANA, room(), max_content=3), "too_long"),
    ],
    ids=["no-member", "private", "no-room", "muted", "disabled", "nobody", "long"],
)
def test_a_text_is_refused(given: Facts, code: str) -> None:
    assert refusal(given, type="TEXT", content="hello") == code


def test_a_blank_text_is_refused_and_two_slashes_are_one() -> None:
    assert refusal(facts(ANA, room()), type="TEXT", content=" \n ") == "bad_frame"
    (post,) = decide(facts(ANA, room()), {"type": "TEXT", "content": "//etc/hosts"})
    assert isinstance(post, Post) and post.content == "/etc/hosts"


def test_only_its_author_edits_a_message() -> None:
    given = facts(BO, room(), message={**TEXT, "seq": 6})
    assert isinstance(decide(given, {"type": "EDIT", "ref": "7", "content": "ho"})[0], Post)
    assert refusal(facts(ANA, room(), message=TEXT), type="EDIT", ref="7", content="ho") == "forbidden"
    gone = facts(BO, room(), message={**TEXT, "seq": 6, "deleted": True})
    assert refusal(gone, type="EDIT", ref="7", content="ho") == "not_found"


def test_its_author_and_moderators_delete_a_message() -> None:
    frame = {"type": "DELETE", "ref": "7"}
    assert isinstance(decide(facts(BO, room(), message={**TEXT, "seq": 6}), frame)[0], Post)
    assert isinstance(decide(facts(ANA, room(), message=TEXT), frame)[0], Post), "who made the room moderates it"
    assert refusal(facts(BO, room(), message={**TEXT, "sender": "ana"}), **frame) == "forbidden"
    again = facts(BO, room(), message={**TEXT, "seq": 6, "deleted": True})
    assert decide(again, frame) == [Same("#work", "DELETE", ref="7")]


def test_a_private_room_is_read_from_ones_join_on() -> None:
    old = facts(BO, room("private"), message=TEXT)  # seq 3; bo came at 5
    assert refusal(old, type="REACT", ref="7", content="👍") == "not_found"
    assert refusal(old, type="TEXT", content="re", ref="7") == "not_found"


def test_a_reaction_that_stands_changes_nothing() -> None:
    stands = {**TEXT, "reactions": {"👍": ["ana"]}}
    frame = {"type": "REACT", "ref": "7", "content": "👍"}
    assert isinstance(decide(facts(ANA, room(), message=stands), frame)[0], Same)
    assert isinstance(decide(facts(ANA, room(), message=stands), {**frame, "removed": True})[0], Post)
    assert isinstance(decide(facts(ANA, room(), message=TEXT), {**frame, "removed": True})[0], Same)


def test_joining_makes_a_room_or_enters_it() -> None:
    (made,) = decide(facts(ANA, None, key="#new"), {"type": "JOIN", "access": "private"})
    assert isinstance(made, Post) and (made.type, made.access) == ("JOIN", "private")
    assert isinstance(decide(facts(MOD, room()), {"type": "JOIN"})[0], Post)
    assert decide(facts(ANA, room()), {"type": "JOIN"}) == [Same("#work", "JOIN", sender="ana")]
    assert refusal(facts(ANA, None, key="#new", may_make_rooms=False), type="JOIN") == "forbidden"
    assert refusal(facts(ANA, None, key="#everyone"), type="JOIN") == "conflict"
    assert refusal(facts(MOD, room("private")), type="JOIN") == "not_found"
    assert isinstance(decide(facts(MOD, room("private", invited={"mod"})), {"type": "JOIN"})[0], Post)
    assert refusal(facts(MOD, room(banned={"mod"})), type="JOIN") == "forbidden"
    assert isinstance(decide(facts(ANA), {"type": "JOIN"})[0], Tell)
    assert refusal(facts(ANA, None, key="ana bo", other=BO), type="JOIN") == "bad_frame"


def test_leaving() -> None:
    heir, left = decide(facts(BO, room()), {"type": "LEAVE"})
    assert isinstance(left, Post) and heir == Inherit("#work", "bo")
    assert refusal(facts(BO), type="LEAVE") == "forbidden"
    assert isinstance(decide(facts(MOD, room()), {"type": "LEAVE"})[0], Same)


def test_moderators_of_the_room_and_of_the_server_set_the_topic_of_an_open_room() -> None:
    frame = {"type": "TOPIC", "content": "plans"}
    assert isinstance(decide(facts(ANA, room()), frame)[0], Post)
    assert refusal(facts(BO, room()), **frame) == "forbidden"
    there = room(members={"mod": Membership(6)})
    assert isinstance(decide(facts(MOD, there), frame)[0], Post)
    hidden = room("private", members={"mod": Membership(6)})
    assert refusal(facts(MOD, hidden), **frame) == "forbidden", "a private room is its maker's"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@bo hi", ["bo"]),
        ("@bob hi", ["bo"]),
        ("hi @BO, @ana.", ["bo", "ana"]),
        ("mail a@bo", None),
        ("@all lunch", ["*"]),
        ("@allan", None),
        ("@zoe", None),
        ("@李雷你好", ["李雷"]),
        ("@bo @bo", ["bo"]),
    ],
)
def test_mentions(text: str, found: list[str] | None) -> None:
    assert mentions(text, {"ana", "bo", "李雷"}) == found


@pytest.mark.parametrize("content", ["👍", "👍🏽", "❤️", "🇨🇳", "👩‍👩‍👧", "1️⃣", "☺", "⭐", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
def test_an_emoji_is_one(content: str) -> None:
    assert is_emoji(content)


@pytest.mark.parametrize("content", ["a", "ok", "👍👍", "1", "上", " ", "👍 ", "<", "é"])
def test_no_emoji(content: str) -> None:
    assert not is_emoji(content)


# --- files ---

FILE = Upload("f1", "ana", "a.pdf", "application/pdf", 5)


def test_a_text_bears_what_the_server_knows_of_the_senders_uploads() -> None:
    frame = {"type": "TEXT", "content": " ", "attachments": [{"id": "f1", "name": "other", "size": 99}]}
    (post,) = decide(facts(ANA, room(), uploads=[FILE]), frame)
    assert isinstance(post, Post) and post.content == "" and post.attachments == [FILE.wire()]
    picture = Upload("f1", "ana", "a.png", "image/png", 5, 3, 2)
    assert picture.wire() == {**FILE.wire(), "name": "a.png", "mime": "image/png", "width": 3, "height": 2}


@pytest.mark.parametrize(
    ("uploads", "ids", "code"),
    [
        ([], ["f1"], "not_found"),
        ([Upload("f1", "bo", "a", "b/c", 5)], ["f1"], "not_found"),
        ([Upload("f1", "ana", "a", "b/c", 5, key="#work", seq=3)], ["f1"], "conflict"),
        ([FILE], ["f1", "f1"], "bad_frame"),
        ([FILE], ["f1", "f2"], "not_found"),
    ],
    ids=["none", "another's", "borne", "twice", "one of two"],
)
def test_a_text_with_attachments_is_refused(uploads: list[Upload], ids: list[str], code: str) -> None:
    given = facts(ANA, room(), uploads=uploads)
    assert refusal(given, type="TEXT", content="x", attachments=[{"id": id} for id in ids]) == code


@pytest.mark.parametrize(
    ("given", "seq", "allowed"),
    [
        (facts(ANA, room("private")), 1, True),
        (facts(BO, room("private")), 4, False),
        (facts(BO, room("private")), 5, True),
        (facts(MOD, room("private")), 5, False),
        (facts(BO, room()), 1, True),
        (facts(MOD, room()), 9, False),
        (facts(MOD), 1, True),
        (facts(ANA, None, key="ana bo", other=BO), 1, True),
        (facts(MOD, None, key="ana bo", other=BO), 1, False),
        (facts(ANA, None, key="ana bo", other=Account("bo", "Bo", standing="disabled")), 1, True),
    ],
)
def test_who_may_read_an_event_and_what_it_bears(given: Facts, seq: int, allowed: bool) -> None:
    assert may_read(given, seq) is allowed
