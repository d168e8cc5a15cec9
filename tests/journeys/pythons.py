"""The Pythons of this machine: on PATH, and where pyenv keeps its own."""

from __future__ import annotations

import functools
import os
import re
import subprocess
from pathlib import Path

ASKS = (
    "import sys; print('%d.%d.%d %s' % (sys.version_info[0], sys.version_info[1], sys.version_info[2], sys.executable))"
)


@functools.cache
def pythons() -> dict[tuple[int, int], str]:
    """A CPython of each version that is found, as (major, minor) and its path."""
    places = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    versions = Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser(), "versions")
    places = [*sorted(versions.glob("*/bin"), reverse=True), *(place for place in places if place.name != "shims")]
    found: dict[tuple[int, int], str] = {}
    for place in places:
        if not place.is_dir():
            continue
        for path in sorted(place.iterdir()):
            named = re.fullmatch(r"python(\d)\.?(\d+)?", path.name)
            if named is None or (named[2] and (int(named[1]), int(named[2])) in found):
                continue
            version = _version_of(path)
            if version is not None:
                found.setdefault(version, str(path))
    return found


def _version_of(path: Path) -> tuple[int, int] | None:
    try:
        said = subprocess.run([str(path), "-c", ASKS], capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return None
    parts = re.match(r"(\d+)\.(\d+)\.", said.stdout)
    return (int(parts[1]), int(parts[2])) if parts and said.returncode == 0 else None
