"""Where one writes: a field that grows, what is replied to or edited, completion, the ways to send."""

from __future__ import annotations

import tkinter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from alonechat.core.client.complete import Completion
from alonechat.core.client.present import short
from alonechat.core.client.rows import Row
from alonechat.core.client.words import _
from alonechat.ui.gui.attaching import Attaching
from alonechat.ui.gui.draw import Painter
from alonechat.ui.gui.flow import elided
from alonechat.ui.gui.keys import name_of
from alonechat.ui.gui.popup import Choice, Options
from alonechat.ui.gui.style import Kit

LINES = 8
"""Lines that the field grows to before it scrolls."""


class Acts(Protocol):
    """What the window does for the composer. `target` is empty before any conversation is known."""

    @property
    def target(self) -> str: ...
    def send(self, text: str, reply: str | None, edit: str | None, files: Sequence[Path]) -> None: ...
    def typed(self, text: str) -> None: ...
    def completion(self, text: str, cursor: int) -> Completion | None: ...
    def edit_last(self) -> None: ...
    def key(self, name: str, writing: bool) -> str | None: ...
    def pick_emoji(self) -> None: ...
    def choose_files(self) -> None: ...
    def pasted(self) -> list[Path]: ...
    def fits(self, files: Sequence[Path]) -> list[Path]: ...


