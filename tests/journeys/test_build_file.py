"""The one file: on every Python and in every home, started twice at once, built twice to the same bytes."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.journeys.pythons import pythons
from tools.bundle import commands, stage

ROOT = Path(__file__).resolve().parents[2]
NEWEST = (3, 13)
"""The newest Python that the file is promised to run on; each from 3.11 on that this machine has is tried."""
SUPPORTED = sorted(version for version in pythons() if (3, 11) <= version <= NEWEST)
REFUSED = sorted(version for version in pythons() if version < (3, 11))
WARM_SECONDS = 1.0
"""Wide, for machines that do other things meanwhile; 0.4 s is what is aimed at, and the test prints what it was."""
MEGABYTES = 8
posix = pytest.mark.skipif(os.name == "nt", reason="elsewhere: file modes")


def run(python: str, pyz: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Starts the file on a Python and waits for its end."""
    command = [python, str(pyz), *arguments]
    given = {**os.environ, **env}
    return subprocess.run(
        command, env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )


def builds_in(cache: Path) -> list[str]:
    """The unpacked builds below a cache directory."""
    return sorted(path.parent.name for path in cache.glob("*/in-use"))


@pytest.mark.parametrize("version", SUPPORTED, ids=lambda version: ".".join(map(str, version)))
def test_it_runs_on_every_supported_python(pyz: Path, version: tuple[int, int]) -> None:
    done = run(pythons()[version], pyz, "--help")
    assert done.returncode == 0, done.stderr
    assert "server" in done.stdout and done.stderr == ""


