"""A server of the built file as the journeys handle it: killed, started again, stopped."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable

import httpx
import pytest

from tests.journeys.process import ServerProcess


def answers(server: ServerProcess) -> bool:
    """Whether it says that it can serve."""
    return httpx.get(f"{server.rest_url}/ready", trust_env=False, timeout=10).status_code == 200


def test_it_comes_back_on_the_same_ports_and_data_after_a_kill(server: ServerProcess) -> None:
    before, identity = server.pid, httpx.get(f"{server.rest_url}/server", trust_env=False).json()["id"]
    addresses = server.ws_url, server.rest_url
    server.kill9()
    server.restart()
    assert server.pid != before and addresses == (server.ws_url, server.rest_url)
    assert answers(server)
    assert httpx.get(f"{server.rest_url}/server", trust_env=False).json()["id"] == identity


@pytest.mark.skipif(os.name == "nt", reason="elsewhere: signals to another process")
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_0_when_it_is_asked_to(server: ServerProcess, sign: signal.Signals) -> None:
    assert answers(server)
    assert server.stop(sign) == 0
    with socket.socket() as asked:
        assert asked.connect_ex(("127.0.0.1", server.ws_port)) != 0


def test_without_rest_there_is_one_address(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server(command="srv-only")
    assert (server.rest_url, server.rest_port) == ("", 0)
    with socket.create_connection(("127.0.0.1", server.ws_port), 10):
        pass


def test_a_server_that_cannot_start_fails_with_what_it_said(start_server: Callable[..., ServerProcess]) -> None:
    with pytest.raises(AssertionError, match=r"exit code 2; it said:\n.*--rate-burst.*many"):
        start_server("--rate-burst", "many")
