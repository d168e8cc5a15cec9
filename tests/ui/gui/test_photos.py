"""Pictures whose bytes mean harm, and what Tk decodes without Pillow."""

from __future__ import annotations

import struct
import tkinter
from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat.ui.gui import photos
from alonechat.ui.gui.photos import Photos, Wanted

EXTENSION = b"!\xf9\x04\0\0\0\0\0"


@pytest.fixture
def root(display: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tkinter.Tk]:
    monkeypatch.setattr(photos, "has_pillow", lambda: False)
    found = tkinter.Tk()
    yield found
    found.destroy()


def gif(place: Path, frame: tuple[int, int], before: bytes = b"", packed: int = 0x80) -> Path:
    """A GIF that calls itself 100×100, with a frame of a size of its own."""
    colours = b"\0\0\0\xff\xff\xff" if packed & 0x80 else b""
    head = b"GIF89a" + struct.pack("<HHBBB", 100, 100, packed, 0, 0) + colours + before
    place.write_bytes(head + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + bytes([2, 2, 0x4C, 1, 0]) + b";")
    return place


@pytest.mark.parametrize(
    ("frame", "before", "packed", "shown"),
    [
        ((100, 100), b"", 0x80, True),
        ((100, 100), EXTENSION, 0x80, True),
        ((40, 40), EXTENSION * 3, 0x80, True),
        ((4000, 4000), b"", 0x80, False),
        ((4000, 4000), EXTENSION, 0x80, False),
        ((4000, 4000), b"", 0, False),
    ],
)
def test_a_gif_whose_frame_is_larger_than_it_says_is_not_given_to_tk(
    root: tkinter.Tk, tmp_path: Path, frame: tuple[int, int], before: bytes, packed: int, shown: bool
) -> None:
    """Tk takes four bytes for each pixel of the frame, and ends the program at some of these sizes."""
    found = Photos(root, 1.0, lambda act: act())
    wanted = Wanted(str(gif(tmp_path / "cat.gif", frame, before, packed)), 50, 50, "#FFFFFF")
    assert found.get(wanted) is None
    root.update()
    assert (found.get(wanted) is not None, found.failed(wanted)) == (shown, not shown)


def test_a_file_that_is_another_picture_than_was_said_is_not_given_to_tk(root: tkinter.Tk, tmp_path: Path) -> None:
    found = Photos(root, 1.0, lambda act: act())
    large, strange = tmp_path / "large.png", tmp_path / "strange.png"
    tkinter.PhotoImage(master=root, width=2000, height=1500).write(str(large), format="png")
    strange.write_bytes(b"P6 20 20 255\n" + bytes(1200))
    for path in (large, strange, tmp_path / "gone.png"):
        wanted = Wanted(str(path), 50, 50, "#FFFFFF")
        found.get(wanted)
        root.update()
        assert found.failed(wanted), path.name
