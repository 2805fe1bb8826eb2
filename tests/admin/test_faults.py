from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from lago_mock.contract.operation import Operation
from tests.unmocked import READ, WRITE

KEY = {"Authorization": "Bearer lago-mock-key"}
CUSTOMER = {"customer": {"external_id": "a"}}
EVERY_CALL = {"operation": "*", "error": "bad_gateway", "times": None}
WAITS = 5.0
"""Seconds after which a test gives up on a server that does not do what it should."""


def armed(admin: httpx.Client, **fault: object) -> dict[str, Any]:
    response = admin.post("/faults", json=fault)
    assert response.status_code == 200, response.text
    shown: dict[str, Any] = response.json()
    return shown


def shown(admin: httpx.Client, fault: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = admin.get(f"/faults/{fault['id']}").json()
    return found


def statuses(client: httpx.Client, count: int, path: str = "/customers") -> list[int]:
    return [client.get(path).status_code for _ in range(count)]


def invalid(**details: list[str]) -> dict[str, object]:
    return {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }


PLAIN = [
    ("unauthorized", 401, "Unauthorized"),
    ("too_many_requests", 429, "Too Many Requests"),
    ("internal_server_error", 500, "Internal Server Error"),
    ("bad_gateway", 502, "Bad Gateway"),
    ("service_unavailable", 503, "Service Unavailable"),
    ("gateway_timeout", 504, "Gateway Timeout"),
]


@pytest.mark.parametrize(("error", "status", "text"), PLAIN)
def test_an_error_by_name_has_lagos_body(
    client: httpx.Client, admin: httpx.Client, error: str, status: int, text: str
) -> None:
    armed(admin, operation="createCustomer", error=error)

    response = client.post("/customers", json=CUSTOMER)

    assert response.status_code == status
    assert response.content == f'{{"status":{status},"error":"{text}"}}'.encode()
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert client.get("/customers").json()["meta"]["total_count"] == 0


def test_too_many_requests_says_when_to_come_again(
    client: httpx.Client, admin: httpx.Client
) -> None:
    armed(admin, operation="findOrganization", error="too_many_requests")

    headers = client.get("/organizations").headers

    limits = {name: value for name, value in headers.items() if name.startswith("x-ratelimit-")}
    assert limits == {
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1",
    }


def test_headers_of_an_error_by_name_can_be_changed(
    client: httpx.Client, admin: httpx.Client
) -> None:
    armed(
        admin,
        operation="findOrganization",
        error="too_many_requests",
        headers={"x-ratelimit-reset": "0", "Retry-After": "3"},
    )

    response = client.get("/organizations")

    assert response.status_code == 429
    assert response.headers.get_list("x-ratelimit-reset") == ["0"]
    assert response.headers["retry-after"] == "3"


REQUESTS = {
    "createCustomer": ("POST", "/customers"),
    "findAllCustomers": ("GET", "/customers"),
    "findCustomer": ("GET", "/customers/a"),
    "destroyCustomer": ("DELETE", "/customers/a"),
    "findOrganization": ("GET", "/organizations"),
    "updateOrganization": ("PUT", "/organizations"),
    "findTax": ("GET", "/taxes/vat"),
    "createTax": ("POST", "/taxes"),
}


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("createCustomer", "write_action_not_allowed_for_customer"),
        ("findAllCustomers", "read_action_not_allowed_for_customer"),
        ("destroyCustomer", "write_action_not_allowed_for_customer"),
        ("findOrganization", "read_action_not_allowed_for_organization"),
        ("updateOrganization", "write_action_not_allowed_for_organization"),
        ("findTax", "read_action_not_allowed_for_tax"),
    ],
)
def test_forbidden_names_the_operations_permission(
    client: httpx.Client, admin: httpx.Client, operation: str, code: str
) -> None:
    armed(admin, operation=operation, error="forbidden")

    response = client.request(*REQUESTS[operation])

    expected = {"status": 403, "error": "Forbidden", "code": code}
    assert (response.status_code, response.json()) == (403, expected)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("findCustomer", "customer_not_found"),
        ("destroyCustomer", "customer_not_found"),
        ("createCustomer", "billing_entity_not_found"),
        ("findTax", "tax_not_found"),
        ("findOrganization", "resource_not_found"),
    ],
)
def test_not_found_has_the_operations_own_code(
    client: httpx.Client, admin: httpx.Client, operation: str, code: str
) -> None:
    armed(admin, operation=operation, error="not_found")

    response = client.request(*REQUESTS[operation])

    expected = {"status": 404, "error": "Not Found", "code": code}
    assert (response.status_code, response.json()) == (404, expected)


