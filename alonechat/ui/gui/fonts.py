"""The fonts that everything is drawn with: families of this system, sizes for this screen, remembered widths."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tkinter
from contextlib import suppress
from pathlib import Path
from xml.sax.saxutils import escape

LIKED = ("Inter", "Adwaita Sans", "Cantarell", "Ubuntu", "Noto Sans", "Roboto")
"""Families that read well on X11, the best first; Roboto comes with customtkinter."""
MONO = ("JetBrains Mono", "SF Mono", "Cascadia Mono", "Consolas", "Menlo", "Noto Sans Mono", "DejaVu Sans Mono")
SEMIBOLD = {"Roboto": "Roboto Medium", "Segoe UI": "Segoe UI Semibold"}
"""Families whose heavier face has a name of its own; others are drawn bold."""
Font = tuple[str, int, *tuple[str, ...]]
"""A font as Tk takes it: the family, the height (negative: in pixels), then `bold`, `italic` or both."""

# Tk asks fontconfig for the weight "medium" where it means the usual one, which picks Roboto Medium and Ubuntu Medium.
# Colour fonts end the process in older versions of libXft (BadLength): emoji are drawn as pictures instead. Chinese
# text is read in Chinese forms unless the system's language has others.
RULES = Path(__file__).with_name("fontconfig.txt")


class fontconfig:
    """While Tk begins, fontconfig reads rules of ours on top of the system's; programs that are started later read the
    system's alone."""

    def __init__(self, folder: Path, fonts: Path) -> None:
        self._before = os.environ.get("FONTCONFIG_FILE")
        self._path = folder.absolute() / "fonts.conf"
        base = escape(self._before or "/etc/fonts/fonts.conf")
        self._text = RULES.read_text("utf-8").format(base=base, fonts=escape(str(fonts)))

    def __enter__(self) -> None:
        if sys.platform in ("win32", "darwin"):
            return
        with suppress(OSError):  # without them the text is a little heavier
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if not self._path.exists() or self._path.read_text("utf-8") != self._text:
                self._path.write_text(self._text, "utf-8")
            os.environ["FONTCONFIG_FILE"] = str(self._path)

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            os.environ.pop("FONTCONFIG_FILE", None)
        else:
            os.environ["FONTCONFIG_FILE"] = self._before


def screen_scale(root: tkinter.Misc) -> float:
    """How many pixels of this screen one of the design's is: in quarters, 1 to 3."""
    told = os.environ.get("GDK_SCALE") or os.environ.get("QT_SCALE_FACTOR") or ""
    with suppress(ValueError):
        if told:
            return _quarters(float(told))
    if sys.platform == "win32":
        return _quarters(root.winfo_fpixels("1i") / 96)
    if sys.platform == "darwin":
        return 1.0  # points are scaled by the system
    return _quarters(_xft_dpi() / 96)


def _quarters(scale: float) -> float:
    return min(max(round(scale * 4) / 4, 1.0), 3.0)


def _xft_dpi() -> float:
    """What a desktop under X11 has set; the screen's own figure is a guess of the driver."""
    xrdb = shutil.which("xrdb")
    if xrdb:
        with suppress(OSError, ValueError, subprocess.TimeoutExpired):
            said = subprocess.run([xrdb, "-query"], capture_output=True, text=True, timeout=1, check=False).stdout
            for line in said.splitlines():
                if line.startswith("Xft.dpi:"):
                    return float(line.split(":")[1])
    return 96.0


class Fonts:
    """Fonts by what they are for: `text`, `bold`, `italic`, `both`, `code`, `name`, `small`, `strong` (small), `tiny`,
    `title`, `initials`, `large`, `mark`. `px` scales the design's pixels to this screen's."""

    def __init__(self, root: tkinter.Misc, size: int, scale: float) -> None:
        self.scale = scale
        self._call = root.tk.call
        self.emoji = False
        families = set(root.tk.splitlist(self._call("font", "families")))
        system = str(root.tk.splitlist(self._call("font", "actual", "TkDefaultFont"))[1])
        liked = LIKED if sys.platform not in ("win32", "darwin") else ()
        self.family = next((name for name in liked if name in families), system)
        self.mono = next((name for name in MONO if name in families), "TkFixedFont")
        semibold = SEMIBOLD.get(self.family, "")
        known = semibold in families or self.family == "Roboto"  # whose faces are listed as one family
        self.heavy = semibold if known else ""
        self._widths: dict[str, dict[str, int]] = {}
        self._heights: dict[str, tuple[int, int]] = {}
        self.resize(size)

    def resize(self, size: int) -> None:
        """Take another size of text; all others follow."""
        self.size = size
        grown = size / 14
        sizes = {"text": 14, "bold": 14, "italic": 14, "both": 14, "code": 13, "name": 13, "small": 12, "strong": 12,
                 "tiny": 11, "title": 16, "initials": 13, "large": 20, "mark": 10}  # fmt: skip
        self.fonts: dict[str, Font] = {}
        for role, pixels in sizes.items():
            high = -round(pixels * grown * self.scale)
            slant: tuple[str, ...] = ("italic",) if role in ("italic", "both") else ()
            if role == "code":
                self.fonts[role] = (self.mono, high)
            elif role not in ("bold", "both", "name", "strong", "title", "initials", "large", "mark"):
                self.fonts[role] = (self.family, high, *slant)
            elif self.heavy:
                self.fonts[role] = (self.heavy, high, *slant)
            else:
                self.fonts[role] = (self.family, high, *("bold", *slant))
        self._widths = {role: {} for role in sizes}
        self._heights.clear()

    def line(self, role: str) -> int:
        """How far apart lines of text are."""
        return max(self.height(role)[1], round(-self.fonts[role][1] * 1.42))

    def px(self, pixels: float) -> int:
        """The design's pixels on this screen."""
        return round(pixels * self.scale)

    def measure(self, text: str, role: str) -> int:
        """The width of a text."""
        known = self._widths[role]
        found = known.get(text)
        if found is None:
            if len(known) > 40_000:
                known.clear()
            found = known[text] = int(self._call("font", "measure", self.fonts[role], text))
        return found

    def height(self, role: str) -> tuple[int, int]:
        """How far a font reaches above its line, and how high it is in all."""
        found = self._heights.get(role)
        if found is None:
            ascent = int(self._call("font", "metrics", self.fonts[role], "-ascent"))
            found = self._heights[role] = (ascent, int(self._call("font", "metrics", self.fonts[role], "-linespace")))
        return found
