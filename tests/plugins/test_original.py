"""The plugin and the hook of the original README, unchanged but for the package's lower-case name."""

from __future__ import annotations

from pathlib import Path

from alonechat.plugins.kept import read_states
from alonechat.testing import serving

PLUGIN = '''
from alonechat.plugins import CommandPluginBase, PluginMetadata

class MyPlugin(CommandPluginBase):
    _metadata = PluginMetadata(name="my_plugin", version="1.0.0", description="My custom plugin",
                               author="Your Name", dependencies=[])
    def initialize(self, context): self.context = context
    def shutdown(self): pass
    def can_handle(self, content: str) -> bool: return content.startswith("/mycommand")
    def execute(self, content: str, sender: str, target: str = None) -> str: return f"Executed: {content}"
'''


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
