"""Compiles the hot modules: `python translate.py MYPYC MADE`, run in the root of the tree. `MYPYC` is a directory with
mypyc and what it needs; the modules are written below `MADE`, as they lie in the package."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ("-O3", "-g0", "-fPIC", "-DNDEBUG", "-fwrapv", "-fno-strict-aliasing", "-w")
"""How C is compiled: no debug information, and no warnings about C that nobody wrote."""


def translate(place: Path) -> list[Any]:
    """C for the hot modules, below `place`; an object of setuptools for each library, which says what belongs to it."""
    import setuptools
    from mypyc.build import mypycify

    from tools.bundle.hot import LIBRARY, MODULES, WRITTEN

    files = [f"{name.replace('.', '/')}.py" for name in MODULES]
    options = ["--config-file", "pyproject.toml", "--cache-dir", str(place / "cache")]
    # A C file for each module: they are compiled side by side.
    found = list(mypycify([*options, *files], multi_file=True, group_name=LIBRARY, target_dir=str(place / "c")))
    return [*found, *(setuptools.Extension(name, [f"{name.replace('.', '/')}.c"]) for name in WRITTEN)]


def build(libraries: list[Any], place: Path, made: Path) -> None:
    """Compiles and links what `translate` gave."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    linker = shlex.split(sysconfig.get_config_var("LDSHARED") or "cc -shared")
    if "CC" in os.environ:
        linker[:1] = compiler[:1]
    include, suffix = sysconfig.get_path("include"), sysconfig.get_config_var("EXT_SUFFIX")
    objects: dict[str, Path] = {}
    commands = []
    for library in libraries:
        for source in library.sources:
            objects[source] = place / f"{len(objects)}.o"
            places = [f"-I{each}" for each in (*library.include_dirs, include)]
            commands.append([*compiler, *FLAGS, *places, "-c", source, "-o", str(objects[source])])
    commands.sort(key=lambda command: -os.path.getsize(command[-3]))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(call, commands))
        commands = []
        for library in libraries:
            target = made / f"{library.name.replace('.', '/')}{suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            commands.append([*linker, *(str(objects[each]) for each in library.sources), "-o", str(target)])
        list(pool.map(call, commands))


def call(command: list[str]) -> None:
    """Runs a compiler; ends the process with what it said where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}")


def main(mypyc: Path, made: Path) -> None:
    """Both steps."""
    sys.path[:0] = [str(mypyc), str(ROOT)]
    os.environ["PYTHONPATH"] = str(mypyc)  # mypy asks a Python of its own where packages are
    os.environ.setdefault("SETUPTOOLS_USE_DISTUTILS", "local")
    import setuptools  # noqa: F401 - mypyc takes setuptools' kind of library where this stands before it

    with tempfile.TemporaryDirectory() as place:
        build(translate(Path(place)), Path(place), made)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
