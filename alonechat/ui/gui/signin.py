"""The sign-in screen: a server, and who one is there; what goes wrong is said in place."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

import customtkinter as ctk

from alonechat.core.client import signin
from alonechat.core.client.accounts import Account
from alonechat.core.client.signin import Newcomer, Place
from alonechat.core.client.words import _
from alonechat.errors import AloneChatError, Rejected
from alonechat.ui.gui.style import Kit

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App

WIDE = 380
DEFAULT = "http://127.0.0.1:8766"


class SignIn:
    """First the server, then name and password; signing in and registering are two faces of one form."""

    def __init__(self, app: App) -> None:
        self._app, self._kit = app, app.kit
        self.place: Place | None = None
        self._joins = False
        self._busy = False
        kit: Kit = app.kit
        self.frame = kit.frame(app.root, "sidebar")
        self.frame.pack(fill="both", expand=True)
        self.card = kit.frame(
            self.frame, "ground", corner_radius=18, border_width=1, border_color=kit.palette.get("divider")
        )
        self.card.place(relx=0.5, rely=0.5, anchor="center")
        self.inner = kit.frame(self.card)
        self.inner.pack(padx=36, pady=32)
        kit.label(self.inner, "AloneChat", "large", height=30).pack(anchor="w")
        self._about = kit.label(self.inner, "", "small", "secondary", wraplength=WIDE - 72, justify="left")
        self._about.pack(anchor="w", pady=(2, 16))
        self.server = self._field(_("Server"), app.opening.server or self._last() or DEFAULT)
        self.fields = kit.frame(self.inner)
        self.error = kit.label(self.inner, "", "small", "danger", wraplength=WIDE - 72, justify="left")
        self.button = kit.button(self.inner, _("Continue"), self.go, width=WIDE - 72, height=40)
        self.button.pack(fill="x", pady=(14, 0))
        self.other = kit.button(self.inner, "", self._turn, "link", height=32)
        self._accounts()
        self.server.bind("<Return>", lambda _e: self.go())
        self.server.bind("<KeyRelease>", lambda _e: self._moved())
        self.name: ctk.CTkEntry | None = None
        self.password: ctk.CTkEntry | None = None
        self.shown: ctk.CTkEntry | None = None
        self.invite: ctk.CTkEntry | None = None
        self.otp: ctk.CTkEntry | None = None
        self._say(_("Which server do you chat on?"))
        self.server.focus_set()
        if app.opening.server or self._last():
            self.go()

    def _last(self) -> str:
        try:
            known = self._app.opening.accounts.all()
        except AloneChatError as error:
            self._app.root.after(10, self.fail, str(error))
            return ""
        return known[0].url if known else ""

    def _field(self, word: str, text: str = "", parent: Any = None, secret: bool = False) -> ctk.CTkEntry:
        parent = parent if parent is not None else self.inner
        self._kit.label(parent, word, "strong", "secondary").pack(anchor="w", pady=(6, 2))
        made = self._kit.entry(parent, width=WIDE - 72, **({"show": "•"} if secret else {}))
        made.pack(fill="x")
        made.insert(0, text)
        return made

    def _accounts(self) -> None:
        """The accounts that are signed in on this machine already."""
        try:
            known = self._app.opening.accounts.all()[:4]
        except AloneChatError:
            return  # it was said above
        for account in known:
            host = account.url.partition("://")[2]
            text = _("Open {name} · {host}").format(name=account.username, host=host)
            button = self._kit.button(self.inner, text, partial(self._app.switch, account), "plain", height=34)
            button.pack(side="bottom", fill="x", pady=(6, 0))

    def _say(self, text: str) -> None:
        self._about.configure(text=text)

    def fail(self, error: object) -> None:
        """Say what went wrong, above the button."""
        text = str(error or "")
        self.error.configure(text=text[:1].upper() + text[1:])
        if text:
            self.error.pack(anchor="w", pady=(12, 0), before=self.button)
        else:
            self.error.pack_forget()

    def _wait(self, busy: bool) -> None:
        self._busy = busy
        words = _("Continue") if self.place is None else _("Register") if self._joins else _("Sign in")
        self.button.configure(text=_("One moment…") if busy else words, state="disabled" if busy else "normal")

    def _run(self, work: Coroutine[Any, Any, Any], then: Any) -> None:
        self._wait(True)
        self.fail("")

        def done(result: Any, error: AloneChatError | None) -> None:
            self._app.waker.post(lambda: self._done(result, error, then))

        signin.in_thread(work, done)

    def _done(self, result: Any, error: AloneChatError | None, then: Any) -> None:
        if not self.frame.winfo_exists():
            return
        self._wait(False)
        if error is not None:
            self.fail(self._sentence(error))
        else:
            then(result)

    def _sentence(self, error: AloneChatError) -> str:
        if isinstance(error, Rejected) and error.needs == "otp":
            return str(error) if self._ask_code() else ""
        if isinstance(error, Rejected) and error.code == "unauthorized":
            return _("Name or password is wrong.")
        if isinstance(error, Rejected) and error.code == "conflict":
            return _("That name is taken; choose another one, or sign in.")
        return str(error)

    # --- the server ---

    def _moved(self) -> None:
        """Another address was typed: what is known of the old one goes."""
        if self.place is not None and self.server.get().strip() != self.place.url:
            self.place = None
            self.fields.pack_forget()
            self.other.pack_forget()
            self._say(_("Which server do you chat on?"))
            self._wait(False)

    def go(self) -> None:
        """The button: look at the server, sign in, or register."""
        if self._busy:
            return
        if self.place is None:
            self._run(signin.look(self.server.get()), self._there)
        elif self._joins:
            self._register()
        else:
            self._sign_in()

    def _there(self, place: Place) -> None:
        self.place = place
        self.server.delete(0, "end")
        self.server.insert(0, place.url)
        self._say(_("{name} · version {version}").format(name=place.name, version=place.version))
        self._form()

    def _form(self) -> None:
        name = self.name.get() if self.name is not None else ""
        for each in self.fields.winfo_children():
            each.destroy()
        self.fields.pack(fill="x", before=self.button)
        self.name = self._field(_("Name"), name, self.fields)
        self.shown = self.invite = self.otp = None
        if self._joins:
            self.shown = self._field(_("Shown as (optional)"), "", self.fields)
        self.password = self._field(_("Password"), "", self.fields, secret=True)
        if self._joins and self.place is not None and self.place.registration == "invite":
            self.invite = self._field(_("Invitation"), "", self.fields)
        for each in (self.name, self.shown, self.password, self.invite):
            if each is not None:
                each.bind("<Return>", lambda _e: self.go())
        self.other.pack_forget()
        if self.place is not None and self.place.registration != "closed":
            words = _("I have an account: sign in") if self._joins else _("New here? Register")
            self.other.configure(text=words)
            self.other.pack(pady=(8, 0))
        self._wait(False)
        self.name.focus_set()

    def _turn(self) -> None:
        self._joins = not self._joins
        self.fail("")
        self._form()

    # --- who ---

    def _sign_in(self) -> None:
        assert self.place is not None and self.name is not None and self.password is not None
        if not self.name.get().strip() or not self.password.get():
            self.fail(_("Fill in name and password."))
            return
        otp = self.otp.get() if self.otp is not None else ""
        self._run(signin.sign_in(self.place, self.name.get(), self.password.get(), otp), self._in)

    def _ask_code(self) -> bool:
        """Name and password are right: the field for the code of the authenticator app. False when it is new."""
        known = self.otp is not None
        if self.otp is None:
            self.otp = self._field(_("One-time or recovery code"), "", self.fields)
            self.otp.bind("<Return>", lambda _e: self.go())
        self.otp.focus_set()
        self.otp.select_range(0, "end")
        return known

    def _register(self) -> None:
        assert self.place is not None and self.name is not None and self.password is not None
        if not self.name.get().strip() or not self.password.get():
            self.fail(_("Fill in name and password."))
            return
        shown = self.shown.get() if self.shown is not None else ""
        invite = self.invite.get() if self.invite is not None else ""
        who = Newcomer(self.name.get(), self.password.get(), shown, invite)
        self._run(signin.register(self.place, who), self._in)

    def _in(self, account: Account) -> None:
        try:
            self._app.opening.accounts.save(account)
        except AloneChatError as error:
            self.fail(error)
            return
        self._app.start(account)

    def close(self) -> None:
        """Take the screen away."""
        self.frame.destroy()
