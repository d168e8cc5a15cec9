"""Fields of frames and request bodies: one definition that validates, and that OpenAPI is printed from. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alonechat.errors import Rejected

_KINDS: dict[str, tuple[type, str]] = {
    "string": (str, "a string"),
    "integer": (int, "an integer"),
    "boolean": (bool, "true or false"),
    "array": (list, "an array"),
    "object": (dict, "an object"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its JSON kind, whether it must be there, and its bounds.

    `least` and `most` bound an integer's value, a string's length in code points, or an array's length. The items of an
    array are objects with the fields `items`, where these are given.
    `pattern` is printed into OpenAPI and enforced by the code that gives the field its meaning.
    """

    name: str
    kind: str = "string"
    required: bool = False
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    items: tuple[Field, ...] = ()

    def refusal(self, value: Any) -> str | None:
        """Why `value` is not allowed here: a sentence without a subject, or None when it is fine."""
        python, words = _KINDS[self.kind]
        if not isinstance(value, python) or (python is int and isinstance(value, bool)):
            return f"must be {words}, not {describe(value)}"
        if self.choices and value not in self.choices:
            return "must be one of " + ", ".join(self.choices)
        size = _size(value)
        unit = "" if python is int else " characters" if python is str else " items"
        if size is not None and self.least is not None and size < self.least:
            return f"must be at least {self.least}{unit}, not {size}"
        if size is not None and self.most is not None and size > self.most:
            return f"must be at most {self.most}{unit}, not {size}"
        return self._refused_item(value) if self.items and isinstance(value, list) else None

    def _refused_item(self, value: list[Any]) -> str | None:
        for at, item in enumerate(value):
            if not isinstance(item, dict):
                return f"must hold objects; number {at + 1} is {describe(item)}"
            try:
                check(self.items, item)
            except Rejected as refused:
                return f"number {at + 1}: {refused.text}"
        return None

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of this field."""
        found: dict[str, Any] = {"type": self.kind}
        low, high = {
            "integer": ("minimum", "maximum"),
            "string": ("minLength", "maxLength"),
            "array": ("minItems", "maxItems"),
        }.get(self.kind, ("", ""))
        if low and self.least is not None:
            found[low] = self.least
        if high and self.most is not None:
            found[high] = self.most
        if self.choices:
            found["enum"] = list(self.choices)
        if self.items:
            found["items"] = schema(self.items)
        if self.help:
            found["description"] = self.help
        return found


def _size(value: Any) -> int | None:
    """What `least` and `most` bound, if anything."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return len(value) if isinstance(value, (str, list)) else None


def describe(value: Any) -> str:
    """The JSON kind of a value, for an error: `null`, `a number`, `a string` …"""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a fraction"
    for python, words in _KINDS.values():
        if isinstance(value, python):
            return words
    return type(value).__name__


def check(fields: Sequence[Field], given: Mapping[str, Any], code: str = "bad_frame") -> None:
    """Raise `Rejected(code, …)` naming the first field that is missing or wrong. Absent and null mean the same."""
    for field in fields:
        value = given.get(field.name)
        if value is None:
            if field.required:
                raise Rejected(code, f"{field.name} is missing: it {requirement(field)}")
            continue
        why = field.refusal(value)
        if why:
            raise Rejected(code, f"{field.name} {why}")


def requirement(field: Field) -> str:
    """What a field has to be, for an error about its absence."""
    if field.choices:
        return "must be one of " + ", ".join(field.choices)
    return f"must be {_KINDS[field.kind][1]}"


def schema(fields: Sequence[Field]) -> dict[str, Any]:
    """The JSON Schema of an object with these fields."""
    found: dict[str, Any] = {"type": "object", "properties": {f.name: f.schema() for f in fields}}
    required = [f.name for f in fields if f.required]
    if required:
        found["required"] = required
    return found
