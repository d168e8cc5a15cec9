"""The ways of writing to connections, for the tests that are about what is written."""

from __future__ import annotations

import importlib.util
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

from alonechat.core.server import pipes, straight
from tools.bundle import compiled

SOURCE = Path(pipes.__file__).with_name("_pipes.c")
WAYS = ["transports", "straight", *([] if compiled.obstacle() else ["pipes", "pipes without a ring"])]
"""Pipes are only there where the native file would have them."""
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


def no_ring() -> NoReturn:
    raise OSError("there is none here")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """How servers in this process write: by their transports, by a ring beside them, or by compiled pipes."""
    name = str(request.param)
    fixtures = {"pipes": "c_pipes", "pipes without a ring": "ringless_pipes"}
    found = request.getfixturevalue(fixtures[name]) if name in fixtures else None
    plain = straight.Straight(no_ring) if name == "transports" else straight.Straight()
    monkeypatch.setattr(pipes, "_pipes", found)
    monkeypatch.setattr(pipes, "spread", found.spread if found else plain.spread)
    monkeypatch.setattr(pipes, "scatter", found.scatter if found else plain.scatter)
    yield name
    if plain._ring is not None:
        plain._ring.close()
