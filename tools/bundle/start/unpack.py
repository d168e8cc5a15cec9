"""Where the packages of the .pyz lie unpacked: `<cache>/<build>/site`, made once and shared by all its processes.

A running process holds `<cache>/<build>/in-use` open with a shared lock. Whoever cleans up takes that lock alone first,
so a build that runs is never removed. Windows has no shared lock here; there a directory with an open file cannot be
renamed, and cleaning begins with renaming. When a new build is unpacked, the others go, but the two that were started
last stay for 30 days, so that two versions in turn don't unpack each time.
"""

import contextlib
import os
import stat
import sys
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

KEPT = 2
KEPT_SECONDS = 30 * 24 * 3600
UNFINISHED_SECONDS = 3600
_held: list[int] = []  # descriptors that stay open, and locked, until the process ends


def find_or_unpack(archive: str, build: str) -> str:
    """The directory to import from. Unpacks `archive` when no process did before; ends the process with a sentence when
    there is no place to do so."""
    reasons = []
    for root in _roots():
        try:
            return _enter(root, archive, build)
        except OSError as error:
            reasons.append(f"{root} ({error.strerror or error})")
    try:
        return _enter(_private_temporary(), archive, build)
    except OSError as error:
        reasons.append(f"the temporary directory ({error.strerror or error})")
    sys.stderr.write(
        "AloneChat needs a directory of yours with about 30 MB of room to unpack itself; tried "
        + ", ".join(reasons)
        + ". Set ALONECHAT_CACHE to a directory that you can write to.\n"
    )
    sys.exit(2)


def _roots() -> list[str]:
    chosen = os.environ.get("ALONECHAT_CACHE")
    if chosen:
        return [os.path.abspath(os.path.expanduser(chosen))]
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
        return [os.path.abspath(os.path.join(base, "alonechat", "cache"))]
    if sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return [os.path.join(base, "alonechat")] if os.path.isabs(base) and _is_ours_or_absent(base) else []


def _is_ours_or_absent(path: str) -> bool:
    """Whether the nearest directory that exists belongs to this user: under sudo the home may be another's, and root's
    files would lock its owner out of the own cache."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return os.stat(path).st_uid == os.geteuid()


def _private_temporary() -> str:
    """A directory of this user alone (0700) under the temporary one. One that is a link, another's, or open to others
    is left alone, and a new one is made: whoever can write there could make us run his code."""
    import glob
    import tempfile

    base = tempfile.gettempdir()
    if not hasattr(os, "geteuid"):
        return os.path.join(base, "alonechat")  # Windows: the temporary directory is the user's own
    name = os.path.join(base, f"alonechat-{os.geteuid()}")
    try:
        os.mkdir(name, 0o700)
    except FileExistsError:
        for path in [name, *sorted(glob.glob(glob.escape(name) + "-*"))]:
            if _is_private(path):
                return path
        return tempfile.mkdtemp(prefix=os.path.basename(name) + "-", dir=base)
    return name


def _is_private(path: str) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077


def _enter(root: str, archive: str, build: str) -> str:
    """Holds the build's directory and returns its `site`; unpacks first where it is missing. Raises OSError."""
    home = os.path.join(root, build)
    if os.path.isdir(root) and hasattr(os, "geteuid") and os.stat(root).st_uid not in (os.geteuid(), 0):
        raise PermissionError(1, "belongs to another user")
    while not _hold(home):
        os.makedirs(root, mode=0o700, exist_ok=True)
        _unpack(archive, root, home)
        _clean(root, build)
    return os.path.join(home, "site")


def _hold(home: str) -> bool:
    """Takes part in using the build until this process ends. False: it is not (or no longer) there."""
    mark = os.path.join(home, "in-use")
    try:
        held = os.open(mark, os.O_RDONLY)
    except FileNotFoundError:
        return False
    if fcntl is not None:
        with contextlib.suppress(OSError):  # a file system without locks: the two youngest builds stay anyway
            fcntl.flock(held, fcntl.LOCK_SH)
        try:
            there = os.path.samestat(os.fstat(held), os.stat(mark))
        except FileNotFoundError:
            there = False  # removed between opening and locking
        if not there:
            os.close(held)
            return False
    with contextlib.suppress(OSError):  # a cache that is read-only serves as well; nobody can clean it either
        os.utime(mark)
    _held.append(held)
    return True


def _unpack(archive: str, root: str, home: str) -> None:
    """Unpacks beside `home`, then renames: at any moment `home` is whole or absent, however many begin at once."""
    import shutil
    import zipfile

    made = os.path.join(root, f".new-{os.getpid()}-{os.urandom(6).hex()}")
    prefix = "site-packages/"
    try:
        os.mkdir(made, 0o700)
        with zipfile.ZipFile(archive) as packed:
            directories = set()
            for name in packed.namelist():
                if not name.startswith(prefix):
                    continue
                path = os.path.join(made, "site", *name[len(prefix) :].split("/"))
                directory = os.path.dirname(path)
                if directory not in directories:
                    os.makedirs(directory, exist_ok=True)
                    directories.add(directory)
                with open(path, "wb") as file:
                    file.write(packed.read(name))
        with open(os.path.join(made, "in-use"), "wb"):
            pass
        try:
            os.rename(made, home)
        except OSError:
            if not os.path.isdir(home):
                raise  # else another process was first, and its copy is the same
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _clean(root: str, build: str) -> None:
    """Removes other builds and what was left half-made. A failure leaves them for the next time."""
    now = time.time()
    others = []
    for name in os.listdir(root):
        path = os.path.join(root, name)
        if name.startswith((".new-", ".old-")):
            if now - _modified(path) > UNFINISHED_SECONDS:
                _remove(path)
        elif name != build and os.path.exists(os.path.join(path, "in-use")):
            others.append((_modified(os.path.join(path, "in-use")), path))
    others.sort(reverse=True)
    for place, (used, path) in enumerate(others):
        if place >= KEPT or now - used > KEPT_SECONDS:
            _retire(path)


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return time.time()


def _retire(path: str) -> None:
    """Removes an unpacked build unless a process uses it."""
    old = os.path.join(os.path.dirname(path), f".old-{os.getpid()}-{os.urandom(6).hex()}")
    try:
        if fcntl is None:
            os.rename(path, old)
        else:
            held = os.open(os.path.join(path, "in-use"), os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.rename(path, old)
            finally:
                os.close(held)
    except OSError:
        return  # in use, or gone already
    _remove(old)


def _remove(path: str) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)
