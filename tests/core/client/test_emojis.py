"""Emoji by their names, in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alonechat.core.client import emojis
from alonechat.core.client.words import choose


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    choose("en")
    yield
    choose("en")


@pytest.mark.parametrize(
    ("name", "char"),
    [("tada", "🎉"), ("TADA", "🎉"), ("thumbsup", "👍"), ("+1", "👍"), ("party_popper", "🎉"), ("heart", "❤️")],
)
def test_an_emoji_by_its_whole_name(name: str, char: str) -> None:
    assert emojis.by_name(name) == char


@pytest.mark.parametrize("name", ["", "tad", "no such emoji", ":tada:"])
def test_what_is_no_name_is_no_emoji(name: str) -> None:
    assert emojis.by_name(name) is None


def test_names_that_begin_so_come_before_those_that_hold_it() -> None:
    found = emojis.matching("tad")
    assert found[0] == ("tada", "🎉") and ("stadium", "🏟️") in found[1:]
    assert all("tad" in name for name, _char in found)


def test_each_is_offered_once_and_no_more_than_asked_for() -> None:
    found = emojis.matching("a", 7)
    assert len(found) == 7 == len({char for _name, char in found})
    assert emojis.matching("no such emoji") == []


def test_each_frequent_one_has_a_name_that_leads_back_to_it() -> None:
    for language in ("en", "zh"):
        choose(language)
        assert [char for char in emojis.FREQUENT if emojis.by_name(emojis.name_of(char)) != char] == []
    assert len(set(emojis.FREQUENT)) == len(emojis.FREQUENT)


def test_chinese_names_are_there_beside_english_ones() -> None:
    choose("zh")
    assert emojis.matching("大笑")[0] == ("大笑", "😄")
    assert emojis.by_name("tada") == "🎉"
    assert not emojis.name_of("🎉").isascii()
    choose("en")
    assert emojis.matching("大笑") == []


def test_what_has_no_name_is_itself() -> None:
    assert emojis.name_of("x") == "x"
