from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.conftest import brief

CODES = "invoice_custom_section_codes"
SKIP = "skip_invoice_custom_sections"
SHOWN = "applicable_invoice_custom_sections"
TOGETHER = {"invoice_custom_sections": ["skip_sections_and_selected_ids_sent_together"]}
KEYS = ["lago_id", "code", "name", "description", "details", "display_name", "organization_id"]
BANK = {
    "code": "bank",
    "name": "Bank details",
    "description": "For transfers",
    "details": "Account 1",
    "display_name": "How to pay",
}
FIXTURES = {
    "organization": {"name": "Juniper", "api_key": "juniper-key"},
    "invoice_custom_sections": [BANK, {"code": "legal", "name": "Legal note"}],
}


def save(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/customers", json={"customer": {"external_id": "acct-1", **fields}})


def saved(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    response = save(client, **fields)
    assert response.status_code == 200, response.text
    customer: dict[str, Any] = response.json()["customer"]
    assert client.get("/customers/acct-1").json()["customer"] == customer
    return customer


def codes(customer: dict[str, Any]) -> list[str]:
    return sorted(section["code"] for section in customer[SHOWN])


def give_entity(client: httpx.Client, code: str, *sections: str) -> None:
    body = {"billing_entity": {CODES: sections}}
    client.put(f"/billing_entities/{code}", json=body).raise_for_status()


def assert_refused(response: httpx.Response, details: dict[str, list[str]]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422


def test_a_declared_section_is_shown_as_declared(connected: httpx.Client) -> None:
    (section,) = saved(connected, **{CODES: ["bank"]})[SHOWN]

    organization = connected.get("/organizations").json()["organization"]
    assert section == {
        **BANK,
        "lago_id": str(uuid.UUID(section["lago_id"], version=4)),
        "organization_id": organization["lago_id"],
    }
    assert list(section) == KEYS


def test_what_was_not_declared_of_a_section_is_null(connected: httpx.Client) -> None:
    (section,) = saved(connected, **{CODES: ["legal"]})[SHOWN]

    names = ("name", "description", "details", "display_name")
    assert [section[name] for name in names] == ["Legal note", None, None, None]


def test_where_none_is_declared_every_code_is_a_section(client: httpx.Client) -> None:
    (section,) = saved(client, **{CODES: ["anything"]})[SHOWN]
    (other,) = save(client, external_id="acct-2", **{CODES: ["anything"]}).json()["customer"][SHOWN]

    organization = client.get("/organizations").json()["organization"]
    assert section["code"] == "anything"
    assert section["organization_id"] == organization["lago_id"]
    assert section["lago_id"] == str(uuid.UUID(section["lago_id"]))
    assert list(section) == KEYS
    assert other == section


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param(["bank", "legal"], ["bank", "legal"], id="two"),
        pytest.param(["bank", "nothing"], ["bank"], id="unknown"),
        pytest.param(["BANK"], [], id="other case"),
        pytest.param(["nothing"], [], id="unknown alone"),
        pytest.param(["bank", "bank"], ["bank"], id="twice"),
        pytest.param([], [], id="empty"),
        pytest.param([None, "bank"], ["bank"], id="null inside"),
    ],
)
def test_a_list_replaces_the_selection_and_unknown_codes_are_ignored(
    connected: httpx.Client, given: list[str], kept: list[str]
) -> None:
    saved(connected, **{CODES: ["legal"]})

    assert codes(saved(connected, **{CODES: given})) == kept


@pytest.mark.parametrize("given", [None, "bank", 5, {}, [["bank"]], [{"a": 1}]], ids=brief)
def test_what_is_no_list_of_codes_changes_nothing(connected: httpx.Client, given: object) -> None:
    before = saved(connected, **{CODES: ["legal"]})

    assert saved(connected, **{CODES: given}) == before


def test_the_selection_stays_when_it_is_not_sent(connected: httpx.Client) -> None:
    saved(connected, **{CODES: ["legal"]})

    assert codes(saved(connected, name="Ann")) == ["legal"]


def test_a_selection_does_not_touch_the_time_of_change(connected: httpx.Client) -> None:
    before = saved(connected)

    assert saved(connected, **{CODES: ["legal"]})["updated_at"] == before["updated_at"]


def test_the_list_of_customers_has_no_sections(connected: httpx.Client) -> None:
    saved(connected, **{CODES: ["legal"]})

    (customer,) = connected.get("/customers").json()["customers"]
    assert SHOWN not in customer


def test_a_deleted_customer_shows_its_sections_once_more(connected: httpx.Client) -> None:
    saved(connected, **{CODES: ["legal"]})

    customer = connected.delete("/customers/acct-1").json()["customer"]

    assert codes(customer) == ["legal"]
    assert codes(saved(connected)) == []


class TestSkipping:
    def test_it_clears_the_selection(self, connected: httpx.Client) -> None:
        saved(connected, **{CODES: ["legal"]})

        skipping = saved(connected, **{SKIP: True})
        after = saved(connected, **{SKIP: False})

        assert (skipping[SKIP], codes(skipping)) == (True, [])
        assert (after[SKIP], codes(after)) == (False, [])

    @pytest.mark.parametrize("given", [["legal"], []], ids=brief)
    def test_a_selection_ends_it(self, connected: httpx.Client, given: list[str]) -> None:
        saved(connected, **{SKIP: True})

        customer = saved(connected, **{CODES: given})

        assert (customer[SKIP], codes(customer)) == (False, given)

    def test_a_selection_beside_false_is_taken(self, connected: httpx.Client) -> None:
        customer = saved(connected, **{SKIP: False, CODES: ["legal"]})

        assert (customer[SKIP], codes(customer)) == (False, ["legal"])

    @pytest.mark.parametrize("skip", [True, 1, "true", "no"], ids=brief)
    @pytest.mark.parametrize("given", [["legal"], ["nothing"], []], ids=brief)
    def test_both_together_are_refused_and_nothing_is_saved(
        self, connected: httpx.Client, skip: object, given: list[str]
    ) -> None:
        before = saved(connected, **{CODES: ["bank"]})

        assert_refused(save(connected, name="Ann", **{SKIP: skip, CODES: given}), TOGETHER)
        assert saved(connected) == before

    @pytest.mark.parametrize("given", [None, "legal", 5], ids=brief)
    def test_beside_no_list_it_is_taken(self, connected: httpx.Client, given: object) -> None:
        customer = saved(connected, **{SKIP: True, CODES: given})

        assert (customer[SKIP], codes(customer)) == (True, [])

    def test_null_leaves_it(self, connected: httpx.Client) -> None:
        saved(connected, **{SKIP: True})

        assert saved(connected, **{SKIP: None})[SKIP] is True

    def test_empty_text_is_refused(self, connected: httpx.Client) -> None:
        assert_refused(save(connected, **{SKIP: ""}), {SKIP: ["value_is_invalid"]})

    def test_an_unknown_tax_comes_first(self, connected: httpx.Client) -> None:
        response = save(connected, tax_codes=["nothing"], **{SKIP: True, CODES: []})

        expected = {"status": 404, "error": "Not Found", "code": "tax_not_found"}
        assert (response.status_code, response.json()) == (404, expected)

    @pytest.mark.parametrize(
        ("fields", "details"),
        [
            ({"currency": "x"}, {"currency": ["value_is_invalid"]}),
            ({"metadata": [{"key": "a"}]}, TOGETHER),
            ({"billing_configuration": {"invoice_grace_period": -1}}, TOGETHER),
        ],
        ids=["columns before", "metadata after", "settings after"],
    )
    def test_the_first_stage_with_a_problem_answers_alone(
        self, connected: httpx.Client, fields: dict[str, Any], details: dict[str, list[str]]
    ) -> None:
        assert_refused(save(connected, **fields, **{SKIP: True, CODES: []}), details)


class TestBillingEntity:
    def test_its_sections_hold_where_the_customer_selects_none(
        self, connected: httpx.Client
    ) -> None:
        give_entity(connected, "juniper", "legal")

        assert codes(saved(connected)) == ["legal"]
        assert codes(saved(connected, **{CODES: ["bank"]})) == ["bank"]
        assert codes(saved(connected, **{CODES: []})) == ["legal"]
        assert codes(saved(connected, **{SKIP: True})) == []
        assert codes(saved(connected, **{SKIP: False})) == ["legal"]

    def test_its_sections_are_those_of_its_customers_alone(self, connected: httpx.Client) -> None:
        body = {"billing_entity": {"code": "juniper_fr", "name": "Juniper France"}}
        connected.post("/billing_entities", json=body).raise_for_status()
        give_entity(connected, "juniper_fr", "bank")

        assert codes(saved(connected)) == []
        assert codes(saved(connected, billing_entity_code="juniper_fr")) == ["bank"]

    def test_its_unknown_codes_are_ignored(self, connected: httpx.Client) -> None:
        give_entity(connected, "juniper", "legal", "nothing")

        assert codes(saved(connected)) == ["legal"]

    def test_an_empty_list_clears_its_sections(self, connected: httpx.Client) -> None:
        give_entity(connected, "juniper", "legal")
        give_entity(connected, "juniper")

        assert codes(saved(connected)) == []
