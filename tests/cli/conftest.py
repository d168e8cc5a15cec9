"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import Inside, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """The command line in an empty directory."""
    return Shell(tmp_path)


@pytest.fixture
def inside(tmp_path: Path) -> Inside:
    """The same within this process, for many commands in a row."""
    return Inside(tmp_path)
