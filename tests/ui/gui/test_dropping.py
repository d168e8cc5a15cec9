"""Files dragged into the desktop client: another program's drag, by the protocol, over the same X server."""

from __future__ import annotations

import ctypes
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.people import People
from tests.ui.gui.desk import Desk

if sys.platform == "win32" or sys.platform == "darwin":
    pytest.skip("elsewhere: no X11", allow_module_level=True)

from alonechat.ui.gui.settings import account_sheet
from alonechat.ui.gui.xdnd import ATOM, CLIENT_MESSAGE, LIST, SELECTION_NOTIFY, Connection

Name = Callable[[str], str]
Make = Callable[..., Desk]
SELECTION_REQUEST = 30
SECONDS = 10
TIME = 12345


class Dragger:
    """A program that drags: it says what it has, answers when that is asked for, and hears what becomes of it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.begin()
        self.target = self._aware(desk.app.root.winfo_id())
        self.window = self.x.child(self.x.above(self.target)[0])
        self.heard: list[tuple[str, list[int]]] = []
        self.kinds: dict[str, bytes] = {}
        self.silent = False

    def begin(self) -> None:
        """Connect to the X server."""
        self.x = Connection(str(self.desk.app.root.winfo_screen()))
        word = ctypes.c_uint32
        self.x._call("set_selection_owner", ctypes.c_uint, ctypes.c_void_p, word, word, word)

    def _aware(self, window: int) -> int:
        """The window at or above this one that takes drops, as the one who drags finds it."""
        while window:
            kind, raw = self.x.of_window(window, self.x.atom("XdndAware"))
            if kind == ATOM:
                assert struct.unpack("=I", raw) == (5,)
                return window
            window = self.x.above(window)[1]
        raise AssertionError("no window takes drops")

    def tell(self, kind: str, *data: int) -> None:
        self.x.tell(self.target, self.x.atom(kind), self.window, *data)
        self.x.flush()

    def enter(self, kinds: dict[str, bytes], listed: bool = False) -> None:
        """Over the window, with these kinds of data; `listed`: named by a property, as with more than three."""
        self.kinds = kinds
        self.x._xcb.xcb_set_selection_owner(self.x._raw, self.window, self.x.atom("XdndSelection"), TIME)
        atoms = [self.x.atom(each) for each in kinds]
        if listed:
            raw = struct.pack(f"={len(atoms)}I", *atoms)
            self.x._xcb.xcb_change_property(
                self.x._raw, 0, self.window, self.x.atom("XdndTypeList"), ATOM, 32, len(atoms), raw
            )
        self.tell("XdndEnter", 5 << 24 | listed, *([] if listed else atoms[:3]))

    def move(self) -> None:
        self.tell("XdndPosition", 0, 300 << 16 | 300, TIME, self.x.atom("XdndActionCopy"))

    def drop(self) -> None:
        self.tell("XdndDrop", 0, TIME)

    def hears(self, kind: str) -> list[int]:
        """Wait for what the window answers; its data."""

        def there() -> list[int] | None:
            self._listen()
            return next((data for name, data in self.heard if name == kind), None)

        return list(self.desk.until(there, kind))

    def _listen(self) -> None:
        for event in self.x.events():
            if event[0] & 0x7F == CLIENT_MESSAGE:
                (number,) = struct.unpack_from("=I", event, 8)
                name = next(each for each in ("XdndStatus", "XdndFinished") if self.x.atom(each) == number)
                self.heard.append((name, list(struct.unpack_from("=5I", event, 12))))
            elif event[0] & 0x7F == SELECTION_REQUEST and not self.silent:
                self._answer(*struct.unpack_from("=6I", event, 4))

    def _answer(self, when: int, _owner: int, asker: int, selection: int, kind: int, answer: int) -> None:
        assert when == TIME, "the time of the drop, by which some programs know which drag it was"
        raw = next((raw for name, raw in self.kinds.items() if self.x.atom(name) == kind), None)
        if raw is not None:
            self.x._xcb.xcb_change_property(self.x._raw, 0, asker, answer, kind, 8, len(raw), raw)
        given = answer if raw is not None else 0
        event = struct.pack("=BBHIIIII", SELECTION_NOTIFY, 0, 0, when, asker, selection, kind, given)
        self.x._xcb.xcb_send_event(self.x._raw, 0, asker, 0, event.ljust(32, b"\0"))
        self.x.flush()


@pytest.fixture
def dragger(desk: Make, people: People, name: Name) -> Iterator[tuple[Desk, Dragger]]:
    """Somebody's window, on the lobby, and a program that drags over it."""
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    ana.until(lambda: ana.app.dropping._drops is not None, "that it listens")
    found = Dragger(ana)
    yield ana, found
    found.x.close()


