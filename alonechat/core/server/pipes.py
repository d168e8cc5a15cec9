"""How connections are written to: by their transports, or straight into many sockets at once, by what is compiled in
the native file (`_pipes.c`), else by what needs nothing compiled (`straight.py`)."""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Callable, Mapping
from typing import Any

from alonechat.core.server import straight

try:
    from alonechat.core.server import _pipes
except ImportError:  # the universal file, or a native one that was built without a compiler
    _pipes = None

Write = Callable[[bytes], None]
_OURS = "asyncio.selector_events"
"""Where transports are from that close their socket only after they said that the connection is lost."""


def beside(transport: Transport) -> Write:
    """What writes to a connection from now on, instead of `transport.write`, which nobody calls any more."""
    if transport.get_extra_info("sslcontext") is not None:
        return transport.write
    if _pipes is None and type(transport).__module__ != _OURS:
        return transport.write
    fd = transport.get_extra_info("socket").fileno()
    if _pipes is None:
        return straight.Pipe(fd, transport.write, transport.get_write_buffer_size)
    if fd > _files() // 2:  # a pipe has a descriptor of its own: no connection shall be refused for that
        return transport.write
    pipe: Write = _pipes.Pipe(fd, transport.write, transport.get_write_buffer_size)
    return pipe


def _files() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connections(files: int) -> int:
    """How many connections so many open files are enough for: with compiled pipes the first of them take two each."""
    return files if _pipes is None else files * 3 // 4


def lost(write: Write) -> None:
    """The connection is gone: what `beside` gave writes nowhere any more."""
    if isinstance(write, straight.Pipe) or (_pipes is not None and isinstance(write, _pipes.Pipe)):
        write.close()


_straight = straight.Straight()
spread: Callable[[Mapping[Any, Write], bytes], None] = _straight.spread if _pipes is None else _pipes.spread
"""Write the same to all: `spread(members, data)` calls each value of `members`, or does what comes to the same."""
scatter: Callable[[list[Write], list[bytes]], None] = _straight.scatter if _pipes is None else _pipes.scatter
"""Write to each its own: `scatter(writes, pieces)`, likewise."""
