from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.conftest import brief

CATEGORIES = [
    ("netsuite", "accounting"),
    ("xero", "accounting"),
    ("anrok", "tax"),
    ("avalara", "tax"),
    ("hubspot", "crm"),
    ("salesforce", "crm"),
]
KEYS = [
    "lago_id",
    "external_customer_id",
    "type",
    "integration_code",
    "code",
    "is_default",
    "category",
]
NETSUITE = {
    "integration_type": "netsuite",
    "integration_code": "ns-eu",
    "external_customer_id": "1187",
}
XERO = {"integration_type": "xero", "integration_code": "xero", "external_customer_id": "x-1"}
SALESFORCE = {
    "integration_type": "salesforce",
    "integration_code": "sf",
    "external_customer_id": "0015",
}
TWICE = {"integration_customers": ["invalid_count_per_integration_type"]}
INVALID = {"integration_type": ["value_is_invalid"]}
FIXTURES = {
    "organization": {"name": "Juniper", "api_key": "juniper-key"},
    "integrations": [
        {"code": "ns-eu", "type": "netsuite"},
        {"code": "tax", "type": "anrok", "name": "Sales tax"},
    ],
}


def save(client: httpx.Client, items: Any, **fields: Any) -> httpx.Response:
    customer = {"external_id": "acct-1", "integration_customers": items, **fields}
    return client.post("/customers", json={"customer": customer})


def answered(client: httpx.Client, items: Any, **fields: Any) -> list[dict[str, Any]]:
    """Return the links that stand in the answer itself."""
    response = save(client, items, **fields)
    assert response.status_code == 200, response.text
    links: list[dict[str, Any]] = response.json()["customer"]["integration_customers"]
    return links


def found(client: httpx.Client) -> list[dict[str, Any]]:
    customer = client.get("/customers/acct-1").json()["customer"]
    links: list[dict[str, Any]] = customer["integration_customers"]
    return links


def linked(client: httpx.Client, items: Any, **fields: Any) -> list[dict[str, Any]]:
    """Return the links that the customer then has."""
    answered(client, items, **fields)
    return found(client)


def types(links: list[dict[str, Any]]) -> list[str]:
    return sorted(link["type"] for link in links)


