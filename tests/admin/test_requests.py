from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from lago_mock.app import LagoMockApp, build
from lago_mock.settings import Settings
from tests.conftest import running
from tests.unmocked import READ

KEY = {"Authorization": "Bearer lago-mock-key"}
STRANGER = {"Authorization": "Bearer d2a3c6be-51e0-4a7f-9f0b-3c1e7a58b942"}
JSON_TYPE = {"Content-Type": "application/json"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def listed(admin: httpx.Client, query: str = "", **headers: str) -> list[dict[str, Any]]:
    response = admin.get(f"/requests{query}", headers=headers)
    assert response.status_code == 200, response.text
    requests: list[dict[str, Any]] = response.json()["requests"]
    return requests


def only(admin: httpx.Client) -> dict[str, Any]:
    (entry,) = listed(admin)
    return entry


def not_found(code: str) -> dict[str, object]:
    return {"status": 404, "error": "Not Found", "code": code}


def test_nothing_was_asked_after_a_reset(admin: httpx.Client) -> None:
    assert admin.get("/requests").json() == {
        "requests": [],
        "meta": {"total": 0},
        "requestJournalDisabled": False,
    }


def test_an_entry_tells_all_of_request_and_answer(
    client: httpx.Client, admin: httpx.Client
) -> None:
    response = client.post(
        "/customers?page=1&x=%20", json={"customer": {"external_id": "a"}}, headers={"X-Note": "n"}
    )
    organization = client.get("/organizations").json()["organization"]["lago_id"]

    entry = listed(admin)[0]
    varying = {name: entry.pop(name) for name in ("id", "time", "headers", "duration_ms")}

    assert entry == {
        "organization": organization,
        "operation": "createCustomer",
        "matched": True,
        "method": "POST",
        "path": "/api/v1/customers",
        "query": "page=1&x=%20",
        "body": {"customer": {"external_id": "a"}},
        "body_base64": None,
        "body_truncated": False,
        "status": 200,
        "answer": response.json(),
        "answer_truncated": False,
        "fault": None,
        "refusal": None,
        "reasons": [],
        "unknown": ["/page", "/x"],
        "hint": None,
    }
    assert INSTANT.fullmatch(varying["time"])
    assert varying["duration_ms"] >= 0
    assert varying["headers"]["x-note"] == "n"
    assert varying["headers"]["content-type"] == "application/json"


def test_a_request_without_a_body_has_none(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers")

    entry = only(admin)

    assert (entry["body"], entry["body_base64"], entry["query"]) == (None, None, "")


def test_an_answer_without_a_body_has_none(client: httpx.Client, admin: httpx.Client) -> None:
    client.request("OPTIONS", "/customers")

    entry = only(admin)

    assert (entry["method"], entry["status"], entry["answer"]) == ("OPTIONS", 404, None)


def test_an_answer_of_text_is_shown_as_text(client: httpx.Client, admin: httpx.Client) -> None:
    fault = {"operation": "findAllCustomers", "status": 503, "body": "closed for repairs"}
    admin.post("/faults", json=fault).raise_for_status()
    client.get("/customers")

    assert only(admin)["answer"] == "closed for repairs"


def test_a_path_is_shown_decoded(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers/a%20b%2Fc%C3%A9")

    assert only(admin)["path"] == "/api/v1/customers/a b/cé"


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param("Bearer lago-mock-key", id="bearer"),
        pytest.param("Bearer   lago-mock-key", id="spaces"),
        pytest.param("Bearer\tlago-mock-key", id="tab"),
        pytest.param("Bearer lago-mock-key anything", id="third word"),
        pytest.param("Bearer lago-mock-key\tanything", id="third word behind a tab"),
        pytest.param("lago-mock-key", id="key alone"),
        pytest.param("lago-mock-key anything", id="key first"),
        pytest.param("x lago-mock-key", id="any scheme"),
    ],
)
def test_the_key_is_shown_nowhere(
    client: httpx.Client, admin: httpx.Client, authorization: str
) -> None:
    client.get("/customers", headers={"Authorization": authorization})

    response = admin.get("/requests")

    assert len(response.json()["requests"]) == 1
    assert "lago-mock-key" not in response.text


def test_a_key_keeps_its_last_four_characters(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers", headers=STRANGER)

    assert only(admin)["headers"]["authorization"] == "Bearer …b942"


def test_of_a_short_key_nothing_is_kept(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers", headers={"Authorization": "Bearer secret"})

    assert only(admin)["headers"]["authorization"] == "Bearer …"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("api_key=0123456789", "api_key=…6789"),
        ("page=1&apikey=0123456789&x=2", "page=1&apikey=…6789&x=2"),
        ("Access_Token=0123456789&token=short", "Access_Token=…6789&token=…"),
        ("page_token=0123456789&token=", "page_token=0123456789&token="),
    ],
)
def test_keys_in_the_query_are_hidden(
    client: httpx.Client, admin: httpx.Client, query: str, shown: str
) -> None:
    client.get(f"/customers?{query}")

    assert only(admin)["query"] == shown


@pytest.mark.parametrize(
    "name", ["Cookie", "Proxy-Authorization", "X-Api-Key", "X-Lago-Mock-Token"]
)
def test_other_secrets_are_hidden_too(client: httpx.Client, admin: httpx.Client, name: str) -> None:
    client.get("/customers", headers={name: "session=hidden-away-from-you"})

    response = admin.get("/requests")

    assert "hidden-away" not in response.text
    assert name.lower() in response.json()["requests"][0]["headers"]


def test_a_header_sent_twice_is_shown_as_one(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers", headers=[("X-Note", "a"), ("X-Note", "b")])

    assert only(admin)["headers"]["x-note"] == "a, b"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("application/x-www-form-urlencoded", b"customer[external_id]=a", id="form"),
        pytest.param("application/json", b'{"customer":', id="broken json"),
        pytest.param("text/plain", b"hello", id="text"),
        pytest.param("application/json", b'"\xff"', id="no utf-8"),
    ],
)
def test_a_body_that_is_no_json_is_shown_in_base64(
    client: httpx.Client, admin: httpx.Client, content_type: str, body: bytes
) -> None:
    client.post("/customers", content=body, headers={"Content-Type": content_type})

    entry = only(admin)

    assert entry["body"] is None
    assert base64.b64decode(entry["body_base64"]) == body


