"""The write-ahead log is moved into the database beside the writer, stays short, and holds up nobody."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from alonechat.core.store import checkpoints, opening, writer
from alonechat.core.store.records import Post
from tests.conformance.kept import Clock, Kept

PAGE = 4096
COPY = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])"


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """After few posts, at once; the log begins anew when it has 50 pages."""
    monkeypatch.setattr(checkpoints, "ENOUGH", 10)
    monkeypatch.setattr(checkpoints, "SELDOM", 0.0)
    monkeypatch.setattr(checkpoints, "LONG", 50)


def file_of(kept: Kept) -> Path:
    return Path(kept.url.removeprefix("sqlite:///"))


def moved(kept: Kept, scratch: Path) -> int:
    """How many events stand in the database itself, without its log."""
    # by another process: closing a file takes SQLite's locks on it from all of this one
    subprocess.run([sys.executable, "-c", COPY, str(file_of(kept)), str(scratch / "alone.db")], check=True)
    with closing(sqlite3.connect(scratch / "alone.db")) as raw:
        made = raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone()
        return int(raw.execute("SELECT count(*) FROM events").fetchone()[0]) if made else 0


def test_what_was_committed_is_moved_while_the_server_runs(kept: Kept, tmp_path: Path, often: None) -> None:
    until = time.monotonic() + 20
    while moved(kept, tmp_path) < 50:
        assert time.monotonic() < until, "nothing is moved"
        for _ in range(20):
            kept.says("alice", "one more")


def test_the_log_begins_anew_and_does_not_grow(kept: Kept, often: None) -> None:
    for _ in range(400):
        kept.says("alice", "one more")
    size = file_of(kept).with_name("alonechat.db-wal").stat().st_size
    assert size < 1_000 * PAGE, "400 commits of four pages and more"
    assert len(kept.texts()) == 200


def test_a_log_that_became_long_is_cut_once_nobody_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, often: None
) -> None:
    monkeypatch.setattr(opening, "LOG_BYTES", 100 * PAGE)
    kept = Kept(f"sqlite:///{tmp_path}/a.db", Clock())
    kept.people("alice")
    log = tmp_path / "a.db-wal"
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        said = [kept.says("alice", "meanwhile")["seq"]]
        while log.stat().st_size < 500 * PAGE:
            said.append(kept.says("alice", "meanwhile")["seq"])
    until = time.monotonic() + 20
    while log.stat().st_size > 100 * PAGE:
        assert time.monotonic() < until, f"the log stays at {log.stat().st_size} bytes"
        said.append(kept.says("alice", "afterwards")["seq"])
    assert said == list(range(1, len(said) + 1))
    kept.store.close()


def test_who_reads_an_old_state_holds_up_no_commit(kept: Kept, often: None) -> None:
    kept.says("alice", "before")
    with closing(sqlite3.connect(file_of(kept), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM events").fetchone() == (1,)
        began = time.monotonic()
        for _ in range(100):
            kept.says("alice", "meanwhile")
        assert time.monotonic() - began < 10  # one that waited would have 5 s of patience each time
        assert reader.execute("SELECT count(*) FROM events").fetchone() == (1,)
    assert kept.texts()[-1] == "meanwhile"


def test_a_disk_that_does_not_take_it_harms_no_message(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, often: None
) -> None:
    for module in (checkpoints, writer):
        monkeypatch.setattr(module, "MOVE", "SELECT * FROM nothing_of_this_name")
    for number in range(60):
        assert kept.says("alice", "all the same")["seq"] == number + 1


def test_the_thread_ends_with_the_store(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    kept = Kept(f"sqlite:///{tmp_path}/a.db", Clock())
    kept.people("alice")
    assert kept.outcomes(Post("TEXT", "#lobby", "alice", "hello"))[0][0]["seq"] == 1
    own = set(threading.enumerate()) - before
    assert "store-checkpoints" in {thread.name for thread in own}
    kept.store.close()
    assert not [thread.name for thread in own if thread.is_alive()]
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"], "whoever closes last empties the log"
