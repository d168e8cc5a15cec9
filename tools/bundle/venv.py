"""The tree's .venv: made once, brought up to the pinned packages when those changed, else left alone (offline)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from . import system
from .places import REQUIREMENTS, VENV, BuildError, digest_of, run, write_whole

PIP = ("-m", "pip", "--quiet", "--quiet", "--disable-pip-version-check", "--no-input")
RUN_SETS = ("run.txt", "build.txt")
TEST_SETS = (*RUN_SETS, "test.txt")


def python() -> Path:
    """The interpreter of .venv."""
    return VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def prepare(sets: tuple[str, ...]) -> None:
    """Brings .venv up to the pinned packages of `sets` (files under requirements/). Raises BuildError."""
    if not _is_usable():
        print("Making .venv …", flush=True)
        _make()
    for name in sets:
        stamp, now = VENV / f"alonechat-{name}.stamp", digest_of([REQUIREMENTS / name])
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == now:
            continue
        print(f"Installing the packages of requirements/{name} …", flush=True)
        run(python(), *PIP, "install", "--no-deps", "-r", REQUIREMENTS / name, doing="Installing packages")
        write_whole(stamp, now)


def _make() -> None:
    """Debian keeps what `venv` needs in a package of its own; it is installed here where that is possible."""
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not _has_ensurepip() and not (system.install([package]) and _has_ensurepip()):
        raise BuildError(
            f"{sys.executable} can't make a virtual environment because its module ensurepip is missing;"
            f" on Debian and Ubuntu this line installs it: {system.line_for([package])}"
        )
    run(sys.executable, "-m", "venv", "--clear", VENV, doing="Making .venv")


def _has_ensurepip() -> bool:
    """Asked of a new process: this one would remember an answer from before the installation."""
    return subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True, check=False).returncode == 0


def _is_usable() -> bool:
    """Whether .venv runs, here (not moved), on the Python that runs this build."""
    asks = "import sys, pip; print(sys.prefix, sys.version_info[:2])"
    try:
        answer = subprocess.run([str(python()), "-c", asks], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == f"{VENV} {sys.version_info[:2]}"