def test_json_is_shown_whatever_it_was_called(client: httpx.Client, admin: httpx.Client) -> None:
    client.post("/customers", content=b'{"a":[null,1]}', headers={"Content-Type": "text/plain"})

    entry = only(admin)

    assert (entry["body"], entry["body_base64"]) == ({"a": [None, 1]}, None)


def test_a_long_body_is_cut(client: httpx.Client, admin: httpx.Client) -> None:
    body = b'{"customer":{"external_id":"a","name":"' + b"n" * 70_000 + b'"}}'
    client.post("/customers", content=body, headers=JSON_TYPE)

    entry = only(admin)

    assert (entry["body"], entry["body_truncated"]) == (None, True)
    assert base64.b64decode(entry["body_base64"]) == body[: 64 * 1024]


def test_a_long_answer_is_cut(client: httpx.Client, admin: httpx.Client) -> None:
    fault = {"operation": "findAllCustomers", "status": 503, "body": "é" * 40_000}
    admin.post("/faults", json=fault).raise_for_status()
    client.get("/customers")

    entry = only(admin)

    assert (entry["answer"], entry["answer_truncated"]) == ("é" * 32_768, True)
    assert entry["body_truncated"] is False


def test_keys_that_lago_does_not_know_are_pointed_at(
    client: httpx.Client, admin: httpx.Client
) -> None:
    customer = {
        "external_id": "a",
        "color": "red",
        "a/b~c": 1,
        "billing_configuration": {"document_locale": "fr", "color": 1},
        "metadata": [{"key": "k", "value": "v"}, {"key": "l", "value": "w", "color": 1}],
    }
    client.post("/customers", json={"customer": customer})

    entry = only(admin)

    assert entry["status"] == 200
    assert sorted(entry["unknown"]) == [
        "/customer/a~1b~0c",
        "/customer/billing_configuration/color",
        "/customer/color",
        "/customer/metadata/1/color",
    ]


def test_unknown_keys_beside_the_root_are_pointed_at(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}, "color": "red"})

    assert only(admin)["unknown"] == ["/color"]


