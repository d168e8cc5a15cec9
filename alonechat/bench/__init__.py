"""`alonechat bench`: what this box carries, measured in less than a minute with nothing but the file itself."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import alonechat
from alonechat.bench import place
from alonechat.bench.estimate import MEMBERS, carries
from alonechat.bench.generator import Job, Phase

__all__ = ["PEOPLE", "measure"]

PEOPLE, ROOMS, PER = 500, 25, 5
"""Members, rooms, and how many of the rooms each member is in: a hundred in a room."""
STEADY = 20_000
"""Deliveries a second of the measurement that says how long a message takes."""
Progress = Callable[[str, float], None]


def measure(seconds: float, progress: Progress, people: int = PEOPLE) -> dict[str, Any]:
    """Measure with windows of so many seconds. `progress(what, share)` hears how far it is, from 0 to 1. Raises
    AloneChatError when something doesn't start."""
    from alonechat.app import raise_limits

    raise_limits()
    with tempfile.TemporaryDirectory(prefix="alonechat-bench-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        progress("the disk", 0.0)
        found: dict[str, Any] = {"machine": _machine(), "commits_s": place.commits(folder, min(seconds, 1.0))}
        progress("starting a server", 0.03)
        with place.serving(folder, people) as server:
            found.update(_under_load(server, seconds, progress, folder))
    answer = carries(found["rooms"]["mps"], found["connection_bytes"], place.free_memory(), _files())
    progress("done", 1.0)
    return {**found, "carries": {**asdict(answer), "sentence": answer.sentence()}}


def _under_load(server: place.Place, seconds: float, progress: Progress, folder: Path) -> dict[str, Any]:
    """Figures of the phases by name, and the server's memory before and after each."""
    rest = place.resident(server.pid)
    people, scale = len(server.tokens), len(server.tokens) / PEOPLE
    senders = max(1, min(50, people // 10))
    warm = min(0.5, seconds / 2)
    phases = {
        "room": Phase("sat", seconds, senders, warm=warm),
        "rooms": Phase("sat", seconds, senders, rooms=ROOMS, warm=warm),
        "steady": Phase("rate", seconds, senders, rate=STEADY / MEMBERS / max(scale, 0.01), warm=warm),
        "serial": Phase("sat", seconds, 1, 1, warm=warm),
    }
    job = Job(server.port, server.tokens, server.pid, ROOMS, PER, phases=list(phases.values()))
    found: dict[str, Any] = {"start_bytes": rest}
    names, step = iter(phases), 0.9 / (len(phases) + 1)
    done, peak = 0.05, rest or 0
    for line in place.generated(job, folder):
        peak = max(peak, place.resident(server.pid) or 0)
        if line["phase"] == "at":
            progress(line["what"], done + step * line["share"])
            continue
        done += step
        if line["phase"] == "signed in":
            found["sign_in_s"], held = line["login_s"], place.resident(server.pid)
            found["connection_bytes"] = (held - rest) / people if held and rest else None
        else:
            found[next(names)] = line
    return {**found, "peak_bytes": peak or None}


def _files() -> int | None:
    """How many connections the files that a server may have open here are enough for."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return None
    from alonechat.app import connections_of

    return connections_of(resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def _machine() -> dict[str, Any]:
    return {
        "version": alonechat.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "loop": "uvloop" if _has("uvloop") else "asyncio",
    }


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None
