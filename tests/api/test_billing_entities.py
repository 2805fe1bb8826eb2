from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest

from tests.conftest import brief

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
BILLING = "billing_configuration"
ANCHOR = "subscription_invoice_issuing_date_anchor"
ADJUSTMENT = "subscription_invoice_issuing_date_adjustment"

# The entity of an organization that nobody touched, in the order shown.
DEFAULT: dict[str, Any] = {
    "lago_id": "",
    "code": "blank_slate",
    "name": "Blank Slate",
    "default_currency": "USD",
    "document_locale": "en",
    "document_numbering": "per_customer",
    "document_number_prefix": "BLANK",
    "finalize_zero_amount_invoice": True,
    "invoice_footer": None,
    "invoice_grace_period": 0,
    ANCHOR: "next_period_start",
    ADJUSTMENT: "align_with_finalization_date",
    "is_default": True,
    "net_payment_term": 0,
    "address_line1": None,
    "address_line2": None,
    "city": None,
    "state": None,
    "country": None,
    "zipcode": None,
    "email": None,
    "legal_name": None,
    "legal_number": None,
    "tax_identification_number": None,
    "timezone": "UTC",
    "email_settings": [],
    "eu_tax_management": False,
    "logo_url": None,
    "created_at": "2026-01-05T09:00:00Z",
    "updated_at": "2026-01-05T09:00:00Z",
}
GENERATED = ("lago_id", "created_at", "updated_at", "document_number_prefix")

# What can be sent, each with a value that is not the first one.
COLUMNS: dict[str, Any] = {
    "name": "Juniper France",
    "default_currency": "EUR",
    "document_numbering": "per_billing_entity",
    "document_number_prefix": "JUNFR",
    "finalize_zero_amount_invoice": False,
    "net_payment_term": 30,
    "address_line1": "12 rue des Abeilles",
    "address_line2": "Porte 4",
    "city": "Toulouse",
    "state": "Occitanie",
    "country": "FR",
    "zipcode": "31000",
    "email": "billing@juniper.example",
    "legal_name": "Juniper SAS",
    "legal_number": "RCS 512",
    "tax_identification_number": "FR325",
    "timezone": "Europe/Paris",
    "email_settings": ["invoice.finalized"],
    "eu_tax_management": True,
}
CONFIGURATION: dict[str, Any] = {
    "invoice_footer": "Thank you.",
    "invoice_grace_period": 3,
    "document_locale": "fr",
    ANCHOR: "current_period_end",
    ADJUSTMENT: "keep_anchor",
}
FRENCH = {"code": "juniper_fr", **COLUMNS, BILLING: CONFIGURATION}
MINIMAL = {"code": "juniper_fr", "name": "Juniper France"}


def post(client: httpx.Client, fields: Any) -> httpx.Response:
    return client.post("/billing_entities", json={"billing_entity": fields})


def put(client: httpx.Client, code: str, fields: Any) -> httpx.Response:
    return client.put(f"/billing_entities/{code}", json={"billing_entity": fields})


