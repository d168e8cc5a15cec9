"""Which terminal there is: POSIX ones are written to, the consoles of Windows go through curses."""

from __future__ import annotations

import sys

from alonechat.core.client.opening import Unusable
from alonechat.core.client.words import _
from alonechat.ui.tui.terminal import Terminal


def terminal() -> Terminal:
    """The terminal that this process has. Raises Unusable where none can be drawn on."""
    if sys.platform == "win32":
        try:
            from alonechat.ui.tui.console import Console
        except ImportError:  # the file carries windows-curses for each Python that there was one for
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise Unusable(_("there is no curses for Python {version} here").format(version=version)) from None
        return Console()
    from alonechat.ui.tui.terminal import PosixTerminal

    return PosixTerminal()
