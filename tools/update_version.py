#!/usr/bin/env python3
"""Shows, sets or raises the version: `python3 tools/update_version.py bump minor`."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("major", "minor", "patch", "build")
VERSION = re.compile(r"(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){2,3}")
LINE = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)
HEADING = re.compile(r"^## (\S+)(.*)$", re.MULTILINE)


class VersionError(Exception):
    """The version can't be read or written. `str(error)` says what was expected and what came."""


def raised(version: str, part: str) -> str:
    """The version after `version` when `part` (one of `PARTS`) is raised: 2.1.3 by minor is 2.2.0. `build` is the
    fourth number, which is there only where it is raised: 2.1.3 by build is 2.1.3.1, and that by patch is 2.1.4."""
    numbers = [int(number) for number in version.split(".")]
    place = PARTS.index(part)
    if part == "build":
        return ".".join(map(str, [*numbers[:3], (numbers[3:] or [0])[0] + 1]))
    return ".".join(map(str, [*numbers[:place], numbers[place] + 1, *[0] * (2 - place)]))


def read(tree: Path) -> str:
    """The version of the tree. Raises `VersionError`."""
    path = tree / "alonechat" / "__init__.py"
    try:
        found = LINE.findall(path.read_text("utf-8"))
    except OSError as error:
        raise VersionError(f"{path} can't be read: {error.strerror or error}") from None
    if len(found) != 1:
        raise VersionError(f'{path} needs one line like __version__ = "2.0.0"; it has {len(found)}')
    return str(found[0])


def write(tree: Path, version: str) -> None:
    """Gives the tree another version: in the package, and as the heading of CHANGELOG.md that is not released yet,
    which is made where the newest one is a release. Raises `VersionError`, with nothing changed."""
    if VERSION.fullmatch(version) is None:
        raise VersionError(f"a version is three or four numbers like 2.1.0 or 2.1.0.7, not {version!r}")
    read(tree)
    package, changes = tree / "alonechat" / "__init__.py", tree / "CHANGELOG.md"
    try:
        changelog = changes.read_text("utf-8")
    except OSError as error:
        raise VersionError(f"{changes} can't be read: {error.strerror or error}") from None
    newest = HEADING.search(changelog)
    if newest is None:
        raise VersionError(f"{changes} needs a heading like '## 2.0.0 (unreleased)'; it has none")
    heading = f"## {version} (unreleased)"
    if "unreleased" in newest[2]:
        changelog = changelog[: newest.start()] + heading + changelog[newest.end() :]
    elif newest[1] != version:
        changelog = changelog[: newest.start()] + heading + "\n\n" + changelog[newest.start() :]
    package.write_text(LINE.sub(f'__version__ = "{version}"', package.read_text("utf-8")), "utf-8")
    changes.write_text(changelog, "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT, help="the source tree (default: the one this file is in)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("show", help="print the version")
    put = commands.add_parser("set", help="set the version, three or four numbers")
    put.add_argument("version", metavar="X.Y.Z[.B]")
    bump = commands.add_parser("bump", help="raise one part; those after it begin anew")
    bump.add_argument("part", choices=PARTS)
    options = parser.parse_args(arguments)
    try:
        before = read(options.tree)
        if options.command == "show":
            print(before)
            return 0
        if options.command == "bump" and VERSION.fullmatch(before) is None:
            raise VersionError(f"the version {before!r} is not three or four numbers: set it first")
        after = options.version if options.command == "set" else raised(before, options.part)
        write(options.tree, after)
    except VersionError as error:
        print(f"update_version: {error}", file=sys.stderr)
        return 2
    print(f"{before} -> {after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
