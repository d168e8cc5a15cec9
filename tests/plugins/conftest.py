"""A server whose data directory holds the plugins of a test."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from alonechat.testing import Server, serving

HEAD = """
import asyncio, os, time
from alonechat.plugins import CommandPluginBase, HandlerPluginBase, HookPhase, PluginMetadata
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`start(name="source", …, settings="toml")`: a server with these plugin files."""
    with ExitStack() as held:

        def begin(settings: str = "", **sources: str) -> Server:
            folder = tmp_path / "data" / "plugins"
            folder.mkdir(parents=True, exist_ok=True)
            (tmp_path / "data" / "plugins.toml").write_text(settings, "utf-8")
            for name, source in sources.items():
                (folder / f"{name}.py").write_text(HEAD + textwrap.dedent(source), "utf-8")
            return held.enter_context(serving(tmp_path))

        yield begin


def command(name: str, body: str, more: str = "") -> str:
    """The source of a plugin that answers `/NAME` with what `body` does."""
    return f"""
class Plugin(CommandPluginBase):
    _metadata = PluginMetadata({name!r}, "1.0.0"{more})
    def can_handle(self, content): return content.split()[0] == "/{name}"
    def execute(self, content, sender, target=None):
        {body}
"""
