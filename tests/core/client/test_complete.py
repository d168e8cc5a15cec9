"""What Tab makes of the beginning of a name, room, command or emoji."""

from __future__ import annotations

import pytest

from alonechat.core.client.complete import MOST, Completion, complete
from alonechat.core.client.model import Learned, Listed, Model, Page, Passed, Summary, Welcomed
from tests.core.client.scripted import event


@pytest.fixture
def model() -> Model:
    model = Model()
    model.apply(Welcomed({"username": "alice"}, {}, {}))
    rooms = [Summary("#lobby", "room"), Summary("#tea", "room", topic="all about tea"), Summary("#茶", "room")]
    model.apply(Listed((*rooms, Summary("bo", "direct"))))
    people = [
        {"username": "alice"},
        {"username": "ana", "display_name": "Ana B"},
        {"username": "andy"},
        {"username": "bo", "display_name": "李雷"},
    ]
    model.apply(Passed({"type": "MEMBERS", "target": "#lobby", "members": people}, 0.0))
    model.apply(Passed({"type": "USER", "user": {"username": "anton"}}, 0.0))
    model.apply(Learned({"/help": ("/help [NAME]", "what there is"), "/topic": ("/topic TEXT", "set the topic")}))
    return model


def emoji(part: str) -> list[tuple[str, str]]:
    return [("tada", "🎉"), ("taco", "🌮")] if "tada".startswith(part[:2]) else []


def offered(model: Model, text: str, target: str = "#lobby", cursor: int | None = None) -> Completion | None:
    return complete(text, len(text) if cursor is None else cursor, model, target, emoji)


def inserted(model: Model, text: str, target: str = "#lobby") -> list[str]:
    found = offered(model, text, target)
    return [option.insert for option in found.options] if found else []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("@an", ["@ana ", "@andy ", "@anton "]),
        ("hi @AN", ["@ana ", "@andy ", "@anton "]),
        ("@李", ["@bo "]),
        ("@", ["@ana ", "@andy ", "@bo ", "@anton "]),
        ("@ali", []),  # not oneself
        ("@al", ["@all "]),
        ("(@bo", ["@bo "]),
        ("你好，@bo", ["@bo "]),
        ("mail@an", []),
        ("@an ", []),
        ("#t", ["#tea "]),
        ("in #茶", ["#茶 "]),
        ("#x", []),
        ("a#t", []),
        ("/h", ["/help "]),
        ("/help\n", []),  # the line is over
        ("hi @an\n", []),
        ("/TO", ["/topic "]),
        ("/", ["/help ", "/topic "]),
        ("see /h", []),
        ("//h", []),
        (":ta", ["🎉 ", "🌮 "]),
        ("so :ta", ["🎉 ", "🌮 "]),
        (":t", []),
        ("at 12:30", []),
        ("an", ["@ana ", "@andy ", "@anton "]),  # the first word of a message may be a name
        ("hello an", []),
        ("an ", []),
        ("", []),
    ],
)
def test_what_is_offered(model: Model, text: str, wanted: list[str]) -> None:
    assert inserted(model, text) == wanted


def test_it_replaces_the_word_before_the_cursor_and_nothing_behind(model: Model) -> None:
    found = offered(model, "hi @an there", cursor=6)
    assert found is not None
    assert (found.start, found.end) == (3, 6)
    first = offered(model, "an", cursor=2)
    assert first is not None and (first.start, first.end) == (0, 2)


def test_who_spoke_last_comes_first(model: Model) -> None:
    messages = (event(1, sender="ana"), event(2, sender="andy"))
    model.apply(Page("#lobby", "latest", messages, True, True, 2))
    assert inserted(model, "@an") == ["@andy ", "@ana ", "@anton "]


def test_everybody_can_be_meant_in_rooms_only(model: Model) -> None:
    assert inserted(model, "@all", "bo") == []
    found = offered(model, "@all")
    assert found is not None and found.options[0].detail == "everybody here"


def test_each_option_shows_what_it_is(model: Model) -> None:
    kinds = {}
    for text in ("@ana", "#tea", "/help", ":ta"):
        found = offered(model, text)
        assert found is not None
        kinds[text] = (found.options[0].kind, found.options[0].shown, found.options[0].detail)
    assert kinds == {
        "@ana": ("name", "@ana", "Ana B"),
        "#tea": ("room", "#tea", "all about tea"),
        "/help": ("command", "/help [NAME]", "what there is"),
        ":ta": ("emoji", "🎉 :tada:", ""),
    }


def test_no_list_is_longer_than_it_may_be(model: Model) -> None:
    for n in range(40):
        model.apply(Passed({"type": "USER", "user": {"username": f"user{n}"}}, 0.0))
    assert len(inserted(model, "@user")) == MOST
