"""HTTP as no library writes it, to the universal file; `tests/journeys/test_native_file.py` has the native one."""

from __future__ import annotations

import pytest

from tests.journeys import wire

from .conftest import Server


@pytest.mark.parametrize("case", wire.CASES)
def test_odd_requests_are_answered(server: Server, case: str) -> None:
    sent, expected = wire.CASES[case]
    assert wire.status(server.api_port, sent) in expected


@pytest.mark.parametrize("case", wire.ENDLESS)
def test_a_head_has_an_end(server: Server, case: str) -> None:
    assert wire.pours(server.api_port, wire.ENDLESS[case]) < 32 << 20, "what the sockets hold, and no more"
    assert wire.status(server.api_port, wire.CASES["version 1.0"][0]) == b"200"


def test_two_requests_in_one_piece_and_a_body_that_waits(server: Server) -> None:
    assert wire.both(server.api_port).count(b"HTTP/1.1 200") == 2
    assert wire.waits(server.api_port) == [b"100", b"401"]
