"""Makes this process look like one on another system: `pretend("win32")`, for a process that does nothing else.

What is imported of the standard library and of other packages stays what it is, since it was chosen for this machine;
the modules of ours are imported anew, without the modules and names that only POSIX has.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import pathlib
import pkgutil
import signal
import socket
import sys
import types
from typing import Any

# curses is not among them: the file carries it for Windows.
POSIX_MODULES = {"fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog", "uvloop", "readline"}
POSIX_NAMES = {
    os: "fork geteuid getuid getegid getgid setsid chown lchown fchown killpg getpgid uname sched_getaffinity mkfifo "
    "statvfs openpty posix_fadvise pread pwrite readv writev sysconf getloadavg nice "
    "O_NOFOLLOW O_CLOEXEC O_DIRECTORY O_NONBLOCK",
    signal: "SIGHUP SIGKILL SIGQUIT SIGUSR1 SIGUSR2 SIGALRM SIGPIPE SIGCHLD SIGTSTP SIGWINCH SIGCONT "
    "alarm setitimer pthread_sigmask pthread_kill siginterrupt",
    socket: "AF_UNIX SO_REUSEPORT send_fds recv_fds",
}
MAC_LACKS = {os: "sched_getaffinity posix_fadvise O_TMPFILE memfd_create getrandom"}


def all_of_ours() -> list[str]:
    """The name of every module of the program."""
    import alonechat

    return ["alonechat", *(found.name for found in pkgutil.walk_packages(alonechat.__path__, "alonechat."))]


def pretend(platform: str, keys: str = "") -> list[str]:
    """Takes what `platform` ("win32" or "darwin") lacks away and forgets the modules of ours, which are imported anew
    then; returns their names. `keys` are what somebody presses, where keys are read by Windows' own functions."""
    names = all_of_ours()
    for name in names:
        importlib.import_module(name)
    for name in list(sys.modules):
        if name.split(".")[0] in ("alonechat", "tools"):
            del sys.modules[name]
    sys.platform = platform
    if platform == "win32":
        _like_windows(keys)
    else:
        _remove(MAC_LACKS)
    return names


def _like_windows(keys: str) -> None:
    socket.socketpair = functools.partial(socket.socketpair, socket.AF_UNIX)  # event loops here begin with one
    _remove(POSIX_NAMES)
    _name_system("nt")
    sys.meta_path[:] = [_Without(finder) for finder in sys.meta_path]  # type: ignore[misc]
    for name in POSIX_MODULES:
        for loaded in [each for each in sys.modules if each.split(".")[0] == name]:
            del sys.modules[loaded]
    sys.modules["msvcrt"] = _msvcrt(keys)

    def refuse(*_: object) -> None:
        raise NotImplementedError  # as the loops of Windows do

    asyncio.SelectorEventLoop.add_signal_handler = refuse  # type: ignore[assignment,method-assign]


def _name_system(name: str) -> None:
    """`os.name` for everybody but pathlib, whose paths of Windows can't be used here."""
    paths: Any = sys.modules.get("pathlib._local", pathlib)
    kept = types.ModuleType("os")
    kept.__dict__.update(os.__dict__)
    paths.os = kept
    os.name = name


def _remove(names: dict[Any, str]) -> None:
    for module, each in names.items():
        for name in each.split():
            if hasattr(module, name):
                delattr(module, name)


class _Without:
    """A finder of modules that doesn't know those of POSIX."""

    def __init__(self, finder: Any) -> None:
        self._finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return None if name.split(".")[0] in POSIX_MODULES else self._finder.find_spec(name, path, target)


def _msvcrt(keys: str) -> types.ModuleType:
    """Windows' module for keys and locks, as far as it is used: a locked file refuses a second lock."""
    made: Any = types.ModuleType("msvcrt")
    left, locked = list(keys), set[tuple[int, int]]()

    def locking(descriptor: int, mode: int, count: int) -> None:
        status = os.fstat(descriptor)
        if (status.st_dev, status.st_ino) in locked:
            raise PermissionError(13, "Permission denied")
        locked.add((status.st_dev, status.st_ino))

    made.LK_NBLCK, made.LK_LOCK, made.LK_UNLCK, made.locking = 2, 1, 0, locking
    made.getwch = lambda: left.pop(0)
    made.kbhit = lambda: bool(left)
    return made
