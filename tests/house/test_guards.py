"""What tests/conftest.py promises: a test that hangs is ended, CI forgives no skip, no setting of ours gets in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUICK = "from tests import conftest\nconftest.TEST_SECONDS = 1\n"


def outcome(place: Path, text: str, **env: str) -> tuple[str, str]:
    """Runs one test file under this tree's conftest with a limit of a second; its last line and all that it printed."""
    (place / "quick.py").write_text(QUICK, "utf-8")
    (place / "test_it.py").write_text(f"import os, threading, asyncio, time, pytest\n\n{text}", "utf-8")
    paths = os.pathsep.join([str(ROOT), str(place)])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "quick", "--rootdir", str(place)]
    given = {**os.environ, "CI": "", **env, "PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, "test_it.py"], cwd=place, env=given, capture_output=True, text=True, timeout=60, check=False
    )
    said = done.stdout + done.stderr
    return re.sub(r" in [\d.]+s.*", "", done.stdout.strip().splitlines()[-1]), said


@pytest.mark.skipif(sys.platform == "win32", reason="elsewhere: an alarm")
@pytest.mark.parametrize(
    "hangs",
    ["threading.Event().wait()", "asyncio.run(asyncio.sleep(600))", "time.sleep(600)"],
)
def test_what_hangs_is_ended_and_the_next_test_runs(tmp_path: Path, hangs: str) -> None:
    last, said = outcome(tmp_path, f"def test_hangs():\n    {hangs}\n\ndef test_next():\n    pass\n")
    assert last == "1 failed, 1 passed"
    assert "took more than 1 s and was ended" in said and "test_it.py" in said


@pytest.mark.parametrize(
    ("ci", "reason", "expected"),
    [
        ("", "a part is missing", "1 skipped"),
        ("true", "a part is missing", "1 failed"),
        ("true", "elsewhere: another system", "1 skipped"),
    ],
)
def test_with_ci_a_skip_for_a_missing_part_has_failed(tmp_path: Path, ci: str, reason: str, expected: str) -> None:
    last, said = outcome(tmp_path, f"def test_skips():\n    pytest.skip({reason!r})\n", CI=ci)
    assert last == expected, said


def test_no_setting_of_whoever_runs_them_reaches_the_tests(tmp_path: Path) -> None:
    text = (
        "def test_clean():\n"
        "    assert {name for name in os.environ if name.startswith('ALONECHAT')} == {'ALONECHAT_CACHE'}\n"
        "    assert 'JWT_SECRET' not in os.environ and '/somewhere' not in os.environ['XDG_CONFIG_HOME']\n"
    )
    last, said = outcome(tmp_path, text, ALONECHAT_PORT="1", JWT_SECRET="x", XDG_CONFIG_HOME="/somewhere")
    assert last == "1 passed", said
