"""A picture as large as the window: the next and the one before by keys, save, open, close."""

from __future__ import annotations

import tkinter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alonechat.core.client.files import File, label
from alonechat.core.client.rows import Row
from alonechat.core.client.words import _
from alonechat.ui.gui.attached import fitted
from alonechat.ui.gui.flow import elided
from alonechat.ui.gui.palette import Palette
from alonechat.ui.gui.photos import Wanted
from alonechat.ui.gui.style import Kit

if TYPE_CHECKING:
    from alonechat.ui.gui.window import Window

HEAD, SIDE, FOOT = 60, 72, 28
"""What the picture leaves free above, beside and below."""
PAUSE = 80
"""Milliseconds after which a window that is being resized has its picture made anew."""


@dataclass(frozen=True, slots=True)
class Image:
    """One picture of a conversation: its row, which of its files it is, who sent it and when."""

    key: str
    at: int
    file: File
    who: str
    time: str


def images(rows: Iterable[Row], shown: Callable[[File], bool]) -> list[Image]:
    """The pictures of these rows, in order."""
    return [
        Image(row.key, at, file, row.name or row.author, row.time)
        for row in rows
        for at, file in enumerate(row.files)
        if shown(file)
    ]


class Viewer:
    """Counts as a sheet: Esc closes it, and no key reaches the window below. Always dark: pictures look best so."""

    title = ""

    def __init__(self, window: Window, found: list[Image], here: int) -> None:
        self._window, self._app = window, window.app
        self._images, self._here = found, here
        app, root = window.app, window.app.root
        palette = Palette(True, app.preferences.accent)
        self._kit, self._get = Kit(app.fonts, app.pictures, palette), palette.get
        self._before = root.focus_get()
        self.is_open = self.settled = True
        self._timer = ""
        self._held: tkinter.PhotoImage | None = None
        self.frame = tkinter.Frame(root, bg=self._get("ground"))
        self.canvas = tkinter.Canvas(self.frame, bg=self._get("ground"), highlightthickness=0, bd=0, takefocus=1)
        self.canvas.pack(fill="both", expand=True)
        self._buttons = self._made()
        self.frame.place(x=0, y=0, relwidth=1.0, relheight=1.0)
        self.frame.lift()
        root.sheets.append(self)
        self._bind()
        self.canvas.focus_set()
        self.canvas.bind("<Configure>", lambda _e: self._soon())
        self._ask()

    def _made(self) -> dict[str, Any]:
        made = {
            name: self._kit.icon(self.frame, icon, act, hint, size=40)
            for name, icon, act, hint in (
                ("close", "close", self.close, _("Close (Esc)")),
                ("open", "link", self._open, _("Open in another program (O)")),
                ("save", "save", self._save, _("Save as… (S)")),
                ("left", "left", lambda: self.step(-1), _("The one before (←)")),
                ("right", "right", lambda: self.step(1), _("The next one (→)")),
            )
        }
        x = -10
        for name in ("close", "open", "save"):
            made[name].place(relx=1.0, x=x, y=10, anchor="ne")
            x -= 44
        return made

    def _bind(self) -> None:
        stops = [self.canvas, *(each._canvas for each in self._buttons.values())]
        for each in stops:
            for key, act in (
                ("<Left>", lambda _e: self.step(-1)),
                ("<Right>", lambda _e: self.step(1)),
                ("<Key-s>", lambda _e: self._save()),
                ("<Key-o>", lambda _e: self._open()),
                ("<Tab>", lambda _e: self._go(1)),
                ("<Shift-Tab>", lambda _e: self._go(-1)),
            ):
                each.bind(key, act)
        if self.frame.tk.call("tk", "windowingsystem") == "x11":
            for each in stops:
                each.bind("<ISO_Left_Tab>", lambda _e: self._go(-1))
        self.canvas.bind("<Button-1>", self._clicked)

    def _go(self, by: int) -> str:
        """Tab stays in here."""
        shown = [each._canvas for each in self._buttons.values() if each.winfo_viewable()]
        stops = [self.canvas, *shown]
        focus = self.frame.focus_get()
        here = stops.index(focus) if focus in stops else 0
        stops[(here + by) % len(stops)].focus_set()
        return "break"

    # --- which one ---

    @property
    def image(self) -> Image:
        """The picture that is shown."""
        return self._images[self._here]

    @property
    def file(self) -> File:
        """Its file, as it stands on this machine now."""
        file = self.image.file
        now = self._window.model.files.get(file.id)
        if not file.id or now is None:
            return file
        return replace(file, state=now.state, path=now.path, fraction=now.fraction, reason=now.reason)

    def step(self, by: int) -> str:
        """To another picture of the conversation."""
        at = self._here + by
        if 0 <= at < len(self._images):
            self._here = at
            self._ask()
            self.draw()
        return "break"

    def _ask(self) -> None:
        for at in (self._here, self._here + 1, self._here - 1):
            if 0 <= at < len(self._images) and self._images[at].file.id:
                file = self._images[at].file
                if file.id not in self._window.model.files:
                    self._window.filing.want(file)

    # --- drawing ---

    def _soon(self) -> None:
        if self._timer:
            self.canvas.after_cancel(self._timer)
        self._timer = self.canvas.after(PAUSE, self.draw)

    def draw(self) -> None:
        """As it is now."""
        if self._timer:
            self.canvas.after_cancel(self._timer)
            self._timer = ""
        canvas, px, fonts, file = self.canvas, self._app.fonts.px, self._app.fonts, self.file
        canvas.delete("all")
        wide, high = canvas.winfo_width(), canvas.winfo_height()
        if wide < 2 * px(SIDE):
            return  # not laid out yet: that comes by itself
        self._words(wide)
        room = (max(wide - 2 * px(SIDE), 40), max(high - px(HEAD) - px(FOOT), 40))
        middle = (wide // 2, px(HEAD) + room[1] // 2)
        wanted = Wanted(file.path, *fitted(file.width, file.height, room), self._get("ground"), True)
        image = self._app.photos.get(wanted) if file.path else None
        self._held = image
        if image is not None:
            canvas.create_image(*middle, image=image, tags="photo")
            return
        text = _("Loading…")
        if file.state == "failed":
            text = file.reason or _("not loaded")
        elif file.path and self._app.photos.failed(wanted):
            text = _("{name} can't be shown").format(name=file.name)
        canvas.create_text(*middle, text=text, font=fonts.fonts["text"], fill=self._get("secondary"), width=room[0])

    def _words(self, wide: int) -> None:
        canvas, px, fonts, file = self.canvas, self._app.fonts.px, self._app.fonts, self.file
        several = len(self._images) > 1
        count = _("{n} of {all}").format(n=self._here + 1, all=len(self._images)) if several else ""
        about = " · ".join(filter(None, (self.image.who, self.image.time, count)))
        for text, font, ink, y in (
            (elided(label(file), wide - px(190), "name", fonts), "name", "text", px(11)),
            (elided(about, wide - px(190), "small", fonts), "small", "secondary", px(11) + fonts.line("name")),
        ):
            canvas.create_text(px(20), y, text=text, anchor="nw", font=fonts.fonts[font], fill=self._get(ink))
        for name, there, x in (("left", self._here > 0, 14), ("right", self._here < len(self._images) - 1, -14)):
            if there:
                side = {"relx": 0.0, "anchor": "w"} if x > 0 else {"relx": 1.0, "anchor": "e"}
                self._buttons[name].place(x=x, rely=0.5, **side)
            else:
                if self.frame.focus_get() is self._buttons[name]._canvas:
                    self.canvas.focus_set()
                self._buttons[name].place_forget()

    # --- what is done with it ---

    def _clicked(self, event: Any) -> None:
        """Beside the picture, or upon it: it closes."""
        if event.y > self._app.fonts.px(HEAD):
            self.close()

    def _save(self) -> str:
        self._window.filing.save(self.file)
        return "break"

    def _open(self) -> str:
        self._window.filing.open(self.file)
        return "break"

    def close(self) -> None:
        """Take it away; the focus goes back."""
        if not self.is_open:
            return
        self.is_open = False
        self._app.root.sheets.remove(self)
        self._app.viewer = None
        if self._timer:
            self.canvas.after_cancel(self._timer)
        self.frame.destroy()
        if self._before is not None and self._before.winfo_exists():
            self._before.focus_set()
