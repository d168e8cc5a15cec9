"""How the unpacked packages are imported: what is compiled is kept, and what was kept badly is made again."""

import os
import sys
from collections.abc import Callable
from importlib import machinery, util
from types import CodeType

_told = sys.dont_write_bytecode
Finder = Callable[[str], machinery.FileFinder]


class Kept(machinery.SourceFileLoader):
    """Keeps bytecode where Python's own loader does not, and does not trip over what it would.

    Many container images tell Python to write none (PYTHONDONTWRITEBYTECODE): their sources are part of the image. Here
    they lie in a cache of our own, and without their bytecode each start compiles six hundred files, which takes twice
    the time. And where the disk was full when it was written, Python keeps half a file, which ends every start from
    then on: here it is compiled again. (While one thread is here, what another one imports from elsewhere may be
    written as well.)"""

    def get_code(self, fullname: str) -> CodeType | None:
        sys.dont_write_bytecode = False
        try:
            return super().get_code(fullname)
        except (EOFError, ImportError, TypeError, ValueError):  # as the reader of bytecode says it
            return self._anew(fullname)
        finally:
            sys.dont_write_bytecode = _told

    def _anew(self, fullname: str) -> CodeType | None:
        try:
            os.unlink(util.cache_from_source(self.path))
        except OSError:  # a cache that is read-only: it is compiled at each start
            return self.source_to_code(self.get_data(self.path), self.path)
        return super().get_code(fullname)


def keep(site: str) -> None:
    """Import what lies in the directory `site` so."""
    extensions = (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES)
    sys.path_hooks.insert(0, _below(site, extensions, (Kept, machinery.SOURCE_SUFFIXES)))


def without_compiled(package: str) -> None:
    """Of the directory `package` the sources are taken, and not the compiled modules that lie beside them."""
    sys.path_hooks.insert(0, _below(package, (Kept, machinery.SOURCE_SUFFIXES)))


def _below(root: str, *loaders: tuple[type, list[str]]) -> Finder:
    def find(path: str) -> machinery.FileFinder:
        if path != root and not path.startswith(root + os.sep):
            raise ImportError
        return machinery.FileFinder(path, *loaders)

    return find
