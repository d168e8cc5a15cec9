"""Pictures and files through real windows and a real server: what one sends, another sees on the screen."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.client.files import File
from alonechat.core.client.model import Fetched
from alonechat.core.client.rows import Row
from alonechat.errors import AloneChatError
from alonechat.ui.gui import photos
from alonechat.ui.gui.parts import Picture
from alonechat.ui.gui.pasting import files_of, pasted
from tests.journeys.people import People
from tests.ui.gui.desk import Desk

Name = Callable[[str], str]
Make = Callable[..., Desk]
RED, BLUE = (200, 30, 40), (20, 60, 220)


@pytest.fixture
def without_pillow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on a machine where Pillow is not installed."""
    monkeypatch.setitem(sys.modules, "PIL", None)
    photos.has_pillow.cache_clear()
    yield
    photos.has_pillow.cache_clear()


def picture(place: Path, size: tuple[int, int] = (800, 600), right: tuple[int, int, int] = BLUE) -> Path:
    """A picture whose left half is red, and whose right half is blue."""
    from PIL import Image

    made = Image.new("RGB", size, RED)
    made.paste(right, (size[0] // 2, 0, *size))
    made.save(place, quality=95)
    return place


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two colours are the same, but for what JPEG makes of them."""
    return all(abs(a - b) < 14 for a, b in zip(one, other, strict=True))


def shown(desk: Desk, row: Row | None) -> tuple[int, int, Picture] | None:
    """Where a row's picture stands in the view, once it is decoded and drawn."""
    timeline = desk.window.timeline
    place = next((each for each in timeline.placed if row is not None and each.row.key == row.key), None)
    part = next((part for part in place.laid.parts if isinstance(part, Picture)), None) if place else None
    if place is None or part is None:
        return None
    canvas = timeline.canvas
    images = [item for item in canvas.find_withtag(place.tag) if canvas.type(item) == "image"]
    wide = {int(canvas.tk.call("image", "width", canvas.itemcget(item, "image"))) for item in images}
    ready = part.width in wide
    return (timeline.left + part.x, place.y + part.y - timeline.offset, part) if ready else None


def with_file(desk: Desk, name: str) -> Row | None:
    """The message that bears a file of that name."""
    return next((row for row in desk.rows if any(file.name == name for file in row.files)), None)


def halves(desk: Desk, name: str, *others: Desk) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """What the screen shows of a picture: the colour of its left half, and of its right one."""
    desk.until(lambda: with_file(desk, name), f"the message with {name}", *others)
    desk.app.root.tk.call("raise", ".")
    desk.window.timeline.to_end()
    x, y, part = desk.until(lambda: shown(desk, with_file(desk, name)), f"{name} on the canvas", *others)
    desk.step()
    y += part.height // 2
    return desk.pixel(x + part.width // 4, y), desk.pixel(x + part.width * 3 // 4, y)


def room_of(people: People, name: Name, *desks: Desk) -> str:
    """A room that these people are in, and look at."""
    room = "#" + name("room")
    for desk in desks:
        desk.app.runner.join(room)
        desk.open(room)
    return room


def test_a_picture_sent_by_one_window_is_seen_in_another(
    desk: Make, people: People, name: Name, tmp_path: Path
) -> None:
    ana, bo = desk(people, name("ana")), desk(people, name("bo"))
    room_of(people, name, ana, bo)
    path = picture(tmp_path / "halves.png")
    ana.window.composer.attach([path])
    assert [each.winfo_exists() for each in ana.window.composer.attaching.removers] == [1]
    ana.write("red and blue")
    assert ana.window.composer.attaching.files == [] and ana.window.composer.content == ""
    left, right = halves(bo, path.name, ana)
    assert near(left, RED) and near(right, BLUE)
    row = with_file(bo, path.name)
    assert row is not None and row.text == "red and blue" and (row.files[0].width, row.files[0].height) == (800, 600)
    left, right = halves(ana, path.name, bo)
    assert near(left, RED) and near(right, BLUE)
    ana.until(lambda: with_file(ana, path.name).state == "sent", "the echo", bo)  # type: ignore[union-attr]
    assert len([row for row in ana.rows if row.files]) == 1
    for ending in ("jpg", "webp"):
        path = picture(tmp_path / f"halves.{ending}")
        ana.window.composer.attach([path])
        ana.press("Return", ana.window.composer.text)
        left, right = halves(bo, path.name, ana)
        assert near(left, RED) and near(right, BLUE), ending


def test_without_pillow_png_is_shown_and_jpeg_is_a_chip_that_the_system_opens(
    desk: Make, people: People, name: Name, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    png, jpeg = picture(tmp_path / "halves.png"), picture(tmp_path / "halves.jpg")
    large, colours = picture(tmp_path / "large.png", (2000, 1500)), ImageOnScreen()
    request.getfixturevalue("without_pillow")
    ana = desk(people, name("ana"))
    room_of(people, name, ana)
    for path in (jpeg, large, png):
        ana.app.runner.say(ana.window.target, "", None, [path])
    ana.until(lambda: sum(1 for row in ana.rows if row.files and row.state == "sent") == 3, "three messages")
    ana.until(lambda: with_file(ana, png.name) and shown(ana, with_file(ana, png.name)), "the PNG")  # type: ignore[arg-type]
    x, y, part = shown(ana, with_file(ana, png.name))  # type: ignore[arg-type,misc]
    image = next(image for wanted, image in ana.app.photos._made.items() if wanted.path.endswith(png.name))
    assert (image.width(), image.height()) == (part.width, part.height) == (360, 270)
    assert near(image.get(90, 130), RED) and near(image.get(270, 130), BLUE)
    assert near(image.get(178, 5), RED) and near(image.get(181, 5), BLUE), "each pixel is one of its own"
    assert near(colours.of(ana, x + 90, y + 130), RED), "and that is what the screen shows"
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for path in (large, jpeg):
        row = with_file(ana, path.name)
        assert row is not None and shown(ana, row) is None
        ana.click(row, "open", "0")
        ana.until((tmp_path / "opened").exists, "the system's program")
        ana.until(lambda path=path: (tmp_path / "opened").read_text().strip().endswith(path.name), "its file")  # type: ignore[misc]
        (tmp_path / "opened").unlink()


class ImageOnScreen:
    """Looks at the screen with Pillow, which was loaded before it was hidden."""

    def __init__(self) -> None:
        from PIL import ImageGrab

        self._grab = ImageGrab.grab

    def of(self, desk: Desk, x: int, y: int) -> tuple[int, ...]:
        """The colour at a point of the messages."""
        import os

        canvas = desk.window.timeline.canvas
        desk.step()
        left, top = canvas.winfo_rootx() + x, canvas.winfo_rooty() + y
        return self._grab((left, top, left + 1, top + 1), xdisplay=os.environ.get("DISPLAY")).getpixel((0, 0))[:3]  # type: ignore[index,return-value]


def test_what_is_being_read_holds_its_place_while_pictures_come_above(
    desk: Make, people: People, name: Name, tmp_path: Path
) -> None:
    ana = desk(people, name("ana"))
    room = room_of(people, name, ana)
    paths = [picture(tmp_path / f"p{at}.png", (400 + 100 * at, 300), (10 * at, 200, 90)) for at in range(8)]
    for path in paths:
        ana.app.runner.say(room, f"about {path.name}", None, [path])
    ana.until(lambda: sum(1 for row in ana.rows if row.files and row.state == "sent") == 8, "eight pictures")
    for at in range(12):
        ana.app.runner.say(room, f"below {at}")
    ana.until(lambda: ana.rows[-1].text == "below 11" and ana.rows[-1].state == "sent", "what is said below")
    bo = desk(people, name("bo"))
    asked: list[Any] = []
    bo.app.runner.fetch, fetch = (lambda file, then=None: asked.append(file)), bo.app.runner.fetch
    bo.app.runner.join(room)
    bo.open(room)
    timeline = bo.window.timeline
    bo.until(lambda: any(row.text == "below 11" for row in bo.rows), "the conversation")
    timeline.scroll(-300)
    bo.step()
    line = next(each for each in timeline.shown() if each.row.text.startswith("below"))
    before = line.y - timeline.offset
    bo.until(lambda: asked, "those near the view are asked for")
    assert 1 <= len(asked) < 8, "and no others"
    near_by = list(asked)
    bo.app.photos._budget = 1  # what is on the canvas stays there, however few are kept beside it
    for file in near_by:
        fetch(file)
    here = {file.id for file in near_by}

    def rows() -> list[Row]:
        return [row for row in bo.rows if row.files and row.files[0].id in here]

    bo.until(lambda: all(row.files[0].state == "ready" and shown(bo, row) for row in rows()), "they are drawn")
    line = next(each for each in timeline.placed if each.row.key == line.row.key)
    assert line.y - timeline.offset == before and len(asked) == len(near_by)


def test_what_could_not_be_fetched_says_so_and_is_tried_again(
    desk: Make, people: People, name: Name, tmp_path: Path
) -> None:
    ana, bo = desk(people, name("ana")), desk(people, name("bo"))
    path = picture(tmp_path / "halves.png")
    bo.app.runner.fetch, fetch = (lambda file, then=None: None), bo.app.runner.fetch
    room = room_of(people, name, ana, bo)
    ana.app.runner.say(room, "", None, [path])
    row = bo.until(lambda: with_file(bo, path.name), "the message", ana)
    height = bo.window.timeline.layout(row).height
    bo.app.model.apply(Fetched(row.files[0].id, "failed", reason="the server does not answer"))
    bo.window.changed([Fetched(row.files[0].id, "failed", reason="the server does not answer")])
    bo.until(lambda: "try again" in bo.drawn() and "the server does not answer" in bo.drawn(), "the reason")
    bo.app.runner.fetch = fetch
    bo.click(with_file(bo, path.name), "fetch", "0")  # type: ignore[arg-type]
    left, right = halves(bo, path.name, ana)
    assert near(left, RED) and near(right, BLUE)
    assert bo.window.timeline.layout(with_file(bo, path.name)).height == height
    broken = tmp_path / "broken.png"
    broken.write_bytes(path.read_bytes()[:60])
    ana.app.runner.say(room, "", None, [broken])
    bo.until(lambda: f"{broken.name} can't be shown" in bo.drawn(), "what can't be decoded says so", ana)


def test_the_large_view_goes_from_picture_to_picture_saves_and_closes(
    desk: Make, people: People, name: Name, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = desk(people, name("ana"))
    room = room_of(people, name, ana)
    one, two = picture(tmp_path / "one.png"), picture(tmp_path / "two.png", (300, 1200), (10, 200, 90))
    ana.app.runner.say(room, "", None, [one, two])
    row = ana.until(lambda: with_file(ana, "one.png"), "the message")
    ana.until(lambda: with_file(ana, "one.png").state == "sent", "the echo")  # type: ignore[union-attr]
    ana.until(lambda: shown(ana, with_file(ana, "one.png")), "the picture")  # type: ignore[arg-type]
    ana.click(with_file(ana, "one.png"), "view", "0")  # type: ignore[arg-type]
    viewer = ana.app.sheet
    assert viewer is ana.app.viewer and viewer is not None
    ana.until(lambda: viewer.canvas.find_withtag("photo"), "the large picture")

    def texts() -> str:
        items = [item for item in viewer.canvas.find_all() if viewer.canvas.type(item) == "text"]
        return "\n".join(viewer.canvas.itemcget(item, "text") for item in items)

    assert "one.png" in texts() and "800×600" in texts() and "1 of 2" in texts()
    ana.press("Right", viewer.canvas)
    ana.until(lambda: "2 of 2" in texts() and viewer.canvas.find_withtag("photo"), "the next one")
    ana.press("Right", viewer.canvas)
    assert "2 of 2" in texts(), "there is none behind the last"
    monkeypatch.setattr("alonechat.ui.gui.dialogs.filedialog.asksaveasfilename", lambda **_: str(tmp_path / "kept.png"))
    monkeypatch.setattr("alonechat.ui.gui.dialogs.shutil.which", lambda _name: None)
    ana.press("s", viewer.canvas)
    ana.until((tmp_path / "kept.png").exists, "it is saved")
    ana.until(lambda: (tmp_path / "kept.png").read_bytes() == two.read_bytes(), "as it was sent")
    for _turn in range(6):
        ana.press("Tab")
        assert str(ana.app.root.focus_get()).startswith(str(viewer.frame)), "Tab stays in it"
    ana.press("Left", viewer.canvas)
    ana.press("Escape", viewer.canvas)
    assert ana.app.sheet is None and ana.app.viewer is None and row is not None
    ana.window.timeline.choose(with_file(ana, "one.png").key)  # type: ignore[union-attr]
    ana.press("o", ana.window.timeline.canvas)
    assert ana.app.viewer is not None
    middle = ana.app.viewer.canvas.winfo_height() // 2
    ana.app.viewer.canvas.event_generate("<Button-1>", x=300, y=middle)
    ana.step()
    assert ana.app.viewer is None


def test_files_are_chosen_by_the_paperclip_shown_above_the_composer_and_taken_out(
    desk: Make, people: People, name: Name, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = desk(people, name("ana"))
    room = room_of(people, name, ana)
    paths = [picture(tmp_path / f"p{at}.png", (90, 90)) for at in range(8)]
    tool = tmp_path / "zenity"
    tool.write_text("#!/bin/sh\n" + "".join(f"echo '{path}'\n" for path in paths))
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    composer = ana.window.composer
    ana.press("o", composer.text, 4)
    ana.until(lambda: len(composer.attaching.files) == 8, "what was chosen")
    ana.step()
    assert len(composer.attaching.removers) == 6, "five cards, and one for the other three"
    assert all(each.winfo_viewable() for each in composer.attaching.removers)
    ana.until(lambda: any(label.cget("image") for label, _wanted in composer.attaching._thumbs), "small pictures")
    ana.press("space", composer.attaching.removers[5]._canvas)
    assert composer.attaching.files == paths[:5]
    assert ana.app.root.focus_get() is composer.attaching.removers[4]._canvas
    ana.press("space", composer.attaching.removers[0]._canvas)
    assert composer.attaching.files == paths[1:5]
    assert ana.app.root.focus_get() is composer.attaching.removers[0]._canvas, "the next one can be taken out at once"
    ana.open("#lobby")
    assert composer.attaching.files == []
    ana.open(room)
    assert composer.attaching.files == paths[1:5], "they wait in their own conversation"
    ana.window.filing.most = 100
    composer.attach([picture(tmp_path / "more.png")])
    assert composer.attaching.files == [], "none of them is small enough any more"
    assert "too large" in str(ana.app._toast.cget("text"))
    ana.window.filing.most = None
    composer.attach(paths[:2])
    ana.press("Return", composer.text)
    row = ana.until(lambda: next((row for row in ana.rows if len(row.files) == 2), None), "without a word")
    ana.until(lambda: next(row for row in ana.rows if row.files).state == "sent", "the echo")
    assert row.text == "" and composer.attaching.files == []
    composer.attach(paths[:1])
    ana.press("space", composer.attaching.removers[0]._canvas)
    ana.until(lambda: ana.app.root.focus_get() is composer.text, "the focus, once the last card is gone")


def test_what_could_not_be_copied_is_in_its_composer_again_before_what_was_written_since(
    desk: Make, people: People, name: Name, tmp_path: Path
) -> None:
    ana = desk(people, name("ana"))
    room = room_of(people, name, ana)
    composer = ana.window.composer
    first, second = picture(tmp_path / "one.png", (90, 90)), picture(tmp_path / "two.png", (90, 90))
    thens: list[Any] = []
    ana.app.runner.say, say = (lambda *given: thens.append(given)), ana.app.runner.say
    composer.attach([first])
    ana.write("look at this")
    assert composer.content == "" and composer.attaching.files == []
    composer.text.insert("insert", "and")
    composer.attach([second])
    ana.step()
    thens.pop()[-1](None, AloneChatError("no space left"))
    ana.step()
    assert composer.content == "look at this\nand" and composer.attaching.files == [second, first]
    assert ana.app.model.drafts[room] == "look at this\nand"
    ana.press("Return", composer.text)
    ana.open("#lobby")
    composer.text.insert("insert", "elsewhere")
    ana.step()
    thens.pop()[-1](None, AloneChatError("no space left"))
    assert composer.content == "elsewhere" and composer.attaching.files == []
    ana.open(room)
    assert composer.content == "look at this\nand" and composer.attaching.files == [second, first]
    ana.app.runner.say = say
    ana.press("Return", composer.text)
    ana.until(lambda: any(len(row.files) == 2 and row.state == "sent" for row in ana.rows), "the echo")
    assert composer.content == "" and composer.attaching.files == []


def test_what_the_server_refuses_stays_with_the_reason_and_can_be_thrown_away(
    desk: Make, people: People, name: Name, tmp_path: Path
) -> None:
    ana = desk(people, name("ana"))
    room = room_of(people, name, ana)
    people.call(people.connect(name("zed")), "GET", "/server")
    ana.app.runner.leave(room)
    ana.until(lambda: room not in ana.app.model.conversations, "out of the room")
    ana.app.runner.say(room, "", None, [picture(tmp_path / "late.png", (90, 90))])
    refused = ana.until(lambda: next((e for e in ana.app.model.outbox.values() if e.code), None), "the refusal")
    assert refused.files and refused.files[0].state == "failed" and refused.reason


@pytest.mark.parametrize("by", ["xclip", "Tk"])
def test_a_picture_is_pasted_from_the_clipboard(
    desk: Make, people: People, name: Name, tmp_path: Path, by: str, needs_program: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    xclip = needs_program("xclip")
    ana = desk(people, name("ana"))
    room_of(people, name, ana)
    path = picture(tmp_path / "halves.png")
    holds = subprocess.Popen([xclip, "-quiet", "-selection", "clipboard", "-t", "image/png", "-i", str(path)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        ana.until(lambda: "image/png" in _targets(ana), "a picture in the clipboard")
        if by == "Tk":
            monkeypatch.setattr("alonechat.ui.gui.pasting.shutil.which", lambda _name: None)
        composer = ana.window.composer
        composer.text.focus_force()
        composer.text.event_generate("<<Paste>>")
        ana.step()
        (found,) = composer.attaching.files
        assert found.read_bytes() == path.read_bytes() and found.suffix == ".png"
        ana.press("Return", composer.text)
        left, right = halves(ana, found.name)
        assert near(left, RED) and near(right, BLUE)
        ana.until(lambda: not found.parent.exists(), "what was pasted is kept once")
        ana.window.composer.answer(with_file(ana, found.name))
        assert found.name in str(ana.window.composer._strip_text.cget("text"))
        ana.window.composer.leave()
    finally:
        holds.kill()
        holds.wait()
    ana.app.root.clipboard_clear()
    ana.app.root.clipboard_append("words")
    assert pasted(ana.app.root, tmp_path) == [], "a text is pasted by Tk"
    ana.window.composer.text.event_generate("<<Paste>>")
    ana.step()
    assert ana.window.composer.content == "words"


def _targets(desk: Desk) -> set[str]:
    from alonechat.ui.gui.pasting import _targets as targets

    return targets(desk.app.root)


@pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: Windows' clipboard has no list of addresses")
def test_files_copied_in_a_file_manager_are_files(tmp_path: Path) -> None:
    one = tmp_path / "a b.txt"
    one.write_text("x")
    text = f"copy\nfile://{tmp_path}/a%20b.txt\r\nfile://elsewhere/etc/passwd\nhttps://a.example/x\nfile:///none\n"
    assert files_of(text) == [one]
    long, odd = "x" * 300, "file://[a\nfile:///a%00b"
    assert files_of(f"file:///{long}\n{odd}\n{one.as_uri()}\n") == [one], "what is no path of a file keeps none away"


def test_what_cannot_be_pasted_says_why(
    desk: Make, people: People, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = desk(people, name("ana"))

    def full(*_given: object) -> list[Path]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("alonechat.ui.gui.filing.pasted", full)
    ana.window.composer.text.event_generate("<<Paste>>")
    ana.step()
    assert "No space left" in str(ana.app._toast.cget("text"))


@pytest.mark.parametrize("called", ["..\\..\\evil.lnk", "/etc/evil", "a?b<c>.png", ".bashrc", "con.txt"])
def test_a_name_that_leads_elsewhere_is_not_proposed_for_saving(
    desk: Make, people: People, name: Name, monkeypatch: pytest.MonkeyPatch, called: str
) -> None:
    ana = desk(people, name("ana"))
    asked: list[str] = []
    monkeypatch.setattr("alonechat.ui.gui.dialogs.save_as", lambda _app, given, _then: asked.append(given))
    ana.window.filing.save(File(called, id="f1"))
    assert asked and asked[0].startswith(("_", "..", "a_b")) and not set(asked[0]) & set("/\\?<>")


def test_pictures_that_have_no_room_together_are_not_fetched_for_ever(
    desk: Make, people: People, name: Name, tmp_path: Path
) -> None:
    ana, bo = desk(people, name("ana")), desk(people, name("bo"))
    room = room_of(people, name, ana, bo)
    paths = [picture(tmp_path / f"p{at}.png", (300 + at, 200)) for at in range(3)]
    bo.app.runner._live.shelf.room = max(path.stat().st_size for path in paths) + 1
    asked: list[str] = []
    fetch = bo.app.runner.fetch
    bo.app.runner.fetch = lambda file, then=None: (asked.append(file.name), fetch(file, then))[-1]
    ana.app.runner.say(room, "", None, paths)
    bo.until(lambda: len(asked) >= 3, "three pictures are asked for", ana)
    until = time.monotonic() + 1.5
    bo.until(lambda: time.monotonic() > until, "a while", ana)
    assert len(asked) == 3, f"asked for {len(asked)} times"
    row = with_file(bo, "p0.png")
    assert row is not None
    gone = [at for at, file in enumerate(row.files) if file.state == "failed"]
    assert len(gone) == 2 and "try again" in bo.drawn()
    bo.click(row, "fetch", str(gone[0]))
    bo.until(lambda: with_file(bo, "p0.png").files[gone[0]].state == "ready", "the one that was asked for", ana)  # type: ignore[union-attr]
    bo.open("#lobby")
    bo.open(room)
    bo.until(lambda: len(asked) > 4, "who comes back later has them fetched again", ana)


def test_few_pictures_are_kept_and_the_latest_are(display: str, tmp_path: Path) -> None:
    import tkinter

    root = tkinter.Tk()
    calls: list[Callable[[], None]] = []
    kept = photos.Photos(root, 1.0, calls.append)
    try:
        path = picture(tmp_path / "a.jpg", (640, 480))
        wanted = [photos.Wanted(str(path), 360, 320 - at, "#FFFFFF") for at in range(60)]
        deadline = time.monotonic() + 15
        for each in wanted:
            kept.get(each)
            while kept.get(each) is None:
                while calls:
                    calls.pop(0)()
                assert time.monotonic() < deadline
                time.sleep(0.001)
        assert kept.kept <= photos.BUDGET < 60 * 360 * 320 * 4
        assert kept.get(wanted[-1]) is not None and wanted[0] not in kept._made
    finally:
        kept.close()
        root.destroy()