def shown(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["billing_entity"]
    entity: dict[str, Any] = response.json()["billing_entity"]
    return entity


def found(client: httpx.Client, code: str) -> dict[str, Any]:
    return shown(client.get(f"/billing_entities/{code}"))


def without(entity: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in entity.items() if key not in keys}


def organization(client: httpx.Client) -> dict[str, Any]:
    shown: dict[str, Any] = client.get("/organizations").json()["organization"]
    return shown


def save_customer(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/customers", json={"customer": {"external_id": "acct-1", **fields}})


def assert_refused(response: httpx.Response, details: dict[str, list[str]]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422


def assert_not_found(response: httpx.Response, code: str = "billing_entity_not_found") -> None:
    assert response.json() == {"status": 404, "error": "Not Found", "code": code}
    assert response.status_code == 404


def test_list_has_the_default_entity_alone_and_no_pages(client: httpx.Client) -> None:
    response = client.get("/billing_entities")

    (entity,) = response.json()["billing_entities"]
    assert response.status_code == 200
    assert list(response.json()) == ["billing_entities"]
    assert without(entity, "updated_at") == without(
        {**DEFAULT, "lago_id": organization(client)["lago_id"]}, "updated_at"
    )
    assert list(entity) == list(DEFAULT)


def test_get_shows_the_same_with_taxes_last(client: httpx.Client) -> None:
    entity = found(client, "blank_slate")

    (listed,) = client.get("/billing_entities").json()["billing_entities"]
    assert entity == {**listed, "taxes": []}
    assert list(entity) == [*DEFAULT, "taxes"]


def test_create_needs_no_more_than_code_and_name(client: httpx.Client) -> None:
    entity = shown(post(client, MINIMAL))

    assert list(entity) == [*DEFAULT, "taxes"]
    expected = {**DEFAULT, **MINIMAL, "is_default": False, "taxes": []}
    assert without(entity, *GENERATED) == without(expected, *GENERATED)
    assert entity["lago_id"] == str(uuid.UUID(entity["lago_id"], version=4))
    assert entity["document_number_prefix"] == f"JUN-{entity['lago_id'][-4:].upper()}"
    assert INSTANT.fullmatch(entity["created_at"])
    assert entity["updated_at"] == entity["created_at"]


def test_create_keeps_every_column_and_shows_the_configuration_flat(client: httpx.Client) -> None:
    entity = shown(post(client, FRENCH))

    expected = {**DEFAULT, **COLUMNS, **CONFIGURATION, "code": "juniper_fr", "is_default": False}
    generated = ("lago_id", "created_at", "updated_at", "taxes")
    assert without(entity, *generated) == without(expected, *generated)
    assert found(client, "juniper_fr") == entity


def test_all_are_listed_the_oldest_first(client: httpx.Client) -> None:
    codes = ["zulu", "alpha", "mike"]
    for code in codes:
        shown(post(client, {"code": code, "name": code}))

    listed = client.get("/billing_entities?page=2&per_page=1").json()["billing_entities"]

    assert [entity["code"] for entity in listed] == ["blank_slate", *codes]
    assert [entity["is_default"] for entity in listed] == [True, False, False, False]


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"name": "x"}, {"code": ["value_is_mandatory"]}),
        ({"name": "x", "code": None}, {"code": ["value_is_mandatory"]}),
        ({"name": "x", "code": ""}, {"code": ["value_is_mandatory"]}),
        ({"name": "x", "code": " "}, {"code": ["value_is_mandatory"]}),
        ({"code": "x"}, {"name": ["value_is_mandatory"]}),
        ({"code": "x", "name": None}, {"name": ["value_is_mandatory"]}),
        ({"code": "x", "name": ""}, {"name": ["value_is_mandatory"]}),
        ({"name": "x", "code": "blank_slate"}, {"code": ["value_already_exist"]}),
        ({"name": "x", "code": "taken"}, {"code": ["value_already_exist"]}),
    ],
    ids=brief,
)
def test_create_needs_a_name_and_a_code_that_is_free(
    client: httpx.Client, fields: dict[str, Any], details: dict[str, list[str]]
) -> None:
    shown(post(client, {"code": "taken", "name": "Taken"}))

    assert_refused(post(client, fields), details)
    assert len(client.get("/billing_entities").json()["billing_entities"]) == 2


REFUSED = [
    ({"country": "zz"}, {"country": ["not_a_valid_country_code"]}),
    ({"email": "nobody"}, {"email": ["invalid_email_format"]}),
    ({"default_currency": "XXX"}, {"default_currency": ["value_is_invalid"]}),
    ({"timezone": "Mars/Base"}, {"timezone": ["invalid_timezone"]}),
    ({"net_payment_term": -1}, {"net_payment_term": ["value_is_out_of_range"]}),
    ({"net_payment_term": "soon"}, {"net_payment_term": ["is not a number"]}),
    ({"document_numbering": "per_organization"}, {"document_numbering": ["value_is_invalid"]}),
    ({"document_number_prefix": "x" * 11}, {"document_number_prefix": ["value_is_too_long"]}),
    ({"document_number_prefix": ""}, {"document_number_prefix": ["value_is_too_short"]}),
    ({"email_settings": ["nonsense"]}, {"email_settings": ["unsupported_value"]}),
    ({BILLING: {"invoice_footer": "x" * 601}}, {"invoice_footer": ["value_is_too_long"]}),
    ({BILLING: {"invoice_grace_period": -1}}, {"invoice_grace_period": ["value_is_out_of_range"]}),
    ({BILLING: {"document_locale": "tlh"}}, {"document_locale": ["not_a_valid_language_code"]}),
    ({BILLING: {ANCHOR: "someday"}}, {ANCHOR: ["value_is_invalid"]}),
    ({BILLING: {ADJUSTMENT: "someday"}}, {ADJUSTMENT: ["value_is_invalid"]}),
    ({"name": ""}, {"name": ["value_is_mandatory"]}),
]


