"""The list of conversations, drawn on one canvas."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from alonechat.core.client.listing import Listing
from alonechat.core.client.theme import initials
from alonechat.core.client.words import _
from alonechat.ui.gui.bubble import line_parts, line_width
from alonechat.ui.gui.draw import Painter
from alonechat.ui.gui.flow import elided
from alonechat.ui.gui.keys import SECOND
from alonechat.ui.gui.parts import Avatar, Fill, Icon, Label
from alonechat.ui.gui.scrollbar import Scrollbar

ROW, SECTION, AVATAR = 56, 36, 36


class Sidebar:
    """`on_open(target)`, `on_menu(target, event)` for a conversation, `on_add()` for the sign beside "Rooms"."""

    def __init__(
        self,
        parent: tkinter.Misc,
        painter: Painter,
        on_open: Callable[[str], None],
        on_menu: Callable[[str, tkinter.Event[tkinter.Misc]], None],
        on_add: Callable[[str], None],
    ) -> None:
        self._painter, self._on_open, self._on_menu, self._on_add = painter, on_open, on_menu, on_add
        self.canvas = tkinter.Canvas(
            parent, highlightthickness=0, bd=0, confine=False, yscrollincrement=1, takefocus=1,
            bg=painter.palette.get("sidebar"),
        )  # fmt: skip
        self.bar = Scrollbar(self.canvas, painter, self._dragged, "sidebar")
        self.lines: list[Listing] = []
        self._tops: list[int] = []
        self._total = 0
        self._offset = 0
        self._current = ""
        self._over = -1
        self._cursor = -1
        for event, act in (
            ("<Configure>", lambda _e: self.scroll(0)),
            ("<Motion>", self._moved),
            ("<Leave>", lambda _e: self._hover(-1)),
            ("<Button-1>", self._clicked),
            (SECOND, self._menu),
            ("<Up>", lambda _e: self._step(-1)),
            ("<Down>", lambda _e: self._step(1)),
            ("<Return>", lambda _e: self._enter()),
            ("<space>", lambda _e: self._enter()),
            ("<FocusIn>", lambda _e: self._focus(True)),
            ("<FocusOut>", lambda _e: self._focus(False)),
            ("<Shift-F10>", lambda e: self._menu_key(e)),
            ("<Menu>", lambda e: self._menu_key(e)),
        ):
            self.canvas.bind(event, act)

    def show(self, lines: list[Listing], current: str) -> None:
        """Draw these lines; `current` is the conversation that is open."""
        if lines == self.lines and current == self._current:
            return
        self.lines, self._current = lines, current
        px = self._painter.fonts.px
        self._tops, y = [], px(4)
        for each in lines:
            self._tops.append(y)
            y += px(ROW if each.kind == "conversation" else SECTION)
        self._total = y + px(8)
        self.scroll(0)

    def scroll(self, by: int) -> None:
        """Move by pixels, as far as there is something."""
        high = self.canvas.winfo_height()
        goal = max(0, min(self._offset + by, self._total - high))
        if goal != self._offset:
            self.canvas.yview_scroll(goal - self._offset, "units")
            self._offset = goal
        self._draw()
        total = max(self._total, 1)
        self.bar.update(goal / total, min((goal + high) / total, 1.0))

    def _dragged(self, share: float) -> None:
        self.scroll(int(share * self._total) - self._offset)

    # --- drawing ---

    def _draw(self) -> None:
        canvas, high = self.canvas, self.canvas.winfo_height()
        canvas.delete("all")
        wide = canvas.winfo_width()
        if wide < 40:
            return
        for at, each in enumerate(self.lines):
            y = self._tops[at]
            if y > self._offset + high:
                break
            if y + self._painter.fonts.px(ROW) < self._offset:
                continue
            if each.kind == "section":
                self._section(each, y, wide)
            else:
                self._line(each, at, y, wide)
        if not self.lines:
            self._empty(wide)

    def _empty(self, wide: int) -> None:
        text = _("No rooms yet. Join #lobby, or make one.")
        fonts = self._painter.fonts
        self.canvas.create_text(
            fonts.px(16), fonts.px(16), text=text, anchor="nw", width=wide - fonts.px(32),
            font=fonts.fonts["small"], fill=self._painter.palette.get("secondary"),
        )  # fmt: skip

    def _section(self, each: Listing, y: int, wide: int) -> None:
        px, paint = self._painter.fonts.px, self._painter.part
        high = self._painter.fonts.height("strong")[1]
        paint(self.canvas, Label(px(16), px(SECTION) - high - px(6), each.title, "strong", "secondary"), (0, y), "s")
        paint(self.canvas, Icon(wide - px(34), px(SECTION) - px(24), "plus", px(18), "secondary"), (0, y), "s")

    def _line(self, each: Listing, at: int, y: int, wide: int) -> None:
        px, fonts, paint = self._painter.fonts.px, self._painter.fonts, self._painter.part
        canvas, current = self.canvas, each.target == self._current
        ground = "selected" if current else "hover" if at == self._over else "sidebar"
        if ground != "sidebar" or at == self._cursor:
            edge = "accent" if at == self._cursor and self.canvas.focus_get() is canvas else ""
            paint(canvas, Fill(px(6), px(1), wide - px(6), px(ROW) - px(1), ground, px(10), edge), (0, y), "c")
        room = each.target.startswith("#")
        size, top = px(AVATAR), (px(ROW) - px(AVATAR)) // 2
        sign = "icon:lock" if room and each.summary and each.summary.access == "private" else "icon:hash"
        text = sign if room else initials(each.title)
        paint(canvas, Avatar(px(14), top, size, each.target, text), (0, y), "c")
        if each.presence and each.presence != "offline":
            spot = (px(14) + size - px(5), y + top + size - px(5))
            self._painter.presence(canvas, each.presence, spot, (px(9), ground, "c"))
        left, right = px(14) + size + px(12), wide - px(16)
        first, second = y + px(9), y + px(9) + fonts.line("name") + px(1)
        if not each.preview and not each.badge:  # nothing was said yet: the name stands in the middle
            first = y + (px(ROW) - fonts.height("name")[1]) // 2
        unread = bool(each.badge) and not each.muted
        ink = "accent" if unread else "secondary"
        wide_time = fonts.measure(each.time, "tiny")
        paint(canvas, Label(right - wide_time, first + px(2), each.time, "tiny", ink), (0, 0), "c")
        room_left = right - wide_time - px(8) - left
        if each.muted:
            room_left -= px(18)
        title = elided(each.title, room_left, "name", fonts)
        for part in line_parts(title, left, first, "name", "text", fonts):
            paint(canvas, part, (0, 0), "c")
        if each.muted:
            x = left + line_width(title, "name", fonts) + px(4)
            paint(canvas, Icon(x, first + px(1), "muted", px(14), "secondary"), (0, 0), "c")
        right = self._badges(each, right, second)
        self._preview(each, left, second, right - left)

    def _preview(self, each: Listing, x: int, y: int, room: int) -> None:
        fonts = self._painter.fonts
        text = elided(each.preview, room, "small", fonts)
        for part in line_parts(text, x, y, "small", "danger" if each.draft else "secondary", fonts):
            self._painter.part(self.canvas, part, (0, 0), "c")

    def _badges(self, each: Listing, right: int, y: int) -> int:
        """The numbers at the end of a line; where the text may end."""
        px, fonts = self._painter.fonts.px, self._painter.fonts
        high = px(18)
        if each.badge:
            wide = max(fonts.measure(each.badge, "mark") + px(10), high)
            ground = "secondary" if each.muted else "accent"
            self._pill((right - wide, y, right, y + high), ground, each.badge)
            right -= wide + px(4)
        if each.mention:
            self._pill((right - high, y, right, y + high), "accent", "@")
            right -= high + px(4)
        return right - px(4)

    def _pill(self, box: tuple[int, int, int, int], ground: str, text: str) -> None:
        x0, y0, x1, y1 = box
        self._painter.fill(self.canvas, box, Fill(*box, ground, (y1 - y0) // 2), "c")
        ink = self._painter.palette.get("on_accent" if ground == "accent" else "ground")
        font = self._painter.fonts.fonts["mark"]
        self.canvas.create_text((x0 + x1) / 2, (y0 + y1) / 2, text=text, font=font, fill=ink)

    # --- pointer and keys ---

    def _at(self, y: int) -> int:
        y += self._offset
        px = self._painter.fonts.px
        for at, top in enumerate(self._tops):
            if top <= y < top + px(ROW if self.lines[at].kind == "conversation" else SECTION):
                return at
        return -1

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        at = self._at(event.y)
        self.canvas.configure(cursor="hand2" if at >= 0 else "arrow")
        self._hover(at)

    def _hover(self, at: int) -> None:
        if at != self._over:
            self._over = at
            self._draw()

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        at = self._at(event.y)
        if at < 0:
            return
        if self.lines[at].kind == "conversation":
            self._on_open(self.lines[at].target)
        elif event.x > self.canvas.winfo_width() - self._painter.fonts.px(48):
            sections = [each for each in self.lines[: at + 1] if each.kind == "section"]
            self._on_add("room" if len(sections) == 1 else "direct")

    def _menu(self, event: tkinter.Event[tkinter.Misc]) -> None:
        at = self._at(event.y)
        if at >= 0 and self.lines[at].kind == "conversation":
            self._on_menu(self.lines[at].target, event)

    def _menu_key(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if 0 <= self._cursor < len(self.lines):
            event.x_root = self.canvas.winfo_rootx() + 40
            event.y_root = self.canvas.winfo_rooty() + self._tops[self._cursor] - self._offset + 20
            self._on_menu(self.lines[self._cursor].target, event)

    def _focus(self, inside: bool) -> None:
        places = [at for at, each in enumerate(self.lines) if each.kind == "conversation"]
        here = next((at for at in places if self.lines[at].target == self._current), places[0] if places else -1)
        self._cursor = here if inside else -1
        self._draw()

    def _step(self, by: int) -> str:
        at = self._cursor + by
        while 0 <= at < len(self.lines) and self.lines[at].kind != "conversation":
            at += by
        if 0 <= at < len(self.lines):
            self._cursor = at
            top, high, px = self._tops[at], self.canvas.winfo_height(), self._painter.fonts.px
            below = max(top + px(ROW) - self._offset - high, 0)
            self.scroll(top - self._offset if top < self._offset else below)
        return "break"

    def _enter(self) -> str:
        if 0 <= self._cursor < len(self.lines):
            self._on_open(self.lines[self._cursor].target)
        return "break"
