"""A client without a face against a real server: what is written arrives once, whatever is away in between."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alonechat.core.client import Account, Rest
from alonechat.core.client import live as live_part
from alonechat.core.client import runner as runner_part
from alonechat.core.client.cache import path_of
from alonechat.core.client.model import Passed
from alonechat.core.client.runner import Then
from alonechat.testing import Person, Server, serving
from tests.core.client.face import Face, account


class Place:
    """A server that can go and come back at the same address, and faces that are closed in the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faces: list[Face] = []
        self.settings: dict[str, object] = {}
        self._up = None
        self._ports: dict[str, int] = {}
        self.server = self.begin()

    def begin(self, data: str = "data") -> Server:
        """Start it, where it was if it had been somewhere."""
        self._up = serving(self.folder, data_dir=self.folder / data, **self._ports, **self.settings)
        self.server = self._up.__enter__()
        ports = self.server.manager.ports
        self._ports = {"port": ports["websocket"], "api_port": ports["rest"]}
        return self.server

    def end(self) -> None:
        """Stop it."""
        if self._up is not None:
            up, self._up = self._up, None
            up.__exit__(None, None, None)

    def face(self, name: str = "ana", home: str = "home", url: str = "", **more: object) -> Face:
        """A window of somebody's client, not started yet. `url`: another way to the REST side."""
        who = account(self.server, name)
        found = Face(replace(who, url=url or who.url), self.folder / home, **more)  # type: ignore[arg-type]
        self.faces.append(found)
        return found

    def again(self, face: Face) -> Face:
        """The same client once more, as a new process of the same user."""
        fresh = Face(face.runner.account, self.folder / "home")
        self.faces.append(fresh)
        return fresh

    def person(self, name: str = "bo") -> Person:
        return self.server.person(name)


async def end(account: Account) -> None:
    """End a sign-in elsewhere."""
    async with Rest(account.url, account.token) as rest:
        await rest.logout()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    for face in found.faces:
        face.close()
    found.end()


def test_what_is_said_waits_and_then_is_there(place: Place) -> None:
    bo, ana = place.person(), place.face().start().connected().open()
    ana.runner.say("#lobby", "hello")
    assert bo.hears("TEXT")["content"] == "hello"
    ana.shows("hello")
    assert not ana.model.outbox
    bo.says("hi @ana")
    ana.shows("hello", "hi @ana")
    summary = ana.model.conversations["#lobby"]
    assert (summary.unread, summary.mentions) == (1, 1)


def test_a_first_run_learns_who_the_server_is(place: Place) -> None:
    place.person().says("before")
    unknown = Face(account(place.server, "ana", known=False), place.folder / "home")
    place.faces.append(unknown)
    unknown.start().open()
    unknown.shows("before")
    assert unknown.runner._live.account.server == place.server.manager.store.server_id


def test_a_long_text_is_several_messages_and_a_command_is_answered(place: Place) -> None:
    ana = place.face().start().connected().open()
    ana.runner.say("#lobby", "a" * 4000 + "b")
    ana.shows("a" * 4000, "b")
    ana.runner.say("#lobby", "/topic")
    ana.until(lambda: ana.model.told.get("#lobby"), "the answer of the command")
    ana.runner.say("#lobby", "/nonsense")
    ana.until(lambda: ana.model.told["#lobby"][-1].is_error, "an error for the command")
    ana.runner.say("#lobby", "//shrug")
    ana.until(lambda: ana.texts()[-1] == "/shrug", "a slash that is said")
    assert not ana.model.outbox
    assert ana.model.commands["/topic"][0] == "/topic [text]"


def test_messages_are_edited_deleted_and_reacted_to(place: Place) -> None:
    bo, ana = place.person(), place.face().start().connected().open()
    ana.runner.say("#lobby", "helo")
    ana.shows("helo")
    message = ana.model.windows["#lobby"].messages[0]
    ana.runner.edit("#lobby", message["id"], "hello")
    ana.shows("hello")
    ana.runner.react("#lobby", message["id"], "👍")
    ana.until(lambda: ana.model.windows["#lobby"].messages[0].get("reactions") == {"👍": ["ana"]})
    ana.runner.react("#lobby", message["id"], "👍", removed=True)
    ana.until(lambda: not ana.model.windows["#lobby"].messages[0].get("reactions"))
    theirs = bo.says("mine")
    ana.shows("hello", "mine")
    ana.runner.delete("#lobby", theirs["id"])
    ana.until(lambda: ana.model.told.get("#lobby"), "a refusal in words")
    assert ana.model.told["#lobby"][-1].is_error
    ana.runner.delete("#lobby", message["id"])
    ana.until(lambda: ana.model.windows["#lobby"].messages[0].get("deleted"))


