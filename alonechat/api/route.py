"""What a row of the table of endpoints is, and the answers that handlers give."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from alonechat.core.fields import Field
from alonechat.errors import STATUS

if TYPE_CHECKING:
    from alonechat.api.call import Call

Schema = Mapping[str, Any]
"""A JSON Schema."""
JSON = "application/json"

_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint: what validates it, what describes it, and who runs it.

    `body` and `query` are checked before `run` is called; with `body` None none is read. `answers` are the good ones,
    by status; `errors` the codes that are this endpoint's own: what its kind brings along, `refusals` adds. `form`: the
    body may also be a form whose field `payload` holds the JSON. `raw`: the body is a file, which `run` reads. `also`:
    further statuses that HTTP itself has, and when they come.
    """

    method: str
    path: str
    run: Callable[[Call], Awaitable[Response]]
    summary: str
    group: str
    answers: Mapping[int, Schema]
    body: tuple[Field, ...] | None = None
    query: tuple[Field, ...] = ()
    errors: tuple[str, ...] = ()
    signed: bool = True
    media: str = JSON
    form: bool = False
    raw: bool = False
    also: Mapping[int, str] = field(default_factory=dict)

    @property
    def parameters(self) -> list[str]:
        """The names in braces in the path, in order."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def refusals(self) -> list[str]:
        """Every error code that this endpoint can answer with, in the order of `errors.STATUS`."""
        found = {*self.errors, "internal"}
        if self.signed:
            found |= {"unauthorized", "forbidden", "unavailable"}
        if self.body is not None:
            found |= {"bad_frame", "invalid", "too_long", "unavailable"}
        if self.query:
            found |= {"invalid"}
        if self.raw:
            found |= {"bad_frame", "too_long"}
        return [code for code in STATUS if code in found]


def answer(body: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON answer. What is None at the top is left out, as on the wire."""
    text = _dumps({name: value for name, value in body.items() if value is not None})
    return Response(text, status, media_type=JSON)


def problem(code: str, text: str, status: int | None = None, needs: str | None = None) -> Response:
    """The answer of a refusal. `needs`: the field that was missing or wrong where all others were right."""
    error = {"code": code, "message": text, **({"needs": needs} if needs else {})}
    return answer({"error": error}, status or STATUS[code])
