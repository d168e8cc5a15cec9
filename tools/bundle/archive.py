"""Writes alonechat.pyz and alonechat-native.pyz, each only when what goes into it changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from . import compiled, hot, stage, venv
from .places import REQUIREMENTS, ROOT, WORK, digest_of, run, write_whole

BUNDLE = Path(__file__).parent
EPOCH = 1735689600
"""The time that every entry of the archive bears (2025-01-01) unless SOURCE_DATE_EPOCH says another: a clone and a
source tarball give the same bytes."""


def build(native: bool, target: Path) -> bool:
    """Writes the file; False when it was up to date."""
    stamp, now = _stamp(target), _state(native)
    if is_current(native, target):
        return False
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".stage-", dir=WORK) as place:
        packages, start, packed = Path(place) / "site", Path(place) / "start", Path(place) / target.name
        stage.gather(native, packages)
        shutil.copytree(BUNDLE / "start", start, ignore=shutil.ignore_patterns("__pycache__"))
        (start / "target.py").write_text(_target_of(native, packages), "utf-8")
        for path in start.iterdir():
            path.chmod(0o644)
        built_at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(_epoch()))
        run(venv.python(), BUNDLE / "pack.py", packages, start, packed, built_at, doing="Packing")
        packed.chmod(0o755)
        os.replace(packed, target)
    write_whole(stamp, f"{now} {_sum(target)}")
    return True


def is_current(native: bool, target: Path) -> bool:
    """Whether the file is there and was made from what the tree holds now."""
    stamp = _stamp(target)
    if not (target.is_file() and stamp.is_file()):
        return False
    return stamp.read_text("utf-8") == f"{_state(native)} {_sum(target)}"


def _stamp(target: Path) -> Path:
    return WORK / f"{target.name}.stamp"


def _state(native: bool) -> str:
    inputs = [*stage.own_files(), *BUNDLE.rglob("*.py"), *REQUIREMENTS.glob("*.txt"), ROOT / "build.py"]
    if native:
        inputs += (ROOT / "alonechat").rglob("*.c")
    python = sys.version.split()[0] if native else "any"
    return digest_of(inputs, python, str(_epoch()), compiled.obstacle() if native else "")


def _epoch() -> int:
    return int(os.environ.get("SOURCE_DATE_EPOCH") or EPOCH)


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _target_of(native: bool, packages: Path) -> str:
    """The start code's `target` module: which build this is and what it runs on."""
    digest = hashlib.sha256()
    for path in sorted(path for path in packages.rglob("*") if path.is_file()):
        name = path.relative_to(packages).as_posix()
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    python = tuple(sys.version_info[:2]) if native else None
    platform = sysconfig.get_platform() if native else None
    library = f"{hot.LIBRARY}__mypyc" if native and not compiled.obstacle() else None
    return (
        '"""Which build this is, what it runs on (None: everything), and what holds its compiled modules."""\n'
        f"BUILD = {digest.hexdigest()[:24]!r}\nPYTHON = {python!r}\nPLATFORM = {platform!r}\n"
        f"LIBRARY = {library!r}\n"
    )
