"""Commands: what a text that starts with `/` may be, who may run it, and what it does. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from alonechat.core import message
from alonechat.core.server.effects import (
    Appoint,
    Banish,
    Effect,
    Inherit,
    Invite,
    Notify,
    Post,
    Rename,
    Sanction,
    Silence,
    Tell,
    Uninvite,
)
from alonechat.core.server.rooms import Facts, Kind, Private, kind_of, ranks
from alonechat.core.store.records import Account, Membership
from alonechat.errors import Rejected

Outcome = dict[str, Any] | list[Effect]
"""A frame that is decided in place of the command, or effects."""
SHOWN = 50
"""People that /who names, and each list of /restricted."""
NAME = "<name>"
MAYBE_NAME = "[name]"


@dataclass(frozen=True, slots=True)
class Call:
    """A command as it was given. `target` is what the caller calls the conversation; `rest` what stands after the name;
    `find` gives an account by name; `people` all usernames; `presence` somebody's state."""

    facts: Facts
    target: str
    rest: str
    find: Callable[[str], Account | None]
    people: Iterable[str]
    presence: Callable[[str], str]

    @property
    def kind(self) -> Kind:
        """The kind of the conversation it was given in."""
        return kind_of(self.facts)

    def frame(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A frame to decide in place of the command; about this conversation unless `target` says another."""
        return {"type": kind, "target": self.target, **fields}

    def person(self, name: str) -> Account:
        """The account that `name`, with or without @, names. Raises `Rejected("not_found")`."""
        try:
            found = self.find(message.username(name.removeprefix("@")))
        except Rejected:
            found = None
        if found is None:
            raise Rejected("not_found", f"there is nobody called {name[:40]}")
        return found


@dataclass(frozen=True, slots=True)
class Command:
    """A command: `usage` is what stands after its name; `role` the server role that it needs at least; `run` what it
    does.
    Arguments in <> are needed, those in [] are not."""

    name: str
    usage: str
    help: str
    run: Callable[[Call], Outcome]
    role: str = "member"


class CommandProcessor:
    """The commands by name."""

    def __init__(self) -> None:
        self._known: dict[str, Command] = {}
        self.more: Callable[[], Iterable[str]] = lambda: ()
        """Lines about commands that are not in the table: plugins'."""
        self.add(Command("help", "[command]", "what commands there are", self._help))
        for command in COMMANDS:
            self.add(command)

    def add(self, command: Command) -> None:
        """Make a command known. Raises ValueError when its name is taken."""
        if command.name in self._known:
            raise ValueError(f"there is a command /{command.name} already")
        self._known[command.name] = command

    def remove(self, name: str) -> None:
        """Forget a command."""
        self._known.pop(name, None)

    def knows(self, content: str) -> bool:
        """Whether a text that starts with `/` begins with the name of a command of the table."""
        words = content[1:].split(None, 1) if not content[1:2].isspace() else []
        return bool(words) and words[0].lower() in self._known

    def find(self, content: str, role: str) -> tuple[Command, str]:
        """(command, what stands after its name) of a text that starts with `/`. Raises Rejected: `not_found` when
        there is
        no such command, `forbidden` when the role is too low."""
        words = content[1:].split(None, 1) if not content[1:2].isspace() else []
        name, rest = (words[0] if words else ""), (words[1] if len(words) > 1 else "")
        found = self._known.get(name.lower())
        if found is None:
            near = difflib.get_close_matches(name.lower(), self._known, 1)
            meant = f"did you mean /{near[0]}?" if near else "/help lists all; // begins a text with a slash"
            raise Rejected("not_found", f"there is no command /{name[:32]}; {meant}")
        if ranks(role) < ranks(found.role):
            raise Rejected("forbidden", f"/{found.name} is for {found.role}s")
        return found, rest.strip()

    def run(self, command: Command, call: Call) -> Outcome:
        """Run a command. Raises Rejected with its usage when an argument that it needs is missing, or when there are
        words after the only name that it takes: `/mute ana 10m` must not mute without end."""
        given = len(call.rest.split())
        if given < command.usage.count("<"):
            raise Rejected("bad_frame", f"use it as /{command.name} {command.usage}")
        if given > 1 and command.usage in (NAME, MAYBE_NAME):
            raise Rejected("bad_frame", f"use it as /{command.name} {NAME}")
        return command.run(call)

    def _help(self, call: Call) -> Outcome:
        if call.rest:
            name = call.rest.removeprefix("/").split()[0].lower()
            if told := [line for line in self.more() if line.split()[0].rstrip(":") == f"/{name}"]:
                return [Tell("\n".join(told))]
            found, _ = self.find("/" + call.rest.removeprefix("/"), call.facts.me.role)
            return [Tell(f"/{found.name} {found.usage}".rstrip() + f": {found.help}")]
        mine = [c for c in self._known.values() if ranks(call.facts.me.role) >= ranks(c.role)]
        lines = [f"/{c.name} {c.usage}".rstrip() + f": {c.help}" for c in mine]
        return [Tell("\n".join([*lines, *self.more()]))]


def _me(call: Call) -> Outcome:
    return call.frame("TEXT", content=call.rest, via="me")


def _msg(call: Call) -> Outcome:
    name, _, text = call.rest.partition(" ")
    return call.frame("TEXT", target=call.person(name).username, content=text.strip())


def _join(call: Call) -> Outcome:
    name, _, access = call.rest.partition(" ")
    if access and access not in ("open", "private"):
        raise Rejected("bad_frame", "use it as /join <#room> [open|private]")
    return call.frame("JOIN", target=_room(name), access=access or None)


def _leave(call: Call) -> Outcome:
    return call.frame("LEAVE", target=_room(call.rest) if call.rest else call.target)


def _room(name: str) -> str:
    return "#" + message.username(name.removeprefix("#"))


def _topic(call: Call) -> Outcome:
    call.kind.enter()
    if call.rest:
        return call.frame("TOPIC", content=call.rest)
    if not call.target.startswith("#"):
        raise Rejected("bad_frame", "a direct conversation has no topic")
    topic = call.facts.conversation.topic if call.facts.conversation else ""
    return [Tell(f"{call.target}: {topic}" if topic else f"{call.target} has no topic; /topic <text> sets one")]


def _who(call: Call) -> Outcome:
    call.kind.enter()
    facts = call.facts
    if call.target == message.LOBBY:
        names = list(call.people)
    elif call.target.startswith("#"):
        names = list(facts.conversation.members) if facts.conversation else []
    else:
        names = list(dict.fromkeys(facts.key.split(" ")))
    here = sorted(name for name in names if call.presence(name) != "offline")
    said = ", ".join(_with_presence(name, call.presence(name)) for name in here[:SHOWN])
    more = f" and {len(here) - SHOWN} more" if len(here) > SHOWN else ""
    return [Tell(f"{call.target}: {len(here)} of {len(names)} are here: {said}{more}")]


def _with_presence(name: str, presence: str) -> str:
    return name if presence == "online" else f"{name} ({presence})"


def _nick(call: Call) -> Outcome:
    return [Rename(call.rest), Tell(f"You are shown as {call.rest} now.")]


def _power(call: Call) -> Kind:
    """The kind of this room, of which the caller is a moderator. Raises Rejected."""
    kind = call.kind
    kind.enter()
    if not call.target.startswith("#"):
        raise Rejected("forbidden", "in a direct conversation nobody has power over the other")
    if not kind.moderates():
        raise Rejected("forbidden", f"only a moderator of {call.target} may do that")
    return kind


def _moderate(call: Call) -> Account:
    """The account that is named, if a moderator of this room may act on it. Raises Rejected."""
    kind, me = _power(call), call.facts.me
    found = call.person(call.rest)
    if found.username == me.username:
        raise Rejected("forbidden", "that is yourself")
    if ranks(found.role) > ranks(me.role) and not isinstance(kind, Private):
        raise Rejected("forbidden", f"{found.username} is {found.role} of this server")
    return found


def _below(call: Call) -> Account:
    """The same, of whom a moderator of this room takes something: nobody takes it over from those before him."""
    found = _moderate(call)
    if _is_above(call, found.username):
        raise Rejected("forbidden", f"{found.username} has been in {call.target} for longer than you")
    return found


def _is_above(call: Call, username: str) -> bool:
    """Whether somebody moderates this room and was there before the caller, who moderates it, too. Where it
    is open, a moderator of the server is above all of them."""
    room, me = call.facts.conversation, call.facts.me
    other, mine = (room.members.get(username), room.members.get(me.username)) if room else (None, None)
    if other is None or not other.moderator:
        return False
    if ranks(me.role) and not isinstance(call.kind, Private):
        return False
    return mine is None or mine.since > other.since


def _removal(call: Call, username: str) -> list[Effect]:
    """The LEAVE of a member who is removed; nothing for somebody who is not in the room."""
    room = call.facts.conversation
    if room is None or username not in room.members:
        return []
    return [Inherit(call.facts.key, username), Post("LEAVE", call.facts.key, username, by=call.facts.me.username)]


def _kick(call: Call) -> Outcome:
    found = _below(call)
    if call.target == message.LOBBY:
        raise Rejected("forbidden", "nobody leaves #lobby; /mute or /ban are what there is")
    gone = _removal(call, found.username)
    if not gone:
        raise Rejected("not_found", f"{found.username} is not in {call.target}")
    return [*gone, Tell(f"{found.username} was removed from {call.target} and may come back; /ban prevents that.")]


def _ban(call: Call) -> Outcome:
    found = _below(call)
    if call.target == message.LOBBY:
        if ranks(found.role) >= ranks(call.facts.me.role):
            raise Rejected("forbidden", f"{found.username} is {found.role} of this server, as you are")
        return [Banish(found.username, True), Tell(f"{found.username} is banned from this server.")]
    ban = Sanction(call.facts.key, found.username, "ban", True)
    return [ban, *_removal(call, found.username), Tell(f"{found.username} is banned from {call.target}.")]


def _unban(call: Call) -> Outcome:
    found = _moderate(call)
    if call.target == message.LOBBY:
        if found.standing == "disabled":
            raise Rejected("forbidden", f"{found.username} was disabled by whoever runs this server")
        return [Banish(found.username, False), Tell(f"{found.username} may sign in again.")]
    lifted = Sanction(call.facts.key, found.username, "ban", False)
    return [lifted, Tell(f"{found.username} may join {call.target} again.")]


def _mute(call: Call) -> Outcome:
    if not call.rest:
        call.kind.enter()
        return [Silence(call.facts.key, True), Tell(f"You are no longer notified of {call.target}.")]
    name, key = _below(call).username, call.facts.key
    return [
        Sanction(key, name, "mute", True),
        *_notified(call, Notify(name, key, f"You can read but not write in {call.target} now.")),
        Tell(f"{name} can read but not write in {call.target}."),
    ]


def _notified(call: Call, told: Notify) -> list[Effect]:
    """The notice, for a member: others are not told of a room that they may not know of."""
    room = call.facts.conversation
    return [told] if call.target == message.LOBBY or (room and told.username in room.members) else []


def _unmute(call: Call) -> Outcome:
    if not call.rest:
        call.kind.enter()
        return [Silence(call.facts.key, False), Tell(f"You are notified of {call.target} again.")]
    name, key = _moderate(call).username, call.facts.key
    return [
        Sanction(key, name, "mute", False),
        *_notified(call, Notify(name, key, f"You can write again in {call.target} now.")),
        Tell(f"{name} may write again in {call.target}."),
    ]


def _invite(call: Call) -> Outcome:
    found = _moderate(call)
    room = call.facts.conversation
    if call.target == message.LOBBY or room is None or room.access != "private":
        raise Rejected("forbidden", f"{call.target} is open: anyone may join it")
    if found.username in room.members:
        return [Tell(f"{found.username} is in {call.target} already.")]
    if found.username in room.banned:
        raise Rejected("forbidden", f"{found.username} is banned from {call.target}; /unban comes first")
    told = Notify(found.username, call.facts.key, f"{call.facts.me.username} invites you: /join {call.target}")
    return [Invite(call.facts.key, found.username), told, Tell(f"{found.username} may join {call.target} now.")]


def _uninvite(call: Call) -> Outcome:
    found = _moderate(call)
    taken = Uninvite(call.facts.key, found.username)
    return [taken, Tell(f"{found.username} has no invitation to {call.target} any more.")]


def _mod(call: Call) -> Outcome:
    name, member = _appointed(call, _moderate(call))
    if member.moderator:
        return [Tell(f"{name} moderates {call.target} already.")]
    return [
        Appoint(call.facts.key, name, True),
        Notify(name, call.facts.key, f"You moderate {call.target} now."),
        Tell(f"{name} moderates {call.target} now."),
    ]


def _unmod(call: Call) -> Outcome:
    name, member = _appointed(call, _below(call))
    if not member.moderator:
        return [Tell(f"{name} does not moderate {call.target}.")]
    return [
        Appoint(call.facts.key, name, False),
        Notify(name, call.facts.key, f"You do not moderate {call.target} any more."),
        Tell(f"{name} does not moderate {call.target} any more."),
    ]


def _appointed(call: Call, found: Account) -> tuple[str, Membership]:
    """The member of this room that is named, whom the caller may give or take its moderation. Raises Rejected."""
    if call.target == message.LOBBY:
        raise Rejected("forbidden", "who moderates #lobby, whoever runs this server says")
    member = call.facts.conversation.members.get(found.username) if call.facts.conversation else None
    if member is None:
        raise Rejected("not_found", f"{found.username} is not in {call.target}")
    return found.username, member


def _restricted(call: Call) -> Outcome:
    _power(call)
    room = call.facts.conversation
    banned = set(room.banned) if room else set()
    if call.target == message.LOBBY:
        banned = {each.username for each in map(call.find, call.people) if each and each.standing == "banned"}
    lists = (
        (f"Muted in {call.target}", room.muted if room else ()),
        (f"Banned from {call.target}", banned),
        (f"Invited to {call.target}", room.invited if room else ()),
    )
    lines = [f"{what}: {_named(sorted(names))}" for what, names in lists if names]
    return [Tell("\n".join(lines) or f"Nobody is muted in {call.target}, banned or invited.")]


def _named(names: list[str]) -> str:
    more = f" (+{len(names) - SHOWN})" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


COMMANDS = (
    Command("me", "<what you do>", "say what you do", _me),
    Command("msg", "<name> <text>", "write to somebody privately", _msg),
    Command("join", "<#room> [open|private]", "join a room, or make it", _join),
    Command("leave", "[#room]", "leave a room", _leave),
    Command("topic", "[text]", "show or set the topic", _topic),
    Command("who", "", "who is here", _who),
    Command("nick", "<display name>", "change how you are shown", _nick),
    Command("kick", NAME, "remove somebody from the room", _kick),
    Command("ban", NAME, "remove somebody for good; in #lobby from the whole server", _ban),
    Command("unban", NAME, "take back a ban", _unban),
    Command("mute", MAYBE_NAME, "let a member read but not write; without a name: notify me no more", _mute),
    Command("unmute", MAYBE_NAME, "take back a mute", _unmute),
    Command("mod", NAME, "make a member a moderator of the room", _mod),
    Command("unmod", NAME, "make a moderator of the room a member again", _unmod),
    Command("restricted", "", "who is muted here, banned or invited", _restricted),
    Command("invite", NAME, "let somebody into a private room", _invite),
    Command("uninvite", NAME, "take back an invitation", _uninvite),
)
"""The commands that every server has, besides /help."""
