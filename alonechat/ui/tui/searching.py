"""Search: in all conversations or this one, by the server or in the cache, and the jump to a hit in its context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alonechat.core.client.files import said
from alonechat.core.client.listing import title
from alonechat.core.client.moment import Moment, stamp_of, when
from alonechat.core.client.present import printable
from alonechat.core.client.words import _
from alonechat.ui.tui.dialog import Choice, Picker
from alonechat.ui.tui.messages import author
from alonechat.ui.tui.screen import ACCENT, BOLD, SECONDARY, Line, Piece

if TYPE_CHECKING:
    from alonechat.ui.tui.app import App

PAUSE = 0.25
"""Seconds without a key after which a search begins."""


class Search(Picker):
    """The search. Words are what to look for; `from:NAME` is who wrote it. Tab changes where it looks."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.everywhere = True
        self._asked = 0
        self._hits: list[dict[str, Any]] = []
        self._more = False
        super().__init__(_("Search"), lambda text: self._listed(), empty=_("type what to look for"))
        self._retitle()

    def press(self, name: str) -> None:
        """As any list; Tab looks here or everywhere, and at the end of a page the next one is fetched."""
        if name == "tab":
            self.everywhere = not self.everywhere
            self._retitle()
            self.changed()
        elif name == "down" and self._more and self.at == len(self.choices) - 1:
            self._ask(self._hits[-1]["id"])
        else:
            super().press(name)

    def _retitle(self, source: str = "") -> None:
        assert self.app.desk is not None
        where = _("everywhere") if self.everywhere else printable(title(self.app.desk.model, self.app.desk.target))
        self.title = _("Search {where}").format(where=where)
        told = " · " + _("only what is kept on this machine: the server is not reached") if source == "cache" else ""
        self.foot = _("Enter: go there · Tab: here or everywhere · from:NAME") + told

    def changed(self) -> None:
        """Begin to search, once typing pauses."""
        self.at = 0
        self._asked += 1
        mine = self._asked
        self.app.later(PAUSE, lambda: self._ask() if mine == self._asked and not self.done else None)

    def _ask(self, before: str | None = None) -> None:
        desk, words = self.app.desk, self.editor.text.split()
        senders = [word[5:].lstrip("@") for word in words if word.startswith("from:") and len(word) > 5]
        q = " ".join(word for word in words if not word.startswith("from:"))
        if desk is None or not q:
            self._hits, self._more = [], False
            self.empty = _("type what to look for")
            self.update()
            return
        self._asked += 1
        mine = self._asked

        def answered(answer: Any, error: Exception | None) -> None:
            if mine != self._asked or self.done:
                return
            if error is not None:
                self.empty, self._hits, self._more = printable(str(error)), [], False
            else:
                self._hits = (self._hits if before else []) + list(answer["events"])
                self.app.hits = self._hits
                self._more, self.empty = bool(answer["more"]), _("nothing was found")
                self._retitle(str(answer["source"]))
            self.update()

        target = None if self.everywhere else desk.target
        desk.runner.search(q, answered, target=target, sender=senders[-1] if senders else None, before=before)

    def _listed(self) -> list[Choice]:
        desk = self.app.desk
        if desk is None:
            return []
        moment = Moment(desk.now(), None)
        words = [word.casefold() for word in self.editor.text.split() if not word.startswith("from:")]
        found = []
        for hit in self._hits:
            where, name = hit["conversation"], printable(desk.model.shown(hit["sender"]))
            lead = (Piece(f"{name}: ", author(hit["sender"])),)
            label = (*lead, *_found(printable(said(hit, 4000)), words))
            detail = f"{printable(title(desk.model, where))} {when(stamp_of(hit['timestamp']), moment)}"
            found.append(Choice(label, detail, lambda hit=hit: self.app.go(hit["conversation"], hit["seq"])))  # type: ignore[misc]
        return found


def _found(text: str, words: list[str]) -> Line:
    """A text from a little before the first word that was looked for, with that word marked."""
    folded = text.casefold()
    places = [(folded.find(word), word) for word in words if word in folded] if len(folded) == len(text) else []
    if not places:
        return (Piece(text),)
    at, word = min(places)
    begin = text.rfind(" ", 0, at - 20) + 1 if at > 20 else 0
    lead = ("…" if begin else "") + text[begin:at]
    return (Piece(lead), Piece(text[at : at + len(word)], ACCENT.plus(BOLD)), Piece(text[at + len(word) :], SECONDARY))


def open_search(app: App) -> None:
    """Search messages."""
    if app.desk is not None:
        app.show(Search(app))
