"""Texts as search tokens: two-character grams of Chinese, Japanese and Korean, words of other scripts. Pure.

Tokens stand between spaces, for FTS5's `ascii` tokenizer, for which every character beyond ASCII is part of a token.
A run of characters without spaces (上海市) gives its grams and its last character, in order: 上海 海市 市. So a phrase
of consecutive grams is an exact substring, and one character is found as the prefix of a token. Grams and words never
collide, for they have no characters in common; the tokens of a conversation and a sender begin with a private-use
character, which no word holds.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Final

_SCRIPTS = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u3099-\u309f"
    "\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
_PIECES: Final = re.compile(rf"([{_SCRIPTS}]+)|((?:(?![{_SCRIPTS}])[^\W_])+)")
_ASCII: Final = bytes(c if 48 <= c <= 57 or 97 <= c <= 122 else c + 32 if 65 <= c <= 90 else 32 for c in range(256))
"""Letters small, digits as they are, anything else a space: this finds words in a third of an expression's time."""
_VOICING: Final = "\u3099\u309a"
"""The marks of が and ぱ: part of the letter, not accents."""
_LONGEST: Final = 64
"""Characters of a word that are indexed: a longer one is found by its beginning."""


def folded(text: str) -> str:
    """`text` without case, accents and differences of form (NFKD, marks stripped, casefold), syllables composed."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = [c for c in plain if c in _VOICING or not unicodedata.category(c).startswith("M")]
    return unicodedata.normalize("NFC", "".join(kept))


def place(conversation: int) -> str:
    """The token of a conversation."""
    return f"\ue000{conversation}"


def author(sender: int) -> str:
    """The token of a sender."""
    return f"\ue001{sender}"


@lru_cache(maxsize=4096)
def _first(conversation: int, sender: int) -> str:
    return f"{place(conversation)} {author(sender)} "


def tokens(text: str, conversation: int, sender: int) -> str:
    """What is indexed of a message, between spaces. The same text gives the same tokens, which taking an entry back
    relies on."""
    first = _first(conversation, sender)
    if text.isascii():
        words = text.encode().translate(_ASCII).decode()
        return first + (_cut(words) if _has_long_word(words) else words)
    found: list[str] = []
    for run, word in _PIECES.findall(folded(text)):
        if run:
            found += map("".join, pairwise(run))
            found.append(run[-1])
        else:
            found.append(word[:_LONGEST])
    return first + " ".join(found)


def _has_long_word(words: str) -> bool:
    """Whether one has more than `_LONGEST` characters: then it lies over a multiple of that. To split all texts would
    take twice as long as all else that is done for their tokens."""
    for at in range(_LONGEST, len(words), _LONGEST):
        end = words.find(" ", at)
        if (end if end >= 0 else len(words)) - words.rfind(" ", 0, at + 1) > _LONGEST + 1:
            return True
    return False


def _cut(words: str) -> str:
    return " ".join([word[:_LONGEST] for word in words.split()])


def query(text: str) -> str | None:
    """The FTS5 expression that finds every word (or its beginning) and every run of `text`; None when it has none."""
    found: dict[str, None] = {}
    for run, word in _PIECES.findall(folded(text)):
        if len(run) > 1:
            found['"' + " ".join(map("".join, pairwise(run))) + '"'] = None
        else:
            found[f'"{(run or word)[:_LONGEST]}" *'] = None
    return " AND ".join(found) or None
