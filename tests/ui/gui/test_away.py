"""Without a server, with one that refuses, and after it has come back."""

from __future__ import annotations

from collections.abc import Callable

from tests.journeys.people import People
from tests.journeys.process import ServerProcess
from tests.ui.gui.desk import Desk, account

Make = Callable[..., Desk]


def test_what_is_written_offline_waits_and_goes_when_the_server_is_back(
    desk: Make, start_server: Callable[..., ServerProcess]
) -> None:
    server = start_server()
    with People(server) as people:
        people.register("bo")
        ana = desk(people, "ana")
        ana.open("#lobby")
        ana.write("before")
        ana.until(lambda: ana.row("before").state == "sent", "the echo")
        server.kill9()
        ana.until(lambda: ana.app.model.connection.state == "offline", "offline")
        ana.write("while it is away")
        row = ana.row("while it is away")
        assert (row.kind, row.state) == ("written", "waiting")
        ana.step()
        assert ana.window.banner.text.startswith("Offline since") and "1 message waits." in ana.window.banner.text
        server.start()
        ana.app.hurry()
        ana.until(lambda: ana.row("while it is away").state == "sent", "the echo")
        ana.until(lambda: ana.window.banner.text == "", "the strip is gone")
        bo = people.connect("bo")
        texts = [each["content"] for each in bo.asks(type="HISTORY", target="#lobby")["events"]]
        assert texts == ["before", "while it is away"]


def test_the_last_state_is_there_without_a_server(desk: Make, start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    with People(server) as people:
        ana = desk(people, "ana")
        ana.open("#lobby")
        ana.write("kept on this machine")
        ana.until(lambda: ana.row("kept on this machine").state == "sent", "the echo")
        place, account = ana.place, ana.app.runner.account
        ana.app.remember(windows={"gui": "900x600+40+30"})
        ana.close()
        server.kill9()
    again = Desk(place, account)
    try:
        assert again.window.target == "#lobby"
        again.until(lambda: "kept on this machine" in again.texts(), "the cache")
        assert again.app.root.winfo_width() >= 400
    finally:
        again.close()


def test_a_refused_message_says_why_and_can_be_thrown_away(
    desk: Make, people: People, name: Callable[[str], str]
) -> None:
    me, owner, room = name("ana"), people.connect(name("bo")), "#" + name("room")
    owner.asks(type="JOIN", target=room)
    ana = desk(people, me)
    ana.app.runner.join(room)
    ana.open(room)
    owner.asks(type="TEXT", content=f"/mute {me}", target=room)
    ana.write("may I?")
    row = ana.until(lambda: next((r for r in ana.rows if r.state == "refused"), None), "the refusal")
    assert row.text == "may I?" and "not sent" in ana.drawn() and row.reason
    assert not any(each.is_error for each in ana.rows), "that one may not type either is not told beside it"
    owner.asks(type="TEXT", content=f"/unmute {me}", target=room)
    ana.until(lambda: any("write again" in text for text in ana.texts()), "the notice, which moves the rest")
    ana.click(row, "again")
    ana.until(lambda: ana.row("may I?").state == "sent", "sent again")

    owner.asks(type="TEXT", content=f"/mute {me}", target=room)
    ana.write("and now?")
    row = ana.until(lambda: next((r for r in ana.rows if r.state == "refused"), None), "the refusal")
    ana.click(row, "discard")
    ana.until(lambda: "and now?" not in ana.texts(), "it is gone")


def test_what_is_typed_before_anything_is_known_goes_to_the_first_conversation(
    desk: Make, start_server: Callable[..., ServerProcess]
) -> None:
    server = start_server()
    with People(server) as people:
        known = account(people, "ana")
        server.kill9()  # a first start, with nobody there
        ana = desk(account=known)
        ana.write("too early")
        assert not ana.window.target and ana.window.composer.content == "too early"
        assert not ana.app.model.outbox
        server.start()
        ana.app.hurry()
        ana.until(lambda: ana.window.target == "#lobby", "the lobby")
        assert ana.window.composer.content == "too early"
        ana.press("Return", ana.window.composer.text)
        ana.until(lambda: ana.row("too early").state == "sent", "the echo")
        assert not ana.window.composer.content
