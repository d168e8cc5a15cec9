"""What the native build compiles is fit for it: see `tools/bundle/hot.py`."""

from __future__ import annotations

import ast

import pytest

from tests.house.tree import ROOT
from tools.bundle.hot import MODULES

PINS = ("compile.txt", "test.txt")


@pytest.mark.parametrize("name", MODULES)
def test_a_hot_module_waits_for_nothing_and_names_nothing_that_c_has(name: str) -> None:
    tree = ast.parse((ROOT / f"{name.replace('.', '/')}.py").read_text("utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef | ast.Await)]
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "_thread"]


def test_what_compiles_is_what_checks_the_types() -> None:
    """One mypy judges the tree and translates it: else a build could fail on what the checks let pass."""
    pins = [set((ROOT / "requirements" / name).read_text("utf-8").splitlines()[1:]) for name in PINS]
    assert {pin for pin in pins[0] if not pin.startswith("typing-extensions")} <= pins[1]
