"""Away from the server and back; two windows of one user; the search; and how the client leaves the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.people import People
from tests.journeys.process import ServerProcess
from tests.ui.tui.tui import Tui, signed_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: a pseudo-terminal")
Open = Callable[..., Tui]
Name = Callable[[str], str]


def test_what_is_written_offline_waits_over_a_kill_of_client_and_server(
    start_server: Callable[..., ServerProcess], tui: Open, tmp_path: Path
) -> None:
    server, home = start_server(env={"ALONECHAT_RATE_MESSAGES": "0"}), tmp_path / "home"
    with People(server) as people:
        client = tui(people, "ana", home=home)
        client.sees("ana · connected")
        client.says("before")
        client.sees("before", "✓")
    server.kill9()
    client.sees("ana · offline", "Offline since", "trying again")
    client.says("written offline")
    client.says("and a second one")
    client.sees("written offline", "and a second one", "◔", "2 messages wait")
    client.close()
    again = tui(None, home=home, again=True)
    again.sees("before", "written offline", "and a second one", "◔", "offline")
    server.start()
    again.press("ctrl+r")
    again.sees("ana · connected")
    again.loses("◔")
    text = again.text
    assert text.index("before") < text.index("written offline") < text.index("and a second one")
    assert text.count("written offline") == 1
    with People(server) as people:
        said = people.connect("bo").asks(type="HISTORY", target="#lobby")["events"]
    assert [each["content"] for each in said] == ["before", "written offline", "and a second one"]
    server.kill9()
    again.sees("ana · offline")
    server.start()
    again.press("ctrl+r")
    again.sees("ana · connected")
    again.says("after the restart")
    again.sees("after the restart")
    again.until(lambda: "✓" in again.line("after the restart"), "the receipt")


def test_what_is_typed_before_anything_is_known_goes_to_the_first_conversation(
    start_server: Callable[..., ServerProcess], tui: Open, tmp_path: Path
) -> None:
    server, home = start_server(), tmp_path / "home"
    with People(server) as people:
        signed_in(people, home, "ana")
    server.kill9()
    client = tui(None, home=home, again=True)
    client.sees("ana · offline")
    client.says("early bird")
    client.sees("> early bird")
    server.start()
    client.press("ctrl+r")
    client.sees("ana · connected", "> early bird")
    client.press("enter")
    client.sees("Message #lobby")
    client.until(lambda: "✓" in client.line("early bird"), "the receipt")


def test_what_is_refused_is_shown_with_the_reason_and_is_sent_again_or_discarded(
    people: People, tui: Open, name: Name
) -> None:
    ana, bo = name("ana"), name("bo")
    room = f"#{name('room')}"
    other = people.connect(bo)
    other.asks(type="JOIN", target=room)
    client = tui(people, ana)
    client.sees(f"{ana} · connected")
    client.says(f"/join {room}")
    client.lists(room)
    client.says(f"/go {room}")
    client.sees(f"Message {room}")
    other.asks(type="TEXT", target=room, content=f"/mute {ana}")
    client.says("am I muted?")
    client.sees("not sent:", "✗")
    other.asks(type="TEXT", target=room, content=f"/unmute {ana}")
    client.press("ctrl+up")
    client.sees("a send again", "x discard")
    client.type("a")
    client.until(lambda: "✓" in client.line("am I muted?"), "the receipt")
    client.loses("not sent:")


def test_two_windows_of_one_user_agree_on_what_is_read_and_on_drafts(
    people: People, tui: Open, name: Name, tmp_path: Path
) -> None:
    ana, bo, home = name("ana"), name("bo"), tmp_path / "shared"
    other = people.connect(bo)
    one = tui(people, ana, home=home)
    one.sees(f"{ana} · connected")
    two = tui(None, home=home, again=True)
    two.sees(f"{ana} · connected")
    other.says("are you there?", target=ana)
    one.lists(bo, "1")
    two.lists(bo, "1")
    one.says(f"/go {bo}")
    one.sees("are you there?")
    two.lists(bo)
    one.type("not sent yet")
    two.says(f"/go {bo}")
    two.sees("> not sent yet")
    two.press("enter")
    one.sees("not sent yet", f"Message {bo}")
    assert other.hears("TEXT", sender=ana)["content"] == "not sent yet"


def test_search_finds_and_jumps_to_the_hit_in_its_context(people: People, tui: Open, name: Name) -> None:
    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    people.register(ana)
    for number in range(300):
        text = "the quick brown needle, 一根针" if number == 40 else f"straw {number}"
        other.send(type="TEXT", target=ana, content=text)
    other.quiet()
    client = tui(people, ana)
    client.lists(bo, "300")
    client.press("ctrl+f")
    client.sees("Search everywhere")
    client.type("根针")
    client.sees(f"{bo}: …quick brown needle, 一根针")
    client.press("enter")
    client.sees("▸", "straw 39", "quick brown needle", "straw 41", "300 new messages")
    assert "straw 299" not in client.text
    client.press("pageup", "pageup", "pageup")
    client.sees("This is where it begins")
    client.press("end")
    client.sees("straw 299")
    client.lists(bo)
    client.press("pageup")
    client.loses("straw 299")
    client.press("ctrl+up")
    client.press("escape", "escape")
    client.sees("straw 299")


def test_what_comes_while_one_is_away_is_below_a_line_and_calls(people: People, tui: Open, name: Name) -> None:
    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    client = tui(people, ana)
    client.sees(f"{ana} · connected")
    client.press("blur")
    client.taken()  # else the message may be there before it knows that nobody looks
    other.says(f"@{ana} look at this")
    client.sees("─ new ─", "look at this")
    client.lists("#lobby", "@1")
    client.until(lambda: b"\x07\x1b]9;" in client.raw, "the bell and a notification")
    client.press("focus")
    client.lists("#lobby")
    client.sees("─ new ─")
    client.press("escape")
    client.loses("─ new ─")


def test_no_control_character_of_a_message_reaches_the_terminal(people: People, tui: Open, name: Name) -> None:
    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    client = tui(people, ana)
    client.sees(f"{ana} · connected")
    evil = "\x1b[2J\x1b]0;owned\x07\x9b31m\x08\x7f\u202eabc\r\nend"
    other.says(f"evil{evil}", target=ana)
    client.lists(bo, "1")
    client.says(f"/go {bo}")
    client.sees("evil\\x1b[2J", "\\u202eabc", "end")
    assert b"owned\x07" not in client.raw and "\u202e" not in client.raw.decode("utf-8", "replace")
    assert b"\x9b31m" not in client.raw and b"\x08" not in client.raw


@pytest.mark.parametrize("way", ["ctrl+q", "SIGTERM", "SIGHUP"])
def test_the_terminal_is_left_as_it_was(people: People, tui: Open, name: Name, way: str) -> None:
    ana = name("ana")
    client = tui(people, ana)
    client.sees(f"{ana} · connected")
    if way == "ctrl+q":
        client.press(way)
    else:
        client.process.send_signal(getattr(signal, way))
    assert client.ends() == 0
    for sequence in (b"\x1b[?1049l", b"\x1b[?2004l", b"\x1b[?1000l", b"\x1b[?1004l", b"\x1b[?25h"):
        assert client.raw.rindex(sequence) > client.raw.index(b"\x1b[?1049h")


def test_a_fault_leaves_the_terminal_whole_and_its_traceback_in_a_file(
    people: People, tui: Open, name: Name, tmp_path: Path
) -> None:
    ana, home = name("ana"), tmp_path / "fault"
    fault = tmp_path / "fault.py"
    fault.write_text(
        "import sys\nfrom alonechat.ui.tui import acts\n"
        "acts.DOES['redraw'] = lambda app: 1 / 0\n"
        "from alonechat.cli import main\nsys.argv = ['alonechat', 'client', '--ui', 'tui']\nmain()\n",
        "utf-8",
    )
    root = str(Path(__file__).resolve().parents[3])
    client = tui(people, ana, home=home, command=[str(fault)], env={"PYTHONPATH": root})
    client.sees(f"{ana} · connected")
    client.press("ctrl+l")
    assert client.ends() == 70
    told = client.raw.rpartition(b"\x1b[?1049l")[2]
    assert b"a fault in the terminal client" in told and b"Traceback" not in client.raw
    assert "ZeroDivisionError" in (home / "data" / "alonechat" / "tui.log").read_text("utf-8")


def test_ctrl_z_gives_the_shell_its_terminal_back_and_fg_draws_again(
    people: People, tui: Open, name: Name, needs_program: Callable[[str], str]
) -> None:
    ana = name("ana")
    client = tui(people, ana, shell=needs_program("bash"))
    client.sees(f"{ana} · connected")
    client.press("ctrl+z")
    client.sees("Stopped")
    assert client.raw.rindex(b"\x1b[?1049l") > client.raw.rindex(b"\x1b[?1049h")
    client.says("fg; echo ended with $?")
    client.sees(f"{ana} · connected", "Message #lobby")
    client.press("ctrl+q")
    client.sees("ended with 0")


def test_with_no_color_no_colour_is_sent(people: People, tui: Open, name: Name) -> None:
    ana = name("ana")
    client = tui(people, ana, env={"NO_COLOR": "1", "COLORTERM": "truecolor"})
    client.sees(f"{ana} · connected")
    client.says("plain and **bold**")
    client.sees("plain and bold")
    assert b";38;" not in client.raw and b";48;" not in client.raw and b"\x1b[0;1m" in client.raw


def test_the_ground_that_the_terminal_tells_chooses_the_colours(people: People, tui: Open, name: Name) -> None:
    ana = name("ana")
    client = tui(people, ana, env={"COLORTERM": "truecolor"})
    client.sees(f"{ana} · connected")
    assert b"38;2;127;171;255" in client.raw and b"\x1b]11;?\x07" in client.raw
    client.type("\x1b]11;rgb:ffff/ffff/ffff\x07")
    client.until(lambda: b"38;2;35;96;216" in client.raw, "the light accent")


def test_tmux_shows_the_same(
    pyz: Path, people: People, name: Name, tmp_path: Path, needs_program: Callable[[str], str]
) -> None:
    from tests.ui.tui.tui import signed_in

    tmux, ana, bo = needs_program("tmux"), name("ana"), name("bo")
    other = people.connect(bo)
    env = {**os.environ, **signed_in(people, tmp_path, ana), "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
    socket = ["-S", str(tmp_path / "tmux"), "-f", "/dev/null"]

    def run(*arguments: str) -> str:
        done = subprocess.run([tmux, *socket, *arguments], env=env, capture_output=True, text=True, timeout=20)
        return done.stdout

    command = f"{sys.executable} {pyz} client --ui tui"
    run("new-session", "-d", "-x", "100", "-y", "30", command)
    try:
        _until(lambda: f"{ana} · connected" in run("capture-pane", "-p"))
        other.says("今天下午三点。👨‍👩‍👧 ok|", target=ana)
        run("send-keys", "-l", f"/go {bo}")
        run("send-keys", "Enter")
        _until(lambda: "三点" in run("capture-pane", "-p"))
        lines = run("capture-pane", "-p").split("\n")
        assert any("今天下午三点。👨‍👩‍👧 ok|" in line for line in lines)
        run("resize-window", "-x", "60", "-y", "15")
        _until(lambda: "#lobby" not in run("capture-pane", "-p") and "三点" in run("capture-pane", "-p"))
        run("send-keys", "C-q")
        _until(lambda: not run("list-sessions"))
    finally:
        run("kill-server")


def _until(true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not within 20 s"
        time.sleep(0.05)


def test_the_line_mode_says_plain_lines_and_has_the_same_commands(
    pyz: Path, people: People, name: Name, tmp_path: Path
) -> None:
    from tests.ui.tui.tui import signed_in

    ana, bo = name("ana"), name("bo")
    other = people.connect(bo)
    env = {**os.environ, **signed_in(people, tmp_path, ana), "LC_ALL": "C.UTF-8"}
    line = subprocess.Popen(
        [sys.executable, str(pyz), "client", "--ui", "line"],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    assert line.stdin is not None and line.stdout is not None

    def says(text: str) -> None:
        assert line.stdin is not None
        line.stdin.write(f"{text}\n")
        line.stdin.flush()

    def hears(*parts: str) -> str:
        assert line.stdout is not None
        for each in line.stdout:
            if all(part in each for part in parts):
                return each
        raise AssertionError(f"{parts} was not said")

    try:
        hears("Connected.")
        other.says("evil \x1b[2J", target=ana)
        assert "evil \\x1b[2J" in hears(bo, "evil")
        says(f"/go {bo}")
        hears(f"--- {bo}")
        hears("evil")
        says("/reply a needle in a line")
        assert other.hears("TEXT", sender=ana)["ref"]
        hears(f"<{ana}> a needle in a line")
        says("/react :tada:")
        assert other.hears("REACT")["content"] == "🎉"
        says("/edit changed needle")
        assert other.hears("EDIT")["content"] == "changed needle"
        hears("edited: changed needle")
        says("/search needle")
        hears("1. ", "changed needle")
        says("/hit 1")
        hears("changed needle")
        says("/nonsense")
        hears("! ", "no command /nonsense")
        says("/quit")
        rest = line.stdout.read()
        assert line.wait(20) == 0 and "\x1b" not in rest
    finally:
        if line.poll() is None:
            line.kill()
        line.wait()
        line.stdin.close()
        line.stdout.close()


def test_a_dumb_terminal_gets_the_line_mode_and_is_told_why(people: People, tui: Open, name: Name) -> None:
    ana = name("ana")
    client = tui(people, ana, env={"TERM": "dumb"})
    client.sees("TERM=dumb", "line mode", "Connected.")
    client.type("/quit\n")
    assert client.ends() == 0
    assert b"\x1b" not in client.raw


def test_the_curses_console_of_windows_draws_and_hears_the_same(
    people: People, tui: Open, name: Name, tmp_path: Path
) -> None:
    """On other systems curses has the same functions, so what Windows uses is tried here."""
    ana, bo, start = name("ana"), name("bo"), tmp_path / "start.py"
    start.write_text(
        "import sys\nfrom alonechat.ui.tui import terminals\nfrom alonechat.ui.tui.console import Console\n"
        "terminals.terminal = Console\n"
        "from alonechat.cli import main\nsys.argv = ['alonechat', 'client', '--ui', 'tui']\nmain()\n",
        "utf-8",
    )
    other = people.connect(bo)
    root = str(Path(__file__).resolve().parents[3])
    client = tui(people, ana, command=[str(start)], env={"PYTHONPATH": root})
    client.sees(f"{ana} · connected", f"◉ {bo}")
    client.says(f"/go {bo}")
    client.sees(f"Message {bo}")
    client.says("今天 **bold**")
    assert other.hears("TEXT", sender=ana)["content"] == "今天 **bold**"
    client.sees("今天 bold", "✓")
    client.press("f1")
    client.sees("Help")
    client.press("escape", "up")
    client.sees("editing")
    client.press("escape")
    client.type("two\nlines")
    client.sees("> two", "  lines")
    client.resize(15, 60)
    client.until(lambda: "#lobby" not in client.text.split("\n")[0], "no list at 60 columns")
    client.press("ctrl+q")
    assert client.ends() == 0


def test_accounts_are_switched_and_signed_out(people: People, tui: Open, name: Name, tmp_path: Path) -> None:
    ana, bo, home = name("ana"), name("bo"), tmp_path / "two"
    client = tui(people, ana, bo, home=home)
    client.sees(f"{ana} · connected")
    client.type("a draft of ana")
    client.press("f3")
    client.sees("Accounts", bo, "sign in with another account")
    client.type(bo)
    client.sees(f"▸   {bo}")
    client.press("enter")
    client.sees(f"{bo} · connected", "Message #lobby")
    client.press("f3")
    client.type("sign out")
    client.sees(f"▸ sign out {bo}")
    client.press("enter")
    client.sees(f"Sign out {bo}?", "Stay signed in")
    client.press("enter")
    client.sees("Accounts", ana)
    client.loses(f"Sign out {bo}?")
    client.press("enter")
    client.sees(f"{ana} · connected", "> a draft of ana")
    kept = (home / "config" / "alonechat" / "accounts.json").read_text("utf-8")
    assert ana in kept and bo not in kept
