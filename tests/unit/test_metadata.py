from __future__ import annotations

import re

import pytest

from lago_mock.errors import Problem, ValidationFailed
from lago_mock.metadata import present_metadata, replaced_metadata
from lago_mock.wire import JSONObject
from tests.unit.calls import call_of

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NOW = "2026-11-22T09:30:00.000012Z"
THEN = "2025-06-01T08:00:00.500000Z"
ONE = "6a1f0c52-3a0e-4b6e-9d25-0d5a3b6f4e11"
TWO = "b4c7d9e0-52aa-4c1f-8a3d-7e90215fbc22"


def kept(lago_id: str, key: str, value: str = "v", *, shows: bool = False) -> JSONObject:
    return {
        "lago_id": lago_id,
        "key": key,
        "value": value,
        "display_in_invoice": shows,
        "created_at": THEN,
    }


BEFORE = [kept(ONE, "region", "west", shows=True), kept(TWO, "order", "PO-1")]


def replaced(
    items: list[JSONObject], before: list[JSONObject] | None = None, *problems: Problem
) -> list[JSONObject]:
    call = call_of(body={"metadata": items}, problems=list(problems))
    return replaced_metadata(call, before or [])


def pairs(rows: list[JSONObject]) -> list[tuple[str, str, bool]]:
    return [(row["key"], row["value"], row["display_in_invoice"]) for row in rows]


def refused(
    items: list[JSONObject], before: list[JSONObject] | None = None, *problems: Problem
) -> list[Problem]:
    with pytest.raises(ValidationFailed) as caught:
        replaced(items, before, *problems)
    return list(caught.value.problems)


def mandatory(index: int, name: str) -> Problem:
    return Problem(name, "value_is_mandatory", "required", ("metadata", index, name))


def repeated(index: int) -> Problem:
    return Problem("key", "value_already_exist", "unique", ("metadata", index, "key"))


def too_long(index: int, name: str) -> Problem:
    return Problem(name, "value_is_too_long", "maxLength", ("metadata", index, name))


def test_rows_are_shown_in_their_order_with_whole_seconds() -> None:
    assert present_metadata([kept(TWO, "b"), kept(ONE, "a", "x", shows=True)]) == [
        {**kept(TWO, "b"), "created_at": "2025-06-01T08:00:00Z"},
        {**kept(ONE, "a", "x", shows=True), "created_at": "2025-06-01T08:00:00Z"},
    ]
    assert present_metadata([]) == []


def test_new_items_become_rows_in_their_order() -> None:
    first, second = replaced(
        [{"key": "b", "value": "1", "display_in_invoice": True}, {"key": "a", "value": "2"}]
    )

    assert list(first) == ["lago_id", "key", "value", "display_in_invoice", "created_at"]
    assert pairs([first, second]) == [("b", "1", True), ("a", "2", False)]
    assert first["created_at"] == NOW
    assert UUID.fullmatch(first["lago_id"])
    assert first["lago_id"] != second["lago_id"]


@pytest.mark.parametrize("shows", [False, None])
def test_an_item_is_not_on_invoices_unless_it_says_so(shows: object) -> None:
    assert pairs(replaced([{"key": "a", "value": "1", "display_in_invoice": shows}])) == [
        ("a", "1", False)
    ]


def test_an_empty_list_deletes_all() -> None:
    assert replaced([], BEFORE) == []


def test_rows_that_are_not_listed_go() -> None:
    assert replaced([{"id": TWO}], BEFORE) == [BEFORE[1]]


@pytest.mark.parametrize(
    ("item", "pair"),
    [
        pytest.param({"key": "zone"}, ("zone", "west", False), id="key"),
        pytest.param({"value": "east"}, ("region", "east", False), id="value"),
        pytest.param({"display_in_invoice": True}, ("region", "west", True), id="on invoices"),
        pytest.param({}, ("region", "west", False), id="nothing"),
    ],
)
def test_a_known_id_updates_what_is_given_and_resets_the_invoice_flag(
    item: JSONObject, pair: tuple[str, str, bool]
) -> None:
    (row,) = replaced([{"id": ONE, **item}], BEFORE)

    assert pairs([row]) == [pair]
    assert (row["lago_id"], row["created_at"]) == (ONE, THEN)


def test_an_id_in_capitals_is_the_same_one() -> None:
    rows = replaced([{"id": ONE.upper(), "value": "east"}], BEFORE)

    assert [(row["lago_id"], row["value"]) for row in rows] == [(ONE, "east")]