def test_what_is_written_offline_arrives_once_and_in_order(place: Place) -> None:
    ana = place.face().start().connected().open()
    place.end()
    ana.offline()
    for n in range(5):
        ana.runner.say("#lobby", f"text {n}")
    ana.until(lambda: len(ana.model.waiting("#lobby")) == 5, "five that wait")
    ana.close()  # another process of the same user finds them on disk
    fresh = place.again(ana).start()
    assert [entry.content for entry in fresh.model.waiting("#lobby")] == [f"text {n}" for n in range(5)]
    fresh.runner.say("#lobby", "text 5")
    place.begin()
    fresh.runner.hurry()
    fresh.open()
    fresh.shows(*(f"text {n}" for n in range(6)))
    assert not fresh.model.outbox
    assert [e["content"] for e in place.person().asks(type="HISTORY")["events"] if e["type"] == "TEXT"] == fresh.texts()


def test_a_restart_of_the_server_loses_and_doubles_nothing(place: Place) -> None:
    ana = place.face().start().connected().open()
    said = []
    for n in range(3):
        ana.runner.say("#lobby", f"round {n}")
        said.append(f"round {n}")
        place.end()
        ana.offline()
        place.begin()
        place.person().says(f"missed {n}")
        ana.runner.hurry()
        ana.until(lambda n=n: f"missed {n}" in ana.texts() and not ana.model.waiting())  # type: ignore[misc]
    assert sorted(ana.texts()) == sorted([*said, "missed 0", "missed 1", "missed 2"])
    sequence = [message["seq"] for message in ana.model.windows["#lobby"].messages]
    assert sequence == sorted(set(sequence))


def test_a_refused_text_says_why_and_can_be_sent_again_or_thrown_away(place: Place) -> None:
    ana, bo = place.face().start().connected(), place.person()
    for text in ("one", "two"):
        ana.runner.say("#nowhere", text)
    ana.until(lambda: len([e for e in ana.model.waiting("#nowhere") if e.code == "not_found"]) == 2)
    first, second = ana.model.waiting("#nowhere")
    assert first.reason
    fresh = place.again(ana)
    ana.close()
    fresh.start()
    assert [e.code for e in fresh.model.waiting("#nowhere")] == ["not_found", "not_found"], "it is kept as refused"
    bo.asks(type="JOIN", target="#nowhere")
    fresh.runner.join("#nowhere")
    fresh.until(lambda: "#nowhere" in fresh.model.conversations)
    fresh.open("#nowhere")
    fresh.runner.again(first.nonce)
    fresh.runner.discard(second.nonce)
    fresh.shows("one", target="#nowhere")
    fresh.until(lambda: not fresh.model.outbox)


def test_without_a_server_the_last_state_is_there(place: Place) -> None:
    bo, ana = place.person(), place.face().start().connected().open()
    bo.says("kept")
    bo.says("for you", target="ana")
    ana.shows("kept")
    ana.until(lambda: "bo" in ana.model.conversations)
    ana.close()
    place.end()
    fresh = place.again(ana).start()
    assert fresh.model.conversations["bo"].last["content"] == "for you"  # type: ignore[index]
    assert fresh.model.me == "ana"
    fresh.open()
    fresh.shows("kept")
    found, error = fresh.answer(lambda then: fresh.runner.search("KEPT", then))
    assert error is None
    assert (found["source"], [e["content"] for e in found["events"]]) == ("cache", ["kept"])
    fresh.offline()