def listed(*paths: Path) -> bytes:
    return "".join(f"{path.as_uri()}\r\n" for path in paths).encode()


def attached(desk: Desk) -> list[Path]:
    return list(desk.window.composer.attaching.files)


def test_files_are_dropped_into_the_composer_and_sent(dragger: tuple[Desk, Dragger], tmp_path: Path) -> None:
    ana, drag = dragger
    plan, notes = tmp_path / "课程 plan.txt", tmp_path / "notes.md"
    for path in (plan, notes):
        path.write_text(path.name, "utf-8")
    drag.enter({LIST: listed(plan, notes), "text/plain": b"plan"})
    drag.move()
    status = drag.hears("XdndStatus")
    assert status[0] == drag.target and status[1] & 1 and status[4] == drag.x.atom("XdndActionCopy")
    sign = ana.until(lambda: ana.app.dropping.sign, "the sign")
    ana.until(lambda: sign.find_all() and sign.winfo_width() > 200, "its picture")
    words = [sign.itemcget(item, "text") for item in sign.find_all() if sign.type(item) == "text"]
    assert words == ["Drop here to send to #lobby"]
    drag.drop()
    assert drag.hears("XdndFinished")[:3] == [drag.target, 1, drag.x.atom("XdndActionCopy")]
    ana.until(lambda: attached(ana) == [plan, notes], "the files")
    assert ana.app.dropping.sign is None
    ana.write("both of them")
    ana.press("Return")
    ana.until(lambda: "both of them" in ana.texts(), "the message")
    row = ana.row("both of them")
    assert [file.name for file in row.files] == [plan.name, notes.name]


def test_nothing_is_left_of_a_drag_that_goes_on(dragger: tuple[Desk, Dragger], tmp_path: Path) -> None:
    ana, drag = dragger
    drag.enter({LIST: listed(tmp_path)})
    drag.move()
    ana.until(lambda: ana.app.dropping.sign, "the sign")
    drag.tell("XdndLeave")
    ana.until(lambda: ana.app.dropping.sign is None, "no sign any more")
    drag.drop()
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        ana.step()
        drag._listen()
    assert not attached(ana) and [kind for kind, _data in drag.heard] == ["XdndStatus"]


def test_kinds_may_be_listed_and_the_drag_may_leave_behind_the_drop(
    dragger: tuple[Desk, Dragger], tmp_path: Path
) -> None:
    """As mutter does it for programs of Wayland: text first, then the list, and XdndLeave right behind XdndDrop."""
    ana, drag = dragger
    plan = tmp_path / "plan.txt"
    plan.write_text("plan")
    kinds = {"text/plain;charset=utf-8": b"plan", "text/plain": b"plan", "UTF8_STRING": b"plan", LIST: listed(plan)}
    drag.enter(kinds, listed=True)
    drag.move()
    drag.drop()
    drag.tell("XdndLeave")
    assert drag.hears("XdndFinished")[1] == 1
    ana.until(lambda: attached(ana) == [plan], "the file")


def test_what_is_no_file_is_not_taken(dragger: tuple[Desk, Dragger]) -> None:
    ana, drag = dragger
    drag.enter({"text/plain": b"words"})
    drag.move()
    status = drag.hears("XdndStatus")
    assert status[1] & 1 == 0 and status[4] == 0 and ana.app.dropping.sign is None
    drag.drop()
    assert drag.hears("XdndFinished")[1] == 0


@pytest.mark.parametrize("kind", ["folder", "gone", "address"])
def test_folders_and_addresses_are_said_to_be_none(dragger: tuple[Desk, Dragger], tmp_path: Path, kind: str) -> None:
    ana, drag = dragger
    text = {"folder": listed(tmp_path), "gone": listed(tmp_path / "gone"), "address": b"https://example.org/a.png\r\n"}
    drag.enter({LIST: text[kind]})
    drag.move()
    drag.hears("XdndStatus")
    drag.drop()
    drag.hears("XdndFinished")
    ana.until(lambda: ana.app._toast is not None and "no folders" in ana.app._toast.cget("text"), "why")
    assert not attached(ana)


