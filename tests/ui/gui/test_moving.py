"""Pictures that move: frame by frame, at their times, only while somebody sees them, and within bounds."""

from __future__ import annotations

import time
import tkinter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from alonechat.ui.gui import collecting, moving, photos
from alonechat.ui.gui.moving import Frames, Moving, seconds_of, thinned
from alonechat.ui.gui.photos import Photos, Wanted
from alonechat.ui.gui.settings import account_sheet
from tests.journeys.people import People
from tests.ui.gui.desk import Desk
from tests.ui.gui.test_pictures import with_file

RED, GREEN, BLUE = (230, 20, 20), (20, 230, 20), (20, 20, 230)
Name = Callable[[str], str]
Make = Callable[..., Desk]
SHOWN: list[Shown] = []


def gif(place: Path, colours: list[tuple[int, int, int]], each: int = 100, size: tuple[int, int] = (200, 150)) -> Path:
    """A picture that moves: one colour after the other, `each` milliseconds."""
    frames = [Image.new("RGB", size, colour) for colour in colours]
    frames[0].save(place, save_all=True, append_images=frames[1:], duration=each, loop=0)
    return place


def test_frames_come_at_their_times_and_begin_again() -> None:
    frames = Frames([(b"a", 0.1), (b"b", 0.3), (b"c", 0.1)], since=10.0)
    seen = []
    for now in (10.05, 10.12, 10.39, 10.41, 10.52, 10.61, 11.45):
        seen.append((frames.advance(now), frames.pictures[frames.at][0]))
    assert seen == [
        (False, b"a"), (True, b"b"), (False, b"b"), (True, b"c"), (True, b"a"), (True, b"b"), (True, b"c"),
    ]  # fmt: skip
    assert frames.left(11.45) == pytest.approx(0.1, abs=0.051)


def test_who_was_away_comes_back_to_the_next_frame_and_not_to_all_that_were_missed() -> None:
    frames = Frames([(b"a", 0.1), (b"b", 0.1), (b"c", 0.1)], since=0.0)
    assert frames.advance(500.0) and frames.at == 1
    assert frames.left(500.0) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("count", "size", "whole", "every"),
    [
        (1, 100, False, 0), (2, 100, False, 1), (60, 120_000, False, 1), (200, 120_000, False, 2),
        (200, 120_000, True, 1), (100, 7 << 20, False, 0), (1001, 100, False, 0), (100, 5 << 20, False, 50),
    ],
)  # fmt: skip
def test_of_many_frames_as_many_are_kept_as_there_is_room_for(count: int, size: int, whole: bool, every: int) -> None:
    assert thinned(count, size, whole) == every
    if every:
        assert -(-count // every) * size <= (moving.WHOLE_ROOM if whole else moving.ROOM)


def test_a_frame_that_asks_for_no_time_has_the_usual_one() -> None:
    assert [seconds_of(each) for each in (0, 10, 20, 30, 100)] == [0.1, 0.1, 0.1, 0.03, 0.1]


# --- on a window ---


@pytest.fixture
def root(display: str) -> Iterator[tkinter.Tk]:
    found = tkinter.Tk()
    collecting.take_over()
    yield found
    for each in SHOWN:
        each.photos.close()
        if each.photos._thread is not None:
            each.photos._thread.join(10)  # else what it holds last, pictures of Tk, would go in it
    SHOWN.clear()
    found.destroy()


class Shown:
    """A picture of a file on a canvas, decoded, with all its frames."""

    def __init__(self, root: tkinter.Tk, path: Path, plays: Callable[[], bool] = lambda: True) -> None:
        self.root, self.made = root, list[Any]()
        self.photos = Photos(root, 1.0, self.made.append, plays)
        SHOWN.append(self)
        self.wanted = Wanted(str(path), 100, 75, "#FFFFFF")
        self.photos.get(self.wanted)
        self.until(lambda: self.photos.get(self.wanted) is not None)
        self.image = self.photos.get(self.wanted)
        assert self.image is not None
        self.canvas = tkinter.Canvas(root, width=200, height=200)
        self.canvas.pack()
        self.item = self.canvas.create_image(0, 0, image=self.image, anchor="nw")

    def until(self, so: Callable[[], Any]) -> None:
        ends = time.monotonic() + 10
        while not so():
            assert time.monotonic() < ends
            while self.made:
                self.made.pop(0)()
            self.root.update()

    def colour(self) -> tuple[int, ...]:
        return tuple(self.image.get(50, 40))  # type: ignore[union-attr]


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(one, other, strict=True))


