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


@lru_cache(maxsize=256)
def _written(statement: str, row: str, size: int) -> str:
    return statement.replace("{}", ", ".join([row] * size))


def piece(left: int) -> int:
    """How many of the rows that are left one statement takes."""
    return min(MOST, 1 << (left.bit_length() - 1))


def execute(raw: sqlite3.Connection, statement: str, row: str, values: list[Any]) -> list[tuple[Any, ...]]:
    """Run `statement`, whose `{}` stands for the rows, and give what it found. `row` is one row with its marks,
    `(?, ?)`; `values` are those of all rows, one after the other."""
    width = row.count("?")
    at, left = 0, len(values) // width
    found: list[tuple[Any, ...]] = []
    while left:
        size = piece(left)
        end = at + size * width
        found += raw.execute(_written(statement, row, size), values[at:end])
        at, left = end, left - size
    return found
