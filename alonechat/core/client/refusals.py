"""What is refused and answered, on its way to a face: in the reader's language (`templates`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from alonechat.core.client.model import Answered, Change, Connection, Fetched, Kept, Told
from alonechat.core.client.templates import noted, worded
from alonechat.errors import Rejected

E = TypeVar("E", bound=Exception)


def retold(error: E) -> E:
    """An error with its sentence in the language that was chosen. The one that was given stays as it is."""
    text = worded(str(error))
    if text == str(error):
        return error
    fresh = type(error).__new__(type(error), text)
    fresh.__dict__.update(error.__dict__)
    if isinstance(fresh, Rejected):
        fresh.text = text
    return fresh


def translated(change: Change) -> Change:
    """A change as a face is told it, with what was refused and why there is no connection in the language chosen."""
    act = _WORDED.get(type(change))
    return change if act is None else act(change)


def _answered(asked: Answered) -> Answered:
    frame = asked.result
    if not isinstance(frame, dict) or frame.get("type") != "NOTICE":
        return asked
    return replace(asked, result={**frame, "content": noted(str(frame.get("content") or ""))})


def _kept(kept: Kept) -> Kept:
    """Why an entry was refused stays as it is: it is drawn again and again, in the language of the moment."""
    files = tuple(replace(file, reason=worded(file.reason)) for file in kept.entry.files)
    return Kept(replace(kept.entry, files=files)) if files else kept


_WORDED: dict[type, Callable[[Any], Change]] = {
    Kept: _kept,
    Told: lambda told: replace(told, text=worded(told.text) if told.is_error else noted(told.text)),
    Fetched: lambda fetched: replace(fetched, reason=worded(fetched.reason)) if fetched.reason else fetched,
    Connection: lambda stands: replace(stands, reason=worded(stands.reason)) if stands.reason else stands,
    Answered: lambda asked: _answered(asked) if asked.error is None else replace(asked, error=retold(asked.error)),
}
