from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import API_KEY, running

pytestmark = pytest.mark.mock_only
FRONT = "https://app.harbor.example"
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
SHARED = {
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD",
    "access-control-expose-headers": "x-lago-token",
    "access-control-max-age": "7200",
}


def cors(response: httpx.Response) -> dict[str, str]:
    named = response.headers.items()
    return {name: value for name, value in named if name.startswith("access-control-")}


@pytest.fixture(scope="module", params=[FRONT, "app.harbor.example"], ids=["url", "host"])
def front(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    settings = Settings(db=":memory:", fixtures="empty", front_url=request.param)
    with (
        running(build(settings)) as url,
        httpx.Client(base_url=url, verify=False) as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/api/v1/customers", "/api/v1/nowhere", "/elsewhere"])
@pytest.mark.parametrize("origin", [FRONT, "http://app.harbor.example", f"{FRONT}:443"])
def test_the_front_end_may_call(front: httpx.Client, path: str, origin: str) -> None:
    response = front.options(path, headers={"Origin": origin, **ASKED})

    assert (response.status_code, response.content) == (200, b"")
    assert cors(response) == {
        "access-control-allow-origin": origin,
        **SHARED,
        "access-control-allow-headers": "authorization",
    }


@pytest.mark.parametrize(
    "origin", ["https://harbor.example", f"{FRONT}:8443", "null", "https://app.harbor.example:x"]
)
def test_a_preflight_of_another_page_is_200_and_allows_nothing(
    front: httpx.Client, origin: str
) -> None:
    response = front.options("/api/v1/customers", headers={"Origin": origin, **ASKED})

    assert (response.status_code, cors(response)) == (200, {})


def test_a_preflight_that_asks_for_no_headers_is_told_of_none(front: httpx.Client) -> None:
    headers = {"Origin": FRONT, "Access-Control-Request-Method": "GET"}

    response = front.options("/api/v1/customers", headers=headers)

    assert cors(response) == {"access-control-allow-origin": FRONT, **SHARED}


def test_answers_can_be_read_by_the_front_end_alone(front: httpx.Client) -> None:
    key = {"Authorization": f"Bearer {API_KEY}"}

    own = front.get("/api/v1/organizations", headers={"Origin": FRONT, **key})
    other = front.get("/api/v1/organizations", headers={"Origin": "https://x.example", **key})

    assert (own.status_code, other.status_code) == (200, 200)
    assert cors(own) == {"access-control-allow-origin": FRONT, **SHARED}
    assert cors(other) == {}


def test_options_that_is_no_preflight_is_not_found(front: httpx.Client) -> None:
    assert front.options("/api/v1/customers", headers={"Origin": FRONT}).status_code == 404


def test_the_admin_api_lets_no_page_in(front: httpx.Client) -> None:
    response = front.options("/__admin/reset", headers={"Origin": FRONT, **ASKED})

    assert (response.status_code, cors(response)) == (404, {})


def test_without_a_front_end_no_page_may_call(client: httpx.Client) -> None:
    response = client.options("/customers", headers={"Origin": FRONT, **ASKED})

    assert (response.status_code, cors(response)) == (200, {})
