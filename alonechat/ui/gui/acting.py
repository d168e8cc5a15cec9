"""What a person does in the main window: with messages, conversations, people; menus and sheets for it."""

from __future__ import annotations

import tkinter
import webbrowser
from typing import TYPE_CHECKING, Any

from alonechat.core.client.listing import title
from alonechat.core.client.markup import blocks
from alonechat.core.client.model import Arrived, Change
from alonechat.core.client.rows import Row
from alonechat.core.client.words import _
from alonechat.core.message import LOBBY
from alonechat.ui.gui import notify
from alonechat.ui.gui.filing import ACTS as FILE_ACTS
from alonechat.ui.gui.menus import Menu
from alonechat.ui.gui.sheet import Sheet, ask

if TYPE_CHECKING:
    from alonechat.ui.gui.window import Window

Event = Any
QUICK = ("👍", "❤️", "😂", "🎉", "👀", "✅")


class Acting:
    """Holds no state but that of an open picker."""

    def __init__(self, window: Window) -> None:
        self._window, self._app = window, window.app

    @property
    def _runner(self) -> Any:
        return self._app.runner

    @property
    def _target(self) -> str:
        return self._window.target

    # --- messages ---

    def act(self, name: str, value: str, row: Row, event: Event) -> None:
        """An area of a message, or a button of its tools, was clicked."""
        id = row.event["id"] if row.event else ""
        match name:
            case "link":
                webbrowser.open(value)
            case "room":
                self.go_room(value)
            case "author" | "mention":
                if value != "*":
                    self.person_menu(value, event)
            case "jump":
                self.jump(value)
            case "react" | "unreact":
                self._runner.react(self._target, id, value, name == "unreact")
            case "again" | "discard":
                self.outbox(row, name)
            case "copy":
                self.copy(value)
            case "reply":
                self._window.composer.answer(row)
            case "pick":
                self.pick_reaction(row, event)
            case "more":
                self.message_menu(row, event, value)
            case _ if name in FILE_ACTS:
                self._window.filing.act(name, value, row)

    def outbox(self, row: Row, name: str) -> None:
        """Send again, or throw away, what was refused: the message, or a change of it."""
        nonces = [row.written.nonce] if row.written else []
        id = row.event["id"] if row.event else None
        nonces += [entry.nonce for entry in self._window.model.outbox.values() if id and entry.ref == id and entry.code]
        for nonce in nonces:
            (self._runner.again if name == "again" else self._runner.discard)(nonce)

    def jump(self, id: str) -> None:
        """To the message that a reply is about."""
        window = self._window
        if window.timeline.to(id):
            return

        def found(seq: int | None, error: Exception | None) -> None:
            if seq is not None:
                window.open(self._target, seq, id)
            else:
                self._app.toast(str(error or _("That message is not kept on this machine.")))

        self._runner.find(self._target, id, found)

    def go_room(self, room: str) -> None:
        """To a room; one that one is not in is joined when asked."""
        if room in self._window.model.conversations:
            self._window.open(room)
            return
        question = (_("Join {room}?").format(room=room), _("You are not in this room yet."), _("Join"))
        ask(self._app.root, self._window.kit, question, lambda: self.join(room))

    def join(self, room: str, access: str | None = None, fail: Any = None) -> None:
        """Join a room and look at it."""

        def joined(_result: object, error: Exception | None) -> None:
            if error is None:
                self._window.open(room)
            else:
                (fail or self._app.toast)(str(error))

        self._runner.join(room, access, joined)

    def copy(self, text: str) -> None:
        """To the clipboard."""
        root = self._app.root
        root.clipboard_clear()
        root.clipboard_append(text)
        self._app.toast(_("Copied"))

    def message_menu(self, row: Row, event: Event, link: str = "") -> None:
        """All that can be done with a message."""
        window, menu = self._window, Menu(self._app)
        selected, mine = window.pointing.text(), row.mine
        if row.kind == "message" and not row.deleted:
            menu.add(_("Reply"), lambda: window.composer.answer(row), "R")
            menu.add(_("React…"), lambda: self.pick_reaction(row, event), "+")
            if mine:
                menu.add(_("Edit"), lambda: window.composer.change(row), "E")
            menu.divide()
        if selected:
            menu.add(_("Copy the selection"), lambda: self.copy(selected))
        if row.text and not row.deleted:
            menu.add(_("Copy"), lambda: self.copy(row.text), "C")
        if row.files:
            menu.add(_("Open"), lambda: window.filing.first(row, "open"), "O")
            if any(file.id for file in row.files):
                menu.add(_("Save as…"), lambda: window.filing.first(row, "save"), "S")
        if link:
            menu.add(_("Copy the link"), lambda: self.copy(link))
        if row.reactions:
            menu.add(_("Who reacted"), lambda: self.reacted(row))
        if row.state == "refused":
            menu.add(_("Try again"), lambda: self.outbox(row, "again"), "A")
        if row.written:
            menu.add(_("Discard"), lambda: self.outbox(row, "discard"), "X")
        if row.kind == "message" and not row.deleted and (mine or self.moderates()):
            menu.divide()
            menu.add(_("Delete"), lambda: self.delete(row), "D", danger=True)
        menu.show(event.x_root, event.y_root)

    def reacted(self, row: Row) -> None:
        """Who reacted to a message, and how."""
        model, sheet = self._window.model, Sheet(self._app.root, self._window.kit, _("Reactions"), 340)
        for at, (emoji, who) in enumerate(row.reactions):
            image = self._app.painter.pictures.emoji(emoji, self._app.fonts.px(22))
            sign = tkinter.Label(sheet.body, image=image or "", text=emoji, bg=self._window.kit.palette.get("ground"))
            sign.image = image  # type: ignore[attr-defined]
            sign.grid(row=at, column=0, sticky="nw", padx=(0, 10), pady=6)
            names = ", ".join(model.shown(name) for name in who)
            label = self._window.kit.label(sheet.body, names, wraplength=250, justify="left")
            label.grid(row=at, column=1, sticky="w", pady=6)
        sheet.body.grid_columnconfigure(0, weight=0)
        sheet.body.grid_columnconfigure(1, weight=1)
        sheet.show()

    def delete(self, row: Row) -> None:
        """Delete a message, when the person is sure."""
        if row.event is None:
            return
        id, target = row.event["id"], self._target
        text = _("It is taken away for everybody, and can't be brought back.")
        question = (_("Delete this message?"), text, _("Delete"))
        ask(self._app.root, self._window.kit, question, lambda: self._runner.delete(target, id))

    def edit_last(self) -> None:
        """Edit one's own latest message."""
        own = (row for row in reversed(self._window.timeline.rows) if row.mine and row.kind == "message")
        found = next((row for row in own if not row.deleted and not row.action), None)
        if found is not None:
            self._window.timeline.to(found.key, flash=False)
            self._window.composer.change(found)

    def open_link(self, row: Row) -> bool:
        """Open a message's first link; whether it has one."""
        links = (span.link for block in blocks(row.text) for span in block.spans if span.link)
        link = next(links, "")
        return bool(link and webbrowser.open(link))

    def pick_reaction(self, row: Row, event: Event) -> None:
        """Choose an emoji, and react with it."""
        from alonechat.ui.gui.emojis import Picker

        id, target = row.event["id"] if row.event else "", self._target

        def react(emoji: str) -> None:
            mine = any(emoji == each and self._window.model.me in who for each, who in row.reactions)
            self._runner.react(target, id, emoji, mine)

        Picker(self._app, (event.x_root, event.y_root), react)

    def pick_emoji(self) -> None:
        """Choose an emoji, and write it."""
        from alonechat.ui.gui.emojis import Picker

        smile = self._window.composer.smile
        Picker(self._app, (smile.winfo_rootx(), smile.winfo_rooty()), self._window.composer.insert)

    # --- conversations ---

    def moderates(self) -> bool:
        """Whether this person may moderate the conversation."""
        model = self._window.model
        return self._target.startswith("#") and model.role(model.me, self._target) != "member"

    def conversation_menu(self, target: str, event: Event) -> None:
        """What can be done with a conversation."""
        self.conversation_menu_at(target, event.x_root, event.y_root)

    def conversation_menu_at(self, target: str, x: int, y: int) -> None:
        """The same, at a place of the screen."""
        model, menu = self._window.model, Menu(self._app)
        summary = model.conversations.get(target)
        if target != self._target:
            menu.add(_("Open"), lambda: self._window.open(target))
        if summary is not None and summary.unread:
            menu.add(_("Mark as read"), lambda: self._runner.read(target, summary.seq))
        muted = bool(summary and summary.muted)
        word, command = (_("Unmute"), "/unmute") if muted else (_("Mute"), "/mute")
        menu.add(word, lambda: self._runner.say(target, command))
        menu.add(_("Search here…"), lambda: self.search(target))
        if target.startswith("#"):
            menu.add(_("About {room}…").format(room=target), lambda: self.details(target))
            menu.add(_("Invite somebody…"), lambda: self.invite(target))
            if model.role(model.me, target) != "member":
                menu.add(_("Who is muted or banned"), lambda: self._runner.say(target, "/restricted"))
            if target != LOBBY:
                menu.divide()
                menu.add(_("Leave {room}").format(room=target), lambda: self.leave(target), danger=True)
        menu.show(x, y)

    def leave(self, target: str) -> None:
        """Leave a room, when the person is sure."""
        text = _("What is said there from then on is not for you any more.")
        question = (_("Leave {room}?").format(room=target), text, _("Leave"))

        def left(_result: object, error: Exception | None) -> None:
            if error is not None:
                self._app.toast(str(error))

        ask(self._app.root, self._window.kit, question, lambda: self._runner.leave(target, left))

    def add_conversation(self, kind: str) -> None:
        """The sign beside a section: a room to join or make, or somebody to write to."""
        from alonechat.ui.gui.rooms import add_room

        if kind == "room":
            add_room(self._app, self)
        else:
            self.go_to()

    def details(self, target: str = "") -> None:
        """A room's sheet: topic, access, its people."""
        from alonechat.ui.gui.rooms import about

        if (target or self._target).startswith("#"):
            about(self._app, self, target or self._target)

    def invite(self, target: str) -> None:
        """Invite somebody to a room."""
        from alonechat.ui.gui.rooms import invite

        invite(self._app, self, target)

    def members_sheet(self) -> None:
        """The members of the room, as a sheet."""
        from alonechat.ui.gui.rooms import members_sheet

        if self._target.startswith("#"):
            members_sheet(self._app, self, self._target)

    # --- people ---

    def person_menu(self, name: str, event: Event) -> None:
        """What can be done with somebody."""
        model, menu = self._window.model, Menu(self._app)
        shown = model.shown(name)
        menu.add(shown if shown == name else f"{shown}  ·  {name}", None)
        menu.divide()
        word = _("Notes to self") if name == model.me else _("Write to {name}").format(name=shown)
        menu.add(word, lambda: self._window.open(name))
        if name != model.me:
            menu.add(_("Mention"), lambda: self._window.composer.insert(f"@{name} "))
        if name != model.me and self.moderates() and self._target != LOBBY:
            menu.divide()
            target = self._target
            ranks = model.role(name, target) != "member"
            for word, command, danger in (
                (_("Demote to member"), f"/unmod {name}", True)
                if ranks
                else (_("Promote to moderator"), f"/mod {name}", True),
                (_("Unmute for all"), f"/unmute {name}", False),
                (_("Mute for all"), f"/mute {name}", True),
                (_("Remove from {room}").format(room=target), f"/kick {name}", True),
                (_("Ban from {room}").format(room=target), f"/ban {name}", True),
            ):
                run = self._sure(word, command, target) if danger else self._command(command, target)
                menu.add(word, run, danger=danger)
        menu.show(event.x_root, event.y_root)

    def _command(self, command: str, target: str) -> Any:
        def done(frame: Any, error: Exception | None) -> None:
            self._app.toast(str(error or (frame or {}).get("content") or _("Done")))

        return lambda: self._runner.command(target, command, done)

    def _sure(self, word: str, command: str, target: str) -> Any:
        text = _("This runs {command}.").format(command=command)
        return lambda: ask(
            self._app.root, self._window.kit, (word + "?", text, word.split(" ")[0]), self._command(command, target)
        )

    # --- sheets ---

    def search(self, target: str = "") -> None:
        """Search in messages."""
        from alonechat.ui.gui.searching import Searching

        Searching(self._app, self._window, target)

    def go_to(self) -> None:
        """The quick switcher."""
        from alonechat.ui.gui.switcher import Switcher

        Switcher(self._app, self._window)

    def settings(self) -> None:
        """The settings."""
        from alonechat.ui.gui.settings import Settings

        Settings(self._app)

    def help(self) -> None:
        """The keys."""
        from alonechat.ui.gui.settings import keys_sheet

        keys_sheet(self._app)

    def account_menu(self, x: int, y: int) -> None:
        """Presence, other accounts, signing out."""
        model, menu = self._window.model, Menu(self._app)
        here = model.presence.get(model.me, "online")
        for state, word in (("online", _("Online")), ("away", _("Away")), ("busy", _("Busy"))):
            menu.mark(word, lambda state=state: self.be(state), state == here)  # type: ignore[misc]
        menu.divide()
        for account in self._app.opening.accounts.all():
            if (account.url, account.username) != (self._app.account.url, self._app.account.username):
                host = account.url.partition("://")[2]
                menu.add(f"{account.username} · {host}", lambda account=account: self._app.switch(account))  # type: ignore[misc]
        menu.add(_("Another account…"), self._app.sign_in)
        menu.divide()
        menu.add(_("Sign out…"), self.sign_out)
        menu.show(x, y, above=True)

    def be(self, state: str) -> None:
        """Be online, away or busy."""
        self._window.model.presence[self._window.model.me] = state
        self._runner.presence(state)
        self._window.refresh()

    def sign_out(self) -> None:
        """End this sign-in, when the person is sure."""
        text = _("What waits to be sent stays on this machine until you sign in again.")
        question = (_("Sign out {name}?").format(name=self._app.account.username), text, _("Sign out"))
        ask(self._app.root, self._window.kit, question, self._app.sign_out)

    # --- notifications ---

    def notify(self, change: Change) -> None:
        """Tell of an arrival, if it is due."""
        if not isinstance(change, Arrived):
            return
        due = notify.due(change, self._window.model, self._app.preferences, self._app.in_front)
        if due is not None:
            account, goal = self._app.account, due.target
            self._app.notifier.tell(due, lambda: self._app.come(account, goal))
            if self._app.preferences.sound:
                self._app.root.bell()

    def titled(self) -> str:
        """What the window's title names."""
        return title(self._window.model, self._target) if self._target else ""
