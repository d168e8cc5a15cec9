"""The client without a face: what bots, the command line and the faces are made of. Loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alonechat.core.client.accounts import Account, Accounts, of_token
    from alonechat.core.client.rest import Rest
    from alonechat.core.client.session import Session, Status
    from alonechat.core.client.state import Conversation, State
    from alonechat.core.client.timing import Timing
    from alonechat.core.client.transport import Closed, End

__all__ = [
    "Account",
    "Accounts",
    "Closed",
    "Conversation",
    "End",
    "Rest",
    "Session",
    "State",
    "Status",
    "Timing",
    "of_token",
]

_HOMES = {
    "accounts": ("Account", "Accounts", "of_token"),
    "rest": ("Rest",),
    "session": ("Session", "Status"),
    "state": ("Conversation", "State"),
    "timing": ("Timing",),
    "transport": ("Closed", "End"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME:  # so that `alonechat --help` loads neither httpx nor websockets
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
