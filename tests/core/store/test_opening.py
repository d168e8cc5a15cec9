"""Opening a store: what is refused in one sentence, and how an older database is brought up to date."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat.core.store import open_store, schema, tables
from alonechat.core.store.records import Account, Membership, Post
from alonechat.errors import StartError
from tests.conformance.kept import Clock, Kept
from tests.core.store.make_schema import NOW

DATA = Path(__file__).parent / "data"
NEWEST = len(schema.MIGRATIONS)


def refusal(url: str) -> str:
    """The sentence with which a URL is refused."""
    with pytest.raises(StartError) as refused:
        open_store(url, busy_timeout=0.1).close()
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://host/db", "mysql:x", "alonechat.db", "", "sqlite://host/x"])
def test_other_databases_are_refused_and_what_there_is_is_named(url: str) -> None:
    assert "sqlite:///" in refusal(url)


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///:memory:"])
def test_a_url_without_a_file_is_refused(url: str) -> None:
    assert "must name a file" in refusal(url)


def test_the_directory_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(f"sqlite:///{tmp_path}/a/b/c.db").close()
    assert (tmp_path / "a/b/c.db").is_file()
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///./d/e.db").close()
    assert (tmp_path / "d/e.db").is_file()


def test_a_place_that_can_not_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "can't be made" in refusal(f"sqlite:///{tmp_path}/file/a.db")
    (tmp_path / "folder").mkdir()
    assert "is a directory" in refusal(f"sqlite:///{tmp_path}/folder")


@contextlib.contextmanager
def bound_by_modes() -> Iterator[None]:
    """As a user whom file modes bind: root is nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="needs file modes, and a way to be bound by them")
def test_a_directory_that_can_not_be_written_is_refused() -> None:
    folder = Path(tempfile.mkdtemp())  # beside pytest's own, which are its user's alone
    folder.chmod(0o555)
    try:
        with bound_by_modes():
            assert "can't be written" in refusal(f"sqlite:///{folder}/a.db")
            assert "can't be made" in refusal(f"sqlite:///{folder}/sub/a.db")
    finally:
        folder.chmod(0o700)
        folder.rmdir()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere: only Linux has a directory that nobody can write")
def test_a_directory_that_nobody_can_write_is_refused() -> None:
    assert "/proc" in refusal("sqlite:////proc/self/a.db")


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"These are notes, not a database. " * 200)
    assert "no database" in refusal(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"These are notes")


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "a.db")
    raw.execute("CREATE TABLE theirs (x)")
    raw.close()
    assert "another program" in refusal(f"sqlite:///{tmp_path}/a.db")


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/a.db").close()
    raw = sqlite3.connect(tmp_path / "a.db")
    raw.execute("PRAGMA user_version = 999")
    raw.close()
    assert "schema 999" in refusal(f"sqlite:///{tmp_path}/a.db")
    assert [path.name for path in tmp_path.iterdir() if "before" in path.name] == []


