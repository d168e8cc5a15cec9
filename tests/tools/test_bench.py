"""The bench measures a real server and says what it lacks."""

from __future__ import annotations

import collections
import shutil
import sys
from pathlib import Path

import pytest

from tools.bench import load, place
from tools.bench.__main__ import check
from tools.bench.load import Load

posix = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the generator needs Linux")


def test_rooms_are_spread_evenly() -> None:
    wanted = Load(1000, rooms=100, per=10)
    members = collections.Counter(load.room_of(number, slot, wanted) for number in range(1000) for slot in range(10))
    assert sorted(members) == list(range(100)) and set(members.values()) == {100}


@posix
def test_a_short_run_counts_every_delivery(pyz: Path, tmp_path: Path) -> None:
    if shutil.which("cc") is None and shutil.which("gcc") is None and shutil.which("clang") is None:
        with pytest.raises(SystemExit, match="install a compiler"):
            load.compiled(tmp_path)
        return
    binary = load.compiled(tmp_path)
    wanted = Load(5, senders=2, rate=50, windows=1, seconds=0.5)
    with place.alonechat(pyz, tmp_path / "place", 5) as bench:
        found = load.run(binary, bench, wanted, tmp_path)
        assert bench.resident() > 1 << 20 and bench.cpu() > 0
    assert found["lost"] == 0 and found["dps"] > 0 and found["p99_us"] > 0
    with pytest.raises(FileNotFoundError):
        bench.cpu()


@posix
def test_a_member_checks_what_arrives(pyz: Path, tmp_path: Path) -> None:
    if shutil.which("cc") is None and shutil.which("gcc") is None and shutil.which("clang") is None:
        return
    tmp_path.mkdir(exist_ok=True)
    found = check("universal", tmp_path, seconds=1)
    assert found["heard"] > 100 and found["wrong"] == []
