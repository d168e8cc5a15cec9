"""The terminal face's pure parts by values: widths, pictures, keys, the composer, panes, scrolling, colours, lines."""

from __future__ import annotations

import random
import re
from datetime import UTC
from pathlib import Path

import pytest
import wcwidth

from alonechat.core.client.actions import ACTIONS, actions
from alonechat.core.client.model import Model, Page
from alonechat.core.client.moment import Moment
from alonechat.core.client.rows import Row, rows
from alonechat.core.client.theme import DARK, LIGHT
from alonechat.ui.tui import acts, colours, help, history, local, messages, sidebar, terminal
from alonechat.ui.tui import width as widths
from alonechat.ui.tui.composer import Editor, History, lay_out
from alonechat.ui.tui.keys import Answer, Decoder, Focus, Key, Mouse, Pasted, Typed
from alonechat.ui.tui.layout import lay_out as panes
from alonechat.ui.tui.screen import BOLD, PLAIN, Painter, Piece, Screen, Style, cut, line, width_of, wrap

ROOT = Path(__file__).resolve().parents[3]
FAMILY, FLAG, E = "👨‍👩‍👧", "🏳️‍🌈", "e\u0301"


# --- widths ---


def test_characters_of_the_quick_tables_have_the_widths_of_wcwidth() -> None:
    simple = re.compile(f"[{widths.NARROW}{widths.LINES}{widths.SIGNS}{widths.WIDE}{widths.EMOJI}]")
    found = [char for char in map(chr, range(0x20, 0x30000)) if simple.match(char)]
    assert len(found) > 30_000
    assert [char for char in found if widths.width(char) != wcwidth.wcwidth(char)] == []


@pytest.mark.parametrize(
    ("text", "cells"), [("abc", 3), ("李雷", 4), (FAMILY, 2), (FLAG, 2), (E, 1), ("👍🏽", 2), ("\u0301", 0), ("🇨🇳", 2)]
)
def test_a_grapheme_has_the_cells_that_terminals_give_it(text: str, cells: int) -> None:
    assert widths.width(text) == cells


def test_text_is_clipped_and_filled_at_cell_boundaries() -> None:
    assert widths.clip("李雷和韩梅梅", 5) == "李雷…" and widths.clip("李雷", 4) == "李雷"
    assert widths.pad("李", 5) == "李   " and widths.pad("李", 5, right=True) == "   李"
    assert widths.width(widths.clip(FAMILY * 3, 4)) == 3
    assert widths.step(f"a{FAMILY}b", 1 + len(FAMILY), -1) == 1 and widths.step(f"a{E}", 1, 1) == 3


def texts(text: str, cells: int) -> list[str]:
    return ["".join(piece.text for piece in each) for each in wrap(line(text), cells)]


def test_lines_break_at_words_between_wide_characters_and_never_before_a_stop() -> None:
    assert texts("hello world this", 12) == ["hello world", "this"]
    assert texts("今天下午三点。好", 12) == ["今天下午三", "点。好"]
    assert texts("averyverylongword ok", 8) == ["averyver", "ylongwor", "d ok"]
    for cells in range(2, 40):
        mixed = f"one 李雷 {FAMILY} two-three {FLAG}{E} 今天下午三点。我们 see"
        assert all(width_of(each) <= cells for each in wrap(line(mixed), cells))


def test_a_line_keeps_its_styles_when_it_is_cut_and_wrapped() -> None:
    pieces = (Piece("ab "), Piece("cd ef", Style("accent")))
    assert wrap(pieces, 5) == [(Piece("ab "), Piece("cd", Style("accent"))), (Piece("ef", Style("accent")),)]
    assert cut(pieces, 5) == (Piece("ab "), Piece("c…", Style("accent")))


# --- pictures ---


class Shown:
    """A terminal that only knows cells: what runs write where."""

    def __init__(self, rows: int, cells: int) -> None:
        self.cells = [[" "] * cells for _ in range(rows)]

    def write(self, painter: Painter, screen: Screen) -> int:
        runs = painter.paint(screen)
        for run in runs:
            x = run.x
            for each, wide in widths.graphemes(run.text):
                self.cells[run.y][x] = each
                if wide == 2:
                    self.cells[run.y][x + 1] = ""
                x += wide
        return len(runs)


