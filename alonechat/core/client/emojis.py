"""Emoji by their names, in English and in the language that was chosen."""

from __future__ import annotations

from functools import lru_cache

from alonechat.core.client import words

FREQUENT = ("👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "✅", "👀", "🔥", "👏", "😊", "🤔", "💯", "🚀", "👋")
"""What a picker offers first."""
FULLY = 2
"""The `status` of an emoji that is written as it should be (`emoji.STATUS["fully_qualified"]`)."""


@lru_cache(2)
def _named(language: str) -> dict[str, str]:
    """Every emoji by its names, without colons; first the one of the language."""
    import emoji

    if language != "en":
        emoji.config.load_language(language)
    found: dict[str, str] = {}
    for char, facts in emoji.EMOJI_DATA.items():
        if facts["status"] > FULLY:
            continue
        here = [facts[language]] if language != "en" and facts.get(language) else []
        for name in (*here, *facts.get("alias", ()), facts["en"]):
            found.setdefault(name.strip(":").casefold(), char)
    return found


def by_name(name: str) -> str | None:
    """The emoji of a whole name (`tada`)."""
    return _named(words.language()).get(name.casefold())


def matching(part: str, most: int = 20) -> list[tuple[str, str]]:
    """(name, emoji) whose name begins with `part`, then those that hold it; the shortest names first, each once."""
    wanted = part.casefold()
    named = _named(words.language())
    fits = [(not name.startswith(wanted), len(name), name, char) for name, char in named.items() if wanted in name]
    found: dict[str, str] = {}
    for _behind, _length, name, char in sorted(fits):
        found.setdefault(char, name)
        if len(found) == most:
            break
    return [(name, char) for char, name in found.items()]


def name_of(char: str) -> str:
    """What an emoji is called, or itself where it has no name here."""
    return next((name for name, each in _named(words.language()).items() if each == char), char)
