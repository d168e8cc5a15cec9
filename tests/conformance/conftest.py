"""Every kind of store, opened in a directory of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.kept import Clock, Kept


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kept(tmp_path: Path, clock: Clock) -> Iterator[Kept]:
    """A store with alice, bob and carol."""
    found = Kept(f"sqlite:///{tmp_path}/data/alonechat.db", clock)
    found.people("alice", "bob", "carol")
    yield found
    found.store.close()
