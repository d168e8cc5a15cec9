"""What a face draws: conversations, windows of messages, the outbox, who is there. A fold over changes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from alonechat.core.client.files import File
from alonechat.core.client.state import Event, amend
from alonechat.core.client.templates import helped
from alonechat.core.message import LOBBY, SCROLLED

MOST = 1_500
"""Messages that a window holds. While new ones arrive below, the oldest go; while one scrolls back, those at the end.
They are read again from the cache when one comes near."""
TYPING_SECONDS = 6.0
"""How long somebody counts as typing after a TYPING frame; they come at most every 3 s (PROTOCOL, section 5)."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as the list shows it."""

    target: str
    kind: str
    access: str = ""
    topic: str = ""
    members: int = 0
    seq: int = 0
    read: int = 0
    unread: int = 0
    mentions: int = 0
    muted: bool = False
    last: Event | None = None

    @property
    def name(self) -> str:
        """The name without the mark of its kind."""
        return self.target.removeprefix("#")


@dataclass(frozen=True, slots=True)
class Written:
    """Something of one's own that has no event yet. `code` and `reason`: the server refused it. `done`: it has its
    receipt, whose event is about to arrive. `made` is in seconds since 1970. `files`: what it bears, as far as they are
    uploaded."""

    nonce: str
    target: str
    type: str
    content: str
    ref: str | None
    made: float
    code: str = ""
    reason: str = ""
    removed: bool = False
    done: bool = False
    files: tuple[File, ...] = ()


@dataclass(slots=True)
class Window:
    """The messages of a conversation that are at hand, ascending. `start`: there is nothing older. `live`: they reach
    to the end, and what arrives is added; else one looks at an old place. `position`: events up to it are in."""

    target: str
    messages: list[Event]
    start: bool
    live: bool
    position: int
    version: int = 0

    def find(self, id: str | None) -> int | None:
        """Where a message is, by its id."""
        places = range(len(self.messages) - 1, -1, -1)
        return next((at for at in places if self.messages[at]["id"] == id), None) if id else None


# --- changes: what the runner tells a face, in order ---


