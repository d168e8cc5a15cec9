"""The source tree as the house tests see it: modules, what they import, what they define."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = {".git", ".venv", "build", "dist", "data", "__pycache__", "node_modules"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file: its dotted name (a package's without `__init__`) and its syntax tree."""

    name: str
    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, str(self.path))

    @property
    def lines(self) -> int:
        """How many lines the file has."""
        return self.text.count("\n")

    def place(self, node: ast.AST | None = None) -> str:
        """`path:line`, for a failure's text."""
        return f"{self.path.relative_to(ROOT).as_posix()}:{getattr(node, 'lineno', 1)}"

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node


def files(*tops: str, suffix: str = ".py") -> list[Path]:
    """The files below the folders `tops` whose names end with `suffix`, without what is built or generated."""
    found = (path for top in tops for path in (ROOT / top).rglob(f"*{suffix}"))
    return sorted(path for path in found if path.is_file() and LEFT_OUT.isdisjoint(path.relative_to(ROOT).parts))


def modules(*tops: str) -> list[Module]:
    """The Python files below the folders `tops`."""
    return [Module(_name_of(path), path, path.read_text("utf-8")) for path in files(*tops)]


def _name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: Module, known: frozenset[str]) -> Iterator[tuple[ast.stmt, str]]:
    """Every import statement with the dotted name of what it names, wherever it stands. `from package import name` is
    `package.name` where that is a module of `known`, else `package`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = _package_of(module, node)
            for alias in node.names:
                full = f"{package}.{alias.name}"
                yield node, full if full in known else package


def _package_of(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    up = node.level - (1 if module.path.name == "__init__.py" else 0)
    base = ".".join(parts[: len(parts) - up])
    return f"{base}.{node.module}" if node.module else base
