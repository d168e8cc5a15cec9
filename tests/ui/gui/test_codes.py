"""One-time codes in the desktop client: turned on, asked for at the sign-in, turned off."""

from __future__ import annotations

import time
import tkinter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import segno

from alonechat.ui.gui.codes import picture
from alonechat.ui.gui.settings import account_sheet
from tests.journeys.people import People, code_of
from tests.ui.gui.desk import Desk

Name = Callable[[str], str]
Make = Callable[..., Desk]


def inside(widget: tkinter.Misc) -> Iterator[Any]:
    """A widget and all that is in it."""
    yield widget
    for each in widget.winfo_children():
        yield from inside(each)


def texts(desk: Desk) -> list[str]:
    """What the uppermost sheet says."""
    if not desk.app.root.sheets:
        return []
    labels = (each for each in inside(desk.app.root.sheets[-1].frame) if each.winfo_class() == "Label")
    return [str(each.cget("text")) for each in labels if each.cget("text")]


def fields(desk: Desk) -> list[Any]:
    """The fields of the uppermost sheet, from above."""
    found = [each for each in inside(desk.app.root.sheets[-1].frame) if each.winfo_class() == "Entry"]
    return sorted(found, key=lambda each: each.winfo_rooty())


def press(desk: Desk, word: str) -> None:
    """The button of the uppermost sheet that says so."""
    import customtkinter

    buttons = (e for e in inside(desk.app.root.sheets[-1].frame) if isinstance(e, customtkinter.CTkButton))
    next(each for each in buttons if each.cget("text") == word).invoke()


def says(desk: Desk, words: str) -> None:
    """Wait until the uppermost sheet says so."""
    desk.until(lambda: any(words in each for each in texts(desk)), words)


def test_they_are_turned_on_and_off(desk: Make, people: People, name: Name) -> None:
    me = name("ana")
    ana = desk(people, me)
    account_sheet(ana.app)
    press(ana, "One-time codes…")
    says(ana, "an authenticator app on your phone")
    fields(ana)[0].insert(0, "wrong words")
    press(ana, "Turn on")
    says(ana, "The password is wrong")
    fields(ana)[0].delete(0, "end")
    fields(ana)[0].insert(0, "correct horse")
    ana.press("Return", fields(ana)[0])
    press(ana, "Turn on")  # once more, before the answer: it must not make another secret than the one that is shown
    says(ana, "Scan this")
    secret = next(each for each in texts(ana) if len(each) == 39).replace(" ", "")
    press(ana, "Copy")
    assert ana.app.root.clipboard_get() == secret
    fields(ana)[0].insert(0, "12345")
    press(ana, "Confirm")
    says(ana, "The one-time code is wrong")
    fields(ana)[0].delete(0, "end")
    fields(ana)[0].insert(0, code_of(secret))
    ana.press("Return", fields(ana)[0])
    says(ana, "they are not shown again")
    press(ana, "Copy")
    codes = ana.app.root.clipboard_get().split("\n")
    assert len(codes) == 10 and set(codes) <= set(texts(ana))
    ana.app.root.sheets[-1].close()
    ana.until(lambda: set(codes) <= set(texts(ana)), "them again, after Esc")
    press(ana, "I have them")
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        ana.step()
    assert not ana.app.root.sheets

    body = {"username": me, "password": "correct horse"}
    assert people.http.post("/login", json=body).status_code == 401
    assert people.http.post("/login", json={**body, "otp": codes[0]}).status_code == 200

    account_sheet(ana.app)
    press(ana, "One-time codes…")
    says(ana, "9 recovery codes are left")
    fields(ana)[0].insert(0, "correct horse")
    fields(ana)[1].insert(0, codes[1])
    press(ana, "Turn off")
    ana.until(lambda: not ana.app.root.sheets, "the sheet is gone")
    assert people.http.post("/login", json=body).status_code == 200


def test_the_sign_in_asks_for_a_code_where_the_account_does(desk: Make, people: People, name: Name) -> None:
    me = name("ana")
    secret, _codes = people.ask_for_codes(me)
    ana = desk(server=people.server.rest_url)
    screen = ana.app.screen
    ana.until(lambda: screen.place, "the server")
    screen.name.insert(0, me)
    screen.password.insert(0, "correct horse")
    assert screen.otp is None
    screen.go()
    ana.until(lambda: screen.otp is not None, "the field")
    assert not screen.error.winfo_manager(), "to be asked is no fault"
    assert screen.name.get() == me and screen.password.get() == "correct horse"
    screen.otp.insert(0, "12345")
    ana.press("Return", screen.otp._entry)
    ana.until(lambda: screen.error.winfo_manager(), "the refusal")
    assert screen.error.cget("text") == "The one-time code is wrong, or was used already"
    screen.otp.delete(0, "end")
    screen.otp.insert(0, code_of(secret, 1))
    ana.press("Return", screen.otp._entry)
    ana.until(lambda: ana.app.window is not None, "the window")


@pytest.mark.parametrize("side", [90, 190, 380])
def test_the_picture_is_the_code_with_whole_pixels(desk: Make, people: People, name: Name, side: int) -> None:
    ana, text = desk(people, name("ana")), "otpauth://totp/AloneChat:ana?secret=JBSWY3DPEHPK3PXP"
    drawn = picture(ana.app.root, text, side)
    rows = list(segno.make(text, error="m", micro=False).matrix_iter(border=2))
    scale = drawn.width() // len(rows)
    assert drawn.width() == drawn.height() == scale * len(rows) and side - len(rows) < drawn.width() <= side
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            at = (x * scale + scale // 2, y * scale + scale // 2)
            assert drawn.get(*at) == ((0, 0, 0) if dark else (255, 255, 255)), at
