from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from lago_mock.pages import Pages
from lago_mock.version import LAGO_VERSION, __version__
from lago_mock.wire import JSONObject

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FROM_API = 418
HEALTH = {
    "version": LAGO_VERSION,
    "github_url": f"https://github.com/getlago/lago-api/tree/{LAGO_VERSION}",
    "message": "Success",
}
CUSTOMER: JSONObject = {
    "external_id": "acct-1",
    "name": "Lanternfish Diving School",
    "email": None,
    "legal_name": None,
    "tax_identification_number": None,
    "address_line1": None,
    "address_line2": None,
    "zipcode": None,
    "city": None,
    "country": None,
    "currency": None,
}


@dataclass
class Site:
    """Pages before an API that answers 418; `tokens` are those that a customer was sought by."""

    customer: JSONObject | None = None
    tokens: list[str] = field(default_factory=list)

    def find_customer(self, token: str) -> JSONObject | None:
        self.tokens.append(token)
        return self.customer

    async def api(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": FROM_API, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(Pages(self.api, self.find_customer))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(method, f"http://mock.test:8080{path}", headers=headers)

        return asyncio.run(exchange())


def get(path: str, **headers: str) -> httpx.Response:
    return Site().ask("GET", path, **headers)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/customers",
        "/api/health",
        "//api/v1/customers",
        "/customers",
        "/healthy",
        "/health/live",
        "/api/v1/customer-portal/x",
        "/.health",
        "/customer-portals/x",
    ],
)
def test_what_is_no_page_is_left_to_the_api(method: str, path: str) -> None:
    assert Site().ask(method, path, **BROWSER).status_code == FROM_API


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/health", "/ready", "/customer-portal/x"])
def test_pages_are_read_and_nothing_else(method: str, path: str) -> None:
    assert Site().ask(method, path, **BROWSER).status_code == FROM_API


# Health


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/health", HEALTH),
        ("/ready", {"status": "ok"}),
        ("/health/", HEALTH),
        ("//health", HEALTH),
        ("/health.json", HEALTH),
        ("/ready.xml/", {"status": "ok"}),
        ("/health?verbose=%ZZ", HEALTH),
    ],
)
def test_health_is_told_whatever_stands_around_its_path(path: str, body: JSONObject) -> None:
    response = get(path)

    assert (response.status_code, response.json()) == (200, body)
    assert response.headers["content-type"] == "application/json; charset=utf-8"


def test_a_head_request_gets_the_headers_alone() -> None:
    response, head = get("/health"), Site().ask("HEAD", "/health")

    apart = ("x-request-id", "x-runtime")
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, **dict.fromkeys(apart)} == {
        **response.headers,
        **dict.fromkeys(apart),
    }


def test_an_answer_has_the_id_of_its_request_or_a_new_one() -> None:
    given, first, second = (
        get("/health", **headers).headers["x-request-id"]
        for headers in ({"X-Request-Id": "trace-42"}, {}, {})
    )

    assert given == "trace-42"
    assert UUID(first).version == UUID(second).version == 4
    assert first != second


# First steps


@pytest.mark.parametrize("path", ["/", "//", "/?from=here"])
def test_a_browser_gets_first_steps_for_the_host_that_it_asked(path: str) -> None:
    response = get(path, **BROWSER)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<title>lago-mock {__version__}</title>" in response.text
    assert LAGO_VERSION in response.text
    assert "curl http://mock.test:8080/api/v1/customers " in response.text
    assert '{"customer": {"external_id": "acct-1", "currency": "EUR"}}' in response.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/plain", ""])
def test_whoever_wants_no_page_is_left_to_the_api(accept: str) -> None:
    assert get("/", Accept=accept).status_code == FROM_API


def test_head_of_the_first_steps_is_left_to_the_api() -> None:
    assert Site().ask("HEAD", "/", **BROWSER).status_code == FROM_API


