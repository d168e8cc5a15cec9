"""How files go, who may read them meanwhile, and what bounds those who upload."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from alonechat.api import files as rest
from alonechat.api import serve
from alonechat.core.server import files
from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.core.store.shelf import FileShelf
from alonechat.testing import Clock, Person, serving
from tests.core.server.house import House, code, until

Opened = Callable[..., AbstractContextManager[House]]
DAY = 24 * 3600


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server for those of these tests that need no settings."""
    with serving(tmp_path_factory.mktemp("files")) as server:
        yield House(server)


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """`with opened(**settings) as house:` a server of one's own; again on the same data."""

    @contextmanager
    def start(clock: Clock | None = None, **settings: Any) -> Iterator[House]:
        with serving(tmp_path, clock, **settings) as server:
            yield House(server)

    return start


@pytest.fixture
def person(house: House, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Person]]:
    """People whose names are this test's own."""
    began: list[Person] = []

    def connected(name: str) -> Person:
        began.append(house.server.person(f"{name}{abs(hash(request.node.name)) % 99999}"))
        return began[-1]

    yield connected
    for each in began:
        each.close()


@pytest.fixture
def sets(house: House) -> Iterator[Callable[..., None]]:
    """Changes settings of the shared server for one test."""
    settings = house.server.settings
    before = (settings.max_file, settings.max_all_files)

    def change(**given: int) -> None:
        for name, value in given.items():
            object.__setattr__(settings, name, value)

    yield change
    change(max_file=before[0], max_all_files=before[1])


# --- who may read ---


def test_in_a_private_room_a_file_is_its_members_from_their_join_on(
    house: House, person: Callable[[str], Person]
) -> None:
    ana, bo, eve = person("ana"), person("bo"), person("eve")
    den = f"#den-{ana.username}"
    ana.asks(type="JOIN", target=den, access="private")
    early = house.keeps(ana)["id"]
    house.sends(ana, early, target=den)
    ana.asks(type="TEXT", content=f"/invite {bo.username}", target=den)
    assert code(house.get(bo, early)) == (404, "not_found"), "an invitation is no membership"
    bo.asks(type="JOIN", target=den)
    late = house.keeps(ana)["id"]
    house.sends(ana, late, target=den)
    assert [house.get(who, id).status_code for who in (ana, bo, eve) for id in (early, late)] == [
        200,
        200,
        404,
        200,
        404,
        404,
    ]
    mine = house.keeps(bo)["id"]
    house.sends(bo, mine, target=den)
    assert ana.asks(type="TEXT", content=f"/kick {bo.username}", target=den)["type"] == "NOTICE"
    assert house.get(bo, late).status_code == 404, "whoever was removed reads nothing any more"
    assert house.get(bo, mine).status_code == 200 and house.get(ana, mine).status_code == 200
    assert house.get(eve, mine).json() == house.get(eve, "0" * 32).json(), "as if there were none"


def test_a_direct_conversation_is_for_two_and_outlives_an_account(
    house: House, person: Callable[[str], Person]
) -> None:
    ana, bo, eve = person("ana"), person("bo"), person("eve")
    file = house.keeps(ana)["id"]
    event = house.sends(ana, file, target=bo.username, content="for you")
    assert event["attachments"][0]["id"] == file and bo.hears("TEXT") == event
    notes = house.keeps(ana)["id"]
    house.sends(ana, notes, target=ana.username)
    assert [house.get(who, file).status_code for who in (ana, bo, eve)] == [200, 200, 404]
    assert [house.get(who, notes).status_code for who in (ana, bo, eve)] == [200, 404, 404]
    manager = house.server.manager
    house.server.do(lambda: manager.write(lambda writes: writes.change_account(ana.username, standing="disabled")))
    house.server.do(manager.reload)
    assert house.get(ana, file).status_code in (401, 403) and house.upload(ana).status_code in (401, 403)
    assert house.get(bo, file).status_code == 200, "what was sent stays readable"


def test_in_an_open_room_one_has_to_be_a_member(house: House, person: Callable[[str], Person]) -> None:
    ana, bo = person("ana"), person("bo")
    hall = f"#hall-{ana.username}"
    ana.asks(type="JOIN", target=hall)
    file = house.keeps(ana)["id"]
    house.sends(ana, file, target=hall)
    assert house.get(bo, file).status_code == 404
    bo.asks(type="JOIN", target=hall)
    assert house.get(bo, file).status_code == 200
    bo.asks(type="LEAVE", target=hall)
    assert house.get(bo, file).status_code == 404


