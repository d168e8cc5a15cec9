"""Deleted is gone: no live database file holds the bytes of a deleted text, whatever happened to it before."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from alonechat.core.store import grams
from alonechat.core.store.records import Post
from tests.conformance.kept import Kept

WITHIN = 5.0


def left(kept: Kept, texts: Iterable[str]) -> list[str]:
    """Those of `texts` whose bytes are in one of the database's files."""
    folder = Path(kept.url.removeprefix("sqlite:///")).parent
    whole = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    assert whole
    return [text for text in texts if text.encode() in whole]


def gone(kept: Kept, texts: Iterable[str]) -> list[str]:
    """What is left of `texts` once it is gone or five seconds have passed."""
    until = time.monotonic() + WITHIN
    texts = list(texts)
    while left(kept, texts[:9]) and time.monotonic() < until:
        time.sleep(0.05)
    return left(kept, texts)


def tokens(text: str) -> set[str]:
    return set(grams.tokens(text, 1, 1).split()[2:])


def terms(kept: Kept) -> set[str]:
    """What the search index holds, however it is stored there, less the tokens of places and senders."""
    raw = sqlite3.connect(kept.url.removeprefix("sqlite:///"))
    found: set[str] = set()
    for (shard,) in raw.execute("SELECT number FROM shards").fetchall():
        raw.execute(f"CREATE VIRTUAL TABLE temp.terms_{shard} USING fts5vocab (main, search_{shard}, row)")
        found |= {row[0] for row in raw.execute(f"SELECT term FROM terms_{shard}")}
    raw.close()
    return {term for term in found if term[0] not in "\ue000\ue001"}


def test_text_edits_words_and_grams_are_gone_from_all_three_files(kept: Kept) -> None:
    kept.says("bob", "this one stays 杭州")
    files = [kept.uploads("alice", "f", "quux.txt").wire()]
    event = kept.says("alice", "xylophone 鑫淼焱 Zeppelin", nonce="n", mentions=["bob"], attachments=files)
    kept.post("EDIT", "#lobby", "alice", "marimba 犇骉羴", ref=event["id"])
    secrets = ["xylophone", "zeppelin", "Zeppelin", "鑫淼", "淼焱", "marimba", "犇骉", "骉羴", "quux.txt"]
    assert left(kept, secrets) == secrets
    kept.post("DELETE", "#lobby", "alice", ref=event["id"])
    assert gone(kept, secrets) == []
    assert left(kept, ["this one stays", "杭州"]) == ["this one stays", "杭州"]
    assert kept.hits("杭州") == ["this one stays 杭州"] and kept.hits("marimba") == []


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_left_after_many_edits_and_deletions_in_random_order(
    kept: Kept, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alonechat.core.store.index.SHARD", 150)
    chance = random.Random(seed)

    def text() -> str:
        words = ["".join(chance.choices("bcdfghjklm", k=9)) for _ in range(chance.choice((1, 3, 60)))]
        return " ".join([*words, "".join(chr(chance.randint(0x4E00, 0x9FFF)) for _ in range(chance.randint(2, 9)))])

    standing: dict[str, list[str]] = {}
    deleted: list[str] = []
    for _ in range(12):
        posts = [Post("TEXT", "#lobby", "alice", text()) for _ in range(chance.choice((1, 5, 60)))]
        for (event, _), post in zip(kept.outcomes(*posts), posts, strict=True):
            standing[event["id"]] = [post.content]
        for id in chance.sample(sorted(standing), min(3, len(standing))):
            standing[id].append(text())
            kept.post("EDIT", "#lobby", "alice", standing[id][-1], ref=id)
        doomed = chance.sample(sorted(standing), len(standing) // 3)
        kept.outcomes(*(Post("DELETE", "#lobby", "alice", ref=id) for id in doomed))
        for id in doomed:
            deleted += standing.pop(id)
    held = {token for texts in standing.values() for each in texts for token in tokens(each)}
    secrets = [token for each in deleted for token in tokens(each) - held if len(token.encode()) >= 6]
    assert gone(kept, [secrets[-1], *chance.sample(secrets, 250)]) == []
    for texts in standing.values():
        assert texts[-1] in kept.hits(" ".join(texts[-1].split()[:2]))
    kept.store.close()
    assert terms(kept) <= {token for texts in standing.values() for token in tokens(texts[-1])}


def test_a_reader_in_the_way_only_puts_it_off(kept: Kept) -> None:
    event = kept.says("alice", "xylophone 鑫淼")
    other = sqlite3.connect(kept.url.removeprefix("sqlite:///"))
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM events").fetchone()
    kept.post("DELETE", "#lobby", "alice", ref=event["id"])
    time.sleep(1.5)
    assert left(kept, ["xylophone"]) == ["xylophone"]
    assert kept.says("bob", "meanwhile")["seq"] == 3
    other.execute("ROLLBACK")
    other.close()
    assert gone(kept, ["xylophone", "鑫淼"]) == []


def test_what_a_killed_process_left_to_purge_is_purged_at_the_next_start(kept: Kept, tmp_path: Path) -> None:
    event = kept.says("alice", "xylophone 鑫淼")
    kept.post("DELETE", "#lobby", "alice", ref=event["id"])
    after_a_kill = tmp_path / "killed"  # the files as they are at this moment, before the purge
    after_a_kill.mkdir()
    for path in Path(kept.url.removeprefix("sqlite:///")).parent.iterdir():
        (after_a_kill / path.name).write_bytes(path.read_bytes())
    again = Kept(f"sqlite:///{after_a_kill}/alonechat.db", kept.clock)
    assert left(again, ["xylophone"]) == ["xylophone"]
    again.start()
    assert gone(again, ["xylophone", "鑫淼"]) == []
    again.store.close()


def test_closing_purges_what_is_due(kept: Kept) -> None:
    event = kept.says("alice", "xylophone 鑫淼")
    kept.post("DELETE", "#lobby", "alice", ref=event["id"])
    kept.store.close()
    assert left(kept, ["xylophone", "鑫淼"]) == []


def test_a_purged_index_is_whole(kept: Kept) -> None:
    events = [result for result, _ in kept.outcomes(*(Post("TEXT", "#lobby", "bob", f"w{n} 上海") for n in range(300)))]
    kept.post("DELETE", "#lobby", "bob", ref=events[7]["id"])
    assert gone(kept, ["w7 上海"]) == []
    kept.says("bob", "after 上海")
    assert len(kept.hits("上海")) == 100 and kept.hits("w7") == [f"w{n} 上海" for n in reversed(range(70, 80))]
    kept.store.close()
    raw = sqlite3.connect(kept.url.removeprefix("sqlite:///"))
    raw.execute("INSERT INTO search_0 (search_0) VALUES ('integrity-check')")
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()
