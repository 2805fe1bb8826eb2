from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import API_KEY

OWN = {"Authorization": f"Bearer {API_KEY}"}


@pytest.mark.parametrize(
    ("prefer", "body"),
    [
        ("code=401", {"status": 401, "error": "Unauthorized"}),
        ("code=404", {"status": 404, "error": "Not Found", "code": "customer_not_found"}),
        ("respond-async, code=503", {"status": 503, "error": "Service Unavailable"}),
        ('code="429"', {"status": 429, "error": "Too Many Requests"}),
        ("wait=10;code=418", {"status": 418, "error": "I'm a Teapot"}),
    ],
)
def test_a_request_gets_the_status_that_it_prefers(
    client: httpx.Client, prefer: str, body: dict[str, Any]
) -> None:
    response = client.get("/customers/acct-1", headers={"Prefer": prefer})

    assert (response.status_code, response.json()) == (body["status"], body)
    assert response.headers["preference-applied"] == f"code={body['status']}"


def test_its_entry_tells_where_the_failure_came_from(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.get("/organizations", headers={"Prefer": "code=503"})

    (entry,) = admin.get("/requests").json()["requests"]
    assert (entry["status"], entry["hint"]) == (503, "asked for by the request's own Prefer")


def test_nothing_is_written_for_a_preferred_error(client: httpx.Client) -> None:
    body = {"customer": {"external_id": "a"}}

    refused = client.post("/customers", json=body, headers={"Prefer": "code=422"})

    assert refused.json()["error_details"] == {"external_id": ["value_is_mandatory"]}
    assert client.get("/customers/a").status_code == 404


@pytest.mark.parametrize(
    "prefer",
    ["code=", "code=99", "code=201", "code=304", "code=600", "code=4040", "example=404", ""],
)
def test_a_preference_that_means_nothing_is_ignored(client: httpx.Client, prefer: str) -> None:
    response = client.get("/organizations", headers={"Prefer": prefer})

    assert response.status_code == 200
    assert "preference-applied" not in response.headers


def test_an_armed_fault_goes_before_a_preference(client: httpx.Client, admin: httpx.Client) -> None:
    admin.post("/faults", json={"operation": "*", "status": 502}).raise_for_status()

    response = client.get("/organizations", headers={"Prefer": "code=404"})

    assert response.status_code == 502
    assert "preference-applied" not in response.headers
