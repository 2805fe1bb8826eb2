from __future__ import annotations

import http.client
from contextlib import closing
from importlib.metadata import version
from urllib.parse import urlsplit

import httpx
import pytest

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SECURITY = {
    "x-frame-options": "SAMEORIGIN",
    "x-xss-protection": "0",
    "x-content-type-options": "nosniff",
    "x-permitted-cross-domain-policies": "none",
    "referrer-policy": "strict-origin-when-cross-origin",
}


def test_health_is_as_lagos(server: str, admin: httpx.Client) -> None:
    lago = admin.get("/version").json()["lago_version"]

    response = admin.get(f"{server}/health")

    assert response.status_code == 200
    assert [*response.json()] == ["version", "github_url", "message"]
    assert response.json()["version"].removeprefix("v") == lago
    assert response.json()["message"] == "Success"


def test_the_link_of_health_ends_in_its_version(server: str, admin: httpx.Client) -> None:
    body = admin.get(f"{server}/health").json()

    assert body["github_url"] == f"https://github.com/getlago/lago-api/tree/{body['version']}"


def test_ready_is_as_lagos(server: str, admin: httpx.Client) -> None:
    response = admin.get(f"{server}/ready")

    assert (response.status_code, response.content) == (200, b'{"status":"ok"}')


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_and_ready_ask_for_no_key(server: str, admin: httpx.Client, path: str) -> None:
    for authorization in ("", "Bearer nobody", "Bearer lago-mock-key"):
        response = admin.get(server + path, headers={"Authorization": authorization})
        assert response.status_code == 200


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_and_ready_take_head(server: str, admin: httpx.Client, path: str) -> None:
    response = admin.head(server + path)

    assert (response.status_code, response.content) == (200, b"")
    assert admin.get(server + path).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_health_and_ready_take_no_other_verb(
    server: str, admin: httpx.Client, path: str, method: str
) -> None:
    response = admin.request(method, server + path)

    expected = {"status": 404, "error": "Not Found", "code": "resource_not_found"}
    assert (response.status_code, response.json()) == (404, expected)


@pytest.mark.parametrize("path", ["/health/", "//health", "/health.json"])
def test_slashes_and_endings_count_for_nothing(server: str, admin: httpx.Client, path: str) -> None:
    response = admin.get(server + path)

    assert (response.status_code, response.json().get("message")) == (200, "Success")


def test_health_has_the_headers_of_a_normal_answer(server: str, admin: httpx.Client) -> None:
    headers = admin.get(f"{server}/health", headers={"X-Request-Id": "trace-42"}).headers

    assert headers["content-type"] == "application/json; charset=utf-8"
    assert {name: headers.get(name) for name in SECURITY} == SECURITY
    assert headers["x-request-id"] == "trace-42"
    assert headers["cache-control"] == "max-age=0, private, must-revalidate"


@pytest.mark.parametrize("path", ["/health", "/ready", "/"])
def test_pages_say_who_gave_them(server: str, admin: httpx.Client, path: str) -> None:
    response = admin.get(server + path, headers={"Accept": BROWSER})

    assert response.status_code == 200
    assert response.headers["x-lago-mock"] == version("lago-mock")


def test_a_browser_gets_first_steps(server: str, admin: httpx.Client) -> None:
    lago = admin.get("/version").json()["lago_version"]

    response = admin.get(server, headers={"Accept": BROWSER})

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<title>lago-mock {version('lago-mock')}</title>" in response.text
    assert lago in response.text
    assert f"{server}/api/v1/customers" in response.text


def test_links_of_the_first_steps_lead_somewhere(server: str, admin: httpx.Client) -> None:
    page = admin.get(server, headers={"Accept": BROWSER}).text
    links = [part.partition('"')[0] for part in page.split('href="')[1:]]

    assert links
    assert {admin.get(server + link).status_code for link in links} == {200}


def test_the_first_steps_name_the_host_that_was_asked(server: str) -> None:
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)) as connection:
        connection.request("GET", "/", headers={"Host": "mock.localhost:8080", "Accept": BROWSER})
        page = connection.getresponse().read().decode()

    assert "http://mock.localhost:8080/api/v1/customers" in page


def test_a_host_cannot_write_into_the_page(server: str) -> None:
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)) as connection:
        connection.request("GET", "/", headers={"Host": "<b>x</b>", "Accept": BROWSER})
        page = connection.getresponse().read().decode()

    assert "<b>" not in page


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/png"])
def test_everybody_else_gets_what_the_api_says_there(
    server: str, admin: httpx.Client, accept: str
) -> None:
    response = admin.get(server, headers={"Accept": accept})

    wanted = b'{"status":404,"error":"Not Found"}' if accept == "application/json" else b""
    assert (response.status_code, response.content) == (404, wanted)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_no_other_verb_gets_first_steps(server: str, admin: httpx.Client, method: str) -> None:
    response = admin.request(method, server, headers={"Accept": BROWSER})

    assert (response.status_code, response.content) == (404, b"")
