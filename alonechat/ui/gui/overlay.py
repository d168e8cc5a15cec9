"""What lies over the messages: the way to the latest, words for an empty place, a skeleton while one waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from alonechat.core.client.words import _, n_
from alonechat.ui.gui.parts import Area, Fill, Icon, Label

if TYPE_CHECKING:
    from alonechat.ui.gui.window import Window

SKELETON = ((0, 220, 40), (0, 300, 40), (1, 180, 40), (0, 340, 60), (1, 260, 40), (0, 200, 40))
"""Bubbles that stand for messages on their way: whose side, width, height."""
PATIENCE = 0.3


class Overlay:
    """Drawn on the timeline's canvas."""

    def __init__(self, window: Window) -> None:
        self._window, self._timeline = window, window.timeline
        self._seen = 0
        self._target = ""
        self._button: Area | None = None
        self._timeline.canvas.tag_bind("jump", "<Button-1>", lambda _e: window.latest())

    def draw(self) -> None:
        """As it is now."""
        window, timeline = self._window, self._timeline
        timeline.canvas.delete("overlay")
        if window.target != self._target:
            self._target, self._seen = window.target, 0
        there = window.model.windows.get(window.target)
        if there is None:
            if time.monotonic() - window._opened > PATIENCE:
                self._skeleton()
            return
        if not timeline.rows:
            self._empty()
            return
        last = there.messages[-1]["seq"] if there.messages else 0
        if timeline.at_end and there.live:
            self._seen = last
            return
        new = 0
        if self._seen and there.live:
            theirs = (m for m in there.messages if m["seq"] > self._seen and m["sender"] != window.model.me)
            new = sum(1 for message in theirs if message["type"] == "TEXT")
        self._jump(n_("{n} new", "{n} new", new) if new else "")

    def _jump(self, text: str) -> None:
        timeline, painter = self._timeline, self._timeline.painter
        px, fonts = painter.fonts.px, painter.fonts
        high = px(38)
        wide = high + (fonts.measure(text, "strong") + px(10) if text else 0)
        right = timeline.left + timeline.column
        x0, y0 = right - wide, timeline.offset + timeline.height - high - px(10)
        box = (x0, y0, right, y0 + high)
        tags = ("overlay", "jump")
        painter.fill(timeline.canvas, box, Fill(*box, "ground", high // 2, "pressed"), tags)
        for part in (
            Icon(px(10), px(10), "down", px(18), "accent"),
            Label(px(34), (high - fonts.height("strong")[1]) // 2, text, "strong", "accent"),
        ):
            painter.part(timeline.canvas, part, (x0, y0), tags)

    def _empty(self) -> None:
        window, timeline = self._window, self._timeline
        name = window.target
        text = (
            _("Nothing has been said here yet. Write the first message.")
            if name.startswith("#")
            else _("Write to {name}. Only the two of you read it.").format(name=window.model.shown(name))
        )
        fonts = timeline.painter.fonts
        timeline.canvas.create_text(
            timeline.width / 2, timeline.offset + timeline.height / 2, text=text, width=fonts.px(320), justify="center",
            font=fonts.fonts["text"], fill=timeline.painter.palette.get("secondary"), tags="overlay",
        )  # fmt: skip

    def _skeleton(self) -> None:
        timeline, px = self._timeline, self._timeline.painter.fonts.px
        y = timeline.offset + timeline.height - px(16)
        for side, wide, high in SKELETON:
            y -= px(high)
            x0 = timeline.left + (timeline.column - px(wide) if side else px(48))
            box = (x0, y, x0 + px(wide), y + px(high))
            timeline.painter.fill(timeline.canvas, box, Fill(*box, "other", px(12)), "overlay")
            y -= px(14)
