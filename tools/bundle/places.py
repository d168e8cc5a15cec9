"""Where the build keeps its things, and how it runs programs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build"
VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"


class BuildError(Exception):
    """The build can't go on. `str(error)` says what to do."""


def run(*command: str | Path, doing: str) -> None:
    """Runs a program silently; when it fails, `BuildError` says what it was doing and what the program said."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BuildError(f"{doing} failed (exit {done.returncode}):\n  " + "\n  ".join(said[-15:]))


def digest_of(paths: Iterable[Path], *facts: str) -> str:
    """A digest of files (their names below the root and their bytes) and of further facts."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        name = path.relative_to(ROOT).as_posix()
        digest.update(f"{name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    for fact in facts:
        digest.update(fact.encode() + b"\0")
    return digest.hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Replaces a small file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def kept(what: str, digest: str, make: Callable[[Path], None]) -> Path:
    """A directory under build/ that is kept as long as `digest` stays; `make` fills it the first time. It is there as a
    whole or not at all."""
    place = WORK / f"{what}-{digest[:16]}"
    if place.is_dir():
        return place
    made = Path(tempfile.mkdtemp(prefix=f".{what}-", dir=WORK))
    try:
        make(made)
        made.chmod(0o755)
        os.rename(made, place)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return place


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One build in this tree at a time; a second one waits."""
    WORK.mkdir(exist_ok=True)
    with open(WORK / "lock", "w") as lock:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
