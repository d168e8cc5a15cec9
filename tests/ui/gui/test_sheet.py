"""Sheets over the window: what is behind one hears nothing, what its corners show, where the focus is in settings."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from alonechat.ui.gui.keys import SECOND
from alonechat.ui.gui.menus import Menu
from alonechat.ui.gui.settings import Settings
from alonechat.ui.gui.sheet import Sheet, ask
from tests.journeys.people import People
from tests.ui.gui.desk import Desk
from tests.ui.gui.test_pictures import RED, near, picture, shown, with_file

MOMENTS = count(1_000, 1_000)
"""When each click is, in milliseconds: so far apart that no two are one double click."""
Name = Callable[[str], str]
Make = Callable[..., Desk]


@pytest.fixture
def ana(desk: Make, people: People, name: Name) -> Desk:
    """Somebody in a room of her own, in which she wrote."""
    room, made = "#" + name("room"), desk(people, name("ana"))
    made.app.runner.join(room)
    made.open(room)
    made.write("see https://example.org")
    made.row("see https://example.org")
    made.until(lambda: made.window.members.rows, "the members")
    return made


def places(desk: Desk) -> dict[str, tuple[Any, int, int]]:
    """Where a member, a conversation and a message stand: a canvas, and a point of it."""
    window = desk.window
    timeline, place = window.timeline, window.timeline.placed[-1]
    y = place.y + (place.laid.bubble[1] + place.laid.bubble[3]) // 2 - timeline.offset
    conversations = [at for at, line in enumerate(window.sidebar.lines) if line.kind == "conversation"]
    return {
        "member": (window.members.canvas, 40, 48 + 20),
        "conversation": (window.sidebar.canvas, 40, window.sidebar._tops[conversations[0]] + 20),
        "message": (timeline.canvas, timeline.left + place.laid.bubble[0] + 10, y),
    }


def click(desk: Desk, place: tuple[Any, int, int], button: str) -> None:
    """A button of the pointer, pressed and let go."""
    canvas, x, y = place
    root = (canvas.winfo_rootx() + x, canvas.winfo_rooty() + y)
    for event in (f"<ButtonPress-{button}>", f"<ButtonRelease-{button}>"):
        canvas.event_generate(event, x=x, y=y, rootx=root[0], rooty=root[1], time=next(MOMENTS))
        desk.step()


def sure(desk: Desk) -> Sheet:
    """A question whether one is sure."""
    sheet = ask(desk.app.root, desk.app.kit, ("Mute for all?", "This runs /mute bo.", "Mute"), lambda: None)
    desk.until(lambda: sheet.settled, "the click that opened it is over")
    return sheet


def test_the_second_button_opens_no_menu_behind_a_sheet(ana: Desk) -> None:
    second = SECOND.strip("<>").rpartition("-")[2]
    for what, place in places(ana).items():
        click(ana, place, second)
        assert isinstance(ana.app.sheet, Menu), what
        ana.app.sheet.close()
        sheet = sure(ana)
        click(ana, place, second)
        assert ana.app.root.sheets == [sheet], what
        sheet.close()
        ana.step()


def test_a_click_beside_a_sheet_closes_it_and_does_nothing_else(ana: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    acted: list[str] = []
    monkeypatch.setattr(ana.window.pointing, "_act", lambda name, *_more: acted.append(name))
    here = ana.window.target
    for what, place in places(ana).items():
        sheet = sure(ana)
        click(ana, place, "1")
        assert not sheet.is_open and ana.app.root.sheets == [] and ana.window.target == here, what
    timeline, place = ana.window.timeline, ana.window.timeline.placed[-1]
    area = next(each for each in place.laid.areas if each.act == "link")
    link = (timeline.canvas, timeline.left + area.x0 + 2, place.y + area.y0 + 2 - timeline.offset)
    sheet = sure(ana)
    click(ana, link, "1")
    assert not sheet.is_open and acted == []
    click(ana, link, "1")
    assert acted == ["link"]
    click(ana, places(ana)["conversation"], "1")
    assert ana.window.target == "#lobby" != here


def test_the_menu_of_another_thing_opens_while_one_is_open(ana: Desk) -> None:
    second = SECOND.strip("<>").rpartition("-")[2]
    found = places(ana)
    click(ana, found["member"], second)
    first = ana.app.sheet
    click(ana, found["conversation"], second)
    assert isinstance(ana.app.sheet, Menu) and ana.app.root.sheets == [ana.app.sheet] and ana.app.sheet is not first


def test_the_corners_of_a_sheet_show_the_picture_below(ana: Desk, tmp_path: Path) -> None:
    path = picture(tmp_path / "red.png", right=RED)
    ana.window.composer.attach([path])
    ana.write("all red")
    ana.app.remember(theme="light")
    ana.app.restyle()
    ana.app.root.tk.call("raise", ".")
    ana.until(lambda: shown(ana, with_file(ana, path.name)), "the picture")
    ana.window.timeline.to_end()
    x, y, part = ana.until(lambda: shown(ana, with_file(ana, path.name)), "the picture")
    canvas, sheet = ana.window.timeline.canvas, sure(ana)
    scale, frame = ana.app.fonts.scale, sheet.frame
    for by in (0, 12):  # and when it moves
        left = canvas.winfo_rootx() - ana.app.root.winfo_rootx() + x + part.width // 2 + by
        top = canvas.winfo_rooty() - ana.app.root.winfo_rooty() + y + part.height // 2 + by
        frame.place(relx=0, rely=0, x=left / scale, y=top / scale, anchor="nw")
        wanted = (x + part.width // 2 + by, y + part.height // 2 + by)

        def there(at: tuple[int, int]) -> bool:
            where = (frame.winfo_rootx() - canvas.winfo_rootx(), frame.winfo_rooty() - canvas.winfo_rooty())
            middle = ana.pixel(at[0] + 60, at[1] + 6)  # the screen shows the sheet there, too
            return max(abs(where[0] - at[0]), abs(where[1] - at[1])) <= 1 and min(middle) > 250

        def merged(at: tuple[int, int]) -> bool:
            corner, beside = ana.pixel(at[0] + 1, at[1] + 1), ana.pixel(at[0] - 4, at[1] - 4)
            return near(corner, beside) and corner[0] > 100 and corner[1] < 60

        ana.until(lambda at=wanted: there(at), "the sheet over the picture")
        ana.until(lambda at=wanted: merged(at), "the picture in its corner")
    sheet.close()
    ana.step()


def rings(settings: Settings, made: Any) -> dict[str, bool]:
    """Which words have a border that can be seen."""
    return {word: each._border_color != each._fg_color for word, each in made._buttons_dict.items()}


def focus(desk: Desk) -> Any:
    """What has the focus."""
    desk.step()
    return desk.app.root.focus_get()


def test_the_focus_goes_to_what_is_chosen_in_the_settings(ana: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Settings] = []
    built = Settings.__init__

    def kept(self: Settings, *given: Any, **more: Any) -> None:
        opened.append(self)
        built(self, *given, **more)

    monkeypatch.setattr(Settings, "__init__", kept)
    ana.app.remember(theme="light")
    ana.app.restyle()
    ana.app.root.focus_force()
    Settings(ana.app)
    assert focus(ana) is opened[-1].theme._buttons_dict["Light"]._canvas
    opened[-1].theme._buttons_dict["Dark"].invoke()
    assert len(opened) == 2 and ana.app.preferences.theme == "dark"
    assert focus(ana) is opened[-1].theme._buttons_dict["Dark"]._canvas
    ana.until(lambda: rings(opened[-1], opened[-1].theme) == {"System": False, "Light": False, "Dark": True}, "a ring")
    opened[-1].chosen["larger"].invoke()
    assert focus(ana) is opened[-1].chosen["larger"]._canvas and len(opened) == 3
    made = next(
        each for each in walk(opened[-1].sheet.frame) if "_buttons_dict" in vars(each) and "All" in each._buttons_dict
    )
    made._buttons_dict["All"].invoke()
    assert focus(ana) is made._buttons_dict["All"]._canvas and ana.app.preferences.notify == "all"
    wanted = {word: word == "All" for word in made._buttons_dict}
    ana.until(lambda: rings(opened[-1], made) == wanted, "one ring")
    assert rings(opened[-1], opened[-1].theme) == {"System": False, "Light": False, "Dark": False}


def walk(widget: Any) -> list[Any]:
    """A widget and all in it."""
    return [widget, *(each for child in widget.winfo_children() for each in walk(child))]