def test_what_differs_is_written_and_nothing_else_whatever_is_drawn() -> None:
    chance, painter, shown = random.Random(7), Painter(), Shown(6, 30)
    words = ["abc", "李雷", FAMILY, "x", "┃│─", FLAG, "🎉", "  ", "好a"]
    for _turn in range(300):
        screen = Screen(6, 30)
        for _slot in range(chance.randrange(8)):
            text = "".join(chance.choices(words, k=chance.randrange(1, 9)))
            style = chance.choice([PLAIN, Style("accent"), Style("", "selected", BOLD)])
            screen.put(chance.randrange(6), chance.randrange(30), chance.randrange(1, 31), line(text, style), style)
        shown.write(painter, screen)
        assert ["".join(row).rstrip() for row in shown.cells] == painter.text().split("\n")
        assert shown.write(painter, screen) == 0


def test_one_key_writes_one_cell() -> None:
    painter, before, after = Painter(), Screen(3, 20), Screen(3, 20)
    before.put(1, 0, 20, line("> hell"))
    after.put(1, 0, 20, line("> hello"))
    painter.paint(before)
    assert [(run.y, run.x, run.text) for run in painter.paint(after)] == [(1, 6, "o")]


def test_a_wide_character_cut_by_an_edge_leaves_no_half() -> None:
    painter, screen = Painter(), Screen(1, 8)
    screen.put(0, 0, 8, line("李雷李雷"))
    screen.put(0, 3, 2, line("ab"))
    painter.paint(screen)
    assert painter.text() == "李 ab 雷"


# --- keys ---


@pytest.mark.parametrize(
    ("data", "events"),
    [
        (b"a", [Typed("a")]),
        ("李雷".encode(), [Typed("李雷")]),
        (b"\x0b", [Key("ctrl+k")]),
        (b"\r", [Key("enter")]),
        (b"\x1b\r", [Key("alt+enter")]),
        (b"\x1b1", [Key("alt+1")]),
        (b"\x1b[1;3A", [Key("alt+up")]),
        (b"\x1b[1;4B", [Key("alt+shift+down")]),
        (b"\x1b\x1b[A", [Key("alt+up")]),
        (b"\x1b[1;5H", [Key("ctrl+home")]),
        (b"\x1bOP\x1b[12~\x1b[[C", [Key("f1"), Key("f2"), Key("f3")]),
        (b"\x1b[5~\x1b[6~\x1b[Z", [Key("pageup"), Key("pagedown"), Key("shift+tab")]),
        (b"\x1b[13;2u\x1b[27;5;13~", [Key("shift+enter"), Key("ctrl+enter")]),
        (b"\x1b\x7f", [Key("alt+backspace")]),
        (b"\x1b[<0;5;3M\x1b[<0;5;3m", [Mouse("press", 2, 4, 1), Mouse("release", 2, 4, 1)]),
        (b"\x1b[<64;1;1M\x1b[<65;1;1M\x1b[<35;9;9M", [Mouse("up", 0, 0), Mouse("down", 0, 0)]),
        (b"\x1b[I\x1b[O", [Focus(True), Focus(False)]),
        (b"\x1b]11;rgb:ff/ff/ff\x1b\\x", [Answer("rgb:ff/ff/ff"), Typed("x")]),
        (b"\x1b[200~two\r\nlines \x1b[A\x1b[201~b", [Pasted("two\nlines \x1b[A"), Typed("b")]),
        (b"\xff\xfea", [Typed("a")]),
        (b"\x1b[999;999zx", [Typed("x")]),
    ],
)
def test_what_a_terminal_sends_is_named_also_byte_by_byte(data: bytes, events: list[object]) -> None:
    whole, single = Decoder(), Decoder()
    assert whole.feed(data) == events
    found: list[object] = []
    for byte in data:
        found += single.feed(bytes([byte]))
    joined = "".join(each.text for each in found if isinstance(each, Typed))
    assert joined == "".join(each.text for each in events if isinstance(each, Typed))
    assert [each for each in found if not isinstance(each, Typed)] == [e for e in events if not isinstance(e, Typed)]
    assert not single.waiting


def test_a_lone_escape_waits_for_what_may_follow() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b") == [] and decoder.waiting
    assert decoder.flush() == [Key("escape")] and not decoder.waiting
    assert decoder.feed(b"\x1b[") == [] and decoder.feed(b"A") == [Key("up")]
    assert decoder.feed(b"\x1b[200~never ended") == [] and not decoder.waiting


