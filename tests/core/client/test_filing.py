"""Files of messages between a client and a real server: sent once, fetched once, gone when they are deleted."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.client import Account, Rest, live, uploading
from alonechat.core.client.cache import folder_of, path_of
from alonechat.core.client.files import File
from alonechat.core.client.model import Fetched, Kept
from alonechat.core.client.moment import Moment
from alonechat.core.client.rows import rows
from alonechat.core.client.shelf import Shelf
from alonechat.errors import Rejected
from tests.core.client.cable import Cable
from tests.core.client.face import Face
from tests.core.client.test_runner import Place

BYTES = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58\x08\x02\0\0\0" + bytes(range(256)) * 800
"""The head of a PNG of 800×600, and more than one piece of an upload."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    for face in found.faces:
        face.close()
    found.end()


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    path.write_bytes(BYTES)
    return path


def files(face: Face, target: str = "#lobby") -> list[File]:
    """The files of all rows, as a face draws them."""
    return [file for row in rows(face.model, target, Moment(2e9, None)) for file in row.files]


def says(face: Face, text: str, *paths: Path) -> Exception | None:
    return face.answer(lambda then: face.runner.say("#lobby", text, files=paths, then=then))[1]


def arrives(face: Face, count: int = 1) -> list[File]:
    """Wait for the files of messages that have arrived."""
    face.until(lambda: len([file for file in files(face) if file.message]) == count, f"{count} files of messages")
    return [file for file in files(face) if file.message]


def fetch(face: Face, file: File) -> Path:
    path, error = face.answer(lambda then: face.runner.fetch(file, then))
    assert error is None, error
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600
    return Path(path)


def folder(place: Place, face: Face, home: str = "home") -> Path:
    return folder_of(place.folder / home, face.runner.account.server, face.runner.account.username)


def held(folder: Path) -> list[Path]:
    """The files below a folder, which may be going just now."""
    return [Path(where) / name for where, _folders, names in os.walk(folder) for name in names]


def copies(place: Place, face: Face) -> list[Path]:
    """What waits to be sent, on the disk."""
    return held(folder(place, face) / "waiting")


def reworded(face: Face, home: Path, **known: object) -> None:
    """Change on the disk what the one entry of the outbox knows of its file, while no client runs."""
    account: Account = face.runner.account
    with sqlite3.connect(path_of(home, account.server, account.username)) as db:
        (text,) = db.execute("SELECT frame FROM outbox").fetchone()
        frame = json.loads(text)
        frame["files"][0].update(known)
        db.execute("UPDATE outbox SET frame=?", (json.dumps(frame),))
    db.close()


def test_a_file_sent_offline_arrives_once_over_restarts_of_client_and_server(
    place: Place, cat: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "PAUSE", 0.0)  # how far it is, at every step
    ana = place.face().start().connected().open()
    place.end()
    ana.offline()
    assert says(ana, "look", cat) is None
    ana.runner.say("#lobby", "and a text")
    cat.unlink()
    ana.until(lambda: len(ana.model.outbox) == 2, "what waits")
    (waiting,) = files(ana)
    assert (waiting.state, waiting.name, waiting.mime, waiting.id) == ("waiting", "cat.png", "image/png", "")
    assert Path(waiting.path).read_bytes() == BYTES
    ana.close()

    place.begin()
    bo = place.face("bo", "elsewhere").start().connected().open()
    again = place.again(ana).start().open()
    (theirs,) = arrives(bo)
    (own,) = arrives(again)
    assert (theirs.size, theirs.width, theirs.height, theirs.state) == (len(BYTES), 800, 600, "there")
    again.until(lambda: files(again)[0].state == "ready", "one's own file")  # it is never fetched: the copy stays
    assert Path(files(again)[0].path).read_bytes() == BYTES and own.id == theirs.id
    assert not again.model.outbox and not copies(place, again)
    gone = [file.fraction for each in again.seen if isinstance(each, Kept) for file in each.entry.files]
    assert sorted(gone) == gone and gone[-1] == 1.0 and any(0 < each < 1 for each in gone)
    assert fetch(bo, theirs).read_bytes() == BYTES
    here = [each.fraction for each in bo.seen if isinstance(each, Fetched)]
    assert sorted(here) == here and here[-1] == 1.0 and any(0 < each < 1 for each in here)
    assert sorted(bo.texts()) == ["and a text", "look"]