def test_a_program_that_has_no_answer_ends_it(dragger: tuple[Desk, Dragger], tmp_path: Path) -> None:
    ana, drag = dragger
    plan = tmp_path / "plan.txt"
    plan.write_text("plan")
    drag.enter({LIST: listed(plan)})
    drag.move()
    drag.hears("XdndStatus")
    drag.kinds = {}
    drag.drop()
    assert drag.hears("XdndFinished")[1] == 0 and not attached(ana)


def test_a_program_that_is_gone_leaves_the_window_as_it_was(dragger: tuple[Desk, Dragger], tmp_path: Path) -> None:
    """Answers to a window that there is no longer are an error of the X server, which must not end the client."""
    ana, drag = dragger
    plan = tmp_path / "plan.txt"
    plan.write_text("plan")
    drag.silent = True
    drag.enter({LIST: listed(plan)})
    drag.move()
    drag.drop()
    drag.x.close()
    ana.until(lambda: ana.app.dropping.sign is None)
    drag.begin()
    drag.window, drag.silent = drag.x.child(drag.x.above(drag.target)[0]), False
    drag.enter({LIST: listed(plan)})
    drag.move()
    assert drag.hears("XdndStatus")[1] & 1
    drag.drop()
    assert drag.hears("XdndFinished")[1] == 1
    ana.until(lambda: attached(ana) == [plan], "the file")


def test_a_sheet_takes_none(dragger: tuple[Desk, Dragger], tmp_path: Path) -> None:
    ana, drag = dragger
    sheet = account_sheet(ana.app)
    drag.enter({LIST: listed(tmp_path)})
    drag.move()
    assert drag.hears("XdndStatus")[1] & 1 == 0
    sheet.close()
    drag.heard.clear()
    drag.move()
    assert drag.hears("XdndStatus")[1] & 1


def test_another_program_can_not_speak_for_the_one_who_drags(dragger: tuple[Desk, Dragger], tmp_path: Path) -> None:
    _ana, drag = dragger
    drag.enter({LIST: listed(tmp_path)})
    drag.move()
    drag.hears("XdndStatus")
    drag.heard.clear()
    own, drag.window = drag.window, drag.x.child(drag.x.above(drag.target)[0])
    drag.drop()
    drag.window = own
    drag.move()
    drag.hears("XdndStatus")
    assert not any(kind == "XdndFinished" for kind, _data in drag.heard)


def test_messages_of_other_kinds_stay_tks(dragger: tuple[Desk, Dragger]) -> None:
    ana, drag = dragger
    asked: list[Any] = []
    ana.app.root.protocol("WM_DELETE_WINDOW", lambda: asked.append(True))
    drag.x.tell(drag.target, drag.x.atom("WM_PROTOCOLS"), drag.x.atom("WM_DELETE_WINDOW"), 0)
    drag.x.flush()
    ana.until(lambda: asked, "that it is to close")


@pytest.mark.parametrize("what", ["another conversation", "a sheet"])
def test_what_comes_late_goes_nowhere(dragger: tuple[Desk, Dragger], tmp_path: Path, what: str) -> None:
    """The program that drags answers when another conversation is open, or a sheet lies over it."""
    ana, drag = dragger
    plan = tmp_path / "plan.txt"
    plan.write_text("plan")
    drag.enter({LIST: listed(plan)})
    drag.move()
    drag.hears("XdndStatus")
    drag.drop()
    ana.until(lambda: ana.app.dropping._drops._dropped, "the drop")
    if what == "a sheet":
        account_sheet(ana.app)
    else:
        ana.open(ana.app.model.me)
    drag.hears("XdndFinished")
    ana.until(lambda: ana.app._toast is not None and "too late" in ana.app._toast.cget("text"), "why")
    assert not attached(ana)


def test_a_fault_does_not_end_the_main_loop(dragger: tuple[Desk, Dragger]) -> None:
    ana, _drag = dragger
    seen: list[Any] = []
    ana.app.root.report_callback_exception = lambda kind, _error, _trace: seen.append(kind)

    def fails() -> None:
        raise OSError("no")

    ana.app.waker.post(fails)
    ana.app.waker.post(ana.app.root.quit)
    ana.app.root.after(10_000, ana.app.root.quit)
    ana.app.root.mainloop()
    assert seen == [OSError]
