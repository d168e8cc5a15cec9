"""Which names a few typed letters mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alonechat.core.client.fuzzy import match, ranked

NAMES = ["#lobby", "#general", "#general-help", "bo", "bobby", "李雷", "Ana Lobo", "Zoë"]


def best(query: str, names: list[str] | None = None) -> list[str]:
    return [name for name, _places in ranked(query, NAMES if names is None else names, str)]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("lob", "#lobby"),
        ("LOB", "#lobby"),
        ("bo", "bo"),
        ("bob", "bobby"),
        ("general", "#general"),
        ("gh", "#general-help"),
        ("help", "#general-help"),
        ("李", "李雷"),
        ("al", "Ana Lobo"),
        ("zoë", "Zoë"),
        ("gen help", "#general-help"),
    ],
)
def test_the_best_one_comes_first(query: str, first: str) -> None:
    assert best(query)[0] == first


def test_what_does_not_fit_is_left_out() -> None:
    assert best("xyz") == []
    assert "bo" not in best("bob")
    assert best("obol", ["lobo"]) == []  # the letters, but in another order


def test_what_was_typed_whole_is_better_than_its_letters_apart() -> None:
    assert best("abc", ["a-b-c", "xabc", "abcd"])[0] == "abcd"
    assert best("abc", ["axbxc", "xabc"])[0] == "xabc"


def test_no_query_leaves_the_order() -> None:
    assert best("") == NAMES
    assert best("  ") == NAMES


def test_names_that_fit_alike_keep_their_order() -> None:
    assert best("a", ["ab", "ac", "ad"]) == ["ab", "ac", "ad"]


def test_the_places_are_those_of_the_letters() -> None:
    assert dict(ranked("lob", ["#lobby", "l-o-b"], str)) == {"#lobby": (1, 2, 3), "l-o-b": (0, 2, 4)}


LETTERS = st.sampled_from("aAbBcßſİé李# -_1")


@given(st.text(LETTERS, max_size=6), st.text(LETTERS, max_size=20))
def test_places_ascend_and_hold_the_letters(query: str, name: str) -> None:
    found = match(query, name)
    if found is not None:
        places = found[1]
        assert list(places) == sorted(set(places)) and all(0 <= place < len(name) for place in places)
        if query.isascii() and name.isascii():
            assert "".join(name[place] for place in places).casefold() == query.casefold().replace(" ", "")


@given(st.text(st.sampled_from("aAbBc#-_1"), min_size=1, max_size=12))
def test_a_name_fits_itself(name: str) -> None:
    assert match(name, name) is not None
