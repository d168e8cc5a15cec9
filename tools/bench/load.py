"""The load: the generator in C (`fanout.c`), compiled once, else the slower one in Python, and what it prints."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from alonechat.bench import generator as python
from tools.bench import machine
from tools.bench.place import LOAD_CORE, Bench, pinned

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
AGAIN: Final = 2
"""How many more times a load is put on, at most, while others took too much of the cores in too many windows."""


@dataclass(frozen=True, slots=True)
class Load:
    """`members` connections, `senders` of them with `flight` messages of 100 bytes each unanswered, or `rate` messages
    a second in all; with `rooms`, each connection is in `per` of them."""

    members: int
    senders: int = 1
    flight: int = 1
    rate: float = 0
    rooms: int = 1
    per: int = 1
    windows: int = 3
    seconds: float = 3


def generator() -> Path | None:
    """The generator in C. None where there is no compiler: then `alonechat/bench/generator.py` does its work."""
    return compiled(ROOT / "build" / "bench")


def compiled(folder: Path) -> Path | None:
    """The generator in C, compiled into `folder`; None where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    binary = folder / "fanout"
    if not binary.exists() or binary.stat().st_mtime < (HERE / "fanout.c").stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O3", "-march=native", "-o", str(binary), str(HERE / "fanout.c")], check=True)
    return binary


def script(bench: Bench, load: Load) -> str:
    """How a connection signs in and what it says."""
    if bench.tokens is None:
        room = "{rj:JOIN #r{r}\\r\\n}" if load.rooms > 1 else "JOIN #a\\r\\n"
        wait = "366 u{i} #r{rl} " if load.rooms > 1 else " 366 "
        to = "#r{r}" if load.rooms > 1 else "#a"
        return (
            "noecho\nsend NICK u{i}\\r\\nUSER u{i} 0 * :x\\r\\n\nwait  376 | 422 \n"
            f"send {room}\nwait {wait}\nmsg PRIVMSG {to} :{{m}}\\r\\n"
        )
    to = ',"target":"#r{r}"' if load.rooms > 1 else ""
    return f'ws /?token={{t}}\nwait "WELCOME"\nwsmsg {{"type":"TEXT"{to},"content":"{{m}}"}}\n'


def room_of(connection: int, slot: int, load: Load) -> int:
    """The generators' own spread of connections over rooms: members / rooms * per in each."""
    return python.room_of(connection, slot, load.rooms, load.per)


def command(binary: Path | None, bench: Bench, load: Load, folder: Path) -> list[str]:
    """How the generator is called."""
    if binary is None:
        return [sys.executable, "-m", "alonechat.bench.generator"]
    path = folder / "script"
    path.write_text(script(bench, load))
    phase = f"rate:{load.seconds:g}:{load.rate:g}" if load.rate else f"sat:{load.seconds:g}"
    found = [str(binary), "-p", str(bench.port), "-P", str(bench.pid), "-n", str(load.members), "-f", str(path)]
    found += ["-s", str(load.senders), "-w", str(load.flight), "-m", ",".join([phase] * load.windows)]
    found += ["-R", str(load.rooms), "-K", str(load.per)] if load.rooms > 1 else []
    return found + (["-T", str(bench.tokens)] if bench.tokens else [])


def job(bench: Bench, load: Load) -> bytes:
    """The same for the generator in Python, which reads it from standard input."""
    kind = "rate" if load.rate else "sat"
    phase = python.Phase(kind, load.seconds, load.senders, load.flight, load.rate, load.rooms)
    rooms = load.rooms if load.rooms > 1 else 0
    tokens = bench.signed_in()[: load.members]
    given = python.Job(bench.port, tokens, bench.pid, rooms, load.per, join=False, phases=[phase] * load.windows)
    return json.dumps(asdict(given)).encode()


