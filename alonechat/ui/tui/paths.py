"""Paths of files as a person types them, and as a terminal pastes them when files are dropped on it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from alonechat.core.client.complete import MOST, Completion, Option

ESCAPES = os.name == "posix"
"""Whether a backslash takes the next character as it is: elsewhere it parts folders."""
LONGEST = 8192
"""Characters of a paste that may be paths of files."""


class Word(NamedTuple):
    """A word of a line, without its quotes, and where it begins."""

    start: int
    text: str


def words(text: str, escapes: bool = ESCAPES) -> list[Word]:
    """The words of a line as a shell has them: quotes keep blanks together. A quote that is not closed reaches to the
    end."""
    found: list[Word] = []
    start, kept, quote, at = -1, "", "", 0
    while at < len(text):
        char = text[at]
        if escapes and char == "\\" and quote != "'" and at + 1 < len(text):
            start, kept, at = (at if start < 0 else start), kept + text[at + 1], at + 2
            continue
        if quote:
            quote, kept = ("", kept) if char == quote else (quote, kept + char)
        elif char in "\"'" and (start < 0 or escapes):
            start, quote = (at if start < 0 else start), char
        elif char.isspace():
            if start >= 0:
                found.append(Word(start, kept))
            start, kept = -1, ""
        else:
            start, kept = (at if start < 0 else start), kept + char
        at += 1
    return [*found, Word(start, kept)] if start >= 0 else found


def quoted(text: str, escapes: bool = ESCAPES) -> str:
    """A path as `words` reads it as one word."""
    if escapes:
        return re.sub(r"([\s\"'\\])", r"\\\1", text)
    return f'"{text}"' if re.search(r"\s", text) else text


def path_of(text: str) -> Path:
    """The path that a word means: `~` is the home of the user, `file://…` what a file manager calls a file."""
    if text.startswith("file://"):
        where = unquote(urlsplit(text).path)
        text = where[1:] if os.name == "nt" and re.match(r"/[A-Za-z]:", where) else where
    return Path(os.path.expanduser(text))


def named(text: str) -> list[Path]:
    """The files that a line names; all of it is one where there is such a file, blanks and all."""
    whole = path_of(text.strip())
    if _is_file(whole):
        return [whole]
    return [path_of(word.text) for word in words(text)]


def dropped(text: str) -> list[Path]:
    """The files that a pasted text names, when it is nothing but whole paths of files that are there; else none."""
    text = text.strip()
    if not 1 < len(text) <= LONGEST or not re.match(r"['\"]?(/|~|file://|[A-Za-z]:[\\/]|\\\\)", text):
        return []
    found = named(text)
    return found if all(path.is_absolute() and _is_file(path) for path in found) else []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or with a NUL: no path
        return False


def complete(text: str, cursor: int, begin: int) -> Completion | None:
    """What Tab makes of the path before the cursor, where paths stand from `begin` on: what all files that fit have in
    common, else each of them."""
    before = text[begin:cursor]
    found = words(before)
    open_word = bool(found) and words(before + "x")[-1].start == found[-1].start
    start, part = found[-1] if open_word else (len(before), "")
    folder, name = os.path.split(part)
    names = sorted(_listed(path_of(folder) if folder else Path("."), name), key=str.casefold)
    if not names:
        return None
    common = os.path.commonprefix(names)  # noqa: RUF071 - of the characters of names is what is meant
    if len(names) > 1 and len(common) > len(name):
        return Completion(begin + start, cursor, (Option(quoted(os.path.join(folder, common)), common),))
    options = tuple(_option(folder, each) for each in names[:MOST])
    return Completion(begin + start, cursor, options)


def _option(folder: str, name: str) -> Option:
    whole = os.path.join(folder, name)
    ends = not name.endswith(os.sep)
    insert = quoted(whole) + " " if ends else quoted(whole)
    if not ends and not ESCAPES and insert.endswith('"'):
        insert = insert[:-1]  # the quote stays open: the path goes on
    return Option(insert, name, "", "path")


def _listed(folder: Path, part: str) -> list[str]:
    """What a folder holds that begins with `part`, folders with the mark of one; hidden ones only where asked for."""
    try:
        with os.scandir(folder) as found:
            return [
                f"{each.name}{os.sep}" if each.is_dir() else each.name
                for each in found
                if each.name.startswith(part) and (part.startswith(".") or not each.name.startswith("."))
            ]
    except OSError:
        return []
