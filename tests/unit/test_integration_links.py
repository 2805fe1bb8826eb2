from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from lago_mock.errors import Problem, ValidationFailed
from lago_mock.integration_links import (
    TYPES,
    integration_links,
    refuse_repeated_types,
    shown_at_once,
)
from lago_mock.resource import Call
from lago_mock.store.store import Store
from lago_mock.wire import JSONObject
from tests.unit.calls import call_of

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
INVALID_TYPE = {"integration_type": ["value_is_invalid"]}


def old(lago_id: str, kind: str = "xero", **settings: Any) -> JSONObject:
    return {
        "lago_id": lago_id,
        "external_customer_id": f"{kind}-1",
        "type": kind,
        "integration_code": "books",
        "code": "books",
        "is_default": False,
        "category": "accounting",
        **settings,
    }


def item(kind: str | None = "xero", **settings: Any) -> JSONObject:
    usual = {"integration_type": kind, "integration_code": "books", "external_customer_id": "c-1"}
    return {**usual, **settings}


def call(
    items: list[JSONObject] | None, *declared: str, problems: list[Problem] | None = None
) -> Call:
    """Return a call with these items; integrations are declared as `type:code`."""
    view = Store({"integrations": "code"}).view("org-1")
    for index, each in enumerate(declared):
        kind, _, code = each.partition(":")
        view.put("integrations", {"lago_id": str(index), "type": kind, "code": code})
    body: JSONObject = {} if items is None else {"integration_customers": items}
    return call_of(body=body, view=view, problems=problems or [])


def linked(items: list[JSONObject], *declared: str) -> list[JSONObject]:
    return integration_links(call(items, *declared), [])


# Two of a type


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([{"integration_type": "xero"}] * 2, id="the same"),
        pytest.param([{}, {"integration_code": "a"}], id="none twice"),
        pytest.param([{"integration_type": None}, {}], id="null and none"),
        pytest.param(
            [{"integration_type": each} for each in ("xero", "anrok", "xero")], id="apart"
        ),
    ],
)
def test_two_items_of_one_type_are_refused(items: list[JSONObject]) -> None:
    with pytest.raises(ValidationFailed) as caught:
        refuse_repeated_types(call(items))

    assert caught.value.details() == {
        "integration_customers": ["invalid_count_per_integration_type"]
    }


@pytest.mark.parametrize(
    "items",
    [
        pytest.param(None, id="absent"),
        pytest.param([], id="none"),
        pytest.param([{}], id="one without a type"),
        pytest.param([{"integration_type": each} for each in (*TYPES, None)], id="one of each"),
    ],
)
def test_one_item_of_each_type_is_in_order(items: list[JSONObject] | None) -> None:
    refuse_repeated_types(call(items))


# New links


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("netsuite", "accounting"),
        ("xero", "accounting"),
        ("anrok", "tax"),
        ("avalara", "tax"),
        ("hubspot", "crm"),
        ("salesforce", "crm"),
    ],
)
def test_an_item_becomes_a_link_of_its_category(kind: str, category: str) -> None:
    (link,) = linked([item(kind)])

    assert list(link.items()) == [
        ("lago_id", link["lago_id"]),
        ("external_customer_id", "c-1"),
        ("type", kind),
        ("integration_code", "books"),
        ("code", "books"),
        ("is_default", False),
        ("category", category),
    ]
    assert UUID.fullmatch(link["lago_id"])


def test_the_settings_that_are_given_stand_last() -> None:
    (link,) = linked(
        [item(subsidiary_id="2", sync_with_provider=True, targeted_object=None, email="a@b.c")]
    )

    assert list(link.items())[7:] == [("sync_with_provider", True), ("subsidiary_id", "2")]


def test_an_id_is_made_up_where_the_customer_is_to_be_made_there() -> None:
    (link,) = linked([item("hubspot", external_customer_id=None, sync_with_provider=True)])

    assert re.fullmatch("hubspot_[0-9a-f]{12}", link["external_customer_id"])


def test_links_stand_in_the_order_of_the_items() -> None:
    links = linked([item("xero"), item("anrok"), item("hubspot")])

    assert [link["type"] for link in links] == ["xero", "anrok", "hubspot"]
    assert len({link["lago_id"] for link in links}) == 3


@pytest.mark.parametrize(
    "ignored",
    [
        pytest.param(item(integration_code=None), id="no code"),
        pytest.param(item(integration_code=""), id="a blank code"),
        pytest.param(item(external_customer_id=None), id="neither an id nor to be made"),
        pytest.param(item(external_customer_id=""), id="a blank id"),
        pytest.param(
            item(external_customer_id=None, sync_with_provider=False), id="not to be made"
        ),
        pytest.param(item("okta"), id="a type that links no customers"),
        pytest.param(item("xero", code="books", integration_code=None), id="a code by another key"),
    ],
)
def test_an_item_that_makes_no_link_is_ignored(ignored: JSONObject) -> None:
    assert [link["type"] for link in linked([ignored, item("anrok")])] == ["anrok"]


