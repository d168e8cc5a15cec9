"""What a server says, in the reader's language: it says it in English, and wire and disk keep that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from alonechat.core.client.words import _, language

LONGEST = 2_000
"""Characters of a sentence that is looked for: what is longer is no server's of ours."""
NAMED = frozenset({"field", "found", "kind", "listed", "role", "standing", "usage"})
"""Fields of a sentence that hold a word of WORDS."""
POSTING = frozenset({"moderation", "poll"})
"""The server's own plugins that write sentences for all."""
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


def posted(event: Mapping[str, Any]) -> str:
    """What a message says: of what a plugin of the server's own wrote for all, its first and last line likewise. What
    stands between are people's words."""
    content, via = str(event.get("content") or ""), event.get("via")
    if via not in POSTING or language() == "en":
        return content
    first, *others = content.split("\n")
    between, last = others[:-1], others[-1:]
    return "\n".join([_posted(first), *between, *map(_posted, last)])


def _posted(line: str) -> str:
    found = understood(line, "posted")
    return line if found is None else _filled_in(*found)


def _noted(line: str) -> str:
    usage, colon, what = line.partition(": ")
    if line.startswith("/"):
        called, does = helped(usage, what)
        return f"{called}{colon}{does}"
    found = understood(line, "told")
    return line if found is None else _filled_in(*found)


def helped(usage: str, what: str) -> tuple[str, str]:
    """How a command is called, and what it does: names of its arguments, and whatever a server of ours says of it."""
    if language() == "en":
        return usage, what
    from alonechat.core.client.sentences import HELP, WORDS

    name, _space, arguments = usage.partition(" ")
    called = f"{name} {_(arguments)}" if arguments in WORDS else usage
    return called, _(what) if what in HELP else what


def understood(sentence: str, kind: str = "refused") -> tuple[str, Mapping[str, str]] | None:
    """The template that a sentence was made of, and what stands in its fields. `kind`: with which something is
    `refused`, or `told` to one person, or `posted` for all by a plugin of the server's own."""
    if len(sentence) > LONGEST:
        return None
    for pieces, names, template in _patterns(kind):
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
def _patterns(kind: str) -> list[tuple[list[str], list[str], str]]:
    """(what stands around the fields, their names, template), those with the most words of their own first."""
    from alonechat.core.client import sentences  # here: most runs of a client are refused nothing

    known = {"refused": sentences.SENTENCES, "told": sentences.NOTICES, "posted": sentences.POSTS}
    split = [(_FIELD.split(template), template) for template in known[kind]]
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
