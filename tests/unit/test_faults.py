from __future__ import annotations

from typing import Any

import pytest

from lago_mock.contract.fields import Field
from lago_mock.contract.operation import Operation
from lago_mock.faults import Fault, Faults, Outcome, misnamed
from lago_mock.wire import JSONObject

CREATE_PATH = "/api/v1/customers"


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


def fault(description: JSONObject) -> Fault:
    return Faults().add("f-1", description)


# Which requests meet a fault


@pytest.mark.parametrize(
    ("description", "meets"),
    [
        pytest.param({}, True, id="nothing said"),
        pytest.param({"operation": "*"}, True, id="any operation"),
        pytest.param({"operation": "createCustomer"}, True, id="its operation"),
        pytest.param({"operation": "findCustomer"}, False, id="another operation"),
        pytest.param({"operation": ["findTax", "createCustomer"]}, True, id="one of several"),
        pytest.param({"operation": ["findTax"]}, False, id="none of several"),
        pytest.param({"operation": ["findTax", "*"]}, True, id="any, in a list"),
        pytest.param({"operation": "create"}, False, id="part of its name"),
        pytest.param({"method": "POST"}, True, id="its method"),
        pytest.param({"method": "GET"}, False, id="another method"),
        pytest.param({"path": CREATE_PATH}, True, id="its path"),
        pytest.param({"path": "/api/v1/*"}, True, id="glob"),
        pytest.param({"path": "/*/v1/*s"}, True, id="glob of two stars"),
        pytest.param({"path": "/api/v1/customer?"}, False, id="question mark is no glob"),
        pytest.param({"path": "/api/v1/[c]ustomers"}, False, id="bracket is no glob"),
        pytest.param({"path": "/api/v1.customers"}, False, id="dot is a dot"),
        pytest.param({"path": "*customers"}, True, id="glob over slashes"),
        pytest.param({"path": "/api/v1/Customers"}, False, id="other case"),
        pytest.param({"path": "/customers"}, False, id="part of its path"),
        pytest.param({"method": "POST", "path": "/health"}, False, id="method but not path"),
        pytest.param({"operation": "createCustomer", "method": "PUT"}, False, id="not its method"),
    ],
)
def test_fault_is_met_by_what_it_describes(description: JSONObject, meets: bool) -> None:
    assert fault(description).matches(CREATE, "POST", CREATE_PATH) is meets


@pytest.mark.parametrize(
    ("wanted", "meets"),
    [
        pytest.param(None, True, id="nothing said"),
        pytest.param("*", True, id="any"),
        pytest.param("createCustomer", False, id="one"),
        pytest.param(["createCustomer"], False, id="several"),
    ],
)
def test_request_without_an_operation_meets_faults_that_name_none(
    wanted: object, meets: bool
) -> None:
    description = {} if wanted is None else {"operation": wanted}
    assert fault(description).matches(None, "GET", "/nowhere") is meets


@pytest.mark.parametrize(
    ("times", "meetings"),
    [
        pytest.param({}, [True, False, False, False], id="once by default"),
        pytest.param({"times": 3}, [True, True, True, False], id="three times"),
        pytest.param({"times": None}, [True, True, True, True], id="always"),
    ],
)
def test_fault_is_met_as_often_as_it_says(times: JSONObject, meetings: list[bool]) -> None:
    faults = Faults()
    armed = faults.add("f-1", times)
    met = [faults.take(CREATE, "POST", CREATE_PATH) for _ in range(4)]
    assert met == [armed if meeting else None for meeting in meetings]
    assert armed.hits == sum(meetings)


def test_star_stands_for_line_breaks_too() -> None:
    assert fault({"path": "/api/*"}).matches(None, "GET", "/api/a\nb")


def test_oldest_fault_that_matches_is_taken() -> None:
    faults = Faults()
    faults.add("other", {"operation": "findTax"})
    first, second = faults.add("first", {}), faults.add("second", {})
    assert faults.take(CREATE, "POST", CREATE_PATH) is first
    assert faults.take(CREATE, "POST", CREATE_PATH) is second
    assert faults.take(CREATE, "POST", CREATE_PATH) is None


