"""The line mode: plain lines in and out, no cursor movement, for screen readers, dumb terminals and pipes."""

from __future__ import annotations

import asyncio
import getpass
import io
import math
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from alonechat.core.client.accounts import Account
from alonechat.core.client.files import called
from alonechat.core.client.joining import Joining
from alonechat.core.client.listing import listing, title
from alonechat.core.client.model import Arrived, Change, Connection, Gone, Kept, Page, Told
from alonechat.core.client.moment import Moment
from alonechat.core.client.opening import Opening
from alonechat.core.client.preferences import load
from alonechat.core.client.present import Now, printable, short
from alonechat.core.client.runner import Runner
from alonechat.core.client.templates import worded
from alonechat.core.client.words import _, n_
from alonechat.errors import AloneChatError, Rejected
from alonechat.ui.tui import local
from alonechat.ui.tui.desk import Desk
from alonechat.ui.tui.picture import explained
from alonechat.ui.tui.spoken import spoken

FIRST = 20
"""Messages that are read out when one goes to a conversation."""
ANSWER = 2.0
"""Seconds that the server has for what was written last, before the end."""
BEGINNING = 20.0
"""Seconds that piped lines which are held wait for the first connection, at their end: they are on no disk."""
ACQUAINTED = 5.0
"""Seconds after a connection came about within which the server says who there is: until then a name may be new."""
CALM = 0.3
"""Seconds after the last receipt within which what it did, such as a room that was joined, is told."""
GLANCE = 0.1
"""Seconds between looks at whether lines that are held can be carried out."""
THERE = ("connected", "catching up")
FOLLOWS = "follows"
"""Waited for where the end of a conversation is not kept here: the server's page, which comes as an older one."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line that the person typed; None: there are no more."""

    text: str | None


