"""Gathers what goes into the one file: the tree's own package and its dependencies as wheels that run anywhere."""

from __future__ import annotations

import re
import shutil
import sysconfig
import tempfile
from pathlib import Path

from . import compiled, venv
from .places import REQUIREMENTS, ROOT, BuildError, digest_of, kept, run

WINDOWS_PYTHONS = ("311", "312", "313", "314")
"""The Pythons whose windows-curses lies in the file, side by side: their file names differ by Python version."""

UNUSED = (
    "bin",
    "share",
    "certifi/tests",
    "sqlalchemy/testing",
    "sqlalchemy/dialects/mssql",
    "sqlalchemy/dialects/mysql",
    "sqlalchemy/dialects/oracle",
)
"""Parts of dependencies that AloneChat never imports; SQLAlchemy loads a dialect by the name in the URL only."""

LEXERS = frozenset({"__init__", "_mapping", "special", "python", "data", "shell", "diff"})
"""Pygments' languages that stay: rich shows code in these; any other language is shown as plain text."""

EMOJI = ("emoji.json", "emoji_zh.json")
"""The names of emoji that stay: in English, and in each further language of `alonechat/core/client/words.py`."""

METADATA = ("METADATA", "entry_points.txt", "top_level.txt")


def dependencies(native: bool) -> Path:
    """A directory with the dependencies, ready to be packed; kept under build/ until the pinned versions change."""
    files = [REQUIREMENTS / "run.txt", Path(__file__)] + ([REQUIREMENTS / "native.txt"] if native else [])
    tag = sysconfig.get_platform() + str(venv.python()) if native else "any"

    def make(made: Path) -> None:
        print("Fetching the packages for the file …", flush=True)
        _fetch_native(made) if native else _fetch_pure(made)
        _strip(made)

    return kept("packages", digest_of(files, tag), make)


def _fetch_native(made: Path) -> None:
    _install(made, "-r", str(REQUIREMENTS / "run.txt"), "-r", str(REQUIREMENTS / "native.txt"), "--only-binary=:all:")


def _fetch_pure(made: Path) -> None:
    pins = [line.partition("#")[0].strip() for line in (REQUIREMENTS / "run.txt").read_text("utf-8").splitlines()]
    # Markers are dropped: what only Windows needs must be in the file that is built on Linux.
    plain = [pin.partition(";")[0].strip() for pin in pins if pin]
    curses = next(pin for pin in plain if pin.startswith("windows-curses"))
    plain.remove(curses)
    everywhere = ("--platform", "any", "--abi", "none", "--implementation", "py", "--python-version", "3.11")
    _install(made, *everywhere, "--only-binary=:all:", *plain)
    for version in WINDOWS_PYTHONS:
        chosen = ("--platform", "win_amd64", "--abi", f"cp{version}", "--implementation", "cp")
        number = f"{version[0]}.{version[1:]}"
        _install(made, *chosen, "--python-version", number, "--only-binary=:all:", "--upgrade", curses, keep="*.pyd")
    compiled = [path.name for path in made.rglob("*") if path.suffix in (".so", ".dylib", ".dll")]
    if compiled:
        raise BuildError(f"Only pure-Python wheels may go into the file that runs everywhere; found {compiled[0]}.")


def _install(made: Path, *arguments: str, keep: str = "") -> None:
    """Installs into `made`; with `keep`, by way of a directory of its own, of which such files and the licence stay."""
    target = Path(tempfile.mkdtemp(dir=made)) if keep else made
    options = ("install", "--no-deps", "--no-compile", "--target", target)
    run(venv.python(), *venv.PIP, *options, *arguments, doing="Fetching packages")
    if keep:
        for path in [*target.glob(keep), *target.glob("*.dist-info")]:
            if not (made / path.name).exists():
                shutil.move(path, made / path.name)
        shutil.rmtree(target)


def _strip(made: Path) -> None:
    for name in UNUSED:
        shutil.rmtree(made / name, ignore_errors=True)
    for path in sorted(made.rglob("*"), reverse=True):
        if path.name == "__pycache__" or path.suffix in (".pth", ".pyi", ".pyx", ".pxd", ".c"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        elif path.parent.suffix == ".dist-info" and path.is_file() and not _is_kept_metadata(path.name):
            path.unlink()
    _trim_pygments(made / "pygments" / "lexers")
    for path in (made / "emoji" / "unicode_codes").glob("emoji*.json"):
        if path.name not in EMOJI:
            path.unlink()


def _is_kept_metadata(name: str) -> bool:
    return name in METADATA or re.match(r"(LICEN[SC]E|COPYING|NOTICE|AUTHORS)", name) is not None


def _trim_pygments(lexers: Path) -> None:
    """Takes away the modules of most languages and their rows in the table, so that asking for one says 'not found'."""
    table = lexers / "_mapping.py"
    rows = []
    for line in table.read_text("utf-8").splitlines():
        module = re.match(r"    '\w+': \('pygments\.lexers\.(\w+)'", line)
        if module is None or module[1] in LEXERS:
            rows.append(line)
    table.write_text("\n".join(rows) + "\n", "utf-8")
    for path in lexers.glob("*.py"):
        if path.stem not in LEXERS:
            path.unlink()


def own_files() -> list[Path]:
    """The files of the tree's package that go into the file; catalogues of texts only as they are read, compiled."""
    files = (path for path in (ROOT / "alonechat").rglob("*") if path.is_file())
    left = (path for path in files if "__pycache__" not in path.parts and not path.name.startswith("."))
    return [path for path in left if path.suffix not in (".po", ".c")]


def gather(native: bool, target: Path) -> None:
    """Copies dependencies and the own package into `target`, with modes that don't depend on the machine. Compiled
    modules lie beside their sources: Python takes them first, and tracebacks show the sources' lines."""
    shutil.copytree(dependencies(native), target)
    for path in own_files():
        copied = target / path.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)
    fast = compiled.modules() if native else None
    if fast is not None:
        shutil.copytree(fast, target, dirs_exist_ok=True)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
