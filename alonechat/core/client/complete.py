"""What Tab makes of the beginning of a name, room, command or emoji. Pure: what there is comes from the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from alonechat.core.client.model import Model
from alonechat.core.client.words import _

MOST = 12
"""Options that are offered at once."""
BEGUN = re.compile(r"(?:^|(?<=[\s(\[（，。]))(?P<mark>[@#:]|^/)(?P<part>[^\s@#:/]*)\Z")


@dataclass(frozen=True, slots=True)
class Option:
    """One way to go on: what is put in place, what a list shows of it, and of what kind it is."""

    insert: str
    shown: str
    detail: str = ""
    kind: str = "name"


@dataclass(frozen=True, slots=True)
class Completion:
    """What stands between `start` and `end` of the text can become one of the options."""

    start: int
    end: int
    options: tuple[Option, ...]


def complete(
    text: str, cursor: int, model: Model, target: str, emoji: Callable[[str], list[tuple[str, str]]]
) -> Completion | None:
    """The options for the word before the cursor; None where there are none. `emoji` finds emoji by a part of their
    name. A name without `@` at the beginning of a text is completed too, and then addressed: `ana: `."""
    before = text[:cursor]
    found = BEGUN.search(before)
    if found is None:
        return _plain(before, cursor, model, target)
    mark, part = found["mark"], found["part"]
    ways = {
        "@": lambda: _people(part, model, target),
        "#": lambda: _rooms(part, model),
        "/": lambda: _commands(part, model),
        ":": lambda: _emoji(part, emoji),
    }
    options = tuple(ways[mark]())[:MOST]
    return Completion(found.start("mark"), cursor, options) if options else None


def _plain(before: str, cursor: int, model: Model, target: str) -> Completion | None:
    if not before or before != before.strip() or any(char.isspace() for char in before):
        return None
    options = tuple(Option(f"@{each.insert[1:]}", each.shown, each.detail) for each in _people(before, model, target))
    return Completion(0, cursor, options[:MOST]) if options else None


def _people(part: str, model: Model, target: str) -> Iterator[Option]:
    wanted = part.casefold()
    here = model.members.get(target, [])
    others = [name for name in model.users if name not in here]
    window = model.windows.get(target)
    spoke = {message["sender"]: at for at, message in enumerate(window.messages)} if window else {}
    for name in sorted(here, key=lambda each: -spoke.get(each, -1)) + sorted(others):
        display = model.shown(name)
        if name != model.me and (name.casefold().startswith(wanted) or display.casefold().startswith(wanted)):
            yield Option(f"@{name} ", f"@{name}", display if display != name else "")
    if target.startswith("#") and wanted and "all".startswith(wanted):
        yield Option("@all ", "@all", _("everybody here"))


def _rooms(part: str, model: Model) -> Iterator[Option]:
    wanted = part.casefold()
    for each in model.rooms():
        if each.name.casefold().startswith(wanted):
            yield Option(f"{each.target} ", each.target, each.topic, "room")


def _commands(part: str, model: Model) -> Iterator[Option]:
    wanted = f"/{part.casefold()}"
    for name, (usage, what) in sorted(model.commands.items()):
        if name.startswith(wanted):
            yield Option(f"{name} ", usage, what, "command")


def _emoji(part: str, emoji: Callable[[str], list[tuple[str, str]]]) -> Iterator[Option]:
    if len(part) >= 2 or not part.isascii():
        for name, char in emoji(part):
            yield Option(f"{char} ", f"{char} :{name}:", "", "emoji")