class LineFace:
    """The face. All of it runs in one thread that waits on one queue: lines that were typed, and the core's call."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.desk: Desk | None = None
        self.done = False
        self._queue: queue.SimpleQueue[Said | Callable[[], None] | None] = queue.SimpleQueue()
        self._awaited = ""
        self._state = ""
        self._there_at = self._said_at = 0.0
        self._hits: list[dict[str, Any]] = []
        self._piped = not sys.stdin.isatty()
        self._held: list[str] = []
        self._here = ""
        self._stray = False
        self._is_lost = False

    # --- life ---

    def run(self) -> int:
        """Until the input ends, or the person quits; the exit code is 1 where something they wrote was not sent."""
        for stream in (sys.stdin, sys.stdout):  # what is no text here must not end what listens, or speaks
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        account = self.opening.account or sign_in(self.opening.server)
        if account is None:
            return 1
        if account is not self.opening.account:
            self.opening.accounts.save(account)
        self.sit(account)
        threading.Thread(target=self._listen, name="alonechat-input", daemon=True).start()
        patience = BEGINNING if self._piped else ANSWER
        try:
            while not self.done:
                said = self._next(GLANCE if self._held else None)
                if said is None:
                    self._fetch()
                elif not isinstance(said, Said):
                    said()
                elif said.text is None:
                    break
                else:
                    self.hear(said.text)
        except KeyboardInterrupt:
            patience = 0.0  # Ctrl-C quits here, as it does in every program of lines
        finally:
            with suppress(KeyboardInterrupt):
                self._catch_up(patience)
                self._settle()
            why = _("the conversation was not found") if self._state in THERE else _("there was no connection")
            for text in self._held:
                self._refuse(text, why)
            if self.desk is not None:
                self.desk.close()
        return 1 if self._is_lost else 0

    def _next(self, seconds: float | None) -> Said | Callable[[], None] | None:
        """What comes within so many seconds; None: the core's call, or nothing."""
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            return None

    def _catch_up(self, seconds: float) -> None:
        """Lines that are held are carried out, if the connection comes about in time."""
        deadline = time.monotonic() + seconds
        while self._held and self._state not in ("offline", "signed out") and time.monotonic() < deadline:
            self._next(GLANCE)
            self._fetch()

    def _settle(self) -> None:
        """What was just written goes out, if the server answers within a moment; else it waits on disk."""
        desk = self.desk
        if desk is None:
            return
        begun: list[bool] = []  # until then the core may not have told yet that anything waits
        desk.runner.begun(lambda _result, _error: begun.append(True))
        deadline = time.monotonic() + ANSWER
        while (left := deadline - time.monotonic()) > 0:
            desk.take()
            waits = not begun or any(not each.code for each in desk.model.waiting())
            if desk.model.connection.state == "offline" or not waits:
                return
            self._next(left)

    def sit(self, account: Account) -> None:
        """Use an account from now on."""
        if self.desk is not None:
            self.desk.close()
        runner = Runner(account, self.opening.accounts, self.opening.home, lambda: self._queue.put(None))
        runner.room = load(self.opening.preferences).files_mib << 20
        self.desk = Desk(runner)
        self.desk.told, self.desk.arrive = self._told, self.go
        if self._piped:  # what follows is for that room, however long it takes
            self.desk.joining = Joining(math.inf)
        self._state, self._here, self._hits = "", "", []
        self._stray = False
        runner.start()
        self._fetch()

    def _listen(self) -> None:
        for text in sys.stdin:
            self._queue.put(Said(text.rstrip("\r\n")))
        self._queue.put(Said(None))

    def _fetch(self) -> None:
        if self.desk is None:
            return
        self.desk.take()
        self._here = self.desk.target
        if any(not each.code for each in self.desk.model.waiting()):
            self._said_at = time.monotonic()
        while self._held and not self._is_early(self._held[0]):
            self._carry(self._held.pop(0))

    # --- what is heard ---

    def hear(self, text: str) -> None:
        """A line of the person: a command of the client, or something to say. It is held while it can't be known yet
        what it is about, and so is all that follows it."""
        if self.desk is None or not text.strip():
            return
        name, words = local.split(text) or ("", "")
        if name in ("help", "quit") or (name == "accounts" and not (words and self._held)):
            self._carry(text)
        elif self._held or self._is_early(text):
            self._held.append(text)
            if self._state not in THERE and (self._state or not self._piped):  # a pipe is faster than any connection
                self.say(_("waiting for the connection: {text}").format(text=short(text, 60)))
        else:
            self._carry(text)

    def _is_early(self, text: str) -> bool:
        desk = self.desk
        if desk is None or not desk.target or not desk.model.conversations:
            return True
        if desk.joining.waits(desk.now()):
            return True
        name, words = local.split(text) or ("", "")
        if name != "go" or local.exact(desk, words):
            return False
        if self._state in THERE:
            now = time.monotonic()
            unacquainted = not desk.model.commands and now - self._there_at < ACQUAINTED
            return unacquainted or (self._piped and now - self._said_at < CALM)
        return self._piped or not self._state

    def _carry(self, text: str) -> None:
        desk, found = self.desk, local.split(text)
        assert desk is not None
        if self._stray and (found is None or found[0] in local.HERE):
            self._refuse(text, _("the conversation was not found"))
        elif found is None:
            desk.talk().editor.set(text)
            desk.send()
            self._said_at = time.monotonic()
        elif found[0] in local.MOVING and found != ("accounts", ""):
            before, self._here = self._here, ""
            local.run(self, text)
            if not self._here and self.desk is desk:
                self._here = before
                self._astray(_("you are still in {name}"))
        else:
            local.run(self, text)

    def _astray(self, where: str) -> None:
        """One is not where one meant to be. A person hears where that is; what writes into a pipe may not listen, so
        nothing of it is said there until it went somewhere."""
        assert self.desk is not None
        self._stray = self._piped
        if self._piped:
            self.say(_("nothing is sent until a /go finds its conversation"))
        elif self.desk.target:
            self.say(where.format(name=title(self.desk.model, self.desk.target)))

    def _refuse(self, text: str, why: str) -> None:
        self._is_lost = True
        self.say("! " + _("not sent: {reason}").format(reason=f"{why}: {text}"), True)

    # --- what is told ---

    def post(self, act: Callable[[], None]) -> None:
        """Run something in this thread; may be called from any."""
        self._queue.put(act)

    def say(self, text: str, is_error: bool = False) -> None:
        """Print something; control characters become visible."""
        print(printable(text, lines=True), flush=True)

    def _told(self, change: Change) -> None:
        match change:
            case Arrived(target, event):
                self._event(target, event)
            case Page():
                self._page(change)
            case Told(_target, text, _at, is_error):
                self.say(f"! {text}" if is_error else text, is_error)
                if is_error and self.desk is not None and self.desk.joining.refused():
                    self._astray(_("you are still in {name}"))
            case Kept(entry) if entry.code:
                self.say(
                    "! "
                    + _("not sent: {reason}").format(
                        reason=f"{worded(entry.reason)}: {called(entry.content, entry.files, 60)}"
                    ),
                    True,
                )
            case Kept(entry) if self._state == "offline":
                self.say(_("waiting to be sent: {text}").format(text=called(entry.content, entry.files, 60)))
            case Gone(targets) if self._here in targets:
                self._astray(_("you are in {name} now"))
            case Connection():
                self._connection(change)

    def _event(self, target: str, event: Any) -> None:
        desk = self.desk
        if desk is None:
            return
        if event["type"] == "JOIN" and event["sender"] == desk.model.me and desk.joining.room == target:
            return  # it is read out in a moment, with what else is there
        window = desk.model.windows.get(target)
        at = window.find(event.get("ref")) if window is not None else None
        about = window.messages[at] if window is not None and at is not None else None
        text = spoken(desk.model, event, title(desk.model, target), about, Now())
        if text is not None:
            named = event.get("mentions") or ()
            mine = event["sender"] != desk.model.me and (desk.model.me in named or "*" in named)
            self.say(f"{text} ({_('you are addressed')})" if mine and event["type"] == "TEXT" else text)

    def _page(self, page: Page) -> None:
        desk = self.desk
        awaited = "older" if self._awaited == FOLLOWS else self._awaited
        if desk is None or page.target != desk.target or awaited != page.place:
            return
        if page.place == "latest" and not page.messages and not page.start:
            self._awaited = FOLLOWS  # nothing of it is kept here
            return
        messages = page.messages[-FIRST:] if page.place == "latest" or self._awaited == FOLLOWS else page.messages
        self._awaited = "" if page.messages or page.start else self._awaited
        if page.place == "around" and (jump := desk.talk().jump) is not None:
            messages = tuple(each for each in messages if abs(each["seq"] - jump) <= FIRST // 2)
        self._read_out(messages)
        if page.start and page.place == "older" and not page.messages:
            self.say(_("This is where it begins"))

    def _read_out(self, messages: Iterable[Any]) -> None:
        assert self.desk is not None
        model, today = self.desk.model, Moment(self.desk.now(), None).today
        for each in messages:
            if (text := spoken(model, each, title(model, self.desk.target), None, Now(today))) is not None:
                self.say(text)

    def _connection(self, change: Connection) -> None:
        if change.state == self._state or self.desk is None:
            return
        if change.state in THERE and self._state not in THERE:
            self._there_at = time.monotonic()
        self._state = change.state
        words = {"connected": _("Connected."), "catching up": _("Catching up…")}
        text = words.get(change.state) or explained(self.desk)
        if text:
            self.say(text)
        if self._held and self._state not in THERE:
            waiting = n_("{n} line waits for the connection", "{n} lines wait for the connection", len(self._held))
            self.say(waiting)

    # --- what commands ask for ---

    def go(self, target: str, jump: int | None = None) -> None:
        """Go to a conversation and read out its end, or what stands around a message."""
        if self.desk is None:
            return
        found = self.desk.model.conversations.get(target)
        self.say(f"--- {title(self.desk.model, target)}" + (f" · {found.topic}" if found and found.topic else ""))
        self._awaited = "latest" if jump is None else "around"
        if target == self.desk.target and jump is None:
            self.desk.runner.open(target)
        self.desk.go(target, jump)
        self._here, self._stray = target, False

    def quit(self) -> None:
        """The end."""
        self.done = True

    def help(self) -> None:
        """The commands: ours, and the server's."""
        assert self.desk is not None
        for each in local.COMMANDS:
            self.say(f"{each.usage}: {_(each.help)}")
        for usage, what in sorted(self.desk.model.commands.values()):
            self.say(f"{usage}: {what}")
        if self._stray:
            self.say(_("nothing is sent until a /go finds its conversation"))
        elif self.desk.target:
            self.say(_("Everything else is said in {name}.").format(name=title(self.desk.model, self.desk.target)))
        else:
            self.say(_("Everything else waits for the connection."))

    def search(self, words: str) -> None:
        """Search, and print what was found, numbered."""
        assert self.desk is not None
        terms = words.split()
        senders = [word[5:].lstrip("@") for word in terms if word.startswith("from:") and len(word) > 5]
        q = " ".join(word for word in terms if not word.startswith("from:"))
        if not q:
            self.say(_("type what to look for"), True)
            return
        self.desk.runner.search(q, self._found, sender=senders[-1] if senders else None)

    def _found(self, answer: Any, error: Exception | None) -> None:
        assert self.desk is not None
        if error is not None:
            self.say(f"! {error}", True)
            return
        self._hits = list(answer["events"])
        model, today = self.desk.model, Moment(self.desk.now(), None).today
        for number, hit in enumerate(self._hits, 1):
            text = spoken(model, hit, title(model, hit["conversation"]), None, Now(today))
            self.say(f"{number}. {text}")
        self.say(n_("{n} message found", "{n} messages found", len(self._hits)) + " · " + _("/hit N goes to one"))

    def hit(self, number: int) -> None:
        """Read out what stands around a message that was found."""
        if 0 < number <= len(self._hits):
            found = self._hits[number - 1]
            self.go(found["conversation"], found["seq"])
        else:
            self.say(_("there is no such hit"), True)

    def older(self) -> None:
        """Read out older messages than those that are here."""
        assert self.desk is not None
        window = self.desk.model.windows.get(self.desk.target)
        if window is None or window.start:
            self.say(_("This is where it begins"))
            return
        self._awaited = "older"
        self.desk.runner.older(window)

    def list(self) -> None:
        """Print the conversations, and what is new in each."""
        assert self.desk is not None
        for each in listing(self.desk.model, Moment(self.desk.now(), None)):
            if each.summary is None:
                continue
            parts = [each.title, *([each.presence] if each.presence else [])]
            parts += [n_("{n} new message", "{n} new messages", each.summary.unread)] if each.summary.unread else []
            parts += [_("you are addressed")] if each.mention else []
            parts += [_("you are here")] if each.target == self.desk.target else []
            self.say(", ".join(parts))

    def accounts(self, words: str) -> None:
        """Print the accounts of this machine, or switch to one."""
        saved = self.opening.accounts.all()
        if words and (chosen := self.opening.accounts.named(words)) is not None:
            self.opening.accounts.save(chosen)
            self.sit(chosen)
        elif words:
            self.say(_("no account of this machine is called {name}").format(name=words), True)
        for each in saved if not words else ():
            self.say(f"{each.username}@{each.url}")


def sign_in(server: str) -> Account | None:
    """Ask for server, name and password, in lines; None when the input ends."""
    from alonechat.core.client import signin

    while True:
        try:
            url = server or input(_("Server") + ": ")
            name = input(_("Name") + ": ")
            password = getpass.getpass(_("Password") + ": ")
        except EOFError:
            return None

        async def work(code: str, url: str = url, name: str = name, password: str = password) -> Account:
            return await signin.sign_in(await signin.look(url), name, password, code)

        try:
            try:
                return asyncio.run(work(""))
            except Rejected as refused:
                if refused.needs != "otp":
                    raise
            try:
                code = input(_("One-time or recovery code") + ": ")
            except EOFError:
                return None
            return asyncio.run(work(code))
        except AloneChatError as error:
            print(printable(worded(str(error))), flush=True)
            if not sys.stdin.isatty():
                return None


def run(opening: Opening) -> int:
    """Open the line mode; the exit code when it ends."""
    return LineFace(opening).run()
