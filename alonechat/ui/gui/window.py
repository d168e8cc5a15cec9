"""The main window: list, conversation, members; it draws the model and sends what a person does."""

from __future__ import annotations

import time
import tkinter
from typing import TYPE_CHECKING, Any

from alonechat.core.client.joining import Joining
from alonechat.core.client.listing import listing, title
from alonechat.core.client.model import Answered, Change, Connection, Fetched, Page
from alonechat.core.client.moment import Moment
from alonechat.core.client.rows import Row, rows
from alonechat.core.client.words import _
from alonechat.core.message import LOBBY
from alonechat.ui.gui import corners
from alonechat.ui.gui.acting import Acting
from alonechat.ui.gui.banner import Banner
from alonechat.ui.gui.behind import guard
from alonechat.ui.gui.bubble import Look
from alonechat.ui.gui.choosing import by_keys
from alonechat.ui.gui.composer import Composer
from alonechat.ui.gui.filing import Filing
from alonechat.ui.gui.foot import Foot
from alonechat.ui.gui.header import Header
from alonechat.ui.gui.members import Members
from alonechat.ui.gui.overlay import Overlay
from alonechat.ui.gui.photos import shows
from alonechat.ui.gui.pointing import STEP, Pointing, wheel
from alonechat.ui.gui.sidebar import Sidebar
from alonechat.ui.gui.timeline import Timeline
from alonechat.ui.gui.typing import Typing
from alonechat.ui.gui.writing import Writing

if TYPE_CHECKING:
    from alonechat.ui.gui.app import App

DRAWER, FOLDED = 720, 1000
"""Widths of the window under which the list is a drawer, and the members are folded away."""
SIDEBAR, MEMBERS = (200, 420), 216
PACE = 0.03
"""Seconds between drawings while much arrives."""


