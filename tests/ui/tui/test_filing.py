"""Files in the terminal: how they look, how their paths are read, and how they are sent, opened and saved."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.client.files import File
from alonechat.testing import Person
from alonechat.ui.tui import chips, paths
from alonechat.ui.tui.width import width
from tests.journeys.people import People
from tests.ui.tui.tui import Tui, signed_in

Open = Callable[..., Tui]
Name = Callable[[str], str]
CAT = File("cat.png", "image/png", 1258291, "f1", "m1", 800, 600)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58\x08\x02\0\0\0" + bytes(3000)
posix = pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: a pseudo-terminal")


def chip(file: File, cells: int = 60) -> list[str]:
    found = ["".join(piece.text for piece in line) for line in chips.lines(file, cells, own=not file.id)]
    assert all(width(line) <= cells for line in found)
    return found


def test_a_file_is_a_line_that_fits() -> None:
    long = File("the very long name of 一个文档 final.docx", size=50 << 20, id="f2", state="loading", fraction=0.456)
    assert chip(CAT) == ["🖼 cat.png · 1.2 MB · 800×600"]
    assert chip(File("notes.pdf", "application/pdf", 3072, "f2")) == ["📎 notes.pdf · 3 KB"]
    assert chip(long) == ["📎 the very long name of 一个文档 final.docx · 50 MB · ↓ 46%"]
    assert chip(long, 40) == ["📎 the very lon…nal.docx · 50 MB · ↓ 46%"]
    assert chip(CAT, 20) == ["🖼 cat.png · 1.2 MB"] and chip(CAT, 10) == ["🖼 cat.png"]
    assert chip(File("a.zip", id="f3", state="failed", reason="offline")) == ["📎 a.zip", "not fetched: offline"]
    assert chip(File("a.zip", state="waiting", reason="no room")) == ["📎 a.zip", "waits: no room"]
    assert chip(File("a.zip", state="failed", reason="the row says it")) == ["📎 a.zip"]
    assert chip(File("evil\x1b[2J\u202egnp.exe", id="f4")) == ["📎 evil\\x1b[2J\\u202egnp.exe"]


@pytest.mark.parametrize(
    ("text", "escapes", "expected"),
    [
        ("a  b\tc", True, ["a", "b", "c"]), ("'a b' \"c d\" e\\ f", True, ["a b", "c d", "e f"]),
        ("'open a", True, ["open a"]), ('"C:\\a b\\c.txt" don\'t', False, ["C:\\a b\\c.txt", "don't"]),
        ("C:\\a\\b.txt", False, ["C:\\a\\b.txt"]), ("", True, []),
    ],
)  # fmt: skip
def test_a_line_of_paths_is_read_as_a_shell_does(text: str, escapes: bool, expected: list[str]) -> None:
    assert [word.text for word in paths.words(text, escapes)] == expected
    for word in expected:
        assert [each.text for each in paths.words(paths.quoted(word, escapes), escapes)] == [word]


@posix
def test_tab_completes_paths_and_a_drop_is_whole_paths_of_files_alone(tmp_path: Path) -> None:
    for name in ("one two.txt", "one three.txt", "other.png", ".hidden"):
        (tmp_path / name).write_text("x")
    (tmp_path / "sub dir").mkdir()

    def options(text: str) -> list[str]:
        found = paths.complete(f"/upload {text}", 8 + len(text), 8)
        return [option.insert.removeprefix(f"{tmp_path}/") for option in found.options] if found else []

    assert options(f"{tmp_path}/on") == ["one\\ t"]
    assert options(f"{tmp_path}/one\\ t") == ["one\\ three.txt ", "one\\ two.txt "]
    assert options(f"'{tmp_path}/one tw") == ["one\\ two.txt "]
    assert options(f"{tmp_path}/s") == ["sub\\ dir/"] and options(f"{tmp_path}/.") == [".hidden "]
    assert len(options(f"{tmp_path}/")) == 4 and options(f"{tmp_path}/none") == []
    one, other = tmp_path / "one two.txt", tmp_path / "other.png"
    assert paths.dropped(f"'{one}' {other}\n") == [one, other]
    assert paths.dropped(str(one)) == [one]  # not quoted: some terminals do so
    assert paths.dropped(f"file://{str(one).replace(' ', '%20')}") == [one]
    for text in (str(tmp_path), f"{other} and more", "other.png", "/", "hello", f"{other}x", "/\0"):
        assert paths.dropped(text) == []


# --- in a terminal, through a server ---


def viewer(folder: Path) -> dict[str, str]:
    """A desktop whose viewer notes what it was given."""
    program = folder / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{folder}/shown'\n")
    program.chmod(0o755)
    return {
        "PATH": f"{program.parent}:{os.environ['PATH']}", "DISPLAY": ":77", "SSH_CONNECTION": "", "SSH_TTY": "",
        "XDG_DOWNLOAD_DIR": str(folder / "downloads"),
    }  # fmt: skip


def sends(people: People, person: Person, target: str, *names: str, text: str = "") -> dict[str, Any]:
    """Somebody sends files; the event."""
    ids = []
    for name in names:
        mime = "image/png" if name.endswith(".png") else "application/octet-stream"
        headers = {"Authorization": f"Bearer {person.token}", "Content-Type": mime}
        found = people.http.post("/files", params={"name": name}, content=PNG, headers=headers)
        assert found.status_code == 201, found.text
        ids.append({"id": found.json()["id"]})
    return person.says(text, target=target, attachments=ids)


@posix
def test_files_are_sent_by_path_by_tab_and_by_a_drop(people: People, tui: Open, name: Name, tmp_path: Path) -> None:
    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    cat, notes = tmp_path / "my cat.png", tmp_path / "notes.pdf"
    cat.write_bytes(PNG)
    notes.write_bytes(b"%PDF" + bytes(3068))
    client = tui(people, ana)
    client.sees(f"{ana} · connected", bo)
    client.says(f"/go {bo}")
    client.sees(f"Message {bo}")
    client.type(f"/upload {tmp_path}/my")
    client.press("tab")
    client.sees("my\\", "cat.png")
    client.type(str(notes))
    client.press("enter")
    event = other.hears("TEXT", sender=ana)
    assert [(each["name"], each["size"]) for each in event["attachments"]] == [
        ("my cat.png", len(PNG)),
        ("notes.pdf", 3072),
    ]
    assert event["attachments"][0]["width"] == 800 and event["content"] == ""
    client.sees("🖼 my cat.png · 3 KB · 800×600", "📎 notes.pdf · 3 KB", "✓")
    assert "you" in client.line("my cat.png")
    client.says(f"/upload {tmp_path}/none.txt")
    client.sees("there is no file", "> /upload")
    client.press("ctrl+u")
    client.paste(f"'{cat}'")
    client.sees("Send 1 file?", "my cat.png · 3 KB")
    client.press("escape")
    client.loses("Send 1 file?")
    client.sees(f"> '{str(tmp_path)[:5]}", "cat.png'")
    client.press("ctrl+c")
    client.sees(f"Message {bo}")
    client.paste(f"'{cat}' '{notes}'")
    client.sees("Send 2 files?")
    client.press("enter")
    assert len(other.hears("TEXT", sender=ana)["attachments"]) == 2
    client.sees(f"Message {bo}")


@posix
def test_files_are_opened_saved_and_gone_with_their_message(
    people: People, tui: Open, name: Name, tmp_path: Path
) -> None:
    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    people.register(ana)
    event = sends(people, other, ana, "cat.png")
    sends(people, other, ana, "tool.exe", text="careful")
    client = tui(people, ana, env=viewer(tmp_path), size=(30, 240))
    client.sees(f"{ana} · connected")
    client.lists(bo, "2")
    client.says(f"/go {bo}")
    client.sees("🖼 cat.png · 3 KB · 800×600", "careful", "📎 tool.exe · 3 KB")
    client.press("ctrl+up")
    client.sees("o open", "s save")
    client.type("o")
    client.sees("saved to", "may run as a program")
    assert (tmp_path / "downloads" / "tool.exe").read_bytes() == PNG
    client.press("ctrl+up", "ctrl+up")
    client.type("o")
    client.sees("opened cat.png")
    _until(lambda: (tmp_path / "shown").exists() and (tmp_path / "shown").read_text().endswith("\n"))
    shown = Path((tmp_path / "shown").read_text().strip())
    assert shown.name == "cat.png" and shown.read_bytes() == PNG
    client.type("s")
    client.sees("Save cat.png", "Path  ")  # of a long path its last line is shown, wherever that begins
    client.press("enter")
    client.sees("saved to", "cat.png")
    _until(lambda: (tmp_path / "downloads" / "cat.png").exists())
    client.press("escape")
    other.send(type="DELETE", target=ana, ref=event["id"])
    client.loses("cat.png · 3 KB")
    client.sees("(deleted)")
    _until(lambda: not shown.exists())
    far = tui(people, ana, env={**viewer_elsewhere(tmp_path)})
    far.sees(f"{ana} · connected")
    sends(people, other, ana, "far.png")
    far.says(f"/go {bo}")
    far.sees("🖼 far.png")
    far.says("/open")
    far.sees("saved to", "far.png")
    assert (tmp_path / "downloads" / "far.png").read_bytes() == PNG


def viewer_elsewhere(folder: Path) -> dict[str, str]:
    """The same over SSH."""
    return {
        "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22",
        "DISPLAY": ":77",
        "XDG_DOWNLOAD_DIR": str(folder / "downloads"),
    }


def _until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not within 20 s"
        time.sleep(0.02)


@posix
def test_the_line_mode_sends_and_saves_files(pyz: Path, people: People, name: Name, tmp_path: Path) -> None:
    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    notes = tmp_path / "notes.pdf"
    notes.write_bytes(b"%PDF" + bytes(3068))
    people.register(ana)
    sends(people, other, ana, "cat.png")
    env = {**os.environ, **signed_in(people, tmp_path, ana), "LC_ALL": "C.UTF-8"}
    talk = {
        f"/go {bo}": "[cat.png, 3 KB, 800×600]",
        f"/upload {notes}": f"<{ana}> [notes.pdf, 3 KB]",
        f"/upload {tmp_path}/none": "there is no file",
        f"/save -1 {tmp_path}": "saved to",
    }
    line = subprocess.Popen(
        [sys.executable, str(pyz), "client", "--ui", "line"],
        env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    assert line.stdin is not None and line.stdout is not None
    try:
        heard: list[str] = []

        def hears(*parts: str) -> None:
            assert line.stdout is not None
            while not heard or not all(part in heard[-1] for part in parts):
                heard.append(line.stdout.readline())
                assert heard[-1], heard

        hears("Connected.")
        for command, answer in talk.items():
            line.stdin.write(f"{command}\n")
            line.stdin.flush()
            hears(answer)
        assert other.hears("TEXT", sender=ana)["attachments"][0]["name"] == "notes.pdf"
        assert (tmp_path / "notes (1).pdf").read_bytes() == notes.read_bytes()
        line.stdin.write("/quit\n")
        line.stdin.close()
        assert line.wait(20) == 0
    finally:
        if line.poll() is None:
            line.kill()
        line.wait()
        line.stdout.close()