@dataclass(frozen=True, slots=True)
class Welcomed:
    """Who one is, and where."""

    user: Mapping[str, Any]
    server: Mapping[str, Any]
    limits: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Connection:
    """How the connection stands: `connecting`, `connected`, `catching up`, `offline`, `signed out`. `since`: when it
    began to be so, `again_at`: when the next attempt is, both in seconds since 1970; `reason`: why it is not there."""

    state: str
    since: float
    again_at: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """Conversations as they are now."""

    summaries: tuple[Summary, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """Conversations that one is not in any more."""

    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event of a conversation; `live` when it came by itself, rather than by catching up."""

    target: str
    event: Event
    live: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Messages for a window. `place`: `latest` and `around` replace it, `older` goes in front, `newer` behind."""

    target: str
    place: str
    messages: tuple[Event, ...]
    start: bool
    live: bool
    position: int


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry of the outbox as it is now."""

    entry: Written


@dataclass(frozen=True, slots=True)
class Settled:
    """An entry of the outbox has its receipt (`seq` of its event), or was thrown away (0)."""

    nonce: str
    seq: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """How a file of a message stands on this machine: `loading` (`fraction` of it is here), `ready` (at `path`),
    `failed` (for the `reason`), `there` (it is not here any more, and can be fetched again)."""

    id: str
    state: str
    path: str = ""
    fraction: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """A passing frame: TYPING, PRESENCE, USER, MEMBERS (PROTOCOL, section 5). `at`: when, in seconds since 1970."""

    frame: Mapping[str, Any]
    at: float


@dataclass(frozen=True, slots=True)
class Drafted:
    """The draft of a conversation is this now; another window of the same user may have written it."""

    target: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """Something for this person alone: the answer of a command, a notice, an error. `at` in seconds since 1970."""

    target: str
    text: str
    at: float
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """The commands that there are: `/name` to its usage and what it does, as the server says it."""

    commands: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answered:
    """A question of the face has its answer: it calls `then(result, error)` in its own thread."""

    then: Callable[[Any, Exception | None], None]
    result: Any
    error: Exception | None


Change = (
    Welcomed
    | Connection
    | Listed
    | Gone
    | Arrived
    | Page
    | Kept
    | Settled
    | Fetched
    | Passed
    | Drafted
    | Told
    | Learned
    | Answered
)


@dataclass(slots=True)
class Model:
    """All that a face draws from. `apply` is the only thing that changes it; times are given to it."""

    me: str = ""
    user: dict[str, Any] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    connection: Connection = Connection("connecting", 0.0)
    conversations: dict[str, Summary] = field(default_factory=dict)
    windows: dict[str, Window] = field(default_factory=dict)
    outbox: dict[str, Written] = field(default_factory=dict)
    files: dict[str, Fetched] = field(default_factory=dict)
    presence: dict[str, str] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    moderators: dict[str, set[str]] = field(default_factory=dict)
    typing: dict[str, dict[str, float]] = field(default_factory=dict)
    drafts: dict[str, str] = field(default_factory=dict)
    told: dict[str, list[Told]] = field(default_factory=dict)
    commands: dict[str, tuple[str, str]] = field(default_factory=dict)
    learned: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def apply(self, change: Change) -> None:
        """Fold one change in. `Answered` changes nothing: the face calls it."""
        match change:
            case Welcomed(user, server, limits):
                self.user, self.server, self.limits = dict(user), dict(server), dict(limits)
                self.me = str(user.get("username", ""))
                self.users[self.me] = {**self.users.get(self.me, {}), **user}
            case Connection():
                self.connection = change
                if change.state == "offline":
                    self.typing.clear()
                    self.presence.clear()
            case Listed(summaries):
                self.conversations.update({each.target: each for each in summaries})
            case Gone(targets):
                for target in targets:
                    for kept in (self.conversations, self.windows, self.members, self.moderators, self.typing):
                        kept.pop(target, None)
            case Arrived(target, event):
                self._arrived(target, event)
            case Page():
                self._page(change)
            case Kept(entry):
                self.outbox[entry.nonce] = entry
            case Settled():
                self._settled(change)
            case Fetched(id, state):
                self.files[id] = change
                if state == "there":
                    del self.files[id]
            case Passed():
                self._passed(change.frame, change.at)
            case Drafted(target, text):
                self.drafts[target] = text
            case Told(target):
                self.told.setdefault(target, []).append(change)
                del self.told[target][:-50]
            case Learned(commands):
                self.learned = commands
                self.reword()

    def reword(self) -> None:
        """Say what commands do in the language of the moment: when they were learned, or another one was chosen."""
        self.commands = {name: helped(*each) for name, each in self.learned.items()}

    # --- messages ---

    def _arrived(self, target: str, event: Event) -> None:
        window = self.windows.get(target)
        if window is not None and event["seq"] > window.position:
            window.position = event["seq"]
            window.version += 1
            if event["type"] in SCROLLED:
                if window.live:
                    window.messages.append(dict(event))
                    if len(window.messages) > MOST:
                        del window.messages[: MOST // 2]
                        window.start = False
            elif (at := window.find(event.get("ref"))) is not None:
                message = dict(window.messages[at])
                amend(message, event)
                window.messages[at] = message
        if event["type"] == "TEXT":
            self.typing.get(target, {}).pop(event["sender"], None)
            if target == LOBBY:
                self._newcomer(event["sender"])
        if event["type"] in ("JOIN", "LEAVE"):
            self._membership(target, event)
        if event["sender"] == self.me:
            self.outbox.pop(event.get("nonce") or "", None)

    def _membership(self, target: str, event: Event) -> None:
        members = self.members.get(target)
        who = event["sender"]
        if event["type"] == "LEAVE":
            self.moderators.get(target, set()).discard(who)  # who comes back is a member
        if members is not None:
            if event["type"] == "LEAVE" and who in members:
                members.remove(who)
            elif event["type"] == "JOIN" and who not in members:
                members.append(who)

    def _newcomer(self, who: str) -> None:
        """Whoever has an account is in the lobby, and no event says that one was made."""
        members = self.members.get(LOBBY)
        if members is not None and who not in self.users:
            self.users[who] = {"username": who}
            members.append(who)

    def _page(self, page: Page) -> None:
        window = self.windows.get(page.target)
        if page.place in ("latest", "around") or window is None:
            if page.place in ("latest", "around"):
                version = window.version + 1 if window else 0
                self.windows[page.target] = Window(
                    page.target, list(page.messages), page.start, page.live, page.position, version
                )
                for nonce in [n for n, entry in self.outbox.items() if entry.done and entry.target == page.target]:
                    del self.outbox[nonce]
            return
        known = {message["seq"] for message in window.messages}
        fresh = [message for message in page.messages if message["seq"] not in known]
        if page.place == "older":
            window.messages[:0] = [m for m in fresh if not window.messages or m["seq"] < window.messages[0]["seq"]]
            window.position = max(window.position, window.messages[-1]["seq"] if window.messages else 0)
            window.start = page.start
            if len(window.messages) > MOST:
                del window.messages[MOST:]
                window.live = False
        elif not window.live:
            newest = window.messages[-1]["seq"] if window.messages else 0
            window.messages += [message for message in fresh if message["seq"] > newest]
            window.live, window.position = page.live, max(window.position, page.position)
            if len(window.messages) > MOST:
                del window.messages[: len(window.messages) - MOST]
                window.start = False
        window.version += 1

    def _settled(self, change: Settled) -> None:
        entry = self.outbox.get(change.nonce)
        if entry is None:
            return
        window = self.windows.get(entry.target)
        arrived = window is None or not window.live or window.position >= change.seq
        if change.seq and entry.type == "TEXT" and not arrived:
            self.outbox[change.nonce] = replace(entry, done=True, code="", reason="")
        else:
            del self.outbox[change.nonce]

    def waiting(self, target: str | None = None) -> list[Written]:
        """What is written and has no event yet, in order; of one conversation, or of all."""
        return [entry for entry in self.outbox.values() if target in (None, entry.target)]

    # --- people ---

    def _passed(self, frame: Mapping[str, Any], at: float) -> None:
        kind = frame.get("type")
        if kind == "TYPING":
            sender, target = frame["sender"], frame["target"]
            self.typing.setdefault(target if target.startswith("#") else sender, {})[sender] = at + TYPING_SECONDS
        elif kind == "PRESENCE":
            self.presence[frame["sender"]] = frame["content"]
            if frame["content"] != "offline":
                self._newcomer(frame["sender"])
        elif kind == "USER":
            self.users[frame["user"]["username"]] = dict(frame["user"])
            if frame["user"]["username"] == self.me:
                self.user.update(frame["user"])
        elif kind == "MEMBERS":
            for member in frame["members"]:
                self.users[member["username"]] = dict(member)
                if member.get("presence"):
                    self.presence[member["username"]] = member["presence"]
            names = [member["username"] for member in frame["members"]]
            known = self.members.get(frame["target"], []) if frame.get("after") else []
            self.members[frame["target"]] = known + [name for name in names if name not in known]
            before = self.moderators.get(frame["target"], set()) if frame.get("after") else set()
            ranked = {each["username"] for each in frame["members"] if each.get("role", "member") != "member"}
            self.moderators[frame["target"]] = before | ranked

    def shown(self, username: str) -> str:
        """The name that a person is shown by."""
        return str(self.users.get(username, {}).get("display_name") or username)

    def role(self, username: str, target: str) -> str:
        """What somebody is in a conversation: `member`, `moderator`, `admin` or `owner`. Who moderates one room is a
        member in others; the role of an account counts everywhere but in private rooms."""
        found = self.conversations.get(target)
        if found is not None and found.access == "private":
            return "moderator" if username in self.moderators.get(target, ()) else "member"
        known = self.user if username == self.me else self.users.get(username, {})
        role = str(known.get("role") or "member")
        if username in self.moderators.get(target, ()):
            return "moderator" if role == "member" else role
        return role if username == self.me else "member"

    def typists(self, target: str, now: float) -> list[str]:
        """Who is typing in a conversation."""
        return [name for name, until in self.typing.get(target, {}).items() if until > now and name != self.me]

    # --- order ---

    def rooms(self) -> list[Summary]:
        """The rooms, the lobby first, then by name."""
        found = [each for each in self.conversations.values() if each.kind == "room"]
        return sorted(found, key=lambda each: (each.target != LOBBY, each.target))

    def directs(self) -> list[Summary]:
        """The direct conversations, the latest first."""
        found = [each for each in self.conversations.values() if each.kind != "room"]
        return sorted(found, key=_recent)

    def order(self) -> list[Summary]:
        """All conversations as the list shows them."""
        return [*self.rooms(), *self.directs()]

    def unread(self) -> Iterable[Summary]:
        """Those with something new that asks to be read."""
        return (each for each in self.order() if (each.unread and not each.muted) or each.mentions)


def _recent(each: Summary) -> tuple[int, ...]:
    stamp = str((each.last or {}).get("timestamp") or "")
    return tuple(-ord(char) for char in stamp) if stamp else (1,)