class Window:
    """One account's chat."""

    def __init__(self, app: App) -> None:
        self.app, self.kit, self.model = app, app.kit, app.model
        self.target = ""
        self.since: int | None = None
        self._opened = 0.0
        self._waiting = self._drawing = ""
        self._drawn = 0.0
        self._goal = ""
        self._fresh = True
        self._sent_read: dict[str, int] = {}
        self._history: list[str] = []
        self._drawer = self._drawer_open = False
        self.query = ""
        self.acting, self.filing, self._joining = Acting(self), Filing(self), Joining()
        self.frame = self.kit.frame(app.root, "ground")
        self.frame.pack(fill="both", expand=True)
        self._build_side()
        self._build_middle()
        self.members = Members(self.frame, app.behind, self.acting.person_menu)
        self._edge = tkinter.Frame(self.frame, bg=self.kit.palette.get("divider"), width=1)
        self._place()
        self.frame.bind("<Configure>", lambda _e: self._place())
        wheel(app.root, self._scroller, self.kit.fonts.px(STEP))
        guard(app, self.frame)
        app.root.below = lambda: [self.timeline.canvas, self.members.canvas, self.sidebar.canvas]

    # --- building ---

    def _build_side(self) -> None:
        kit, get = self.kit, self.kit.palette.get
        self.side = tkinter.Frame(self.frame, bg=get("sidebar"))
        top = kit.frame(self.side, "sidebar")
        top.pack(fill="x", padx=12, pady=(12, 6))
        self.find = kit.entry(
            top, _("Search  {key}").format(key="Ctrl-K"), height=36, fg_color=get("hover"), border_color=get("hover"),
            bg_color=get("sidebar"),
        )  # fmt: skip
        self.find.pack(fill="x")
        self.find.bind("<KeyRelease>", lambda _e: self._searched())
        self.find.bind("<Return>", lambda _e: self._first_found())
        self.foot = Foot(self.side, self)
        self.foot.frame.pack(side="bottom", fill="x")
        self.sidebar = Sidebar(
            self.side, self.app.behind, self.open, self.acting.conversation_menu, self.acting.add_conversation
        )
        self.sidebar.canvas.pack(fill="both", expand=True)
        self.find.bind("<Down>", lambda _e: self.sidebar.canvas.focus_set())
        self.grip = tkinter.Frame(self.frame, bg=get("sidebar"), cursor="sb_h_double_arrow")
        tkinter.Frame(self.grip, bg=get("divider"), width=1).pack(side="right", fill="y")
        self.grip.bind("<B1-Motion>", self._resized)
        self.grip.bind("<ButtonRelease-1>", lambda _e: self.app.remember(sidebar_width=self._side_width()))

    def _build_middle(self) -> None:
        self.middle = tkinter.Frame(self.frame, bg=self.kit.palette.get("ground"))
        self.header = Header(self.middle, self)
        self.header.frame.pack(fill="x")
        self.banner = Banner(self.middle, self.kit, self.app.hurry)
        self.timeline = Timeline(self.middle, self.app.behind, self._more)
        self.timeline.motion = self.app.motion
        self.timeline.canvas.configure(bg=self.kit.palette.get("ground"))
        sends = self.app.preferences.enter_sends
        self.composer = Composer(self.middle, self.kit, self.app.behind, Writing(self), sends)
        self.composer.frame.pack(side="bottom", fill="x", pady=(0, 14))
        self.typing = Typing(self.middle, self)
        self.typing.label.pack(side="bottom", fill="x")
        self.timeline.canvas.pack(fill="both", expand=True)
        self.pointing = Pointing(self.timeline, self.acting.act)
        self.overlay = Overlay(self)
        by_keys(self)
        self.timeline.on_scroll = self._scrolled
        self.timeline.on_drawn = self.filing.drawn
        self.timeline.canvas.bind("<Configure>", lambda _e: self._column(), add="+")

    def _column(self) -> None:
        """The composer stands under the column of the messages."""
        side = max(self.timeline.left, self.kit.fonts.px(16))
        self.composer.frame.pack_configure(padx=side)
        self.typing.label.pack_configure(padx=side)
        self.overlay.draw()

    # --- panes ---

    def _side_width(self) -> int:
        return min(max(self.app.preferences.sidebar_width, SIDEBAR[0]), SIDEBAR[1])

    def _resized(self, event: tkinter.Event[tkinter.Misc]) -> None:
        wide = round((event.x_root - self.frame.winfo_rootx()) / self.kit.fonts.scale)
        self.app.change(sidebar_width=min(max(wide, SIDEBAR[0]), SIDEBAR[1]))
        self._place()

    def _place(self) -> None:
        px = self.kit.fonts.px
        wide = self.frame.winfo_width()
        if wide < 10:
            return
        self._drawer = wide < px(DRAWER)
        side = px(self._side_width())
        if self._drawer and not self._drawer_open:
            self.side.place_forget()
            self.grip.place_forget()
            left = 0
        else:
            self.side.place(x=0, y=0, width=side, relheight=1.0)
            self.grip.place(x=side - px(4) + 1, y=0, width=px(4), relheight=1.0)
            self.grip.lift()
            left = 0 if self._drawer else side + 1
        shows = self.members_shown()
        right = px(MEMBERS) if shows else 0
        self.middle.place(x=left, y=0, width=max(wide - left - right - (1 if right else 0), 50), relheight=1.0)
        if shows:
            self.members.canvas.place(x=wide - right, y=0, width=right, relheight=1.0)
            self._edge.place(x=wide - right - 1, y=0, width=1, relheight=1.0)
            self.members.show(self.model, self.target)
        else:
            self.members.canvas.place_forget()
            self._edge.place_forget()
        if self._drawer and self._drawer_open:
            self.side.lift()
            self.grip.lift()
        self.header.narrow(self._drawer)

    def members_shown(self) -> bool:
        """Whether the panel of members is there."""
        room = self.target.startswith("#")
        return room and self.app.preferences.members_shown and self.frame.winfo_width() >= self.kit.fonts.px(FOLDED)

    def toggle_members(self) -> None:
        """Show or hide the members; in a narrow window they come as a sheet."""
        if self.frame.winfo_width() < self.kit.fonts.px(FOLDED):
            self.acting.members_sheet()
            return
        self.app.remember(members_shown=not self.app.preferences.members_shown)
        self._place()

    def toggle_drawer(self) -> None:
        """In a narrow window: show or hide the list."""
        self._drawer_open = not self._drawer_open
        self._place()

    def _scroller(self, under: tkinter.Misc) -> Any:
        path = str(under)
        for canvas, act in (
            (self.sidebar.canvas, self.sidebar.scroll),
            (self.members.canvas, self.members.scroll),
            (self.timeline.canvas, self.timeline.wheel),
        ):
            if path == str(canvas) or path.startswith(f"{canvas}."):
                return act
        return self.app.scroller(path)

    # --- conversations ---

    def open(self, target: str, seq: int | None = None, id: str = "") -> None:
        """Look at a conversation; at the place of a message, when its seq is given."""
        summary = self.model.conversations.get(target)
        if target != self.target:
            early = "" if self.target else self.composer.content  # typed before any conversation was known
            self._leave()
            self.target = target
            self.since = summary.read if summary and summary.unread else None
            self.composer.leave()
            self.composer.attaching.put(self.filing.kept.get(target, ()))
            self.composer.put(self.model.drafts.get(target, "") or early)
            self.composer.invite(_("Message {name}").format(name=title(self.model, target)))
        self._opened, self._fresh, self._goal = time.monotonic(), True, id
        self._drawer_open = False
        self.pointing.selection.clear()
        self.timeline.clear()
        self._place()
        if seq is not None:
            self.app.runner.around(target, seq)
        else:
            self.app.runner.open(target)
            self._fresh = target not in self.model.windows
            self._first()
        self.app.last_target(target)
        self.refresh()
        self.composer.text.focus_set()
        self._stop_waiting()
        self._waiting = self.app.root.after(320, self._waited)

    def _waited(self) -> None:
        """Longer than a moment: a skeleton stands for what is on its way."""
        self._waiting = ""
        self.overlay.draw()

    def _stop_waiting(self) -> None:
        if self._waiting:
            self.app.root.after_cancel(self._waiting)
            self._waiting = ""

    def close(self) -> None:
        """Take the window's content away; no clock of its runs any more."""
        self._stop_waiting()
        if self._drawing:
            self.app.root.after_cancel(self._drawing)
        self.banner.close()
        self.typing.close()
        self.composer.close()
        self.timeline.clear()
        self.app.root.below = list
        self.frame.destroy()

    def _leave(self) -> None:
        self.filing.kept[self.target] = list(self.composer.attaching.files)
        self.filing.left()
        if self.target and self.target in self.model.conversations:
            if self._history[-1:] != [self.target]:
                self._history.append(self.target)
            del self._history[:-30]

    def back(self) -> None:
        """The conversation before this one."""
        while self._history:
            target = self._history.pop()
            if target in self.model.conversations and target != self.target:
                here = self.target
                self.open(target)
                if self._history[-1:] == [here]:
                    self._history.pop()
                return

    def _first(self) -> None:
        """The first picture of a conversation whose messages are at hand."""
        if self.target not in self.model.windows:
            return
        found = self._rows()
        goal = self._goal or ("new" if any(row.kind == "new" for row in found) else "")
        self.timeline.open(found, self._look(), goal)
        if self._goal:
            self.timeline.to(self._goal)
        self._goal = ""

    def _look(self) -> Look:
        return Look(self.app.fonts, self.model.me, shows)

    def _rows(self) -> list[Row]:
        return [self.filing.known(row) for row in rows(self.model, self.target, Moment(time.time()), self.since)]

    def changed(self, changes: list[Change]) -> None:
        """The model has taken these changes in."""
        for change in changes:
            if isinstance(change, Answered):
                change.then(change.result, change.error)
                if self.app.window is not self:
                    return  # somebody signed out, or in: there is nothing to draw on
            elif isinstance(change, Fetched):
                self.filing.changed(change)
            elif isinstance(change, Connection) and change.state == "connected":
                self.filing.ask_limit()
            elif isinstance(change, Page) and self._waits_for(change):
                self._fresh = False
                self._first()
            self.acting.notify(change)
        if room := self._joining.there(self.model.conversations, time.monotonic()):
            self.open(room)
        if self.target and self.target not in self.model.conversations and not self.target_exists():
            self.open(self._somewhere())
        if time.monotonic() - self._drawn > PACE:
            self.refresh()
        elif not self._drawing:  # much arrives: what came meanwhile is drawn at once
            self._drawing = self.app.root.after(int(PACE * 1000), self.refresh)

    def typed(self, text: str) -> None:
        """A text was sent: where it is a /join, the room is opened once it is there."""
        self._joining.typed(text, time.monotonic())

    def _waits_for(self, page: Page) -> bool:
        begins = page.target == self.target and page.place in ("latest", "around")
        return begins and bool(self._fresh or self._goal)

    def target_exists(self) -> bool:
        """A direct conversation may be looked at before anything was written; a room not after one has left it."""
        return not self.target.startswith("#") or self.model.connection.state in ("connecting", "offline")

    def _somewhere(self) -> str:
        order = self.model.order()
        return order[0].target if order else LOBBY

    def refresh(self) -> None:
        """Draw what is new."""
        if self._drawing:
            self.app.root.after_cancel(self._drawing)
            self._drawing = ""
        self._drawn = time.monotonic()
        if not self.target:
            kept = self.app.kept_target()
            known = kept in self.model.conversations
            if known or self.model.conversations:
                self.open(kept if known else self._somewhere())
            else:
                self.overlay.draw()
                self._frames()
            return
        if self.target in self.model.windows and not (self._fresh and self._goal):
            self.timeline.show(self._rows(), self._look())
        self._frames()
        self.overlay.draw()
        self.pointing.refresh()
        if self.app.viewer is not None:
            self.app.viewer.draw()
        self._read()

    def _frames(self) -> None:
        moment = Moment(time.time())
        self.sidebar.show(listing(self.model, moment, self.query), self.target)
        self.header.show()
        self.foot.show()
        self.typing.show()
        self.banner.show(self.model, self.timeline.canvas)
        if self.members_shown():
            self.members.show(self.model, self.target)
        self.app.titled(sum(1 for each in self.model.unread() if each.target != self.target or not self.app.in_front))

    # --- reading ---

    def _more(self, where: str) -> None:
        window = self.model.windows.get(self.target)
        if window is None or (where == "older" and window.start) or (where == "newer" and window.live):
            return
        getattr(self.app.runner, where)(window)

    def _scrolled(self) -> None:
        self.overlay.draw()
        corners.again(self.app.root)
        if self.pointing.selection.chosen:
            self.pointing.selection.draw()
        self._read()

    def _read(self) -> None:
        """What is in view of somebody who looks at the window is read."""
        window, summary = self.model.windows.get(self.target), self.model.conversations.get(self.target)
        if not (window and summary and self.app.in_front and window.live and self.timeline.at_end):
            return
        seq = max(window.position, window.messages[-1]["seq"] if window.messages else 0)
        if seq > max(summary.read, self._sent_read.get(self.target, 0)):
            self._sent_read[self.target] = seq
            self.app.runner.read(self.target, seq)

    def mark_read(self) -> None:
        """Esc: everything is read, the new line goes, the view is at the end."""
        self.since = None
        window = self.model.windows.get(self.target)
        if window is not None and not window.live:
            self.latest()
            return
        self.timeline.choose("")
        self.timeline.to_end()
        self.refresh()

    def latest(self) -> None:
        """To the latest message."""
        window = self.model.windows.get(self.target)
        if window is not None and not window.live:
            self.open(self.target)
            self._fresh = True
        else:
            self.timeline.to_end()
        self.refresh()

    # --- the list ---

    def _searched(self) -> None:
        query = self.find.get()
        if query != self.query:
            self.query = query
            self._frames()

    def _first_found(self) -> None:
        found = next((each for each in self.sidebar.lines if each.kind == "conversation"), None)
        self.clear_find()
        if found is not None:
            self.open(found.target)

    def clear_find(self) -> None:
        """The list shows everything again."""
        self.find.delete(0, "end")
        self.query = ""
        self._frames()

    def neighbour(self, by: int, unread: bool = False) -> None:
        """The conversation before (-1) or behind (1) in the list; of those with something new."""
        order = [each.target for each in self.model.order()]
        new = {each.target for each in self.model.unread()}
        at = order.index(self.target) if self.target in order else 0
        for _step in order:
            at = (at + by) % len(order)
            if not unread or order[at] in new:
                if order[at] != self.target:
                    self.open(order[at])
                return
