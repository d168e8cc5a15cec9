"""Kinds of conversation, and what is decided about a frame: facts in, effects out. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Container, Sequence
from typing import Any, Final

from alonechat.core.message import LOBBY, RESERVED
from alonechat.core.server.effects import Effect, Inherit, Post, Same, Tell
from alonechat.core.store.records import ROLES, Account, Conversation, Event, Upload
from alonechat.errors import Rejected

Frame = dict[str, Any]
_MARKS: Final = frozenset("\u200d\ufe0f\u20e3")


class Facts:
    """Everything that a decision rests on. `conversation` is None where there is none yet; `other` is the other one
    of a direct conversation; `message` the event that `ref` names, as it stands now; `people` every username; `uploads`
    what the attachments name, of whomever."""

    __slots__ = (
        "conversation", "key", "max_content", "may_make_rooms", "me", "message", "other", "people", "uploads"
    )  # fmt: skip

    def __init__(
        self,
        me: Account,
        key: str,
        conversation: Conversation | None,
        people: Container[str],
        other: Account | None = None,
        message: Event | None = None,
        max_content: int = 4000,
        may_make_rooms: bool = True,
        uploads: Sequence[Upload] = (),
    ) -> None:
        self.me, self.key, self.conversation, self.people = me, key, conversation, people
        self.other, self.message, self.max_content, self.may_make_rooms = other, message, max_content, may_make_rooms
        self.uploads = uploads


def ranks(role: str) -> int:
    """The power of a server role: 0 for a member."""
    return ROLES.index(role)


class Kind:
    """What a kind of conversation allows, to the account that asks."""

    __slots__ = ("facts", "me", "room")  # one is made for every message

    def __init__(self, facts: Facts) -> None:
        self.facts, self.me, self.room = facts, facts.me.username, facts.conversation

    def enter(self) -> None:
        """Raise `Rejected` unless the caller is a member: what one may not know of is not found."""
        raise NotImplementedError

    def first(self) -> int:
        """The lowest seq that the caller may read."""
        return 1

    def moderates(self) -> bool:
        """Whether the caller may set the topic, remove, invite, and delete others' messages."""
        return False

    def members(self) -> Container[str]:
        """Who can be mentioned."""
        return self.room.members if self.room else ()

    def write(self) -> None:
        """Raise `Rejected` unless the caller may write here now."""
        self.enter()
        if self.room and self.me in self.room.muted:
            raise Rejected("forbidden", f"a moderator muted you in {self.facts.key}; you can read on")


class Direct(Kind):
    """Two people, or notes to oneself. The first message makes it."""

    __slots__ = ()

    def enter(self) -> None:
        if self.facts.other is None:
            raise Rejected("not_found", "no such user")

    def write(self) -> None:
        self.enter()
        if self.facts.other and self.facts.other.standing != "active":
            raise Rejected(
                "forbidden", f"{self.facts.other.username} is disabled here; what was written stays readable"
            )

    def members(self) -> Container[str]:
        return self.facts.key.split(" ")


class Lobby(Kind):
    """Everybody is in it, and nobody can leave."""

    __slots__ = ()

    def enter(self) -> None:
        return None

    def moderates(self) -> bool:
        return ranks(self.facts.me.role) > 0

    def members(self) -> Container[str]:
        return self.facts.people


class Open(Kind):
    """Anyone may join and read all of it."""

    __slots__ = ()

    def enter(self) -> None:
        if self.room is None:
            raise Rejected("not_found", f"no room {self.facts.key}; JOIN makes it")
        if self.me not in self.room.members:
            raise Rejected("forbidden", f"you are not a member of {self.facts.key}; join it first")

    def moderates(self) -> bool:
        found = self.room.members.get(self.me) if self.room else None
        return found is not None and (found.moderator or ranks(self.facts.me.role) > 0)


class Private(Kind):
    """By invitation, read from one's JOIN on; to others it does not exist."""

    __slots__ = ()

    def enter(self) -> None:
        if self.room is None or self.me not in self.room.members:
            raise Rejected("not_found", f"no room {self.facts.key}")

    def first(self) -> int:
        return self.room.members[self.me].since if self.room else 1

    def moderates(self) -> bool:
        found = self.room.members.get(self.me) if self.room else None
        return found is not None and found.moderator


def kind_of(facts: Facts) -> Kind:
    """The kind of the conversation that `facts` are about; a room that does not exist is like an open one."""
    key = facts.key
    if key[0] != "#":
        return Direct(facts)
    if key == LOBBY:
        return Lobby(facts)
    found = facts.conversation
    return Private(facts) if found and found.access == "private" else Open(facts)


