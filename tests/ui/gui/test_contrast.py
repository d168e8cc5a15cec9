"""Every text that is drawn can be read on what it really stands on: 4.5 : 1, in each theme with each accent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from alonechat.core.client.files import File
from alonechat.core.client.model import Told, Written
from alonechat.core.client.rows import Quote, Row
from alonechat.ui.gui.layout import laid
from alonechat.ui.gui.menus import Menu
from alonechat.ui.gui.palette import ACCENTS, Palette
from tests.journeys.people import People
from tests.ui.gui.desk import Desk
from tests.ui.gui.seen import contrast, pairs, texts
from tests.ui.gui.test_layout import LOOK, row

Name = Callable[[str], str]
Make = Callable[..., Desk]
LEAST = 4.5
SIGN = 3.0
"""What is enough for an icon (WCAG 2.2, success criterion 1.4.11)."""
RICH = "Hi @ana in #lobby: **bold** _it_ ~~no~~ `code` https://a.example\n> said\n- item\n```py\ncode\n```"

STATES = {"there": "", "loading": "", "failed": "", "uploading": "/a.png", "waiting": "/a.png", "ready": "/a.png"}
FILES = [File("a.png", "image/png", size, "f", "m", 800, 600, state, 0.5, path)
         for state, path in STATES.items() for size in (99, 1 << 30)]  # fmt: skip
CHIPS = [replace(file, name="a.pdf", mime="application/pdf") for file in FILES]


def gallery() -> list[Row]:
    """Rows of every kind, with all that may stand in them."""
    people = ["ana", "bo", "李雷", "alice", *(f"user{n}" for n in range(12))]  # all eight colours
    found = [Row(kind, kind, "words") for kind in ("day", "new", "start", "note", "told")]
    found.append(Row("told", "u", "an error", is_error=True))
    for who in people:
        quote = Quote("m0", who, who, "when do we meet", 1)
        for more in ({}, {"mention": True}, {"mine": True, "state": "sent"}):
            said: dict[str, Any] = {"author": who, "name": who, "quote": quote, "edited": True, "mentions": ["ana"]}
            found.append(row(RICH, **said, reactions=(("👍", ("ana", "cy")), ("🎉", ("cy",))), **more))
            found.append(row("", author=who, name=who, deleted=True, **more))
        found.append(row("waves", author=who, name=who, action=True))
    for more in ({}, {"mention": True}, {"mine": True, "state": "sent"}):
        found += [row(text, files=(file, chip), **more) for file in FILES for chip in CHIPS for text in ("", RICH)]
        found += [row("", files=(file,), **more) for file in FILES]
    refused = Written("n", "#lobby", "TEXT", "no", None, 0.0, "muted", "you are muted")
    found.append(row(RICH, mine=True, state="refused", reason="you are muted", written=refused))
    return [*found, replace(found[-1], state="waiting")]


def test_texts_of_messages_can_be_read_in_every_theme_and_accent() -> None:
    drawn = [laid(each, 700, LOOK) for each in gallery()]
    seen = {pair: what for each in drawn for *pair, what in map(list, pairs(each, True)) for pair in [tuple(pair)]}
    signs = {(ink, ground) for each in drawn for ink, ground, _what in pairs(each, False)}
    assert {("danger", "inset:ground"), ("on_accent", "accent")} <= set(seen) | signs
    assert {("secondary", "inset:own"), ("author:2", "inset:mention"), ("text", "mark")} <= set(seen)
    for dark in (False, True):
        for accent in ACCENTS:
            get = Palette(dark, accent).get
            poor = {(what, *pair): round(contrast(*map(get, pair)), 2) for pair, what in seen.items()
                    if contrast(*map(get, pair)) < LEAST}  # fmt: skip
            assert poor == {}, (dark, accent)
            assert all(contrast(get(ink), get(ground)) >= SIGN for ink, ground in signs), (dark, accent)
            for ink, ground in (("text", "selection"), ("danger", "pressed"), ("text", "pressed")):
                assert contrast(get(ink), get(ground)) >= LEAST, (dark, accent, ink, ground)  # under the pointer


def check(desk: Desk, screen: str) -> int:
    """Look at every text that the window shows now."""
    desk.step()
    behind = desk.app.sheet is not None and getattr(desk.app.sheet, "darkens", False)
    found = set(texts(desk.app.sheet.frame if behind else desk.app.root, desk.app.pictures))  # type: ignore[union-attr]
    poor = {each: round(contrast(*each[:2]), 2) for each in found if contrast(*each[:2]) < LEAST}
    assert poor == {}, (screen, "dark" if desk.app.dark else "light", desk.app.preferences.accent)
    return len(found)


def test_texts_of_the_whole_window_can_be_read(desk: Make, people: People, name: Name) -> None:
    other, me = people.connect(name("max")), name("ana")
    ana = desk(people, me)
    room = "#" + name("room")
    other.asks(type="JOIN", target=room)
    ana.app.runner.join(room)
    other.says("hello there", me)
    other.says(f"@{me} look here", room)
    ana.until(lambda: room in ana.app.model.conversations and other.username in ana.app.model.conversations, "both")
    ana.open("#lobby")
    ana.app.model.apply(Told("#lobby", "no such command", 0.0, True))
    screens = _screens(ana)
    for theme in ("light", "dark"):
        ana.app.remember(theme=theme)
        for accent in ACCENTS:
            ana.app.change(accent=accent)
            ana.app.restyle()
            assert check(ana, "window") > 8
        ana.app.change(accent="")
        ana.app.restyle()
        for screen, show in screens.items():
            show()
            assert check(ana, screen) >= (3 if ana.app.sheet else 10)
            while ana.app.sheet is not None:
                ana.app.sheet.close()


def _screens(desk: Desk) -> dict[str, Callable[[], object]]:
    acting = desk.window.acting

    def of(name: str, *given: Any) -> Callable[[], object]:
        return lambda: getattr(desk.window.acting, name)(*given)

    def menu() -> None:
        found = Menu(desk.app)
        for words, danger in (("Reply", False), ("Delete", True)):
            found.add(words, lambda: None, "R", danger)
        found.add("heading", None)
        found.show(100, 100)
        found._point(1)

    def completion() -> None:
        desk.window.composer.put("@")
        desk.window.composer.text.mark_set("insert", "end")
        desk.window.composer._suggest(True)

    assert acting is not None
    return {
        "search": of("search"), "go to": of("go_to"), "settings": of("settings"), "keys": of("help"),
        "rooms": of("add_conversation", "room"), "emoji": of("pick_emoji"), "sign out": of("sign_out"),
        "menu": menu, "completion": completion, "toast": lambda: desk.app.toast("Copied"),
    }  # fmt: skip
