"""What a person can do, by which keys: one table that faces bind, and that help and documentation are printed from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alonechat.core.client.words import _, _t
from alonechat.errors import ConfigError

FILE = "keys.toml"
FACES = ("gui", "tui")


@dataclass(frozen=True, slots=True)
class Action:
    """One row: the name that faces and the keys file use, its keys, what it does (in English; `_` translates it when
    it is shown), where it stands on the help page, and the faces that have it."""

    name: str
    keys: tuple[str, ...]
    help: str
    section: str
    faces: tuple[str, ...] = FACES


GO, MESSAGES, WRITE, SELECT, APP = _t("Go"), _t("Messages"), _t("Writing"), _t("A selected message"), _t("The client")
JUMPS = tuple(f"alt+{n}" for n in range(1, 10))

ACTIONS: tuple[Action, ...] = (
    Action("go_to", ("ctrl+k",), _t("go to a conversation or person"), GO),
    Action("search", ("ctrl+f",), _t("search messages"), GO),
    Action("previous", ("alt+up",), _t("previous conversation"), GO),
    Action("next", ("alt+down",), _t("next conversation"), GO),
    Action("previous_unread", ("alt+shift+up",), _t("previous conversation with something new"), GO),
    Action("next_unread", ("alt+shift+down",), _t("next conversation with something new"), GO),
    Action("jump", JUMPS, _t("the first to ninth conversation"), GO),
    Action("back", ("alt+left",), _t("the conversation before this one"), GO),
    Action("close", ("escape",), _t("close what is open; then mark as read"), GO),
    Action("page_up", ("pageup",), _t("scroll up"), MESSAGES),
    Action("page_down", ("pagedown",), _t("scroll down"), MESSAGES),
    Action("top", ("ctrl+home",), _t("to the oldest message here"), MESSAGES),
    Action("latest", ("ctrl+end", "end"), _t("to the latest message"), MESSAGES),
    Action("first_unread", ("alt+u",), _t("to the first message that is new"), MESSAGES),
    Action("select", ("ctrl+up",), _t("select a message"), MESSAGES),
    Action("copy_selection", ("ctrl+c",), _t("copy the text that is selected with the pointer"), MESSAGES, ("gui",)),
    Action("members", ("f2", "alt+m"), _t("show or hide the members"), MESSAGES),
    Action("send", ("enter",), _t("send"), WRITE),
    Action("new_line", ("alt+enter", "shift+enter", "ctrl+j"), _t("new line"), WRITE),
    Action("edit_last", ("up",), _t("edit the last message (in an empty composer)"), WRITE),
    Action("complete", ("tab",), _t("complete @name, #room, /command, :emoji:"), WRITE),
    Action("complete_back", ("shift+tab",), _t("the completion before"), WRITE),
    Action("older_input", ("ctrl+p",), _t("what was written before"), WRITE, ("tui",)),
    Action("newer_input", ("ctrl+n",), _t("what was written after"), WRITE, ("tui",)),
    Action("line_start", ("ctrl+a", "home"), _t("to the start of the line"), WRITE, ("tui",)),
    Action("line_end", ("ctrl+e",), _t("to the end of the line"), WRITE, ("tui",)),
    Action("word_left", ("alt+b", "ctrl+left"), _t("a word to the left"), WRITE, ("tui",)),
    Action("word_right", ("alt+f", "ctrl+right"), _t("a word to the right"), WRITE, ("tui",)),
    Action("kill_line", ("alt+k",), _t("cut to the end of the line"), WRITE, ("tui",)),
    Action("kill_start", ("ctrl+u",), _t("cut to the start of the line"), WRITE, ("tui",)),
    Action("kill_word", ("ctrl+w", "alt+backspace"), _t("cut the word before"), WRITE, ("tui",)),
    Action("yank", ("ctrl+y",), _t("paste what was cut"), WRITE, ("tui",)),
    Action("editor", ("ctrl+o",), _t("write in an editor of your own ($VISUAL, $EDITOR)"), WRITE, ("tui",)),
    Action("attach", ("ctrl+o",), _t("send files"), WRITE, ("gui",)),
    Action("emoji", ("ctrl+e",), _t("choose an emoji"), WRITE, ("gui",)),
    Action("reply", ("r",), _t("reply"), SELECT),
    Action("edit", ("e",), _t("edit"), SELECT),
    Action("delete", ("d", "delete"), _t("delete"), SELECT),
    Action("react", ("+",), _t("react"), SELECT),
    Action("copy", ("c", "y"), _t("copy"), SELECT),
    Action("open_link", ("o",), _t("open its file or link"), SELECT),
    Action("save_file", ("s",), _t("save its file"), SELECT),
    Action("again", ("a",), _t("send again what was refused"), SELECT),
    Action("discard", ("x",), _t("discard what was refused or waits"), SELECT),
    Action("reconnect", ("ctrl+r",), _t("connect now"), APP),
    Action("away", ("alt+a",), _t("be away, or back"), APP),
    Action("accounts", ("f3",), _t("switch the account"), APP),
    Action("settings", ("ctrl+comma",), _t("settings"), APP, ("gui",)),
    Action("theme", ("f4",), _t("light or dark"), APP),
    Action("redraw", ("ctrl+l",), _t("draw the screen anew"), APP, ("tui",)),
    Action("help", ("f1", "?"), _t("this help (? in an empty composer)"), APP),
    Action("quit", ("ctrl+q",), _t("quit"), APP),
)


def actions(face: str) -> list[Action]:
    """The rows of a face (`gui` or `tui`)."""
    return [action for action in ACTIONS if face in action.faces]


def changed(path: Path) -> dict[str, tuple[str, ...]]:
    """The keys file: a table of `action = "key"` or `action = ["key", "key"]`; an empty list leaves an action without
    keys. A file that is not there changes nothing. Raises ConfigError with what is wrong with it."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"can't read the keys in {path}: {error}") from None
    known = {action.name for action in ACTIONS}
    keys: dict[str, tuple[str, ...]] = {}
    for name, value in found.items():
        given = (value,) if isinstance(value, str) else value
        if name not in known:
            raise ConfigError(f"{path} names {name!r}, which is no action; there are: {', '.join(sorted(known))}")
        if not isinstance(given, (tuple, list)) or not all(isinstance(key, str) and key for key in given):
            raise ConfigError(f"{path}: {name} takes a key such as 'ctrl+k', or a list of keys, not {value!r}")
        keys[name] = tuple(normal(key) for key in given)
    return keys


