"""Where a benchmark runs: a built server on free ports with fresh data, its accounts, and a peer to compare with."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
SERVER_CORE, LOAD_CORE = (CORES[0], CORES[1]) if len(CORES) > 1 else (None, None)
START_SECONDS = 30.0
_python = sys.executable
SETTINGS = {
    "ALONECHAT_RATE_MESSAGES": "0",
    "ALONECHAT_RATE_LOGINS": "0",
    "ALONECHAT_RATE_LOGINS_ADDRESS": "0",
    "ALONECHAT_MAX_CONNECTIONS": "0",
    "ALONECHAT_HEARTBEAT": "3600",  # the generator answers no pings
    "ALONECHAT_LOG_LEVEL": "warning",
    "JWT_SECRET": "a benchmark's secret, 32 bytes and more",
}


@dataclass(frozen=True)
class Bench:
    """A running server under test: where it listens, its process, the tokens of its accounts, and the seconds from its
    process's start until it was ready."""

    name: str
    port: int
    pid: int
    rest: int = 0
    tokens: Path | None = None
    start_s: float = 0.0

    def signed_in(self) -> list[str]:
        """The tokens."""
        assert self.tokens is not None, f"{self.name} has no tokens"
        return self.tokens.read_text().split()

    def cpu(self) -> float:
        """Seconds of processor time that the server has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """Bytes of memory that it holds."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def run_with(python: Path) -> None:
    """The Python that servers are started with from now on; that of the bench without this. How it was built shows:
    one that was optimized by a profile, as Linux distributions build theirs, is a quarter faster than one that was
    not."""
    global _python
    _python = str(python)


def pinned(core: int | None) -> Callable[[], None] | None:
    """What a new process runs first, so that it keeps to one core."""
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the process at the end, gently first."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def alonechat(pyz: Path, folder: Path, people: int, **settings: str) -> Iterator[Bench]:
    """The built server with `people` accounts (u0, u1 …) and a token for each."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"u{number}" for number in range(people)]
    listed = folder / "people.csv"
    listed.write_text("username\n" + "".join(f"{name}\n" for name in names))
    command = [_python, str(pyz), "user", "import", str(listed), "--data-dir", str(folder / "data")]
    subprocess.run(command, env={**os.environ, **SETTINGS, **settings}, check=True, capture_output=True)
    with standing(pyz, folder / "data", folder, names, **settings) as bench:
        yield bench


@contextmanager
def standing(pyz: Path, data: Path, folder: Path, names: list[str], **settings: str) -> Iterator[Bench]:
    """The built server on a data directory that is there, with a token for each of `names`."""
    env, tokens, at = {**os.environ, **SETTINGS, **settings}, folder / "tokens", ["--data-dir", str(data)]
    folder.mkdir(parents=True, exist_ok=True)
    run = [_python, str(pyz)]
    with tokens.open("wb") as out:
        for start in range(0, len(names), 2000):
            some = names[start : start + 2000]
            subprocess.run([*run, "token", *some, *at], env=env, check=True, stdout=out)
    port, rest = free_port(), free_port()
    command = [*run, "server", "--host", "127.0.0.1", "-p", str(port), "--api-port", str(rest), "--env", "production"]
    began = time.perf_counter()
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [*command, *at, "--log-dir", str(folder / "logs")],
            env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said, preexec_fn=pinned(SERVER_CORE),
        )  # fmt: skip
    with ended(process):
        _await(process, lambda: _is_ready(rest), folder / "said")
        yield Bench(f"alonechat {pyz.stem}", port, process.pid, rest, tokens, time.perf_counter() - began)


def _is_ready(rest: int) -> bool:
    """Whether `GET /ready` answers that it is."""
    try:
        with socket.create_connection(("127.0.0.1", rest), 5) as asked:
            asked.sendall(b"GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return asked.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


@contextmanager
def inspircd(folder: Path, conf: Path) -> Iterator[Bench]:
    """InspIRCd, which keeps no history: the yardstick, where it is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    text = conf.read_text().replace("@PORT@", str(port)).replace("@DIR@", str(folder))
    (folder / "inspircd.conf").write_text(text)
    root = ["--runasroot"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            ["inspircd", "--nofork", *root, "--config", str(folder / "inspircd.conf")],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, preexec_fn=pinned(SERVER_CORE),
        )  # fmt: skip
    with ended(process):
        _await(process, lambda: _listens(port), folder / "said")
        yield Bench("inspircd", port, process.pid)


def has_inspircd() -> bool:
    """Whether InspIRCd is installed here."""
    return shutil.which("inspircd") is not None


def _listens(port: int) -> bool:
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


def _await(process: subprocess.Popen[bytes], ready: Callable[[], bool], said: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        if ready():
            return
        time.sleep(0.01)
    raise SystemExit(f"the server did not start:\n{said.read_text('utf-8', 'replace')[-2000:]}")


def machine() -> dict[str, object]:
    """What a figure depends on besides the code."""
    model = ""
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        model = found[1] if found else ""
    return {
        "processor": model,
        "cores": len(CORES) or os.cpu_count(),
        "system": " ".join((os.uname().sysname, os.uname().release)) if hasattr(os, "uname") else sys.platform,
        "python": _version(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def _version() -> str:
    """Which Python runs the server: "3.11.2 of /usr/bin/python3"."""
    ask = [_python, "-c", "import platform; print(platform.python_version())"]
    return f"{subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()} of {_python}"


def shown(report: dict[str, object]) -> str:
    """A report as JSON, for a file."""
    return json.dumps(report, indent=1, ensure_ascii=False)
