"""A thread's own connection for reading: snapshots that don't wait for the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from alonechat.errors import Rejected

P = ParamSpec("P")
T = TypeVar("T")


def served(read: Callable[P, T]) -> Callable[P, T]:
    """`read`, raising `Rejected("unavailable")` when the database can't be read."""

    @wraps(read)
    def answer(*given: P.args, **named: P.kwargs) -> T:
        try:
            return read(*given, **named)
        except sqlite3.Error as error:
            raise Rejected("unavailable", f"the store can't be read now ({error}); try again later") from error

    return answer


class Reader:
    """One read-only connection, closed with the thread that it belongs to."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything that is read within is of one moment."""
        if self.raw.in_transaction:
            yield
            return
        self.raw.execute("BEGIN")
        try:
            yield
        finally:
            self.raw.execute("COMMIT")

    def close(self) -> None:
        self.raw.close()
