"""What some tests need of the system beside Python, and how it comes there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PROGRAMS = {
    "tmux": "tmux",
}
"""A program that a test needs, and Debian's package that has it."""


def missing() -> dict[str, str]:
    """Programs that are not on this machine, with their Debian packages."""
    return {program: package for program, package in PROGRAMS.items() if shutil.which(program) is None}


def prepare(strict: bool) -> None:
    """Installs what is missing where that is possible (root on Debian), else says what will be skipped and what would
    install it. With `strict` tests that lack a part fail, so it says that instead."""
    lacking = missing()
    if not lacking:
        return
    packages = sorted(set(lacking.values()))
    if shutil.which("apt-get") and sys.platform == "linux" and os.geteuid() == 0:
        print(f"Installing {', '.join(packages)} …", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        for command in (["apt-get", "update", "-qq"], install):
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
        lacking = missing()
    if lacking:
        verb = "fail" if strict else "be skipped"
        print(f"Tests that need {', '.join(sorted(lacking))} will {verb}. To install what they lack:")
        print(f"  sudo apt-get install {' '.join(packages)}", flush=True)
