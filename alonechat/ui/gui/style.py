"""customtkinter in our colours, and its widgets made reachable by keyboard."""

from __future__ import annotations

import sys
import tkinter
from collections.abc import Callable
from typing import Any

import customtkinter as ctk
from customtkinter.windows.widgets.appearance_mode import AppearanceModeTracker
from customtkinter.windows.widgets.scaling import ScalingTracker
from customtkinter.windows.widgets.theme import ThemeManager

from alonechat.ui.gui.fonts import Font, Fonts
from alonechat.ui.gui.palette import Palette
from alonechat.ui.gui.pictures import Pictures
from alonechat.ui.gui.system import settle, title_bar


def prepare() -> None:
    """Before the first window: customtkinter's own clocks (33 looks a second at the system's theme) stay off, and so
    does what it does to a title bar: on Windows it would hide the window as the main loop begins, and leave it hidden;
    on older systems of Apple it would change what all programs are set to."""
    AppearanceModeTracker.update_loop_running = True
    ScalingTracker.update_loop_running = True
    ctk.deactivate_automatic_dpi_awareness()
    settle()
    ctk.set_appearance_mode("light")
    ctk.CTk._deactivate_windows_window_header_manipulation = True
    ctk.CTk._deactivate_macos_window_header_manipulation = True


def ground(root: Any, palette: Palette, dark: bool) -> None:
    """What the window itself shows: its ground, and on Windows a title bar as dark as that."""
    root.configure(fg_color=palette.get("ground"))
    root._iconbitmap_method_called = True  # customtkinter would put its own icon there
    if sys.platform == "win32":
        root.after(10, lambda: title_bar(int(root.wm_frame(), 16), dark))  # shown by then


def apply(palette: Palette, fonts: Fonts) -> None:
    """The theme for all widgets that are made from now on."""
    get = palette.get
    theme = ThemeManager.theme
    accent, hover, ink = get("accent"), get("hover"), get("text")
    looks: dict[str, dict[str, Any]] = {
        "CTk": {"fg_color": get("ground")},
        "CTkFrame": {"fg_color": get("ground"), "top_fg_color": get("ground"), "border_color": get("divider")},
        "CTkButton": {"fg_color": accent, "hover_color": accent, "text_color": get("on_accent"), "corner_radius": 8,
                      "text_color_disabled": get("secondary"), "border_color": get("divider")},
        "CTkLabel": {"text_color": ink},
        "CTkEntry": {"fg_color": get("ground"), "border_color": get("pressed"), "text_color": ink, "border_width": 1,
                     "placeholder_text_color": get("secondary"), "corner_radius": 8},
        "CTkSwitch": {"fg_color": get("pressed"), "progress_color": accent, "button_color": get("secondary"),
                      "button_hover_color": get("text"), "text_color": ink},
        "CTkOptionMenu": {"fg_color": hover, "button_color": hover, "button_hover_color": get("pressed"),
                          "text_color": ink, "corner_radius": 8},
        "CTkSegmentedButton": {"fg_color": hover, "selected_color": get("selected"), "text_color": ink,
                               "selected_hover_color": get("selected"), "unselected_color": hover,
                               "unselected_hover_color": get("pressed"), "corner_radius": 8},
        "CTkScrollbar": {"button_color": get("divider"), "button_hover_color": get("pressed")},
        "DropdownMenu": {"fg_color": get("ground"), "hover_color": get("hover"), "text_color": ink},
    }  # fmt: skip
    for name, values in looks.items():
        theme[name].update(values)
    for system in ("macOS", "Windows", "Linux"):
        theme["CTkFont"].setdefault(system, {})
    theme["CTkFont"]["family"] = fonts.family
    theme["CTkFont"]["size"] = round(14 * fonts.size / 14)
    theme["CTkFont"]["weight"] = "normal"
    ScalingTracker.widget_scaling = fonts.scale  # its own setter would also touch widgets of windows that are closed