# --- what changes, and what goes ---


def test_an_edit_keeps_them_and_a_deletion_takes_them_along(house: House, person: Callable[[str], Person]) -> None:
    ana, bo = person("ana"), person("bo")
    one, two = house.keeps(ana)["id"], house.keeps(ana)["id"]
    event = house.sends(ana, one, two, content="two of them", target=bo.username)
    about = {"target": bo.username, "ref": event["id"]}
    assert "attachments" not in ana.asks(type="EDIT", content="the two", **about)
    bo.says("a reply", ana.username)

    def stands() -> Any:
        return bo.asks(type="HISTORY", target=ana.username)["events"][0]

    assert stands()["attachments"] == event["attachments"] and stands()["content"] == "the two"
    assert {one, two} <= set(house.on_disk())
    assert ana.asks(type="DELETE", **about)["type"] == "DELETE"
    assert stands()["deleted"] and "attachments" not in stands() and house.get(ana, one).status_code == 404
    until(lambda: not {one, two} & set(house.on_disk()))
    again = house.sends(ana, one, target=bo.username)
    assert again["code"] == "not_found", "a file goes with its message"


def test_a_moderator_deletes_them_too(house: House, person: Callable[[str], Person]) -> None:
    ana, mod = person("ana"), person("mod")
    house.server.do(lambda: house.server.manager.set_role(mod.username, "moderator"))
    file = house.keeps(ana)["id"]
    event = house.sends(ana, file)
    assert mod.asks(type="DELETE", target="#lobby", ref=event["id"])["type"] == "DELETE"
    until(lambda: file not in house.on_disk())
    assert house.get(ana, file).status_code == 404


def test_the_same_nonce_gives_the_first_message_whatever_became_of_it(
    house: House, person: Callable[[str], Person]
) -> None:
    ana = person("ana")
    file = house.keeps(ana)["id"]
    first = house.sends(ana, file, nonce=f"once-{file}")
    assert house.sends(ana, file, nonce=f"once-{file}") == first
    assert house.sends(ana, "0" * 32, nonce=f"once-{file}") == first
    ana.asks(type="DELETE", target="#lobby", ref=first["id"])
    replay = house.sends(ana, file, nonce=f"once-{file}")
    assert replay["id"] == first["id"] and replay["content"] == "" and "attachments" not in replay


def test_of_many_who_attach_one_upload_at_once_one_gets_it(house: House, person: Callable[[str], Person]) -> None:
    devices = [person("ana") for _ in range(4)]
    file = house.keeps(devices[0])["id"]
    for number, each in enumerate(devices):
        target = "#lobby" if number % 2 else each.username
        each.send(type="TEXT", content="", target=target, attachments=[{"id": file}], nonce=f"{file}-{number}")
    answers = [each.hears("TEXT", "ERROR", nonce=f"{file}-{n}") for n, each in enumerate(devices)]
    assert sorted(each["type"] for each in answers) == ["ERROR", "ERROR", "ERROR", "TEXT"]
    assert {each["code"] for each in answers if each["type"] == "ERROR"} == {"conflict"}


def test_what_no_message_bears_is_removed_after_a_day(opened: Opened) -> None:
    clock = Clock()
    with opened(clock, heartbeat=0.2) as house:
        ana = house.server.person("ana")
        borne, loose = house.keeps(ana)["id"], house.keeps(ana, name="quuxly.pdf")["id"]
        house.sends(ana, borne)
        clock.forward(DAY - 1)
        fresh = house.keeps(ana)["id"]
        time.sleep(0.3)
        assert house.get(ana, loose).status_code == 200
        clock.forward(1000)
        until(lambda: house.on_disk() == sorted([borne, fresh]))
        assert house.get(ana, loose).status_code == 404 and house.get(ana, borne).status_code == 200
        assert house.sends(ana, loose)["code"] == "not_found"
        assert house.sends(ana, fresh)["type"] == "TEXT" and house.metric("alonechat_files_bytes") == 10
    raw = sqlite3.connect(house.server.settings.data_dir / "alonechat.db")
    assert raw.execute("SELECT count(*) FROM uploads WHERE name LIKE '%quux%'").fetchone() == (0,)
    raw.close()


