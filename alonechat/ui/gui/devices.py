"""Where one's account is signed in: a list, of which each but this one can be ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from alonechat.core.client.devices import called
from alonechat.core.client.moment import Moment, stamp_of, when
from alonechat.core.client.words import _
from alonechat.ui.gui.popup import Choice, Options
from alonechat.ui.gui.sheet import Sheet, ask

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App

WIDE = 460
ROW, ROWS = 40, 7


class Devices:
    """The sheet of sign-ins."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._names: dict[str, str] = {}
        self._ending = False
        self._open()

    def _open(self) -> None:
        app = self._app
        self.sheet = Sheet(app.root, app.kit, _("Signed in"), WIDE)
        body, px = self.sheet.body, app.fonts.px
        text = _("Choose one that is not yours, or that you lost, to end it. A new password ends all but this one.")
        said = app.kit.label(body, text, "small", "secondary", wraplength=(WIDE - 48) * app.fonts.scale, justify="left")
        said.grid(row=0, column=0, sticky="w", pady=(0, 8))
        self.options = Options(body, app.painter, self._clicked, ROW, "<ButtonRelease-1>")
        self.options.canvas.configure(height=px(ROW), width=px(WIDE - 48), takefocus=1)
        self.options.canvas.grid(row=1, column=0, sticky="ew")
        self.options.canvas.bind("<Down>", lambda _e: self.options.step(1))
        self.options.canvas.bind("<Up>", lambda _e: self.options.step(-1))
        self.options.canvas.bind("<Return>", self._entered)
        self.sheet.scroll = self.options.scroll
        self.sheet.show(self.options.canvas)
        self._ask()

    def _ask(self) -> None:
        asking = self.sheet

        def took(found: Any, error: Exception | None) -> None:
            if not asking.is_open:
                return
            if error is not None:
                asking.fail(error)
                return
            items = sorted(found["items"], key=lambda each: not each["current"])  # this one, then the latest first
            self._names = {each["id"]: called(each["device"]) for each in items if not each["current"]}
            self.options.show([self._line(each) for each in items], 1 if self._names else 0)
            self.options.canvas.configure(height=self._app.fonts.px(ROW * min(max(len(items), 1), ROWS)))

        self._app.runner.rest(lambda rest: rest.sessions(), took)

    def _line(self, item: dict[str, Any]) -> Choice:
        since = when(stamp_of(item["created"]), Moment(time.time()))
        detail = _("this one") if item["current"] else _("since {time}").format(time=since)
        return Choice(item["id"], called(item["device"]), detail)

    def _entered(self, _event: object) -> None:
        if self.options.chosen is not None:
            self._chose(self.options.chosen.value)

    def _clicked(self, id: str) -> None:
        self._chose(id, True)

    def _chose(self, id: str, clicked: bool = False) -> None:
        if id not in self._names:
            return  # this one: signing out is in the menu
        self.sheet.close()
        text = _("{device} is signed out at once.").format(device=self._names[id])
        question = (_("End this sign-in?"), text, _("End it"))
        asking = ask(self._app.root, self._app.kit, question, lambda: self._end(id), clicked)
        asking.closing(lambda: self._app.root.after_idle(self._back))

    def _back(self) -> None:
        """The list again, unless it waits for an answer."""
        if not self._ending:
            self._open()

    def _end(self, id: str) -> None:
        self._ending = True

        def ended(_result: object, error: Exception | None) -> None:
            self._ending = False
            self._open()
            if error is not None:
                self.sheet.fail(error)

        self._app.runner.rest(lambda rest: rest.end_session(id), ended)
