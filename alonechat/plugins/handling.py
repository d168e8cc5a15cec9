"""What the command line does with plugins: how they stand, a new one, a check and the test of one."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from alonechat.core import message
from alonechat.core.server.hooks import Hooks
from alonechat.errors import ConfigError, Rejected
from alonechat.plugins import kept
from alonechat.plugins.builtin import BUILT_IN
from alonechat.plugins.contract import NAME
from alonechat.plugins.failing import PluginFailure
from alonechat.plugins.guest import Guest
from alonechat.plugins.manager import FOLDER, is_plugin
from alonechat.plugins.running import Bounds, Facts

_PLUGIN = '''"""/{name}: say what it does in one line."""

from alonechat.plugins import CommandPluginBase, PluginMetadata


class Plugin(CommandPluginBase):
    _metadata = PluginMetadata("{name}", "1.0.0", "/{name} <text>: says it back", author="")

    def can_handle(self, content: str) -> bool:
        return content.split()[0] == "/{name}"

    def execute(self, content: str, sender: str, target: str | None = None) -> str | None:
        return f"{{content.partition(' ')[2]}}, says {{sender}}"
'''
_TEST = '''"""`alonechat plugin test {name}.py` runs this; so does pytest, where alonechat is installed."""

from pathlib import Path

from alonechat.testing import plugged

HERE = Path(__file__).parent


def test_it_answers_in_the_chat(tmp_path):
    with plugged(tmp_path, HERE / "{name}.py") as server:
        ana, bo = server.person("ana"), server.person("bo")
        answer = ana.asks(type="TEXT", content="/{name} hello")
        assert answer["content"] == "hello, says ana"
        assert bo.hears("TEXT") == answer
'''


def states(data: Path) -> list[kept.State]:
    """How each plugin stood when a server last started or changed it; what was switched since says so."""
    off = kept.disabled(data) if data.is_dir() else set()
    known = kept.read_states(data) if data.is_dir() else []
    names = {row[0] for row in known}
    rows = [(*row[:3], "off", "switched off") if row[0] in off and row[3] == "on" else row for row in known]
    folder = data / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if is_plugin(path) and str(path.resolve()) not in {row[2] for row in known}:
            rows.append((path.stem, "", str(path), "new", "no server has started it yet"))
    if not known:
        fresh = [cls._metadata for cls in BUILT_IN if cls._metadata.name not in names]
        rows += [(m.name, m.version, "built in", "off" if m.name in off else "new", "") for m in fresh]
    return sorted(rows)


def switch(data: Path, name: str, on: bool) -> None:
    """Switch a plugin on or off. Raises Rejected when there is none of this name."""
    if name not in {row[0] for row in states(data)}:
        raise Rejected("not_found", f"there is no plugin {name} in {data}: alonechat plugin list names them")
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{data} can't be made: {error.strerror or error}; --data-dir names another one") from None
    kept.switch(data, name, on)


def new(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a plugin and its test into `folder`. Raises ConfigError."""
    if not NAME.fullmatch(name):
        raise ConfigError(f"a plugin's name has 1 to 31 of a-z, 0-9, _ and -, not {name!r}")
    files = folder / f"{name}.py", folder / f"test_{name.replace('-', '_')}.py"
    for path in files:
        if path.exists():
            raise ConfigError(f"{path} stands already: choose another name, or move it away")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(files, (_PLUGIN, _TEST), strict=True):
            path.write_text(text.format(name=name), "utf-8")
    except OSError as error:
        raise ConfigError(f"{folder} can't be written: {error.strerror or error}") from None
    return files


def audited(data: Path) -> list[tuple[str, str, str, str]]:
    """What the moderation plugin noted: time (UTC), who, where, the command."""
    if not (data / kept.FILE).exists():
        return []
    rows = kept.KeyValues(data, "moderation").items("audit:").values()
    return [(message.stamp(int(at * 1000)), who, where or message.LOBBY, what) for at, who, where, what in rows]


class _Nowhere:
    """A server for a plugin that is only looked at: there is nobody."""

    def __init__(self) -> None:
        self.hooks = Hooks()

    def clock(self) -> int:
        return int(time.time() * 1000)

    async def say(self, bot: str, target: str, text: str) -> dict[str, Any]:
        raise Rejected("unavailable", "this is a check: there is no chat")

    async def history(self, bot: str, target: str, limit: int) -> list[dict[str, Any]]:
        return []

    def tell(self, username: str, text: str, target: str = "#lobby") -> None:
        """Nobody hears it."""

    def role(self, username: str) -> str:
        return ""

    async def moderates(self, username: str, target: str) -> bool:
        return False

    def admins(self) -> list[str]:
        return []


def check(path: Path) -> Facts:
    """Load a plugin as a server would, let it begin and end, and give what it says of itself. Raises Rejected with what
    is wrong, file and line."""
    with tempfile.TemporaryDirectory(prefix="alonechat-check-") as data:

        async def look() -> Facts:
            guest = Guest(str(path.resolve()), Path(data), _Nowhere(), Bounds())
            try:
                await guest.load()
                await guest.initialize({})
            finally:
                await guest.shutdown()
            return guest.facts

        try:
            return asyncio.run(look())
        except PluginFailure as failure:
            raise Rejected("invalid", f"{path}: {failure}") from None


def tested(path: Path) -> int:
    """Run the test of a plugin, which `new` writes beside it, with pytest; its exit code. Raises ConfigError."""
    test = path if path.name.startswith("test_") else path.with_name(f"test_{path.stem.replace('-', '_')}.py")
    if not test.is_file():
        raise ConfigError(f"there is no test {test}: name a plugin that has one beside it, or the test itself")
    try:
        import pytest
    except ImportError:
        line = f"{sys.executable} -m pip install pytest"
        raise ConfigError(f"pytest is missing, which runs tests; this line installs it: {line}") from None
    return int(pytest.main(["-q", "-p", "no:cacheprovider", str(test)]))
