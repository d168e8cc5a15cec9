"""People talk through real windows: what one does, another sees."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alonechat.ui.gui import notify
from tests.journeys.people import People
from tests.ui.gui.desk import Desk

Name = Callable[[str], str]
Make = Callable[..., Desk]


def test_two_windows_talk(desk: Make, people: People, name: Name) -> None:
    ana, bo = desk(people, name("ana")), desk(people, name("bo"))
    ana.open("#lobby")
    bo.open("#lobby")
    ana.write("hello from a window")
    seen = ana.row("hello from a window")
    ana.until(lambda: ana.row("hello from a window").state == "sent", "the echo", bo)
    assert seen.mine and ana.window.composer.content == ""
    row = bo.row("hello from a window")
    assert not row.mine and row.author == ana.app.account.username
    assert "hello from a window" in bo.drawn()
    bo.window.composer.text.insert("insert", "t")
    ana.until(lambda: "typing" in ana.window.typing.label.cget("text"), "who is typing", bo)


def test_reply_edit_react_and_delete(desk: Make, people: People, name: Name) -> None:
    me, other = name("ana"), people.connect(name("bo"))
    ana = desk(people, me)
    ana.open("#lobby")
    said = other.says(f"when do we meet, @{me}?")
    row = ana.row(said["content"])
    assert row.mention
    ana.window.composer.answer(row)
    ana.write("at three")
    event = other.hears("TEXT", content="at three")
    assert event["ref"] == said["id"]
    reply = ana.until(lambda: next((r for r in ana.rows if r.text == "at three" and r.event), None))
    assert reply.quote.id == said["id"] and reply.quote.text == said["content"]

    ana.press("Up", ana.window.composer.text)
    assert ana.window.composer.content == "at three" and ana.window.composer.edit is not None
    ana.write(" sharp")
    assert other.hears("EDIT", ref=event["id"])["content"] == "at three sharp"
    assert ana.row("at three sharp").edited

    other.asks(type="REACT", target="#lobby", ref=event["id"], content="👍")
    row = ana.until(lambda: next((r for r in ana.rows if r.reactions), None), "a reaction")
    ana.click(row, "react", "👍")
    assert other.hears("REACT", sender=me)["content"] == "👍"
    both = ana.until(lambda: next((r for r in ana.rows if r.reactions and len(r.reactions[0][1]) == 2), None))
    ana.click(both, "unreact", "👍")
    assert other.hears("REACT", sender=me)["removed"]

    ana.window.acting.delete(ana.row("at three sharp"))
    ana.step()
    assert ana.app.sheet is not None and ana.app.sheet.title == "Delete this message?"
    ana.press("Return")
    other.hears("DELETE", ref=event["id"])
    ana.until(lambda: any(r.deleted for r in ana.rows), "the deletion")
    assert "message deleted" in ana.drawn()


def test_chinese_and_emoji(desk: Make, people: People, name: Name) -> None:
    li, other = desk(people, name("李雷"), display_name="李雷 🎉"), people.connect(name("bo"))
    li.open("#lobby")
    text = "今天下午三点开会 👍🏽 👨‍👩‍👧 🇨🇳"
    li.write(text)
    assert other.hears("TEXT", sender=li.app.account.username)["content"] == text
    other.says("🎉🚀")
    li.row("🎉🚀")
    li.until(lambda: "今天下午三点开会" in li.drawn().replace("\n", ""), "Chinese on the canvas")
    row = li.row(text)
    assert li.window.timeline.layout(row).text == text  # what can be selected and copied


def test_a_quote_leads_to_its_message_and_the_latest_is_a_key_away(desk: Make, people: People, name: Name) -> None:
    room, other = "#" + name("room"), people.connect(name("bo"))
    other.asks(type="JOIN", target=room)
    first = other.says("the very first", room)
    for at in range(120):
        other.says(f"line {at}", room)
    other.says("about the first", room, ref=first["id"])
    ana = desk(people, name("ana"))
    ana.app.runner.join(room)
    ana.open(room)
    row = ana.row("about the first")
    assert row.quote is not None and row.quote.seq is None  # it is further back than what was fetched
    ana.click(row, "jump")
    ana.until(lambda: ana.window.timeline.chosen == first["id"], "the message that is quoted")
    assert "the very first" in ana.drawn() and not ana.window.model.windows[room].live
    ana.press("Escape")
    ana.press("End", ana.window.composer.text)
    ana.until(lambda: "about the first" in ana.drawn(), "the end")
    assert ana.window.timeline.at_end


def test_unread_badges_and_reading(desk: Make, people: People, name: Name) -> None:
    me, other = name("ana"), people.connect(name("bo"))
    ana, room = desk(people, me), "#" + name("room")
    other.asks(type="JOIN", target=room)
    ana.app.runner.join(room)
    ana.until(lambda: room in ana.app.model.conversations, "the room")
    ana.open("#lobby")
    other.says(f"@{me} look", room)
    lines = ana.window.sidebar
    line = ana.until(lambda: next((x for x in lines.lines if x.target == room and x.badge), None), "a badge")
    assert (line.badge, line.mention) == ("1", True) and line.preview.endswith("look")
    ana.open(room)
    assert any(row.kind == "new" for row in ana.rows)
    ana.until(lambda: ana.app.model.conversations[room].unread == 0, "it is read")
    ana.press("Escape", ana.window.composer.text)
    ana.until(lambda: not any(row.kind == "new" for row in ana.rows), "Esc takes the line away")


def test_completion_of_names_and_drafts(desk: Make, people: People, name: Name) -> None:
    other = people.connect(name("zoe"))
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    ana.until(lambda: other.username in ana.app.model.members.get("#lobby", ()), "the members")
    field = ana.window.composer.text
    field.insert("insert", f"hi @{other.username[:4]}")
    ana.until(lambda: ana.window.composer._completion is not None, "options")
    ana.press("Tab", field)
    assert ana.window.composer.content == f"hi @{other.username} "
    ana.open(other.username)
    assert ana.window.composer.content == ""
    ana.open("#lobby")
    assert ana.window.composer.content == f"hi @{other.username} "
    line = next(x for x in ana.window.sidebar.lines if x.target == "#lobby")
    assert line.draft


def test_selecting_and_copying_text(desk: Make, people: People, name: Name) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    ana.write("one two three")
    ana.until(lambda: ana.row("one two three").state == "sent", "the echo")
    timeline = ana.window.timeline
    place = next(each for each in timeline.placed if each.row.text == "one two three")
    label = next(part for part in place.laid.parts if getattr(part, "start", -1) == 0)
    x, y = timeline.left + label.x, place.y + label.y + 6 - timeline.offset
    right = x + ana.app.fonts.measure("one two", "text")
    timeline.canvas.event_generate("<ButtonPress-1>", x=x, y=y)
    timeline.canvas.event_generate("<B1-Motion>", x=right, y=y)
    ana.step()
    assert ana.window.pointing.text() == "one two"
    assert timeline.canvas.find_withtag("selection")
    ana.press("c", ana.window.composer.text, 4)
    assert ana.app.root.clipboard_get() == "one two"
    ana.press("Escape", ana.window.composer.text)
    assert not timeline.canvas.find_withtag("selection") and ana.window.pointing.text() == ""


def test_selecting_over_several_messages_copies_them_with_author_and_time(
    desk: Make, people: People, name: Name
) -> None:
    other, ana = people.connect(name("bo")), desk(people, name("ana"))
    ana.open("#lobby")
    texts = [f"first of {other.username}", f"second of {other.username} 🎉", "", f"last of {other.username}"]
    for text in filter(None, texts):
        other.says(text)
    ana.write("mine between")
    other.hears("TEXT", content="mine between")
    other.says(texts[2] or "and the end")
    ana.row("and the end")
    timeline = ana.window.timeline

    def spot(text: str, letters: str) -> tuple[int, int]:
        place = next(each for each in timeline.placed if each.row.text == text)
        label = next(part for part in place.laid.parts if getattr(part, "start", -1) == 0)
        x = timeline.left + label.x + ana.app.fonts.measure(letters, "text")
        return x, place.y + label.y + 6 - timeline.offset

    (x0, y0), (x1, y1) = spot("and the end", "and"), spot(texts[0], "first ")
    timeline.canvas.event_generate("<ButtonPress-1>", x=x0, y=y0)
    timeline.canvas.event_generate("<B1-Motion>", x=x1, y=y1)
    ana.step()
    copied = ana.window.pointing.text().splitlines()
    when = r"\[\d{4}-\d\d-\d\d \d\d:\d\d\] "
    wanted = [f"{other.username}: of {other.username}", f"{other.username}: second of {other.username} 🎉",
              f"{other.username}: last of {other.username}", f"{ana.app.account.username}: mine between",
              f"{other.username}: and"]  # fmt: skip
    assert len(copied) == len(wanted)
    assert all(re.fullmatch(when + re.escape(line), got) for line, got in zip(wanted, copied, strict=True)), copied
    bottom = timeline.height + 30
    for _turn in range(30):
        other.says("more")
    ana.until(lambda: timeline.at_end and ana.texts().count("more") == 30, "more of them")
    timeline.scroll(-400)
    ana.step()
    place = next(each for each in timeline.shown() if each.row.text == "more" and each.y > timeline.offset)
    label = next(part for part in place.laid.parts if getattr(part, "start", -1) == 0)
    at = (timeline.left + label.x + 1, place.y + label.y + 6 - timeline.offset)  # on a text: elsewhere nothing begins
    timeline.canvas.event_generate("<ButtonPress-1>", x=at[0], y=at[1])
    timeline.canvas.event_generate("<B1-Motion>", x=timeline.left + 100, y=bottom)
    ana.until(lambda: timeline.at_end, "the view follows the pointer beyond its edge")
    timeline.canvas.event_generate("<ButtonRelease-1>", x=timeline.left + 100, y=bottom)
    assert ana.window.pointing._edging == ""


CLICKABLE = """#!/bin/sh
if [ "$1" = --help ]; then echo "  -A, --action=[NAME=]Text..."; exit; fi
echo "$@" >> "{folder}/told"
while [ ! -e "{folder}/clicked" ]; do sleep 0.02; done
echo default
"""
"""A notify-send that tells of clicks: it prints the action's name once it is clicked."""


