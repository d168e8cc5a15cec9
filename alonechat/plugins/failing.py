"""How a plugin's failure is said: what went wrong, in which file and line of the plugin."""

from __future__ import annotations

import traceback
from pathlib import Path


class PluginFailure(Exception):
    """A plugin could not be loaded, failed, or passed its deadline. `str` is one sentence for an admin."""


def described(error: BaseException, home: str | None = None) -> str:
    """`ZeroDivisionError: division by zero (dice.py:41)`: the last line that lies in the plugin's own file or folder
    `home`, else the last one at all."""
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, SyntaxError) and error.filename:
        return f"SyntaxError: {error.msg} ({Path(error.filename).name}:{error.lineno})"
    places = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [place for place in places if home and place[0].startswith(home)] or places
    return f"{said} ({Path(own[-1][0]).name}:{own[-1][1]})" if own else said
