"""The sign-in screen: a server, who one is, what goes wrong said in place."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.client.model import Answered
from tests.journeys.people import People
from tests.ui.gui.desk import SECONDS, Desk, account

Name = Callable[[str], str]
Make = Callable[..., Desk]


def fill(field: object, text: str) -> None:
    """Write into an entry."""
    field.delete(0, "end")  # type: ignore[attr-defined]
    field.insert(0, text)  # type: ignore[attr-defined]


def said(desk: Desk) -> str:
    """What the screen says is wrong."""
    error = desk.app.screen.error
    return error.cget("text") if error.winfo_manager() else ""


def test_errors_are_said_in_place_and_the_right_words_open_the_window(
    desk: Make, people: People, name: Name, free_port: Callable[[], int]
) -> None:
    ana, me = desk(), name("ana")
    people.register(me)
    fill(ana.app.screen.server, "ftp://nowhere")
    ana.press("Return", ana.app.screen.server._entry)
    ana.until(lambda: "http://host:8766" in said(ana), "what an address looks like")
    fill(ana.app.screen.server, f"127.0.0.1:{free_port()}")
    ana.press("Return", ana.app.screen.server._entry)
    ana.until(lambda: "is the server running" in said(ana), "nobody is there")

    fill(ana.app.screen.server, people.server.rest_url)
    ana.press("Return", ana.app.screen.server._entry)
    ana.until(lambda: ana.app.screen.place, "the server")
    assert "AloneChat · version" in ana.app.screen._about.cget("text") and said(ana) == ""
    fill(ana.app.screen.name, me)
    fill(ana.app.screen.password, "wrong words")
    ana.press("Return", ana.app.screen.password._entry)
    ana.until(lambda: said(ana) == "Name or password is wrong.", "the refusal")
    fill(ana.app.screen.password, "correct horse")
    ana.press("Return", ana.app.screen.password._entry)
    ana.until(lambda: ana.app.window is not None and ana.window.target == "#lobby", "the window")
    assert ana.app.root.focus_get() is ana.window.composer.text
    assert ana.app.opening.accounts.current().username == me  # type: ignore[union-attr]


def test_registering_and_a_name_that_is_taken(desk: Make, people: People, name: Name) -> None:
    ana, me, taken = desk(server=people.server.rest_url), name("new"), name("taken")
    people.register(taken)
    ana.until(lambda: ana.app.screen.place, "the server")
    ana.app.screen.other.invoke()
    fill(ana.app.screen.name, taken)
    fill(ana.app.screen.password, "correct horse")
    ana.app.screen.button.invoke()
    ana.until(lambda: "taken" in said(ana), "the conflict")
    fill(ana.app.screen.name, me)
    fill(ana.app.screen.shown, "A New One")
    ana.app.screen.button.invoke()
    ana.until(lambda: ana.app.window is not None and ana.app.model.user.get("display_name"), "the window")
    assert ana.app.model.user["display_name"] == "A New One"


def test_the_name_stays_when_the_form_turns(desk: Make, people: People) -> None:
    ana = desk(server=people.server.rest_url)
    ana.until(lambda: ana.app.screen.place, "the server")
    fill(ana.app.screen.name, "ana")
    ana.app.screen.other.invoke()
    assert ana.app.screen.shown is not None and ana.app.screen.name.get() == "ana"
    ana.app.screen.other.invoke()
    assert ana.app.screen.shown is None and ana.app.screen.name.get() == "ana"


def test_another_account_and_signing_out(desk: Make, people: People, name: Name) -> None:
    first, second = name("ana"), name("bo")
    people.register(second)
    ana = desk(people, first)
    ana.app.sign_in()
    ana.until(lambda: ana.app.screen.place, "the server")
    fill(ana.app.screen.name, second)
    fill(ana.app.screen.password, "correct horse")
    ana.app.screen.go()
    ana.until(lambda: ana.app.model.me == second, "the other account")
    ana.until(lambda: ana.app.model.connection.state == "connected", "its connection")
    ana.app.sign_out()
    ana.until(lambda: ana.app.window is None and ana.app.screen is not None, "the sign-in screen")
    assert [each.username for each in ana.app.opening.accounts.all()] == [first]


@pytest.mark.parametrize("just_drawn", [False, True], ids=["drawn at once", "drawn a moment later"])
def test_what_is_answered_by_signing_out_draws_nothing_on_what_is_gone(
    desk: Make, people: People, name: Name, just_drawn: bool
) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    ana.window._drawn = time.monotonic() if just_drawn else 0.0
    ana.window.changed([Answered(lambda _result, _error: ana.app.sign_in(), None, None)])
    assert ana.app.window is None
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        ana.step()


def test_keys_that_wait_while_the_window_is_built_reach_the_composer(desk: Make, people: People, name: Name) -> None:
    ana, other = desk(people, name("ana")), account(people, name("bo"))
    ana.app.sign_in()
    ana.until(lambda: ana.app.screen.place, "the server")
    ana.app.screen.name.focus_force()
    ana.step()
    ana.app.start(other)  # and no turn of Tk's loop: a key that is there already comes before what it does when idle
    assert ana.app.root.focus_get() is ana.window.composer.text


def test_the_built_file_opens_a_window_that_keys_reach(
    pyz: Path, people: People, name: Name, display: str, private_home: Path, needs_program: Callable[[str], str]
) -> None:
    """As a person does it: the file is started, and xdotool presses keys."""
    xdotool, me = needs_program("xdotool"), name("ana")
    people.register(me)
    other = people.connect(name("bo"))
    command = [sys.executable, str(pyz), "client", "--server", people.server.rest_url]
    client = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        looked = people.server.said.count("route=/server ")
        found = _until(lambda: _window(client, xdotool), "a window")
        _until(lambda: people.server.said.count("route=/server ") > looked, "a look at the server")
        time.sleep(1.0)  # the form is drawn; there is nothing outside of the process to wait for
        keys = ["type", "--delay", "10", me], ["key", "Tab"], ["type", "--delay", "10", "correct horse"]
        for each in (*keys, ["key", "Return"]):
            subprocess.run([xdotool, *each], check=True)
        _until(lambda: "#lobby" in _title(xdotool, found), "the lobby")
        subprocess.run([xdotool, "type", "--delay", "10", "hello from the keyboard"], check=True)
        subprocess.run([xdotool, "key", "Return"], check=True)
        assert other.hears("TEXT", sender=me)["content"] == "hello from the keyboard"
        subprocess.run([xdotool, "key", "ctrl+q"], check=True)
        assert client.wait(10) == 0
    finally:
        client.kill()
        client.wait()


def _until(so: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (found := so()):
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.1)
    return found


def _window(client: subprocess.Popen[bytes], xdotool: str) -> str:
    """Its window, once it is shown."""
    search = [xdotool, "search", "--onlyvisible", "--name", "AloneChat"]
    found = subprocess.run(search, capture_output=True, text=True, check=False).stdout.split("\n")[0]
    assert client.poll() is None, client.stdout and client.stdout.read()
    return found


def _title(xdotool: str, window: str) -> str:
    return subprocess.run([xdotool, "getwindowname", window], capture_output=True, text=True, check=False).stdout
