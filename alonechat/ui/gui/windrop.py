"""Files dropped on a window of Windows: its messages come by us, and one of them has the names."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

DROPPED, PROCEDURE = 0x0233, -4
"""WM_DROPFILES and GWLP_WNDPROC."""

if sys.platform == "win32":

    class Drops:
        """`drop(paths)` is called by `post`, in Tk's thread, when files were let go over the window. The procedure runs
        within Tk, and calls nothing of it. `takes()` says whether they may be dropped now."""

        def __init__(self, window: int, post: Callable[[Callable[[], None]], None], takes: Callable[[], bool]) -> None:
            self._window, self._post, self._takes = window, post, takes
            self.drop: Callable[[list[Path]], None] = lambda paths: None
            user, shell = ctypes.WinDLL("user32"), ctypes.WinDLL("shell32")
            whole, place = ctypes.c_ssize_t, ctypes.c_void_p
            form = ctypes.WINFUNCTYPE(whole, place, ctypes.c_uint, ctypes.c_size_t, whole)
            self._next = user.CallWindowProcW
            self._next.restype, self._next.argtypes = whole, (place, place, ctypes.c_uint, ctypes.c_size_t, whole)
            self._set = user.SetWindowLongPtrW if ctypes.sizeof(place) == 8 else user.SetWindowLongW
            self._set.restype, self._set.argtypes = place, (place, ctypes.c_int, place)
            self._name_at, self._finish, self._accept = shell.DragQueryFileW, shell.DragFinish, shell.DragAcceptFiles
            self._name_at.argtypes = (place, ctypes.c_uint, ctypes.c_wchar_p, ctypes.c_uint)
            self._finish.argtypes, self._accept.argtypes = (place,), (place, ctypes.c_int)
            self._procedure = form(self._message)  # it must live as long as the window
            self._before = self._set(window, PROCEDURE, ctypes.cast(self._procedure, place))
            self._accept(window, 1)

        def _message(self, window: int, message: int, given: int, more: int) -> int:
            if message != DROPPED:
                return int(self._next(self._before, window, message, given, more))
            paths = self._names(given)
            self._finish(given)
            if self._takes():
                self._post(lambda: self.drop(paths))
            return 0

        def _names(self, files: int) -> list[Path]:
            found = []
            for at in range(self._name_at(files, 0xFFFFFFFF, None, 0)):
                name = ctypes.create_unicode_buffer(self._name_at(files, at, None, 0) + 1)
                self._name_at(files, at, name, len(name))
                found.append(Path(name.value))
            return found

        def close(self) -> None:
            """Take no more."""
            self._accept(self._window, 0)
            self._set(self._window, PROCEDURE, self._before)

    def watch(root: Any, post: Callable[[Callable[[], None]], None], takes: Callable[[], bool]) -> Drops | None:
        """`Drops` for a window that is on the screen."""
        return Drops(int(root.wm_frame(), 16), post, takes)

else:

    def watch(root: Any, post: Callable[[Callable[[], None]], None], takes: Callable[[], bool]) -> None:
        """Elsewhere there is nothing to watch."""
