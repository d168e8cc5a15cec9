"""A file of a message as a line: what it is, how large, how far it is on its way. Pure."""

from __future__ import annotations

from alonechat.core.client.files import File
from alonechat.core.client.present import printable, size_text
from alonechat.core.client.words import _
from alonechat.ui.tui.screen import ACCENT, BOLD, DANGER, SECONDARY, UNDERLINE, Line, Piece, cut, wrap
from alonechat.ui.tui.width import clip, graphemes, width

IMAGE, OTHER = "🖼", "📎"
LEAST = 12
"""Cells that a name keeps before what stands behind it goes."""
ENDING = 8
"""Cells at the end of a name that is cut in its middle: what kind of file it is shows there."""


def lines(file: File, cells: int, own: bool) -> list[Line]:
    """`🖼 cat.png · 1.2 MB · 800×600`, and below it what keeps it. `own`: it is on its way out, in a row whose own
    lines say what was refused."""
    icon = Piece(f"{IMAGE if file.is_image else OTHER} ", SECONDARY)
    moving = {"loading": "↓", "uploading": "↑"}.get(file.state)
    far = f" · {moving} {file.fraction:.0%}" if moving else ""
    size = f" · {size_text(file.size)}" if file.size else ""
    pixels = f" · {file.width}×{file.height}" if file.width and file.height else ""
    name = printable(file.name)
    room = cells - width(icon.text) - width(far)
    for behind in (f"{size}{pixels}", size, ""):
        if room - width(behind) >= min(width(name), LEAST) or not behind:
            break
    shown = Piece(_middle(name, max(1, room - width(behind))), ACCENT.plus(UNDERLINE))
    found = [cut((icon, shown, Piece(behind, SECONDARY), Piece(far, ACCENT.plus(BOLD))), cells)]
    if file.state == "failed" and not own:
        found += wrap((Piece(_("not fetched: {reason}").format(reason=printable(file.reason)), DANGER),), cells)
    elif file.state == "waiting" and file.reason:
        found += wrap((Piece(_("waits: {reason}").format(reason=printable(file.reason)), SECONDARY),), cells)
    return found


def _middle(name: str, cells: int) -> str:
    """A name in so many cells, cut in its middle where it has more."""
    if width(name) <= cells:
        return name
    if cells < 2 * ENDING:
        return clip(name, cells)
    end, taken = "", 0
    for part, wide in reversed(graphemes(name)):
        if taken + wide > ENDING:
            break
        end, taken = part + end, taken + wide
    return clip(name, cells - taken) + end
