"""Texts as tokens: what is a gram, what is a word, and that neither can be taken for the other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alonechat.core.store import grams


def tokens(text: str) -> list[str]:
    place, author, *found = grams.tokens(text, 12, 7).split()
    assert (place, author) == ("\ue00012", "\ue0017") == (grams.place(12), grams.author(7))
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("上海市", ["上海", "海市", "市"]),
        ("去", ["去"]),
        ("Hello, World-Wide_web 2.0!", ["hello", "world", "wide", "web", "2", "0"]),
        ("iPhone手机", ["iphone", "手机", "机"]),
        ("Crème Brûlée ﬁne", ["creme", "brulee", "fine"]),
        ("한국", ["한국", "국"]),
        ("がｶﾞか", ["がガ", "ガか", "か"]),
        ("x" * 70, ["x" * 64]),
        ("é" * 70, ["e" * 64]),
        ("\ue00012 !? 👍", ["12"]),
        ("", []),
    ],
)
def test_tokens(text: str, found: list[str]) -> None:
    assert tokens(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("上海市", '"上海 海市"'),
        ("上", '"上" *'),
        ("Hello wor", '"hello" * AND "wor" *'),
        ("手机 a 手机", '"手机" AND "a" *'),
        ('"x" OR (y)*', '"x" * AND "or" * AND "y" *'),
        (" \ue00012 ", '"12" *'),
        ("…", None),
    ],
)
def test_queries(text: str, found: str | None) -> None:
    assert grams.query(text) == found


@given(st.text())
def test_tokens_hold_nothing_that_the_index_would_split(text: str) -> None:
    for token in tokens(text):
        assert token and all(char.isalnum() or ord(char) > 127 for char in token)
        assert token[0] not in "\ue000\ue001"
        assert token == token.casefold() or not token.isascii()


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_quick_way_for_ascii_gives_the_same(text: str) -> None:
    plain = text.encode("ascii", "ignore").decode()
    assert tokens(plain + " 上") == [*tokens(plain), "上"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(60, 70) | st.integers(0, 200)), max_size=6))
def test_long_words_are_found_wherever_they_stand(places: list[tuple[int, int]]) -> None:
    words = ["x" * size for _, size in places]
    text = "".join(" " * (blanks + 1) + word for (blanks, _), word in zip(places, words, strict=True))
    assert tokens(text) == [word[:64] for word in words if word]
