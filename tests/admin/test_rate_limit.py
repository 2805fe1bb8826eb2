from __future__ import annotations

from typing import Any

import httpx
import pytest
from lago_python_client import Client

from tests.conftest import API_KEY

OWN = {"Authorization": f"Bearer {API_KEY}"}
NAMES = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def limit(admin: httpx.Client, quota: Any, **options: Any) -> None:
    admin.patch("/settings", json={"rate_limit": quota}, **options).raise_for_status()


def freeze(admin: httpx.Client) -> None:
    admin.put("/clock", json={"now": "2027-01-01T00:00:00Z"}).raise_for_status()


def numbers(response: httpx.Response) -> list[int]:
    return [int(response.headers[name]) for name in NAMES]


def test_without_a_limit_there_are_no_headers(client: httpx.Client) -> None:
    assert not set(NAMES) & client.get("/organizations").headers.keys()


def test_the_quotas_of_the_hosted_service_hold(client: httpx.Client, admin: httpx.Client) -> None:
    freeze(admin)
    limit(admin, {})

    client.post("/customers", json={"customer": {"external_id": "a"}}).raise_for_status()
    usage = client.get("/customers/a/current_usage")

    assert numbers(usage) == [200, 199, 1]
    assert numbers(client.get("/nowhere")) == [50, 48, 1]


def test_a_request_that_is_too_large_counts_and_is_told_the_rest(
    client: httpx.Client, admin: httpx.Client
) -> None:
    freeze(admin)
    limit(admin, {"default": 2})

    too_long = client.get("/customers", params={"search_term": "a" * 62_000})
    next_one = client.get("/customers")

    assert (too_long.status_code, numbers(too_long)) == (414, [2, 1, 1])
    assert numbers(next_one) == [2, 0, 1]


def test_past_the_quota_requests_are_refused_until_the_window_ends(
    client: httpx.Client, admin: httpx.Client
) -> None:
    freeze(admin)
    limit(admin, {"default": 2, "window_seconds": 10})

    answers = [client.get("/organizations") for _ in range(3)]
    admin.put("/clock", json={"advance_seconds": 10}).raise_for_status()
    later = client.get("/organizations")

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert [numbers(each) for each in answers] == [[2, 1, 10], [2, 0, 10], [2, 0, 10]]
    assert answers[2].json() == {"status": 429, "error": "Too Many Requests"}
    assert (later.status_code, numbers(later)) == (200, [2, 1, 10])


def test_a_refusal_says_that_a_frozen_window_does_not_end(
    client: httpx.Client, admin: httpx.Client
) -> None:
    freeze(admin)
    limit(admin, {"default": 0})
    client.get("/organizations")
    admin.delete("/clock").raise_for_status()
    client.get("/organizations")

    first, second = admin.get("/requests", headers=OWN).json()["requests"]

    assert first["hint"] == (
        "the quota of this window is used up, which does not end while the clock is frozen"
    )
    assert second["hint"] == "the quota of this window is used up"


def test_a_refused_request_does_nothing_and_meets_no_fault(
    client: httpx.Client, admin: httpx.Client
) -> None:
    admin.post("/faults", json={"operation": "*", "status": 503}).raise_for_status()
    limit(admin, {"default": 0})

    refused = client.post("/customers", json={"customer": {"external_id": "a"}})

    assert refused.status_code == 429
    assert [each["hits"] for each in admin.get("/faults").json()["faults"]] == [0]
    limit(admin, None)
    admin.delete("/faults").raise_for_status()
    assert client.get("/customers/a").status_code == 404


def test_the_numbers_of_a_fault_take_the_place_of_the_quotas(
    client: httpx.Client, admin: httpx.Client
) -> None:
    limit(admin, {"default": 5})
    admin.post("/faults", json={"operation": "*", "error": "too_many_requests"}).raise_for_status()

    assert numbers(client.get("/organizations")) == [50, 0, 1]


def test_each_organization_has_a_quota_of_its_own(
    client: httpx.Client, admin: httpx.Client
) -> None:
    freeze(admin)
    other = admin.post("/organizations", json={}).json()["api_key"]
    limit(admin, {"default": 1})

    first = client.get("/organizations")
    second = client.get("/organizations", headers={"Authorization": f"Bearer {other}"})

    assert (numbers(first), numbers(second)) == ([1, 0, 1], [1, 0, 1])


def test_no_organization_no_quota(client: httpx.Client, admin: httpx.Client) -> None:
    limit(admin, {"default": 0})
    response = client.get("/organizations", headers={"Authorization": "Bearer unknown"})
    assert response.status_code == 401


def test_the_python_client_waits_and_gets_through(
    server: str, client: httpx.Client, admin: httpx.Client
) -> None:
    limit(admin, {"default": 1})
    seen: list[Any] = []
    lago = Client(api_key=API_KEY, api_url=server, on_rate_limit_info=seen.append)

    for _ in range(2):
        assert lago.customers.find_all()["customers"] == []

    statuses = [each["status"] for each in admin.get("/requests", headers=OWN).json()["requests"]]
    assert statuses.count(200) == 2
    assert seen[0].limit == 1


@pytest.mark.parametrize("quota", [{"operations": {"nothing": 1}}], ids=["operation"])
def test_a_quota_of_no_operation_is_refused(admin: httpx.Client, quota: Any) -> None:
    response = admin.patch("/settings", json={"rate_limit": quota})
    assert response.json()["error_details"] == {
        "rate_limit.operations.nothing": ["no operation nothing"]
    }
