"""The sign-in: server, name, password; or a new account, with an invitation where the server asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alonechat.core.client.accounts import Account
from alonechat.core.client.present import printable
from alonechat.core.client.words import _
from alonechat.errors import AloneChatError, Rejected
from alonechat.ui.tui.composer import Editor
from alonechat.ui.tui.dialog import Field, Form

if TYPE_CHECKING:
    from alonechat.ui.tui.app import App

OFFERED = "http://127.0.0.1:8766"
"""The server that is offered where none is known: one that was started on this machine."""


class SignIn(Form):
    """The form. F2 changes between signing in and making an account; Esc goes away where there is an account."""

    def __init__(self, app: App, server: str) -> None:
        self.app = app
        self.registers = False
        self.asks = False
        """The account asks for a one-time code, too."""
        self.busy = False
        super().__init__("", (), self._go)
        self._arrange({"server": server})

    def _arrange(self, given: dict[str, str]) -> None:
        fields = [
            Field("server", _("Server")),
            Field("username", _("Name")),
            Field("password", _("Password"), secret=True),
        ]
        if self.registers:
            fields += [
                Field("display_name", _("Shown as (optional)")),
                Field("invite", _("Invitation (if needed)")),
            ]
        elif self.asks:
            fields.append(Field("otp", _("One-time code")))
        for each in fields:
            text = given.get(each.name, "")
            each.editor = Editor(text, len(text), multiline=False)
        self.fields = fields
        self.at = next((n for n, each in enumerate(fields) if not each.editor.text), 0)
        self.title = _("New account") if self.registers else _("Sign in")
        switch = _("F2: I have an account") if self.registers else _("F2: make an account")
        self.foot = _("Enter: go · {switch} · Esc").format(switch=switch)
        self.intro = _("The server's address, such as {url}").format(url=OFFERED)

    def press(self, name: str) -> None:
        """F2 changes the form; Esc, without an account, quits."""
        if self.busy and name != "escape":
            return
        if name == "f2":
            self.registers = not self.registers
            self.note = ""
            self._arrange({each.name: each.editor.text for each in self.fields})
        elif name in ("escape", "ctrl+q"):
            self.done = True
            self.app.done = self.app.done or self.app.desk is None or name == "ctrl+q"
        elif name == "enter" and not self._complete():
            self.at = next((n for n, each in enumerate(self.fields) if not each.editor.text), self.at)
        elif name == "enter":
            self._go({each.name: each.editor.text for each in self.fields})
        else:
            super().press(name)

    def type(self, text: str) -> None:
        if not self.busy:
            super().type(text)

    def _complete(self) -> bool:
        return all(each.editor.text for each in self.fields if each.name in ("server", "username", "password"))

    def _go(self, given: dict[str, str]) -> None:
        from alonechat.core.client import signin  # here: it is not needed where an account is known

        self.busy, self.is_error, self.note = True, False, _("asking {server}…").format(server=given["server"])

        async def work() -> Account:
            place = await signin.look(given["server"])
            if self.registers:
                who = signin.Newcomer(given["username"], given["password"], given["display_name"], given["invite"])
                return await signin.register(place, who)
            return await signin.sign_in(place, given["username"], given["password"], given.get("otp", ""))

        def then(account: Account | None, error: AloneChatError | None) -> None:
            self.app.post(lambda: self._answered(account, error))

        signin.in_thread(work(), then)

    def _answered(self, account: Account | None, error: AloneChatError | None) -> None:
        self.busy = False
        if self.done:
            return
        if account is None:
            self.is_error, self.note = True, printable(str(error))
            refused = isinstance(error, Rejected) and error.code == "unauthorized"
            named = "password" if refused else ""
            if isinstance(error, Rejected) and error.needs == "otp":
                named = "otp"
                if not self.asks:
                    self.asks, self.is_error = True, False
                    self.note = _("Give the code of your authenticator app, or a recovery code.")
                    self._arrange({each.name: each.editor.text for each in self.fields})
            self.at = next((n for n, each in enumerate(self.fields) if each.name == named), self.at)
            return
        try:
            self.app.opening.accounts.save(account)
        except AloneChatError as failed:
            self.is_error, self.note = True, str(failed)
            return
        self.done = True
        self.app.dialogs = [each for each in self.app.dialogs if not each.done]
        self.app.sit(account)


def open_form(app: App, server: str) -> None:
    """Ask for a sign-in."""
    app.show(SignIn(app, server or OFFERED))
