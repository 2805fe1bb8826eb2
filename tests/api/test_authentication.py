from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.unmocked import READ, WRITE

KEY = "lago-mock-key"
REFUSED = b'{"status":401,"error":"Unauthorized"}'
JSON_TYPE = {"Content-Type": "application/json"}


def raw_call(
    url: str,
    method: str = "GET",
    target: str = "/api/v1/organizations",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send just these headers, as they are written."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value.encode("latin-1"))
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(f"Bearer {KEY}", id="bearer"),
        pytest.param(f"bearer {KEY}", id="lower-case scheme"),
        pytest.param(f"Token {KEY}", id="token"),
        pytest.param(f"Basic {KEY}", id="basic"),
        pytest.param(f"x {KEY}", id="any word"),
        pytest.param(f"Bearer   {KEY}", id="spaces between"),
        pytest.param(f"Bearer\t{KEY}", id="tab between"),
        pytest.param(f"   Bearer {KEY}", id="leading spaces"),
        pytest.param(f"Bearer {KEY}   ", id="trailing spaces"),
        pytest.param(f"Bearer {KEY} anything", id="third word"),
    ],
)
def test_the_second_word_is_the_key(server: str, value: str) -> None:
    status, _, body = raw_call(server, headers={"Authorization": value})

    assert (status, json.loads(body)["organization"]["name"]) == (200, "Blank Slate")


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="scheme alone"),
        pytest.param("Bearer ", id="scheme and a space"),
        pytest.param(KEY, id="key alone"),
        pytest.param(f"{KEY} x", id="key as first word"),
        pytest.param(f"Bearer x {KEY}", id="key as third word"),
        pytest.param(f"Bearer {KEY.upper()}", id="capitals"),
        pytest.param(f"Bearer {KEY.capitalize()}", id="one capital"),
        pytest.param(f"Bearer {KEY}x", id="one letter more"),
        pytest.param(f"Bearer {KEY[:-1]}", id="one letter less"),
        pytest.param(f'Bearer "{KEY}"', id="quotes"),
        pytest.param(f"Bearer {KEY},", id="comma"),
        pytest.param("Bearer 5a0f4c1e-9d3b-4e67-8c52-7b1f60d2a9e4", id="unknown key"),
        pytest.param("Bearer clé", id="outside ascii"),
    ],
)
def test_any_other_value_is_refused(server: str, value: str) -> None:
    status, headers, body = raw_call(server, headers={"Authorization": value})

    assert (status, body) == (401, REFUSED)
    assert "www-authenticate" not in headers


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("value", [f"Bearer {KEY}\0", f"Bearer \0{KEY}", "\0"])
def test_a_nul_in_the_header_is_refused_by_the_parser(server: str, value: str) -> None:
    status, _, _ = raw_call(server, headers={"Authorization": value})

    assert status == 400


@pytest.mark.usefixtures("admin")
def test_no_header_is_refused_alike(server: str) -> None:
    status, headers, body = raw_call(server)

    assert (status, body) == (401, REFUSED)
    assert "www-authenticate" not in headers


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    ("target", "headers"),
    [
        pytest.param(f"/api/v1/organizations?api_key={KEY}", {}, id="query"),
        pytest.param(f"/api/v1/organizations?authorization=Bearer+{KEY}", {}, id="query header"),
        pytest.param("/api/v1/organizations", {"Cookie": f"api_key={KEY}"}, id="cookie"),
        pytest.param("/api/v1/organizations", {"X-Api-Key": KEY}, id="other header"),
        pytest.param("/api/v1/organizations", {"Proxy-Authorization": f"Bearer {KEY}"}, id="proxy"),
    ],
)
def test_the_key_is_taken_from_nowhere_else(
    server: str, target: str, headers: dict[str, str]
) -> None:
    status, _, body = raw_call(server, target=target, headers=headers)

    assert (status, body) == (401, REFUSED)


