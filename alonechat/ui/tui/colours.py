"""The theme's roles as what a terminal is told: 16 million, 256 or 16 colours, or none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from alonechat.core.client.theme import Theme
from alonechat.ui.tui.screen import BOLD, DIM, ITALIC, REVERSE, STRIKE, UNDERLINE, Style

CODES = ((BOLD, "1"), (DIM, "2"), (ITALIC, "3"), (UNDERLINE, "4"), (REVERSE, "7"), (STRIKE, "9"))
SIXTEEN_LIGHT = {
    **{"secondary": "", "accent": "34", "danger": "31", "online": "32", "away": "33", "text": "", "divider": ""},
    **{f"author:{at}": code for at, code in enumerate(("31", "31", "33", "32", "36", "34", "35", "35"))},
}
SIXTEEN_DARK = {
    **{"secondary": "", "accent": "94", "danger": "91", "online": "92", "away": "93", "text": "", "divider": ""},
    **{f"author:{at}": code for at, code in enumerate(("91", "33", "93", "92", "96", "94", "95", "35"))},
}
"""With 16 colours, secondary text is dim and grounds are reversed: no other pair is readable on every palette."""
ROLES = ("selected", "other", "divider", "secondary", "accent", "danger", "online", "away")
LEVELS = (0, 95, 135, 175, 215, 255)


def depth(environment: Mapping[str, str], colors: int) -> int:
    """How many colours to use: 0 (also by NO_COLOR, https://no-color.org), 16, 256 or 2^24. `colors` is what the
    terminal's entry says."""
    if environment.get("NO_COLOR") or environment.get("TERM") in ("dumb", "vt100", "vt220"):
        return 0
    if environment.get("COLORTERM") in ("truecolor", "24bit"):
        return 1 << 24
    if colors >= 256 or "256color" in environment.get("TERM", ""):
        return 256
    return 16 if colors >= 8 else 0


def is_light(environment: Mapping[str, str], answer: str = "") -> bool:
    """Whether the terminal's ground is light: as it answered (OSC 11, `rgb:ffff/ffff/ffff`), else as COLORFGBG says;
    else it is taken for dark, as most are."""
    if found := re.search(r"rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)", answer):
        red, green, blue = (int(part, 16) / (int("f" * len(part), 16)) for part in found.groups())
        return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    return ground in ("7", "15") if ground.isdecimal() else False


def nearest(colour: str) -> int:
    """The one of the 256 colours (of the cube and the greys; the first 16 may be anything) that comes nearest."""
    wanted = _parts(colour)
    cube = [min(range(6), key=lambda at, part=part: abs(LEVELS[at] - part)) for part in wanted]  # type: ignore[misc]
    grey = max(0, min(23, round((sum(wanted) / 3 - 8) / 10)))
    by_cube = sum((LEVELS[at] - part) ** 2 for at, part in zip(cube, wanted, strict=True))
    by_grey = sum((8 + 10 * grey - part) ** 2 for part in wanted)
    return 232 + grey if by_grey < by_cube else 16 + 36 * cube[0] + 6 * cube[1] + cube[2]


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def roles(theme: Theme, accent: str = "") -> dict[str, str]:
    """Each role of a theme as `#rrggbb`; `accent` in place of the theme's own, where one is chosen."""
    found = {name: str(getattr(theme, name)) for name in ROLES}
    found |= {f"author:{at}": colour for at, colour in enumerate(theme.authors)}
    return found | ({"accent": accent} if re.fullmatch(r"#[0-9a-fA-F]{6}", accent) else {})


def palette(colours: Mapping[str, str], depth: int, light: bool) -> Callable[[Style], str]:
    """A function from a style to the sequence that sets it. `colours`: each role of the theme as `#rrggbb`."""

    def code(role: str, ground: bool) -> str:
        if not role or role not in colours or depth == 0:
            return ""
        if depth == 16:
            return "" if ground else (SIXTEEN_LIGHT if light else SIXTEEN_DARK).get(role, "")
        lead = "48" if ground else "38"
        if depth == 256:
            return f"{lead};5;{nearest(colours[role])}"
        return f"{lead};2;{';'.join(map(str, _parts(colours[role])))}"

    @lru_cache(maxsize=512)
    def sequence(style: Style) -> str:
        attributes = style.attributes
        if depth <= 16:
            if style.ground:
                attributes |= REVERSE
            elif style.ink in ("secondary", "divider"):
                attributes |= DIM
        codes = [text for bit, text in CODES if attributes & bit]
        codes += filter(None, (code(style.ink, False), code(style.ground, True)))
        return f"\x1b[0;{';'.join(codes)}m" if codes else "\x1b[0m"

    return sequence
