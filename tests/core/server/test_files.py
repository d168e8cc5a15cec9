"""Files over real sockets: upload, fetch, messages that bear them, and how they go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat.core.client import Rest
from alonechat.errors import AloneChatError
from alonechat.testing import Person, serving
from tests.core.server.house import House, code
from tests.core.test_image import jpeg, png


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One server for most of these tests."""
    with serving(tmp_path_factory.mktemp("files")) as server:
        yield House(server)


@pytest.fixture
def ana(house: House) -> Iterator[Person]:
    person = house.server.person("ana")
    yield person
    person.close()


@pytest.fixture
def bo(house: House) -> Iterator[Person]:
    person = house.server.person("bo")
    yield person
    person.close()


# --- in and out ---


def test_what_was_uploaded_comes_back_and_a_message_bears_it(house: House, ana: Person, bo: Person) -> None:
    file = house.keeps(ana, png(640, 480), name="Grüße 你好.png", mime="image/png")
    assert file == {
        "id": file["id"], "name": "Grüße 你好.png", "mime": "image/png", "size": len(png()), "width": 640, "height": 480
    }  # fmt: skip
    assert house.get(bo, file["id"]).status_code == 404, "nobody's but the uploader's so far"
    told = {**file, "name": "evil.exe", "width": 1, "more": [1]}
    event = ana.asks(type="TEXT", content="", attachments=[told])
    assert event["type"] == "TEXT" and event["content"] == "" and event["attachments"] == [file]
    assert {**bo.hears("TEXT")} == event
    for who in (ana, bo):
        answer = house.get(who, file["id"])
        assert answer.content == png() and answer.headers["content-type"] == "image/png"
        assert answer.headers["content-disposition"].startswith("inline; filename=")
    history = bo.asks(type="HISTORY", target="#lobby")["events"]
    assert history[-1] == {name: value for name, value in event.items()}


def test_over_rest_too_and_with_a_text(house: House, ana: Person) -> None:
    file = house.keeps(ana)
    body = {"content": "the plan", "attachments": [{"id": file["id"]}], "nonce": "files-n"}
    headers = {"Authorization": f"Bearer {ana.token}"}
    first = house.http.post("/send", json=body, headers=headers)
    assert first.status_code == 201 and first.json()["attachments"] == [file]
    assert house.http.post("/send", json=body, headers=headers).json() == first.json(), (
        "the nonce gives the first event"
    )
    assert code(house.http.post("/send", json={**body, "nonce": "files-m"}, headers=headers)) == (409, "conflict")
    for empty in ({"content": ""}, {"content": "", "attachments": []}, {"content": " "}):
        assert house.http.post("/send", json=empty, headers=headers).status_code in (400, 422)


@pytest.mark.parametrize(
    ("mime", "data", "kept"),
    [
        ("image/jpeg", jpeg(), "image/jpeg"),
        ("image/jpg", jpeg(), "image/jpeg"),
        ("image/png", jpeg(), "application/octet-stream"),
        ("image/png", b"<script>", "application/octet-stream"),
        ("image/webp", b"", "application/octet-stream"),
        ("Text/HTML; charset=utf-8", b"<script>", "text/html"),
        ("image/svg+xml", b"<svg/>", "image/svg+xml"),
        ("", b"x", "application/octet-stream"),
        ("nonsense", b"x", "application/octet-stream"),
        ("application/x-www-form-urlencoded", b"x", "application/octet-stream"),
    ],
)
def test_the_kind_is_what_the_bytes_allow(house: House, ana: Person, mime: str, data: bytes, kept: str) -> None:
    file = house.keeps(ana, data, mime=mime, name="a.bin")
    answer = house.get(ana, file["id"])
    assert file["mime"] == answer.headers["content-type"] == kept and ("width" in file) is (kept == "image/jpeg")
    assert answer.headers["content-disposition"].startswith("inline" if kept == "image/jpeg" else "attachment")
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.content == data
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


def test_a_file_is_saved_under_its_name(house: House, ana: Person) -> None:
    file = house.keeps(ana, name='Plan "ä" 100%;你.pdf')
    found = house.get(ana, file["id"]).headers["content-disposition"]
    plain, _, coded = found.removeprefix("attachment; ").partition("; ")
    assert plain == 'filename="Plan ___ 100_;_.pdf"'
    assert coded == "filename*=UTF-8''Plan%20%22%C3%A4%22%20100%25%3B%E4%BD%A0.pdf"


