"""The picker of emoji: a grid, a field that filters it, keys to go through it."""

from __future__ import annotations

import tkinter
from collections.abc import Callable
from typing import TYPE_CHECKING

from alonechat.core.client.emojis import FREQUENT, matching
from alonechat.core.client.words import _
from alonechat.ui.gui.parts import Emoji, Fill
from alonechat.ui.gui.sheet import Sheet

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App

COLUMNS, ROWS, CELL, SIZE = 8, 6, 40, 24
MORE = "".join(
    (
        "😀 😃 😄 😁 😆 😅 🤣 😂 🙂 😉 😊 😇 🥰 😍 😘 😋 😛 😜 🤪 🤗 🤭 🤫 🤔 🤐 🤨 😐 😑 😏 😒 🙄 😬 😌 😔 😪 ",
        "😴 😷 🤒 🤕 🤢 🤧 🥵 🥶 🥴 😵 🤯 🥳 😎 🤓 🧐 😕 😟 🙁 😮 😯 😲 😳 🥺 😦 😨 😰 😥 😢 😭 😱 😖 😞 😓 😩 ",
        "😫 🥱 😤 😡 😠 👍 👎 👌 🤝 👏 🙌 🙏 💪 ✌️ 🤞 🤙 👋 ✋ 👊 👀 🧠 ❤️ 🧡 💛 💚 💙 💜 🖤 💔 💯 💥 🔥 ✨ ⭐ ",
        "🌟 🎉 🎊 🎁 🏆 🥇 ⚽ 🎯 🎮 🎵 ☕ 🍵 🍺 🍕 🍰 🍎 🌞 🌧️ ⛄ 🌈 🌍 🐛 🐱 🐶 🦊 🐼 🐧 🐢 🌱 🌲 🌸 🚀 ✈️ 🚗 ",
        "🚲 🏠 🏢 💻 📱 📷 📌 📎 📝 📅 📈 📊 🔒 🔑 🔧 🔨 ⚙️ 🧪 💡 🔔 🔇 ⏰ ⏳ ✅ ❌ ❗ ❓ ⚠️ 🚧 🆗 🆕 ♻️ ",
    )
).split()
"""What it offers further; all others are found by name."""


