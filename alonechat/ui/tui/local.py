"""The commands that the client itself carries out, the same in the terminal client and in the line mode."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from alonechat.core.client.emojis import by_name
from alonechat.core.client.fuzzy import ranked
from alonechat.core.client.listing import title
from alonechat.core.client.rows import Row
from alonechat.core.client.words import _, _t, n_
from alonechat.ui.tui import filing, paths
from alonechat.ui.tui.desk import Desk


class Front(Protocol):
    """What a command needs of the face that runs it."""

    desk: Desk | None

    def say(self, text: str, is_error: bool = False) -> None: ...
    def go(self, target: str, jump: int | None = None) -> None: ...
    def post(self, act: Callable[[], None]) -> None: ...
    def quit(self) -> None: ...
    def help(self) -> None: ...
    def search(self, words: str) -> None: ...
    def hit(self, number: int) -> None: ...
    def older(self) -> None: ...
    def list(self) -> None: ...
    def accounts(self, words: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Command:
    """A row: its name, how it is written, what it does (in English; translated when it is shown)."""

    name: str
    usage: str
    help: str
    run: Callable[[Front, Desk, str], None]


COUNTED = re.compile(r"-(\d+)(?:\s+|$)")


def split(text: str) -> tuple[str, str] | None:
    """The name of a command of ours and what follows it; None for every other text. `/help NAME` is the server's."""
    if not text.startswith("/") or text.startswith("//"):
        return None
    name, _space, rest = text[1:].partition(" ")
    known = name in BY_NAME and not (name == "help" and rest.strip())
    return (name, rest.strip()) if known else None


def run(front: Front, text: str) -> bool:
    """Carry a command out; False where it is none of ours."""
    found = split(text)
    if found is None or front.desk is None:
        return False
    BY_NAME[found[0]].run(front, front.desk, found[1])
    return True


def counted(desk: Desk, text: str, mine: bool) -> tuple[Row | None, str]:
    """The message that `-N` at the beginning of a text means, counted back from the end: -1 is the latest. Without it,
    the latest of one's own or of the others. And the rest of the text."""
    said = [each for each in desk.rows() if each.kind == "message" and not each.deleted]
    if found := COUNTED.match(text):
        number = int(found[1])
        return (said[-number] if 0 < number <= len(said) else None), text[found.end() :]
    fits = (each for each in reversed(said) if each.mine == mine)
    return next(fits, None), text


def _places(desk: Desk) -> list[tuple[str, str]]:
    known = [(each.target, title(desk.model, each.target)) for each in desk.model.order()]
    others = (each for each in sorted(desk.model.users) if each not in desk.model.conversations)
    return known + [(each, desk.model.shown(each)) for each in others]


def exact(desk: Desk, name: str) -> list[str]:
    """The conversations and people that are called just so; a room's mark may lack."""
    return [target for target, _shown in _places(desk) if target in (name, f"#{name}")]


def _go(front: Front, desk: Desk, name: str) -> None:
    found = ranked(name, _places(desk), lambda each: " ".join(each))
    fits = exact(desk, name) or [target for (target, _shown), _at in found]
    if name and fits:
        front.go(fits[0])
    else:
        front.say(_("no conversation is called {name}").format(name=name or "?"), True)


def _reply(front: Front, desk: Desk, text: str) -> None:
    row, said = counted(desk, text, mine=False)
    if row is None or row.event is None or not said.strip():
        front.say(_("there is nothing to reply to, or no text"), True)
        return
    desk.runner.say(desk.target, said, str(row.event["id"]))


def _edit(front: Front, desk: Desk, text: str) -> None:
    row, said = counted(desk, text, mine=True)
    if row is None or row.event is None or not said.strip():
        front.say(_("there is no message to edit, or no text"), True)
        return
    desk.runner.edit(desk.target, str(row.event["id"]), said)


def _delete(front: Front, desk: Desk, text: str) -> None:
    row, _rest = counted(desk, text, mine=True)
    if row is None or row.event is None:
        front.say(_("there is no message to delete"), True)
        return
    desk.runner.delete(desk.target, str(row.event["id"]))


def _react(front: Front, desk: Desk, text: str) -> None:
    row, said = counted(desk, text, mine=False)
    emoji = by_name(said.strip().strip(":")) or said.strip()
    if row is None or row.event is None or not emoji:
        front.say(_("there is nothing to react to, or no emoji"), True)
        return
    there = any(char == emoji and desk.model.me in who for char, who in row.reactions)
    desk.runner.react(desk.target, str(row.event["id"]), emoji, removed=there)


