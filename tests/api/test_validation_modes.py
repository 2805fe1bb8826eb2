from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import API_KEY, brief, running

BILLING = "billing_configuration"
WRONG = ["wrong_type"]
UNKNOWN = ["unknown_field"]
PARAMETER = ["unknown_parameter"]


@pytest.fixture(scope="module")
def strict_server() -> Iterator[str]:
    """URL of a server that holds requests against the document to the letter."""
    with running(build(Settings(db=":memory:", fixtures="empty", validation="strict"))) as url:
        yield url


@pytest.fixture(scope="module")
def off_server() -> Iterator[str]:
    """URL of a server that judges nothing."""
    with running(build(Settings(db=":memory:", fixtures="empty", validation="off"))) as url:
        yield url


@contextmanager
def reset(url: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, verify=False) as client:
        client.post(f"{url}/__admin/reset").raise_for_status()
        yield client


@pytest.fixture
def strict(strict_server: str) -> Iterator[httpx.Client]:
    """Client of the strict server; it is back at its fixture set."""
    with reset(strict_server) as client:
        yield client


@pytest.fixture
def off(off_server: str) -> Iterator[httpx.Client]:
    """Client of the server that judges nothing; it is back at its fixture set."""
    with reset(off_server) as client:
        yield client


def save(client: httpx.Client, fields: dict[str, Any]) -> httpx.Response:
    return client.post("/customers", json={"customer": {"external_id": "acct-1", **fields}})


def put(client: httpx.Client, fields: dict[str, Any]) -> httpx.Response:
    return client.put("/organizations", json={"organization": fields})


def assert_refused(response: httpx.Response, details: dict[str, Any]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422


CUSTOMERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"external_id": 12}, {"external_id": WRONG}),
    ({"name": 12}, {"name": WRONG}),
    ({"name": True}, {"name": WRONG}),
    ({"name": ["x"]}, {"name": WRONG}),
    ({"name": {"first": "x"}}, {"name": WRONG}),
    ({"net_payment_term": "30"}, {"net_payment_term": WRONG}),
    ({"net_payment_term": 30.5}, {"net_payment_term": WRONG}),
    ({"net_payment_term": False}, {"net_payment_term": WRONG}),
    ({"skip_invoice_custom_sections": "true"}, {"skip_invoice_custom_sections": WRONG}),
    ({"shipping_address": "1 Dock Road"}, {"shipping_address": WRONG}),
    ({"shipping_address": ["1 Dock Road"]}, {"shipping_address": WRONG}),
    ({"shipping_address": {"city": 5}}, {"shipping_address.city": WRONG}),
    ({BILLING: {"invoice_grace_period": "3"}}, {f"{BILLING}.invoice_grace_period": WRONG}),
    ({BILLING: 5}, {BILLING: WRONG}),
    ({"tax_codes": "vat"}, {"tax_codes": WRONG}),
    ({"tax_codes": [5]}, {"tax_codes.0": WRONG}),
    ({"metadata": {"key": "a"}}, {"metadata": WRONG}),
    ({"metadata": [{"key": "a", "value": "b"}, 5]}, {"metadata.1": WRONG}),
    (
        {"metadata": [{"key": "a", "value": "b"}, {"key": "c", "value": 5}]},
        {"metadata.1.value": WRONG},
    ),
    ({"nick": "x"}, {"nick": UNKNOWN}),
    ({"vat_rate": 5}, {"vat_rate": UNKNOWN}),
    ({"invoice_grace_period": 3}, {"invoice_grace_period": UNKNOWN}),
    ({"Name": "x"}, {"Name": UNKNOWN}),
    ({"a/b~c": 1}, {"a/b~c": UNKNOWN}),
    ({"customer": 1}, {"customer": UNKNOWN}),
    ({"shipping_address": {"customer": 1}}, {"shipping_address.customer": UNKNOWN}),
    ({"shipping_address": {"planet": "x"}}, {"shipping_address.planet": UNKNOWN}),
    ({BILLING: {"vat_rate": 5}}, {f"{BILLING}.vat_rate": UNKNOWN}),
    (
        {"metadata": [{"key": "a", "value": "b", "color": "c"}]},
        {"metadata.0.color": UNKNOWN},
    ),
    (
        {"integration_customers": [{"integration_type": "xero", "port": 1}]},
        {"integration_customers.0.port": UNKNOWN},
    ),
    ({"name": 1, "nick": 2, "city": 3}, {"name": WRONG, "city": WRONG, "nick": UNKNOWN}),
]
ORGANIZATIONS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"city": 5}, {"city": WRONG}),
    ({"net_payment_term": "7"}, {"net_payment_term": WRONG}),
    ({"finalize_zero_amount_invoice": 0}, {"finalize_zero_amount_invoice": WRONG}),
    ({"email_settings": "invoice.finalized"}, {"email_settings": WRONG}),
    ({"email_settings": [5]}, {"email_settings.0": WRONG}),
    ({BILLING: {"invoice_footer": 5}}, {f"{BILLING}.invoice_footer": WRONG}),
    ({"name": "New Name"}, {"name": UNKNOWN}),
    ({"city": "Albi", "webhook_urls": []}, {"webhook_urls": UNKNOWN}),
    ({BILLING: {"net_payment_term": 5}}, {f"{BILLING}.net_payment_term": UNKNOWN}),
]