@pytest.mark.parametrize(
    ("asked", "status", "part", "told"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=7-99", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=5-2", 200, b"0123456789", None),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_a_part_of_a_file(
    house: House, ana: Person, asked: str, status: int, part: bytes | None, told: str | None
) -> None:
    id = house.keeps(ana, b"0123456789")["id"]
    answer = house.get(ana, id, Range=asked)
    assert answer.status_code == status and answer.headers.get("content-range") == told
    assert part is None or answer.content == part


def test_what_a_client_has_is_not_sent_again(house: House, ana: Person) -> None:
    id = house.keeps(ana, b"0123456789")["id"]
    tag = house.get(ana, id).headers["etag"]
    again = house.get(ana, id, **{"If-None-Match": tag})
    assert again.status_code == 304 and again.content == b""
    assert house.get(ana, id, Range="bytes=1-2", **{"If-Range": tag}).content == b"12"
    assert house.get(ana, id, Range="bytes=1-2", **{"If-Range": '"other"'}).content == b"0123456789"
    headers = {"Authorization": f"Bearer {ana.token}"}
    head = house.http.head(f"/files/{id}", headers=headers)
    assert head.headers["content-length"] == "10" and head.content == b""


# --- refused ---


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", "a/b", "a\nb", "a\x7fb", "a\u202egpj.exe", "a\u2028b", "ä" * 128, "x" * 256]
)
def test_a_name_that_no_file_should_have(house: House, ana: Person, name: str) -> None:
    before = house.on_disk()
    assert code(house.upload(ana, name=name)) == (422, "invalid")
    assert house.on_disk() == before


@pytest.mark.parametrize("name", ["ä" * 127, "a\\b.txt", "…", ".profile", "a" * 255])
def test_a_name_that_a_file_may_have(house: House, ana: Person, name: str) -> None:
    assert house.keeps(ana, name=name)["name"] == name


def test_without_a_sign_in_there_is_nothing(house: House, ana: Person) -> None:
    id = house.keeps(ana)["id"]
    assert code(house.http.get(f"/files/{id}")) == (401, "unauthorized")
    assert code(house.http.post("/files", params={"name": "x"}, content=b"x")) == (401, "unauthorized")
    assert (
        code(house.http.get("/files/..%2f..%2fjwt.secret", headers={"Authorization": f"Bearer {ana.token}"}))[0] == 404
    )
    assert code(house.get(ana, "0" * 32)) == (404, "not_found")


def test_attachments_that_can_not_be(house: House, ana: Person, bo: Person) -> None:
    others, mine = house.keeps(bo)["id"], house.keeps(ana)["id"]
    for ids, said in (
        ((others,), "not_found"),
        (("f" * 32,), "not_found"),
        ((mine, "1"), "not_found"),
        ((mine, mine), "bad_frame"),
        ((mine,) * 21, "bad_frame"),
        (("",), "bad_frame"),
    ):
        assert house.sends(ana, *ids)["code"] == said, ids
    for wrong in ([1], [{}], [{"id": 7}], {"id": mine}, [[mine]]):
        assert ana.asks(type="TEXT", content="x", attachments=wrong)["code"] == "bad_frame"
    assert house.sends(ana, mine, content="/me waves")["code"] == "bad_frame"
    assert house.sends(ana, mine, target="#nowhere")["code"] == "not_found"
    assert house.sends(ana, mine, content="at last")["type"] == "TEXT", "what was refused leaves the upload free"
    assert house.sends(ana, mine)["code"] == "conflict"


# --- as a client sends ---


def test_a_file_that_changes_while_it_is_sent(house: House, ana: Person, tmp_path: Path) -> None:
    path = tmp_path / "server.log"

    async def sent(change: str) -> int:
        path.write_bytes(b"x" * 1_000_000)

        def told(done: int) -> None:
            with path.open("r+b") as file:
                file.truncate(done if change == "shorter" else 2_000_000)

        async with Rest(house.server.url, ana.token) as rest:
            return int((await rest.upload(path, told=told))["size"])

    assert asyncio.run(sent("longer")) == 1_000_000, "as it was when it was begun"
    with pytest.raises(AloneChatError, match="became shorter"):
        asyncio.run(sent("shorter"))
