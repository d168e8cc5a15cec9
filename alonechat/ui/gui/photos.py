"""Pictures of messages: decoded beside Tk's thread where Pillow is there, by Tk itself where not, few of them kept."""

from __future__ import annotations

import importlib.util
import os
import queue
import threading
import tkinter
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from operator import itemgetter
from typing import IO, Any

from alonechat.core.client.files import File
from alonechat.core.image import look
from alonechat.ui.gui.moving import Frames, Moving, seconds_of, thinned

TK_KINDS = frozenset({"image/png", "image/gif"})
"""What Tk 8.6 decodes by itself."""
TK_PIXELS = 2_500_000
"""Pixels that Tk decodes within a moment; it does so in the one thread that draws."""
PIXELS = 40_000_000
"""Pixels of the largest picture that is decoded at all; JPEG is read at a fraction of its size, so it may have more."""
JPEG_PIXELS = 200_000_000
BUDGET = 8 << 20
"""Bytes of decoded pictures that are kept beside those on the canvas, at a scale of 1: the last that were asked for."""
MANY = 1_000
"""Places of files that are remembered."""


@lru_cache(1)
def has_pillow() -> bool:
    """Whether Pillow is there: the native build has it, and any Python may."""
    return importlib.util.find_spec("PIL") is not None


