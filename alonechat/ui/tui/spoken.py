"""What the line mode says of an event: one line that is safe on a terminal, in the language that was chosen."""

from __future__ import annotations

from alonechat.core.client.model import Model
from alonechat.core.client.present import Now, brief, lined, short
from alonechat.core.client.rows import note
from alonechat.core.client.state import Event
from alonechat.core.client.templates import posted
from alonechat.core.client.words import _

_BRACKETS = str.maketrans("<>", "‹›")


def spoken(model: Model, event: Event, where: str, about: Event | None, now: Now) -> str | None:
    """An event as `09:41 #room <name> text`, with people as they are shown; otherwise as `present.line`. None: there
    is nothing to say."""
    said = _said(model, event, about)
    return None if said is None else lined(said, where, event["timestamp"], now)


def named(model: Model, username: str) -> str:
    """How somebody is called here: as shown, with the username behind it where another is shown alike, or where the
    name might pass for such a one. Nobody's name looks like the end of one and somebody else's words."""
    shown = model.shown(username)
    if shown != username:
        alike = (name for name, user in model.users.items() if user.get("display_name") == shown and name != username)
        told = "(" in shown or next(alike, None) is not None
        shown = f"{shown} ({username})" if told else shown
    return shown.translate(_BRACKETS)


def _said(model: Model, event: Event, about: Event | None) -> str | None:
    kind, who = event["type"], named(model, event["sender"])
    if kind == "TEXT":
        return _text(model, event, who)
    if kind in ("JOIN", "LEAVE", "TOPIC"):
        return note(lambda name: named(model, name), event)
    if kind == "EDIT":
        return _("<{who}> edited: {text}").format(who=who, text=event["content"])
    if kind == "DELETE":
        if about is None:
            return _("{who} deleted a message").format(who=who)
        return _("{who} deleted a message of {other}").format(who=who, other=named(model, about["sender"]))
    if kind == "REACT":
        text = f'"{short(about["content"])}"' if about and about.get("content") else _("a message")
        template = (
            _("{who} took {emoji} back from {text}") if event.get("removed") else _("{who} reacted {emoji} to {text}")
        )
        return template.format(who=who, emoji=event["content"], text=text)
    return None


def _text(model: Model, event: Event, who: str) -> str:
    via = event.get("via")
    if event.get("deleted"):
        return f"<{who}> " + _("(deleted)")
    body = " ".join(filter(None, [posted(event), *map(brief, event.get("attachments") or ())]))
    if via == "me":
        return f"* {who} {body}"
    name = _("{name} via {plugin}").format(name=who, plugin=via) if via else who
    reactions = "".join(f" {emoji}{len(users)}" for emoji, users in (event.get("reactions") or {}).items())
    return f"<{name}> {body}{' (' + _('edited') + ')' if event.get('edited') else ''}{reactions}"
