"""A list of options over the composer or under a field: names, rooms, commands, emoji."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from dataclasses import dataclass

from alonechat.core.client.theme import initials
from alonechat.ui.gui.bubble import line_parts, line_width
from alonechat.ui.gui.draw import Painter
from alonechat.ui.gui.flow import elided
from alonechat.ui.gui.parts import Avatar, Fill

ROW = 36


@dataclass(frozen=True, slots=True)
class Choice:
    """A line of the list. `author`: whose avatar stands before it; `value` is what is chosen."""

    value: str
    shown: str
    detail: str = ""
    author: str = ""
    sign: str = ""


class Options:
    """Lines on a canvas, one of them marked. `on_choose(value)` for a click; with `click` `<ButtonRelease-1>` at its
    end, for what then stands under the pointer would be clicked, too."""

    def __init__(
        self,
        parent: tkinter.Misc,
        painter: Painter,
        on_choose: Callable[[str], None],
        row: int = ROW,
        click: str = "<Button-1>",
    ) -> None:
        self._painter, self._on_choose = painter, on_choose
        self._row = painter.fonts.px(row)
        self.canvas = tkinter.Canvas(
            parent, highlightthickness=0, bd=0, yscrollincrement=1, confine=False, takefocus=0,
            bg=painter.palette.get("ground"),
        )  # fmt: skip
        self.options: list[Choice] = []
        self.at = 0
        self._offset = 0
        self.canvas.bind("<Motion>", self._moved)
        self.canvas.bind(click, self._clicked)
        self.canvas.bind("<Configure>", lambda _e: self._draw())

    def show(self, options: list[Choice], at: int = 0) -> None:
        """Other options."""
        self.options, self.at = options, at
        self.canvas.yview_scroll(-self._offset, "units")
        self._offset = 0
        self._draw()

    @property
    def height(self) -> int:
        """How high all of them are."""
        return len(self.options) * self._row

    @property
    def chosen(self) -> Choice | None:
        """The marked one."""
        return self.options[self.at] if 0 <= self.at < len(self.options) else None

    def step(self, by: int) -> None:
        """Mark another one; behind the last comes the first."""
        if self.options:
            self.at = (self.at + by) % len(self.options)
            self.scroll(0)

    def scroll(self, by: int) -> None:
        """Move by pixels; by none, until the marked one is in view."""
        high = self.canvas.winfo_height()
        top = self.at * self._row
        goal = self._offset + by
        if not by:
            goal = min(max(self._offset, top + self._row - high), top)
        goal = max(0, min(goal, self.height - high))
        if goal != self._offset:
            self.canvas.yview_scroll(goal - self._offset, "units")
            self._offset = goal
        self._draw()

    def _draw(self) -> None:
        canvas, px, fonts = self.canvas, self._painter.fonts.px, self._painter.fonts
        canvas.delete("all")
        wide, high = canvas.winfo_width(), canvas.winfo_height()
        first = self._offset // self._row
        for at in range(first, min(first + high // self._row + 2, len(self.options))):
            each, y = self.options[at], at * self._row
            if at == self.at:
                box = (px(4), y + px(1), wide - px(4), y + self._row - px(1))
                self._painter.fill(canvas, box, Fill(*box, "selected", px(8)), "o")
            x = px(14)
            if each.author:
                size = self._row - px(12)
                text = each.sign or initials(each.shown.lstrip("@#"))
                self._painter.part(canvas, Avatar(x, y + px(6), size, each.author, text), (0, 0), "o")
                x += size + px(10)
            top = y + (self._row - fonts.height("text")[1]) // 2
            shown = elided(each.shown, wide - x - px(14), "text", fonts)
            for part in line_parts(shown, x, top, "text", "text", fonts):
                self._painter.part(canvas, part, (0, 0), "o")
            x += line_width(shown, "text", fonts) + px(12)
            if each.detail and wide - x > px(40):
                drop = fonts.height("text")[0] - fonts.height("small")[0]
                detail = elided(each.detail, wide - x - px(14), "small", fonts)
                for part in line_parts(detail, x, top + drop, "small", "secondary", fonts):
                    self._painter.part(canvas, part, (0, 0), "o")

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        at = (event.y + self._offset) // self._row
        if at != self.at and at < len(self.options):
            self.at = at
            self._draw()

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        at = (event.y + self._offset) // self._row
        if 0 <= at < len(self.options):
            self.at = at
            self._on_choose(self.options[at].value)
