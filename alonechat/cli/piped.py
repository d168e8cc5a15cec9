"""Text that comes over a pipe, and the end of one."""

from __future__ import annotations

import errno
import sys


def text_of(data: bytes) -> str:
    """UTF-8, or else what the programs of this machine's console write: on Windows most know no UTF-8. What is neither
    becomes replacement characters."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        import locale

        return data.decode("oem" if sys.platform == "win32" else locale.getencoding(), "replace")


def is_closed(error: BaseException) -> bool:
    """Whether nobody reads any more, which Windows calls an invalid argument of the write."""
    if sys.platform == "win32" and isinstance(error, OSError):
        return error.errno in (errno.EPIPE, errno.EINVAL) and error.filename is None
    return isinstance(error, BrokenPipeError)
