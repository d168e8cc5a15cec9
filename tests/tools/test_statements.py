"""The store's SQL is what its statements in SQLAlchemy Core say."""

from __future__ import annotations

from pathlib import Path

import pytest

from alonechat.core.store import sql
from alonechat.core.store.statements import STATEMENTS
from tools import statements


def test_the_sql_is_what_the_statements_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert statements.main(["check"]) == 0, capsys.readouterr().out
    assert {name for name in vars(sql) if name.isupper()} == STATEMENTS.keys()


def test_a_change_is_found_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "sql.py"
    stale.write_text(statements.TARGET.read_text("utf-8").replace("SELECT", "select", 1), "utf-8")
    monkeypatch.setattr(statements, "ROOT", tmp_path)
    monkeypatch.setattr(statements, "TARGET", stale)
    assert statements.main(["check"]) == 1
    assert "python tools/statements.py update" in capsys.readouterr().out
    assert statements.main(["update"]) == 0 and statements.main(["check"]) == 0


def test_constants_are_written_out_and_what_is_given_is_named() -> None:
    assert sql.SESSIONS_OF.endswith("> :now AND accounts.username = :username ORDER BY sessions.created, sessions.id")
    assert "conversations.kind = 'room'" in sql.ROOMS
    assert ":param" not in "".join(vars(sql)[name] for name in STATEMENTS)