def test_what_a_kill_left_behind_is_swept_at_the_next_start(opened: Opened) -> None:
    """Bytes without a row: killed between DELETE and its unlink, between an upload and its row, or halfway through."""
    with opened() as house:
        ana = house.server.person("ana")
        gone, kept = house.keeps(ana)["id"], house.keeps(ana)["id"]
        event = house.sends(ana, gone)
        path = house.folder / gone[:2] / gone
        shutil.copy(path, house.folder.parent / "saved")
        ana.asks(type="DELETE", target="#lobby", ref=event["id"])
        until(lambda: not path.exists())
    shutil.move(house.folder.parent / "saved", path)
    (house.folder / "incoming" / ("a" * 32)).write_bytes(b"half of it")
    (house.folder / "ab").mkdir(exist_ok=True)
    (house.folder / "ab" / ("ab" * 16)).write_bytes(b"no row")
    with opened(max_all_files=6) as house:
        until(lambda: house.on_disk() == [kept])
        ana = house.server.person("ana")
        assert house.sends(ana, kept)["attachments"][0]["id"] == kept, "an upload waits for its message over a restart"
        assert house.metric("alonechat_files_bytes") == 5, "counted anew"
        assert code(house.upload(ana, b"zz")) == (503, "unavailable")


def test_before_the_first_sweep_no_file_is_taken(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what comes in could be taken for something that was left behind."""
    tried, sweep = [], FileShelf.sweep
    monkeypatch.setattr(files, "SWEEP_SECONDS", 0.1)
    monkeypatch.setattr(files, "AGAIN_SECONDS", 0.05)

    def failing(self: FileShelf, *given: Any) -> Any:
        if not ready.is_set():
            tried.append(1)
            raise OSError(errno.EIO, "Input/output error")
        return sweep(self, *given)

    ready = threading.Event()
    monkeypatch.setattr(FileShelf, "sweep", failing)
    with opened() as house:
        ana = house.server.person("ana")
        assert code(house.upload(ana)) == (503, "unavailable") and tried
        ready.set()
        until(lambda: house.upload(ana).status_code == 201)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere: modes of POSIX")
def test_files_are_nobody_elses_on_the_machine(house: House, person: Callable[[str], Person]) -> None:
    house.keeps(person("ana"))
    for path in (house.folder, *house.folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_row_without_its_file_is_not_found(house: House, person: Callable[[str], Person]) -> None:
    ana = person("ana")
    file = house.keeps(ana)["id"]
    (house.folder / file[:2] / file).unlink()
    assert code(house.get(ana, file)) == (404, "not_found")


# --- hooks ---


def test_a_hook_sees_what_a_message_is_to_bear_and_may_stop_it(house: House, person: Callable[[str], Person]) -> None:
    ana, bo, seen = person("ana"), person("bo"), []

    def look(context: HookContext) -> None:
        seen.append(context.attachments)
        if any(each["name"].endswith(".exe") for each in context.attachments):
            context.stop("no programs here")

    file, program, others = house.keeps(ana), house.keeps(ana, name="a.exe"), house.keeps(bo)
    house.server.manager.register_hook(HookPhase.PRE_MESSAGE, look)
    try:
        assert house.sends(ana, program["id"])["content"] == "no programs here"
        assert house.sends(ana, file["id"], content="ok")["attachments"] == [file]
        assert house.sends(ana, others["id"])["code"] == "not_found"
        ana.says("plain")
    finally:
        house.server.manager.unregister_hook(HookPhase.PRE_MESSAGE, look)
    assert seen == [[program], [file], [], []], "nobody's uploads but the sender's"


# --- bounds ---


def test_a_file_that_is_too_large_is_refused_before_and_while_it_comes(
    house: House, person: Callable[[str], Person], sets: Callable[..., None]
) -> None:
    ana = person("ana")
    sets(max_file=100_000)
    assert house.http.get("/server").json()["files"] == {"max_bytes": 100_000}
    assert house.keeps(ana, b"x" * 100_000)["size"] == 100_000
    before = house.on_disk()
    for data in (b"x" * 100_001, (b"y" * 5000 for _ in range(100))):
        answer = house.upload(ana, data)
        assert code(answer) == (413, "too_long") and "97.66 KiB" in answer.json()["error"]["message"]
    until(lambda: house.on_disk() == before)
    assert code(house.upload(ana, b"z" * 30_000_000)) == (413, "too_long"), "also to who sends on and on"
    sets(max_file=0)
    assert house.http.get("/server").json()["files"] == {"max_bytes": 0}
    assert code(house.upload(ana)) == (403, "forbidden")


def test_all_files_together_have_a_bound_and_a_deletion_makes_room(
    house: House, person: Callable[[str], Person], sets: Callable[..., None]
) -> None:
    ana, used = person("ana"), int(house.metric("alonechat_files_bytes"))
    sets(max_all_files=used + 10_000)
    event = house.sends(ana, house.keeps(ana, b"x" * 6000)["id"])
    for data in (b"y" * 4001, (b"y" * 100 for _ in range(41))):
        answer = house.upload(ana, data)
        assert code(answer) == (503, "unavailable") and "KiB of files" in answer.json()["error"]["message"]
    house.keeps(ana, b"y" * 4000)
    ana.asks(type="DELETE", target="#lobby", ref=event["id"])
    until(lambda: house.upload(ana, b"z" * 6000).status_code == 201)
    assert house.metric("alonechat_files_bytes") == used + 10_000


def test_a_full_disk_is_said_and_nothing_is_left(
    house: House, person: Callable[[str], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, before = person("ana"), house.on_disk()
    monkeypatch.setattr(files, "RESERVE", 1 << 60)
    assert "disk is full" in house.upload(ana).json()["error"]["message"]
    monkeypatch.undo()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("alonechat.core.store.shelf.Draft.write", full)
    assert code(house.upload(ana, b"x" * 300_000)) == (503, "unavailable")
    monkeypatch.undo()
    until(lambda: house.on_disk() == before)
    assert house.upload(ana).status_code == 201


def test_what_says_no_length_leaves_the_log_its_reserve_too(
    house: House, person: Callable[[str], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so do those that come in at the same time, each of which would have had room."""
    ana, before = person("ana"), house.on_disk()

    def free(shelf: FileShelf) -> int:
        coming = sum(path.stat().st_size for path in (shelf.folder / "incoming").iterdir())
        return files.RESERVE + 500_000 - coming

    monkeypatch.setattr(FileShelf, "free", free)
    answer = house.upload(ana, (b"x" * 100_000 for _ in range(30)))
    assert code(answer) == (503, "unavailable") and "disk is full" in answer.text
    until(lambda: house.on_disk() == before)


def test_what_is_being_flushed_counts_among_all_files(
    house: House, person: Callable[[str], Person], sets: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, used = person("ana"), int(house.metric("alonechat_files_bytes"))
    sets(max_all_files=used + 10_000)
    keep, reached, go = FileShelf.keep, threading.Event(), threading.Event()

    def slow(*given: Any) -> None:
        reached.set()
        assert go.wait(10)
        keep(*given)

    monkeypatch.setattr(FileShelf, "keep", slow)
    answers: list[int] = []
    first = threading.Thread(target=lambda: answers.append(house.upload(ana, b"x" * 6000).status_code))
    first.start()
    assert reached.wait(10)
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(house.upload, ana, b"y" * 6000)
        try:
            assert code(second.result(5)) == (503, "unavailable")
        finally:
            go.set()
    first.join()
    assert answers == [201]

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileShelf, "keep", full)
    assert house.upload(ana, b"z" * 4000).status_code == 503
    assert house.metric("alonechat_files_bytes") == used + 6000


def test_uploads_count_against_the_rate(opened: Opened) -> None:
    with opened(rate_messages=0.2, rate_burst=3) as house:
        ana = house.server.person("ana")
        assert [house.upload(ana).status_code for _ in range(4)] == [201, 201, 201, 429]
        assert int(house.upload(ana).headers["Retry-After"]) >= 2


class Trickling:
    """An upload by hand: its head, and so much of its body as one likes."""

    def __init__(self, house: House, who: Person, length: int, body: bytes = b"") -> None:
        host, port = house.server.url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        head = f"POST /files?name=slow HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {who.token}\r\n"
        self.socket.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + body)

    def answer(self) -> str:
        """Status line and text of the answer."""
        found = b""
        while not found.endswith(b"}}"):
            piece = self.socket.recv(4096)
            assert piece, found
            found += piece
        return found.decode()


