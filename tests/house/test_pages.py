"""Pages, words and tables that must agree with the tree."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.tree import LEFT_OUT, ROOT, files
from tools.bundle import system

FORBIDDEN = tuple(
    "".join(pieces)
    for pieces in (
        ("pypi", ".org"),
        ("python", "hosted"),
        ("test.", "pypi"),
        ("conda", ".io"),
        ("npm", "js."),
        ("docker", ".io"),
        ("ghcr", ".io"),
        ("crates", ".io"),
        ("jsdelivr", ".net"),
        ("unpkg", ".com"),
        ("cdn", "js."),
        ("/wo", "rk/"),
        ("/tmp", "/n/"),
    )
)
"""Hosts that nothing may be fetched from or name, and places of one developer's machine; in pieces, so that this file
doesn't name them either."""

SUFFIXES = (".py", ".md", ".toml", ".txt", ".html", ".css", ".js", ".svg", ".json", ".yml", ".sh", "")


def text_files() -> list[Path]:
    """Every text file of the tree that a person wrote."""
    written = []
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if any(part in LEFT_OUT or (part.startswith(".") and part != ".ci" and part != path.name) for part in parts):
            continue
        if path.is_file() and path.suffix in SUFFIXES and not parts[0].startswith("logs"):
            written.append(path)
    return written


def test_every_folder_of_the_tree_is_named_in_architecture() -> None:
    page = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    folders = {path.parent.relative_to(ROOT) for path in files("alonechat", "tests", "tools", "docs", suffix="")}
    folders = {folder for path in folders for folder in (path, *path.parents)} - {Path()}
    unnamed = sorted(folder.as_posix() for folder in folders if not re.search(rf"\b{folder.name}/", page))
    assert unnamed == []


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in text_files()
        for word in FORBIDDEN
        if word in path.read_text("utf-8", "replace").lower()
    ]
    assert found == []
    assert ROOT / "build.py" in text_files() and ROOT / ".ci" / "run" in text_files()


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *files("docs", suffix=".md")]:
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        for target in re.findall(r"!?\[[^\]]*\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:|#", target) and not (page.parent / target.partition("#")[0]).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_only_what_a_test_asks_for_is_installed() -> None:
    asked = {
        program
        for path in files("tests")
        for program in re.findall(r"needs_program\(\"([\w.-]+)\"\)", path.read_text("utf-8"))
        if path.name != "conftest.py"
    }
    assert asked == set(system.PROGRAMS)


def test_what_developers_and_ci_run_is_the_same() -> None:
    assert "python3 build.py test" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert "python3 build.py test" in (ROOT / "docs" / "DEVELOPERS.md").read_text("utf-8")
