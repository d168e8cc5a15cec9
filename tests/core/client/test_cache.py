"""What a client keeps on disk: real SQLite files, restarts, damage, full disks, two processes."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.client.cache import Cache, Entry, path_of, written
from alonechat.core.client.state import Conversation
from alonechat.errors import AloneChatError
from tests.core.client.scripted import SERVER, event

ROOT = Path(__file__).resolve().parents[3]
QUICK = 1.0
"""Seconds for what should take a few milliseconds: wide, for machines that do other things meanwhile."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return path_of(tmp_path, "5f0c", "alice")


@pytest.fixture
def cache(path: Path) -> Iterator[Cache]:
    cache = Cache(path)
    yield cache
    cache.close()


def seqs(messages: tuple[dict[str, Any], ...]) -> list[int]:
    return [message["seq"] for message in messages]


def run(first: int, last: int, target: str = "#lobby", **more: Any) -> list[tuple[str, dict[str, Any]]]:
    """Events of a conversation as `take` wants them."""
    return [(target, event(seq, target, **more)) for seq in range(first, last + 1)]


# --- messages ---


def test_what_arrived_is_there_after_a_restart(path: Path) -> None:
    first = Cache(path)
    first.take(run(5, 7) + run(1, 2, "bo"))
    first.close()
    again = Cache(path)
    assert seqs(again.before("#lobby", None, 10).messages) == [5, 6, 7]
    assert again.before("bo", None, 10).messages == (event(1, "bo"), event(2, "bo"))
    assert (again.position("#lobby"), again.floor("#lobby"), again.position("cy")) == (7, 4, None)
    again.close()


def test_pages_go_up_and_down_and_say_where_the_log_begins(cache: Cache) -> None:
    cache.take(run(1, 10))
    assert seqs(cache.before("#lobby", None, 4).messages) == [7, 8, 9, 10]
    assert seqs(cache.before("#lobby", 7, 4).messages) == [3, 4, 5, 6]
    top = cache.before("#lobby", 3, 4)
    assert (seqs(top.messages), top.start, top.position) == ([1, 2], True, 10)
    assert not cache.before("#lobby", 5, 4).start  # exactly a page: whether there is more is not known yet
    assert seqs(cache.after("#lobby", 7, 2)) == [8, 9]
    assert cache.after("#lobby", 10, 2) == ()
    assert cache.before("cy", None, 4) == cache.before("#lobby", None, 0).__class__((), False, 0)


def test_a_log_that_is_known_from_the_middle_on_has_no_start(cache: Cache) -> None:
    cache.take(run(5, 6))
    assert not cache.before("#lobby", None, 10).start
    assert [cache.reaches("#lobby", seq) for seq in (4, 5, 6, 7)] == [False, True, True, False]
    assert not cache.reaches("cy", 1) and cache.floor("cy") == 0


def test_edits_deletions_and_reactions_change_what_is_kept(cache: Cache) -> None:
    cache.take(run(1, 3))
    ids = {seq: event(seq)["id"] for seq in (1, 2, 3)}
    at = event(4)["timestamp"]
    changes = [
        event(4, type="EDIT", ref=ids[1], content="new"),
        event(5, type="DELETE", ref=ids[2]),
        event(6, type="REACT", ref=ids[3], content="👍"),
        event(7, type="REACT", ref="nobody knows", content="👍"),
    ]
    cache.take([("#lobby", each) for each in changes])
    one, two, three = cache.before("#lobby", None, 10).messages
    assert (one["content"], one["edited"]) == ("new", at)
    assert (two["content"], two["deleted"]) == ("", True)
    assert three["reactions"] == {"👍": ["bo"]}
    assert cache.position("#lobby") == 7


def test_what_was_deleted_is_in_no_file(cache: Cache, path: Path) -> None:
    cache.take([("#lobby", event(1, content="the secret of the house"))])
    cache.take([("#lobby", event(2, type="DELETE", ref=event(1)["id"]))])
    cache.close()
    assert path.exists() and b"the secret" not in path.read_bytes()


def test_events_that_were_here_before_are_no_news(cache: Cache) -> None:
    cache.take(run(1, 5))
    cache.take(run(3, 6, content="another"))
    found = cache.before("#lobby", None, 10).messages
    assert [message["content"] for message in found[2:]] == ["message 3", "message 4", "message 5", "another"]


