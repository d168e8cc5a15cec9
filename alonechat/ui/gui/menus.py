"""Menus in the window's own look: over the window, by pointer and by keys."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alonechat.ui.gui.parts import Fill, Label

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App

ROW, LINE, PAD = 34, 9, 6


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a menu; without words it is a dividing line, without an act a heading. `key` is shown at its end."""

    words: str = ""
    act: Callable[[], object] | None = None
    key: str = ""
    colour: str = "text"
    marked: bool = False


class Menu:
    """Items are added, then it is shown at a place of the screen. It counts as a sheet: Esc closes the topmost."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.items: list[Item] = []
        self.is_open = self.settled = False
        self.title = ""
        self.frame: Any = None
        self._at = -1
        self._tops: list[int] = []
        self._before: Any = None

    def add(self, words: str, act: Callable[[], object] | None, key: str = "", danger: bool = False) -> None:
        """A line that does something; without an act, a heading."""
        self.items.append(Item(words, act, key, "danger" if danger else "text" if act else "secondary"))

    def mark(self, words: str, act: Callable[[], object], marked: bool) -> None:
        """A line of several of which one holds."""
        self.items.append(Item(words, act, marked=marked))

    def divide(self) -> None:
        """A dividing line, unless there is nothing above it."""
        if self.items and self.items[-1].words:
            self.items.append(Item())

    # --- showing ---

    def show(self, x: int, y: int, above: bool = False) -> None:
        """At a place of the screen, within the window; `above`: its lower edge stands there."""
        while self.items and not self.items[-1].words:
            self.items.pop()
        if not self.items:
            return
        app, root = self._app, self._app.root
        for sheet in [each for each in root.sheets if isinstance(each, Menu)]:
            sheet.close()
        px, fonts = app.fonts.px, app.fonts
        self._before = root.focus_get()
        marks = px(22) if any(item.marked for item in self.items) else 0
        widest = max(fonts.measure(item.words, "text") + fonts.measure(item.key, "small") for item in self.items)
        keys = px(32) if any(item.key for item in self.items) else 0
        wide = max(widest + keys + marks + px(36), px(160))
        high = px(PAD)
        self._tops = []
        for item in self.items:
            self._tops.append(high)
            high += px(ROW if item.words else LINE)
        high += px(PAD)
        self._build(wide, high, marks)
        left = min(max(x - root.winfo_rootx(), 4), root.winfo_width() - wide - 6)
        top = y - root.winfo_rooty() - (high if above else 0)
        top = min(max(top, 4), root.winfo_height() - high - 6)
        tkinter.Place.place_configure(self.frame, x=left, y=top)
        self.frame.lift()
        self.is_open = True
        root.sheets.append(self)
        self.canvas.focus_set()
        root.after_idle(self._settle)

    def _settle(self) -> None:
        self.settled = True

    def _build(self, wide: int, high: int, marks: int) -> None:
        app = self._app
        get = app.palette.get
        self.frame = tkinter.Frame(app.root, bg=get("pressed"), bd=0)
        self.canvas = tkinter.Canvas(
            self.frame, width=wide, height=high, bg=get("ground"), highlightthickness=0, bd=0, takefocus=1
        )
        self.canvas.pack(padx=1, pady=1)
        self._wide, self._marks = wide, marks
        for event, act in (
            ("<Motion>", lambda e: self._point(self._under(e.y))),
            ("<Leave>", lambda _e: self._point(-1)),
            ("<ButtonRelease-1>", lambda e: self._choose(self._under(e.y))),
            ("<Up>", lambda _e: self._step(-1)),
            ("<Down>", lambda _e: self._step(1)),
            ("<Tab>", lambda _e: self._step(1)),
            ("<Return>", lambda _e: self._choose(self._at)),
            ("<space>", lambda _e: self._choose(self._at)),
            ("<Left>", lambda _e: self.close()),
        ):
            self.canvas.bind(event, act)
        self._draw()

    def _draw(self) -> None:
        app, px = self._app, self._app.fonts.px
        self.canvas.delete("all")
        for at, item in enumerate(self.items):
            y = self._tops[at]
            if not item.words:
                box = (0, y + px(4), self._wide, y + px(4) + 1)
                app.painter.fill(self.canvas, box, Fill(*box, "divider"), "m")
                continue
            if at == self._at:
                box = (px(5), y + 1, self._wide - px(5), y + px(ROW) - 1)
                app.painter.fill(self.canvas, box, Fill(*box, "selected", px(7)), "m")
            top = y + (px(ROW) - app.fonts.height("text")[1]) // 2
            if item.marked:
                image = app.pictures.icon("check", px(16), app.palette.get("accent"))
                self.canvas.create_image(px(12), y + px(ROW) // 2, image=image, anchor="w")
            part = Label(px(16) + self._marks, top, item.words, "text", item.colour)
            app.painter.part(self.canvas, part, (0, 0), "m")
            if item.key:
                x = self._wide - px(16) - app.fonts.measure(item.key, "small")
                app.painter.part(self.canvas, Label(x, top + 1, item.key, "small", "secondary"), (0, 0), "m")

    # --- choosing ---

    def _under(self, y: int) -> int:
        px = self._app.fonts.px
        for at, top in enumerate(self._tops):
            if self.items[at].act is not None and top <= y < top + px(ROW):
                return at
        return -1

    def _point(self, at: int) -> None:
        if at != self._at:
            self._at = at
            self.canvas.configure(cursor="hand2" if at >= 0 else "arrow")
            self._draw()

    def _step(self, by: int) -> str:
        able = [at for at, item in enumerate(self.items) if item.act is not None]
        if able:
            here = able.index(self._at) if self._at in able else (-1 if by > 0 else 0)
            self._point(able[(here + by) % len(able)])
        return "break"

    def _choose(self, at: int) -> str:
        if at >= 0 and (act := self.items[at].act) is not None:
            self.close()
            act()
        return "break"

    def close(self) -> str:
        """Take it away; the focus goes back."""
        if self.is_open:
            self.is_open = False
            self._app.root.sheets.remove(self)
            self.frame.destroy()
            if self._before is not None and self._before.winfo_exists():
                self._before.focus_set()
        return "break"
