"""Libraries without what they bring along: for one thread, for a while, and whole again afterwards."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from alonechat.core.imports import bare, without

NAMES = ("heavyparts", "lightparts")


@pytest.fixture(autouse=True)
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`heavyparts`, whose own file imports all of it, and `lightparts`, which takes `heavyparts` where it is there."""
    heavy = tmp_path / "heavyparts"
    heavy.mkdir()
    (heavy / "__init__.py").write_text("from heavyparts import dear\nfrom heavyparts.cheap import value\n")
    (heavy / "dear.py").write_text("")
    (heavy / "cheap.py").write_text("value = 7\n")
    (tmp_path / "lightparts.py").write_text("try:\n    import heavyparts\nexcept ImportError:\n    heavyparts = None\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [each for each in sys.modules if each.partition(".")[0] in NAMES]:
        del sys.modules[name]


def test_a_part_is_loaded_alone_and_the_package_is_whole_for_whoever_imports_it_later() -> None:
    package = bare("heavyparts")
    part = importlib.import_module("heavyparts.cheap")
    assert part.value == 7 and "heavyparts.dear" not in sys.modules
    whole = importlib.import_module("heavyparts")
    assert whole is package and whole.value == 7 and whole.cheap is part and "heavyparts.dear" in sys.modules


def test_a_package_that_is_loaded_stays_as_it_is() -> None:
    whole = importlib.import_module("heavyparts")
    assert bare("heavyparts") is whole
    assert sys.modules["heavyparts"] is whole


def test_a_library_does_without_what_is_left_out() -> None:
    with without("heavyparts"):
        assert importlib.import_module("lightparts").heavyparts is None
    assert importlib.import_module("heavyparts").value == 7


def test_other_threads_import_as_ever() -> None:
    found: list[int] = []
    with without("heavyparts"):
        other = threading.Thread(target=lambda: found.append(importlib.import_module("heavyparts").value))
        other.start()
        other.join()
    assert found == [7]
