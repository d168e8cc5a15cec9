"""A session over cut connections, gaps, refusals, restored servers and renewed tokens, against a scripted server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from alonechat.core.client import Account, Session, Status
from alonechat.errors import AloneChatError, Rejected
from tests.core.client.scripted import SERVER, Scene, Stage, event, following, jwt, listed

Play = Callable[[Scene], None]


def seqs(events: list[dict[str, Any]]) -> list[int]:
    return [each["seq"] for each in events]


def test_a_session_bears_its_token_and_knows_what_welcome_says(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session(listed("#lobby", 7, unread=2)) as (session, line):
            assert line.token == "token-1"
            assert session.status == Status(True)
            assert session.state.me == "alice"
            assert session.state.conversations["#lobby"].unread == 2
            assert session.begun == {"#lobby": 7}

    play(scene)


def test_the_echo_is_the_receipt(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session() as (session, line):
            sending = asyncio.ensure_future(session.send("#lobby", "/etc/hosts"))
            asked = await line.hears("TEXT")
            assert asked["content"] == "//etc/hosts", "a session says texts; `command` runs them"
            assert not sending.done()
            echo = event(1, sender="alice", content="/etc/hosts", nonce=asked["nonce"])
            await line.says(echo)
            assert await sending == echo
            assert await following(session, 1) == [echo]

    play(scene)


def test_somebody_elses_event_with_the_same_nonce_is_no_receipt(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session() as (session, line):
            sending = asyncio.ensure_future(session.send("#lobby", "mine", nonce="n1"))
            await line.hears("TEXT")
            await line.says(event(1, nonce="n1"))
            assert seqs(await following(session, 1)) == [1]
            assert not sending.done()
            await line.says(event(2, sender="alice", nonce="n1"))
            assert (await sending)["seq"] == 2

    play(scene)


def test_what_a_moderator_did_before_is_the_answer_to_doing_it_again(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session(listed("#lobby", 5)) as (session, line):
            asking = asyncio.ensure_future(session.request({"type": "DELETE", "target": "#lobby", "ref": "000001"}))
            asked = await line.hears("DELETE")
            made = event(5, sender="moderator", type="DELETE", ref="000001", nonce=asked["nonce"])
            await line.says(made, event(6))
            assert await asking == made
            assert seqs(await following(session, 1)) == [6], "what is old is no news"

    play(scene)


def test_unanswered_requests_are_sent_again_in_order_under_the_same_nonces(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session(listed("#lobby", 0), listed("#a", 0), listed("#b", 0)) as (session, line):
            targets = ("#lobby", "#b", "#a")
            sending = [asyncio.ensure_future(session.send(each, f"to {each}")) for each in targets]
            first = [await line.hears("TEXT") for _ in targets]
            line.cut()
            again = await stage.script.line(listed("#lobby", 0), listed("#a", 0), listed("#b", 0))
            second = [await again.hears("TEXT") for _ in targets]
            assert second == first
            assert [each["target"] for each in second] == list(targets)
            await again.says(*(event(1, each["target"], "alice", nonce=each["nonce"]) for each in second))
            assert seqs(await asyncio.gather(*sending)) == [1, 1, 1]

    play(scene)


def test_a_request_that_was_carried_out_before_the_cut_is_not_shown_twice(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session() as (session, line):
            sending = asyncio.ensure_future(session.send("#lobby", "once"))
            nonce = (await line.hears("TEXT"))["nonce"]
            line.cut()  # the server has committed it; its echo is lost
            echo = event(1, sender="alice", content="once", nonce=nonce)
            again = await stage.script.line(listed("#lobby", 1))
            assert (await again.hears("TEXT"))["nonce"] == nonce
            await again.answers(echo)
            await again.says(echo, event(2))  # the receipt of what was sent again, to the sender alone
            assert await sending == echo
            assert seqs(await following(session, 2)) == [1, 2]

    play(scene)


def test_what_was_asked_while_offline_goes_out_with_the_next_connection(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        lost = asyncio.Event()
        async with stage.session() as (session, line):
            session.on_status = lambda status: lost.set() if not status.connected else None
            line.cut()
            await lost.wait()
            sending = asyncio.ensure_future(session.send("#lobby", "later"))
            again = await stage.script.line(listed("#lobby", 0))
            asked = await again.hears("TEXT")
            await again.says(event(1, sender="alice", nonce=asked["nonce"]))
            assert (await sending)["seq"] == 1

    play(scene)


def test_over_the_rate_it_waits_as_told_and_goes_on_from_the_refused_one(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session() as (session, line):
            sending = [asyncio.ensure_future(session.send("#lobby", f"part {n}")) for n in range(3)]
            refused = await line.hears("TEXT")
            answer = {"type": "ERROR", "code": "rate_limited", "content": "too fast", "retry_after": 1.5}
            await line.says({**answer, "nonce": refused["nonce"]})
            for seq in range(1, 4):
                asked = await line.hears("TEXT")
                assert asked["content"] == f"part {seq - 1}"
                assert seq > 1 or asked == refused
                await line.says(event(seq, sender="alice", nonce=asked["nonce"]))
            assert seqs(await asyncio.gather(*sending)) == [1, 2, 3]
            assert stage.clock.slept == [1.5]

    play(scene)


def test_a_store_that_cannot_commit_is_asked_again_ever_more_slowly(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session() as (session, line):
            sending = asyncio.ensure_future(session.send("#lobby", "hello"))
            for _ in range(3):
                asked = await line.hears("TEXT")
                error = {"type": "ERROR", "code": "unavailable", "content": "disk full"}
                await line.says({**error, "nonce": asked["nonce"]})
            asked = await line.hears("TEXT")
            await line.says(event(1, sender="alice", nonce=asked["nonce"]))
            assert (await sending)["seq"] == 1
            assert stage.clock.slept == [0.5, 1.0, 2.0]

    play(scene)


def test_other_refusals_are_raised_and_the_next_request_goes_on(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session() as (session, line):
            sending = asyncio.ensure_future(session.send("#x", "hello"))
            asked = await line.hears("TEXT")
            await line.says({"type": "ERROR", "code": "not_found", "content": "no room #x", "nonce": asked["nonce"]})
            with pytest.raises(Rejected, match="no room #x") as caught:
                await sending
            assert caught.value.code == "not_found"
            running = asyncio.ensure_future(session.command("#lobby", "help"))
            asked = await line.hears("TEXT")
            assert asked["content"] == "/help"
            await line.says({"type": "NOTICE", "content": "…", "target": "#lobby", "nonce": asked["nonce"]})
            assert (await running)["type"] == "NOTICE"

    play(scene)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "TEXT", "content": "x" * 70_000}, "too_long"),
        ({"type": "TEXT", "content": "\ud800"}, "bad_frame"),
        ({"type": "TEXT", "content": "x", "nonce": "n" * 65}, "bad_frame"),
    ],
)
def test_what_would_cost_the_connection_is_refused_here(play: Play, frame: dict[str, Any], code: str) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session() as (session, _):
            with pytest.raises(Rejected) as caught:
                await session.request(frame)
            assert caught.value.code == code

    play(scene)


def test_what_was_missed_is_fetched_in_pages_before_what_comes_live(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session(listed("#lobby", 3)) as (session, line):
            await line.says(event(4))
            assert seqs(await following(session, 1)) == [4]
            line.cut()
            again = await stage.script.line(listed("#lobby", 9))
            await again.says(event(10))  # live, while the gap is still open
            asked = await again.answers(event(5), event(6), more=True)
            assert (asked["after"], asked["limit"]) == (4, 200)
            asked = await again.answers(event(7), event(8), event(9), event(10))
            assert asked["after"] == 6
            assert seqs(await following(session, 6)) == [5, 6, 7, 8, 9, 10]
            await again.says(event(11))
            assert seqs(await following(session, 1)) == [11]

    play(scene)


def test_a_connection_cut_in_the_middle_of_catching_up_goes_on_where_it_was(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session(listed("#lobby", 0)) as (session, line):
            line.cut()
            second = await stage.script.line(listed("#lobby", 4))
            await second.answers(event(1), event(2), more=True)
            await second.hears("HISTORY")
            second.cut()
            third = await stage.script.line(listed("#lobby", 5))
            asked = await third.answers(event(3), event(4), event(5))
            assert asked["after"] == 2
            assert seqs(await following(session, 5)) == [1, 2, 3, 4, 5]

    play(scene)


def test_a_gap_on_a_living_connection_is_filled(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session(listed("#lobby", 0)) as (session, line):
            await line.says(event(1), event(4), event(5))
            asked = await line.answers(event(2), event(3), event(4), event(5))
            assert asked["after"] == 1
            await line.says(event(6))
            assert seqs(await following(session, 6)) == [1, 2, 3, 4, 5, 6]

    play(scene)


def test_a_first_direct_message_while_away_arrives_and_a_room_joined_elsewhere_does_not_replay(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session(listed("#lobby", 0)) as (session, line):
            line.cut()
            again = await stage.script.line(listed("#lobby", 0), listed("bo", 2), listed("#old", 900))
            asked = await again.answers(event(1, "alice"), event(2, "alice"))
            assert (asked["target"], asked["after"]) == ("bo", 0)
            await again.says(event(901, "#old"))
            found = await following(session, 3)
            places = sorted((session.state.filed(each), each["seq"]) for each in found)
            assert places == [("#old", 901), ("bo", 1), ("bo", 2)]

    play(scene)


def test_a_restored_server_voids_what_was_known_but_not_the_outbox(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session(listed("#lobby", 50)) as (session, line):
            sending = asyncio.ensure_future(session.send("#lobby", "kept"))
            nonce = (await line.hears("TEXT"))["nonce"]
            line.cut()
            again = await stage.script.line(listed("#lobby", 20), server={**SERVER, "epoch": "b2"})
            assert (await again.hears("TEXT"))["nonce"] == nonce
            await again.says(event(21, sender="alice", nonce=nonce))
            assert (await sending)["seq"] == 21
            assert seqs(await following(session, 1)) == [21], "nothing was asked for, nothing was skipped"

    play(scene)


def test_waits_double_up_to_a_bound_and_start_over_after_a_steady_connection(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        waits: list[float] = []
        reasons: list[str] = []

        def note(status: Status) -> None:
            if not status.connected:
                waits.append(status.retry_in)
                reasons.append(status.reason)

        async with stage.session() as (session, line):
            session.on_status = note
            line.cut()
            for _ in range(8):
                (await stage.script.line(listed("#lobby", 0))).cut()
            last = await stage.script.line(listed("#lobby", 0))
            while not session.status.connected:
                await asyncio.sleep(0.01)
            stage.clock.time += 11
            last.cut()
            await stage.script.line(listed("#lobby", 0))
            assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 0.5]
            assert all("lost" in reason for reason in reasons)

    play(scene)


def test_jitter_spreads_over_the_upper_half() -> None:
    from alonechat.core.client import Timing

    assert Timing(random=lambda: 0.0).backoff(3) == 2.0
    assert Timing(random=lambda: 1.0).backoff(3) == 4.0
    assert Timing(random=lambda: 1.0).backoff(10_000) == 30.0


@pytest.mark.parametrize(("code", "kind"), [(4401, "unauthorized"), (4403, "forbidden")])
def test_a_sign_in_that_ended_says_why_and_ends_everything(play: Play, code: int, kind: str) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session() as (session, line):
            sending = asyncio.ensure_future(session.send("#lobby", "hello"))
            await line.hears("TEXT")
            await line.close(code, "that is over", kind)
            for waiting in (sending, following(session, 1), session.send("#lobby", "again")):
                with pytest.raises(Rejected, match="that is over") as caught:
                    await waiting
                assert caught.value.code == kind
            assert ("alonechat login alice" in str(caught.value)) == (code == 4401)

    play(scene)


@pytest.mark.parametrize(("code", "kind"), [(4401, "unauthorized"), (4403, "forbidden")])
def test_a_refused_sign_in_is_raised_by_start(play: Play, code: int, kind: str) -> None:
    async def scene(stage: Stage) -> None:
        session = Session(stage.script.account(), timing=stage.clock.timing, patient=True)
        starting = asyncio.ensure_future(session.start())
        await (await stage.script.line()).close(code, "not you", kind)
        with pytest.raises(Rejected, match="not you") as caught:
            await starting
        assert caught.value.code == kind
        assert stage.clock.slept == []

    play(scene)


def test_too_many_connections_are_met_with_a_longer_wait(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        session = Session(stage.script.account(), timing=stage.clock.timing, patient=True)
        starting = asyncio.ensure_future(session.start())
        await (await stage.script.line()).close(4429, "too many connections", "rate_limited")
        await stage.script.line(listed("#lobby", 0))
        await starting
        assert stage.clock.slept == [5.0]
        await session.close()

    play(scene)


def test_nobody_there_is_an_error_at_once_unless_one_is_patient(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        port = stage.script.port
        account = stage.script.account()
        await stage.script.close()
        with pytest.raises(AloneChatError, match="is the server running"):
            await Session(account, timing=stage.clock.timing).start()
        patient = Session(account, timing=stage.clock.timing, patient=True)
        tried = asyncio.Event()
        patient.on_status = lambda status: tried.set()
        starting = asyncio.ensure_future(patient.start())
        await tried.wait()
        await stage.script.open(port)
        await stage.script.line(listed("#lobby", 0))
        await starting
        await patient.close()

    play(scene)


class Keeper:
    """Where another process may put a newer token."""

    def __init__(self, *kept: Account) -> None:
        self.kept = {account.username: account for account in kept}

    def find(self, url: str | None = None, username: str | None = None) -> Account | None:
        return self.kept.get(username or "")

    def update(self, account: Account) -> None:
        self.kept[account.username] = account


def test_a_token_that_another_process_renewed_is_taken_up(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        keeper = Keeper(stage.script.account("token-1"))
        async with stage.session(keeper=keeper) as (session, line):
            keeper.update(stage.script.account("token-2"))
            await line.close(4401, "expired")
            again = await stage.script.line(listed("#lobby", 0))
            assert again.token == "token-2"
            await again.says(event(1))
            assert seqs(await following(session, 1)) == [1]
            assert stage.clock.slept == [], "nothing was lost, so nothing is waited for"

    play(scene)


class Renewals:
    """The REST side of a server, as far as tokens and addresses go."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str]] = []

    async def __aenter__(self) -> Renewals:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        import json

        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ")
            token = next((h.partition("Bearer ")[2] for h in head if h.lower().startswith("authorization")), "")
            self.asked.append((f"{method} {path}", token))
            body = json.dumps(self.answers[path]).encode()
            length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + length.encode() + body)
            await writer.drain()
            writer.close()


