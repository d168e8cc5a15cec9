"""A list of people as CSV: newcomers out of it, or what is wrong with which line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from alonechat.admin import Newcomer, newcomer
from alonechat.errors import Rejected

COLUMNS = ("username", "display_name", "role", "password")
SHOWN = 10
"""Mistakes that one error lists; whoever has more has them for one reason."""


def read_people(data: bytes) -> list[Newcomer]:
    """The people in a CSV file: `username,display_name,role,password`, all but the first may be empty. A first line
    that begins with `username` names the columns, which may then stand in another order. UTF-8, with or without BOM.

    Raises `Rejected("invalid")` that names lines and what is wrong with them.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Rejected("invalid", f"line {line}: it is not UTF-8") from None
    columns: Sequence[str] = COLUMNS
    people: list[Newcomer] = []
    wrong: list[str] = []
    lines: dict[str, int] = {}
    rows = list(_rows(text))
    if rows and "username" in (cell.strip().lower() for cell in rows[0][1]):
        columns = _header(*rows.pop(0))
    for line, cells in rows:
        try:
            found = _person(cells, columns)
            first = lines.setdefault(found.username, line)
            if first != line:
                raise Rejected("invalid", f"{found.username} stands in line {first} already")
            people.append(found)
        except Rejected as refused:
            wrong.append(f"line {line}: {refused.text}")
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more lines" if len(wrong) > SHOWN else ""
        raise Rejected("invalid", "; ".join(wrong[:SHOWN]) + more)
    return people


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, with the line where it begins: a quoted field may hold line ends."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise Rejected("invalid", f"line {line}: it is not CSV: {error}") from None


def _header(line: int, cells: Sequence[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    for column in columns:
        if column not in COLUMNS or columns.count(column) > 1:
            named = ", ".join(COLUMNS)
            raise Rejected("invalid", f"line {line}: the columns are {named}, each once; not {column[:40]!r}")
    return columns


def _person(cells: Sequence[str], columns: Sequence[str]) -> Newcomer:
    if len(cells) > len(columns):
        raise Rejected("invalid", f"it has {len(cells)} fields, not {len(columns)} or less ({', '.join(columns)})")
    given = dict(zip(columns, cells, strict=False))
    return newcomer(**{name: cell if name == "password" else cell.strip() for name, cell in given.items()})
