"""Where a new or known password comes from: the environment, a pipe, or the terminal without echo."""

from __future__ import annotations

import os
import sys

from alonechat.cli.piped import text_of
from alonechat.errors import ConfigError

VARIABLE = "ALONECHAT_PASSWORD"
ATTEMPTS = 3


def read_password(prompt: str, twice: bool = False) -> str:
    """A password: `ALONECHAT_PASSWORD`, else the first line of standard input where that is no terminal, else what is
    typed, unseen; `twice` asks for it again until both are the same. Raises `ConfigError` when there is none."""
    given = os.environ.get(VARIABLE)
    if given:
        return given
    if sys.stdin is None or not sys.stdin.isatty():
        return _piped()
    from getpass import getpass

    for _ in range(ATTEMPTS):
        typed = getpass(f"{prompt}: ")
        if not twice or getpass("The same again: ") == typed:
            return typed
        print("alonechat: the two differ; once more", file=sys.stderr)
    raise ConfigError(f"the two passwords differed {ATTEMPTS} times: nothing was changed")


def _piped() -> str:
    line = "" if sys.stdin is None else text_of(sys.stdin.buffer.readline()).rstrip("\r\n")
    if not line:
        raise ConfigError(f"there is no password: set {VARIABLE}, or give it as the first line of standard input")
    return line
