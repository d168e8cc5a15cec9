"""Colours: every text is readable on every ground that it stands on, and a person has one colour everywhere."""

from __future__ import annotations

import re

import pytest

from alonechat.core.client.theme import DARK, LIGHT, Theme, author_colour, author_index, initials

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}
GROUNDS = ("ground", "sidebar", "hover", "selected", "own", "other")
TEXTS = ("text", "secondary", "accent", "danger")
LEAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, for texts of the usual size."""


def luminance(colour: str) -> float:
    """The relative luminance of `#RRGGBB` (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_the_standard_does() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_text_can_be_read_on_every_ground(theme: Theme, ground: str) -> None:
    texts = {name: getattr(theme, name) for name in TEXTS}
    texts |= {f"author {n}": colour for n, colour in enumerate(theme.authors)}
    found = {name: round(contrast(colour, getattr(theme, ground)), 2) for name, colour in texts.items()}
    assert {name: ratio for name, ratio in found.items() if ratio < LEAST} == {}


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_colours_are_written_alike_and_are_different(theme: Theme) -> None:
    names = [name for name in Theme.__dataclass_fields__ if name not in ("name", "authors")]
    colours = [*(getattr(theme, name) for name in names), *theme.authors]
    assert [colour for colour in colours if not re.fullmatch(r"#[0-9A-F]{6}", colour)] == []
    assert len(set(theme.authors)) == 8
    assert len({getattr(theme, ground) for ground in GROUNDS}) == len(GROUNDS)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_a_dot_can_be_seen_beside_its_ground(theme: Theme) -> None:
    assert all(contrast(dot, theme.sidebar) >= 3 for dot in (theme.online, theme.away))


def test_a_person_has_the_same_colour_on_every_machine() -> None:
    assert [author_index(name) for name in ("ana", "bo", "李雷", "alice")] == [2, 3, 4, 7]
    assert author_colour("ana", LIGHT) == LIGHT.authors[author_index("ana")]
    assert author_colour("ana", DARK) == DARK.authors[author_index("ana")]


def test_eight_colours_are_all_used() -> None:
    counts = [0] * 8
    for n in range(800):
        counts[author_index(f"user{n}")] += 1
    assert min(counts) > 50


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("ana", "A"),
        ("Ana Belén Cruz", "AC"),
        ("bo_li", "BL"),
        ("李雷", "李"),
        ("李 Lei", "李"),
        ("ünal", "Ü"),
        ("a.b-c", "AC"),
        ("", "?"),
        ("--", "?"),
        ("7up", "7"),
    ],
)
def test_initials(name: str, wanted: str) -> None:
    assert initials(name) == wanted
