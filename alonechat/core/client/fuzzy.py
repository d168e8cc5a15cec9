"""Which names a few typed letters mean, the best first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

START, FOLLOWS, EXACT = 8, 5, 20
"""Points for a letter at the beginning of a word, for one right behind the last, for a name that is the query."""


def match(query: str, name: str) -> tuple[int, tuple[int, ...]] | None:
    """How well `name` fits, and where its letters are: those of the query in their order, not always side by side.
    None when it does not fit. Case does not matter; a word that begins as it was typed fits best."""
    wanted, there = query.casefold().replace(" ", ""), name.casefold()
    if len(there) != len(name):  # a letter that folds to two has no place of its own
        there = name.lower() if len(name.lower()) == len(name) else name
    if not wanted:
        return 0, ()
    whole = there.find(wanted)
    if whole >= 0:
        at_start = whole == 0 or not there[whole - 1].isalnum()
        points = len(wanted) * ((START if at_start else FOLLOWS) + 1)
        points += (START if at_start else 0) + (EXACT if there.strip("#@") == wanted else 0)
        return points * 100 - len(there), tuple(range(whole, whole + len(wanted)))
    places: list[int] = []
    points, at = 0, 0
    for char in wanted:
        found = there.find(char, at)
        if found < 0:
            return None
        points += 1 + (START if found == 0 or not there[found - 1].isalnum() else 0)
        points += FOLLOWS if places and places[-1] == found - 1 else 0
        places.append(found)
        at = found + 1
    return points * 100 - len(there) - (places[-1] - places[0]), tuple(places)


def ranked(query: str, items: Iterable[T], key: Callable[[T], str]) -> list[tuple[T, tuple[int, ...]]]:
    """The items that fit, the best first, those that fit alike in their order; each with the places of its letters."""
    found = [(fit, item) for item in items if (fit := match(query, key(item))) is not None]
    found.sort(key=lambda each: -each[0][0])
    return [(item, places) for (_points, places), item in found]
