"""Writes the one file from a staged directory by shiv's builder: `python pack.py STAGE START TARGET BUILT_AT`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from shiv import builder
from shiv.__version__ import __version__
from shiv.bootstrap.environment import Environment


def pack(stage: Path, start: Path, target: Path, built_at: str) -> None:
    """`stage` becomes the file's packages, `start` its start code in place of shiv's own, which unpacks to ~/.shiv,
    needs a writable home and never cleans up. The same input gives the same bytes."""

    def start_files(_package: object) -> Iterator[tuple[Path, str]]:
        yield from ((path, path.name) for path in sorted(start.glob("*.py")))

    builder.iter_package_files = start_files
    environment = Environment(built_at, __version__, reproducible=True, entry_point="alonechat.cli:main")
    builder.create_archive([stage], target, "/usr/bin/env python3", "_bootstrap:bootstrap", environment)


if __name__ == "__main__":
    pack(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