def behind(desk: Desk) -> None:
    """Another window is in front, whatever Tk says late of a focus that came before; `del app._front` ends it."""
    desk.app._front(False)
    desk.app._front = lambda _front: None  # type: ignore[method-assign]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere: notify-send")
def test_a_mention_is_told_while_another_window_is_in_front(
    desk: Make, people: People, name: Name, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool, told = tmp_path / "notify-send", tmp_path / "told"
    tool.write_text(f'#!/bin/sh\n[ "$1" = --help ] || echo "$@" >> "{told}"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    me, other = name("ana"), people.connect(name("bo"))
    ana = desk(people, me)
    ana.open("#lobby")
    other.says(f"@{me} while you look")
    ana.row(f"@{me} while you look")
    ana.app._front(False)
    other.says("to nobody")
    other.says(f"@{me} while you are away")
    ana.until(told.exists, "the notification")
    said = f"--app-name=AloneChat -- {other.username} in #lobby @{me} while you are away\n"
    ana.until(lambda: told.read_text() == said, "its words")
    assert ana.app.model.conversations["#lobby"].unread == 2, "nobody has seen them"
    told.unlink()
    ana.open(other.username)
    ana.press("comma", ana.window.composer.text, 4)
    behind(ana)
    tool.write_text(CLICKABLE.format(folder=tmp_path))
    notify.answers.cache_clear()
    other.says(f"@{me} once more")
    ana.until(told.exists, "another one")
    assert "--action=default=Open -- " in told.read_text() and ana.window.target == other.username
    del ana.app._front
    (tmp_path / "clicked").touch()
    ana.until(lambda: ana.window.target == "#lobby", "a click opens its conversation")
    assert ana.app.in_front and ana.app.sheet is None and not ana.app.notifier._waiting
    behind(ana)
    (tmp_path / "clicked").unlink()
    other.says(f"@{me} the last")
    (waits,) = ana.until(lambda: list(ana.app.notifier._waiting), "one that nobody clicks")
    ana.app.notifier.close()
    assert waits.poll() is not None, "what waits for a click ends with the window"
    del ana.app._front
    ana.app._front(True)
    ana.until(lambda: ana.app.model.conversations["#lobby"].unread == 0, "they are read")
