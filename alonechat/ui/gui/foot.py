"""The strip under the list: who one is, how one is there, settings."""

from __future__ import annotations

import tkinter
from typing import TYPE_CHECKING

from alonechat.core.client.theme import initials
from alonechat.core.client.words import _
from alonechat.ui.gui.flow import elided
from alonechat.ui.gui.parts import Avatar

if TYPE_CHECKING:
    from alonechat.ui.gui.window import Window

HIGH = 56


class Foot:
    """One's own name opens the menu of accounts and presence; the gear opens the settings."""

    def __init__(self, parent: tkinter.Misc, window: Window) -> None:
        self._window, self._kit = window, window.kit
        kit, get = window.kit, window.kit.palette.get
        self.frame = tkinter.Frame(parent, bg=get("sidebar"), height=kit.fonts.px(HIGH))
        self.frame.pack_propagate(False)
        tkinter.Frame(self.frame, bg=get("divider"), height=1).pack(side="top", fill="x")
        self.gear = kit.icon(self.frame, "gear", window.acting.settings, _("Settings (Ctrl-,)"), ground="sidebar")
        self.gear.pack(side="right", padx=(0, 10))
        self.me = tkinter.Canvas(
            self.frame, bg=get("sidebar"), highlightthickness=0, bd=0, cursor="hand2", takefocus=1, width=10
        )
        self.me.pack(side="left", fill="both", expand=True)
        for event in ("<Button-1>", "<Return>", "<space>"):
            self.me.bind(event, lambda _e: self._menu())
        for event in ("<FocusIn>", "<FocusOut>", "<Configure>"):
            self.me.bind(event, lambda _e: self.show(True))
        self._shown: tuple[object, ...] = ()

    def _menu(self) -> None:
        self._window.acting.account_menu(self.me.winfo_rootx() + 12, self.me.winfo_rooty() - 8)

    def show(self, forced: bool = False) -> None:
        """As it is now."""
        model, app = self._window.model, self._window.app
        me = model.me or app.account.username
        shown = str(model.user.get("display_name") or me)
        state = "offline" if model.connection.state == "offline" else model.presence.get(me, "online")
        if (shown, state) == self._shown and not forced:
            return
        self._shown = (shown, state)
        canvas, px, fonts, painter = self.me, self._kit.fonts.px, self._kit.fonts, app.behind
        canvas.delete("all")
        top = (px(HIGH) - px(32)) // 2
        painter.part(canvas, Avatar(px(16), top, px(32), me, initials(shown)), (0, 0), "f")
        painter.presence(canvas, state, (px(16) + px(28), top + px(28)), (px(9), "sidebar", "f"))
        words = {"online": _("online"), "away": _("away"), "busy": _("busy"), "offline": _("offline")}
        room = max(canvas.winfo_width() - px(60), px(40))
        get = self._kit.palette.get
        canvas.create_text(
            px(58), px(11), anchor="nw", text=elided(shown, room, "name", fonts), font=fonts.fonts["name"],
            fill=get("text"),
        )  # fmt: skip
        canvas.create_text(
            px(58), px(11) + fonts.line("name"), anchor="nw", font=fonts.fonts["tiny"], fill=get("secondary"),
            text=elided(f"{words.get(state, state)} · {app.server_name()}", room, "tiny", fonts),
        )  # fmt: skip
        if canvas.focus_get() is canvas:
            canvas.create_rectangle(4, 4, canvas.winfo_width() - 2, px(HIGH) - 6, outline=get("accent"), width=2)
