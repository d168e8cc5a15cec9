"""Who is in a conversation: a panel drawn on one canvas."""

from __future__ import annotations

import tkinter
from collections.abc import Callable

from alonechat.core.client.model import Model
from alonechat.core.client.theme import author_index, initials
from alonechat.core.client.words import _
from alonechat.ui.gui.bubble import line_parts
from alonechat.ui.gui.draw import Painter
from alonechat.ui.gui.flow import elided
from alonechat.ui.gui.keys import SECOND
from alonechat.ui.gui.parts import Avatar, Fill, Label
from alonechat.ui.gui.scrollbar import Scrollbar

ROW, AVATAR, HEAD = 40, 28, 48
ORDER = {"online": 0, "busy": 1, "away": 2, "offline": 3}


def sorted_members(model: Model, target: str) -> list[str]:
    """The members: who is there first, then by name."""
    names = model.members.get(target, [])
    return sorted(
        names, key=lambda name: (ORDER.get(model.presence.get(name, ""), 3) == 3, model.shown(name).casefold())
    )  # fmt: skip


class Members:
    """`on_menu(username, event)`: somebody was clicked."""

    def __init__(
        self, parent: tkinter.Misc, painter: Painter, on_menu: Callable[[str, tkinter.Event[tkinter.Misc]], None]
    ) -> None:
        self._painter, self._on_menu = painter, on_menu
        self.canvas = tkinter.Canvas(
            parent, highlightthickness=0, bd=0, confine=False, yscrollincrement=1, takefocus=1,
            bg=painter.palette.get("sidebar"),
        )  # fmt: skip
        self.bar = Scrollbar(self.canvas, painter, self._dragged, "sidebar")
        self.rows: list[tuple[str, str, str, str]] = []
        self._title = ""
        self._offset = 0
        self._over = self._cursor = -1
        for event, act in (
            ("<Configure>", lambda _e: self.scroll(0)),
            ("<Motion>", lambda e: self._hover(self._at(e.y))),
            ("<Leave>", lambda _e: self._hover(-1)),
            ("<Button-1>", self._clicked),
            (SECOND, self._clicked),
            ("<Up>", lambda _e: self._step(-1)),
            ("<Down>", lambda _e: self._step(1)),
            ("<Return>", self._enter),
            ("<space>", self._enter),
            ("<FocusIn>", lambda _e: self._put(0)),
            ("<FocusOut>", lambda _e: self._put(-1)),
        ):
            self.canvas.bind(event, act)

    def show(self, model: Model, target: str) -> None:
        """The members of a conversation as they are now."""
        rows = []
        for name in sorted_members(model, target):
            role = model.role(name, target)
            role = "" if role == "member" else _role(role)
            rows.append((name, model.shown(name), model.presence.get(name, "offline"), role))
        summary = model.conversations.get(target)
        count = max(len(rows), summary.members if summary else 0)
        title = _("Members {n}").format(n=count)
        if (rows, title) != (self.rows, self._title):
            self.rows, self._title = rows, title
            self.scroll(0)

    def scroll(self, by: int) -> None:
        """Move by pixels, as far as there is something."""
        px, high = self._painter.fonts.px, self.canvas.winfo_height()
        total = px(HEAD) + px(ROW) * len(self.rows) + px(8)
        goal = max(0, min(self._offset + by, total - high))
        if goal != self._offset:
            self.canvas.yview_scroll(goal - self._offset, "units")
            self._offset = goal
        self._draw()
        self.bar.update(goal / total, min((goal + high) / total, 1.0))

    def _dragged(self, share: float) -> None:
        px = self._painter.fonts.px
        self.scroll(int(share * (px(HEAD) + px(ROW) * len(self.rows))) - self._offset)

    def _draw(self) -> None:
        canvas, fonts, px = self.canvas, self._painter.fonts, self._painter.fonts.px
        canvas.delete("all")
        wide, high = canvas.winfo_width(), canvas.winfo_height()
        if wide < 40:
            return
        top = (px(HEAD) - fonts.height("strong")[1]) // 2 + px(4)
        self._painter.part(canvas, Label(px(16), top, self._title, "strong", "secondary"), (0, 0), "m")
        first = max((self._offset - px(HEAD)) // px(ROW), 0)
        for at in range(first, min(first + high // px(ROW) + 2, len(self.rows))):
            self._row(at, px(HEAD) + at * px(ROW), wide)

    def _row(self, at: int, y: int, wide: int) -> None:
        fonts, px, paint = self._painter.fonts, self._painter.fonts.px, self._painter.part
        name, shown, presence, role = self.rows[at]
        ground = "hover" if at in (self._over, self._cursor) else "sidebar"
        if ground == "hover":
            edge = "accent" if at == self._cursor else ""
            paint(self.canvas, Fill(px(6), 0, wide - px(6), px(ROW), ground, px(8), edge), (0, y), "m")
        size, top = px(AVATAR), (px(ROW) - px(AVATAR)) // 2
        paint(self.canvas, Avatar(px(14), top, size, name, initials(shown)), (0, y), "m")
        spot = (px(14) + size - px(3), y + top + size - px(3))
        self._painter.presence(self.canvas, presence, spot, (px(9), ground, "m"))
        left, right = px(14) + size + px(10), wide - px(14)
        if role:
            right -= fonts.measure(role, "tiny")
            drop = (px(ROW) - fonts.height("tiny")[1]) // 2
            paint(self.canvas, Label(right, drop, role, "tiny", "secondary"), (0, y), "m")
            right -= px(8)
        ink = "secondary" if presence == "offline" else f"author:{author_index(name)}"
        drop = (px(ROW) - fonts.height("name")[1]) // 2
        for part in line_parts(elided(shown, right - left, "name", fonts), left, drop, "name", ink, fonts):
            paint(self.canvas, part, (0, y), "m")

    def _at(self, y: int) -> int:
        px = self._painter.fonts.px
        at = (y + self._offset - px(HEAD)) // px(ROW)
        return at if y + self._offset >= px(HEAD) and at < len(self.rows) else -1

    def _hover(self, at: int) -> None:
        if at != self._over:
            self._over = at
            self.canvas.configure(cursor="hand2" if at >= 0 else "arrow")
            self._draw()

    def _clicked(self, event: tkinter.Event[tkinter.Misc]) -> None:
        if (at := self._at(event.y)) >= 0:
            self._on_menu(self.rows[at][0], event)

    def _put(self, at: int) -> None:
        self._cursor = at
        self._draw()

    def _step(self, by: int) -> str:
        self._cursor = max(0, min(self._cursor + by, len(self.rows) - 1))
        px = self._painter.fonts.px
        top = px(HEAD) + self._cursor * px(ROW) - self._offset
        self.scroll(min(top, 0) or max(top + px(ROW) - self.canvas.winfo_height(), 0))
        return "break"

    def _enter(self, event: tkinter.Event[tkinter.Misc]) -> str:
        if 0 <= self._cursor < len(self.rows):
            px = self._painter.fonts.px
            event.x_root = self.canvas.winfo_rootx() + 20
            event.y_root = self.canvas.winfo_rooty() + px(HEAD) + self._cursor * px(ROW) - self._offset
            self._on_menu(self.rows[self._cursor][0], event)
        return "break"


def _role(role: str) -> str:
    return {"owner": _("owner"), "moderator": _("moderator"), "admin": _("admin"), "guest": _("guest")}.get(role, role)
