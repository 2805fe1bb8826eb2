from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.unmocked import READ

KEY = {"Authorization": "Bearer lago-mock-key"}


def unmatched(admin: httpx.Client, **headers: str) -> list[dict[str, Any]]:
    response = admin.get("/requests/unmatched", headers=headers)
    assert response.status_code == 200, response.text
    requests: list[dict[str, Any]] = response.json()["requests"]
    return requests


def test_requests_with_a_route_are_not_listed(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers")
    client.get("/customers/nobody")
    client.get(READ.path)
    client.get("/taxes", headers={"Authorization": "Bearer nobody"})
    client.post("/taxes", content=b"x" * 10_485_761)

    assert admin.get("/requests/unmatched").json() == {
        "requests": [],
        "requestJournalDisabled": False,
    }


@pytest.mark.parametrize(
    ("method", "path", "nearest"),
    [
        pytest.param(
            "DELETE",
            "/api/v1/customers",
            ("findAllCustomers", "GET", "/api/v1/customers", "this path takes GET, POST"),
            id="verb",
        ),
        pytest.param(
            "POST",
            "/api/v1/custmers",
            ("createCustomer", "POST", "/api/v1/customers", "`custmers` is not `customers`"),
            id="segment",
        ),
        pytest.param(
            "GET",
            "/taxes/vat",
            (
                "findTax",
                "GET",
                "/api/v1/taxes/{code}",
                "the path lacks /api/v1: add it to the base URL",
            ),
            id="no prefix",
        ),
        pytest.param(
            "GET",
            "/api/v1/api/v1/taxes",
            (
                "findAllTaxes",
                "GET",
                "/api/v1/taxes",
                "the base URL ends in /api/v1 and the client adds it once more",
            ),
            id="prefix twice",
        ),
        pytest.param("GET", "/nowhere", None, id="nothing like it"),
    ],
)
def test_what_led_nowhere_is_listed_with_what_is_nearest(
    server: str,
    client: httpx.Client,
    admin: httpx.Client,
    method: str,
    path: str,
    nearest: tuple[str, ...] | None,
) -> None:
    client.request(method, server + path)

    (entry,) = unmatched(admin)

    names = ("operation", "method", "path", "why")
    assert entry["nearest"] == (nearest and dict(zip(names, nearest, strict=True)))
    assert entry["path"] == path
    del entry["nearest"]
    assert entry == admin.get(f"/requests/{entry['id']}").json()


def test_all_that_led_nowhere_is_listed_the_oldest_first(
    client: httpx.Client, admin: httpx.Client
) -> None:
    for path in ("/nowhere", "/customers", "/tax", "/nowhere"):
        client.get(path)

    found = unmatched(admin)

    assert [each["path"][7:] for each in found] == ["/nowhere", "/tax", "/nowhere"]
    assert [each["nearest"] is None for each in found] == [True, False, True]


def test_a_key_sees_its_own_alone(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/nowhere")
    client.get("/somewhere", headers={"Authorization": "Bearer nobody"})

    assert [each["path"] for each in unmatched(admin, **KEY)] == ["/api/v1/nowhere"]
    assert len(unmatched(admin)) == 2