@pytest.mark.parametrize(
    "lago_id",
    [
        pytest.param("00000000-0000-4000-8000-000000000000", id="of nobody"),
        pytest.param("none", id="no UUID"),
        pytest.param("", id="blank"),
        pytest.param(None, id="null"),
        pytest.param(f"{ONE} ", id="with a space"),
    ],
)
def test_another_id_makes_a_new_row_with_an_id_of_its_own(lago_id: str | None) -> None:
    (row,) = replaced([{"id": lago_id, "key": "new", "value": "1"}], BEFORE)

    assert row["lago_id"] not in (lago_id, ONE, TWO)
    assert row["created_at"] == NOW


def test_lago_id_is_no_id() -> None:
    (row,) = replaced([{"lago_id": ONE, "key": "new", "value": "1"}], BEFORE)

    assert row["lago_id"] != ONE


def test_kept_rows_stand_before_new_ones() -> None:
    rows = replaced([{"key": "a", "value": "1"}, {"id": TWO}, {"id": ONE}], BEFORE)

    assert [row["key"] for row in rows] == ["region", "order", "a"]


def test_the_last_of_two_items_with_one_id_holds() -> None:
    rows = replaced([{"id": ONE, "value": "1"}, {"id": ONE, "value": "2"}], BEFORE)

    assert [row["value"] for row in rows] == ["2"]


def test_the_old_set_does_not_change() -> None:
    before = [dict(row) for row in BEFORE]

    replaced([{"id": ONE, "key": "zone"}], before)

    assert before == BEFORE


# Refusals


@pytest.mark.parametrize(
    ("item", "problems"),
    [
        pytest.param({}, [mandatory(0, "key"), mandatory(0, "value")], id="nothing"),
        pytest.param({"value": "1"}, [mandatory(0, "key")], id="no key"),
        pytest.param({"key": "a"}, [mandatory(0, "value")], id="no value"),
        pytest.param({"key": None, "value": "1"}, [mandatory(0, "key")], id="null for a key"),
        pytest.param({"key": "a", "value": None}, [mandatory(0, "value")], id="null for a value"),
        pytest.param(
            {"key": "region"}, [repeated(0), mandatory(0, "value")], id="both, the key first"
        ),
    ],
)
def test_a_new_row_needs_both_key_and_value(item: JSONObject, problems: list[Problem]) -> None:
    assert refused([item], BEFORE) == problems


def test_a_known_row_cannot_lose_its_value() -> None:
    assert refused([{"id": ONE, "value": None}], BEFORE) == [mandatory(0, "value")]


@pytest.mark.parametrize(
    ("items", "index"),
    [
        pytest.param([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], 1, id="new ones"),
        pytest.param([{"key": "order", "value": "1"}], 0, id="of a row that would go"),
        pytest.param([{"id": ONE, "key": "order"}], 0, id="of another row, by an update"),
        pytest.param([{"id": ONE, "key": "a"}, {"key": "a", "value": "1"}], 1, id="just given"),
    ],
)
def test_a_key_stands_once(items: list[JSONObject], index: int) -> None:
    assert refused(items, BEFORE) == [repeated(index)]


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([{"key": "Region", "value": "1"}], id="in another case"),
        pytest.param([{"id": ONE, "key": "region"}], id="of the row itself"),
        pytest.param([{"id": ONE, "key": "a"}, {"key": "region", "value": "1"}], id="just freed"),
        pytest.param(
            [{"id": ONE, "key": "a"}, {"id": TWO, "key": "region"}], id="freed for another row"
        ),
        pytest.param([{"key": "a", "value": "west"}], id="with a value that another has"),
    ],
)
def test_a_key_that_no_row_has_then_is_free(items: list[JSONObject]) -> None:
    assert len(replaced(items, BEFORE)) == len(items)


def test_what_the_document_says_of_key_and_value_is_refused_the_key_first() -> None:
    found = [
        too_long(0, "value"),
        Problem("email", "bad", "format", ("email",)),
        too_long(0, "key"),
    ]

    assert refused([{"key": "k", "value": "v"}], None, *found) == [found[2], found[0]]


def test_the_first_bad_item_answers_alone() -> None:
    items: list[JSONObject] = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}, {}]

    assert refused(items, None, too_long(1, "value")) == [too_long(1, "value")]


def test_problems_of_other_places_are_left() -> None:
    problem = Problem("name", "bad", "enum", ("name",))

    assert pairs(replaced([{"key": "a", "value": "1"}], None, problem)) == [("a", "1", False)]
