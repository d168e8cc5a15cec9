#!/usr/bin/env python3
"""Writes the store's statements as SQL: `update` after `statements.py` changed, `check` finds what was not updated."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sqlalchemy.dialects.sqlite import dialect  # noqa: E402

from alonechat.core.store.statements import STATEMENTS  # noqa: E402

TARGET = ROOT / "alonechat" / "core" / "store" / "sql.py"
HEAD = '''\
"""The statements in SQLite's words: `tools/statements.py update` writes them from `statements.py`; edit that."""

# fmt: off
'''
WIDTH = 116


def written() -> str:
    """What `sql.py` has to hold."""
    return HEAD + "".join(f"\n{name} = (\n{_lines(_sql(each))})\n" for name, each in STATEMENTS.items())


def _sql(statement: Any) -> str:
    """One statement, its constants written out."""
    compiled = statement.compile(dialect=dialect(paramstyle="named"))
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    text = " ".join(str(compiled).split())
    return re.sub(r":(\w+)", lambda found: _literal(constants[found[1]]) if found[1] in constants else found[0], text)


def _literal(value: int | str) -> str:
    return str(int(value)) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _lines(text: str) -> str:
    """`text` as string literals that stand below each other."""
    lines = [""]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) > WIDTH - 7:
            lines.append("")
        lines[-1] += word + " "
    lines[-1] = lines[-1].rstrip()
    return "".join(f"    {_quoted(line)}\n" for line in lines)


def _quoted(line: str) -> str:
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main(arguments: list[str] | None = None) -> int:
    """Write, or compare: 1 when `sql.py` is not what it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["update", "check"])
    given = parser.parse_args(arguments)
    text = written()
    if given.what == "update":
        TARGET.write_text(text, "utf-8")
        return 0
    if TARGET.read_text("utf-8") == text:
        return 0
    print(f"{TARGET.relative_to(ROOT)} is not what statements.py says: python tools/statements.py update")
    return 1


if __name__ == "__main__":
    sys.exit(main())