def test_what_breaks_in_the_middle_is_uploaded_and_fetched_whole(place: Place, tmp_path: Path) -> None:
    cable = Cable(place.server.manager.ports["rest"])
    url = f"http://127.0.0.1:{cable.port}"
    long = tmp_path / "long.bin"
    long.write_bytes(bytes(range(256)) * (2 << 12))  # 2 MiB
    try:
        ana = place.face(url=url).start().connected().open()
        cable.most = 1 << 20
        assert says(ana, "", long) is None
        (own,) = arrives(ana)
        assert cable.most is None and own.size == 2 << 20
        waited = [
            file.reason for each in ana.seen if isinstance(each, Kept) for file in each.entry.files if file.reason
        ]
        assert waited and url in waited[0]
        bo = place.face("bo", "elsewhere", url=url).start().connected().open()
        (theirs,) = arrives(bo)
        cable.most = 1 << 20
        assert fetch(bo, theirs).read_bytes() == long.read_bytes()
        assert cable.most is None
        assert not list((folder(place, bo, "elsewhere") / "half").iterdir())
    finally:
        cable.close()


def test_what_cannot_be_sent_is_said_and_nothing_is_kept(place: Place, cat: Path, tmp_path: Path) -> None:
    place.end()
    place.settings = {"max_file": 1000}
    place.begin()
    ana = place.face().start().connected().open()
    assert "too large" in str(says(ana, "", cat)) and "1000 B" in str(says(ana, "", cat))
    assert "there is no file" in str(says(ana, "", tmp_path / "none.txt"))
    assert "is a folder" in str(says(ana, "", tmp_path))
    assert "command" in str(says(ana, "/topic x", cat))
    assert not ana.model.outbox and not copies(place, ana)


def test_a_text_whose_files_are_not_copied_yet_at_the_end_is_a_draft_at_the_next_start(
    place: Place, cat: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "COPIED", 0.05)
    ana = place.face().start().connected().open()
    may, copied = threading.Event(), Shelf.copy_in

    def slowly(*given: Any) -> Any:
        may.wait(5)
        return copied(*given)

    monkeypatch.setattr(Shelf, "copy_in", slowly)
    ana.runner.draft("#lobby", "what took me an hour\n")
    ana.runner.say("#lobby", "what took me an hour", files=[cat])
    ana.until(lambda: ana.runner._live.sending._copying, "the copy")
    threading.Timer(0.4, may.set).start()  # the end waits for the thread that copies
    ana.close()
    again = place.again(ana).start().connected().open()
    assert again.model.drafts == {"#lobby": "what took me an hour\n"} and not again.model.outbox
    assert says(again, "what took me an hour", cat) is None
    arrives(again)
    again.close()
    last = place.again(ana).start()
    assert not last.model.drafts, "what is sent is no draft"
    last.runner.draft("#lobby", "and more")
    assert says(last, "another", cat) is None
    last.close()
    assert place.again(ana).start().model.drafts == {"#lobby": "and more"}


def test_what_the_server_refuses_stays_with_the_reason_until_it_is_discarded_or_taken(place: Place, cat: Path) -> None:
    ana = place.face().start().connected().open()
    place.end()
    ana.offline()
    assert says(ana, "", cat) is None and says(ana, "two", cat) is None
    place.settings = {"max_file": 1000}
    place.begin()
    ana.runner.hurry()
    ana.until(lambda: all(entry.code for entry in ana.model.waiting()) and len(ana.model.outbox) == 2, "refusals")
    first, second = ana.model.waiting()
    assert first.code == "too_long" and {file.state for file in files(ana)} == {"failed"}
    Path(first.files[0].path).unlink()
    ana.runner.again(first.nonce)
    ana.until(lambda: "copy of cat.png" in ana.model.outbox[first.nonce].reason, "the lack of a copy")
    ana.runner.discard(first.nonce)
    ana.until(lambda: len(ana.model.outbox) == 1, "one less")
    place.end()
    ana.offline()
    place.settings = {}
    place.begin()
    ana.runner.hurry()
    ana.connected()
    ana.runner.again(second.nonce)
    assert arrives(ana)[0].name == "cat.png"
    ana.until(lambda: not copies(place, ana), "no copies")