def test_a_refusal_has_its_reasons(client: httpx.Client, admin: httpx.Client) -> None:
    customer = {"currency": "eurx", "country": "XX"}
    client.post("/customers", json={"customer": customer})

    entry = only(admin)

    assert entry["status"] == 422
    assert sorted(entry["reasons"], key=lambda each: str(each["field"])) == [
        {
            "pointer": "/customer/country",
            "keyword": "enum",
            "field": "country",
            "code": "not_a_valid_country_code",
        },
        {
            "pointer": "/customer/currency",
            "keyword": "enum",
            "field": "currency",
            "code": "value_is_invalid",
        },
        {
            "pointer": "/customer/external_id",
            "keyword": "required",
            "field": "external_id",
            "code": "value_is_mandatory",
        },
    ]


def test_a_nested_value_is_pointed_at_where_it_stands(
    client: httpx.Client, admin: httpx.Client
) -> None:
    customer = {"external_id": "a", "shipping_address": {"country": "XX"}}
    client.post("/customers", json={"customer": customer})

    (reason,) = only(admin)["reasons"]

    assert (reason["pointer"], reason["field"]) == (
        "/customer/shipping_address/country",
        "shipping_country",
    )


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "refusal"),
    [
        ("GET", "/customers/nobody", b"", 404, "customer_not_found"),
        ("GET", "/nowhere", b"", 404, "resource_not_found"),
        (
            "POST",
            "/customers",
            b"{}",
            400,
            "BadRequest: param is missing or the value is empty or invalid: customer",
        ),
        ("POST", "/customers", b'"\xff"', 400, "invalid UTF-8 at byte 2"),
        ("GET", READ.path, b"", 501, "operation_not_mocked"),
        ("POST", "/taxes", b"x" * 10_485_761, 413, "the body is over the limit of 10485760 bytes"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_other_refusals_say_why_without_reasons(
    client: httpx.Client,
    admin: httpx.Client,
    method: str,
    path: str,
    content: bytes,
    status: int,
    refusal: str,
) -> None:
    client.request(method, path, content=content, headers=JSON_TYPE)

    entry = only(admin)

    assert (entry["status"], entry["refusal"], entry["reasons"]) == (status, refusal, [])


def test_an_unknown_key_is_said_to_be_the_reason(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers", headers=STRANGER)

    entry = only(admin)

    assert (entry["status"], entry["refusal"]) == (401, "Unauthorized")


def test_a_fault_is_named_and_is_no_refusal(client: httpx.Client, admin: httpx.Client) -> None:
    fault = admin.post("/faults", json={"operation": "createTax", "error": "bad_gateway"}).json()
    client.post("/taxes", json={"tax": {}})

    entry = only(admin)

    assert (entry["fault"], entry["refusal"], entry["status"]) == (fault["id"], None, 502)


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", READ.path, READ.id),
        ("HEAD", "/customers", "findAllCustomers"),
        ("GET", "/customers.json", "findAllCustomers"),
        ("PATCH", "/customers", None),
        ("GET", "/nowhere", None),
    ],
)
def test_the_operation_is_named_where_there_is_one(
    client: httpx.Client, admin: httpx.Client, method: str, path: str, operation: str | None
) -> None:
    client.request(method, path)

    assert only(admin)["operation"] == operation


def test_the_operation_is_named_for_a_refused_key_too(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.get("/customers", headers=STRANGER)

    assert (only(admin)["operation"], only(admin)["status"]) == ("findAllCustomers", 401)


def test_the_fault_that_was_met_is_named(client: httpx.Client, admin: httpx.Client) -> None:
    fault = admin.post("/faults", json={"operation": "*", "error": "bad_gateway"}).json()
    client.get("/customers")
    client.get("/customers")

    met, passed = listed(admin)

    assert (met["fault"], met["status"]) == (fault["id"], 502)
    assert met["answer"] == {"status": 502, "error": "Bad Gateway"}
    assert (passed["fault"], passed["status"]) == (None, 200)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/customers", "the path lacks /api/v1: add it to the base URL"),
        ("/customers/a", "the path lacks /api/v1: add it to the base URL"),
        (READ.path, "the path lacks /api/v1: add it to the base URL"),
        (
            "/api/v1/api/v1/customers",
            "the base URL ends in /api/v1 and the client adds it once more",
        ),
        ("/nowhere", None),
        ("/api/v1/nowhere", None),
        ("/api/v1/customers", None),
    ],
)
def test_a_wrong_base_url_is_hinted_at(
    server: str, client: httpx.Client, admin: httpx.Client, path: str, hint: str | None
) -> None:
    client.get(server + path)

    assert only(admin)["hint"] == hint


