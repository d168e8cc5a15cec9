"""The two ways of writing to connections, for the tests that are about what is written."""

from __future__ import annotations

import importlib.util
import subprocess
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

from alonechat.core.server import pipes
from tools.bundle import compiled

SOURCE = Path(pipes.__file__).with_name("_pipes.c")
WAYS = ["transports"] if compiled.obstacle() else ["transports", "pipes", "pipes without a ring"]
"""The others are only there where the native file would have them."""
STRICT = ("-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-missing-field-initializers")


@pytest.fixture(scope="session")
def c_pipes(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The module in C, compiled."""
    return _compiled(tmp_path_factory.mktemp("pipes"))


@pytest.fixture(scope="session")
def ringless_pipes(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The same as where the system has no io_uring, or forbids it."""
    return _compiled(tmp_path_factory.mktemp("ringless"), "-DWITHOUT_RING")


def _compiled(folder: Path, *options: str) -> ModuleType:
    library = folder / f"_pipes{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run(["cc", *STRICT, *options, "-fPIC", "-shared", include, str(SOURCE), "-o", str(library)], check=True)
    spec = importlib.util.spec_from_file_location("alonechat.core.server._pipes", library)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How servers in this process write: by their transports, or by pipes."""
    name = str(request.param)
    fixtures = {"pipes": "c_pipes", "pipes without a ring": "ringless_pipes"}
    found = request.getfixturevalue(fixtures[name]) if name in fixtures else None
    monkeypatch.setattr(pipes, "_pipes", found)
    monkeypatch.setattr(pipes, "spread", found.spread if found else pipes._spread)
    return name
