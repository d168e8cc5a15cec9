"""Pictures that move: their frames, one after the other, for those that are on the screen of somebody who looks."""

from __future__ import annotations

import time
import tkinter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LEAST, USUAL = 0.02, 0.1
"""Seconds of a frame that asks for less than the first have the second, as in browsers."""
ROOM = 12 << 20
"""Bytes of the frames of one picture; of more, every second frame is left out, or two of three …"""
WHOLE_ROOM = 48 << 20
"""The same of the one that is looked at as large as the window."""
ALL_ROOM = 64 << 20
"""The same of all together: those that came first stand still then."""
MOST = 1_000
"""Frames that are decoded at all."""


@dataclass(slots=True)
class Frames:
    """What a picture shows: PPM, and seconds, of each frame; which one it shows, and since when."""

    pictures: list[tuple[bytes, float]]
    at: int = 0
    since: float = 0.0

    @property
    def bytes(self) -> int:
        """How much room they take."""
        return sum(len(picture) for picture, _seconds in self.pictures)

    def advance(self, now: float) -> bool:
        """Come to the frame of this moment; whether it is another one. What was not looked at goes on where it was."""
        at, left = self.at, now - self.since
        whole = sum(seconds for _picture, seconds in self.pictures)
        if left > whole:
            left = self.pictures[at][1]
        while left >= self.pictures[at][1]:
            left -= self.pictures[at][1]
            at = (at + 1) % len(self.pictures)
        changed, self.at, self.since = at != self.at, at, now - left
        return changed

    def left(self, now: float) -> float:
        """Seconds until the next one."""
        return self.since + self.pictures[self.at][1] - now


class Moving:
    """Holds the frames of pictures, by what Tk calls these. `plays()` says whether anything is to move now. It turns
    only while one of them is drawn somewhere: `begin` after something was drawn, or somebody came back."""

    def __init__(self, root: tkinter.Misc, plays: Callable[[], bool]) -> None:
        self._root, self._plays = root, plays
        self._frames: dict[str, tuple[Any, Frames]] = {}
        self._timer = ""
        root.bind("<FocusIn>", lambda _event: self.begin(), add="+")

    @property
    def turns(self) -> bool:
        """Whether it waits for a next frame."""
        return bool(self._timer)

    def add(self, image: Any, frames: Frames) -> None:
        """A picture that moves from now on."""
        self._frames[str(image)] = (image, frames)
        while sum(each.bytes for _image, each in self._frames.values()) > ALL_ROOM and len(self._frames) > 1:
            self._frames.pop(next(iter(self._frames)))
        self.begin()

    def drop(self, image: Any) -> None:
        """One that is not kept any longer."""
        self._frames.pop(str(image), None)

    def begin(self) -> None:
        """Look again whether something moves."""
        if self._frames and not self._timer:
            self._timer = self._root.after_idle(self._turn)

    def _turn(self) -> None:
        self._timer = ""
        wait = self.step(time.monotonic())
        if wait is not None:
            self._timer = self._root.after(max(round(1000 * wait), 5), self._turn)

    def step(self, now: float) -> float | None:
        """Draw what has changed by now; seconds until the next change, None where nothing moves."""
        waits = []
        for name, (image, frames) in list(self._frames.items()) if self._plays() else ():
            if self._root.tk.getboolean(self._root.tk.call("image", "inuse", name)):
                if frames.advance(now):
                    image.configure(data=frames.pictures[frames.at][0], format="ppm")
                waits.append(frames.left(now))
        return min(waits, default=None)

    def close(self) -> None:
        """Nothing moves any more."""
        if self._timer:
            self._root.after_cancel(self._timer)
            self._timer = ""
        self._frames.clear()


def seconds_of(milliseconds: float) -> float:
    """How long a frame is shown."""
    return milliseconds / 1000 if milliseconds > 1000 * LEAST else USUAL


def thinned(count: int, size: int, whole: bool) -> int:
    """Every how manieth frame of `count` is kept, each of so many bytes; 0 where there is no room for two."""
    room = (WHOLE_ROOM if whole else ROOM) // max(size, 1)
    if count < 2 or room < 2 or count > MOST:
        return 0
    return -(-count // room)
