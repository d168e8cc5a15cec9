"""Two people talk in terminals, by keyboard and mouse, through the built file and a real server."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alonechat.testing import PASSWORD
from tests.journeys.people import People
from tests.ui.tui.tui import Tui

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: a pseudo-terminal")
Open = Callable[..., Tui]
Name = Callable[[str], str]


def test_somebody_makes_an_account_in_the_terminal_and_talks(people: People, tui: Open, name: Name) -> None:
    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    client = tui(None)
    client.sees("Sign in", "Server", "Password")
    client.press("f2")
    client.sees("New account")
    client.press("up")
    client.press("ctrl+u")
    for text in (people.server.rest_url, ana, PASSWORD):
        client.type(text)
        client.press("tab")
    assert PASSWORD not in client.text
    client.press("enter")
    client.sees(f"{ana} · connected", "#lobby")
    client.says("hello from the terminal")
    assert other.hears("TEXT", sender=ana)["content"] == "hello from the terminal"
    client.sees("hello from the terminal", "✓")
    assert "you" in client.line("hello from the terminal")
    client.press("ctrl+q")
    assert client.ends() == 0


def test_a_wrong_password_is_said_and_the_form_stays(people: People, tui: Open, name: Name) -> None:
    ana = name("ana")
    people.register(ana)
    client = tui(None, arguments=["--server", people.server.rest_url])
    client.sees("Sign in", people.server.rest_url)
    client.type(ana)
    client.press("tab")
    client.type("wrong password")
    client.press("enter")
    client.sees("password is wrong")
    client.press("ctrl+u")
    client.type(PASSWORD)
    client.press("enter")
    client.sees(f"{ana} · connected")


def test_two_of_them_talk_in_chinese_and_emoji_and_no_column_breaks(people: People, tui: Open, name: Name) -> None:
    ana, li = name("ana"), name("李雷")
    room = f"#{name('room')}"
    one, other = tui(people, ana, size=(30, 110)), tui(people, li, size=(30, 110))
    for client, who in ((one, ana), (other, li)):
        client.sees(f"{who} · connected")
        client.says(f"/join {room}")
        client.sees(room)
    for client in (one, other):
        client.press("ctrl+k")
        client.sees("Go to")
        client.type(room[1:])
        client.sees(f"▸ {room}")
        client.press("enter")
        client.sees(f"Message {room}")
    one.type("今天下午三点。👨‍👩‍👧 é 🏳️‍🌈 ok|")
    other.sees(f"{ana} is typing…")
    one.press("enter")
    other.sees("今天下午三点。", "ok|")
    other.says("好，我们见面！🎉")
    one.sees("好，我们见面！🎉")
    for client in (one, other):
        bars = {line.rindex("│") for line in client.text.split("\n") if line.count("│") >= 2 and "三点" in line}
        client.until(lambda client=client: _bars(client) == {24, 91}, "bars in two columns")  # type: ignore[misc]
        assert bars
    one.type("打字")
    assert (one.screen.cursor.y, one.screen.cursor.x) == (28, 28 + 4) or one.sees("打字")
    one.until(lambda: (one.screen.cursor.y, one.screen.cursor.x) == (28, 32), "the cursor behind what is typed")


def _bars(client: Tui) -> set[int]:
    """The columns of the bars beside the messages, in every row."""
    found = set()
    for y in range(client.screen.lines - 1):
        cells = client.screen.buffer[y]
        found |= {x for x in (24, 91) if cells[x].data == "│"}
        if cells[24].data != "│":
            return set()
    return found


def test_resizing_draws_everything_anew_down_to_60_by_15(people: People, tui: Open, name: Name) -> None:
    ana = name("ana")
    client = tui(people, ana)
    client.sees(f"{ana} · connected")
    client.says("a line that is long enough to be wrapped when the terminal gets as narrow as sixty columns, and stays")
    client.sees("✓")
    client.resize(15, 60)
    client.until(lambda: "#lobby" not in client.text.split("\n")[0], "no list at 60 columns")
    client.sees("lobby", "and stays", f"{ana} · connected", "Message #lobby")
    assert all(len(line) <= 60 for line in client.text.split("\n"))
    client.resize(40, 160)
    client.sees("#lobby", "Ctrl-K go to", "? help")
    assert len({line.index("│") for line in client.text.split("\n") if "│" in line}) == 1
    client.resize(4, 15)
    client.sees("too small")


def test_the_mouse_opens_conversations_selects_scrolls_and_places_the_cursor(
    people: People, tui: Open, name: Name
) -> None:
    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    client = tui(people, ana)
    client.sees(f"{ana} · connected")
    for number in range(60):
        other.says(f"line number {number}", target=ana)
    client.click(client.lists(bo, "60"), 4)
    client.sees("line number 59", f"Message {bo}")
    client.wheel(10, 40, 3)
    client.loses("line number 59")
    client.sees("older messages")
    client.wheel(10, 40, -5)
    client.sees("line number 59")
    client.click(client.row("line number 57"), 60)
    client.sees("r reply")
    assert client.line("line number 57").count("▸") == 1
    client.press("escape")
    client.type("hello world")
    client.sees("> hello world")
    row = client.row("> hello world")
    client.click(row, client.screen.display[row].index("> hello") + 2)
    client.type("oh, ")
    client.sees("> oh, hello world")


def test_200_lines_are_pasted_as_one_message_of_many_lines(people: People, tui: Open, name: Name) -> None:
    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    client = tui(people, ana)
    client.sees(f"{ana} · connected", f"◉ {bo}")
    client.says(f"/go {bo}")
    client.sees(f"Message {bo}")
    text = "\n".join(f"pasted line {number}" for number in range(200))
    client.paste(text)
    client.sees("pasted line 199")
    assert client.screen.cursor.y == 28 and "\r" not in client.text
    client.press("enter")
    assert other.hears("TEXT", sender=ana)["content"] == text
    client.sees("pasted line 199", "pasted line 175")


def test_a_message_is_answered_edited_deleted_reacted_to_and_copied(people: People, tui: Open, name: Name) -> None:
    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    client = tui(people, ana)
    client.sees(f"{ana} · connected")
    said = other.says("when do **we** meet? https://example.org/x", target=ana)
    client.lists(bo, "1")
    client.press("alt+shift+down")
    client.sees("when do we meet?")
    client.press("ctrl+up")
    client.sees("r reply", "o open link")
    client.type("c")
    client.sees("copied")
    copied = base64.b64encode(said["content"].encode()).decode()
    assert f"\x1b]52;c;{copied}\x07".encode() in client.raw
    client.press("ctrl+up")
    client.type("r")
    client.sees(f"reply to {bo}")
    client.says("at three")
    answer = other.hears("TEXT", sender=ana)
    assert answer["ref"] == said["id"]
    client.sees(f"┃ {bo}: when do we meet?", "at three")
    client.press("up")
    client.sees("editing", "> at three")
    client.press("ctrl+u")
    client.says("at four")
    assert other.hears("EDIT")["content"] == "at four"
    client.sees("at four (edited)")
    client.press("ctrl+up")
    client.sees("e edit")
    client.press("up")
    client.type("+")
    client.sees("React")
    client.type("tada")
    client.sees("🎉")
    client.press("enter")
    assert other.hears("REACT")["content"] == "🎉"
    client.sees("🎉1")
    client.press("escape", "ctrl+up")
    client.type("d")
    client.sees("Delete this message?")
    client.press("enter")
    assert other.hears("DELETE")["ref"] == answer["id"]
    client.sees("(deleted)")


def test_tab_completes_and_the_history_comes_back(people: People, tui: Open, name: Name) -> None:
    ana, bo = name("ana"), name("bodil")
    people.connect(bo)
    client = tui(people, ana)
    client.sees(f"{ana} · connected", bo)
    client.type(f"@{bo[:5]}")
    client.press("tab")
    client.sees(f"@{bo} ")
    client.type(":tada:")
    client.sees("> @", "🎉")
    client.press("enter")
    client.sees("✓")
    client.type("/sea")
    client.press("tab")
    client.sees("> /search ")
    client.press("ctrl+c")
    client.loses("/search ")
    client.press("ctrl+p")
    client.sees(f"> @{bo}")
    client.press("ctrl+n")
    client.sees("Message #lobby")
    client.type("first")
    client.press("alt+enter")
    client.type("second")
    client.press("ctrl+a")
    client.type("the ")
    client.sees("> first", "  the second")
    client.press("escape")


def test_a_message_is_written_in_an_editor_of_ones_own(people: People, tui: Open, name: Name, tmp_path: Path) -> None:
    ana, script = name("ana"), tmp_path / "editor.py"
    script.write_text("import sys\nopen(sys.argv[1], 'a', encoding='utf-8').write(' and 一行\\nmore\\n')\n", "utf-8")
    client = tui(people, ana, env={"EDITOR": f"{sys.executable} {script}", "VISUAL": ""})
    client.sees(f"{ana} · connected")
    client.type("begun here")
    client.press("ctrl+o")
    client.sees("> begun here and 一行", "  more", f"{ana} · connected")
    client.press("enter")
    client.sees("✓")


def test_help_is_printed_from_the_table_and_keys_are_changed_in_a_file(
    people: People, tui: Open, name: Name, tmp_path: Path
) -> None:
    ana = name("ana")
    home = tmp_path / "keys"
    (home / "config" / "alonechat").mkdir(parents=True)
    (home / "config" / "alonechat" / "keys.toml").write_text('go_to = "ctrl+o"\nhelp = ["f1"]\n', "utf-8")
    client = tui(people, ana, home=home)
    client.sees(f"{ana} · connected", "Ctrl-O go to", "F1 help")
    client.press("ctrl+o")
    client.sees("Go to")
    client.press("escape")
    client.loses("Go to ─")
    client.press("f1")
    client.sees("Help", "Ctrl-O", "go to a conversation or person")
    client.press("end")
    client.sees("/unmute [name]", "keys.toml")
    client.press("pageup")
    client.sees("/search WORDS")
