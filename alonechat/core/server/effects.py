"""What decisions ask for: frozen records that `journey.perform` carries out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from alonechat.core.store.records import Post

__all__ = [
    "Appoint",
    "Banish",
    "Effect",
    "Inherit",
    "Invite",
    "Notify",
    "Post",
    "Rename",
    "Same",
    "Sanction",
    "Silence",
    "Tell",
    "Uninvite",
]


@dataclass(frozen=True, slots=True)
class Tell:
    """A NOTICE for the caller alone."""

    content: str


@dataclass(frozen=True, slots=True)
class Notify:
    """A NOTICE for every connection of somebody else, about the conversation `key`."""

    username: str
    key: str
    content: str


@dataclass(frozen=True, slots=True)
class Same:
    """Nothing changes: answer the caller with the newest event in `key` that fits, the one that made it so.

    Where there is none, `otherwise` is the refusal (code, text)."""

    key: str
    type: str
    sender: str | None = None
    ref: str | None = None
    content: str | None = None
    event: dict[str, Any] | None = None
    otherwise: tuple[str, str] = ("not_found", "there is no such event")


@dataclass(frozen=True, slots=True)
class Sanction:
    """Put on or lift a `ban` or `mute` of somebody in the room `key`."""

    key: str
    username: str
    kind: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Appoint:
    """Make a member of the room `key` its moderator, or one of its moderators a member."""

    key: str
    username: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Inherit:
    """Where nobody who is active moderates the room `key` (any more, once `leaving` goes), another member does."""

    key: str
    leaving: str = ""


@dataclass(frozen=True, slots=True)
class Banish:
    """Put on or lift the ban of an account from the whole server: its connections close with 4403."""

    username: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Invite:
    """Let somebody into a private room."""

    key: str
    username: str


@dataclass(frozen=True, slots=True)
class Uninvite:
    """Take back an invitation."""

    key: str
    username: str


@dataclass(frozen=True, slots=True)
class Silence:
    """One's own choice not to be notified of a conversation."""

    key: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Rename:
    """A new display name for the caller."""

    display_name: str


Effect = Post | Tell | Notify | Same | Sanction | Appoint | Inherit | Banish | Invite | Uninvite | Silence | Rename
