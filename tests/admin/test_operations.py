from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import API_KEY
from tests.unmocked import WRITE

OWN = {"Authorization": f"Bearer {API_KEY}"}
CUSTOMER = {"customer": {"external_id": "acct-1", "currency": "EUR"}}


def details(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 422
    found: dict[str, Any] = response.json()["error_details"]
    return found


@pytest.mark.parametrize("headers", [{}, OWN], ids=["whole server", "own key"])
def test_an_operation_that_is_performed_answers_and_writes(
    client: httpx.Client, admin: httpx.Client, headers: dict[str, str]
) -> None:
    made = admin.post("/operations/createCustomer", json={"body": CUSTOMER}, headers=headers)
    path = {"path": {"external_customer_id": "acct-1"}}
    found = admin.post("/operations/findCustomer", json=path, headers=headers)

    assert (made.status_code, found.status_code) == (200, 200)
    assert found.json() == made.json() == client.get("/customers/acct-1").json()


def test_a_query_counts(client: httpx.Client, admin: httpx.Client) -> None:
    for name in ("a", "b"):
        client.post("/customers", json={"customer": {"external_id": name}}).raise_for_status()

    page = admin.post("/operations/findAllCustomers", json={"query": {"per_page": "1"}}).json()

    assert [each["external_id"] for each in page["customers"]] == ["b"]
    assert page["meta"]["total_pages"] == 2


def test_text_stands_below_text(client: httpx.Client, admin: httpx.Client) -> None:
    answer = admin.post("/operations/fetchPublicKey").json()
    assert answer == {"text": client.get("/webhooks/public_key").text}


def test_nothing_stands_in_its_way_and_nobody_sees_it(
    client: httpx.Client, admin: httpx.Client
) -> None:
    for fault in ({"operation": "*", "status": 500, "times": None},):
        admin.post("/faults", json=fault).raise_for_status()
    admin.patch("/settings", json={"rate_limit": {"default": 0}}).raise_for_status()

    assert admin.post("/operations/findOrganization").status_code == 200
    assert admin.get("/requests").json()["requests"] == []
    assert [each["hits"] for each in admin.get("/faults").json()["faults"]] == [0]


def test_what_the_operation_refuses_comes_in_its_own_words(
    client: httpx.Client, admin: httpx.Client
) -> None:
    absent = admin.post("/operations/findCustomer", json={"path": {"external_customer_id": "none"}})
    bad = {"customer": {"external_id": "a", "currency": "?"}}
    refused = admin.post("/operations/createCustomer", json={"body": bad})

    assert (absent.status_code, absent.json()) == (
        404,
        {"status": 404, "error": "Not Found", "code": "customer_not_found"},
    )
    assert refused.json() == client.post("/customers", json=bad).json()


def test_what_cannot_be_performed_is_explained(admin: httpx.Client) -> None:
    unknown = admin.post("/operations/nothing")
    unmocked = admin.post(f"/operations/{WRITE.id}")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "operation_not_found")
    assert (unmocked.status_code, unmocked.json()["operation"]) == (501, WRITE.id)


@pytest.mark.parametrize(
    ("operation", "path", "text"),
    [
        ("findCustomer", {}, "findCustomer takes external_customer_id in its path"),
        ("findCustomer", {"id": "a"}, "findCustomer takes external_customer_id in its path"),
        ("findOrganization", {"id": "a"}, "findOrganization takes nothing in its path"),
    ],
    ids=["missing", "strange", "none"],
)
def test_the_parameters_of_the_path_must_be_the_operations(
    admin: httpx.Client, operation: str, path: dict[str, str], text: str
) -> None:
    assert details(admin.post(f"/operations/{operation}", json={"path": path})) == {"path": [text]}


def test_sections_are_loaded_on_top_of_what_is_there(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.post("/customers", json={"customer": {"external_id": "before"}}).raise_for_status()
    sections = {
        "organization": {"city": "Bergen"},
        "taxes": [{"name": "VAT", "code": "vat", "rate": 20}],
        "customers": [{"external_id": "loaded", "tax_codes": ["vat"]}],
    }

    loaded = admin.post("/fixtures", json={"fixtures": sections}, headers=OWN)
    assert loaded.json() == {"status": "ok"}

    found = client.get("/customers").json()["customers"]
    assert [each["external_id"] for each in found] == ["loaded", "before"]
    assert client.get("/customers/loaded").json()["customer"]["taxes"][0]["code"] == "vat"
    assert client.get("/organizations").json()["organization"]["city"] == "Bergen"
    assert admin.get("/snapshots", headers=OWN).json() == {"snapshots": []}


@pytest.mark.parametrize(
    ("sections", "field"),
    [
        ({"custmers": []}, "/custmers"),
        ({"customers": [{"external_id": "a"}, {"external_id": "b", "currency": "?"}]}, None),
    ],
    ids=["section", "item"],
)
def test_sections_are_loaded_all_or_not_at_all(
    client: httpx.Client, admin: httpx.Client, sections: dict[str, Any], field: str | None
) -> None:
    refused = details(admin.post("/fixtures", json={"fixtures": sections}))

    assert list(refused) == [field or "/customers/1/currency"]
    assert client.get("/customers").json()["customers"] == []
