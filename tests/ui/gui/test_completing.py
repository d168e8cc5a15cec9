"""The options over the composer: which keys take one, which send, and the language that they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from alonechat.core.client import words
from alonechat.ui.gui.settings import Settings
from tests.journeys.people import People
from tests.ui.gui.desk import Desk

Name = Callable[[str], str]
Make = Callable[..., Desk]


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    words.choose("en")


def sat(desk: Make, people: People, who: str) -> Desk:
    """Somebody in a direct conversation with oneself, who knows the commands."""
    made = desk(people, who)
    made.open(who)
    made.until(lambda: "/help" in made.app.model.commands, "the commands")
    return made


def offered(desk: Desk) -> list[tuple[str, str]]:
    """What the options say."""
    return [(each.shown, each.detail) for each in desk.window.composer.popup.options]


def test_enter_sends_what_is_whole_and_completes_what_is_not(desk: Make, people: People, name: Name) -> None:
    ana = sat(desk, people, name("ana"))
    composer = ana.window.composer
    ana.write("/help")
    assert composer.content == "" and composer._completion is None
    ana.until(lambda: any("what commands there are" in text for text in ana.texts()), "its answer")
    ana.write("/hel")
    assert composer.content == "/help "
    ana.press("Return", composer.text)
    assert composer.content == ""
    ana.write("/help roll")
    assert composer.content == ""
    ana.until(lambda: any(text == "/roll 2d6+1: dice" for text in ana.texts()), "the answer about one")
    ana.write("/me waves")
    ana.row("waves")


def test_what_is_whole_is_completed_by_tab_and_by_enter_once_another_is_marked(
    desk: Make, people: People, name: Name
) -> None:
    ana = sat(desk, people, name("ana"))
    composer = ana.window.composer
    composer.insert("/help")
    ana.until(lambda: composer._completion is not None, "options")
    ana.press("Tab", composer.text)
    assert composer.content == "/help "
    composer.put("")
    composer.insert("/un")
    ana.until(lambda: composer._completion is not None, "options")
    assert [each[0].split()[0] for each in offered(ana)][:2] == ["/unban", "/uninvite"]
    composer.insert("ban")
    ana.step()
    assert composer.content == "/unban"
    composer.put("")
    composer.insert("/m")
    ana.until(lambda: composer._completion is not None, "options")
    ana.press("Down", composer.text)
    ana.press("Return", composer.text)
    assert composer.content == f"{offered(ana)[1][0].split()[0]} "


def test_a_name_that_is_whole_is_sent(desk: Make, people: People, name: Name) -> None:
    other = people.connect(name("zoe"))
    ana = sat(desk, people, name("ana"))
    ana.open("#lobby")
    ana.until(lambda: other.username in ana.app.model.members.get("#lobby", ()), "the members")
    text = f"hi @{other.username}"
    ana.write(text)
    assert ana.window.composer.content == ""
    ana.row(text)


def test_where_ctrl_enter_sends_enter_begins_a_line_behind_what_is_whole(
    desk: Make, people: People, name: Name
) -> None:
    ana = sat(desk, people, name("ana"))
    ana.app.remember(enter_sends=False)
    ana.app.restyle()
    ana.write("/help")
    assert ana.window.composer.content == "/help\n" and ana.window.composer._completion is None


def test_options_are_in_the_language_that_is_chosen_later(desk: Make, people: People, name: Name) -> None:
    ana = sat(desk, people, name("ana"))
    english = ("/ban <name>", "remove somebody for good; in #lobby from the whole server")
    for language, option in (("zh", ("/ban <用户名>", "封禁某人；在 #lobby 中则从整个服务器封禁")), ("en", english)):
        settings = Settings(ana.app)
        settings.language._buttons_dict[words.LANGUAGES[language]].invoke()
        ana.app.sheet.close()  # type: ignore[union-attr]
        ana.step()
        composer = ana.window.composer
        composer.put("")
        composer.insert("/ban")
        ana.until(lambda composer=composer: composer._completion is not None, "options")
        assert offered(ana) == [option]