def _upload(front: Front, desk: Desk, text: str) -> None:
    filing.upload(front, desk, text)


def bearing(desk: Desk, text: str) -> tuple[Row | None, str]:
    """The message with files that `-N` means, or the latest one; and the rest of the text."""
    row, rest = counted(desk, text, mine=False) if COUNTED.match(text) else (None, text)
    if row is None and rest == text:
        row = next((each for each in reversed(desk.rows()) if each.files), None)
    return (row if row is not None and row.files else None), rest


def _open(front: Front, desk: Desk, text: str) -> None:
    row, _rest = bearing(desk, text)
    if row is None:
        front.say(_("there is no file to open"), True)
        return
    for file in row.files:
        filing.open_file(front, desk, file)


def _save(front: Front, desk: Desk, text: str) -> None:
    row, where = bearing(desk, text)
    if row is None:
        front.say(_("there is no file to save"), True)
        return
    given = paths.named(where)
    place = given[0].absolute() if given else filing.downloads()
    if len(row.files) > 1 and not place.is_dir():
        front.say(_("{path} is no folder, and the message has several files").format(path=place), True)
        return
    for file in row.files:
        filing.save(front, desk, file, place)


def _again(front: Front, desk: Desk, text: str) -> None:
    refused = [each.nonce for each in desk.model.waiting() if each.code]
    for nonce in refused:
        desk.runner.again(nonce)
    front.say(n_("sending {n} message again", "sending {n} messages again", len(refused)))


def _discard(front: Front, desk: Desk, text: str) -> None:
    refused = [each.nonce for each in desk.model.waiting() if each.code]
    for nonce in refused:
        desk.runner.discard(nonce)
    front.say(n_("discarded {n} message", "discarded {n} messages", len(refused)))


def _search(front: Front, desk: Desk, text: str) -> None:
    front.search(text)


def _hit(front: Front, desk: Desk, text: str) -> None:
    front.hit(int(text) if text.isdecimal() else 0)


def _accounts(front: Front, desk: Desk, text: str) -> None:
    front.accounts(text)


def _presence(content: str) -> Callable[[Front, Desk, str], None]:
    return lambda front, desk, text: desk.runner.presence(content)


COMMANDS: tuple[Command, ...] = (
    Command("go", "/go NAME", _t("go to a conversation or person"), _go),
    Command("list", "/list", _t("the conversations, and what is new"), lambda front, desk, text: front.list()),
    Command("search", "/search WORDS", _t("search messages; from:NAME is who wrote them"), _search),
    Command("hit", "/hit N", _t("go to the Nth message that the last search found"), _hit),
    Command("older", "/older", _t("older messages"), lambda front, desk, text: front.older()),
    Command("read", "/read", _t("mark as read"), lambda front, desk, text: desk.mark_read()),
    Command("reply", "/reply [-N] TEXT", _t("reply to the latest message of others, or the Nth from the end"), _reply),
    Command("edit", "/edit [-N] TEXT", _t("change one's latest message, or the Nth from the end"), _edit),
    Command("delete", "/delete [-N]", _t("delete one's latest message, or the Nth from the end"), _delete),
    Command("react", "/react [-N] EMOJI", _t("react to a message, or take it back; EMOJI may be a name"), _react),
    Command("upload", "/upload PATH…", _t("send files; Tab completes paths, quotes keep blanks together"), _upload),
    Command("open", "/open [-N]", _t("open the files of the latest message that has any, or of the Nth"), _open),
    Command("save", "/save [-N] [PATH]", _t("save them: in the folder of downloads, or at PATH"), _save),
    Command("again", "/again", _t("send again what was refused"), _again),
    Command("discard", "/discard", _t("discard what was refused"), _discard),
    Command("online", "/online", _t("be there"), _presence("online")),
    Command("away", "/away", _t("be away"), _presence("away")),
    Command("busy", "/busy", _t("be busy"), _presence("busy")),
    Command("accounts", "/accounts [NAME]", _t("the accounts of this machine; switch to one"), _accounts),
    Command("help", "/help", _t("keys and commands"), lambda front, desk, text: front.help()),
    Command("quit", "/quit", _t("quit"), lambda front, desk, text: front.quit()),
)
BY_NAME = {each.name: each for each in COMMANDS}
HERE = frozenset({"older", "read", "reply", "edit", "delete", "react", "upload", "open", "save"})
"""Those about the conversation that one looks at."""
MOVING = frozenset({"go", "hit", "accounts"})
"""Those behind which one is somewhere else, if they succeed."""