def test_a_warm_start_is_quick(pyz: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = []
    for _ in range(6):
        began = time.perf_counter()
        assert run(sys.executable, pyz, "--help").returncode == 0
        times.append(time.perf_counter() - began)
    best = min(times[1:])
    with capsys.disabled():
        print(f"\n--help, warm, best of five: {best:.3f} s", end=" ")
    assert best < WARM_SECONDS


@pytest.mark.skipif(not REFUSED, reason="elsewhere: a Python before 3.11")
@pytest.mark.parametrize("version", REFUSED, ids=lambda version: ".".join(map(str, version)))
def test_a_wrong_python_gets_one_sentence_and_nothing_is_unpacked(
    pyz: Path, tmp_path: Path, version: tuple[int, int]
) -> None:
    done = run(pythons()[version], pyz, "server", ALONECHAT_CACHE=str(tmp_path / "cache"), HOME=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("AloneChat needs Python 3.11 or newer; this is Python {}.{}.".format(*version))
    assert done.stderr.count("\n") == 1 and done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not REFUSED, reason="elsewhere: a Python before 3.11")
@pytest.mark.parametrize("version", REFUSED, ids=lambda version: ".".join(map(str, version)))
def test_the_build_refuses_a_wrong_python_too(version: tuple[int, int]) -> None:
    command = [pythons()[version], str(ROOT / "build.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("build.py needs Python 3.11 or newer; this is Python {}.{}.".format(*version))


def homeless(tmp_path: Path, **more: str) -> dict[str, str]:
    """A home in which nothing can be made, for root too: it is a file."""
    home = tmp_path / "home"
    home.write_text("", "utf-8")
    places = {name: str(home / name) for name in ("XDG_CACHE_HOME", "LOCALAPPDATA")}
    return {"HOME": str(home), "USERPROFILE": str(home), **places, "ALONECHAT_CACHE": "", **more}


@posix
def test_an_unwritable_home_is_done_without(pyz: Path, tmp_path: Path) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    done = run(sys.executable, pyz, "--help", **homeless(tmp_path, TMPDIR=str(place)))
    assert done.returncode == 0, done.stderr
    (made,) = place.iterdir()
    assert made.name == f"alonechat-{os.geteuid()}"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert len(builds_in(made)) == 1


@posix
def test_a_directory_that_others_can_write_to_is_not_trusted(pyz: Path, tmp_path: Path) -> None:
    place = tmp_path / "tmp"
    trap = place / f"alonechat-{os.geteuid()}"
    trap.mkdir(parents=True)
    trap.chmod(0o777)
    done = run(sys.executable, pyz, "--help", **homeless(tmp_path, TMPDIR=str(place)))
    assert done.returncode == 0, done.stderr
    assert list(trap.iterdir()) == []
    (other,) = (path for path in place.iterdir() if path != trap)
    assert stat.S_IMODE(other.stat().st_mode) == 0o700 and len(builds_in(other)) == 1


@posix
def test_no_place_at_all_is_one_sentence(pyz: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", "utf-8")
    gone = {name: str(blocked / "tmp") for name in ("TMPDIR", "TEMP", "TMP")}
    done = run(sys.executable, pyz, "--help", **homeless(tmp_path, **gone, ALONECHAT_CACHE=str(blocked / "cache")))
    if done.returncode == 0:  # Python falls back to /tmp, /var/tmp and the working directory, one of which did
        assert done.stderr == ""
        return
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "Set ALONECHAT_CACHE" in done.stderr


def test_it_is_compiled_once_where_python_is_told_to_write_no_bytecode(pyz: Path, tmp_path: Path) -> None:
    """As in many container images: there each start would compile it anew and take twice as long."""
    cache = tmp_path / "cache"
    env = {"ALONECHAT_CACHE": str(cache), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONVERBOSE": "1"}
    first, second = (run(sys.executable, pyz, "server", "--help", **env) for _ in range(2))
    assert first.returncode == second.returncode == 0
    said, again = (done.stderr.replace("\\\\", "\\").splitlines() for done in (first, second))  # as Windows has it
    made = [line for line in said if line.startswith("# created ")]
    assert any("alonechat/cli/__pycache__" in line.replace(os.sep, "/") for line in made)
    assert all(str(cache) in line for line in made)  # what Python was told holds for all that is not the file's own
    compiled = [line for line in again if line.startswith("# code object from ")]
    assert compiled and not [line for line in compiled if str(cache) in line and ".pyc" not in line]
    assert "# created " not in second.stderr


@pytest.mark.parametrize("told", ["", "1"], ids=["usual", "no bytecode"])
def test_bytecode_that_a_full_disk_cut_is_made_again(pyz: Path, tmp_path: Path, told: str) -> None:
    """Python's own loader ends in a traceback over it, at every start."""
    env = {"ALONECHAT_CACHE": str(tmp_path), "PYTHONDONTWRITEBYTECODE": told}
    assert run(sys.executable, pyz, "--version", **env).returncode == 0
    (folder,) = tmp_path.glob("*/site/alonechat/cli/__pycache__")
    (kept,) = folder.glob("__init__.*.pyc")
    whole = kept.read_bytes()
    for damaged in (b"", whole[:16], whole[:200], whole[:16] + bytes(500), whole[:16] + b"N", whole[:-1]):
        kept.write_bytes(damaged)
        done = run(sys.executable, pyz, "--version", **env)
        assert (done.returncode, done.stderr) == (0, ""), damaged[:40]
        assert kept.read_bytes() == whole


@pytest.mark.parametrize("lost", ["alonechat/cli/__init__.py", "alonechat"])
def test_an_unpacked_copy_that_is_not_whole_is_said_to_be(pyz: Path, tmp_path: Path, lost: str) -> None:
    assert run(sys.executable, pyz, "--version", ALONECHAT_CACHE=str(tmp_path)).returncode == 0
    (site,) = tmp_path.glob("*/site")
    path = site / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = run(sys.executable, pyz, "--version", ALONECHAT_CACHE=str(tmp_path))
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
    assert str(site.parent) in done.stderr and "Delete that folder, and start again." in done.stderr
    shutil.rmtree(site.parent)
    assert run(sys.executable, pyz, "--version", ALONECHAT_CACHE=str(tmp_path)).returncode == 0


def test_two_first_starts_at_once_both_run(pyz: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    env = {**os.environ, "ALONECHAT_CACHE": str(cache)}
    started = [
        subprocess.Popen([sys.executable, str(pyz), "--version"], env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [(process.communicate(timeout=60)[0], process.returncode) for process in started]
    assert {(text.split()[0], code) for text, code in said} == {("alonechat", 0)}
    assert len(builds_in(cache)) == 1
    assert [path.name for path in cache.iterdir() if path.name.startswith(".")] == []


def other_build(cache: Path, name: str, days: float) -> Path:
    """A build of another version that was started last so many days ago."""
    home = cache / name
    (home / "site").mkdir(parents=True)
    mark = home / "in-use"
    mark.write_text("", "utf-8")
    when = time.time() - days * 86400
    os.utime(mark, (when, when))
    return home


def test_old_builds_go_when_a_new_one_comes(pyz: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for name, days in (("a" * 24, 1), ("b" * 24, 2), ("c" * 24, 3), ("d" * 24, 40)):
        other_build(cache, name, days)
    keep = cache / "not-a-build"
    keep.mkdir()
    assert run(sys.executable, pyz, "--version", ALONECHAT_CACHE=str(cache)).returncode == 0
    left = builds_in(cache)
    assert len(left) == 3 and {"a" * 24, "b" * 24} < set(left)
    assert keep.is_dir()


@posix
def test_a_build_that_runs_is_never_removed(pyz: Path, tmp_path: Path) -> None:
    import fcntl

    cache = tmp_path / "cache"
    used = other_build(cache, "e" * 24, 90)
    unused = other_build(cache, "f" * 24, 90)
    with open(used / "in-use") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        assert run(sys.executable, pyz, "--version", ALONECHAT_CACHE=str(cache)).returncode == 0
    assert used.is_dir() and not unused.exists()


def test_the_file_is_small_and_compiled_for_nobody(pyz: Path) -> None:
    assert pyz.stat().st_size < MEGABYTES * 1_000_000
    with zipfile.ZipFile(pyz) as packed:
        names = packed.namelist()
    compiled = {name.rpartition("/")[2] for name in names if name.endswith((".so", ".pyd", ".dylib", ".dll", ".pyc"))}
    for version in stage.WINDOWS_PYTHONS:
        assert any(f"cp{version}-win_amd64" in name for name in compiled), version
    assert {name for name in compiled if "curses" not in name} == set()


def copy_of_tree(place: Path) -> Path:
    """The tree as a fresh clone would have it, with this one's packages at hand so that nothing is fetched."""
    names = ("alonechat", "tools", "requirements")
    for name in names:
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("build.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place / name)
    return place


BUILDS = """
import sys
from pathlib import Path
from tools.bundle import archive, venv
venv.python = lambda: Path(sys.executable)
archive.build(False, Path(sys.argv[1]))
"""
"""Packs a tree on the Python that runs this: making a second .venv would take a minute and change nothing."""


def test_two_builds_of_the_same_tree_are_the_same_bytes(tmp_path: Path) -> None:
    # One copy is taken, then copied again: the tree itself may change while this runs.
    first = copy_of_tree(tmp_path / "here")
    second = tmp_path / "else where" / "deeper"
    shutil.copytree(first, second)
    for number, tree in enumerate((first, second)):
        (tree / "build").mkdir()
        shutil.copytree(stage.dependencies(False), tree / "build" / stage.dependencies(False).name)
        for path in tree.rglob("*"):  # as another clone at another time, by somebody with another umask
            os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
            path.chmod(path.stat().st_mode & (0o755 if number else 0o700))
        env = {**os.environ, "PYTHONHASHSEED": str(number), "TZ": ("UTC", "Asia/Shanghai")[number]}
        command = [sys.executable, "-c", BUILDS, str(tree / "out.pyz")]
        done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (first / "out.pyz").read_bytes() == (second / "out.pyz").read_bytes()


def test_a_second_build_is_up_to_date_and_a_change_is_seen(tmp_path: Path) -> None:
    tree = copy_of_tree(tmp_path / "tree")
    (tree / "build").mkdir()
    shutil.copytree(stage.dependencies(False), tree / "build" / stage.dependencies(False).name)
    asks = BUILDS.replace("archive.build(", "print(archive.build(").replace("(sys.argv[1]))", "(sys.argv[1])))")

    def build() -> str:
        command = [sys.executable, "-c", asks, "out.pyz"]
        return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True).stdout.strip()

    assert [build(), build()] == ["True", "False"]
    with open(tree / "alonechat" / "errors.py", "a") as file:
        file.write("# changed\n")
    assert build() == "True"


HIDES = """
import os, sys
class Hides:
    def find_spec(self, name, path=None, target=None):
        if name == "ensurepip" and not os.path.exists(os.environ["INSTALLED"]):
            raise ModuleNotFoundError("No module named 'ensurepip'", name=name)
sys.meta_path.insert(0, Hides())
"""
"""A Python as Debian ships it, which lacks ensurepip until its package is installed."""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere: apt-get")
@pytest.mark.parametrize("works", [True, False])
def test_a_python_without_ensurepip_gets_it_or_one_line_that_says_how(tmp_path: Path, works: bool) -> None:
    tree = copy_of_tree(tmp_path / "tree")
    place = tmp_path / "bin"
    place.mkdir()
    (place / "sitecustomize.py").write_text(HIDES, "utf-8")
    mark = tmp_path / "installed"
    apt = place / "apt-get"
    apt.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n' + (f"touch {mark}\n" if works else "exit 100\n"), "utf-8"
    )
    apt.chmod(0o755)
    env = {"PYTHONPATH": str(place), "PATH": f"{place}:{os.environ['PATH']}", "INSTALLED": str(mark)}
    asks = (
        "import os; os.geteuid = lambda: 0\n"
        "from tools.bundle import places, venv\n"
        "try: venv.prepare(())\n"
        "except places.BuildError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", asks], cwd=tree, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert package in (tmp_path / "asked").read_text("utf-8"), done.stderr
    assert (tree / ".venv" / "bin" / "python").exists() is works, done.stdout + done.stderr
    if not works:
        assert done.stdout.splitlines()[-1].endswith(f"this line installs it: sudo apt-get install {package}")


def test_pip_install_gives_the_same_commands(tmp_path: Path, pyz: Path) -> None:
    import venv

    tree, made = copy_of_tree(tmp_path / "tree"), tmp_path / "venv"
    venv.create(made, symlinks=os.name != "nt")
    programs = made / ("Scripts" if os.name == "nt" else "bin")
    site = next(made.rglob("site-packages"))
    # pip, setuptools and what the command runs on come from this tree's own .venv: nothing is fetched.
    (site / "packages.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")), "utf-8")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    install = [str(programs / "python"), "-m", "pip", "install", *options, str(tree)]
    done = subprocess.run(install, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    installed = subprocess.run(
        [str(programs / "alonechat"), "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout == run(sys.executable, pyz, "--help").stdout
    pages = [path.relative_to(tree) for path in (tree / "alonechat").rglob("*") if path.suffix in (".html", ".svg")]
    assert [page for page in pages if not (site / page).is_file()] == []


def test_a_mistake_in_the_builds_arguments_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(["--nativ-e"])
    assert ended.value.code == 2
    assert "unknown argument: --nativ-e" in capsys.readouterr().err


def test_ctrl_c_while_the_program_is_being_read_is_no_traceback(pyz: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Struck:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'typer': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Struck())\n"
    )
    ended = run(sys.executable, pyz, "--version", PYTHONPATH=str(tmp_path))
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