def test_a_database_that_is_locked_while_it_is_made_is_refused(tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    holder.execute("PRAGMA journal_mode = WAL")
    holder.execute("BEGIN EXCLUSIVE")
    assert "locked" in refusal(f"sqlite:///{tmp_path}/a.db")
    holder.close()


def test_every_migration_has_a_database_among_the_tests() -> None:
    kept = sorted(path.name for path in DATA.glob("schema-*.db"))
    assert kept == [f"schema-{number}.db" for number in range(1, len(schema.MIGRATIONS) + 1)]


@pytest.mark.parametrize("path", sorted(DATA.glob("schema-*.db")), ids=lambda path: path.stem)
def test_a_database_of_a_released_schema_is_read_whole(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path / "a.db")
    kept = Kept(f"sqlite:///{tmp_path}/a.db", Clock(NOW + 1000))
    store = kept.store
    assert store.accounts() == [Account("alice", "Alice", "owner", created=NOW), Account("bob", "鲍勃", created=NOW)]
    assert store.password("alice") == "hash" and [each.device for each in store.sessions("alice")] == ["laptop"]
    assert [invite.code for invite in store.invites()] == ["code"] and store.setting("secret_fingerprint") == "abc"
    log = store.history("#lobby", 0, None, 50, 1).events
    assert [(event["type"], event["content"]) for event in log] == [
        ("TEXT", "hello 北京"), ("EDIT", "hello 北京"), ("REACT", "👍"), ("TEXT", ""), ("DELETE", "")
    ]  # fmt: skip
    assert log[0]["reactions"] == {"👍": ["bob"]} and log[0]["edited"] and log[3]["deleted"]
    assert kept.hits("北京") == ["hello 北京"] and kept.hits("secret") == kept.hits("上海") == []
    den = store.conversation("#den")
    assert den and den.members == {"alice": Membership(1, True)} and den.invited == {"bob"} and den.topic == "plans"
    assert kept.item("bob")["read"] == 1 and kept.unread("alice", "bob") == (1, 0)
    files = {} if path.stem in ("schema-1", "schema-2") else {"f" * 32: ("alice bob", 1), "d" * 32: (None, 0)}
    assert {each.id: (each.key, each.seq) for each in store.uploads(["d" * 32, "e" * 32, "f" * 32])} == files
    again = kept.says("alice", "hello 上海", nonce="n1")
    assert again["id"] == log[0]["id"] and kept.says("bob", "and on it goes")["seq"] == 6
    store.close()


def test_the_statements_name_the_columns_that_the_migrations_made(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/a.db").close()
    raw = sqlite3.connect(tmp_path / "a.db")
    for table in tables.meta.sorted_tables:
        there = [row[1] for row in raw.execute(f"PRAGMA table_info({table.name})")]
        assert there == [column.name for column in table.columns], table.name
    raw.close()


# --- migrations ---


def second(raw: sqlite3.Connection) -> None:
    raw.execute("CREATE TABLE added (x)")


def test_the_second_migration_tallies_what_the_writer_would_have(tmp_path: Path) -> None:
    kept = Kept(f"sqlite:///{tmp_path}/a.db")
    kept.people("alice", "bob", "carol")
    posts = [Post("TEXT", "#lobby", ("alice", "bob", "carol")[n % 3], str(n)) for n in range(1100)]
    events = kept.outcomes(*posts)
    kept.post("DELETE", "#lobby", "bob", ref=events[1][0]["id"])
    kept.store.close()
    raw = sqlite3.connect(tmp_path / "a.db")
    before = raw.execute("SELECT * FROM tallies").fetchall()
    assert len(before) == 6 and sum(row[3] for row in before) == 1022
    schema.MIGRATIONS[1](raw)
    assert raw.execute("SELECT * FROM tallies").fetchall() == before
    raw.close()


def test_a_migration_keeps_a_copy_of_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(f"sqlite:///{tmp_path}/a.db")
    kept.people("alice")
    kept.says("alice", "before")
    monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, second])
    kept.store.close()
    again = Kept(kept.url)
    assert again.texts() == ["before"]
    again.store.close()
    raw = sqlite3.connect(tmp_path / "a.db")
    assert raw.execute("PRAGMA user_version").fetchone() == (NEWEST + 1,)
    assert raw.execute("SELECT * FROM added").fetchall() == []
    raw.close()
    copy = sqlite3.connect(tmp_path / f"a.db.before-{NEWEST + 1}")
    assert copy.execute("PRAGMA user_version").fetchone() == (NEWEST,)
    assert copy.execute("SELECT content FROM events").fetchall() == [("before",)]
    assert copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'added'").fetchone() is None
    copy.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(f"sqlite:///{tmp_path}/a.db").close()

    def broken(raw: sqlite3.Connection) -> None:
        raw.execute("CREATE TABLE half (x)")
        raw.execute("SELECT nonsense")

    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, broken])
        assert "nonsense" in refusal(f"sqlite:///{tmp_path}/a.db")
    raw = sqlite3.connect(tmp_path / "a.db")
    assert raw.execute("PRAGMA user_version").fetchone() == (NEWEST,)
    assert raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchone() is None
    raw.close()


def test_opened_by_several_at_once_it_is_migrated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(f"sqlite:///{tmp_path}/a.db").close()
    ran: list[int] = []

    def counted(raw: sqlite3.Connection) -> None:
        ran.append(1)
        second(raw)

    monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, counted])
    failed: list[BaseException] = []

    def start() -> None:
        try:
            open_store(f"sqlite:///{tmp_path}/a.db").close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and ran == [1]


def test_each_new_database_has_an_id_and_an_epoch_of_its_own(tmp_path: Path) -> None:
    stores = [open_store(f"sqlite:///{tmp_path}/{name}.db") for name in "ab"]
    assert len({store.server_id for store in stores} | {store.epoch for store in stores}) == 4
    for store in stores:
        store.close()