@pytest.mark.parametrize(
    ("operation", "field"),
    [("createCustomer", "external_id"), ("createTax", "name"), ("findCustomer", "base")],
)
def test_validation_errors_blame_the_first_required_field(
    client: httpx.Client, admin: httpx.Client, operation: str, field: str
) -> None:
    armed(admin, operation=operation, error="validation_errors")

    response = client.request(*REQUESTS[operation], json=CUSTOMER)

    assert response.status_code == 422
    assert response.json() == invalid(**{field: ["value_is_mandatory"]})


@pytest.mark.parametrize(
    ("error", "more", "body"),
    [
        pytest.param(
            "forbidden",
            {"code": "feature_unavailable"},
            b'{"status":403,"error":"Forbidden","code":"feature_unavailable"}',
            id="code of forbidden",
        ),
        pytest.param(
            "not_found",
            {"code": "tax_not_found"},
            b'{"status":404,"error":"Not Found","code":"tax_not_found"}',
            id="code of not found",
        ),
        pytest.param(
            "validation_errors",
            {"details": {"currency": ["value_is_invalid"], "name": ["a", "b"]}},
            b'{"status":422,"error":"Unprocessable Entity","code":"validation_errors",'
            b'"error_details":{"currency":["value_is_invalid"],"name":["a","b"]}}',
            id="details",
        ),
    ],
)
def test_code_and_details_can_be_told(
    client: httpx.Client, admin: httpx.Client, error: str, more: dict[str, object], body: bytes
) -> None:
    armed(admin, operation="createCustomer", error=error, **more)

    assert client.post("/customers", json=CUSTOMER).content == body


@pytest.mark.parametrize(
    ("free", "status", "body"),
    [
        ({"status": 503}, 503, b'{"status":503,"error":"Service Unavailable"}'),
        ({"status": 422}, 422, b'{"status":422,"error":"Unprocessable Entity"}'),
        ({"status": 599}, 599, b'{"status":599,"error":"Unknown"}'),
        ({"status": 503, "body": {"a": ["<"]}}, 503, b'{"a":["\\u003c"]}'),
        ({"status": 503, "body": [1, 2]}, 503, b"[1,2]"),
        ({"status": 503, "body": None}, 503, b"null"),
        ({"status": 503, "body": "out of order é"}, 503, "out of order é".encode()),
        ({"status": 503, "body": ""}, 503, b""),
        ({"status": 200, "body": {"customers": []}}, 200, b'{"customers":[]}'),
    ],
)
def test_a_free_answer_is_sent_as_it_was_told(
    client: httpx.Client, admin: httpx.Client, free: dict[str, object], status: int, body: bytes
) -> None:
    armed(admin, operation="findAllCustomers", **free)

    response = client.get("/customers")

    assert (response.status_code, response.content) == (status, body)
    assert response.headers["content-type"] == "application/json; charset=utf-8"


def test_headers_of_a_free_answer_go_before_the_usual_ones(
    client: httpx.Client, admin: httpx.Client
) -> None:
    headers = {"Content-Type": "text/plain", "Retry-After": "2", "Cache-Control": "max-age=5"}
    armed(admin, operation="findAllCustomers", status=503, headers=headers, body="closed")

    response = client.get("/customers")

    assert response.text == "closed"
    assert response.headers.get_list("content-type") == ["text/plain"]
    assert response.headers.get_list("retry-after") == ["2"]
    assert response.headers.get_list("cache-control") == ["max-age=5"]
    assert "x-request-id" in response.headers


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_content_spoils_no_connection(
    client: httpx.Client, admin: httpx.Client, status: int
) -> None:
    armed(admin, operation="findAllCustomers", status=status)

    response = client.get("/customers")

    assert (response.status_code, response.content) == (status, b"")
    assert client.get("/customers").status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"operation": "findAllCustomers"}, id="operation"),
        pytest.param({"operation": ["createTax", "findAllCustomers"]}, id="list"),
        pytest.param({"operation": "*"}, id="all operations"),
        pytest.param({"method": "GET"}, id="method"),
        pytest.param({"path": "/api/v1/customers"}, id="path"),
        pytest.param({"path": "*customers"}, id="glob in front"),
        pytest.param({"path": "/api/*"}, id="glob behind"),
        pytest.param({"path": "/*/v1/c*s"}, id="two globs"),
        pytest.param({"method": "GET", "path": "/api/v1/c*"}, id="method and glob"),
        pytest.param({"operation": "*", "method": "GET"}, id="operation and method"),
        pytest.param({"method": ["GET", "POST"]}, id="two methods"),
        pytest.param({"operation": "*", "match": {"headers": {"Accept": "*"}}}, id="headers"),
        pytest.param({"operation": "*", "match": {"query": {"page": None}}}, id="query"),
        pytest.param({"operation": "*", "match": {"body": None}}, id="body"),
    ],
)
def test_a_request_meets_a_fault_that_names_it(
    client: httpx.Client, admin: httpx.Client, fault: dict[str, object]
) -> None:
    armed(admin, **fault, error="bad_gateway")

    assert statuses(client, 2) == [502, 200]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"operation": "findCustomer"}, id="operation"),
        pytest.param({"operation": ["createCustomer", "createTax"]}, id="list"),
        pytest.param({"method": "POST"}, id="method"),
        pytest.param({"path": "/api/v1/customers/*"}, id="glob"),
        pytest.param({"path": "/api/v1/taxes"}, id="other path"),
        pytest.param({"path": "/api/v1/*S"}, id="case"),
        pytest.param({"method": "POST", "path": "/api/v1/customers"}, id="path, other method"),
        pytest.param({"operation": "*", "match": {"headers": {"x-a": "*"}}}, id="headers"),
        pytest.param({"operation": "*", "match": {"query": {"page": "*"}}}, id="query"),
        pytest.param({"operation": "*", "match": {"body": {}}}, id="body"),
    ],
)
def test_a_request_passes_a_fault_that_does_not(
    client: httpx.Client, admin: httpx.Client, fault: dict[str, object]
) -> None:
    told = armed(admin, **fault, error="bad_gateway")

    assert statuses(client, 1) == [200]
    assert shown(admin, told)["hits"] == 0


