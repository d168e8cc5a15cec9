"""What the code says when it refuses or tells: every sentence as a template, `{}` for what is known only then."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from alonechat.errors import STATUS
from tests.house.tree import Function, Module

FIELD = "{}"
"""What is known only when it is said."""
ERRORS = {"Rejected": 1, "problem": 1, "end": 1, "Closed": 1, "stop": 0, "AloneChatError": 0, "ConfigError": 0}
"""Calls that refuse, and which of their arguments is the sentence."""
NOTICES = {"Tell": 0, "Notify": 2, "tell": 1, "Answer": 2}
"""Calls that tell one person something."""
WORDS = {"describe", "words", "repr"}
"""Functions that give a word or a number of a sentence rather than a part of it."""
DEEP = 6


class Speaker:
    """The sentences of one file, of the calls that are named."""

    def __init__(self, module: Module, calls: dict[str, int] = ERRORS) -> None:
        self.module, self._calls = module, calls
        self._top = _bindings(module.tree.body)
        self._functions = {each.name: each for each in module.functions()}

    def sentences(self) -> Iterator[tuple[str, ast.AST]]:
        """(template, where it stands). Of a sentence whose words stand somewhere else it is `{}` and the expression."""
        for scope, node in _walk(self.module.tree, None):
            said = _said(node, self._calls)
            if said is not None:
                found = [text for text in self._texts(said, scope, DEEP) if text.strip(FIELD)]
                for text in found or [FIELD + ast.unparse(said)]:
                    yield text, node

    def _texts(self, node: ast.expr, scope: Function | None, deep: int) -> list[str]:
        """All that an expression can be, as templates."""
        if isinstance(node, ast.Constant):
            return [str(node.value)]
        if isinstance(node, ast.JoinedStr):
            parts = [self._part(each, scope, deep) for each in node.values]
            return ["".join(each) for each in itertools.product(*parts)]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            pairs = itertools.product(self._texts(node.left, scope, deep), self._texts(node.right, scope, deep))
            return [left + right for left, right in pairs]
        texts = [
            text
            for inside, each in (self._choices(node, scope) if deep else ())
            if not (isinstance(each, ast.Constant) and each.value is None)
            for text in self._texts(each, inside, deep - 1)
        ]
        return list(dict.fromkeys(texts)) or [FIELD]

    def _choices(self, node: ast.expr, scope: Function | None) -> list[tuple[Function | None, ast.expr]]:
        """What an expression is one of, each with the function that it stands in."""
        if isinstance(node, ast.IfExp):
            return [(scope, node.body), (scope, node.orelse)]
        if isinstance(node, ast.BoolOp):
            return [(scope, each) for each in node.values]
        if isinstance(node, ast.Name):
            bound = _bindings(scope.body) if scope else {}
            return [(scope, each) for each in bound.get(node.id) or self._top.get(node.id, [])]
        if isinstance(node, ast.Attribute):
            return [
                (each, value)
                for each in self._functions.values()
                for value in _bindings(each.body).get(ast.unparse(node), [])
            ]
        if isinstance(node, ast.Call) and _name(node) == "str" and len(node.args) == 1:
            return [(scope, node.args[0])]
        if isinstance(node, ast.Call) and _name(node) == "get" and len(node.args) == 2:
            return [(scope, node.args[1])]
        called = self._functions.get(_name(node)) if isinstance(node, ast.Call) else None
        if called is None or called.name in WORDS:
            return []
        return [(called, each.value) for each in ast.walk(called) if isinstance(each, ast.Return) and each.value]

    def _part(self, node: ast.expr, scope: Function | None, deep: int) -> list[str]:
        if not isinstance(node, ast.FormattedValue):
            return self._texts(node, scope, deep)
        if node.conversion != -1 or node.format_spec is not None:
            return [FIELD]
        found = self._texts(node.value, scope, deep)
        return found if all(map(_reads, found)) else [FIELD]


def _reads(text: str) -> bool:
    """Whether a part of a sentence has words that belong to it, rather than to the matter."""
    return not text or " " in text.strip(FIELD)


def _said(node: ast.AST, calls: dict[str, int]) -> ast.expr | None:
    """The sentence of a node that speaks: an argument of a call, or the second half of a pair `(code, sentence)`."""
    if isinstance(node, ast.Call):
        at = calls.get(_name(node))
        if at is None or len(node.args) <= at or any(isinstance(each, ast.Starred) for each in node.args):
            return None
        return node.args[at]
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and calls is ERRORS:
        code, text = node.elts
        if isinstance(code, ast.Constant) and code.value in STATUS and isinstance(text, ast.JoinedStr):
            return text
    return None


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _walk(node: ast.AST, scope: Function | None) -> Iterator[tuple[Function | None, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        inside = child if isinstance(child, Function) else scope
        yield inside, child
        yield from _walk(child, inside)


def _bindings(body: list[ast.stmt]) -> dict[str, list[ast.expr]]:
    """What each name of a body is bound to by `=` or `:=`."""
    found: dict[str, list[ast.expr]] = {}
    for node in (each for stmt in body if not isinstance(stmt, Function | ast.ClassDef) for each in ast.walk(stmt)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name | ast.Attribute):
                    found.setdefault(ast.unparse(target), []).append(node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for name, value in zip(target.elts, node.value.elts, strict=False):
                        found.setdefault(ast.unparse(name), []).append(value)
        elif isinstance(node, ast.NamedExpr):
            found.setdefault(node.target.id, []).append(node.value)
    return found
