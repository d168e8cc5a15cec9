"""`bench`, from the built file: figures from real traffic, a sentence, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alonechat.bench.estimate import Carries, carries, rounded
from alonechat.bench.generator import checked, quantile, room_of
from alonechat.cli import bench


def test_a_short_run_of_the_built_file_counts_what_is_delivered(pyz: Path, tmp_path: Path) -> None:
    env = {**os.environ, "ALONECHAT_PORT": "1", "ALONECHAT_MAX_CONTENT": "5", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(pyz), "bench", "--seconds", "0.3", "--json"],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done
    found = json.loads(done.stdout)
    for name in ("room", "rooms", "steady", "serial"):
        assert found[name]["dps"] > 100 and found[name]["lost"] == found[name]["dead"] == 0, found[name]
        assert 0 < found[name]["p50_us"] <= found[name]["p99_us"]
    assert found["room"]["heard"] > 100 and found["room"]["wrong"] == 0
    assert 15_000 < found["steady"]["dps"] < 25_000
    assert found["commits_s"] > 10
    assert sys.platform == "win32" or found["peak_bytes"] > found["start_bytes"] > 1 << 20  # which isn't asked for it
    assert found["carries"]["people"] > 0 and f"{found['carries']['people']:,} people" in found["carries"]["sentence"]
    assert len(bench.lines(found)) == 8 and list(tmp_path.iterdir()) == [], "nothing is left behind"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere: Linux lists a process's children")
@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_ends_it_ends_its_server(pyz: Path, tmp_path: Path, sign: int, code: int) -> None:
    process = subprocess.Popen(
        [sys.executable, str(pyz), "bench"], env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    children, until = Path(f"/proc/{process.pid}/task/{process.pid}/children"), time.monotonic() + 30
    while not (began := children.read_text().split()) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(sign)
    said, _ = process.communicate(timeout=30)
    assert (process.returncode, said) == (code, b"") and began
    assert [pid for pid in began if Path(f"/proc/{pid}").exists()] == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", ["0", "31", "x", "nan"])
def test_wrong_lengths_are_said(inside: object, seconds: str) -> None:
    said = inside.fails("bench", "--seconds", seconds, code=2)  # type: ignore[attr-defined]
    assert "--seconds" in said and seconds in said


def test_what_ends_first_is_named() -> None:
    assert carries(4000, None, None, None) == Carries(60_000, "processor")
    assert carries(4000, 20_480, 100 << 20, None) == Carries(2500, "memory")
    assert carries(4000, 20_480, 8 << 30, 1024) == Carries(920, "files")
    assert "about 920 people" in Carries(920, "files").sentence() and "open files" in Carries(920, "files").sentence()
    assert [rounded(each) for each in (0.5, 7, 99.9, 123, 98_765)] == [0, 7, 99, 120, 98_000]


def test_members_are_spread_evenly_over_rooms() -> None:
    sizes = [sum(room == room_of(m, slot, 25, 5) for m in range(500) for slot in range(5)) for room in range(25)]
    assert set(sizes) == {100}
    assert all(len({room_of(member, slot, 25, 5) for slot in range(5)}) == 5 for member in range(500))


def test_a_gap_a_copy_and_a_wrong_order_are_found() -> None:
    def heard(*seqs: int) -> dict[str, int]:
        frames = [b'\x81\x7e{"type":"TEXT","target":"#r","content":"~#","seq":%d}' % seq for seq in seqs]
        return checked(b"rest of one" + b"".join(frames) + b'{"type":"TEXT","tar')

    assert heard(7, 8, 9) == {"heard": 3, "wrong": 0}
    assert [heard(*seqs)["wrong"] for seqs in [(7, 9), (7, 7), (7, 8, 10, 9)]] == [1, 1, 2]
    assert [quantile([1, 2, 3, 4], share) for share in (0, 0.5, 1)] == [1, 3, 4] and quantile([], 0.5) == 0
