"""Frames that need more than memory: a task carries each, and those behind it wait."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from alonechat.errors import Rejected


class Sender(Protocol):
    """The connection that sent the frame."""

    def answer(self, refused: Rejected, nonce: str | None) -> None: ...
    def broken(self, nonce: str | None) -> None: ...
    def carried(self) -> None: ...


async def carry(sender: Sender, work: Coroutine[Any, Any, None], nonce: str | None) -> None:
    """Do the work of a frame, and tell its sender what went wrong, and that it is done."""
    try:
        await work
    except Rejected as refused:
        sender.answer(refused, nonce)
    except Exception:
        sender.broken(nonce)
    finally:
        sender.carried()
