"""What a client knows: conversations with gapless logs, read marks, presence. A fold over frames. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from alonechat.core.message import SCROLLED

Event = dict[str, Any]
Frame = Mapping[str, Any]

KEEP = 500
"""Messages of one conversation that stay in memory while they arrive; older ones are asked for when one scrolls."""


@dataclass(slots=True)
class Conversation:
    """One conversation as this client knows it. `position`: up to this seq every event was taken; None until the first
    one of a conversation that was too far down to be in WELCOME, which `base` then stands in for."""

    target: str
    kind: str
    position: int | None
    seq: int = 0
    base: int = 0
    access: str = ""
    topic: str = ""
    members: int = 0
    read: int = 0
    unread: int = 0
    mentions: int = 0
    muted: bool = False
    last: Event | None = None
    messages: list[Event] = field(default_factory=list)
    """What a person scrolls through, as it stands now, ascending."""
    waiting: dict[int, Event] = field(default_factory=dict)
    """Events beyond a gap, by seq, until HISTORY has filled it."""
    counted: int = 0
    """Up to this seq the server has counted what is unread."""
    floor: int = 0
    """All messages between this seq and `position` are in `messages`."""

    def begin(self, position: int) -> None:
        """Events are taken from behind `position` on."""
        self.position = self.floor = position


@dataclass(frozen=True, slots=True)
class Taken:
    """What a frame led to: the events that are new, each once and in order; the conversations with a gap to fill."""

    events: tuple[Event, ...] = ()
    behind: tuple[str, ...] = ()


def amend(message: Event, event: Frame) -> None:
    """Change a message as an EDIT, DELETE or REACT that is about it says; one that was deleted stays as it is."""
    kind = event["type"]
    if message.get("deleted"):
        return
    if kind == "EDIT":
        message.update(content=event["content"], edited=event["timestamp"])
    elif kind == "DELETE":
        message.pop("reactions", None)
        message.pop("attachments", None)
        message.update(content="", deleted=True)
    elif kind == "REACT":
        reactions = {k: list(v) for k, v in (message.get("reactions") or {}).items()}
        users = [u for u in reactions.get(event["content"], []) if u != event["sender"]]
        users += [] if event.get("removed") else [event["sender"]]
        reactions[event["content"]] = users
        message["reactions"] = {emoji: who for emoji, who in reactions.items() if who}


class State:
    """The fold. Nothing here waits, reads a clock or sends; the session does what `Taken` asks for.

    `leap`: a conversation that went on by more than so many events while this client was away is not caught up with,
    but begins at its end, as one that was never seen. None: everything that was missed is asked for.
    """

    def __init__(self, keep: int = KEEP, leap: int | None = None) -> None:
        self.keep = keep
        self.leap = leap
        self.me = ""
        self.user: dict[str, Any] = {}
        self.server: dict[str, Any] = {}
        self.limits: dict[str, Any] = {}
        self.conversations: dict[str, Conversation] = {}
        self.presence: dict[str, str] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self._again = False

    def recall(self, server: Frame, known: Iterable[Conversation]) -> None:
        """What an earlier session of this client knew, before the first WELCOME: the next one goes on from there."""
        self.server = dict(server)
        self.conversations = {each.target: each for each in known}

    # --- arrivals ---

    def welcome(self, frame: Frame) -> Taken:
        """A connection begins: what is listed, and of which conversations something was missed."""
        server = dict(frame["server"])
        restored = any(self.server.get(k) != server.get(k) for k in ("id", "epoch"))
        self._again = bool(self.server) and not restored
        if restored:  # the server's logs are others now (PROTOCOL, section 2)
            self.conversations.clear()
        self.server, self.user, self.limits = server, dict(frame["user"]), dict(frame["limits"])
        self.me = self.user["username"]
        self.presence.clear()
        for known in self.conversations.values():
            known.waiting.clear()  # HISTORY brings them again
        items = frame["conversations"]
        behind = [target for item in items if (target := self._listed(item))]
        named = {item["target"] for item in items}
        for target in [t for t in self.conversations if t not in named]:
            if frame.get("more"):  # further down than WELCOME reaches: nobody but HISTORY knows whether there is more
                known = self.conversations[target]
                if known.position is None:
                    known.begin(known.base)
                behind.append(target)
            else:
                del self.conversations[target]  # left on another device
        return Taken(behind=tuple(behind))

    def _listed(self, item: Frame) -> str | None:
        target, seq = item["target"], item["seq"]
        found = self.conversations.get(target)
        leapt = found is not None and self.leap is not None and seq - (found.position or 0) > self.leap
        if found is None or leapt or (found.position or 0) > seq:
            # Somebody wrote to us for the first time while we were away: all of it is new. A room that was joined on
            # another device meanwhile begins here instead, else its whole past would arrive as if it were new.
            missed = found is None and self._again and item["kind"] == "direct"
            found = self.conversations[target] = Conversation(target, item["kind"], None)
            found.begin(0 if missed else seq)
        elif found.position is None:
            found.begin(found.base)
        self._describe(found, item)
        return target if (found.position or 0) < seq else None

    def page(self, items: Iterable[Frame]) -> Taken:
        """A page of `GET /conversations`: what WELCOME had no room for. It is younger than WELCOME, so events up to
        `seq` may still be on their way here: they, not this, set the position."""
        behind = []
        for item in items:
            target = item["target"]
            found = self.conversations.get(target)
            if found is None:
                missed = self._again and item["kind"] == "direct"
                found = Conversation(target, item["kind"], 0 if missed else None, base=item["seq"])
                self.conversations[target] = found
                if missed and item["seq"]:
                    behind.append(target)
            self._describe(found, item)
        return Taken(behind=tuple(behind))

    def _describe(self, found: Conversation, item: Frame) -> None:
        found.seq, found.counted = max(found.seq, item["seq"]), item["seq"]
        found.access, found.topic = item.get("access") or "", item.get("topic") or ""
        found.members, found.muted = item.get("members") or 0, bool(item.get("muted"))
        found.read, found.unread, found.mentions = item["read"], item["unread"], item.get("mentions") or 0
        if not (found.last and found.last["seq"] > item["seq"]):
            found.last = item.get("last")
        for message in found.messages:  # what came live after the list was made, before the list came
            if message["type"] == "TEXT" and message["seq"] > item["seq"]:
                self._count(found, message, message["seq"], 1)

    def take(self, frame: Frame) -> Taken:
        """Any other frame: events give what is new by them, passing frames change what is known, others nothing."""
        if isinstance(frame.get("seq"), int) and "id" in frame:
            return self._event(dict(frame))
        kind = frame.get("type")
        if kind == "READ" and (found := self.conversations.get(frame["target"])):
            self.mark(found, frame["seq"])
        elif kind == "PRESENCE":
            self.presence[frame["sender"]] = frame["content"]
        elif kind == "USER":
            self.users[frame["user"]["username"]] = dict(frame["user"])
            if frame["user"]["username"] == self.me:
                self.user = {**self.user, **frame["user"]}
        elif kind == "MEMBERS":
            for member in frame["members"]:
                self.users[member["username"]] = dict(member)
                if member.get("presence"):
                    self.presence[member["username"]] = member["presence"]
        return Taken()

    def filed(self, event: Frame) -> str:
        """The conversation of an event, as this client calls it (PROTOCOL, section 3)."""
        target: str = event["target"]
        sender: str = event["sender"]
        return target if target.startswith("#") or sender == self.me else sender

    def _event(self, event: Event) -> Taken:
        found = self._home(event)
        if found is None:
            return Taken()
        seq: int = event["seq"]
        if found.position is None:
            found.begin(seq - 1)
        if seq <= (found.position or 0):
            return Taken()  # the receipt of something repeated, or what HISTORY brought before
        found.seq = max(found.seq, seq)
        if seq > (found.position or 0) + 1:
            found.waiting[seq] = event
            return Taken(behind=(found.target,))
        return Taken(tuple(self._advance(found, event)))

    def _home(self, event: Event) -> Conversation | None:
        target, seq = self.filed(event), event["seq"]
        found = self.conversations.get(target)
        if found is None:
            receipt = event["sender"] == self.me and event["type"] != "JOIN" and seq > 1
            if receipt and target.startswith("#"):
                return None  # a receipt repeated after one has left: it tells nothing new
            found = Conversation(target, "room" if target.startswith("#") else "direct", None)
            self.conversations[target] = found
        return found

    def _advance(self, found: Conversation, event: Event) -> list[Event]:
        """Take `event`, which is next, and what waited for it."""
        taken = []
        following: Event | None = event
        while following is not None:
            found.position = following["seq"]
            self._apply(found, following)
            taken.append(following)
            # A LEAVE from before the list that names this conversation has been undone: there is a JOIN behind it.
            mine = following["type"] == "LEAVE" and following["sender"] == self.me
            if mine and following["seq"] > found.counted:
                self.conversations.pop(found.target, None)
                break
            following = found.waiting.pop(found.position + 1, None)
        return taken

    # --- catching up ---

    def caught_up(self, target: str, answer: Frame) -> tuple[tuple[Event, ...], bool]:
        """A HISTORY that was asked with `after`: the position. Gives the new events, and whether to ask again."""
        found = self.conversations.get(target)
        if found is None:
            return (), False
        position = max(found.position or 0, (answer.get("first") or 1) - 1)  # below `first` is no gap
        found.position = position
        taken: list[Event] = []
        for event in answer["events"]:
            if event["seq"] > found.position:
                taken += self._advance(found, event)
                if target not in self.conversations:
                    return tuple(taken), False
        found.seq = max(found.seq, found.position)
        if answer.get("more"):
            return tuple(taken), bool(answer["events"])
        for seq in [s for s in found.waiting if s <= found.position]:
            del found.waiting[seq]
        if found.waiting and not answer["events"]:  # nothing between is readable: what waits is what comes next
            taken += self._advance(found, found.waiting.pop(min(found.waiting)))
        elif following := found.waiting.pop(found.position + 1, None):
            taken += self._advance(found, following)
        self._recount(found)
        return tuple(taken), bool(found.waiting)

    def older(self, target: str, events: Iterable[Frame]) -> None:
        """What a HISTORY with `before` brought, up to the oldest message that is here: put it in front."""
        if found := self.conversations.get(target):
            oldest = found.messages[0]["seq"] if found.messages else (found.position or 0) + 1
            earlier = [dict(e) for e in events if e["seq"] < oldest]
            found.messages[:0] = earlier
            if earlier:
                found.floor = min(found.floor, earlier[0]["seq"] - 1)

    def forget(self, target: str) -> None:
        """Somebody else says that this client is not in there any more."""
        self.conversations.pop(target, None)

    # --- what an event means ---

    def find(self, target: str, id: str | None) -> Event | None:
        """The message `id` as it stands now, if it is still here."""
        found = self.conversations.get(target)
        return next((m for m in reversed(found.messages) if m["id"] == id), None) if found and id else None

    def _apply(self, found: Conversation, event: Event) -> None:
        kind = event["type"]
        if kind in SCROLLED:
            found.messages.append(dict(event))
            if len(found.messages) > self.keep:
                del found.messages[: len(found.messages) - self.keep]
                found.floor = found.messages[0]["seq"] - 1
        if kind == "TEXT":
            found.last = dict(event)
            self._count(found, event, event["seq"], 1)
        elif kind == "TOPIC":
            found.topic = event["content"]
        elif kind in ("JOIN", "LEAVE"):
            found.members = max(0, found.members + (1 if kind == "JOIN" else -1))
        elif message := self.find(found.target, event.get("ref")):
            self._change(found, message, event)

    def _change(self, found: Conversation, message: Event, event: Event) -> None:
        if message.get("deleted"):
            return
        if event["type"] == "DELETE":
            self._count(found, message, event["seq"], -1)
        amend(message, event)
        if found.last and found.last["id"] == message["id"]:
            found.last = dict(message)

    def _count(self, found: Conversation, message: Event, at: int, by: int) -> None:
        """Count a message of others as unread, or no longer, unless the server had done so: `at` is the seq of the
        event that says it."""
        if (
            at <= found.counted
            or message["seq"] <= found.read
            or message["sender"] == self.me
            or message.get("deleted")
        ):
            return
        found.unread = max(0, found.unread + by)
        if self.addressed(message):
            found.mentions = max(0, found.mentions + by)

    def addressed(self, message: Frame) -> bool:
        """Whether a message mentions this client's user."""
        named = message.get("mentions") or ()
        return self.me in named or "*" in named

    def mark(self, found: Conversation, seq: int) -> None:
        """What is read, up to `seq`. A mark never goes backward; one of another device may come behind one's own."""
        found.read = seq = max(found.read, seq)
        if not self._recount(found):  # what lies between is not all here: no more than before, or than there are events
            found.unread = min(found.unread, max(0, found.seq - seq))
            found.mentions = min(found.mentions, found.unread)

    def _recount(self, found: Conversation) -> bool:
        """Count what is unread anew where everything behind the mark is here; whether it is."""
        if found.read >= found.seq:
            found.unread = found.mentions = 0
            return True
        if found.floor > found.read or (found.position or 0) < found.counted:
            return False
        unread = [m for m in found.messages if m["type"] == "TEXT" and m["seq"] > found.read]
        unread = [m for m in unread if m["sender"] != self.me and not m.get("deleted")]
        found.unread, found.mentions = len(unread), sum(map(self.addressed, unread))
        return True
