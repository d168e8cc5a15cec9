"""The plugin and the hook of the original README, unchanged but for the package's lower-case name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alonechat.plugins.kept import read_states
from alonechat.testing import serving
from tests.journeys.people import People
from tests.journeys.process import ServerProcess

PLUGIN = """
from alonechat.plugins import CommandPluginBase, PluginMetadata

class MyPlugin(CommandPluginBase):
    _metadata = PluginMetadata(name="my_plugin", version="1.0.0", description="My custom plugin",
                               author="Your Name", dependencies=[])
    def initialize(self, context): self.context = context
    def shutdown(self): pass
    def can_handle(self, content: str) -> bool: return content.startswith("/mycommand")
    def execute(self, content: str, sender: str, target: str = None) -> str: return f"Executed: {content}"
"""


def test_the_plugin_runs_from_the_data_directory(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "plugins"
    folder.mkdir(parents=True)
    (folder / "my_plugin.py").write_text(PLUGIN)
    with serving(tmp_path) as server:
        ana, bo = server.person("ana"), server.person("bo")
        event = ana.asks(type="TEXT", content="/mycommand now", nonce="n")
        assert event["type"] == "TEXT", event
        assert (event["content"], event["sender"], event["via"], event["nonce"]) == (
            "Executed: /mycommand now", "ana", "my_plugin", "n",
        )  # fmt: skip
        assert bo.hears("TEXT") == event
        assert ana.asks(type="TEXT", content="/mycommand now", nonce="n") == event, "a resend runs nothing again"
        assert ana.asks(type="TEXT", content="/nothing")["code"] == "not_found"
        states = {name: state for name, _, _, state, _ in read_states(tmp_path / "data")}
        assert states["my_plugin"] == "on"


def test_the_hook_of_the_original(tmp_path: Path) -> None:
    from alonechat.core.server import HookContext, HookPhase

    async def my_hook(ctx: HookContext) -> HookContext:
        ctx.content = ctx.content.upper()
        return ctx

    with serving(tmp_path) as server:
        manager = server.manager
        manager.register_hook(HookPhase.PRE_MESSAGE, my_hook)
        assert server.person("ana").says("quiet")["content"] == "QUIET"


def test_it_runs_beside_the_built_file(start_server: Callable[..., ServerProcess], tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "my_plugin.py").write_text(PLUGIN)
    server = start_server("--data-dir", str(tmp_path))
    with People(server) as people:
        ana, bo = people.connect("ana"), people.connect("bo")
        event = ana.asks(type="TEXT", content="/mycommand now")
        assert (event["content"], event["via"]) == ("Executed: /mycommand now", "my_plugin")
        assert bo.hears("TEXT") == event
        by_rest = people.call(ana, "POST", "/send", json={"content": "/mycommand by REST"})
        assert by_rest.status_code == 201 and by_rest.json()["content"] == "Executed: /mycommand by REST"


def test_an_installed_package_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    about = site / "my_package-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "my_package.py").write_text(PLUGIN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[alonechat.plugins]\nmine = my_package:MyPlugin\n")
    monkeypatch.syspath_prepend(str(site))
    with serving(tmp_path) as server:
        assert server.person("ana").asks(type="TEXT", content="/mycommand")["via"] == "my_plugin"
        assert ("my_plugin", "1.0.0", "entry:mine", "on", "") in read_states(tmp_path / "data")