# --- the composer ---


def pressed(text: str, at: int, *keys: str) -> tuple[str, int]:
    editor = Editor(text, at)
    for key in keys:
        assert editor.press(key), key
    return editor.text, editor.at


@pytest.mark.parametrize(
    ("text", "at", "keys", "expected"),
    [
        ("hello world", 11, ["ctrl+w"], ("hello ", 6)),
        ("hello world", 6, ["alt+k"], ("hello ", 6)),
        ("hello world", 6, ["ctrl+u", "ctrl+y"], ("hello world", 6)),
        ("one two three", 13, ["ctrl+w", "ctrl+w", "ctrl+y"], ("one two three", 13)),
        ("one two", 0, ["alt+f", "alt+f", "alt+b"], ("one two", 4)),
        ("one two", 0, ["alt+d"], (" two", 0)),
        (f"a{FAMILY}", 1 + len(FAMILY), ["backspace"], ("a", 1)),
        (f"{FAMILY}b", 0, ["delete"], ("b", 0)),
        ("ab", 2, ["ctrl+t"], ("ba", 2)),
        ("one\ntwo", 7, ["ctrl+a"], ("one\ntwo", 4)),
        ("one\ntwo", 1, ["ctrl+e"], ("one\ntwo", 3)),
        ("word", 0, ["alt+c"], ("Word", 4)),
        ("gone", 4, ["ctrl+u", "ctrl+_"], ("gone", 4)),
        ("李雷", 1, ["left", "right", "right"], ("李雷", 2)),
    ],
)
def test_editing_keys(text: str, at: int, keys: list[str], expected: tuple[str, int]) -> None:
    assert pressed(text, at, *keys) == expected


def test_typed_characters_are_undone_word_by_word() -> None:
    editor = Editor()
    for char in "one two":
        editor.insert(char, typed=True)
    editor.undo()
    assert editor.text == "one"
    editor.undo()
    assert editor.text == ""


def test_the_composer_is_laid_out_under_its_width_with_the_cursor_in_it() -> None:
    for text in ("hello world and more of it", "李雷" * 9, f"{FAMILY}{E}" * 7, "a\n\nb", "x" * 20, ""):
        for cells in (4, 7, 10, 20):
            for at in range(0, len(text) + 1, 3):
                found = lay_out(Editor(text, at), cells)
                assert all(widths.width(text[begin:end]) <= cells for begin, end in found.lines)
                assert 0 <= found.row < len(found.lines) and 0 <= found.column < max(cells, 1) + 1
    assert lay_out(Editor("x" * 10, 10), 10).row == 1
    editor = Editor("first line\nsecond", 17)
    assert editor.up_or_down(-1, 40) and editor.at == 6 and not editor.up_or_down(-1, 40)


def test_history_goes_back_and_returns_to_what_was_being_written() -> None:
    past = History()
    past.add("one")
    past.add("two")
    assert [past.move(1, "draft"), past.move(1, ""), past.move(1, "")] == ["two", "one", None]
    assert [past.move(-1, ""), past.move(-1, ""), past.move(-1, "")] == ["two", "draft", None]


# --- panes, scrolling ---


def test_panes_are_hidden_where_there_is_no_room_and_never_overlap() -> None:
    for width in range(20, 300, 7):
        found = panes(30, width)
        assert bool(found.list) == (width >= 70) and bool(found.members) == (width >= 90)
        assert found.main_x + found.main + (found.members + 1 if found.members else 0) == width
        assert found.text_x + found.text + 3 <= max(found.main, found.text_x + 11) and found.names <= 12
    assert panes(30, 100, wants_members=False).members == 0 and panes(15, 60, wants_members=True).members == 16


def some(count: int) -> list[Row]:
    return [Row("message", str(at), f"line {at}") for at in range(count)]


def lay(row: Row) -> list[tuple[Piece, ...]]:
    return [line(f"{row.key}.{part}") for part in range(1 + int(row.key) % 3)]


def seen(place: history.Place, found: list[Row], height: int = 10) -> list[str]:
    return [each.line[0].text for each in place.view(found, lay, height)]


