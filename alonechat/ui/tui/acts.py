"""What each action of the table does, and which one a key means where one is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from alonechat.core.client.actions import ACTIONS, JUMPS, SELECT, shown
from alonechat.core.client.rows import Row
from alonechat.core.client.words import _
from alonechat.ui.tui import help, local, searching, selecting, switcher, typing
from alonechat.ui.tui.dialog import Page
from alonechat.ui.tui.picture import PROMPT
from alonechat.ui.tui.screen import Line

if TYPE_CHECKING:
    from alonechat.ui.tui.app import App

Act = Callable[["App"], None]
THEMES = ("system", "light", "dark")


def press(app: App, key: str) -> None:
    """Carry out what a key means here."""
    if key not in COMPLETING:
        app.completing.stop()
    for name in app.keymap.get(key, ()):
        if _fits(app, name, key):
            DOES[name](app) if name in DOES else _jump(app, key)
            return
    if key == "ctrl+z":
        app.terminal.suspend()
    elif key == "ctrl+c":
        _interrupt(app)
    elif key in ("ctrl+up", "ctrl+down"):
        selecting.move(app, -1 if key == "ctrl+up" else 1)
    elif app.look.selected is not None and key in MOVES:
        MOVES[key](app)
    elif app.desk is not None:
        _edit(app, key)


COMPLETING = ("tab", "shift+tab")
MOVES: dict[str, Act] = {
    "up": lambda app: selecting.move(app, -1),
    "down": lambda app: selecting.move(app, 1),
    "k": lambda app: selecting.move(app, -1),
    "j": lambda app: selecting.move(app, 1),
}
SELECTED = {action.name for action in ACTIONS if action.section == SELECT}


def is_key(app: App, char: str) -> bool:
    """Whether a typed character is a key here rather than text: `r` with a message selected, `?` in an empty
    composer."""
    if app.desk is None:
        return False
    if app.look.selected is not None and (char in MOVES or any(n in SELECTED for n in app.keymap.get(char, ()))):
        return True
    return any(_fits(app, name, char) for name in app.keymap.get(char, ()) if name not in SELECTED)


def _fits(app: App, name: str, key: str) -> bool:
    """Whether an action has its place where one is. Single characters are text while there is a text."""
    if name in SELECTED:
        return app.look.selected is not None
    if app.desk is None:
        return name in ("help", "accounts", "quit", "redraw", "theme")
    empty = not app.desk.talk().editor.text
    if name == "edit_last":
        return empty and app.look.selected is None and app.desk.talk().history.at == 0
    if name == "send" and app.look.selected is not None:
        return False
    if len(key) == 1 or key in ("end", "home"):
        return empty if name != "line_start" else not empty
    return True


def _edit(app: App, key: str) -> None:
    """A key of the composer."""
    assert app.desk is not None
    app.look.selected = None
    talk = app.desk.talk()
    before = talk.editor.text
    if key in ("up", "down"):
        cells = max(1, app.look.layout.main - PROMPT - 2)
        if not talk.editor.up_or_down(-1 if key == "up" else 1, cells):
            _remember(app, 1 if key == "up" else -1)
            return
    else:
        talk.editor.press(key)
    if talk.editor.text != before:
        app.desk.typed()


def _pressed(key: str) -> Act:
    """An action that is one of the editor's own keys."""
    return lambda app: _edit(app, key) if app.desk is not None else None


def _remember(app: App, by: int) -> None:
    """Something that was written before, or after."""
    if app.desk is not None:
        talk = app.desk.talk()
        text = talk.history.move(by, talk.editor.text)
        if text is not None:
            talk.editor.set(text)
            app.desk.typed()


def _on_selected(act: Callable[[App, Row], None]) -> Act:
    def run(app: App) -> None:
        if (row := selecting.selected(app)) is not None:
            act(app, row)

    return run


# --- one function for what has more than a line ---


def _close(app: App) -> None:
    """Esc: what is open goes first; then what is new here is read."""
    desk = app.desk
    if desk is None:
        return
    if app.look.selected is not None:
        app.look.selected = None
    elif not desk.cancel():
        desk.mark_read()
        desk.latest()


def _interrupt(app: App) -> None:
    """Ctrl-C: what is being written goes (Ctrl-Y brings it back), else how one quits is said."""
    desk = app.desk
    if desk is None:
        return
    editor = desk.talk().editor
    if desk.cancel() or app.look.selected is not None:
        app.look.selected = None
    elif editor.text:
        editor.move(len(editor.text))
        editor.kill(0, len(editor.text))
        desk.typed()
    else:
        keys = next(action.keys for action in ACTIONS if action.name == "quit")
        app.say(_("{key} quits").format(key=shown(app.keys.get("quit", keys)[0])))


def _send(app: App) -> None:
    desk = app.desk
    if desk is None:
        return
    app.completing.stop()
    if not app.preferences.enter_sends:
        typing.insert(app, "\n", typed=True)
        return
    send(app)


def _new_line(app: App) -> None:
    """A new line; where Enter makes one, this sends."""
    if app.preferences.enter_sends:
        typing.insert(app, "\n", typed=True)
    else:
        send(app)


def send(app: App) -> None:
    """Send what is written, or carry it out where it is a command of the client."""
    desk = app.desk
    assert desk is not None
    talk = desk.talk()
    text = talk.editor.text
    if talk.editing is None and local.split(text) is not None:
        talk.history.add(text)
        talk.editor.set("")
        desk.typed()
        local.run(app, text)
    else:
        desk.send()


def _edit_last(app: App) -> None:
    assert app.desk is not None
    row = app.desk.last_own()
    if row is None:
        _remember(app, 1)
    elif row.event is not None:
        app.desk.edit(row)