def test_a_token_is_traded_in_before_it_ends_and_the_connection_goes_on_with_the_new_one(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        now = stage.clock.time
        old, new = jwt(sub="alice", iat=now, exp=now + 9000), jwt(sub="alice", iat=now + 6000, exp=now + 1e9)
        async with Renewals({"/renew": {"token": new, "expires_at": "2999-01-01T00:00:00Z"}}) as rest:
            account = stage.script.account(old, rest.url)
            keeper = Keeper(account)
            async with stage.session(account=account, keeper=keeper) as (session, line):
                while session.account.token == old:
                    await asyncio.sleep(0.01)
                assert rest.asked == [("POST /renew", old)]
                assert keeper.kept["alice"].token == new
                await line.close(4401, "revoked")  # what the server does 60 s later
                assert (await stage.script.line(listed("#lobby", 0))).token == new

    play(scene)


def test_without_a_keeper_a_token_is_left_alone(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        now = stage.clock.time
        account = stage.script.account(jwt(sub="alice", iat=now - 900, exp=now + 100))
        async with stage.session(account=account) as (session, line):
            await line.says(event(1))
            await following(session, 1)
            assert stage.clock.slept == []

    play(scene)


def test_a_server_that_moved_to_another_port_is_found_again(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with Renewals({"/server": {"ws_url": stage.script.url}}) as rest:
            account = Account(rest.url, "alice", "token-1", "ws://127.0.0.1:1")
            keeper = Keeper(account)
            async with stage.session(account=account, keeper=keeper) as (session, _):
                assert session.status.connected
                assert rest.asked == [("GET /server", "")]
                assert keeper.kept["alice"].ws_url == stage.script.url

    play(scene)


def test_conversations_beyond_welcome_come_over_rest_and_their_events_live(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        answers = {
            "/conversations?before=%23lobby": {"items": [listed("#far", 9, unread=3)], "more": True},
            "/conversations?before=%23far": {"items": [listed("bo", 4)], "more": False},
        }
        async with Renewals(answers) as rest:
            session = Session(stage.script.account(url=rest.url), timing=stage.clock.timing)
            starting = asyncio.ensure_future(session.start())
            line = await stage.script.line(listed("#lobby", 0), more=True)
            await starting
            assert session.partial
            while session.partial:
                await asyncio.sleep(0.01)
            assert session.state.conversations["#far"].unread == 3
            await line.says(event(10, "#far"), event(5, "alice"))
            assert seqs(await following(session, 2)) == [10, 5]
            await session.close()

    play(scene)


def test_close_ends_events_and_cancels_what_waits(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session() as (session, line):
            sending = asyncio.ensure_future(session.send("#lobby", "hello"))
            reading = asyncio.ensure_future(following(session, 1))
            await line.hears("TEXT")
            await session.close()
            assert await reading == []
            with pytest.raises(asyncio.CancelledError):
                await sending
            with pytest.raises(AloneChatError, match="closed"):
                await session.send("#lobby", "too late")

    play(scene)


def test_passing_frames_come_only_where_they_are_asked_for(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session() as (session, line):
            typing = {"type": "TYPING", "sender": "bo", "target": "#lobby"}
            await line.says(typing, event(1), {"type": "NOVEL", "content": "?"}, event(2, type="PIN"), typing)
            assert seqs(await following(session, 2)) == [1, 2], "an unknown event counts its seq"
            async for frame in session.events(passing=True):
                assert frame == typing
                break

    play(scene)


def test_a_server_that_sends_no_welcome_is_not_waited_for_for_ever(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alonechat.core.client.session.PATIENCE", 0.05)

    async def scene(stage: Stage) -> None:
        session = Session(stage.script.account(), timing=stage.clock.timing)
        with pytest.raises(AloneChatError, match="no WELCOME"):
            await session.start()

    play(scene)


def test_history_is_read_in_as_many_pages_as_it_takes(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async with stage.session(listed("#lobby", 500)) as (session, line):
            reading = asyncio.ensure_future(session.history("#lobby", limit=250))
            asked = await line.answers(*map(event, range(301, 501)), more=True)
            assert "before" not in asked and asked["limit"] == 200
            asked = await line.answers(*map(event, range(251, 301)), more=True)
            assert (asked["before"], asked["limit"]) == (301, 50)
            assert seqs(await reading) == list(range(251, 501))

    play(scene)
