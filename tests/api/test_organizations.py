from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.conftest import brief

# What `fixtures/empty.yaml` leaves of an organization that nobody touched, in the order shown.
FRESH: dict[str, Any] = {
    "lago_id": "",
    "name": "Blank Slate",
    "slug": "blank-slate",
    "default_currency": "USD",
    "created_at": "",
    "webhook_url": "",
    "webhook_urls": [],
    "country": None,
    "address_line1": None,
    "address_line2": None,
    "state": None,
    "zipcode": None,
    "email": None,
    "city": None,
    "legal_name": None,
    "legal_number": None,
    "timezone": "UTC",
    "net_payment_term": 0,
    "email_settings": [],
    "document_numbering": "per_customer",
    "document_number_prefix": "BLANK",
    "tax_identification_number": None,
    "finalize_zero_amount_invoice": True,
    "billing_configuration": {
        "invoice_footer": None,
        "invoice_grace_period": 0,
        "document_locale": "en",
    },
    "events_store": "postgres",
}

# Every key that can be changed, each with a value that is not the first one.
SETTINGS: dict[str, Any] = {
    "slug": "juniper",
    "default_currency": "EUR",
    "webhook_url": "https://hooks.juniper.example/lago",
    "country": "FR",
    "address_line1": "12 rue des Abeilles",
    "address_line2": "Porte 4",
    "state": "Occitanie",
    "zipcode": "31000",
    "email": "billing@juniper.example",
    "city": "Toulouse",
    "legal_name": "Juniper SAS",
    "legal_number": "RCS 512",
    "timezone": "Europe/Paris",
    "net_payment_term": 30,
    "email_settings": ["invoice.finalized", "credit_note.created"],
    "document_numbering": "per_organization",
    "document_number_prefix": "JUN-2026",
    "tax_identification_number": "FR325",
    "finalize_zero_amount_invoice": False,
    "billing_configuration": {
        "invoice_footer": "Thank you.",
        "invoice_grace_period": 3,
        "document_locale": "fr",
    },
}

PLAIN_TEXTS = (
    "address_line1",
    "address_line2",
    "state",
    "zipcode",
    "city",
    "legal_name",
    "legal_number",
    "tax_identification_number",
)
BILLING = "billing_configuration"


def put(client: httpx.Client, fields: Any) -> httpx.Response:
    return client.put("/organizations", json={"organization": fields})


def updated(client: httpx.Client, fields: Any) -> dict[str, Any]:
    response = put(client, fields)
    assert response.status_code == 200, response.text
    organization: dict[str, Any] = response.json()["organization"]
    return organization


def found(client: httpx.Client) -> dict[str, Any]:
    organization: dict[str, Any] = client.get("/organizations").json()["organization"]
    return organization