def test_a_path_is_compared_decoded(client: httpx.Client, admin: httpx.Client) -> None:
    armed(admin, path="/api/v1/customers/a b/c", error="bad_gateway")

    assert client.get("/customers/a%20b%2Fc").status_code == 502


def test_an_operation_that_is_not_mocked_can_be_answered(
    client: httpx.Client, admin: httpx.Client
) -> None:
    armed(admin, operation=READ.id, status=200, body={"things": []})

    response = client.get(READ.path)

    assert (response.status_code, response.json()) == (200, {"things": []})


@pytest.mark.parametrize(("operation", "mode"), [(READ, "read"), (WRITE, "write")])
def test_forbidden_names_the_permission_of_what_is_not_mocked(
    client: httpx.Client, admin: httpx.Client, operation: Operation, mode: str
) -> None:
    armed(admin, operation=operation.id, error="forbidden")

    response = client.request(operation.method, operation.path)

    (scope,) = operation.scopes
    code = f"{mode}_action_not_allowed_for_{scope.partition(':')[0]}"
    assert (response.status_code, response.json()["code"]) == (403, code)


def test_a_fault_comes_before_key_and_body_are_judged(
    client: httpx.Client, admin: httpx.Client
) -> None:
    armed(admin, operation="createCustomer", error="bad_gateway", times=2)
    headers = {"Authorization": "Bearer nobody"}

    assert client.post("/customers", headers=headers).status_code == 502
    json_type = {"Content-Type": "application/json"}
    assert client.post("/customers", content=b"{", headers=json_type).status_code == 502


def test_admin_calls_and_pages_meet_no_fault(server: str, admin: httpx.Client) -> None:
    armed(admin, path="*", error="bad_gateway", times=None)

    assert admin.get("/faults").status_code == 200
    assert admin.get(f"{server}/health").status_code == 200
    assert admin.get(f"{server}/ready").status_code == 200


@pytest.mark.parametrize(
    ("times", "remaining", "seen"),
    [
        pytest.param({}, 1, [502, 200, 200, 200], id="once when nothing is said"),
        pytest.param({"times": 1}, 1, [502, 200, 200, 200], id="once"),
        pytest.param({"times": 3}, 3, [502, 502, 502, 200], id="three times"),
        pytest.param({"times": None}, None, [502, 502, 502, 502], id="always"),
    ],
)
def test_a_fault_is_met_so_many_times(
    client: httpx.Client,
    admin: httpx.Client,
    times: dict[str, int | None],
    remaining: int | None,
    seen: list[int],
) -> None:
    fault = armed(admin, operation="*", error="bad_gateway", **times)

    assert (fault["times"], fault["hits"], fault["remaining"]) == (remaining, 0, remaining)
    assert statuses(client, 4) == seen


@pytest.mark.parametrize(("times", "left"), [(1, [0, 0]), (3, [2, 1]), (None, [None, None])])
def test_hits_and_what_remains_are_counted(
    client: httpx.Client, admin: httpx.Client, times: int | None, left: list[int | None]
) -> None:
    fault = armed(admin, operation="*", error="bad_gateway", times=times)

    seen = []
    for _ in range(2):
        client.get("/customers")
        seen.append(shown(admin, fault))

    assert [each["remaining"] for each in seen] == left
    assert [each["hits"] for each in seen] == ([1, 1] if times == 1 else [1, 2])
    assert [each["times"] for each in seen] == [times, times]


