"""Bytes of a pipe as text, in whatever the machine's programs write."""

from __future__ import annotations

import errno
import locale
import sys

import pytest

from alonechat.cli.piped import is_closed, text_of


@pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: Windows has its own word for what the console writes")
def test_what_is_no_utf8_is_what_the_machine_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding in ("utf-8", "gb18030"):
        monkeypatch.setattr(locale, "getencoding", lambda encoding=encoding: encoding)
        assert text_of("上海 你好".encode()) == "上海 你好"
        assert text_of(b"\xff\xff") == "\ufffd\ufffd"
    assert text_of("上海 你好".encode("gb18030")) == "上海 你好"


def test_a_pipe_that_nobody_reads_is_told_from_other_faults() -> None:
    assert is_closed(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert not is_closed(OSError(errno.EINVAL, "Invalid argument", "a file"))
    assert not is_closed(ValueError())
    assert is_closed(OSError(errno.EINVAL, "Invalid argument")) == (sys.platform == "win32")
