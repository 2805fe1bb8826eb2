from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from tests.conftest import brief

METADATA = list[dict[str, Any]]
TWO: METADATA = [
    {"key": "region", "value": "west", "display_in_invoice": True},
    {"key": "order", "value": "PO-1"},
]
STRANGE_ID = "00000000-0000-4000-8000-000000000000"


def save(client: httpx.Client, metadata: object, **fields: Any) -> httpx.Response:
    customer = {"external_id": "acct-1", "metadata": metadata, **fields}
    return client.post("/customers", json={"customer": customer})


def saved(client: httpx.Client, metadata: object, **fields: Any) -> METADATA:
    response = save(client, metadata, **fields)
    assert response.status_code == 200, response.text
    items: METADATA = response.json()["customer"]["metadata"]
    return items


def found(client: httpx.Client, external_id: str = "acct-1") -> METADATA:
    items: METADATA = client.get(f"/customers/{external_id}").json()["customer"]["metadata"]
    return items


def pairs(items: METADATA) -> list[tuple[str, str]]:
    return [(item["key"], item["value"]) for item in items]


def assert_refused(response: httpx.Response, details: dict[str, list[str]]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422
    assert list(response.json()["error_details"]) == list(details)


def test_an_item_shows_these_keys_in_this_order(client: httpx.Client) -> None:
    response = save(client, [TWO[0]])

    customer = response.json()["customer"]
    [item] = customer["metadata"]
    assert list(item) == ["lago_id", "key", "value", "display_in_invoice", "created_at"]
    assert item == {**item, **TWO[0], "created_at": customer["created_at"]}
    assert item["lago_id"] == str(uuid.UUID(item["lago_id"], version=4))


def test_get_and_list_show_the_items_in_order_of_creation(client: httpx.Client) -> None:
    items = saved(client, TWO)

    assert pairs(items) == [("region", "west"), ("order", "PO-1")]
    assert found(client) == items
    assert client.get("/customers").json()["customers"][0]["metadata"] == items


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        ({"key": "k" * 20, "value": "é" * 100}, ("k" * 20, "é" * 100, False)),
        ({"key": " k ", "value": " v "}, (" k ", " v ", False)),
        ({"key": 12, "value": 1.5}, ("12", "1.5", False)),
        ({"key": True, "value": False}, ("t", "f", False)),
        ({"key": "\0k", "value": "v\0"}, ("k", "v", False)),
        ({"key": "k", "value": "v", "display_in_invoice": True}, ("k", "v", True)),
        ({"key": "k", "value": "v", "display_in_invoice": "no"}, ("k", "v", True)),
        ({"key": "k", "value": "v", "display_in_invoice": "f"}, ("k", "v", False)),
        ({"key": "k", "value": "v", "display_in_invoice": None}, ("k", "v", False)),
        ({"key": "k", "value": "v", "display_in_invoice": ""}, ("k", "v", False)),
        ({"key": "k", "value": "v", "display_in_invoice": [True]}, ("k", "v", False)),
        ({"key": "k", "value": "v", "surprise": {"a": 1}}, ("k", "v", False)),
    ],
    ids=brief,
)
def test_an_item_is_kept_as_lago_reads_it(
    client: httpx.Client, item: dict[str, Any], shown: tuple[str, str, bool]
) -> None:
    [kept] = saved(client, [item])

    assert (kept["key"], kept["value"], kept["display_in_invoice"]) == shown
    assert found(client) == [kept]


@pytest.mark.parametrize(
    ("items", "details"),
    [
        ([{"value": "v"}], {"key": ["value_is_mandatory"]}),
        ([{"key": None, "value": "v"}], {"key": ["value_is_mandatory"]}),
        ([{"key": "", "value": "v"}], {"key": ["value_is_mandatory"]}),
        ([{"key": " ", "value": "v"}], {"key": ["value_is_mandatory"]}),
        ([{"key": ["k"], "value": "v"}], {"key": ["value_is_mandatory"]}),
        ([{"key": "k" * 21, "value": "v"}], {"key": ["value_is_too_long"]}),
        ([{"key": "k"}], {"value": ["value_is_mandatory"]}),
        ([{"key": "k", "value": None}], {"value": ["value_is_mandatory"]}),
        ([{"key": "k", "value": ""}], {"value": ["value_is_mandatory"]}),
        ([{"key": "k", "value": "\t"}], {"value": ["value_is_mandatory"]}),
        ([{"key": "k", "value": {"a": 1}}], {"value": ["value_is_mandatory"]}),
        ([{"key": "k", "value": "v" * 101}], {"value": ["value_is_too_long"]}),
        ([{}], {"key": ["value_is_mandatory"], "value": ["value_is_mandatory"]}),
        (
            [{"value": "v" * 101, "key": "k" * 21}],
            {"key": ["value_is_too_long"], "value": ["value_is_too_long"]},
        ),
        (
            [{"value": "v" * 101}],
            {"key": ["value_is_mandatory"], "value": ["value_is_too_long"]},
        ),
        (
            [{"key": "k", "value": ""}, {"key": "", "value": "v"}],
            {"value": ["value_is_mandatory"]},
        ),
        (
            [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}],
            {"key": ["value_already_exist"]},
        ),
        (
            [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}, {"key": "", "value": ""}],
            {"key": ["value_already_exist"]},
        ),
        (
            [{"key": "k", "value": "1"}, {"key": "k", "value": ""}],
            {"key": ["value_already_exist"], "value": ["value_is_mandatory"]},
        ),
        (
            [{"key": "k", "value": "1"}, {"key": "k", "value": "v" * 101}],
            {"key": ["value_already_exist"], "value": ["value_is_too_long"]},
        ),
    ],
    ids=brief,
)
def test_the_first_bad_item_is_told_alone_and_nothing_is_saved(
    client: httpx.Client, items: METADATA, details: dict[str, list[str]]
) -> None:
    assert_refused(save(client, items), details)
    assert client.get("/customers").json()["meta"]["total_count"] == 0


