"""Texts are indexed a moment after they are committed; nobody who searches notices, whatever happens in between."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.store import index, indexing
from alonechat.errors import Rejected
from tests.conformance.kept import Clock, Kept


@pytest.fixture(autouse=True)
def late(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer indexes nothing by itself for as long as a test may run."""
    monkeypatch.setattr(indexing, "LATEST", 600.0)
    assert kept.hits("nothing") == []  # what an earlier process left is looked for once


def waits(kept: Kept) -> int:
    """How many texts wait in memory."""
    found: Any = kept.store
    return int(found._writer._books.index.waits())


def upto(path: Path) -> tuple[int, int]:
    """Up to which id the file says that texts are indexed, and the last one in the log."""
    with closing(sqlite3.connect(path)) as raw:
        (found,) = raw.execute("SELECT upto FROM indexed").fetchone()
        (last,) = raw.execute("SELECT max(id) FROM events WHERE type = 0").fetchone()
    return found, last


def file_of(kept: Kept) -> Path:
    return Path(kept.url.removeprefix("sqlite:///"))


def test_a_text_waits_and_is_found_as_soon_as_somebody_searches(kept: Kept) -> None:
    kept.says("alice", "the first 上海")
    kept.says("bob", "the second")
    assert waits(kept) == 2 and upto(file_of(kept))[0] < upto(file_of(kept))[1]
    assert kept.hits("上海") == ["the first 上海"]
    assert waits(kept) == 0 and upto(file_of(kept))[0] == upto(file_of(kept))[1]
    kept.says("alice", "the third")
    assert kept.hits("the") == ["the third", "the second", "the first 上海"]


def test_many_that_wait_are_indexed_by_the_writer_itself(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "GATHERED", 5)
    for number in range(5):
        kept.says("alice", f"text {number}")
    deadline = time.monotonic() + 10
    while waits(kept):
        assert time.monotonic() < deadline, "nothing was indexed"
        time.sleep(0.01)
    assert upto(file_of(kept))[0] == upto(file_of(kept))[1]


def test_few_that_wait_are_indexed_after_a_while(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "LATEST", 0.05)
    kept.says("alice", "alone")
    deadline = time.monotonic() + 10
    while waits(kept):
        assert time.monotonic() < deadline, "it was not indexed"
        time.sleep(0.01)
    assert upto(file_of(kept))[0] == upto(file_of(kept))[1]


def test_a_waiting_text_that_is_changed_or_deleted_is_found_as_it_stands(kept: Kept) -> None:
    first = kept.says("alice", "an apple")
    second = kept.says("alice", "a pear")
    kept.post("EDIT", "#lobby", "alice", "a quince", ref=first["id"])
    kept.post("DELETE", "#lobby", "alice", ref=second["id"])
    kept.says("bob", "a plum")
    assert kept.hits("apple") == kept.hits("pear") == []
    assert kept.hits("quince") == ["a quince"] and kept.hits("plum") == ["a plum"]