@contextmanager
def running(binary: Path | None, bench: Bench, load: Load, folder: Path) -> Iterator[subprocess.Popen[Any]]:
    """The load beside something else; at the end it is cut off, whatever is still on its way."""
    with (folder / "generated").open("wb") as out:
        process = subprocess.Popen(
            command(binary, bench, load, folder), stdin=subprocess.PIPE, stdout=out, stderr=out, cwd=ROOT,
            preexec_fn=pinned(LOAD_CORE),
        )  # fmt: skip
        assert process.stdin is not None
        try:
            with process.stdin as given:
                given.write(job(bench, load) if binary is None else b"")
            yield process
        finally:
            process.kill()
            process.wait()


def run(binary: Path | None, bench: Bench, load: Load, folder: Path, again: int = AGAIN) -> dict[str, Any]:
    """The medians of the windows of one load. Windows in which other machines took `machine.MUCH` of the cores are
    measured again, `again` times at most; where that is of no use, those are taken in which they took least.
    `left_out`: how many were not."""
    windows: list[dict[str, Any]] = []
    for _ in range(1 + again):
        windows += _windows(binary, bench, load, folder)
        if sum(each["others_pct"] < machine.MUCH for each in windows) >= load.windows:
            break
    kept = sorted(windows, key=lambda each: float(each["others_pct"]))[: load.windows]
    found = {key: median(each[key] for each in kept) for key in kept[0] if isinstance(kept[0][key], int | float)}
    return {**found, "windows": kept, "left_out": len(windows) - len(kept)}


def _windows(binary: Path | None, bench: Bench, load: Load, folder: Path) -> list[dict[str, Any]]:
    """What the generator says of each window, and under `others_pct` what other machines took of the cores in it."""
    windows, others = [], machine.Others()
    given = job(bench, load) if binary is None else b""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command(binary, bench, load, folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, cwd=ROOT,
            preexec_fn=pinned(LOAD_CORE),
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        limit = threading.Timer(300, process.kill)
        limit.start()
        try:
            with process.stdin as told:
                told.write(given)
            for line in process.stdout:
                if line.startswith(b"{"):
                    windows.append({**json.loads(line), "others_pct": others.percent()})
                    others = machine.Others()
            process.wait()
        finally:
            limit.cancel()
            process.kill()
            process.wait()
            process.stdout.close()
        windows = [each for each in windows if each["phase"] in ("sat", "rate")]
        if process.returncode or len(windows) < load.windows:
            said.seek(0)
            raise SystemExit(f"the generator failed on {bench.name}: {said.read().decode(errors='replace')[-500:]}")
    return windows


def welcomed(binary: Path | None, bench: Bench, members: int, folder: Path, at_once: bool) -> dict[str, Any]:
    """How long it takes until `members` connections have their WELCOME: opened all at once, or 64 at a time."""
    return _phase(binary, bench, members, folder, "login", *(["-A"] if at_once else []))


def idle(
    binary: Path | None, bench: Bench, members: int, folder: Path, rest: float = 3, counted: float = 10
) -> dict[str, Any]:
    """Memory of connections that say nothing, and the processor time of `counted` seconds, after `rest` seconds."""
    return _phase(binary, bench, members, folder, f"idle:{rest:g}:{counted:g}")


def _phase(binary: Path | None, bench: Bench, members: int, folder: Path, phase: str, *more: str) -> dict[str, Any]:
    """What the generator says of connections that say nothing."""
    if binary is None:
        raise SystemExit("this row needs the generator in C: install a compiler (apt-get install gcc libc6-dev)")
    path = folder / "script"
    path.write_text(script(bench, Load(members)))
    run = [str(binary), "-p", str(bench.port), "-P", str(bench.pid), "-n", str(members), "-f", str(path)]
    run += ["-T", str(bench.tokens)] if bench.tokens else []
    done = subprocess.run(
        [*run, "-m", phase, *more], capture_output=True, text=True, timeout=300, preexec_fn=pinned(LOAD_CORE)
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise SystemExit(f"the generator failed on {bench.name}: {done.stderr[-500:]}")
    found: dict[str, Any] = lines[0]
    return found
