"""tools/translations.py on a tree of its own, and the catalogues of this one."""

from __future__ import annotations

import gettext
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest

from tools import translations

SOURCE = """from words import _, n_
A = _t("Rooms")
def hello(name, n):
    return _("hello {name}, "
             "how are you").format(name=name) + n_("{n} message", "{n} messages", n) + other("left alone")
"""
FILLED = {"Rooms": "聊天室", "hello {name}, how are you": "你好，{name}"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "alonechat").mkdir()
    (tmp_path / "alonechat" / "face.py").write_text(SOURCE, "utf-8")
    return tmp_path


def run(tree: Path, *arguments: str) -> int:
    return translations.main(["--tree", str(tree), *arguments])


def catalogue(tree: Path) -> Path:
    return tree / "alonechat" / "locale" / "zh_CN" / "LC_MESSAGES" / "alonechat.po"


def translate(tree: Path, before: str, after: str) -> None:
    """Change the catalogue by hand: the line behind `before` becomes `after`."""
    path = catalogue(tree)
    lines = path.read_text("utf-8").split("\n")
    lines[lines.index(before) + 1] = after
    path.write_text("\n".join(lines), "utf-8")


@pytest.fixture
def translated(tree: Path) -> Path:
    run(tree, "update", "zh_CN")
    translate(tree, 'msgid "Rooms"', 'msgstr "聊天室"')
    translate(tree, 'msgid "hello {name}, how are you"', 'msgstr "你好，{name}"')
    translate(tree, 'msgid_plural "{n} messages"', 'msgstr[0] "{n} 条消息"')
    assert run(tree, "compile") == 0
    return tree


def test_marked_texts_are_gathered_from_everywhere(tree: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tree / "alonechat" / "part").mkdir()
    (tree / "alonechat" / "part" / "more.py").write_text('_("Rooms")\n_(variable)\n', "utf-8")
    assert run(tree, "extract") == 0
    found = translations.read_po(BytesIO(capfdbinary.readouterr().out))
    assert [message.id for message in found if message.id] == [
        "Rooms",
        "hello {name}, how are you",
        ("{n} message", "{n} messages"),
    ]
    rooms = found.get("Rooms")
    assert rooms is not None
    assert [place for place, _line in rooms.locations] == ["alonechat/face.py", "alonechat/part/more.py"]


def test_a_catalogue_that_is_complete_has_no_faults(translated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(translated, "check") == 0
    assert capsys.readouterr().out == ""
    with catalogue(translated).with_suffix(".mo").open("rb") as file:
        texts = gettext.GNUTranslations(file)
    assert texts.gettext("Rooms") == "聊天室"
    assert texts.ngettext("{n} message", "{n} messages", 1) == "{n} 条消息"


def test_updating_keeps_translations_and_comments_and_drops_what_is_gone(translated: Path) -> None:
    path = catalogue(translated)
    path.write_text("# Words: room 聊天室\n" + path.read_text("utf-8"), "utf-8")
    run(translated, "update")
    kept = path.read_text("utf-8")
    assert kept.startswith("# Words: room 聊天室\n") and 'msgstr "聊天室"' in kept
    run(translated, "update")
    assert path.read_text("utf-8") == kept  # nothing changed, so nothing changes
    (translated / "alonechat" / "face.py").write_text('_("Rooms")\n_("Room")\n', "utf-8")
    run(translated, "update")
    found = translations.read(path)
    assert {message.id: message.string for message in found if message.id} == {"Rooms": "聊天室", "Room": ""}


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('msgid "Rooms"', 'msgstr ""', "has no translation of 'Rooms' (alonechat/face.py)"),
        ('msgid "hello {name}, how are you"', 'msgstr "你好，{who}"', "has other {places}"),
        ('msgid "hello {name}, how are you"', 'msgstr "你好"', "has other {places}"),
        ('msgid "hello {name}, how are you"', 'msgstr "你好，{name"', "has other {places}"),
        ('msgid_plural "{n} messages"', 'msgstr[0] "消息"', "has other {places}"),
        ("#: alonechat/face.py", '#, fuzzy\nmsgid "Rooms"', "has a fuzzy translation of 'Rooms'"),
    ],
)
def test_what_is_wrong_is_said(
    translated: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, fault: str
) -> None:
    translate(translated, before, after)
    run(translated, "compile")
    assert run(translated, "check") == 1
    said = capsys.readouterr().out
    assert said.startswith("alonechat/locale/zh_CN/LC_MESSAGES/alonechat.po ") and fault in said
    assert len(said.splitlines()) == 1


def test_texts_that_came_or_went_and_a_compiled_file_of_yesterday_are_faults(
    translated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (translated / "alonechat" / "face.py").write_text(SOURCE.replace("Rooms", "People"), "utf-8")
    translate(translated, 'msgid "Rooms"', 'msgstr "房间"')
    assert run(translated, "check") == 1
    said = capsys.readouterr().out
    assert "lacks 'People'" in said and "has 'Rooms'" in said and "alonechat.mo is not what it compiles to" in said


def test_a_catalogue_that_is_none_ends_with_a_sentence(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = catalogue(tree)
    path.parent.mkdir(parents=True)
    path.write_text('msgid "a\nnonsense\n', "utf-8")
    assert run(tree, "compile") == 2
    assert f"translations: {path} can't be read" in capsys.readouterr().err


def test_compiling_twice_gives_the_same_bytes(translated: Path) -> None:
    built = catalogue(translated).with_suffix(".mo")
    before = built.read_bytes()
    run(translated, "update")
    run(translated, "compile")
    assert built.read_bytes() == before


# --- this tree ---


def test_every_text_has_a_translation_whose_places_fit() -> None:
    template = translations.extracted(translations.ROOT)
    assert len(template) > 100
    paths = translations.catalogues(translations.ROOT)
    assert [translations.language_of(path) for path in paths] == ["zh_CN"]
    faults = [fault for path in paths for fault in translations.faults(translations.ROOT, path, template)]
    assert faults == [], "tools/translations.py update, then translate, then compile"


def test_a_package_that_is_built_has_the_compiled_catalogues(tmp_path: Path) -> None:
    script = "import sys, setuptools; setuptools.setup(script_args=sys.argv[1:])"
    base, lib = tmp_path / "base", tmp_path / "lib"
    base.mkdir()
    steps = ["-q", "egg_info", "--egg-base", str(base), "build_py", "--build-lib", str(lib)]
    done = subprocess.run(
        [sys.executable, "-c", script, *steps], cwd=translations.ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    for path in translations.catalogues(translations.ROOT):
        built = path.with_suffix(".mo").relative_to(translations.ROOT)
        assert (lib / built).read_bytes() == (translations.ROOT / built).read_bytes()