def decide(facts: Facts, frame: Frame) -> list[Effect]:
    """The effects of a frame that makes an event. Raises `Rejected` with the reason when it may not be."""
    return _DECISIONS[frame["type"]](facts, frame, kind_of(facts))


def text(facts: Facts, frame: Frame, kind: Kind) -> list[Effect]:
    kind.write()
    bears = attached(facts, frame) if frame.get("attachments") else None
    content = "" if bears and not frame["content"].strip() else readable(frame["content"], facts.max_content)
    ref = frame.get("ref")
    if ref is not None:
        message(facts, kind, ref)
    mentioned = mentions(content, kind.members()) if "@" in content else None
    if mentioned == ["*"] and not facts.key.startswith("#"):
        mentioned = None
    return [
        Post(
            "TEXT",
            facts.key,
            facts.me.username,
            content,
            frame.get("nonce"),
            ref,
            mentioned,
            bears,
            frame.get("via"),
        )
    ]


def may_read(facts: Facts, seq: int) -> bool:
    """Whether the caller may read the event `seq` of this conversation, and the files that it bears."""
    if facts.key[0] != "#" and facts.me.username not in facts.key.split(" "):
        return False
    kind = kind_of(facts)
    try:
        kind.enter()
    except Rejected:
        return False
    return seq >= kind.first()


def attached(facts: Facts, frame: Frame) -> list[dict[str, Any]]:
    """The attachments of a TEXT as the server knows them, whatever the client said of them. Raises `Rejected` where one
    is not the caller's, or another message bears it."""
    mine = {each.id: each for each in facts.uploads if each.owner == facts.me.username}
    found: dict[str, dict[str, Any]] = {}
    for id in (each["id"] for each in frame["attachments"]):
        upload = mine.get(id)
        if upload is None:
            raise Rejected("not_found", f"attachments: you have no upload {id!r} (any more); upload the file again")
        if upload.key is not None:
            raise Rejected("conflict", f"attachments: another message bears {id!r} already; upload the file again")
        if id in found:
            raise Rejected("bad_frame", f"attachments: {id!r} stands there twice")
        found[id] = upload.wire()
    return list(found.values())


def readable(content: str, most: int) -> str:
    """The text of a message, `//` at its begin made `/`. Raises `Rejected` when it is blank or too long."""
    if content.startswith("//"):
        content = content[1:]
    if len(content) > most:
        raise Rejected("too_long", f"a message has at most {most} characters, not {len(content)}; send it in parts")
    if not content.strip():
        raise Rejected("bad_frame", "content must not be blank")
    return content


def message(facts: Facts, kind: Kind, ref: str) -> Event:
    """The TEXT that a frame is about, where the caller may read it."""
    found = facts.message
    if found is None or found["type"] != "TEXT" or found["seq"] < kind.first():
        raise Rejected("not_found", f"no message {ref} in this conversation")
    return found


def edit(facts: Facts, frame: Frame, kind: Kind) -> list[Effect]:
    kind.write()
    found = message(facts, kind, frame["ref"])
    if found["sender"] != facts.me.username:
        raise Rejected("forbidden", "only your own messages can be edited")
    if found.get("deleted"):
        raise Rejected("not_found", "that message was deleted")
    content = frame["content"]
    if len(content) > facts.max_content:
        raise Rejected("too_long", f"a message has at most {facts.max_content} characters, not {len(content)}")
    if not content.strip():
        raise Rejected("bad_frame", "content must not be blank; DELETE takes a message back")
    if content == found["content"]:
        return [Same(facts.key, "EDIT", ref=frame["ref"], event=None if found.get("edited") else found)]
    return [Post("EDIT", facts.key, facts.me.username, content, frame.get("nonce"), frame["ref"])]


def delete(facts: Facts, frame: Frame, kind: Kind) -> list[Effect]:
    kind.enter()
    found = message(facts, kind, frame["ref"])
    if found["sender"] != facts.me.username and not kind.moderates():
        raise Rejected("forbidden", "only its author or a moderator of the room can delete a message")
    if found.get("deleted"):
        return [Same(facts.key, "DELETE", ref=frame["ref"])]
    return [Post("DELETE", facts.key, facts.me.username, nonce=frame.get("nonce"), ref=frame["ref"])]