class TestStrict:
    @pytest.mark.parametrize(("fields", "details"), CUSTOMERS, ids=brief)
    def test_a_customer_to_the_letter(
        self, strict: httpx.Client, fields: dict[str, Any], details: dict[str, Any]
    ) -> None:
        assert_refused(save(strict, fields), details)
        assert strict.get("/customers").json()["customers"] == []

    @pytest.mark.parametrize(("fields", "details"), ORGANIZATIONS, ids=brief)
    def test_an_organization_to_the_letter(
        self, strict: httpx.Client, fields: dict[str, Any], details: dict[str, Any]
    ) -> None:
        before = strict.get("/organizations").json()

        assert_refused(put(strict, fields), details)
        assert strict.get("/organizations").json() == before

    def test_a_tax_to_the_letter(self, strict: httpx.Client) -> None:
        tax = {"name": "VAT", "code": 5, "rate": "20", "color": "red"}

        response = strict.post("/taxes", json={"tax": tax})

        assert_refused(response, {"code": WRONG, "rate": WRONG, "color": UNKNOWN})

    def test_a_key_beside_the_root_is_unknown(self, strict: httpx.Client) -> None:
        body = {"customer": {"external_id": "acct-1"}, "extra": 1, "tax": {"code": "x"}}

        response = strict.post("/customers", json=body)

        assert_refused(response, {"extra": UNKNOWN, "tax": UNKNOWN})

    @pytest.mark.parametrize(
        ("method", "path", "details"),
        [
            ("GET", "/customers?limit=1", {"limit": PARAMETER}),
            ("GET", "/customers?page=1&order[by]=name", {"order": PARAMETER}),
            (
                "GET",
                "/customers?country=FR&cities[]=x",
                {"country": PARAMETER, "cities": PARAMETER},
            ),
            ("GET", "/customers?Page=1", {"Page": PARAMETER}),
            ("GET", "/customers/acct-1?expand=taxes", {"expand": PARAMETER}),
            ("GET", "/customers/nobody?expand=taxes", {"expand": PARAMETER}),
            ("GET", "/organizations?page=1", {"page": PARAMETER}),
            ("GET", "/taxes?search_term=x", {"search_term": PARAMETER}),
            ("DELETE", "/customers/acct-1?force=true", {"force": PARAMETER}),
        ],
    )
    def test_a_parameter_that_the_document_lacks_is_unknown(
        self, strict: httpx.Client, method: str, path: str, details: dict[str, Any]
    ) -> None:
        save(strict, {}).raise_for_status()

        assert_refused(strict.request(method, path), details)
        assert strict.get("/customers").json()["meta"]["total_count"] == 1

    def test_a_parameter_of_a_write_is_unknown_too(self, strict: httpx.Client) -> None:
        body = {"customer": {"external_id": "acct-1", "name": 5}}

        response = strict.post("/customers?dry_run=1", json=body)

        assert_refused(response, {"dry_run": PARAMETER, "name": WRONG})

    @pytest.mark.parametrize(
        "path",
        [
            "/customers?page=1&per_page=5",
            "/customers?search_term=x&external_id=y&customer_type=company",
            "/customers?countries[]=FR&currencies[]=EUR&metadata[a]=b&has_customer_type=true",
            "/taxes?page=2",
            "/organizations",
        ],
    )
    def test_parameters_of_the_document_are_taken(self, strict: httpx.Client, path: str) -> None:
        assert strict.get(path).status_code == 200

    def test_what_keeps_to_the_letter_is_taken(self, strict: httpx.Client) -> None:
        fields = {
            "name": "Marlow Boats",
            "net_payment_term": 30,
            "country": None,
            "shipping_address": {"city": "Salem", "state": None},
            BILLING: {"invoice_grace_period": 3, "document_locale": "fr"},
            "metadata": [{"key": "a", "value": "b", "display_in_invoice": True}],
            "tax_codes": [],
        }

        customer = save(strict, fields).json()["customer"]

        assert (customer["name"], customer["net_payment_term"]) == ("Marlow Boats", 30)
        assert put(strict, {"city": "Albi", BILLING: {"invoice_footer": None}}).status_code == 200

    @pytest.mark.parametrize(
        ("fields", "details"),
        [
            ({"currency": "XXX"}, {"currency": ["value_is_invalid"]}),
            ({"email": "nobody"}, {"email": ["invalid_email_format"]}),
            ({"external_id": ""}, {"external_id": ["value_is_mandatory"]}),
            ({"net_payment_term": -1}, {"net_payment_term": ["value_is_out_of_range"]}),
            (
                {"shipping_address": {"country": "ZZ"}},
                {"shipping_country": ["not_a_valid_country_code"]},
            ),
        ],
        ids=brief,
    )
    def test_other_rules_keep_lagos_codes(
        self, strict: httpx.Client, fields: dict[str, Any], details: dict[str, Any]
    ) -> None:
        assert_refused(save(strict, fields), details)

    @pytest.mark.parametrize(
        "body",
        [{}, {"customer": None}, {"customer": {}}, {"customer": 5}, {"customer": {"nick": "x"}}],
        ids=brief,
    )
    def test_a_missing_root_is_400_all_the_same(self, strict: httpx.Client, body: object) -> None:
        response = strict.post("/customers", json=body)

        what = "BadRequest: param is missing or the value is empty or invalid: customer"
        assert (response.status_code, response.json()) == (400, {"status": 400, "error": what})

    @pytest.mark.parametrize(
        ("key", "path", "status"),
        [("nobody", "/customers?limit=1", 401), (API_KEY, "/nowhere?limit=1", 404)],
        ids=["key", "route"],
    )
    def test_key_and_route_come_first(
        self, strict: httpx.Client, key: str, path: str, status: int
    ) -> None:
        response = strict.get(path, headers={"Authorization": f"Bearer {key}"})

        assert response.status_code == status


