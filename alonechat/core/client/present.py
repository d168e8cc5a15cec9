"""What a person sees, as lines that are safe on a terminal; and texts cut to what one message holds. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

Event = Mapping[str, Any]

# Joiners build emoji and letters; every other format character (bidirectional overrides above all) can make a line lie.
_KEPT = frozenset("\u200c\u200d")
UNITS = ("KB", "MB", "GB", "TB")


def printable(text: str, lines: bool = False) -> str:
    """`text` without anything that a terminal obeys: control and format characters become visible escapes.
    With `lines`, line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(c if _harmless(c) or (lines and c in "\n\t") else _escape(c) for c in text)


def _harmless(char: str) -> bool:
    return char in _KEPT or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escape(char: str) -> str:
    return ascii(char)[1:-1]


def short(text: str, most: int = 40) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def size_text(size: int) -> str:
    """A number of bytes for a person: `512 B`, `3 KB`, `1.2 MB`. A KB is 1024 bytes."""
    if size < 1024:
        return f"{size} B"
    value = float(size)
    for unit in UNITS:
        value /= 1024
        if round(value, 1) < 1000 or unit == UNITS[-1]:
            break
    return f"{value:.1f}".removesuffix(".0") + f" {unit}" if value < 10 else f"{value:.0f} {unit}"


@dataclass(frozen=True, slots=True)
class Now:
    """Where and on which day lines are read: times are of `zone` (None: the local one), other days bear a date."""

    today: date | None = None
    zone: tzinfo | None = None

    def time(self, timestamp: str) -> str:
        """A time of the wire for a person: `09:41`, or `2026-11-20 09:41`."""
        at = datetime.fromisoformat(timestamp).astimezone(self.zone)
        return f"{at:%H:%M}" if self.today in (None, at.date()) else f"{at:%Y-%m-%d %H:%M}"


def line(event: Event, where: str, about: Event | None = None, now: Now = Now()) -> str | None:
    """An event as a line of `tail`: `09:41 #room <name> text`. `where` is the conversation, `about` the message that
    `ref` names. None: there is nothing to show."""
    said = _said(event, about)
    return None if said is None else lined(said, where, event["timestamp"], now)


def lined(said: str, where: str, timestamp: str, now: Now) -> str:
    """What was said, with time and place, further lines of it indented so that none can pass for another's."""
    first, *rest = printable(said.replace("\r\n", "\n"), lines=True).replace("\t", " ").split("\n")
    return "\n      ".join([f"{now.time(timestamp)} {printable(where)} {first}", *rest])


def _said(event: Event, about: Event | None) -> str | None:
    kind, who, content = event["type"], event["sender"], event["content"]
    message = f' "{short(about["content"])}"' if about and about.get("content") else " a message"
    if kind == "TEXT":
        return _text(event)
    if kind == "EDIT":
        return f"<{who}> edited: {content}"
    if kind == "DELETE":
        return f"{who} deleted a message" if about is None else f"{who} deleted a message of {about['sender']}"
    if kind == "REACT":
        took = event.get("removed")
        return f"{who} took {content} back from{message}" if took else f"{who} reacted {content} to{message}"
    if kind == "JOIN":
        return f"{who} joined"
    if kind == "LEAVE":
        return f"{event['by']} removed {who}" if event.get("by") else f"{who} left"
    if kind == "TOPIC":
        return f"{who} set the topic: {content}" if content else f"{who} cleared the topic"
    return None


def _text(event: Event) -> str:
    who, via = event["sender"], event.get("via")
    if event.get("deleted"):
        return f"<{who}> (deleted)"
    files = [with_id(each) for each in event.get("attachments") or ()]
    body = " ".join(filter(None, [event["content"], *files]))
    if via == "me":
        return f"* {who} {body}"
    name = f"{who} via {via}" if via else who
    reactions = "".join(f" {emoji}{len(users)}" for emoji, users in (event.get("reactions") or {}).items())
    return f"<{name}> {body}{' (edited)' if event.get('edited') else ''}{reactions}"


def with_id(file: Mapping[str, Any]) -> str:
    """A file with its id, which fetches it: `[plan.pdf, 5120 bytes, ab12…]`."""
    said = [str(file.get("name")), f"{file.get('size')} bytes", *_pixels(file), *filter(None, [file.get("id")])]
    return f"[{', '.join(map(str, said))}]"


def brief(file: Mapping[str, Any]) -> str:
    """A file for who has other ways to name it: `[plan.pdf, 5 KB]`."""
    size = file.get("size")
    return f"[{', '.join([str(file.get('name')), size_text(size if isinstance(size, int) else 0), *_pixels(file)])}]"


def _pixels(file: Mapping[str, Any]) -> list[str]:
    return [f"{file['width']}×{file['height']}"] if file.get("width") and file.get("height") else []


def literal(text: str) -> str:
    """`text` as content that is no command: a leading `/` is doubled (PROTOCOL, section 5)."""
    return "/" + text if text.startswith("/") else text


def parts(text: str, most: int) -> list[str]:
    """`text` as the contents of messages of at most `most` code points each: cut only where it must be, at line ends
    where there are any; none of them is a command, and none is blank."""
    found: list[str] = []
    at = 0
    while at < len(text):
        room = most - (text[at] == "/")
        if len(text) - at <= room:
            end = following = len(text)
        elif (end := text.rfind("\n", at, at + room + 1)) >= at:
            following = end + 1
        else:
            end = following = at + room
        if piece := text[at:end]:
            found += [literal(piece)] if piece.strip() else []
        at = following
    return found
