"""One-time codes beside one's password: turned on with a picture for the authenticator app, and off again."""

from __future__ import annotations

import base64
import io
import tkinter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from alonechat.core.client.words import _, n_
from alonechat.ui.gui.sheet import Sheet

if TYPE_CHECKING:
    from alonechat.core.client.rest import Rest
    from alonechat.ui.gui.app import App

WIDE = 420
SIDE = (100, 190)
"""Pixels of the picture at a scale of 1, about: each of its modules has a whole number of them. The lower the window,
the fewer."""
BESIDE = 350
"""Of the sheet's height at a scale of 1, what is not the picture, with an error."""


def open_codes(app: App, before: Sheet) -> None:
    """Ask the server how it stands, and show it instead of the sheet `before`."""

    def known(me: Any, error: Exception | None) -> None:
        if not before.is_open:
            return
        if error is not None:
            before.fail(error)
            return
        before.close()
        if me.get("otp"):
            _holding(app, int(me.get("recovery_codes") or 0))
        else:
            _offering(app)

    app.runner.rest(lambda rest: rest.me(), known)


def _sheet(app: App, text: str) -> Sheet:
    sheet = Sheet(app.root, app.kit, _("One-time codes"), WIDE)
    said = app.kit.label(sheet.body, text, wraplength=(WIDE - 48) * app.fonts.scale, justify="left")
    said.grid(row=0, column=0, sticky="w", pady=(0, 6))
    return sheet


def _field(app: App, sheet: Sheet, word: str, at: int, secret: bool = False) -> Any:
    app.kit.label(sheet.body, word, "strong", "secondary").grid(row=at, column=0, sticky="w", pady=(10, 2))
    made = app.kit.entry(sheet.body, show="•" if secret else "")
    made.grid(row=at + 1, column=0, sticky="ew")
    return made


def _offering(app: App) -> None:
    """They are off: the password turns them on."""
    text = _("Who signs in with your password is then asked for a code of an authenticator app on your phone, too.")
    sheet = _sheet(app, text)
    password = _field(app, sheet, _("Password"), 1, secret=True)

    def go() -> None:
        given = password.get()
        if given:
            _asking(app, sheet, lambda rest: rest.offer_otp(given), offered)

    def offered(found: Any) -> None:
        sheet.close()
        _confirming(app, str(found["secret"]), str(found["uri"]))

    _button(app, sheet, _("Turn on"), go, 3)
    password.bind("<Return>", lambda _event: go())
    sheet.show(password)


def _button(app: App, sheet: Sheet, word: str, act: Any, at: int, kind: str = "main") -> None:
    app.kit.button(sheet.body, word, act, kind, width=120).grid(row=at, column=0, sticky="e", pady=(18, 0))


def _asking(app: App, sheet: Sheet, ask: Callable[[Rest], Awaitable[Any]], then: Callable[[Any], None]) -> None:
    """Ask the server, once at a time: a second press would make another secret than the one that is shown. `then` has
    the answer, while the sheet is there; what is refused is said in it."""
    if sheet.asks:
        return
    sheet.asks = True

    def answered(found: Any, error: Exception | None) -> None:
        sheet.asks = False
        if not sheet.is_open:
            return
        if error is not None:
            sheet.fail(error)
            return
        then(found)

    app.runner.rest(ask, answered)


def _copy(app: App, text: str) -> None:
    if app.window is not None:
        app.window.acting.copy(text)


def _confirming(app: App, secret: str, uri: str) -> None:
    """The secret, as a picture and as text, and a field for the first code."""
    sheet = _sheet(app, _("Scan this with the app, or type the secret, and give the code that it shows."))
    left = app.root.winfo_height() - BESIDE * app.fonts.scale
    image = picture(app.root, uri, round(min(max(left, SIDE[0] * app.fonts.scale), SIDE[1] * app.fonts.scale)))
    shown = tkinter.Label(sheet.body, image=image, bd=0, bg="white")
    shown.image = image  # type: ignore[attr-defined]  # Tk keeps none that nobody else does
    shown.grid(row=1, column=0, pady=(8, 8))
    grouped = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    box = app.kit.frame(sheet.body)
    box.grid(row=2, column=0)
    app.kit.label(box, grouped, "code", wraplength=260 * app.fonts.scale, justify="center").pack(side="left")
    copy = app.kit.button(box, _("Copy"), lambda: _copy(app, secret), "plain", width=72, height=32)
    copy.pack(side="left", padx=(12, 0))
    code = _field(app, sheet, _("Code of the app"), 3)

    def go() -> None:
        given = code.get()
        if given.strip():
            code.select_range(0, "end")
            _asking(app, sheet, lambda rest: rest.turn_otp_on(given), on)

    def on(codes: Any) -> None:
        sheet.close()
        _recovering(app, codes)

    _button(app, sheet, _("Confirm"), go, 5)
    code.bind("<Return>", lambda _event: go())
    sheet.show(code)


def _recovering(app: App, codes: list[str]) -> None:
    """They are on: the recovery codes, once. They stay until somebody says to have them: Esc shows them again."""
    window, had = app.window, [False]
    text = _(
        "One-time codes are on. Keep these recovery codes where you find them without your phone: each signs in once,"
        " and they are not shown again."
    )
    sheet = _sheet(app, text)
    box = app.kit.frame(sheet.body)
    box.grid(row=1, column=0, pady=(10, 0))
    for at, each in enumerate(codes):
        app.kit.label(box, each, "code", height=28).grid(row=at // 2, column=at % 2, padx=16)
    buttons = app.kit.frame(sheet.body)
    buttons.grid(row=2, column=0, sticky="e", pady=(18, 0))
    copy = app.kit.button(buttons, _("Copy"), lambda: _copy(app, "\n".join(codes)), "plain", width=96)
    copy.pack(side="left", padx=(0, 8))

    def have() -> None:
        had[0] = True
        sheet.close()

    def again() -> None:
        if not had[0] and app.window is window and window is not None:
            app.root.after_idle(_recovering, app, codes)

    app.kit.button(buttons, _("I have them"), have, width=120).pack(side="left")
    sheet.closing(again)
    sheet.show(copy._canvas)


def _holding(app: App, left: int) -> None:
    """They are on: password and code turn them off."""
    text = n_(
        "One-time codes are on. {n} recovery code is left.", "One-time codes are on. {n} recovery codes are left.", left
    ).format(n=left)
    sheet = _sheet(app, text)
    password = _field(app, sheet, _("Password"), 1, secret=True)
    code = _field(app, sheet, _("Code of the app, or a recovery code"), 3)

    def go() -> None:
        known, given = password.get(), code.get()
        if known and given.strip():
            _asking(app, sheet, lambda rest: rest.turn_otp_off(known, given), off)

    def off(_result: Any) -> None:
        sheet.close()
        app.toast(_("One-time codes are off"))

    _button(app, sheet, _("Turn off"), go, 5, "danger")
    for each in (password, code):
        each.bind("<Return>", lambda _event: go())
    sheet.show(password)


def picture(root: Any, text: str, side: int) -> tkinter.PhotoImage:
    """A QR code of about so many pixels, black on white as readers want it, in the dark, too."""
    import segno

    made = segno.make(text, error="m", micro=False)
    file = io.BytesIO()
    made.save(file, kind="png", scale=max(1, side // made.symbol_size(border=2)[0]), border=2)
    return tkinter.PhotoImage(master=root, data=base64.b64encode(file.getvalue()))
