"""A test that is marked `alone` runs while no other does."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.turns import Turns, fcntl

WAITS = """
import sys, time
from pathlib import Path
from tests.turns import Turns
turns, alone, seconds = Turns(Path(sys.argv[1])), sys.argv[2] == "alone", float(sys.argv[3])
with turns.taken(alone):
    print(time.time(), flush=True)
    time.sleep(seconds)
    print(time.time(), flush=True)
"""


def is_free(path: Path) -> bool:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_others_run_together_and_one_alone_after_those_before_and_before_those_after(tmp_path: Path) -> None:
    if fcntl is None:
        pytest.skip("elsewhere: there are no such locks, and all run together")

    def begin(kind: str, seconds: float = 1.0) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", WAITS, str(tmp_path), kind, str(seconds)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])

    def lies(started: subprocess.Popen[str]) -> tuple[float, float]:
        began, ended = started.communicate(timeout=30)[0].split()
        return float(began), float(ended)

    turns = Turns(tmp_path)
    with turns.taken(alone=False):
        beside = begin("beside")
        assert beside.stdout is not None
        began = float(beside.stdout.readline())  # it does not wait for this one
        alone = begin("alone")
        while is_free(tmp_path / "next"):
            time.sleep(0.01)
        after = begin("beside", 0)
        beside.communicate(timeout=30)
        ended = time.time()
    turns.close()
    lone, last = lies(alone), lies(after)
    assert began < ended < lone[0] and lone[1] < last[0]