def _jump(app: App, key: str) -> None:
    """Alt-1 … Alt-9."""
    assert app.desk is not None
    order = app.desk.model.order()
    at = JUMPS.index(key) if key in JUMPS else int(key[-1]) - 1 if key[-1:].isdecimal() else 0
    if at < len(order):
        app.go(order[at].target)


def _away(app: App) -> None:
    if app.desk is not None:
        model = app.desk.model
        is_away = model.presence.get(model.me) in ("away", "busy")
        app.desk.runner.presence("online" if is_away else "away")
        app.say(_("you are back") if is_away else _("you are away"))


def _theme(app: App) -> None:
    chosen = THEMES[(THEMES.index(app.preferences.theme) + 1) % len(THEMES)]
    app.prefer(theme=chosen)
    app.paint()
    words = {"system": _("colours as the terminal has them"), "light": _("light colours"), "dark": _("dark colours")}
    app.say(words[chosen])


def _members(app: App) -> None:
    app.look.wants_members = not app.look.layout.members
    app.prefer(members_shown=app.look.wants_members)


def _step(by: int, unread: bool = False) -> Act:
    def run(app: App) -> None:
        if app.desk is not None:
            app.look.selected = None
            if not app.desk.step(by, unread) and unread:
                app.say(_("nothing is new"))

    return run


def _redraw(app: App) -> None:
    app.terminal.forget()


def _back(app: App) -> None:
    if app.desk is not None and app.desk.before:
        app.go(app.desk.before)


def _latest(app: App) -> None:
    if app.desk is not None:
        app.look.selected = None
        app.desk.latest()


def _reconnect(app: App) -> None:
    if app.desk is not None:
        app.desk.runner.hurry()


def open_help(app: App) -> None:
    """The page of keys and commands."""

    def lay(cells: int) -> list[Line]:
        return help.lines(cells, app.keys, app.desk.model.commands if app.desk is not None else {})

    app.show(Page(_("Help"), lay, _("↑ ↓ scroll · Esc")))


DOES: dict[str, Act] = {
    "go_to": switcher.open_switcher,
    "search": searching.open_search,
    "previous": _step(-1),
    "next": _step(1),
    "previous_unread": _step(-1, unread=True),
    "next_unread": _step(1, unread=True),
    "back": _back,
    "close": _close,
    "page_up": lambda app: selecting.page(app, 1),
    "page_down": lambda app: selecting.page(app, -1),
    "top": selecting.top,
    "latest": _latest,
    "first_unread": selecting.first_unread,
    "select": lambda app: selecting.move(app, -1),
    "members": _members,
    "send": _send,
    "new_line": _new_line,
    "edit_last": _edit_last,
    "complete": lambda app: typing.complete_word(app, 1),
    "complete_back": lambda app: typing.complete_word(app, -1),
    "older_input": lambda app: _remember(app, 1),
    "newer_input": lambda app: _remember(app, -1),
    "line_start": _pressed("ctrl+a"),
    "line_end": _pressed("ctrl+e"),
    "word_left": _pressed("alt+b"),
    "word_right": _pressed("alt+f"),
    "kill_line": _pressed("alt+k"),
    "kill_start": _pressed("ctrl+u"),
    "kill_word": _pressed("ctrl+w"),
    "yank": _pressed("ctrl+y"),
    "editor": typing.edit_outside,
    "reply": _on_selected(selecting.reply),
    "edit": _on_selected(selecting.edit),
    "delete": _on_selected(selecting.delete),
    "react": _on_selected(selecting.react),
    "copy": _on_selected(selecting.copy),
    "open_link": _on_selected(selecting.open_link),
    "save_file": _on_selected(selecting.save_file),
    "again": _on_selected(selecting.again),
    "discard": _on_selected(selecting.discard),
    "reconnect": _reconnect,
    "away": _away,
    "accounts": switcher.open_accounts,
    "theme": _theme,
    "redraw": _redraw,
    "help": open_help,
    "quit": lambda app: app.quit(),
}
"""What the table's actions do; `jump` depends on its key. A test holds that none is missing."""


def _keys(app: App, name: str) -> str:
    action = next(each for each in ACTIONS if each.name == name)
    keys = app.keys.get(name, action.keys)
    return shown(keys[-1] if name == "help" else keys[0]) if keys else ""


def hints(app: App) -> tuple[tuple[str, str], ...]:
    """What the status line offers: (key, word). With a message selected, what can be done with it."""
    row = selecting.selected(app)
    words: tuple[tuple[str, str], ...]
    if row is None:
        desk = app.desk
        words = (("go_to", _("go to")), ("search", _("search")), ("edit_last", _("edit")))
        words += (("select", _("select")), ("help", _("help")))
        if desk is not None and desk.target in desk.model.windows and not desk.is_at_end():
            words = (("latest", _("latest")), *words)
    elif row.state in ("refused", "waiting"):
        words = (("again", _("send again")), ("discard", _("discard")), ("copy", _("copy")))
    else:
        words = (("reply", _("reply")),)
        words += (("open_link", _("open")), ("save_file", _("save"))) if row.files else ()
        words += (("react", _("react")), ("copy", _("copy")))
        words += (("edit", _("edit")), ("delete", _("delete"))) if row.mine else (("delete", _("delete")),)
        words += (("open_link", _("open link")),) if selecting.links(row) and not row.files else ()
    found = tuple((_keys(app, name), text) for name, text in words)
    return tuple(each for each in found if each[0])


def refused_hint(app: App) -> str:
    """How what was refused is sent again or thrown away."""
    words = {"select": _keys(app, "select"), "again": _keys(app, "again"), "discard": _keys(app, "discard")}
    return _("{select}, then {again}: try again, {discard}: discard").format(**words)
