"""Search in messages, at the server and on this machine, with the hits in one list."""

from __future__ import annotations

import time
import tkinter
from typing import TYPE_CHECKING, Any

from alonechat.core.client.listing import title
from alonechat.core.client.markup import plain
from alonechat.core.client.moment import Moment, stamp_of, when
from alonechat.core.client.present import short
from alonechat.core.client.theme import author_index, initials
from alonechat.core.client.words import _
from alonechat.ui.gui.bubble import line_parts
from alonechat.ui.gui.flow import elided
from alonechat.ui.gui.parts import Avatar, Fill, Label
from alonechat.ui.gui.sheet import Sheet

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App
    from alonechat.ui.gui.window import Window

WIDE, ROW, HIGH = 620, 58, 7
PAUSE = 250
"""Milliseconds after the last key before it is searched."""


class Searching:
    """`target`: only in that conversation. A hit opens its conversation there."""

    def __init__(self, app: App, window: Window, target: str = "") -> None:
        self._app, self._window = app, window
        self.sheet = Sheet(app.root, app.kit, _("Search messages"), WIDE, top=True)
        body, kit = self.sheet.body, app.kit
        self.field = kit.entry(body, _("What was said"), height=42)
        self.field.grid(row=0, column=0, sticky="ew")
        filters = kit.frame(body)
        filters.grid(row=1, column=0, sticky="ew", pady=8)
        self._everywhere = _("Everywhere")
        names = [self._everywhere, *(each.target for each in window.model.order())]
        import customtkinter as ctk

        self.where: Any = ctk.CTkOptionMenu(
            filters, values=names, command=lambda _v: self._soon(0), font=kit.font("small"), height=32, width=200,
            dropdown_font=kit.font("small"),
        )  # fmt: skip
        self.where.set(target or self._everywhere)
        kit.reachable(self.where, self.where._open_dropdown_menu)
        self.where.pack(side="left", padx=(0, 8))
        self.sender = kit.entry(filters, _("From (name)"), height=32, width=150)
        self.sender.pack(side="left")
        self.state = kit.label(filters, "", "small", "secondary")
        self.state.pack(side="right")
        px = app.fonts.px
        self.canvas = tkinter.Canvas(
            body, highlightthickness=0, bd=0, yscrollincrement=1, confine=False, takefocus=0,
            bg=app.palette.get("ground"), height=px(ROW * HIGH), width=px(WIDE - 48),
        )  # fmt: skip
        self.canvas.grid(row=2, column=0, sticky="ew")
        self.sheet.scroll = self._scroll
        self.hits: list[dict[str, Any]] = []
        self._more = self._asking = False
        self._at = self._offset = 0
        self._asked = ""
        self._timer = ""
        for widget in (self.field, self.sender):
            for key, act in (
                ("<KeyRelease>", lambda _e: self._soon(PAUSE)),
                ("<Return>", lambda _e: self._take()),
                ("<Up>", lambda _e: self._step(-1)),
                ("<Down>", lambda _e: self._step(1)),
            ):
                widget.bind(key, act)
        self.canvas.bind("<Motion>", self._moved)
        self.canvas.bind("<Button-1>", lambda _e: self._take())
        self.canvas.bind("<Configure>", lambda _e: self._draw())
        self.sheet.closing(self._closed)
        self.sheet.show(self.field)
        self._draw()

    def _closed(self) -> None:
        if self._timer:
            self.sheet.root.after_cancel(self._timer)

    # --- asking ---

    def _key(self) -> str:
        return "\n".join((self.field.get().strip(), self.where.get(), self.sender.get().strip()))

    def _soon(self, pause: int) -> None:
        if self._key() == self._asked:
            return
        if self._timer:
            self.sheet.root.after_cancel(self._timer)
        self._timer = self.sheet.root.after(pause, self._ask)

    def _ask(self, before: str | None = None) -> None:
        self._timer = ""
        if not self.sheet.is_open:
            return
        self._asked = key = self._key()
        query = self.field.get().strip()
        if not query:
            self.hits, self._more = [], False
            self.state.configure(text="")
            self._draw()
            return
        self._asking = True
        self.state.configure(text=_("Searching…"))
        where = self.where.get()
        self._app.runner.search(
            query,
            lambda found, error: self._found(key, before, found, error),
            target=None if where == self._everywhere else where,
            sender=self.sender.get().strip() or None,
            before=before,
        )

    def _found(self, key: str, before: str | None, found: Any, error: Exception | None) -> None:
        if not self.sheet.is_open or key != self._asked:
            return
        self._asking = False
        self.sheet.fail(error or "")
        if error is not None:
            self.state.configure(text="")
            return
        self.hits = [*(self.hits if before else []), *found["events"]]
        self._more = bool(found["more"])
        if not before:
            self._at = 0
            self._scroll(-self._offset)
        place = "" if found["source"] == "server" else " · " + _("on this machine")
        count = f"{len(self.hits)}{'+' if self._more else ''}"
        self.state.configure(text=_("{n} found").format(n=count) + place)
        self._draw()

    # --- the list ---

    def _draw(self) -> None:
        canvas, px, fonts = self.canvas, self._app.fonts.px, self._app.fonts
        canvas.delete("all")
        wide, row = canvas.winfo_width(), px(ROW)
        if not self.hits:
            done = self._asked and not self._asking and self.field.get().strip()
            idle = _("Type a word; hits come from the server, or from this machine.")
            text = _("Nothing was found.") if done else idle
            canvas.create_text(
                wide / 2, px(60), text=text, fill=self._app.palette.get("secondary"), font=fonts.fonts["text"]
            )
            return
        first = self._offset // row
        for at in range(first, min(first + px(ROW * HIGH) // row + 2, len(self.hits))):
            self._row(at, at * row, wide)

    def _row(self, at: int, y: int, wide: int) -> None:
        hit, app, model = self.hits[at], self._app, self._window.model
        px, fonts, paint = app.fonts.px, app.fonts, app.painter.part
        if at == self._at:
            box = (0, y + px(1), wide, y + px(ROW) - px(1))
            app.painter.fill(self.canvas, box, Fill(*box, "selected", px(10)), "h")
        sender = hit["sender"]
        paint(self.canvas, Avatar(px(10), px(11), px(36), sender, initials(model.shown(sender))), (0, y), "h")
        left = px(58)
        moment = when(stamp_of(hit["timestamp"]), Moment(time.time()))
        right = wide - px(10) - fonts.measure(moment, "tiny")
        paint(self.canvas, Label(right, px(11), moment, "tiny", "secondary"), (0, y), "h")
        name, place = model.shown(sender), title(model, hit["conversation"])
        ink = f"author:{author_index(sender)}"
        paint(self.canvas, Label(left, px(9), name, "name", ink), (0, y), "h")
        x = left + fonts.measure(name, "name") + px(8)
        place = elided(place, max(right - x - px(8), px(30)), "small", fonts)
        paint(self.canvas, Label(x, px(10), place, "small", "secondary"), (0, y), "h")
        text = elided(self._part(str(hit.get("content") or "")), wide - left - px(10), "text", fonts)
        for part in line_parts(text, left, px(29), "text", "text", fonts):
            paint(self.canvas, part, (0, y), "h")

    def _part(self, text: str) -> str:
        """The line of a text that holds what was searched for, from a little before it."""
        line = short(plain(text), 4000)
        at = line.casefold().find(self.field.get().strip().casefold())
        return "…" + line[at - 20 :] if at > 40 else line

    def _scroll(self, by: int) -> None:
        px = self._app.fonts.px
        total = len(self.hits) * px(ROW)
        goal = max(0, min(self._offset + by, total - px(ROW * HIGH)))
        if goal != self._offset:
            self.canvas.yview_scroll(goal - self._offset, "units")
            self._offset = goal
        if self._more and not self._asking and self._offset + px(ROW * (HIGH + 4)) > total:
            self._ask(self.hits[-1]["id"])
        self._draw()

    def _moved(self, event: tkinter.Event[tkinter.Misc]) -> None:
        at = (event.y + self._offset) // self._app.fonts.px(ROW)
        if at != self._at and 0 <= at < len(self.hits):
            self._at = at
            self._draw()

    def _step(self, by: int) -> str:
        if self.hits:
            self._at = max(0, min(self._at + by, len(self.hits) - 1))
            row, high = self._app.fonts.px(ROW), self._app.fonts.px(ROW * HIGH)
            top = self._at * row - self._offset
            self._scroll(min(top, 0) or max(top + row - high, 0))
        return "break"

    def _take(self) -> str:
        if self._key() != self._asked:
            self._soon(0)
        elif 0 <= self._at < len(self.hits):
            hit = self.hits[self._at]
            self.sheet.close()
            self._window.open(hit["conversation"], hit["seq"], hit["id"])
        return "break"
