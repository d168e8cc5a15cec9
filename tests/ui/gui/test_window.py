"""The window itself: themes, sizes, keys, search, what a hundred thousand messages do to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from alonechat.core.client import words
from alonechat.core.client.cache import Cache, path_of
from tests.journeys.people import People
from tests.ui.gui.desk import Desk, account

Name = Callable[[str], str]
Make = Callable[..., Desk]
MANY = 100_000


def test_a_new_window_is_no_larger_than_the_screen(
    desk: Make, people: People, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDK_SCALE", "2")
    ana = desk(people, name("ana"))
    root = ana.app.root
    assert ana.app.fonts.scale == 2 and root.winfo_screenheight() < 760 * 2
    ana.until(lambda: root.winfo_width() > 1000, "the window")
    assert root.winfo_width() <= root.winfo_screenwidth()
    assert root.winfo_height() <= root.winfo_screenheight() - 2 * 70, "there is room for the title and the taskbar"


def test_the_window_stays_where_customtkinter_takes_the_system_for_windows(
    desk: Make, people: People, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    from customtkinter.windows import ctk_tk

    root = desk(people, name("ana")).app.root
    monkeypatch.setattr(ctk_tk, "sys", SimpleNamespace(platform="win32"))
    root._window_exists = False  # as it is before the main loop, where nobody called `update`
    root.after(100, root.quit)
    root.mainloop()
    assert root.state() == "normal"


def test_themes_accents_sizes_and_languages_take_effect_at_once(desk: Make, people: People, name: Name) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    ana.write("seen in every theme")
    ana.row("seen in every theme")
    ana.app.remember(theme="light")
    ana.app.restyle()
    ana.step()
    assert ana.window.timeline.canvas.cget("bg") == "#FFFFFF"
    ana.press("F4", ana.window.composer.text)
    assert ana.window.timeline.canvas.cget("bg") == "#17191D" and ana.app.preferences.theme == "dark"
    assert "seen in every theme" in ana.drawn()
    high = ana.app.fonts.line("text")
    ana.app.remember(font_size=18)
    ana.app.restyle()
    ana.step()
    assert ana.app.fonts.line("text") > high
    words.choose("zh")
    ana.app.restyle()
    ana.step()
    assert "发送" in str(ana.window.composer._hint.cget("text")) or ana.window.sidebar.lines[0].title != "Rooms"
    words.choose("en")
    assert (ana.place / "preferences.json").read_text("utf-8").count('"font_size": 18') == 1


def test_a_narrow_window_has_a_drawer_and_a_wide_one_shows_the_members(desk: Make, people: People, name: Name) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    root: Any = ana.app.root.tk
    for size, side, members in (("1200x700", True, True), ("900x700", True, False), ("660x560", False, False)):
        root.call("wm", "geometry", ".", size)
        wide = int(size.split("x")[0])
        ana.until(lambda wide=wide: ana.window.frame.winfo_width() == wide, size)  # type: ignore[misc]
        ana.step()
        assert bool(ana.window.side.winfo_manager()) is side, size
        assert bool(ana.window.members.canvas.winfo_manager()) is members, size
    ana.window.toggle_drawer()
    ana.step()
    assert ana.window.side.winfo_manager()


def test_keys_open_and_close_what_they_name(desk: Make, people: People, name: Name) -> None:
    other = people.connect(name("zoe"))
    other.says("hello", people.connect(name("yan")).username)
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    field = ana.window.composer.text
    for key, state, title in (("k", 4, ""), ("f", 4, "Search messages"), ("comma", 4, "Settings"), ("F1", 0, "Keys")):
        ana.press(key, field, state)
        assert ana.app.sheet is not None and ana.app.sheet.title == title, key
        ana.press("Tab")
        inside = str(ana.app.root.focus_get())
        assert inside.startswith(str(ana.app.sheet.frame)), f"{key}: the focus has left the sheet for {inside}"
        ana.press("Escape")
        assert ana.app.sheet is None and ana.app.root.focus_get() is field, key
    ana.press("k", field, 4)
    for char in other.username:
        finder = ana.typed(char)
        ana.press("Shift_L", finder)
    ana.until(lambda: ana.app.sheet and "zoe" in str(ana.app.root.focus_get().get()), "typed")  # type: ignore[union-attr]
    ana.step()
    ana.press("Return", finder)
    ana.until(lambda: ana.window.target == other.username, "the person")
    ana.press("Left", ana.window.composer.text, 8)
    assert ana.window.target == "#lobby"


def colours(desk: Desk) -> dict[str, list[str]]:
    """The colours of everything in the main window, by widget."""
    tk, found, paths = desk.app.root.tk, {}, [str(desk.window.frame)]
    while paths:
        path = paths.pop()
        paths += (str(each) for each in tk.splitlist(tk.call("winfo", "children", path)))
        found[path] = [str(tk.call(path, "cget", "-background")).upper()]
        if tk.call("winfo", "class", path) == "Canvas":
            items = tk.splitlist(tk.call(path, "find", "all"))
            fills = [item for item in items if str(tk.call(path, "type", item)) in ("text", "rectangle")]
            found[path] += [str(tk.call(path, "itemcget", item, "-fill")).upper() for item in fills]
    return found


def test_fields_are_written_in_as_everywhere_on_a_desktop(desk: Make, people: People, name: Name) -> None:
    control = 4
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    field, find = ana.window.composer.text, ana.window.find._entry

    def said(widget: Any) -> str:
        return str(widget.get("1.0", "end-1c") if widget is field else widget.get())

    for widget in (field, find):
        widget.focus_force()
        ana.step()
        widget.insert("insert", "one two three")
        ana.press("BackSpace", widget, control)
        assert said(widget) == "one two "
        ana.press("Left", widget, control)
        ana.press("Delete", widget, control)
        assert said(widget).strip() == "one"
        for letter in "bdhnptw":  # what Emacs means by these is nobody's wish here
            ana.press(letter, widget, control)
        assert said(widget).strip() == "one"
        ana.press("a", widget, control)
        ana.press("x", widget)
        assert said(widget) == "x"
    find.icursor(0)
    ana.press("k", find, control)
    assert said(find) == "x" and len(ana.app.root.sheets) == 1, "the way to the switcher cuts nothing"
    ana.press("Escape")
    field.focus_force()
    field.edit_undo()
    changed = said(field)
    ana.press("y", field, control)
    assert said(field) == "x" != changed


def test_the_window_is_dark_behind_a_sheet_and_as_before_when_it_is_gone(
    desk: Make, people: People, name: Name
) -> None:
    other, ana = people.connect(name("bo")), desk(people, name("ana"))
    room = "#" + name("room")  # of its own: in the lobby a row of another test may leave the view meanwhile
    other.asks(type="JOIN", target=room)
    ana.app.runner.join(room)
    ana.open(room)
    other.says("below", room)
    ana.row("below")
    for theme in ("light", "dark"):
        ana.app.remember(theme=theme)
        ana.app.restyle()
        ana.window.sidebar.canvas.focus_force()
        ana.row("below")
        ana.step()
        before, canvas = colours(ana), ana.window.timeline.canvas
        ana.press("comma", ana.window.sidebar.canvas, 4)
        dark = str(canvas.cget("bg"))
        assert dark != ana.app.palette.get("ground") and ana.app.sheet.frame.cget("bg_color") == dark
        other.says(f"while it is dark, {theme}", room)
        row = ana.row(f"while it is dark, {theme}")
        place = next(each for each in ana.window.timeline.placed if each.row.key == row.key)
        items = [item for item in canvas.find_withtag(place.tag) if canvas.type(item) == "text"]
        assert {canvas.itemcget(item, "fill") for item in items} == {ana.app.veil.dimmed(ana.app.palette.get("text"))}
        ana.until(lambda: not _light(ana), "everything is dark")
        ana.press("Escape")
        ana.window.sidebar.canvas.focus_force()
        ana.step()
        after = colours(ana)
        assert {path: set(each) for path, each in after.items()} == {path: set(each) for path, each in before.items()}


def _light(desk: Desk) -> set[str]:
    """Colours that are not dark yet."""
    found = {colour for each in colours(desk).values() for colour in each if colour.startswith("#")}
    return {colour for colour in found if colour.upper() not in desk.app.veil._full}


def test_a_chosen_message_is_acted_on_by_letters(desk: Make, people: People, name: Name) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    ana.write("choose me")
    ana.until(lambda: ana.row("choose me").state == "sent", "the echo")
    ana.press("Up", ana.window.composer.text, 4)
    assert ana.window.timeline.row.text == "choose me"
    assert ana.window.timeline.canvas.find_withtag("ring")
    ana.press("r", ana.window.timeline.canvas)
    assert ana.window.composer.reply.text == "choose me"
    ana.press("Escape", ana.window.composer.text)
    ana.press("Escape", ana.window.composer.text)
    assert ana.window.composer.reply is None
    ana.press("Up", ana.window.composer.text, 4)
    ana.press("c", ana.window.timeline.canvas)
    assert ana.app.root.clipboard_get() == "choose me"
    ana.press("Return", ana.window.timeline.canvas)
    menu = ana.app.sheet
    assert [item.words for item in menu.items if item.words] == ["Reply", "React…", "Edit", "Copy", "Delete"]
    ana.press("Down", menu.canvas)
    ana.press("Down", menu.canvas)
    ana.press("Down", menu.canvas)
    ana.press("Return", menu.canvas)
    assert ana.app.sheet is None and ana.window.composer.content == "choose me"
    ana.press("Escape", ana.window.composer.text)
    ana.press("Escape", ana.window.composer.text)
    ana.window.sidebar.canvas.focus_force()
    ana.step()
    ana.press("h", ana.window.sidebar.canvas)
    assert ana.window.composer.content == "h" and ana.app.root.focus_get() is ana.window.composer.text


def test_search_and_jump_to_the_hit(desk: Make, people: People, name: Name) -> None:
    room, other = "#" + name("room"), people.connect(name("bo"))
    other.asks(type="JOIN", target=room)
    hit = other.says("the needle is here", room)
    for at in range(100):
        other.says(f"hay {at}", room)
    ana = desk(people, name("ana"))
    ana.app.runner.join(room)
    ana.open(room)
    ana.press("f", ana.window.composer.text, 4)
    ana.press("Return", ana.typed("needle"))
    ana.step()
    entry = ana.app.root.focus_get()
    ana.until(lambda: "1 found" in _labels(ana.app.sheet.frame), "the hit")  # type: ignore[union-attr]
    ana.press("Return", entry)
    ana.until(lambda: ana.window.timeline.chosen == hit["id"], "the message")
    assert "the needle is here" in ana.drawn()


def _labels(widget: Any) -> str:
    texts = [str(widget.cget("text"))] if widget.winfo_class() == "Label" else []
    return "\n".join([*texts, *(_labels(each) for each in widget.winfo_children())])


def test_a_hundred_thousand_messages_open_and_scroll(display: str, people: People, name: Name, tmp_path: Any) -> None:
    room, other = "#" + name("room"), people.connect(name("bo"))
    other.asks(type="JOIN", target=room)
    me = account(people, name("ana"))
    desk = Desk(tmp_path / "big", me)
    try:
        desk.until(lambda: desk.app.model.connection.state == "connected", "the connection")
        desk.app.runner.join(room)
        desk.until(lambda: room in desk.app.model.conversations, "the room")
        desk.app.runner.close()
        _fill(Cache(path_of(tmp_path / "big" / "data", me.server, me.username)), room)
        # A server that knows nothing of all this would have the cache dropped: nobody answers from here on.
        desk.app.start(replace(me, url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:1"))
        began = time.perf_counter()
        desk.open(room)
        desk.until(lambda: f"message {MANY}" in desk.drawn(), "the end")
        assert time.perf_counter() - began < 2  # 0.1 on a quiet machine: tools/bench/gui.py
        timeline = desk.window.timeline
        deadline = time.monotonic() + 20
        while next(row for row in desk.rows if row.kind == "message").event["seq"] > MANY - 2_000:  # type: ignore[index]
            assert time.monotonic() < deadline, "older ones are read from the cache"
            timeline.scroll(-400)
            desk.step()
        assert len(timeline.canvas.find_all()) < 1_500 and len(desk.rows) < 2_000
        kept, y = timeline.shown()[2], timeline.shown()[2].y - timeline.offset
        top = desk.window.model.windows[room].messages[0]["id"]
        desk.app.runner.older(desk.window.model.windows[room])
        desk.until(lambda: desk.window.model.windows[room].messages[0]["id"] != top, "an older page")
        same = next(each for each in timeline.placed if each.row.key == kept.row.key)
        assert same.y - timeline.offset == y, "what is being read stays in its place"
        desk.window.open(room, 50_000, "m50000")
        desk.until(lambda: "message 50000" in desk.drawn(), "the middle")
    finally:
        desk.close()


def _fill(cache: Cache, room: str) -> None:
    """Put messages into the cache as if they had come."""
    number = cache._db.execute("SELECT number FROM conversations WHERE target=?", (room,)).fetchone()[0]
    body = (
        '{{"type":"TEXT","sender":"bo","target":"{room}","content":"message {n}, with some words in it",'
        '"timestamp":"2026-11-2{day}T10:{minute:02}:00.000Z","id":"m{n}","seq":{n}}}'
    )
    with cache.changing():
        cache._db.execute("DELETE FROM messages WHERE conversation=?", (number,))
        cache._db.executemany(
            "INSERT INTO messages VALUES (?, ?, ?, ?)",
            (
                (number, n, f"m{n}", body.format(room=room, n=n, day=n * 3 // MANY, minute=n % 60))
                for n in range(1, MANY + 1)
            ),
        )
        cache._db.execute("UPDATE conversations SET floor=0, position=? WHERE number=?", (MANY, number))
    cache.close()
