from __future__ import annotations

import re
from importlib.metadata import version

import httpx
import pytest

from tests.unmocked import READ

CUSTOMER = {"customer": {"external_id": "a"}}
SECURITY = {
    "x-frame-options": "SAMEORIGIN",
    "x-xss-protection": "0",
    "x-content-type-options": "nosniff",
    "x-permitted-cross-domain-policies": "none",
    "referrer-policy": "strict-origin-when-cross-origin",
}
ETAG = re.compile(r'W/"[0-9a-f]{32}"')
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def subset(response: httpx.Response, wanted: dict[str, str]) -> dict[str, str | None]:
    return {name: response.headers.get(name) for name in wanted}


SUCCESSES = [
    pytest.param("GET", "/organizations", None, id="get"),
    pytest.param("GET", "/customers", None, id="list"),
    pytest.param("POST", "/customers", CUSTOMER, id="post"),
    pytest.param("PUT", "/organizations", {"organization": {"city": "Faro"}}, id="put"),
    pytest.param("DELETE", "/customers/z", None, id="delete"),
]


@pytest.mark.parametrize(("method", "path", "body"), SUCCESSES)
def test_success_is_200_with_etag_and_security_headers(
    client: httpx.Client, method: str, path: str, body: object
) -> None:
    client.post("/customers", json={"customer": {"external_id": "z"}})

    response = client.request(method, path, json=body)

    assert response.status_code == 200
    assert subset(response, SECURITY) == SECURITY
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "max-age=0, private, must-revalidate"
    assert ETAG.fullmatch(response.headers["etag"])


REFUSALS = [
    pytest.param("POST", "/customers", {}, 400, id="missing root"),
    pytest.param("GET", "/customers/nobody", None, 404, id="missing customer"),
    pytest.param("GET", "/nowhere", None, 404, id="no route"),
    pytest.param("POST", "/customers", {"customer": {"name": "x"}}, 422, id="invalid"),
    pytest.param("GET", READ.path, None, 501, id="not mocked"),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), REFUSALS)
def test_a_controllers_error_is_not_cached(
    client: httpx.Client, method: str, path: str, body: object, status: int
) -> None:
    response = client.request(method, path, json=body)

    assert response.status_code == status
    assert subset(response, SECURITY) == SECURITY
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "etag" not in response.headers


def test_a_refused_key_is_not_cached(client: httpx.Client) -> None:
    response = client.get("/customers", headers={"Authorization": "Bearer nobody"})

    assert response.status_code == 401
    assert subset(response, SECURITY) == SECURITY
    assert response.headers["cache-control"] == "no-cache"
    assert "etag" not in response.headers


LOWER_LAYER = [
    pytest.param("POST", "/customers", {"Content-Type": "application/json"}, 400, id="unparsable"),
    pytest.param("POST", "/customers", {"Content-Type": "garbage"}, 406, id="content type"),
    pytest.param("GET", "/customers", {"Accept": "garbage//x"}, 406, id="accept"),
    pytest.param("OPTIONS", "/customers", {}, 404, id="options"),
]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ({}, "text/html; charset=UTF-8"),
        ({"Accept": "application/json"}, "application/json; charset=UTF-8"),
    ],
    ids=["html", "json"],
)
@pytest.mark.parametrize(("method", "path", "headers", "status"), LOWER_LAYER)
def test_errors_below_the_controllers_have_few_headers(
    client: httpx.Client,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    accept: dict[str, str],
    kind: str,
) -> None:
    response = client.request(method, path, content=b"{", headers={**accept, **headers})

    expected = "text/html; charset=UTF-8" if "Accept" in headers else kind
    assert (response.status_code, response.headers["content-type"]) == (status, expected)
    assert not {*SECURITY, "cache-control", "etag"} & response.headers.keys()


EVERYWHERE = [
    *SUCCESSES,
    *(pytest.param(*each.values[:3], id=each.id) for each in REFUSALS),
    pytest.param("OPTIONS", "/customers", None, id="options"),
    pytest.param("GET", "/customers?a=%ZZ", None, id="unparsable"),
]