def test_an_upload_is_not_repeated_and_one_that_the_server_threw_away_is(place: Place, cat: Path) -> None:
    ana = place.face().start().connected().open()

    async def upload() -> str:
        async with Rest(ana.runner.account.url, ana.runner.account.token) as rest:
            return str((await rest.upload(cat))["id"])

    id = asyncio.run(upload())
    place.end()
    ana.offline()
    assert says(ana, "first", cat) is None
    ana.close()
    copies(place, ana)[0].unlink()  # so that nothing could be uploaded again
    reworded(ana, place.folder / "home", id=id)
    place.begin()
    again = place.again(ana).start().open()
    assert arrives(again)[0].id == id
    place.end()
    again.offline()
    assert says(again, "second", cat) is None
    again.close()
    reworded(again, place.folder / "home", id="threwaway")
    place.begin()
    last = place.again(ana).start().open()
    assert arrives(last, 2)[1].id not in ("", "threwaway", id)
    assert not last.model.outbox


def test_what_was_fetched_is_there_offline_in_every_window_until_it_is_deleted(
    place: Place, cat: Path, tmp_path: Path
) -> None:
    ana = place.face().start().connected().open()
    bo = place.face("bo", "elsewhere").start().connected().open()
    beside = Face(bo.runner.account, place.folder / "elsewhere")
    place.faces.append(beside)
    beside.start().connected().open()
    assert says(ana, "one", cat) is None and says(ana, "two", cat) is None
    one, two = arrives(bo, 2)
    arrives(beside, 2)
    got = [fetch(bo, one), fetch(bo, one), fetch(beside, one)]
    assert len(set(got)) == 1
    place.end()
    bo.offline()
    beside.offline()
    assert fetch(beside, one).read_bytes() == BYTES
    where, error = bo.answer(lambda then: bo.runner.save(one, tmp_path, then))
    assert error is None and where == tmp_path / "cat (1).png" and where.read_bytes() == BYTES
    bo.runner.fetch(two)
    bo.until(lambda: files(bo)[1].state == "failed", "a failure")
    assert "offline" in files(bo)[1].reason and not bo.model.told
    place.begin()
    bo.runner.hurry()
    bo.until(lambda: files(bo)[1].state == "ready", "another attempt")  # by itself
    ana.runner.hurry()
    arrives(ana, 2)
    for message in ana.model.windows["#lobby"].messages:
        ana.runner.delete("#lobby", message["id"])
    bo.until(lambda: not files(bo), "a deletion")
    bo.until(lambda: not held(folder(place, bo, "elsewhere") / "got"), "no file")
    _path, error = bo.answer(lambda then: bo.runner.fetch(one, then))
    assert error is not None


def test_a_token_that_another_program_renewed_does_not_keep_an_upload_from_its_end(
    place: Place, cat: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = place.face().start().connected().open()
    upload, refused = Rest.upload, [Rejected("unauthorized", "the token has been renewed")]

    async def uploaded(*given: Any) -> Any:
        if refused:
            raise refused.pop()
        return await upload(*given)

    monkeypatch.setattr(Rest, "upload", uploaded)
    assert says(ana, "one", cat) is None
    arrives(ana)


def test_no_more_is_taken_of_a_file_than_it_is_said_to_have(place: Place, cat: Path) -> None:
    ana = place.face().start().connected().open()
    assert says(ana, "one", cat) is None
    bo = place.face("bo", "elsewhere").start().connected().open()
    (theirs,) = arrives(bo)
    _path, error = bo.answer(lambda then: bo.runner.fetch(replace(theirs, size=len(BYTES) - 1), then))
    assert "sent more than" in str(error)
    assert not held(folder(place, bo, "elsewhere"))
    assert fetch(bo, theirs).read_bytes() == BYTES


def test_what_has_no_room_any_more_can_be_fetched_again(place: Place, cat: Path) -> None:
    ana = place.face().start().connected().open()
    assert says(ana, "one", cat) is None and says(ana, "two", cat) is None
    bo = place.face("bo", "elsewhere")
    bo.runner.room = len(BYTES) * 3 // 2
    bo.start().connected().open()
    one, two = arrives(bo, 2)
    assert fetch(bo, one) != fetch(bo, two)
    bo.until(lambda: [file.state for file in files(bo)] == ["there", "ready"], "the first one to go")
    assert fetch(bo, one).read_bytes() == BYTES
    bo.until(lambda: [file.state for file in files(bo)] == ["ready", "there"], "the second one to go")


def test_an_account_that_is_forgotten_leaves_no_file(place: Place, cat: Path) -> None:
    ana = place.face().start().connected().open()
    assert says(ana, "", cat) is None
    arrives(ana)
    ana.until(lambda: files(ana)[0].state == "ready", "one's own file")
    assert folder(place, ana).exists()
    ana.answer(lambda then: ana.runner.sign_out(then, wipe=True))
    assert not folder(place, ana).exists()
