"""The language that is chosen, and what is shown in it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat.core.client import words
from alonechat.core.client.words import _, choose, language, n_
from alonechat.errors import ConfigError

NAMES = ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE")


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variable of whoever runs this says a language; English again afterwards."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    yield
    choose("en")


def test_english_is_what_is_written() -> None:
    assert choose("en") == language() == "en"
    assert _("Yesterday") == "Yesterday"
    assert [n_("{n} other", "{n} others", n) for n in (0, 1, 2)] == ["0 others", "1 other", "2 others"]


def test_chinese_has_texts_and_one_form_for_every_number() -> None:
    assert choose("zh") == language() == "zh"
    assert _("Yesterday") == "昨天"
    assert [n_("{n} other", "{n} others", n) for n in (0, 1, 2)] == ["另外 0 人", "另外 1 人", "另外 2 人"]
    assert _("a text that nobody wrote") == "a text that nobody wrote"
    assert _("") == ""  # gettext itself would give the head of the catalogue


@pytest.mark.parametrize("name", ["zh", "zh_CN", "zh-CN", "zh_CN.UTF-8", "ZH", "zh_Hans", "Chinese (Simplified)_China"])
def test_a_language_by_any_name_of_it(name: str) -> None:
    assert choose(name) == "zh"


@pytest.mark.parametrize("name", ["C", "POSIX", "C.UTF-8", "en_GB.UTF-8", "English_United States.1252"])
def test_english_by_any_name_of_it(name: str) -> None:
    assert choose(name) == "en"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LC_ALL": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8", "LANG": "zh_CN"}, "en"),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANGUAGE": "zh_CN:en", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LANGUAGE": "en:zh", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANGUAGE": "fr:zh_CN", "LANG": "fr_FR.UTF-8"}, "zh"),
        ({"LANGUAGE": "", "LANG": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANGUAGE": "zh_CN", "LC_ALL": "C"}, "en"),
    ],
)
def test_the_system_says_the_language(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], wanted: str) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert choose(None) == choose("") == wanted


def test_what_is_asked_for_goes_before_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert choose("en") == "en"
    assert _("Yesterday") == "Yesterday"


@pytest.mark.parametrize("name", ["xx", "fr", "english!", " "])
def test_a_language_that_there_is_none_of_is_said_and_changes_nothing(name: str) -> None:
    choose("zh")
    with pytest.raises(ConfigError, match="--lang takes en, zh, not"):
        choose(name)
    assert (language(), _("Today")) == ("zh", "今天")


def test_every_language_has_its_catalogue() -> None:
    for name in words.LANGUAGES:
        assert choose(name) == name
        assert _("Today") and (name == "en" or _("Today") != "Today")


@pytest.mark.parametrize(("lang", "asks"), [("zh", "服务器"), ("en", "Server")])
def test_the_built_file_holds_the_texts_as_they_are_read(pyz: Path, private_home: Path, lang: str, asks: str) -> None:
    command = [sys.executable, str(pyz), "client", "--ui", "line", "--lang", lang]
    env = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=60, env=env)
    assert done.stdout.startswith(asks), done.stderr
    with zipfile.ZipFile(pyz) as packed:
        held = [name for name in packed.namelist() if "alonechat/locale/" in name and not name.endswith("/")]
        emoji = {Path(name).name for name in packed.namelist() if "/emoji/" in name and name.endswith(".json")}
    assert held == ["site-packages/alonechat/locale/zh_CN/LC_MESSAGES/alonechat.mo"]
    assert emoji == {"emoji.json", *(f"emoji_{name}.json" for name in words.LANGUAGES if name != "en")}


def test_help_of_the_command_line_is_in_english(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "alonechat", "client", "--help"]
    said = [
        subprocess.run(command, cwd=root, env={"LANG": lang, "COLUMNS": "100"}, capture_output=True, timeout=60).stdout
        for lang in ("C.UTF-8", "zh_CN.UTF-8")
    ]
    assert said[0] == said[1] and b"--lang" in said[0]


def test_texts_within_other_strings_are_in_the_catalogue() -> None:
    """Whoever gathers the texts does not see those in an f-string, on Python 3.11: each must stand elsewhere, too."""
    choose("zh")
    unseen = {
        text.value
        for path in Path(words.__file__).parents[2].rglob("*.py")
        for outer in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(outer, ast.JoinedStr)
        for call in ast.walk(outer)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "_"
        for text in call.args
        if isinstance(text, ast.Constant)
    }
    assert "try again" in unseen
    assert {text for text in unseen if _(text) == text} == set()
