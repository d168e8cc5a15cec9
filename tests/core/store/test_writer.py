"""The writer: many posts in one commit, one failing act harms no other, and a store that can't commit recovers."""

from __future__ import annotations

import queue
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.store import writer
from alonechat.core.store.records import Account, Invite, Post
from alonechat.core.store.sqlite import SqliteStore
from alonechat.errors import Rejected
from tests.conformance.kept import Clock, Kept


def file_of(kept: Kept) -> Path:
    return Path(kept.url.removeprefix("sqlite:///"))


def text(content: str, **more: Any) -> Post:
    return Post("TEXT", "#lobby", "alice", content, **more)


def test_what_gathered_is_one_commit_and_one_wake(tmp_path: Path) -> None:
    kept = Kept(f"sqlite:///{tmp_path}/a.db")
    kept.store.transaction(lambda writes: writes.add_accounts([(Account("alice", "Alice"), None)]))
    commits: list[float] = []
    assert isinstance(kept.store, SqliteStore)
    kept.store.on_commit = commits.append
    events = kept.outcomes(*(text(str(n)) for n in range(300)))
    assert [event["seq"] for event, _ in events] == list(range(1, 301))
    assert len(commits) == kept.wakes == 1 and commits[0] > 0
    kept.store.close()


def test_a_post_is_flushed_and_the_index_with_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(f"sqlite:///{tmp_path}/a.db")
    kept.store.transaction(lambda writes: writes.add_accounts([(Account("alice", "Alice"), None)]))
    assert isinstance(kept.store, SqliteStore)
    works = kept.store._writer
    raw, index = works._raw, works._books.index
    posts: list[int] = []
    indexed: list[int] = []

    def level() -> int:
        return int(raw.execute("PRAGMA synchronous").fetchone()[0])

    flush = index.flush
    monkeypatch.setattr(index, "flush", lambda *given: (indexed.append(level()), flush(*given)))
    kept.store.on_commit = lambda seconds: posts.append(level())
    for turn in range(5):
        kept.outcomes(*(text(f"{turn} {number}") for number in range(50)))
        assert kept.store.search([("#lobby", 1)], str(turn), None, None, 5).events
    kept.store.close()
    assert set(posts) == {2} and len(posts) >= 5, "what is acknowledged is on the disk: FULL"
    assert set(indexed) == {1} and len(indexed) >= 5, "what is made again from the log need not be: NORMAL"


def test_results_come_in_the_order_of_the_queue(tmp_path: Path) -> None:
    kept = Kept(f"sqlite:///{tmp_path}/a.db")
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()
    kept.store.write(lambda writes: writes.add_accounts([(Account("alice", "Alice"), None)]), lambda _: heard.put("a"))
    kept.store.post(text("1"))
    kept.store.post(text("2"))
    kept.store.write(lambda writes: writes.mark_read("alice", "#lobby", 9), heard.put)
    kept.store.post(text("3"))
    kept.store.start(lambda batch: [heard.put(post.content) for post, _, _ in batch], lambda act, *given: act(*given))  # type: ignore[arg-type]
    assert [heard.get(timeout=10) for _ in range(5)] == ["a", "1", "2", 2, "3"]
    kept.store.close()


def test_one_failing_act_harms_no_other(kept: Kept) -> None:
    heard: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def broken(writes: Any) -> None:
        writes.set_setting("half", "done")
        raise ZeroDivisionError("an act's own fault")

    def twice(writes: Any) -> None:
        writes.set_setting("half", "done")
        writes.add_invite(Invite("same"))
        writes.add_invite(Invite("same"))

    kept.store.write(broken, heard.put)
    kept.store.write(twice, heard.put)
    posts = [text("a", nonce="1"), Post("EDIT", "#lobby", "alice", "x", ref="1"), Post("JOIN", "#r", "bob"), text("b")]
    outcomes = kept.outcomes(*posts)
    assert isinstance(heard.get(timeout=10), ZeroDivisionError)
    assert "UNIQUE" in str(heard.get(timeout=10))
    assert [event["seq"] for event, _ in outcomes if isinstance(event, dict)] == [1, 1, 2]
    assert isinstance(outcomes[1][0], Rejected)
    assert kept.store.setting("half") is None and kept.store.invites() == [] and kept.texts() == ["a", "b"]


def test_known_nonces_are_looked_for_once_some_were_met(kept: Kept) -> None:
    """Plain texts are taken for new; one that is not has its whole transaction begun again, so that is not to happen
    each time."""
    begun: list[str] = []
    found: Any = kept.store
    found._raw.set_trace_callback(lambda said: begun.append(said) if said.startswith(("BEGIN", "ROLLBACK")) else None)

    def again() -> list[str]:
        begun.clear()
        assert kept.outcomes(text("a", nonce="1"), text("new"))[0] == (first, True)
        return [said.split()[0] for said in begun]

    first = kept.says("alice", "a", nonce="1")
    assert "ROLLBACK" in again()
    assert "ROLLBACK" not in again() and "ROLLBACK" not in again()
    for number in range(writer.CAREFUL):
        kept.says("alice", str(number))
    assert "ROLLBACK" in again() and "ROLLBACK" not in again()
    assert kept.item("bob")["seq"] == 1 + 5 + writer.CAREFUL


