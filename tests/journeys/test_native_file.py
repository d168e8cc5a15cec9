"""The native file: hot modules are compiled, a message goes through them, and it runs where they can't be loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat import __version__
from alonechat.errors import STATUS
from alonechat.testing import Person
from tests.journeys import wire
from tests.journeys.people import People
from tests.journeys.process import ServerProcess
from tools.bundle import compiled, hot

ROOT = Path(__file__).resolve().parents[2]
COMPILED = f"alonechat {__version__} (compiled)\n"
PLAIN = f"alonechat {__version__}\n"


def build(target: Path, **env: str) -> str:
    """Writes a native file and gives what the build said."""
    command = [sys.executable, str(ROOT / "build.py"), "--native", "--output", str(target)]
    given = {**os.environ, **env}
    done = subprocess.run(command, env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def version(native: Path, **env: str) -> str:
    """What the file says of itself."""
    command = [sys.executable, str(native), "--version"]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A native file."""
    target = tmp_path_factory.mktemp("native") / "native.pyz"
    build(target)
    return target


@pytest.fixture(scope="module")
def people(native: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """Those who talk to a server of the native file, which must end well."""
    server = ServerProcess(native, tmp_path_factory.mktemp("served"))
    server.start()
    try:
        with People(server) as found:
            yield found
            assert server.stop() == 0
    finally:
        server.end()
    assert "Traceback" not in server.said and "frame failed" not in server.said


@pytest.fixture(scope="module")
def ana(people: People) -> Person:
    """Somebody."""
    return people.connect("ana")


@pytest.fixture(scope="module")
def bo(people: People) -> Person:
    """Somebody else, who is there before anything is said."""
    return people.connect("bo")


def test_it_says_whether_its_hot_modules_are_compiled(native: Path) -> None:
    assert version(native) == (PLAIN if compiled.obstacle() else COMPILED)


def test_a_message_its_reply_its_edit_and_its_end_go_through_it(people: People, ana: Person, bo: Person) -> None:
    said = ana.says("through compiled parts, @bo: 上海")
    assert said["mentions"] == ["bo"]
    assert bo.hears("TEXT") == {name: value for name, value in said.items()}
    reply = bo.says("and back", ref=said["id"])
    assert ana.hears("TEXT", ref=said["id"]) == reply
    edit = ana.asks(type="EDIT", ref=said["id"], content="through compiled parts: 北京")
    assert bo.hears("EDIT", ref=said["id"])["content"] == edit["content"]
    found = people.call(bo, "GET", "/search", params={"q": "北京"}).json()["events"]
    assert [each["id"] for each in found] == [said["id"]]
    assert people.call(bo, "GET", "/search", params={"q": "上海"}).json()["events"] == []
    bo.asks(type="REACT", ref=said["id"], content="👍")
    page = ana.asks(type="HISTORY", target="#lobby", limit=10)["events"]
    assert [each["content"] for each in page if each["type"] == "TEXT"] == [edit["content"], "and back"]
    assert page[-2]["reactions"] == {"👍": ["bo"]} and page[-2]["edited"]
    ana.asks(type="DELETE", ref=said["id"])
    assert bo.hears("DELETE", ref=said["id"])["sender"] == "ana"
    assert people.call(bo, "GET", "/search", params={"q": "北京"}).json()["events"] == []
    assert next(each for each in bo.asks(type="HISTORY")["events"] if each["id"] == said["id"])["content"] == ""


@pytest.mark.parametrize("case", wire.CASES)
def test_odd_requests_are_answered(people: People, case: str) -> None:
    sent, expected = wire.CASES[case]
    assert wire.status(people.server.rest_port, sent) in expected


@pytest.mark.parametrize("case", wire.ENDLESS)
def test_a_head_has_an_end(people: People, case: str) -> None:
    assert wire.pours(people.server.rest_port, wire.ENDLESS[case]) < 32 << 20, "what the sockets hold, and no more"
    assert wire.status(people.server.rest_port, wire.CASES["version 1.0"][0]) == b"200"


def test_two_requests_in_one_piece_and_a_body_that_waits(people: People) -> None:
    assert wire.both(people.server.rest_port).count(b"HTTP/1.1 200") == 2
    assert wire.waits(people.server.rest_port) == [b"100", b"401"]


def test_rooms_direct_conversations_and_a_known_nonce_go_through_it(ana: Person, bo: Person) -> None:
    assert ana.asks(type="JOIN", target="#work")["seq"] == 1
    bo.asks(type="JOIN", target="#work")
    assert ana.says("in a room", target="#work", nonce="once")["target"] == "#work"
    assert bo.hears("TEXT", target="#work")["content"] == "in a room"
    again = ana.asks(type="TEXT", target="#work", content="in a room", nonce="once")
    assert again["seq"] == 3
    ana.says("between us", target="bo")
    assert bo.hears("TEXT", target="bo")["content"] == "between us"


@pytest.mark.parametrize(
    ("frame", "code", "sentence"),
    [
        ({"type": "TEXT", "content": 7}, "bad_frame", "content must be a string, not an integer"),
        ({"type": "TEXT", "content": " "}, "bad_frame", "content must not be blank"),
        ({"type": "TEXT"}, "bad_frame", "content is missing: it must be a string"),
        ({"type": "NOISE"}, "bad_frame", "type must be one of AUTH, TEXT"),
        ({"type": "TEXT", "content": "x" * 4001}, "too_long", "a message has at most 4000 characters, not 4001"),
        ({"type": "TEXT", "content": "x", "target": "#nowhere"}, "not_found", "no room #nowhere; JOIN makes it"),
        ({"type": "EDIT", "content": "x", "ref": "1"}, "not_found", "no message 1 in this conversation"),
        ({"type": "HISTORY", "after": -1}, "bad_frame", "after must be at least 0, not -1"),
    ],
)
def test_refusals_are_the_same_sentences(ana: Person, frame: dict[str, object], code: str, sentence: str) -> None:
    answer = ana.asks(**frame)
    assert (answer["type"], answer["code"]) == ("ERROR", code) and code in STATUS
    assert answer["content"].startswith(sentence)


def test_what_is_no_json_is_refused(ana: Person) -> None:
    ana.ws.send('{"type": "TEXT", "content": "\\ud800"}')
    assert ana.hears("ERROR")["content"] == "a string holds a lone surrogate"
    ana.ws.send("[" * 50_000)
    assert ana.hears("ERROR")["code"] == "bad_frame"


def test_without_a_compiler_it_is_built_all_the_same(tmp_path: Path) -> None:
    target = tmp_path / "plain.pyz"
    said = build(target, CC="no-such-compiler")
    assert "there is no C compiler (no-such-compiler) here" in said and "apt-get install gcc" in said
    assert version(target) == PLAIN


def test_where_the_library_cannot_be_loaded_the_sources_run(native: Path, tmp_path: Path) -> None:
    """A cache directory from which nothing may be executed, or a C library that is older than the build's."""
    cache = {"ALONECHAT_CACHE": str(tmp_path / "cache")}
    version(native, **cache)
    names = [f"{hot.LIBRARY}__mypyc", *(name.rpartition(".")[2] for name in hot.WRITTEN)]
    libraries = [path for name in names for path in (tmp_path / "cache").rglob(f"{name}.*") if path.suffix != ".py"]
    assert len(libraries) == (0 if compiled.obstacle() else len(names))
    for library in libraries:
        library.write_bytes(b"not a library")
    assert version(native, **cache) == PLAIN
