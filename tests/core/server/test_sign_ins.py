"""Sign-ins end when their time is over: the clock is moved by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from alonechat.testing import Clock, Person, serving

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


def test_times_never_decrease_when_the_clock_is_put_back(tmp_path: Path) -> None:
    clock = Clock()
    with serving(tmp_path, clock) as server:
        ana = server.person("ana")
        first = ana.says("one")
        clock.forward(-3600)
        second = ana.says("two")
        assert second["timestamp"] >= first["timestamp"] and second["id"] > first["id"]
