from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import running
from tests.process import run, serving

KEY = {"Authorization": "Bearer lago-mock-key"}
TOKEN = "top-secret-token"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
FORBIDDEN = ("evil.example", "evil.example:3000", "127.0.0.1.evil.example")


@pytest.fixture(scope="module")
def locked() -> Iterator[httpx.Client]:
    """Client of a server that wants a token, and goes by two names more."""
    settings = Settings(
        db=":memory:",
        fixtures="empty",
        admin_token=TOKEN,
        allow_host="lago.test, other.test",
        public_url="https://public.test/mock",
    )
    with running(build(settings)) as url, httpx.Client(base_url=url, verify=False) as client:
        yield client


def asked(
    server: str, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Return the answer to a request whose `Host` may be any."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)) as connection:
        connection.request(method, path, body, named)
        response = connection.getresponse()
        return response.status, response.headers, response.read()


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/reset"), ("POST", "/faults"), ("PATCH", "/settings")]
)
def test_a_body_that_is_not_said_to_be_json_is_415(
    client: httpx.Client,
    admin: httpx.Client,
    method: str,
    path: str,
    content_type: str | None,
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})
    headers = {"Content-Type": content_type} if content_type else {}

    response = admin.request(method, path, content=b"{}", headers=headers)

    sentence = "A body must be JSON and say so: Content-Type: application/json."
    assert (response.status_code, response.json()) == (415, {"status": 415, "error": sentence})
    assert client.get("/customers").json()["meta"]["total_count"] == 1


def test_a_call_without_a_body_needs_no_type(client: httpx.Client, admin: httpx.Client) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})

    assert admin.post("/reset").status_code == 200
    assert client.get("/customers").json()["meta"]["total_count"] == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_a_page_of_another_origin_cannot_write(
    client: httpx.Client, admin: httpx.Client, headers: dict[str, str], method: str
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})
    path = {"POST": "/reset", "DELETE": "/requests", "PUT": "/state"}[method]

    response = admin.request(method, path, headers=headers)

    assert response.status_code == 403
    assert response.json()["error"] == "A page of another origin must not steer this server."
    assert client.get("/customers").json()["meta"]["total_count"] == 1
    assert admin.get("/requests").json()["meta"]["total"] == 2


def test_a_page_of_the_server_itself_can_write(server: str, admin: httpx.Client) -> None:
    headers = {"Origin": server, "Sec-Fetch-Site": "same-origin"}

    assert admin.post("/reset", headers=headers).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/health", "/faults", "/reset", "/nowhere"])
def test_no_answer_has_cors_headers(
    server: str, admin: httpx.Client, method: str, path: str
) -> None:
    for origin in ("http://evil.example", server):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}

        response = admin.request(method, path, headers=headers)

        assert not [name for name in response.headers if name.startswith("access-control-")]
        if method == "OPTIONS":
            assert response.status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_the_prefix_alone_is_a_path_of_the_admin_api(server: str, method: str) -> None:
    status, _, body = asked(server, method, "/__admin", Host="127.0.0.1")
    strangers, _, _ = asked(server, method, "/__admin", Host="evil.example")

    assert (status, "GET /health" in json.loads(body)["known"]) == (404, True)
    assert strangers == 403


@pytest.mark.parametrize("host", FORBIDDEN)
@pytest.mark.parametrize("path", ["/__admin/state", "/__admin/health", "/customer-portal/x", "/"])
def test_under_a_strangers_name_nothing_is_shown(server: str, path: str, host: str) -> None:
    status, _, body = asked(server, "GET", path, Host=host, Accept=BROWSER)

    assert (status, json.loads(body)["status"]) == (403, 403)
    assert repr(host) in json.loads(body)["error"]
    assert "--allow-host" in json.loads(body)["error"]


def test_under_a_strangers_name_nothing_is_written(client: httpx.Client, server: str) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})

    assert asked(server, "POST", "/__admin/reset", Host="evil.example")[0] == 403
    assert client.get("/customers").json()["meta"]["total_count"] == 1


@pytest.mark.parametrize("host", ["localhost:3000", "127.0.0.1", "[::1]:3000", "lago.localhost"])
def test_a_server_goes_by_the_names_of_its_machine(server: str, host: str) -> None:
    assert asked(server, "GET", "/__admin/state", Host=host)[0] == 200
    assert asked(server, "GET", "/", Host=host, Accept=BROWSER)[0] == 200


@pytest.mark.parametrize("path", ["/api/v1/customers", "/health", "/ready"])
def test_the_api_goes_by_every_name(server: str, path: str) -> None:
    assert asked(server, "GET", path, Host="lago.example", **KEY)[0] == 200


@pytest.mark.parametrize("host", ["lago.test:3000", "other.test", "public.test"])
def test_names_can_be_added(locked: httpx.Client, host: str) -> None:
    url = str(locked.base_url)

    assert asked(url, "GET", "/__admin/state", Host=host, X_Lago_Mock_Token=TOKEN)[0] == 200
    assert asked(url, "GET", "/__admin/state", Host="x.test", X_Lago_Mock_Token=TOKEN)[0] == 403


