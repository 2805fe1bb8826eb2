from __future__ import annotations

from random import Random
from typing import Any

import pytest

from lago_mock.contract.fields import Field
from lago_mock.contract.operation import Operation
from lago_mock.outcomes import Outcome, contradictions, happens, outcome_of
from lago_mock.wire import JSONObject


def operation(
    operation_id: str = "createCustomer", scopes: tuple[str, ...] = ("customer:write",), **rest: Any
) -> Operation:
    description = {"responses": rest.pop("responses", {})}
    return Operation(operation_id, "POST", "/customers", (), scopes, description, **rest)


CREATE = operation(
    root="customer",
    fields=Field(
        "",
        "object",
        {"customer": Field("customer", "object", {"name": Field("name")}, required=("id", "name"))},
    ),
    responses={
        "404": {
            "content": {
                "application/json": {"examples": {"a": {"value": {"code": "tax_not_found"}}}}
            }
        }
    },
)


def met(described: JSONObject, operation: Operation | None = CREATE) -> Outcome:
    return outcome_of(described, operation, Random(1))


@pytest.mark.parametrize(
    ("error", "status", "phrase"),
    [
        ("unauthorized", 401, "Unauthorized"),
        ("too_many_requests", 429, "Too Many Requests"),
        ("internal_server_error", 500, "Internal Server Error"),
        ("bad_gateway", 502, "Bad Gateway"),
        ("service_unavailable", 503, "Service Unavailable"),
        ("gateway_timeout", 504, "Gateway Timeout"),
    ],
)
def test_named_error_has_its_status_and_phrase(error: str, status: int, phrase: str) -> None:
    outcome = met({"error": error})
    assert (outcome.status, outcome.body) == (status, {"status": status, "error": phrase})
    assert (outcome.delay_seconds, outcome.hangs) == (0, False)


def test_rate_limit_tells_when_to_come_back() -> None:
    outcome = met({"error": "too_many_requests", "headers": {"x-a": "b"}})
    assert outcome.headers == {
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1",
        "x-a": "b",
    }


def test_rate_limit_is_what_the_fault_says_in_any_case() -> None:
    headers = {"X-RateLimit-Reset": "0", "x-ratelimit-limit": "500"}
    assert met({"error": "too_many_requests", "headers": headers}).headers == {
        "x-ratelimit-limit": "500",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "0",
    }


def test_other_errors_have_the_headers_that_the_fault_names_alone() -> None:
    assert met({"error": "bad_gateway"}).headers == {}
    named = met({"error": "bad_gateway", "headers": {"retry-after": "2"}})
    assert named.headers == {"retry-after": "2"}


def without_code(example: object) -> Operation:
    content = {"application/json": {"example": example}}
    return operation(responses={"404": {"content": content}})


@pytest.mark.parametrize(
    ("error", "code", "met_by", "said"),
    [
        pytest.param("not_found", None, CREATE, "tax_not_found", id="404 of the operation"),
        pytest.param("not_found", "mine", CREATE, "mine", id="404 of the fault"),
        pytest.param("not_found", None, operation(), "resource_not_found", id="no 404"),
        pytest.param("not_found", None, None, "resource_not_found", id="404, no operation"),
        pytest.param(
            "not_found", None, without_code({"x": 1}), "resource_not_found", id="404 without a code"
        ),
        pytest.param(
            "not_found", None, without_code("gone"), "resource_not_found", id="404 of text"
        ),
        pytest.param(
            "forbidden",
            None,
            CREATE,
            "write_action_not_allowed_for_customer",
            id="403 of the operation",
        ),
        pytest.param("forbidden", "feature_unavailable", CREATE, "feature_unavailable", id="403"),
        pytest.param(
            "forbidden",
            None,
            operation(scopes=("tax:read", "plan:write")),
            "read_action_not_allowed_for_tax",
            id="403 of the first scope",
        ),
        pytest.param(
            "forbidden",
            None,
            operation(scopes=()),
            "write_action_not_allowed_for_organization",
            id="403, no scope",
        ),
        pytest.param(
            "forbidden",
            None,
            None,
            "write_action_not_allowed_for_organization",
            id="403, no operation",
        ),
    ],
)
def test_named_error_takes_the_code_of_the_fault_or_of_the_operation(
    error: str, code: str | None, met_by: Operation | None, said: str
) -> None:
    description = {"error": error} | ({"code": code} if code else {})
    body = met(description, met_by).body
    assert isinstance(body, dict)
    assert body["code"] == said


