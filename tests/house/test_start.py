"""A server's start is mostly imports: what it must not load before it listens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT

LATER = (
    "click",
    "cryptography",
    "emoji",
    "http.server",
    "httpx",
    "jwt",
    "markdown_it",
    "pygments",
    "rich",
    "segno",
    "sqlalchemy",
    "wcwidth",
    "wsgiref",
)
"""What only some requests or other commands need, or a library would take along. Each of them costs 10 to 150 ms."""

LISTENS = """
import json, os, signal, sys
from alonechat.cli import serve

def announce(facts):
    print(json.dumps(sorted(sys.modules)))
    os.kill(os.getpid(), signal.SIGTERM)

serve.announce = announce
from alonechat.cli import run
sys.exit(run(["server", "-p", "0", "--api-port", "0", "--env", "production"]))
"""


def test_a_server_listens_without_what_it_needs_later_or_never(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT), "JWT_SECRET": "a secret of the test, 32 bytes and more"}
    done = subprocess.run(
        [sys.executable, "-c", LISTENS], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert {"alonechat.api.serve", "alonechat.core.server.connection"} <= loaded  # it is a whole server that listened
    assert not loaded & set(LATER)
