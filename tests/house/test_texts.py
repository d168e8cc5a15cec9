"""What a person reads goes through gettext: marked where it stands, translated when it is shown."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from string import Formatter

import pytest

from tests.house.tree import Function, Module, modules

MARKS = {"_", "n_", "_t"}
SENTENCE = re.compile(r"\b[a-z']{2,}[,;:]? [a-z]{2,}|\b[A-Z][a-z]+ [a-z]{2,}|[a-z]{3,}…")
"""Two words, the second one small: a sentence or a label. Names of fonts, of keys and of files don't look so."""
WORD = re.compile(r"[A-Za-z]{3,}")
SHOWN = {"text", "title", "label", "placeholder_text", "message", "tooltip", "foot", "empty", "note"}
"""Arguments that are shown as they are: there one word is a label, such as `text="Send"`."""

PARTS = ast.Constant | ast.JoinedStr | ast.IfExp | ast.BinOp | ast.BoolOp
"""What such an argument may be put together of."""

STATES = {"catching up", "signed out"}
"""How the model calls states of the connection; faces compare with them and show other words."""
PAGES = {"document"}
"""Functions that print a page of documentation, which is in English."""

FACES = modules("alonechat/ui")
TEXTS = [*FACES, *modules("alonechat/core/client"), *modules("alonechat/cli")]


def marked(node: ast.AST) -> bool:
    """Whether a node marks a text for translation."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS


def is_free(node: ast.AST) -> bool:
    """Whether nothing below a node is shown to a person: what is marked, comments as strings, annotations, what only
    a developer meets (an error of Python's own), a page of documentation."""
    if isinstance(node, ast.Raise):
        name = ast.unparse(node.exc).partition("(")[0] if node.exc else ""
        return isinstance(getattr(builtins, name, None), type)
    documents = isinstance(node, Function) and node.name in PAGES
    return marked(node) or documents or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def literals(node: ast.AST, shown: bool = False) -> Iterator[tuple[ast.Constant, bool]]:
    """The strings below a node that may be shown, each with whether an argument's name says that it is."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node, shown
    for child in ast.iter_child_nodes(node):
        if not is_free(child):
            named = isinstance(child, ast.keyword) and child.arg in SHOWN
            yield from literals(child, named or (shown and isinstance(child, PARTS)))


def unmarked(module: Module) -> Iterator[ast.Constant]:
    """The strings of a face that a person would read in English whatever the language is."""
    for literal, shown in literals(module.tree):
        text = literal.value
        if text not in STATES and not text.startswith("/") and (WORD if shown else SENTENCE).search(text):
            yield literal


def test_a_face_shows_no_text_that_is_not_marked() -> None:
    assert [f"{module.place(node)} {node.value!r}" for module in FACES for node in unmarked(module)] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('say("nothing is new")', ["nothing is new"]),
        ('say(f"{who} is typing…")', [" is typing…"]),
        ('say(_("nothing is new"))', []),
        ('say(_("{who} is new").format(who=who))', []),
        ('Button(text="Send")', ["Send"]),
        ('Button(text=_("Send"), font="Noto Sans")', []),
        ('"""What this does."""', []),
        ('raise ValueError("no font of bitmaps")', []),
        ('raise Unusable("there is no display")', ["there is no display"]),
        ('if state == "catching up": pass', []),
        ('Command("search", "/search WORDS", _t("search messages"))', []),
        ('def document():\n    return "a page of words"', []),
    ],
)
def test_what_counts_as_a_text(code: str, found: list[str]) -> None:
    module = Module("face", FACES[0].path, code)
    assert [node.value for node in unmarked(module)] == found


def test_what_is_marked_is_a_literal() -> None:
    """A text that is put together before it is translated is in no catalogue; `_(name)` shows what `_t` marked."""
    wrong = [
        module.place(node)
        for module in TEXTS
        for node in ast.walk(module.tree)
        if marked(node)
        for argument in node.args[:2]  # type: ignore[attr-defined]
        if isinstance(argument, ast.JoinedStr | ast.BinOp | ast.Call)
    ]
    assert wrong == []


def test_nothing_is_translated_before_the_language_is_chosen() -> None:
    """At the top of a module, in a class's body and in defaults, `_` would run when the module is loaded."""
    assert [module.place(node) for module in TEXTS for node in early(module.tree)] == []


def early(node: ast.AST) -> Iterator[ast.AST]:
    """Calls of `_` and `n_` that run when a module is loaded."""
    if isinstance(node, Function | ast.Lambda):
        arguments = node.args
        for default in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
            yield from early(default)
        return
    if marked(node) and ast.unparse(node.func) != "_t":  # type: ignore[attr-defined]
        yield node
    for child in ast.iter_child_nodes(node):
        yield from early(child)


def places(text: str) -> set[str]:
    """The `{places}` of a text."""
    return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name is not None}


def filled(module: Module) -> Iterator[tuple[ast.Call, set[str], set[str]]]:
    """Each `_(…).format(…)` with the places of its text and what is given for them."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or any(each.arg is None for each in node.keywords):
            continue
        if marked(node) and ast.unparse(node.func) == "n_":
            yield node, {"n"}, set().union(*(places(each.value) for each in node.args[:2]))  # type: ignore[attr-defined]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            texts = [each.args[0] for each in ast.walk(node.func.value) if marked(each)]  # type: ignore[attr-defined]
            for text in texts:
                if isinstance(text, ast.Constant):
                    yield node, places(text.value), {each.arg or "" for each in node.keywords}


def test_every_place_of_a_text_is_filled_and_nothing_else_is_given() -> None:
    wrong = [
        f"{module.place(node)} {sorted(wanted)} {sorted(given)}"
        for module in TEXTS
        for node, wanted, given in filled(module)
        if wanted != given
    ]
    assert wrong == []