@pytest.mark.parametrize(
    ("described", "met_by", "details"),
    [
        pytest.param(
            {"details": {"currency": ["value_is_invalid"]}},
            CREATE,
            {"currency": ["value_is_invalid"]},
            id="of the fault",
        ),
        pytest.param({"details": {}}, CREATE, {}, id="none, as the fault says"),
        pytest.param({}, CREATE, {"id": ["value_is_mandatory"]}, id="first required field"),
        pytest.param({}, operation(), {"base": ["value_is_mandatory"]}, id="no body"),
        pytest.param({}, None, {"base": ["value_is_mandatory"]}, id="no operation"),
    ],
)
def test_validation_errors_blame_a_field(
    described: JSONObject, met_by: Operation | None, details: JSONObject
) -> None:
    outcome = met({"error": "validation_errors"} | described, met_by)
    assert outcome.status == 422
    assert outcome.body == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }


@pytest.mark.parametrize(
    ("description", "outcome"),
    [
        pytest.param(
            {"status": 503}, Outcome(503, {}, {"status": 503, "error": "Service Unavailable"})
        ),
        pytest.param(
            {"status": 422}, Outcome(422, {}, {"status": 422, "error": "Unprocessable Entity"})
        ),
        pytest.param({"status": 599}, Outcome(599, {}, {"status": 599, "error": "Unknown"})),
        pytest.param({"status": 200, "body": {"a": 1}}, Outcome(200, {}, {"a": 1})),
        pytest.param({"status": 200, "body": None}, Outcome(200, {}, None)),
        pytest.param({"status": 200, "body": ""}, Outcome(200, {}, "")),
        pytest.param(
            {"status": 302, "headers": {"Location": "/"}, "body": "moved", "delay_ms": 1500},
            Outcome(302, {"location": "/"}, "moved", 1.5),
        ),
        pytest.param({}, Outcome()),
        pytest.param({"delay_ms": 250}, Outcome(delay_seconds=0.25)),
        pytest.param({"connection": "HANG"}, Outcome(connection="HANG")),
        pytest.param(
            {"connection": "EMPTY_RESPONSE", "delay_ms": 10, "when": "after"},
            Outcome(delay_seconds=0.01, connection="EMPTY_RESPONSE", after=True),
        ),
        pytest.param(
            {"error": "bad_gateway", "when": "after"},
            Outcome(502, {}, {"status": 502, "error": "Bad Gateway"}, after=True),
        ),
        pytest.param({"status": 200, "body": 1, "when": "before"}, Outcome(200, {}, 1)),
        pytest.param(
            {"error": "bad_gateway", "delay_ms": 5},
            Outcome(502, {}, {"status": 502, "error": "Bad Gateway"}, 0.005),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_outcome_is_what_the_fault_describes(description: JSONObject, outcome: Outcome) -> None:
    assert met(description) == outcome


def test_status_that_was_written_with_a_fraction_is_whole() -> None:
    outcome = met({"status": 503.0})
    assert type(outcome.status) is int
    assert outcome.body == {"status": 503, "error": "Service Unavailable"}


def test_delay_between_two_is_left_to_chance() -> None:
    random = Random(1)
    described = {"delay_ms": {"min": 100, "max": 200}}
    found = [outcome_of(described, None, random).delay_seconds for _ in range(9)]
    assert len(set(found)) == 9
    assert all(0.1 <= each <= 0.2 for each in found)


def test_outcome_names_the_fault_that_it_comes_from() -> None:
    assert outcome_of({}, None, Random(1), "f-1").fault_id == "f-1"


@pytest.mark.parametrize(
    ("connection", "hangs"), [("HANG", True), ("EMPTY_RESPONSE", False), (None, False)]
)
def test_only_one_kind_of_connection_hangs(connection: str | None, hangs: bool) -> None:
    assert Outcome(connection=connection).hangs is hangs


# What cannot happen


@pytest.mark.parametrize(
    ("described", "something"),
    [
        ({"error": "forbidden"}, True),
        ({"status": 503}, True),
        ({"connection": "HANG"}, True),
        ({"delay_ms": 0}, True),
        ({}, False),
        ({"code": "a", "details": {}, "headers": {}, "body": 1, "when": "after"}, False),
    ],
)
def test_something_happens_by_error_status_connection_or_delay(
    described: JSONObject, something: bool
) -> None:
    assert happens(described) is something


@pytest.mark.parametrize(
    "described",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"error": "forbidden", "code": "a", "headers": {"x-a": "b"}}, id="forbidden"),
        pytest.param({"error": "not_found", "code": "a"}, id="not found"),
        pytest.param({"error": "validation_errors", "details": {}}, id="details"),
        pytest.param({"error": "bad_gateway", "when": "after", "delay_ms": 1}, id="after"),
        pytest.param({"status": 503, "headers": {}, "body": None, "when": "after"}, id="free"),
        pytest.param({"status": 204}, id="204"),
        pytest.param({"status": 304, "body": ""}, id="304, empty body"),
        pytest.param({"connection": "HANG", "delay_ms": 1, "when": "after"}, id="connection"),
        pytest.param({"delay_ms": 1, "when": "before"}, id="delay"),
        pytest.param({"delay_ms": {"min": 1, "max": 1}}, id="delay between equals"),
        pytest.param({"status": 200, "headers": {"X-A": "\té", "x-b": ""}}, id="odd headers"),
    ],
)
def test_outcome_that_can_be_has_no_contradiction(described: JSONObject) -> None:
    assert list(contradictions(described)) == []