def merged(organization: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Lay changes over an organization, inside the billing configuration key by key."""
    configuration = {**organization[BILLING], **changes.get(BILLING, {})}
    return {**organization, **changes, BILLING: configuration}


def assert_refused(response: httpx.Response, details: dict[str, list[str]]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422


def test_get_shows_a_fresh_organization_exactly_so_and_in_this_order(client: httpx.Client) -> None:
    response = client.get("/organizations")
    body = response.json()
    shown = body["organization"]

    assert response.status_code == 200
    assert list(body) == ["organization"]
    assert shown == {**FRESH, "lago_id": shown["lago_id"], "created_at": "2026-01-05T09:00:00Z"}
    assert list(shown) == list(FRESH)
    assert list(shown[BILLING]) == ["invoice_footer", "invoice_grace_period", "document_locale"]
    assert shown["lago_id"] == str(uuid.UUID(shown["lago_id"], version=4))


def test_put_changes_every_key_and_shows_it_in_the_same_order_with_taxes_last(
    client: httpx.Client,
) -> None:
    fresh = found(client)

    answer = updated(client, SETTINGS)

    url = SETTINGS["webhook_url"]
    assert answer == {**fresh, **SETTINGS, "webhook_urls": [url], "taxes": []}
    assert list(answer) == [*FRESH, "taxes"]
    assert list(answer[BILLING]) == list(FRESH[BILLING])


def test_get_after_put_shows_the_same_without_taxes(client: httpx.Client) -> None:
    answer = updated(client, SETTINGS)

    del answer["taxes"]
    assert found(client) == answer


def test_put_leaves_alone_what_is_not_sent(client: httpx.Client) -> None:
    updated(client, SETTINGS)
    before = found(client)

    updated(client, {"city": "Albi"})

    assert found(client) == {**before, "city": "Albi"}


def test_put_shows_the_taxes_that_apply_to_the_organization(client: httpx.Client) -> None:
    taxes = [
        {"name": "Standard", "code": "standard", "rate": 20, "applied_to_organization": True},
        {"name": "Reduced", "code": "reduced", "rate": 5.5},
        {"name": "Extra", "code": "extra", "rate": 1, "applied_to_organization": True},
    ]
    made = [client.post("/taxes", json={"tax": tax}).json()["tax"] for tax in taxes]

    answer = updated(client, {"city": "Albi"})

    by_code = sorted(answer["taxes"], key=lambda tax: str(tax["code"]))
    assert by_code == [made[2], made[0]]
    assert "taxes" not in found(client)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(
            {
                "name": "Another Name",
                "webhook_url": "https://one.example",
                "country": "CZ",
                "address_line1": "Long Street 1",
                "address_line2": None,
                "state": "Moravia",
                "zipcode": "60200",
                "email": "org@one.example",
                "city": "Brno",
                "legal_name": None,
                "legal_number": None,
                "timezone": "Europe/Prague",
                BILLING: {
                    "invoice_footer": "Bye",
                    "invoice_grace_period": 4,
                    "vat_rate": 21.0,
                },
            },
            id="curl",
        ),
        pytest.param(
            {
                "timezone": "Europe/Paris",
                "webhook_url": "https://two.example",
                BILLING: {
                    "invoice_footer": "Bye",
                    "invoice_grace_period": 4,
                    "vat_rate": 12.5,
                },
            },
            id="client-libraries",
        ),
        pytest.param(
            {
                "legal_name": "One Ltd",
                "timezone": "Europe/Paris",
                BILLING: {"invoice_footer": "Bye", "invoice_grace_period": 4, "vat_rate": 10},
            },
            id="go",
        ),
    ],
)
def test_put_takes_the_bodies_of_old_examples(client: httpx.Client, fields: dict[str, Any]) -> None:
    before = found(client)

    answer = updated(client, fields)

    known = {key: value for key, value in fields.items() if key != "name"}
    urls = [fields["webhook_url"]] if "webhook_url" in fields else []
    assert answer == {**merged(before, known), "webhook_urls": urls, "taxes": []}
    assert list(answer[BILLING]) == [*FRESH[BILLING], "vat_rate"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"country": "gb"}, {"country": "GB"}),
        ({"country": "XK"}, {"country": "XK"}),
        ({"country": "NO"}, {"country": "NO"}),
        ({"country": None}, {"country": None}),
        ({"default_currency": "gbp"}, {"default_currency": "GBP"}),
        ({"default_currency": "KWD"}, {"default_currency": "KWD"}),
        ({"email": None}, {"email": None}),
        ({"email": ""}, {"email": ""}),
        ({"email": " \t"}, {"email": " \t"}),
        ({"email": " A@B.co\u200b "}, {"email": "A@B.co"}),
        ({"email": "a@b.co, é@d.co"}, {"email": "a@b.co, é@d.co"}),
        ({"net_payment_term": 0}, {"net_payment_term": 0}),
        ({"net_payment_term": " 7 "}, {"net_payment_term": 7}),
        ({"net_payment_term": 3.7}, {"net_payment_term": 3}),
        ({"net_payment_term": "1e3"}, {"net_payment_term": 1}),
        ({"net_payment_term": False}, {"net_payment_term": 0}),
        ({"net_payment_term": 2147483647}, {"net_payment_term": 2147483647}),
        ({"timezone": "Asia/Tokyo"}, {"timezone": "Asia/Tokyo"}),
        ({"timezone": "Etc/GMT+12"}, {"timezone": "Etc/GMT+12"}),
        ({"timezone": "Europe/Kiev"}, {"timezone": "Europe/Kiev"}),
        (
            {"webhook_url": "http://localhost:3000"},
            {"webhook_url": "http://localhost:3000", "webhook_urls": ["http://localhost:3000"]},
        ),
        (
            {"webhook_url": "HTTPS://a.co/x?y=1"},
            {"webhook_url": "HTTPS://a.co/x?y=1", "webhook_urls": ["HTTPS://a.co/x?y=1"]},
        ),
        ({"document_numbering": "per_customer"}, {"document_numbering": "per_customer"}),
        ({"document_numbering": 1.0}, {"document_numbering": "per_organization"}),
        ({"document_number_prefix": "a"}, {"document_number_prefix": "A"}),
        ({"document_number_prefix": " é/b "}, {"document_number_prefix": " É/B "}),
        ({"document_number_prefix": "abcdefghij"}, {"document_number_prefix": "ABCDEFGHIJ"}),
        ({"finalize_zero_amount_invoice": True}, {"finalize_zero_amount_invoice": True}),
        ({"finalize_zero_amount_invoice": "False"}, {"finalize_zero_amount_invoice": True}),
        ({"finalize_zero_amount_invoice": "no"}, {"finalize_zero_amount_invoice": True}),
        ({"finalize_zero_amount_invoice": 0.0}, {"finalize_zero_amount_invoice": True}),
        ({"finalize_zero_amount_invoice": "off"}, {"finalize_zero_amount_invoice": False}),
        ({"finalize_zero_amount_invoice": 0}, {"finalize_zero_amount_invoice": False}),
        ({"slug": " Acme-2 "}, {"slug": "acme-2"}),
        ({"slug": "a1b"}, {"slug": "a1b"}),
        ({"slug": "x" * 40}, {"slug": "x" * 40}),
        ({"email_settings": []}, {"email_settings": []}),
        ({"email_settings": [None]}, {"email_settings": []}),
        (
            {"email_settings": ["payment_receipt.created", "payment_receipt.created"]},
            {"email_settings": ["payment_receipt.created", "payment_receipt.created"]},
        ),
        ({BILLING: {"invoice_footer": None}}, {BILLING: {"invoice_footer": None}}),
        ({BILLING: {"invoice_footer": ""}}, {BILLING: {"invoice_footer": ""}}),
        ({BILLING: {"invoice_footer": "é" * 600}}, {BILLING: {"invoice_footer": "é" * 600}}),
        ({BILLING: {"invoice_grace_period": 0}}, {BILLING: {"invoice_grace_period": 0}}),
        ({BILLING: {"invoice_grace_period": "+5"}}, {BILLING: {"invoice_grace_period": 5}}),
        ({BILLING: {"document_locale": "pt-BR"}}, {BILLING: {"document_locale": "pt-BR"}}),
        ({BILLING: {"vat_rate": 0}}, {BILLING: {"vat_rate": 0.0}}),
        ({BILLING: {"vat_rate": 100}}, {BILLING: {"vat_rate": 100.0}}),
        ({BILLING: {"vat_rate": "12.5"}}, {BILLING: {"vat_rate": 12.5}}),
    ],
    ids=brief,
)
def test_put_keeps_a_value_as_lago_reads_it(
    client: httpx.Client, given: dict[str, Any], shown: dict[str, Any]
) -> None:
    updated(client, SETTINGS)
    before = found(client)

    answer = updated(client, given)

    assert answer == {**merged(before, shown), "taxes": []}
    assert found(client) == merged(before, shown)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (None, None),
        ("", ""),
        ("  ", "  "),
        (" Über straße ", " Über straße "),
        ("x" * 3000, "x" * 3000),
        (12, "12"),
        (1.5, "1.5"),
        (1e20, "1.0e+20"),
        (True, "t"),
        (False, "f"),
    ],
    ids=["null", "empty", "blank", "untrimmed", "long", "int", "float", "exponent", "yes", "no"],
)
def test_put_keeps_addresses_and_legal_texts_as_they_come(
    client: httpx.Client, given: object, shown: str | None
) -> None:
    updated(client, SETTINGS)

    updated(client, dict.fromkeys(PLAIN_TEXTS, given))

    now = found(client)
    assert {key: now[key] for key in PLAIN_TEXTS} == dict.fromkeys(PLAIN_TEXTS, shown)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({key: {"a": 1} for key in SETTINGS}, id="objects"),
        pytest.param(
            {key: ["x"] for key in SETTINGS.keys() - {BILLING, "email_settings"}}, id="lists"
        ),
        pytest.param({BILLING: {key: ["x"] for key in SETTINGS[BILLING]}}, id="lists inside"),
        pytest.param({BILLING: {key: {"a": 1} for key in SETTINGS[BILLING]}}, id="objects inside"),
        pytest.param({"email_settings": None}, id="email_settings null"),
        pytest.param({"email_settings": "invoice.finalized"}, id="email_settings text"),
        pytest.param({"email_settings": 5}, id="email_settings number"),
        pytest.param({"email_settings": [["invoice.finalized"]]}, id="email_settings nested"),
        pytest.param({BILLING: None}, id="billing_configuration null"),
        pytest.param({BILLING: {}}, id="billing_configuration empty"),
        pytest.param({BILLING: []}, id="billing_configuration empty list"),
        pytest.param({BILLING: "x"}, id="billing_configuration text"),
        pytest.param({BILLING: 5}, id="billing_configuration number"),
        pytest.param({BILLING: {"net_payment_term": 5}}, id="known key in the wrong place"),
        pytest.param({"invoice_footer": "x", "document_locale": "zz"}, id="inner keys outside"),
        pytest.param(
            {
                "name": "New Name",
                "webhook_urls": ["https://a.co"],
                "logo": "data:image/gif;base64,AAAA",
                "vat_rate": 999,
                "lago_id": "00000000-0000-4000-8000-000000000000",
                "taxes": [{"code": "vat"}],
                "tax_codes": ["vat"],
                "eu_tax_management": True,
                "authentication_methods": ["okta"],
                "created_at": "2020-01-01T00:00:00Z",
                "events_store": "clickhouse",
                "hmac_key": "key",
                "surprise": {"deep": [1]},
            },
            id="unknown keys",
        ),
    ],
)
def test_put_ignores_what_it_does_not_take(client: httpx.Client, fields: dict[str, Any]) -> None:
    updated(client, SETTINGS)
    before = found(client)

    assert updated(client, fields) == {**before, "taxes": []}
    assert found(client) == before


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"country": ""}, {"country": ["not_a_valid_country_code"]}),
        ({"country": "FRA"}, {"country": ["not_a_valid_country_code"]}),
        ({"country": " fr"}, {"country": ["not_a_valid_country_code"]}),
        ({"country": 12}, {"country": ["not_a_valid_country_code"]}),
        ({"country": True}, {"country": ["not_a_valid_country_code"]}),
        ({"default_currency": None}, {"default_currency": ["value_is_invalid"]}),
        ({"default_currency": ""}, {"default_currency": ["value_is_invalid"]}),
        ({"default_currency": "XXX"}, {"default_currency": ["value_is_invalid"]}),
        ({"default_currency": 12}, {"default_currency": ["value_is_invalid"]}),
        ({"default_currency": False}, {"default_currency": ["value_is_invalid"]}),
        ({"email": "foo"}, {"email": ["invalid_email_format"]}),
        ({"email": "a@b.co,"}, {"email": ["invalid_email_format"]}),
        ({"email": 12}, {"email": ["invalid_email_format"]}),
        ({"net_payment_term": None}, {"net_payment_term": ["is not a number"]}),
        ({"net_payment_term": ""}, {"net_payment_term": ["is not a number"]}),
        ({"net_payment_term": "ten"}, {"net_payment_term": ["is not a number"]}),
        ({"net_payment_term": True}, {"net_payment_term": ["is not a number"]}),
        ({"net_payment_term": -1}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"net_payment_term": "-0.5"}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"net_payment_term": 2**31}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"net_payment_term": 10**30}, {"net_payment_term": ["value_is_out_of_range"]}),
        ({"timezone": None}, {"timezone": ["invalid_timezone"]}),
        ({"timezone": ""}, {"timezone": ["invalid_timezone"]}),
        ({"timezone": "europe/paris"}, {"timezone": ["invalid_timezone"]}),
        ({"timezone": "America/Toronto"}, {"timezone": ["invalid_timezone"]}),
        ({"timezone": 12}, {"timezone": ["invalid_timezone"]}),
        ({"webhook_url": None}, {"webhook_url": ["value_is_mandatory", "url_is_invalid"]}),
        ({"webhook_url": ""}, {"webhook_url": ["value_is_mandatory", "url_is_invalid"]}),
        ({"webhook_url": "ftp://a.co"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "a.co"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "https://"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": "https://a.co/x y"}, {"webhook_url": ["url_is_invalid"]}),
        ({"webhook_url": 12}, {"webhook_url": ["url_is_invalid"]}),
        ({"document_numbering": None}, {"document_numbering": ["value_is_invalid"]}),
        ({"document_numbering": ""}, {"document_numbering": ["value_is_invalid"]}),
        (
            {"document_numbering": "per_billing_entity"},
            {"document_numbering": ["value_is_invalid"]},
        ),
        ({"document_numbering": "Per_customer"}, {"document_numbering": ["value_is_invalid"]}),
        ({"document_numbering": True}, {"document_numbering": ["value_is_invalid"]}),
        ({"document_number_prefix": None}, {"document_number_prefix": ["value_is_too_short"]}),
        ({"document_number_prefix": ""}, {"document_number_prefix": ["value_is_too_short"]}),
        ({"document_number_prefix": "x" * 11}, {"document_number_prefix": ["value_is_too_long"]}),
        ({"document_number_prefix": 12}, {"document_number_prefix": ["value_is_invalid"]}),
        ({"document_number_prefix": True}, {"document_number_prefix": ["value_is_invalid"]}),
        (
            {"finalize_zero_amount_invoice": None},
            {"finalize_zero_amount_invoice": ["value_is_invalid"]},
        ),
        (
            {"finalize_zero_amount_invoice": ""},
            {"finalize_zero_amount_invoice": ["value_is_invalid"]},
        ),
        (
            {"slug": None},
            {"slug": ["value_is_mandatory", "value_is_too_short", "value_is_invalid"]},
        ),
        (
            {"slug": ""},
            {"slug": ["value_is_mandatory", "value_is_too_short", "value_is_invalid"]},
        ),
        (
            {"slug": " \n"},
            {"slug": ["value_is_mandatory", "value_is_too_short", "value_is_invalid"]},
        ),
        ({"slug": "ab"}, {"slug": ["value_is_too_short"]}),
        ({"slug": "x" * 41}, {"slug": ["value_is_too_long"]}),
        ({"slug": "a_b"}, {"slug": ["value_is_invalid"]}),
        ({"slug": "-abc"}, {"slug": ["value_is_invalid"]}),
        ({"slug": "abc-"}, {"slug": ["value_is_invalid"]}),
        ({"slug": "a b c"}, {"slug": ["value_is_invalid"]}),
        ({"slug": "juníper"}, {"slug": ["value_is_invalid"]}),
        ({"slug": " Sign-Up "}, {"slug": ["value_is_reserved"]}),
        ({"slug": "404"}, {"slug": ["value_is_reserved"]}),
        ({"slug": 1234}, {"slug": ["value_is_invalid"]}),
        ({"slug": True}, {"slug": ["value_is_invalid"]}),
        ({"email_settings": ["x", "y"]}, {"email_settings": ["unsupported_value"]}),
        (
            {"email_settings": ["invoice.finalized", 5]},
            {"email_settings": ["unsupported_value"]},
        ),
        ({BILLING: {"invoice_footer": "x" * 601}}, {"invoice_footer": ["value_is_too_long"]}),
        ({BILLING: {"invoice_grace_period": None}}, {"invoice_grace_period": ["is not a number"]}),
        ({BILLING: {"invoice_grace_period": ""}}, {"invoice_grace_period": ["is not a number"]}),
        ({BILLING: {"invoice_grace_period": "x"}}, {"invoice_grace_period": ["is not a number"]}),
        (
            {BILLING: {"invoice_grace_period": -1}},
            {"invoice_grace_period": ["value_is_out_of_range"]},
        ),
        (
            {BILLING: {"invoice_grace_period": 2**31}},
            {"invoice_grace_period": ["value_is_out_of_range"]},
        ),
        (
            {BILLING: {"document_locale": None}},
            {"document_locale": ["not_a_valid_language_code"]},
        ),
        ({BILLING: {"document_locale": ""}}, {"document_locale": ["not_a_valid_language_code"]}),
        ({BILLING: {"document_locale": "FR"}}, {"document_locale": ["not_a_valid_language_code"]}),
        ({BILLING: {"document_locale": 12}}, {"document_locale": ["not_a_valid_language_code"]}),
        ({BILLING: {"vat_rate": -0.5}}, {"vat_rate": ["value_is_out_of_range"]}),
        ({BILLING: {"vat_rate": 100.5}}, {"vat_rate": ["value_is_out_of_range"]}),
        ({BILLING: {"vat_rate": "ten"}}, {"vat_rate": ["is not a number"]}),
        ({BILLING: [{"invoice_footer": "x"}]}, {"billing_configuration": ["value_is_invalid"]}),
    ],
    ids=brief,
)
def test_put_refuses_a_value_and_changes_nothing(
    client: httpx.Client, fields: dict[str, Any], details: dict[str, list[str]]
) -> None:
    updated(client, SETTINGS)
    before = found(client)

    response = put(client, {"city": "Albi", **fields})

    assert_refused(response, details)
    assert found(client) == before


# One wrong value a key, in the order in which Lago tells of them.
WRONG_RECORD: dict[str, Any] = {
    "slug": "ab",
    "document_numbering": "x",
    "country": "x",
    "document_locale": "x",
    "email": "x",
    "invoice_footer": "x" * 601,
    "document_number_prefix": "x" * 11,
    "invoice_grace_period": -1,
    "net_payment_term": -1,
    "finalize_zero_amount_invoice": None,
    "email_settings": ["x"],
}
WRONG_RECORD_DETAILS = {
    "slug": ["value_is_too_short"],
    "document_numbering": ["value_is_invalid"],
    "country": ["not_a_valid_country_code"],
    "document_locale": ["not_a_valid_language_code"],
    "email": ["invalid_email_format"],
    "invoice_footer": ["value_is_too_long"],
    "document_number_prefix": ["value_is_too_long"],
    "invoice_grace_period": ["value_is_out_of_range"],
    "net_payment_term": ["value_is_out_of_range"],
    "finalize_zero_amount_invoice": ["value_is_invalid"],
    "email_settings": ["unsupported_value"],
}


def nested(fields: dict[str, Any]) -> dict[str, Any]:
    """Move the keys of the billing configuration into it."""
    inner = {key: value for key, value in fields.items() if key in FRESH[BILLING]}
    outer = {key: value for key, value in fields.items() if key not in FRESH[BILLING]}
    return {**outer, BILLING: inner}


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
def test_put_tells_all_problems_of_the_record_together_in_lagos_order(
    client: httpx.Client, backwards: bool
) -> None:
    keys = sorted(WRONG_RECORD, key=list(WRONG_RECORD).index, reverse=backwards)

    response = put(client, nested({key: WRONG_RECORD[key] for key in keys}))

    assert_refused(response, WRONG_RECORD_DETAILS)
    assert list(response.json()["error_details"]) == list(WRONG_RECORD_DETAILS)


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        (
            {
                "timezone": "x",
                "default_currency": "x",
                "webhook_url": "x",
                **nested(WRONG_RECORD),
            },
            {"webhook_url": ["url_is_invalid"]},
        ),
        (
            {"timezone": "x", "default_currency": "x", **nested(WRONG_RECORD)},
            WRONG_RECORD_DETAILS,
        ),
        (
            {"timezone": "x", "default_currency": "x", "webhook_url": "https://a.co"},
            {"default_currency": ["value_is_invalid"]},
        ),
        ({"timezone": "x", "country": "DE"}, {"timezone": ["invalid_timezone"]}),
    ],
    ids=["webhook_url", "record", "default_currency", "timezone"],
)
def test_the_first_stage_with_a_problem_answers_alone_and_nothing_is_changed(
    client: httpx.Client, fields: dict[str, Any], details: dict[str, list[str]]
) -> None:
    before = found(client)

    assert_refused(put(client, fields), details)
    assert found(client) == before


def test_put_replaces_the_first_webhook_url_in_place(client: httpx.Client) -> None:
    updated(client, {"webhook_url": "https://one.example"})

    answer = updated(client, {"webhook_url": "https://two.example"})

    assert answer["webhook_url"] == "https://two.example"
    assert answer["webhook_urls"] == ["https://two.example"]


def test_put_can_send_the_values_again_that_it_has(client: httpx.Client) -> None:
    answer = updated(client, SETTINGS)

    assert updated(client, SETTINGS) == answer


@pytest.mark.parametrize(
    "inner", [{"invoice_footer": "New"}, {"invoice_grace_period": 9}, {"document_locale": "de"}]
)
def test_put_changes_one_key_of_the_billing_configuration_alone(
    client: httpx.Client, inner: dict[str, Any]
) -> None:
    updated(client, SETTINGS)

    answer = updated(client, {BILLING: inner})

    assert answer[BILLING] == {**SETTINGS[BILLING], **inner}


def test_vat_rate_is_shown_last_once_it_was_set_and_makes_no_tax(client: httpx.Client) -> None:
    answer = updated(client, {BILLING: {"vat_rate": 15}})

    assert list(answer[BILLING].items())[-1] == ("vat_rate", 15.0)
    assert answer["taxes"] == []
    assert found(client)[BILLING]["vat_rate"] == 15.0
    assert client.get("/taxes").json()["taxes"] == []


def test_vat_rate_null_forgets_it(client: httpx.Client) -> None:
    updated(client, {BILLING: {"vat_rate": 15}})

    updated(client, {BILLING: {"vat_rate": None}})

    assert found(client)[BILLING] == FRESH[BILLING]


def test_put_never_moves_id_and_creation_time(client: httpx.Client) -> None:
    before = found(client)

    after = updated(client, SETTINGS)

    assert (after["lago_id"], after["created_at"]) == (before["lago_id"], before["created_at"])
    assert datetime.strptime(after["created_at"], "%Y-%m-%dT%H:%M:%SZ")
