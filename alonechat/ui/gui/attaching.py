"""What will be sent with the next message: a strip of cards above the composer, each with a way to take it out."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from alonechat.core.client.files import File
from alonechat.core.client.present import size_text
from alonechat.core.client.shelf import mime_of
from alonechat.core.client.words import _, n_
from alonechat.ui.gui.draw import Painter
from alonechat.ui.gui.filing import pixels
from alonechat.ui.gui.flow import elided
from alonechat.ui.gui.photos import Wanted, shows
from alonechat.ui.gui.style import Kit

CARD, THUMB = 196, 44
"""The width of a card, and its picture."""
SHOWN = 6
"""Cards that are shown; the rest is counted."""


class Attaching:
    """Cards in `frame`, which is there while there are any. `changed()` is called when files come or go; `emptied()`
    when a person took out the last one, and the focus has to go somewhere."""

    def __init__(self, parent: Any, kit: Kit, painter: Painter, changed: Callable[[], None]) -> None:
        self._kit, self._painter, self._changed = kit, painter, changed
        self.frame = kit.frame(parent)
        self.emptied: Callable[[], None] = lambda: None
        self.files: list[Path] = []
        self._thumbs: list[tuple[tkinter.Label, Wanted]] = []
        self._columns = 0
        self.removers: list[Any] = []

    def put(self, files: Sequence[Path]) -> None:
        """These files, and no others."""
        self.files = list(files)
        self._build()
        self._changed()

    def remove(self, at: int) -> None:
        """Take one out; the focus goes to the one that follows."""
        del self.files[at]
        self._build()
        self._changed()
        if self.removers:
            self.removers[min(at, len(self.removers) - 1)]._canvas.focus_set()
        else:
            self.emptied()

    def _cut(self) -> None:
        """Take out those that are only counted."""
        self.put(self.files[: SHOWN - 1])
        self.removers[-1]._canvas.focus_set()

    def arrange(self, width: int) -> None:
        """The strip has another width."""
        columns = max(width // self._kit.fonts.px(CARD + 8), 1)
        if columns != self._columns:
            self._columns = columns
            self._build()

    def redraw(self) -> None:
        """A picture was decoded."""
        for label, wanted in self._thumbs:
            if label.winfo_exists() and (image := self._painter.photos.get(wanted)) is not None:
                label.configure(image=image)
                label.image = image  # type: ignore[attr-defined]

    # --- cards ---

    def _build(self) -> None:
        for each in self.frame.winfo_children():
            each.destroy()
        self._thumbs, self.removers = [], []
        many = len(self.files)
        shown = self.files if many <= SHOWN else self.files[: SHOWN - 1]
        columns = self._columns or 3
        for at, path in enumerate(shown):
            self._card(path, at).grid(row=at // columns, column=at % columns, padx=(0, 8), pady=(0, 8), sticky="w")
        if many > len(shown):
            self._rest(many - len(shown)).grid(row=len(shown) // columns, column=len(shown) % columns, sticky="w")

    def _card(self, path: Path, at: int) -> Any:
        kit, px, fonts = self._kit, self._kit.fonts.px, self._kit.fonts
        card = kit.frame(self.frame, "ground", corner_radius=10, width=CARD, height=THUMB + 12)
        card.grid_propagate(False)
        card.grid_columnconfigure(1, weight=1)
        card.grid_rowconfigure((0, 1), weight=1)
        self._thumb(card, path).grid(row=0, column=0, rowspan=2, padx=(6, 8))
        room = px(CARD - THUMB - 14 - 36)
        name = elided(path.name, room, "strong", fonts)
        kit.label(card, name, "strong", height=16).grid(row=0, column=1, sticky="sw")
        size = path.stat().st_size if path.exists() else 0
        kit.label(card, size_text(size), "tiny", "secondary", height=14).grid(row=1, column=1, sticky="nw")
        remove = kit.icon(card, "close", lambda: self.remove(at), _("Take {name} out").format(name=path.name),
                          size=28, glyph=14)  # fmt: skip
        remove.grid(row=0, column=2, rowspan=2, padx=(2, 6))
        self.removers.append(remove)
        return card

    def _thumb(self, card: Any, path: Path) -> tkinter.Label:
        kit, size, get = self._kit, self._kit.fonts.px(THUMB), self._kit.palette.get
        mime, (width, height) = mime_of(path.name), pixels(str(path))
        label = tkinter.Label(card, bd=0, bg=get("ground"), width=size, height=size)
        if width and shows(File(path.name, mime, width=width, height=height)):
            wanted = Wanted(str(path), size, size, get("ground"))
            self._thumbs.append((label, wanted))
            image = self._painter.photos.get(wanted) or kit.pictures.icon("file", kit.fonts.px(22), get("secondary"))
        else:
            image = kit.pictures.icon("file", kit.fonts.px(22), get("accent"))
        label.configure(image=image)
        label.image = image  # type: ignore[attr-defined]
        return label

    def _rest(self, many: int) -> Any:
        card = self._kit.frame(self.frame, "ground", corner_radius=10, width=CARD, height=THUMB + 12)
        card.grid_propagate(False)
        card.grid_columnconfigure(0, weight=1)
        card.grid_rowconfigure(0, weight=1)
        text = n_("{n} more file", "{n} more files", many)
        self._kit.label(card, text, "strong", "secondary").grid(row=0, column=0, padx=14, sticky="w")
        remove = self._kit.icon(card, "close", self._cut, _("Take them out"), size=28, glyph=14)
        remove.grid(row=0, column=1, padx=(2, 6))
        self.removers.append(remove)
        return card
