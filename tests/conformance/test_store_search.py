"""Search in several scripts, within the conversations that one may read, whatever is typed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alonechat.core.store.records import Found, Post
from alonechat.errors import Rejected
from tests.conformance.kept import Kept

TEXTS = (
    "明天我们去上海市看电影",
    "他在海上",
    "上",
    "東京タワーへ行きました",
    "ｶﾞｷﾞ and カキ",
    "대한민국 서울특별시",
    "Café in Zürich, Straße 5",
    "the quick brown-fox_jumps",
    "Привет, Мир!",
    "iPhone手机很好",
    "NEAR AND OR NOT",
    "𠀀𠀁 rare",
    "İstanbul",
)

CASES = {
    "上海": [0],
    "海上": [1],
    "上海市": [0],
    "海市看": [0],
    "上海看": [],
    "上": [2, 1, 0],
    "市": [0],
    "影": [0],
    "天我们": [0],
    "東京": [3],
    "タワー": [3],
    "行きま": [3],
    "ガギ": [4],
    "カキ": [4],
    "カギ": [],
    "민국": [5],
    "특별": [5],
    "서울특": [5],
    "cafe": [6],
    "CAFÉ": [6],
    "caf": [6],
    "afe": [],
    "zurich": [6],
    "STRASSE": [6],
    "5": [6],
    "brown": [7],
    "fox": [7],
    "jump": [7],
    "quick fox": [7],
    "fox zurich": [],
    "привет": [8],
    "мир": [8],
    "手机": [9],
    "iphone 手机": [9],
    "iphone手": [9],
    "手机 fox": [],
    "near": [10],
    "and": [10, 4],
    "or not": [10],
    "𠀀𠀁": [11],
    "istanbul": [12],
    '"quick" (fox)*': [7],
    "quick -fox": [7],
    "tokens:fox": [],
    "": [],
    "!? …": [],
}


@pytest.fixture
def told(kept: Kept) -> Kept:
    kept.outcomes(*(Post("TEXT", "#lobby", "alice", text) for text in TEXTS))
    return kept


def test_every_script_is_found_as_its_readers_expect(told: Kept) -> None:
    found = {query: told.hits(query) for query in CASES}
    assert found == {query: [TEXTS[n] for n in sorted(which, reverse=True)] for query, which in CASES.items()}


def test_hits_are_events_as_they_stand_now(told: Kept) -> None:
    first = told.store.search([("#lobby", 1)], "上海", None, None, 10).events[0]
    told.post("REACT", "#lobby", "bob", "👍", ref=first["id"])
    told.post("EDIT", "#lobby", "alice", "明天我们去北京", ref=first["id"])
    assert told.hits("上海") == []
    (event,) = told.store.search([("#lobby", 1)], "北京", None, None, 10).events
    assert event == told.store.event("#lobby", first["id"]) and event["edited"] and event["reactions"]
    told.post("DELETE", "#lobby", "alice", ref=first["id"])
    assert told.hits("上海") == told.hits("北京") == []


def test_only_the_conversations_asked_for_and_from_the_first_that_may_be_read(kept: Kept) -> None:
    kept.post("JOIN", "#room", "alice")
    for text, key in (("word a", "#lobby"), ("word b", "#room"), ("word c", "alice bob"), ("word d", "#room")):
        kept.says("alice", text, key)
    assert kept.hits("word") == ["word a"]
    assert kept.hits("word", "#room", "alice bob") == ["word d", "word c", "word b"]
    assert kept.hits("word", "#none") == kept.store.search([], "word", None, None, 10).events == []
    below = kept.store.search([("#room", 3), ("#lobby", 2)], "word", None, None, 10)
    assert [event["content"] for event in below.events] == ["word d"]
    assert [e["content"] for e in kept.store.search([("#room", 3)], "word", None, None, 10).events] == ["word d"]
    assert kept.store.search([("#room", 4)], "word", None, None, 10) == Found([], False)


def test_by_sender(kept: Kept) -> None:
    for name in ("alice", "bob", "alice"):
        kept.says(name, f"word of {name}")
    assert kept.hits("word", sender="alice") == ["word of alice", "word of alice"]
    assert kept.hits("word", sender="bob") == ["word of bob"]
    assert kept.hits("word", sender="carol") == kept.hits("word", sender="nobody") == []


def test_pages_go_on_before_an_id_newest_first(kept: Kept) -> None:
    kept.outcomes(*(Post("TEXT", "#lobby", "alice", f"word {n}") for n in range(25)))
    seen: list[str] = []
    before, more = None, True
    while more:
        found = kept.store.search([("#lobby", 1)], "word", None, before, 10)
        seen += [event["content"] for event in found.events]
        before, more = found.events[-1]["id"], found.more
    assert seen == [f"word {n}" for n in reversed(range(25))]
    with pytest.raises(Rejected):
        kept.store.search([("#lobby", 1)], "word", None, "not an id", 10)


def test_many_conversations_are_searched_like_few(kept: Kept) -> None:
    rooms = [f"#r{n}" for n in range(40)]
    kept.outcomes(*(Post("JOIN", room, "alice") for room in rooms))
    kept.outcomes(*(Post("TEXT", room, "alice", f"word in {room}") for room in rooms))
    kept.outcomes(*(Post("TEXT", "#lobby", "bob", f"word {n}") for n in range(1500)))
    assert kept.hits("word", *rooms) == [f"word in {room}" for room in reversed(rooms)]
    assert kept.hits("word", *rooms[:20]) == [f"word in {room}" for room in reversed(rooms[:20])]
    assert kept.hits("wo", *rooms, sender="bob") == []


def test_an_entry_is_taken_back_in_the_shard_that_holds_it(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alonechat.core.store.index.SHARD", 10)
    events = [result for result, _ in kept.outcomes(*(Post("TEXT", "#lobby", "bob", f"w{n} 上海") for n in range(35)))]
    kept = kept.again()
    kept.says("bob", "w35 上海")
    kept.says("bob", "w36 上海", "alice bob")
    for n in (0, 9, 10, 34):
        kept.post("DELETE", "#lobby", "bob", ref=events[n]["id"])
    kept.post("EDIT", "#lobby", "bob", "w20 北京", ref=events[20]["id"])
    left = [f"w{n} 上海" for n in reversed(range(36)) if n not in (0, 9, 10, 34, 20)]
    assert kept.hits("上海") == left and kept.hits("北京") == ["w20 北京"] and kept.hits("w9") == []
    assert kept.hits("上海", "alice bob") == ["w36 上海"]
    page = kept.store.search([("#lobby", 1)], "上海", None, events[12]["id"], 3)
    assert [event["content"] for event in page.events] == ["w11 上海", "w8 上海", "w7 上海"] and page.more
    kept.store.close()


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=200) | st.text(alphabet="\"'*():^-+{}[]&|\\ANDORTE上海aé\ue000 ", max_size=60))
def test_no_query_ever_raises(told: Kept, query: str) -> None:
    for event in told.store.search([("#lobby", 1)], query, None, None, 50).events:
        assert event["content"] in TEXTS


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet="上海市东京서울かが", min_size=2, max_size=12),
    span=st.tuples(st.integers(0, 11), st.integers(2, 5)),
)
def test_any_substring_of_two_characters_is_found(kept: Kept, text: str, span: tuple[int, int]) -> None:
    kept.says("alice", f"x {text} y")
    part = text[min(span[0], len(text) - 2) :][: span[1]]
    assert f"x {text} y" in kept.hits(part)
    assert all(part in hit for hit in kept.hits(part))


def test_a_very_long_query_is_answered(told: Kept) -> None:
    assert told.hits("上海" * 2000) == told.hits("fox " * 900 + "nowhere") == []
    assert told.hits(" ".join(f"w{n}" for n in range(1000))) == []
