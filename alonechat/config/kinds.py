"""One setting as a row of a table, and how a value of its kind is understood."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from alonechat.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: everything that parsing, errors, help and documentation need to know about it.

    `kind`: text, choice, switch, integer, number, size (bytes, also as `10 MiB`), path, networks.
    `default`: the value, but for the profiles that `profiles` names. `least` and `most` bound a number's value or a
    text's length.
    """

    name: str
    kind: str
    default: Any
    help: str
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    profiles: Mapping[str, Any] | None = None
    secret: bool = False
    variable: str = ""

    @property
    def flag(self) -> str:
        """How the command line spells it."""
        return "--" + self.name.replace("_", "-")

    def default_in(self, profile: str) -> Any:
        """The default in `profile`."""
        return self.default if self.profiles is None else self.profiles.get(profile, self.default)

    @property
    def expected(self) -> str:
        """What a value has to be, for an error and for the documentation: `an integer from 0 to 65535`."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        words = {
            "text": "a text",
            "switch": "true or false",
            "integer": "an integer",
            "number": "a number",
            "size": "a number of bytes (KiB and MiB may follow)",
            "path": "a path",
            "networks": "addresses or networks such as 10.0.0.1, 192.168.0.0/16",
        }[self.kind]
        unit = " characters" if self.kind == "text" else ""
        if self.least is not None and self.most is not None:
            return f"{words} {'of' if unit else 'from'} {self.least:.15g} to {self.most:.15g}{unit}"
        return f"{words} of at least {self.least:.15g}{unit}" if self.least is not None else words


_YES = frozenset({"1", "true", "t", "yes", "y", "on"})
_NO = frozenset({"0", "false", "f", "no", "n", "off"})
_SIZE = re.compile(r"(\d{1,18})\s*(?:([kmg])(?:i?b)?|b)?", re.IGNORECASE)


def parse(row: Row, value: object, where: str, base: Path, textual: bool) -> Any:
    """`value` as the setting holds it. `textual`: numbers and switches may come as text (flags, environment)."""
    parsed = _typed(row, value, base, textual)
    if parsed is not None and _within(row, parsed):
        return parsed
    came = "***" if row.secret else repr(value) if isinstance(value, str) else str(value)
    raise ConfigError(f"{where} must be {row.expected}, not {came}")


def _typed(row: Row, value: Any, base: Path, textual: bool) -> Any:
    """`value` in the kind of its row, or None when it has another kind."""
    if row.kind in ("text", "choice"):
        return value if isinstance(value, str) else None
    if row.kind == "path":
        return _path(value, base)
    if row.kind == "networks":
        return _networks(value)
    if row.kind == "switch":
        word = value.strip().lower() if textual and isinstance(value, str) else ""
        return value if isinstance(value, bool) else True if word in _YES else False if word in _NO else None
    if isinstance(value, bool):
        return None
    if row.kind == "size" and isinstance(value, str):
        size = _SIZE.fullmatch(value.strip())
        return int(size[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[(size[2] or "").lower()] if size else None
    if textual and isinstance(value, str):
        try:
            return float(value) if row.kind == "number" else int(value)
        except ValueError:
            return None
    if row.kind == "number":
        return float(value) if isinstance(value, (int, float)) else None
    return value if isinstance(value, int) else None


def _path(value: Any, base: Path) -> Path | None:
    if not isinstance(value, (str, Path)) or not str(value) or "\0" in str(value):
        return None
    try:
        return base / Path(value).expanduser()
    except RuntimeError:  # ~name of a user whom this machine doesn't know
        return None


def _networks(value: Any) -> tuple[IPv4Network | IPv6Network, ...] | None:
    given = re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value
    if not isinstance(given, (list, tuple)):
        return None
    try:
        pieces = [piece for each in given for piece in re.split(r"[\s,]+", str(each).strip()) if piece]
        return tuple(ip_network(piece, strict=False) for piece in pieces)
    except ValueError:
        return None


def _within(row: Row, value: Any) -> bool:
    if row.choices:
        return value in row.choices
    if row.kind not in ("text", "integer", "number", "size"):
        return True
    size = len(value) if row.kind == "text" else value
    if isinstance(size, float) and not math.isfinite(size):
        return False
    return (row.least is None or size >= row.least) and (row.most is None or size <= row.most)
