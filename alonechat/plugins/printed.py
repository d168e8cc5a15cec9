"""What a plugin's process prints: a little is logged, the end of it is kept, and reading it costs next to nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from alonechat.core.logging import get_logger

CHUNK, GAP = 1 << 16, 0.02
"""Bytes that are read at once, and seconds until the next: what prints faster waits for its own pipe."""
LOGGED = 20
"""Lines a second that are logged."""
KEPT = 1 << 13
"""Bytes of what was printed last: where Python says how it ended."""
log = get_logger(__name__)


class Printed:
    """Standard error of one process. `name` says whose it is."""

    def __init__(self, stream: asyncio.StreamReader, name: Callable[[], str], ended: Callable[[], bool]) -> None:
        self._stream, self._name, self._ended = stream, name, ended
        self._last = b""
        self._second, self._count = 0.0, 0
        self._partial = b""

    async def read(self) -> None:
        """Read to the end."""
        while chunk := await self._stream.read(CHUNK):
            self._last = (self._last + chunk)[-KEPT:]
            self._log(chunk)
            if not self._ended() and len(chunk) > KEPT:
                await asyncio.sleep(GAP)

    def _log(self, chunk: bytes) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._second >= 1:
            self._second, self._count = now, 0
        if self._count >= LOGGED:
            self._partial = b""
            return
        *lines, rest = (self._partial + chunk).split(b"\n", LOGGED - self._count + 1)
        self._partial = rest[:KEPT]
        for line in lines[: LOGGED - self._count]:
            self._count += 1
            text = line[:500].decode("utf-8", "replace").rstrip()
            log.info("printed by a plugin", plugin=self._name(), line=text)

    def where(self, home: str) -> str:
        """` (file.py:41)`: the line of the plugin's own file or folder that Python named as it ended."""
        text = self._last.decode("utf-8", "replace")
        found = re.search(rf'File "({re.escape(home)}[^"]*)", line (\d+)', text)
        return f" ({Path(found[1]).name}:{found[2]})" if found else ""
