"""The window darkened behind a sheet: Tk knows no half transparent colours, so each colour is exchanged for a darker
one, and back."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import Any

from alonechat.ui.gui import corners
from alonechat.ui.gui.palette import Palette, mixed
from alonechat.ui.gui.pictures import Pictures

SHARE = {False: 0.32, True: 0.45}
"""How much of each colour is black then, in the light and the dark theme."""
OPTIONS = frozenset(
    {"-background", "-foreground", "-highlightbackground", "-highlightcolor", "-insertbackground", "-image"}
)
ITEMS = {"text": "-fill", "rectangle": "-fill", "polygon": "-fill", "oval": "-fill", "line": "-fill", "image": "-image"}
Change = Callable[[str], str]


class Veil:
    """`on` and `off` for one window; `again` after something below was drawn anew."""

    def __init__(self, pictures: Pictures, dark: bool) -> None:
        self._pictures, self._share = pictures, SHARE[dark]
        self._dim: dict[str, str] = {}
        self._full: dict[str, str] = {}
        self._photos: dict[str, tkinter.PhotoImage] = {}
        self._before: dict[str, str] = {}
        self._shade: tkinter.PhotoImage | None = None
        self.shown = False

    def on(self, widget: tkinter.Misc) -> None:
        """Darken a widget and all in it."""
        self.shown = True
        self.again(widget)

    def again(self, widget: tkinter.Misc) -> None:
        """Darken what has come since."""
        if self.shown:
            self._walk(widget, self.dimmed, self._shaded)
        corners.again(self._pictures.root)

    def off(self, widget: tkinter.Misc) -> None:
        """As before."""
        if self.shown:
            self.shown = False
            self._walk(widget, self._restored, lambda name: self._before.get(name, name))
            self._photos.clear()
            self._before.clear()

    # --- colours ---

    def dimmed(self, colour: str) -> str:
        """What stands for a colour while it is dark; a colour that stands for one already stays."""
        colour = colour.upper()
        if colour in self._full:
            return colour
        found = self._dim.get(colour)
        if found is None:
            found = mixed(colour, "#000000", self._share)
            while found in self._full or found in self._dim:  # each must lead back to one
                found = f"#{(int(found[1:], 16) + 1) % 0x1000000:06X}"
            self._dim[colour], self._full[found] = found, colour
        return found

    def _restored(self, colour: str) -> str:
        return self._full.get(colour.upper(), colour)

    # --- pictures ---

    def _known(self) -> dict[str, tuple[Any, ...]]:
        """Tk's names of the pictures that have a colour, with what they show."""
        return {str(image): key for key, image in self._pictures.coloured()}

    def _shaded(self, name: str) -> str:
        """A photograph under a grey. Emoji stay as they are: what is seen through in them would become a box."""
        call = self._pictures.root.tk.call
        if name in self._before or not name:
            return name
        wide, high = int(call("image", "width", name)), int(call("image", "height", name))
        if min(wide, high) < 60:
            return name
        copy = tkinter.PhotoImage(master=self._pictures.root, width=wide, height=high)
        call(str(copy), "copy", name)
        if self._shade is None:
            self._shade = self._pictures.shade(self._share)
        call(str(copy), "copy", str(self._shade), "-to", 0, 0, wide, high, "-compositingrule", "overlay")
        self._photos[str(copy)], self._before[str(copy)] = copy, name
        return str(copy)

    # --- widgets ---

    def _walk(self, widget: tkinter.Misc, change: Change, shade: Change) -> None:
        """Exchange the colours of a widget and of all in it, by Tk's own names: customtkinter hides its canvases."""
        tk, known = widget.tk, self._known()

        def image(name: str) -> str:
            key = known.get(name)
            return str(self._pictures.recoloured(key, change)) if key is not None else shade(name)

        def exchanged(option: str, now: str) -> str:
            if option == "-image":
                return image(now) if now else now
            return change(now) if now.startswith("#") and len(now) == 7 else now

        paths = [str(widget)]
        while paths:
            path = paths.pop()
            paths += (str(each) for each in tk.splitlist(tk.call("winfo", "children", path)))
            for described in tk.splitlist(tk.call(path, "configure")):
                option, *_names, now = (str(part) for part in tk.splitlist(described))
                if option in OPTIONS and (new := exchanged(option, now)) != now:
                    tk.call(path, "configure", option, new)
            if tk.call("winfo", "class", path) == "Canvas":
                for item in tk.splitlist(tk.call(path, "find", "all")):
                    option = ITEMS.get(str(tk.call(path, "type", item)), "")
                    now = str(tk.call(path, "itemcget", item, option)) if option else ""
                    if (new := exchanged(option, now)) != now:
                        tk.call(path, "itemconfigure", item, option, new)


class Veiled:
    """A palette whose colours are dark while the veil is there: what is drawn below it meanwhile stays below it."""

    def __init__(self, palette: Palette, veil: Veil) -> None:
        self.dark, self.theme, self._palette, self._veil = palette.dark, palette.theme, palette, veil

    def get(self, name: str) -> str:
        """A colour by its name, as Palette has it."""
        found = self._palette.get(name)
        return self._veil.dimmed(found) if self._veil.shown else found
