"""`devices`: one's sign-ins, listed and ended, as people and scripts use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat.core.client import Account, Accounts
from alonechat.testing import PASSWORD, Server, serving
from tests.cli.shell import Own


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, rate_logins=1000) as running:
        yield running


def signed_in(server: Server, place: Path, name: str = "ana") -> Own:
    """The command line of somebody, who signed in there with it."""
    place.mkdir()
    server.register(name)
    own = Own(place)
    port = server.url.rpartition(":")[2]
    own.ok("login", name, "--api-host", "127.0.0.1", "--api-port", port, stdin=f"{PASSWORD}\n")
    return own


def listed(own: Own) -> list[list[str]]:
    return [line.split("\t") for line in own.ok("devices", "list").splitlines()]


def test_they_are_listed_and_one_is_ended(server: Server, tmp_path: Path) -> None:
    lost, own = signed_in(server, tmp_path / "lost"), signed_in(server, tmp_path / "own")
    mine, other = listed(own)
    assert (mine[3], other[3]) == ("this one", "") and mine[1].endswith(" UTC")
    assert mine[2] == other[2] and " · " in mine[2], "our clients say system and machine"
    said = own.fails("devices", "end", other[0], "nonsense", code=1)
    assert said == "you have no sign-in 'nonsense'; alonechat devices list shows those that there are"
    lost.ok("send", "#lobby", "still here")  # of two, none was ended where one is wrong
    assert own.ok("devices", "end", other[0][:9], other[0]) == "ended\n"  # a beginning will do
    assert "sign in again" in lost.fails("send", "#lobby", "gone", code=1)
    assert listed(own) == [mine]


def test_ones_own_is_ended_last_and_said(server: Server, tmp_path: Path) -> None:
    lost, own = signed_in(server, tmp_path / "lost"), signed_in(server, tmp_path / "own")
    mine, other = listed(own)
    said = own.ok("devices", "end", mine[0], other[0])
    assert said == "ended; this one was it: sign in again with alonechat login ana\n"
    for each in (lost, own):
        assert "sign in again" in each.fails("devices", "list", code=1)


def test_an_id_that_begins_with_a_dash_is_no_option(server: Server, tmp_path: Path) -> None:
    own = signed_in(server, tmp_path / "own")
    assert own.fails("devices", "end", "-qfAVJBKn", code=1).startswith("you have no sign-in '-qfAVJBKn'")
    assert own.fails("devices", "end", "", code=1).startswith("you have no sign-in ''")


def test_all_others_are_ended(server: Server, tmp_path: Path) -> None:
    own = signed_in(server, tmp_path / "own")
    Accounts(tmp_path / "alonechat" / "accounts.json").save(
        Account(server.url, "ana", server.token("ana"), server.ws_url)
    )
    elsewhere = Own(tmp_path)
    others = len(listed(own)) - 1
    assert others >= 1 and own.ok("devices", "end-others") == f"{others} ended\n"
    assert "sign in again" in elsewhere.fails("send", "#lobby", "gone", code=1)
    assert own.ok("devices", "end-others") == "there was no other one\n"
    assert len(listed(own)) == 1
    own.ok("send", "#lobby", "here")
