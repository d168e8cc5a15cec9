"""Which terminal there is: POSIX ones are written to, the consoles of Windows go through curses."""

from __future__ import annotations

import sys

from alonechat.ui.tui.terminal import Terminal


def terminal() -> Terminal:
    """The terminal that this process has. Raises Unusable where none can be drawn on."""
    if sys.platform == "win32":
        from alonechat.ui.tui.console import Console

        return Console()
    from alonechat.ui.tui.terminal import PosixTerminal

    return PosixTerminal()