class Glyph(ctk.CTkImage):  # type: ignore[misc]  # customtkinter has no types
    """An icon for customtkinter's buttons, without Pillow."""

    def __init__(self, pictures: Pictures, name: str, size: int, colour: str) -> None:
        self._size = (size, size)
        self._pictures, self._name, self._colour = pictures, name, colour
        self._configure_callback_list: list[Callable[[], None]] = []

    def create_scaled_photo_image(self, widget_scaling: float, appearance_mode: str) -> tkinter.PhotoImage:
        return self._pictures.icon(self._name, round(self._size[0] * widget_scaling), self._colour)


class Kit:
    """Makes widgets in the colours and fonts of the moment."""

    def __init__(self, fonts: Fonts, pictures: Pictures, palette: Palette) -> None:
        self.fonts, self.pictures, self.palette = fonts, pictures, palette

    def font(self, role: str) -> Font:
        """A font of ours as customtkinter takes it: it scales sizes itself."""
        family, high, *rest = self.fonts.fonts[role]
        return (family, round(-high / self.fonts.scale), *rest)

    def label(self, parent: Any, text: str = "", role: str = "text", colour: str = "text", **more: Any) -> ctk.CTkLabel:
        """A text."""
        more.setdefault("anchor", "w")
        more.setdefault("height", 20)
        return ctk.CTkLabel(parent, text=text, font=self.font(role), text_color=self.palette.get(colour), **more)

    def frame(self, parent: Any, colour: str = "transparent", **more: Any) -> ctk.CTkFrame:
        """A box."""
        fill = colour if colour == "transparent" else self.palette.get(colour)
        return ctk.CTkFrame(parent, fg_color=fill, corner_radius=more.pop("corner_radius", 0), **more)

    def button(self, parent: Any, text: str, act: Callable[[], object], kind: str = "main", **more: Any) -> Any:
        """A button with a text: `main` in the accent, `plain`, or `danger`."""
        get = self.palette.get
        looks = {
            "main": {"fg_color": get("accent"), "text_color": get("on_accent"), "hover_color": get("accent")},
            "plain": {"fg_color": get("hover"), "text_color": get("text"), "hover_color": get("pressed")},
            "danger": {"fg_color": get("hover"), "text_color": get("danger"), "hover_color": get("pressed")},
            "link": {"fg_color": "transparent", "text_color": get("accent"), "hover_color": get("hover")},
        }
        more.setdefault("height", 36)
        more.setdefault("font", self.font("name"))
        made = ctk.CTkButton(parent, text=text, command=act, border_width=2, **looks[kind], **more)
        return self.reachable(made, lambda: made.invoke())

    def icon(self, parent: Any, name: str, act: Callable[[], object], hint: str, **more: Any) -> Any:
        """A button with an icon; `hint` is shown while the pointer rests on it."""
        get = self.palette.get
        size, colour, ground = more.pop("size", 36), more.pop("colour", "secondary"), more.pop("ground", "ground")
        made = ctk.CTkButton(
            parent,
            text="",
            image=Glyph(self.pictures, name, more.pop("glyph", 20), get(colour)),
            width=size,
            height=size,
            fg_color="transparent",
            hover_color=get("hover") if ground == "ground" else get("pressed"),
            bg_color=get(ground),
            border_width=2,
            command=act,
            **more,
        )
        Hint(made, hint, self)
        return self.reachable(made, lambda: made.invoke())

    def reachable(self, widget: Any, act: Callable[[], object] | None = None) -> Any:
        """Let Tab reach a widget, show where the focus is, and let space and Enter do what a click does."""
        canvas, get = widget._canvas, self.palette.get

        def show(focused: bool) -> None:
            rest = self.at_rest(widget)  # of now: what is chosen has another one than what is not
            ring = get("text") if rest == get("accent") else get("accent")
            widget.configure(border_color=ring if focused else rest)

        canvas.configure(takefocus=1)
        if hasattr(widget, "_border_color"):
            show(False)
            canvas.bind("<FocusIn>", lambda _event: show(True), add="+")
            canvas.bind("<FocusOut>", lambda _event: show(False), add="+")
        if act is not None:
            for key in ("<Return>", "<KP_Enter>", "<space>"):
                canvas.bind(key, lambda _event: (act(), "break")[1], add="+")
        return widget

    def choice(self, parent: Any, words: list[str], now: str, act: Callable[[str], object] = lambda _word: None) -> Any:
        """A few words of which one holds. The focus goes to the one that is chosen: else the one that it was on would
        look chosen as well."""

        def chose(word: str) -> None:
            buttons[word]._canvas.focus_set()
            for other in buttons.values():
                if other is not buttons[word]:
                    other.configure(border_color=self.at_rest(other))
            act(word)

        made = ctk.CTkSegmentedButton(
            parent, values=words, command=chose, font=self.font("name"), height=34, border_width=2
        )
        buttons = made._buttons_dict
        made.set(now)
        for button in buttons.values():
            self.reachable(button, button.invoke)
        return made

    def at_rest(self, widget: Any) -> str:
        """The colour that hides a widget's border: there is none where the focus is not."""
        fill, ground = str(widget._fg_color), str(widget._bg_color)
        if fill != "transparent":
            return fill
        return self.palette.get("ground") if ground == "transparent" else ground

    def entry(self, parent: Any, hint: str = "", **more: Any) -> ctk.CTkEntry:
        """A field for a line; its border shows the focus."""
        get = self.palette.get
        more.setdefault("height", 38)
        made = ctk.CTkEntry(parent, font=self.font("text"), **more)
        if hint:
            self._hinted(made, hint)
        idle = more.get("border_color", get("pressed"))
        made.bind("<FocusIn>", lambda _event: made.configure(border_color=get("accent")), add="+")
        made.bind("<FocusOut>", lambda _event: made.configure(border_color=idle), add="+")
        return made

    def _hinted(self, made: ctk.CTkEntry, hint: str) -> None:
        """What belongs in a field stands in it until something does; customtkinter's own goes as soon as the focus
        comes, which is when a field is looked at."""
        field, get = made._entry, self.palette.get
        text = tkinter.StringVar(field)
        label = tkinter.Label(
            field, text=hint, font=self.fonts.fonts["text"], fg=get("secondary"), bg=field.cget("bg"), bd=0, padx=0,
            pady=0, cursor="xterm",
        )  # fmt: skip

        def show(*_changed: str) -> None:
            if text.get():
                label.place_forget()
            else:
                label.place(x=self.fonts.px(4), rely=0.5, anchor="w")

        field.configure(textvariable=text)
        text.trace_add("write", show)
        label.bind("<Button-1>", lambda _event: field.focus_set())
        show()


