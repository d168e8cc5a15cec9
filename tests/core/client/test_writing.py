"""What a person wrote, as frames."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alonechat.core.client.writing import frames, is_command


def said(text: str, most: int = 10, ref: str | None = None) -> list[tuple[Any, ...]]:
    found = frames("#lobby", text, ref, most)
    assert all(set(each) <= {"type", "target", "content", "ref"} for each in found)
    assert all((each["type"], each["target"]) == ("TEXT", "#lobby") for each in found)
    return [(each["content"], each.get("ref")) for each in found]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("hello", ["hello"]),
        ("\n hello  \n\n", [" hello"]),
        ("   ", []),
        ("", []),
        ("\n\n", []),
        ("/me waves and waves", ["/me waves and waves"]),  # a command is never cut
        ("//etc", ["//etc"]),
        ("//", ["//"]),
        ("a /b", ["a /b"]),
        ("one\n/two\nthree", ["one\n/two", "three"]),
        ("x" * 12, ["x" * 10, "xx"]),
        ("x" * 10 + "/yz", ["x" * 10, "//yz"]),
    ],
)
def test_the_contents(text: str, wanted: list[str]) -> None:
    assert [content for content, _ref in said(text)] == wanted


def test_the_first_part_bears_the_reply() -> None:
    assert said("aaaaaaaaaabb", ref="m1") == [("aaaaaaaaaa", "m1"), ("bb", None)]


@pytest.mark.parametrize(("text", "is_one"), [("/help", True), ("/", True), ("//x", False), ("x", False)])
def test_what_is_a_command(text: str, is_one: bool) -> None:
    assert is_command(text) is is_one


@given(st.text(st.sampled_from("a/ \n上"), max_size=80), st.integers(2, 12))
def test_nothing_that_is_said_becomes_a_command_or_is_too_long(text: str, most: int) -> None:
    found = [content for content, _ref in said(text, most)]
    if is_command(text.strip("\n").rstrip()):
        assert len(found) == 1 and is_command(found[0])
    else:
        assert all(content.strip() and not is_command(content) for content in found)
        assert all(len(content) <= most for content in found)
