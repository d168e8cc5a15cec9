"""How a library is imported without what it brings along and we never use: a server's start is mostly imports."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any


class _Absent:
    """A finder that tells one thread that some packages are not installed."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names, self._thread = frozenset(names), threading.get_ident()

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{name} is left out here", name=name)
        return None


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Within, this thread's imports do as if the packages `names` were not installed, unless they are loaded already.
    For what a library takes when it is there and does without when it isn't."""
    finder = _Absent(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def bare(name: str) -> ModuleType:
    """The package `name`, whose modules can be imported from now on without its own file, which imports them all. That
    file runs when somebody asks the package for a name that is none of its modules. A package that is loaded stays."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{name} is not installed", name=name)
    package, loader = module_from_spec(spec), spec.loader

    def whole(asked: str) -> Any:
        if not asked.startswith("__") and find_spec(f"{name}.{asked}") is not None:
            return import_module(f"{name}.{asked}")
        if package.__dict__.pop("__getattr__", None) is not None:
            loader.exec_module(package)
        return getattr(package, asked)

    package.__dict__["__getattr__"] = whole
    sys.modules[name] = package
    return package
