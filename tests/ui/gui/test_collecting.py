"""Garbage that Tk made is collected in Tk's thread: any other one would wait for it, and its person for that thread."""

from __future__ import annotations

import threading
import tkinter
import weakref
from collections.abc import Callable

from tests.journeys.people import People
from tests.ui.gui.desk import Desk

MADE = 200_000


class Held:
    """Part of a circle that only the collector finds, with a picture of Tk's in it."""

    def __init__(self, desk: Desk) -> None:
        self.itself = self
        self.picture = tkinter.PhotoImage(master=desk.app.root, width=2, height=2)


def test_pictures_are_let_go_of_in_tks_thread(
    desk: Callable[..., Desk], people: People, name: Callable[[str], str]
) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    gone: list[str] = []
    for _ in range(30):
        weakref.finalize(Held(ana), lambda: gone.append(threading.current_thread().name))
    asked = threading.Event()

    def allocate() -> None:
        kept = [[] for _ in range(MADE)]  # by far more than what makes Python collect
        assert len(kept) == MADE
        asked.set()

    ana.app.runner._soon(allocate)
    assert asked.wait(10), "the core's thread waited for Tk"
    assert not gone
    for number in range(600):
        ana.app.runner.draft("#lobby", f"something to do {number}")
        made = [Held(ana) for _ in range(20)]
        assert made
        if not number % 50:
            ana.write(f"message {number}")
            ana.row(f"message {number}")
    ana.until(lambda: len(gone) == 30, "the end of the pictures")
    assert set(gone) == {threading.main_thread().name}
