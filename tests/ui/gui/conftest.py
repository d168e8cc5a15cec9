"""One display for the tests of the desktop client, and their windows."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.people import People
from tests.ui.gui.desk import Desk, Screen, account


@pytest.fixture(scope="session")
def screen() -> Iterator[Screen]:
    """The display, which is started when a test needs it."""
    found = Screen()
    yield found
    found.end()


def forget_windows() -> None:
    """customtkinter keeps every window that there was, with all its widgets and pictures: here there are hundreds."""
    from customtkinter import AppearanceModeTracker, ScalingTracker

    AppearanceModeTracker.app_list.clear()
    ScalingTracker.window_widgets_dict.clear()
    ScalingTracker.window_dpi_scaling_dict.clear()


@pytest.fixture
def display(
    screen: Screen, needs_program: Callable[[str], str], private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The display's name, which Tk takes, too; empty on a system whose windows need none."""
    from alonechat.core.client import words

    name = ""
    if sys.platform not in ("win32", "darwin"):
        name = screen.start(needs_program)
        monkeypatch.setenv("DISPLAY", name)
    words.choose("en")
    yield name
    forget_windows()
    gc.unfreeze()
    gc.collect()  # here, before Python's own collector comes again: in another thread it would wait for Tk
    gc.enable()


@pytest.fixture
def desk(display: str, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """`desk(people, "ana")`: somebody's window, signed in; `desk(server=URL)`: one that asks; `desk(account=…)`:
    one whose server may be away."""
    opened: list[Desk] = []

    def make(people: People | None = None, who: str = "", **more: Any) -> Desk:
        place = tmp_path / f"desk{len(opened)}"
        if people is None:
            opened.append(Desk(place, more.get("account"), more.get("server", "")))
            return opened[-1]
        made = Desk(place, account(people, who, **more))
        opened.append(made)
        made.until(lambda: made.app.model.connection.state == "connected", "the connection")
        return made

    yield make
    for each in reversed(opened):
        each.close()
    opened.clear()
