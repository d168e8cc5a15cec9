"""How a person likes the client: read, kept, and mended where a file says nonsense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alonechat.core.client.preferences import Preferences, load, save
from alonechat.errors import AloneChatError, ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alonechat" / "preferences.json"


def written(path: Path, **values: Any) -> Preferences:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(values), "utf-8")
    return load(path)


def test_without_a_file_there_are_the_defaults(path: Path) -> None:
    assert load(path) == Preferences()
    assert not path.exists()


def test_what_is_kept_comes_back(path: Path) -> None:
    liked = Preferences(
        theme="dark", accent="#2360D8", font_size=18, language="zh", notify="all", sound=False, enter_sends=False,
        members_shown=False, sidebar_width=300, windows={"gui": "1100x700+10+10"}, last={"alice@host": "#李"},
    )  # fmt: skip
    save(path, liked)
    assert load(path) == liked
    assert "#李" in path.read_text("utf-8")  # a person may read it
    assert [each.name for each in path.parent.iterdir()] == ["preferences.json"]


def test_a_file_of_another_version_keeps_what_is_known(path: Path) -> None:
    assert written(path, theme="dark", colour_of_the_moon="#FFFFFF") == Preferences(theme="dark")


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("font_size", 4, 10),
        ("font_size", 400, 24),
        ("font_size", "14", 14),
        ("font_size", True, 14),
        ("font_size", None, 14),
        ("theme", "sepia", "system"),
        ("notify", "never", "mentions"),
        ("sound", 1, True),
        ("sound", False, False),
        ("language", "fr", ""),
        ("language", "zh", "zh"),
        ("accent", "red", ""),
        ("accent", "#12345", ""),
        ("accent", "#12AbFF", "#12AbFF"),
        ("sidebar_width", 1, 200),
        ("sidebar_width", 10**9, 420),
        ("windows", {"gui": "1x1", "tui": 7}, {"gui": "1x1"}),
        ("last", ["#lobby"], {}),
        ("last", {"a": None}, {}),
    ],
)
def test_what_can_not_be_counts_as_not_set(path: Path, name: str, value: Any, wanted: Any) -> None:
    found = getattr(written(path, **{name: value}), name)
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize("content", ["[1]", "7", '"text"', "{", "", "\ufeff\u0000"])
def test_a_file_that_is_something_else_is_said(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content, "utf-8")
    with pytest.raises(ConfigError, match="preferences"):
        load(path)


@pytest.mark.parametrize("content", [b"\xff\xfe{}", b'{"theme": "\xe9"}'])
def test_a_file_in_another_encoding_is_said(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="can't read the preferences in"):
        load(path)


def test_a_place_that_can_not_be_written_is_said_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AloneChatError, match="can't keep the preferences in"):
        save(tmp_path / "file" / "preferences.json", Preferences())
    (tmp_path / "preferences.json").mkdir()
    with pytest.raises(AloneChatError, match="can't keep the preferences in"):
        save(tmp_path / "preferences.json", Preferences())
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "preferences.json"]