@pytest.mark.parametrize("piece", [2, 4096])
def test_what_waited_when_a_process_ended_is_indexed_by_the_next(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    for number in range(7):
        kept.says("alice", f"text {number}")
    assert waits(kept) == 7
    copy = tmp_path / "crashed"
    shutil.copytree(file_of(kept).parent, copy)  # as the disk is when the process is killed now
    monkeypatch.setattr(index, "PIECE", piece)
    again = Kept(f"sqlite:///{copy}/alonechat.db", Clock(kept.clock.now))
    again.says("bob", "text 7")
    assert len(again.hits("text")) == 8
    again.store.close()
    shutil.copytree(file_of(kept).parent, tmp_path / "read")
    reader = Kept(f"sqlite:///{tmp_path}/read/alonechat.db", Clock(kept.clock.now))
    assert len(reader.hits("text")) == 7, "by a process without a writer, too"
    reader.store.close()


def test_a_server_that_ends_leaves_nothing_to_index(kept: Kept) -> None:
    kept.says("alice", "the last word")
    assert waits(kept) == 1
    kept.store.close()
    assert upto(file_of(kept))[0] == upto(file_of(kept))[1]


def test_a_refused_post_takes_nothing_from_those_that_wait(kept: Kept) -> None:
    kept.says("alice", "one")
    with pytest.raises(Rejected, match="no message"):
        kept.post("EDIT", "#lobby", "alice", "none", ref="12345")
    kept.says("alice", "two")
    assert sorted(kept.hits("one") + kept.hits("two")) == ["one", "two"]


def test_an_index_that_is_broken_holds_up_no_message(kept: Kept) -> None:
    kept.says("alice", "before")
    assert kept.hits("before") == ["before"]
    with closing(sqlite3.connect(file_of(kept), isolation_level=None)) as raw:
        raw.execute("DROP TABLE search_0")
    for number in range(3):
        assert kept.says("alice", f"after {number}")["seq"] == number + 2
    assert kept.texts() == ["before", "after 0", "after 1", "after 2"]


def segments(kept: Kept) -> int:
    """How many segments the newest shard has."""
    with closing(sqlite3.connect(file_of(kept))) as raw:
        (newest,) = raw.execute("SELECT max(number) FROM shards").fetchone()
        return int(raw.execute(f"SELECT count(DISTINCT segid) FROM search_{newest}_idx").fetchone()[0])


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "not within 20 s"
        time.sleep(0.01)


def test_what_is_indexed_together_is_one_segment(kept: Kept) -> None:
    for number in range(150):
        kept.says("alice", f"text {number}")
    assert waits(kept) == 150
    assert len(kept.hits("text")) == 100 and segments(kept) == 1
    kept.says("alice", "one more")
    assert kept.hits("more") == ["one more"] and segments(kept) == 2


def test_segments_are_merged_once_nothing_comes(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "GATHERED", 1)
    texts = index.SEGMENTS * 8
    for number in range(texts):
        kept.says("alice", f"text {number}")
        wait_until(lambda: not waits(kept))
    # those that came while others were merged are not counted, and those that are merged are some again
    wait_until(lambda: segments(kept) <= index.SEGMENTS * 3)
    assert len(kept.hits("text")) == texts and kept.hits("63") == ["text 63"]


def test_segments_wait_while_somebody_searches(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "QUIET", 600.0)
    for number in range(index.SEGMENTS + 2):
        kept.says("alice", f"text {number}")
        assert kept.hits(str(number)) == [f"text {number}"]
    time.sleep(20 * indexing.PAUSE)
    assert segments(kept) == index.SEGMENTS + 2
    monkeypatch.setattr(indexing, "QUIET", 0.0)
    kept.says("alice", "one more")  # so that the writer, which waits for an end of the searches, looks again
    wait_until(lambda: segments(kept) <= 2)


def test_where_something_always_comes_they_are_merged_when_there_are_many(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PAUSE", 600.0)
    monkeypatch.setattr(indexing, "MOST", 1)
    monkeypatch.setattr(indexing, "MANY", 12)
    most = 0
    for number in range(40):
        kept.says("alice", f"text {number}")
        wait_until(lambda: not waits(kept))
        most = max(most, segments(kept))
    assert index.SEGMENTS < most < 24, "left alone until there are many, and not far beyond that"
    assert len(kept.hits("text")) == 40


def test_shards_that_are_full_are_merged_one_after_the_other(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "PAUSE", 600.0)
    monkeypatch.setattr(indexing, "MOST", 1)
    monkeypatch.setattr(indexing, "LEFT", 1)
    monkeypatch.setattr(index, "SHARD", 10)
    for number in range(45):
        kept.says("alice", f"text {number}")
        wait_until(lambda: not waits(kept))
    with closing(sqlite3.connect(file_of(kept))) as raw:
        counts = [
            raw.execute(f"SELECT count(DISTINCT segid) FROM search_{shard}_idx").fetchone()[0] for shard in range(5)
        ]
    assert counts == [1, 1, 1, 10, 5], "the last two are left for later"
    assert len(kept.hits("text")) == 45


def test_what_an_earlier_process_left_unmerged_is_merged_by_the_next(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "SHARD", 10)
    for number in range(25):
        kept.says("alice", f"text {number}")
        assert kept.hits(str(number)) == [f"text {number}"]  # has it indexed, as a segment of its own
    kept.store.close()

    def counts() -> list[int]:
        with closing(sqlite3.connect(file_of(kept))) as raw:
            return [
                raw.execute(f"SELECT count(DISTINCT segid) FROM search_{shard}_idx").fetchone()[0] for shard in range(3)
            ]

    assert counts() == [10, 10, 5], "there is something to merge"
    again = Kept(kept.url, Clock(kept.clock.now))
    again.start()
    wait_until(lambda: counts() == [1, 1, 5])
    assert len(again.hits("text")) == 25
    again.store.close()


def test_an_index_that_is_broken_when_a_process_begins_holds_up_no_message(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    kept.says("alice", "before")
    assert kept.hits("before") == ["before"]
    kept.store.close()
    with closing(sqlite3.connect(file_of(kept), isolation_level=None)) as raw:
        raw.execute("DROP TABLE search_0")
    again = Kept(kept.url, Clock(kept.clock.now))
    assert again.says("alice", "after")["seq"] == 2 and again.texts() == ["before", "after"]
    assert "the index can't be looked at" in caplog.text
    again.store.close()


def test_merging_takes_many_short_steps(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "PAUSE", 600.0)
    monkeypatch.setattr(indexing, "PAGES", 4)
    monkeypatch.setattr(indexing, "MANY", index.SEGMENTS)
    found: Any = kept.store
    taken: list[int] = []
    merge = index.Index.merge

    def counted(self: index.Index, pages: int) -> None:
        before = found._writer._raw.total_changes
        merge(self, pages)
        taken.append(found._writer._raw.total_changes - before)

    monkeypatch.setattr(index.Index, "merge", counted)
    for _ in range(index.SEGMENTS):
        words = [f"w{number:05}" for number in range(3000)]
        for at in range(0, 3000, 300):
            kept.says("alice", " ".join(words[at : at + 300]))
        assert len(kept.hits("w00007")) > 0  # has what waits indexed, as one segment
    for number in range(30):
        kept.says("bob", f"{number}")
    assert len(taken) > 5 and max(taken) < sum(taken) / 3, "rows of the index that each step wrote"
    assert kept.hits("29") == ["29"] and segments(kept) < index.SEGMENTS and len(kept.hits("w00007")) == index.SEGMENTS


def test_a_shard_that_an_older_version_made_is_merged_like_a_new_one(kept: Kept) -> None:
    kept.says("alice", "before")
    assert kept.hits("before") == ["before"]
    kept.store.close()
    with closing(sqlite3.connect(file_of(kept), isolation_level=None)) as raw:
        settings = "SELECT k, v FROM search_0_config WHERE k != 'version' ORDER BY k"
        wanted = raw.execute(settings).fetchall()
        raw.execute("DELETE FROM search_0_config WHERE k != 'version'")
    again = Kept(kept.url, Clock(kept.clock.now))
    again.says("alice", "after")
    assert again.hits("after") == ["after"] and again.hits("before") == ["before"]
    again.store.close()
    with closing(sqlite3.connect(file_of(kept))) as raw:
        assert raw.execute(settings).fetchall() == wanted == sorted(index.TUNE)


def test_what_the_disk_does_not_take_is_not_tried_with_each_message(
    kept: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "MOST", 1)
    kept.says("alice", "before")
    wait_until(lambda: not waits(kept))
    with closing(sqlite3.connect(file_of(kept), isolation_level=None)) as raw:
        raw.execute("DROP TABLE search_0")
    for number in range(5):
        kept.says("alice", f"after {number}")
    kept.store.close()
    assert len([line for line in caplog.messages if "search does not know" in line]) == 1


def test_a_merge_that_fails_is_tried_again_later_and_harms_no_message(
    kept: Kept, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "MOST", 1)
    monkeypatch.setattr(indexing, "MANY", index.SEGMENTS)

    def full(self: index.Index, pages: int) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(index.Index, "merge", full)
    for number in range(index.SEGMENTS):
        kept.says("alice", f"text {number}")
        wait_until(lambda: not waits(kept))
    wait_until(lambda: "disk is full" in caplog.text)
    for number in range(20):
        assert kept.says("alice", f"after {number}")["seq"] == index.SEGMENTS + number + 1
    time.sleep(20 * indexing.PAUSE)
    assert caplog.text.count("disk is full") == 1
    assert len(kept.hits("after")) == 20


def test_a_deleted_text_is_gone_though_its_shard_is_half_merged(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PAUSE", 600.0)
    monkeypatch.setattr(indexing, "PAGES", 1)
    monkeypatch.setattr(indexing, "MANY", index.SEGMENTS)
    secret = kept.says("alice", "zanzibar with some words around it")
    for _ in range(index.SEGMENTS):
        for at in range(0, 3000, 300):
            kept.says("alice", " ".join(f"w{number:05}" for number in range(at, at + 300)))
        assert len(kept.hits("w00007")) > 0
    for _ in range(3):
        kept.says("bob", "a step")
    found: Any = kept.store
    assert found._writer._books.index.unmerged() == 1, "it was merged in so few steps"

    def everywhere() -> bytes:
        return b"".join(
            path.read_bytes() for path in file_of(kept).parent.glob("alonechat.db*") if "-shm" not in path.name
        )

    assert b"zanzibar" in everywhere()
    kept.post("DELETE", "#lobby", "alice", ref=secret["id"])
    wait_until(lambda: b"zanzibar" not in everywhere())
    assert kept.hits("zanzibar") == [] and len(kept.hits("w00007")) == index.SEGMENTS
    for number in range(40):
        kept.says("bob", f"more {number}")
    assert len(kept.hits("w00007")) == index.SEGMENTS and len(kept.hits("more")) == 40
    kept.store.close()
    with closing(sqlite3.connect(file_of(kept))) as raw:
        raw.execute("INSERT INTO search_0 (search_0, rank) VALUES ('integrity-check', 0)")
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
