"""Lists to go by: conversations, people and rooms by a few letters (Ctrl-K); the accounts of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from alonechat.core.client.fuzzy import ranked
from alonechat.core.client.listing import title
from alonechat.core.client.model import Summary
from alonechat.core.client.present import printable, short
from alonechat.core.client.words import _, n_
from alonechat.errors import AloneChatError
from alonechat.ui.tui import sidebar, signin
from alonechat.ui.tui.dialog import Choice, Picker
from alonechat.ui.tui.screen import ACCENT, BOLD, SECONDARY, Line, Piece

if TYPE_CHECKING:
    from alonechat.ui.tui.app import App


def marked(text: str, places: tuple[int, ...]) -> Line:
    """A name whose letters at some places are the ones that were typed."""
    text, there = printable(text), frozenset(places)
    return tuple(Piece(char, ACCENT.plus(BOLD)) if at in there else Piece(char) for at, char in enumerate(text))


def open_switcher(app: App) -> None:
    """Go to a conversation, a person, or a room that one is not in yet."""
    desk = app.desk
    if desk is None:
        return
    rooms: dict[str, dict[str, Any]] = {}

    def find(text: str) -> list[Choice]:
        known = desk.model.order()
        if not text.strip():  # what is new first, then where one was last
            known.sort(key=lambda each: (not each.mentions, not each.unread or each.muted, each.target == desk.target))
        found = [(each.target, title(desk.model, each.target)) for each in known]
        listed = {target for target, _name in found}
        found += [(name, desk.model.shown(name)) for name in sorted(desk.model.users) if name not in listed]
        found += [(target, target) for target in sorted(rooms) if target not in listed]
        fits = ranked(text, found, lambda each: each[1] if each[1] == each[0] else f"{each[1]} {each[0]}")
        choices = [_choice(app, target, places, name, rooms.get(target)) for (target, name), places in fits]
        wanted = text.strip()
        if wanted.startswith("#") and len(wanted) > 1 and not any(target == wanted for target, _name in found):
            make = (Piece(_("make the room {name}").format(name=wanted), ACCENT),)
            choices.append(Choice(make, "", lambda: _join(app, wanted)))
        elif wanted and not any(target.casefold() == wanted.casefold() for target, _name in found):
            write = (Piece(_("write to {name}").format(name=printable(wanted)), ACCENT),)
            choices.append(Choice(write, "", lambda: app.go(wanted.casefold())))
        return choices

    picker = Picker(_("Go to"), find, _("Enter · Esc"), _("nothing is called so"))

    def learned(answer: Any, error: Exception | None) -> None:
        for each in (answer or {}).get("items", ()):
            rooms[str(each.get("target") or f"#{each['name']}")] = each
        if not picker.done:
            picker.update()

    desk.runner.rest(lambda rest: rest.rooms(), learned)
    app.show(picker)


def _choice(app: App, target: str, places: tuple[int, ...], name: str, room: dict[str, Any] | None) -> Choice:
    assert app.desk is not None
    model = app.desk.model
    found: Summary | None = model.conversations.get(target)
    label = marked(name, tuple(at for at in places if at < len(name)))
    if not target.startswith("#"):
        label = (sidebar.presence(model, target), Piece(" "), *label)
        label += (Piece(f"  {printable(target)}", SECONDARY),) if name != target and target != model.me else ()
    if found is not None:
        mark = sidebar.badge(found)
        detail = mark.text or short(printable(found.topic), 30)
        return Choice(label, detail, lambda: app.go(target))
    if room is not None:
        return Choice(label, _("join"), lambda: _join(app, target))
    return Choice(label, "", lambda: app.go(target))


def _join(app: App, target: str) -> None:
    desk = app.desk
    if desk is None:
        return

    def joined(answer: Any, error: Exception | None) -> None:
        if error is not None:
            app.say(str(error), is_error=True)
        elif app.desk is desk:
            app.go(str(answer.get("target") or target))

    desk.runner.join(target, None, joined)


def open_accounts(app: App) -> None:
    """Switch to another account of this machine, sign in elsewhere, or sign out."""
    current = app.desk.runner.account if app.desk is not None else None
    try:
        saved = app.opening.accounts.all()
    except AloneChatError as error:
        app.say(str(error), is_error=True)
        saved = []
    choices = []
    for each in saved:
        same = current is not None and (each.url, each.username) == (current.url, current.username)
        label = (Piece("● " if same else "  ", ACCENT), Piece(printable(each.username)))
        choices.append(Choice(label, printable(urlsplit(each.url).netloc), lambda each=each: _switch(app, each)))  # type: ignore[misc]
    choices.append(Choice((Piece(_("sign in with another account…"), ACCENT),), "", lambda: signin.open_form(app, "")))
    if current is not None:
        text = _("sign out {name}").format(name=printable(current.username))
        choices.append(Choice((Piece(text, ACCENT),), "", lambda: _sign_out(app)))

    def find(text: str) -> list[Choice]:
        return [each for each in choices if text.casefold() in each.label[-1].text.casefold()]

    app.show(Picker(_("Accounts"), find, _("Enter · Esc")))


def _switch(app: App, account: Any) -> None:
    current = app.desk.runner.account if app.desk is not None else None
    if current is not None and (account.url, account.username) == (current.url, current.username):
        return
    app.opening.accounts.save(account)
    app.sit(account)


def _sign_out(app: App) -> None:
    desk = app.desk
    if desk is None:
        return
    waiting = len(desk.model.waiting())
    name = printable(desk.runner.account.username)

    def gone(answer: Any, error: Exception | None) -> None:
        if app.desk is desk:
            app.leave()
            following = app.opening.accounts.all()
            if following:
                open_accounts(app)
            else:
                signin.open_form(app, desk.runner.account.url)

    choices = [
        Choice((Piece(_("Sign out, keep messages on this machine")),), "", lambda: desk.runner.sign_out(gone)),
        Choice((Piece(_("Sign out, remove them from it")),), "", lambda: desk.runner.sign_out(gone, wipe=True)),
        Choice((Piece(_("Stay signed in")),), "", lambda: None),
    ]
    foot = n_("{n} message is not sent yet", "{n} messages are not sent yet", waiting) if waiting else ""
    app.show(Picker(_("Sign out {name}?").format(name=name), lambda text: choices, foot))
