"""What the build and some tests need of the system beside Python, and how it comes there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PROGRAMS: dict[str, str] = {"Xvfb": "xvfb", "bash": "bash", "tmux": "tmux", "xclip": "xclip", "xdotool": "xdotool"}
"""A program that a test asks for with `needs_program`, and Debian's package that has it. A test under tests/house/
holds this table to what the tests ask for, so that nothing is installed that no test needs."""


def missing() -> dict[str, str]:
    """Programs that are not on this machine, with their Debian packages."""
    return {program: package for program, package in PROGRAMS.items() if shutil.which(program) is None}


def line_for(packages: list[str]) -> str:
    """What a person types to install Debian packages."""
    return f"sudo apt-get install {' '.join(packages)}"


def install(packages: list[str]) -> bool:
    """Installs Debian packages where that asks for no password (root, apt-get). False where it can't or fails."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    print(f"Installing {', '.join(packages)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    code = 1
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        code = done.returncode
    return code == 0


def prepare(strict: bool) -> None:
    """Installs the programs that tests need where that is possible, else says which tests are skipped and the line that
    installs what they lack. With `strict` tests that lack a part fail, so it says that instead."""
    lacking = missing()
    if lacking and install(sorted(set(lacking.values()))):
        lacking = missing()
    if lacking:
        verb = "fail" if strict else "be skipped"
        print(f"Tests that need {', '.join(sorted(lacking))} will {verb}. To install what they lack:")
        print(f"  {line_for(sorted(set(lacking.values())))}", flush=True)
