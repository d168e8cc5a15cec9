"""A selected message: reply, edit, delete, react, copy, open its link, send again, discard; and scrolling."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from alonechat.core.client.emojis import FREQUENT
from alonechat.core.client.files import called, label
from alonechat.core.client.markup import blocks
from alonechat.core.client.present import printable
from alonechat.core.client.rows import Row
from alonechat.core.client.words import _
from alonechat.ui.tui import filing
from alonechat.ui.tui.desk import messages
from alonechat.ui.tui.dialog import Choice, Picker
from alonechat.ui.tui.screen import ACCENT, Piece

if TYPE_CHECKING:
    from alonechat.ui.tui.app import App


def selected(app: App) -> Row | None:
    """The message that is selected, if it is still there."""
    if app.desk is None or app.look.selected is None:
        return None
    found = next((each for each in app.desk.rows() if each.key == app.look.selected), None)
    if found is None:
        app.look.selected = None
    return found


def choose(app: App, row: Row) -> None:
    """Select a message; what is no message can't be selected."""
    if row.kind in ("message", "written"):
        app.look.selected = row.key


def move(app: App, by: int) -> None:
    """Select the message above (-1) or below (1); the latest in view when none is. Below the last one, none is."""
    desk = app.desk
    if desk is None:
        return
    rows = messages(desk.rows())
    at = next((n for n, each in enumerate(rows) if each.key == app.look.selected), None)
    if not rows or (at is None and by > 0):
        return
    if at is None:
        seen = messages(each.row for each in app.look.seen)
        app.look.selected = (seen or rows)[-1].key
    elif at + by >= len(rows):
        app.look.selected = None
        desk.latest()
        return
    else:
        app.look.selected = rows[max(0, at + by)].key
    show(app)


def show(app: App) -> None:
    """Bring the selected message into view."""
    if app.desk is not None and app.look.laid is not None and app.look.selected is not None:
        top, bottom = app.look.body
        app.desk.talk().place.show(app.desk.rows(), app.look.laid, bottom - top, app.look.selected)


def scroll(app: App, by: int) -> None:
    """Scroll up by so many lines, or down (negative)."""
    if app.desk is None or app.look.laid is None:
        return
    top, bottom = app.look.body
    app.desk.talk().place.scroll(app.desk.rows(), app.look.laid, bottom - top, by)
    if app.desk.is_at_end():
        app.desk.look()


def page(app: App, by: int) -> None:
    """Scroll by a page less a line: what was at the edge stays in view."""
    top, bottom = app.look.body
    scroll(app, by * max(1, bottom - top - 2))


def top(app: App) -> None:
    """To the oldest message that is here; older ones come."""
    if app.desk is not None and app.desk.rows():
        scroll(app, 1_000_000)


def first_unread(app: App) -> None:
    """To the line above what is new; where that is further back than what is here, there."""
    desk = app.desk
    if desk is None or app.look.laid is None:
        return
    upper, lower = app.look.body
    rows, talk = desk.rows(), desk.talk()
    found = desk.model.conversations.get(desk.target)
    since = talk.since if talk.since is not None else found.read if found is not None and found.unread else None
    new = next((at for at, each in enumerate(rows) if each.kind == "new"), None)
    window = desk.model.windows.get(desk.target)
    oldest = window.messages[0]["seq"] if window and window.messages else 0
    if since is not None and oldest > since + 1 and window is not None and not window.start:
        desk.go(desk.target, since + 1)
    elif new is not None:
        talk.place.show(rows, app.look.laid, lower - upper, rows[min(new + 1, len(rows) - 1)].key)
    else:
        app.say(_("nothing is new here"))


# --- what is done with it ---


def reply(app: App, row: Row) -> None:
    """Answer it: it is quoted above the composer."""
    if app.desk is not None and row.event is not None and not row.deleted:
        app.desk.cancel()
        app.desk.talk().reply = row
        app.look.selected = None


def edit(app: App, row: Row) -> None:
    """Change it in the composer, if it is one's own."""
    if app.desk is None or row.event is None or row.deleted:
        return
    if not row.mine:
        app.say(_("only one's own messages can be edited"), is_error=True)
        return
    app.desk.edit(row)
    app.look.selected = None