def test_a_wrong_verb_is_hinted_at(client: httpx.Client, admin: httpx.Client) -> None:
    client.patch("/customers")

    hint = only(admin)["hint"]

    assert re.fullmatch("this path takes (GET, POST|POST, GET)", hint)


def test_entries_stand_in_the_order_they_came(client: httpx.Client, admin: httpx.Client) -> None:
    for path in ("/customers", "/taxes", "/organizations", "/nowhere"):
        client.get(path)
        client.get(path, headers=STRANGER)

    paths = [each["path"] for each in listed(admin)]

    doubled = ("customers", "taxes", "organizations", "nowhere")
    assert paths == [f"/api/v1/{each}" for each in doubled for _ in range(2)]


def test_one_request_can_be_looked_at(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers")
    client.get("/taxes")
    first, second = listed(admin)

    assert admin.get(f"/requests/{second['id']}").json() == second
    assert first["id"] != second["id"]


def test_a_request_that_is_not_there_is_not_found(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.get("/customers")
    forgotten = only(admin)["id"]
    admin.delete("/requests")

    response = admin.get(f"/requests/{forgotten}")

    assert (response.status_code, response.json()) == (404, not_found("request_not_found"))


@pytest.mark.parametrize(
    ("query", "operations", "total"),
    [
        ("", ["findAllCustomers", "findAllTaxes", "findTax", "findAllTaxes"], 4),
        ("?operation=findAllTaxes", ["findAllTaxes", "findAllTaxes"], 2),
        ("?status=404", ["findTax"], 1),
        ("?operation=findAllTaxes&status=200", ["findAllTaxes", "findAllTaxes"], 2),
        ("?operation=findTax&status=200", [], 0),
        ("?operation=destroyTax", [], 0),
        ("?limit=3", ["findAllTaxes", "findTax", "findAllTaxes"], 4),
        ("?limit=1&status=200", ["findAllTaxes"], 3),
        ("?limit=2&operation=destroyTax", [], 0),
        ("?limit=100", ["findAllCustomers", "findAllTaxes", "findTax", "findAllTaxes"], 4),
        ("?matched=true", ["findAllCustomers", "findAllTaxes", "findTax", "findAllTaxes"], 4),
        ("?matched=false", [], 0),
        ("?since=1999-12-31T23:59:59Z&status=404", ["findTax"], 1),
        ("?since=1999-12-31T23:59:59-05:00&limit=1", ["findAllCustomers"], 4),
        ("?since=1999-12-31T23:59:59+05:00&limit=1", ["findAllCustomers"], 4),
        ("?since=2999-12-31T23:59:59z", [], 0),
    ],
)
def test_requests_can_be_picked(
    client: httpx.Client, admin: httpx.Client, query: str, operations: list[str], total: int
) -> None:
    for path in ("/customers", "/taxes", "/taxes/vat", "/taxes"):
        client.get(path)

    answer = admin.get(f"/requests{query}").json()

    assert [each["operation"] for each in answer["requests"]] == operations
    assert answer["meta"] == {"total": total}


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("limit=many", {"limit": ["is not a number"]}),
        ("limit=1.5", {"limit": ["is not a number"]}),
        ("limit=", {"limit": ["is not a number"]}),
        ("limit[]=1", {"limit": ["value_is_invalid; string is needed"]}),
        ("status=ok", {"status": ["is not a number"]}),
        ("limit=0", {"limit": ["value_is_out_of_range"]}),
        ("status=99", {"status": ["value_is_out_of_range"]}),
        ("status=600", {"status": ["value_is_out_of_range"]}),
        ("matched=yes", {"matched": ["value_is_invalid; there are true, false"]}),
        ("matched[a]=true", {"matched": ["value_is_invalid; string is needed"]}),
        ("matched", {"matched": ["value_is_invalid; string is needed"]}),
        ("operaton=findTax", {"operaton": ["unknown_parameter; did you mean operation?"]}),
        ("colour=red", {"colour": ["unknown_parameter"]}),
        ("operation=findTx", {"operation": ["no operation findTx; did you mean findTax?"]}),
        ("operation[]=findTax", {"operation": ["value_is_invalid; string is needed"]}),
        (
            "limit=0&status=ok&since=-1",
            {
                "status": ["is not a number"],
                "since": ["value_is_invalid"],
                "limit": ["value_is_out_of_range"],
            },
        ),
        ("since=yesterday", {"since": ["value_is_invalid"]}),
        ("since=", {"since": ["value_is_invalid"]}),
        ("since[]=1", {"since": ["value_is_invalid; string is needed"]}),
        ("since=-1", {"since": ["value_is_invalid"]}),
        ("since=1.5", {"since": ["value_is_invalid"]}),
        ("since=2026-11-22", {"since": ["value_is_invalid"]}),
        ("since=2026-11-22T09:30:00", {"since": ["value_is_invalid"]}),
        ("since=2026-12-31T23:59:60Z", {"since": ["value_is_invalid"]}),
        ("since=99999999999999999999", {"since": ["value_is_invalid"]}),
    ],
)
def test_a_filter_that_cannot_be_is_refused(
    admin: httpx.Client, query: str, details: dict[str, list[str]]
) -> None:
    response = admin.get(f"/requests?{query}")

    assert response.status_code == 422
    assert response.json()["error_details"] == details


