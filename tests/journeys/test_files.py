"""Files and a server that is killed with -9; and what a large one costs in memory."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alonechat.testing import Person
from tests.journeys.people import People
from tests.journeys.process import ServerProcess

MIB = 1 << 20


def shelf(server: ServerProcess) -> set[str]:
    """The files that lie on the server's disk."""
    return {path.name for path in (server.data_dir / "files").rglob("*") if path.is_file()}


def upload(people: People, who: Person, data: bytes | Iterator[bytes], name: str = "a.bin") -> str:
    """The id of what somebody uploads."""
    found = people.call(who, "POST", "/files", params={"name": name}, content=data)
    assert found.status_code == 201, found.text
    return str(found.json()["id"])


def half_an_upload(server: ServerProcess, who: Person) -> socket.socket:
    """An upload of which a part has come, and lies on the disk."""
    before = shelf(server)
    sock = socket.create_connection(("127.0.0.1", server.rest_port), timeout=10)
    head = f"POST /files?name=half HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {who.token}\r\n"
    sock.sendall(f"{head}Content-Length: {4 * MIB}\r\n\r\n".encode() + b"x" * MIB)
    deadline = time.monotonic() + 10
    while not shelf(server) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(shelf(server) - before) == 1
    return sock


def test_whenever_it_is_killed_what_was_answered_stands_and_nothing_else(
    start_server: Callable[..., ServerProcess],
) -> None:
    server = start_server()
    with People(server) as people:
        ana = people.connect("ana")
        borne, loose, gone = (upload(people, ana, each) for each in (b"borne", b"loose", b"gone" * 100_000))
        sent = ana.asks(type="TEXT", content="", attachments=[{"id": borne}], nonce="sent")
        doomed = ana.asks(type="TEXT", content="", attachments=[{"id": gone}])
        half = half_an_upload(server, ana)
        assert ana.asks(type="DELETE", target="#lobby", ref=doomed["id"])["type"] == "DELETE"
        server.kill9()  # the deletion is echoed; its file may still lie there
        half.close()
    server.start()
    with People(server) as people:
        ana = people.connect("ana")
        assert people.call(ana, "GET", f"/files/{borne}").content == b"borne"
        assert people.call(ana, "GET", f"/files/{gone}").status_code == 404
        again = ana.asks(type="TEXT", content="", attachments=[{"id": borne}], nonce="sent")
        assert again == sent, "the nonce still gives the first message"
        late = ana.asks(type="TEXT", content="late", attachments=[{"id": loose}])
        assert late["attachments"][0]["id"] == loose, "an upload that was answered waits for its message"
        deadline = time.monotonic() + 5
        while shelf(server) != {borne, loose} and time.monotonic() < deadline:
            time.sleep(0.02)
        assert shelf(server) == {borne, loose}, "what came in halfway, and what was deleted, is swept"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="elsewhere: Linux tells the peak of a process")
def test_large_files_go_through_without_being_held_in_memory(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()

    def peak() -> float:
        status = Path(f"/proc/{server.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    with People(server) as people:
        ana = people.connect("ana")
        upload(people, ana, b"small")
        before = peak()
        ids = [upload(people, ana, (b"y" * MIB for _ in range(25))) for _ in range(3)]
        for id in ids:
            with people.http.stream("GET", f"/files/{id}", headers={"Authorization": f"Bearer {ana.token}"}) as answer:
                assert sum(len(piece) for piece in answer.iter_bytes(MIB)) == 25 * MIB
        assert peak() - before < 15, f"{peak() - before:.1f} MiB more for files of 25"