@pytest.mark.parametrize(("fields", "details"), REFUSED, ids=brief)
def test_a_bad_value_is_refused_by_create_and_update(
    client: httpx.Client, fields: dict[str, Any], details: dict[str, list[str]]
) -> None:
    before = found(client, "blank_slate")

    assert_refused(post(client, {**MINIMAL, **fields}), details)
    assert_refused(put(client, "blank_slate", {"city": "Albi", **fields}), details)
    assert client.get("/billing_entities").json()["billing_entities"] == [without(before, "taxes")]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"city": "Albi"}, {"city": "Albi"}),
        ({"city": None, "email": None}, {"city": None, "email": None}),
        ({"country": "no"}, {"country": "NO"}),
        ({"default_currency": "gbp"}, {"default_currency": "GBP"}),
        ({"net_payment_term": " 7 "}, {"net_payment_term": 7}),
        ({"document_number_prefix": "abc"}, {"document_number_prefix": "ABC"}),
        ({BILLING: {"invoice_footer": None}}, {"invoice_footer": None}),
        ({BILLING: {"document_locale": "de"}}, {"document_locale": "de"}),
        ({"name": "Juniper SARL"}, {"name": "Juniper SARL"}),
    ],
    ids=brief,
)
def test_update_changes_what_is_sent_and_nothing_else(
    client: httpx.Client, given: dict[str, Any], kept: dict[str, Any]
) -> None:
    before = shown(post(client, FRENCH))

    entity = shown(put(client, "juniper_fr", given))

    assert without(entity, "updated_at") == without({**before, **kept}, "updated_at")
    assert found(client, "juniper_fr") == entity


@pytest.mark.parametrize("code", ["other", "blank_slate", "", None], ids=brief)
def test_update_ignores_a_code(client: httpx.Client, code: str | None) -> None:
    shown(post(client, MINIMAL))

    entity = shown(put(client, "juniper_fr", {"code": code, "city": "Albi"}))

    assert (entity["code"], entity["city"]) == ("juniper_fr", "Albi")


@pytest.mark.parametrize("code", ["nobody", "JUNIPER_FR", "juniper_f"])
def test_an_unknown_code_is_not_found(client: httpx.Client, code: str) -> None:
    shown(post(client, MINIMAL))

    assert_not_found(client.get(f"/billing_entities/{code}"))
    assert_not_found(put(client, code, {"country": "zz"}))


def test_an_entity_cannot_be_deleted(client: httpx.Client) -> None:
    response = client.delete("/billing_entities/blank_slate")

    assert_not_found(response, "resource_not_found")


@pytest.mark.parametrize("body", [{}, {"billing_entity": None}, {"billing_entity": {}}], ids=brief)
def test_a_missing_root_is_400(client: httpx.Client, body: object) -> None:
    what = "BadRequest: param is missing or the value is empty or invalid: billing_entity"
    for response in (
        client.post("/billing_entities", json=body),
        client.put("/billing_entities/blank_slate", json=body),
    ):
        assert (response.status_code, response.json()) == (400, {"status": 400, "error": what})


class TestTaxes:
    @staticmethod
    def make(client: httpx.Client, *codes: str) -> list[dict[str, Any]]:
        bodies = [{"tax": {"name": code, "code": code, "rate": 20}} for code in codes]
        return [client.post("/taxes", json=body).json()["tax"] for body in bodies]

    def test_tax_codes_come_back_as_taxes_and_replace_the_set(self, client: httpx.Client) -> None:
        vat, _, eco = self.make(client, "vat", "city", "eco")
        shown(post(client, MINIMAL))

        first = shown(put(client, "juniper_fr", {"tax_codes": ["vat", "city"]}))
        second = shown(put(client, "juniper_fr", {"tax_codes": ["vat", "eco"]}))
        third = shown(put(client, "juniper_fr", {"city": "Albi"}))

        assert {tax["code"] for tax in first["taxes"]} == {"vat", "city"}
        assert sorted(second["taxes"], key=lambda tax: str(tax["code"])) == [eco, vat]
        assert third["taxes"] == second["taxes"]
        assert shown(put(client, "juniper_fr", {"tax_codes": []}))["taxes"] == []

    def test_an_unknown_tax_is_not_found_and_nothing_is_saved(self, client: httpx.Client) -> None:
        self.make(client, "vat")
        before = shown(post(client, MINIMAL))

        response = put(client, "juniper_fr", {"city": "Albi", "tax_codes": ["vat", "nothing"]})

        assert_not_found(response, "tax_not_found")
        assert found(client, "juniper_fr") == before

    def test_taxes_of_the_default_entity_are_those_of_the_organization(
        self, client: httpx.Client
    ) -> None:
        (vat, _) = self.make(client, "vat", "city")

        (tax,) = shown(put(client, "blank_slate", {"tax_codes": ["vat"]}))["taxes"]

        assert tax == {**vat, "applied_to_organization": True}
        answer = client.put("/organizations", json={"organization": {"city": "Albi"}})
        assert answer.json()["organization"]["taxes"] == [tax]

    def test_a_tax_applied_to_the_organization_is_the_default_entitys(
        self, client: httpx.Client
    ) -> None:
        body = {"name": "VAT", "code": "vat", "rate": 20, "applied_to_organization": True}
        tax = client.post("/taxes", json={"tax": body}).json()["tax"]
        shown(post(client, MINIMAL))

        assert found(client, "blank_slate")["taxes"] == [tax]
        assert found(client, "juniper_fr")["taxes"] == []

    def test_a_deleted_tax_is_gone_from_the_entity(self, client: httpx.Client) -> None:
        self.make(client, "vat")
        shown(post(client, MINIMAL))
        shown(put(client, "juniper_fr", {"tax_codes": ["vat"]}))

        client.delete("/taxes/vat").raise_for_status()

        assert found(client, "juniper_fr")["taxes"] == []