def test_a_gap_begins_the_conversation_anew(cache: Cache) -> None:
    cache.take(run(1, 5))
    cache.take(run(9, 10))
    assert seqs(cache.before("#lobby", None, 10).messages) == [9, 10]
    assert (cache.floor("#lobby"), cache.position("#lobby")) == (8, 10)
    cache.take(run(6, 8))  # too late: what is asked for when one scrolls is taken by `older`
    assert seqs(cache.before("#lobby", None, 10).messages) == [9, 10]


def test_older_pages_go_in_front(cache: Cache) -> None:
    cache.take(run(20, 25))
    cache.older("#lobby", 19, [event(seq) for seq in (10, 12, 18)], more=True)
    assert seqs(cache.before("#lobby", 20, 10).messages) == [10, 12, 18]
    assert cache.floor("#lobby") == 9
    cache.older("#lobby", 9, [event(2)], more=False)
    top = cache.before("#lobby", 10, 10)
    assert (seqs(top.messages), top.start, cache.floor("#lobby")) == ([2], True, 0)


@pytest.mark.parametrize("floor", [0, 18, 20])
def test_an_older_page_that_does_not_fit_is_left(cache: Cache, floor: int) -> None:
    cache.take(run(20, 25))
    cache.older("#lobby", floor, [event(3)], more=True)
    assert (seqs(cache.before("#lobby", None, 10).messages), cache.floor("#lobby")) == ([20, 21, 22, 23, 24, 25], 19)


def test_a_conversation_begins_anew_goes_and_comes_back(cache: Cache) -> None:
    cache.take(run(1, 5) + run(1, 3, "bo"))
    cache.draft("bo", "to be said")
    cache.begin("#lobby", 40)
    assert (cache.before("#lobby", None, 9).messages, cache.position("#lobby"), cache.floor("#lobby")) == ((), 40, 40)
    cache.forget("bo")
    assert (cache.position("bo"), cache.drafts()) == (None, {"bo": "to be said"})
    cache.take(run(41, 41) + run(7, 7, "bo"))
    assert seqs(cache.before("#lobby", None, 9).messages) == [41]
    assert seqs(cache.before("bo", None, 9).messages) == [7]


def test_another_log_leaves_drafts_and_what_waits(cache: Cache) -> None:
    cache.take(run(1, 5))
    cache.draft("#lobby", "half a sen")
    cache.wait([written({"type": "TEXT", "target": "#lobby", "content": "hi"}, "n1", 5.0)])
    cache.clear()
    assert (cache.conversations(), cache.position("#lobby")) == ([], None)
    assert (cache.drafts(), [each.nonce for each in cache.outbox()]) == ({"#lobby": "half a sen"}, ["n1"])


def test_conversations_come_back_as_they_were_described(path: Path, cache: Cache) -> None:
    cache.take(run(3, 9))
    known = Conversation("#lobby", "room", 9, seq=9, topic="tea", members=4, read=5, unread=2, muted=True)
    known.last = event(9)
    cache.describe([known, Conversation("bo", "direct", None, seq=30, unread=1)])
    again = Cache(path)
    found = {each.target: each for each in again.conversations()}
    lobby, bo = found["#lobby"], found["bo"]
    assert (lobby.kind, lobby.position, lobby.floor, lobby.topic, lobby.members) == ("room", 9, 9, "tea", 4)
    assert (lobby.read, lobby.unread, lobby.muted, lobby.last) == (5, 2, True, event(9))
    assert (bo.kind, bo.position, bo.seq, bo.unread) == ("direct", 30, 30, 1)
    again.close()


def test_values_are_kept_by_their_key(path: Path, cache: Cache) -> None:
    assert cache.get("server") is None
    cache.put("server", SERVER)
    cache.put("server", {**SERVER, "epoch": "b2"})
    again = Cache(path)
    assert again.get("server")["epoch"] == "b2"
    again.close()


# --- search ---


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("tea", [4, 2, 1]),
        ("TEA green", [2]),
        ("茶", [3]),
        ('"now"', [5]),
        ("c:\\tea", [4]),
        ("TEXT", []),
        ("bo", []),
        ("ça", [5]),
    ],
)
def test_search_finds_every_word_and_nothing_but_texts(cache: Cache, q: str, found: list[int]) -> None:
    said = {1: "Tea?", 2: "green tea", 3: "喝茶吗", 4: "in C:\\tea\\cup", 5: 'Ça said "now"', 6: ""}
    for seq, content in said.items():
        cache.take([("#lobby", {**event(seq), "content": content})])
    hits = cache.search(q)
    assert [hit["seq"] for hit in hits] == found
    assert all(hit["conversation"] == "#lobby" for hit in hits)


