"""The files of a message: pictures alone or in a grid, chips for everything else, how far they are. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from alonechat.core.client.files import File
from alonechat.core.client.present import size_text
from alonechat.core.client.words import _
from alonechat.ui.gui.flow import Ruler, elided
from alonechat.ui.gui.parts import Area, Fill, Icon, Label, Part, Picture

WIDE, HIGH = 360, 320
"""The most that a picture takes in the column."""
LEAST = 72
"""What a small picture takes: it stands in the middle of that."""
GAP, RADIUS = 4, 10
CHIP, TILE = 44, 36
"""The height of a chip, and of the disc with its sign."""
AUTO = 12 << 20
"""Bytes up to which a picture comes by itself; a larger one is asked for by a click."""
ON_ITS_WAY = frozenset({"waiting", "uploading"})


@dataclass(slots=True)
class Attached:
    """Files laid out from (0, 0)."""

    width: int = 0
    height: int = 0
    parts: list[Part] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """What files are laid out with: the ruler, the ground that they stand on, which of them are pictures here."""

    ruler: Ruler
    ground: str
    shown: Callable[[File], bool]
    indent: int = 0
    """How far chips stand in where there are pictures, too."""


Box = tuple[int, int, int, int]


def attached(files: Sequence[File], most: int, setting: Setting) -> Attached:
    """Files in at most `most` pixels of width: the pictures first, then chips."""
    found, px = Attached(), setting.ruler.px
    numbered = list(enumerate(files))
    pictures = [(at, file) for at, file in numbered if setting.shown(file)]
    found.pictures = len(pictures)
    boxes = grid([(file.width, file.height) for _at, file in pictures], min(most, px(WIDE)), setting.ruler)
    for (at, file), box in zip(pictures, boxes, strict=True):
        _picture(found, file, at, box, setting)
        found.width, found.height = max(found.width, box[2]), max(found.height, box[3])
    for at, file in numbered:
        if not setting.shown(file):
            found.height += px(2 * GAP) if found.height else 0
            _chip(found, file, at, most, setting)
    return found


# --- places of pictures ---


def fitted(width: int, height: int, most: tuple[int, int]) -> tuple[int, int]:
    """The size of a picture that is made smaller, never larger, until it fits."""
    share = min(most[0] / width, most[1] / height, 1.0)
    return max(round(width * share), 1), max(round(height * share), 1)


def grid(sizes: Sequence[tuple[int, int]], wide: int, ruler: Ruler) -> list[Box]:
    """Where pictures of these sizes stand: one by itself, several in rows that are as wide as the column."""
    px = ruler.px
    if len(sizes) == 1:
        width, height = fitted(*sizes[0], (wide, px(HIGH)))
        return [(0, 0, max(width, px(LEAST)), max(height, px(LEAST)))]
    boxes: list[Box] = []
    at, y = 0, 0
    for many in _rows(len(sizes)):
        shapes = [min(max(width / height, 0.6), 1.8) for width, height in sizes[at : at + many]]
        room = wide - px(GAP) * (many - 1)
        high = round(min(max(room / sum(shapes), px(LEAST)), px(220)))
        x = 0
        for number, shape in enumerate(shapes):
            last = number == many - 1
            width = wide - x if last else round(room * shape / sum(shapes))
            boxes.append((x, y, x + width, y + high))
            x += width + px(GAP)
        at, y = at + many, y + high + px(GAP)
    return boxes


def _rows(many: int) -> list[int]:
    """How many pictures stand beside each other: two or three, and one only where there is no other way."""
    if many == 3:
        return [1, 2]
    threes, rest = divmod(many, 3)
    if rest == 1:
        return [2, 2] + [3] * (threes - 1)
    return [rest] * bool(rest) + [3] * threes


# --- one picture ---


def _picture(found: Attached, file: File, at: int, box: Box, setting: Setting) -> None:
    px = setting.ruler.px
    x0, y0, x1, y1 = box
    here = bool(file.path) and file.state not in ("there", "loading")
    if here:
        found.parts.append(Picture(x0, y0, x1 - x0, y1 - y0, file, px(RADIUS), setting.ground))
        found.areas.append(Area(x0, y0, x1, y1, "view", str(at)))
        if file.state in ON_ITS_WAY:
            _progress_over(found, file, box, setting)
        return
    found.parts.append(Fill(x0, y0, x1, y1, f"inset:{setting.ground}", px(RADIUS)))
    if file.state == "failed":
        _failed(found, file, at, box, setting)
        return
    loads = file.state == "loading" or file.size <= AUTO
    if not loads:
        found.areas.append(Area(x0, y0, x1, y1, "fetch", str(at)))
    about = (_so_far(file), "tiny", "secondary") if loads else (_("show"), "strong", "text")
    _middle(found, box, [(file.name, "small", "text"), about], setting)
    if loads and x1 - x0 >= px(LEAST):
        wide = min(px(120), x1 - x0 - px(24))
        left, top = x0 + (x1 - x0 - wide) // 2, (y0 + y1) // 2 + px(22)
        if top + px(8) < y1:
            _bar(found, (left, top, left + wide, top + px(4)), file.fraction, setting.ground)


def _failed(found: Attached, file: File, at: int, box: Box, setting: Setting) -> None:
    _middle(found, box, [(file.name, "small", "text"), (file.reason or _("not loaded"), "tiny", "danger"),
                         (_("try again"), "strong", "text")], setting)  # fmt: skip
    found.areas.append(Area(*box, "fetch", str(at)))


def _middle(found: Attached, box: Box, texts: Sequence[tuple[str, str, str]], setting: Setting) -> None:
    """Lines in the middle of a box, each with its font and its colour; what does not fit is left out, last first."""
    ruler, px = setting.ruler, setting.ruler.px
    x0, y0, x1, y1 = box
    while len(texts) > 1 and sum(ruler.line(font) for _text, font, _ink in texts) > y1 - y0 - px(8):
        texts = texts[1:]
    y = y0 + (y1 - y0 - sum(ruler.line(font) for _text, font, _ink in texts)) // 2
    for text, font, ink in texts:
        text = elided(text, x1 - x0 - px(16), font, ruler)
        x = x0 + (x1 - x0 - ruler.measure(text, font)) // 2
        found.parts.append(Label(x, y, text, font, ink))
        y += ruler.line(font)


def _progress_over(found: Attached, file: File, box: Box, setting: Setting) -> None:
    """How far a picture of one's own is on its way out, upon the picture itself."""
    ruler, px = setting.ruler, setting.ruler.px
    words = _so_far(file)
    wide = min(max(ruler.measure(words, "tiny"), px(80)) + px(20), box[2] - box[0] - px(12))
    high = ruler.line("tiny") + px(14)
    x0, y1 = box[0] + px(6), box[3] - px(6)
    pill = (x0, y1 - high, x0 + wide, y1)
    found.parts.append(Fill(*pill, "ground", px(8)))
    words = elided(words, wide - px(16), "tiny", ruler)
    found.parts.append(Label(x0 + px(10), pill[1] + px(3), words, "tiny", "secondary"))
    _bar(found, (x0 + px(10), y1 - px(8), x0 + wide - px(10), y1 - px(5)), file.fraction, "ground")