def test_keys_are_told_apart_by_case(client: httpx.Client) -> None:
    items = saved(client, [{"key": "k", "value": "1"}, {"key": "K", "value": "2"}])

    assert pairs(items) == [("k", "1"), ("K", "2")]


def test_two_customers_may_have_the_same_key(client: httpx.Client) -> None:
    saved(client, TWO)

    assert pairs(saved(client, TWO, external_id="acct-2")) == pairs(found(client))


def test_six_items_are_too_many(client: httpx.Client) -> None:
    items = [{"key": f"k{n}", "value": "v"} for n in range(6)]

    assert_refused(save(client, items), {"metadata": ["invalid_count"]})


def test_six_items_are_too_many_even_when_each_is_bad(client: httpx.Client) -> None:
    assert_refused(save(client, [{}] * 6), {"metadata": ["invalid_count"]})


def test_only_objects_are_counted(client: httpx.Client) -> None:
    items = [{"key": f"k{n}", "value": "v"} for n in range(5)]

    kept = saved(client, [None, *items, "x", 5, ["k"], True])

    assert pairs(kept) == [(f"k{n}", "v") for n in range(5)]


def test_the_id_of_a_new_customers_item_is_ignored(client: httpx.Client) -> None:
    [item] = saved(client, [{"id": STRANGE_ID, "key": "k", "value": "v"}])

    assert item["lago_id"] != STRANGE_ID


@pytest.mark.parametrize(
    "metadata", [None, "x", 5, True, {}, {"key": "k", "value": "v"}], ids=brief
)
def test_metadata_that_is_no_list_changes_nothing(client: httpx.Client, metadata: object) -> None:
    before = saved(client, TWO)

    assert saved(client, metadata, name="Ann") == before
    assert found(client) == before


def test_metadata_that_is_not_sent_stays(client: httpx.Client) -> None:
    before = saved(client, TWO)

    client.post("/customers", json={"customer": {"external_id": "acct-1", "name": "Ann"}})

    assert found(client) == before


@pytest.mark.parametrize("metadata", [[], [None], ["x"]], ids=brief)
def test_a_list_without_items_deletes_all(client: httpx.Client, metadata: list[Any]) -> None:
    saved(client, TWO)

    assert saved(client, metadata) == []
    assert found(client) == []


def test_numbered_items_are_refused(client: httpx.Client) -> None:
    before = saved(client, TWO)

    response = save(client, {"0": {"key": "k", "value": "v"}})

    assert_refused(response, {"metadata": ["value_is_invalid"]})
    assert found(client) == before


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"value": "east"}, ("region", "east", False)),
        ({"key": "area"}, ("area", "west", False)),
        ({"key": "area", "value": "east"}, ("area", "east", False)),
        ({"key": "region", "value": "west"}, ("region", "west", False)),
        ({"display_in_invoice": True}, ("region", "west", True)),
        ({"display_in_invoice": None}, ("region", "west", False)),
        ({}, ("region", "west", False)),
    ],
    ids=brief,
)
def test_an_item_with_its_id_keeps_what_is_not_given_but_its_display(
    client: httpx.Client, given: dict[str, Any], shown: tuple[str, str, bool]
) -> None:
    first, second = saved(client, TWO)

    kept, other = saved(client, [{"id": first["lago_id"], **given}, {"id": second["lago_id"]}])

    assert (kept["key"], kept["value"], kept["display_in_invoice"]) == shown
    assert (kept["lago_id"], kept["created_at"]) == (first["lago_id"], first["created_at"])
    assert other == second
    assert found(client) == [kept, other]


