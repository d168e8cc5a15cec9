"""`python -m tools.bench.plugins`: the echo beside bad plugins and without any, side by side, from the built file."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from websockets.sync.client import connect

from tools.bench import place

ROOT = Path(__file__).resolve().parents[2]
HANDLER = """
import os, time
{pin}
from alonechat.plugins import HandlerPluginBase, HookPhase, PluginMetadata

class Plugin(HandlerPluginBase):
    _metadata = PluginMetadata("{name}")
    phases = (HookPhase.POST_MESSAGE,)
    def handle(self, context):
        {body}
"""
GOOD = "self.seen = getattr(self, 'seen', 0) + len(context.content)"
BAD = {
    "loops": "while True: pass",
    "eats": "x = [bytearray(1 << 28) for _ in range(20)]",
    "exits": "os._exit(7)",
    "raises": "raise RuntimeError('no')",
    "prints": "print('noise ' * 1000)",
    "floods": "[self.context.send('#lobby', 'flood') for _ in range(500)]",
}
KINDS: dict[str, dict[str, str]] = {
    "none": {}, "good": {"good": GOOD}, "six good": {f"good{number}": GOOD for number in range(6)},
    **{name: {name: body} for name, body in BAD.items()}, "all at once": BAD,
}  # fmt: skip
OTHERS_MAY = 0.08
"""Of a core, kernel threads included."""
OTHERS = ("cost", "answers", "answers-busy")
COST = """
import os, pathlib, time
from alonechat.plugins import CommandPluginBase, PluginMetadata

class Plugin(CommandPluginBase):
    _metadata = PluginMetadata("cost")
    def initialize(self, context):
        began = int(pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        took = time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")
        held = int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        (context.data / "cost").write_text(f"{took} {held}")
    def can_handle(self, content): return content.startswith("/cost")
    def execute(self, content, sender, target=None): return "here"
"""


def echoes(url: str, seconds: float, texts: str = "message") -> list[float]:
    """Seconds from each message to its echo, sorted; one in flight."""
    took = []
    with connect(url, proxy=None, max_size=None) as ws:
        ws.recv()
        until = time.perf_counter() + seconds
        while (began := time.perf_counter()) < until:
            number = len(took)
            ws.send(f'{{"type":"TEXT","content":"{texts} {number}","nonce":"{seconds}-{number}"}}')
            while f'"nonce":"{seconds}-{number}"' not in (heard := str(ws.recv(20))):
                pass
            assert '"type":"TEXT"' in heard, heard
            took.append(time.perf_counter() - began)
    return sorted(took)


def measured(bad: dict[str, str], apart: bool, seconds: float, scratch: Path) -> list[float]:
    """The echoes of a fresh server with these plugins, `apart` on the generator's core or on the server's own."""
    folder = scratch / "data" / "plugins"
    folder.mkdir(parents=True)
    pin = f"os.sched_setaffinity(0, {{{place.LOAD_CORE}}})" if apart and place.LOAD_CORE is not None else ""
    for name, body in bad.items():
        (folder / f"{name}.py").write_text(HANDLER.format(name=name, body=body, pin=pin))
    with place.alonechat(ROOT / "alonechat.pyz", scratch, 1) as bench:
        return echoes(f"ws://127.0.0.1:{bench.port}/?token={bench.signed_in()[0]}", seconds)


def cost(scratch: Path) -> dict[str, float]:
    """What a plugin's process costs that does nothing: seconds until it has begun, MiB of memory that it holds."""
    folder = scratch / "data" / "plugins"
    folder.mkdir(parents=True)
    (folder / "cost.py").write_text(COST)
    with place.alonechat(ROOT / "alonechat.pyz", scratch, 1):
        pass
    took, held = (scratch / "data" / "cost").read_text().split()
    return {"start_s": float(took), "memory_mib": float(held) / (1 << 20)}


def answers(busy: bool, seconds: float, scratch: Path) -> list[float]:
    """Seconds from a command to the text of a plugin that behaves; `busy`: while every core is taken by others."""
    folder = scratch / "data" / "plugins"
    folder.mkdir(parents=True)
    (folder / "cost.py").write_text(COST)
    hogs = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=place.pinned(core))
        for core in (place.CORES if busy else [])
    ]
    try:
        with place.alonechat(ROOT / "alonechat.pyz", scratch, 1) as bench:
            return echoes(f"ws://127.0.0.1:{bench.port}/?token={bench.signed_in()[0]}", seconds, "/cost")
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def busy() -> float:
    """Seconds that all processors have worked, for whomever. 0 where the system doesn't say."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().splitlines()[0].split()[1:]
    return sum(int(fields[at]) for at in (0, 1, 2, 5, 6, 7)) / os.sysconf("SC_CLK_TCK")


def own() -> float:
    """Seconds that this process has worked, and those that it began and that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def undisturbed(measure: Callable[[], list[float]], most: int = 4) -> tuple[list[float], int]:
    """What it measured while others took less of a core than they may, and how often that had to be tried; the last
    try, when it never came to that."""
    tried = 0
    while tried < most:
        tried += 1
        began, worked, mine = time.perf_counter(), busy(), own()
        took = measure()
        if busy() - worked - (own() - mine) < (time.perf_counter() - began) * OTHERS_MAY:
            break
    return took, tried


