"""Sign-ins end when their time is over, and connections when nobody is there: the clocks are moved by hand."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from alonechat.core.server import accounts
from alonechat.errors import Rejected
from alonechat.testing import PASSWORD, Clock, Person, serving

DAY = 86_400


def test_a_connection_ends_with_its_token(tmp_path: Path) -> None:
    clock = Clock()
    with serving(tmp_path, clock, token_days=30) as server:
        ana = server.person("ana")
        clock.forward(29 * DAY)
        assert ana.says("still in")["timestamp"].startswith("2026-01-30")
        clock.forward(2 * DAY)
        assert ana.closed() == 4401
        with pytest.raises(AssertionError, match="expired"):
            Person(server.ws_url, "ana", ana.token)
        assert server.person("ana").says("in again")


def test_who_ends_a_sign_in_is_stronger_than_who_renews_it_all_the_time(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.register("ana")
        stolen, auth = server.token("ana"), server.manager.auth

        async def race() -> None:
            identity = await auth.verify(stolen)  # a request of the thief is under way
            assert await auth.end("ana", identity.session_id)
            await auth.renew(identity, "")

        with pytest.raises(Rejected) as refused:
            server.do(race)
        assert refused.value.code == "unauthorized"
        assert server.manager.store.sessions("ana") == []


def test_times_never_decrease_when_the_clock_is_put_back(tmp_path: Path) -> None:
    clock = Clock()
    with serving(tmp_path, clock) as server:
        ana = server.person("ana")
        first = ana.says("one")
        clock.forward(-3600)
        second = ana.says("two")
        assert second["timestamp"] >= first["timestamp"] and second["id"] > first["id"]


def test_each_connection_ends_with_its_own_token_and_a_renewed_one_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    with serving(tmp_path, clock, token_days=30) as server:
        ana, cy = server.person("ana"), server.person("cy")
        clock.forward(10 * DAY)
        bo = server.person("bo")
        renewed = httpx.post(f"{server.url}/renew", headers={"Authorization": f"Bearer {cy.token}"}, trust_env=False)
        assert renewed.status_code == 200
        clock.forward(21 * DAY)
        assert ana.closed() == 4401
        assert bo.says("ten days left")["seq"] and cy.says("renewed")["seq"]
        clock.forward(10 * DAY)
        assert bo.closed() == 4401 and cy.closed() == 4401


def test_each_connection_is_cut_when_it_was_silent_for_two_heartbeats_itself(tmp_path: Path) -> None:
    with serving(tmp_path, heartbeat=30) as server:
        reception = server.manager.reception
        parts, began, ahead = reception._parts, reception._parts.now(), 0.0
        parts.now = lambda: began + ahead

        def there() -> set[str]:
            return {each.username for each in reception.connections}

        def silent(name: str) -> Person:
            found = server.person(name)
            found.ws.protocol.receive_data = lambda data: None  # type: ignore[method-assign]  # answers no ping
            return found

        async def tick() -> None:
            reception.look_around(0)

        def after(seconds: float) -> None:
            """Time passes, a second at a time as the server's clock ticks."""
            nonlocal ahead
            for _ in range(round(seconds)):
                ahead += 1.0
                server.do(tick)
                if ahead % 10 == 0:
                    live.asks(type="HEARTBEAT")

        live = server.person("live")
        silent("ana")
        after(25)
        silent("bo")
        after(30)
        assert there() == {"live", "ana", "bo"}
        after(10)
        assert there() == {"live", "bo"}
        after(15)
        assert there() == {"live", "bo"}
        after(10)
        assert there() == {"live"}
        assert live.says("still here")["seq"]


def test_a_token_that_was_seen_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its signature is known; whether it holds is asked anew, and what is like it is another one."""
    monkeypatch.setattr(accounts, "TOKENS", 3)
    clock = Clock()
    with serving(tmp_path, clock, token_days=30) as server:

        def status(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return httpx.get(f"{server.url}/me", headers=headers, trust_env=False).status_code

        server.register("ana")
        tokens = [server.token("ana") for _ in range(5)]
        assert [status(token) for token in tokens * 2] == [200] * 10
        assert len(server.manager.auth._read) <= 3, "there is an end to what is kept"
        head, body, signed = tokens[4].split(".")
        for forged in (f"{head}.{body}.{signed[::-1]}", f"{head}.{body}.", f"{head}.{body[::-1]}.{signed}"):
            assert status(forged) == 401
        headers = {"Authorization": f"Bearer {tokens[4]}"}
        assert httpx.post(f"{server.url}/logout", headers=headers, trust_env=False).status_code == 200
        assert [status(tokens[4]), status(tokens[3])] == [401, 200]
        clock.forward(31 * DAY)
        assert status(tokens[3]) == 401


def test_nobody_is_shown_as_somebody_with_a_higher_role(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        boss, ana, bo = server.person("boss", "admin"), server.person("ana"), server.person("bo")
        assert boss.asks(type="TEXT", content="/nick 王芳")["type"] != "ERROR"
        refused = ana.asks(type="TEXT", content="/nick 王芳")
        assert refused["code"] == "conflict" and "a moderator or admin" in refused["content"]
        assert ana.asks(type="TEXT", content="/nick 李雷")["type"] != "ERROR"
        assert bo.asks(type="TEXT", content="/nick 李雷")["type"] != "ERROR", "people do share names"
        assert boss.asks(type="TEXT", content="/nick 李雷")["type"] != "ERROR"
        taken = {"username": "eve", "password": PASSWORD, "display_name": "李雷"}
        assert httpx.post(f"{server.url}/register", json=taken, trust_env=False).status_code == 409
        assert httpx.post(f"{server.url}/register", json={**taken, "display_name": "Eve"}, trust_env=False).is_success


def test_who_is_there_learns_how_a_newcomer_is_shown(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        ana = server.person("ana")
        wanted = {"username": "jie", "password": PASSWORD, "display_name": "周杰同学"}
        assert httpx.post(f"{server.url}/register", json=wanted, trust_env=False).status_code == 201
        assert ana.hears("USER")["user"] == {"username": "jie", "display_name": "周杰同学", "role": "member"}