def delete(app: App, row: Row) -> None:
    """Delete it, once that is confirmed; the server says who may."""
    desk = app.desk
    if desk is None or row.event is None or row.deleted:
        return
    ref, target = str(row.event["id"]), desk.target

    def act() -> None:
        desk.runner.delete(target, ref)
        app.look.selected = None

    choices = [
        Choice((Piece(_("Delete")),), printable(called(row.text, row.files, 40)), act),
        Choice((Piece(_("Keep it")),), "", lambda: None),
    ]
    app.show(Picker(_("Delete this message?"), lambda text: choices, _("Enter · Esc")))


def react(app: App, row: Row) -> None:
    """Choose an emoji to react with; one that is there from oneself already is taken back."""
    desk = app.desk
    if desk is None or row.event is None or row.deleted:
        return
    ref, target = str(row.event["id"]), desk.target
    mine = {emoji for emoji, who in row.reactions if desk.model.me in who}

    def choice(emoji: str, name: str) -> Choice:
        taken = emoji in mine
        label = (Piece(f"{emoji}  "), Piece(f"{name} "), Piece(_("take back") if taken else "", ACCENT))
        return Choice(label, "", lambda: desk.runner.react(target, ref, emoji, taken))

    def find(text: str) -> list[Choice]:
        if text.strip():
            from alonechat.core.client.emojis import matching

            return [choice(emoji, name) for name, emoji in matching(text.strip().strip(":"), 40)]
        there = [emoji for emoji, _who in row.reactions]
        return [choice(emoji, "") for emoji in dict.fromkeys([*there, *FREQUENT])]

    app.show(Picker(_("React"), find, _("type a name · Enter · Esc"), _("no emoji is called so")))


def copy(app: App, row: Row) -> None:
    """Copy its text to the clipboard (OSC 52, also over SSH)."""
    if app.terminal.copy(row.text or called("", row.files, 4000)):
        app.say(_("copied"))
    else:
        app.say(_("this terminal has no clipboard"), is_error=True)


def links(row: Row) -> list[str]:
    """Where a message leads, each place once."""
    return list(dict.fromkeys(span.link for block in blocks(row.text) for span in block.spans if span.link))


def open_link(app: App, row: Row) -> None:
    """Open its link in the browser, or its file with what the system has for it; choose, where there are several."""
    if app.desk is None:
        return
    acts = [(label(each), partial(filing.open_file, app, app.desk, each)) for each in row.files]
    acts += [(each, partial(_browse, app, each)) for each in links(row)]
    if not acts:
        app.say(_("there is no link in it, and no file"))
    elif len(acts) == 1:
        acts[0][1]()
    else:
        choices = [Choice((Piece(printable(text), ACCENT),), "", act) for text, act in acts]
        app.show(Picker(_("Open"), lambda text: [c for c in choices if text in c.label[0].text]))


def save_file(app: App, row: Row) -> None:
    """Save its file; choose, where there are several."""
    if row.files:
        filing.save_as(app, row)
    else:
        app.say(_("there is no file in it"))


def _browse(app: App, url: str) -> None:
    """Open it where a browser has a window of its own; a text browser would draw over this. Elsewhere, copy it."""
    import webbrowser  # here: few messages have a link that is opened

    graphical = os.name == "nt" or os.uname().sysname == "Darwin"
    graphical = graphical or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    if graphical and webbrowser.open(url):
        app.say(_("opened {url}").format(url=printable(url)))
        return
    app.terminal.copy(url)
    app.say(_("no browser here; copied {url}").format(url=printable(url)))


def again(app: App, row: Row) -> None:
    """Send once more what was refused."""
    for nonce in _refused(app, row):
        assert app.desk is not None
        app.desk.runner.again(nonce)


def discard(app: App, row: Row) -> None:
    """Throw away what was refused, or waits."""
    for nonce in _refused(app, row, waiting=True):
        assert app.desk is not None
        app.desk.runner.discard(nonce)
        app.look.selected = None


def _refused(app: App, row: Row, waiting: bool = False) -> list[str]:
    """The entries of the outbox that stand behind a row: its text, or a change of it."""
    if app.desk is None:
        return []
    if row.written is not None:
        found = [row.written]
    else:
        ref = (row.event or {}).get("id")
        found = [each for each in app.desk.model.outbox.values() if each.ref == ref and each.type != "TEXT"]
    return [each.nonce for each in found if each.code or waiting]
