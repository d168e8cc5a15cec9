"""The actions of the table, as the desktop client does them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from alonechat.core.client.rows import Row

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App
    from alonechat.ui.gui.window import Window

SELECTED = {"reply", "edit", "delete", "react", "copy", "open_link", "save_file", "again", "discard"}
"""What is done with the message that is chosen, while the focus is on the messages."""


def do(app: App, action: str, key: str, writing: bool) -> bool:
    """Do an action if it makes sense here; whether it did. `writing`: the focus is in a field."""
    window = app.window
    if action == "quit":
        app.quit()
        return True
    if action == "close":
        return _close(app)
    if app.sheet is not None or window is None:
        return False
    if action in SELECTED:
        row = window.timeline.row
        return not writing and row is not None and _selected(window, action, row)
    if action == "copy_selection":
        return _copy_selection(window)
    if action == "help" and key == "?" and writing and window.composer.content:
        return False
    if action in ("latest", "page_up", "page_down") and writing and key == "end" and window.composer.content:
        return False
    if action == "jump":
        return _jump(window, int(key.rpartition("+")[2]))
    act = _plain(window, action)
    if act is not None:
        act()
    return act is not None


def _plain(window: Window, action: str) -> Callable[[], object] | None:
    acting, app, timeline = window.acting, window.app, window.timeline

    def select() -> None:
        timeline.canvas.focus_set()
        timeline.step(-1)

    def theme() -> None:
        app.remember(theme="light" if app.dark else "dark")
        app.restyle()

    return {
        "go_to": acting.go_to,
        "search": acting.search,
        "previous": lambda: window.neighbour(-1),
        "next": lambda: window.neighbour(1),
        "previous_unread": lambda: window.neighbour(-1, True),
        "next_unread": lambda: window.neighbour(1, True),
        "back": window.back,
        "page_up": lambda: timeline.page(-1),
        "page_down": lambda: timeline.page(1),
        "top": timeline.to_top,
        "latest": window.latest,
        "first_unread": lambda: timeline.to("new", flash=False),
        "select": select,
        "members": window.toggle_members,
        "attach": window.filing.choose,
        "emoji": acting.pick_emoji,
        "reconnect": app.hurry,
        "away": lambda: acting.be("online" if window.model.presence.get(window.model.me) == "away" else "away"),
        "accounts": lambda: acting.account_menu(window.foot.me.winfo_rootx() + 12, window.foot.me.winfo_rooty() - 8),
        "settings": acting.settings,
        "theme": theme,
        "help": acting.help,
    }.get(action)


def _copy_selection(window: Window) -> bool:
    """What is selected in the composer comes first: that copy is Tk's."""
    text = "" if window.composer.text.tag_ranges("sel") else window.pointing.text()
    if text:
        window.acting.copy(text)
    return bool(text)


def _jump(window: Window, number: int) -> bool:
    order = window.model.order()
    if number <= len(order):
        window.open(order[number - 1].target)
    return True


def _close(app: App) -> bool:
    """Esc: the topmost of what is open; then everything is read."""
    window = app.window
    if app.sheet is not None:
        app.sheet.close()
    elif window is None:
        return False
    elif window.query:
        window.clear_find()
        window.composer.text.focus_set()
    elif window.pointing.selection.chosen:
        window.pointing.selection.clear()
    elif window.timeline.chosen:
        window.timeline.choose("")
        window.composer.text.focus_set()
    elif not window.composer.leave():
        window.mark_read()
    return True


def _selected(window: Window, action: str, row: Row) -> bool:
    acting, composer = window.acting, window.composer
    said = row.kind == "message" and not row.deleted
    if action == "copy":
        acting.copy(row.text)
    elif action in ("again", "discard"):
        acting.outbox(row, action)
    elif action == "open_link":
        return window.filing.first(row, "open") or acting.open_link(row)
    elif action == "save_file":
        return window.filing.first(row, "save")
    elif action == "reply" and said:
        composer.answer(row)
    elif action == "edit" and said and row.mine:
        composer.change(row)
    elif action == "delete" and said and (row.mine or acting.moderates()):
        acting.delete(row)
    elif action == "react" and said:
        place = next(each for each in window.timeline.placed if each.row.key == row.key)
        canvas = window.timeline.canvas

        class At:
            """Where the picker opens: beside the message."""

            x_root = canvas.winfo_rootx() + window.timeline.left + place.laid.bubble[0]
            y_root = canvas.winfo_rooty() + place.y + place.laid.bubble[3] - window.timeline.offset

        acting.pick_reaction(row, At)
    else:
        return False
    return True
