"""Every sentence with which the server refuses or tells something has a template in the client: so a translation."""

from __future__ import annotations

import re

from alonechat.core import fields
from alonechat.core.client.sentences import HELP, NOTICES, SENTENCES, WORDS
from alonechat.core.client.templates import NAMED, understood
from alonechat.core.client.words import _, choose
from alonechat.core.server.commands import COMMANDS
from alonechat.core.store.records import ROLES
from alonechat.plugins import builtin
from tests.house import spoken as speech
from tests.house.spoken import FIELD, Speaker
from tests.house.tree import ROOT, Module, modules

TOOLS = {"alonechat.plugins.handling"}
"""What only a command on the server's machine says."""
SETTINGS = {
    "the secret for {} needs {} characters or more",
    '[[webhooks.out]] needs url = "https://…", not {}',
    'plugins.toml: [webhooks.in] has lines such as "a long secret" = "#room"',
    'plugins.toml: of webhooks out each is a table: [[webhooks.out]], url = "https://…"',
    "plugins.toml: {} of [{}] must be {}, not {}",
}
"""Why a plugin does not start: in the log, and in `/plugins`."""
ELSEWHERE = {
    "error.text", "refused.text", "found['reason']", "str(answer.get('content'))", "str(closed)",  # said before
    "unreached(url, error)",  # in rest.py
    "call.who.session_id", "wanted", "outlet.username",  # no sentences
}  # fmt: skip
"""What stands where a sentence is expected, and needs no template."""
MATTER = {
    "{}: {}",  # a room and its topic
    FIELD + "self._motd", FIELD + "'\\n'.join(told)", FIELD + "'\\n'.join([*lines, *self.more()])",  # no sentences
    FIELD + "answer", FIELD + "notice",  # frames
    FIELD + "self._notice(told.content, message.target_of(told.key, username))",
    FIELD + "text", FIELD + "str(frame['text'])",  # said in a plugin
}  # fmt: skip
"""What is told and needs no template."""
COMPOSED = {"{}: done", "Muted in {}: {}", "Banned from {}: {}", "Invited to {}: {}"}
"""What a plugin's command comes to that says nothing, and the lines of /restricted (test_commands.py): they are put
together where they are said."""
BY_HAND = {
    "another server answers at this address; what was kept of the old one stays on disk",  # of live.Elsewhere
    "the connection was lost",  # in transport.py, behind an address
    "this sign-in has ended", "the token has expired", f"the token is not valid ({FIELD})",  # in session.py, cut
}  # fmt: skip
"""Sentences that the walk does not find; tests/core/client/test_refusals.py has them said."""
WAY = ("rest", "transport", "session", "outbox", "signin", "cache")
"""The parts of the client that the command line, which is in English, shares with the faces."""
ADDRESSED = "{}: {}"
"""What a connection's end says: where, and a sentence."""

SERVER = [
    module
    for module in modules("alonechat/core", "alonechat/api", "alonechat/plugins")
    if not module.name.startswith("alonechat.core.client") and module.name not in TOOLS
]
CLIENT = [module for module in modules("alonechat/core/client") if module.name.rpartition(".")[2] in WAY]
TEMPLATES = {re.sub(r"{\w+}", FIELD, sentence): sentence for sentence in SENTENCES}


def spoken(parts: list[Module], calls: dict[str, int] = speech.ERRORS) -> dict[str, str]:
    """Every template that is said, and where first."""
    found: dict[str, str] = {}
    for module in parts:
        for text, node in Speaker(module, calls).sentences():
            found.setdefault(text, module.place(node))
    return found


def test_whatever_the_server_refuses_has_a_template_on_the_clients_side() -> None:
    known = {*TEMPLATES, *SETTINGS, ADDRESSED, *(FIELD + each for each in ELSEWHERE)}
    found = spoken([*SERVER, *CLIENT])
    assert len(found) > 150
    lacking = [f"{place}: {text!r}" for text, place in found.items() if text not in known]
    assert lacking == [], "add them to alonechat/core/client/sentences.py, with a name in each field"


def test_no_template_is_there_that_nobody_says() -> None:
    said = {*spoken([*SERVER, *CLIENT]), *BY_HAND}
    assert [sentence for template, sentence in TEMPLATES.items() if template not in said] == []
    assert len(TEMPLATES) == len(SENTENCES)  # nor twice


def test_whatever_the_server_tells_has_a_template_and_the_other_way_round() -> None:
    found = spoken(SERVER, speech.NOTICES)
    templates = {re.sub(r"{\w+}", FIELD, sentence) for sentence in NOTICES}
    assert len(templates) == len(NOTICES) > 20
    assert {text: place for text, place in found.items() if text not in templates | MATTER} == {}
    assert templates - set(found) == COMPOSED


def test_a_sentence_is_found_by_its_own_template() -> None:
    for sentence in (*SENTENCES, *NOTICES):
        names = re.findall(r"{(\w+)}", sentence)
        assert len(names) == len(set(names)), sentence
        given = {name: f"<{name}>" for name in names}
        kind = "told" if sentence in NOTICES else "refused"
        assert understood(sentence.format(**given), kind) == (sentence, given)


def test_what_a_field_may_hold_is_a_word_with_a_translation() -> None:
    assert {name for sentence in (*SENTENCES, *NOTICES) for name in re.findall(r"{(\w+)}", sentence)} >= NAMED
    kinds = {fields.describe(value) for value in (None, True, 1, 0.5, "", [], {})}
    usages = {command.usage for command in COMMANDS if command.usage and command.name != "join"}
    assert {*ROLES, *kinds, *usages, "banned", "disabled"} <= WORDS
    try:
        choose("zh")
        assert [text for text in (*SENTENCES, *NOTICES, *HELP, *WORDS) if _(text) == text] == []
    finally:
        choose("en")


def test_help_says_what_a_command_does_in_words_that_have_a_translation() -> None:
    lines = [plugin._metadata.description for plugin in builtin.BUILT_IN]
    helps = {line.partition(": ")[2] for line in lines if line.startswith("/")} - {""}
    assert helps | {command.help for command in COMMANDS} | {"what commands there are"} == HELP


def test_a_part_of_a_sentence_that_is_chosen_joined_or_given_back_is_heard() -> None:
    text = """
RULE = "a rule"
class Door:
    def __init__(self, given):
        self.say = str(given.get("say", "Not here."))
    def _why(self, n):
        return None if n else "is too small" if n < 3 else f"has {n} of them"
    def refuse(self, name, n, stop):
        how = "is closed" if n else f"needs {n} of you"
        raise Rejected("forbidden", f"{RULE}, and {name!r} {how}")
        raise Rejected("invalid", name + " must be one of " + ", ".join(n))
        why = self._why(n)
        raise Rejected("invalid", f"{name} {why}")
        raise Rejected("invalid", n.reason or "somebody stopped it")
        raise Rejected("invalid", self.say)
        raise Rejected(*n)
        none = ("not_found", f"no {name} here")
        raise Rejected("invalid", n.reason)
"""
    heard = [each for each, _node in Speaker(Module("door", ROOT / "door.py", text)).sentences()]
    assert heard == [
        "a rule, and {} is closed",
        "a rule, and {} needs {} of you",
        "{} must be one of {}",
        "{} is too small",
        "{} has {} of them",
        "somebody stopped it",
        "Not here.",
        "no {} here",
        "{}n.reason",
    ]
