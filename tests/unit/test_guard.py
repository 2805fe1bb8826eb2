from __future__ import annotations

from typing import Any

import pytest

from lago_mock.admin.guard import Guard, Refused
from lago_mock.hosts import Hosts
from lago_mock.request import Request

TOKEN = "s3cret-token"
FOREIGN = "A page of another origin must not steer this server."


def request(
    method: str = "POST", path: str = "/__admin/reset", body: bytes = b"", **headers: str
) -> Request:
    named = {"host": "127.0.0.1:3000", **headers}
    scope: dict[str, Any] = {
        "method": method,
        "path": path,
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in named.items()],
        "server": ("127.0.0.1", 3000),
    }
    made = Request(scope)
    made.body = body
    return made


def refusal(guard: Guard, asked: Request) -> tuple[int, str] | None:
    try:
        guard.check(asked)
    except Refused as error:
        body = error.body()
        assert body.keys() == {"status", "error"}
        return body["status"], body["error"]
    return None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "HTTP://127.0.0.1:3000", "sec_fetch_site": "same-origin"},
        {"origin": "https://mock.example", "host": "mock.example"},
        {"origin": "http://mock.example", "host": "mock.example:80"},
        {"origin": "https://public.example"},
        {"sec_fetch_site": "none"},
    ],
)
def test_a_write_from_no_page_or_an_own_page_is_let_in(headers: dict[str, str]) -> None:
    guard = Guard(public_url="https://public.example:443/mock")

    assert refusal(guard, request(**headers)) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://127.0.0.1:3001"},
        {"origin": "null"},
        {"origin": "http://[::1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "Cross-Site", "origin": "http://127.0.0.1:3000"},
    ],
)
def test_a_write_from_a_foreign_page_is_refused(method: str, headers: dict[str, str]) -> None:
    assert refusal(Guard(), request(method, **headers)) == (403, FOREIGN)


def test_an_origin_is_foreign_to_a_request_without_a_host() -> None:
    assert refusal(Guard(), request(host="", origin="http://")) == (403, FOREIGN)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_read_may_be_wished_for_by_any_page_since_it_cannot_see_the_answer(method: str) -> None:
    asked = request(method, origin="http://evil.example", sec_fetch_site="cross-site")

    assert refusal(Guard(), asked) is None


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_name_that_is_not_the_servers_is_refused_for_reads_too(method: str) -> None:
    guard = Guard(hosts=Hosts("127.0.0.1"))

    status, sentence = refusal(guard, request(method, host="evil.example")) or (0, "")

    assert (status, "--allow-host" in sentence) == (403, True)


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", " application/json "]
)
def test_a_body_that_says_that_it_is_json_is_let_in(content_type: str) -> None:
    assert refusal(Guard(), request(body=b"{}", content_type=content_type)) is None


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]
)
def test_any_other_body_is_refused(content_type: str) -> None:
    sentence = "A body must be JSON and say so: Content-Type: application/json."

    assert refusal(Guard(), request(body=b"{}", content_type=content_type)) == (415, sentence)


@pytest.mark.parametrize("content_type", ["", "text/plain"])
def test_without_a_body_no_type_is_needed(content_type: str) -> None:
    assert refusal(Guard(), request(content_type=content_type)) is None


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("given", [None, "", "s3cret-toke", "S3CRET-TOKEN", "s3cret-token2", "ä"])
def test_without_the_token_nothing_is_let_in(method: str, given: str | None) -> None:
    headers = {} if given is None else {"x_lago_mock_token": given}
    asked = request(method, "/__admin/nowhere", **headers)

    sentence = "The admin token is needed in the header X-Lago-Mock-Token."
    assert refusal(Guard(TOKEN), asked) == (401, sentence)


def test_with_the_token_everything_is_let_in() -> None:
    assert refusal(Guard(TOKEN), request(x_lago_mock_token=TOKEN)) is None


@pytest.mark.parametrize("path", ["/__admin/health", "/__admin/version"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_and_version_need_no_token(path: str, method: str) -> None:
    assert refusal(Guard(TOKEN), request(method, path)) is None
    assert refusal(Guard(TOKEN), request("POST", path)) is not None


def test_the_token_is_not_shown() -> None:
    assert TOKEN not in repr(Guard(TOKEN))