@pytest.mark.parametrize(("method", "path", "body"), EVERYWHERE)
def test_every_answer_says_who_gave_it_and_how_long_it_took(
    client: httpx.Client, method: str, path: str, body: object
) -> None:
    client.post("/customers", json={"customer": {"external_id": "z"}})

    headers = client.request(method, path, json=body).headers

    assert headers["x-lago-mock"] == version("lago-mock")
    assert headers["vary"] == "Origin"
    assert UUID.fullmatch(headers["x-request-id"])
    assert re.fullmatch(r"\d+\.\d{6}", headers["x-runtime"])
    assert headers["content-length"].isdecimal()


@pytest.mark.parametrize(("method", "path", "body"), EVERYWHERE)
def test_no_answer_has_headers_that_lago_does_not_send(
    client: httpx.Client, method: str, path: str, body: object
) -> None:
    headers = client.request(method, path, json=body).headers

    assert not {"location", "set-cookie", "www-authenticate", "server"} & headers.keys()
    assert not [name for name in headers if name.startswith("x-ratelimit")]


@pytest.mark.parametrize("path", ["/organizations", "/customers/nobody", "/customers?a=%ZZ"])
def test_the_clients_request_id_comes_back(client: httpx.Client, path: str) -> None:
    response = client.get(path, headers={"X-Request-Id": "trace-42"})

    assert response.headers["x-request-id"] == "trace-42"


def test_every_answer_has_a_request_id_of_its_own(client: httpx.Client) -> None:
    ids = {client.get("/organizations").headers["x-request-id"] for _ in range(5)}

    assert len(ids) == 5


def test_the_etag_follows_the_body(client: httpx.Client) -> None:
    first = client.get("/organizations")
    again = client.get("/organizations")
    client.put("/organizations", json={"organization": {"city": "Faro"}})
    changed = client.get("/organizations")

    assert again.headers["etag"] == first.headers["etag"]
    assert changed.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_of_what_the_client_has_is_304(client: httpx.Client, method: str) -> None:
    etag = client.get("/organizations").headers["etag"]

    response = client.request(method, "/organizations", headers={"If-None-Match": etag})

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == etag
    assert client.get("/organizations").status_code == 200


def test_a_get_of_what_has_changed_is_200(client: httpx.Client) -> None:
    etag = client.get("/organizations").headers["etag"]
    client.put("/organizations", json={"organization": {"city": "Faro"}})

    response = client.get("/organizations", headers={"If-None-Match": etag})

    assert (response.status_code, response.json()["organization"]["city"]) == (200, "Faro")


def test_a_write_is_never_304(client: httpx.Client) -> None:
    body = {"organization": {"city": "Faro"}}
    etag = client.put("/organizations", json=body).headers["etag"]

    response = client.put("/organizations", json=body, headers={"If-None-Match": etag})

    assert (response.status_code, response.headers["etag"]) == (200, etag)


def test_a_refusal_is_never_304(client: httpx.Client) -> None:
    response = client.get("/customers/nobody", headers={"If-None-Match": "*"})

    assert response.status_code == 404


def test_json_is_written_compactly_and_escaped_for_html(client: httpx.Client) -> None:
    name = "<Zoë & Søn>/\u2028\u2029é"

    response = client.post("/customers", json={"customer": {"external_id": "a", "name": name}})

    written = rb"\u003cZo" + "ë".encode() + rb" \u0026 S" + "ø".encode() + rb"n\u003e/\u2028\u2029"
    assert b'"name":"' + written + "é".encode() + b'",' in response.content
    assert response.json()["customer"]["name"] == name
    assert b'": ' not in response.content
    assert b'", ' not in response.content


def test_times_are_whole_seconds_in_utc_and_ids_are_uuids(client: httpx.Client) -> None:
    client.put("/organizations", json={"organization": {"timezone": "Asia/Tokyo"}})

    customer = client.post("/customers", json=CUSTOMER).json()["customer"]

    assert INSTANT.fullmatch(customer["created_at"])
    assert INSTANT.fullmatch(customer["updated_at"])
    assert UUID.fullmatch(customer["lago_id"])


def test_the_rate_of_a_tax_has_a_decimal_point(client: httpx.Client) -> None:
    tax = {"name": "VAT", "code": "vat", "rate": 20}

    response = client.post("/taxes", json={"tax": tax})

    assert b'"rate":20.0,' in response.content


def test_content_length_counts_bytes(client: httpx.Client) -> None:
    response = client.post("/customers", json={"customer": {"external_id": "é", "name": "ë"}})

    assert int(response.headers["content-length"]) == len(response.content)
