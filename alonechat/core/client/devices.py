"""What a client calls itself when it signs in, and how the list of one's sign-ins names it."""

from __future__ import annotations

import platform
import re
from urllib.parse import quote, unquote

from alonechat import __version__
from alonechat.core.client.present import printable
from alonechat.core.client.words import _

LONGEST = 80
"""Characters of a machine's name, as it is written in the header; the server keeps 120 of the whole."""
_OURS = re.compile(r"AloneChat/\S+ \(([^;)]*); ([^)]*)\)")


def agent() -> str:
    """The `User-Agent` of this client: program, system, and the name of this machine, by which its owner knows it.
    What is no ASCII in it, or would end it, is percent-encoded."""
    name = platform.node() or "?"
    while len(quoted := quote(name, errors="replace")) > LONGEST:
        name = name[:-1]
    return f"AloneChat/{__version__} ({platform.system() or '?'}; {quoted})"


def called(device: str) -> str:
    """How a sign-in's `device` is shown, safe on a terminal: the machine and its system, where it was a client of
    ours."""
    found = _OURS.match(device)
    if found is None:
        return printable(device.strip()) or _("unknown")
    system, machine = found.groups()
    return printable(f"{unquote(machine)} · {'macOS' if system == 'Darwin' else system}")
