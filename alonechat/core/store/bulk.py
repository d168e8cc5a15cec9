"""Many rows in one statement. Why: Python's lock changes hands with each step that SQLite takes, and while the loop is
busy the writer gets it back only after the switch interval. With a step per row a batch of a hundred waited longer for
the lock than for the disk.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from typing import Any, Final

MOST: Final = 64
"""Rows of one statement. The sizes are powers of two, so that few statements are prepared, once each."""
WHOLE: Final = 4096
"""Rows of one statement that had better be one: SQLite takes some 32,000 values."""


@lru_cache(maxsize=256)
def _written(statement: str, row: str, size: int) -> str:
    return statement.replace("{}", ", ".join([row] * size))


def execute(raw: sqlite3.Connection, statement: str, row: str, values: list[Any]) -> list[tuple[Any, ...]]:
    """Run `statement`, whose `{}` stands for the rows, and give what it found. `row` is one row with its marks,
    `(?, ?)`; `values` are those of all rows, one after the other."""
    width = row.count("?")
    at, left = 0, len(values) // width
    found: list[tuple[Any, ...]] = []
    while left:
        size = min(MOST, 1 << (left.bit_length() - 1))
        end = at + size * width
        found += raw.execute(_written(statement, row, size), values[at:end])
        at, left = end, left - size
    return found


def at_once(raw: sqlite3.Connection, statement: str, row: str, values: list[Any], none: list[Any]) -> None:
    """Run `statement` once for all rows, or for as many at a time as `WHOLE`. What is lacking to a power of two is
    filled up with the row `none`, which the statement must pass over."""
    width = row.count("?")
    for at in range(0, len(values), WHOLE * width):
        some = values[at : at + WHOLE * width]
        rows = len(some) // width
        size = 1 << (rows - 1).bit_length()
        raw.execute(_written(statement, row, size), some + none * (size - rows))
