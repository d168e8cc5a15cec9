"""tools/generate_hashes.py: sums on disk, a password in a real terminal."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from alonechat.core.server import auth
from tests.tools.terminal import terminal
from tools import generate_hashes

posix = pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: a pseudo-terminal")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "alonechat.pyz").write_bytes(b"one")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "alonechat-2.0.0.tar.gz").write_bytes(b"two")
    (tmp_path / "notes.txt").write_bytes(b"not built")
    return tmp_path


def run(directory: Path, *arguments: str) -> int:
    return generate_hashes.main(["--directory", str(directory), *arguments])


def test_the_sums_of_a_build_are_written_and_hold(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(built) == 0
    one, two = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"two").hexdigest()
    written = (built / "SHA256SUMS").read_text("utf-8")
    assert written == f"{one}  alonechat.pyz\n{two}  dist/alonechat-2.0.0.tar.gz\n"
    assert capsys.readouterr().out == written
    assert run(built, "--check") == 0
    assert capsys.readouterr().out == "alonechat.pyz: OK\ndist/alonechat-2.0.0.tar.gz: OK\n"


def test_a_changed_and_a_missing_file_are_named(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(built)
    (built / "alonechat.pyz").write_bytes(b"One")
    (built / "dist" / "alonechat-2.0.0.tar.gz").unlink()
    capsys.readouterr()
    assert run(built, "--check") == 1
    assert capsys.readouterr().out == "alonechat.pyz: changed\ndist/alonechat-2.0.0.tar.gz: missing\n"


def test_the_sums_of_any_files_are_printed(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = built / "notes.txt"
    assert run(built, "sums", str(path)) == 0
    assert capsys.readouterr().out == f"{hashlib.sha256(b'not built').hexdigest()}  {path.as_posix()}\n"


@pytest.mark.parametrize(
    ("sums", "said"),
    [(None, "can't be read"), ("", "is empty"), ("abc  alonechat.pyz\n", "line 1: expected")],
)
def test_sums_that_say_nothing_are_refused(
    built: Path, sums: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if sums is not None:
        (built / "SHA256SUMS").write_text(sums, "utf-8")
    assert run(built, "--check") == 2
    assert said in capsys.readouterr().err


def test_nothing_built_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 2
    assert "python3 build.py makes one" in capsys.readouterr().err
    assert run(tmp_path, "sums", str(tmp_path / "absent")) == 2


@posix
def test_a_password_is_asked_for_twice_without_echo_and_hashed() -> None:
    with terminal("tools/generate_hashes.py", "password", "--n", "1024") as screen:
        screen.shows("Password: ")
        screen.type("correct horse 电池\r")
        assert "correct" not in screen.shows("Once more: ")
        screen.type("correct horse 电池\r")
        code, seen = screen.ends()
    assert code == 0 and "correct" not in seen
    printed = seen.split()[-1]
    assert printed.startswith("$scrypt$ln=10,r=8,p=5$")
    assert auth.check_password("correct horse 电池", printed)
    assert not auth.check_password("correct horse", printed)


@posix
@pytest.mark.parametrize(
    ("first", "second", "said"), [("correct horse", "correct hose", "the two passwords differ"), ("short", "", "8")]
)
def test_two_that_differ_or_one_too_short_give_no_hash(first: str, second: str, said: str) -> None:
    with terminal("tools/generate_hashes.py", "password", "--n", "1024") as screen:
        screen.shows("Password: ")
        screen.type(first + "\r")
        if second:
            screen.shows("Once more: ")
            screen.type(second + "\r")
        code, seen = screen.ends()
    assert code == 2 and said in seen and "$scrypt" not in seen


def test_a_password_is_never_read_from_a_pipe() -> None:
    command = [sys.executable, "tools/generate_hashes.py", "password"]
    done = subprocess.run(command, input="correct horse\n" * 2, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "from a terminal only" in done.stderr


@pytest.mark.parametrize("wrong", ["1000", "512", "0", "-1024", "2097152", "x"])
def test_a_cost_that_scrypt_cannot_take_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        generate_hashes.main(["password", f"--n={wrong}"])
    assert ended.value.code == 2
    assert "a power of two from 1024" in capsys.readouterr().err
