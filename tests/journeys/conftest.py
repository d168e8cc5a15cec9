"""One server of the built file for the tests that need none of their own, and people who talk to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.people import People
from tests.journeys.process import ServerProcess

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared(pyz: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server without a message rate, for the whole run: tests use names of their own."""
    env = {"ALONECHAT_RATE_MESSAGES": "0", "ALONECHAT_RATE_LOGINS": "0"}
    server = ServerProcess(pyz, tmp_path_factory.mktemp("shared"), env=env)
    server.start()
    yield server
    server.end()


@pytest.fixture
def people(shared: ServerProcess) -> Iterator[People]:
    """Who talks to the shared server."""
    with People(shared) as found:
        yield found


@pytest.fixture
def name() -> Callable[[str], str]:
    """`name("ana")`: a name that no other test uses."""

    def make(stem: str) -> str:
        return f"{stem}{next(_numbers)}"

    return make
