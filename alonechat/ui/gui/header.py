"""The strip above the messages: what one looks at, its topic, who is there, search."""

from __future__ import annotations

import tkinter
from typing import TYPE_CHECKING, Any

from alonechat.core.client.listing import title
from alonechat.core.client.words import _, n_
from alonechat.ui.gui.flow import elided

if TYPE_CHECKING:
    from alonechat.ui.gui.window import Window

HIGH = 56


class Header:
    """Title and topic on the left, figures and buttons on the right."""

    def __init__(self, parent: tkinter.Misc, window: Window) -> None:
        self._window, self._kit = window, window.kit
        kit = window.kit
        self.frame = kit.frame(parent, "ground", height=HIGH)
        self.frame.pack_propagate(False)
        self._line = tkinter.Frame(self.frame, bg=kit.palette.get("divider"), height=1)
        self._line.pack(side="bottom", fill="x")
        self._drawer = kit.icon(self.frame, "menu", window.toggle_drawer, _("Conversations"))
        buttons = kit.frame(self.frame)
        buttons.pack(side="right", padx=(0, 10))
        self._buttons = buttons
        self.search: Any = kit.icon(buttons, "search", window.acting.search, _("Search messages (Ctrl-F)"))
        self.search.pack(side="left")
        self.people: Any = kit.icon(buttons, "people", window.toggle_members, _("Members (F2)"))
        self.people.pack(side="left")
        self.more: Any = kit.icon(buttons, "more", self._menu, _("More"))
        self.more.pack(side="left")
        self._count = kit.label(self.frame, "", "small", "secondary")
        self._count.pack(side="right", padx=(8, 6))
        texts = kit.frame(self.frame)
        texts.pack(side="left", fill="both", expand=True, padx=(20, 0))
        self._texts = texts
        self._name = kit.label(texts, "", "title", height=24)
        self._topic = kit.label(texts, "", "small", "secondary", height=16)
        self._shown: tuple[object, ...] = ()
        self.frame.bind("<Configure>", lambda _e: self.show(True))
        for each in (self._topic, self._name):
            each.bind("<Button-1>", lambda _e: window.acting.details())

    def narrow(self, drawer: bool) -> None:
        """In a narrow window there is a button for the list."""
        if drawer and not self._drawer.winfo_manager():
            self._drawer.pack(side="left", padx=(8, 0), before=self._texts)
            self._texts.pack_configure(padx=(6, 0))
        elif not drawer and self._drawer.winfo_manager():
            self._drawer.pack_forget()
            self._texts.pack_configure(padx=(20, 0))

    def _menu(self) -> None:
        more = self.more
        self._window.acting.conversation_menu_at(
            self._window.target, more.winfo_rootx(), more.winfo_rooty() + more.winfo_height()
        )

    def show(self, resized: bool = False) -> None:
        """As it is now."""
        model, target = self._window.model, self._window.target
        summary = model.conversations.get(target)
        room = target.startswith("#")
        if room:
            topic = summary.topic if summary else ""
            here = (model.presence.get(name, "offline") for name in model.members.get(target, ()))
            online = sum(1 for state in here if state != "offline")
            members = max(summary.members if summary else 0, len(model.members.get(target, ())))
            there = n_("{n} member", "{n} members", members) + " · " + _("{online} online").format(online=online)
            count = there if members else ""
        else:
            topic = {
                "online": _("online"), "away": _("away"), "busy": _("busy"),
            }.get(model.presence.get(target, ""), _("offline"))  # fmt: skip
            topic = _("only you read this") if target == model.me else topic
            count = ""
        wide = self.frame.winfo_width()
        state = (title(model, target) if target else "AloneChat", topic, count, wide)
        if state == self._shown:
            return
        self._shown = state
        fonts = self._kit.fonts
        self._count.configure(text=count if wide > fonts.px(520) else "")
        taken = fonts.measure(count, "small") if wide > fonts.px(520) else 0
        space = max(wide - fonts.px(190) - taken, 60)
        self._name.configure(text=elided(state[0], space, "title", fonts))
        self._topic.configure(text=elided(topic, space, "small", fonts))
        self._name.pack_forget()
        self._topic.pack_forget()
        if topic:
            self._name.pack(anchor="w", pady=(7, 0))
            self._topic.pack(anchor="w")
        else:
            self._name.pack(anchor="w", expand=True)
        if room:
            self.people.pack(side="left", before=self.more)
        else:
            self.people.pack_forget()
