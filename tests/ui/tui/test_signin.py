"""Signing in from a terminal where the account asks for a one-time code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.journeys.people import People, code_of
from tests.ui.tui.tui import Tui

Open = Callable[..., Tui]
Name = Callable[[str], str]


def test_the_sign_in_asks_for_a_code_where_the_account_does(people: People, tui: Open, name: Name) -> None:
    me = name("ana")
    secret, _codes = people.ask_for_codes(me)
    client = tui(None, arguments=["--server", people.server.rest_url])
    client.sees("Sign in", "Password")
    assert "code" not in client.text.lower()
    client.type(me)
    client.press("tab")
    client.type("correct horse")
    client.press("enter")
    client.sees("One-time code", "Give the code of your authenticator app, or a recovery code.")
    client.type("12345")
    client.press("enter")
    client.sees("the one-time code is wrong, or was used already")
    for _ in range(5):
        client.press("backspace")
    client.type(code_of(secret, 1))
    client.press("enter")
    client.sees(f"{me} · connected")
    client.press("ctrl+q")
    assert client.ends() == 0


def test_the_line_mode_asks_for_it_too(pyz: Path, people: People, tui: Open, name: Name) -> None:
    me = name("ana")
    _secret, codes = people.ask_for_codes(me)
    line = tui(None, command=[str(pyz), "client", "--ui", "line", "--server", people.server.rest_url])
    line.sees("Name:")
    line.type(f"{me}\n")
    line.sees("Password:")
    line.type("correct horse\n")
    line.sees("One-time or recovery code:")
    line.type(f"{codes[0]}\n")
    line.sees("Connected.")