def test_a_host_cannot_write_into_the_first_steps() -> None:
    page = get("/", Host="<script>x</script>", **BROWSER).text

    assert "<script>" not in page
    assert "http://&lt;script&gt;x&lt;/script&gt;/api/v1/customers" in page


# The portal


def table_of(page: str) -> dict[str, str]:
    return dict(re.findall(r"<tr><th>(.*?)</th><td>(.*?)</td></tr>", page))


def test_the_portal_shows_the_customer_that_its_token_opens() -> None:
    site = Site(
        {
            **CUSTOMER,
            "email": "accounts@lanternfish.example",
            "address_line1": "Cais das Redes 3",
            "zipcode": "2750-105",
            "city": "Évora",
            "country": "PT",
            "currency": "EUR",
        }
    )

    response = site.ask("GET", "/customer-portal/eyJh--0f")

    assert (response.status_code, site.tokens) == (200, ["eyJh--0f"])
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert "<h1>Lanternfish Diving School</h1>" in response.text
    assert list(table_of(response.text).items()) == [
        ("Account", "acct-1"),
        ("E-mail", "accounts@lanternfish.example"),
        ("Address", "Cais das Redes 3"),
        ("Postal code", "2750-105"),
        ("City", "Évora"),
        ("Country", "PT"),
        ("Currency", "EUR"),
    ]


@pytest.mark.parametrize("name", [None, ""])
def test_a_customer_without_a_name_is_shown_by_its_id(name: str | None) -> None:
    page = Site({**CUSTOMER, "name": name}).ask("GET", "/customer-portal/t").text

    assert "<title>acct-1</title>" in page
    assert table_of(page) == {"Account": "acct-1"}


def test_a_customer_cannot_write_into_the_page() -> None:
    bad = "<b>&\"{title}'"
    page = Site({**CUSTOMER, "name": bad, "city": bad}).ask("GET", "/customer-portal/t").text

    assert "<b>" not in page
    assert page.count("&lt;b&gt;&amp;&quot;{title}&#x27;") == 3


@pytest.mark.parametrize(
    ("path", "token"),
    [
        pytest.param("/customer-portal/a+b=--0f", "a+b=--0f", id="as it stands"),
        pytest.param("/customer-portal/a%2Bb%3D--0f", "a+b=--0f", id="escaped"),
        pytest.param("/customer-portal/a/b", "a/b", id="a slash in it"),
        pytest.param("//customer-portal//a/", "a", id="slashes around it"),
        pytest.param("/customer-portal/a.json", "a.json", id="an ending is part of it"),
        pytest.param("/customer-portal", "", id="none"),
    ],
)
def test_the_token_is_what_stands_behind_the_portal(path: str, token: str) -> None:
    site = Site()

    site.ask("GET", path)

    assert site.tokens == [token]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_token_that_opens_nothing_is_a_page_of_404(method: str) -> None:
    response = Site().ask(method, "/customer-portal/false")

    page = "<title>Link not valid</title>" in response.text
    assert (response.status_code, page) == (404, method == "GET")
    assert response.headers["content-type"] == "text/html; charset=utf-8"


def test_a_link_of_the_api_opens_the_portal(client: httpx.Client, server: str) -> None:
    customer: dict[str, Any] = {"external_id": "acct/1 é", "name": "Zoë & Sons", "city": "Faro"}
    client.post("/customers", json={"customer": customer}).raise_for_status()
    url = client.get("/customers/acct%2F1%20%C3%A9/portal_url").json()["customer"]["portal_url"]

    response = httpx.get(url, verify=False)

    assert url.startswith(f"{server}/customer-portal/")
    assert response.status_code == 200
    assert table_of(response.text) == {"Account": "acct/1 é", "City": "Faro"}
    client.delete("/customers/acct%2F1%20%C3%A9").raise_for_status()
    assert httpx.get(url, verify=False).status_code == 404