def test_fault_is_shown_with_what_it_was_told_and_its_counts() -> None:
    faults = Faults()
    armed = faults.add("f-1", {"operation": "*", "error": "forbidden", "times": 2})
    faults.take(None, "GET", "/")
    assert armed.shown() == {
        "id": "f-1",
        "operation": "*",
        "error": "forbidden",
        "times": 2,
        "hits": 1,
        "remaining": 1,
    }


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        pytest.param({}, (1, 0, 1), id="default"),
        pytest.param({"times": None}, (None, 0, None), id="always"),
    ],
)
def test_times_is_shown_also_when_it_was_not_said(times: JSONObject, shown: object) -> None:
    found = fault(times).shown()
    assert (found["times"], found["hits"], found["remaining"]) == shown


def test_faults_are_kept_in_order_until_they_are_removed() -> None:
    faults = Faults()
    one, two = faults.add("1", {}), faults.add("2", {})
    assert list(faults) == [one, two]
    assert faults.get("1") is one
    faults.remove("1")
    assert faults.get("1") is None
    assert list(faults) == [two]
    faults.clear()
    assert list(faults) == []


def test_fault_that_is_used_up_is_still_there() -> None:
    faults = Faults()
    armed = faults.add("f-1", {})
    faults.take(None, "GET", "/")
    assert faults.get("f-1") is armed


# What a request that meets one sees


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
    outcome = fault({"error": error}).outcome(CREATE)
    assert (outcome.status, outcome.body) == (status, {"status": status, "error": phrase})
    assert (outcome.delay_seconds, outcome.hangs) == (0, False)


def test_rate_limit_tells_when_to_come_back() -> None:
    outcome = fault({"error": "too_many_requests", "headers": {"x-a": "b"}}).outcome(CREATE)
    assert outcome.headers == {
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1",
        "x-a": "b",
    }


def test_other_errors_have_the_headers_that_the_fault_names_alone() -> None:
    assert fault({"error": "bad_gateway"}).outcome(CREATE).headers == {}
    named = fault({"error": "bad_gateway", "headers": {"retry-after": "2"}}).outcome(CREATE)
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
    body = fault(description).outcome(met_by).body
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
    outcome = fault({"error": "validation_errors"} | described).outcome(met_by)
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
            {"status": 302, "headers": {"location": "/"}, "body": "moved", "delay_ms": 1500},
            Outcome(302, {"location": "/"}, "moved", 1.5),
        ),
        pytest.param({}, Outcome()),
        pytest.param({"delay_ms": 250}, Outcome(delay_seconds=0.25)),
        pytest.param({"connection": "HANG"}, Outcome(hangs=True)),
        pytest.param(
            {"connection": "HANG", "delay_ms": 10}, Outcome(delay_seconds=0.01, hangs=True)
        ),
        pytest.param(
            {"error": "bad_gateway", "delay_ms": 5},
            Outcome(502, {}, {"status": 502, "error": "Bad Gateway"}, 0.005),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_outcome_is_what_the_fault_describes(description: JSONObject, outcome: Outcome) -> None:
    assert fault(description).outcome(CREATE) == outcome


# Operations that no document has


@pytest.mark.parametrize(
    ("description", "unknown"),
    [
        pytest.param({}, [], id="none named"),
        pytest.param({"operation": "*"}, [], id="all"),
        pytest.param({"operation": "findTax"}, [], id="known"),
        pytest.param({"operation": "findTaxes"}, ["findTaxes"], id="unknown"),
        pytest.param(
            {"operation": ["*", "findTaxes", "findTax", "x"]}, ["findTaxes", "x"], id="several"
        ),
    ],
)
def test_misnamed_operations_are_told(description: JSONObject, unknown: list[str]) -> None:
    assert misnamed(description, {"findTax": None}) == unknown
