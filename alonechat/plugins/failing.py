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
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if home and frame.filename.startswith(home)] or list(frames)
    return f"{said} ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else said
