from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.conftest import brief

NO_ADDRESS: dict[str, Any] = {
    "address_line1": None,
    "address_line2": None,
    "city": None,
    "zipcode": None,
    "state": None,
    "country": None,
}

# A customer of whom nothing but the id was said, in the order shown.
BLANK: dict[str, Any] = {
    "lago_id": "",
    "billing_entity_code": "blank_slate",
    "external_id": "acct-1",
    "account_type": "customer",
    "name": None,
    "firstname": None,
    "lastname": None,
    "customer_type": None,
    "sequential_id": 1,
    "slug": "BLANK-001",
    "created_at": "",
    "updated_at": "",
    "country": None,
    "address_line1": None,
    "address_line2": None,
    "state": None,
    "zipcode": None,
    "email": None,
    "city": None,
    "url": None,
    "phone": None,
    "logo_url": None,
    "legal_name": None,
    "legal_number": None,
    "currency": None,
    "tax_identification_number": None,
    "timezone": None,
    "applicable_timezone": "UTC",
    "net_payment_term": None,
    "external_salesforce_id": None,
    "finalize_zero_amount_invoice": "inherit",
    "billing_configuration": {
        "invoice_grace_period": None,
        "payment_provider": None,
        "payment_provider_code": None,
        "document_locale": None,
        "subscription_invoice_issuing_date_anchor": None,
        "subscription_invoice_issuing_date_adjustment": None,
    },
    "shipping_address": NO_ADDRESS,
    "skip_invoice_custom_sections": False,
    "metadata": [],
    "taxes": [],
    "integration_customers": [],
    "applicable_invoice_custom_sections": [],
    "error_details": [],
}
GENERATED = ("lago_id", "created_at", "updated_at")

BILLING = "billing_configuration"
SHIPPING = "shipping_address"
ANCHOR = "subscription_invoice_issuing_date_anchor"
ADJUSTMENT = "subscription_invoice_issuing_date_adjustment"

# Every column that can be set, each with a value that is not the default.
COLUMNS: dict[str, Any] = {
    "account_type": "partner",
    "name": "Marlow Boats",
    "firstname": "Ada",
    "lastname": "Marlow",
    "customer_type": "company",
    "country": "US",
    "address_line1": "40 Pier Street",
    "address_line2": "Shed 2",
    "state": "OR",
    "zipcode": "97103",
    "email": "ada@marlow.example",
    "city": "Astoria",
    "url": "https://marlow.example",
    "phone": "+1 503 555 0142",
    "logo_url": "https://marlow.example/logo.png",
    "legal_name": "Marlow Boats LLC",
    "legal_number": "OR-774120",
    "currency": "EUR",
    "tax_identification_number": "98-7654321",
    "timezone": "Europe/Paris",
    "net_payment_term": 30,
    "external_salesforce_id": "0015g",
    "finalize_zero_amount_invoice": "skip",
    "skip_invoice_custom_sections": True,
    BILLING: {
        "invoice_grace_period": 3,
        "document_locale": "fr",
        ANCHOR: "next_period_start",
        ADJUSTMENT: "keep_anchor",
    },
    SHIPPING: {
        "address_line1": "1 Dock Road",
        "address_line2": "Gate 4",
        "city": "Portland",
        "zipcode": "97209",
        "state": "OR",
        "country": "CA",
    },
}

PLAIN_TEXTS = (
    "name",
    "firstname",
    "lastname",
    "legal_name",
    "legal_number",
    "phone",
    "url",
    "logo_url",
    "tax_identification_number",
    "external_salesforce_id",
)
ADDRESS_TEXTS = ("address_line1", "address_line2", "city", "zipcode", "state")


def save(client: httpx.Client, fields: dict[str, Any]) -> httpx.Response:
    """Send a customer; the external_id is acct-1 unless the fields have another."""
    return client.post("/customers", json={"customer": {"external_id": "acct-1", **fields}})


def saved(client: httpx.Client, fields: dict[str, Any]) -> dict[str, Any]:
    response = save(client, fields)
    assert response.status_code == 200, response.text
    customer: dict[str, Any] = response.json()["customer"]
    return customer


def found(client: httpx.Client, external_id: str = "acct-1") -> dict[str, Any]:
    response = client.get(f"/customers/{quote(external_id, safe='')}")
    assert response.status_code == 200, response.text
    customer: dict[str, Any] = response.json()["customer"]
    return customer