def test_people_are_shown_by_their_names_without_a_server_too(place: Place) -> None:
    bo, ana = place.person(), place.face().start().connected().open()
    bo.asks(type="TEXT", content="/nick 李雷")
    bo.says("早上好")
    ana.until(lambda: ana.model.shown("bo") == "李雷", "the new name")
    ana.close()
    place.end()
    later = place.again(ana).start().open()
    assert later.texts() == ["早上好"] and later.model.shown("bo") == "李雷"
    assert later.model.shown("ana") == "ana"


def test_two_windows_of_one_user_agree(place: Place) -> None:
    one, other = place.face().start().connected().open(), place.face().start().connected().open()
    place.person().says("news")
    for face in (one, other):
        face.until(lambda face=face: face.model.conversations["#lobby"].unread == 1)  # type: ignore[misc]
    one.runner.read("#lobby", 1)
    other.until(lambda: other.model.conversations["#lobby"].unread == 0)
    one.runner.draft("#lobby", "to be gone on with")
    other.until(lambda: other.model.drafts.get("#lobby") == "to be gone on with")
    one.runner.draft("#lobby", "")
    other.until(lambda: not other.model.drafts.get("#lobby"))


def test_what_is_read_offline_is_told_later(place: Place) -> None:
    ana = place.face().start().connected().open()
    place.person().says("news")
    ana.until(lambda: ana.model.conversations["#lobby"].unread == 1)
    place.end()
    ana.offline()
    ana.runner.read("#lobby", 1)
    ana.until(lambda: ana.model.conversations["#lobby"].unread == 0)
    ana.close()
    fresh = place.again(ana).start()
    assert fresh.model.conversations["#lobby"].unread == 0
    place.begin()
    fresh.runner.hurry()
    fresh.connected()
    assert fresh.model.conversations["#lobby"].unread == 0
    elsewhere = place.face(home="elsewhere").start().connected()
    elsewhere.until(lambda: elsewhere.model.conversations["#lobby"].read == 1)


def test_a_restored_server_drops_logs_but_nothing_that_was_written(place: Place) -> None:
    place.person().says("old")
    ana = place.face().start().connected().open()
    ana.shows("old")
    ana.runner.draft("#lobby", "half a sentence")
    place.end()
    ana.offline()
    ana.runner.say("#lobby", "waits")
    ana.until(lambda: ana.model.waiting())
    with sqlite3.connect(next((place.folder / "data").glob("*.db"))) as db:
        db.execute("UPDATE settings SET value='restored' WHERE name='epoch'")
        db.execute("UPDATE events SET content='as it was in the backup' WHERE content='old'")
    db.close()
    place.begin()
    ana.runner.hurry()
    ana.until(lambda: ana.texts() == ["as it was in the backup", "waits"])
    ana.close()
    fresh = place.again(ana).start().open()
    assert fresh.model.drafts["#lobby"] == "half a sentence"
    fresh.shows("as it was in the backup", "waits")


def test_another_server_at_the_address_gets_a_cache_of_its_own(place: Place) -> None:
    place.person().says("theirs")
    ana = place.face().start().connected().open()
    ana.shows("theirs")
    kept = path_of(place.folder / "home", place.server.manager.store.server_id, "ana")
    place.end()
    ana.offline()
    place.begin("other-data")
    place.server.register("ana")
    ana.runner.hurry()
    ana.until(lambda: ana.model.connection.state == "signed out", "an end: the token is of the other server")
    assert ana.model.connection.reason.count("sign in again") == 1
    assert ana.runner.ended is not None
    assert kept.exists()


def test_an_ended_sign_in_says_so_and_keeps_what_waits(place: Place) -> None:
    ana = place.face().start().connected().open()
    place.end()
    ana.offline()
    ana.runner.say("#lobby", "waits")
    ana.until(lambda: ana.model.waiting())
    place.begin()
    asyncio.run(end(ana.runner.account))
    ana.runner.hurry()
    ana.until(lambda: ana.model.connection.state == "signed out")
    ana.close()
    fresh = Face(account(place.server, "ana"), place.folder / "home")
    place.faces.append(fresh)
    fresh.start().connected().open()
    fresh.shows("waits")


def test_signing_out_ends_the_token_and_wipes_the_cache_if_asked(place: Place) -> None:
    ana = place.face().start().connected().open()
    kept = path_of(place.folder / "home", place.server.manager.store.server_id, "ana")
    assert kept.exists()
    _, error = ana.answer(lambda then: ana.runner.sign_out(then, wipe=True))
    assert error is None
    assert not kept.exists()
    ana.until(lambda: ana.model.connection.state == "signed out")