def test_an_armed_fault_shows_what_was_said_and_no_more(admin: httpx.Client) -> None:
    fault = armed(admin, method="GET", path="/api/*", status=503, body={"a": None}, delay_ms=0)

    expected = {
        "id": fault["id"],
        "method": "GET",
        "path": "/api/*",
        "status": 503,
        "body": {"a": None},
        "delay_ms": 0,
        "times": 1,
        "hits": 0,
        "remaining": 1,
        "skipped": 0,
        "spared": 0,
        "requests": [],
    }
    assert fault == expected
    assert shown(admin, fault) == expected


def test_the_oldest_fault_is_taken_first_and_one_a_request(
    client: httpx.Client, admin: httpx.Client
) -> None:
    first = armed(admin, operation="*", error="bad_gateway", times=2)
    second = armed(admin, operation="findAllCustomers", error="gateway_timeout")
    third = armed(admin, operation="*", error="service_unavailable")

    assert statuses(client, 5) == [502, 502, 504, 503, 200]
    listed = admin.get("/faults").json()["faults"]
    assert [each["id"] for each in listed] == [first["id"], second["id"], third["id"]]


def test_the_organizations_fault_goes_before_the_servers(
    client: httpx.Client, admin: httpx.Client
) -> None:
    armed(admin, operation="*", error="bad_gateway")
    own = admin.post(
        "/faults", json={"operation": "*", "error": "gateway_timeout"}, headers=KEY
    ).json()

    assert statuses(client, 3) == [504, 502, 200]
    listed = admin.get("/faults", headers=KEY).json()["faults"]
    assert [(each["id"], each["hits"]) for each in listed] == [(own["id"], 1)]


def test_the_organizations_fault_is_met_with_its_key_only(
    client: httpx.Client, admin: httpx.Client
) -> None:
    fault = {"operation": "*", "error": "gateway_timeout"}
    admin.post("/faults", json=fault, headers=KEY).raise_for_status()

    stranger = client.get("/customers", headers={"Authorization": "Bearer nobody"})

    assert stranger.status_code == 401
    assert statuses(client, 2) == [504, 200]


def test_a_fault_without_a_key_meets_every_request(
    client: httpx.Client, admin: httpx.Client
) -> None:
    armed(admin, operation="*", error="gateway_timeout", times=2)

    stranger = client.get("/customers", headers={"Authorization": "Bearer nobody"})

    assert [stranger.status_code, *statuses(client, 2)] == [504, 504, 200]


def test_a_key_clears_its_own_faults_only(client: httpx.Client, admin: httpx.Client) -> None:
    armed(admin, operation="*", error="bad_gateway")
    fault = {"operation": "*", "error": "gateway_timeout"}
    admin.post("/faults", json=fault, headers=KEY).raise_for_status()

    response = admin.delete("/faults", headers=KEY)

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert admin.get("/faults", headers=KEY).json() == {"faults": []}
    assert statuses(client, 2) == [502, 200]


def test_one_fault_can_be_removed(client: httpx.Client, admin: httpx.Client) -> None:
    first = armed(admin, operation="*", error="bad_gateway")
    second = armed(admin, operation="*", error="gateway_timeout")

    response = admin.delete(f"/faults/{first['id']}")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    listed = admin.get("/faults").json()["faults"]
    assert [each["id"] for each in listed] == [second["id"]]
    assert statuses(client, 2) == [504, 200]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_fault_that_is_not_there_is_not_found(admin: httpx.Client, method: str) -> None:
    armed(admin, **EVERY_CALL)

    response = admin.request(method, "/faults/nothing")

    expected = {"status": 404, "error": "Not Found", "code": "fault_not_found"}
    assert (response.status_code, response.json()) == (404, expected)
    assert len(admin.get("/faults").json()["faults"]) == 1


def test_all_faults_can_be_removed(client: httpx.Client, admin: httpx.Client) -> None:
    armed(admin, **EVERY_CALL)
    armed(admin, **EVERY_CALL)

    response = admin.delete("/faults")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert admin.get("/faults").json() == {"faults": []}
    assert statuses(client, 1) == [200]


def test_put_replaces_all_faults_in_order(client: httpx.Client, admin: httpx.Client) -> None:
    armed(admin, **EVERY_CALL)
    faults = [
        {"operation": "*", "error": "service_unavailable"},
        {"operation": "*", "error": "gateway_timeout"},
    ]

    response = admin.put("/faults", json={"faults": faults})

    assert response.status_code == 200
    assert response.json() == admin.get("/faults").json()
    assert [each["error"] for each in response.json()["faults"]] == [
        "service_unavailable",
        "gateway_timeout",
    ]
    assert statuses(client, 3) == [503, 504, 200]


def test_put_of_none_removes_all_faults(client: httpx.Client, admin: httpx.Client) -> None:
    armed(admin, **EVERY_CALL)

    assert admin.put("/faults", json={"faults": []}).json() == {"faults": []}
    assert statuses(client, 1) == [200]


