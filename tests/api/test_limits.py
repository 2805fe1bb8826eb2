from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import running
from tests.unmocked import WRITE

AUTHORIZATION = {"Authorization": "Bearer lago-mock-key"}
MAX_BODY, MAX_QUERY, MAX_HEAD = 100, 50, 600


def refusal(status: int, what: str, limit: int) -> dict[str, object]:
    return {"status": status, "error": f"the {what} is over the limit of {limit} bytes"}


@pytest.fixture(scope="module")
def narrow() -> Iterator[str]:
    """URL of a server that takes little."""
    settings = Settings(
        db=":memory:",
        fixtures="empty",
        max_body_bytes=MAX_BODY,
        max_query_bytes=MAX_QUERY,
        max_header_bytes=MAX_HEAD,
    )
    with running(build(settings)) as url:
        yield url


@pytest.fixture
def limited(narrow: str) -> Iterator[httpx.Client]:
    """Client of that server, which has no customers."""
    with httpx.Client(base_url=narrow, headers=AUTHORIZATION, verify=False) as client:
        client.post("/__admin/reset").raise_for_status()
        yield client


def customer(size: int) -> bytes:
    start, end = b'{"customer":{"external_id":"', b'"}}'
    return start + b"a" * (size - len(start + end)) + end


def test_a_body_at_its_limit_is_taken(limited: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}

    response = limited.post("/api/v1/customers", content=customer(MAX_BODY), headers=headers)

    assert response.status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/v1/customers", "/api/v1/nowhere", f"/api/v1{WRITE.path}", "/__admin/reset"]
)
@pytest.mark.parametrize("authorization", ["Bearer lago-mock-key", "Bearer nobody"])
def test_a_longer_body_is_413(limited: httpx.Client, path: str, authorization: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": authorization}

    response = limited.post(path, content=customer(MAX_BODY + 1), headers=headers)

    assert (response.status_code, response.json()) == (413, refusal(413, "body", MAX_BODY))
    assert limited.get("/api/v1/customers").json()["meta"]["total_count"] == 0


def test_a_long_body_in_several_chunks_is_413(limited: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    chunks = iter([b'{"customer":', b" " * MAX_BODY, b'{"external_id":"a"}}'])

    response = limited.post("/api/v1/customers", content=chunks, headers=headers)

    assert (response.status_code, response.json()) == (413, refusal(413, "body", MAX_BODY))


def test_a_long_body_in_one_chunk_is_413(narrow: str, limited: httpx.Client) -> None:
    body = customer(MAX_BODY + 1)
    head = (
        "POST /api/v1/customers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Authorization: Bearer lago-mock-key\r\nContent-Type: application/json\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n"
    )
    address = urlsplit(narrow)
    with socket.create_connection((str(address.hostname), address.port or 0), 10) as connection:
        connection.sendall(head.encode() + body + b"\r\n0\r\n\r\n")
        with connection.makefile("rb") as stream:
            status = stream.readline()

    assert status.startswith(b"HTTP/1.1 413 ")
    assert limited.get("/api/v1/customers").json()["meta"]["total_count"] == 0


def test_chunks_within_the_limit_are_taken(limited: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    chunks = iter([b'{"customer":', b'{"external_id":', b'"a"}}'])

    response = limited.post("/api/v1/customers", content=chunks, headers=headers)

    assert response.status_code == 200


def test_a_query_at_its_limit_is_taken(limited: httpx.Client) -> None:
    query = "page=1&x=" + "a" * (MAX_QUERY - 9)

    assert limited.get(f"/api/v1/customers?{query}").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/customers", "/api/v1/nowhere", "/__admin/requests"])
def test_a_longer_query_is_414(limited: httpx.Client, path: str) -> None:
    query = "page=1&x=" + "a" * (MAX_QUERY - 8)

    response = limited.get(f"{path}?{query}")

    assert (response.status_code, response.json()) == (414, refusal(414, "query", MAX_QUERY))


def test_a_head_within_its_limit_is_taken(limited: httpx.Client) -> None:
    response = limited.get("/api/v1/customers", headers={"X-Note": "a" * (MAX_HEAD // 2)})

    assert response.status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/customers", "/api/v1/nowhere", "/__admin/requests"])
def test_a_longer_head_is_431(limited: httpx.Client, path: str) -> None:
    response = limited.get(path, headers={"X-Note": "a" * MAX_HEAD})

    expected = refusal(431, "head of the request", MAX_HEAD)
    assert (response.status_code, response.json()) == (431, expected)


def test_many_small_headers_are_431_too(limited: httpx.Client) -> None:
    headers = {f"X-Note-{number}": "a" for number in range(MAX_HEAD // 10)}

    assert limited.get("/api/v1/customers", headers=headers).status_code == 431


def test_a_refused_head_stands_in_the_journal(limited: httpx.Client) -> None:
    limited.post("/api/v1/customers", content=b"a" * (MAX_BODY + 1))

    (entry,) = limited.get("/__admin/requests").json()["requests"]

    assert (entry["status"], entry["body"], entry["body_base64"]) == (413, None, None)
    assert entry["answer"] == refusal(413, "body", MAX_BODY)


def asked(url: str, query: str, note: str, body: bytes) -> int:
    """Return the status of a request that may be too long for a careful client."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
        headers = {**AUTHORIZATION, "Content-Type": "application/json", "X-Note": note}
        connection.request("POST", f"/api/v1/customers?{query}", body, headers)
        return connection.getresponse().status


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("query", "note", "size", "status"),
    [
        pytest.param("", "", 64, 200, id="little"),
        pytest.param("", "", 10 * 2**20 + 1, 413, id="body over 10 MiB"),
        pytest.param("a" * 60 * 2**10, "", 64, 200, id="query of 60 KiB"),
        pytest.param("a" * (60 * 2**10 + 1), "", 64, 414, id="query over 60 KiB"),
        pytest.param("", "a" * 63 * 2**10, 64, 200, id="head of almost 64 KiB"),
        pytest.param("", "a" * 64 * 2**10, 64, 431, id="head over 64 KiB"),
    ],
)
def test_limits_are_wide_unless_they_are_set(
    server: str, query: str, note: str, size: int, status: int
) -> None:
    assert asked(server, query, note, customer(size)) == status
