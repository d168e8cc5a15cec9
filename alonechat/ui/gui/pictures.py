"""Pictures for the canvases: coloured masks and emoji, each made once."""

from __future__ import annotations

import hashlib
import tkinter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from alonechat.ui.gui import shapes
from alonechat.ui.gui.emojifont import EmojiFont, find, smaller
from alonechat.ui.gui.shapes import Mask

MOST = 1_500
"""Pictures that are remembered; beyond that those which were made first are forgotten."""


class Pictures:
    """Tk's images by what they show. `emoji_shown`: there is a font whose pictures can be taken."""

    def __init__(self, root: tkinter.Misc, folder: Path) -> None:
        self.root = root
        self._folder = folder / "emoji"
        self._made: dict[tuple[object, ...], tkinter.PhotoImage] = {}
        self._none: set[tuple[str, int]] = set()
        self._font: EmojiFont | None = None
        self._path = find() if root.tk.call("tk", "windowingsystem") == "x11" else None
        self.emoji_shown = self._path is not None

    def _keep(self, key: tuple[object, ...], data: bytes) -> tkinter.PhotoImage:
        if len(self._made) > MOST:
            for old in list(self._made)[: MOST // 3]:
                del self._made[old]
        image = self._made[key] = tkinter.PhotoImage(master=self.root, data=data, format="png")
        return image

    def mask(self, mask: Mask, colour: str) -> tkinter.PhotoImage:
        """A shape in a colour."""
        key = (mask, colour)
        return self._made.get(key) or self._keep(key, shapes.png(mask, colour))

    def icon(self, name: str, size: int, colour: str, weight: float = 1.7) -> tkinter.PhotoImage:
        """An icon of `shapes.ICONS`."""
        key = ("icon", name, size, colour, weight)
        return self._made.get(key) or self._keep(key, shapes.png(shapes.icon(name, size, weight), colour))

    def coloured(self) -> list[tuple[tuple[Any, ...], tkinter.PhotoImage]]:
        """The shapes and icons that there are now."""
        return [(key, image) for key, image in self._made.items() if key[0] != "emoji"]

    def recoloured(self, key: tuple[Any, ...], change: Callable[[str], str]) -> tkinter.PhotoImage:
        """The same shape or icon in another colour."""
        if key[0] == "icon":
            return self.icon(key[1], key[2], change(key[3]), key[4])
        return self.mask(key[0], change(key[1]))

    def shade(self, share: float) -> tkinter.PhotoImage:
        """A pixel of black that lets through what lies below it."""
        data = shapes.png(Mask(1, 1, bytes([round(share * 255)])), "#000000")
        return tkinter.PhotoImage(master=self.root, data=data, format="png")

    def emoji(self, emoji: str, size: int) -> tkinter.PhotoImage | None:
        """An emoji; None where the font has no picture of it."""
        key = ("emoji", emoji, size)
        found = self._made.get(key)
        if found is not None or not self.emoji_shown or (emoji, size) in self._none:
            return found
        data = self._drawn(emoji, size)
        if data is None:
            self._none.add((emoji, size))
            return None
        return self._keep(key, data)

    def _drawn(self, emoji: str, size: int) -> bytes | None:
        name = hashlib.blake2s(f"{emoji}\n{size}\n{self._path}".encode(), digest_size=12).hexdigest()
        path = self._folder / f"{name}.png"
        with suppress(OSError):
            return path.read_bytes() or None
        if self._font is None and self._path is not None:
            try:
                self._font = EmojiFont(self._path)
            except (ValueError, OSError):
                self.emoji_shown = False  # made another way: the text font has to do
                return None
        png = self._font.picture(emoji) if self._font else None
        small = smaller(png, size) if png else None
        with suppress(OSError):  # only a cache: it is made again
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(small or b"")
        return small
