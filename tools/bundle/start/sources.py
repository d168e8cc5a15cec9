"""How the unpacked packages are imported where the usual way does not do: ways for `sys.path_hooks`."""

import os
import sys
from collections.abc import Callable
from importlib import machinery

Finder = Callable[[str], machinery.FileFinder]


class Kept(machinery.SourceFileLoader):
    """Writes the bytecode of what it compiles, though the interpreter was told to write none. Many container images
    tell it so, for the sources there are part of the image. Here they lie in a cache of our own, and without their
    bytecode each start compiles six hundred files: it takes twice the time and the processor."""

    def get_code(self, fullname: str) -> object:
        sys.dont_write_bytecode = False
        try:
            return super().get_code(fullname)
        finally:
            sys.dont_write_bytecode = True  # as it was: this loader is for no other case


def keep_bytecode(site: str) -> None:
    """For an interpreter that writes no bytecode: what it imports from the directory `site` is compiled once."""
    extensions = (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES)
    sys.path_hooks.insert(0, _below(site, extensions, (Kept, machinery.SOURCE_SUFFIXES)))


def without_compiled(package: str) -> None:
    """Of the directory `package` the sources are taken, and not the compiled modules that lie beside them."""
    loader = Kept if sys.dont_write_bytecode else machinery.SourceFileLoader
    sys.path_hooks.insert(0, _below(package, (loader, machinery.SOURCE_SUFFIXES)))


def _below(root: str, *loaders: tuple[type, list[str]]) -> Finder:
    def find(path: str) -> machinery.FileFinder:
        if path != root and not path.startswith(root + os.sep):
            raise ImportError
        return machinery.FileFinder(path, *loaders)

    return find
