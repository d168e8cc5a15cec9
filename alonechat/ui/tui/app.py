"""The terminal client: its loop, and who gets what a person does."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from alonechat.core.client import actions
from alonechat.core.client.accounts import Account
from alonechat.core.client.opening import Opening
from alonechat.core.client.preferences import load, save
from alonechat.core.client.runner import Runner
from alonechat.core.client.theme import DARK, LIGHT, Theme
from alonechat.core.client.words import _
from alonechat.errors import AloneChatError
from alonechat.ui.tui import acts, colours, filing, mouse, picture, searching, selecting, signin, switcher, typing
from alonechat.ui.tui.desk import Desk
from alonechat.ui.tui.dialog import Dialog
from alonechat.ui.tui.keys import Answer, Focus, Key, Mouse, Pasted, Typed
from alonechat.ui.tui.notify import Notifier
from alonechat.ui.tui.screen import Screen
from alonechat.ui.tui.terminal import ASK_GROUND, Resized, Terminal

PACE = 1 / 60
"""Seconds between two pictures when nothing but arrivals changed them: no eye sees more, and keys wait for nothing."""
LOG = "tui.log"


class App:
    """The face. `dialogs`: what stands over the conversation, the uppermost last."""

    def __init__(self, opening: Opening, terminal: Terminal) -> None:
        self.opening = opening
        self.terminal = terminal
        self.preferences = load(opening.preferences)
        self.keys = actions.changed(opening.preferences.with_name(actions.FILE))
        self.keymap = actions.keymap("tui", self.keys)
        self.desk: Desk | None = None
        self.look = picture.Look(wants_members=None if self.preferences.members_shown else False)
        self.dialogs: list[Dialog] = []
        self.completing = typing.Completing()
        self.notifier = Notifier(terminal.tell, time.monotonic)
        self.hits: list[dict[str, Any]] = []
        self.done = False
        self.is_light = colours.is_light(os.environ)
        self._posted: list[Callable[[], None]] = []
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self._lock = threading.Lock()
        self._drawn = 0.0
        self._pace = PACE
        self._dirty = True
        self._urgent = True
        self._closing: list[threading.Thread] = []

    # --- life ---

    def run(self) -> int:
        """Until the person quits. Returns the exit code."""
        self.paint()
        self.look.hasty = True
        if self.opening.account is not None:
            self.sit(self.opening.account)
        else:
            signin.open_form(self, self.opening.server)
        self.draw()
        gc.freeze()
        gc.enable()
        if self.preferences.theme == "system" and os.environ.get("TERM") != "linux":
            self.terminal.tell(ASK_GROUND)
        while not self.done and not self.terminal.ended:
            self.turn(self.terminal.read(self._patience()))
        return 0

    def turn(self, events: list[Any]) -> None:
        """What came, and then at most one picture."""
        for event in events:
            self.handle(event)
        self._due()
        desk = self.desk  # what it takes may be the answer after which it is left
        if desk is not None and desk.take():
            self._dirty = True
            self._urgent, desk.turned = self._urgent or desk.turned, False
        now = time.monotonic()
        if self._dirty and (self._urgent or now - self._drawn >= self._pace):
            self.draw()

    def _patience(self) -> float | None:
        """How long nothing has to be done, if nothing comes."""
        now, waits = time.monotonic(), [at for at, _act in self._timers]
        if self._dirty:
            waits.append(self._drawn + self._pace)
        if self.desk is not None:
            model = self.desk.model
            if model.connection.state == "offline":
                waits.append(now + 1.0)  # the seconds until the next attempt are counted down
            until = [at for name, at in model.typing.get(self.desk.target, {}).items() if name != model.me]
            later = [at - time.time() for at in until if at > time.time() - 1]
            waits += [now + max(0.05, each + 0.05) for each in later]
        return max(0.0, min(waits) - now) if waits else None

    def _due(self) -> None:
        now = time.monotonic()
        with self._lock:
            posted, self._posted = self._posted, []
        due = [act for at, act in self._timers if at <= now]
        self._timers = [each for each in self._timers if each[0] > now]
        for act in (*posted, *due):
            act()
            self._dirty = True
        if self.desk is not None and (self.desk.model.connection.state == "offline" or self.desk.model.typing):
            self._dirty = self._dirty or now - self._drawn >= 0.9

    def post(self, act: Callable[[], None]) -> None:
        """Run something in this thread; may be called from any."""
        with self._lock:
            self._posted.append(act)
        self.terminal.wake()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Run something after so many seconds."""
        self._timers.append((time.monotonic() + seconds, act))

    # --- accounts ---

    def sit(self, account: Account) -> None:
        """Use an account from now on. What the cache knows of it is drawn before there is a connection."""
        self.leave()
        runner = Runner(account, self.opening.accounts, self.opening.home, self.terminal.wake)
        runner.room = self.preferences.files_mib << 20
        self.desk = desk = Desk(runner)
        desk.first = self.preferences.last.get(_key(account), "")
        desk.mention = lambda target, event: self.notifier.mention(desk.model, self.preferences, target, event)
        self.look.selected = None
        try:
            runner.start()
        except AloneChatError as error:
            self.say(str(error), is_error=True)
        desk.take()
        self._dirty = True

    def leave(self) -> None:
        """Use no account any more; its thread ends by itself."""
        if self.desk is not None:
            self._remember(self.desk)
            closing = threading.Thread(target=self.desk.close, name="alonechat-closing", daemon=True)
            closing.start()
            self._closing.append(closing)
            self.desk = None

    def close(self) -> None:
        """The end: keep what is being written, and let threads end."""
        self.leave()
        for each in self._closing:
            each.join(4)

    def _remember(self, desk: Desk) -> None:
        key = _key(desk.runner.account)
        if desk.target and self.preferences.last.get(key) != desk.target:
            self.prefer(last={**self.preferences.last, key: desk.target})

    def prefer(self, **changes: Any) -> None:
        """Change and keep preferences."""
        self.preferences = replace(self.preferences, **changes)
        try:
            save(self.opening.preferences, self.preferences)
        except AloneChatError as error:
            self.say(str(error), is_error=True)

    # --- what a person does ---

    def handle(self, event: Any) -> None:
        """One event of the terminal."""
        self._dirty = True
        match event:
            case Key(name):
                self._urgent = True
                self._key(name)
            case Typed(text):
                self._urgent = True
                self._typed(text)
            case Pasted(text):
                self._urgent = True
                self._pasted(text)
            case Mouse():
                self._urgent = True
                mouse.handle(self, event)
            case Focus(has):
                if self.desk is not None:
                    self.desk.focus(has)
            case Answer(text):
                self.is_light = colours.is_light(os.environ, text)
                self.paint()
            case Resized():
                self._urgent = True

    def _key(self, name: str) -> None:
        self.look.flash = ""
        if self.dialogs:
            self.dialogs[-1].press("escape" if name == "ctrl+c" else name)
            self._sweep()
        else:
            acts.press(self, name)

    def _typed(self, text: str) -> None:
        self.look.flash = ""
        if self.dialogs:
            self.dialogs[-1].type(text)
            self._sweep()
            return
        for at, char in enumerate(text):
            if not acts.is_key(self, char):
                typing.insert(self, text[at:], typed=True)
                return
            acts.press(self, char)

    def _pasted(self, text: str) -> None:
        if self.dialogs:
            self.dialogs[-1].type(" ".join(text.splitlines()))
            self._sweep()
        elif self.desk is not None:
            fresh = not self.desk.talk().editor.text
            typing.insert(self, text, typed=False)
            if fresh:
                filing.offer(self, text)

    def _sweep(self) -> None:
        self.dialogs = [each for each in self.dialogs if not each.done]

    def show(self, dialog: Dialog) -> None:
        """Put a dialog over the conversation."""
        self.dialogs.append(dialog)
        self._dirty = True

    def say(self, text: str, is_error: bool = False) -> None:
        """Tell the person something on the line above the composer, until the next key."""
        self.look.flash, self.look.is_error = text, is_error
        self._dirty = True

    # --- what commands ask for ---

    def go(self, target: str, jump: int | None = None) -> None:
        """Look at a conversation, or at a message of it."""
        if self.desk is not None:
            self.look.selected = None
            self.desk.go(target, jump)
            self._dirty = True

    def quit(self) -> None:
        """The end."""
        self.done = True

    def help(self) -> None:
        """The page of keys and commands."""
        acts.open_help(self)

    def search(self, words: str) -> None:
        """The search, with words to look for."""
        searching.open_search(self)
        if words:
            self.dialogs[-1].type(words)

    def hit(self, number: int) -> None:
        """A message that the last search found."""
        if 0 < number <= len(self.hits):
            self.go(self.hits[number - 1]["conversation"], self.hits[number - 1]["seq"])
        else:
            self.say(_("there is no such hit"), is_error=True)

    def older(self) -> None:
        """A page up."""
        selecting.page(self, 1)

    def list(self) -> None:
        """The conversations."""
        switcher.open_switcher(self)

    def accounts(self, words: str) -> None:
        """The accounts of this machine."""
        switcher.open_accounts(self)
        if words:
            self.dialogs[-1].type(words)

    # --- pictures ---

    @property
    def theme(self) -> Theme:
        """The colours that fit the terminal's ground, or that the person chose."""
        chosen = self.preferences.theme
        return (LIGHT if self.is_light else DARK) if chosen == "system" else LIGHT if chosen == "light" else DARK

    def paint(self) -> None:
        """Draw in the colours that hold now, all of it anew."""
        theme, depth = self.theme, colours.depth(os.environ, self.terminal.colours)
        roles = colours.roles(theme, self.preferences.accent)
        self.terminal.paint(colours.palette(roles, depth, theme is LIGHT))
        self._dirty = self._urgent = True

    def _unhurried(self) -> None:
        """The first page is there: load what reads Markdown (it takes longer than all else), and draw it well."""
        from alonechat.core.client.markup import blocks

        blocks("*")
        self.look.hasty, self.look.laid, self._urgent = False, None, True

    def draw(self) -> None:
        """One picture."""
        began = time.monotonic()
        height, width = self.terminal.size()
        if self.desk is None:
            screen = Screen(height, width)
        else:
            self.look.hints = acts.hints(self)
            self.look.refused = acts.refused_hint(self)
            self.look.options = self.completing.line()
            screen = picture.draw(self.desk, self.look, height, width)
            self.notifier.title(self.desk.model, self.desk.target)
        for dialog in self.dialogs:
            dialog.draw(screen)
        self.terminal.show(screen)
        if self.look.hasty and self.look.seen:
            self.later(0.0, self._unhurried)
        self._drawn, self._dirty, self._urgent = time.monotonic(), False, False
        self._pace = max(PACE, 3 * (self._drawn - began))  # in a flood, most of the time is left for keys
        if self.desk is not None:
            self.desk.near_edges([each.row.key for each in self.look.seen])


