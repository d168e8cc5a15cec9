"""One account as it is being used: its core, where one looks, what is being written. Draws nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from alonechat.core.client.joining import Joining
from alonechat.core.client.model import (
    Answered,
    Arrived,
    Change,
    Connection,
    Drafted,
    Fetched,
    Gone,
    Kept,
    Listed,
    Model,
    Page,
    Passed,
    Settled,
    Told,
    Welcomed,
)
from alonechat.core.client.moment import Moment
from alonechat.core.client.rows import Row, rows
from alonechat.core.client.runner import Runner
from alonechat.core.message import LOBBY
from alonechat.ui.tui.composer import Editor, History
from alonechat.ui.tui.history import Place

TAIL = 150
"""Messages that are made into rows while one looks at the end: more than the tallest screen shows."""
QUIET = 0.7
"""Seconds for which a draft of another window does not overwrite what is being typed here."""


@dataclass(slots=True)
class Talk:
    """What this client keeps of one conversation beside the core: the composer, the place one looks at, the read mark
    of when one came (`since`), the message that is replied to or edited."""

    editor: Editor = field(default_factory=Editor)
    history: History = field(default_factory=History)
    place: Place = field(default_factory=Place)
    since: int | None = None
    reply: Row | None = None
    editing: Row | None = None
    kept: str = ""
    typed_at: float = 0.0
    jump: int | None = None


class Desk:
    """The core of one account with all that a face remembers. `mention` is called for each message that addresses the
    user, or is for them alone, and comes while they look elsewhere: (conversation, event). `told` is called for every
    change, once it is folded in."""

    def __init__(self, runner: Runner, now: Callable[[], float] = time.time) -> None:
        self.runner = runner
        self.model = Model()
        self.now = now
        self.target = ""
        self.before = ""
        self.first = ""
        self.focused = True
        self.talks: dict[str, Talk] = {}
        self.stale = True
        self.mention: Callable[[str, dict[str, Any]], None] = lambda target, event: None
        self.told: Callable[[Change], None] = lambda change: None
        self.joining = Joining()
        self.arrive: Callable[[str], None] = self.go
        """Goes to the room that somebody typed /join for."""
        self._rows: list[Row] = []
        self.turned = False
        self._day = ""
        self._is_tail = False

    # --- what comes from the core ---

    def take(self) -> bool:
        """Fold in what has changed; whether anything did. `turned`: a page is there that somebody waits for."""
        changes = self.runner.changes()
        for change in changes:
            self._take(change)
        if changes and not self.target:
            self._begin()
        self._arrived()
        if changes:
            self.look()
        return bool(changes)

    def _arrived(self) -> None:
        if room := self.joining.there(self.model.conversations, self.now()):
            self.arrive(room)

    def _take(self, change: Change) -> None:
        if isinstance(change, Answered):
            change.then(change.result, change.error)
            return
        if isinstance(change, Drafted):
            self._drafted(change)
        self.model.apply(change)
        match change:
            case Arrived(target, event, live):
                self.stale = self.stale or target == self.target
                if live and self._calls(target, event):
                    self.mention(target, dict(event))
            case Page(target):
                self.stale = self.stale or target == self.target
                self.turned = self.turned or target == self.target
                self._paged(change)
            case Gone(targets):
                self.stale = True
                if self.target in targets:
                    self.go(self.before if self.before in self.model.conversations else LOBBY)
            case Kept() | Settled() | Fetched() | Told() | Welcomed():
                self.stale = True
            case Passed(frame):
                self.stale = self.stale or frame.get("type") in ("USER", "MEMBERS")
            case Connection() | Listed():
                pass
        self.told(change)

    def _calls(self, target: str, event: Any) -> bool:
        """Whether an event asks for this person while they look elsewhere."""
        if event["type"] != "TEXT" or event["sender"] == self.model.me:
            return False
        found = self.model.conversations.get(target)
        named = event.get("mentions") or ()
        addressed = self.model.me in named or "*" in named
        direct = not target.startswith("#") and not (found is not None and found.muted)
        return (addressed or direct) and not (self.focused and target == self.target)

    def _drafted(self, change: Drafted) -> None:
        talk = self.talk(change.target)
        fresh = self.now() - talk.typed_at < QUIET and change.target == self.target
        if change.text != talk.kept and not fresh and talk.editing is None:
            talk.kept = change.text
            talk.editor.set(change.text)

    def _paged(self, page: Page) -> None:
        talk = self.talk(page.target)
        if page.place == "around" and talk.jump is not None:
            near = min(page.messages, key=lambda each: abs(each["seq"] - (talk.jump or 0)), default=None)
            if near is not None:
                talk.place = Place(near["id"], 0)

    def _begin(self) -> None:
        """Open the first conversation once there are any."""
        if self.model.conversations:
            known = self.model.conversations
            fits = (each for each in (self.first, LOBBY) if each in known)
            early = self.talks.pop("", Talk()).editor
            self.go(next(fits, self.model.order()[0].target))
            if early.text and not self.talk().editor.text:  # what was typed before there was a conversation
                self.talk().editor = early

    # --- where one looks ---

    def talk(self, target: str | None = None) -> Talk:
        """What is kept of a conversation; of the current one by default."""
        return self.talks.setdefault(target or self.target, Talk())

    def go(self, target: str, jump: int | None = None) -> None:
        """Look at a conversation: its end, or the message at seq `jump`."""
        if target == self.target and jump is None:
            return
        if self.target and target != self.target:
            self.keep_draft()
            self.talk().since = None
            self.before = self.target
        fresh = target != self.target
        self.target, self.stale = target, True
        talk, found = self.talk(), self.model.conversations.get(target)
        if fresh:
            talk.place = Place()
            talk.since = found.read if found and found.unread else None
        talk.jump = jump
        if jump is not None:
            self.runner.around(target, jump)
        else:
            window = self.model.windows.get(target)
            if window is None or not window.live:
                self.runner.open(target)
            else:
                self.runner.open(target)  # the core remembers who is looked at last, and asks who is there
        self.look()

    def latest(self) -> None:
        """Back to the end."""
        talk = self.talk()
        talk.place, talk.jump = Place(), None
        window = self.model.windows.get(self.target)
        if window is not None and not window.live:
            self.runner.open(self.target)
        self.look()

    def step(self, by: int, unread: bool = False) -> bool:
        """The conversation above or below in the list; with `unread`, the next one that has something new."""
        order = [each.target for each in self.model.order()]
        if unread:
            wanted = {each.target for each in self.model.unread()} - {self.target}
            order = [each for each in order if each in wanted or each == self.target]
        if (len(order) < 2 and self.target in order) or not order:
            return False
        at = order.index(self.target) if self.target in order else (-1 if by > 0 else 0)
        self.go(order[(at + by) % len(order)])
        return True

    def is_at_end(self) -> bool:
        """Whether the newest message is in view."""
        window = self.model.windows.get(self.target)
        return self.talk().place.key is None and window is not None and window.live

    def look(self) -> None:
        """What is at the end of a conversation that one looks at is read."""
        found = self.model.conversations.get(self.target)
        if found is None or not self.focused or not self.is_at_end():
            return
        window = self.model.windows[self.target]
        seq = min(found.seq, window.position)
        if found.unread and seq > found.read:
            self.runner.read(self.target, seq)

    def focus(self, has: bool) -> None:
        """The terminal got or lost the keyboard: what comes while one is away is new when one is back."""
        if has == self.focused:
            return
        self.focused = has
        talk, found = self.talk(), self.model.conversations.get(self.target)
        if not has and talk.since is None and found is not None and not found.unread:
            talk.since, self.stale = found.seq, True
        self.look()

    def mark_read(self) -> None:
        """Everything here is read, wherever one looks; the line of what is new goes."""
        found, talk = self.model.conversations.get(self.target), self.talk()
        talk.since, self.stale = None, True
        if found is not None and found.seq > found.read:
            self.runner.read(self.target, found.seq)

    def rows(self, whole: bool = True) -> Sequence[Row]:
        """The rows of the current conversation. Not `whole`: of its last messages only, where one looks at its end:
        in a flood, all others would be made anew 60 times a second."""
        moment = Moment(self.now(), None)
        day = datetime.fromtimestamp(moment.now).strftime("%j")
        if not self.target:
            return []
        if self.stale or day != self._day or (whole and self._is_tail):
            window = self.model.windows.get(self.target)
            self._is_tail = not whole and window is not None and window.live and len(window.messages) > 2 * TAIL
            model = self.model
            if self._is_tail and window is not None:
                tail = replace(window, messages=window.messages[-TAIL:], start=False)
                model = replace(model, windows={**model.windows, self.target: tail})
            self._rows = rows(model, self.target, moment, self.talk().since)
            self.stale, self._day = False, day
        return self._rows

    def near_edges(self, seen: Sequence[str]) -> None:
        """Fetch what is beyond the window when one comes near its edge. `seen`: the keys of what is in view."""
        window = self.model.windows.get(self.target)
        if window is None or not self._rows:
            return
        if not window.start and not self._is_tail and (not seen or seen[0] in {each.key for each in self._rows[:12]}):
            self.runner.older(window)
        if not window.live and seen and seen[-1] in {each.key for each in self._rows[-12:]}:
            self.runner.newer(window)

    # --- what is written ---

    def keep_draft(self) -> None:
        """Keep what is in the composer, if it changed; an edit of an old message is no draft."""
        talk = self.talk()
        if self.target and talk.editing is None and talk.editor.text != talk.kept:
            talk.kept = talk.editor.text
            self.runner.draft(self.target, talk.kept)

    def typed(self) -> None:
        """The text in the composer was changed by hand."""
        talk = self.talk()
        talk.typed_at = self.now()
        self.keep_draft()
        if self.target and talk.editor.text.strip() and not talk.editor.text.startswith("/"):
            self.runner.typing(self.target)

    def send(self) -> None:
        """Send what is in the composer: a message, a reply, or the changed text of one."""
        talk, text = self.talk(), self.talk().editor.text
        if talk.editing is not None:
            ref = (talk.editing.event or {}).get("id")
            if ref and text.strip() and text != talk.editing.text:
                self.runner.edit(self.target, ref, text)
            self.cancel()
            return
        if not text.strip() or not self.target:
            return
        talk.history.add(text)
        self.runner.say(self.target, text, (talk.reply.event or {}).get("id") if talk.reply else None)
        talk.editor, talk.reply, talk.since, self.stale = Editor(killed=talk.editor.killed), None, None, True
        self.keep_draft()
        self.latest()
        self.joining.typed(text, self.now())
        self._arrived()

    def cancel(self) -> bool:
        """Neither reply nor edit any more; whether one did."""
        talk = self.talk()
        was = talk.reply is not None or talk.editing is not None
        if talk.editing is not None:
            talk.editor.set(talk.kept)
        talk.reply = talk.editing = None
        return was

    def edit(self, row: Row) -> None:
        """Change a message of one's own in the composer."""
        talk = self.talk()
        talk.reply, talk.editing = None, row
        talk.editor.set(row.written_text)

    def last_own(self) -> Row | None:
        """One's own latest message that can be changed."""
        own = (each for each in reversed(self.rows()) if each.kind == "message" and each.mine)
        return next((each for each in own if not each.deleted and not (each.event or {}).get("via")), None)

    def close(self) -> None:
        """End the core's thread."""
        self.keep_draft() if self.target else None
        self.runner.close()


def messages(found: Iterable[Row]) -> list[Row]:
    """The rows that can be selected: what somebody wrote."""
    return [each for each in found if each.kind in ("message", "written")]
