"""tools/update_version.py on a tree of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import update_version

CHANGES = "# Changes\n\n## 2.0.0 (unreleased)\n- First.\n\n## 1.0.0 (2025-01-01)\n- Old.\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "alonechat").mkdir()
    (tmp_path / "alonechat" / "__init__.py").write_text('"""Doc."""\n\n__version__ = "2.0.0"\n', "utf-8")
    (tmp_path / "CHANGELOG.md").write_text(CHANGES, "utf-8")
    return tmp_path


def run(tree: Path, *arguments: str) -> int:
    return update_version.main(["--tree", str(tree), *arguments])


@pytest.mark.parametrize(
    ("version", "part", "after"),
    [
        ("2.1.3", "major", "3.0.0"),
        ("2.1.3", "minor", "2.2.0"),
        ("2.1.3", "patch", "2.1.4"),
        ("2.1.3", "build", "2.1.3.1"),
        ("2.1.3.9", "build", "2.1.3.10"),
        ("2.1.3.9", "patch", "2.1.4"),
        ("2.1.3.9", "major", "3.0.0"),
    ],
)
def test_raising_a_part_begins_the_later_ones_anew(tree: Path, version: str, part: str, after: str) -> None:
    assert run(tree, "set", version) == 0
    assert run(tree, "bump", part) == 0
    assert update_version.read(tree) == after


def test_show_prints_the_version(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tree, "show") == 0
    assert capsys.readouterr().out == "2.0.0\n"


def test_an_unreleased_heading_takes_the_new_version(tree: Path) -> None:
    run(tree, "set", "2.1.0.4")
    changes = (tree / "CHANGELOG.md").read_text("utf-8")
    assert changes == CHANGES.replace("## 2.0.0 (unreleased)", "## 2.1.0.4 (unreleased)")
    assert (tree / "alonechat" / "__init__.py").read_text("utf-8") == '"""Doc."""\n\n__version__ = "2.1.0.4"\n'


def test_above_a_release_a_new_heading_is_made(tree: Path) -> None:
    released = CHANGES.replace("(unreleased)", "(2026-11-23)")
    (tree / "CHANGELOG.md").write_text(released, "utf-8")
    run(tree, "bump", "patch")
    changes = (tree / "CHANGELOG.md").read_text("utf-8")
    assert changes == released.replace("## 2.0.0", "## 2.0.1 (unreleased)\n\n## 2.0.0")


@pytest.mark.parametrize("wrong", ["2.0", "1.2.3.4.5", "2.0.0-beta", "02.0.0", "v2.0.0", "2.0.x"])
def test_what_is_no_version_changes_nothing(tree: Path, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tree, "set", wrong) == 2
    assert repr(wrong) in capsys.readouterr().err
    assert (update_version.read(tree), (tree / "CHANGELOG.md").read_text("utf-8")) == ("2.0.0", CHANGES)


def test_a_changelog_without_a_heading_changes_nothing(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "CHANGELOG.md").write_text("# Changes\n", "utf-8")
    assert run(tree, "bump", "major") == 2
    assert "needs a heading" in capsys.readouterr().err
    assert update_version.read(tree) == "2.0.0"


def test_the_trees_own_version_and_changelog_agree() -> None:
    version = update_version.read(update_version.ROOT)
    newest = update_version.HEADING.search((update_version.ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert newest is not None and newest[1] == version