class Composer:
    """`reply` and `edit` say which message the text is about. Enter sends, or with `enter_sends` off Ctrl-Enter."""

    def __init__(self, parent: Any, kit: Kit, painter: Painter, acts: Acts, enter_sends: bool = True) -> None:
        self._kit, self._painter, self._acts, self._enter_sends = kit, painter, acts, enter_sends
        self.reply: Row | None = None
        self.edit: Row | None = None
        self._kept = self._leaving = ""
        self._completion: Completion | None = None
        get = kit.palette.get
        self.frame = kit.frame(parent, "ground")
        self.box = kit.frame(
            self.frame, "other", corner_radius=14, border_width=1, border_color=get("other"), bg_color=get("ground")
        )
        self.box.pack(fill="x", expand=True)
        self.box.grid_columnconfigure(0, weight=1)
        self._strip = self._make_strip()
        self.attaching = Attaching(self.box, kit, painter, self._attached)
        self.attaching.emptied = lambda: self.text.focus_set()
        self.text = self._make_text()
        icons = kit.frame(self.box)
        icons.grid(row=2, column=1, sticky="se", padx=(4, 6), pady=5)
        self.clip = kit.icon(icons, "clip", acts.choose_files, _("Send files (Ctrl-O)"), ground="other")
        self.clip.pack(side="left")
        self.smile = kit.icon(icons, "smile", acts.pick_emoji, _("Emoji"), ground="other")
        self.smile.pack(side="left")
        self.go = kit.icon(icons, "send", self.submit, _("Send"), ground="other", colour="accent")
        self.go.pack(side="left")
        self.popup = Options(self._root(), painter, lambda _value: self._take())
        self.popup.canvas.configure(highlightthickness=1, highlightbackground=get("pressed"))

    def _root(self) -> Any:
        return self.frame.winfo_toplevel()

    def _make_strip(self) -> Any:
        strip = self._kit.frame(self.box)
        strip.grid_columnconfigure(1, weight=1)
        self._strip_icon = tkinter.Label(strip, bg=self._kit.palette.get("other"), bd=0)
        self._strip_icon.grid(row=0, column=0, padx=(12, 8), pady=(8, 0))
        self._strip_text = self._kit.label(strip, "", "small", "secondary")
        self._strip_text.grid(row=0, column=1, sticky="ew", pady=(8, 0))
        close = self._kit.icon(strip, "close", self.leave, _("Cancel"), size=26, glyph=14, ground="other")
        close.grid(row=0, column=2, padx=6, pady=(6, 0))
        return strip

    def _make_text(self) -> tkinter.Text:
        get, fonts = self._kit.palette.get, self._painter.fonts
        font = fonts.fonts["text"]
        space = max(fonts.line("text") - fonts.height("text")[1], 0)
        text = tkinter.Text(
            self.box, height=1, wrap="word", undo=True, maxundo=200, bd=0, highlightthickness=0, font=font,
            bg=get("other"), fg=get("text"), insertbackground=get("accent"), insertwidth=2,
            selectbackground=get("selection"), selectforeground=get("text"), inactiveselectbackground=get("selection"),
            spacing1=space // 2, spacing3=space - space // 2, padx=0, pady=0,
        )  # fmt: skip
        text.grid(row=2, column=0, sticky="ew", padx=(fonts.px(14), 0), pady=fonts.px(11))
        self._hint = tkinter.Label(
            self.box, bg=get("other"), fg=get("secondary"), font=font, cursor="xterm", bd=0, padx=0, pady=0
        )
        self._hint.bind("<Button-1>", lambda _e: text.focus_set())
        text.bind("<Key>", self._pressed)
        text.bind("<<Modified>>", self._modified)
        text.bind("<FocusIn>", lambda _e: self.box.configure(border_color=get("accent")))
        text.bind("<FocusOut>", self._left)
        text.bind("<<Paste>>", self._pasted)
        text.bind("<Configure>", lambda _e: self._grow())
        self.box.bind("<Configure>", lambda event: self.attaching.arrange(event.width), add="+")
        return text

    # --- what stands in it ---

    @property
    def content(self) -> str:
        """The text, as it is written."""
        return self.text.get("1.0", "end-1c")

    def put(self, text: str) -> None:
        """Replace the text."""
        self.text.delete("1.0", "end")
        self.text.insert("1.0", text)
        self.text.edit_reset()
        self.text.edit_modified(False)
        self._changed()

    def insert(self, text: str) -> None:
        """Put something where the cursor is."""
        with suppress(tkinter.TclError):  # nothing is selected
            self.text.delete("sel.first", "sel.last")
        self.text.insert("insert", text)
        self.text.focus_set()

    def invite(self, text: str) -> None:
        """What stands there while it is empty."""
        self._hint.configure(text=text)
        self._hinted()

    def answer(self, row: Row) -> None:
        """Reply to a message."""
        if self.edit is not None:
            self.leave()
        self.reply = row
        name = row.name or row.author
        text = short(row.text or ", ".join(file.name for file in row.files), 80)
        self._stripped("reply", _("Reply to {name}: {text}").format(name=name, text=text))

    def change(self, row: Row) -> None:
        """Edit a message of one's own; what was written comes back afterwards."""
        if self.edit is None:
            self._kept = self.content
        self.reply, self.edit = None, row
        self.put(row.written_text)
        self._stripped("edit", _("Edit: {text}").format(text=short(row.text, 80)))

    def leave(self) -> bool:
        """Neither reply nor edit any more; whether there was something."""
        was = self.reply is not None or self.edit is not None
        if self.edit is not None:
            self.put(self._kept)
        self.reply = self.edit = None
        self._strip.grid_forget()
        self.text.focus_set()
        return was

    def _stripped(self, icon: str, text: str) -> None:
        px = self._painter.fonts.px
        image = self._kit.pictures.icon(icon, px(16), self._kit.palette.get("accent"))
        self._strip_icon.configure(image=image)
        room = max(self.box.winfo_width() - px(110), px(100))
        self._strip_text.configure(text=elided(text, room, "small", self._painter.fonts))
        self._strip.grid(row=0, column=0, columnspan=2, sticky="ew")
        self.text.focus_set()

    def submit(self) -> None:
        """Send what is written; it stays where it is as long as there is nowhere to send it to."""
        text, files = self.content, [] if self.edit is not None else self.attaching.files
        if not (text.strip() or files) or not self._acts.target:
            return
        reply, edit = self.reply, self.edit
        kept = self._kept if edit is not None else ""
        self.reply = self.edit = None
        self._strip.grid_forget()
        self.put(kept)
        self._close_popup()
        reply_id = reply.event["id"] if reply is not None and reply.event else None
        if files:
            self.attaching.put(())
        self._acts.send(text, reply_id, edit.event["id"] if edit is not None and edit.event else None, files)

    # --- files ---

    def attach(self, files: Sequence[Path]) -> None:
        """These are sent, too, with the next message: those that the server takes."""
        if self.edit is not None:
            self.leave()
        fresh = [path for path in files if path not in self.attaching.files]
        self.attaching.put(self._acts.fits([*self.attaching.files, *fresh]))
        self.text.focus_set()

    def _attached(self) -> None:
        if self.attaching.files:
            pads = self._painter.fonts.px(12) / self._painter.fonts.scale
            self.attaching.frame.grid(row=1, column=0, columnspan=2, sticky="ew", padx=pads, pady=(pads, 0))
        else:
            self.attaching.frame.grid_forget()

    def _pasted(self, _event: object) -> str | None:
        files = self._acts.pasted()
        if files:
            self.attach(files)
        return "break" if files else None

    def redraw(self) -> None:
        """A picture was decoded."""
        self.attaching.redraw()

    # --- while one writes ---

    def _modified(self, _event: object) -> None:
        if self.text.edit_modified():
            self.text.edit_modified(False)
            self._changed()
            if self.edit is None:
                self._acts.typed(self.content)
            self._suggest(False)

    def _changed(self) -> None:
        self._hinted()
        self._grow()

    def _hinted(self) -> None:
        if self.content:
            self._hint.place_forget()
        else:
            self._hint.place(in_=self.text, x=1, rely=0.5, anchor="w")

    def _grow(self) -> None:
        try:
            counted = self.text.count("1.0", "end", "displaylines")
        except tkinter.TclError:
            return
        lines = counted[0] if isinstance(counted, tuple) else counted or 1
        lines = max(1, min(int(lines), LINES))
        if int(self.text.cget("height")) != lines:
            self.text.configure(height=lines)
            self.text.see("insert")

    def _left(self, _event: object) -> None:
        self.box.configure(border_color=self._kit.palette.get("other"))
        self._leaving = self.text.after(120, self._look)

    def _look(self) -> None:
        """The focus has gone: a click on an option has had its turn."""
        self._leaving = ""
        if self.text.focus_get() is not self.text:
            self._close_popup()

    def close(self) -> None:
        """No clock runs any more, and the options, which lie over the whole window, are gone."""
        if self._leaving:
            self.text.after_cancel(self._leaving)
        self.popup.canvas.destroy()

    def _pressed(self, event: tkinter.Event[tkinter.Misc]) -> str | None:
        key = name_of(event)
        if self._completion is not None and (found := self._in_popup(key)):
            return found
        sends = "enter" if self._enter_sends else "ctrl+enter"
        if key in (sends, "ctrl+enter"):
            self.submit()
            return "break"
        if key in ("enter", "alt+enter", "shift+enter", "ctrl+j"):
            self.text.insert("insert", "\n")
            self.text.see("insert")
            return "break"
        if key == "up" and not self.content and self.edit is None:
            self._acts.edit_last()
            return "break"
        if key == "tab" and (self.content or self._completion):
            self._suggest(True)
            return "break" if self._completion else None
        if key == "ctrl+a":
            self.text.tag_add("sel", "1.0", "end-1c")
            return "break"
        return self._acts.key(key, True)  # before Tk's own editing keys, of which Ctrl-K is one

    # --- completion ---

    def _suggest(self, asked: bool) -> None:
        cursor = len(self.text.get("1.0", "insert"))
        found = self._acts.completion(self.content, cursor)
        begun = found is not None and self.content[found.start : found.start + 1] in ("@", "#", "/", ":")
        if found is None or not (begun or asked):
            self._close_popup()
            return
        self._completion = found
        choices = [
            Choice(each.insert, each.shown, each.detail, each.shown[1:] if each.kind == "name" else "")
            for each in found.options
        ]
        self.popup.show(choices)
        self._place_popup()

    def _place_popup(self) -> None:
        root, px = self._root(), self._painter.fonts.px
        high = min(self.popup.height, px(36 * 7)) + 2
        x = self.box.winfo_rootx() - root.winfo_rootx()
        y = self.box.winfo_rooty() - root.winfo_rooty() - high - px(6)
        wide = min(self.box.winfo_width(), px(440))
        self.popup.canvas.place(x=x, y=max(y, 0), width=wide, height=high)
        self.popup.canvas.tk.call("raise", self.popup.canvas)

    def _close_popup(self) -> bool:
        was = self._completion is not None
        self._completion = None
        self.popup.canvas.place_forget()
        return was

    def _in_popup(self, key: str) -> str | None:
        if key in ("up", "shift+tab"):
            self.popup.step(-1)
        elif key == "down":
            self.popup.step(1)
        elif key == "tab" or (key == "enter" and not self._whole()):
            self._take()
        elif key == "escape":
            self._close_popup()
        else:
            return None
        return "break"

    def _whole(self) -> bool:
        """What is written is all that the marked option would make of it: there is nothing to complete."""
        found, chosen = self._completion, self.popup.chosen
        return (
            found is not None and chosen is not None and self.content[found.start : found.end] == chosen.value.strip()
        )

    def _take(self) -> None:
        found, chosen = self._completion, self.popup.chosen
        if found is None or chosen is None:
            return
        self._close_popup()
        self.text.delete(f"1.0+{found.start}c", f"1.0+{found.end}c")
        self.text.insert(f"1.0+{found.start}c", chosen.value)
        self.text.mark_set("insert", f"1.0+{found.start + len(chosen.value)}c")
        self._close_popup()
        self.text.focus_set()