@pytest.mark.parametrize(
    ("kind", "code", "is_there"),
    [
        pytest.param("xero", "books", True, id="declared"),
        pytest.param("xero", "vat", False, id="a code of another type"),
        pytest.param("anrok", "vat", True, id="another declared"),
        pytest.param("xero", "Books", False, id="in capitals"),
        pytest.param("hubspot", "books", False, id="a type that is not declared"),
    ],
)
def test_where_integrations_are_declared_those_alone_are_linked(
    kind: str, code: str, is_there: bool
) -> None:
    links = linked([item(kind, integration_code=code)], "anrok:vat", "xero:books")

    assert [link["integration_code"] for link in links] == [code] * is_there


# Links that are there


def test_links_that_are_there_stay_where_nothing_is_said() -> None:
    before = [old("l-1"), old("l-2", "anrok")]

    assert integration_links(call(None), before) == before


@pytest.mark.parametrize(
    ("items", "left"),
    [
        pytest.param([], [], id="none"),
        pytest.param([item(id="l-1", external_customer_id=None)], ["l-1"], id="one"),
        pytest.param(
            [item("anrok", id="l-2"), item("xero", id="l-1")], ["l-2", "l-1"], id="in another order"
        ),
    ],
)
def test_links_that_are_not_listed_go(items: list[JSONObject], left: list[str]) -> None:
    links = integration_links(call(items), [old("l-1"), old("l-2", "anrok")])

    assert [link["lago_id"] for link in links] == left


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        pytest.param({"external_customer_id": None}, {}, id="nothing"),
        pytest.param({"external_customer_id": ""}, {}, id="a blank id"),
        pytest.param({"external_customer_id": "x"}, {"external_customer_id": "x"}, id="an id"),
        pytest.param(
            {"external_customer_id": None, "subsidiary_id": "3", "sync_with_provider": False},
            {"subsidiary_id": "3", "sync_with_provider": False},
            id="settings",
        ),
        pytest.param(
            {"external_customer_id": None, "targeted_object": None}, {}, id="null for a setting"
        ),
        pytest.param(
            {"external_customer_id": None, "integration_code": "other"}, {}, id="another code"
        ),
    ],
)
def test_a_listed_link_keeps_what_is_not_given(given: JSONObject, changed: JSONObject) -> None:
    before = old("l-1", subsidiary_id="2", targeted_object="companies")

    assert integration_links(call([item(id="l-1", **given)]), [before]) == [{**before, **changed}]


@pytest.mark.parametrize("lago_id", ["l-9", "", None])
def test_another_id_makes_a_new_link(lago_id: str | None) -> None:
    (link,) = integration_links(call([item(id=lago_id)]), [old("l-1")])

    assert UUID.fullmatch(link["lago_id"])


# Refusals


@pytest.mark.parametrize(
    "bad", [{}, {"integration_type": None}, {"id": "l-1"}], ids=["absent", "null", "with an id"]
)
def test_an_item_without_a_type_is_refused(bad: JSONObject) -> None:
    with pytest.raises(ValidationFailed) as caught:
        integration_links(call([item("anrok"), bad]), [old("l-1")])

    assert caught.value.details() == INVALID_TYPE


def test_a_type_that_the_document_does_not_know_is_refused() -> None:
    path = ("integration_customers", 0, "integration_type")
    problem = Problem("integration_type", "value_is_invalid", "enum", path)
    elsewhere = Problem("name", "bad", "enum", ("name",))

    with pytest.raises(ValidationFailed) as caught:
        integration_links(call([item("Xero")], problems=[elsewhere, problem]), [])

    assert caught.value.problems == (problem,)


# What is shown


def test_the_answer_shows_links_that_were_there_and_those_made_at_once() -> None:
    was_there, made, later = old("l-1"), old("l-2", "salesforce"), old("l-3", "hubspot")
    before = {"name": "A", "integration_customers": [was_there]}
    after = {"name": "B", "integration_customers": [later, {**was_there, "code": "x"}, made]}

    shown = shown_at_once(before, after)

    assert shown == {"name": "B", "integration_customers": [{**was_there, "code": "x"}, made]}
    assert len(after["integration_customers"]) == 3


@pytest.mark.mock_only
def test_a_partner_account_is_not_linked(client: httpx.Client) -> None:
    partner = {
        "external_id": "acct-1",
        "account_type": "partner",
        "integration_customers": [item("salesforce"), item("xero")],
    }

    made = client.post("/customers", json={"customer": partner}).json()["customer"]

    assert (made["account_type"], made["integration_customers"]) == ("partner", [])
    later = client.get("/customers/acct-1").json()["customer"]
    assert later["integration_customers"] == []
