from __future__ import annotations

from random import Random
from typing import Any

import httpx
import pytest

from tests.conftest import API_KEY

OWN = {"Authorization": f"Bearer {API_KEY}"}


def set_latency(admin: httpx.Client, latency: dict[str, Any], **options: Any) -> httpx.Response:
    return admin.patch("/settings", json={"latency": latency}, **options)


def took(client: httpx.Client, path: str) -> float:
    """Return the milliseconds that the server says it took."""
    return float(client.get(path).headers["x-runtime"]) * 1000


def test_every_answer_takes_at_least_the_default(client: httpx.Client, admin: httpx.Client) -> None:
    set_latency(admin, {"default": 40}).raise_for_status()

    assert took(client, "/organizations") >= 40
    assert took(client, "/nowhere") >= 40


def test_an_operation_can_have_a_time_of_its_own(client: httpx.Client, admin: httpx.Client) -> None:
    set_latency(admin, {"default": 200, "operations": {"findOrganization": 0}}).raise_for_status()

    assert took(client, "/organizations") < 200
    assert took(client, "/customers") >= 200


def test_a_range_with_a_seed_repeats(client: httpx.Client, admin: httpx.Client) -> None:
    random = Random(12)
    expected = [random.uniform(0, 300) for _ in range(3)]
    for _ in range(2):
        admin.post("/reset").raise_for_status()
        latency = {"default": {"min": 0, "max": 300}, "seed": 12}
        set_latency(admin, latency).raise_for_status()
        times = [took(client, "/organizations") for _ in expected]
        assert all(time >= each - 2 for time, each in zip(times, expected, strict=True))


def test_an_organizations_latency_goes_before_the_servers(
    client: httpx.Client, admin: httpx.Client
) -> None:
    set_latency(admin, {"default": 200}).raise_for_status()
    set_latency(admin, {}, headers=OWN).raise_for_status()

    assert took(client, "/organizations") < 200
    assert admin.get("/settings").json()["latency"] == {"default": 200}
    assert admin.get("/settings", headers=OWN).json()["latency"] == {}


def test_a_reset_ends_it(client: httpx.Client, admin: httpx.Client) -> None:
    set_latency(admin, {"default": 500}).raise_for_status()
    admin.post("/reset").raise_for_status()

    assert took(client, "/organizations") < 500


@pytest.mark.parametrize(
    ("latency", "details"),
    [
        (
            {"operations": {"findOrganisation": 1}},
            {
                "latency.operations.findOrganisation": [
                    "no operation findOrganisation; did you mean findOrganization?"
                ]
            },
        ),
        ({"default": {"min": 2, "max": 1}}, {"latency.default": ["min is more than max"]}),
        (
            {"operations": {"findOrganization": {"min": 2, "max": 1}}},
            {"latency.operations.findOrganization": ["min is more than max"]},
        ),
    ],
    ids=["operation", "default", "time of an operation"],
)
def test_a_time_that_cannot_be_is_refused(
    admin: httpx.Client, latency: dict[str, Any], details: dict[str, list[str]]
) -> None:
    response = set_latency(admin, latency)

    assert (response.status_code, response.json()["error_details"]) == (422, details)
    assert admin.get("/settings").json()["latency"] == {}