REFUSED = [
    pytest.param(
        {"operation": "createCustomr", "error": "forbidden"},
        {"operation": ["no operation createCustomr; did you mean createCustomer?"]},
        id="misspelt operation",
    ),
    pytest.param(
        {"operation": ["findTax", "findTaxx"], "error": "forbidden"},
        {"operation": ["no operation findTaxx; did you mean findTax?"]},
        id="misspelt operation in a list",
    ),
    pytest.param(
        {"operation": "0123456789", "error": "forbidden"},
        {"operation": ["no operation 0123456789"]},
        id="unknown operation",
    ),
    pytest.param(
        {"error": "forbidden"},
        {"operation": ["say which requests: operation, or method and path"]},
        id="which requests",
    ),
    pytest.param(
        {},
        {
            "operation": ["say which requests: operation, or method and path"],
            "error": ["say what happens: error, status, connection or delay_ms"],
        },
        id="nothing said",
    ),
    pytest.param(
        {"operation": "*"},
        {"error": ["say what happens: error, status, connection or delay_ms"]},
        id="what happens",
    ),
    pytest.param(
        {"operation": "*", "body": {"a": 1}, "headers": {"a": "b"}, "code": "c"},
        {"error": ["say what happens: error, status, connection or delay_ms"]},
        id="parts of an answer",
    ),
    pytest.param(
        {"operation": "*", "error": "forbidden", "status": 503},
        {"status": ["an error by name has its own status"]},
        id="error and status",
    ),
    pytest.param(
        {"operation": "*", "error": "bad_gatway"},
        {"error": ["value_is_invalid; did you mean bad_gateway?"]},
        id="unknown error",
    ),
    pytest.param(
        {"operation": "*", "status": 99},
        {"status": ["value_is_out_of_range; 200 is the least"]},
        id="status 99",
    ),
    pytest.param(
        {"operation": "*", "status": 600},
        {"status": ["value_is_out_of_range; 599 is the most"]},
        id="status 600",
    ),
    pytest.param(
        {"operation": "*", "status": "503"}, {"status": ["is not a number"]}, id="status as text"
    ),
    pytest.param(
        {"operation": "*", "connection": "SLAM"},
        {
            "connection": [
                "value_is_invalid; there are EMPTY_RESPONSE, CONNECTION_RESET_BY_PEER, "
                "MALFORMED_RESPONSE_CHUNK, RANDOM_DATA_THEN_CLOSE, HANG"
            ]
        },
        id="unknown connection",
    ),
    pytest.param(
        {"operation": "*", "delay_ms": -1},
        {"delay_ms": ["value_is_out_of_range; 0 is the least"]},
        id="delay",
    ),
    pytest.param(
        {"operation": "*", "delay_ms": 600001},
        {"delay_ms": ["value_is_out_of_range; 600000 is the most"]},
        id="long delay",
    ),
    pytest.param(
        {"operation": "*", "error": "forbidden", "times": 0},
        {"times": ["value_is_out_of_range; 1 is the least"]},
        id="no times",
    ),
    pytest.param(
        {"operation": "*", "error": "forbidden", "times": 1.5},
        {"times": ["is not a number"]},
        id="half times",
    ),
    pytest.param(
        {"method": "get", "error": "forbidden"}, {"method": ["value_is_invalid"]}, id="method"
    ),
    pytest.param(
        {"operation": "", "error": "forbidden"},
        {"operation": ["value_is_too_short"]},
        id="empty operation",
    ),
    pytest.param(
        {"operation": [], "error": "forbidden"}, {"operation": ["value_is_invalid"]}, id="no list"
    ),
    pytest.param(
        {"operation": "*", "error": "forbidden", "color": "red"},
        {"color": ["unknown_field"]},
        id="unknown key",
    ),
    pytest.param(
        {"operation": "*", "status": 600, "times": 0, "color": "red"},
        {
            "status": ["value_is_out_of_range; 599 is the most"],
            "times": ["value_is_out_of_range; 1 is the least"],
            "color": ["unknown_field"],
        },
        id="several at once",
    ),
    pytest.param(
        {"path": "/customers", "error": "forbidden"},
        {"path": ["no such operation at /customers; did you mean /api/v1/customers?"]},
        id="path without its prefix",
    ),
    pytest.param(
        {"path": "/elsewhere", "status": 200},
        {"path": ["no such operation at /elsewhere"]},
        id="path outside the API",
    ),
    pytest.param(
        {"operation": "findTax", "method": "POST", "error": "forbidden"},
        {"method": ["no such operation takes POST, but GET"]},
        id="method of another operation",
    ),
    pytest.param(
        {"method": ["GET", "get"], "error": "forbidden"},
        {"method": ["value_is_invalid"]},
        id="one of two methods",
    ),
    pytest.param(
        {"operation": "*", "match": {}, "error": "forbidden"},
        {"match": ["value_is_invalid"]},
        id="empty match",
    ),
    pytest.param(
        {"operation": "*", "match": {"header": {"a": "b"}}, "error": "forbidden"},
        {"match.header": ["unknown_field; did you mean headers?"]},
        id="misspelt part of match",
    ),
    pytest.param(
        {"operation": "*", "match": {"headers": {"a": 1}}, "error": "forbidden"},
        {"match.headers.a": ["value_is_invalid; string or null is needed"]},
        id="header that is no text",
    ),
    pytest.param(
        {"operation": "*", "match": {"query": {"a": [1]}}, "error": "forbidden"},
        {"match.query.a.0": ["value_is_invalid; string is needed"]},
        id="parameter that is no text",
    ),
    pytest.param(
        {"operation": "*", "delay_ms": {"min": 2, "max": 1}},
        {"delay_ms": ["min is greater than max"]},
        id="delay backwards",
    ),
    pytest.param(
        {"operation": "*", "delay_ms": {"min": -1, "max": 600001, "unit": "s"}},
        {
            "delay_ms.min": ["value_is_out_of_range; 0 is the least"],
            "delay_ms.max": ["value_is_out_of_range; 600000 is the most"],
            "delay_ms.unit": ["unknown_field"],
        },
        id="delay of another kind",
    ),
    pytest.param(
        {"operation": "*", "delay_ms": {"min": 1}},
        {"delay_ms.max": ["value_is_mandatory"]},
        id="half a delay",
    ),
    pytest.param(
        {"operation": "*", "error": "validation_errors", "details": {"currency": "invalid"}},
        {"details.currency": ["value_is_invalid; array or object is needed"]},
        id="details that are no list",
    ),
    pytest.param(
        {"operation": "*", "error": "validation_errors", "details": {"currency": [1]}},
        {"details.currency.0": ["value_is_invalid; string is needed"]},
        id="details that are no texts",
    ),
    pytest.param(
        {"operation": "*", "error": "bad_gateway", "details": {}, "code": "a"},
        {
            "code": ["only forbidden and not_found have one"],
            "details": ["only validation_errors has them"],
        },
        id="code and details of another error",
    ),
    pytest.param(
        {"operation": "*", "sequence": []}, {"sequence": ["value_is_invalid"]}, id="no sequence"
    ),
    pytest.param(
        {"operation": "*", "sequence": [{}, {"times": 2}, {"status": 99}]},
        {
            "sequence.1.times": ["unknown_field"],
            "sequence.2.status": ["value_is_out_of_range; 200 is the least"],
        },
        id="words that are no outcome",
    ),
    pytest.param(
        {"operation": "*", "sequence": [{}, {"connection": "HANG", "status": 500}]},
        {"sequence.1.connection": ["a connection that breaks carries no answer"]},
        id="contradiction in a sequence",
    ),
    pytest.param(
        {"operation": "*", "delay_ms": 1, "when": "after"},
        {"when": ["say what takes the place of the answer: error, status or connection"]},
        id="nothing to replace",
    ),
    pytest.param(
        {"operation": "*", "delay_ms": 1, "when": "later", "skip": -1, "probability": 1.1},
        {
            "when": ["value_is_invalid; did you mean after?"],
            "skip": ["value_is_out_of_range; 0 is the least"],
            "probability": ["value_is_out_of_range; 1 is the most"],
        },
        id="chance",
    ),
    pytest.param(
        {"operation": "*", "delay_ms": 1, "seed": "a"}, {"seed": ["is not a number"]}, id="seed"
    ),
]