def assert_refused(response: httpx.Response, details: dict[str, list[str]]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422


class TestNewLinks:
    @pytest.mark.parametrize(("kind", "category"), CATEGORIES)
    def test_a_link_has_the_code_and_type_sent(
        self, client: httpx.Client, kind: str, category: str
    ) -> None:
        item = {**NETSUITE, "integration_type": kind, "integration_code": "main"}

        (link,) = linked(client, [item])

        assert list(link) == KEYS
        assert link == {
            "lago_id": str(uuid.UUID(link["lago_id"], version=4)),
            "external_customer_id": "1187",
            "type": kind,
            "integration_code": "main",
            "code": link["code"],
            "is_default": link["is_default"],
            "category": category,
        }

    @pytest.mark.parametrize("kind", [kind for kind, _ in CATEGORIES])
    def test_all_but_salesforce_are_linked_in_the_background(
        self, client: httpx.Client, kind: str
    ) -> None:
        links = answered(client, [{**NETSUITE, "integration_type": kind}])

        assert types(links) == (["salesforce"] if kind == "salesforce" else [])
        assert types(found(client)) == [kind]
        assert answered(client, None) == found(client)

    def test_settings_stand_behind_in_order(self, client: httpx.Client) -> None:
        settings = {"sync_with_provider": True, "subsidiary_id": "2"}

        (link,) = linked(client, [{**NETSUITE, **settings}])

        assert {key: link[key] for key in settings} == settings
        assert list(link) == [*KEYS, *settings]

    def test_hubspot_has_a_targeted_object(self, client: httpx.Client) -> None:
        item = {**NETSUITE, "integration_type": "hubspot", "targeted_object": "companies"}

        (link,) = linked(client, [item])

        assert link["targeted_object"] == "companies"
        assert list(link) == [*KEYS, "targeted_object"]

    @pytest.mark.parametrize("wish", [True, "true", 1], ids=brief)
    def test_a_wish_for_one_makes_an_id_up(self, client: httpx.Client, wish: object) -> None:
        item = {"integration_type": "netsuite", "integration_code": "ns-eu"}

        (link,) = linked(client, [{**item, "sync_with_provider": wish}])

        assert isinstance(link["external_customer_id"], str)
        assert link["external_customer_id"]

    @pytest.mark.parametrize(
        "change",
        [
            {"integration_code": None},
            {"integration_code": ""},
            {"external_customer_id": None},
            {"external_customer_id": None, "sync_with_provider": False},
            {"external_customer_id": ""},
        ],
        ids=brief,
    )
    def test_an_item_without_code_or_wish_is_ignored(
        self, client: httpx.Client, change: dict[str, Any]
    ) -> None:
        assert types(linked(client, [{**NETSUITE, **change}, SALESFORCE])) == ["salesforce"]

    def test_an_item_without_the_key_of_a_code_is_ignored(self, client: httpx.Client) -> None:
        item = {key: value for key, value in NETSUITE.items() if key != "integration_code"}

        assert linked(client, [item]) == []

    def test_a_customer_can_have_one_of_each_type(self, client: httpx.Client) -> None:
        items = [{**NETSUITE, "integration_type": kind} for kind, _ in CATEGORIES]

        assert types(linked(client, items)) == sorted(kind for kind, _ in CATEGORIES)

    def test_a_partner_is_not_linked(self, client: httpx.Client) -> None:
        assert linked(client, [NETSUITE, SALESFORCE], account_type="partner") == []

    @pytest.mark.parametrize(
        "items", [None, "netsuite", 5, {}, ["netsuite"], [None], []], ids=brief
    )
    def test_what_is_no_list_of_objects_makes_no_link(
        self, client: httpx.Client, items: object
    ) -> None:
        assert linked(client, items) == []

    def test_links_stand_in_the_list_of_customers_too(self, client: httpx.Client) -> None:
        links = linked(client, [NETSUITE, SALESFORCE])

        (customer,) = client.get("/customers").json()["customers"]
        assert customer["integration_customers"] == links


class TestDeclaredIntegrations:
    @pytest.mark.parametrize(
        ("kind", "code"),
        [
            ("netsuite", "nowhere"),
            ("netsuite", "NS-EU"),
            ("netsuite", "tax"),
            ("anrok", "ns-eu"),
            ("xero", "xero"),
            ("salesforce", "sf"),
        ],
    )
    def test_an_item_of_no_integration_is_ignored(
        self, connected: httpx.Client, kind: str, code: str
    ) -> None:
        item = {**NETSUITE, "integration_type": kind, "integration_code": code}

        assert linked(connected, [item]) == []

    def test_items_of_integrations_are_linked(self, connected: httpx.Client) -> None:
        anrok = {**NETSUITE, "integration_type": "anrok", "integration_code": "tax"}

        links = linked(connected, [NETSUITE, anrok, XERO])

        assert {link["type"]: link["integration_code"] for link in links} == {
            "netsuite": "ns-eu",
            "anrok": "tax",
        }


class TestUpdate:
    @pytest.mark.parametrize("items", [None, "x", 5, {}], ids=brief)
    def test_links_stay_when_no_list_is_sent(self, client: httpx.Client, items: object) -> None:
        before = linked(client, [NETSUITE, SALESFORCE])

        assert answered(client, items) == before
        assert found(client) == before

    def test_links_stay_when_the_key_is_left_out(self, client: httpx.Client) -> None:
        before = linked(client, [NETSUITE])

        client.post("/customers", json={"customer": {"external_id": "acct-1", "name": "Ann"}})

        assert found(client) == before

    def test_an_empty_list_deletes_all(self, client: httpx.Client) -> None:
        linked(client, [NETSUITE, SALESFORCE])

        assert answered(client, []) == []
        assert found(client) == []

    def test_a_link_that_is_not_listed_goes(self, client: httpx.Client) -> None:
        netsuite, salesforce = linked(client, [NETSUITE, SALESFORCE])

        assert answered(client, [{**NETSUITE, "id": netsuite["lago_id"]}]) == [netsuite]
        assert salesforce not in found(client)

    def test_a_listed_link_takes_what_is_sent(self, client: httpx.Client) -> None:
        (before,) = linked(client, [{**NETSUITE, "subsidiary_id": "2"}])
        item = {**NETSUITE, "id": before["lago_id"], "external_customer_id": "99"}

        (after,) = answered(client, [{**item, "subsidiary_id": "3"}])

        assert after == {**before, "external_customer_id": "99", "subsidiary_id": "3"}
        assert found(client) == [after]

    @pytest.mark.parametrize("link_id", [None, "", "nonsense", str(uuid.UUID(int=5))], ids=brief)
    def test_a_list_without_the_known_id_makes_a_new_link(
        self, client: httpx.Client, link_id: str | None
    ) -> None:
        (before,) = linked(client, [NETSUITE])

        (after,) = linked(client, [{**NETSUITE, "id": link_id}])

        assert after["lago_id"] != before["lago_id"]
        assert after["external_customer_id"] == "1187"

    def test_a_link_does_not_touch_the_time_of_change(self, client: httpx.Client) -> None:
        before = save(client, [NETSUITE]).json()["customer"]

        assert save(client, []).json()["customer"]["updated_at"] == before["updated_at"]

    def test_a_deleted_customer_leaves_its_links_behind(self, client: httpx.Client) -> None:
        linked(client, [NETSUITE])

        client.delete("/customers/acct-1").raise_for_status()

        assert linked(client, None) == []


class TestRefusals:
    @pytest.mark.parametrize(
        "items",
        [
            pytest.param([NETSUITE, NETSUITE], id="one type"),
            pytest.param([XERO, NETSUITE, SALESFORCE, {**NETSUITE, "id": "x"}], id="among others"),
            pytest.param([{"integration_code": "a"}, {"integration_code": "b"}], id="no type"),
            pytest.param([{}, {"integration_type": None}], id="absent and null"),
            pytest.param([{**NETSUITE, "integration_type": "sage"}] * 2, id="unknown type"),
        ],
    )
    def test_two_of_one_type_are_refused(self, client: httpx.Client, items: object) -> None:
        assert_refused(save(client, items), TWICE)
        assert client.get("/customers/acct-1").status_code == 404

    @pytest.mark.parametrize(
        "item",
        [
            {**NETSUITE, "integration_type": "sage"},
            {**NETSUITE, "integration_type": "NetSuite"},
            {**NETSUITE, "integration_type": None},
            {**NETSUITE, "integration_type": ""},
            {"integration_code": "ns-eu"},
            {},
        ],
        ids=brief,
    )
    def test_an_unknown_or_missing_type_is_refused_and_nothing_is_saved(
        self, client: httpx.Client, item: dict[str, Any]
    ) -> None:
        assert_refused(save(client, [SALESFORCE, item]), INVALID)
        assert client.get("/customers/acct-1").status_code == 404

    def test_a_refused_update_leaves_the_links(self, client: httpx.Client) -> None:
        before = linked(client, [NETSUITE])

        assert_refused(save(client, [{"integration_type": "sage"}], name="Ann"), INVALID)

        assert found(client) == before
        assert client.get("/customers/acct-1").json()["customer"]["name"] is None

    @pytest.mark.parametrize(
        ("items", "fields", "details"),
        [
            pytest.param([NETSUITE] * 2, {"currency": "x"}, TWICE, id="count before columns"),
            pytest.param(
                [NETSUITE] * 2,
                {"finalize_zero_amount_invoice": "maybe"},
                {"finalize_zero_amount_invoice": ["invalid_value"]},
                id="choice before count",
            ),
            pytest.param(
                [{"integration_type": "sage"}],
                {"billing_configuration": {"document_locale": "tlh"}},
                {"document_locale": ["not_a_valid_language_code"]},
                id="locale before type",
            ),
        ],
    )
    def test_the_first_stage_with_a_problem_answers_alone(
        self,
        client: httpx.Client,
        items: object,
        fields: dict[str, Any],
        details: dict[str, list[str]],
    ) -> None:
        assert_refused(save(client, items, **fields), details)
