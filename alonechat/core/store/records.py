"""What goes into a store and comes out of it: values, and the contract `Store` that every store keeps. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

Event = dict[str, Any]
"""An event as the wire carries it (PROTOCOL, section 4): usernames, `id` a string, `timestamp` RFC 3339."""

ROLES: Final = ("member", "moderator", "admin", "owner")
"""Server roles in rising order of power."""


@dataclass(slots=True)
class Account:
    """One person or bot. `standing`: `active`, `disabled` (by whoever runs the box) or `banned` (by a moderator)."""

    username: str
    display_name: str
    role: str = "member"
    standing: str = "active"
    created: int = 0

    def profile(self) -> dict[str, Any]:
        """What everybody may know of it, as WELCOME and USER say it."""
        return {"username": self.username, "display_name": self.display_name, "role": self.role}


@dataclass(slots=True)
class Membership:
    """Who is in a conversation. `since` is the seq of one's JOIN (1 in a direct conversation)."""

    since: int = 1
    moderator: bool = False


@dataclass(slots=True)
class Conversation:
    """A conversation with everything that decisions need. The members of `#lobby` are all accounts: `members` is empty
    there."""

    key: str
    kind: str
    access: str
    topic: str = ""
    seq: int = 0
    members: dict[str, Membership] = field(default_factory=dict)
    banned: set[str] = field(default_factory=set)
    muted: set[str] = field(default_factory=set)
    invited: set[str] = field(default_factory=set)


class Post:
    """An event to append. The store gives `seq`, `id` and `timestamp`, and applies what the type means, in one
    transaction:

    TEXT    is indexed for search. The first one of a direct conversation (`key` = "alice bob") creates it with its
    members. Its `attachments` must be uploads of the sender that no message bears yet: it bears them from then on.
    EDIT    changes the content of `ref`, sets its `edited`, and its entry in the search index.
    DELETE  blanks `ref` and the EDITs of `ref`, drops its reactions, its uploads and its search entry, sets its
            `deleted`.
    REACT   adds or (with `removed`) takes back sender's reaction `content` on `ref`.
    JOIN    makes the room `key` when it does not exist, with `access` and the sender as its moderator; adds the member
            (a pending invitation of the sender is used up).
    LEAVE   removes the member.
    TOPIC   sets the topic.

    `key` as in `message.key_of`; `sender`, `by` and `mentions` are usernames; `ref` is an event id.

    `gone`: DELETE: the store says here which files went with the message, by their ids. `done` is called on the loop
    after the commit: with the event, or what went wrong; True when it is the first event of a known nonce, which was
    not appended again.
    """

    # written out, for one is made for every message: compiled, it takes a tenth of a dataclass's time
    __slots__ = (
        "access", "attachments", "by", "content", "done", "gone", "key", "mentions", "nonce", "ref", "removed",
        "sender", "type", "via",
    )  # fmt: skip
    gone: list[str] | None
    done: Callable[[Post, Event | BaseException, bool], None] | None

    def __init__(
        self,
        type: str,
        key: str,
        sender: str,
        content: str = "",
        nonce: str | None = None,
        ref: str | None = None,
        mentions: list[str] | None = None,
        attachments: list[dict[str, Any]] | None = None,
        via: str | None = None,
        by: str | None = None,
        removed: bool = False,
        access: str = "open",
    ) -> None:
        self.type, self.key, self.sender, self.content = type, key, sender, content
        self.nonce, self.ref, self.mentions, self.attachments = nonce, ref, mentions, attachments
        self.via, self.by, self.removed, self.access = via, by, removed, access
        self.gone, self.done = None, None

    def _values(self) -> tuple[object, ...]:
        named = (self.type, self.key, self.sender, self.content, self.nonce, self.ref, self.mentions)
        return (*named, self.attachments, self.via, self.by, self.removed, self.access, self.gone, self.done)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Post) and self._values() == other._values()

    def __repr__(self) -> str:
        return f"Post{self._values()!r}"


@dataclass(slots=True)
class Session:
    """One sign-in: the row behind a token. Times in milliseconds since 1970."""

    id: str
    username: str
    created: int
    expires: int
    seen: int = 0
    device: str = ""
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Factor:
    """An account's second factor. `secret` in base32; `since`, in milliseconds, is 0 while it is only offered and not
    asked for; `step` is that of the last code that was taken (`otp`); `left` recovery codes are left."""

    username: str
    secret: str
    since: int
    step: int
    left: int


