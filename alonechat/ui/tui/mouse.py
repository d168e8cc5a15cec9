"""What the mouse does: a click on a conversation opens it, on a message selects it; the wheel scrolls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alonechat.ui.tui import selecting
from alonechat.ui.tui.composer import lay_out
from alonechat.ui.tui.keys import Mouse
from alonechat.ui.tui.picture import PROMPT

if TYPE_CHECKING:
    from alonechat.ui.tui.app import App

WHEEL = 3
"""Lines that a notch of the wheel scrolls."""


def handle(app: App, event: Mouse) -> None:
    """One event of the mouse."""
    if app.dialogs:
        dialog = app.dialogs[-1]
        if event.kind in ("up", "down"):
            dialog.wheel(1 if event.kind == "up" else -1)
        elif event.kind == "press" and event.button == 1:
            dialog.click(event.y, event.x)
        app.dialogs = [each for each in app.dialogs if not each.done]
        return
    if app.desk is None:
        return
    layout = app.look.layout
    in_list = event.x < layout.list
    if event.kind in ("up", "down"):
        by = 1 if event.kind == "up" else -1
        if in_list:
            app.desk.step(-by)
        else:
            selecting.scroll(app, WHEEL * by)
    elif event.kind == "press" and event.button == 1:
        app.completing.stop()
        if in_list:
            if event.y < len(app.look.listed):
                app.go(app.look.listed[event.y])
        elif layout.members and event.x >= layout.members_x:
            if event.y < len(app.look.people):
                app.go(app.look.people[event.y])
        else:
            _in_main(app, event)


def _in_main(app: App, event: Mouse) -> None:
    assert app.desk is not None
    (top, bottom), (first, lines) = app.look.body, app.look.composer
    if top <= event.y < bottom:
        at = event.y - (bottom - len(app.look.seen))
        if 0 <= at < len(app.look.seen):
            selecting.choose(app, app.look.seen[at].row)
    elif event.y == bottom:
        app.desk.latest()
    elif first <= event.y < first + lines:
        _place_cursor(app, event.y - first, event.x)


def _place_cursor(app: App, row: int, x: int) -> None:
    """Put the composer's cursor where it was clicked."""
    assert app.desk is not None
    editor, layout = app.desk.talk().editor, app.look.layout
    cells = max(1, layout.main - PROMPT - 2)
    found = lay_out(editor, cells)
    shown = app.look.composer[1]
    top = max(0, min(found.row - shown + 1, len(found.lines) - shown))
    begin, end = found.lines[min(top + row, len(found.lines) - 1)]
    editor.move_to_cell(begin, end, max(0, x - layout.main_x - 1 - PROMPT))