def test_search_by_place_sender_and_number(cache: Cache) -> None:
    cache.take(run(1, 3, content="tea") + run(1, 2, "ana", sender="ana", content="tea"))
    assert len(cache.search("tea")) == 5
    assert {hit["conversation"] for hit in cache.search("tea", "ana")} == {"ana"}
    assert seqs(tuple(cache.search("tea", sender="bo"))) == [3, 2, 1]
    assert seqs(tuple(cache.search("tea", "#lobby", limit=2))) == [3, 2]
    assert len(cache.searched("tea")) == 5  # by a connection of its own
    memory = Cache(None)
    memory.take(run(1, 1, content="tea"))
    assert len(memory.searched("tea")) == 1


# --- what is being written ---


def test_drafts_are_replaced_and_dropped(path: Path, cache: Cache) -> None:
    cache.draft("#lobby", "a")
    cache.draft("bo", "你好")
    cache.draft("#lobby", "ab")
    cache.draft("cy", "")
    again = Cache(path)
    assert again.drafts() == {"#lobby": "ab", "bo": "你好"}
    again.draft("bo", "")
    assert cache.drafts() == {"#lobby": "ab"}
    again.close()


def entry(nonce: str, content: str = "hi") -> Entry:
    return written({"type": "TEXT", "target": "#lobby", "content": content, "ref": None}, nonce, 7.0)


def test_the_outbox_keeps_its_order_over_restarts_and_refusals(path: Path, cache: Cache) -> None:
    cache.wait([entry("n3"), entry("n1")])
    cache.wait([entry("n2")])
    cache.refuse("n3", "forbidden", "you are muted")
    cache.settle("n1")
    again = Cache(path)
    again.wait([entry("n0")])
    found = again.outbox()
    assert [each.nonce for each in found] == ["n3", "n2", "n0"]
    assert (found[0].code, found[0].reason, found[0].made) == ("forbidden", "you are muted", 7.0)
    assert found[1].frame == {"type": "TEXT", "target": "#lobby", "content": "hi"}  # nothing that is None
    again.refuse("n3", "", "")
    assert [each.code for each in cache.outbox()] == ["", "", ""]
    again.close()


def test_an_entry_names_its_conversation_and_type() -> None:
    assert (entry("n").target, entry("n").type) == ("#lobby", "TEXT")
    assert Entry("n", {"type": "TEXT", "content": "hi"}, 0.0).target == "#lobby"


def test_a_nonce_that_waits_already_is_refused_and_nothing_of_its_batch_is_kept(cache: Cache) -> None:
    cache.wait([entry("n1")])
    with pytest.raises(AloneChatError, match="can't write to"):
        cache.wait([entry("n2"), entry("n1")])
    assert [each.nonce for each in cache.outbox()] == ["n1"]


def test_a_transaction_is_kept_whole_or_not_at_all(cache: Cache) -> None:
    with pytest.raises(KeyError), cache.changing():
        cache.take(run(1, 3))
        cache.draft("#lobby", "lost")
        raise KeyError("a fault of ours")
    assert (cache.position("#lobby"), cache.drafts()) == (None, {})
    cache.draft("#lobby", "kept")
    assert cache.drafts() == {"#lobby": "kept"}


# --- the file ---


def test_nobody_else_may_read_it(path: Path, cache: Cache) -> None:
    cache.take(run(1, 3))
    files = sorted(path.parent.iterdir())
    assert [each.name for each in files] == ["alice.db", "alice.db-shm", "alice.db-wal"]
    if os.name == "posix":
        assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(("server", "username"), [("../..", "a/b"), ("5f0c", ".."), ("id", "李雷"), ("id", "con")])
