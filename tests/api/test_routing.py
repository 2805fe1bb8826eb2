from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

AUTHORIZED = {"Authorization": "Bearer lago-mock-key"}
NO_ROUTE = b'{"status":404,"error":"Not Found","code":"resource_not_found"}'
IDS = ("c1", "c1.foo", "a b", "a/b", "a+b", "a%b", "é", "organizations", "..", "C1")


def raw_call(
    url: str, method: str, target: str, headers: Mapping[str, str] = AUTHORIZED
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send a target just as it is written."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


@pytest.fixture
def customers(server: str, client: httpx.Client) -> str:
    """URL of the server, which has a customer of each id."""
    for external_id in IDS:
        answer = client.post("/customers", json={"customer": {"external_id": external_id}})
        answer.raise_for_status()
    return server


@pytest.mark.parametrize(
    ("segment", "external_id"),
    [
        pytest.param("c1", "c1", id="plain"),
        pytest.param("C1", "C1", id="case counts"),
        pytest.param("c1.foo", "c1.foo", id="the dot belongs to it"),
        pytest.param("c1%2Efoo", "c1.foo", id="encoded dot"),
        pytest.param("a%2Fb", "a/b", id="encoded slash"),
        pytest.param("a%2fb", "a/b", id="encoded slash in lower case"),
        pytest.param("a%20b", "a b", id="encoded space"),
        pytest.param("a+b", "a+b", id="plus is a plus"),
        pytest.param("a%2Bb", "a+b", id="encoded plus"),
        pytest.param("a%25b", "a%b", id="encoded percent"),
        pytest.param("%C3%A9", "é", id="encoded letter"),
        pytest.param("%63%31", "c1", id="encoded for nothing"),
        pytest.param("organizations", "organizations", id="name of a path"),
        pytest.param("..", "..", id="two dots"),
    ],
)
def test_a_segment_is_decoded_once(customers: str, segment: str, external_id: str) -> None:
    status, _, body = raw_call(customers, "GET", f"/api/v1/customers/{segment}")

    assert (status, json.loads(body)["customer"]["external_id"]) == (200, external_id)


def test_a_dot_in_an_id_deletes_no_other_customer(customers: str, client: httpx.Client) -> None:
    status, _, body = raw_call(customers, "DELETE", "/api/v1/customers/c1.foo")

    assert (status, json.loads(body)["customer"]["external_id"]) == (200, "c1.foo")
    assert client.get("/customers/c1").status_code == 200


@pytest.mark.parametrize(
    "segment",
    [
        pytest.param("nobody", id="unknown"),
        pytest.param("c1.json", id="the ending belongs to it"),
        pytest.param("a%2520b", id="encoded twice"),
        pytest.param("c1%00", id="nul"),
    ],
)
def test_an_id_that_nobody_has_is_not_found(customers: str, segment: str) -> None:
    status, _, body = raw_call(customers, "GET", f"/api/v1/customers/{segment}")

    expected = {"status": 404, "error": "Not Found", "code": "customer_not_found"}
    assert (status, json.loads(body)) == (404, expected)


@pytest.mark.parametrize("segment", ["a%FF", "%ZZ", "a%", "%C3", "%4", "a%F0%9F"])
@pytest.mark.parametrize(
    ("accept", "answer"),
    [("*/*", b""), ("application/json", b'{"status":400,"error":"Bad Request"}')],
)
def test_a_broken_segment_cannot_be_parsed(
    customers: str, segment: str, accept: str, answer: bytes
) -> None:
    headers = {**AUTHORIZED, "Accept": accept}

    status, _, body = raw_call(customers, "GET", f"/api/v1/customers/{segment}", headers)

    assert (status, body) == (400, answer)


@pytest.mark.parametrize(
    ("target", "key"),
    [
        pytest.param("/api/v1/customers/", "customers", id="trailing slash"),
        pytest.param("/api/v1/customers///", "customers", id="trailing slashes"),
        pytest.param("/api/v1//customers", "customers", id="doubled slash"),
        pytest.param("/api/v1///customers", "customers", id="tripled slash"),
        pytest.param("/api/v1/customers//c1", "customer", id="doubled before the id"),
        pytest.param("/api/v1/customers/c1//", "customer", id="behind the id"),
        pytest.param("//api/v1/customers", "customers", id="doubled in front"),
        pytest.param("/api//v1/customers", "customers", id="doubled in the prefix"),
        pytest.param("/api/v1/customers.json", "customers", id="ending"),
        pytest.param("/api/v1/customers.xml", "customers", id="any ending"),
        pytest.param("/api/v1/organizations.json", "organization", id="ending, organization"),
        pytest.param("/api/v1/organizations.json/", "organization", id="ending and slash"),
        pytest.param("/api/v1/taxes.json?page=1", "taxes", id="ending and query"),
        pytest.param("http://x/api/v1/customers", "customers", id="absolute"),
    ],
)
def test_slashes_and_endings_count_for_nothing(customers: str, target: str, key: str) -> None:
    status, headers, body = raw_call(customers, "GET", target)

    assert (status, next(iter(json.loads(body)))) == (200, key)
    assert headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/api/v1", id="prefix"),
        pytest.param("/api/v1/", id="prefix and slash"),
        pytest.param("/api", id="half a prefix"),
        pytest.param("/api/v2/customers", id="other version"),
        pytest.param("/customers", id="no prefix"),
        pytest.param("/api/v1/api/v1/customers", id="prefix twice"),
        pytest.param("/api/v1/Customers", id="capital"),
        pytest.param("/API/v1/customers", id="capitals in the prefix"),
        pytest.param("/api/v1/customer", id="singular"),
        pytest.param("/api/v1/customers/a/b", id="unencoded slash"),
        pytest.param("/api/v1/customers/c1/nothing", id="unknown collection"),
        pytest.param("/api/v1/customers/c1/invoices/1", id="one segment too many"),
        pytest.param("/nowhere", id="unknown"),
        pytest.param("/favicon.ico", id="favicon"),
    ],
)
def test_an_unknown_path_is_no_resource(customers: str, target: str) -> None:
    status, headers, body = raw_call(customers, "GET", target)

    assert (status, body) == (404, NO_ROUTE)
    assert headers["content-type"] == "application/json; charset=utf-8"


