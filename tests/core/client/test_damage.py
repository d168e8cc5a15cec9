"""A cache whose messages can't be read any more: the chat goes on, and says so."""

from __future__ import annotations

from pathlib import Path

from alonechat.core.client.cache import path_of
from alonechat.testing import serving
from tests.core.client.face import Face, account

PAGE = 4096


def test_a_damaged_log_is_asked_for_again(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        bo = server.person("bo")
        for n in range(120):
            bo.send(type="TEXT", content=f"what was said {n}")
        bo.send(type="TEXT", content="the last")
        bo.send(type="HEARTBEAT")
        bo.hears("HEARTBEAT")
        home = tmp_path / "home"
        ana = Face(account(server, "ana"), home).start().connected().open()
        ana.back()
        ana.close()
        path = path_of(home, ana.runner.account.server, "ana")
        whole = path.read_bytes()
        pages = [whole[at : at + PAGE] for at in range(0, len(whole), PAGE)]
        assert sum(b"what was said" in page for page in pages) > 5
        path.write_bytes(b"".join(b"\xa5" * PAGE if b"what was said" in page else page for page in pages))

        again = Face(ana.runner.account, home).start().connected().open()
        again.until(lambda: again.texts()[-1:] == ["the last"], "the end of the conversation")
        for _page in range(4):  # in memory now, and not known where it begins: page after page from the server
            if not again.model.windows["#lobby"].start:
                version = again.model.windows["#lobby"].version
                again.runner.older(again.model.windows["#lobby"])
                again.until(lambda version=version: again.model.windows["#lobby"].version > version, "an older page")
        assert again.texts() == [*(f"what was said {n}" for n in range(120)), "the last"]
        said = [told.text for target in again.model.told.values() for told in target]
        assert len(said) == 1 and "move it away" in said[0] and str(path) in said[0]
        again.runner.say("#lobby", "it goes on")
        again.until(lambda: again.texts()[-1:] == ["it goes on"], "what was said")
        again.close()
