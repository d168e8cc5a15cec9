"""A server of the built file as a process: started, killed, stopped and started again on the same data and ports."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 20
ANNOUNCED = re.compile(r"\b(wss?|https?)://([^\s/:]+):(\d+)")


class ServerProcess:
    """`alonechat.pyz server` on 127.0.0.1. After `start`, `ws_url` and `rest_url` are what it announced on stdout.

    Data and logs lie in `place`; `flags` and `env` are added to those of the command; `command` may be `srv-only`,
    which announces no REST address (`rest_url` is then "").
    """

    def __init__(
        self, pyz: Path, place: Path, *flags: str, env: Mapping[str, str] | None = None, command: str = "server"
    ) -> None:
        self.pyz, self.place, self.flags, self.command = pyz, place, flags, command
        self.env = {**os.environ, **(env or {})}
        self.data_dir, self.log_dir = place / "data", place / "logs"
        self.ws_url = self.rest_url = ""
        self.ws_port = self.rest_port = 0
        self.lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """The running process."""
        assert self._process is not None, "the server was not started"
        return self._process.pid

    @property
    def said(self) -> str:
        """All that the process printed, stdout and stderr, since the first start."""
        return "\n".join(self.lines)

    def start(self) -> ServerProcess:
        """Starts the process and returns once it has announced its addresses; from the second time on it takes the
        ports of the first. Fails with what the process said."""
        assert self._process is None, "the server runs already"
        self.place.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            self._command_line(),
            cwd=self.place,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
        )
        heard: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._listen, args=(self._process, heard), daemon=True).start()
        self._await_addresses(heard)
        return self

    def _command_line(self) -> list[str]:
        rest = ["--api-port", str(self.rest_port)] if self.command == "server" else []
        places = ["--data-dir", str(self.data_dir), "--log-dir", str(self.log_dir), "--env", "testing"]
        address = ["--host", "127.0.0.1", "-p", str(self.ws_port), *rest]
        return [sys.executable, str(self.pyz), self.command, *address, *places, *self.flags]

    def _listen(self, process: subprocess.Popen[str], heard: queue.Queue[str | None]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line.rstrip("\n"))
                heard.put(line)
        heard.put(None)

    def _await_addresses(self, heard: queue.Queue[str | None]) -> None:
        deadline, found = time.monotonic() + START_SECONDS, dict[str, tuple[str, int]]()
        wanted = {"ws"} if self.command == "srv-only" else {"ws", "http"}
        while wanted - found.keys():
            try:
                line = heard.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self.end()
                raise AssertionError(f"no addresses within {START_SECONDS} s; it said:\n{self.said}") from None
            if line is None:
                code = self._wait(STOP_SECONDS)
                raise AssertionError(f"the server ended with exit code {code}; it said:\n{self.said}")
            for scheme, host, port in ANNOUNCED.findall(line):
                if host in ("127.0.0.1", "localhost"):
                    kind = "ws" if scheme.startswith("ws") else "http"
                    found.setdefault(kind, (f"{scheme}://{host}:{port}", int(port)))
        self.ws_url, self.ws_port = found["ws"]
        self.rest_url, self.rest_port = found.get("http", ("", 0))

    def kill9(self) -> None:
        """Ends the process at once, as a power cut would."""
        assert self._process is not None, "the server does not run"
        self._process.kill()
        self._wait(STOP_SECONDS)

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """Asks the process to end (SIGTERM, or SIGINT for Ctrl-C) and returns its exit code."""
        assert self._process is not None, "the server does not run"
        self._process.send_signal(sign)
        return self._wait(STOP_SECONDS)

    def restart(self) -> ServerProcess:
        """Kills the process where it runs, and starts it on the same data and ports."""
        self.end()
        return self.start()

    def end(self) -> None:
        """Ends the process if it runs. What a test's teardown calls."""
        if self._process is not None:
            self.kill9()

    def _wait(self, seconds: float) -> int:
        assert self._process is not None
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            self._process = None
            raise AssertionError(f"the server did not end within {seconds} s; it said:\n{self.said}") from None
        self._process = None
        return code