class Hint:
    """A word about a button, while the pointer rests on it."""

    def __init__(self, widget: Any, text: str, kit: Kit) -> None:
        self._widget, self._text, self._kit = widget, text, kit
        self._timer = ""
        self._shown: tkinter.Label | None = None
        for each in (widget._canvas, widget):
            each.bind("<Enter>", self._entered, add="+")
            each.bind("<Leave>", self._left, add="+")
            each.bind("<ButtonPress-1>", self._left, add="+")

    def _entered(self, _event: object) -> None:
        self._left(None)
        self._timer = self._widget.after(600, self._show)

    def _left(self, _event: object) -> None:
        if self._timer:
            self._widget.after_cancel(self._timer)
            self._timer = ""
        if self._shown is not None:
            self._shown.destroy()
            self._shown = None

    def _show(self) -> None:
        self._timer = ""
        get, root = self._kit.palette.get, self._widget.winfo_toplevel()
        label = tkinter.Label(
            root, text=self._text, bg=get("text"), fg=get("ground"), padx=8, pady=4, font=self._kit.fonts.fonts["small"]
        )
        label.update_idletasks()
        x = self._widget.winfo_rootx() - root.winfo_rootx() + self._widget.winfo_width() // 2
        x = min(max(x - label.winfo_reqwidth() // 2, 4), root.winfo_width() - label.winfo_reqwidth() - 4)
        y = self._widget.winfo_rooty() - root.winfo_rooty() + self._widget.winfo_height() + 4
        if y + label.winfo_reqheight() > root.winfo_height():
            y -= self._widget.winfo_height() + label.winfo_reqheight() + 8
        label.place(x=x, y=y)
        label.lift()
        self._shown = label
