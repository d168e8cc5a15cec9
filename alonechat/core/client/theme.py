"""Colours, once for every face: each text has a contrast of at least 4.5 : 1 on every ground that it stands on."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as `#RRGGBB`: grounds first, then bubbles, texts, signs, and the eight colours of authors."""

    name: str
    ground: str
    sidebar: str
    hover: str
    selected: str
    own: str
    other: str
    divider: str
    text: str
    secondary: str
    accent: str
    danger: str
    online: str
    away: str
    authors: tuple[str, ...]


LIGHT = Theme(
    name="light",
    ground="#FFFFFF",
    sidebar="#F4F5F7",
    hover="#E9EBEF",
    selected="#DFE9FB",
    own="#E3ECFB",
    other="#F1F2F4",
    divider="#E3E5E9",
    text="#1C1E21",
    secondary="#59616C",
    accent="#2360D8",
    danger="#B92C2C",
    online="#1E7F50",
    away="#9A6B00",
    authors=("#B3261E", "#9A4B00", "#7A5B00", "#2E6B1F", "#00696B", "#1F5FBF", "#6A43B5", "#A6277A"),
)
DARK = Theme(
    name="dark",
    ground="#17191D",
    sidebar="#1E2126",
    hover="#272B31",
    selected="#263755",
    own="#22324D",
    other="#24282E",
    divider="#2A2E35",
    text="#E6E8EB",
    secondary="#A3ACB7",
    accent="#7FABFF",
    danger="#FF8A82",
    online="#4CC38A",
    away="#E6C34A",
    authors=("#FF8F86", "#FFA861", "#E6C34A", "#8FD67C", "#5FD3D0", "#85B4FF", "#C0A1FF", "#FF93CF"),
)


def author_index(username: str) -> int:
    """Which of the eight colours a person has: the same in every face, on every machine."""
    return crc32(username.encode()) % 8


def author_colour(username: str, theme: Theme) -> str:
    """The colour of a person's name."""
    return theme.authors[author_index(username)]


def initials(name: str) -> str:
    """What stands in an avatar: the first letter of the first and the last word, or one character of Chinese,
    Japanese or Korean."""
    words = [word for word in name.replace("_", " ").replace("-", " ").replace(".", " ").split() if word]
    if not words:
        return "?"
    if ord(words[0][0]) >= 0x2E80:
        return words[0][0]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
