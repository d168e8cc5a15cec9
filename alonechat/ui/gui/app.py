"""The desktop client as a whole: the root window, the runner, what is remembered, which screen is shown."""

from __future__ import annotations

import gc
import threading
import tkinter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alonechat.core.client.accounts import Account
from alonechat.core.client.actions import FILE as KEYS
from alonechat.core.client.actions import changed as changed_keys
from alonechat.core.client.actions import keymap
from alonechat.core.client.model import Connection, Model
from alonechat.core.client.opening import Opening, Unusable
from alonechat.core.client.preferences import Preferences, load, save
from alonechat.core.client.runner import Runner
from alonechat.core.client.words import _
from alonechat.errors import AloneChatError
from alonechat.ui.gui import collecting
from alonechat.ui.gui.dropping import Dropping
from alonechat.ui.gui.fonts import Fonts, fontconfig, screen_scale
from alonechat.ui.gui.keys import ALT, CONTROL, as_on_desktops, name_of
from alonechat.ui.gui.notify import Notifier
from alonechat.ui.gui.palette import Palette
from alonechat.ui.gui.photos import Photos, Wanted
from alonechat.ui.gui.toast import toast
from alonechat.ui.gui.veil import Veil, Veiled
from alonechat.ui.gui.waking import Waker

if TYPE_CHECKING:
    from alonechat.ui.gui.sheet import Sheet
    from alonechat.ui.gui.viewer import Viewer
    from alonechat.ui.gui.window import Window

SIZE, BARS = (1180, 760), 70  # in pixels of the design; what title bar and taskbar take of the height
LEAST = (400, 360)
FACE = "gui"


def main(opening: Opening) -> int:
    """Open the desktop client, and return when its window is closed. Raises Unusable where there is no display."""
    app = App(opening)
    app.root.mainloop()
    return 0


def make_root(opening: Opening, preferences: Preferences) -> tuple[Any, Fonts]:
    """The root window, not shown yet. Raises Unusable with what to do."""
    import customtkinter as ctk

    from alonechat.ui.gui import style

    style.prepare()
    assets = Path(ctk.__file__).parent / "assets" / "fonts"
    try:
        with fontconfig(opening.home, assets):
            root = ctk.CTk(className="AloneChat")
            root.withdraw()
            as_on_desktops(root)
            return root, Fonts(root, preferences.font_size, screen_scale(root))
    except tkinter.TclError as error:
        raise Unusable(_("there is no display to open a window on ({reason})").format(reason=error)) from None