@pytest.mark.parametrize(
    ("given", "details"),
    [
        ({"key": None}, {"key": ["value_is_mandatory"]}),
        ({"value": ""}, {"value": ["value_is_mandatory"]}),
        ({"value": "v" * 101}, {"value": ["value_is_too_long"]}),
        ({"key": "order"}, {"key": ["value_already_exist"]}),
        (
            {"key": "order", "value": ""},
            {"key": ["value_already_exist"], "value": ["value_is_mandatory"]},
        ),
    ],
    ids=brief,
)
def test_a_bad_change_of_an_item_changes_nothing_of_the_customer(
    client: httpx.Client, given: dict[str, Any], details: dict[str, list[str]]
) -> None:
    first, _ = saved(client, TWO, name="Ann")
    before = client.get("/customers/acct-1").json()

    response = save(client, [{"id": first["lago_id"], **given}], name="Bea")

    assert_refused(response, details)
    assert client.get("/customers/acct-1").json() == before


def test_a_bad_item_undoes_the_good_ones_before_it(client: httpx.Client) -> None:
    first, second = saved(client, TWO)
    items = [{"id": first["lago_id"], "value": "east"}, {"key": "new", "value": "1"}, {}]

    response = save(client, items)

    assert response.status_code == 422
    assert found(client) == [first, second]


def test_items_that_are_not_listed_are_deleted(client: httpx.Client) -> None:
    _, second = saved(client, TWO)

    assert saved(client, [{"id": second["lago_id"]}]) == [second]
    assert found(client) == [second]


@pytest.mark.parametrize(
    "unknown",
    [{}, {"id": None}, {"id": ""}, {"id": " "}, {"id": STRANGE_ID}, {"id": "x"}, {"id": 5}],
    ids=brief,
)
def test_an_item_without_a_known_id_is_a_new_one(
    client: httpx.Client, unknown: dict[str, Any]
) -> None:
    old = saved(client, TWO)

    [new] = saved(client, [{**unknown, "key": "fresh", "value": "1"}])

    assert pairs([new]) == [("fresh", "1")]
    assert new["lago_id"] not in {item["lago_id"] for item in old} | {STRANGE_ID}
    assert found(client) == [new]


def test_the_id_of_another_customers_item_makes_a_new_one(client: httpx.Client) -> None:
    others = saved(client, TWO, external_id="acct-2")
    stolen = {"id": others[0]["lago_id"], "key": "mine", "value": "1"}

    [item] = saved(client, [stolen])

    assert item["lago_id"] != others[0]["lago_id"]
    assert found(client, "acct-2") == others


def test_lago_id_is_not_taken_for_id(client: httpx.Client) -> None:
    before = saved(client, TWO)

    assert_refused(save(client, before), {"key": ["value_already_exist"]})
    assert found(client) == before


def test_the_same_list_again_without_ids_is_refused(client: httpx.Client) -> None:
    before = saved(client, TWO)

    assert_refused(save(client, TWO), {"key": ["value_already_exist"]})
    assert found(client) == before


def test_five_keys_can_be_replaced_by_five_others(client: httpx.Client) -> None:
    saved(client, [{"key": f"old{n}", "value": "v"} for n in range(5)])

    items = saved(client, [{"key": f"new{n}", "value": "v"} for n in range(5)])

    assert pairs(items) == [(f"new{n}", "v") for n in range(5)]
    assert found(client) == items


def test_a_key_that_was_renamed_away_can_be_taken_by_a_later_item(client: httpx.Client) -> None:
    first, _ = saved(client, TWO)

    items = saved(
        client, [{"id": first["lago_id"], "key": "area"}, {"key": "region", "value": "east"}]
    )

    assert pairs(items) == [("area", "west"), ("region", "east")]


def test_a_key_cannot_be_taken_before_it_was_renamed_away(client: httpx.Client) -> None:
    first, second = saved(client, TWO)
    items = [{"id": second["lago_id"], "key": "region"}, {"id": first["lago_id"], "key": "order"}]

    assert_refused(save(client, items), {"key": ["value_already_exist"]})
    assert found(client) == [first, second]


def test_an_id_in_upper_case_keeps_its_item(client: httpx.Client) -> None:
    first, _ = saved(client, TWO)

    [kept] = saved(client, [{"id": first["lago_id"].upper(), "value": "east"}])

    assert kept == {**first, "value": "east", "display_in_invoice": False}


def test_new_items_stand_behind_the_old_ones(client: httpx.Client) -> None:
    first, second = saved(client, TWO)
    ids = [{"id": second["lago_id"]}, {"id": first["lago_id"]}]

    items = saved(client, [{"key": "fresh", "value": "1"}, *ids])

    assert [item["key"] for item in items] == ["region", "order", "fresh"]
