"""The plugins that come with the server."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from alonechat.core.client import words
from alonechat.core.client.sentences import POSTS
from alonechat.core.client.templates import posted, understood
from alonechat.errors import StartError
from alonechat.plugins.kept import read_states, switch
from alonechat.testing import Clock, Server, serving

Start = Callable[..., Server]


def test_dice(start: Start) -> None:
    ana = start().person("ana")
    for _ in range(20):
        rolled = ana.asks(type="TEXT", content="/roll 2d6+1")
        found = re.fullmatch(r"🎲 2d6\+1: (\d+) \((\d) \+ (\d) \+ 1\)", rolled["content"])
        assert found and int(found[1]) == int(found[2]) + int(found[3]) + 1 and rolled["via"] == "dice"
    assert re.fullmatch(r"🎲 1d6: [1-6]", ana.asks(type="TEXT", content="/roll")["content"])
    assert re.fullmatch(r"🎲 d2-1: [01] \([12] - 1\)", ana.asks(type="TEXT", content="/roll d2-1")["content"])
    for bad in ("x", "0d6", "101d6", "2d1", "2d6+", "d"):
        refused = ana.asks(type="TEXT", content=f"/roll {bad}")
        assert refused["code"] == "bad_frame" and "/roll 2d6+1" in refused["content"], refused


def test_a_poll_and_its_votes(start: Start) -> None:
    server = start()
    ana, bo = server.person("ana"), server.person("bo")
    poll = ana.asks(type="TEXT", content='/poll "Lunch?" noodles "fried rice"')
    assert poll["content"].splitlines() == ["📊 Lunch?", "1️⃣ noodles", "2️⃣ fried rice", "Vote with a reaction."]
    assert bo.asks(type="REACT", target="#lobby", ref=poll["id"], content="1️⃣")["type"] == "REACT"
    assert ana.asks(type="HISTORY", target="#lobby")["events"][-1]["reactions"] == {"1️⃣": ["bo"]}
    assert ana.asks(type="TEXT", content='/poll "Lunch?')["code"] == "bad_frame"
    assert ana.asks(type="TEXT", content="/poll Lunch? one")["code"] == "bad_frame"


def test_a_poll_is_closed_with_its_result_by_who_asked_or_a_moderator(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        ana, bo, cy = (server.person(name) for name in ("ana", "bo", "cy"))
        assert ana.asks(type="TEXT", content="/poll close")["content"] == "no poll is open here"
        poll = bo.asks(type="TEXT", content='/poll "Lunch?" noodles "fried rice"')
        for who, mark, more in [
            (ana, "1️⃣", {}), (bo, "1️⃣", {}), (cy, "2️⃣", {}), (cy, "2️⃣", {"removed": True}),
            (cy, "1\u20e3", {}), (cy, "👍", {}),
        ]:  # fmt: skip
            assert who.asks(type="REACT", target="#lobby", ref=poll["id"], content=mark, **more)["type"] == "REACT"
        assert "that you can close" in ana.asks(type="TEXT", content="/poll close")["content"]
        direct = ana.asks(type="TEXT", target="bo", content="/poll Tea? yes no")
        bo.asks(type="REACT", target="ana", ref=direct["id"], content="2️⃣")
    with serving(tmp_path) as server:
        boss, ana = server.person("boss", "owner"), server.person("ana")
        closed = boss.asks(type="TEXT", content="/poll close")
        assert (closed["sender"], closed["via"]) == ("boss", "poll")
        assert closed["content"].splitlines() == [
            "📊 Lunch? (closed)", "1️⃣ noodles: **3**", "2️⃣ fried rice: 0", "3 voted.",
        ]  # fmt: skip
        assert ana.asks(type="TEXT", target="bo", content="/poll close")["content"].splitlines() == [
            "📊 Tea? (closed)", "1️⃣ yes: 0", "2️⃣ no: **1**", "1 voted.",
        ]  # fmt: skip
        assert boss.asks(type="TEXT", content="/poll close")["content"] == "no poll is open here"


def test_what_another_process_switches_is_seen_by_itself(start: Start, tmp_path: Path) -> None:
    server = start()
    ana = server.person("ana")

    def rolls(kind: str) -> None:
        until = time.monotonic() + 20
        while ana.asks(type="TEXT", content="/roll")["type"] != kind:
            assert time.monotonic() < until
            time.sleep(0.05)

    rolls("TEXT")
    switch(tmp_path / "data", "dice", on=False)
    rolls("ERROR")
    until = time.monotonic() + 20
    while ("dice", "off") not in {(name, state) for name, _, _, state, _ in read_states(tmp_path / "data")}:
        assert time.monotonic() < until, read_states(tmp_path / "data")
        time.sleep(0.05)
    switch(tmp_path / "data", "dice", on=True)
    rolls("TEXT")


def test_a_reminder_comes_in_time_and_survives_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    with serving(tmp_path, clock) as server:
        ana = server.person("ana")
        ana.send(type="TEXT", content="/remind me in 1h20m tea")
        assert ana.hears("NOTICE")["content"] == "I will remind you in 1h20m."
        assert ana.asks(type="TEXT", content="/remind me in 2d cake")["content"] == "I will remind you in 2d."
        assert not [frame for frame in ana.quiet() if frame["type"] == "NOTICE"], "it says so once"
        assert ana.asks(type="TEXT", content="/remind me tomorrow")["code"] == "bad_frame"
    clock.forward(2 * 3600)
    with serving(tmp_path, clock) as server:
        ana = server.person("ana")
        until = time.monotonic() + 10
        while not (events := ana.asks(type="HISTORY", target="remind")["events"]) and time.monotonic() < until:
            time.sleep(0.05)
        assert [(e["sender"], e["content"]) for e in events] == [("remind", "⏰ tea")]
    with serving(tmp_path, clock) as server:
        ana = server.person("ana")
        ana.quiet()
        assert len(ana.asks(type="HISTORY", target="remind")["events"]) == 1, "it reminds once"


def test_the_word_list(start: Start) -> None:
    server = start(settings='[words]\nstop = ["darn", "坏话"]\nsay = "Please don\'t."')
    ana = server.person("ana")
    assert ana.asks(type="TEXT", content="Darn it")["content"] == "Please don't."
    assert ana.asks(type="TEXT", content="说坏话的人")["code"] == "forbidden"
    assert ana.says("darning socks")["content"] == "darning socks"


def test_a_room_has_a_word_list_of_its_own_which_survives_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    with serving(tmp_path, clock) as server:
        ana, bo = server.person("ana"), server.person("bo")
        for who in (ana, bo):
            who.asks(type="JOIN", target="#work")
        assert bo.asks(type="TEXT", target="#work", content="/words add fun")["code"] == "forbidden"
        assert bo.asks(type="TEXT", target="ana", content="/words add fun")["code"] == "forbidden"
        assert ana.asks(type="TEXT", target="#work", content="/words ad fun")["code"] == "bad_frame"
        assert ana.asks(type="TEXT", target="#work", content="/words add " + "x" * 65)["code"] == "too_long"
        ana.send(type="TEXT", target="#work", content="/words add Darn 坏话")
        assert ana.hears("NOTICE", target="#work")["content"] == "Stopped in #work: darn, 坏话."
    with serving(tmp_path, clock) as server:
        ana, bo = server.person("ana"), server.person("bo")
        assert bo.asks(type="TEXT", target="#work", content="DARN it")["code"] == "forbidden"
        kept = bo.says("fine", "#work")
        assert bo.asks(type="EDIT", target="#work", ref=kept["id"], content="坏话")["code"] == "forbidden"
        assert bo.says("darn it")["content"] == "darn it", "elsewhere it is just a word"
        assert ana.asks(type="TEXT", target="#work", content="/words remove fun")["code"] == "not_found"
        ana.send(type="TEXT", target="#work", content="/words remove darn")
        assert ana.hears("NOTICE", target="#work")["content"] == "Stopped in #work: 坏话."
        assert bo.says("darn it", "#work")["content"] == "darn it"


def test_answers_by_keyword(start: Start) -> None:
    server = start(settings='[keywords]\n"wifi password" = "It hangs beside the door."')
    ana, bo = server.person("ana"), server.person("bo")
    ana.says("what is the WiFi password?")
    assert bo.hears("TEXT", sender="keywords")["content"] == "It hangs beside the door."
    ana.says("the wifi password, again?")
    assert not [f for f in bo.quiet() if f.get("sender") == "keywords"], "once a minute"


def test_without_settings_nothing_listens(start: Start) -> None:
    from alonechat.core.server import HookPhase

    server = start()
    server.person("ana").says("hello")
    on = {phase.name for phase in HookPhase if server.manager.hooks.on(phase)}
    assert on == {"POST_COMMAND"}, "no hook on messages, no cost"


@pytest.mark.parametrize("words", ["", " reload", " enable dice"])
def test_handling_is_for_admins(start: Start, words: str) -> None:
    server = start()
    assert server.person("ana").asks(type="TEXT", content=f"/plugins{words}")["code"] == "forbidden"


def test_admins_list_switch_and_reload(start: Start, tmp_path: Path) -> None:
    server = start()
    boss = server.person("boss", "owner")
    boss.send(type="TEXT", content="/plugins")
    assert "dice 1.0.0: on" in boss.hears("NOTICE")["content"]
    boss.asks(type="TEXT", content="/plugins disable dice")
    boss.quiet()
    assert boss.asks(type="TEXT", content="/roll")["code"] == "not_found"
    (tmp_path / "data" / "plugins" / "late.py").write_text(
        "from alonechat.plugins import *\n"
        "class P(CommandPluginBase):\n"
        "    _metadata = PluginMetadata('late')\n"
        "    def can_handle(self, content): return content == '/late'\n"
        "    def execute(self, content, sender, target=None): return 'better than never'\n"
    )
    boss.asks(type="TEXT", content="/plugins enable dice")
    boss.quiet()
    assert boss.asks(type="TEXT", content="/roll")["via"] == "dice"
    assert boss.asks(type="TEXT", content="/late")["content"] == "better than never"
    assert boss.asks(type="TEXT", content="/plugins enable nothing")["code"] == "not_found"
    assert boss.asks(type="TEXT", content="/plugins what")["code"] == "bad_frame"


def test_reload_under_load_loses_nothing(start: Start) -> None:
    server = start()
    boss, ana = server.person("boss", "owner"), server.person("ana")
    boss.send(type="TEXT", content="/plugins reload", nonce="r")
    sent = [ana.says(f"{number}")["seq"] for number in range(100)]
    assert sent == list(range(sent[0], sent[0] + 100))
    assert boss.hears("NOTICE", nonce="r")


def test_the_message_of_the_day_and_a_welcome(start: Start) -> None:
    server = start(settings='[welcome]\nmotd = "Backup on Friday."\n"#work" = "Welcome, {name}!"')
    ana, bo = server.person("ana"), server.person("bo")
    assert ana.hears("NOTICE")["content"] == "Backup on Friday."
    ana.asks(type="JOIN", target="#work")
    bo.asks(type="JOIN", target="#work")
    said = [ana.hears("TEXT", target="#work", sender="welcome")["content"] for _ in range(2)]
    assert said == ["Welcome, ana!", "Welcome, bo!"]


def test_slow_mode_and_lockdown_are_for_moderators_and_survive_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    with serving(tmp_path, clock) as server:
        ana, bo = server.person("ana"), server.person("bo")
        for who in (ana, bo):
            who.asks(type="JOIN", target="#work")
        assert bo.asks(type="TEXT", target="#work", content="/slow 30")["code"] == "forbidden"
        assert ana.asks(type="TEXT", target="#work", content="/slow x")["code"] == "bad_frame"
        slow = ana.asks(type="TEXT", target="#work", content="/slow 30")
        assert (slow["content"], slow["via"]) == ("Slow mode: one message every 30 s.", "moderation")
        bo.says("one", "#work")
        refused = bo.asks(type="TEXT", target="#work", content="two")
        assert refused["code"] == "forbidden" and "write again in 30 s" in refused["content"]
        bo.says("elsewhere")
        bo.says("elsewhere again")
        clock.forward(31)
        bo.says("two", "#work")
        ana.says("a moderator", "#work")
        ana.says("may", "#work")
    with serving(tmp_path, clock) as server:
        ana, bo = server.person("ana"), server.person("bo")
        bo.says("three", "#work")
        assert bo.asks(type="TEXT", target="#work", content="four")["code"] == "forbidden"
        assert ana.asks(type="TEXT", target="#work", content="/slow off")["content"] == "Slow mode is off."
        bo.says("four", "#work")
        ana.asks(type="TEXT", target="#work", content="/lockdown")
        assert "only moderators write" in bo.asks(type="TEXT", target="#work", content="five")["content"]
        ana.says("five", "#work")
        ana.asks(type="TEXT", target="#work", content="/lockdown off")
        bo.says("six", "#work")


def test_a_flood_is_stopped(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "plugins.toml").write_text("[moderation]\nflood = 3\nwithin = 5\n")
    with serving(tmp_path, clock) as server:
        ana = server.person("ana")
        for number in range(3):
            ana.says(f"{number}")
        assert "too much at once" in ana.asks(type="TEXT", content="3")["content"]
        clock.forward(6)
        ana.says("4")


def test_a_room_chooses_what_a_flood_is_in_it(tmp_path: Path) -> None:
    clock = Clock()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "plugins.toml").write_text("[moderation]\nflood = 3\nwithin = 5\n")
    with serving(tmp_path, clock) as server:
        ana, bo = server.person("ana"), server.person("bo")
        for who in (ana, bo):
            who.asks(type="JOIN", target="#work")
        assert bo.asks(type="TEXT", target="#work", content="/flood 1 60")["code"] == "forbidden"
        assert ana.asks(type="TEXT", target="#work", content="/flood 0 60")["code"] == "bad_frame"
        set_to = ana.asks(type="TEXT", target="#work", content="/flood 1 60")["content"]
        assert set_to == "At most 1 message within 60 s from each of you."
        bo.says("one", "#work")
        assert "1 messages within 60 s" in bo.asks(type="TEXT", target="#work", content="two")["content"]
    with serving(tmp_path, clock) as server:
        ana, bo = server.person("ana"), server.person("bo")
        bo.says("one", "#work")
        assert "too much at once" in bo.asks(type="TEXT", target="#work", content="two")["content"]
        ana.asks(type="TEXT", target="#work", content="/flood off")
        for number in range(5):
            bo.says(f"{number}", "#work")


def test_help_names_what_plugins_do(start: Start) -> None:
    lines = start().person("ana").asks(type="TEXT", content="/help")["content"].splitlines()
    assert "/roll 2d6+1: dice" in lines and any(line.startswith("/topic") for line in lines)


def test_what_they_post_for_all_is_read_in_the_readers_language(start: Start) -> None:
    """Each thing that they post, as a Chinese face shows it; what people wrote stays, and so does the log."""
    ana, seen = start().person("ana", "owner"), []
    said = [
        '/poll "Lunch: yes?" noodles "The lockdown is over."', "/poll close", "/slow 30", "/slow off", "/flood 1 60",
        "/flood 5 60", "/flood off", "/lockdown", "/lockdown off",
    ]  # fmt: skip
    assert ana.asks(type="JOIN", target="#work")["type"] == "JOIN"
    try:
        words.choose("zh")
        for text in said:
            event = ana.asks(type="TEXT", target="#work", content=text)
            shown = posted(event)
            seen += [understood(line, "posted") for line in event["content"].splitlines()]
            left = set(re.findall(r"[A-Za-z]+", shown)) - {"Lunch", "yes", "noodles", "The", "lockdown", "is", "over"}
            assert not left, shown
            if text.startswith("/poll"):
                assert "The lockdown is over." in shown and "📊 Lunch: yes?" in shown
            assert posted({**event, "via": None}) == posted({**event, "via": "mine"}) == event["content"]
            words.choose("en")
            assert posted(event) == event["content"]
            words.choose("zh")
    finally:
        words.choose("en")
    assert {found[0] for found in seen if found} == set(POSTS), "and nothing is there that nobody says"


def test_settings_that_can_not_be_read_change_nothing_and_say_where(tmp_path: Path) -> None:
    toml = tmp_path / "data" / "plugins.toml"
    toml.parent.mkdir()
    toml.write_text('[words]\nstop = ["作弊"]\n', "utf-8")
    with serving(tmp_path) as server:
        ana, bo = server.person("ana", "owner"), server.person("bo")
        for text, why in [("[words\n", "line 1"), ('stop = ["x"]\n[words]\n', "stop stands in no table")]:
            toml.write_text(text, "utf-8")
            refused = ana.asks(type="TEXT", content="/plugins reload")
            assert refused["code"] == "invalid" and refused["content"].startswith("nothing was changed: "), refused
            assert why in refused["content"] and str(toml) in refused["content"]
            assert bo.asks(type="TEXT", content="我作弊了")["code"] == "forbidden", "the old list holds"
        toml.write_bytes(b'\xef\xbb\xbf[words]\nstop = ["other"]\n[welcom]\nmotd = "x"\n')
        answer = ana.asks(type="TEXT", content="/plugins reload")["content"]
        assert "words 1.1.0: on" in answer and "plugins.toml: there is no plugin welcom" in answer
        assert bo.asks(type="TEXT", content="other words")["code"] == "forbidden"
    toml.write_text("[words\n", "utf-8")
    with pytest.raises(StartError, match=r"plugins\.toml can.t be read"), serving(tmp_path):
        pass


@pytest.mark.parametrize(
    ("text", "plugin", "why"),
    [
        ('[words]\nstop = "作弊"', "words", "stop of [words] must be a list of texts"),
        ("[words]\nstop = [3]", "words", "stop of [words] must be a list of texts"),
        ('[moderation]\nflood = "x"', "moderation", "flood of [moderation] must be a whole number, not 'x'"),
        ("[moderation]\nwithin = true", "moderation", "within of [moderation] must be a number, not True"),
        ("[welcome]\nmotd = 3", "welcome", "motd of [welcome] must be a text in quotes, not 3"),
        ('[webhooks]\nin = "x"', "webhooks", "[webhooks.in] has lines such as"),
        ('[webhooks]\nout = "x"', "webhooks", "[[webhooks.out]]"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_named(tmp_path: Path, text: str, plugin: str, why: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "plugins.toml").write_text(text, "utf-8")
    with serving(tmp_path) as server:
        said = server.person("ana", "owner").asks(type="TEXT", content="/plugins")["content"]
        line = next(each for each in said.splitlines() if each.startswith(plugin))
        assert ": failed (plugins.toml: " in line and why in line and "Error" not in line, line


def test_a_whole_number_may_stand_for_a_fraction(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "plugins.toml").write_text("[moderation]\nflood = 2\nwithin = 60\n", "utf-8")
    with serving(tmp_path) as server:
        ana = server.person("ana")
        assert [ana.asks(type="TEXT", content=str(n)).get("code") for n in range(3)] == [None, None, "forbidden"]


def test_in_a_lockdown_nobody_writes_by_editing(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        ana, bo = server.person("ana", "owner"), server.person("bo")
        said, own = bo.says("before"), ana.says("mine")
        ana.asks(type="TEXT", content="/lockdown")
        refused = bo.asks(type="EDIT", ref=said["id"], content="after")
        assert refused["code"] == "forbidden" and "locked down" in refused["content"]
        assert ana.asks(type="EDIT", ref=own["id"], content="still mine")["type"] == "EDIT"
        ana.asks(type="TEXT", content="/lockdown off")
        assert bo.asks(type="EDIT", ref=said["id"], content="after")["type"] == "EDIT"


def test_the_message_of_the_day_is_told_once_a_day(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "plugins.toml").write_text('[welcome]\nmotd = "Backup on Friday."\n', "utf-8")
    clock = Clock()
    with serving(tmp_path, clock) as server:
        ana = server.person("ana")
        assert ana.hears("NOTICE")["content"] == "Backup on Friday."
        again = [server.person("ana") for _ in range(3)]
        ana.says("all is told by now")
        assert [each.hears("NOTICE", "TEXT")["type"] for each in again] == 3 * ["TEXT"]
        clock.forward(21 * 3600)
        assert server.person("ana").hears("NOTICE")["content"] == "Backup on Friday."