@dataclass(slots=True)
class Invite:
    """A code that lets somebody register. `uses` are left; `expires` is 0 for never."""

    code: str
    role: str = "member"
    uses: int = 1
    expires: int = 0
    created: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody uploaded. `width` and `height` in pixels, 0 for what is no image; `created` in milliseconds.
    The event `seq` of the conversation `key` bears it; `key` is None while none does."""

    id: str
    owner: str
    name: str
    mime: str
    size: int
    width: int = 0
    height: int = 0
    created: int = 0
    key: str | None = None
    seq: int = 0

    def wire(self) -> dict[str, Any]:
        """As an attachment, and what POST /files answers."""
        found = {"id": self.id, "name": self.name, "mime": self.mime, "size": self.size}
        return found | {"width": self.width, "height": self.height} if self.width else found


@dataclass(slots=True)
class Found:
    """A page of events, ascending by seq (search: newest first); `more`: there is more in the direction asked for."""

    events: list[Event]
    more: bool


class Store(Protocol):
    """What is kept. Reads run on any thread, at the same time, without waiting for the writer. Writes raise
    `Rejected("unavailable")` when the store can't commit; everything they changed is then as it was.

    Writes go through `post` and `write`, which one writer thread gathers into one transaction (group commit).
    """

    server_id: str
    epoch: str

    # --- reads ---
    def accounts(self) -> list[Account]: ...
    def password(self, username: str) -> str | None: ...
    def factor(self, username: str) -> Factor | None: ...
    def factors(self) -> list[str]: ...  # whose second factor is asked for
    def session(self, id: str) -> Session | None: ...
    def sessions(self, username: str | None = None) -> list[Session]: ...  # not revoked, all users with None
    # None also when used up, expired (now in ms is the store's clock)
    def invite(self, code: str) -> Invite | None: ...
    def invites(self) -> list[Invite]: ...
    def setting(self, name: str) -> str | None: ...  # e.g. "secret_fingerprint"
    def conversation(self, key: str) -> Conversation | None: ...
    # of all conversations that this account is a member of, `#lobby` first
    def keys(self, username: str) -> list[str]: ...
    # every room: {"key", "kind": "room", "access", "topic", "seq", "members": count}
    def rooms(self) -> list[dict[str, Any]]: ...
    def overview(
        self, username: str, limit: int = 500, before: str | None = None
    ) -> tuple[list[dict[str, Any]], bool]: ...
    # The conversations of an account, latest event first, as WELCOME lists them (PROTOCOL, section 2), out of one
    # snapshot;
    # each item also has "key". `before`: the `target` of an item; what comes after it in that order. bool: there are
    # more.
    def arrival(self, username: str) -> tuple[list[str], list[dict[str, Any]], bool]: ...
    # what a WELCOME needs, out of one snapshot: `keys`, and `overview`
    def event(self, key: str, id: str) -> Event | None: ...  # as it stands now (with edited, deleted, reactions)
    # (key, the event as it was first echoed, but blank if deleted)
    def first(self, sender: str, nonce: str) -> tuple[str, Event] | None: ...
    def latest(
        self, key: str, type: str, sender: str | None = None, ref: str | None = None, content: str | None = None
    ) -> Event | None: ...
    # the newest event of that type in the log of `key` that fits what is given, as it was echoed: who made it so
    def history(self, key: str, after: int | None, before: int | None, limit: int, first: int) -> Found: ...
    # As HISTORY answers (PROTOCOL, section 5): with `after` every type; else message.SCROLLED only. Never below seq
    # `first`.
    # TEXT as it stands now. Fewer than `limit` where the JSON of all would pass message.MAX_SENT less 4096 bytes;
    # then more=True.
    def search(
        self, spans: Sequence[tuple[str, int]], text: str, sender: str | None, before: str | None, limit: int
    ) -> Found: ...
    # `spans`: (key, first seq that may be read) of every conversation to search in. Events as they stand now, newest
    # first.
    def uploads(self, ids: Sequence[str]) -> list[Upload]: ...  # those of `ids` that are there, in any order
    def upload_ids(self) -> set[str]: ...  # of all that are there
    def ready(self) -> bool: ...  # a trivial read works
    def faults(self) -> list[str]: ...  # what is damaged, in the database's own words. Reads all of it

    # --- writes: each of these is called with `write` or within `transaction` ---
    # see Writes below

    # --- the writer ---
    def start(self, deliver: Callable[[list[tuple[Post, Any, bool]]], None], wake: Callable[..., Any]) -> None: ...
    # starts the writer thread. After each commit it calls `wake(deliver, batch)` once (wake =
    # loop.call_soon_threadsafe);
    # batch items: (post, event or exception, known nonce), in commit order
    def post(self, *posts: Post) -> None: ...  # queue events, in their order; never blocks
    def is_resting(self) -> bool: ...  # the writer lets more gather: nothing is being committed now
    def write(self, act: Callable[[Writes], Any], done: Callable[[Any], None] | None = None) -> None: ...
    # queue a write; `done(result or exception)` through `wake` after the commit, in order with the posts around it
    def transaction(self, act: Callable[[Writes], Any]) -> Any: ...
    # the same at once, on the calling thread, for command-line tools (no writer thread is running in this process)
    # another process committed since the last call (PRAGMA data_version); writer or any thread
    def changed_elsewhere(self) -> bool: ...
    def close(self) -> None: ...  # commits what was queued, ends the writer, closes all


class Writes(Protocol):
    """What can be written inside a transaction, besides posts."""

    def add_accounts(self, accounts: Iterable[tuple[Account, str | None]]) -> None: ...
    # with the encoded password hash or None. Raises Rejected("conflict") naming the username: all or none
    def change_account(self, username: str, **changes: Any) -> None: ...  # display_name, role, standing, password
    def offer_factor(self, username: str, secret: str) -> None: ...
    # not asked for until it is confirmed; another offer goes. Rejected("conflict") where one is asked for already
    def confirm_factor(self, username: str, secret: str, step: int, digests: Iterable[str]) -> None: ...
    # asked for from now on, with these recovery codes. Rejected("conflict") where this secret is no offer (any more)
    # whether a code with that step, or that recovery code, may sign in now; neither does a second time
    def take_step(self, username: str, step: int) -> bool: ...
    def take_recovery(self, username: str, digest: str) -> bool: ...
    def drop_factor(self, username: str) -> bool: ...  # False where there was none
    def add_sessions(self, sessions: Iterable[Session]) -> None: ...
    # whether the session is there and not revoked, at this point of the transaction
    def holds(self, username: str, id: str) -> bool: ...
    def revoke(
        self, username: str, id: str | None = None, keep: str | None = None, expires: int | None = None
    ) -> list[str]: ...
    # ends one session or all (but `keep`); with `expires` (ms) it is only shortened. Gives the ids that ended
    def revoke_all(self) -> None: ...
    def add_invite(self, invite: Invite) -> None: ...
    # one use less; Rejected("forbidden") when it does not hold (any more)
    def use_invite(self, code: str) -> Invite: ...
    def drop_invite(self, code: str) -> bool: ...
    def set_setting(self, name: str, value: str) -> None: ...
    def mark_read(self, username: str, key: str, seq: int) -> int: ...
    # the mark that now holds: between 0 and the conversation's seq, never backward
    def mute(self, username: str, key: str, muted: bool) -> None: ...  # one's own choice: WELCOME's `muted`
    # kind: "ban", "mute", "invite"; a room
    def sanction(self, key: str, username: str, kind: str, holds: bool) -> None: ...
    def set_moderator(self, key: str, username: str, moderator: bool) -> None: ...
    def add_upload(self, upload: Upload) -> None: ...
    def drop_uploads(self, before: int) -> list[str]: ...

    # forgets those made before that time (ms) which no message bears; their ids


class Draft(Protocol):
    """A file that is coming in. Any thread may call its methods; all but `drop` raise OSError."""

    size: int

    def write(self, pieces: Iterable[bytes]) -> None: ...
    def read(self, at: int, count: int) -> bytes: ...
    def drop(self) -> None: ...  # what is not kept is removed. Never fails


@dataclass(frozen=True, slots=True)
class Swept:
    """What a look through all files found: the bytes of those that have an owner, how many had none, and the ids that
    have no file."""

    used: int
    orphans: int
    missing: list[str]


class Shelf(Protocol):
    """Where the bytes of uploads are kept, by id. From any thread; each may raise OSError."""

    def begin(self) -> Draft: ...
    def free(self) -> int: ...  # bytes that the disk has left
    def keep(self, draft: Any, id: str) -> None: ...  # a draft of its own; on the disk for good once this returns
    def open(self, id: str) -> BinaryIO: ...  # raises FileNotFoundError
    # a copy for the server whose data lies there: its bytes, None where there is no such file
    def copy(self, id: str, data_dir: Path) -> int | None: ...
    # bytes that became free, and the ids that could not be removed now
    def drop(self, ids: Iterable[str]) -> tuple[int, list[str]]: ...
    # with `remove`, what `known` does not name, and what came in halfway, is removed
    def sweep(self, known: Collection[str], remove: bool = True) -> Swept: ...
