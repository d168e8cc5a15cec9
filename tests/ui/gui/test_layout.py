"""Rows become places by values: a ruler whose letters are all 8 wide, no window at all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alonechat.core.client.markup import Span
from alonechat.core.client.rows import Quote, Row
from alonechat.ui.gui.bubble import Look
from alonechat.ui.gui.emojifont import EMOJI, only
from alonechat.ui.gui.flow import elided, flow
from alonechat.ui.gui.layout import laid
from alonechat.ui.gui.parts import Area, Avatar, Emoji, Fill, Label, Laid


class Ruler:
    """Every letter is 8 wide, those of Chinese 16; lines are 20 high."""

    emoji = True

    def px(self, pixels: float) -> int:
        return round(pixels)

    def measure(self, text: str, role: str) -> int:
        return sum(16 if ord(char) > 0x2E80 else 8 for char in text)

    def height(self, role: str) -> tuple[int, int]:
        return 13, 17

    def line(self, role: str) -> int:
        return 20


LOOK = Look(Ruler(), "ana")


def row(text: str = "hello", **more: Any) -> Row:
    """A message of bo's."""
    event = {"type": "TEXT", "id": "m1", "seq": 1, "content": text, "mentions": more.pop("mentions", [])}
    given = {"author": "bo", "shown": "Bo", "name": "Bo", "time": "09:41", **more}
    return Row("message", "m1", text, event, **given)


def labels(found: Laid) -> list[str]:
    """The texts, as they are drawn."""
    return [part.text for part in found.parts if isinstance(part, Label)]


def lines(text: str, width: int) -> list[str]:
    """A text broken at a width, line by line."""
    return ["".join(run.text for run in line.runs) for line in flow((Span(text),), width, Ruler())]


def test_lines_break_between_words_and_within_what_no_line_holds() -> None:
    assert lines("one two three", 64) == ["one two", "three"]
    assert lines("a\n\nb", 64) == ["a", "", "b"]
    assert lines("x" * 20, 64) == ["x" * 8, "x" * 8, "x" * 4]
    assert lines("go " + "x" * 10, 64) == ["go xxxxx", "xxxxx"]
    assert lines("go to " + "x" * 10, 64) == ["go to", "x" * 8, "xx"]


def test_chinese_breaks_anywhere_but_before_closing_signs() -> None:
    assert lines("今天下午三点", 64) == ["今天下午", "三点"]
    assert lines("今天下午，三点", 64) == ["今天下午，", "三点"]


def test_emoji_are_one_piece_each_and_have_a_place_of_their_own() -> None:
    assert EMOJI.findall("ok 👍🏽 👨‍👩‍👧 🇨🇳 ❤️ 1️⃣ © ✓") == ["👍🏽", "👨‍👩‍👧", "🇨🇳", "❤️", "1️⃣"]
    assert only("🎉 🚀") == ["🎉", "🚀"] and only("🎉!") == [] and only("🎉🎉🎉🎉") == []
    (line,) = flow((Span("hi 👍 you"),), 400, Ruler())
    assert [(run.text, run.kind, run.start) for run in line.runs] == [
        ("hi ", "text", 0), ("👍", "emoji", 3), (" you", "text", 4),
    ]  # fmt: skip


def test_the_first_of_a_group_has_avatar_and_name_and_others_stand_closer() -> None:
    first, later = laid(row(), 700, LOOK), laid(row(first=False), 700, LOOK)
    assert [part for part in first.parts if isinstance(part, Avatar)] == [Avatar(0, 12, 36, "bo", "B")]
    assert labels(first) == ["Bo", "09:41", "hello"] and labels(later) == ["hello"]
    assert later.bubble[:2] == (48, 2) and first.bubble[0] == 48
    assert first.height - later.height == 10 + 20 + 3
    assert (later.bubble[2] - later.bubble[0], later.bubble[3] - later.bubble[1]) == (40 + 24, 20 + 16)


def test_ones_own_stands_on_the_right_with_time_and_state() -> None:
    found = laid(row(mine=True, state="sent"), 700, LOOK)
    assert found.bubble[2] == 700 and labels(found) == ["hello", "09:41"]
    assert any(getattr(part, "name", "") == "check" for part in found.parts)
    waiting = laid(row(mine=True, state="waiting"), 700, LOOK)
    assert any(getattr(part, "name", "") == "clock" for part in waiting.parts)


