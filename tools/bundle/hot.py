"""The hot modules: what `build.py --native` compiles with mypyc.

Why these: a message runs through them from its socket to the log and back, some hundred thousand times before anything
else of the server runs once. Nothing else gains: a start, a sign-in or a page of history is imports, hashes and SQL.

What a module must be, to stand here:
- It is a part of a message's way, and its types are known: what is `Any` stays as slow as it was.
- It has no `async def`. mypyc loses the exception that is handled while a coroutine waits: `except …: await …; raise`
  then writes over memory that is not its own. So what waits stands in modules of its own, which stay Python.
- No attribute is called `_thread`: its name in C is one of the compiler's words.
- Nobody outside of these modules inherits from its classes, or sets methods on them.
- What is made for every message is a plain class: a dataclass's `__init__` stays Python. Constants are `Final`.

The sources stay the whole truth: everything runs without being compiled, and the tests do.
"""

from __future__ import annotations

MODULES = (
    "alonechat.core.fields",
    "alonechat.core.message",
    "alonechat.core.server.arrivals",
    "alonechat.core.server.connection",
    "alonechat.core.server.delivery",
    "alonechat.core.server.directory",
    "alonechat.core.server.express",
    "alonechat.core.server.frames",
    "alonechat.core.server.intake",
    "alonechat.core.server.known",
    "alonechat.core.server.limits",
    "alonechat.core.server.rooms",
    "alonechat.core.server.tallies",
    "alonechat.core.server.wakes",
    "alonechat.core.store.append",
    "alonechat.core.store.books",
    "alonechat.core.store.bulk",
    "alonechat.core.store.checkpoints",
    "alonechat.core.store.clock",
    "alonechat.core.store.gathering",
    "alonechat.core.store.grams",
    "alonechat.core.store.inbox",
    "alonechat.core.store.index",
    "alonechat.core.store.indexing",
    "alonechat.core.store.records",
    "alonechat.core.store.runs",
    "alonechat.core.store.wire",
    "alonechat.core.store.writer",
)

LIBRARY = "alonechat"
"""The shared library that holds them all is `alonechat__mypyc`; the modules beside their sources only point into it."""

WRITTEN = ("alonechat.core.server._pipes",)
"""Modules that are written in C, for what no translation makes quicker. Each has a Python beside it that does the same
where it is not there."""