def test_a_server_bound_to_another_address_goes_by_every_name() -> None:
    settings = Settings(db=":memory:", fixtures="empty", host="0.0.0.0")
    with running(build(settings)) as url:
        assert asked(url, "GET", "/__admin/state", Host="mock.example")[0] == 200


def test_a_page_of_the_public_url_can_write(locked: httpx.Client) -> None:
    headers = {"Origin": "https://public.test", "X-Lago-Mock-Token": TOKEN}

    assert locked.post("/__admin/reset", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, KEY, {"X-Lago-Mock-Token": "wrong"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/state"), ("POST", "/reset"), ("GET", "/openapi.json"), ("GET", "/nowhere")],
)
def test_without_the_admin_token_nothing_is_done(
    locked: httpx.Client, method: str, path: str, headers: dict[str, str]
) -> None:
    response = locked.request(method, f"/__admin{path}", headers=headers)

    sentence = "The admin token is needed in the header X-Lago-Mock-Token."
    assert (response.status_code, response.json()) == (401, {"status": 401, "error": sentence})


@pytest.mark.parametrize("path", ["/health", "/version"])
def test_health_and_version_are_for_everybody(locked: httpx.Client, path: str) -> None:
    assert locked.get(f"/__admin{path}").status_code == 200
    assert locked.head(f"/__admin{path}").status_code == 200


def test_with_the_admin_token_a_key_names_the_organization(locked: httpx.Client) -> None:
    token = {"X-Lago-Mock-Token": TOKEN}

    assert locked.get("/__admin/faults", headers={**token, **KEY}).status_code == 200
    stranger = locked.get("/__admin/faults", headers={**token, "Authorization": "Bearer nobody"})
    assert (stranger.status_code, stranger.json()["error"]) == (401, "Unauthorized")


def test_the_api_needs_no_admin_token(locked: httpx.Client) -> None:
    assert locked.get("/api/v1/customers", headers=KEY).status_code == 200


def test_a_token_that_a_client_sends_to_the_api_is_not_shown(locked: httpx.Client) -> None:
    token = {"X-Lago-Mock-Token": TOKEN}
    locked.get("/api/v1/taxes", headers={**KEY, **token})

    shown = locked.get("/__admin/requests", headers=token).text

    assert "x-lago-mock-token" in shown
    assert TOKEN not in shown


def test_neither_the_settings_nor_the_log_show_the_token(tmp_path: Path) -> None:
    shown = run(tmp_path, "settings", "--admin-token", TOKEN)
    with serving(tmp_path, "--admin-token", TOKEN, "--log-level", "debug") as server:
        httpx.post(f"{server.url}/__admin/reset", headers={"X-Lago-Mock-Token": "wrong"})
        httpx.post(f"{server.url}/__admin/reset", headers={"X-Lago-Mock-Token": TOKEN})
        server.stop()
        written = [*server.lines, server.stderr]

    assert [
        line.split() for line in shown.stdout.splitlines() if line.startswith("admin-token")
    ] == [["admin-token", "…oken", "flag", "--admin-token"]]
    assert TOKEN not in shown.stdout
    assert not [text for text in written if TOKEN in text]


def test_a_token_that_is_no_text_is_refused_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "lago-mock.toml").write_text("admin-token = 8675309\n", "utf-8")

    refused = run(tmp_path, "settings")

    assert refused.returncode == 2
    assert "8675309" not in refused.stderr
    assert "admin-token" in refused.stderr


@pytest.mark.parametrize(
    "flags",
    [["--allow-host", "a.test", "--allow-host", "b.test"], ["--allow-host", "a.test,b.test"]],
)
def test_names_may_be_flags_of_their_own_or_one_with_commas(
    tmp_path: Path, flags: list[str]
) -> None:
    lines = run(tmp_path, "settings", *flags).stdout.splitlines()

    assert ["allow-host", "a.test,b.test", "flag", "--allow-host"] in [
        each.split() for each in lines
    ]


@pytest.mark.parametrize("value", ['"a.test,b.test"', '["a.test", "b.test"]'])
def test_a_file_may_list_the_names(tmp_path: Path, value: str) -> None:
    (tmp_path / "lago-mock.toml").write_text(f"allow-host = {value}\n", "utf-8")

    lines = run(tmp_path, "settings").stdout.splitlines()

    assert ["allow-host", "a.test,b.test", "lago-mock.toml"] in [each.split() for each in lines]


@pytest.mark.parametrize("value", ["[1]", "[]", "7"])
def test_a_file_must_list_names(tmp_path: Path, value: str) -> None:
    (tmp_path / "lago-mock.toml").write_text(f"allow-host = {value}\n", "utf-8")

    assert run(tmp_path, "settings").returncode == 2
