"""`python -m tools.bench.plugins`: the echo beside bad plugins and without any, side by side, from the built file."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from websockets.sync.client import connect

from tools.bench import place

ROOT = Path(__file__).resolve().parents[2]
HANDLER = """
import os
from alonechat.plugins import HandlerPluginBase, HookPhase, PluginMetadata

class Plugin(HandlerPluginBase):
    _metadata = PluginMetadata("{name}")
    phases = (HookPhase.POST_MESSAGE,)
    def handle(self, context):
        {body}
"""
BAD = {
    "loops": "while True: pass",
    "eats": "x = [bytearray(1 << 28) for _ in range(20)]",
    "exits": "os._exit(7)",
    "raises": "raise RuntimeError('no')",
    "prints": "print('noise ' * 1000)",
    "floods": "[self.context.send('#lobby', 'flood') for _ in range(500)]",
}


def echoes(url: str, count: int) -> list[float]:
    """Seconds from each message to its echo, sorted; one in flight."""
    took = []
    with connect(url, proxy=None, max_size=None) as ws:
        ws.recv()
        for number in range(count):
            began = time.perf_counter()
            ws.send(f'{{"type":"TEXT","content":"message {number}","nonce":"{number}"}}')
            while f'"nonce":"{number}"' not in str(ws.recv(10)):
                pass
            took.append(time.perf_counter() - began)
    return sorted(took)


def measured(bad: dict[str, str], count: int, scratch: Path) -> list[float]:
    """The echoes of a fresh server with these plugins."""
    folder = scratch / "data" / "plugins"
    folder.mkdir(parents=True)
    for name, body in bad.items():
        (folder / f"{name}.py").write_text(HANDLER.format(name=name, body=body))
    with place.alonechat(ROOT / "alonechat.pyz", scratch, 1) as bench:
        time.sleep(1)  # the plugins' processes start behind the port
        assert bench.tokens is not None
        return echoes(f"ws://127.0.0.1:{bench.port}/?token={bench.tokens.read_text().strip()}", count)


def main() -> None:
    """Each twice, in turns, so that what else the machine does falls on both."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.plugins", description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    given = parser.parse_args()
    kinds = {"no plugins of one's own": {}, **{name: {name: body} for name, body in BAD.items()}, "all at once": BAD}
    for _ in range(2):
        for words, bad in kinds.items():
            with tempfile.TemporaryDirectory(prefix="alonechat-bench-") as scratch:
                took = measured(bad, given.messages, Path(scratch))
            p50, p99, worst = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99, 0.9999))
            print(f"{words:24} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   worst {worst:7.2f} ms", flush=True)


if __name__ == "__main__":
    main()