def _key(account: Account) -> str:
    return f"{account.username}@{account.url}"


@contextlib.contextmanager
def _aside(home: Path) -> Iterator[Path]:
    """What Python would print on the terminal goes to a file meanwhile: warnings, and faults of threads."""
    path = home / LOG
    kept = sys.stderr
    log: io.TextIOBase = io.StringIO()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = open(path, "a", encoding="utf-8")  # noqa: SIM115  (closed below; without it there is only no file)
    except OSError:
        path = Path(os.devnull)
    sys.stderr = log
    try:
        yield path
    finally:
        sys.stderr = kept
        log.close()


def main(opening: Opening) -> int:
    """Open the terminal client; the exit code when it is closed. Raises Unusable where it can't work. A fault of ours
    leaves the terminal whole, and its traceback in a file."""
    from alonechat.ui.tui.terminals import terminal

    sys.setswitchinterval(0.001)  # a key waits no longer for the core's thread than this
    place = terminal()
    app = App(opening, place)
    with _aside(opening.home) as log:
        try:
            place.open()
            code = app.run()
        except Exception:
            place.close()
            print(time.strftime("%Y-%m-%d %H:%M:%S"), traceback.format_exc(), file=sys.stderr, flush=True)
            code = 70
        finally:
            place.close()
            app.close()
    if code == 70:
        told = _("alonechat: a fault in the terminal client; please report what {path} says")
        print(told.format(path=log), file=sys.stderr)
    return code
