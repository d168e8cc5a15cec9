#!/usr/bin/env python3
"""Writes and checks the SHA-256 sums of a build's files, and makes the hash of a user's password."""

from __future__ import annotations

import argparse
import getpass
import hashlib
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SUMS = "SHA256SUMS"
BUILT = ("*.pyz", "dist/*.whl", "dist/*.tar.gz")
LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")
PASSWORD_LENGTH = 8


class HashError(Exception):
    """The sums or the hash can't be made. `str(error)` says why and what to do."""


def sum_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal. Raises `HashError`."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HashError(f"{path} can't be read: {error.strerror or error}") from None


def write_sums(directory: Path) -> list[str]:
    """Writes `SHA256SUMS` for the files that a build left in `directory`, in the format of sha256sum; returns its
    lines. Raises `HashError` when there are none."""
    files = sorted({path for pattern in BUILT for path in directory.glob(pattern)})
    if not files:
        raise HashError(f"no built file in {directory} (looked for {', '.join(BUILT)}): python3 build.py makes one")
    lines = [f"{sum_of(path)}  {path.relative_to(directory).as_posix()}" for path in files]
    try:
        (directory / SUMS).write_text("\n".join(lines) + "\n", "utf-8", newline="\n")
    except OSError as error:
        raise HashError(f"{directory / SUMS} can't be written: {error.strerror or error}") from None
    return lines


def check_sums(directory: Path) -> list[tuple[str, str]]:
    """The name and the state of every file that `SHA256SUMS` in `directory` lists: `OK`, `changed` or `missing`."""
    path = directory / SUMS
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise HashError(f"{path} can't be read: {error.strerror or error}") from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = LINE.fullmatch(line)
        if parts is None:
            raise HashError(f"{path}, line {number}: expected '<64 hexadecimal digits>  <file>', not {line!r}")
        file = directory / parts[2]
        state = "missing" if not file.is_file() else "OK" if sum_of(file) == parts[1].lower() else "changed"
        found.append((parts[2], state))
    if not found:
        raise HashError(f"{path} is empty: write it again without --check")
    return found


def ask_password() -> str:
    """Asks on the terminal twice, without echo. Raises `HashError` without a terminal or when the two differ."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise HashError("a password is read from a terminal only, so that no file or history keeps it")
    password = getpass.getpass("Password: ")
    if len(password) < PASSWORD_LENGTH:
        raise HashError(f"a password has {PASSWORD_LENGTH} characters or more; this one has {len(password)}")
    if getpass.getpass("Once more: ") != password:
        raise HashError("the two passwords differ; nothing was made")
    return password


def hash_password(password: str, n: int) -> str:
    """The scrypt hash that the database keeps for a user. Raises `HashError` where a package is missing."""
    sys.path.insert(0, str(ROOT))
    try:
        from alonechat.core.server import auth
    except ImportError as error:
        python = Path(".venv", "Scripts" if os.name == "nt" else "bin", "python")
        hint = f"python3 build.py makes .venv; then: {python} tools/generate_hashes.py password"
        raise HashError(f"{error.name or 'a package'} is not installed here; {hint}") from None
    return auth.hash_password(password, n)


def power_of_two(text: str) -> int:
    """scrypt's N as an argument: a power of two from 1024 to 2^20."""
    if text.isdecimal() and 1024 <= (n := int(text)) <= 1 << 20 and not n & (n - 1):
        return n
    raise argparse.ArgumentTypeError(f"a power of two from 1024 to {1 << 20} was expected, not {text!r}")


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "password":
            print(hash_password(ask_password(), options.n))
        elif options.command == "sums":
            print("\n".join([f"{sum_of(path)}  {path.as_posix()}" for path in options.files]))
        elif options.check:
            states = check_sums(options.directory)
            print("\n".join(f"{name}: {state}" for name, state in states))
            return 0 if all(state == "OK" for _, state in states) else 1
        else:
            print("\n".join(write_sums(options.directory)))
    except HashError as error:
        print(f"generate_hashes: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, EOFError):
        print(file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"Without a command: writes {SUMS} for the built files ({', '.join(BUILT)}); --check compares them.",
    )
    parser.add_argument("--check", action="store_true", help=f"compare the files with {SUMS}; exit 1 where one differs")
    parser.add_argument("--directory", type=Path, default=ROOT, help="where the build is (default: the source tree)")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    sums = commands.add_parser("sums", help="print the sums of files")
    sums.add_argument("files", nargs="+", type=Path, metavar="FILE")
    password = commands.add_parser("password", help="ask for a password on the terminal and print its scrypt hash")
    password.add_argument("--n", type=power_of_two, default=1 << 14, help="scrypt's cost (default: 16384)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
