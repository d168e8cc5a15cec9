"""Whether there is a Tk to draw with, and a display to draw on; else what to install."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from alonechat.core.client.words import _

SYSTEMS = (
    ("fedora", ("dnf", "install", "python3-tkinter")),
    ("rhel", ("dnf", "install", "python3-tkinter")),
    ("arch", ("pacman", "-S", "tk")),
    ("suse", ("zypper", "install", "python3-tk")),
    ("", ("apt-get", "install", "python3-tk")),
)
"""What /etc/os-release says, and what installs Tk there."""


def missing() -> str:
    """What lacks, as the rest of a sentence; empty when nothing does."""
    try:
        import tkinter  # noqa: F401
    except ImportError:
        return _("Python's Tk; install it with: {line}").format(line=install_line())
    try:
        import customtkinter.windows.widgets.theme  # noqa: F401
    except ImportError as error:
        return _("customtkinter, which this file should hold ({reason})").format(reason=error)
    if sys.platform not in ("win32", "darwin") and not os.environ.get("DISPLAY"):
        if os.environ.get("WAYLAND_DISPLAY"):
            return _("XWayland, as Tk draws on X11; install the package xwayland")
        return _("a display (DISPLAY is not set); over ssh, connect with: ssh -X")
    return ""


def install_line() -> str:
    """What installs Tk on this system."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if sys.platform == "darwin":
        return " ".join(("brew", "install", f"python-tk@{version}"))
    if sys.platform == "win32":
        return _("the Python installer, with “tcl/tk” ticked")
    release = ""
    with suppress(OSError):
        release = Path("/etc/os-release").read_text("utf-8").lower()
    return " ".join(("sudo", *next(words for name, words in SYSTEMS if name in release)))