def test_scrolling_up_and_down_comes_back_to_the_same_lines() -> None:
    place, found = history.Place(), some(50)
    everything = [text for row in found for text in (each[0].text for each in lay(row))]
    assert seen(place, found) == everything[-10:]
    for by in (3, 5, 1, 20, 7):
        before = everything.index(seen(place, found)[0])
        place.scroll(found, lay, 10, by)
        assert seen(place, found) == everything[before - by : before - by + 10]
    place.scroll(found, lay, 10, 10_000)
    assert seen(place, found) == everything[:10]
    place.scroll(found, lay, 10, -4)
    assert seen(place, found) == everything[4:14]
    place.scroll(found, lay, 10, -10_000)
    assert seen(place, found) == everything[-10:] and place.key is None


def test_what_arrives_or_loads_above_moves_nothing_that_is_being_read() -> None:
    place, found = history.Place(), some(50)
    place.scroll(found, lay, 10, 12)
    before = seen(place, found)
    assert seen(place, [*found, Row("message", "50"), Row("message", "51")]) == before
    assert seen(place, [Row("message", "60"), *found]) == before
    place.show(found, lay, 10, "3")
    assert "3.0" in seen(place, found)


def test_only_what_is_seen_is_laid_out() -> None:
    laid, found = [], some(100_000)
    place = history.Place()
    place.view(found, lambda row: laid.append(row.key) or lay(row), 40)  # type: ignore[func-returns-value]
    assert len(laid) < 45


# --- colours ---


def test_colours_are_what_the_terminal_has_and_none_with_no_color() -> None:
    assert colours.depth({"TERM": "xterm-256color", "NO_COLOR": "1"}, 256) == 0
    assert colours.depth({"TERM": "xterm", "COLORTERM": "truecolor"}, 8) == 1 << 24
    assert colours.depth({"TERM": "xterm-256color"}, 8) == 256 and colours.depth({"TERM": "xterm"}, 8) == 16
    assert colours.is_light({}, "rgb:ffff/ffff/eeee") and not colours.is_light({"COLORFGBG": "15;0"})
    assert colours.is_light({"COLORFGBG": "0;15"}) and not colours.is_light({})
    roles = colours.roles(DARK)
    assert colours.palette(roles, 1 << 24, False)(Style("accent")) == "\x1b[0;38;2;127;171;255m"
    assert colours.palette(roles, 0, False)(Style("accent", "selected", BOLD)) == "\x1b[0;1;7m"
    assert colours.palette(roles, 16, False)(Style("danger")) == "\x1b[0;91m"
    assert colours.palette(colours.roles(LIGHT), 256, True)(Style("author:5")).startswith("\x1b[0;38;5;")
    assert (colours.nearest("#FFFFFF"), colours.nearest("#000000"), colours.nearest("#808080")) == (231, 16, 244)


# --- messages as lines ---


def drawn(*events: dict[str, object], width: int = 80, me: str = "ana", since: int | None = None) -> list[str]:
    model = Model(me=me)
    numbered = []
    for at, event in enumerate(events, 1):
        made = {"type": "TEXT", "id": f"m{at}", "seq": at, "target": "#r", "timestamp": f"2026-11-23T09:{40 + at}:00Z"}
        numbered.append({**made, **event})
    model.apply(Page("#r", "latest", tuple(numbered), False, True, len(events)))
    found = rows(model, "#r", Moment(1_795_687_200, UTC), since)
    layout = panes(30, width, False, False)
    return [
        "".join(piece.text for piece in each).rstrip() for row in found for each in messages.lines(row, layout, "help")
    ]


def test_a_conversation_as_the_design_has_it() -> None:
    text = drawn(
        {"sender": "ana", "content": "when do we…"},
        {"sender": "bo", "content": "今天下午三点。", "ref": "m1", "reactions": {"👍": ["ana", "cy"], "🎉": ["ana"]}},
        {"sender": "bo", "content": "and **one** more", "edited": "2026-11-23T09:50:00Z"},
        {"sender": "cy", "content": "", "deleted": True},
        {"sender": "cy", "content": "@ana look", "mentions": ["ana"]},
        since=3,
    )
    assert text[0].strip("─ ") == "Monday, 23 November" and len(text[0]) == 80
    assert text[1].startswith(" 09:41          you │ when do we…") and text[1].endswith("✓")
    assert text[2:5] == [
        " 09:42           bo │ ┃ ana: when do we…",
        f"{'':19} │ 今天下午三点。",
        f"{'':19} │ 👍2 🎉1",
    ]
    assert text[5] == f"{'':19} │ and one more (edited)"
    assert text[6].strip("─ ") == "new"
    assert text[7] == " 09:44           cy │ (deleted)"
    assert text[8] == f"@{'':18} │ @ana look"


