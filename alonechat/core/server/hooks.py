"""Hooks: functions that plugins hang into the journey of a connection and of a message.

| phase | when | may |
| --- | --- | --- |
| PRE_CONNECT | a socket asks for its upgrade; nobody is signed in | stop (the connection is closed with 4403) |
| POST_CONNECT | after the WELCOME | look |
| PRE_AUTHENTICATE | before a token is checked | stop (4403) |
| POST_AUTHENTICATE | a token was accepted, before the WELCOME | stop (4403) |
| PRE_MESSAGE | a frame that would make an event, before it is decided | change `content`, or stop |
| POST_MESSAGE | its event is committed and handed to delivery | look |
| PRE_BROADCAST | an event is committed and about to be fanned out | look: it is in the log already |
| POST_BROADCAST | an event was given to the members' outboxes | look |
| PRE_COMMAND | a command is about to run | change `content`, or stop |
| POST_COMMAND | it ran | look |
| PRE_DISCONNECT | a connection is about to be taken out of its conversations | look |
| POST_DISCONNECT | it is out | look |

A hook is `hook(ctx) -> ctx | None`, or the same with `async def`. It stops by `ctx.stop("why")`, which the sender
reads.
"""

from __future__ import annotations

import asyncio
import enum
import inspect
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from alonechat.core.logging import get_logger

DEADLINE = 2.0
"""Seconds that one `async def` hook may take; then its call is cancelled and the message goes on unchanged."""
SLOW = 0.25
"""Seconds after which a plain hook, which holds up the whole server while it runs, is named in the log."""


class HookPhase(enum.Enum):
    """Where a hook is called; the module says what each may do."""

    __hash__ = object.__hash__  # an enum's own hashes the name, in Python, at every look into a table of phases

    PRE_CONNECT = "pre_connect"
    POST_CONNECT = "post_connect"
    PRE_AUTHENTICATE = "pre_authenticate"
    POST_AUTHENTICATE = "post_authenticate"
    PRE_MESSAGE = "pre_message"
    POST_MESSAGE = "post_message"
    PRE_BROADCAST = "pre_broadcast"
    POST_BROADCAST = "post_broadcast"
    PRE_COMMAND = "pre_command"
    POST_COMMAND = "post_command"
    PRE_DISCONNECT = "pre_disconnect"
    POST_DISCONNECT = "post_disconnect"


@dataclass(slots=True)
class HookContext:
    """What a hook sees. `sender` is a username or "" before sign-in; `type` a frame type; `event` the committed event,
    in POST_ phases and broadcasts; `address` the peer's, in connection phases; `attachments` the files that a
    message is to bear, in PRE_MESSAGE; `data` is the hooks' own notebook."""

    phase: HookPhase
    sender: str = ""
    target: str | None = None
    content: str = ""
    type: str = ""
    event: dict[str, Any] | None = None
    address: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    stopped: bool = False
    reason: str = ""
    attachments: list[dict[str, Any]] = field(default_factory=list)

    def stop(self, reason: str = "") -> None:
        """Let it not happen; `reason` is what the sender reads."""
        self.stopped = True
        self.reason = reason


Hook = Callable[[HookContext], HookContext | None] | Callable[[HookContext], Awaitable[HookContext | None]]


@dataclass(slots=True)
class Registered:
    """A hook and its place in the order."""

    priority: int
    hook: Hook
    owner: str


class Answer(NamedTuple):
    """What a plugin's command comes to: whose it is, the text to post; where there is none, what the sender reads, and
    about which conversation."""

    who: str
    text: str | None
    note: str = ""
    about: str = ""


class Hooks:
    """The registered hooks in their order, and their calls: a guest's failure stays the guest's."""

    def __init__(self) -> None:
        self.kept: dict[HookPhase, list[Registered]] = {phase: [] for phase in HookPhase}
        """Those of each phase, in order."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._log = get_logger("alonechat.hooks")

    def register(self, phase: HookPhase, hook: Hook, priority: int = 100, owner: str = "") -> None:
        """Call `hook` in `phase`; lower priorities first, equal ones in the order of registration."""
        if not isinstance(phase, HookPhase):
            raise TypeError(f"phase must be a HookPhase, not {phase!r}")
        if not callable(hook):
            raise TypeError(f"hook must be a function of one HookContext, not {hook!r}")
        self.kept[phase].append(Registered(priority, hook, owner or getattr(hook, "__qualname__", repr(hook))))
        self.kept[phase].sort(key=lambda r: r.priority)

    def unregister(self, phase: HookPhase, hook: Hook) -> bool:
        """Call `hook` no longer in `phase`. False when it was not registered."""
        before = len(self.kept[phase])
        self.kept[phase] = [r for r in self.kept[phase] if r.hook != hook]
        return len(self.kept[phase]) < before

    def on(self, phase: HookPhase) -> bool:
        """Whether anybody listens: no hook, no cost."""
        return bool(self.kept[phase])

    async def run(self, context: HookContext) -> HookContext:
        """Call the hooks of `context.phase` in order, until one stops it. A hook that fails changes nothing."""
        for registered in tuple(self.kept[context.phase]):
            kept = (context.content, context.stopped, context.reason)
            began = asyncio.get_running_loop().time()
            try:
                answer = registered.hook(context)
                if inspect.isawaitable(answer):
                    answer = await asyncio.wait_for(answer, DEADLINE)
                elif (took := asyncio.get_running_loop().time() - began) > SLOW:
                    self._log.warning(
                        "slow hook", hook=registered.owner, phase=context.phase.name, seconds=round(took, 3)
                    )
                if isinstance(answer, HookContext):
                    context = answer
            except Exception as error:  # a plugin's fault, whatever it is: said, and the message passes on unchanged
                context.content, context.stopped, context.reason = kept
                self._failed(registered, context.phase, error)
            if context.stopped:
                break
        return context

    def watch(self, context: HookContext) -> None:
        """Call hooks that may only look, without waiting for them."""
        task = asyncio.get_running_loop().create_task(self.run(context))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End the hooks that still look."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _failed(self, registered: Registered, phase: HookPhase, error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
        self._log.error(
            "hook failed; passed on unchanged",
            hook=registered.owner,
            phase=phase.name,
            where=where,
            error=f"{type(error).__name__}: {error}",
        )
