"""`plugin`: list, new, check, enable, disable."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from alonechat.testing import serving
from tests.cli.shell import Inside, Shell
from tests.house.tree import ROOT


def rows(said: str) -> dict[str, list[str]]:
    return {line.split("\t")[0]: line.split("\t")[1:] for line in said.splitlines()}


def test_a_new_plugin_checks_out_and_its_test_passes(shell: Shell) -> None:
    said = shell.ok("plugin", "new", "greeter").splitlines()
    plugin, test = shell.cwd / "data" / "plugins" / "greeter.py", shell.cwd / "data" / "plugins" / "test_greeter.py"
    assert said == [str(plugin), str(test)]
    assert shell.ok("plugin", "check", str(plugin)) == "greeter 1.0.0: /greeter <text>: says it back (a command)\n"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        cwd=shell.cwd, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout
    assert "stands already" in shell.fails("plugin", "new", "greeter", code=2)
    assert "a plugin's name has 1 to 31" in shell.fails("plugin", "new", "Not This", code=2)


def test_the_test_of_a_plugin_is_run_by_the_file_itself(
    shell: Shell, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.ok("plugin", "new", "tea-time")
    plugin = shell.cwd / "data" / "plugins" / "tea-time.py"
    assert "1 passed" in shell.ok("plugin", "test", str(plugin))
    plugin.write_text(plugin.read_text().replace("says {sender}", "said {sender}"))
    failed = shell.run("plugin", "test", str(plugin.with_name("test_tea_time.py")))
    assert failed.code == 1 and "1 failed" in failed.out and "hello, said ana" in failed.out
    assert "there is no test" in shell.fails("plugin", "test", "absent.py", code=2)
    (inside.cwd / "test_one.py").write_text("")
    monkeypatch.setitem(sys.modules, "pytest", None)
    assert "-m pip install pytest" in inside.fails("plugin", "test", "test_one.py", code=2)


def test_check_says_what_is_wrong_and_where(shell: Shell) -> None:
    (shell.cwd / "broken.py").write_text("import os\n\nos.nothing()\n")
    said = shell.fails("plugin", "check", "broken.py", code=1)
    assert "AttributeError" in said and "(broken.py:3)" in said and "Traceback" not in said
    assert "is no plugin" in shell.fails("plugin", "check", "absent.py", code=1)


def test_list_and_switching(shell: Shell) -> None:
    found = rows(shell.ok("plugin", "list"))
    assert found["dice"][:2] == ["1.0.0", "new"]
    assert shell.ok("plugin", "disable", "dice") == "dice is off\n"
    assert rows(shell.ok("plugin", "list"))["dice"][1] == "off"
    assert shell.ok("plugin", "enable", "dice") == "dice is on\n"
    assert rows(shell.ok("plugin", "list"))["dice"][1] == "new"
    assert "there is no plugin nothing" in shell.fails("plugin", "disable", "nothing", code=1)


def test_what_can_not_be_written_or_read_is_said_in_a_sentence(inside: Inside) -> None:
    data = inside.cwd / "data"
    data.write_text("a file")
    assert "can't be made" in inside.fails("plugin", "disable", "dice", code=2)
    assert "can't be written" in inside.fails("plugin", "new", "mine", code=2)
    data.unlink()
    data.mkdir()
    (data / "plugins.db").write_bytes(b"no database at all" * 100)
    for command in (("plugin", "list"), ("plugin", "disable", "dice"), ("audit",)):
        said = inside.fails(*command, code=2)
        assert "plugins.db, which is the plugins', can't be used" in said and "move it away" in said
    ended = inside.run("server", "-p", "0", "--api-port", "0", "--host", "127.0.0.1")
    assert (ended.code, ended.out) == (2, "") and "move it away" in ended.err and "Traceback" not in ended.err


def test_audit_prints_what_moderators_did(shell: Shell) -> None:
    assert shell.ok("audit") == ""
    with serving(shell.cwd) as server:
        boss, ana = server.person("boss", "owner"), server.person("ana")
        boss.asks(type="TEXT", content="/slow 5")
        assert boss.asks(type="TEXT", content="/slow 5s")["code"] == "bad_frame"
        assert boss.asks(type="TEXT", content="/kick ana", target="#lobby")["type"] == "ERROR"
        ana.asks(type="TEXT", content="/who")
        boss.asks(type="TEXT", content="/slow off")
    found = [line.split("\t")[1:] for line in shell.ok("audit").splitlines()]
    assert found == [["boss", "#lobby", "/slow 5"], ["boss", "#lobby", "/slow off"]], "and nothing that was refused"
