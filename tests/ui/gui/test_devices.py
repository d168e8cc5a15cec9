"""The desktop client's list of one's sign-ins: shown, and one of them ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from alonechat.testing import PASSWORD
from alonechat.ui.gui import sheet
from alonechat.ui.gui.devices import Devices
from tests.journeys.people import People
from tests.ui.gui.desk import Desk

Name = Callable[[str], str]
Make = Callable[..., Desk]


def drawn(shown: Devices) -> str:
    """What stands in the list."""
    canvas = shown.options.canvas
    texts = (each for each in canvas.find_all() if canvas.type(each) == "text")
    return " ".join(str(canvas.itemcget(each, "text")) for each in texts)


def choose(desk: Desk, shown: Devices, device: str) -> None:
    """Go down to a line, and press Enter."""
    while shown.options.options[shown.options.at].shown != device:
        desk.press("Down", shown.options.canvas)
    desk.press("Return", shown.options.canvas)


def test_one_is_ended_by_the_keyboard_and_this_one_stays(desk: Make, people: People, name: Name) -> None:
    me = name("ana")
    ana = desk(people, me)
    body = {"username": me, "password": PASSWORD}
    bot = str(people.http.post("/login", json=body, headers={"User-Agent": "a bot of mine"}).json()["token"])

    def holds() -> bool:
        headers = {"Authorization": f"Bearer {bot}"}
        return bool(httpx.get(f"{people.server.rest_url}/me", headers=headers, trust_env=False).status_code == 200)

    shown = Devices(ana.app)
    ana.until(lambda: "a bot of mine" in drawn(shown) and "this one" in drawn(shown), "the list")
    canvas: Any = shown.options.canvas
    first = shown.sheet
    ana.press("Up", canvas)
    ana.press("Return", canvas)  # this one: nothing is asked
    assert ana.app.root.sheets == [first] and shown.options.options[0].detail == "this one"
    choose(ana, shown, "a bot of mine")
    ana.until(lambda: ana.app.root.sheets and not first.is_open, "a question")
    ana.app.root.sheets[-1].close()
    ana.until(lambda: shown.sheet.is_open and "a bot of mine" in drawn(shown), "the list again")
    assert holds(), "the question was closed"
    choose(ana, shown, "a bot of mine")
    ana.until(lambda: ana.app.root.sheets and not shown.sheet.is_open, "the question again")
    ana.press("Return", ana.app.root.focus_get())
    ana.until(lambda: shown.sheet.is_open and "this one" in drawn(shown), "the list again")
    ana.until(lambda: "a bot of mine" not in drawn(shown), "the list without it")
    assert not holds()


def test_a_click_is_a_question_and_a_double_click_no_answer(
    desk: Make, people: People, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = name("ana")
    ana = desk(people, me)
    for _ in range(6):
        people.token(me)
    shown = Devices(ana.app)
    ana.until(lambda: len(shown.options.options) == 7, "the list")
    row = ana.app.fonts.px(40)
    for at in range(1, 7):
        canvas = shown.options.canvas
        canvas.event_generate("<Motion>", x=300, y=at * row + 9)
        canvas.event_generate("<ButtonPress-1>", x=300, y=at * row + 9)
        assert shown.sheet.is_open, "until the button is released, for what appears would be released upon"
        canvas.event_generate("<ButtonRelease-1>", x=300, y=at * row + 9)
        ana.until(lambda: not shown.sheet.is_open and ana.app.root.sheets, "the question")
        asking = ana.app.root.sheets[-1]
        monkeypatch.setattr(sheet, "TWICE", 60.0)  # however slow this machine is
        ana.app.root.focus_get().master.invoke()  # the second half of a double click, upon the button
        monkeypatch.undo()
        assert asking.is_open
        asking.close()
        ana.until(lambda: shown.sheet.is_open and len(shown.options.options) == 7, "all of them, still")