def verdict(kind: str, rows: list[dict[str, float]], none: list[float]) -> str:
    """The medians of some rounds; of an echo the span of its p99s too, and whether the middle one lies among those of
    the rounds without any plugin."""
    said = "   ".join(f"{name} {statistics.median(row[name] for row in rows):7.2f}" for name in rows[0])
    if kind not in KINDS:
        return said
    p99s = [row["p99"] for row in rows]
    said += f"   p99s {min(p99s):.2f} to {max(p99s):.2f}"
    if kind == "none" or not none:
        return said
    return said + ("   within the noise" if statistics.median(p99s) <= max(none) else f"   above {max(none):.2f}")


def shown(took: list[float]) -> dict[str, float]:
    """Quantiles in milliseconds."""
    at = {"p50": 0.5, "p99": 0.99, "worst": 1.0}
    return {name: took[min(int(len(took) * share), len(took) - 1)] * 1000 for name, share in at.items()}


def main() -> None:
    """In turns, so that what else the machine does falls on all; without any plugin before and behind each turn."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.plugins", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"which of {', '.join([*KINDS, *OTHERS])}; all without any")
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--apart", action="store_true", help="plugins on the generator's core, not on the server's")
    parser.add_argument("--json", type=Path, help="write the figures to this file too; what it holds is gone on with")
    given = parser.parse_args()
    kinds = given.kinds or [*KINDS, *OTHERS]
    found: dict[str, list[dict[str, float]]] = {}
    if given.json and given.json.exists():
        found = json.loads(given.json.read_text())
    for _ in range(given.rounds):
        for kind in [*kinds, *(["none"] if "none" in kinds else [])]:
            figures, tried = one(kind, given.apart, given.seconds)
            found.setdefault(kind, []).append(figures)
            again = f"   measured {tried} times" if tried > 1 else ""
            print(
                f"{kind:14}", "   ".join(f"{name} {value:7.2f}" for name, value in figures.items()), again, flush=True
            )
    print("medians:")
    none = [row["p99"] for row in found.get("none", [])]
    for kind, rows in found.items():
        print(f"{kind:14}", verdict(kind, rows, none))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


def one(kind: str, apart: bool, seconds: float) -> tuple[dict[str, float], int]:
    """The figures of one measurement, and how often it was tried."""
    with tempfile.TemporaryDirectory(prefix="alonechat-bench-") as scratch:
        folders = (Path(scratch) / str(number) for number in range(100))
        if kind == "cost":
            return cost(next(folders)), 1
        if kind.startswith("answers"):
            return shown(answers(kind == "answers-busy", seconds, next(folders))), 1
        took, tried = undisturbed(lambda: measured(KINDS[kind], apart, seconds, next(folders)))
        return shown(took), tried


if __name__ == "__main__":
    main()
