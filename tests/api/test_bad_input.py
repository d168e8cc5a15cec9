"""Schemathesis asks everything that the description allows and forbids: no 5xx, no answer that is not described."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from alonechat.api.app import create_app  # noqa: F401 - the description that is asked for is the one of this package
from alonechat.api.openapi import description

from .conftest import Server

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
ENDS_SIGN_INS = {"post_logout", "post_renew"}
OPERATIONS = [each.ok() for each in schemathesis.openapi.from_dict(description()).get_all_operations()]


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.person("fuzz").token


# By pytest's own parameters, so that each operation is a test with a name of its own (schema.parametrize names none).
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
@given(data=st.data())
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_no_5xx_and_only_answers_that_are_described(
    operation: APIOperation, data: st.DataObject, server: Server, token: str
) -> None:
    case = data.draw(operation.as_strategy())
    if case.operation.definition.raw["operationId"] in ENDS_SIGN_INS:
        token = server.sign_in("fuzz").token
    if isinstance(case.query, dict) and "wait" in case.query:
        case.query["wait"] = 0  # nobody speaks here: each would wait its time out
    response = case.call(base_url=server.url, headers={"Authorization": f"Bearer {token}"})
    case.validate_response(response, checks=CHECKS)