@pytest.mark.parametrize(("fault", "details"), REFUSED)
def test_a_fault_that_cannot_be_is_refused_and_leaves_the_others(
    admin: httpx.Client, fault: dict[str, object], details: dict[str, list[str]]
) -> None:
    armed(admin, **EVERY_CALL)
    before = admin.get("/faults").json()

    response = admin.post("/faults", json=fault)

    assert (response.status_code, response.json()) == (422, invalid(**details))
    assert admin.get("/faults").json() == before


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"operation": "createCustomr", "error": "forbidden"}, id="operation"),
        pytest.param({"operation": "*"}, id="what happens"),
        pytest.param({"operation": "*", "status": 600}, id="status"),
        pytest.param({**EVERY_CALL, "color": "red"}, id="unknown key"),
    ],
)
def test_put_is_all_or_nothing(admin: httpx.Client, fault: dict[str, object]) -> None:
    armed(admin, **EVERY_CALL)
    before = admin.get("/faults").json()

    response = admin.put("/faults", json={"faults": [EVERY_CALL, fault]})

    assert response.status_code == 422
    assert admin.get("/faults").json() == before


def test_put_tells_which_of_the_faults_cannot_be(admin: httpx.Client) -> None:
    faults = [{"operation": "createCustomr", "error": "forbidden"}, EVERY_CALL, {"path": "/*"}]

    response = admin.put("/faults", json={"faults": faults})

    assert response.status_code == 422
    assert response.json() == invalid(
        **{
            "faults.0.operation": ["no operation createCustomr; did you mean createCustomer?"],
            "faults.2.error": ["say what happens: error, status, connection or delay_ms"],
        }
    )


