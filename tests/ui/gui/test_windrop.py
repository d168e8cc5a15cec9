"""Files let go over the window on Windows, as the Explorer tells it."""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alonechat.ui.gui import windrop
from alonechat.ui.gui.settings import account_sheet
from tests.journeys.people import People
from tests.ui.gui.desk import Desk

windows = pytest.mark.skipif(sys.platform != "win32", reason="elsewhere: files dropped on Windows")
Name = Callable[[str], str]
Make = Callable[..., Desk]


def let_go(desk: Desk, *paths: Path) -> None:
    """What the Explorer sends: the message that files were dropped, with their names in memory of its own."""
    assert sys.platform == "win32"
    kernel, user = ctypes.WinDLL("kernel32"), ctypes.WinDLL("user32")
    kernel.GlobalAlloc.restype = kernel.GlobalLock.restype = ctypes.c_void_p
    kernel.GlobalAlloc.argtypes = (ctypes.c_uint, ctypes.c_size_t)
    kernel.GlobalLock.argtypes = kernel.GlobalUnlock.argtypes = (ctypes.c_void_p,)
    user.PostMessageW.argtypes = (ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p)
    names = "".join(f"{path}\0" for path in paths) + "\0"
    data = struct.pack("<IiiII", 20, 300, 300, 0, 1) + names.encode("utf-16-le")
    memory = kernel.GlobalAlloc(2, len(data))
    ctypes.memmove(kernel.GlobalLock(memory), data, len(data))
    kernel.GlobalUnlock(memory)
    assert user.PostMessageW(int(desk.app.root.wm_frame(), 16), windrop.DROPPED, memory, None)


@windows
def test_files_come_into_the_composer(desk: Make, people: People, name: Name, tmp_path: Path) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    plan, notes = tmp_path / "课程 plan.txt", tmp_path / "notes.md"
    for path in (plan, notes):
        path.write_text(path.name, "utf-8")
    ana.until(lambda: ana.app.dropping._drops is not None, "that it listens")
    let_go(ana, plan, notes, tmp_path)
    ana.until(lambda: list(ana.window.composer.attaching.files) == [plan, notes], "the files")
    ana.write("both of them")
    ana.press("Return")
    ana.until(lambda: "both of them" in ana.texts(), "the message")
    let_go(ana, tmp_path)
    ana.until(lambda: ana.app._toast is not None and "no folders" in ana.app._toast.cget("text"), "why")


@windows
def test_a_sheet_takes_none(desk: Make, people: People, name: Name, tmp_path: Path) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    plan = tmp_path / "plan.txt"
    plan.write_text("plan")
    ana.until(lambda: ana.app.dropping._drops is not None, "that it listens")
    sheet = account_sheet(ana.app)
    let_go(ana, plan)
    for _ in range(20):
        ana.step()
    sheet.close()
    assert not ana.window.composer.attaching.files
    let_go(ana, plan)
    ana.until(lambda: list(ana.window.composer.attaching.files) == [plan], "the file")


def test_elsewhere_there_is_nothing_to_watch() -> None:
    if sys.platform != "win32":
        assert windrop.watch(None, lambda act: act(), lambda: True) is None
