"""Where it is measured: a server of its own on free ports with fresh data, which is gone at the end."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import alonechat
from alonechat import admin, config
from alonechat.bench.generator import Job
from alonechat.errors import AloneChatError, StartError

START_SECONDS = 30.0
SETTINGS = {
    "ALONECHAT_ENV": "production",
    "ALONECHAT_HOST": "127.0.0.1",
    "ALONECHAT_PORT": "0",
    "ALONECHAT_API_PORT": "0",
    "ALONECHAT_RATE_MESSAGES": "0",
    "ALONECHAT_RATE_LOGINS": "0",
    "ALONECHAT_RATE_LOGINS_ADDRESS": "0",
    "ALONECHAT_HEARTBEAT": "3600",  # the generator answers no pings
    "ALONECHAT_LOG_LEVEL": "warning",
}


@dataclass(frozen=True)
class Place:
    """A running server: its port, its process, a token for each of its people, and where its data lies."""

    port: int
    pid: int
    tokens: list[str]
    data: Path


def environment(folder: Path) -> dict[str, str]:
    """The environment of the server: nothing of the user's own settings reaches it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(config.PREFIX)}
    home = str(Path(alonechat.__file__).resolve().parent.parent)
    paths = os.pathsep.join([home, *(path for path in sys.path if path)])
    places = {"ALONECHAT_DATA_DIR": str(folder / "data"), "ALONECHAT_LOG_DIR": str(folder / "logs")}
    return {**own, **SETTINGS, **places, "JWT_SECRET": config.new_secret(), "PYTHONPATH": paths}


@contextmanager
def serving(folder: Path, people: int) -> Iterator[Place]:
    """A server with so many accounts. Raises StartError when it doesn't start."""
    env = environment(folder)
    settings = config.load({}, env, folder)
    names = [f"u{number}" for number in range(people)]
    with admin.opened(settings, make=True) as store:
        admin.add(store, [admin.newcomer(name) for name in names], settings.scrypt_n)
        tokens = admin.tokens(store, settings, names, 1)
    said = folder / "said"
    with said.open("wb") as out, uninterrupted() as go_on:
        process = subprocess.Popen(
            [sys.executable, "-m", "alonechat", "server"],
            cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
        try:
            go_on()
            yield Place(_port(process, said), process.pid, tokens, settings.data_dir)
        finally:
            end(process)


@contextmanager
def uninterrupted() -> Iterator[Callable[[], None]]:
    """Keep Ctrl-C and SIGTERM back until what this gives is called: one that comes while a process starts would leave
    it behind."""
    came: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    before = {kind: signal.signal(kind, lambda number, frame: came.append(number)) for kind in kinds}

    def go_on() -> None:
        while before:
            kind, handler = before.popitem()
            signal.signal(kind, handler if handler is not None else signal.SIG_DFL)
        while came:
            signal.raise_signal(came.pop())

    try:
        yield go_on
    finally:
        go_on()


def _port(process: subprocess.Popen[bytes], said: Path) -> int:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        text = said.read_text("utf-8", "replace")
        if (found := re.search(r"wss?://[^/\s]*:(\d+)/", text)) and "\ndata:" in text:
            return int(found[1])
        time.sleep(0.02)
    raise StartError(f"the server to measure did not start: {said.read_text('utf-8', 'replace')[-500:]}")


def end(process: subprocess.Popen[Any]) -> None:
    """End a process, gently first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def generated(job: Job, folder: Path) -> Iterator[dict[str, Any]]:
    """Let a generator do the job; what it says, line by line. Raises AloneChatError when it fails."""
    from dataclasses import asdict

    wrong = folder / "generator"
    with wrong.open("wb") as err, uninterrupted() as go_on:
        process = subprocess.Popen(
            [sys.executable, "-m", "alonechat.bench.generator"],
            env=environment(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err,
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        try:
            go_on()
            with process.stdin as given:
                given.write(json.dumps(asdict(job)).encode())
            yield from (json.loads(line) for line in process.stdout)
            if process.wait():
                reason = wrong.read_text("utf-8", "replace")[-500:].strip()
                raise AloneChatError(f"the load generator failed: {reason}")
        finally:
            end(process)
        process.stdout.close()


def commits(folder: Path, seconds: float) -> float:
    """How often a second this disk takes a small transaction, each flushed (`synchronous=FULL`) before the next."""
    raw = sqlite3.connect(folder / "commits.db", isolation_level=None)
    try:
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("CREATE TABLE log (id INTEGER PRIMARY KEY, text TEXT)")
        count, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            raw.execute("INSERT INTO log (text) VALUES (?)", ("x" * 100,))
            count += 1
        return count / took
    finally:
        raw.close()


def resident(pid: int) -> int | None:
    """Bytes of memory that a process holds. None where the system doesn't say so."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        found = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, timeout=10)
        return int(found.stdout) * 1024
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def free_memory() -> int | None:
    """Bytes of memory that programs could have. None where the system doesn't say so."""
    try:
        found = re.search(r"MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