WRONG_VERBS = [
    ("PUT", "/api/v1/customers"),
    ("PATCH", "/api/v1/customers"),
    ("DELETE", "/api/v1/customers"),
    ("POST", "/api/v1/customers/c1"),
    ("PUT", "/api/v1/customers/c1"),
    ("PATCH", "/api/v1/customers/c1"),
    ("POST", "/api/v1/organizations"),
    ("PATCH", "/api/v1/organizations"),
    ("DELETE", "/api/v1/organizations"),
    ("PATCH", "/api/v1/taxes/vat"),
]


@pytest.mark.parametrize("headers", [AUTHORIZED, {}], ids=["key", "no key"])
@pytest.mark.parametrize(("method", "target"), WRONG_VERBS)
def test_a_wrong_verb_is_no_resource(
    customers: str, method: str, target: str, headers: dict[str, str]
) -> None:
    status, answered, body = raw_call(customers, method, target, headers)

    assert (status, body) == (404, NO_ROUTE)
    assert "allow" not in answered


@pytest.mark.parametrize(
    "path", ["/customers", "/customers/c1", "/organizations", "/taxes", "/customers/nobody"]
)
def test_head_answers_as_get_without_a_body(
    client: httpx.Client, customers: str, path: str
) -> None:
    got = client.get(path)
    asked = client.head(path)

    # A body behind the head would spoil the connection for the next request.
    assert client.get(path).content == got.content
    assert (asked.status_code, asked.content) == (got.status_code, b"")
    one_time = {"x-request-id", "x-runtime", "date"}
    assert {k: v for k, v in asked.headers.items() if k not in one_time} == {
        k: v for k, v in got.headers.items() if k not in one_time
    }


@pytest.mark.usefixtures("admin")
def test_head_without_a_key_is_refused(server: str) -> None:
    status, _, body = raw_call(server, "HEAD", "/api/v1/customers", {})

    assert (status, body) == (401, b"")


@pytest.mark.parametrize("path", ["/nowhere", "/customers/a/b"])
def test_head_of_an_unknown_path_is_not_found(client: httpx.Client, path: str) -> None:
    response = client.head(path)

    assert (response.status_code, response.content) == (404, b"")
    assert client.get("/customers").status_code == 200


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE"])
@pytest.mark.parametrize("target", ["/api/v1/customers", "/api/v1/nowhere", "/", "/nowhere"])
@pytest.mark.parametrize(
    ("accept", "answer", "kind"),
    [
        ("*/*", b"", "text/html; charset=UTF-8"),
        (
            "application/json",
            b'{"status":404,"error":"Not Found"}',
            "application/json; charset=UTF-8",
        ),
    ],
)
@pytest.mark.usefixtures("admin")
def test_verbs_that_lago_never_routes_are_not_found(
    server: str, method: str, target: str, accept: str, answer: bytes, kind: str
) -> None:
    status, headers, body = raw_call(server, method, target, {"Accept": accept})

    assert (status, body, headers["content-type"]) == (404, answer, kind)


@pytest.mark.usefixtures("admin")
def test_options_of_the_whole_server_is_not_found(server: str) -> None:
    status, headers, body = raw_call(server, "OPTIONS", "*")

    assert (status, body) == (404, b"")
    assert headers["content-type"] == "text/html; charset=UTF-8"


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("method", ["FOO", "get"])
def test_unknown_verbs_are_refused_by_the_parser(server: str, method: str) -> None:
    status, _, _ = raw_call(server, method, "/api/v1/customers")

    assert status == 400


@pytest.mark.parametrize(
    ("accept", "answer", "kind"),
    [
        ("*/*", b"", "text/html; charset=UTF-8"),
        (
            "application/json",
            b'{"status":404,"error":"Not Found"}',
            "application/json; charset=UTF-8",
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.usefixtures("admin")
def test_the_root_is_not_found(
    server: str, method: str, accept: str, answer: bytes, kind: str
) -> None:
    status, headers, body = raw_call(server, method, "/", {"Accept": accept})

    assert (status, body, headers["content-type"]) == (404, answer, kind)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        pytest.param("", {"X-HTTP-Method-Override": "DELETE"}, id="header"),
        pytest.param("?_method=delete", {}, id="query"),
    ],
)
def test_no_other_verb_can_be_asked_for(
    customers: str, client: httpx.Client, query: str, headers: dict[str, str]
) -> None:
    response = client.get(f"/customers/c1{query}", headers=headers)

    assert response.json()["customer"]["external_id"] == "c1"
    assert client.get("/customers/c1").status_code == 200


def test_method_in_a_form_changes_no_verb(client: httpx.Client) -> None:
    form: dict[str, Any] = {"_method": "put", "organization[name]": "Other"}

    response = client.post("/organizations", data=form)

    assert (response.status_code, response.content) == (404, NO_ROUTE)
    assert client.get("/organizations").json()["organization"]["name"] == "Blank Slate"
