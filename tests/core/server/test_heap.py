"""What the process keeps of the memory that it has let go."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from alonechat.core.server import ring
from tests.core.server.conftest import WAYS

ROOT = Path(__file__).parents[3]
FLUSHES = """
import importlib.util, resource, sys
def flush():
    return len([bytes([at % 256]) * 5600 for at in range(1000)])
def faults():
    flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        flush()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
before = faults()
if sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("alonechat.core.server._pipes", sys.argv[1])
    importlib.util.module_from_spec(spec)
else:
    from alonechat.core.server import ring
    ring.keep_heap()
print(before, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="elsewhere: only glibc has such a setting")
@pytest.mark.parametrize("compiled", [False, *([True] if "pipes" in WAYS else [])])
def test_what_a_flush_to_many_takes_is_kept_for_the_next(compiled: bool, request: pytest.FixtureRequest) -> None:
    library = [str(request.getfixturevalue("c_pipes").__file__)] if compiled else []
    command = [sys.executable, "-c", FLUSHES, *library]
    plain = {name: value for name, value in os.environ.items() if name not in ring._TOLD}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=plain)
    before, after = map(int, done.stdout.split())
    assert after < before / 10, "pages that the system had to find for 5.6 MB ten times"
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env={**plain, "MALLOC_TRIM_THRESHOLD_": "131072"}
    )
    assert int(told.stdout.split()[1]) > before / 2, "whoever runs it has said something else"
