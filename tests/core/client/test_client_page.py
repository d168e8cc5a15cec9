"""docs/CLIENT.md: its code runs, its keys file is one, and the places that it names are where things are kept."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.client import Account, Accounts
from alonechat.core.client.accounts import directory as configuration
from alonechat.core.client.actions import changed, keymap
from alonechat.core.client.cache import directory as data
from alonechat.core.client.cache import path_of
from alonechat.testing import serving

PAGE = (Path(__file__).parents[3] / "docs" / "CLIENT.md").read_text("utf-8")


def block(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def test_the_code_of_the_page_opens_the_lobby(private_home: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        server.person("bo").says("hello")
        server.register("ana")
        server_id = server.manager.store.server_id
        Accounts().save(Account(server.url, "ana", server.token("ana"), server.ws_url, "", server_id))
        names: dict[str, Any] = {}
        first, loop = block("python").split("for change in")
        exec(first, names)
        try:
            for _ in range(200):
                exec("for change in" + loop, names)
                window = names["model"].windows.get("#lobby")
                if window is not None and [m["content"] for m in window.messages] == ["hello"]:
                    break
                names["runner"]._thread.join(0.05)
            else:
                pytest.fail(f"no message came: {names['model']}")
        finally:
            names["runner"].close()
        assert path_of(data(), server_id, "ana").exists()


def test_the_keys_file_of_the_page_is_one(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(block("toml"))
    keys = keymap("tui", changed(path))
    assert keys["ctrl+g"] == ["go_to"]
    assert not [key for key, names in keys.items() if "away" in names]
    assert tomllib.loads(block("toml")).keys() == {"go_to", "away"}


@pytest.mark.skipif(sys.platform != "linux", reason="the page names Linux's places")
def test_the_places_of_the_page(private_home: Path) -> None:
    assert f"`~/{configuration().relative_to(private_home)}/accounts.json`" in PAGE
    assert f"`~/{data().relative_to(private_home)}/<server's id>/<name>.db`" in PAGE