def test_an_upload_that_breaks_off_leaves_nothing(house: House, person: Callable[[str], Person]) -> None:
    ana = person("ana")
    before = set(house.on_disk())
    upload = Trickling(house, ana, 2_000_000, b"x" * 700_000)
    until(lambda: set(house.on_disk()) - before)
    upload.socket.close()
    until(lambda: set(house.on_disk()) == before)
    files_of = house.server.manager.files
    until(lambda: not files_of._coming and not files_of._arriving)


def test_an_upload_that_falls_silent_or_crawls_is_ended(
    house: House, person: Callable[[str], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, before = person("ana"), set(house.on_disk())
    monkeypatch.setattr(rest, "QUIET_SECONDS", 0.1)
    assert "too slowly" in Trickling(house, ana, 1000, b"x").answer()
    monkeypatch.setattr(rest, "QUIET_SECONDS", 30.0)
    monkeypatch.setattr(files, "PATIENCE", 0.15)
    monkeypatch.setattr(files, "LEAST_RATE", 1 << 40)
    crawling = Trickling(house, ana, 1000)

    def crawl() -> None:
        for _ in range(40):
            try:
                crawling.socket.sendall(b"x")
            except OSError:
                return
            time.sleep(0.02)

    thread = threading.Thread(target=crawl)
    thread.start()
    assert "too slowly" in crawling.answer()
    thread.join()
    until(lambda: set(house.on_disk()) == before)


def test_one_account_uploads_so_many_at_once(house: House, person: Callable[[str], Person]) -> None:
    ana, bo = person("ana"), person("bo")
    held = [Trickling(house, ana, 1000) for _ in range(files.AT_ONCE)]
    coming = house.server.manager.files._coming
    until(lambda: coming[ana.username] == files.AT_ONCE)
    assert code(house.upload(ana)) == (429, "rate_limited") and house.upload(bo).status_code == 201
    for each in held:
        each.socket.close()
    until(lambda: house.upload(ana).status_code == 201)


def test_a_reader_that_takes_nothing_is_let_go(
    house: House, person: Callable[[str], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = person("ana")
    file = house.keeps(ana, b"x" * 20_000_000)["id"]
    closed = threading.Event()
    close = files.Opened.close
    monkeypatch.setattr(files.Opened, "close", lambda self: (close(self), closed.set()))
    monkeypatch.setattr(rest, "QUIET_SECONDS", 0.3)
    host, port = house.server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as reader:
        reader.sendall(f"GET /files/{file} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ana.token}\r\n\r\n".encode())
        assert closed.wait(10), "its file is closed"


def test_a_sign_in_that_ends_while_a_file_comes_in_keeps_nothing(house: House, person: Callable[[str], Person]) -> None:
    ana, before = person("ana"), set(house.on_disk())
    upload = Trickling(house, ana, 10, b"12345")
    until(lambda: house.server.manager.files._coming[ana.username])
    assert house.http.post("/logout", headers={"Authorization": f"Bearer {ana.token}"}).status_code == 200
    upload.socket.sendall(b"67890")
    assert " 401 " in upload.answer()
    until(lambda: set(house.on_disk()) == before)


def test_the_server_stops_in_the_middle_of_an_upload(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "GRACE", 0.1)
    with opened() as house:
        ana = house.server.person("ana")
        house.keeps(ana)
        upload = Trickling(house, ana, 2_000_000, b"x" * 700_000)
        until(lambda: len(house.on_disk()) == 2)
    upload.socket.close()
    assert len(house.on_disk()) == 1


def test_a_file_that_can_not_be_removed_now_is_tried_again(
    house: House, person: Callable[[str], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, while somebody reads it."""
    ana = person("ana")
    file = house.keeps(ana)["id"]
    path = house.folder / file[:2] / file
    event = house.sends(ana, file)
    unlink, tried = Path.unlink, []
    monkeypatch.setattr(files, "AGAIN_SECONDS", 0.05)

    def busy(self: Path, missing_ok: bool = False) -> None:
        if self == path and not tried:
            tried.append(1)
            raise PermissionError(13, "it is being used by another process")
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", busy)
    ana.asks(type="DELETE", target="#lobby", ref=event["id"])
    until(lambda: not path.exists())
    assert tried


def test_when_the_row_can_not_be_written_the_bytes_go(
    house: House, person: Callable[[str], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, before = person("ana"), set(house.on_disk())
    from alonechat.core.store import uploads

    def broken(*_: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(uploads, "add", broken)
    assert code(house.upload(ana)) == (503, "unavailable")
    monkeypatch.undo()
    until(lambda: set(house.on_disk()) == before)


def test_names_and_kinds_are_values() -> None:
    assert files.file_name(" e\u0301.txt ") == "é.txt"
    assert [files.words(each) for each in (0, 1, 1023, 1024, 1 << 20, 25 << 20, 3 << 30, 1 << 45)] == [
        "0 bytes", "1 bytes", "1023 bytes", "1 KiB", "1 MiB", "25 MiB", "3 GiB", "3.277e+04 GiB"
    ]  # fmt: skip
    assert files.plain_mime("IMAGE/JPG; q=1") == "image/jpeg" and files.plain_mime("a/b/c") == files.PLAIN
