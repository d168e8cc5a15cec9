"""Sizes, docstrings and the handling of errors, as the house has them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.tree import Function, modules

FILE_LINES = 460
TEST_LINES = 600
FUNCTION_LINES = 75
SPEAKING_LINES = 12
"""A public method up to here may let its name and its types speak for it; functions and classes never do."""
ARGUMENTS = 6
"""With `self`; more than that is a record."""

OURS = modules("alonechat")
TOOLS = modules("tools")
TESTS = modules("tests")


def length(function: Function) -> int:
    """Lines of a function without its decorators and its docstring."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    doc = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - doc


def count(function: Function) -> int:
    """Arguments that a caller may give, `self` too."""
    arguments = function.args
    return len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)


def is_command(function: Function) -> bool:
    """Whether its arguments are a command's options, which Typer reads off the signature."""
    arguments = [*function.args.args, *function.args.kwonlyargs]
    annotations = (ast.unparse(each.annotation) for each in arguments if each.annotation is not None)
    return any("typer.Option" in text or "typer.Argument" in text for text in annotations)


def is_record(function: Function) -> bool:
    """Whether it is the `__init__` of a record: nothing but fields that are set."""
    sets = (each.targets for each in function.body if isinstance(each, ast.Assign))
    targets = [part for each in sets for target in each for part in getattr(target, "elts", [target])]
    plain = all(isinstance(each, ast.Assign) for each in function.body)
    return function.name == "__init__" and plain and all(isinstance(target, ast.Attribute) for target in targets)


def public(tree: ast.Module) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Public functions, classes and methods of public classes, with the name a person knows them by."""
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                methods = (each for each in node.body if isinstance(each, Function) and not each.name.startswith("_"))
                yield from ((f"{node.name}.{method.name}", method) for method in methods)


def overrides(tree: ast.Module) -> set[str]:
    """Methods whose contract stands elsewhere: in the class they inherit from, or in a Protocol of ours."""
    return {
        f"{node.name}.{method.name}"
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for method in node.body
        if isinstance(method, Function) and (method.name in PROMISED or (node.bases and not is_protocol(node)))
    }


def is_protocol(node: ast.ClassDef) -> bool:
    """Whether a class says what others keep."""
    return any(ast.unparse(base).partition("[")[0] in ("Protocol", "typing.Protocol") for base in node.bases)


def rows(tree: ast.Module) -> set[str]:
    """Functions that are rows of a table of their module: the table says what all of them do."""
    tables = (node.value for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign))
    values = (value for table in tables if isinstance(table, ast.Dict) for value in table.values)
    return {value.id for value in values if isinstance(value, ast.Name)}


PROMISED = {
    method.name
    for module in OURS
    for node in ast.walk(module.tree)
    if isinstance(node, ast.ClassDef) and is_protocol(node)
    for method in node.body
    if isinstance(method, Function)
}
"""The methods of our Protocols, which have their contract there, each or in groups under a comment; a class that keeps
a Protocol needn't name it."""


def test_files_are_short() -> None:
    long = [module for module in OURS + TOOLS if module.lines > FILE_LINES]
    long += [module for module in TESTS if module.lines > TEST_LINES]
    assert [f"{module.place()}: {module.lines} lines" for module in long] == []


def test_functions_are_short() -> None:
    long = [
        f"{module.place(function)} {function.name}: {length(function)} lines"
        for module in OURS + TOOLS
        for function in module.functions()
        if length(function) > FUNCTION_LINES and not is_command(function)
    ]
    assert long == []


def test_many_arguments_are_a_record() -> None:
    many = [
        f"{module.place(function)} {function.name}: {count(function)} arguments"
        for module in OURS + TOOLS
        for function in module.functions()
        if count(function) > ARGUMENTS and not is_command(function) and not is_record(function)
    ]
    assert many == []


def test_every_module_says_what_lives_in_it() -> None:
    silent = [module.place() for module in OURS + TOOLS + TESTS if not (ast.get_docstring(module.tree) or "").strip()]
    placeholders = [module.place() for module in OURS if "laceholder" in (ast.get_docstring(module.tree) or "")]
    assert silent + placeholders == []


def test_every_public_name_has_its_contract() -> None:
    silent = [
        f"{module.place(node)} {name}"
        for module in OURS
        for name, node in public(module.tree)
        if not ast.get_docstring(node)
        and name not in overrides(module.tree) | rows(module.tree)
        and ("." not in name or length(node) > SPEAKING_LINES)  # type: ignore[arg-type]
    ]
    assert silent == []


def test_no_fault_is_swallowed_whole() -> None:
    swallowed = [
        module.place(handler)
        for module in OURS + TOOLS + TESTS
        for handler in ast.walk(module.tree)
        if isinstance(handler, ast.ExceptHandler)
        and (handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException"))
        and all(isinstance(each, ast.Pass | ast.Continue) for each in handler.body)
    ]
    suppressed = [
        module.place(node)
        for module in OURS + TOOLS + TESTS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("suppress")
        and any(ast.unparse(argument) in ("Exception", "BaseException") for argument in node.args)
    ]
    assert swallowed + suppressed == []
