"""The everyday part of Markdown: what is marked, what is a link, whom a text means; nothing is lost or obeyed."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alonechat.core.client.markup import Block, Span, blocks, plain

SECONDS = 1.5
"""Wide, for what takes a tenth of it at most."""


def spans(text: str, me: str = "ana", names: Collection[str] | None = None) -> list[str]:
    """The spans of a text of one block: each its text, with what it is."""
    (block,) = blocks(text, me, names)
    return [shown(span) for span in block.spans]


def shown(span: Span) -> str:
    kinds = [each.name for each in fields(span) if each.name != "text" and getattr(span, each.name) is True]
    kinds += [f"{name}={value}" for name in ("link", "mention", "room") if (value := getattr(span, name))]
    return span.text + (f" <{' '.join(kinds)}>" if kinds else "")


def lines(text: str) -> list[str]:
    """The blocks of a text, each as a line."""
    return [
        f"{b.kind}{b.depth or ''}{b.marker and f' {b.marker}'}: {''.join(s.text for s in b.spans)}"
        for b in blocks(text)
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain text", ["plain text"]),
        ("**b** and *i*", ["b <bold>", " and ", "i <italic>"]),
        ("__b__ ~~s~~", ["b <bold>", " ", "s <strike>"]),
        ("***both***", ["both <bold italic>"]),
        ("**a *b***", ["a  <bold>", "b <bold italic>"]),
        ("run `a *b*`", ["run ", "a *b* <code>"]),
        ("snake_case_name", ["snake_case_name"]),
        ("2 * 3 * 4", ["2 * 3 * 4"]),
        (r"\*no\*", ["*no*"]),
        ("**open", ["**open"]),
        ("a\nb *c*", ["a\nb ", "c <italic>"]),
        ("# no heading\n---", ["# no heading\n---"]),
        ("<b>x</b> &amp; *y*", ["<b>x</b> &amp; ", "y <italic>"]),
        ("**粗体**文字", ["粗体 <bold>", "文字"]),
    ],
)
def test_marks_inside_a_paragraph(text: str, wanted: list[str]) -> None:
    assert spans(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\n\nb", ["paragraph: a\n\nb"]),
        ("*a*\n\nb", ["paragraph: a", "paragraph: b"]),
        ("> q\n> > r", ["quote1: q", "quote2: r"]),
        ("> q\n\nr", ["quote1: q", "paragraph: r"]),
        ("- a\n  - b\n- c", ["item1 •: a", "item2 •: b", "item1 •: c"]),
        ("3. c\n4. d", ["item1 3.: c", "item1 4.: d"]),
        ("- a\n\n  more", ["item1 •: a", "item1: more"]),
        ("```py\nx = *1*\n\ny\n```\nafter", ["code: x = *1*\n\ny", "paragraph: after"]),
        ("```\nnever closed", ["code: never closed"]),
        ("2026-11-24: tea", ["paragraph: 2026-11-24: tea"]),
    ],
)
def test_blocks(text: str, wanted: list[str]) -> None:
    assert lines(text) == wanted


def test_code_names_its_language_and_marks_nothing() -> None:
    (block,) = blocks("```python title\n@ana https://a.b *x*\n```")
    assert block == Block("code", (Span("@ana https://a.b *x*", code=True),), info="python")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("see https://a.b/c.", ["see ", "https://a.b/c <link=https://a.b/c>", "."]),
        ("(https://a.b/c_(d))", ["(", "https://a.b/c_(d) <link=https://a.b/c_(d)>", ")"]),
        ("看https://a.b/路。好", ["看", "https://a.b/路。好 <link=https://a.b/路。好>"]),
        (
            "https://a.b, or http://c?d=1&e#f!",
            ["https://a.b <link=https://a.b>", ", or ", "http://c?d=1&e#f <link=http://c?d=1&e#f>", "!"],
        ),
        ("**https://a.b**", ["https://a.b <bold link=https://a.b>"]),
        ("[here](https://a.b)", ["here <link=https://a.b>"]),
        ("[mail](mailto:a@b.c)", ["mail <link=mailto:a@b.c>"]),
        ("`https://a.b`", ["https://a.b <code>"]),
        ("[`https://bank.example`](https://evil.example)", ["https://evil.example <code link=https://evil.example>"]),
        ("ftp://a.b javascript:x", ["ftp://a.b javascript:x"]),
        ("[x](javascript:alert(1))", ["[x](javascript:alert(1))"]),
        ("[x](data:text/html,y) [x](file:///etc)", ["[x](data:text/html,y) [x](file:///etc)"]),
        ("[x](JavaScript:y)", ["[x](JavaScript:y)"]),
        ("[https://bank.example](https://evil.example)", ["https://evil.example <link=https://evil.example>"]),
        ("[www.bank.example](https://evil.example/x)", ["https://evil.example/x <link=https://evil.example/x>"]),
        ("[HTTPS://A.b/c](https://a.b/d)", ["HTTPS://A.b/c <link=https://a.b/d>"]),
    ],
)
def test_links(text: str, wanted: list[str]) -> None:
    assert spans(text) == wanted


@pytest.mark.parametrize(
    ("text", "names", "wanted"),
    [
        ("hi @bo!", None, ["hi ", "@bo <mention=bo>", "!"]),
        ("@ana, you", None, ["@ana <me mention=ana>", ", you"]),
        ("@Ana", ["ana"], ["@Ana <me mention=ana>"]),
        ("@all now", None, ["@all <me mention=*>", " now"]),
        ("@all now", ["*"], ["@all <me mention=*>", " now"]),
        ("@all now", ["bo"], ["@all now"]),
        ("@bo.li. and @cy", ["bo.li"], ["@bo.li <mention=bo.li>", ". and @cy"]),
        ("@boli", ["bo"], ["@bo <mention=bo>", "li"]),
        ("@李雷你好", ["李雷"], ["@李雷 <mention=李雷>", "你好"]),
        ("mail a@bo.b", None, ["mail a@bo.b"]),
        ("`@bo`", None, ["@bo <code>"]),
        ("*@bo*", None, ["@bo <italic mention=bo>"]),
        ("in #tea-room. a#b C#", None, ["in ", "#tea-room <room=tea-room>", ". a#b C#"]),
        ("#茶 https://a.b/#frag", None, ["#茶 <room=茶>", " ", "https://a.b/#frag <link=https://a.b/#frag>"]),
        ("@ # @. #-", None, ["@ # @. #-"]),
    ],
)
def test_whom_and_what_a_text_names(text: str, names: list[str] | None, wanted: list[str]) -> None:
    assert spans(text, "ana", names) == wanted


def test_plain_is_the_text_without_marks() -> None:
    assert plain("**Hi** [you](https://a.b)\n- a\n- `b`") == "Hi you\na\nb"


@given(st.text(st.sampled_from("ab上é *_~>-+\n@#.`"), max_size=60))
def test_no_letter_is_lost(text: str) -> None:
    said = "".join(span.text for block in blocks(text) for span in block.spans)
    if "```" not in text and "~~~" not in text:  # the first line of a fence is the name of a language
        assert [char for char in said if char.isalnum()] == [char for char in text if char.isalnum()]


@given(st.text(st.sampled_from("a*_`~[]()<>!\\#@:/.-+1 \n\t&;|\"'htps"), max_size=80))
def test_any_text_gives_blocks_whose_links_are_harmless(text: str) -> None:
    found = blocks(text, "ana")
    assert found and all(block.kind in ("paragraph", "code", "quote", "item") for block in found)
    links = [span.link for block in found for span in block.spans if span.link]
    assert all(link.lower().startswith(("http://", "https://", "mailto:")) for link in links)


@pytest.mark.parametrize(
    "piece", ["[", "](", "*a ", "**a", "_", "`a", ">", "- ", "> - ", "[a](", "<", "~~a", "*a**b", "\\"]
)
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    text = (piece * 4000)[:4000]
    began = time.perf_counter()
    assert blocks(text)
    assert time.perf_counter() - began < SECONDS
