"""Garbage is collected in Tk's thread alone.

A font or a picture of Tk's deletes itself in Tk when it is let go of. In any other thread that waits for Tk's: a second
for each of them where Tk's is not turning, such as while it waits for that thread's end. Python's collector runs in
whichever thread allocates, so here it is switched off, and `collect` does what it would have done, where it may.
"""

from __future__ import annotations

import gc


def take_over() -> None:
    """Switch Python's own collector off, for as long as there is a window; to be called in Tk's thread. What stands now
    (modules, classes) stays, and is not looked through again."""
    gc.disable()
    gc.freeze()


def collect() -> None:
    """Collect as far as Python's collector would have by now: the young, or older ones with them. To be called in Tk's
    thread whenever something has happened; costs nothing when little was made since."""
    made, bounds = gc.get_count(), gc.get_threshold()
    if made[0] > bounds[0]:
        gc.collect(2 if made[2] > bounds[2] else 1 if made[1] > bounds[1] else 0)
