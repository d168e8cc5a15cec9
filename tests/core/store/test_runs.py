"""Texts that follow each other are stored as what they are, however many come and whatever comes between; and what is
counted of them is what the log says."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.store import wire
from alonechat.core.store.records import Account, Post
from alonechat.core.store.sqlite import SqliteStore
from alonechat.errors import Rejected
from tests.conformance.kept import Kept

PEOPLE = ("alice", "bob", "carol")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    made = Kept(f"sqlite:///{tmp_path}/a.db")
    made.store.transaction(lambda writes: writes.add_accounts([(Account(name, name), None) for name in PEOPLE]))
    return made


def commit(kept: Kept, posts: list[Post]) -> list[Any]:
    """Commit them in one transaction; what came of each."""
    assert isinstance(kept.store, SqliteStore)
    return [result for _, result, _ in kept.store._writer._commit([*posts])]


def rows(kept: Kept, statement: str) -> list[Any]:
    with sqlite3.connect(kept.url.removeprefix("sqlite:///")) as raw:
        return raw.execute(statement).fetchall()


@pytest.mark.parametrize("nonces", ["none", "all", "some"])
@pytest.mark.parametrize("size", [1, 3, 4, 5, 63, 64, 65, 131, 512])
def test_a_run_is_stored_as_it_was_posted(kept: Kept, size: int, nonces: str) -> None:
    def nonce(number: int) -> str | None:
        return f"n{number}" if nonces == "all" or (nonces == "some" and number % 3 == 0) else None

    posts = [Post("TEXT", "#lobby", PEOPLE[n % 3], f"{n} 上海", nonce=nonce(n)) for n in range(size)]
    events = commit(kept, posts)
    stored = rows(
        kept,
        "SELECT e.id, c.key, e.seq, e.type, a.username, e.stamp, e.content, e.nonce, e.ref, e.extra, e.deleted"
        " FROM events e JOIN conversations c ON c.id = e.conversation JOIN accounts a ON a.id = e.sender ORDER BY e.id",
    )
    assert [wire.wire_id(row[0]) for row in stored] == [event["id"] for event in events]
    assert [row[1:] for row in stored] == [
        ("#lobby", n + 1, 0, PEOPLE[n % 3], kept.clock.now, f"{n} 上海", nonce(n), None, None, 0) for n in range(size)
    ]
    kept.store.close()


def test_what_comes_between_is_in_its_place(kept: Kept) -> None:
    """Conversations in turns, answers, mentions, commands and refused ones, in one transaction."""
    dice = random.Random(7)
    commit(kept, [Post("TEXT", "alice bob", "alice", "first"), Post("TEXT", "#lobby", "alice", "first")])
    first = rows(kept, "SELECT id FROM events WHERE conversation = 1")[0][0]
    posts = []
    for n in range(400):
        key, who = dice.choice([("#lobby", "alice"), ("#lobby", "bob"), ("#lobby", "bob"), ("alice bob", "alice")])
        if n % 57 == 0:
            posts.append(Post("TEXT", "#nowhere", who, f"{n}"))
        elif n % 41 == 0:
            posts.append(Post("EDIT", "#lobby", "alice", f"{n}", ref=wire.wire_id(first)))
        elif key == "#lobby" and n % 23 == 0:
            posts.append(Post("TEXT", key, who, f"{n}", ref=wire.wire_id(first), mentions=["bob"]))
        else:
            posts.append(Post("TEXT", key, who, f"{n}", nonce=f"{who}{n}" if n % 2 else None))
    outcomes = commit(kept, posts)
    wanted = [
        (int(event["id"]), event["seq"], post.sender, post.content, post.nonce)
        for post, event in zip(posts, outcomes, strict=True)
        if not isinstance(event, Rejected)
    ]
    assert [type(each) for each in outcomes].count(Rejected) == 8
    found = rows(
        kept,
        "SELECT e.id, e.seq, a.username, e.content, e.nonce FROM events e JOIN accounts a ON a.id = e.sender"
        " ORDER BY e.id LIMIT -1 OFFSET 2",
    )
    assert found == wanted
    kept.store.close()


def test_what_is_counted_is_what_the_log_says(kept: Kept) -> None:
    dice = random.Random(11)
    ids: list[str] = []
    for turn in range(60):
        posts = [Post("TEXT", "#lobby", dice.choice(PEOPLE), f"{turn}") for _ in range(dice.randrange(1, 90))]
        if turn % 7 == 0 and ids:
            ref = dice.choice(ids)
            sender = rows(
                kept, f"SELECT a.username FROM events e JOIN accounts a ON a.id = e.sender WHERE e.id = {ref}"
            )
            posts.insert(dice.randrange(len(posts)), Post("DELETE", "#lobby", sender[0][0], ref=ref))
        if turn % 11 == 0:  # the nonce is known: the transaction is begun again
            posts += [Post("TEXT", "#lobby", "alice", "once", nonce="once")]
        if turn == 30:
            kept = kept.again()
        ids += [event["id"] for post, event in zip(posts, commit(kept, posts), strict=True) if post.type == "TEXT"]
    counted = rows(kept, "SELECT conversation, bucket, sender, texts FROM tallies WHERE texts > 0 ORDER BY 1, 2, 3")
    there = rows(
        kept,
        "SELECT conversation, seq >> 9, sender, count(*) FROM events WHERE type = 0 AND deleted = 0"
        " AND seq >> 9 < (SELECT seq >> 9 FROM conversations WHERE id = conversation)"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    )
    assert counted == there and len(there) >= 9
    kept.store.close()


def test_where_a_conversation_ends_is_what_the_log_says(kept: Kept) -> None:
    """Commits of texts alone write nothing beside the log: whoever asks for an end has it from there."""
    dice = random.Random(5)
    commit(kept, [Post("JOIN", "#den", "alice", access="open"), Post("JOIN", "#hall", "alice", access="open")])
    commit(kept, [Post("JOIN", "#den", "bob"), Post("JOIN", "#hall", "bob")])
    keys = ("#lobby", "#den", "#hall", "alice bob", "alice carol")
    texts: list[tuple[str, str]] = []
    for turn in range(150):
        posts = [Post("TEXT", key, "alice", f"{turn}") for key in dice.choices(keys, k=dice.randrange(5))]
        if turn % 3 == 0 and texts:
            key, ref = texts.pop() if turn % 2 else texts.pop(dice.randrange(len(texts)))
            posts.insert(dice.randrange(len(posts) + 1), Post("DELETE", key, "alice", ref=ref))
        if turn % 4 == 0 and texts:
            key, ref = dice.choice(texts)
            posts.insert(dice.randrange(len(posts) + 1), Post("EDIT", key, "alice", f"{turn}, edited", ref=ref))
        if turn % 5 == 4:
            kept = kept.again()
        events = commit(kept, posts)
        texts += [(post.key, event["id"]) for post, event in zip(posts, events, strict=True) if post.type == "TEXT"]
        ends = rows(
            kept,
            "SELECT c.key, max(e.seq), max(e.id) FILTER (WHERE e.type = 0 AND NOT e.deleted)"
            " FROM events e JOIN conversations c ON c.id = e.conversation GROUP BY c.id ORDER BY max(e.id) DESC",
        )
        items, _ = kept.store.overview("alice")
        told = [(each["key"], each["seq"], int(each["last"]["id"]) if each["last"] else None) for each in items]
        assert [each for each in told if each[1]] == ends
        half = len(items) // 2
        later, _ = kept.store.overview("alice", before=items[half - 1]["target"])
        assert [each["key"] for each in later] == [each["key"] for each in items[half:]]
        assert {each["key"]: each["seq"] for each in kept.store.rooms() if each["seq"]} == {
            key: seq for key, seq, _ in ends if key[0] == "#"
        }
        for key, seq, _ in ends:
            found = kept.store.conversation(key)
            assert found and found.seq == seq
    kept.store.close()
