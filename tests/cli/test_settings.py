"""`config` and `secret new`: what holds, where it came from, and what is never shown."""

from __future__ import annotations

import json
import sys

import pytest

from alonechat.config import ROWS
from tests.cli.shell import Inside, Shell


def test_config_prints_each_value_and_where_it_came_from(shell: Shell) -> None:
    (shell.cwd / "alonechat.toml").write_text("log_keep = 9\n")
    said = shell.ok("config", "--port", "1", ALONECHAT_API_PORT="2")
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in said.splitlines()}
    assert list(rows) == [row.name for row in ROWS]
    assert rows["port"] == ["1", "flag --port"]
    assert rows["api_port"] == ["2", "ALONECHAT_API_PORT"]
    assert rows["log_keep"] == ["9", str(shell.cwd / "alonechat.toml")]
    assert rows["host"] == ["0.0.0.0", "default"]


def test_config_prints_json_for_programs(inside: Inside) -> None:
    found = json.loads(inside.ok("config", "--no-plugins", "--json"))
    assert found["plugins"] == {"value": "false", "from": "flag --no-plugins"}
    assert json.loads(inside.ok("config", ALONECHAT_JSON="1")).keys() == found.keys()


def test_config_masks_secrets(inside: Inside) -> None:
    url = "postgresql://chat:hunter22@db.lan/chat"
    said = inside.ok("config", JWT_SECRET="x" * 40, ALONECHAT_DATABASE_URL=url)
    assert "x" * 5 not in said
    assert "hunter22" not in said
    assert "jwt_secret\t***\tJWT_SECRET\n" in said


@pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: no pseudo-terminals")
def test_config_is_a_table_on_a_terminal(shell: Shell) -> None:
    code, shown = shell.on_terminal("config")
    assert code == 0
    assert "setting" in shown
    assert "\t" not in shown


def test_a_wrong_variable_is_named_where_it_stood(inside: Inside) -> None:
    assert inside.fails("config", code=2, ALONECHAT_PORT="web").startswith("ALONECHAT_PORT must be an integer")
    assert "did you mean ALONECHAT_PORT?" in inside.fails("config", code=2, ALONECHAT_PRT="1")
    (inside.cwd / "alonechat.toml").write_text("prot = 9\n")
    assert "the key 'prot' is unknown; did you mean port?" in inside.fails("config", code=2)


def test_production_with_a_short_secret_says_how_to_make_a_good_one(inside: Inside) -> None:
    said = inside.fails("server", "--env", "production", code=2, JWT_SECRET="short")
    assert said == "JWT_SECRET has 5 bytes; production needs 32 or more: alonechat secret new"
    secret = inside.ok("secret", "new").strip()
    assert len(secret.encode()) >= 32
    assert "production" in inside.ok("config", "--env", "production", JWT_SECRET=secret)
    assert inside.ok("secret", "new").strip() != secret