def test_scrolling_back_asks_the_server_once_and_then_the_cache(place: Place) -> None:
    bo = place.person()
    for n in range(300):
        bo.send(type="TEXT", content=str(n))
    bo.quiet()
    ana = place.face().start().connected().open()
    ana.back()
    ana.shows(*map(str, range(300)))
    ana.close()
    place.end()
    fresh = place.again(ana).start().open()
    fresh.back()
    fresh.shows(*map(str, range(300)))


@pytest.mark.parametrize("cached", [True, False])
def test_a_window_around_an_old_message_goes_on_to_the_end(place: Place, cached: bool) -> None:
    bo = place.person()
    for n in range(400):
        bo.send(type="TEXT", content=str(n))
    bo.quiet()
    ana = place.face().start().connected().open()
    if cached:
        ana.back()
    found, _ = ana.answer(lambda then: ana.runner.search("77", then, target="#lobby"))
    hit = found["events"][0]
    assert (hit["conversation"], found["source"]) == ("#lobby", "server")
    ana.runner.around("#lobby", hit["seq"])
    ana.until(lambda: not ana.model.windows["#lobby"].live)
    window = ana.model.windows["#lobby"]
    assert hit["id"] in {message["id"] for message in window.messages}
    ana.forth()
    texts = [int(text) for text in ana.texts()]
    assert texts == list(range(texts[0], 400))
    bo.says("400")
    ana.until(lambda: ana.texts()[-1] == "400", "what comes is added again")


def test_who_was_away_too_long_begins_at_the_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_part, "LEAP", 100)
    bo = place.person()
    bo.says("early")
    ana = place.face().start().connected().open()
    ana.shows("early")
    ana.close()
    for n in range(150):
        bo.send(type="TEXT", content=str(n))
    bo.quiet()
    fresh = place.again(ana).start().open()
    fresh.connected()
    fresh.until(lambda: len(fresh.texts()) >= 80 and fresh.texts()[-1] == "149", "the last page")
    texts = fresh.texts()
    assert texts == [str(n) for n in range(150 - len(texts), 150)], "no hole between old and new"
    fresh.back()
    fresh.shows("early", *map(str, range(150)))


def test_a_room_that_is_joined_says_what_it_is_about(place: Place) -> None:
    bo = place.person()
    bo.asks(type="JOIN", target="#tea")
    bo.asks(type="TOPIC", target="#tea", content="green or black")
    ana = place.face().start().connected()
    event, error = ana.answer(lambda then: ana.runner.join("#tea", then=then))
    assert (error, event["type"]) == (None, "JOIN")
    ana.until(lambda: "#tea" in ana.model.conversations and ana.model.conversations["#tea"].topic == "green or black")
    assert (ana.model.conversations["#tea"].members, ana.model.conversations["#tea"].access) == (2, "open")
    ana.runner.say("#tea", "/mute")
    ana.until(lambda: ana.model.conversations["#tea"].muted)
    ana.runner.leave("#tea")
    ana.until(lambda: "#tea" not in ana.model.conversations)


def test_what_was_done_is_told_before_the_answer_to_it(place: Place) -> None:
    ana, known = place.face().start().connected(), list[bool]()

    def look(then: Then, room: str) -> Then:
        return lambda result, error: (known.append(room in ana.model.conversations), then(result, error))

    for room in ("#one", "#two", "#three"):
        for ask in (ana.runner.join, ana.runner.leave):
            assert ana.answer(lambda then, ask=ask, room=room: ask(room, then=look(then, room)))[1] is None  # type: ignore[misc]
    assert known == [True, False] * 3


def test_an_old_message_that_is_not_here_needs_a_connection(place: Place) -> None:
    bo = place.person()
    for n in range(200):
        bo.send(type="TEXT", content=str(n))
    bo.quiet()
    ana = place.face().start().connected().open()
    place.end()
    ana.offline()
    ana.runner.around("#lobby", 3)
    ana.until(lambda: ana.model.told.get("#lobby"), "a sentence that says so")
    assert "offline" in ana.model.told["#lobby"][0].text