class TestOrganization:
    def test_what_the_organization_changes_its_default_entity_has_too(
        self, client: httpx.Client
    ) -> None:
        shown(post(client, MINIMAL))
        other = found(client, "juniper_fr")
        apart = ("name", "document_numbering", "eu_tax_management")
        columns = without(COLUMNS, *apart)
        settings = {key: CONFIGURATION[key] for key in (*CONFIGURATION,)[:3]}

        body = {"organization": {**columns, BILLING: settings}}
        client.put("/organizations", json=body).raise_for_status()

        entity = without(found(client, "blank_slate"), "lago_id", "updated_at", "taxes")
        expected = {**DEFAULT, **columns, **settings}
        assert entity == without(expected, "lago_id", "updated_at")
        assert found(client, "juniper_fr") == other

    @pytest.mark.parametrize(
        ("organizations", "entitys"),
        [("per_organization", "per_billing_entity"), ("per_customer", "per_customer")],
    )
    def test_numbering_of_the_organization_is_that_of_its_entity(
        self, client: httpx.Client, organizations: str, entitys: str
    ) -> None:
        body = {"organization": {"document_numbering": organizations}}
        client.put("/organizations", json=body).raise_for_status()

        assert found(client, "blank_slate")["document_numbering"] == entitys

    def test_the_organization_shows_currency_and_time_zone_of_its_entity_and_its_own_rest(
        self, client: httpx.Client
    ) -> None:
        before = organization(client)

        shown(put(client, "blank_slate", {**COLUMNS, BILLING: {"invoice_grace_period": 9}}))

        changed = {"default_currency": "EUR", "timezone": "Europe/Paris"}
        assert organization(client) == {**before, **changed}


class TestCustomers:
    def test_a_customer_belongs_to_the_entity_that_it_names(self, client: httpx.Client) -> None:
        shown(post(client, FRENCH))

        customer = save_customer(client, billing_entity_code="juniper_fr").json()["customer"]

        assert customer["billing_entity_code"] == "juniper_fr"
        assert (customer["timezone"], customer["applicable_timezone"]) == (None, "Europe/Paris")

    def test_its_own_time_zone_goes_before_the_entitys(self, client: httpx.Client) -> None:
        shown(post(client, FRENCH))

        response = save_customer(client, billing_entity_code="juniper_fr", timezone="Asia/Tokyo")

        assert response.json()["customer"]["applicable_timezone"] == "Asia/Tokyo"

    def test_the_time_zone_is_read_from_the_entity_at_each_look(self, client: httpx.Client) -> None:
        shown(post(client, MINIMAL))
        save_customer(client, billing_entity_code="juniper_fr")

        shown(put(client, "juniper_fr", {"timezone": "Asia/Tokyo"}))

        customer = client.get("/customers/acct-1").json()["customer"]
        assert customer["applicable_timezone"] == "Asia/Tokyo"

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({}, "juniper_fr"),
            ({"billing_entity_code": "juniper_fr"}, "juniper_fr"),
            ({"billing_entity_code": "blank_slate"}, "blank_slate"),
            ({"billing_entity_code": None}, "blank_slate"),
            ({"billing_entity_code": ""}, "blank_slate"),
            ({"billing_entity_code": " "}, "blank_slate"),
        ],
        ids=brief,
    )
    def test_an_update_keeps_the_entity_or_moves_the_customer(
        self, client: httpx.Client, fields: dict[str, Any], code: str
    ) -> None:
        shown(post(client, MINIMAL))
        save_customer(client, billing_entity_code="juniper_fr").raise_for_status()

        save_customer(client, **fields).raise_for_status()

        customer = client.get("/customers/acct-1").json()["customer"]
        assert customer["billing_entity_code"] == code

    @pytest.mark.parametrize("code", ["nobody", "BLANK_SLATE", 12])
    def test_an_unknown_entity_is_not_found_before_any_other_check(
        self, client: httpx.Client, code: object
    ) -> None:
        items = [{"key": "a", "value": "b"}] * 6

        response = save_customer(client, billing_entity_code=code, currency="x", metadata=items)

        assert_not_found(response)
        assert client.get("/customers").json()["meta"]["total_count"] == 0