def test_there_are_no_more_than_a_thousand_faults(admin: httpx.Client) -> None:
    admin.put("/faults", json={"faults": [EVERY_CALL] * 1000}).raise_for_status()

    one_more = admin.post("/faults", json=EVERY_CALL)
    all_anew = admin.put("/faults", json={"faults": [EVERY_CALL] * 1001})

    limit = invalid(faults=["there can be 1000 faults at most"])
    assert (one_more.status_code, one_more.json()) == (422, limit)
    assert (all_anew.status_code, all_anew.json()) == (422, limit)
    assert len(admin.get("/faults").json()["faults"]) == 1000


def test_an_armed_fault_shows_everything_that_can_be_said(admin: httpx.Client) -> None:
    said = {
        "operation": ["createCustomer", "findTax"],
        "method": ["GET", "POST"],
        "path": "/api/*",
        "match": {"headers": {"A": None}, "query": {"b[]": ["1", "2*"]}, "body": {"c": [1]}},
        "sequence": [
            {"error": "validation_errors", "details": {"a": ["b"], "c": {"0": ["d"]}}},
            {"error": "not_found", "code": "tax_not_found", "headers": {"x-a": "b"}},
            {"status": 503, "body": [None], "when": "after", "delay_ms": {"min": 0, "max": 1.5}},
            {"connection": "MALFORMED_RESPONSE_CHUNK", "delay_ms": 1, "when": "before"},
            {},
        ],
        "skip": 2,
        "probability": 0.25,
        "seed": 5,
    }

    fault = armed(admin, **said)

    counts = {"times": 5, "hits": 0, "remaining": 5, "skipped": 0, "spared": 0, "requests": []}
    assert fault == {"id": fault["id"], **said, **counts}
    assert shown(admin, fault) == fault


def test_a_fault_is_met_by_the_body_that_it_describes(
    client: httpx.Client, admin: httpx.Client
) -> None:
    body = {"customer": {"external_id": "b"}}
    armed(admin, operation="createCustomer", match={"body": body}, error="bad_gateway")

    bodies = [CUSTOMER, {"customer": {"external_id": "b", "name": "B"}}]
    assert [client.post("/customers", json=each).status_code for each in bodies] == [200, 502]


def test_outcomes_come_in_turns_after_those_that_are_let_pass(
    client: httpx.Client, admin: httpx.Client
) -> None:
    turns = [{"error": "bad_gateway"}, {}, {"status": 418, "body": "tea"}]
    fault = armed(admin, operation="*", sequence=turns, skip=1)

    assert statuses(client, 5) == [200, 502, 200, 418, 200]
    seen = shown(admin, fault)
    assert (seen["hits"], seen["remaining"], seen["skipped"]) == (3, 0, 1)
    listed = admin.get("/requests").json()["requests"]
    assert seen["requests"] == [each["id"] for each in listed][1:4]
    assert [each["fault"] for each in listed] == [None, *[fault["id"]] * 3, None]


def test_requests_that_chance_spares_are_counted(client: httpx.Client, admin: httpx.Client) -> None:
    fault = armed(admin, operation="*", error="bad_gateway", probability=0.5, seed=1, times=None)

    seen = statuses(client, 20)

    hits = seen.count(502)
    assert 0 < hits < 20
    assert [shown(admin, fault)[name] for name in ("hits", "spared")] == [hits, 20 - hits]


@pytest.mark.parametrize("body", [{}, {"faults": None}, {"faults": {}}, {"faults": [1]}, []])
def test_put_takes_a_list_of_faults(admin: httpx.Client, body: object) -> None:
    armed(admin, **EVERY_CALL)
    before = admin.get("/faults").json()

    assert admin.put("/faults", json=body).status_code == 422
    assert admin.get("/faults").json() == before


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_fault_that_is_no_json_cannot_be_read(admin: httpx.Client, method: str) -> None:
    headers = {"Content-Type": "application/json"}

    response = admin.request(method, "/faults", content=b"{", headers=headers)

    assert response.status_code == 400
    assert response.json()["status"] == 400
    assert response.json()["error"].startswith("Bad Request")


