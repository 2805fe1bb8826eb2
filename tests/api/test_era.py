from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import API_KEY, running

pytestmark = pytest.mark.mock_only
PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()


@pytest.fixture(scope="module")
def server_of_2023() -> Iterator[str]:
    with running(build(Settings(db=":memory:", fixtures="empty", era="2023"))) as url:
        yield url


@pytest.fixture
def old(server_of_2023: str) -> Iterator[httpx.Client]:
    httpx.post(f"{server_of_2023}/__admin/reset", verify=False)
    headers = {"Authorization": f"Bearer {API_KEY}"}
    base_url = f"{server_of_2023}/api/v1"
    with httpx.Client(base_url=base_url, headers=headers, verify=False) as client:
        yield client


def put(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.put("/organizations", json={"organization": changes})


def post(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.post("/customers", json={"customer": {"external_id": "acct-1", **changes}})


def test_a_missing_root_is_a_bad_request(old: httpx.Client) -> None:
    response = old.put("/organizations", json={})

    assert (response.status_code, response.json()) == (400, {"status": 400, "error": "Bad Request"})


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"webhook_url": "nowhere"}, {"webhook_url": ["url_is_invalid"]}),
        ({"country": "ZZ"}, {"country": ["not_a_valid_country_code"]}),
        ({"email": "nobody"}, {"email": ["invalid_email_format"]}),
        ({"timezone": "Mars/Olympus"}, {"timezone": ["timezone_invalid"]}),
        ({"logo": "data:image/gif;base64,AA=="}, {"logo": ["invalid_content_type"]}),
        ({"logo": "no data at all"}, {"logo": ["invalid_content_type"]}),
        ({"logo": PNG + "A" * 1_200_000}, {"logo": ["invalid_size"]}),
        (
            {"billing_configuration": {"vat_rate": 100.5}},
            {"vat_rate": ["value_is_out_of_range"]},
        ),
        (
            {"billing_configuration": {"invoice_footer": "f" * 601}},
            {"invoice_footer": ["value_is_too_long"]},
        ),
        (
            {"billing_configuration": {"invoice_grace_period": -1}},
            {"invoice_grace_period": ["value_is_out_of_range"]},
        ),
    ],
    ids=lambda each: str(each)[:40],
)
def test_the_errors_of_the_old_document(
    old: httpx.Client, changes: dict[str, Any], details: dict[str, list[str]]
) -> None:
    response = put(old, **changes)

    assert response.status_code == 422
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable entity",
        "code": "validation_errors",
        "error_details": details,
    }


@pytest.mark.parametrize("fault", [{"error": "validation_errors"}, {"status": 422}], ids=str)
def test_a_fault_has_the_text_of_the_old_document(old: httpx.Client, fault: dict[str, Any]) -> None:
    faults = f"{str(old.base_url).removesuffix('/api/v1/')}/__admin/faults"
    httpx.post(faults, json={"operation": "*", **fault}, verify=False).raise_for_status()

    assert put(old).json()["error"] == "Unprocessable entity"
    preferred = old.get("/organizations", headers={"Prefer": "code=422"})
    assert preferred.json()["error"] == "Unprocessable entity"


def test_a_picture_is_taken(old: httpx.Client) -> None:
    assert put(old, logo=PNG).status_code == 200
    assert put(old, logo=None).status_code == 200


def test_the_organization_always_has_a_vat_rate(old: httpx.Client) -> None:
    before = old.get("/organizations").json()["organization"]["billing_configuration"]
    after = put(old, billing_configuration={"vat_rate": 15}).json()["organization"]

    assert list(before) == ["invoice_footer", "invoice_grace_period", "document_locale", "vat_rate"]
    assert (before["vat_rate"], after["billing_configuration"]["vat_rate"]) == (0.0, 15.0)


def test_a_customer_has_a_vat_rate(old: httpx.Client) -> None:
    blank = post(old).json()["customer"]["billing_configuration"]
    given = post(old, billing_configuration={"vat_rate": "7.5"}).json()["customer"]
    refused = post(old, billing_configuration={"vat_rate": -1})

    assert (blank["vat_rate"], given["billing_configuration"]["vat_rate"]) == (None, 7.5)
    assert refused.json()["error_details"] == {"vat_rate": ["value_is_out_of_range"]}


def test_a_customers_time_zone_has_the_old_code(old: httpx.Client) -> None:
    details = post(old, timezone="Mars/Olympus").json()["error_details"]

    assert details == {"timezone": ["timezone_invalid"]}


def test_today_the_logo_and_a_customers_vat_rate_are_ignored(client: httpx.Client) -> None:
    customer = post(client, billing_configuration={"vat_rate": -1}).json()["customer"]

    assert put(client, logo="no picture").status_code == 200
    assert "vat_rate" not in customer["billing_configuration"]


def test_today_the_organizations_vat_rate_shows_once_it_was_set(client: httpx.Client) -> None:
    before = client.get("/organizations").json()["organization"]["billing_configuration"]
    after = put(client, billing_configuration={"vat_rate": 12.5}).json()["organization"]
    forgotten = put(client, billing_configuration={"vat_rate": None}).json()["organization"]

    assert "vat_rate" not in before
    assert after["billing_configuration"]["vat_rate"] == 12.5
    assert "vat_rate" not in forgotten["billing_configuration"]


@pytest.mark.parametrize(
    ("position", "shown"), [(0, "per_customer"), (1, "per_organization")], ids=["first", "second"]
)
def test_document_numbering_can_be_a_position(
    client: httpx.Client, position: int, shown: str
) -> None:
    organization = put(client, document_numbering=position).json()["organization"]

    assert organization["document_numbering"] == shown


@pytest.mark.parametrize("value", [2, -1, True, "0", 0.5])
def test_no_other_number_is_a_numbering(client: httpx.Client, value: Any) -> None:
    response = put(client, document_numbering=value)

    assert response.json()["error_details"] == {"document_numbering": ["value_is_invalid"]}
