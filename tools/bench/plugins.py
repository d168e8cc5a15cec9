"""`python -m tools.bench.plugins`: the echo beside bad plugins and without any, side by side, from the built file."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

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


def shown(took: list[float]) -> dict[str, float]:
    """Quantiles in milliseconds."""
    at = {"p50": 0.5, "p99": 0.99, "worst": 1.0}
    return {name: took[min(int(len(took) * share), len(took) - 1)] * 1000 for name, share in at.items()}


def main() -> None:
    """In turns, so that what else the machine does falls on all."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.plugins", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"which of {', '.join([*KINDS, *OTHERS])}; all without any")
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--apart", action="store_true", help="plugins on the generator's core, not on the server's")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    given = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(given.rounds):
        for kind in given.kinds or [*KINDS, *OTHERS]:
            with tempfile.TemporaryDirectory(prefix="alonechat-bench-") as scratch:
                folder = Path(scratch)
                if kind == "cost":
                    figures = cost(folder)
                elif kind.startswith("answers"):
                    figures = shown(answers(kind == "answers-busy", given.seconds, folder))
                else:
                    figures = shown(measured(KINDS[kind], given.apart, given.seconds, folder))
            found.setdefault(kind, []).append(figures)
            print(f"{kind:14}", "   ".join(f"{name} {value:7.2f}" for name, value in figures.items()), flush=True)
    print("medians:")
    for kind, rows in found.items():
        middle = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
        print(f"{kind:14}", "   ".join(f"{name} {value:7.2f}" for name, value in middle.items()))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