def test_a_delay_alone_makes_the_request_wait_and_go_on(
    client: httpx.Client, admin: httpx.Client
) -> None:
    armed(admin, operation="createCustomer", delay_ms=80)

    began = time.monotonic()
    response = client.post("/customers", json=CUSTOMER)

    assert time.monotonic() - began >= 0.07
    assert response.json()["customer"]["external_id"] == "a"
    assert admin.get("/requests").json()["requests"][0]["duration_ms"] >= 70


def test_a_delay_comes_before_the_answer_of_a_fault(
    client: httpx.Client, admin: httpx.Client
) -> None:
    armed(admin, operation="createCustomer", error="bad_gateway", delay_ms=80)

    began = time.monotonic()
    response = client.post("/customers", json=CUSTOMER)

    assert time.monotonic() - began >= 0.07
    assert response.status_code == 502


def test_a_delayed_request_keeps_nobody_else_waiting(
    client: httpx.Client, admin: httpx.Client, waiting: ThreadPoolExecutor
) -> None:
    fault = armed(admin, operation="createCustomer", connection="HANG")
    slow = waiting.submit(client.post, "/customers", json=CUSTOMER)
    wait_for_hit(admin, fault)

    assert client.get("/customers").status_code == 200
    assert not slow.done()


@pytest.fixture
def waiting(admin: httpx.Client) -> Iterator[ThreadPoolExecutor]:
    """A thread for a request that waits; a reset lets it go when the test fails."""
    with ThreadPoolExecutor(1) as pool:
        yield pool
        admin.post("/reset").raise_for_status()


def wait_for_hit(admin: httpx.Client, fault: dict[str, Any]) -> None:
    deadline = time.monotonic() + WAITS
    while shown(admin, fault)["hits"] == 0:
        assert time.monotonic() < deadline, "no request met the fault"


def test_a_hanging_request_ends_when_its_client_gives_up(
    client: httpx.Client, admin: httpx.Client
) -> None:
    armed(admin, operation="createCustomer", connection="HANG")

    with pytest.raises(httpx.ReadTimeout):
        client.post("/customers", json=CUSTOMER, timeout=0.1)

    assert client.get("/customers").json()["meta"]["total_count"] == 0
    hung = admin.get("/requests?operation=createCustomer").json()["requests"]
    assert [(each["status"], each["answer"]) for each in hung] == [(None, None)]


@pytest.mark.parametrize("how", [{"connection": "HANG"}, {"delay_ms": 600000}], ids=str)
@pytest.mark.parametrize("headers", [{}, KEY], ids=["server", "organization"])
def test_a_reset_ends_a_waiting_request_and_nothing_is_written(
    client: httpx.Client,
    admin: httpx.Client,
    waiting: ThreadPoolExecutor,
    how: dict[str, object],
    headers: dict[str, str],
) -> None:
    fault = armed(admin, operation="createCustomer", **how)
    slow = waiting.submit(client.post, "/customers", json=CUSTOMER, timeout=WAITS)
    wait_for_hit(admin, fault)

    admin.post("/reset", headers=headers).raise_for_status()

    response = slow.result(WAITS)
    assert response.status_code == 503
    assert response.json() == {"status": 503, "error": "Service Unavailable"}
    assert client.get("/customers").json()["meta"]["total_count"] == 0


def test_a_reset_ends_a_request_that_would_have_failed_anyway(
    client: httpx.Client, admin: httpx.Client, waiting: ThreadPoolExecutor
) -> None:
    fault = armed(admin, operation="*", error="forbidden", delay_ms=600000)
    slow = waiting.submit(client.get, "/customers", timeout=WAITS)
    wait_for_hit(admin, fault)

    admin.post("/reset").raise_for_status()

    assert slow.result(WAITS).status_code == 503


def test_a_reset_ends_a_waiting_request_with_an_unknown_key(
    client: httpx.Client, admin: httpx.Client, waiting: ThreadPoolExecutor
) -> None:
    fault = armed(admin, operation="*", connection="HANG")
    stranger = {"Authorization": "Bearer nobody"}
    slow = waiting.submit(client.get, "/customers", headers=stranger, timeout=WAITS)
    wait_for_hit(admin, fault)

    admin.post("/reset").raise_for_status()

    assert slow.result(WAITS).status_code == 503


def test_a_hang_may_wait_for_its_end_to_come(client: httpx.Client, admin: httpx.Client) -> None:
    armed(admin, operation="createCustomer", connection="HANG", delay_ms=1)

    with pytest.raises(httpx.ReadTimeout):
        client.post("/customers", json=CUSTOMER, timeout=0.1)


@pytest.mark.parametrize("path", ["/faults", "/faults/1"])
def test_a_key_that_nobody_has_is_refused(admin: httpx.Client, path: str) -> None:
    response = admin.get(path, headers={"Authorization": "Bearer nobody"})

    assert response.status_code == 401
    assert response.json() == {"status": 401, "error": "Unauthorized"}