class Picker:
    """Near a place of the screen; `on_choose(emoji)` for the one that was chosen."""

    def __init__(self, app: App, at: tuple[int, int], on_choose: Callable[[str], None]) -> None:
        self._app, self._on_choose = app, on_choose
        px, kit = app.fonts.px, app.kit
        self.sheet = Sheet(app.root, kit, "", 344)
        self.sheet.darkens = False  # it hangs at a place of the window, as a menu does
        body = self.sheet.body
        body.grid_configure(padx=10, pady=10)
        self.field = kit.entry(body, _("Find an emoji"), height=36)
        self.field.grid(row=0, column=0, sticky="ew", pady=(0, 6))
        self.canvas = tkinter.Canvas(
            body, highlightthickness=0, bd=0, width=px(CELL * COLUMNS), height=px(CELL * ROWS), yscrollincrement=1,
            confine=False, takefocus=0, bg=app.palette.get("ground"), cursor="hand2",
        )  # fmt: skip
        self.canvas.grid(row=1, column=0)
        self.sheet.scroll = self._scroll
        self._shown: list[str] = []
        self._at = self._offset = 0
        self._query = ""
        self._timer = ""
        for key, act in (
            ("<KeyRelease>", lambda _e: self._typed()),
            ("<Return>", lambda _e: self._take()),
            ("<Left>", lambda e: self._step(-1) if not self.field.get() else None),
            ("<Right>", lambda e: self._step(1) if not self.field.get() else None),
            ("<Up>", lambda _e: self._step(-COLUMNS)),
            ("<Down>", lambda _e: self._step(COLUMNS)),
            ("<Tab>", lambda _e: self._step(1)),
        ):
            self.field.bind(key, act)
        self.canvas.bind("<Motion>", self._moved)
        self.canvas.bind("<Button-1>", lambda _e: self._take())
        self.sheet.closing(self._closed)
        self.sheet.show(self.field)
        self._put(at)
        self._show(list(dict.fromkeys((*FREQUENT, *MORE))))

    def _closed(self) -> None:
        if self._timer:
            self.canvas.after_cancel(self._timer)

    def _put(self, at: tuple[int, int]) -> None:
        root, frame = self._app.root, self.sheet.frame
        frame.update_idletasks()
        x, y = at[0] - root.winfo_rootx(), at[1] - root.winfo_rooty()
        wide, high = frame.winfo_reqwidth(), frame.winfo_reqheight()
        x = max(8, min(x - wide // 2, root.winfo_width() - wide - 8))
        y = y - high - 8 if y > high + 8 else min(y + 24, root.winfo_height() - high - 8)
        scale = self._app.fonts.scale
        frame.place(relx=0, rely=0, x=x / scale, y=max(y, 8) / scale, anchor="nw")

    def _show(self, emoji: list[str]) -> None:
        self._shown, self._at = emoji, 0
        self.canvas.yview_scroll(-self._offset, "units")
        self._offset = 0
        self._draw()

    def _draw(self) -> None:
        """The cells in view; pictures that have to be made come a few at a time, so that the window stays alive."""
        canvas, cell = self.canvas, self._app.fonts.px(CELL)
        if self._timer:  # what was still being filled in is not what is shown any more
            canvas.after_cancel(self._timer)
            self._timer = ""
        canvas.delete("all")
        self._mark()
        first = self._offset // cell * COLUMNS
        self._fill(list(range(first, min(first + COLUMNS * (ROWS + 1), len(self._shown)))))
        if not self._shown:
            canvas.create_text(
                cell * COLUMNS / 2, cell, text=_("Nothing was found."), fill=self._app.palette.get("secondary"),
                font=self._app.fonts.fonts["small"],
            )  # fmt: skip

    def _fill(self, places: list[int]) -> None:
        self._timer = ""
        px = self._app.fonts.px
        cell, size = px(CELL), px(SIZE)
        for at in places[:12]:
            x, y = at % COLUMNS * cell + (cell - size) // 2, at // COLUMNS * cell + (cell - size) // 2
            self._app.painter.part(self.canvas, Emoji(x, y, self._shown[at], size), (0, 0), "e")
        if places[12:]:
            self._timer = self.canvas.after(1, self._fill, places[12:])

    def _mark(self) -> None:
        self.canvas.delete("mark")
        if self._shown:
            cell = self._app.fonts.px(CELL)
            x, y = self._at % COLUMNS * cell, self._at // COLUMNS * cell
            box = (x + 2, y + 2, x + cell - 2, y + cell - 2)
            self._app.painter.fill(self.canvas, box, Fill(*box, "selected", 8), "mark")
            self.canvas.tag_lower("mark")

    def _scroll(self, by: int) -> None:
        cell = self._app.fonts.px(CELL)
        total = -(-len(self._shown) // COLUMNS) * cell
        goal = max(0, min(self._offset + by, total - cell * ROWS))
        if goal != self._offset:
            self.canvas.yview_scroll(goal - self._offset, "units")
            self._offset = goal
            self._draw()

    def _typed(self) -> None:
        query = self.field.get().strip()
        if query == self._query:
            return
        self._query = query
        found = [char for _name, char in matching(query, 64)] if query else list(dict.fromkeys((*FREQUENT, *MORE)))
        self._show(found)

    def _step(self, by: int) -> str:
        if self._shown:
            self._at = max(0, min(self._at + by, len(self._shown) - 1))
            cell = self._app.fonts.px(CELL)
            top = self._at // COLUMNS * cell - self._offset
            self._scroll(min(top, 0) or max(top + cell - cell * ROWS, 0))
            self._mark()
        return "break"

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        cell = self._app.fonts.px(CELL)
        at = (event.y + self._offset) // cell * COLUMNS + event.x // cell
        if at != self._at and event.x < cell * COLUMNS and at < len(self._shown):
            self._at = at
            self._mark()

    def _take(self) -> str:
        if self._shown:
            chosen = self._shown[self._at]
            self.sheet.close()
            self._on_choose(chosen)
        return "break"
