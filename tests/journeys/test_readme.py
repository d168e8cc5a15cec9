"""README's commands, run as they are printed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.bundle import stage
from tools.bundle.venv import RUN_SETS

ROOT = Path(__file__).resolve().parents[2]
PORTS = (8765, 8766)
"""What README's server listens on."""
SECONDS = 60
PASSWORD = "correct horse"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="elsewhere: a shell that README's commands are for")


def blocks(page: str) -> list[list[str]]:
    """The lines of every block of shell commands on a page."""
    found = re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    return [block.strip().splitlines() for block in found]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The tree as somebody has it who cloned and built it before: nothing is fetched."""
    tree = tmp_path / "AloneChat"
    left_out = shutil.ignore_patterns(
        ".git", ".venv", "build", "data", "tests", "*.pyz", "__pycache__", ".*_cache", "logs"
    )
    shutil.copytree(ROOT, tree, ignore=left_out)
    venv.create(tree / ".venv", symlinks=True)
    packages = [path for path in sys.path if path.endswith("site-packages")]
    site = next((tree / ".venv").rglob("site-packages"))
    (site / "packages.pth").write_text("\n".join(packages), "utf-8")
    for name in RUN_SETS:
        stamp = f"alonechat-{name}.stamp"
        shutil.copy(ROOT / ".venv" / stamp, tree / ".venv" / stamp)
    dependencies = stage.dependencies(False)
    shutil.copytree(dependencies, tree / "build" / dependencies.name)
    return tree


class Shell:
    """Somebody in a terminal, in the directory of the tree."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        first = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])  # where python3 is this Python
        self._env = {**os.environ, "PATH": first, "ALONECHAT_PASSWORD": PASSWORD}
        self.left: list[subprocess.Popen[str]] = []

    def run(self, line: str) -> str:
        """Runs a command to its end; what it printed. Fails when it fails."""
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self._tree,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
        return done.stdout

    def begin(self, line: str, awaited: str) -> subprocess.Popen[str]:
        """Starts a command that does not end by itself and waits until it has printed `awaited`."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=self._tree,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.left.append(process)
        assert process.stdout is not None
        alarm = threading.Timer(SECONDS, process.kill)
        alarm.start()
        seen = ""
        for text in process.stdout:
            seen += text
            if re.search(awaited, text):
                alarm.cancel()
                threading.Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would stop it
                return process
        alarm.cancel()
        raise AssertionError(f"$ {line}\n{seen}\nended before it printed {awaited!r}")


@pytest.fixture
def shell(clone: Path) -> Iterator[Shell]:
    opened = Shell(clone)
    yield opened
    for process in opened.left:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_the_commands_do_what_the_page_says(shell: Shell, clone: Path) -> None:
    for port in PORTS:
        with socket.socket() as asked:
            asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                asked.bind(("127.0.0.1", port))
            except OSError:
                pytest.fail(f"port {port} is taken on this machine; README's server needs it: end what listens there")
    (build, serve), (login, send, tail), (client,) = blocks("README.md")
    assert "alonechat.pyz written in" in shell.run(build)
    assert (clone / "alonechat.pyz").stat().st_mode & 0o111
    server = shell.begin(serve, r"registration")
    shell.run(login)
    shell.run(send)
    shell.begin(tail, "Hello, everybody")
    # Neither a desktop nor a terminal here: the client says so, and talks in lines.
    said = shell.run(f"printf '/quit\\n' | env -u DISPLAY -u WAYLAND_DISPLAY {client} 2>&1")
    assert "line mode" in said
    server.send_signal(signal.SIGINT)
    assert server.wait(10) == 0


def test_the_two_languages_print_the_same_commands() -> None:
    assert blocks("README.md") == blocks("README-zh.md")


def test_the_build_and_the_server_come_first() -> None:
    page = (ROOT / "README.md").read_text("utf-8")
    first = ["python3 build.py", "./alonechat.pyz server -p 8765"]
    assert blocks("README.md")[0] == first
    assert page.index(first[0]) < page.index("## ")
