"""What a plugin is: its metadata, and the methods that the server calls. Any of them may be `async def`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from alonechat.core.server.hooks import HookContext, HookPhase

if TYPE_CHECKING:
    from alonechat.plugins.context import PluginContext

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")


@dataclass(frozen=True, slots=True)
class PluginMetadata:
    """Who a plugin is. `name`: lower-case letters, digits, `_` and `-`; it is also the name of its bot account.
    `dependencies` name plugins that are started before it. Raises ValueError, TypeError."""

    name: str
    version: str = "0.0.0"
    description: str = ""
    author: str = ""
    dependencies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise ValueError(f"a plugin's name has 1 to 31 of a-z, 0-9, _ and -, not {self.name!r}")
        if not all(isinstance(each, str) for each in self.dependencies):
            raise TypeError(f"dependencies of {self.name} must be names of plugins, not {self.dependencies!r}")


class PluginBase:
    """Every plugin: a class with `_metadata`, made once without arguments."""

    _metadata: ClassVar[PluginMetadata]
    context: PluginContext

    @property
    def metadata(self) -> PluginMetadata:
        """Who this plugin is."""
        return self._metadata

    def initialize(self, context: PluginContext) -> Any:
        """Called once before anything else; keep `context`."""
        self.context = context

    async def receive(self, secret: str, body: dict[str, Any]) -> bool:
        """What another program posted to `/hooks/{secret}`: `text`, and `username` if any. False: not ours."""
        return False

    def shutdown(self) -> Any:
        """Called once at the end, when the server stops or the plugin is switched off."""


class CommandPluginBase(PluginBase):
    """A plugin that answers texts which start with `/`."""

    def can_handle(self, content: str) -> Any:
        """Whether this plugin takes `content`: asked for what starts with `/` and is no command of the server's."""
        raise NotImplementedError(f"{type(self).__name__} needs a method can_handle(content) -> bool")

    def execute(self, content: str, sender: str, target: str | None = None) -> Any:
        """Do it. A text that is returned is posted to the conversation as `sender`, with `via` naming the plugin; None
        posts nothing."""
        raise NotImplementedError(f"{type(self).__name__} needs a method execute(content, sender, target)")


class HandlerPluginBase(PluginBase):
    """A plugin that sees, changes or stops what passes a hook phase."""

    phases: tuple[HookPhase, ...] = (HookPhase.PRE_MESSAGE,)
    """Where `handle` is called; `initialize` may set it, to `()` when there is nothing to do: no hook, no cost."""
    priority: ClassVar[int] = 100
    """Lower ones come first."""

    def handle(self, context: HookContext) -> Any:
        """May set `context.content`, or call `context.stop("why")`, where the phase allows it."""
        raise NotImplementedError(f"{type(self).__name__} needs a method handle(context)")


def plugins_in(names: dict[str, Any], module: str) -> list[type[PluginBase]]:
    """The plugin classes that a module defines: those with `_metadata` of their own. Raises TypeError when there is
    something wrong with one."""
    found = []
    for each in names.values():
        if isinstance(each, type) and issubclass(each, PluginBase) and each.__module__ == module:
            given = each.__dict__.get("_metadata")
            if given is None:
                continue
            if not isinstance(given, PluginMetadata):
                raise TypeError(f"_metadata of {each.__name__} must be a PluginMetadata, not {type(given).__name__}")
            found.append(each)
    return found
