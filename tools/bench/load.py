"""The load: the generator in C (`fanout.c`), compiled once, and what it prints."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tools.bench.place import LOAD_CORE, Bench, pinned

HERE = Path(__file__).parent


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


def compiled(folder: Path) -> Path:
    """The generator. Exits with a sentence where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("the load generator is written in C: install a compiler (apt-get install gcc libc6-dev)")
    binary = folder / "fanout"
    if not binary.exists():
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
    """The generator's own spread of connections over rooms: members / rooms * per in each."""
    group = load.rooms // load.per
    by = connection // group
    return slot * group + (connection + by * slot + by // group * slot * slot) % group


def run(binary: Path, bench: Bench, load: Load, folder: Path) -> dict[str, Any]:
    """The medians of the windows of one load."""
    path = folder / "script"
    path.write_text(script(bench, load))
    phase = f"rate:{load.seconds:g}:{load.rate:g}" if load.rate else f"sat:{load.seconds:g}"
    command = [str(binary), "-p", str(bench.port), "-P", str(bench.pid), "-n", str(load.members), "-f", str(path)]
    command += ["-s", str(load.senders), "-w", str(load.flight), "-m", ",".join([phase] * load.windows)]
    command += ["-R", str(load.rooms), "-K", str(load.per)] if load.rooms > 1 else []
    command += ["-T", str(bench.tokens)] if bench.tokens else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, preexec_fn=pinned(LOAD_CORE))
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(lines) < load.windows:
        raise SystemExit(f"the generator failed on {bench.name}: {done.stderr[-500:]} {done.stdout[-500:]}")
    found = {key: median(line[key] for line in lines) for key in lines[0] if isinstance(lines[0][key], int | float)}
    return {**found, "windows": lines}


def idle(binary: Path, bench: Bench, members: int, folder: Path) -> dict[str, Any]:
    """Memory and processor time of connections that say nothing."""
    path = folder / "script"
    path.write_text(script(bench, Load(members)))
    command = [str(binary), "-p", str(bench.port), "-P", str(bench.pid), "-n", str(members), "-f", str(path)]
    command += ["-T", str(bench.tokens)] if bench.tokens else []
    done = subprocess.run([*command, "-m", "idle:3"], capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise SystemExit(f"the generator failed on {bench.name}: {done.stderr[-500:]}")
    found: dict[str, Any] = lines[0]
    return found
