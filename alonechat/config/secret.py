"""The secret that signs tokens, as a file: made once, whole, for its owner alone."""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from pathlib import Path

SECRET_BYTES = 32
"""Bytes a JWT secret needs in production: HS256 signs with a key of the hash's own size (RFC 7518, section 3.2)."""


def new_secret() -> str:
    """A fresh JWT secret: 32 random bytes as 43 characters that every shell and file takes as they are."""
    return secrets.token_urlsafe(SECRET_BYTES)


def read_secret(path: Path) -> bytes:
    """What the file holds, b"" when there is none. One that is being written right now is empty for a moment."""
    for _ in range(100):
        try:
            kept = path.read_bytes().strip()
        except FileNotFoundError:
            return b""
        if kept:
            return kept
        time.sleep(0.01)
    raise OSError("the file is empty")


def make_secret(path: Path) -> bytes:
    """Make the file whole or not at all: whoever comes second reads what the first one wrote."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=".jwt.secret.", dir=path.parent)  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(new_secret().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        _claim(draft, path)
    finally:
        if os.path.exists(draft):
            os.unlink(draft)
    return read_secret(path)


def _claim(draft: str, path: Path) -> None:
    """Give the draft its name unless the name is taken already."""
    try:
        if os.name == "nt":
            os.rename(draft, path)  # refuses an existing name, unlike elsewhere
        else:
            os.link(draft, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links: the short moment of an empty file is waited out in read_secret
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return
        with os.fdopen(handle, "wb") as file:
            file.write(Path(draft).read_bytes())
