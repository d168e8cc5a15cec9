"""What a server refuses and answers, in the reader's language: it says it in English, and the disk keeps that."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

from alonechat.core.client.model import Answered, Change, Connection, Fetched, Kept, Learned, Told
from alonechat.core.client.words import _, language
from alonechat.errors import Rejected

E = TypeVar("E", bound=Exception)

LONGEST = 2_000
"""Characters of a sentence that is looked for: what is longer is no server's of ours."""
NAMED = frozenset({"field", "found", "kind", "listed", "role", "standing", "usage"})
"""Fields of a sentence that hold a word of WORDS."""
_FIELD = re.compile(r"{(\w+)}")
_PRESENCE = re.compile(r"(?<= \()\w+(?=\))")
_ADDRESS = re.compile(r"wss?://\S+: ")


def worded(sentence: str) -> str:
    """A server's sentence in the language that was chosen. What no template is like stays as it came: it may be of
    another version, or of a plugin of somebody's own."""
    return sentence if language() == "en" else _in_language(sentence)


def noted(text: str) -> str:
    """What a server told one person alone, likewise, line by line."""
    return text if language() == "en" else "\n".join(map(_noted, text.split("\n")))


def _noted(line: str) -> str:
    usage, _colon, what = line.partition(": ")
    if line.startswith("/") and what:
        return ": ".join(_helped(usage, what))
    found = understood(line, notice=True)
    return line if found is None else _filled_in(*found)


def _helped(usage: str, what: str) -> tuple[str, str]:
    """How a command is called, and what it does: names of its arguments, and whatever a server of ours says of it."""
    from alonechat.core.client.sentences import HELP, WORDS

    name, _space, arguments = usage.partition(" ")
    called = f"{name} {_(arguments)}" if arguments in WORDS else usage
    return called, _(what) if what in HELP else what


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


def understood(sentence: str, notice: bool = False) -> tuple[str, Mapping[str, str]] | None:
    """The template that a sentence was made of, one with which something is refused or a `notice`, and what stands in
    its fields."""
    if len(sentence) > LONGEST:
        return None
    for pieces, names, template in _patterns(notice):
        found = _between(pieces, sentence)
        fields = dict(zip(names, found or (), strict=False))
        if found is not None and " " not in fields.get("field", ""):  # the name of one, and no beginning of a sentence
            return template, fields
    return None


def _in_language(sentence: str) -> str:
    found = understood(sentence)
    if found is None:
        address = _ADDRESS.match(sentence)  # a connection that ended says where before it says why
        return address[0] + _in_language(sentence[address.end() :]) if address else sentence
    return _filled_in(*found)


def _filled_in(template: str, fields: Mapping[str, str]) -> str:
    return _(template).format(**{name: _filled(name, text) for name, text in fields.items()})


def _filled(name: str, text: str) -> str:
    if name == "sentence":
        return _in_language(text)
    if name == "people":
        return _PRESENCE.sub(lambda state: _(state[0]), text)
    if name not in NAMED:
        return text
    from alonechat.core.client.sentences import WORDS

    return _(text) if text in WORDS else text


@cache
def _patterns(notice: bool) -> list[tuple[list[str], list[str], str]]:
    """(what stands around the fields, their names, template), those with the most words of their own first."""
    from alonechat.core.client.sentences import NOTICES, SENTENCES  # here: most runs of a client are refused nothing

    split = [(_FIELD.split(template), template) for template in (NOTICES if notice else SENTENCES)]
    found = [(parts[::2], parts[1::2], template) for parts, template in split]
    return sorted(found, key=lambda each: -sum(map(len, each[0])))


def _between(pieces: list[str], sentence: str) -> list[str] | None:
    """What stands between the pieces that a sentence is made of; None where it is not. Each field is as short as can
    be, the last one as long as it takes: no sentence costs more than its length."""
    first, *others = pieces
    if not others:
        return [] if sentence == first else None
    if not sentence.startswith(first) or not sentence.endswith(others[-1]):
        return None
    found, at, end = [], len(first), len(sentence) - len(others[-1])
    for piece in others[:-1]:
        begin = sentence.find(piece, at, end)
        if begin < 0:
            return None
        found.append(sentence[at:begin])
        at = begin + len(piece)
    return [*found, sentence[at:end]] if at <= end else None


def _answered(asked: Answered) -> Answered:
    frame = asked.result
    if not isinstance(frame, dict) or frame.get("type") != "NOTICE":
        return asked
    return replace(asked, result={**frame, "content": noted(str(frame.get("content") or ""))})


def _learned(usage: str, what: str) -> tuple[str, str]:
    return (usage, what) if language() == "en" else _helped(usage, what)


def _kept(kept: Kept) -> Kept:
    """Why an entry was refused stays as it is: it is drawn again and again, in the language of the moment."""
    files = tuple(replace(file, reason=worded(file.reason)) for file in kept.entry.files)
    return Kept(replace(kept.entry, files=files)) if files else kept


_WORDED: dict[type, Callable[[Any], Change]] = {
    Kept: _kept,
    Told: lambda told: replace(told, text=worded(told.text) if told.is_error else noted(told.text)),
    Learned: lambda learned: Learned({name: _learned(*each) for name, each in learned.commands.items()}),
    Fetched: lambda fetched: replace(fetched, reason=worded(fetched.reason)) if fetched.reason else fetched,
    Connection: lambda stands: replace(stands, reason=worded(stands.reason)) if stands.reason else stands,
    Answered: lambda asked: _answered(asked) if asked.error is None else replace(asked, error=retold(asked.error)),
}
