"""Sheets about rooms: join or make one, what it is about, who is in it, inviting."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from alonechat.core.client.words import _
from alonechat.ui.gui.members import sorted_members
from alonechat.ui.gui.popup import Choice, Options
from alonechat.ui.gui.sheet import Sheet

if TYPE_CHECKING:
    from alonechat.ui.gui.acting import Acting
    from alonechat.ui.gui.app import App

ROW, ROWS = 40, 6


def add_room(app: App, acting: Acting) -> Sheet:
    """Join a room of the list, or make one by a name that nobody has."""
    sheet = Sheet(app.root, app.kit, _("Join or make a room"), 440)
    kit, body, px = app.kit, sheet.body, app.fonts.px
    field = kit.entry(body, _("Name of the room"))
    field.grid(row=0, column=0, sticky="ew", pady=(0, 8))
    rooms: list[Choice] = []

    def go(target: str) -> None:
        if target in app.model.conversations:
            sheet.close()
            acting.go_room(target)
            return
        made = target not in {each.value for each in rooms}
        choice = "private" if made and access.get() == _("Private") else "open" if made else None
        app.runner.join(target, choice, lambda _result, error: joined(target, error))

    def joined(target: str, error: Exception | None) -> None:
        if error is not None:
            sheet.fail(error)
        else:
            sheet.close()
            acting.go_room(target)

    def show(_event: object = None) -> None:
        part = field.get().strip().lstrip("#").casefold()
        options.show([each for each in rooms if part in each.value.casefold()])
        make.configure(text=_("Make #{name}").format(name=part) if part and f"#{part}" not in known() else _("Join"))

    def known() -> set[str]:
        return {each.value for each in rooms}

    def enter(_event: object = None) -> None:
        name = field.get().strip().lstrip("#")
        if name:
            go(f"#{name}")
        elif options.chosen is not None:
            go(options.chosen.value)

    def took(found: Any, error: Exception | None) -> None:
        if error is not None:
            sheet.fail(error)
        elif sheet.is_open:
            for room in found["items"]:
                target = str(room.get("target") or "#" + str(room.get("name")))
                here = _("you are in it") if target in app.model.conversations else str(room.get("topic") or "")
                rooms.append(Choice(target, target, here, target, "icon:hash"))
            show()

    options = Options(body, app.painter, go, ROW)
    options.canvas.configure(height=px(ROW * ROWS), width=px(392))
    options.canvas.grid(row=1, column=0, sticky="ew")
    sheet.scroll = options.scroll
    low = kit.frame(body)
    low.grid(row=2, column=0, sticky="ew", pady=(12, 0))
    access = kit.choice(low, [_("Open"), _("Private")], _("Open"))
    access.pack(side="left")
    make = kit.button(low, _("Join"), enter)
    make.pack(side="right")
    field.bind("<KeyRelease>", show)
    field.bind("<Return>", enter)
    field.bind("<Down>", lambda _e: options.step(1))
    field.bind("<Up>", lambda _e: options.step(-1))
    sheet.show(field)
    app.runner.rest(lambda rest: rest.rooms(), took)
    return sheet


def about(app: App, acting: Acting, target: str) -> Sheet:
    """A room: its topic, which its moderators may change, its access, how many are in it."""
    sheet = Sheet(app.root, app.kit, target, 440)
    kit, body, summary = app.kit, sheet.body, app.model.conversations.get(target)
    access = summary.access if summary else ""
    words = {"open": _("Open: anybody may join and read all of it."),
             "private": _("Private: by invitation, read from one's joining on.")}  # fmt: skip
    kit.label(body, words.get(access, ""), "small", "secondary").grid(row=0, column=0, sticky="w")
    kit.label(body, _("Topic"), "strong", "secondary").grid(row=1, column=0, sticky="w", pady=(12, 2))
    topic = kit.entry(body)
    topic.insert(0, summary.topic if summary else "")
    topic.grid(row=2, column=0, sticky="ew")

    def kept(_result: object, error: Exception | None) -> None:
        if error is not None:
            sheet.fail(error)
        else:
            sheet.close()

    def keep(_event: object = None) -> None:
        app.runner.topic(target, topic.get().strip(), kept)

    def leave(further: Callable[[App, Acting, str], object]) -> None:
        sheet.close()
        further(app, acting, target)

    topic.bind("<Return>", keep)
    low = kit.frame(body)
    low.grid(row=3, column=0, sticky="ew", pady=(18, 0))
    for word, further in ((_("Members…"), members_sheet), (_("Invite…"), invite)):
        kit.button(low, word, partial(leave, further), "plain", width=96).pack(side="left", padx=(0, 8))
    kit.button(low, _("Set topic"), keep, width=100).pack(side="right")
    sheet.show(topic)
    return sheet


def members_sheet(app: App, acting: Acting, target: str) -> Sheet:
    """Who is in a room."""
    sheet = Sheet(app.root, app.kit, _("Members of {room}").format(room=target), 380)
    model, px = app.model, app.fonts.px
    words = {"online": _("online"), "away": _("away"), "busy": _("busy")}
    choices = [
        Choice(name, model.shown(name), words.get(model.presence.get(name, ""), ""), name)
        for name in sorted_members(model, target)
    ]

    def go(name: str) -> None:
        class At:
            """Where the menu opens: at the pointer."""

            x_root, y_root = app.root.winfo_pointerx(), app.root.winfo_pointery()

        acting.person_menu(name, At)

    def take(_event: object) -> None:
        if options.chosen:
            go(options.chosen.value)

    options = Options(sheet.body, app.painter, go, ROW)
    options.canvas.configure(height=px(ROW * 10), width=px(332), takefocus=1)
    options.canvas.grid(row=0, column=0)
    sheet.scroll = options.scroll
    options.canvas.bind("<Up>", lambda _e: options.step(-1))
    options.canvas.bind("<Down>", lambda _e: options.step(1))
    options.canvas.bind("<Return>", take)
    options.show(choices)
    sheet.show(options.canvas)
    return sheet


def invite(app: App, acting: Acting, target: str) -> Sheet:
    """Invite somebody to a room."""
    sheet = Sheet(app.root, app.kit, _("Invite to {room}").format(room=target), 380)
    field = app.kit.entry(sheet.body, _("Name"))
    field.grid(row=0, column=0, sticky="ew")

    def done(frame: Any, error: Exception | None) -> None:
        if error is not None:
            sheet.fail(error)
        else:
            sheet.close()
            app.toast(str((frame or {}).get("content") or _("Invited")))

    def go(_event: object = None) -> None:
        if name := field.get().strip().lstrip("@"):
            app.runner.command(target, f"/invite {name}", done)

    field.bind("<Return>", go)
    app.kit.button(sheet.body, _("Invite"), go, width=100).grid(row=1, column=0, sticky="e", pady=(14, 0))
    sheet.show(field)
    return sheet
