"""The colours that are drawn with: the theme's by name, the person's accent, and mixtures of them. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from alonechat.core.client.theme import DARK, LIGHT, Theme

ACCENTS = {
    "": ("#2360D8", "#7FABFF"),
    "#6A43B5": ("#6A43B5", "#C0A1FF"),
    "#00696B": ("#00696B", "#5FD3D0"),
    "#2E6B1F": ("#2E6B1F", "#8FD67C"),
    "#A6277A": ("#A6277A", "#FF93CF"),
    "#9A4B00": ("#9A4B00", "#FFA861"),
}
"""Accents to choose from, for light and for dark; each has a contrast of 4.5 : 1 on the grounds it stands on."""


def mixed(one: str, other: str, share: float) -> str:
    """`one` with a share (0 to 1) of `other`."""
    a, b = bytes.fromhex(one[1:]), bytes.fromhex(other[1:])
    return "#" + "".join(f"{round(x + (y - x) * share):02X}" for x, y in zip(a, b, strict=True))


class Palette:
    """Names to colours. Beside the theme's fields: `author:N`, `inset:own` (a ground inside of a bubble), `track:own`
    (what a bar of progress fills), `mention`
    (the bubble of a message that means this person), `mark` (behind one's own name), `on_accent` (on the accent)."""

    def __init__(self, dark: bool, accent: str = "") -> None:
        theme = DARK if dark else LIGHT
        if accent in ACCENTS:
            theme = replace(theme, accent=ACCENTS[accent][dark])
        if accent in ACCENTS and accent:
            own = mixed(theme.ground, theme.accent, 0.15 if dark else 0.11)
            theme = replace(theme, own=own, selected=mixed(theme.ground, theme.accent, 0.2 if dark else 0.16))
        self.dark, self.theme = dark, theme
        self.get = lru_cache(None)(self._found)

    def _found(self, name: str) -> str:
        theme: Theme = self.theme
        kind, _colon, rest = name.partition(":")
        match kind:
            case "author":
                return theme.authors[int(rest)]
            case "inset":
                return mixed(self.get(rest), theme.text, 0.035)
            case "track":
                return mixed(self.get(rest), theme.text, 0.16)
            case "mention":
                return mixed(theme.other, theme.accent, 0.07)
            case "mark":
                return mixed(theme.other, theme.accent, 0.2)
            case "on_accent":
                return "#101418" if self.dark else "#FFFFFF"
            case "avatar":
                return mixed(theme.ground, theme.authors[int(rest)], 0.26 if self.dark else 0.2)
            case "selection":
                return mixed(theme.ground, theme.accent, 0.4)
            case "pressed":
                return mixed(theme.hover, theme.text, 0.06)
        if name.startswith("#"):
            return name
        return str(getattr(theme, name))