class TestLago:
    def test_types_are_read_and_strangers_ignored(self, client: httpx.Client) -> None:
        fields = {"name": 12, "net_payment_term": "30", "nick": "x", "shipping_address": "x"}

        response = client.post(
            "/customers?dry_run=1", json={"customer": {"external_id": 5, **fields}, "extra": 1}
        )

        customer = response.json()["customer"]
        assert response.status_code == 200
        assert [customer[key] for key in ("external_id", "name", "net_payment_term")] == [
            "5",
            "12",
            30,
        ]
        assert client.get("/customers?limit=1").json()["meta"]["total_count"] == 1


class TestOff:
    @pytest.mark.parametrize(
        "fields",
        [
            {"currency": "XXX"},
            {"country": "ATLANTIS"},
            {"email": "nobody"},
            {"timezone": "Mars/Base"},
            {"name": "x" * 300},
            {"net_payment_term": -1},
            {"customer_type": "robot"},
            {"account_type": "reseller"},
            {"finalize_zero_amount_invoice": "maybe"},
        ],
        ids=brief,
    )
    def test_a_customer_is_taken_as_it_comes(
        self, off: httpx.Client, fields: dict[str, Any]
    ) -> None:
        response = save(off, fields)

        assert response.status_code == 200, response.text
        customer = response.json()["customer"]
        assert {key: customer[key] for key in fields} == fields
        assert off.get("/customers/acct-1").json()["customer"] == customer
        (listed,) = off.get("/customers").json()["customers"]
        assert {key: listed[key] for key in fields} == fields

    @pytest.mark.parametrize(
        ("outer", "fields"),
        [
            ("shipping_address", {"country": "ATLANTIS"}),
            (BILLING, {"document_locale": "tlh"}),
            (BILLING, {"invoice_grace_period": -1}),
            (BILLING, {"subscription_invoice_issuing_date_anchor": "someday"}),
        ],
        ids=brief,
    )
    def test_so_are_the_objects_in_it(
        self, off: httpx.Client, outer: str, fields: dict[str, Any]
    ) -> None:
        response = save(off, {outer: fields})

        assert response.status_code == 200, response.text
        customer = response.json()["customer"]
        assert {key: customer[outer][key] for key in fields} == fields

    def test_so_is_metadata(self, off: httpx.Client) -> None:
        items = [{"key": f"{number:030}", "value": "x" * 200} for number in range(6)]

        response = save(off, {"metadata": items})

        assert response.status_code == 200, response.text
        shown = response.json()["customer"]["metadata"]
        assert [{"key": each["key"], "value": each["value"]} for each in shown] == items

    @pytest.mark.parametrize(
        "fields",
        [
            {"default_currency": "XXX"},
            {"country": "ATLANTIS"},
            {"email": "nobody"},
            {"timezone": "Mars/Base"},
            {"document_numbering": "by_chance"},
            {"document_numbering": 2**64},
            {"document_numbering": -1},
            {"slug": "customers"},
            {"email_settings": ["nonsense"]},
        ],
        ids=brief,
    )
    def test_an_organization_is_taken_as_it_comes(
        self, off: httpx.Client, fields: dict[str, Any]
    ) -> None:
        response = put(off, fields)

        assert response.status_code == 200, response.text
        shown = off.get("/organizations").json()["organization"]
        assert {key: shown[key] for key in fields} == fields

    def test_a_webhook_endpoint_is_taken_as_it_comes(self, off: httpx.Client) -> None:
        fields = {"webhook_url": "nowhere", "event_types": ["nonsense"]}

        response = off.post("/webhook_endpoints", json={"webhook_endpoint": fields})

        assert response.status_code == 200, response.text
        shown = response.json()["webhook_endpoint"]
        assert {key: shown[key] for key in fields} == fields

    @pytest.mark.parametrize("external_id", [None, "", " "], ids=brief)
    def test_what_names_a_customer_is_needed(self, off: httpx.Client, external_id: object) -> None:
        response = save(off, {"external_id": external_id, "currency": "XXX"})

        assert_refused(response, {"external_id": ["value_is_mandatory"]})

    def test_what_names_a_tax_is_needed(self, off: httpx.Client) -> None:
        response = off.post("/taxes", json={"tax": {"name": "VAT", "rate": 500}})

        assert_refused(response, {"code": ["value_is_mandatory"]})

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("POST", "/customers", {}, 400),
            ("GET", "/customers/nobody", None, 404),
            ("POST", "/customers", {"customer": {"external_id": "a", "tax_codes": ["x"]}}, 404),
            ("GET", "/nowhere", None, 404),
        ],
        ids=brief,
    )
    def test_roots_and_look_ups_are_as_ever(
        self, off: httpx.Client, method: str, path: str, body: object, status: int
    ) -> None:
        assert off.request(method, path, json=body).status_code == status
