"""What authors of plugins write against, and what finds, orders, starts and stops plugins. See docs/PLUGINS.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alonechat.core.server.hooks import HookContext, HookPhase
from alonechat.plugins.context import PluginContext
from alonechat.plugins.contract import CommandPluginBase, HandlerPluginBase, PluginBase, PluginMetadata

if TYPE_CHECKING:
    from alonechat.plugins.manager import PluginManager

__all__ = [
    "CommandPluginBase",
    "HandlerPluginBase",
    "HookContext",
    "HookPhase",
    "PluginBase",
    "PluginContext",
    "PluginManager",
    "PluginMetadata",
]


def __getattr__(name: str) -> Any:
    if name == "PluginManager":  # a plugin's process needs no manager
        from alonechat.plugins.manager import PluginManager

        return PluginManager
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