CODES = "only forbidden and not_found have one"
DETAILS = "only validation_errors has them"
NO_ANSWER = "a connection that breaks carries no answer"


@pytest.mark.parametrize(
    ("described", "found"),
    [
        pytest.param(
            {"error": "forbidden", "status": 403, "body": {}},
            [
                ("status", "an error by name has its own status"),
                ("body", "an error by name has its own body"),
            ],
            id="error and a free answer",
        ),
        pytest.param(
            {"status": 204, "body": {}},
            [("body", "an answer of this status has no body")],
            id="204",
        ),
        pytest.param(
            {"status": 304, "body": None},
            [("body", "an answer of this status has no body")],
            id="304",
        ),
        pytest.param(
            {"delay_ms": 1, "body": {}, "headers": {"a": "b"}},
            [
                ("body", "say the status of the answer"),
                ("headers", "say error or status of the answer"),
            ],
            id="answer without a status",
        ),
        pytest.param({"error": "bad_gateway", "code": "a"}, [("code", CODES)], id="code of 502"),
        pytest.param(
            {"error": "validation_errors", "code": "a"}, [("code", CODES)], id="code of 422"
        ),
        pytest.param({"status": 403, "code": "a"}, [("code", CODES)], id="code of a free answer"),
        pytest.param(
            {"error": "forbidden", "details": {}}, [("details", DETAILS)], id="details of 403"
        ),
        pytest.param({"status": 422, "details": {}}, [("details", DETAILS)], id="free details"),
        pytest.param(
            {"connection": "HANG", "error": "forbidden"},
            [("connection", NO_ANSWER)],
            id="connection and error",
        ),
        pytest.param(
            {"connection": "HANG", "status": 503},
            [("connection", NO_ANSWER)],
            id="connection and status",
        ),
        pytest.param(
            {"connection": "HANG", "headers": {}},
            [("connection", NO_ANSWER)],
            id="connection and headers",
        ),
        pytest.param(
            {"connection": "HANG", "body": 1}, [("connection", NO_ANSWER)], id="connection and body"
        ),
        pytest.param(
            {"delay_ms": 1, "when": "after"},
            [("when", "say what takes the place of the answer: error, status or connection")],
            id="nothing after",
        ),
        pytest.param(
            {"delay_ms": {"min": 2, "max": 1}},
            [("delay_ms", "min is greater than max")],
            id="backwards",
        ),
        *(
            pytest.param(
                {"status": 503, "headers": {name: value}},
                [("headers", f"{name!r} cannot be sent")],
                id=f"header {name!r}",
            )
            for name, value in {
                "Content-Length": "1",
                "transfer-encoding": "chunked",
                "connection": "close",
                "x y": "1",
                "": "1",
                "x-a": "b\r\nc: d",
                "x-b": "\u20ac",
            }.items()
        ),
        pytest.param(
            {"code": "a", "details": {}, "delay_ms": {"min": 2, "max": 1}, "when": "after"},
            [
                ("code", CODES),
                ("details", DETAILS),
                ("when", "say what takes the place of the answer: error, status or connection"),
                ("delay_ms", "min is greater than max"),
            ],
            id="several",
        ),
    ],
)
def test_word_that_means_nothing_beside_others_is_a_contradiction(
    described: JSONObject, found: list[tuple[str, str]]
) -> None:
    assert list(contradictions(described)) == found