def test_a_text_that_can_not_be_stored_fails_alone(kept: Kept) -> None:
    outcomes = kept.outcomes(text("a"), text("half a \ud83d pair"), text("b"), Post("JOIN", "#r", "bob"), text("c"))
    assert isinstance(outcomes[1][0], UnicodeEncodeError)
    assert [event["seq"] for event, _ in outcomes if isinstance(event, dict)] == [1, 2, 1, 3]
    assert kept.texts() == ["a", "b", "c"] == kept.hits("a") + kept.hits("b") + kept.hits("c")


def spoil(path: Path) -> None:
    """Overwrite all of it, in its place: Windows cuts nothing off a file that is mapped."""
    with path.open("r+b") as file:
        file.write(b"\x00" * path.stat().st_size)


def test_a_damaged_file_is_unavailable_not_a_crash(kept: Kept) -> None:
    kept.says("alice", "before")
    kept.store.close()
    again = Kept(kept.url, kept.clock, busy_timeout=0.2)
    again.says("alice", "after")
    for path in file_of(kept).parent.iterdir():
        spoil(path)
    found: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def read() -> None:
        try:
            found.put(again.store.accounts())
        except Rejected as refused:
            found.put(refused.code)
        found.put(again.store.ready())

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert [found.get(timeout=1), found.get(timeout=1)] == ["unavailable", False]
    again.store.close()


def test_while_another_process_holds_the_database_nothing_is_stored_and_then_it_goes_on(tmp_path: Path) -> None:
    kept = Kept(f"sqlite:///{tmp_path}/a.db", busy_timeout=0.2)
    kept.people("alice", "bob")
    kept.says("alice", "before")
    holder = sqlite3.connect(file_of(kept), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    lost = kept.outcomes(text("lost", nonce="n"), text("lost too"), Post("JOIN", "#room", "bob"))
    assert [(type(result), result.code, known) for result, known in lost] == [(Rejected, "unavailable", False)] * 3
    with pytest.raises(Rejected) as refused:
        kept.write(lambda writes: writes.set_setting("a", "b"))
    assert refused.value.code == "unavailable"
    assert kept.texts() == ["before"]  # readers don't wait for a writer
    holder.execute("ROLLBACK")
    holder.close()
    again = kept.says("alice", "lost", nonce="n")
    assert again["seq"] == 2 and kept.texts() == ["before", "lost"] and kept.store.setting("a") is None
    assert kept.store.conversation("#room") is None and kept.post("JOIN", "#room", "bob")["seq"] == 1
    kept.store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: Windows has no limit on file sizes")
def test_a_full_disk_stores_nothing_and_then_it_goes_on(kept: Kept) -> None:
    import resource

    kept.says("alice", "before")
    files = [path for path in file_of(kept).parent.iterdir()]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(path.stat().st_size for path in files) + 20_000, hard))
    try:
        big = [text(f"{n} " + "x" * 30_000, nonce=str(n)) for n in range(20)]
        outcomes = kept.outcomes(*big)
        assert {type(result) for result, _ in outcomes} == {Rejected}
        assert {result.code for result, _ in outcomes} == {"unavailable"}
        assert kept.texts() == ["before"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    after = kept.outcomes(*big)
    assert [event["seq"] for event, _ in after] == list(range(2, 22)) and not any(known for _, known in after)
    assert kept.texts("#lobby", 20)[0].startswith("19 ")


def test_what_was_queued_is_committed_when_it_closes(kept: Kept) -> None:
    for n in range(1200):
        kept.store.post(text(str(n)))
    kept.store.close()
    again = Kept(kept.url, kept.clock)
    assert again.item("bob")["seq"] == 1200 and kept.heard.qsize() == 1200
    again.store.close()


def test_posts_before_the_start_and_without_one_are_kept(tmp_path: Path) -> None:
    kept = Kept(f"sqlite:///{tmp_path}/a.db")
    kept.store.transaction(lambda writes: writes.add_accounts([(Account("alice", "Alice"), None)]))
    kept.store.post(text("early"))
    kept.store.close()
    again = Kept(kept.url)
    assert again.texts() == ["early"]
    again.store.close()
    again.store.close()


def test_a_loop_that_is_closed_stops_nothing(tmp_path: Path) -> None:
    kept = Kept(f"sqlite:///{tmp_path}/a.db")
    kept.store.transaction(lambda writes: writes.add_accounts([(Account("alice", "Alice"), None)]))

    def closed(*_: Any) -> None:
        raise RuntimeError("Event loop is closed")

    kept.store.start(lambda batch: None, closed)
    for n in range(3):
        kept.store.post(text(str(n)))
    kept.store.close()
    again = Kept(kept.url)
    assert again.texts() == ["0", "1", "2"]
    again.store.close()


def test_a_transaction_is_for_processes_without_a_writer(kept: Kept) -> None:
    with pytest.raises(RuntimeError, match="writer thread"):
        kept.store.transaction(lambda writes: None)
    with pytest.raises(RuntimeError, match="already"):
        kept.store.start(lambda batch: None, lambda act: None)


def test_a_transaction_gives_what_its_act_gives_or_raises(tmp_path: Path) -> None:
    kept = Kept(f"sqlite:///{tmp_path}/a.db", Clock())
    assert kept.store.transaction(lambda writes: writes.set_setting("a", "b") or 7) == 7
    with pytest.raises(Rejected):
        kept.store.transaction(lambda writes: writes.use_invite("none"))
    assert kept.store.setting("a") == "b"
    kept.store.close()
