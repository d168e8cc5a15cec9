"""The terminal face."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alonechat.core.client.opening import Opening


def run(opening: Opening) -> int:
    """Open the face, and return the exit code when it is closed. Raises Unusable where it can't work."""
    import gc

    gc.disable()  # until the first picture: what is loaded by then stays, and need not be looked through meanwhile
    from alonechat.ui.tui.app import main  # here: `alonechat --help` must not load a face

    return main(opening)