def test_what_is_on_a_canvas_moves_and_what_is_not_stands_still(root: tkinter.Tk, tmp_path: Path) -> None:
    shown = Shown(root, gif(tmp_path / "cat.gif", [RED, GREEN, BLUE]))
    turning = shown.photos.moving
    shown.until(lambda: turning._frames)
    frames = next(iter(turning._frames.values()))[1]
    assert [seconds for _picture, seconds in frames.pictures] == [0.1, 0.1, 0.1]
    now = frames.since + 0.05
    seen = []
    for _ in range(4):
        turning.step(now)
        seen.append(next(each for each in (RED, GREEN, BLUE) if near(shown.colour(), each)))
        now += 0.1
    at = [RED, GREEN, BLUE].index(seen[0])
    assert seen == ([RED, GREEN, BLUE] * 3)[at : at + 4]
    assert turning.step(now) is not None
    shown.canvas.delete(shown.item)
    assert turning.step(now) is None
    shown.until(lambda: not turning.turns)
    shown.canvas.create_image(0, 0, image=shown.photos.get(shown.wanted), anchor="nw")
    shown.until(lambda: turning.turns)


def test_nothing_moves_for_somebody_who_does_not_look(root: tkinter.Tk, tmp_path: Path) -> None:
    looks = [False]
    shown = Shown(root, gif(tmp_path / "cat.gif", [RED, GREEN]), lambda: looks[0])
    turning = shown.photos.moving
    shown.until(lambda: turning._frames and not turning.turns)
    assert turning.step(time.monotonic()) is None
    looks[0] = True
    root.event_generate("<FocusIn>")
    shown.until(lambda: turning.turns)


def test_one_that_stands_still_or_is_damaged_behind_its_first_frame_stays_a_picture(
    root: tkinter.Tk, tmp_path: Path
) -> None:
    still = tmp_path / "still.png"
    Image.new("RGB", (200, 150), RED).save(still)
    whole = gif(tmp_path / "whole.gif", [RED, GREEN, BLUE]).read_bytes()
    damaged = tmp_path / "damaged.gif"
    damaged.write_bytes(whole[: len(whole) // 2])
    for path in (still, damaged):
        shown = Shown(root, path)
        ends = time.monotonic() + 0.5
        shown.until(lambda ends=ends: time.monotonic() > ends)  # type: ignore[misc]
        assert near(shown.colour(), RED) and not shown.photos.failed(shown.wanted)


def test_pictures_come_before_the_frames_of_others(
    root: tkinter.Tk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one with many frames the next picture does not wait for all."""
    order: list[str] = []
    drawn = photos._drawn

    def slow(file: Any, wanted: Wanted) -> bytes:
        order.append(Path(wanted.path).name)
        time.sleep(0.02)
        return drawn(file, wanted)

    monkeypatch.setattr(photos, "_drawn", slow)
    many, other = gif(tmp_path / "many.gif", [RED, GREEN] * 30), tmp_path / "other.png"
    Image.new("RGB", (200, 150), BLUE).save(other)
    shown = Shown(root, many)
    shown.until(lambda: order.count("many.gif") > 3)
    wanted = Wanted(str(other), 100, 75, "#FFFFFF")
    shown.photos.get(wanted)
    shown.until(lambda: shown.photos.get(wanted) is not None)
    assert order.count("many.gif") < 40, "and not behind all 61"
    shown.until(lambda: shown.photos.moving._frames)
    assert order.count("many.gif") == 61


def test_all_together_have_an_end(root: tkinter.Tk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "ALL_ROOM", 250)
    turning = Moving(root, lambda: True)
    images = [tkinter.PhotoImage(master=root, width=2, height=2) for _ in range(4)]
    for image in images:
        turning.add(image, Frames([(bytes(50), 0.1), (bytes(50), 0.1)]))
    assert list(turning._frames) == [str(each) for each in images[2:]]
    turning.close()


def test_a_moving_picture_of_a_message_moves_and_stops_behind_a_sheet(
    desk: Make, people: People, name: Name, tmp_path: Path
) -> None:
    ana = desk(people, name("ana"))
    ana.open("#lobby")
    path = gif(tmp_path / "dance.gif", [RED, GREEN, BLUE], 40)
    ana.window.composer.attach([path])
    ana.write("it dances")
    ana.press("Return")
    ana.until(lambda: "it dances" in ana.texts() and with_file(ana, "dance.gif"), "the message")
    turning = ana.app.photos.moving
    ana.until(lambda: turning._frames and turning.turns, "that it moves")
    seen: set[int] = set()

    def all_seen() -> bool:
        seen.update(frames.at for _image, frames in turning._frames.values())
        return len(seen) == 3

    ana.until(all_seen, "each frame")
    sheet = account_sheet(ana.app)
    ana.until(lambda: not turning.turns, "that it stands")
    sheet.close()
    ana.until(lambda: turning.turns, "that it moves again")
    ana.app.motion = False
    ana.until(lambda: not turning.turns, "that it stands where the system wants no motion")