def _bar(found: Attached, box: Box, fraction: float, ground: str) -> None:
    x0, y0, x1, y1 = box
    radius = (y1 - y0) // 2
    found.parts.append(Fill(x0, y0, x1, y1, f"track:{ground}", radius))
    done = x0 + round((x1 - x0) * min(max(fraction, 0.0), 1.0))
    if done > x0:
        found.parts.append(Fill(x0, y0, done, y1, "accent", radius))


def _so_far(file: File) -> str:
    """`34 % of 4.2 MB`, how large it is, or what it waits for."""
    size = size_text(file.size) if file.size else ""
    if file.state in ("loading", "uploading") and file.fraction:
        return _("{percent} % of {size}").format(percent=int(file.fraction * 100), size=size)
    if file.state == "waiting":
        return file.reason or _("waits")
    return size


# --- one chip ---


def _chip(found: Attached, file: File, at: int, most: int, setting: Setting) -> None:
    """A sign on a disc, name and size; a click opens it, one on the sign at its end saves it."""
    ruler, px = setting.ruler, setting.ruler.px
    words, ink = _about(file)
    saves = bool(file.id) and file.state != "failed"
    tile, end, x = px(TILE), px(34) if saves else 0, setting.indent if found.pictures else 0
    needs = max(ruler.measure(file.name, "name"), ruler.measure(words, "tiny")) + tile + px(12) + end
    least = max(px(200), found.width - 2 * x if found.pictures else 0)  # under pictures it is as wide as they are
    wide = x + min(max(needs, least), most - 2 * x, px(WIDE) - 2 * x)
    y0, high = found.height, px(CHIP)
    y = y0 + (high - tile) // 2
    found.parts.append(Fill(x, y, x + tile, y + tile, "accent", tile // 2))
    sign = "file" if file.state in ("ready", *ON_ITS_WAY) else "again" if file.state == "failed" else "save"
    drop = (tile - px(18)) // 2
    found.parts.append(Icon(x + drop, y + drop, sign, px(18), "on_accent"))
    left, right = x + tile + px(12), wide - end
    top = y0 + (high - ruler.line("name") - ruler.line("tiny")) // 2
    found.parts += [
        Label(left, top, elided(file.name, right - left, "name", ruler), "name", "text"),
        Label(left, top + ruler.line("name"), elided(words, right - left, "tiny", ruler), "tiny", ink),
    ]
    if file.state in ("loading", "uploading"):
        _bar(found, (left, y0 + high - px(4), right, y0 + high - px(1)), file.fraction, setting.ground)
    found.areas.append(Area(x, y0, wide, y0 + high, "fetch" if file.state == "failed" else "open", str(at)))
    if saves:
        found.parts.append(Icon(wide - px(20), y0 + (high - px(18)) // 2, "save", px(18), "secondary"))
        found.areas.append(Area(wide - px(28), y0, wide, y0 + high, "save", str(at)))
    found.width, found.height = max(found.width, wide), y0 + high


def _about(file: File) -> tuple[str, str]:
    """What stands under a chip's name, and in which colour."""
    if file.state == "failed" and file.id:  # of one's own the line under the bubble says it
        return f"{file.reason or _('not loaded')} · {_('try again')}", "danger"
    return _so_far(file), "secondary"
