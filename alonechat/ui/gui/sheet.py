"""A sheet over the window: a dialog without a window of its own. Esc closes it, Tab stays in it."""

from __future__ import annotations

import time
import tkinter
from collections.abc import Callable
from typing import Any

from alonechat.core.client.words import _
from alonechat.ui.gui.corners import Corners
from alonechat.ui.gui.style import Kit

RADIUS = 16
TWICE = 0.3
"""Seconds within which two clicks are one that is double."""


class Sheet:
    """`body` takes what the dialog holds. `top`: it hangs from the top, as a search does, rather than in the middle."""

    def __init__(self, root: Any, kit: Kit, title: str, width: int = 420, top: bool = False) -> None:
        self.root, self.kit = root, kit
        get = kit.palette.get
        self._before = root.focus_get()
        self._on_close: list[Callable[[], None]] = []
        self.frame = kit.frame(
            root, "ground", corner_radius=RADIUS, border_width=1, border_color=get("pressed"), width=width
        )
        self.corners = Corners(self.frame, kit.fonts.px(RADIUS), getattr(root, "below", list))
        self.frame.grid_columnconfigure(0, weight=1, minsize=round(width * kit.fonts.scale) - 40)
        self.title = title
        if title:
            head = kit.frame(self.frame)
            head.grid(row=0, column=0, sticky="ew", padx=(24, 14), pady=(18, 6))
            head.grid_columnconfigure(0, weight=1)
            kit.label(head, title, "title", height=28).grid(row=0, column=0, sticky="w")
            kit.icon(head, "close", self.close, _("Close"), size=32, glyph=18).grid(row=0, column=1)
        self.body = kit.frame(self.frame)
        self.body.grid(row=1, column=0, sticky="nsew", padx=24, pady=(4, 22))
        self.body.grid_columnconfigure(0, weight=1)
        self.frame.grid_rowconfigure(1, weight=1)
        self._top = top
        self.error = kit.label(self.frame, "", "small", "danger", wraplength=width - 48, justify="left")
        self.is_open, self.darkens = True, True
        self.scroll: Callable[[int], object] | None = None
        """What the wheel moves while the sheet is there, by pixels."""
        self.asks = False
        """The server was asked for something, and has not answered."""
        self.settled = False
        """The click that opened it is over; the next one beside it closes it."""
        root.sheets.append(self)

    def show(self, focus: Any = None) -> None:
        """Put it up, the focus in `focus`."""
        if self._top:
            self.frame.place(relx=0.5, y=self.kit.fonts.px(56) / self.kit.fonts.scale, anchor="n")
        else:
            self.frame.place(relx=0.5, rely=0.5, anchor="center")
        if self.darkens:
            self.frame.configure(bg_color=self.root.curtain(True))
        self.frame.lift()
        self.root.bind_class(self._tag, "<Tab>", lambda event: self._go(event, 1))
        self.root.bind_class(self._tag, "<Shift-Tab>", lambda event: self._go(event, -1))
        if self.root.tk.call("tk", "windowingsystem") == "x11":
            self.root.bind_class(self._tag, "<ISO_Left_Tab>", lambda event: self._go(event, -1))
        self.frame.update_idletasks()
        for each in self._inside(self.frame):
            each.bindtags((self._tag, *each.bindtags()))
        target = focus if focus is not None else self._first()
        target.focus_set()
        self.root.after_idle(self._settle)

    def _settle(self) -> None:
        self.settled = True

    @property
    def _tag(self) -> str:
        return f"Sheet{self.frame}"

    def _inside(self, widget: tkinter.Misc) -> list[tkinter.Misc]:
        found = [widget]
        for each in widget.winfo_children():
            found += self._inside(each)
        return found

    def _first(self) -> Any:
        """What has the focus at first: the first in the body, rather than the cross that closes."""
        stops = self._stops()
        inside = (each for each in stops if str(each).startswith(f"{self.body}."))
        return next(inside, stops[0] if stops else self.frame)

    def _stops(self) -> list[Any]:
        """What Tab goes through."""
        found = []
        for each in self._inside(self.frame):
            kind = each.winfo_class()
            takes = kind == "Canvas" and str(each.tk.call(str(each), "cget", "-takefocus")) == "1"
            if each.winfo_viewable() and (kind in ("Entry", "Text") or takes):
                found.append(each)
        return found

    def _go(self, event: Any, by: int) -> str:
        stops = self._stops()
        if stops:
            here = stops.index(event.widget) if event.widget in stops else -1
            stops[(here + by) % len(stops)].focus_set()
        return "break"

    def fail(self, error: object) -> None:
        """Say in place what went wrong; an empty text takes it away."""
        text = str(error or "")
        self.error.configure(text=text[:1].upper() + text[1:])
        if text:
            self.error.grid(row=2, column=0, sticky="ew", padx=24, pady=(0, 18))
        else:
            self.error.grid_forget()

    def closing(self, act: Callable[[], None]) -> None:
        """Have something done when it is closed."""
        self._on_close.append(act)

    def close(self) -> None:
        """Take it away; the focus goes back."""
        if not self.is_open:
            return
        self.is_open = False
        self.root.sheets.remove(self)
        for act in self._on_close:
            act()
        self.corners.close()
        self.frame.destroy()
        if not any(isinstance(each, Sheet) and each.darkens for each in self.root.sheets):
            self.root.curtain(False)
        try:
            if self._before is not None and self._before.winfo_exists():
                self._before.focus_set()
        except (tkinter.TclError, KeyError):
            self.root.focus_set()  # what had the focus is gone, too


def ask(root: Any, kit: Kit, question: tuple[str, str, str], act: Callable[[], object], clicked: bool = False) -> Sheet:
    """A question with one way to go on: title, text, and the word on the button. `clicked`: it appears under a pointer
    that has just clicked, and perhaps does so once more, which is no answer."""
    title, text, word = question
    sheet = Sheet(root, kit, title, 380)
    kit.label(sheet.body, text, wraplength=330, justify="left").grid(row=0, column=0, sticky="w", pady=(0, 16))
    buttons = kit.frame(sheet.body)
    buttons.grid(row=1, column=0, sticky="e")
    begun = time.monotonic()

    def go() -> None:
        if clicked and time.monotonic() - begun < TWICE:
            return
        sheet.close()
        act()

    kit.button(buttons, _("Cancel"), sheet.close, "plain", width=96).pack(side="left", padx=(0, 8))
    yes = kit.button(buttons, word, go, "danger", width=96)
    yes.pack(side="left")
    sheet.show(yes._canvas)
    return sheet