class App:
    """Joins everything; `window` is None while one signs in."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.preferences = load(opening.preferences)
        self.keys = keymap(FACE, changed_keys(opening.preferences.with_name(KEYS)))
        self.root, self.fonts = make_root(opening, self.preferences)
        from alonechat.ui.gui.pictures import Pictures

        collecting.take_over()
        self.root.sheets = list[Any]()
        self.root.unbind_all("<Button-1>")  # customtkinter would give the focus to whatever is clicked
        self.pictures = Pictures(self.root, opening.home)
        self.fonts.emoji = self.pictures.emoji_shown
        self.system_dark = self.preferences.windows.get("system") == "dark"
        self.motion = True
        self.in_front = True
        self.model = Model()
        self.account: Account = opening.account or Account("", "", "")
        self.runner: Runner = None  # type: ignore[assignment]
        self.window: Window | None = None
        self.screen: Any = None
        self._toast: Any = None
        self._keeping = False
        self.waker = Waker(self.root, self._changed)
        self.notifier, self.dropping = Notifier(self.waker.post), Dropping(self)
        self.photos = Photos(self.root, self.fonts.scale, self.waker.post, lambda: self.in_front and self.motion)
        self.photos.on_ready = self._photo_ready
        self.viewer: Viewer | None = None
        self._style()
        self._begin_root()
        if opening.account is not None:
            self.start(opening.account)
        else:
            self.sign_in()
        self.root.deiconify()
        self.root.after_idle(self._take_focus)
        self._ask_system()

    def _take_focus(self) -> None:
        """The composer has the focus at once, where no window manager gives it, too."""
        target = self.window.composer.text if self.window else self.screen.server
        (self.root.focus_get() or target).focus_force()

    def _begin_root(self) -> None:
        root = self.root
        root.title("AloneChat")
        tkinter.Tk.minsize(root, *(round(n * self.fonts.scale) for n in LEAST))
        tkinter.Tk.geometry(root, self._fitting(self.preferences.windows.get(FACE, "")))
        root.protocol("WM_DELETE_WINDOW", self.quit)
        root.bind("<Key>", self._pressed)
        root.bind("<ButtonPress-1>", self.beside)
        root.bind("<FocusIn>", lambda _e: self._front(True), add="+")
        root.bind("<FocusOut>", lambda _e: root.after(60, self._look_front))
        with suppress(tkinter.TclError):
            from alonechat.ui.gui import shapes

            colour = self.palette.get("accent")
            self._logo = tkinter.PhotoImage(master=root, data=shapes.png(shapes.pill(64, 64, 18), colour), format="png")
            root.iconphoto(True, self._logo)

    def _fitting(self, geometry: str) -> str:
        """The size and position that were kept, if such a window can still be seen on the screen; else `SIZE`, or what
        there is room for."""
        screen = (self.root.winfo_screenwidth(), self.root.winfo_screenheight())
        room = (screen[0], screen[1] - round(BARS * self.fonts.scale))
        fresh = "x".join(str(min(round(n * self.fonts.scale), most)) for n, most in zip(SIZE, room, strict=True))
        try:
            size, x, y = geometry.replace("-", "+").split("+")[:3]
            wide, high = (int(part) for part in size.split("x"))
            left, top = int(x), int(y)
        except ValueError:
            return fresh
        if wide < 200 or high < 200 or left > screen[0] - 80 or top > screen[1] - 80:
            return fresh
        return f"{min(wide, screen[0])}x{min(high, screen[1])}+{left}+{top}"

    # --- style ---

    @property
    def dark(self) -> bool:
        """Whether the dark theme is shown."""
        theme = self.preferences.theme
        return self.system_dark if theme == "system" else theme == "dark"

    def _style(self) -> None:
        from alonechat.ui.gui import style
        from alonechat.ui.gui.draw import Painter

        self.palette = Palette(self.dark, self.preferences.accent)
        style.apply(self.palette, self.fonts)
        self.painter = Painter(self.fonts, self.pictures, self.palette, self.photos)
        self.veil = Veil(self.pictures, self.dark)
        behind: Any = Veiled(self.palette, self.veil)
        self.behind = Painter(self.fonts, self.pictures, behind, self.photos)
        """Draws what a sheet lies over."""
        self.root.curtain = self.curtain
        self.kit = style.Kit(self.fonts, self.pictures, self.palette)
        style.ground(self.root, self.palette, self.dark)

    def curtain(self, shown: bool) -> str:
        """Darken the window behind a sheet, or not any more; the colour that the window's ground has then."""
        if self.window is not None:
            (self.veil.on if shown else self.veil.off)(self.window.frame)
        if shown:
            self.root.after(30, self._darken)  # the focus has gone by then, and what had it was drawn anew
        ground = self.palette.get("ground")
        return self.veil.dimmed(ground) if self.veil.shown else ground

    def _darken(self) -> None:
        """What is drawn behind a sheet meanwhile is dark, too."""
        if self.window is not None:
            self.veil.again(self.window.frame)

    def restyle(self) -> None:
        """Theme, accent, size or language have changed: the screen is made anew, on the same conversation."""
        target = self.window.target if self.window else ""
        self.fonts.resize(self.preferences.font_size)
        self._style()
        if self.window is None:
            self.sign_in()
            return
        self._take_down()
        self._put_up()
        if target:
            self.window.open(target)

    def _ask_system(self) -> None:
        """Whether the system is dark, and wants no motion; asking may start a program, so a thread does it."""

        def ask() -> None:
            from alonechat.ui.gui.system import dark, still

            found = dark(), still()
            with suppress(RuntimeError):  # the window is closed already
                self.waker.post(lambda: self._system(*found))

        threading.Thread(target=ask, name="alonechat-theme", daemon=True).start()

    def _system(self, dark: bool, still: bool) -> None:
        self.motion = not still
        if self.window is not None:
            self.window.timeline.motion = self.motion
        if dark != self.system_dark:
            self.system_dark = dark
            self.remember(windows={**self.preferences.windows, "system": "dark" if dark else "light"})
            if self.preferences.theme == "system":
                self.restyle()

    # --- what is remembered ---

    def change(self, **what: Any) -> None:
        """Preferences, for now."""
        self.preferences = replace(self.preferences, **what)

    def remember(self, **what: Any) -> None:
        """Preferences, for good."""
        self.change(**what)
        try:
            save(self.opening.preferences, self.preferences)
        except AloneChatError as error:
            self.toast(str(error))

    def _account_key(self) -> str:
        return f"{self.account.username}@{self.account.url}"

    def kept_target(self) -> str:
        """The conversation that was open last time."""
        return self.preferences.last.get(self._account_key(), "")

    def last_target(self, target: str) -> None:
        """What is looked at now; it is written down soon."""
        self.change(last={**self.preferences.last, self._account_key(): target})
        if not self._keeping:
            self._keeping = True
            self.root.after(1_500, self._keep)

    def _keep(self) -> None:
        self._keeping = False
        self.remember()

    def server_name(self) -> str:
        """What the server calls itself, else its address."""
        return str(self.model.server.get("name") or self.account.url.partition("://")[2])

    # --- accounts ---

    def start(self, account: Account) -> None:
        """Open an account's chat."""
        self._stop()
        self.account, self.model = account, Model()
        self.runner = Runner(account, self.opening.accounts, self.opening.home, self.waker.wake)
        self.runner.room = self.preferences.files_mib << 20
        self.runner.start()
        for change in self.runner.changes():
            self.model.apply(change)
        self._put_up()

    def _put_up(self) -> None:
        from alonechat.ui.gui.window import Window

        if self.screen is not None:
            self.screen.close()
            self.screen = None
        self.window = Window(self)
        self.window.refresh()
        if self.root.winfo_viewable():
            self.root.update_idletasks()  # what isn't on the screen can't have the focus, and keys may wait already
            self.window.composer.text.focus_set()

    def _take_down(self) -> None:
        for sheet in list(self.root.sheets):
            sheet.close()
        if self.window is not None:
            self.window.close()
            self.window = None
            gc.collect()

    def _stop(self) -> None:
        self._take_down()
        if self.runner is not None:
            self.runner.close()

    def switch(self, account: Account) -> None:
        """Go on with another account."""
        self.opening.accounts.save(account)
        self.start(account)

    def sign_in(self) -> None:
        """The screen for signing in; the account that is open stays open until there is another."""
        from alonechat.ui.gui.signin import SignIn

        self._take_down()
        if self.screen is not None:
            self.screen.close()
        self.screen = SignIn(self)

    def resume(self) -> None:
        """Back from the sign-in screen to the account that is open."""
        if self.runner is not None:
            self._put_up()

    def sign_out(self) -> None:
        """End the sign-in of this account."""

        def out(_result: object, error: Exception | None) -> None:
            if error is not None:
                self.toast(str(error))
                return
            self._stop()
            self.runner = None  # type: ignore[assignment]
            self.sign_in()

        self.runner.sign_out(out)

    def hurry(self) -> None:
        """Connect now, or sign in again where that has ended."""
        if self.model.connection.state == "signed out":
            self.sign_in()
        else:
            self.runner.hurry()

    # --- what happens ---

    def _changed(self) -> None:
        if self.runner is None:
            return
        changes = self.runner.changes()
        for change in changes:
            self.model.apply(change)
            if isinstance(change, Connection) and change.state == "connected":
                self.account = self.runner.account
        if self.window is not None and changes:
            self.window.changed(changes)
            self._darken()

    def _photo_ready(self, wanted: Wanted) -> None:
        """A picture was decoded, or can't be."""
        if self.viewer is not None:
            self.viewer.draw()
        if self.window is not None:
            self.window.timeline.redraw(wanted.path)
            self.window.composer.redraw()
            self._darken()

    def beside(self, event: Any) -> None:
        """A click beside the sheet closes it."""
        sheet, path = self.sheet, str(event.widget)
        menu = "menu" in path.rpartition(".")[2]  # of customtkinter's, which hangs under its button
        if sheet is not None and sheet.settled and not menu and not path.startswith(str(sheet.frame)):
            sheet.close()

    def come(self, account: Account, target: str) -> None:
        """A notification was clicked: to the front, with its conversation."""
        if (account.url, account.username) != (self.account.url, self.account.username):
            self.switch(account)
        for sheet in reversed(self.root.sheets):
            sheet.close()
        self.root.deiconify()
        self.root.lift()
        self.root.attributes("-topmost", True)  # some window managers raise nothing that asks for it by itself
        self.root.after(200, lambda: self.root.attributes("-topmost", False))
        self.root.focus_force()
        self._front(True)
        if self.window is None:
            self.resume()
        if self.window is not None:
            if self.window.target != target:
                self.window.open(target)
            self.window.composer.text.focus_set()

    def _front(self, front: bool) -> None:
        if front != self.in_front:
            self.in_front = front
            if front and self.window is not None:
                self.window.refresh()

    def _look_front(self) -> None:
        try:
            self._front(self.root.focus_displayof() is not None)
        except KeyError:
            self._front(True)  # a menu of Tk's own has the focus

    def titled(self, unread: int) -> None:
        """The window's title, with the number of conversations that have something new."""
        name = self.window.acting.titled() if self.window else ""
        text = f"{name} · AloneChat" if name else "AloneChat"
        text = f"({unread}) {text}" if unread else text
        if self.root.title() != text:
            self.root.title(text)

    def toast(self, text: str) -> None:
        """A sentence at the lower edge, for 3 seconds."""
        if self._toast is not None:
            self._toast.destroy()
        self._toast = toast(self, text)

    def scroller(self, path: str) -> Any:
        """What a turn of the wheel moves in the topmost sheet."""
        for sheet in reversed(self.root.sheets):
            if path.startswith(str(sheet.frame)):
                return getattr(sheet, "scroll", None)
        return None

    @property
    def sheet(self) -> Sheet | None:
        """The sheet on top."""
        return self.root.sheets[-1] if self.root.sheets else None

    # --- keys ---

    def _pressed(self, event: Any) -> str | None:
        writing = event.widget.winfo_class() in ("Text", "Entry") if hasattr(event.widget, "winfo_class") else False
        if writing and self.window is not None and event.widget is self.window.composer.text:
            return None  # the composer has asked already
        found = self.key(name_of(event), writing)
        if found is None and not writing and self.window is not None and self.sheet is None:
            return self._typed(event)
        return found

    def _typed(self, event: Any) -> str | None:
        """A letter that means nothing where the focus is goes into the composer."""
        letter = event.char if event.char and event.char.isprintable() and event.char != " " else ""
        held = isinstance(event.state, int) and event.state & (CONTROL | ALT)
        if self.window is None or not letter or held:
            return None
        self.window.composer.insert(letter)
        return "break"

    def key(self, name: str, writing: bool) -> str | None:
        """Do what a key means; "break" when it meant something."""
        from alonechat.ui.gui.doing import do

        return "break" if any(do(self, action, name, writing) for action in self.keys.get(name, ())) else None

    def quit(self) -> None:
        """Close the window; what waits to be sent is on disk."""
        self.root.withdraw()
        self.change(windows={**self.preferences.windows, FACE: tkinter.Tk.geometry(self.root)})
        with suppress(AloneChatError):  # there is nobody left to tell
            save(self.opening.preferences, self.preferences)
        if self.runner is not None:
            self.runner.close()
        for each in (self.photos, self.notifier, self.dropping, self.waker):
            each.close()
        for timer in self.root.tk.splitlist(self.root.tk.call("after", "info")):
            self.root.tk.call("after", "cancel", timer)  # customtkinter's, too: they would meet widgets that are gone
        self.root.quit()
        self.root.destroy()
        self.window = self.screen = None
        gc.collect()