def test_requests_after_another_can_be_picked(client: httpx.Client, admin: httpx.Client) -> None:
    for path in ("/customers", "/taxes", "/organizations"):
        client.get(path)
    first, second, third = listed(admin)

    assert listed(admin, f"?since={first['id']}") == [second, third]
    assert listed(admin, f"?since={second['time']}")[-2:] == [second, third]
    assert listed(admin, f"?since={third['id']}") == []
    assert listed(admin, "?since=0") == [first, second, third]


def test_requests_without_an_operation_can_be_picked(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.get("/customers")
    client.get("/nowhere")

    (entry,) = listed(admin, "?matched=false")

    assert (entry["path"], entry["matched"]) == ("/api/v1/nowhere", False)


def test_a_broken_query_cannot_be_read(admin: httpx.Client) -> None:
    response = admin.get("/requests?operation=%ZZ")

    assert response.status_code == 400
    assert response.json()["error"].startswith("Bad Request")


def test_one_request_can_be_forgotten(client: httpx.Client, admin: httpx.Client) -> None:
    for path in ("/customers", "/taxes", "/organizations"):
        client.get(path)
    first, second, third = listed(admin)

    response = admin.delete(f"/requests/{second['id']}")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert listed(admin) == [first, third]
    again = admin.delete(f"/requests/{second['id']}")
    assert (again.status_code, again.json()) == (404, not_found("request_not_found"))


def test_requests_can_be_forgotten(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers")
    client.get("/customers", headers=STRANGER)

    response = admin.delete("/requests")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert listed(admin) == []


def test_forgetting_requests_keeps_rows_and_faults(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})
    admin.post("/faults", json={"operation": "createTax", "error": "bad_gateway"})

    admin.delete("/requests")

    assert client.get("/customers").json()["meta"]["total_count"] == 1
    assert len(admin.get("/faults").json()["faults"]) == 1


def test_admin_calls_and_pages_stand_in_no_list(server: str, admin: httpx.Client) -> None:
    for path in ("/__admin/health", "/__admin/nowhere", "/health", "/ready"):
        admin.get(server + path)
    admin.get(server, headers={"Accept": "text/html"})

    assert listed(admin) == []


def test_a_key_sees_its_own_requests_only(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers")
    client.get("/nowhere")
    client.get("/taxes", headers=STRANGER)
    client.get("/taxes", headers={"Authorization": ""})

    own = listed(admin, **KEY)
    every = listed(admin)

    assert [each["path"] for each in own] == ["/api/v1/customers", "/api/v1/nowhere"]
    assert every[:2] == own
    assert [each["organization"] for each in every[2:]] == [None, None]
    assert None not in [each["organization"] for each in own]


def test_a_key_reads_no_request_of_a_stranger(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/taxes", headers=STRANGER)
    strange = only(admin)["id"]

    response = admin.get(f"/requests/{strange}", headers=KEY)

    assert (response.status_code, response.json()) == (404, not_found("request_not_found"))
    assert admin.delete(f"/requests/{strange}", headers=KEY).status_code == 404
    assert admin.get(f"/requests/{strange}").status_code == 200


def test_a_key_forgets_its_own_requests_only(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers")
    client.get("/taxes", headers=STRANGER)

    admin.delete("/requests", headers=KEY)

    assert [each["path"] for each in listed(admin)] == ["/api/v1/taxes"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_key_that_nobody_has_is_refused(
    client: httpx.Client, admin: httpx.Client, method: str
) -> None:
    client.get("/customers")

    response = admin.request(method, "/requests", headers=STRANGER)

    assert response.status_code == 401
    assert response.json() == {"status": 401, "error": "Unauthorized"}
    assert len(listed(admin)) == 1


def test_a_request_under_way_is_open(client: httpx.Client, admin: httpx.Client) -> None:
    admin.post("/faults", json={"operation": "findAllCustomers", "connection": "HANG"})
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.get, "/customers", timeout=5)
        try:
            while not (found := listed(admin)) and not slow.done():
                pass
        finally:
            admin.post("/reset").raise_for_status()

    (entry,) = found
    assert (entry["operation"], entry["path"]) == ("findAllCustomers", "/api/v1/customers")
    assert (entry["status"], entry["answer"], entry["duration_ms"]) == (None, None, None)
    assert slow.result().status_code == 503
    assert listed(admin) == []


@contextmanager
def journal_of(size: int) -> Iterator[httpx.Client]:
    """Serve a journal of so many entries."""
    settings = Settings(db=":memory:", fixtures="empty", journal_size=size)
    with running(build(settings)) as url, httpx.Client(base_url=url, verify=False) as client:
        yield client


@pytest.mark.parametrize(("size", "kept"), [(0, []), (1, [5]), (3, [3, 4, 5]), (9, [*range(6)])])
def test_a_journal_keeps_the_last_entries(size: int, kept: list[int]) -> None:
    with journal_of(size) as client:
        for number in range(6):
            client.get(f"/api/v1/customers/{number}", headers=KEY)

        answer = client.get("/__admin/requests").json()

    assert [each["path"] for each in answer["requests"]] == [
        f"/api/v1/customers/{number}" for number in kept
    ]
    assert answer["meta"] == {"total": len(kept)}
    assert answer["requestJournalDisabled"] is (size == 0)


def test_strangers_push_nothing_out_of_an_organizations_journal() -> None:
    with journal_of(2) as client:
        client.get("/api/v1/customers", headers=KEY)
        for _ in range(5):
            client.get("/api/v1/taxes", headers=STRANGER)

        own = client.get("/__admin/requests", headers=KEY).json()
        every = client.get("/__admin/requests").json()

    assert [each["operation"] for each in own["requests"]] == ["findAllCustomers"]
    assert [each["operation"] for each in every["requests"]] == [
        "findAllCustomers",
        "findAllTaxes",
        "findAllTaxes",
    ]


def test_requests_of_two_organizations_are_kept_apart(
    server: str, client: httpx.Client, admin: httpx.Client
) -> None:
    other = admin.post("/organizations", json={"name": "Other"}).json()
    key = {"Authorization": f"Bearer {other['api_key']}"}
    client.get("/customers")
    client.get(f"{server}/api/v1/taxes", headers=key)

    assert [each["path"] for each in listed(admin, **KEY)] == ["/api/v1/customers"]
    (entry,) = listed(admin, **key)
    assert (entry["path"], entry["organization"]) == ("/api/v1/taxes", other["id"])
    assert len(listed(admin)) == 2


def test_requests_of_an_organization_go_with_it_and_so_do_their_bodies(
    app: LagoMockApp, server: str, client: httpx.Client, admin: httpx.Client
) -> None:
    other = admin.post("/organizations", json={"name": "Other"}).json()
    key = {"Authorization": f"Bearer {other['api_key']}"}
    client.get(f"{server}/api/v1/taxes", headers=key)
    budget = app.server.tenants.archive.budget
    held = budget.held

    admin.delete(f"/organizations/{other['id']}").raise_for_status()

    assert held > 0
    assert (listed(admin), budget.held) == ([], 0)