def test_a_face_that_does_not_fetch_holds_up_the_socket_and_loses_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_part, "CROWD", 50)
    bo, ana = place.person(), place.face().start().connected().open()
    for n in range(400):
        bo.send(type="TEXT", content=str(n))
    bo.quiet()
    assert len(ana.runner._waiting) < 400
    ana.shows(*map(str, range(400)))


def test_a_disk_that_takes_nothing_is_said_and_the_chat_goes_on(place: Place) -> None:
    (place.folder / "home").write_text("a file where a directory should be")
    ana = place.face().start().connected().open()
    assert "can't keep messages" in ana.model.told["#lobby"][0].text
    ana.runner.say("#lobby", "hello")
    ana.shows("hello")


def test_a_machine_that_slept_looks_whether_its_connection_still_stands(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_part, "GLANCE", 0.05)
    time = [1_000_000.0]
    ana = place.face(now=lambda: time[0]).start().connected()
    probed: list[int] = []
    session = ana.runner._live._session.result()  # type: ignore[union-attr]
    probe = session.probe

    async def counted() -> None:
        probed.append(1)
        await probe()

    monkeypatch.setattr(session, "probe", counted)
    time[0] += 3600
    ana.until(lambda: probed, "a look at the connection")
    assert ana.model.connection.state == "connected"


def test_who_is_there_and_who_types(place: Place) -> None:
    bo, ana = place.person(), place.face().start().connected().open()
    ana.until(lambda: set(ana.model.members.get("#lobby", ())) == {"ana", "bo"})
    ana.until(lambda: ana.model.presence.get("bo") == "online")
    bo.send(type="TYPING", target="#lobby")
    ana.until(lambda: "bo" in ana.model.typing.get("#lobby", {}))
    ana.runner.typing("#lobby")
    assert bo.hears("TYPING")["sender"] == "ana"
    ana.runner.presence("busy")
    assert bo.hears("PRESENCE", sender="ana")["content"] == "busy"


def test_a_role_in_a_room_is_heard_of_where_it_is_looked_at_and_later_elsewhere(place: Place) -> None:
    bo, ana = place.person(), place.face().start().connected()
    bo.asks(type="JOIN", target="#tea")
    ana.answer(lambda then: ana.runner.join("#tea", then=then))
    ana.open("#tea")
    ana.until(lambda: ana.model.role("bo", "#tea") == "moderator")
    assert ana.model.role("ana", "#tea") == "member"
    bo.asks(type="TEXT", target="#tea", content="/mod ana")
    ana.until(lambda: ana.model.role("ana", "#tea") == "moderator", "a role, in the room that is open")
    ana.open("#lobby")
    before = len(ana.seen)
    bo.asks(type="TEXT", target="#tea", content="/unmod ana")
    ana.until(
        lambda: "USER" in [each.frame["type"] for each in ana.seen[before:] if isinstance(each, Passed)], "a USER"
    )
    ana.open("#tea")
    ana.until(lambda: ana.model.role("ana", "#tea") == "member", "a role, in the room that is opened again")
    cy = place.person("cy")
    cy.asks(type="JOIN", target="#tea")
    ana.until(lambda: "cy" in ana.model.members["#tea"], "who joined")
    bo.asks(type="TEXT", target="#tea", content="/mod cy")
    ana.until(lambda: ana.model.role("cy", "#tea") == "moderator", "the role of one who joined later")
    cy.asks(type="LEAVE", target="#tea")
    cy.asks(type="JOIN", target="#tea")
    ana.until(lambda: ana.model.role("cy", "#tea") == "member", "no role any more")


def test_a_question_over_rest_is_answered_or_refused_in_words(place: Place) -> None:
    ana = place.face().start().connected()
    rooms, error = ana.answer(lambda then: ana.runner.rest(lambda rest: rest.rooms(), then))
    assert (error, [room["target"] for room in rooms["items"]]) == (None, ["#lobby"])
    answer, error = ana.answer(lambda then: ana.runner.rest(lambda rest: rest.call("GET", "/nothing"), then))
    assert (answer, getattr(error, "code", "")) == (None, "not_found")