UNPARSABLE = b'{"status":400,"error":"Bad Request"}'
NOT_ACCEPTABLE = b'{"status":406,"error":"Not Acceptable"}'
NO_ROUTE = b'{"status":404,"error":"Not Found","code":"resource_not_found"}'
NO_ROOT = (
    b'{"status":400,"error":"BadRequest: param is missing or the value is empty or invalid: '
    b'customer"}'
)
BROKEN = b'{"customer":'


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("authorization", ["", "Bearer nobody", f"Bearer {KEY}"])
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        pytest.param("POST", "/api/v1/customers", BROKEN, id="known path"),
        pytest.param("POST", "/api/v1/nowhere", BROKEN, id="unknown path"),
        pytest.param("POST", "/elsewhere", BROKEN, id="outside the prefix"),
        pytest.param("PATCH", "/api/v1/customers", BROKEN, id="wrong verb"),
        pytest.param("GET", "/api/v1/customers", BROKEN, id="get"),
        pytest.param("POST", f"/api/v1{WRITE.path}", BROKEN, id="not mocked"),
        pytest.param("GET", "/api/v1/customers?a=%ZZ", b"", id="query"),
        pytest.param("GET", "/api/v1/nowhere?a=%FF", b"", id="query of an unknown path"),
        pytest.param("GET", f"/api/v1{READ.path}?a=%ZZ", b"", id="query of what is not mocked"),
        pytest.param("GET", "/api/v1/customers/a%FF", b"", id="path"),
    ],
)
def test_what_cannot_be_parsed_comes_before_route_and_key(
    server: str, method: str, target: str, body: bytes, authorization: str
) -> None:
    headers = {"Authorization": authorization, "Accept": "application/json", **JSON_TYPE}

    status, _, answer = raw_call(server, method, target, headers, body)

    assert (status, answer) == (400, UNPARSABLE)


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("target", ["/api/v1/customers", "/api/v1/nowhere", f"/api/v1{WRITE.path}"])
def test_a_malformed_media_type_comes_before_route_and_key(server: str, target: str) -> None:
    headers = {"Accept": "application/json", "Content-Type": "garbage"}

    status, _, answer = raw_call(server, "POST", target, headers, b"{}")

    assert (status, answer) == (406, NOT_ACCEPTABLE)


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("authorization", ["", "Bearer nobody", f"Bearer {KEY}"])
@pytest.mark.parametrize(
    ("method", "target"),
    [
        pytest.param("GET", "/api/v1/nowhere", id="unknown path"),
        pytest.param("POST", "/api/v1/nowhere", id="unknown path, post"),
        pytest.param("PUT", "/api/v1/customers", id="wrong verb"),
        pytest.param("GET", "/elsewhere", id="outside the prefix"),
    ],
)
def test_a_missing_route_comes_before_the_key(
    server: str, method: str, target: str, authorization: str
) -> None:
    status, _, body = raw_call(server, method, target, {"Authorization": authorization})

    assert (status, body) == (404, NO_ROUTE)


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        pytest.param("POST", "/api/v1/customers", b"", id="missing root"),
        pytest.param("POST", "/api/v1/customers", b'{"customer":{"name":"x"}}', id="invalid"),
        pytest.param("GET", "/api/v1/customers/nobody", b"", id="missing customer"),
        pytest.param("GET", "/api/v1/customers/nobody/invoices", b"", id="nested"),
        pytest.param("POST", f"/api/v1{WRITE.path}", b"", id="not mocked"),
    ],
)
def test_the_key_comes_before_body_and_look_up(
    server: str, method: str, target: str, body: bytes
) -> None:
    status, _, answer = raw_call(server, method, target, JSON_TYPE, body)

    assert (status, answer) == (401, REFUSED)


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        pytest.param(b'{"customer":{"currency":1,"nonsense":1}', 400, b"", id="unparsable"),
        pytest.param(b'{"customer":{"nonsense":1}}', 400, NO_ROOT, id="no permitted key"),
        pytest.param(
            b'{"customer":{"currency":"nonsense"}}',
            422,
            b'{"status":422,"error":"Unprocessable Entity","code":"validation_errors",'
            b'"error_details":{"currency":["value_is_invalid"],'
            b'"external_id":["value_is_mandatory"]}}',
            id="broken rules",
        ),
    ],
)
def test_the_root_key_comes_before_the_rules(
    client: httpx.Client, body: bytes, status: int, answer: bytes
) -> None:
    response = client.post("/customers", content=body, headers=JSON_TYPE)

    expected: Any = json.loads(answer or b"null")
    assert response.status_code == status
    assert (response.json() if response.content else None) == expected


def test_a_refused_key_writes_nothing(client: httpx.Client, server: str) -> None:
    body = b'{"customer":{"external_id":"a"}}'

    status, _, _ = raw_call(server, "POST", "/api/v1/customers", JSON_TYPE, body)

    assert status == 401
    assert client.get("/customers").json()["meta"]["total_count"] == 0
