"""`python -m tools.bench.tui`: the terminal client of the built file with a cache of many messages: keys, floods, idle,
memory, start."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from alonechat.core.client.accounts import Account, Accounts
from alonechat.core.client.cache import Cache, path_of
from tools.bench import place

ROOT = Path(__file__).resolve().parents[2]
ROWS, COLUMNS, LIST = 36, 120, 24
COMPOSER = LIST + 1 + 1 + 2
"""The first cell of what is being written, from 0."""
TEXT = "the quick brown fox jumps over lazy dogs while 今天下午三点 **meeting** notes `code` are @u1 written down 🎉"
WORDS = TEXT.split(" ")


def takes_terminal() -> None:
    """What the new process does first: this terminal is its own."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Client:
    """The terminal client in a pseudo-terminal. `heard` is what it wrote since it was last cleared."""

    def __init__(self, pyz: Path, home: Path) -> None:
        import pty

        self.end, other = pty.openpty()
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        env |= {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA")}
        self.heard = b""
        self.began = time.perf_counter()
        command = [sys.executable, str(pyz), "client", "--ui", "tui"]
        self.process = subprocess.Popen(
            command, stdin=other, stdout=other, stderr=other, env=env, preexec_fn=takes_terminal
        )
        os.close(other)

    def until(self, wanted: bytes, seconds: float = 30) -> float:
        """Wait until something was written; when it was."""
        deadline = time.perf_counter() + seconds
        while wanted not in self.heard:
            if not select.select([self.end], [], [], max(0, deadline - time.perf_counter()))[0]:
                raise SystemExit(f"the client did not write {wanted!r} within {seconds} s, only {self.heard[-2000:]!r}")
            self.heard += os.read(self.end, 1 << 16)
        return time.perf_counter()

    def drain(self, seconds: float) -> None:
        """Read for so long what it writes."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            if select.select([self.end], [], [], left)[0]:
                os.read(self.end, 1 << 16)
        self.heard = b""

    def key(self, at: int) -> float:
        """Seconds from a key press to the picture in which the cursor stands behind its character."""
        self.heard = b""
        began = time.perf_counter()
        os.write(self.end, b"x")
        return self.until(f"\x1b[{ROWS - 1};{COMPOSER + at + 2}H\x1b[?25h".encode(), 10) - began

    def keys(self, many: int, gap: float) -> list[float]:
        """So many key presses, and what each took; the composer is emptied now and then."""
        found = []
        for number in range(many):
            if number % 40 == 0:
                os.write(self.end, b"\x15")
                self.drain(0.1)
            found.append(self.key(number % 40))
            self.drain(gap)
        return found

    def cpu(self) -> float:
        """Seconds of processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """MB that it holds now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def close(self) -> None:
        """Quit."""
        os.write(self.end, b"\x11")
        with contextlib.suppress(OSError):
            while select.select([self.end], [], [], 10)[0] and os.read(self.end, 1 << 16):
                pass
        self.process.wait(10)
        os.close(self.end)


@contextlib.contextmanager
def client(pyz: Path, home: Path) -> Iterator[Client]:
    """A client that is closed at the end."""
    opened = Client(pyz, home)
    try:
        yield opened
    finally:
        opened.close()


def written(bench: place.Bench, token: str, count: int) -> None:
    """Write so many messages into the lobby, as fast as the server takes them."""
    with connect(f"ws://127.0.0.1:{bench.port}", additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        socket.recv()
        sent = heard = 0
        while heard < count:
            while sent < count and sent - heard < 2_000:
                text = f"{sent} {' '.join(WORDS[: 3 + sent % len(WORDS)])}"
                socket.send(json.dumps({"type": "TEXT", "target": "#lobby", "content": text, "nonce": f"b{sent}"}))
                sent += 1
            heard += json.loads(socket.recv()).get("type") == "TEXT"


def kept(bench: place.Bench, token: str, username: str, home: Path, count: int) -> None:
    """A cache that holds all of them, as a client has it that was there all the time; and the saved account."""
    url = f"http://127.0.0.1:{bench.rest}"
    with urllib.request.urlopen(f"{url}/server") as answer:
        server = json.load(answer)
    accounts = Accounts(home / "config" / "alonechat" / "accounts.json")
    accounts.save(Account(url, username, token, f"ws://127.0.0.1:{bench.port}", "", server["id"]))
    cache = Cache(path_of(home / "data" / "alonechat", server["id"], username))
    with connect(
        f"ws://127.0.0.1:{bench.port}", additional_headers={"Authorization": f"Bearer {token}"}, max_size=1 << 21
    ) as socket:
        socket.recv()
        after, pages = 0, []
        while after < count:
            socket.send(
                json.dumps({"type": "HISTORY", "target": "#lobby", "after": after, "limit": 200, "nonce": str(after)})
            )
            while (page := json.loads(socket.recv())).get("nonce") != str(after):
                pass
            pages += [("#lobby", event) for event in page["events"]]
            after = page["events"][-1]["seq"]
    for begin in range(0, len(pages), 5_000):
        cache.take(pages[begin : begin + 5_000])
    cache.close()


def flood(bench: place.Bench, token: str, rate: int, stop: threading.Event, sent: list[int]) -> None:
    """So many messages a second, in hundredths of a second, until it is over."""
    with connect(f"ws://127.0.0.1:{bench.port}", additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        threading.Thread(target=lambda: [None for _ in socket], daemon=True).start()
        began = time.perf_counter()
        while not stop.is_set():
            while sent[0] < (time.perf_counter() - began) * rate:
                text = f"flood {sent[0]} {' '.join(WORDS[: 3 + sent[0] % 9])}"
                socket.send(json.dumps({"type": "TEXT", "target": "#lobby", "content": text}))
                sent[0] += 1
            time.sleep(0.01)


def spread(seconds: list[float]) -> dict[str, float]:
    """p50, p99 and the longest, in milliseconds."""
    ordered = sorted(seconds)
    at = min(len(ordered) - 1, round(len(ordered) * 0.99))
    return {
        "p50": round(statistics.median(ordered) * 1e3, 1),
        "p99": round(ordered[at] * 1e3, 1),
        "max": round(ordered[-1] * 1e3, 1),
    }


def measure(pyz: Path, bench: place.Bench, tokens: list[str], home: Path, count: int, seconds: float) -> dict[str, Any]:
    """All figures, one after the other."""
    last, found = f"{count - 1} ".encode(), dict[str, Any]()
    starts = []
    for _run in range(5):
        with client(pyz, home) as one:
            starts.append(one.until(last) - one.began)
            one.drain(1)
    found["start_s"] = {"median": round(statistics.median(starts), 3), "first": round(starts[0], 3)}
    with client(pyz, home) as one:
        one.until(last)
        one.drain(3)
        found["memory_mb"] = round(one.memory(), 1)
        before = one.cpu()
        one.drain(seconds)
        found["idle_cpu_s"] = {"seconds": seconds, "used": round(one.cpu() - before, 3)}
        found["key_ms"] = spread(one.keys(300, 0.02))
        os.write(one.end, b"\x15")
        for _page in range(30):
            os.write(one.end, b"\x1b[5~")
            one.drain(0.05)
        found["key_scrolled_back_ms"] = spread(one.keys(100, 0.02))
        found["memory_scrolled_back_mb"] = round(one.memory(), 1)
        os.write(one.end, b"\x15\x1b[F")
        one.drain(1)
        stop, sent = threading.Event(), [0]
        flooding = threading.Thread(target=flood, args=(bench, tokens[1], 1_000, stop, sent))
        began, before = time.perf_counter(), one.cpu()
        flooding.start()
        one.drain(1)
        found["key_flooded_ms"] = spread(one.keys(200, 0.02))
        stop.set()
        flooding.join()
        took = time.perf_counter() - began
        found["flood"] = {"per_second": round(sent[0] / took), "cpu": round((one.cpu() - before) / took, 2)}
        found["memory_flooded_mb"] = round(one.memory(), 1)
    return found


def main() -> int:
    """Prints the figures, as JSON with `--json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pyz", type=Path, default=ROOT / "alonechat.pyz")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long idling is measured")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, place.alonechat(given.pyz, Path(folder, "server"), 2) as bench:
        assert bench.tokens is not None
        tokens = bench.tokens.read_text().split()
        home = Path(folder, "home")
        written(bench, tokens[1], given.messages)
        kept(bench, tokens[0], "u0", home, given.messages)
        found = measure(given.pyz, bench, tokens, home, given.messages, given.seconds)
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:<26}{value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
