"""The settings, and the page of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import customtkinter as ctk

from alonechat.core.client import words
from alonechat.core.client.actions import FILE as KEYS
from alonechat.core.client.actions import page
from alonechat.core.client.preferences import SIZES
from alonechat.core.client.words import _
from alonechat.ui.gui import notify
from alonechat.ui.gui.codes import open_codes
from alonechat.ui.gui.devices import Devices
from alonechat.ui.gui.palette import ACCENTS
from alonechat.ui.gui.sheet import Sheet
from alonechat.ui.gui.style import Glyph

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App

WIDE = 520


class Settings:
    """Everything takes effect at once, and is kept. `focus`: the setting whose choice has the focus."""

    def __init__(self, app: App, focus: str = "theme") -> None:
        self._app, self._kit = app, app.kit
        self.chosen: dict[str, Any] = {}
        """The button of each setting that has the focus once it was changed."""
        self.sheet = Sheet(app.root, app.kit, _("Settings"), WIDE)
        self._row = 0
        self._theme()
        self._accent()
        self._size()
        self._language()
        self._notifications()
        self._writing()
        buttons = self._kit.frame(self.sheet.body)
        buttons.grid(row=self._row, column=0, columnspan=2, sticky="w", pady=(16, 0))
        self._kit.button(buttons, _("Keys…"), self._keys, "plain", width=100).pack(side="left")
        self._kit.button(buttons, _("Account…"), self._account, "plain", width=100).pack(side="left", padx=8)
        self.sheet.body.grid_columnconfigure(0, weight=0, minsize=150)
        self.sheet.body.grid_columnconfigure(1, weight=1)
        self.sheet.show(self.chosen[focus]._canvas)

    def _line(self, word: str) -> Any:
        """A word on the left; what it is about goes into the box that is returned."""
        self._kit.label(self.sheet.body, word, "text", "secondary").grid(row=self._row, column=0, sticky="nw", pady=12)
        box = self._kit.frame(self.sheet.body)
        box.grid(row=self._row, column=1, sticky="w", pady=6)
        self._row += 1
        return box

    def _choice(self, name: str, box: Any, options: dict[Any, str], act: Any) -> Any:
        """A few words of which one holds; `options`: value to word."""
        back = {word: value for value, word in options.items()}
        now = options[getattr(self._app.preferences, name)]
        made = self._kit.choice(box, list(back), now, lambda word: act(back[word]))
        made.pack(anchor="w")
        self.chosen[name] = made._buttons_dict[now]
        return made

    def _again(self, focus: str = "", **what: Any) -> None:
        """Keep it, and show everything in the new way, these settings too."""
        self._app.remember(**what)
        self.sheet.close()
        self._app.restyle()
        Settings(self._app, focus or next(iter(what)))

    def _theme(self) -> None:
        themes = {"system": _("System"), "light": _("Light"), "dark": _("Dark")}
        self.theme = self._choice("theme", self._line(_("Theme")), themes, lambda value: self._again(theme=value))

    def _accent(self) -> None:
        box = self._line(_("Accent"))
        for value, pair in ACCENTS.items():
            colour = pair[self._app.palette.dark]
            chosen = value == self._app.preferences.accent
            button = ctk.CTkButton(
                box, text="", width=34, height=34, corner_radius=8, fg_color=colour, border_width=2,
                hover_color=colour, command=lambda value=value: self._again(accent=value),
                image=Glyph(self._app.pictures, "check", 16, self._app.palette.get("on_accent")) if chosen else None,
            )  # fmt: skip
            self._kit.reachable(button, button.invoke)
            button.pack(side="left", padx=(0, 8))
            if chosen:
                self.chosen["accent"] = button

    def _size(self) -> None:
        box, size = self._line(_("Text size")), self._app.preferences.font_size

        def grow(by: int) -> None:
            new = min(max(size + by, SIZES[0]), SIZES[1])
            if new != size:
                self._again("smaller" if by < 0 else "larger", font_size=new)

        self.chosen["smaller"] = self._kit.button(box, "−", lambda: grow(-1), "plain", width=36, height=34)
        self.chosen["smaller"].pack(side="left")
        self._kit.label(box, str(size), "name", width=44, anchor="center").pack(side="left")
        self.chosen["larger"] = self._kit.button(box, "+", lambda: grow(1), "plain", width=36, height=34)
        self.chosen["larger"].pack(side="left")

    def _language(self) -> None:
        def choose(value: str) -> None:
            words.choose(value or None)
            self._app.model.reword()
            self._again(language=value)

        options = {"": _("System"), **words.LANGUAGES}
        self.language = self._choice("language", self._line(_("Language")), options, choose)

    def _notifications(self) -> None:
        box = self._line(_("Notifications"))
        options = {"mentions": _("Mentions and direct"), "all": _("All"), "none": _("None")}
        self._choice("notify", box, options, lambda value: self._app.remember(notify=value))
        below = self._kit.frame(box)
        below.pack(anchor="w", pady=(8, 0))
        self._switch(below, _("Sound"), "sound").pack(side="left", padx=(0, 16))
        self.test = self._kit.button(below, _("Test"), self._test, "plain", width=72, height=32)
        self.test.pack(side="left")
        self.said = self._kit.label(box, "", "small", "secondary", wraplength=300, justify="left")

    def _switch(self, parent: Any, word: str, name: str) -> Any:
        now = getattr(self._app.preferences, name)
        made: ctk.CTkSwitch = ctk.CTkSwitch(
            parent, text=word, font=self._kit.font("text"), onvalue=True, offvalue=False,
            command=lambda: self._app.remember(**{name: bool(made.get())}),
        )  # fmt: skip
        if now:
            made.select()
        return self._kit.reachable(made, made.toggle)

    def _test(self) -> None:
        def said(text: str) -> None:
            self._app.waker.post(lambda: self._told(text))

        if self._app.preferences.sound:
            self._app.root.bell()
        notify.send("AloneChat", _("This is how a message is told."), said)

    def _told(self, text: str) -> None:
        if self.sheet.is_open:
            self.said.configure(text=text)
            self.said.pack(anchor="w", pady=(6, 0))

    def _writing(self) -> None:
        box = self._line(_("Send with"))
        options = {True: _("Enter"), False: _("Ctrl-Enter")}
        self._choice("enter_sends", box, options, lambda value: self._again(enter_sends=value))

    def _keys(self) -> None:
        self.sheet.close()
        keys_sheet(self._app)

    def _account(self) -> None:
        self.sheet.close()
        account_sheet(self._app)


def keys_sheet(app: App) -> Sheet:
    """All keys, in two columns, and where they can be changed."""
    scale = app.fonts.scale
    wide, high = round(app.root.winfo_width() / scale), round(app.root.winfo_height() / scale)
    beside = wide > 800
    sheet = Sheet(app.root, app.kit, _("Keys"), 820 if beside else 440)
    box = ctk.CTkScrollableFrame(
        sheet.body, fg_color="transparent", width=756 if beside else 380, height=min(620, high - 150)
    )
    box.grid(row=0, column=0, sticky="nsew")
    sheet.scroll = lambda by: box._parent_canvas.yview_scroll(by // 30, "units")
    columns = [app.kit.frame(box), app.kit.frame(box)]
    for at, column in enumerate(columns):
        column.grid(row=0 if beside else at, column=at if beside else 0, sticky="nw", padx=(0, 20))
    sections, total = page("gui"), 0
    half = sum(len(rows) + 2 for _name, rows in sections) / 2
    for name, rows in sections:
        column = columns[0] if total < half - 4 else columns[1]
        app.kit.label(column, name, "name").pack(anchor="w", pady=(10, 2))
        for keys, what in rows:
            line = app.kit.frame(column)
            line.pack(anchor="w", fill="x")
            keyed = app.kit.label(line, keys, "small", "accent", width=130, wraplength=120 * scale, justify="left")
            keyed.pack(side="left", anchor="n")
            said = app.kit.label(line, what, "small", width=230, wraplength=225 * scale, justify="left")
            said.pack(side="left", anchor="n")
        total += len(rows) + 2
    text = _("They can be changed in {path}").format(path=app.opening.preferences.with_name(KEYS))
    app.kit.label(sheet.body, text, "small", "secondary", wraplength=740 if beside else 380, justify="left").grid(
        row=1, column=0, sticky="w", pady=(10, 0)
    )
    sheet.show()
    return sheet


def account_sheet(app: App) -> Sheet:
    """The name that one is shown by, the password, the sign-ins of this account."""
    sheet = Sheet(app.root, app.kit, _("Account"), 490)
    kit, body = app.kit, sheet.body
    kit.label(body, f"{app.account.username} · {app.account.url}", "small", "secondary").grid(row=0, sticky="w")
    fields: dict[str, Any] = {}
    wanted = (
        ("display_name", _("Shown as"), str(app.model.user.get("display_name") or "")),
        ("old_password", _("Password now (to change it)"), ""),
        ("password", _("New password"), ""),
    )
    for at, (name, word, text) in enumerate(wanted):
        kit.label(body, word, "strong", "secondary").grid(row=1 + 2 * at, sticky="w", pady=(10, 2))
        fields[name] = kit.entry(body, show="•" if "password" in name else "")
        fields[name].grid(row=2 + 2 * at, sticky="ew")
        fields[name].insert(0, text)

    def keep() -> None:
        changes = {name: field.get() for name, field in fields.items() if field.get()}
        if changes.get("display_name") == app.model.user.get("display_name"):
            changes.pop("display_name", None)
        if not changes:
            sheet.close()
            return
        app.runner.rest(lambda rest: rest.change_me(**changes), done)

    def done(_result: object, error: Exception | None) -> None:
        if error is not None:
            sheet.fail(error)
        else:
            sheet.close()
            app.toast(_("Kept"))

    def devices() -> None:
        sheet.close()
        Devices(app)

    row = kit.frame(body)
    row.grid(row=9, sticky="ew", pady=(18, 0))
    kit.button(row, _("One-time codes…"), lambda: open_codes(app, sheet), "plain", width=150).pack(side="left")
    kit.button(row, _("Devices…"), devices, "plain", width=110).pack(side="left", padx=(8, 0))
    kit.button(row, _("Keep"), keep, width=110).pack(side="right")
    sheet.show(fields["display_name"])
    return sheet