def normal(key: str) -> str:
    """A key's name as the table spells it: `Ctrl-Alt-K` is `ctrl+alt+k`."""
    if len(key) == 1:
        return key
    *held, last = _parts(key.lower())
    order = [part for part in ("ctrl", "alt", "shift") if part in held]
    names = {"esc": "escape", "return": "enter", "pgup": "pageup", "pgdn": "pagedown", "del": "delete"}
    return "+".join([*order, names.get(last, last)])


def _parts(key: str) -> list[str]:
    """What is held and what is pressed; `ctrl++` and `ctrl+-` end with the key that the others are parted by."""
    return [*re.split("[+-]", key[:-1].rstrip("+-")), key[-1]] if key[-1] in "+-" else re.split("[+-]", key)


def keymap(face: str, changes: Mapping[str, tuple[str, ...]] | None = None) -> dict[str, list[str]]:
    """The actions that each key of a face means. Keys mean different things in different places (`r` with a message
    selected, Up in an empty composer), so a key may have several; the face takes the one that fits."""
    found: dict[str, list[str]] = {}
    for action in actions(face):
        for key in (changes or {}).get(action.name, action.keys):
            found.setdefault(key, []).append(action.name)
    return found


def shown(key: str) -> str:
    """A key for a person: `Ctrl-K`, `Alt-Shift-↑`, `PgUp`."""
    names = {
        "up": "↑",
        "down": "↓",
        "left": "←",
        "right": "→",
        "pageup": "PgUp",
        "pagedown": "PgDn",
        "escape": "Esc",
        "comma": ",",
        "backspace": "Backspace",
    }
    return "-".join(names.get(part, (part.upper() if "+" in key else part) if len(part) == 1 else part.capitalize())
                    for part in ([key] if len(key) == 1 else _parts(key)))  # fmt: skip


def keys_of(action: Action, changes: Mapping[str, tuple[str, ...]] | None = None) -> str:
    """The keys of an action for a person: `F1 or ?`; `Alt-1 … Alt-9` for the nine jumps."""
    keys = (changes or {}).get(action.name, action.keys)
    if keys == JUMPS:
        return "Alt-1 … Alt-9"
    return _(" or ").join(shown(key) for key in keys)


def page(face: str, changes: Mapping[str, tuple[str, ...]] | None = None) -> list[tuple[str, list[tuple[str, str]]]]:
    """The help page of a face, in the language that was chosen: sections with (keys, what they do)."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for action in actions(face):
        sections.setdefault(action.section, []).append((keys_of(action, changes), _(action.help)))
    return [(_(section), rows) for section, rows in sections.items()]
