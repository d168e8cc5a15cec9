"""Ctrl-K: to a conversation, a person or a room by a few letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alonechat.core.client.fuzzy import ranked
from alonechat.core.client.listing import title
from alonechat.core.client.words import _
from alonechat.ui.gui.popup import Choice, Options
from alonechat.ui.gui.sheet import Sheet

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App
    from alonechat.ui.gui.window import Window

WIDE, ROWS, ROW = 480, 9, 40


class Switcher:
    """A field, and under it what fits, the best first."""

    def __init__(self, app: App, window: Window) -> None:
        self._app, self._window = app, window
        self.sheet = Sheet(app.root, app.kit, "", WIDE, top=True)
        body = self.sheet.body
        body.grid_configure(padx=12, pady=12, row=1)
        self.field = app.kit.entry(body, _("Go to a conversation, person or room"), height=42)
        self.field.grid(row=0, column=0, sticky="ew", pady=(0, 8))
        self.options = Options(body, app.painter, self._go, ROW)
        px = app.fonts.px
        self.options.canvas.configure(height=px(ROW * ROWS), width=px(WIDE - 24))
        self.options.canvas.grid(row=1, column=0, sticky="ew")
        self.sheet.scroll = self.options.scroll
        self._people: list[dict[str, Any]] = []
        self._rooms: list[dict[str, Any]] = []
        for key, act in (
            ("<KeyRelease>", lambda _e: self._typed()),
            ("<Return>", lambda _e: self._take()),
            ("<Up>", lambda _e: self._step(-1)),
            ("<Down>", lambda _e: self._step(1)),
        ):
            self.field.bind(key, act)
        self._query = ""
        self._show()
        self.sheet.show(self.field)
        app.runner.rest(lambda rest: rest.users(limit=200), self._took_people)
        app.runner.rest(lambda rest: rest.rooms(), self._took_rooms)

    def _took_people(self, found: Any, error: Exception | None) -> None:
        if error is None and self.sheet.is_open:  # offline: what is known has to do
            self._people = list(found["items"])
            self._show()

    def _took_rooms(self, found: Any, error: Exception | None) -> None:
        if error is None and self.sheet.is_open:
            self._rooms = list(found["items"])
            self._show()

    def _choices(self) -> list[Choice]:
        model, found = self._window.model, dict[str, Choice]()
        for each in model.order():
            sign = "icon:hash" if each.kind == "room" else ""
            badge = str(each.unread) if each.unread else ""
            found[each.target] = Choice(each.target, title(model, each.target), badge or each.topic, each.target, sign)
        for room in self._rooms:
            target = room.get("target") or "#" + str(room.get("name"))
            join = _("join · {topic}").format(topic=room.get("topic") or "") if room.get("topic") else _("join")
            found.setdefault(target, Choice(target, target, join, target, "icon:hash"))
        known = {**{str(u["username"]): u for u in self._people}, **model.users}
        for name, user in known.items():
            shown = str(user.get("display_name") or name)
            found.setdefault(name, Choice(name, shown, name if shown != name else "", name))
        return list(found.values())

    def _show(self) -> None:
        query = self._query.strip()
        choices = self._choices()
        if query:
            choices = [each for each, _at in ranked(query, choices, lambda each: f"{each.shown} {each.value}")]
        self.options.show(choices[:60])

    def _typed(self) -> None:
        if self.field.get() != self._query:
            self._query = self.field.get()
            self._show()

    def _step(self, by: int) -> str:
        self.options.step(by)
        return "break"

    def _take(self) -> str:
        if self.options.chosen is not None:
            self._go(self.options.chosen.value)
        return "break"

    def _go(self, target: str) -> None:
        self.sheet.close()
        if target.startswith("#"):
            self._window.acting.go_room(target)
        else:
            self._window.open(target)
