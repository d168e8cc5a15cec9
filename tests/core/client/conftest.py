"""Scenes between a session and a server that follows a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.core.client.scripted import Scene, play


@pytest.fixture(name="play")
def played() -> Callable[[Scene], None]:
    """Plays a scene to its end."""
    return lambda scene: asyncio.run(play(scene))