def test_ones_own_that_a_plugin_wrote_says_so() -> None:
    event = {"type": "TEXT", "id": "m1", "seq": 1, "content": "11 (5 + 6)", "via": "dice"}
    found = laid(replace(row(mine=True, state="sent", edited=True), event=event), 700, LOOK)
    assert labels(found) == ["hello", "via dice edited 09:41"]
    others = laid(replace(row(name="Bo via dice"), event=event), 700, LOOK)
    assert labels(others) == ["Bo via dice", "09:41", "hello"]
    assert [part.text for part in others.parts if isinstance(part, Avatar)] == ["B"]


def test_a_refused_message_says_why_and_offers_two_ways() -> None:
    found = laid(row(mine=True, state="refused", reason="you are muted"), 700, LOOK)
    assert "".join(labels(found)[2:]) == "not sent: you are muted · try again · discard"
    assert [area.act for area in found.areas] == ["again", "discard"]
    narrow = laid(row(mine=True, state="refused", reason="because " * 12), 300, LOOK)
    assert all(part.x >= 0 for part in narrow.parts if isinstance(part, Label))


def test_a_bubble_is_never_wider_than_its_share() -> None:
    for width in (320, 500, 760):
        found = laid(row("word " * 200), width, LOOK)
        assert found.bubble[2] <= width - 32 and found.bubble[2] - found.bubble[0] <= 600
        right = max(part.x + part.width for part in found.parts if isinstance(part, Label))
        assert right <= found.bubble[2] - 12


def test_a_reply_quotes_on_one_line_and_leads_there() -> None:
    found = laid(row("yes", quote=Quote("m0", "ana", "Ana", "when do we " + "meet " * 60, 1)), 500, LOOK)
    assert "Ana" in labels(found) and any(text.endswith("…") for text in labels(found))
    assert [(area.act, area.value) for area in found.areas if area.act == "jump"] == [("jump", "m0")]


def test_code_has_a_button_that_copies_it_whole() -> None:
    found = laid(row("see\n```py\nif x:\n    y()\n```"), 700, LOOK)
    (button,) = [area for area in found.areas if area.act == "copy"]
    assert button.value == "if x:\n    y()" and {"py", "if x:", "    y()"} <= set(labels(found))
    assert found.text == "see\nif x:\n    y()"


def test_links_and_mentions_can_be_clicked() -> None:
    found = laid(row("@ana see https://a.example/x.", mentions=["ana"], mention=True), 700, LOOK)
    assert [(area.act, area.value) for area in found.areas if area.act in ("link", "mention")] == [
        ("mention", "ana"), ("link", "https://a.example/x"),
    ]  # fmt: skip
    assert Fill(42, found.bubble[1] + 4, 45, found.bubble[3] - 4, "accent", 1) in found.parts, (
        "a mark, not a colour alone"
    )


def test_reactions_say_how_many_and_whether_one_is_among_them() -> None:
    found = laid(row(reactions=(("👍", ("ana", "cy")), ("🎉", ("cy",)))), 700, LOOK)
    assert [(area.act, area.value) for area in found.areas[-2:]] == [("unreact", "👍"), ("react", "🎉")]
    assert labels(found)[-2:] == ["2", "1"]
    many = laid(row(reactions=tuple((chr(0x1F600 + at), ("cy",)) for at in range(30))), 400, LOOK)
    pills = [area for area in many.areas if area.act == "react"]
    assert len({area.y0 for area in pills}) > 1 and max(area.x1 for area in pills) <= 400


def test_deleted_told_days_and_notes() -> None:
    gone = laid(row("", deleted=True, reactions=()), 700, LOOK)
    assert "message deleted" in labels(gone)
    told = laid(Row("told", "t", "no such command", is_error=True), 700, LOOK)
    assert labels(told)[0] == "only you see this"
    day = laid(Row("day", "d", "Today"), 700, LOOK)
    assert [part.x for part in day.parts if isinstance(part, Label)] == [330]
    assert laid(Row("note", "n", "bo joined"), 700, LOOK).text == "bo joined"


def test_an_emoji_alone_is_large_and_without_a_bubble() -> None:
    found = laid(row("🎉"), 700, LOOK)
    assert [part.size for part in found.parts if isinstance(part, Emoji)] == [40]
    assert not any(isinstance(part, Fill) for part in found.parts)


def test_what_can_be_selected_has_its_place_in_the_text() -> None:
    found = laid(row("**bold** and\nmore"), 700, LOOK)
    for part in found.parts:
        if isinstance(part, Label) and part.start >= 0:
            assert found.text[part.start : part.start + len(part.text)] == part.text


def test_areas_and_elision() -> None:
    assert Area(0, 0, 10, 10, "x").holds(9, 9) and not Area(0, 0, 10, 10, "x").holds(10, 0)
    assert elided("abcdef", 40, "text", Ruler()) == "abcd…" and elided("abc", 40, "text", Ruler()) == "abc"
