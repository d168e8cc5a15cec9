"""Schemathesis asks everything that the description allows and forbids: no 5xx, no answer that is not described."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
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
schema = schemathesis.openapi.from_dict(description())


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.person("fuzz").token


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_no_5xx_and_only_answers_that_are_described(case: Case, server: Server, token: str) -> None:
    if case.operation.definition.raw["operationId"] in ENDS_SIGN_INS:
        token = server.sign_in("fuzz").token
    if isinstance(case.query, dict) and "wait" in case.query:
        case.query["wait"] = 0  # nobody speaks here: each would wait its time out
    response = case.call(base_url=server.url, headers={"Authorization": f"Bearer {token}"})
    case.validate_response(response, checks=CHECKS)
