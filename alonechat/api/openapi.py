"""The OpenAPI 3.1 description, printed from the table. Pure."""

from __future__ import annotations

from functools import cache
from typing import Any

import alonechat
from alonechat.api.route import JSON, Row
from alonechat.api.schemas import BYTES, COMPONENTS, ref
from alonechat.api.table import TABLE
from alonechat.core import fields
from alonechat.core.fields import Field
from alonechat.errors import STATUS

_IN_PATH = {
    "id": Field("id", required=True, least=1, most=64, help="the id of a sign-in, or of a file"),
    "name": Field("name", required=True, least=1, most=32, help="a room's name, without #"),
    "secret": Field("secret", required=True, least=1, most=256, help="what the settings of the webhook name"),
}
_REASONS = {
    "bad_frame": "not JSON, or not an object; a file that came too slowly",
    "unauthorized": "no token, or one that does not hold; at sign-in: a wrong name or password",
    "forbidden": "no right to it",
    "not_found": "there is none, or none that you may know of",
    "conflict": "the name is taken; another message bears the file",
    "too_long": "the text, the body or the file is too long",
    "invalid": "a field or parameter is missing or wrong",
    "rate_limited": "too much at once; Retry-After says when to come again",
    "internal": "a fault of the server, logged under the request id that the message names",
    "unavailable": "the store can't answer now, or has no room; nothing was changed",
}
_ERROR = {JSON: {"schema": ref("Error")}}
PLAIN = "application/octet-stream"
_INTRODUCTION = """\
Everything that the WebSocket protocol can do for one who asks and waits for the answer. JSON in and out.

Sign in with `POST /login`, and send the token with each request: `Authorization: Bearer <token>`.
Absent and null mean the same. Errors are `{"error": {"code", "message"}}`.
`X-Request-Id` in an answer is the id under which the server's log knows the request."""


@cache
def description() -> dict[str, Any]:
    """The whole description. It is made once: whoever gets it must not change it."""
    paths: dict[str, dict[str, Any]] = {}
    for row in TABLE:
        paths.setdefault(row.path, {})[row.method.lower()] = operation(row)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AloneChat",
            "version": alonechat.__version__,
            "description": _INTRODUCTION,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": group} for group in dict.fromkeys(row.group for row in TABLE)],
        "paths": paths,
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def operation(row: Row) -> dict[str, Any]:
    """One endpoint."""
    found: dict[str, Any] = {
        "operationId": name_of(row),
        "summary": row.summary,
        "tags": [row.group],
        "security": [{"token": []}] if row.signed else [],
        "responses": {str(status): _good(row, status) for status in row.answers} | _bad(row),
    }
    parameters = [_parameter(_IN_PATH[name], "path") for name in row.parameters]
    parameters += [_parameter(each, "query") for each in row.query]
    if parameters:
        found["parameters"] = parameters
    if row.body is not None:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": body_schema(row.body)}}}
    if row.raw:
        found["requestBody"] = {"required": True, "content": {PLAIN: {"schema": BYTES}}}
    for status, why in row.also.items():
        found["responses"][str(status)] = {"description": why} | ({"content": _ERROR} if status >= 400 else {})
    return found


def name_of(row: Row) -> str:
    """A name for programs that write clients: `get_me_sessions`."""
    words = row.path.replace("{", "").replace("}", "").replace(".", "_").strip("/").replace("/", "_")
    return f"{row.method.lower()}_{words}"


def body_schema(known: tuple[Field, ...]) -> dict[str, Any]:
    """The schema of a body. A field that may be absent may be null as well, which means the same."""
    found = fields.schema(known)
    for each in known:
        if not each.required:
            schema = found["properties"][each.name]
            schema["type"] = [schema["type"], "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
    return found


def _parameter(field: Field, place: str) -> dict[str, Any]:
    schema = field.schema()
    words = schema.pop("description", "")
    found = {"name": field.name, "in": place, "required": field.required, "schema": schema}
    return {**found, "description": words} if words else found


def _good(row: Row, status: int) -> dict[str, Any]:
    return {"description": row.summary, "content": {row.media: {"schema": row.answers[status]}}}


def _bad(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for code in row.refusals:
        said = found.setdefault(str(STATUS[code]), {"description": "", "content": _ERROR})
        said["description"] += f"{'; ' if said['description'] else ''}`{code}`: {_REASONS[code]}"
        if code == "rate_limited":
            said["headers"] = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
    return found
