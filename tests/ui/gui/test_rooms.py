"""Rooms in the window: made, filled and moderated by who made them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alonechat.ui.gui import rooms
from alonechat.ui.gui.emojis import Picker
from alonechat.ui.gui.menus import Menu
from tests.journeys.people import People
from tests.ui.gui.desk import Desk

Name = Callable[[str], str]
Make = Callable[..., Desk]


class At:
    """Where a menu opens."""

    x_root = y_root = 300


@pytest.fixture
def menus(monkeypatch: pytest.MonkeyPatch) -> list[Menu]:
    """The menus that were opened, the latest last."""
    opened: list[Menu] = []
    show = Menu.show

    def shown(menu: Menu, *place: Any, **more: Any) -> None:
        opened.append(menu)
        show(menu, *place, **more)

    monkeypatch.setattr(Menu, "show", shown)
    return opened


def choose(desk: Desk, menu: Menu, words: str) -> None:
    """Choose what begins with these words."""
    item = next(item for item in menu.items if item.words.startswith(words))
    assert item.act is not None
    menu.close()
    item.act()
    desk.step()


def write(desk: Desk, text: str) -> None:
    """Write into the field that has the focus, and press Enter."""
    desk.press("Return", desk.typed(text))


def test_a_private_room_is_made_filled_and_moderated(desk: Make, people: People, name: Name, menus: list[Menu]) -> None:
    room, me, other = "#" + name("room"), name("ana"), name("bo")
    bo, ana = people.connect(other), desk(people, me)
    ana.open("#lobby")
    acting = ana.window.acting
    assert not acting.moderates()
    sheet = rooms.add_room(ana.app, acting)
    next(each for each in walk(sheet.frame) if type(each).__name__ == "CTkSegmentedButton").set("Private")
    write(ana, room)
    ana.until(lambda: ana.window.target == room, "the room")
    ana.until(lambda: ana.model_of(room).access == "private", "its access")
    ana.until(acting.moderates, "who made it moderates it")
    assert not sheet.is_open

    rooms.about(ana.app, acting, room)
    write(ana, "saws and glue")
    ana.until(lambda: ana.model_of(room).topic == "saws and glue", "the topic")
    assert bo.asks(type="JOIN", target=room)["code"] == "not_found"
    rooms.invite(ana.app, acting, room)
    write(ana, other)
    bo.hears("NOTICE")
    assert bo.asks(type="JOIN", target=room)["type"] == "JOIN"
    bo.says("something rude", room)

    acting.message_menu(ana.row("something rude"), At)
    choose(ana, menus[-1], "Delete")
    ana.press("Return")  # it is asked first
    assert bo.hears("DELETE")["sender"] == me
    acting.person_menu(other, At)
    choose(ana, menus[-1], "Remove from")
    ana.press("Return")
    assert bo.hears("LEAVE", sender=other)["by"] == me
    ana.until(lambda: any(f"{me} removed {other}" in text for text in ana.texts()), "the note")


def test_who_does_not_moderate_is_offered_nothing_of_it(
    desk: Make, people: People, name: Name, menus: list[Menu]
) -> None:
    room, me, other = "#" + name("room"), name("ana"), name("bo")
    bo, ana = people.connect(other), desk(people, me)
    bo.asks(type="JOIN", target=room)
    bo.says("mine", room)
    ana.app.runner.join(room)
    ana.open(room)
    ana.until(lambda: other in ana.window.model.members.get(room, ()), "the members")
    row = ana.row("mine")
    ana.window.acting.message_menu(row, At)
    ana.window.acting.person_menu(other, At)
    words = [item.words for menu in menus for item in menu.items]
    assert "Reply" in words and "Mention" in words
    assert not [each for each in words if each.startswith(("Delete", "Remove", "Ban", "Mute for"))]


def test_an_emoji_is_picked_by_its_name(desk: Make, people: People, name: Name) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    ana.window.acting.pick_emoji()
    field = ana.typed("tada")
    ana.press("a", field)  # what is typed is looked for
    field.delete(4, "end")
    ana.press("Shift_L", field)
    ana.press("Return", field)
    ana.until(lambda: ana.window.composer.content.strip() == "🎉", ana.window.composer.content)
    picked: list[str] = []
    Picker(ana.app, (300, 300), picked.append)
    ana.press("Right")
    ana.press("Return")
    assert picked == ["❤️"]


def walk(widget: Any) -> list[Any]:
    """A widget, and all that is in it."""
    return [widget, *(found for child in widget.winfo_children() for found in walk(child))]


def test_what_comes_below_is_counted_and_who_reacted_is_named(desk: Make, people: People, name: Name) -> None:
    room, me, other = "#" + name("room"), name("ana"), name("bo")
    bo, ana = people.connect(other), desk(people, me)
    bo.asks(type="JOIN", target=room)
    for n in range(40):
        bo.says(f"message {n}", room)
    ana.app.runner.join(room)
    ana.open(room)
    ana.row("message 39")
    ana.until(lambda: ana.window.timeline.at_end, "the end")
    ana.window.timeline.page(-1)
    ana.until(lambda: not ana.window.timeline.at_end, "further up")
    for n in range(3):
        bo.says(f"later {n}", room)
    ana.until(lambda: "3 new" in ana.drawn(), "how many came")
    ana.press("End", ana.window.timeline.canvas)
    ana.until(lambda: ana.window.timeline.at_end and "3 new" not in ana.drawn(), "the end again")

    event = bo.says("tea?", room)
    bo.asks(type="REACT", target=room, ref=event["id"], content="🍵")
    row = ana.until(lambda: next((row for row in ana.rows if row.reactions), None), "a reaction")
    ana.window.acting.reacted(row)
    ana.step()
    words = [str(each.cget("text")) for each in walk(ana.app.root) if "text" in each.keys()]  # noqa: SIM118
    assert other in words


def test_the_composer_grows_with_what_is_written(desk: Make, people: People, name: Name) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    field = ana.window.composer.text
    before = field.winfo_height()
    field.insert("end", "one\ntwo\nthree\nfour")
    ana.until(lambda: field.winfo_height() > 2 * before, "four lines")
    field.delete("1.0", "end")
    ana.until(lambda: field.winfo_height() == before, "one line")


def test_who_types_join_is_taken_there(desk: Make, people: People, name: Name) -> None:
    ana, bo, room = desk(people, name("ana")), people.connect(name("bo")), "#" + name("room")
    bo.asks(type="JOIN", target=room)
    ana.write(f"/join {room}")
    ana.until(lambda: ana.window.target == room, "the room")
    ana.open("#lobby")
    ana.write(f"/join {room}")
    ana.until(lambda: ana.window.target == room, "the room, where one is in already")