def merged(customer: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Lay changes over a customer, inside its objects key by key, without the time of change."""
    inner = {key: {**customer[key], **changes.get(key, {})} for key in (BILLING, SHIPPING)}
    return without({**customer, **changes, **inner}, "updated_at")


def without(customer: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in customer.items() if key not in keys}


def assert_refused(response: httpx.Response, details: dict[str, list[str]]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422


def assert_not_found(response: httpx.Response, code: str = "customer_not_found") -> None:
    assert response.json() == {"status": 404, "error": "Not Found", "code": code}
    assert response.status_code == 404


def create_taxes(client: httpx.Client, *codes: str) -> list[dict[str, Any]]:
    bodies = [{"tax": {"name": code, "code": code, "rate": 20}} for code in codes]
    return [client.post("/taxes", json=body).json()["tax"] for body in bodies]


class TestObject:
    def test_create_shows_a_blank_customer_exactly_so_and_in_this_order(
        self, client: httpx.Client
    ) -> None:
        response = save(client, {})
        customer = response.json()["customer"]

        assert response.status_code == 200
        assert list(response.json()) == ["customer"]
        assert without(customer, *GENERATED) == without(BLANK, *GENERATED)
        assert list(customer) == list(BLANK)
        assert list(customer[BILLING]) == list(BLANK[BILLING])
        assert list(customer[SHIPPING]) == list(NO_ADDRESS)
        assert customer["lago_id"] == str(uuid.UUID(customer["lago_id"], version=4))

    def test_create_tells_the_time_to_the_second(self, client: httpx.Client) -> None:
        before = datetime.now(UTC) - timedelta(seconds=1)

        customer = saved(client, {})

        made = datetime.strptime(customer["created_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        assert before <= made <= datetime.now(UTC)
        assert customer["updated_at"] == customer["created_at"]

    def test_create_keeps_every_column(self, client: httpx.Client) -> None:
        customer = saved(client, COLUMNS)

        expected = {**merged(BLANK, COLUMNS), "applicable_timezone": "Europe/Paris"}
        assert without(customer, *GENERATED) == without(expected, *GENERATED)
        assert list(customer) == list(BLANK)

    def test_get_shows_what_create_answered(self, client: httpx.Client) -> None:
        customer = saved(client, {**COLUMNS, "metadata": [{"key": "a", "value": "b"}]})

        assert found(client) == customer
        assert list(found(client)) == list(BLANK)

    def test_create_takes_nothing_from_the_organization_but_the_applicable_timezone(
        self, client: httpx.Client
    ) -> None:
        settings = {
            "default_currency": "EUR",
            "timezone": "Asia/Tokyo",
            "net_payment_term": 9,
            "country": "JP",
            "finalize_zero_amount_invoice": False,
            BILLING: {"invoice_grace_period": 4, "document_locale": "de"},
        }
        client.put("/organizations", json={"organization": settings}).raise_for_status()

        customer = saved(client, {})

        expected = {**BLANK, "applicable_timezone": "Asia/Tokyo"}
        assert without(customer, *GENERATED) == without(expected, *GENERATED)

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            (
                {
                    "payment_provider": "stripe",
                    "payment_provider_code": "stripe-eu",
                    "provider_customer_id": "cus_1",
                    "sync_with_provider": "false",
                },
                {
                    "payment_provider": "stripe",
                    "payment_provider_code": "stripe-eu",
                    "provider_customer_id": "cus_1",
                    "provider_payment_methods": ["card"],
                    "sync_with_provider": "false",
                },
            ),
            (
                {"payment_provider": "gocardless", "provider_customer_id": "CU1"},
                {
                    "payment_provider": "gocardless",
                    "payment_provider_code": "gocardless",
                    "provider_customer_id": "CU1",
                },
            ),
            ({"payment_provider": "adyen"}, {}),
            ({"provider_customer_id": "cus_1", "sync_with_provider": True}, {}),
        ],
        ids=["stripe", "gocardless", "not linked", "no provider"],
    )
    def test_keys_of_the_payment_provider_stand_last_and_only_beside_one(
        self, client: httpx.Client, given: dict[str, Any], shown: dict[str, Any]
    ) -> None:
        configuration = saved(client, {BILLING: given})[BILLING]

        expected = {**BLANK[BILLING], **shown}
        assert configuration == expected
        assert list(configuration) == list(expected)

    def test_taxes_of_the_organization_are_not_the_customers_own(
        self, client: httpx.Client
    ) -> None:
        tax = {"name": "VAT", "code": "vat", "rate": 20, "applied_to_organization": True}
        client.post("/taxes", json={"tax": tax}).raise_for_status()

        assert saved(client, {})["taxes"] == []


class TestUpsert:
    def test_an_external_id_that_is_in_use_makes_no_other(self, client: httpx.Client) -> None:
        first = saved(client, {"external_id": "a"})

        second = saved(client, {"external_id": "a", "name": "Ann"})

        assert (second["lago_id"], second["name"]) == (first["lago_id"], "Ann")
        assert client.get("/customers").json()["meta"]["total_count"] == 1

    def test_update_leaves_alone_what_is_not_sent(self, client: httpx.Client) -> None:
        before = saved(client, COLUMNS)

        assert saved(client, {}) == before
        assert found(client) == before

    @pytest.mark.parametrize("other", ["ACCT-1", " acct-1", "acct-1 ", "acct-1\u200b"], ids=brief)
    def test_external_id_is_found_in_exact_case_and_not_trimmed(
        self, client: httpx.Client, other: str
    ) -> None:
        first = saved(client, {})

        second = saved(client, {"external_id": other})

        assert second["external_id"] == other
        assert second["lago_id"] != first["lago_id"]

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (12, "12"),
            (1.5, "1.5"),
            (1.0, "1.0"),
            (1e20, "1.0e+20"),
            (True, "t"),
            (False, "f"),
            (" a b ", " a b "),
            ("x" * 2000, "x" * 2000),
            ("日本/ü?#", "日本/ü?#"),
        ],
        ids=["int", "float", "whole", "exponent", "yes", "no", "spaces", "long", "signs"],
    )
    def test_external_id_becomes_text(self, client: httpx.Client, given: object, kept: str) -> None:
        assert saved(client, {"external_id": given})["external_id"] == kept
        assert found(client, kept)["external_id"] == kept

    @pytest.mark.parametrize(
        "fields",
        [
            {"name": "Ann"},
            {"name": "Ann", "external_id": None},
            {"name": "Ann", "external_id": ""},
            {"name": "Ann", "external_id": " \t\n"},
            {"name": "Ann", "external_id": ["acct-1"]},
            {"name": "Ann", "external_id": {"a": 1}},
        ],
        ids=["absent", "null", "empty", "blank", "list", "object"],
    )
    def test_external_id_is_mandatory(self, client: httpx.Client, fields: dict[str, Any]) -> None:
        response = client.post("/customers", json={"customer": fields})

        assert_refused(response, {"external_id": ["value_is_mandatory"]})
        assert client.get("/customers").json()["meta"]["total_count"] == 0

    def test_external_id_with_a_nul_is_refused(self, client: httpx.Client) -> None:
        assert_refused(save(client, {"external_id": "a\0b"}), {"external_id": ["value_is_invalid"]})

    def test_lago_id_slug_and_times_cannot_be_sent(self, client: httpx.Client) -> None:
        before = saved(client, {})
        sent = dict.fromkeys((*GENERATED, "slug", "sequential_id"), "2020-01-01T00:00:00Z")

        assert saved(client, sent) == before


class TestFields:
    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ({"name": "é" * 255}, {"name": "é" * 255}),
            ({"country": "gb"}, {"country": "GB"}),
            ({"country": "XK"}, {"country": "XK"}),
            ({"country": None}, {"country": None}),
            ({"country": ""}, {"country": None}),
            ({SHIPPING: {"country": "no"}}, {SHIPPING: {"country": "NO"}}),
            ({SHIPPING: {"country": None}}, {SHIPPING: {"country": None}}),
            ({SHIPPING: {"country": ""}}, {SHIPPING: {"country": None}}),
            ({SHIPPING: {"city": "Salem"}}, {SHIPPING: {"city": "Salem"}}),
            ({"email": None}, {"email": None}),
            ({"email": ""}, {"email": ""}),
            ({"email": " "}, {"email": " "}),
            ({"email": " a@b.co\u200b, é@d.co "}, {"email": "a@b.co, é@d.co"}),
            ({"currency": None}, {"currency": None}),
            ({"currency": "KWD"}, {"currency": "KWD"}),
            ({"timezone": None}, {"timezone": None, "applicable_timezone": "UTC"}),
            (
                {"timezone": "Asia/Tokyo"},
                {"timezone": "Asia/Tokyo", "applicable_timezone": "Asia/Tokyo"},
            ),
            ({"net_payment_term": None}, {"net_payment_term": None}),
            ({"net_payment_term": ""}, {"net_payment_term": None}),
            ({"net_payment_term": " "}, {"net_payment_term": None}),
            ({"net_payment_term": 0}, {"net_payment_term": 0}),
            ({"net_payment_term": " 5 "}, {"net_payment_term": 5}),
            ({"net_payment_term": 3.7}, {"net_payment_term": 3}),
            ({"net_payment_term": "1_000"}, {"net_payment_term": 1000}),
            ({"net_payment_term": False}, {"net_payment_term": 0}),
            ({"net_payment_term": 2147483647}, {"net_payment_term": 2147483647}),
            ({"customer_type": None}, {"customer_type": None}),
            ({"customer_type": ""}, {"customer_type": None}),
            ({"customer_type": "individual"}, {"customer_type": "individual"}),
            ({"account_type": "customer"}, {"account_type": "customer"}),
            ({"finalize_zero_amount_invoice": None}, {"finalize_zero_amount_invoice": "inherit"}),
            (
                {"finalize_zero_amount_invoice": "finalize"},
                {"finalize_zero_amount_invoice": "finalize"},
            ),
            ({"skip_invoice_custom_sections": False}, {"skip_invoice_custom_sections": False}),
            ({"skip_invoice_custom_sections": "0"}, {"skip_invoice_custom_sections": False}),
            ({"skip_invoice_custom_sections": "no"}, {"skip_invoice_custom_sections": True}),
            ({"skip_invoice_custom_sections": None}, {}),
            ({"billing_entity_code": "blank_slate"}, {}),
            ({"billing_entity_code": None}, {}),
            ({"billing_entity_code": ""}, {}),
            ({"billing_entity_code": " "}, {}),
            ({BILLING: {"invoice_grace_period": None}}, {BILLING: {"invoice_grace_period": None}}),
            ({BILLING: {"invoice_grace_period": ""}}, {BILLING: {"invoice_grace_period": None}}),
            ({BILLING: {"invoice_grace_period": "7"}}, {BILLING: {"invoice_grace_period": 7}}),
            ({BILLING: {"document_locale": None}}, {BILLING: {"document_locale": None}}),
            ({BILLING: {"document_locale": "zh-TW"}}, {BILLING: {"document_locale": "zh-TW"}}),
            ({BILLING: {ANCHOR: None}}, {BILLING: {ANCHOR: None}}),
            ({BILLING: {ANCHOR: ""}}, {BILLING: {ANCHOR: None}}),
            ({BILLING: {ANCHOR: "current_period_end"}}, {BILLING: {ANCHOR: "current_period_end"}}),
            ({BILLING: {ADJUSTMENT: None}}, {BILLING: {ADJUSTMENT: None}}),
            ({BILLING: {ADJUSTMENT: ""}}, {BILLING: {ADJUSTMENT: None}}),
            (
                {BILLING: {ADJUSTMENT: "align_with_finalization_date"}},
                {BILLING: {ADJUSTMENT: "align_with_finalization_date"}},
            ),
        ],
        ids=brief,
    )
    def test_update_keeps_a_value_as_lago_reads_it(
        self, client: httpx.Client, given: dict[str, Any], shown: dict[str, Any]
    ) -> None:
        before = saved(client, COLUMNS)

        answer = saved(client, given)

        assert without(answer, "updated_at") == merged(before, shown)
        assert found(client) == answer

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (None, None),
            ("", ""),
            ("  ", "  "),
            (" not a url ", " not a url "),
            (12, "12"),
            (1.5, "1.5"),
            (True, "t"),
            (False, "f"),
        ],
        ids=["null", "empty", "blank", "untrimmed", "int", "float", "yes", "no"],
    )
    def test_texts_are_kept_as_they_come(
        self, client: httpx.Client, given: object, kept: str | None
    ) -> None:
        saved(client, COLUMNS)

        customer = saved(client, dict.fromkeys(PLAIN_TEXTS, given))

        assert {key: customer[key] for key in PLAIN_TEXTS} == dict.fromkeys(PLAIN_TEXTS, kept)

    def test_texts_but_the_name_have_no_limit(self, client: httpx.Client) -> None:
        texts = dict.fromkeys(set(PLAIN_TEXTS) - {"name"}, "x" * 5000)

        assert saved(client, texts).items() >= texts.items()

    def test_nul_characters_are_removed_from_texts(self, client: httpx.Client) -> None:
        names = {*PLAIN_TEXTS, *ADDRESS_TEXTS} - {"external_salesforce_id"}
        nested = {SHIPPING: dict.fromkeys(ADDRESS_TEXTS, "\0a\0b")}

        customer = saved(client, {**dict.fromkeys(names, "\0a\0b"), **nested})

        assert {key: customer[key] for key in names} == dict.fromkeys(names, "ab")
        assert customer[SHIPPING] == {**dict.fromkeys(ADDRESS_TEXTS, "ab"), "country": None}

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (None, None),
            ("", None),
            (" \t", None),
            (" a ", " a "),
            (12, "12"),
            (True, "t"),
            ("x" * 3000, "x" * 3000),
        ],
        ids=["null", "empty", "blank", "untrimmed", "int", "yes", "long"],
    )
    def test_addresses_become_null_when_blank(
        self, client: httpx.Client, given: object, kept: str | None
    ) -> None:
        saved(client, COLUMNS)
        lines = dict.fromkeys(ADDRESS_TEXTS, given)

        customer = saved(client, {**lines, SHIPPING: lines})

        expected = dict.fromkeys(ADDRESS_TEXTS, kept)
        assert {key: customer[key] for key in ADDRESS_TEXTS} == expected
        assert customer[SHIPPING] == {**expected, "country": "CA"}

    @pytest.mark.parametrize(
        "fields",
        [
            pytest.param(
                {key: ["x"] for key in COLUMNS if key not in (BILLING, SHIPPING)}, id="lists"
            ),
            pytest.param({key: {"a": 1} for key in COLUMNS}, id="objects"),
            pytest.param(
                {BILLING: {key: ["x"] for key in COLUMNS[BILLING]}}, id="lists in billing"
            ),
            pytest.param(
                {SHIPPING: {key: {"a": 1} for key in NO_ADDRESS}}, id="objects in shipping"
            ),
            pytest.param({BILLING: None, SHIPPING: None}, id="inner objects null"),
            pytest.param({BILLING: {}, SHIPPING: {}}, id="inner objects empty"),
            pytest.param({BILLING: [], SHIPPING: []}, id="inner objects empty lists"),
            pytest.param({BILLING: "x", SHIPPING: "x"}, id="inner objects text"),
            pytest.param(
                {BILLING: [{"document_locale": "x"}], SHIPPING: [{"country": "x"}]},
                id="inner objects lists",
            ),
            pytest.param(
                dict.fromkeys(("metadata", "tax_codes", "integration_customers"), None),
                id="lists null",
            ),
            pytest.param(
                dict.fromkeys(("metadata", "tax_codes", "integration_customers"), "x"),
                id="lists text",
            ),
            pytest.param(
                dict.fromkeys(("metadata", "tax_codes", "integration_customers"), 5),
                id="lists numbers",
            ),
            pytest.param({"metadata": {"key": "k"}, "tax_codes": {"a": "vat"}}, id="lists objects"),
            pytest.param({"integration_customers": []}, id="no integrations"),
            pytest.param({"tax_codes": ["vat", ["none"]]}, id="tax_codes nested"),
            pytest.param(
                {
                    "invoice_grace_period": -1,
                    "document_locale": "x",
                    "vat_rate": 999,
                    "billing_entity": "x",
                    "applicable_timezone": "x",
                    "surprise": {"deep": [1]},
                    BILLING: {"vat_rate": 999, "net_payment_term": -1},
                    SHIPPING: {"email": "x"},
                },
                id="unknown keys",
            ),
        ],
    )
    def test_update_ignores_what_it_does_not_take(
        self, client: httpx.Client, fields: dict[str, Any]
    ) -> None:
        create_taxes(client, "vat")
        own = {"tax_codes": ["vat"], "metadata": [{"key": "a", "value": "b"}]}
        before = saved(client, {**COLUMNS, **own})

        assert saved(client, fields) == before
        assert found(client) == before

    @pytest.mark.parametrize(
        ("fields", "details"),
        [
            ({"name": "x" * 256}, {"name": ["value_is_too_long"]}),
            ({"country": "FRA"}, {"country": ["not_a_valid_country_code"]}),
            ({"country": " fr"}, {"country": ["not_a_valid_country_code"]}),
            ({"country": 12}, {"country": ["not_a_valid_country_code"]}),
            ({"country": False}, {"country": ["not_a_valid_country_code"]}),
            ({SHIPPING: {"country": "zz"}}, {"shipping_country": ["not_a_valid_country_code"]}),
            ({SHIPPING: {"country": 12}}, {"shipping_country": ["not_a_valid_country_code"]}),
            ({"email": "foo"}, {"email": ["invalid_email_format"]}),
            ({"email": "a@b.co;c@d.co"}, {"email": ["invalid_email_format"]}),
            ({"email": 12}, {"email": ["invalid_email_format"]}),
            ({"currency": ""}, {"currency": ["value_is_invalid"]}),
            ({"currency": "gbp"}, {"currency": ["value_is_invalid"]}),
            ({"currency": "XXX"}, {"currency": ["value_is_invalid"]}),
            ({"currency": 12}, {"currency": ["value_is_invalid"]}),
            ({"timezone": ""}, {"timezone": ["invalid_timezone"]}),
            ({"timezone": "utc"}, {"timezone": ["invalid_timezone"]}),
            ({"timezone": "America/Toronto"}, {"timezone": ["invalid_timezone"]}),
            ({"timezone": 12}, {"timezone": ["invalid_timezone"]}),
            ({"net_payment_term": "ten"}, {"net_payment_term": ["is not a number"]}),
            ({"net_payment_term": True}, {"net_payment_term": ["is not a number"]}),
            ({"net_payment_term": -1}, {"net_payment_term": ["value_is_out_of_range"]}),
            ({"net_payment_term": 2**31}, {"net_payment_term": ["value_is_out_of_range"]}),
            ({"customer_type": "Company"}, {"customer_type": ["value_is_invalid"]}),
            ({"customer_type": 1}, {"customer_type": ["value_is_invalid"]}),
            ({"customer_type": True}, {"customer_type": ["value_is_invalid"]}),
            ({"account_type": None}, {"account_type": ["value_is_invalid"]}),
            ({"account_type": ""}, {"account_type": ["value_is_invalid"]}),
            ({"account_type": "Partner"}, {"account_type": ["value_is_invalid"]}),
            ({"account_type": 1}, {"account_type": ["value_is_invalid"]}),
            (
                {"finalize_zero_amount_invoice": ""},
                {"finalize_zero_amount_invoice": ["invalid_value"]},
            ),
            (
                {"finalize_zero_amount_invoice": "Skip"},
                {"finalize_zero_amount_invoice": ["invalid_value"]},
            ),
            (
                {"finalize_zero_amount_invoice": True},
                {"finalize_zero_amount_invoice": ["invalid_value"]},
            ),
            (
                {"finalize_zero_amount_invoice": 12},
                {"finalize_zero_amount_invoice": ["invalid_value"]},
            ),
            (
                {"skip_invoice_custom_sections": ""},
                {"skip_invoice_custom_sections": ["value_is_invalid"]},
            ),
            (
                {BILLING: {"document_locale": ""}},
                {"document_locale": ["not_a_valid_language_code"]},
            ),
            (
                {BILLING: {"document_locale": "pt-br"}},
                {"document_locale": ["not_a_valid_language_code"]},
            ),
            (
                {BILLING: {"document_locale": 12}},
                {"document_locale": ["not_a_valid_language_code"]},
            ),
            (
                {BILLING: {"invoice_grace_period": "x"}},
                {"invoice_grace_period": ["is not a number"]},
            ),
            (
                {BILLING: {"invoice_grace_period": True}},
                {"invoice_grace_period": ["is not a number"]},
            ),
            (
                {BILLING: {"invoice_grace_period": -1}},
                {"invoice_grace_period": ["value_is_out_of_range"]},
            ),
            (
                {BILLING: {"invoice_grace_period": 2**31}},
                {"invoice_grace_period": ["value_is_out_of_range"]},
            ),
            ({BILLING: {ANCHOR: "x"}}, {ANCHOR: ["value_is_invalid"]}),
            ({BILLING: {ANCHOR: 1}}, {ANCHOR: ["value_is_invalid"]}),
            ({BILLING: {ADJUSTMENT: "x"}}, {ADJUSTMENT: ["value_is_invalid"]}),
            ({BILLING: {ADJUSTMENT: False}}, {ADJUSTMENT: ["value_is_invalid"]}),
            ({"metadata": {"0": {"key": "k", "value": "v"}}}, {"metadata": ["value_is_invalid"]}),
        ],
        ids=brief,
    )
    def test_update_refuses_a_value_and_changes_nothing(
        self, client: httpx.Client, fields: dict[str, Any], details: dict[str, list[str]]
    ) -> None:
        before = saved(client, COLUMNS)

        response = save(client, {"phone": "0", **fields})

        assert_refused(response, details)
        assert found(client) == before

    @pytest.mark.parametrize("code", ["nope", "BLANK_SLATE", "blank_slate ", 12], ids=brief)
    def test_unknown_billing_entity_is_not_found(self, client: httpx.Client, code: object) -> None:
        response = save(client, {"billing_entity_code": code})

        assert_not_found(response, "billing_entity_not_found")
        assert_not_found(client.get("/customers/acct-1"))

    def test_currency_may_change_at_any_time(self, client: httpx.Client) -> None:
        currencies = ["EUR", "USD", None, "JPY"]

        assert [saved(client, {"currency": each})["currency"] for each in currencies] == currencies

    def test_applicable_timezone_follows_the_organization_until_there_is_an_own_one(
        self, client: httpx.Client
    ) -> None:
        saved(client, {})
        client.put("/organizations", json={"organization": {"timezone": "Asia/Tokyo"}})
        inherited = found(client)
        own = saved(client, {"timezone": "Europe/Paris"})
        cleared = saved(client, {"timezone": None})

        shown = [
            (each["timezone"], each["applicable_timezone"]) for each in (inherited, own, cleared)
        ]
        assert shown == [
            (None, "Asia/Tokyo"),
            ("Europe/Paris", "Europe/Paris"),
            (None, "Asia/Tokyo"),
        ]


# What fails at each stage, in Lago's order: fields, status, and code or details.
STAGES: dict[str, tuple[dict[str, Any], int, Any]] = {
    "billing entity": ({"billing_entity_code": "nope"}, 404, "billing_entity_not_found"),
    "metadata count": ({"metadata": [{}] * 6}, 422, {"metadata": ["invalid_count"]}),
    "finalize": (
        {"finalize_zero_amount_invoice": "x"},
        422,
        {"finalize_zero_amount_invoice": ["invalid_value"]},
    ),
    "integration count": (
        {"integration_customers": [{}, {}]},
        422,
        {"integration_customers": ["invalid_count_per_integration_type"]},
    ),
    "record": (
        {"currency": "x", "customer_type": "x"},
        422,
        {"customer_type": ["value_is_invalid"], "currency": ["value_is_invalid"]},
    ),
    "taxes": ({"tax_codes": ["nope"]}, 404, "tax_not_found"),
    "sections": (
        {"skip_invoice_custom_sections": True, "invoice_custom_section_codes": []},
        422,
        {"invoice_custom_sections": ["skip_sections_and_selected_ids_sent_together"]},
    ),
    "metadata rows": (
        {"metadata": [{"key": "a", "value": "b"}, {"key": "", "value": "x" * 101}]},
        422,
        {"key": ["value_is_mandatory"], "value": ["value_is_too_long"]},
    ),
    "invoice settings": (
        {BILLING: {"invoice_grace_period": -1, ADJUSTMENT: "x", ANCHOR: "x"}},
        422,
        {
            ANCHOR: ["value_is_invalid"],
            ADJUSTMENT: ["value_is_invalid"],
            "invoice_grace_period": ["value_is_out_of_range"],
        },
    ),
    "payment provider": (
        {BILLING: {"payment_provider": "nope", "sync_with_provider": True}},
        422,
        {"base": ["payment_provider_not_found"]},
    ),
    "document locale": (
        {BILLING: {"document_locale": "x"}},
        422,
        {"document_locale": ["not_a_valid_language_code"]},
    ),
    "payment methods": (
        {
            BILLING: {
                "payment_provider": "stripe",
                "sync_with_provider": True,
                "provider_payment_methods": ["cash"],
            }
        },
        422,
        {"provider_payment_methods": ["value_is_invalid"]},
    ),
    "integrations": (
        {"integration_customers": [{"integration_type": "x"}]},
        422,
        {"integration_type": ["value_is_invalid"]},
    ),
}


def broken_from(stage: str) -> dict[str, Any]:
    """Return fields that fail at a stage and all later ones; where two clash the earlier wins."""
    names = list(STAGES)
    fields: dict[str, Any] = {}
    for name in reversed(names[names.index(stage) :]):
        broken = STAGES[name][0]
        configuration = {**fields.get(BILLING, {}), **broken.get(BILLING, {})}
        fields = {**fields, **broken, BILLING: configuration}
    return fields


def assert_fails_at(stage: str, response: httpx.Response) -> None:
    _, status, reason = STAGES[stage]
    if status == 404:
        assert_not_found(response, reason)
    else:
        assert_refused(response, reason)
        assert list(response.json()["error_details"]) == list(reason)


class TestStages:
    @pytest.mark.parametrize("stage", STAGES)
    def test_the_first_stage_that_fails_answers_alone_and_no_customer_is_made(
        self, client: httpx.Client, stage: str
    ) -> None:
        assert_fails_at(stage, save(client, {"name": "Ann", **broken_from(stage)}))

        assert client.get("/customers").json()["meta"]["total_count"] == 0
        assert saved(client, {})["sequential_id"] == 1

    @pytest.mark.parametrize("stage", STAGES)
    def test_the_first_stage_that_fails_leaves_a_known_customer_as_it_was(
        self, client: httpx.Client, stage: str
    ) -> None:
        create_taxes(client, "vat")
        own = {"tax_codes": ["vat"], "metadata": [{"key": "k", "value": "v"}]}
        before = saved(client, {**COLUMNS, **own})
        changes = {"name": "Ann", "tax_codes": [], "metadata": []}

        assert_fails_at(stage, save(client, {**changes, **broken_from(stage)}))

        assert found(client) == before

    @pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
    def test_all_problems_of_the_record_are_told_together_in_lagos_order(
        self, client: httpx.Client, backwards: bool
    ) -> None:
        wrong = {
            "customer_type": "x",
            "account_type": "x",
            "country": "x",
            SHIPPING: {"country": "x"},
            "currency": "x",
            "name": "x" * 256,
            "external_id": "",
            "net_payment_term": -1,
            "timezone": "x",
            "email": "x",
        }
        keys = sorted(wrong, key=list(wrong).index, reverse=backwards)

        response = save(client, {key: wrong[key] for key in keys})

        details = {
            "customer_type": ["value_is_invalid"],
            "account_type": ["value_is_invalid"],
            "country": ["not_a_valid_country_code"],
            "shipping_country": ["not_a_valid_country_code"],
            "currency": ["value_is_invalid"],
            "name": ["value_is_too_long"],
            "external_id": ["value_is_mandatory"],
            "net_payment_term": ["value_is_out_of_range"],
            "timezone": ["invalid_timezone"],
            "email": ["invalid_email_format"],
        }
        assert_refused(response, details)
        assert list(response.json()["error_details"]) == list(details)

    @pytest.mark.parametrize(
        "items",
        [
            [{"integration_type": "xero"}, {"integration_type": "xero"}],
            [{"integration_code": "a"}, {"integration_code": "b"}],
            [{"integration_type": None}, {"integration_type": None}],
        ],
        ids=["same", "absent", "null"],
    )
    def test_two_integrations_of_a_type_are_refused(
        self, client: httpx.Client, items: list[dict[str, Any]]
    ) -> None:
        details = {"integration_customers": ["invalid_count_per_integration_type"]}

        assert_refused(save(client, {"integration_customers": items}), details)

    @pytest.mark.parametrize(
        "item",
        [{}, {"integration_type": None}, {"integration_type": "Xero"}],
        ids=["absent", "null", "unknown"],
    )
    def test_an_integration_without_a_known_type_is_refused(
        self, client: httpx.Client, item: dict[str, Any]
    ) -> None:
        response = save(client, {"integration_customers": [item]})

        assert_refused(response, {"integration_type": ["value_is_invalid"]})

    @pytest.mark.mock_only
    @pytest.mark.parametrize("codes", [[], ["terms"], ["thanks", "terms"]], ids=brief)
    def test_section_codes_are_taken_without_skipping(
        self, client: httpx.Client, codes: list[str]
    ) -> None:
        customer = saved(client, {"invoice_custom_section_codes": codes})

        shown = customer["applicable_invoice_custom_sections"]
        assert [section["code"] for section in shown] == codes
        assert customer["skip_invoice_custom_sections"] is False
        assert found(client) == customer

    @pytest.mark.parametrize(
        ("codes", "skips"),
        [([], False), (["nope"], False), (None, True), ("nope", True)],
        ids=brief,
    )
    def test_section_codes_end_the_skipping(
        self, client: httpx.Client, codes: object, skips: bool
    ) -> None:
        saved(client, {"skip_invoice_custom_sections": True})

        customer = saved(client, {"invoice_custom_section_codes": codes})

        assert customer["skip_invoice_custom_sections"] is skips
        assert found(client) == customer


class TestNumbers:
    def test_numbers_count_up_and_make_the_slug(self, client: httpx.Client) -> None:
        customers = [saved(client, {"external_id": f"acct-{n}"}) for n in range(11)]

        assert [each["sequential_id"] for each in customers] == list(range(1, 12))
        slugs = [customers[0]["slug"], customers[10]["slug"]]
        assert slugs == ["BLANK-001", "BLANK-011"]

    def test_deleted_customers_keep_their_numbers(self, client: httpx.Client) -> None:
        saved(client, {})
        saved(client, {"external_id": "acct-2"})
        client.delete("/customers/acct-2").raise_for_status()

        customer = saved(client, {"external_id": "acct-3"})

        assert (customer["sequential_id"], customer["slug"]) == (3, "BLANK-003")

    def test_another_prefix_is_for_new_customers_alone(self, client: httpx.Client) -> None:
        saved(client, {})
        client.put("/organizations", json={"organization": {"document_number_prefix": "new"}})

        assert saved(client, {"name": "Ann"})["slug"] == "BLANK-001"
        assert saved(client, {"external_id": "acct-2"})["slug"] == "NEW-002"


@pytest.fixture
def aged(client: httpx.Client, admin: httpx.Client) -> Iterator[httpx.Client]:
    """The client of a server whose customers were made at the beginning of 2026."""
    admin.post("/reset", json={"fixtures": "default"}).raise_for_status()
    yield client
    admin.post("/reset", json={"fixtures": "empty"}).raise_for_status()


AGED = "acct-lanternfish"


class TestTimes:
    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"name": "Lanternfish Diving School", "country": "pt", "net_payment_term": "30"},
            {"firstname": None, "customer_type": "company", SHIPPING: {"city": ""}},
            {BILLING: {"document_locale": None, "invoice_grace_period": ""}},
            {"metadata": [{"key": "other", "value": "1"}]},
            {"metadata": []},
            {"tax_codes": []},
            {"tax_codes": ["export_0"]},
            {"invoice_custom_section_codes": []},
            {"surprise": 1},
        ],
        ids=brief,
    )
    def test_updated_at_stays_when_no_column_changes(
        self, aged: httpx.Client, fields: dict[str, Any]
    ) -> None:
        before = found(aged, AGED)

        answer = saved(aged, {"external_id": AGED, **fields})

        assert answer["updated_at"] == before["updated_at"]
        assert found(aged, AGED) == answer

    @pytest.mark.parametrize(
        "fields",
        [
            {"name": "Lanternfish"},
            {"net_payment_term": 31},
            {SHIPPING: {"city": "Porto"}},
            {BILLING: {"document_locale": "de"}},
            {"finalize_zero_amount_invoice": "skip"},
            {"skip_invoice_custom_sections": True},
        ],
        ids=brief,
    )
    def test_updated_at_moves_when_a_column_changes(
        self, aged: httpx.Client, fields: dict[str, Any]
    ) -> None:
        before = found(aged, AGED)

        answer = saved(aged, {"external_id": AGED, **fields})

        assert answer["created_at"] == before["created_at"]
        assert answer["updated_at"] != before["updated_at"]

    def test_a_refusal_leaves_updated_at(self, aged: httpx.Client) -> None:
        before = found(aged, AGED)

        response = save(
            aged, {"external_id": AGED, "name": "Other", BILLING: {"document_locale": "x"}}
        )

        assert response.status_code == 422
        assert found(aged, AGED) == before

    def test_delete_shows_the_customer_as_it_was_at_the_time_of_deletion(
        self, aged: httpx.Client
    ) -> None:
        before = found(aged, AGED)

        response = aged.delete(f"/customers/{AGED}")

        deleted = response.json()["customer"]
        assert (len(before["metadata"]), len(before["taxes"])) == (2, 1)
        assert without(deleted, "updated_at") == without(before, "updated_at")
        assert deleted["updated_at"] != before["updated_at"]
        assert list(deleted) == list(BLANK)


class TestTaxes:
    def test_tax_codes_set_the_taxes(self, client: httpx.Client) -> None:
        vat, city = create_taxes(client, "vat", "city")

        customer = saved(client, {"tax_codes": ["vat", "city"]})

        assert sorted(customer["taxes"], key=lambda tax: str(tax["code"])) == [city, vat]
        assert found(client) == customer

    @pytest.mark.parametrize(
        ("given", "codes"),
        [
            (["city"], ["city"]),
            (["vat", "city"], ["city", "vat"]),
            (["city", "city"], ["city"]),
            (["city", None], ["city"]),
            ([12], ["12"]),
            ([], []),
            (None, ["vat"]),
            ("city", ["vat"]),
            (5, ["vat"]),
            ({"0": "city"}, ["vat"]),
            ([["city"]], ["vat"]),
            (["city", {"a": 1}], ["vat"]),
        ],
        ids=brief,
    )
    def test_tax_codes_replace_the_set_or_are_ignored(
        self, client: httpx.Client, given: object, codes: list[str]
    ) -> None:
        create_taxes(client, "vat", "city", "12")
        saved(client, {"tax_codes": ["vat"]})

        customer = saved(client, {"tax_codes": given})

        assert sorted(tax["code"] for tax in customer["taxes"]) == codes
        assert found(client) == customer

    @pytest.mark.parametrize(
        "codes", [["nope"], ["city", "nope"], ["VAT"], [""]], ids=["one", "second", "case", "empty"]
    )
    def test_an_unknown_tax_code_is_not_found_and_saves_nothing(
        self, client: httpx.Client, codes: list[str]
    ) -> None:
        create_taxes(client, "vat", "city")
        before = saved(client, {"tax_codes": ["vat"]})

        assert_not_found(save(client, {"name": "Ann", "tax_codes": codes}), "tax_not_found")
        assert found(client) == before

    def test_a_deleted_tax_can_no_more_be_named(self, client: httpx.Client) -> None:
        create_taxes(client, "vat")
        client.delete("/taxes/vat").raise_for_status()

        assert_not_found(save(client, {"tax_codes": ["vat"]}), "tax_not_found")


class TestFindAndDelete:
    @pytest.mark.parametrize("method", ["GET", "DELETE"])
    @pytest.mark.parametrize("external_id", ["acct-2", "ACCT-1", "acct-1 ", "a\0b"], ids=brief)
    def test_an_unknown_customer_is_not_found(
        self, client: httpx.Client, method: str, external_id: str
    ) -> None:
        saved(client, {})

        assert_not_found(client.request(method, f"/customers/{quote(external_id, safe='')}"))
        assert found(client)["external_id"] == "acct-1"

    def test_a_customer_is_not_found_by_its_lago_id(self, client: httpx.Client) -> None:
        customer = saved(client, {})

        assert_not_found(client.get(f"/customers/{customer['lago_id']}"))

    @pytest.mark.parametrize(
        "external_id", ["a.b", "a.json", "a/b", "a b", "a+b", "a%b", "a?b#c", "ü", "a&b=c", "."]
    )
    def test_every_id_can_stand_in_a_path(self, client: httpx.Client, external_id: str) -> None:
        decoy = saved(client, {"external_id": "a"})
        customer = saved(client, {"external_id": external_id})
        path = f"/customers/{quote(external_id, safe='').replace('.', '%2E')}"

        assert client.get(path).json()["customer"] == customer
        assert client.delete(path).json()["customer"]["lago_id"] == customer["lago_id"]
        assert_not_found(client.get(path))
        assert found(client, "a") == decoy

    @pytest.mark.parametrize("external_id", ["a.b", "a.json", "a.b.c"])
    def test_a_bare_dot_belongs_to_the_id(self, client: httpx.Client, external_id: str) -> None:
        saved(client, {"external_id": "a"})
        customer = saved(client, {"external_id": external_id})

        assert client.get(f"/customers/{external_id}").json()["customer"] == customer

    def test_a_deleted_customer_is_gone_for_every_lookup(self, client: httpx.Client) -> None:
        saved(client, {})

        assert client.delete("/customers/acct-1").status_code == 200

        assert_not_found(client.get("/customers/acct-1"))
        assert_not_found(client.delete("/customers/acct-1"))
        assert client.get("/customers").json()["customers"] == []

    def test_the_same_id_makes_a_new_customer_after_deletion(self, client: httpx.Client) -> None:
        create_taxes(client, "vat")
        own = {"tax_codes": ["vat"], "metadata": [{"key": "a", "value": "b"}]}
        old = saved(client, {**COLUMNS, **own})
        client.delete("/customers/acct-1").raise_for_status()

        new = saved(client, {})

        assert new["lago_id"] != old["lago_id"]
        expected = {**BLANK, "sequential_id": 2, "slug": "BLANK-002"}
        assert without(new, *GENERATED) == without(expected, *GENERATED)
        assert found(client) == new

    def test_deleting_the_new_one_does_not_bring_the_old_one_back(
        self, client: httpx.Client
    ) -> None:
        for _ in range(2):
            saved(client, {})
            client.delete("/customers/acct-1").raise_for_status()

        assert_not_found(client.get("/customers/acct-1"))
        assert saved(client, {})["sequential_id"] == 3
