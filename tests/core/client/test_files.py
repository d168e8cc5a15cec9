"""Files of messages as values, and where they lie on the disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alonechat.core.client.cache import written
from alonechat.core.client.files import File, label, of_event, opens, said, size_text, too_large
from alonechat.core.client.model import Fetched, Kept, Model, Page
from alonechat.core.client.moment import Moment
from alonechat.core.client.rows import rows
from alonechat.core.client.shelf import Shelf, mime_of, name_of, saved
from alonechat.core.client.uploading import borne, shown
from alonechat.errors import AloneChatError

CAT = {"id": "f1", "name": "cat.png", "mime": "image/png", "size": 1258291, "width": 800, "height": 600}
NOTES = {"id": "f2", "name": "notes.pdf", "mime": "application/pdf", "size": 3072}
EVENT = {"type": "TEXT", "id": "m1", "seq": 1, "sender": "bo", "target": "#lobby", "content": "",
         "timestamp": "2026-11-23T09:41:00.000Z", "attachments": [CAT, NOTES]}  # fmt: skip


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (3500, "3.4 KB"), (1048570, "1 MB"), (1258291, "1.2 MB"),
     (25 << 20, "25 MB"), (5 << 30, "5 GB"), (3 << 50, "3072 TB")],
)  # fmt: skip
def test_a_size_is_short(size: int, text: str) -> None:
    assert size_text(size) == text


def test_a_message_of_files_alone_is_named_by_them() -> None:
    assert [label(file) for file in of_event(EVENT)] == ["cat.png · 1.2 MB · 800×600", "notes.pdf · 3 KB"]
    assert said(EVENT) == "cat.png and 1 more file"
    assert said({**EVENT, "attachments": [NOTES]}) == "notes.pdf"
    assert said({**EVENT, "content": "look\nhere"}) == "look here"
    assert of_event({**EVENT, "attachments": [{"name": 5, "size": True, "width": -1}, "odd"]})[0].size == 0
    assert of_event({**EVENT, "attachments": 5}) == of_event({**EVENT, "attachments": {"id": "f"}}) == ()
    vast = of_event({**EVENT, "attachments": [{**CAT, "size": 10**400, "width": 10**400, "height": 1}]})
    assert label(vast[0]) == "cat.png"


def test_what_the_system_would_run_is_not_opened() -> None:
    assert opens("Cat.PNG") and opens("a.tar.gz")
    assert not any(map(opens, ("a.exe", "a.pdf.bat", "a.js", "a.desktop", "a.html", "png", "a.lnk", "a.docm")))


@pytest.mark.parametrize(
    ("given", "kept"),
    [("cat.png", "cat.png"), ("../../x", "_.._.._x"), ("a/b\\c:d", "a_b_c_d"), ("", "_"), (".bashrc", "_.bashrc"),
     ("NUL.txt", "_NUL.txt"), ("end. .", "end"), ("exe\u202egnp.bat", "exe_gnp.bat"), ("照片.jpg", "照片.jpg")],
)  # fmt: skip
def test_a_name_is_one_that_every_disk_takes(given: str, kept: str) -> None:
    assert name_of(given) == kept


def test_a_long_name_keeps_its_ending() -> None:
    found = name_of("长" * 200 + ".jpeg")
    assert len(found.encode()) <= 150 and found.endswith("长.jpeg")
    assert mime_of("A.WEBP") == "image/webp" and mime_of("x.unheard") == "application/octet-stream"


def test_a_size_that_looks_the_same_is_told_to_the_byte() -> None:
    assert "25 MB" in too_large("a", 40 << 20, 25 << 20) and "40 MB" in too_large("a", 40 << 20, 25 << 20)
    assert "26,214,401 B" in too_large("a", (25 << 20) + 1, 25 << 20)
    assert too_large("a", 1, 0) == "this server takes no files"


def test_rows_join_what_the_wire_says_with_what_is_here(tmp_path: Path) -> None:
    model = Model(me="ana")
    model.apply(Page("#lobby", "latest", (EVENT,), True, True, 1))
    entry = written({"type": "TEXT", "target": "#lobby", "content": "", "files": [{**NOTES, "id": ""}]}, "n1", 1e9)
    model.apply(Kept(shown(entry, Shelf(tmp_path, 0))))

    def files() -> list[File]:
        return [file for row in rows(model, "#lobby", Moment(2e9, None)) for file in row.files]

    assert [file.state for file in files()] == ["there", "there", "waiting"]
    assert files()[2].path == str(tmp_path / "waiting/n1/0/notes.pdf")
    model.apply(Fetched("f1", "loading", fraction=0.5))
    model.apply(Fetched("f2", "failed", reason="offline"))
    assert [(file.state, file.fraction, file.reason) for file in files()][:2] == [
        ("loading", 0.5, ""), ("failed", 0.0, "offline")]  # fmt: skip
    model.apply(Fetched("f1", "ready", "/here", 1.0))
    assert (files()[0].path, files()[0].message) == ("/here", "m1")
    model.apply(Fetched("f1", "there"))
    assert files()[0].state == "there"


def test_an_entry_bears_ids_alone() -> None:
    entry = written({"type": "TEXT", "target": "#lobby", "content": "x", "files": [CAT, NOTES]}, "n1", 1e9)
    assert borne(entry) == {"type": "TEXT", "target": "#lobby", "content": "x", "nonce": "n1",
                            "attachments": [{"id": "f1"}, {"id": "f2"}]}  # fmt: skip


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "ana.files", 100)


def source(folder: Path, name: str, size: int = 40) -> Path:
    path = folder / name
    path.write_bytes(name.encode().ljust(size, b"."))
    return path


def test_all_files_of_an_entry_are_copied_or_none(shelf: Shelf, tmp_path: Path) -> None:
    good, large = source(tmp_path, "a.txt"), source(tmp_path, "b.txt", 99)
    for bad, why in (
        (tmp_path / "none", "there is no file"), (tmp_path, "is a folder"), (large, "too large"),
    ):  # fmt: skip
        with pytest.raises(AloneChatError, match=why):
            shelf.copy_in("n1", [good, bad], 50)
        assert not shelf.waiting("n1", 0, "a.txt").exists()
    assert shelf.copy_in("n1", [good, large], None) == [
        {"name": "a.txt", "mime": "text/plain", "size": 40},
        {"name": "b.txt", "mime": "text/plain", "size": 99},
    ]
    good.unlink()
    copy = shelf.waiting("n1", 0, "a.txt")
    assert copy.read_bytes().startswith(b"a.txt")
    if os.name == "posix":
        assert (copy.stat().st_mode & 0o777, shelf.root.stat().st_mode & 0o777) == (0o600, 0o700)
    shelf.sweep({"n1"}, now=9e9)
    assert copy.exists()
    shelf.sweep(set(), now=9e9)
    assert not copy.exists()


def test_what_was_not_used_for_longest_goes_first(shelf: Shelf, tmp_path: Path) -> None:
    files = [File(f"{n}.txt", id=f"f{n}", message=f"m{n // 2}") for n in range(4)]
    for at, file in enumerate(files):
        half = shelf.half()
        half.write_bytes(b"x" * 40)
        os.utime(shelf.take(half, file), (1000 + at, 1000 + at))
    assert shelf.find(files[0]) is not None  # a use
    assert shelf.trim() == ["f1", "f2"]
    assert [shelf.find(file) is not None for file in files] == [True, False, False, True]
    shelf.forget(["m0"])
    assert shelf.find(files[0]) is None and shelf.find(files[3]) is not None


def test_what_a_server_calls_its_files_leads_nowhere_else(shelf: Shelf) -> None:
    half = shelf.half()
    half.write_bytes(b"x")
    place = shelf.take(half, File("../../x", id="..", message="../.."))
    assert place.resolve().is_relative_to(shelf.root.resolve() / "got")


def test_saving_writes_over_nothing_unless_told(tmp_path: Path) -> None:
    given = source(tmp_path, "cat.png")
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert saved(given, folder, "cat.png", False) == folder / "cat.png"
    assert saved(given, folder, "cat.png", False) == folder / "cat (1).png"
    assert saved(given, folder / "cat.png", "cat.png", True) == folder / "cat.png"
    assert sorted(os.listdir(folder)) == ["cat (1).png", "cat.png"]
    with pytest.raises(AloneChatError, match="can't save"):
        saved(given, folder / "no" / "where.png", "cat.png", False)


@pytest.mark.parametrize("over", [True, False])
def test_a_disk_that_is_full_costs_nothing_that_was_there_and_leaves_no_half(tmp_path: Path, over: bool) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    source, wanted = tmp_path / "source", tmp_path / "out" / "thesis.pdf"
    source.write_bytes(bytes(300_000))
    wanted.parent.mkdir()
    if over:
        wanted.write_bytes(b"three years of work")
        wanted.chmod(0o640)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(AloneChatError, match="can't save"):
            saved(source, wanted, "thesis.pdf", over)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [(each.name, each.read_bytes()) for each in wanted.parent.iterdir()] == (
        [("thesis.pdf", b"three years of work")] if over else []
    )
    assert saved(source, wanted, "thesis.pdf", over) == wanted and wanted.stat().st_size == 300_000
    if over:
        assert wanted.stat().st_mode & 0o777 == 0o640
        link = tmp_path / "link"
        link.symlink_to(wanted)
        wanted.write_bytes(b"")
        saved(source, link, "thesis.pdf", over)
        assert link.is_symlink() and wanted.stat().st_size == 300_000