def shows(file: File) -> bool:
    """Whether a file is drawn as a picture here; else it is a chip with its name, which the system opens."""
    if not file.is_image or not file.width or not file.height:
        return False
    pixels = file.width * file.height
    if has_pillow():
        return pixels <= (JPEG_PIXELS if file.mime == "image/jpeg" else PIXELS)
    return file.mime in TK_KINDS and pixels <= TK_PIXELS


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture as it is drawn: it fills `width` and `height`, cut where it has another shape, or `whole` in the middle
    of them; what can be seen through stands on `ground`."""

    path: str
    width: int
    height: int
    ground: str
    whole: bool = False


class Photos:
    """`post` has a call made in Tk's thread. `on_ready(wanted)` tells there that a picture is ready, or can't be."""

    def __init__(
        self,
        root: tkinter.Misc,
        scale: float,
        post: Callable[[Callable[[], None]], None],
        plays: Callable[[], bool] = lambda: True,
    ) -> None:
        self._root, self._post = root, post
        self.moving = Moving(root, plays)
        self._budget = int(BUDGET * scale * scale)
        self._made: OrderedDict[Wanted, tkinter.PhotoImage] = OrderedDict()
        self._bytes = 0
        self._asked: set[Wanted] = set()
        self._places: dict[tuple[object, ...], Wanted] = {}
        self._bad: dict[Wanted, str] = {}
        self._jobs: queue.LifoQueue[Wanted | None] = queue.LifoQueue()
        self._thread: threading.Thread | None = None
        self.on_ready: Callable[[Wanted], None] = lambda _wanted: None

    def get(self, wanted: Wanted) -> tkinter.PhotoImage | None:
        """The picture; None while it is being decoded, and where that failed."""
        found = self._made.get(wanted)
        if found is not None:
            self._made.move_to_end(wanted)
            self.moving.begin()  # it is drawn again
            return found
        if wanted in self._asked or wanted in self._bad:
            return None
        if (found := self._moved(wanted)) is not None:
            return found
        self._asked.add(wanted)
        if has_pillow():
            self._begin()
            self._jobs.put(wanted)
        else:
            self._root.after_idle(lambda: self._by_tk(wanted))
        return None

    def _moved(self, wanted: Wanted) -> tkinter.PhotoImage | None:
        """The picture of a file that was decoded before it went elsewhere, as one's own do once they are sent."""
        with suppress(OSError):
            known = os.stat(wanted.path)
            place = (known.st_dev, known.st_ino, known.st_size, replace(wanted, path=""))
            before = self._places.get(place)
            if len(self._places) > MANY:
                self._places.clear()
            self._places[place] = wanted
            if before is not None and (image := self._made.pop(before, None)) is not None:
                self._made[wanted] = image
                return image
        return None

    def failed(self, wanted: Wanted) -> bool:
        """Whether it can't be shown."""
        return wanted in self._bad

    def forget(self, path: str) -> None:
        """A file has come anew: what failed before is tried again."""
        self._bad = {wanted: why for wanted, why in self._bad.items() if wanted.path != path}

    @property
    def kept(self) -> int:
        """Bytes of the pictures that are kept."""
        return self._bytes

    def close(self) -> None:
        """Decode nothing any more."""
        self.on_ready = lambda _wanted: None
        self.moving.close()
        if self._thread is not None:
            self._jobs.put(None)

    # --- with Pillow ---

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="alonechat-photos", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """One picture after the other, the latest wish first: what is in view now rather than what was scrolled by.
        When none is wished for, the frames of those that move, one after the other."""
        later: list[tuple[Wanted, Iterator[Frames | None]]] = []
        while True:
            try:
                wanted = self._jobs.get(block=not later)
            except queue.Empty:
                self._one_frame(later)
                continue
            if wanted is None:
                return
            data, why = b"", ""
            try:
                data = decoded(wanted)
                later.append((wanted, moves(wanted)))
            except Exception as error:  # a decoder may raise anything over bytes from elsewhere
                why = str(error) or type(error).__name__
            self._tell(partial(self._done, wanted, data, why))

    def _one_frame(self, later: list[tuple[Wanted, Iterator[Frames | None]]]) -> None:
        wanted, going = later[-1]
        try:
            frames = next(going, None)
        except Exception:  # likewise: what was drawn stays as it is
            frames = Frames([])
        if frames is not None:
            later.pop()
            if frames.pictures:
                self._tell(partial(self._moves, wanted, frames))

    def _tell(self, act: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the window is closed already
            self._post(act)

    def _done(self, wanted: Wanted, data: bytes, why: str) -> None:
        if why:
            self._lost(wanted, why)
            return
        with suppress(tkinter.TclError):
            self._keep(wanted, tkinter.PhotoImage(master=self._root, data=data, format="ppm"))

    def _moves(self, wanted: Wanted, frames: Frames) -> None:
        if (image := self._made.get(wanted)) is not None:
            self.moving.add(image, frames)

    # --- without it ---

    def _by_tk(self, wanted: Wanted) -> None:
        if not _bearable(wanted.path):
            self._lost(wanted, "too-large")
            return
        try:
            whole = tkinter.PhotoImage(master=self._root, file=wanted.path)
            data = _scaled(self._root, whole, wanted)
            image = tkinter.PhotoImage(master=self._root, data=data, format="ppm")
        except tkinter.TclError as error:
            self._lost(wanted, str(error))
            return
        self._keep(wanted, image)

    # --- what is kept ---

    def _keep(self, wanted: Wanted, image: tkinter.PhotoImage) -> None:
        self._asked.discard(wanted)
        self._made[wanted] = image
        self._bytes += _weight(wanted)
        while self._bytes > self._budget and len(self._made) > 1:
            old, before = self._made.popitem(last=False)
            self._bytes -= _weight(old)
            self.moving.drop(before)
        self.on_ready(wanted)

    def _lost(self, wanted: Wanted, why: str) -> None:
        self._asked.discard(wanted)
        self._bad[wanted] = why
        self.on_ready(wanted)


def _weight(wanted: Wanted) -> int:
    return wanted.width * wanted.height * 4


def decoded(wanted: Wanted) -> bytes:
    """A picture as PPM, which Tk reads fastest, by Pillow. Raises what Pillow raises."""
    with _opened(wanted) as file:
        return _drawn(file, wanted)


def moves(wanted: Wanted) -> Iterator[Frames | None]:
    """The frames of a picture that moves, as many as there is room for: None for each that was decoded, then all of
    them, without any where it does not move. Raises what Pillow raises."""
    found: list[tuple[bytes, float]] = []
    with _opened(wanted) as file:
        count = int(getattr(file, "n_frames", 1))
        every = thinned(count, _weight(wanted), wanted.whole)
        for at in range(count if every else 0):
            file.seek(at)
            seconds = seconds_of(float(file.info.get("duration") or 0))
            if at % every:
                found[-1] = (found[-1][0], found[-1][1] + seconds)
            else:
                found.append((_drawn(file, wanted), seconds))
            yield None
    yield Frames(found)


def _opened(wanted: Wanted) -> Any:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = JPEG_PIXELS  # ours is the check; Pillow's own would warn on the way
    file = Image.open(wanted.path)
    if file.width * file.height > (JPEG_PIXELS if file.format == "JPEG" else PIXELS):
        file.close()
        raise ValueError("more pixels than are decoded")
    file.draft("RGB", (wanted.width * 2, wanted.height * 2))
    return file


def _drawn(file: Any, wanted: Wanted) -> bytes:
    """The frame that a file stands on."""
    from PIL import Image, ImageOps

    how = getattr(Image, "Resampling", Image)  # its name since Pillow 9.1
    size = (wanted.width, wanted.height)
    image = ImageOps.exif_transpose(file)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        image.thumbnail((size[0] * 2, size[1] * 2), how.BOX)
        image = Image.alpha_composite(Image.new("RGBA", image.size, wanted.ground), image)
    image = image.convert("RGB")
    if wanted.whole:
        fitted = ImageOps.pad(image, size, how.LANCZOS, wanted.ground)
    else:
        fitted = ImageOps.fit(image, size, how.LANCZOS)
    return b"P6 %d %d 255\n" % size + fitted.tobytes()


def _bearable(path: str) -> bool:
    """Whether Tk may be given a file: it takes room for what the file itself says, whatever a message said of it, and
    for the first frame of a GIF, which may say more than the GIF's own head; over too much the whole program dies."""
    try:
        with open(path, "rb") as file:

            def read(at: int, count: int) -> bytes:
                file.seek(at)
                return file.read(count)

            found = look(read)
            if found is None or found.mime not in TK_KINDS or found.width * found.height > TK_PIXELS:
                return False
            return found.mime != "image/gif" or _first_frame(file) <= TK_PIXELS
    except OSError:
        return False


def _first_frame(file: IO[bytes]) -> int:
    """The pixels of a GIF's first frame; 0 where there is none (GIF89a, 17 to 26)."""
    file.seek(10)
    packed = (file.read(1) or b"\0")[0]
    file.seek(13 + (3 << (packed & 7) + 1 if packed & 0x80 else 0))
    while (block := file.read(1)) == b"!":  # an extension: its label, then blocks of it up to an empty one
        file.read(1)
        while length := (file.read(1) or b"\0")[0]:
            file.seek(length, os.SEEK_CUR)
    head = file.read(8)
    if block != b"," or len(head) < 8:
        return 0
    return int.from_bytes(head[4:6], "little") * int.from_bytes(head[6:8], "little")


def _scaled(root: tkinter.Misc, whole: tkinter.PhotoImage, wanted: Wanted) -> bytes:
    """A picture that Tk has decoded, as PPM in another size. Tk itself can leave pixels out only by whole numbers."""
    wide, high = whole.width(), whole.height()
    below = tkinter.PhotoImage(master=root, width=wide, height=high)
    below.put(wanted.ground, to=(0, 0, wide, high))
    root.tk.call(str(below), "copy", str(whole), "-compositingrule", "overlay")
    data = root.tk.call(str(below), "data", "-format", "ppm")
    data = data if isinstance(data, bytes) else data.encode("latin-1")
    pixels = memoryview(data)[len(data) - 3 * wide * high :]
    share = max(wanted.width / wide, wanted.height / high)
    columns = [_source(x, wanted.width, wide, share) * 3 for x in range(wanted.width)]
    take = itemgetter(*(at + part for at in columns for part in range(3)))
    lines = (_source(y, wanted.height, high, share) * 3 * wide for y in range(wanted.height))
    body = b"".join(bytes(take(pixels[at : at + 3 * wide])) for at in lines)
    return b"P6 %d %d 255\n" % (wanted.width, wanted.height) + body


def _source(at: int, count: int, whole: int, share: float) -> int:
    """The pixel of `whole` that stands at one of `count`; what does not fit is cut off on both sides."""
    middle = (at + 0.5 - count / 2) / share + whole / 2
    return min(max(int(middle), 0), whole - 1)
