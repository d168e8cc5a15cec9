"""A list of people as CSV: newcomers out of it, or what is wrong with which line."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import StringIO

from alonechat.admin import Newcomer, newcomer
from alonechat.errors import ConfigError, Rejected

COLUMNS = ("username", "display_name", "role", "password")
CHINESE = {
    "用户名": "username",
    "显示名称": "display_name",
    "显示名": "display_name",
    "姓名": "display_name",
    "昵称": "display_name",
    "角色": "role",
    "密码": "password",
}
"""What a header may call the columns besides."""
NAMED = "username (用户名), display_name (显示名称), role (角色), password (密码)"
ENCODING = "utf-8-sig"
MARKS = {codecs.BOM_UTF8: ENCODING, codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""How a file begins that says itself what it is written in, as those of Excel's 'CSV UTF-8' and 'Unicode text' do."""
SHOWN = 10
"""Mistakes that one error lists; whoever has more has them for one reason."""


def read_people(data: bytes, encoding: str = ENCODING) -> list[Newcomer]:
    """The people in a CSV file: `username,display_name,role,password`, all but the first may be empty. A first line
    with such names, or their Chinese ones, is a header: the columns then stand in its order. Where the first line has
    no comma, tabs or semicolons separate. A byte order mark says more about the encoding than `encoding` does.

    Raises `Rejected("invalid")` that names lines and what is wrong with them, `ConfigError` for an unknown encoding.
    """
    text = _text(data, encoding)
    columns: Sequence[str] = COLUMNS
    people: list[Newcomer] = []
    wrong: list[str] = []
    lines: dict[str, int] = {}
    rows = list(_rows(text))
    if rows and _is_header(rows[0][1]):
        columns = _header(*rows.pop(0))
    for line, cells in rows:
        try:
            found = _person(cells, columns)
            first = lines.setdefault(found.username, line)
            if first != line:
                raise Rejected("invalid", f"{found.username} stands in line {first} already")
            people.append(replace(found, origin=f"line {line}"))
        except Rejected as refused:
            wrong.append(f"line {line}: {refused.text}")
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more lines" if len(wrong) > SHOWN else ""
        raise Rejected("invalid", "; ".join(wrong[:SHOWN]) + more)
    return people


def _text(data: bytes, encoding: str) -> str:
    try:
        b"0".decode(encoding)  # of nothing Python says nothing, whatever the name
    except UnicodeError:
        pass  # known, and stricter than that
    except (LookupError, ValueError):
        known = "such as utf-8-sig, gb18030, big5, utf-16"
        raise ConfigError(f"--encoding takes an encoding that Python knows, {known}; not {encoding[:40]!r}") from None
    said = next((name for mark, name in MARKS.items() if data.startswith(mark)), encoding)
    try:
        return data.decode(said)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].decode(said, "ignore").count("\n") + 1
        if codecs.lookup(said).name.startswith("utf-8"):
            advice = "it is not UTF-8: in Excel, save it as 'CSV UTF-8', or give --encoding gb18030"
        else:
            advice = f"it is not {said}: give --encoding with what the file is written in"
        raise Rejected("invalid", f"line {line}: {advice}") from None
    except UnicodeError:  # of the few that name no place, such as idna
        raise Rejected("invalid", f"it is not {said}: give --encoding with what the file is written in") from None


def _separator(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return next((each for each in ",\t;" if each in first), ",")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, with the line where it begins: a quoted field may hold line ends."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise Rejected("invalid", f"line {line}: it is not CSV: {error}") from None


def _column(cell: str) -> str:
    """The column that a cell of a header names, or the cell."""
    name = cell.strip().lower()
    return CHINESE.get(name, name)


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a first line names columns: among them the one that has to be there, or nothing else."""
    columns = [_column(cell) for cell in cells]
    return "username" in columns or all(column in COLUMNS for column in columns if column)


def _header(line: int, cells: Sequence[str]) -> list[str]:
    columns = [_column(cell) for cell in cells]
    for column, cell in zip(columns, cells, strict=True):
        if column not in COLUMNS or columns.count(column) > 1:
            raise Rejected("invalid", f"line {line}: the columns are {NAMED}, each once; not {cell.strip()[:40]!r}")
    if "username" not in columns:
        raise Rejected("invalid", f"line {line}: there is no column username (用户名) among these")
    return columns


def _person(cells: Sequence[str], columns: Sequence[str]) -> Newcomer:
    if len(cells) > len(columns):
        raise Rejected("invalid", f"it has {len(cells)} fields, not {len(columns)} or less ({', '.join(columns)})")
    given = dict(zip(columns, cells, strict=False))
    return newcomer(**{name: cell if name == "password" else cell.strip() for name, cell in given.items()})
