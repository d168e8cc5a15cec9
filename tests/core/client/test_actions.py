"""The table of actions and keys, and the file that changes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat.core.client import actions
from alonechat.core.client.actions import ACTIONS, FACES, changed, keymap, keys_of, normal, page, shown
from alonechat.core.client.words import choose
from alonechat.errors import ConfigError

BY_NAME = {action.name: action for action in ACTIONS}


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    choose("en")
    yield
    choose("en")


# --- the table ---


def test_every_name_is_used_once_and_every_face_is_one() -> None:
    assert len(BY_NAME) == len(ACTIONS)
    assert all(action.faces and set(action.faces) <= set(FACES) for action in ACTIONS)
    assert all(action.help and action.keys for action in ACTIONS)


def test_keys_are_spelled_as_the_table_spells_them() -> None:
    assert [key for action in ACTIONS for key in action.keys if normal(key) != key] == []


@pytest.mark.parametrize("face", FACES)
def test_no_key_means_two_things_at_once(face: str) -> None:
    """Only a key for a selected message may be another one's elsewhere: there is one or there is none."""
    twice = {
        key: names
        for key, names in keymap(face).items()
        if len([name for name in names if BY_NAME[name].section != actions.SELECT]) > 1
        or len([name for name in names if BY_NAME[name].section == actions.SELECT]) > 1
    }
    assert twice == {}


def test_what_people_know_is_where_they_look_for_it() -> None:
    for face in FACES:
        keys = keymap(face)
        assert {key: keys[key] for key in ("ctrl+k", "ctrl+f", "f1", "alt+up", "tab", "pageup", "escape")} == {
            "ctrl+k": ["go_to"],
            "ctrl+f": ["search"],
            "f1": ["help"],
            "alt+up": ["previous"],
            "tab": ["complete"],
            "pageup": ["page_up"],
            "escape": ["close"],
        }
    assert "settings" not in {action.name for action in actions.actions("tui")}
    assert "kill_line" not in {action.name for action in actions.actions("gui")}


def test_a_key_that_types_a_letter_is_for_a_selected_message_only() -> None:
    typed = [action.name for action in ACTIONS for key in action.keys if len(key) == 1]
    assert {BY_NAME[name].section for name in typed if name != "help"} == {actions.SELECT}


# --- names of keys ---


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("Ctrl-Alt-K", "ctrl+alt+k"),
        ("shift+ALT+Up", "alt+shift+up"),
        ("Return", "enter"),
        ("ESC", "escape"),
        ("PgUp", "pageup"),
        ("alt+Del", "alt+delete"),
        ("?", "?"),
        ("+", "+"),
        ("K", "K"),
        ("ctrl++", "ctrl++"),
        ("Ctrl-+", "ctrl++"),
        ("Ctrl--", "ctrl+-"),
        ("ctrl+-", "ctrl+-"),
        ("F12", "f12"),
    ],
)
def test_a_key_has_one_name(given: str, wanted: str) -> None:
    assert normal(given) == wanted
    assert normal(wanted) == wanted


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("ctrl+k", "Ctrl-K"),
        ("alt+shift+up", "Alt-Shift-↑"),
        ("pageup", "PgUp"),
        ("escape", "Esc"),
        ("ctrl+comma", "Ctrl-,"),
        ("f1", "F1"),
        ("r", "r"),
        ("?", "?"),
        ("+", "+"),
        ("ctrl++", "Ctrl-+"),
        ("ctrl+-", "Ctrl--"),
        ("shift+tab", "Shift-Tab"),
        ("alt+backspace", "Alt-Backspace"),
    ],
)
def test_a_key_for_a_person(key: str, wanted: str) -> None:
    assert shown(key) == wanted


def test_keys_of_an_action() -> None:
    assert keys_of(BY_NAME["help"]) == "F1 or ?"
    assert keys_of(BY_NAME["jump"]) == "Alt-1 … Alt-9"
    assert keys_of(BY_NAME["help"], {"help": ("ctrl+h",)}) == "Ctrl-H"
    assert keys_of(BY_NAME["help"], {"help": ()}) == ""
    choose("zh")
    assert keys_of(BY_NAME["help"]) == "F1 或 ?"


# --- the keys file ---


def keys(tmp_path: Path, text: str) -> dict[str, tuple[str, ...]]:
    path = tmp_path / "keys.toml"
    path.write_text(text, "utf-8")
    return changed(path)


def test_without_a_file_nothing_is_changed(tmp_path: Path) -> None:
    assert changed(tmp_path / "keys.toml") == {}


def test_a_file_gives_actions_other_keys(tmp_path: Path) -> None:
    given = keys(tmp_path, 'search = "Ctrl-G"\nhelp = ["f1", "alt+h"]\nquit = []\n')
    assert given == {"search": ("ctrl+g",), "help": ("f1", "alt+h"), "quit": ()}
    found = keymap("tui", given)
    assert (found["ctrl+g"], found["alt+h"]) == (["search"], ["help"])
    assert not {"ctrl+f", "?", "ctrl+q"} & set(found)
    assert found["ctrl+k"] == ["go_to"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('sarch = "ctrl+g"', "names 'sarch', which is no action; there are: .*search"),
        ("search = 7", "search takes a key such as"),
        ('search = ["ctrl+g", 7]', "search takes a key such as"),
        ('search = ""', "search takes a key such as"),
        ("[search]\nkey = 'x'", "search takes a key such as"),
        ("search = ctrl+g", "can't read the keys in .*keys.toml"),
        ('search = "a"\nsearch = "b"', "can't read the keys in"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        keys(tmp_path, text)


def test_a_file_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't read the keys in"):
        changed(tmp_path)  # a directory
    (tmp_path / "keys.toml").write_bytes(b'search = "\xff"')
    with pytest.raises(ConfigError, match="can't read the keys in"):
        changed(tmp_path / "keys.toml")


# --- help ---


@pytest.mark.parametrize("face", FACES)
def test_the_help_page_has_every_action_once_in_its_section(face: str) -> None:
    found = page(face)
    assert [section for section, _rows in found] == [
        "Go",
        "Messages",
        "Writing",
        "A selected message",
        "The client",
    ]
    rows = [row for _section, rows in found for row in rows]
    assert [words for _keys, words in rows] == [action.help for action in actions.actions(face)]
    assert ("Ctrl-K", "go to a conversation or person") in rows


def test_the_help_page_is_in_the_language_that_was_chosen() -> None:
    choose("zh")
    section, rows = page("tui")[0]
    assert (section, rows[0]) == ("跳转", ("Ctrl-K", "跳转到会话或联系人"))
