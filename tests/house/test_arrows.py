"""Imports go down only, and pure files touch nothing of the world."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.tree import ROOT, Module, imports, modules

BASE = ("alonechat.errors", "alonechat.config", "alonechat.core.imports", "alonechat.core.logging")
WIRE = ("alonechat.core.fields", "alonechat.core.message")
RECORDS = ("alonechat.core.store.records",)
STORED = ("alonechat.core.store", "alonechat.core.bus")

ARROWS: dict[str, tuple[str, ...]] = {
    "alonechat.errors": (),
    "alonechat.config": ("alonechat.errors",),
    "alonechat.core.imports": (),
    "alonechat.core.logging": ("alonechat.errors", "alonechat.config", "alonechat.core.imports"),
    "alonechat.core.fields": ("alonechat.errors", "alonechat.config"),
    "alonechat.core.message": ("alonechat.errors", "alonechat.config", "alonechat.core.fields"),
    "alonechat.core.image": (),
    "alonechat.core.store": (*BASE, *WIRE),
    "alonechat.core.bus": (*BASE, *WIRE, *RECORDS),
    "alonechat.core.client": (*BASE, *WIRE),
    # A package's own name stands for its protocols; the drivers inside stay out of reach.
    "alonechat.core.server": (*BASE, *WIRE, *RECORDS, *STORED, "alonechat.core.image"),
    "alonechat.api": (*BASE, *WIRE, *RECORDS, "alonechat.core.image", "alonechat.core.server.*"),
    "alonechat.plugins": (
        *BASE,
        *WIRE,
        "alonechat.core.server.hooks",
        "alonechat.core.server.commands",
        "alonechat.core.server.effects",
    ),
    "alonechat.ui.tui": (*BASE, *WIRE, "alonechat.core.client.*"),
    "alonechat.ui.gui": (*BASE, *WIRE, "alonechat.core.image", "alonechat.core.client.*"),
    "alonechat.cli.talk": (*BASE, *WIRE, "alonechat.cli.*", "alonechat.core.client.*"),
    "alonechat.cli.files": (*BASE, *WIRE, "alonechat.cli.*", "alonechat.core.client.*"),
    "alonechat.cli.otp": (*BASE, *WIRE, "alonechat.cli.*", "alonechat.core.client.*"),
    "alonechat.cli.devices": (*BASE, *WIRE, "alonechat.cli.*", "alonechat.core.client.*"),
    "alonechat.cli.client": (*BASE, *WIRE, "alonechat.cli.*", "alonechat.core.client.*", "alonechat.ui.*"),
    "alonechat.cli.plugin": (*BASE, "alonechat.cli.*", "alonechat.plugins.*"),
    "alonechat.cli": (*BASE, "alonechat.app", "alonechat.admin", "alonechat.upkeep", "alonechat.bench"),
    "alonechat.bench": (*BASE, "alonechat.app", "alonechat.admin"),
    "alonechat.admin": (*BASE, *WIRE, *RECORDS, *STORED, "alonechat.core.server.*"),
    "alonechat.upkeep": (*BASE, *RECORDS, *STORED),
    "alonechat.app": ("alonechat.*",),
    "alonechat.testing": ("alonechat.*",),
    "alonechat.__main__": ("alonechat.cli",),
}
"""What each part may import of ours beside itself: that module, or with `.*` all that is in it. The longest name that
fits a module counts. `app` and `admin` join the parts; only `cli`, `testing` and `bench` know them."""
COMPOSED = ("alonechat.app", "alonechat.admin")
FREE = ("alonechat", "alonechat.core", "alonechat.ui")
"""Packages that hold a docstring and at most a version."""

PURE = (
    "message",
    "image",
    "rooms",
    "effects",
    "limits",
    "state",
    "present",
    "model",
    "writing",
    "rows",
    "listing",
    "fuzzy",
    "markup",
    "complete",
    "moment",
)
WORLD = {"asyncio", "socket", "sqlite3", "random", "secrets", "os", "time", "threading", "subprocess", "uuid"}
CLOCKS = {"now", "utcnow", "today"}

PARTS = modules("alonechat")
KNOWN = frozenset(module.name for module in PARTS)


def part_of(name: str) -> str:
    """The longest key of ARROWS that `name` is or lies in."""
    return max((part for part in ARROWS if name == part or name.startswith(part + ".")), key=len, default="")


def may(module: str, target: str) -> bool:
    """Whether ARROWS lets `module` import `target`."""
    part = part_of(module)
    if target in FREE or target == part or target.startswith(part + "."):
        return True
    if target in COMPOSED and part not in ("alonechat.app", "alonechat.testing", "alonechat.cli", "alonechat.bench"):
        return False
    return any(
        target == allowed or (allowed.endswith(".*") and f"{target}.".startswith(allowed[:-1]))
        for allowed in ARROWS[part]
    )


def pure(modules: list[Module]) -> list[Module]:
    """The files that decide in values."""
    return [module for module in modules if module.name.rpartition(".")[2] in PURE and ".cli." not in module.name]


def test_every_module_has_a_place_in_the_table() -> None:
    assert [module.place() for module in PARTS if module.name not in FREE and not part_of(module.name)] == []


def test_imports_go_down_only() -> None:
    wrong = [
        f"{module.place(node)} imports {target}"
        for module in PARTS
        if module.name not in FREE
        for node, target in imports(module, KNOWN)
        if target.partition(".")[0] == "alonechat" and not may(module.name, target)
    ]
    assert wrong == []


def test_packages_that_only_hold_others_import_nothing() -> None:
    wrong = [
        f"{module.place(node)} imports {target}"
        for module in PARTS
        if module.name in FREE
        for node, target in imports(module, KNOWN)
        if target != "__future__"
    ]
    assert wrong == []


def test_pure_files_touch_nothing_of_the_world() -> None:
    wrong = [
        f"{module.place(node)} imports {target}"
        for module in pure(PARTS)
        for node, target in imports(module, KNOWN)
        if target.partition(".")[0] in WORLD
    ]
    assert wrong == []
    assert {module.name.rpartition(".")[2] for module in pure(PARTS)} == set(PURE)


def test_pure_files_read_no_clock() -> None:
    wrong = [
        module.place(node)
        for module in pure(PARTS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "target", "allowed"),
    [
        ("alonechat.core.server.rooms", "alonechat.core.message", True),
        ("alonechat.core.server.rooms", "alonechat.core.store.sqlite", False),
        ("alonechat.core.server.rooms", "alonechat.plugins", False),
        ("alonechat.core.client.state", "alonechat.core.server", False),
        ("alonechat.ui.tui.screen", "alonechat.ui.gui", False),
        ("alonechat.ui.tui.screen", "alonechat.core.client.session", True),
        ("alonechat.api.app", "alonechat.app", False),
        ("alonechat.cli.serve", "alonechat.app", True),
        ("alonechat.cli.serve", "alonechat.core.server", False),
        ("alonechat.cli.talk", "alonechat.core.client", True),
        ("alonechat.app", "alonechat.api.serve", True),
        ("alonechat.errors", "alonechat.config", False),
    ],
)
def test_the_table_says_what_the_house_says(module: str, target: str, allowed: bool) -> None:
    assert may(module, target) is allowed


def test_an_import_is_found_wherever_it_stands() -> None:
    top = "from .store import records\nfrom . import bus\n"
    text = f"{top}def f():\n    import alonechat.app\n    from alonechat import errors\n"
    module = Module("alonechat.core.x", ROOT / "alonechat/core/x.py", text)
    known = frozenset({"alonechat.core.store.records", "alonechat.core.bus", "alonechat.errors"})
    found = [target for _, target in imports(module, known)]
    assert found == ["alonechat.core.store.records", "alonechat.core.bus", "alonechat.app", "alonechat.errors"]


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "misc", "common", "interfaces", "base"}
    named = [module.place() for module in modules("alonechat", "tools", "tests") if drawers & set(_parts(module.path))]
    assert named == []


def _parts(path: Path) -> tuple[str, ...]:
    return path.relative_to(ROOT).with_suffix("").parts