def test_no_name_leads_out_of_the_directory(tmp_path: Path, server: str, username: str) -> None:
    path = path_of(tmp_path, server, username)
    assert path.resolve().is_relative_to(tmp_path) and path.parent.parent == tmp_path
    cache = Cache(path)
    cache.remove()
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("content", [b"this is no database" * 300, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_cache_is_put_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    cache = Cache(path)
    cache.draft("#lobby", "new")
    assert cache.drafts() == {"#lobby": "new"}
    assert path.with_name("alice.db.broken").read_bytes() == content
    cache.close()


def test_a_cache_of_another_version_is_put_aside(path: Path, cache: Cache) -> None:
    cache.draft("#lobby", "old")
    cache.close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version=99")
    other.close()
    new = Cache(path)
    assert new.drafts() == {} and path.with_name("alice.db.broken").exists()
    new.close()


def test_a_file_with_a_damaged_page_is_put_aside_or_says_so(path: Path, cache: Cache) -> None:
    """Wherever the damage is, there is a cache to go on with, or a sentence; never another exception."""
    cache.take(run(1, 400, content="x" * 200))
    cache.draft("#lobby", "kept")
    cache.close()
    whole = path.read_bytes()
    pages = len(whole) // 4096
    assert pages > 20
    for page in range(1, pages):
        path.write_bytes(whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :])
        again = Cache(path)
        try:
            again.conversations(), again.outbox(), again.drafts(), again.before("#lobby", None, 1000)
            again.take(run(401, 402))
        except AloneChatError as error:
            assert str(path) in str(error)
        again.close()


@pytest.mark.parametrize("place", ["a file", "a file/5f0c", "a directory"])
def test_a_place_that_can_not_be_used_is_said(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").write_text("")
    (tmp_path / "a directory" / "alice.db").mkdir(parents=True)
    with pytest.raises(AloneChatError, match=r"can't keep messages in .*; make it writable"):
        Cache(tmp_path / place / "alice.db")


@pytest.mark.parametrize("limit", ["PRAGMA max_page_count=12", "PRAGMA query_only=ON"])
def test_a_full_or_read_only_disk_is_said_and_what_was_kept_stays(path: Path, cache: Cache, limit: str) -> None:
    cache.take(run(1, 5))
    cache._db.execute(limit)
    with pytest.raises(AloneChatError, match="can't write to"):
        cache.take(run(6, 300, content="x" * 500))
    with pytest.raises(AloneChatError, match="can't write to"):
        cache.wait([entry(f"n{n}", "x" * 4000) for n in range(50)])
    assert (seqs(cache.before("#lobby", None, 9).messages), cache.position("#lobby")) == ([1, 2, 3, 4, 5], 5)
    cache.close()
    again = Cache(path)
    again.take(run(6, 7))
    assert (again.position("#lobby"), again.outbox()) == (7, [])
    again.close()


def test_without_a_path_it_lives_in_memory() -> None:
    cache = Cache(None)
    cache.take(run(1, 3))
    cache.wait([entry("n1")])
    assert (seqs(cache.before("#lobby", None, 9).messages), len(cache.outbox())) == ([1, 2, 3], 1)
    cache.remove()


# --- two processes ---

OTHER = """
import sys
from pathlib import Path
from alonechat.core.client.cache import Cache, written
from tests.core.client.scripted import event
cache = Cache(Path(sys.argv[1]))
for n in range(1, 61):
    cache.take([("bo", event(n, "bo"))])
    cache.wait([written({"type": "TEXT", "content": str(n)}, f"other {n}", 0.0)])
"""


def test_two_processes_write_at_once_and_nothing_is_lost(path: Path, cache: Cache) -> None:
    beside = subprocess.Popen([sys.executable, "-c", OTHER, str(path)], cwd=ROOT, stderr=subprocess.PIPE)
    for n in range(1, 61):
        cache.take(run(n, n))
        cache.wait([entry(f"mine {n}")])
    assert beside.wait(60) == 0, beside.stderr.read() if beside.stderr else ""
    if beside.stderr:
        beside.stderr.close()
    assert seqs(cache.before("bo", None, 100).messages) == seqs(cache.before("#lobby", None, 100).messages)
    kept = [each.nonce for each in cache.outbox()]
    assert sorted(kept) == sorted([f"{who} {n}" for who in ("mine", "other") for n in range(1, 61)])
    for who in ("mine", "other"):
        assert [nonce for nonce in kept if nonce.startswith(who)] == [f"{who} {n}" for n in range(1, 61)]


def test_a_change_of_another_process_is_noticed_once(path: Path, cache: Cache) -> None:
    other = Cache(path)
    cache.draft("#lobby", "mine")
    assert not cache.changed_elsewhere()
    other.draft("#lobby", "theirs")
    assert cache.changed_elsewhere() and not cache.changed_elsewhere()
    other.close()


# --- size ---


def test_a_hundred_thousand_messages_are_opened_and_paged_at_once(path: Path) -> None:
    cache = Cache(path)
    cache.take(run(1, 100_000, content="a message of the usual length, neither long nor short"))
    cache.close()
    times = {}
    began = time.perf_counter()
    cache = Cache(path)
    cache.conversations()
    latest = cache.before("#lobby", None, 80)
    times["open"] = time.perf_counter() - began
    began = time.perf_counter()
    for seq in range(100_000, 0, -1000):
        assert len(cache.before("#lobby", seq, 80).messages) == 80
    times["100 pages"] = time.perf_counter() - began
    cache.close()
    assert seqs(latest.messages) == list(range(99_921, 100_001))
    assert max(times.values()) < QUICK, times
