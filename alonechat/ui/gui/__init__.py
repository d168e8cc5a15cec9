"""The desktop face."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alonechat.core.client.opening import Opening


def run(opening: Opening) -> int:
    """Open the face, and return the exit code when it is closed. Raises Unusable where it can't work."""
    from alonechat.core.client.opening import Unusable
    from alonechat.core.client.words import _
    from alonechat.ui.gui.tk import missing

    if reason := missing():
        raise Unusable(_("the desktop client needs {what}").format(what=reason))
    from alonechat.ui.gui.app import main  # here: `alonechat --help` must not load a face

    return main(opening)
