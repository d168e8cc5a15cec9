"""The help page and the page of keys for the documentation: both are printed from the table of actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alonechat.core.client.actions import ACTIONS, keys_of, page
from alonechat.core.client.words import _
from alonechat.ui.tui.local import COMMANDS
from alonechat.ui.tui.screen import ACCENT, BOLD, PLAIN, SECONDARY, Line, Piece, wrap
from alonechat.ui.tui.width import pad


def lines(cells: int, changes: Mapping[str, tuple[str, ...]], commands: Mapping[str, tuple[str, str]]) -> list[Line]:
    """The help page at a width: keys by section, then commands: ours, and those that the server told."""
    found: list[Line] = []
    for title, rows in page("tui", changes):
        found += [(Piece(title, PLAIN.plus(BOLD)),)]
        for keys, what in rows:
            found += _row(keys, what, min(28, cells * 2 // 5), cells)
        found.append(())
    found.append((Piece(_("Commands"), PLAIN.plus(BOLD)),))
    ours = {each.usage: _(each.help) for each in COMMANDS}
    for usage, what in (*ours.items(), *(each for each in sorted(commands.values()) if each[0] not in ours)):
        found += _row(usage, what, min(28, cells * 2 // 5), cells)
    found.append(())
    told = _('Keys are changed in keys.toml, beside the saved accounts: search = "ctrl+g"')
    return found + wrap((Piece(told, SECONDARY),), cells)


def _row(left: str, right: str, column: int, cells: int) -> list[Line]:
    """Two columns, each wrapped under itself."""
    keys, what = wrap((Piece(left, ACCENT),), column - 1), wrap((Piece(right),), max(8, cells - column - 2))
    found: list[Line] = []
    for at in range(max(len(keys), len(what))):
        text = "".join(piece.text for piece in keys[at]) if at < len(keys) else ""
        found.append((Piece("  " + pad(text, column), ACCENT), *(what[at] if at < len(what) else ())))
    return found


def document(faces: Iterable[str] = ("tui", "gui")) -> str:
    """docs/KEYS.md, in English."""
    names = {"tui": "Terminal", "gui": "Desktop"}
    text = [
        "# Keys",
        "",
        "Printed from the table of actions (`alonechat/core/client/actions.py`) by `alonechat.ui.tui.help.document()`;",
        "a test holds it. An action's keys are changed in `keys.toml`, in the directory of the saved accounts:",
        '`search = "ctrl+g"`, or a list of keys; an empty list leaves it without any. Names of keys: `ctrl+k`,',
        "`alt+shift+up`, `f1`, `pageup`, `enter`, `escape`, `tab`, `?`.",
    ]
    for section in dict.fromkeys(each.section for each in ACTIONS):
        text += ["", f"## {section}", "| action | keys | does | where |", "| --- | --- | --- | --- |"]
        for each in ACTIONS:
            if each.section == section:
                where = ", ".join(names[face] for face in faces if face in each.faces)
                keys = keys_of(each).replace("|", "\\|")
                text.append(f"| `{each.name}` | {keys} | {each.help} | {where} |")
    text += ["", "## Commands of the terminal client and the line mode", "| command | does |", "| --- | --- |"]
    text += [f"| `{each.usage}` | {each.help} |" for each in COMMANDS]
    text += ["", "Everything else that begins with `/` goes to the server (`/help` there lists it); `//` says a slash."]
    return "\n".join(text) + "\n"
