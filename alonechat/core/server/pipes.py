"""How a connection is written to: by its transport's `write`, or in the native file by a pipe (`_pipes.c`)."""

from __future__ import annotations

from asyncio import Transport
from collections.abc import Callable, Mapping
from typing import Any

try:
    from alonechat.core.server import _pipes
except ImportError:  # the universal file, or a native one that was built without a compiler
    _pipes = None

Write = Callable[[bytes], None]


def beside(transport: Transport) -> Write:
    """What writes to a connection from now on, instead of `transport.write`, which nobody calls any more."""
    if _pipes is None or transport.get_extra_info("sslcontext") is not None:
        return transport.write
    fd = transport.get_extra_info("socket").fileno()
    if fd > _files() // 2:  # a pipe has a descriptor of its own: no connection shall be refused for that
        return transport.write
    pipe: Write = _pipes.Pipe(fd, transport.write, transport.get_write_buffer_size)
    return pipe


def _files() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connections(files: int) -> int:
    """How many connections so many open files are enough for: with pipes the first of them take two each."""
    return files if _pipes is None else files * 3 // 4


def lost(write: Write) -> None:
    """The connection is gone: what `beside` gave writes nowhere any more."""
    if _pipes is not None and isinstance(write, _pipes.Pipe):
        write.close()


def _spread(members: Mapping[Any, Write], data: bytes) -> None:
    for write in members.values():
        write(data)


spread: Callable[[Mapping[Any, Write], bytes], None] = _spread if _pipes is None else _pipes.spread
"""Write the same to all: `spread(members, data)` calls each value of `members`."""