def test_markdown_is_drawn_and_control_characters_are_visible() -> None:
    text = drawn(
        {"sender": "bo", "content": "```py\nx = 1\n```\n- one\n- two\n> said\n[docs](https://x.org) ~~no~~ \x1b[2J"}
    )
    bodies = [each.partition("│ ")[2].rstrip() for each in text[1:]]
    assert bodies[:4] == [" x = 1", "• one", "• two", "┃ said"]
    assert "docs <https://x.org> no \\x1b[2J" in " ".join(bodies)


def test_a_name_has_at_most_12_cells_and_text_is_wrapped_under_itself() -> None:
    text = drawn({"sender": "a" * 30, "content": "words " * 30}, width=60)
    assert " aaaaaaaaa… │ words" in text[1] and all(each.startswith(" " * 18 + "│ words") for each in text[2:-1])
    assert all(widths.width(each) <= 60 for each in text)


def test_a_message_of_thousands_of_lines_is_cut_with_a_word() -> None:
    text = drawn({"sender": "bo", "content": "\n".join(["x"] * 1_000)})
    assert len(text) == 2 + messages.MOST_LINES and "600 more lines" in text[-1]


# --- the table of actions, commands ---


def test_every_action_of_the_terminal_does_something_and_nothing_else_does() -> None:
    names = {action.name for action in actions("tui")}
    assert set(acts.DOES) | {"jump"} == names


def test_the_page_of_keys_is_printed_from_the_table() -> None:
    text = (ROOT / "docs" / "KEYS.md").read_text("utf-8")
    assert text == help.document(), "python -c 'from alonechat.ui.tui.help import document; print(document())'"
    assert all(f"| `{action.name}` |" in text for action in ACTIONS)
    assert all(f"`{each.usage}`" in text for each in local.COMMANDS)


def test_help_has_two_columns_at_every_width() -> None:
    for cells in (30, 56, 96):
        found = help.lines(cells, {"search": ("ctrl+g",)}, {"/roll": ("/roll 2d6+1", "dice")})
        text = "\n".join("".join(piece.text for piece in each) for each in found)
        assert "Ctrl-G" in text and "Ctrl-F" not in text and "/roll 2d6+1" in text
        assert all(width_of(each) <= cells for each in found)


def test_a_command_of_the_client_is_told_from_the_servers() -> None:
    assert local.split("/go ana ") == ("go", "ana") and local.split("/help") == ("help", "")
    assert [local.split(text) for text in ("/help kick", "/roll 2d6", "//go", "go", "/")] == [None] * 5


def test_notifications_are_said_as_the_terminal_knows_them() -> None:
    assert terminal.notification("bo", "hi; you", {"TERM": "xterm"}) == "\x1b]9;bo: hi, you\x07"
    assert terminal.notification("bo", "hi", {"TERM": "foot"}) == "\x1b]777;notify;bo;hi\x07"
    assert terminal.copying("é", {"TMUX": "x"}) == "\x1b]52;c;w6k=\x07\x1bPtmux;\x1b\x1b]52;c;w6k=\x07\x1b\\"


def test_the_list_shows_what_is_new_and_says_what_it_has_no_room_for() -> None:
    from alonechat.core.client.model import Listed, Summary

    model = Model(me="ana")
    model.apply(Listed(tuple(Summary(f"#room{at:02}", "room", unread=at % 2) for at in range(30))))
    model.apply(Listed((Summary("bo", "direct", unread=2, mentions=1),)))
    lines, targets = sidebar.conversations(model, "#room03", 20, 10)
    text = ["".join(piece.text for piece in each) for each in lines]
    assert len(text) == 10 and all(widths.width(each) == 20 for each in text)
    assert "▸#room03" in "".join(text) and targets[3] == "#room03" and "22 more, 12 new" in text[-1]
    lines, _targets = sidebar.conversations(model, "bo", 20, 40)
    assert "".join(piece.text for piece in lines[-1]) == "▸○ bo            @1 "
