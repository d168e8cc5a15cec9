"""The hot modules compiled for this Python and platform; kept under build/ until something that they are made of
changes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from . import system, venv
from .places import REQUIREMENTS, ROOT, WORK, digest_of, kept, run

BUNDLE = Path(__file__).parent
PINS = REQUIREMENTS / "compile.txt"
ASKS = """
import json, os, sys, sysconfig
print(json.dumps({
    "python": sys.version,
    "suffix": sysconfig.get_config_var("EXT_SUFFIX"),
    "compiler": (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0],
    "headers": os.path.isfile(os.path.join(sysconfig.get_path("include"), "Python.h")),
}))
"""


def obstacle() -> str:
    """Why nothing can be compiled here, in a sentence that says what to install; nothing where it can."""
    if sys.platform == "win32":
        return "The hot modules stay Python in this file: on Windows they are not compiled."
    facts = _facts()
    lacking: dict[str, str] = {}
    if shutil.which(facts["compiler"]) is None:
        lacking[f"C compiler ({facts['compiler']})"] = "gcc"
    if not facts["headers"]:
        version = facts["python"].split()[0]
        number = ".".join(version.split(".")[:2])
        lacking[f"Python.h of Python {version}"] = f"python{number}-dev"
    if not lacking:
        return ""
    return (
        f"The hot modules stay Python in this file: there is no {' and no '.join(lacking)} here;"
        f" on Debian and Ubuntu this line installs it: {system.line_for(list(lacking.values()))}"
    )


def modules() -> Path | None:
    """A directory with the compiled modules as they lie in the package; None where there is an `obstacle`."""
    if obstacle():
        return None
    return kept("compiled", _digest(), _compile)


def _digest() -> str:
    """Of all that goes in. Constants and types come from the modules that the hot ones import, too."""
    core = ROOT / "alonechat" / "core"
    sources = [path for path in core.rglob("*.py") if "client" not in path.relative_to(core).parts]
    sources += [path for kind in ("*.c", "*.h") for path in core.rglob(kind)]
    sources += [ROOT / "alonechat" / "errors.py", *(ROOT / "alonechat" / "config").glob("*.py")]
    steps = [BUNDLE / name for name in ("hot.py", "compiled.py", "translate.py")]
    return digest_of([*sources, *steps, PINS, ROOT / "pyproject.toml"], json.dumps(_facts()))


def _compile(made: Path) -> None:
    print("Compiling the hot modules …", flush=True)
    mypyc = kept("mypyc", digest_of([PINS], json.dumps(_facts())), _fetch)
    run(venv.python(), BUNDLE / "translate.py", mypyc, made, doing="Compiling the hot modules")
    for other in WORK.glob("compiled-*"):
        shutil.rmtree(other, ignore_errors=True)


def _fetch(made: Path) -> None:
    options = ("install", "--no-deps", "--no-compile", "--only-binary=:all:", "--target", made)
    run(venv.python(), *venv.PIP, *options, "-r", PINS, doing="Fetching mypyc")


@cache
def _facts() -> dict[str, str]:
    """What .venv's Python says of itself: it may be another than the one that runs this."""
    answer = subprocess.run([str(venv.python()), "-c", ASKS], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(answer.stdout)
    return found
