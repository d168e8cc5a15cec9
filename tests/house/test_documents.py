"""What a person may meet is named in the docs, and what the docs show runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from alonechat.api.table import TABLE as ENDPOINTS
from alonechat.cli import build_app
from alonechat.config import ROWS
from alonechat.core import message
from alonechat.core.server.commands import COMMANDS
from alonechat.core.server.hooks import HookPhase
from alonechat.core.server.metrics import Metrics
from alonechat.core.server.reception import CODES
from alonechat.errors import STATUS
from tests.house.tree import ROOT


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_setting_has_a_line_with_its_variable_and_default(row: object) -> None:
    lines = [line for line in page("OPERATIONS.md").splitlines() if line.startswith(f"| `{row.name}` |")]  # type: ignore[attr-defined]
    assert len(lines) == 1 and f"`{row.variable}`" in lines[0] and row.help in lines[0]  # type: ignore[attr-defined]
    default = row.default_in("production")  # type: ignore[attr-defined]
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        assert f"{default:g}" in lines[0] or str(default) in lines[0]
    elif isinstance(default, str) and default and row.name not in ("database_url", "env"):  # type: ignore[attr-defined]
        assert default in lines[0]


def test_every_hook_phase_command_metric_and_close_code_has_a_line() -> None:
    text = page("WS_SERVER.md")
    names = [f"| `{phase.name}` |" for phase in HookPhase]
    names += [f"`/{command.name}" for command in COMMANDS] + ["`/help"]
    found = re.findall(r"^# HELP (\w+)", Metrics().render().decode(), flags=re.MULTILINE)
    names += [name for name in found if not name.endswith("_created")]  # the library's: when each began to count
    names += [f"| {code} |" for code in CODES.values()]
    assert [name for name in names if name not in text] == []


def test_every_frame_error_and_close_code_is_in_the_protocol() -> None:
    text = page("PROTOCOL.md")
    names = [f"`{kind}`" for kind in (*message.FRAMES, *message.EVENTS) if kind != "AUTH"] + ['"AUTH"']
    names += [f"`{code}`" for code in STATUS if code != "invalid"]  # which is REST's alone
    assert [name for name in names if name not in text] == []


def test_every_endpoint_is_in_the_protocol() -> None:
    text = re.sub(r"\{\w+\}", "{}", page("PROTOCOL.md"))
    paths = {re.sub(r"\{\w+\}", "{}", row.path) for row in ENDPOINTS}
    assert [path for path in sorted(paths) if path not in text] == []


def test_every_command_of_the_command_line_is_in_a_page() -> None:
    text = "".join(path.read_text("utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    commands = typer.main.get_command(build_app(rich=False)).commands  # type: ignore[attr-defined]
    assert [name for name in commands if not re.search(rf"\b{re.escape(name)}\b", text)] == []


def test_the_hook_that_the_page_shows_runs(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", page("WS_SERVER.md"), flags=re.DOTALL)
    assert code
    done = subprocess.run(
        [sys.executable, "-c", code[1]],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "hello"


def test_every_built_in_plugin_and_every_method_of_the_context_is_in_the_page() -> None:
    from alonechat.plugins import PluginContext
    from alonechat.plugins.builtin import BUILT_IN

    text = page("PLUGINS.md")
    names = [f"| {cls._metadata.name} |" for cls in BUILT_IN]
    methods = [name for name in vars(PluginContext) if not name.startswith("_") and name != "close"]
    names += [f"context.{name}(" for name in methods]
    assert [name for name in names if name not in text] == []
