"""Texts are indexed a moment after they are committed; nobody who searches notices, whatever happens in between."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.store import index, writer
from alonechat.errors import Rejected
from tests.conformance.kept import Clock, Kept


@pytest.fixture(autouse=True)
def late(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer indexes nothing by itself for as long as a test may run."""
    monkeypatch.setattr(writer, "LATEST", 600.0)
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
    monkeypatch.setattr(writer, "GATHERED", 5)
    for number in range(5):
        kept.says("alice", f"text {number}")
    deadline = time.monotonic() + 10
    while waits(kept):
        assert time.monotonic() < deadline, "nothing was indexed"
        time.sleep(0.01)
    assert upto(file_of(kept))[0] == upto(file_of(kept))[1]


def test_few_that_wait_are_indexed_after_a_while(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LATEST", 0.05)
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
