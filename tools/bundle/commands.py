"""The commands of build.py."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import archive, compiled, system, venv
from .places import ROOT, VENV, WORK, BuildError, alone

FILE = ROOT / "alonechat.pyz"
NATIVE_FILE = ROOT / "alonechat-native.pyz"
SIDE_BY_SIDE = (
    *("-n", str(min((os.cpu_count() or 1) + 1, 4)), "--dist", "loadfile", "--no-loadscope-reorder"),
    "--max-worker-restart=0",
)
"""A test process for each core and one more, four at most, each taking one file after the other: a quarter of the time
a test waits for a server, a client or a window, and with two cores the third process takes a sixth off the whole. One
that ended is not started anew: xdist would wait for ever for the rest of its file."""
CACHES = (".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis")


def main(arguments: list[str]) -> int:
    """Runs one command of build.py and returns the exit code."""
    formatter = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(prog="build.py", description=__doc__, formatter_class=formatter)
    parser.add_argument(
        "command",
        nargs="?",
        choices=["build", "test", "clean"],
        default="build",
        help="build   (default) makes .venv and writes ./alonechat.pyz\n"
        "test    prepares for testing, then runs ruff, mypy and pytest; further arguments go to pytest\n"
        "clean   removes what was built, and with --all .venv too",
    )
    native_help = "write ./alonechat-native.pyz, for this platform and Python alone"
    parser.add_argument("--native", action="store_true", help=native_help)
    parser.add_argument("--output", type=Path, help="write the file there")
    parser.add_argument("--all", action="store_true", help="with clean: .venv too")
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "test":
        parser.error(f"unknown argument: {rest[0]}")
    try:
        if options.command == "clean":
            return clean(options.all)
        if options.command == "test":
            return test(arguments[arguments.index("test") + 1 :])
        return build(options.native, options.output)
    except BuildError as error:
        print(f"build.py: {error}", flush=True)
        return 1
    except KeyboardInterrupt:
        return 130


def build(native: bool = False, output: Path | None = None) -> int:
    """Makes .venv where needed and writes the file."""
    began = time.monotonic()
    target = output.absolute() if output else NATIVE_FILE if native else FILE
    with alone():
        venv.prepare(venv.RUN_SETS)
        if native and compiled.obstacle():
            print(compiled.obstacle(), flush=True)
        written = archive.build(native, target)
    size = target.stat().st_size / 1e6
    took = f"written in {time.monotonic() - began:.1f} s" if written else "is up to date"
    print(f"{os.path.relpath(target)} {took} ({size:.1f} MB). Start it with: {_start_of(target)}", flush=True)
    return 0


def _start_of(target: Path) -> str:
    return f"python {target.name} server" if os.name == "nt" else f"./{target.name} server"


def test(pytest_arguments: list[str]) -> int:
    """Everything that must hold before a change lands. pytest's closing line is the last thing printed."""
    with alone():
        venv.prepare(venv.TEST_SETS)
    system.prepare(strict=os.environ.get("CI") == "true")
    build()
    python, failed = str(venv.python()), 0
    # A process that was started without standard input would hand its first open file to the checks as such.
    stdin = subprocess.DEVNULL if sys.stdin is None else None
    for check in (["ruff", "check", "."], ["mypy"]):
        print(f"$ {' '.join(check)}", flush=True)
        failed |= subprocess.run([python, "-m", *check], cwd=ROOT, stdin=stdin, check=False).returncode
    if failed:
        print("ruff or mypy found faults (above); the tests run all the same.", flush=True)
    pytest = [python, "-m", "pytest", *SIDE_BY_SIDE, *pytest_arguments]
    return subprocess.run(pytest, cwd=ROOT, stdin=stdin, check=False).returncode or failed


def clean(everything: bool) -> int:
    """Removes what was built and the tools' caches; with `everything`, .venv too."""
    for path in [WORK, *(ROOT / name for name in CACHES), *([VENV] if everything else [])]:
        shutil.rmtree(path, ignore_errors=True)
    for file in (FILE, NATIVE_FILE):
        file.unlink(missing_ok=True)
    for top in ("alonechat", "tests", "tools"):
        for path in list((ROOT / top).rglob("__pycache__")):
            shutil.rmtree(path, ignore_errors=True)
    return 0
