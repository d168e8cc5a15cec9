"""The server: sockets, sign-in, decisions, delivery. `UnifiedWebSocketManager` joins them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alonechat.core.server.hooks import HookContext, HookPhase

if TYPE_CHECKING:
    from alonechat.core.server.manager import UnifiedWebSocketManager

__all__ = ["HookContext", "HookPhase", "UnifiedWebSocketManager"]


def __getattr__(name: str) -> Any:
    """The manager, imported when it is asked for: a tool that hashes a password needs no sockets."""
    if name == "UnifiedWebSocketManager":
        from alonechat.core.server.manager import UnifiedWebSocketManager

        return UnifiedWebSocketManager
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