def react(facts: Facts, frame: Frame, kind: Kind) -> list[Effect]:
    kind.write()
    found = message(facts, kind, frame["ref"])
    if found.get("deleted"):
        raise Rejected("not_found", "that message was deleted")
    content, removed = frame["content"], bool(frame.get("removed"))
    if not is_emoji(content):
        raise Rejected("bad_frame", f"content must be one emoji, not {content!r}")
    stands = facts.me.username in found.get("reactions", {}).get(content, ())
    if stands != removed:
        none = ("not_found", f"you have no reaction {content} on that message")
        return [Same(facts.key, "REACT", facts.me.username, frame["ref"], content, otherwise=none)]
    post = Post("REACT", facts.key, facts.me.username, content, frame.get("nonce"), frame["ref"], removed=removed)
    return [post]


def is_emoji(content: str) -> bool:
    """Whether `content` is one emoji: one grapheme whose base is a symbol, a flag or a keycap."""
    from wcwidth import iter_graphemes  # its tables take 70 ms to load, and most servers' starts see no reaction

    if len(list(iter_graphemes(content))) != 1:
        return False
    if content[0] in "0123456789#*":
        return content[-1] == "\u20e3" and len(content) <= 3
    allowed = all(
        c in _MARKS or unicodedata.category(c) in ("So", "Sk", "Sm", "Po", "Mn") or "\U000e0020" <= c <= "\U000e007f"
        for c in content
    )
    first = unicodedata.category(content[0])
    return allowed and (first == "So" or (first in ("Sm", "Po") and content[-1] == "\ufe0f"))


def join(facts: Facts, frame: Frame, kind: Kind) -> list[Effect]:
    room, me = facts.conversation, facts.me.username
    if isinstance(kind, Direct):
        raise Rejected("bad_frame", "target must be a room (#name): a direct conversation needs no JOIN")
    if isinstance(kind, Lobby):
        return [Tell("Everybody is in #lobby already.")]
    if room is None:
        if facts.key[1:] in RESERVED:
            raise Rejected("conflict", f"{facts.key} is a reserved name; choose another")
        if not facts.may_make_rooms:
            raise Rejected("forbidden", "only moderators make rooms on this server; ask one")
        access = frame.get("access") or "open"
        return [Post("JOIN", facts.key, me, nonce=frame.get("nonce"), access=access)]
    if me in room.members:
        return [Same(facts.key, "JOIN", sender=me)]
    hidden = room.access == "private"
    if hidden and (me not in room.invited or me in room.banned):
        raise Rejected("not_found", f"no room {facts.key}")
    if me in room.banned:
        raise Rejected("forbidden", f"a moderator banned you from {facts.key}")
    return [Post("JOIN", facts.key, me, nonce=frame.get("nonce"), access=room.access), Inherit(facts.key)]


def leave(facts: Facts, frame: Frame, kind: Kind) -> list[Effect]:
    room, me = facts.conversation, facts.me.username
    if isinstance(kind, Direct):
        raise Rejected("bad_frame", "target must be a room (#name): a direct conversation can't be left")
    if isinstance(kind, Lobby):
        raise Rejected("forbidden", "#lobby can't be left: everybody is in it")
    if room is None or me not in room.members:
        none = (
            ("not_found", f"no room {facts.key}")
            if room is None or room.access == "private"
            else ("forbidden", f"you are not a member of {facts.key}")
        )
        return [Same(facts.key, "LEAVE", sender=me, otherwise=none)]
    return [Inherit(facts.key, me), Post("LEAVE", facts.key, me, nonce=frame.get("nonce"))]


def topic(facts: Facts, frame: Frame, kind: Kind) -> list[Effect]:
    kind.enter()
    if not kind.moderates():
        raise Rejected("forbidden", "only a moderator of the room sets its topic")
    content = " ".join(frame["content"].split())
    if facts.conversation and content == facts.conversation.topic and content:
        return [Same(facts.key, "TOPIC")]
    return [Post("TOPIC", facts.key, facts.me.username, content, frame.get("nonce"))]


def mentions(content: str, members: Container[str]) -> list[str] | None:
    """Who `content` addresses: after each @ the longest prefix that is a member's username; `["*"]` for @all; None for
    nobody."""
    found: dict[str, None] = {}
    at = content.find("@")
    while at >= 0:
        tail = content[at + 1 : at + 33].lower()
        if not (at and content[at - 1].isalnum()):
            name = next((tail[:n] for n in range(len(tail), 0, -1) if tail[:n] in members), None)
            if tail[:3] == "all" and not tail[3:4].isalnum() and (name is None or len(name) < 3):
                return ["*"]
            if name:
                found[name] = None
        at = content.find("@", at + 1)
    return list(found) or None


_DECISIONS: Final[dict[str, Callable[[Facts, Frame, Kind], list[Effect]]]] = {
    "TEXT": text,
    "EDIT": edit,
    "DELETE": delete,
    "REACT": react,
    "JOIN": join,
    "LEAVE": leave,
    "TOPIC": topic,
}
