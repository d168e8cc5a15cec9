"""Files of messages become places by values: pictures, grids, chips, and how far they are."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from alonechat.core.client.files import File
from alonechat.ui.gui.attached import AUTO, HIGH, LEAST, WIDE, grid
from alonechat.ui.gui.layout import laid
from alonechat.ui.gui.parts import Fill, Icon, Laid, Picture
from tests.ui.gui.test_layout import LOOK, Ruler, labels, row

PHOTO = File("cat.png", "image/png", 300_000, "f1", "m1", 1600, 1200, "ready", 1.0, "/there/cat.png")
PLAN = File("plan.pdf", "application/pdf", 4_300_000, "f2", "m1")


def pictures(found: Laid) -> list[Picture]:
    """The pictures of a row."""
    return [part for part in found.parts if isinstance(part, Picture)]


def acts(found: Laid) -> list[tuple[str, str]]:
    """What can be clicked."""
    return [(area.act, area.value) for area in found.areas if area.act not in ("author", "jump")]


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((1600, 1200), (360, 270)),
        ((1200, 1600), (240, 320)),
        ((200, 100), (200, 100)),
        ((16, 16), (LEAST, LEAST)),
        ((4000, 40), (WIDE, LEAST)),
        ((40, 4000), (LEAST, HIGH)),
    ],
)
def test_a_picture_alone_is_made_smaller_until_it_fits_and_never_larger(
    size: tuple[int, int], box: tuple[int, int]
) -> None:
    assert grid([size], WIDE, Ruler()) == [(0, 0, *box)]


@pytest.mark.parametrize("many", range(2, 21))
def test_several_pictures_stand_in_rows_as_wide_as_the_column(many: int) -> None:
    sizes = [((1600, 1200), (900, 1600), (3000, 500), (20, 20))[at % 4] for at in range(many)]
    boxes = grid(sizes, 300, Ruler())
    assert len(boxes) == many
    for one, other in combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1], "they lie apart"
    for y in {box[1] for box in boxes}:
        line = [box for box in boxes if box[1] == y]
        assert len(line) in ((1, 2) if many == 3 else (2, 3)) and len({box[3] for box in line}) == 1
        assert (line[0][0], line[-1][2]) == (0, 300)


STATES = [
    replace(PHOTO, state="there", path=""),
    replace(PHOTO, state="loading", path="", fraction=0.4),
    replace(PHOTO, state="failed", path="", reason="the server does not answer"),
    PHOTO,
]


@pytest.mark.parametrize("text", ["", "look at this, and at how long what is said below it becomes, line after line"])
def test_a_picture_holds_its_place_from_the_first_moment(text: str) -> None:
    found = [laid(row(text, files=(file,)), 700, LOOK) for file in STATES]
    assert len({each.height for each in found}) == len({each.bubble for each in found}) == 1
    there, loading, failed, ready = found
    assert acts(there) == acts(loading) == [] and "cat.png" in labels(there)
    assert "40 % of 293 KB" in labels(loading)
    bars = [part for part in loading.parts if isinstance(part, Fill) and part.colour == "accent"]
    assert [part.x1 - part.x0 for part in bars] == [48], "40 % of 120"
    assert acts(failed) == [("fetch", "0")] and {"try again", "the server does not answer"} <= set(labels(failed))
    assert acts(ready) == [("view", "0")] and [(p.width, p.height) for p in pictures(ready)] == [(360, 270)]


def test_what_is_large_is_asked_for_by_a_click() -> None:
    found = laid(row("", files=(replace(STATES[0], size=AUTO + 1),)), 700, LOOK)
    assert acts(found) == [("fetch", "0")] and "show" in labels(found)


def test_pictures_without_words_need_no_bubble_and_ones_own_have_their_time_in_the_corner() -> None:
    theirs = laid(row("", files=(PHOTO, PHOTO)), 700, LOOK)
    assert not [part for part in theirs.parts if isinstance(part, Fill)] and len(pictures(theirs)) == 2
    mine = laid(row("", files=(PHOTO,), mine=True, state="sent"), 700, LOOK)
    assert mine.bubble[2] == 700 and "09:41" in labels(mine)
    (pill,) = [part for part in mine.parts if isinstance(part, Fill)]
    assert pill.colour == "ground" and pill.x1 <= 700 and pill.y1 <= mine.bubble[3]


def test_a_caption_is_as_wide_as_its_picture() -> None:
    found = laid(row("word " * 60, files=(PHOTO,)), 700, LOOK)
    (photo,) = pictures(found)
    assert found.bubble[2] - found.bubble[0] == 360 + 2 * 4
    assert photo.x == found.bubble[0] + 4 and photo.y == found.bubble[1] + 4, "it stands in the bubble as in a frame"
    narrow = laid(row("word " * 60, files=(replace(PHOTO, width=300, height=2000),)), 700, LOOK)
    assert pictures(narrow)[0].x > narrow.bubble[0] + 4, "one that is narrower than words can be is in the middle"


def test_other_files_are_chips_that_open_and_save() -> None:
    found = laid(row("see", files=(PLAN, PHOTO)), 700, LOOK)
    assert {"plan.pdf", "4.1 MB", "see"} <= set(labels(found))
    assert acts(found) == [("view", "1"), ("open", "0"), ("save", "0")]
    failed = laid(row("", files=(replace(PLAN, state="failed", reason="it is gone"),)), 700, LOOK)
    assert acts(failed) == [("fetch", "0")] and "it is gone · try again" in labels(failed)
    blind = replace(LOOK, shown=lambda file: False)
    chip = laid(row("", files=(PHOTO,)), 700, blind)
    assert acts(chip) == [("open", "0"), ("save", "0")] and "293 KB" in labels(chip)


def test_ones_own_on_the_way_out_shows_how_far_it_is() -> None:
    out = replace(PHOTO, id="", state="uploading", fraction=0.64)
    found = laid(row("", files=(out,), mine=True, state="waiting"), 700, LOOK)
    assert len(pictures(found)) == 1 and "64 % of 293 KB" in labels(found)
    assert [part.name for part in found.parts if isinstance(part, Icon)] == ["clock"]
    waits = laid(row("", files=(replace(out, state="waiting", reason="the server is away"),), mine=True), 700, LOOK)
    assert "the server is away" in labels(waits)


def test_names_are_cut_where_they_are_too_long() -> None:
    for width in (320, 500, 760):
        for file in (replace(PLAN, name="x" * 200), replace(STATES[0], name="y" * 200, width=90, height=90)):
            found = laid(row("", files=(file,)), width, LOOK)
            assert found.bubble[2] <= width - 32 and all(len(text) * 8 <= width - 48 for text in labels(found))
