"""The command line as a user has it: as a process with its output, on a terminal, or the same in this process."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from alonechat.cli import run

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 30
"""What takes longer has hung."""


@dataclass(frozen=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str


class Shell:
    """Runs `alonechat …` in a directory."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd

    def command(self, *arguments: str) -> list[str]:
        """The command line of `alonechat …`."""
        return [sys.executable, "-m", "alonechat", *arguments]

    def environ(self, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of a command, with `more`."""
        return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "120", **more}

    def run(self, *arguments: str, stdin: str | bytes = "", **environ: str) -> Ended:
        """Run it to its end, without a terminal."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        ended = subprocess.run(
            self.command(*arguments),
            input=given,
            capture_output=True,
            cwd=self.cwd,
            env=self.environ(environ),
            timeout=SECONDS,
        )
        out, err = (text.decode().replace(os.linesep, "\n") for text in (ended.stdout, ended.stderr))
        return Ended(ended.returncode, out, err)

    def ok(self, *arguments: str, stdin: str | bytes = "", **environ: str) -> str:
        """What it printed; it must have succeeded."""
        ended = self.run(*arguments, stdin=stdin, **environ)
        assert (ended.code, ended.err) == (0, ""), f"{arguments}: {ended}"
        return ended.out

    def fails(self, *arguments: str, code: int, stdin: str | bytes = "", **environ: str) -> str:
        """The one sentence it printed; it must have failed with `code`, and printed nothing else."""
        ended = self.run(*arguments, stdin=stdin, **environ)
        assert (ended.code, ended.out) == (code, ""), f"{arguments}: {ended}"
        assert ended.err.startswith("alonechat: "), ended.err
        assert ended.err.count("\n") == 1, ended.err
        return ended.err.removeprefix("alonechat: ").rstrip("\n")

    def on_terminal(
        self, *arguments: str, types: Sequence[tuple[str, str | Callable[[str], str]]] = (), **environ: str
    ) -> tuple[int, str]:
        """Exit code and all that a terminal showed. `types`: texts, and what to type, with Return, once each is
        shown, or what makes that of all that is shown. POSIX only."""
        import pty

        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.cwd)
            os.execve(sys.executable, self.command(*arguments), self.environ({"TERM": "xterm-256color", **environ}))
        shown, before, waiting = b"", 0, list(types)
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            if not select.select([terminal], [], [], 0.2)[0]:
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # how Linux says that the other side has closed
                break
            if not piece:
                break
            shown += piece
            if waiting and waiting[0][0].encode() in shown[before:]:
                given = waiting.pop(0)[1]
                text = given if isinstance(given, str) else given(shown.decode("utf-8", "replace"))
                os.write(terminal, text.encode() + b"\n")
                before = len(shown)
        else:
            os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(terminal)
        assert not waiting, f"never asked for {waiting}: {shown!r}"
        return code, shown.decode()


class Inside(Shell):
    """The same without a process for each command: many in a row are quick."""

    def run(self, *arguments: str, stdin: str | bytes = "", **environ: str) -> Ended:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        out, err = TextIOWrapper(BytesIO(), "utf-8"), TextIOWrapper(BytesIO(), "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.cwd)
            for name, value in self.environ(environ).items():
                patch.setenv(name, value)
            for name, stream in {"stdin": TextIOWrapper(BytesIO(given), "utf-8"), "stdout": out, "stderr": err}.items():
                patch.setattr(sys, name, stream)
            code = run(list(arguments))
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode().replace(os.linesep, "\n"))  # type: ignore[attr-defined]
        return Ended(code, *texts)


class Own(Inside):
    """The command line of somebody whose home is the working directory."""

    def environ(self, more: dict[str, str]) -> dict[str, str]:  # type: ignore[override]
        home = str(self.cwd)
        return super().environ({"XDG_CONFIG_HOME": home, "WIN_PD_OVERRIDE_LOCAL_APPDATA": home, **more})
