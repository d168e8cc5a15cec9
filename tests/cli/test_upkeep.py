"""backup, restore and doctor, beside a server that runs and without one."""

from __future__ import annotations

import gc
import shutil
import sqlite3
from pathlib import Path

import pytest

from alonechat.core.store.shelf import FileShelf
from alonechat.testing import serving
from tests.cli.shell import Inside
from tests.core.server.house import House, until

STORE_1 = Path(__file__).parents[1] / "core" / "store" / "data" / "schema-1.db"


def flags(tmp_path: Path) -> list[str]:
    return ["--data-dir", str(tmp_path / "data")]


def test_a_backup_of_a_running_server_comes_back_whole(inside: Inside, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with serving(tmp_path) as server:
        house, ana = House(server), server.person("ana")
        borne, loose = house.keeps(ana, b"borne")["id"], house.keeps(ana, b"loose file")["id"]
        house.sends(ana, borne, content="in the backup")
        (tmp_path / "data" / "alonechat.toml").write_text('name = "Ours"')
        (tmp_path / "data" / "plugins").mkdir(exist_ok=True)
        (tmp_path / "data" / "plugins" / "mine.py").write_text("'''Mine.'''")
        said = inside.ok("backup", str(copy), *flags(tmp_path))
        assert said == f"{copy} has the database and 2 files of 15 bytes\n"
        later = house.sends(ana, house.keeps(ana)["id"], content="after the backup")
        assert later["seq"] == 2
        epoch, token = server.manager.store.epoch, ana.token
        assert "another server runs" in inside.fails("restore", str(copy), *flags(tmp_path), code=2)
        assert "all is well" in inside.ok("doctor", *flags(tmp_path))
    assert sorted(path.name for path in copy.iterdir()) == [
        "alonechat.db", "alonechat.toml", "files", "jwt.secret", "plugins", "plugins.db"
    ]  # fmt: skip
    assert copy.stat().st_mode & 0o777 == 0o700 and (copy / "alonechat.db").stat().st_mode & 0o777 == 0o600
    assert "is there already" in inside.fails("backup", str(copy), *flags(tmp_path), code=2)
    assert "there is a database" in inside.fails("restore", str(copy), *flags(tmp_path), code=2)
    shutil.move(tmp_path / "data", tmp_path / "broken")
    said = inside.ok("restore", str(copy), *flags(tmp_path))
    assert said == f"{tmp_path / 'data'} has the database and 2 files of 15 bytes\n"
    with serving(tmp_path) as server:
        house = House(server)
        headers = {"Authorization": f"Bearer {token}"}
        assert house.http.get(f"/files/{borne}", headers=headers).content == b"borne", "sign-ins hold, files are there"
        assert server.manager.store.epoch != epoch, "clients read their logs anew"
        assert server.settings.name == "Ours" and (tmp_path / "data" / "plugins" / "mine.py").exists()
        ana = server.person("ana")
        log = ana.asks(type="HISTORY", target="#lobby")["events"]
        assert [event["content"] for event in log] == ["in the backup"]
        assert house.sends(ana, loose)["attachments"][0]["size"] == 10


def test_doctor_finds_files_without_a_row_and_rows_without_a_file(inside: Inside, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        house, ana = House(server), server.person("ana")
        lost, loose, kept = (house.keeps(ana)["id"] for _ in range(3))
        house.sends(ana, lost)
    for id in (lost, loose):
        (house.folder / id[:2] / id).unlink()
    (house.folder / "ab").mkdir(exist_ok=True)
    (house.folder / "ab" / ("ab" * 16)).write_bytes(b"nobody's")
    ended = inside.run("doctor", *flags(tmp_path))
    assert ended.code == 1 and sorted(ended.out.splitlines()) == sorted([
        f"the file {lost} of message 1 in #lobby is not there; a backup may have it, in files/{lost[:2]}/{lost}",
        f"the file {loose} of no message is not there; a backup may have it, in files/{loose[:2]}/{loose}",
        "files/ has 1 files that no upload is known of; the next start of the server removes them"
        " (while one runs, they may be just coming in)",
    ])  # fmt: skip
    assert set(house.on_disk()) == {kept, "ab" * 16}, "it only looks"
    said = inside.ok("backup", str(tmp_path / "copy"), *flags(tmp_path))
    assert "1 file of 5 bytes; 2 that messages name were not there" in said
    with serving(tmp_path):
        until(lambda: house.on_disk() == [kept])
    assert inside.run("doctor", *flags(tmp_path)).out.count("\n") == 2


def test_doctor_reads_all_of_the_database(inside: Inside, tmp_path: Path) -> None:
    with serving(tmp_path, rest=False) as server:
        ana = server.person("ana")
        for number in range(200):
            ana.says(f"{number} " + "x" * 500)
    gc.collect()  # the server's connections, which end with its process where it has one
    path = tmp_path / "data" / "alonechat.db"
    raw = sqlite3.connect(path)
    page = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events_in_order'").fetchone()[0]
    size = raw.execute("PRAGMA page_size").fetchone()[0]
    raw.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size + 8)
        file.write(b"\xff" * 64)
    ended = inside.run("doctor", *flags(tmp_path))
    assert ended.code == 1 and "damaged" in ended.out + ended.err, ended


def test_an_older_database_is_backed_up_as_it_is_and_stays_so(inside: Inside, tmp_path: Path) -> None:
    """Whoever replaced the file wants a backup before the first start."""
    (tmp_path / "data").mkdir()
    shutil.copy(STORE_1, tmp_path / "data" / "alonechat.db")
    before = (tmp_path / "data" / "alonechat.db").read_bytes()
    assert "0 files of 0 bytes" in inside.ok("backup", str(tmp_path / "copy"), *flags(tmp_path))
    assert (tmp_path / "data" / "alonechat.db").read_bytes() == before
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["alonechat.db"]
    assert "from an older AloneChat" in inside.fails("doctor", *flags(tmp_path), code=2)
    assert (tmp_path / "data" / "alonechat.db").read_bytes() == before, "doctor changes nothing"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backup", "copy"), "there is no database"),
        (("restore", "nothing"), "is no backup"),
        (("doctor",), "there is no database"),
        (("backup", "copy", "--database-url", "sqlite:///:memory:"), "no file that can be copied"),
    ],
)
def test_what_can_not_be_done_is_said(inside: Inside, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in inside.fails(*arguments, *flags(tmp_path), code=2)
    assert not (tmp_path / "copy").exists()


def test_a_backup_that_broke_off_is_done_again(inside: Inside, tmp_path: Path) -> None:
    with serving(tmp_path, rest=False) as server:
        server.person("ana").says("hello")
    (tmp_path / "copy.part").mkdir()
    (tmp_path / "copy.part" / "half").write_text("of it")
    inside.ok("backup", str(tmp_path / "copy"), *flags(tmp_path))
    assert not (tmp_path / "copy.part").exists() and not (tmp_path / "copy" / "half").exists()


def test_a_backup_has_the_database_that_the_settings_name(inside: Inside, tmp_path: Path) -> None:
    """An older one of the usual name may lie beside it."""
    url = f"sqlite:///{tmp_path / 'data' / 'new.db'}"
    inside.ok("user", "add", "ana", "--no-password", *flags(tmp_path))
    inside.ok("user", "add", "bo", "--no-password", *flags(tmp_path), "--database-url", url)
    inside.ok("backup", str(tmp_path / "copy"), *flags(tmp_path), "--database-url", url)
    raw = sqlite3.connect(tmp_path / "copy" / "alonechat.db")
    assert raw.execute("SELECT username FROM accounts").fetchall() == [("bo",)]
    raw.close()


def test_a_backup_holds_no_backup(inside: Inside, tmp_path: Path) -> None:
    inside.ok("user", "add", "ana", "--no-password", *flags(tmp_path))
    for place in ("data/copy", "data/files/copy", "data"):
        said = inside.fails("backup", str(tmp_path / place), *flags(tmp_path), code=2)
        assert "outside of it" in said or "is there already" in said
    assert "that you are in" in inside.fails("backup", ".", *flags(tmp_path), code=2)
    inside.ok("backup", str(tmp_path / "copy"), *flags(tmp_path))
    within = ("--data-dir", str(tmp_path / "copy" / "data"))
    assert "lies in the backup" in inside.fails("restore", str(tmp_path / "copy"), *within, code=2)


def test_whatever_lies_in_the_data_directory_a_backup_is_made(inside: Inside, tmp_path: Path) -> None:
    inside.ok("user", "add", "ana", "--no-password", *flags(tmp_path))
    data = tmp_path / "data"
    (data / "notes.db").write_text("no database")
    (data / "folder.db").mkdir()
    (data / "plugins").mkdir()
    for gone in (data / "gone", data / "plugins" / "gone.py"):
        gone.symlink_to("/nowhere/at/all")
    inside.ok("backup", str(tmp_path / "copy"), *flags(tmp_path))
    names = sorted(path.name for path in (tmp_path / "copy").iterdir())
    assert names == ["alonechat.db", "folder.db", "notes.db", "plugins"]


def test_what_a_killed_server_left_does_not_spoil_what_is_restored(inside: Inside, tmp_path: Path) -> None:
    with serving(tmp_path, rest=False) as server:
        ana = server.person("ana")
        inside.ok("backup", str(tmp_path / "copy"), *flags(tmp_path))
        ana.says("after the backup")
        shutil.copy(tmp_path / "data" / "alonechat.db-wal", tmp_path / "kept-wal")
    shutil.move(tmp_path / "data", tmp_path / "broken")
    (tmp_path / "data").mkdir()
    shutil.copy(tmp_path / "kept-wal", tmp_path / "data" / "alonechat.db-wal")
    assert "would spoil" in inside.fails("restore", str(tmp_path / "copy"), *flags(tmp_path), code=2)
    (tmp_path / "data" / "alonechat.db-wal").rename(tmp_path / "data" / "alonechat.db.part-wal")
    inside.ok("restore", str(tmp_path / "copy"), *flags(tmp_path))
    assert "all is well" in inside.ok("doctor", *flags(tmp_path))
    with serving(tmp_path, rest=False) as server:
        assert server.person("ana").asks(type="HISTORY", target="#lobby")["events"] == []


def test_a_file_is_no_data_directory(inside: Inside, tmp_path: Path) -> None:
    inside.ok("user", "add", "ana", "--no-password", *flags(tmp_path))
    inside.ok("backup", str(tmp_path / "copy"), *flags(tmp_path))
    (tmp_path / "file").touch()
    said = inside.fails("restore", str(tmp_path / "copy"), "--data-dir", str(tmp_path / "file"), code=2)
    assert "can't be written" in said


def test_doctor_looks_beside_a_server_that_deletes_and_says_what_it_may_not_see(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path) as server:
        house, ana = House(server), server.person("ana")
        id = house.keeps(ana)["id"]
        event = house.sends(ana, id)
        found = FileShelf._found

        def late(shelf: FileShelf) -> list[tuple[Path, str]]:
            each = [*found(shelf)]
            ana.asks(type="DELETE", target="#lobby", ref=event["id"])
            until(lambda: not house.on_disk())
            return each

        monkeypatch.setattr(FileShelf, "_found", late)
        assert "all is well" in inside.ok("doctor", *flags(tmp_path))

    def closed(shelf: FileShelf) -> list[tuple[Path, str]]:
        raise PermissionError(13, "Permission denied", str(shelf.folder))

    monkeypatch.setattr(FileShelf, "_found", closed)
    assert "Permission denied" in inside.fails("doctor", *flags(tmp_path), code=2)
