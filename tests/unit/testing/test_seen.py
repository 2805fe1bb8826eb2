from __future__ import annotations

from typing import Any

import pytest

from lago_mock.testing.seen import Request, explain, listed, nearest, search_for


def request(number: int = 1, **changes: Any) -> Request:
    entry = {
        "id": str(number),
        "time": f"2026-11-22T09:00:{number:02}.000Z",
        "organization": None,
        "operation": "createCustomer",
        "matched": True,
        "method": "POST",
        "path": "/api/v1/customers",
        "query": "",
        "headers": {},
        "body": None,
        "status": 200,
        "answer": None,
        "duration_ms": 0.2,
        "fault": None,
        "refusal": None,
        "reasons": [],
        "unknown": [],
        "hint": None,
    }
    return Request.of({**entry, **changes})


REASON = {"pointer": "/customer/email", "keyword": "format", "field": "email", "code": "invalid"}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        pytest.param({}, "POST /api/v1/customers 200 createCustomer", id="plain"),
        pytest.param({"status": None}, "POST /api/v1/customers open createCustomer", id="open"),
        pytest.param({"query": "a=1"}, "POST /api/v1/customers?a=1 200 createCustomer", id="query"),
        pytest.param(
            {"status": 422, "reasons": [REASON], "refusal": "validation_errors"},
            "POST /api/v1/customers 422 createCustomer: email invalid (/customer/email format)",
            id="reasons",
        ),
        pytest.param(
            {"status": 404, "operation": None, "refusal": "not_found", "hint": "the path lacks x"},
            "POST /api/v1/customers 404 -: not_found; the path lacks x",
            id="hint",
        ),
        pytest.param(
            {"status": 404, "hint": "the path lacks x", "nearest": {"why": "it lacks x"}},
            "POST /api/v1/customers 404 createCustomer: it lacks x",
            id="nearest goes before the hint",
        ),
        pytest.param(
            {"status": 503, "fault": "f1"},
            "POST /api/v1/customers 503 createCustomer: fault f1",
            id="fault",
        ),
    ],
)
def test_a_request_is_a_line(changes: dict[str, Any], line: str) -> None:
    assert str(request(**changes)) == line


def test_a_search_goes_as_the_admin_api_takes_it() -> None:
    assert search_for(("a", "b"), {"headers": {"x": "*"}, "body": None, "since": request(7)}) == {
        "operation": ["a", "b"],
        "match": {"headers": {"x": "*"}, "body": None},
        "since": "7",
    }
    assert search_for("*", {"since": "2026-11-22T09:00:00Z"})["since"] == "2026-11-22T09:00:00Z"


@pytest.mark.parametrize(
    ("search", "told"),
    [
        pytest.param(
            {"operation": "findTax"}, "the operation is createCustomer, not findTax", id="op"
        ),
        pytest.param({"status": 200}, "the status is 422, not 200", id="status"),
        pytest.param({"status": [200, 304]}, "the status is 422, not 200 or 304", id="statuses"),
        pytest.param({"since": "3"}, "it came before", id="since a request"),
        pytest.param({"since": "2026-11-22T10:00:00+00:00"}, "it came before", id="since a time"),
        pytest.param(
            {"match": {"headers": {"x-own": "1", "authorization": "Bearer a"}}},
            'the header x-own is "2", not "1"',
            id="but not by a secret",
        ),
        pytest.param({"match": {"body": {"a": 1}}}, "/a of the body is 2, not 1", id="body"),
    ],
)
def test_the_nearest_request_differs_in_the_fewest_words(search: Any, told: str) -> None:
    headers = {"x-own": "2", "authorization": "Bearer …last"}
    near = request(2, status=422, headers=headers, body={"a": 2})
    far = request(1, method="PUT", operation="none", path="/other", status=500)

    assert list(nearest({"method": "POST", "path": "/api/*", **search}, [far, near])) == [
        f"nearest: {near}: {told}"
    ]


def test_of_several_the_last_is_nearest() -> None:
    seen = [request(1, status=500), request(2, status=502)]

    (told,) = nearest({"status": 200}, seen)
    assert told.startswith("nearest: POST /api/v1/customers 502")


def test_one_that_is_as_it_should_be_is_not_the_nearest() -> None:
    search = {"since": "2026-11-22T09:00:00+00:00", "status": 200}

    assert list(nearest(search, [request(2)])) == []


def test_what_there_is_too_often_has_no_nearest() -> None:
    assert explain(
        "createCustomer", {}, 1, 0, [request(1), request(2, status=422)]
    ).splitlines() == [
        "createCustomer was called once, expected never",
        "  these requests came:",
        "  POST /api/v1/customers 200 createCustomer",
        "  POST /api/v1/customers 422 createCustomer",
    ]


def test_a_long_list_is_cut_at_its_beginning() -> None:
    assert listed([request(status=status) for status in (200, 201, 202)], 1) == [
        "(2 before these)",
        "POST /api/v1/customers 202 createCustomer",
    ]
