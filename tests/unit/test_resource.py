from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lago_mock.clock import ScriptedClock
from lago_mock.contract.operation import Operation, Parameter
from lago_mock.errors import NotFound, Problem, ValidationFailed
from lago_mock.resource import Call, Resource, customer_listing, listing, meta, page_of
from lago_mock.signing import Signing
from lago_mock.store.store import Store
from lago_mock.store.tables import Row
from lago_mock.store.view import View
from lago_mock.wire import JSON, JSONObject

ORGANIZATION: Row = {"lago_id": "org-1", "name": "Juniper"}


def present(call: Call, row: Row) -> JSONObject:
    return {"code": row["code"], "name": row["name"], "seen_by": call.operation.id}


def list_item(_call: Call, row: Row) -> JSONObject:
    return {"code": row["code"]}


DOGS = Resource("dog", "dogs", "code", {}, present)
CATS = Resource("cat", "cats", "code", {}, present, list_item)


def view_of(*codes: str) -> View:
    """Return a view of an organization whose dogs and cats have these codes, the oldest first."""
    store = Store({"dogs": "code", "cats": "code"})
    view = store.view("org-1")
    view.put("organizations", ORGANIZATION)
    for code in codes:
        for kind in ("dogs", "cats"):
            view.put(kind, {"lago_id": f"{kind} {code}", "code": code, "name": code.upper()})
    store.commit(view)
    return store.view("org-1")


def call(
    *codes: str, query: JSONObject | None = None, problems: list[Problem] | None = None
) -> Call:
    return Call(
        operation=Operation("findAllDogs", "GET", "/dogs", (), (), {}),
        body={},
        path={},
        query=query or {},
        view=view_of(*codes),
        clock=ScriptedClock(datetime(2026, 11, 22, 9, 30, 0, 12, UTC), "seed"),
        licensed=bool,
        signing=Signing(dict, lambda _secrets: None),
        base_url="http://127.0.0.1:3000",
        era="current",
        resources={"dogs": DOGS, "cats": CATS},
        problems=problems or [],
    )


# Refusing


def problem(*path: str | int, code: str = "bad") -> Problem:
    return Problem(str(path[0]), code, "enum", path)


NAME = problem("name")
CITY = problem("address", "city")
CODE_1 = problem("codes", 1)
CODE_2 = problem("codes", 2)
KEY = problem("metadata", 0, "key")
NAME_TOO = problem("name", code="worse")
ALL = [CODE_1, NAME, CITY, CODE_2, KEY, NAME_TOO]


@pytest.mark.parametrize(
    ("places", "refused"),
    [
        pytest.param(["name"], [NAME, NAME_TOO], id="one place"),
        pytest.param(["address.city", "name"], [CITY, NAME, NAME_TOO], id="in the order asked"),
        pytest.param(["codes"], [CODE_1, CODE_2], id="scalars of an array"),
        pytest.param(["codes.2"], [CODE_2], id="one item"),
        pytest.param(["metadata.0.key"], [KEY], id="key of an item"),
    ],
)
def test_refuse_raises_the_problems_of_its_places(
    places: list[str], refused: list[Problem]
) -> None:
    with pytest.raises(ValidationFailed) as caught:
        call(problems=ALL).refuse(*places)
    assert list(caught.value.problems) == refused


@pytest.mark.parametrize(
    "places",
    [
        pytest.param([], id="no place"),
        pytest.param(["email"], id="place without a problem"),
        pytest.param(["address"], id="above a problem"),
        pytest.param(["metadata", "metadata.0"], id="above a problem in an item"),
        pytest.param(["name.first"], id="below a problem"),
        pytest.param(["city"], id="end of a path"),
    ],
)
def test_refuse_lets_problems_of_other_places_pass(places: list[str]) -> None:
    call(problems=ALL).refuse(*places)


def test_nothing_is_refused_where_there_are_no_problems() -> None:
    call().refuse("name")
    call().refuse_all()


def test_refuse_all_raises_every_problem() -> None:
    with pytest.raises(ValidationFailed) as caught:
        call(problems=ALL).refuse_all()
    assert list(caught.value.problems) == ALL


# Rows


def test_row_is_found_by_its_natural_key_or_not() -> None:
    row = {"lago_id": "dogs rex", "code": "rex", "name": "REX"}
    assert call("rex").find("dogs", "rex") == row
    assert call("rex").require("dogs", "rex") == row
    assert call("rex").find("dogs", "Rex") is None


@pytest.mark.parametrize(
    ("collection", "code"), [("dogs", "dog_not_found"), ("cats", "cat_not_found")]
)
def test_required_row_that_is_missing_is_not_found(collection: str, code: str) -> None:
    with pytest.raises(NotFound) as caught:
        call("rex").require(collection, "tom")
    assert caught.value.code == code


def test_organization_is_a_copy_of_its_row() -> None:
    made = call()
    made.organization["name"] = "changed"
    assert call().organization == ORGANIZATION
    assert made.view.get("organizations", "org-1") == ORGANIZATION


def test_row_is_presented_by_its_resource() -> None:
    made = call("rex")
    shown = made.present("dogs", made.require("dogs", "rex"))
    assert shown == {"code": "rex", "name": "REX", "seen_by": "findAllDogs"}


def test_time_and_ids_come_from_the_clock() -> None:
    made = call()
    assert made.now() == "2026-11-22T09:30:00.000012Z"
    assert made.now() == "2026-11-22T09:30:00.000012Z"  # the call is one instant
    assert made.new_id() == ScriptedClock(datetime.now(UTC), "seed").new_id()


# Lists


def codes(answer: JSONObject, collection: str = "dogs") -> list[str]:
    return [item["code"] for item in answer[collection]]


def test_list_has_the_newest_first_and_its_meta() -> None:
    assert listing(call("a", "b"), "dogs") == {
        "dogs": [
            {"code": "b", "name": "B", "seen_by": "findAllDogs"},
            {"code": "a", "name": "A", "seen_by": "findAllDogs"},
        ],
        "meta": {
            "current_page": 1,
            "next_page": None,
            "prev_page": None,
            "total_pages": 1,
            "total_count": 2,
        },
    }


def test_list_shows_the_objects_that_are_made_for_it() -> None:
    assert listing(call("a"), "cats")["cats"] == [{"code": "a"}]


@pytest.mark.parametrize(
    ("query", "page"),
    [
        pytest.param({"per_page": "2"}, ["e", "d"], id="first"),
        pytest.param({"per_page": "2", "page": "2"}, ["c", "b"], id="second"),
        pytest.param({"per_page": "2", "page": "3"}, ["a"], id="last"),
        pytest.param({"per_page": "2", "page": "4"}, [], id="past the end"),
        pytest.param({"per_page": "2", "page": "9223372036854775807"}, [], id="far past the end"),
        pytest.param({"per_page": "9223372036854775807"}, ["e", "d", "c", "b", "a"], id="all"),
    ],
)
def test_list_is_cut_into_pages(query: JSONObject, page: list[str]) -> None:
    answer = listing(call("a", "b", "c", "d", "e", query=query), "dogs")
    assert codes(answer) == page
    assert answer["meta"]["total_count"] == 5


def test_list_shows_a_hundred_items_unless_asked_otherwise() -> None:
    made = call(*(f"dog{n:03}" for n in range(101)))
    answer = listing(made, "dogs")
    assert (len(answer["dogs"]), answer["dogs"][-1]["code"]) == (100, "dog001")
    assert answer["meta"]["total_pages"] == 2


@pytest.mark.parametrize(
    ("value", "page", "per_page"),
    [
        pytest.param(None, 1, 100, id="nothing"),
        pytest.param("", 1, 25, id="empty"),
        pytest.param("abc", 1, 25, id="no number"),
        pytest.param("-3", 1, 25, id="negative"),
        pytest.param("\u0663", 1, 25, id="digit beyond ASCII"),
        pytest.param("7", 7, 7, id="number"),
        pytest.param(7, 7, 7, id="number that is no text"),
        pytest.param(2.9, 2, 2, id="fraction that is no text"),
        pytest.param(True, 1, 25, id="boolean"),
        pytest.param("2abc", 2, 2, id="digits lead"),
        pytest.param("2.9", 2, 2, id="fraction"),
        pytest.param(" +5 ", 5, 5, id="spaces and plus"),
        pytest.param("007", 7, 7, id="zeros lead"),
        pytest.param("0" * 30 + "7", 7, 7, id="many zeros lead"),
        pytest.param("0" * 5000 + "7", 7, 7, id="thousands of zeros lead"),
        pytest.param("9223372036854775807", 2**63 - 1, 2**63 - 1, id="largest"),
    ],
)
def test_page_and_size_are_read_by_their_leading_digits(
    value: JSON, page: int, per_page: int
) -> None:
    assert page_of(call(query={"page": value, "per_page": value})) == (page, per_page)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}={value!r:.24}")
        for name in ("page", "per_page")
        for value in (
            [],
            ["1"],
            {"a": "1"},
            "9223372036854775808",
            "10000000000000000000",
            "9" * 5000,
            2**63,
        )
    ],
)
def test_page_or_size_that_cannot_be_counted_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValidationFailed) as caught:
        page_of(call(query={name: value}))
    assert caught.value.details() == {name: ["value_is_out_of_range"]}


def test_page_zero_is_the_first_and_size_zero_is_refused() -> None:
    assert page_of(call(query={"page": "0"})) == (1, 100)
    with pytest.raises(ValidationFailed) as caught:
        listing(call("a", query={"per_page": "0"}), "dogs")
    assert caught.value.details() == {"per_page": ["value_is_out_of_range"]}


def test_size_zero_of_an_empty_list_is_answered() -> None:
    assert listing(call(query={"per_page": "0", "page": "3"}), "dogs") == {
        "dogs": [],
        "meta": {
            "current_page": 0,
            "next_page": None,
            "prev_page": None,
            "total_pages": 0,
            "total_count": 0,
        },
    }


def test_rows_that_are_not_kept_do_not_count() -> None:
    made = call("a", "b", "c", "d", query={"per_page": "2", "page": "2"})
    answer = listing(made, "dogs", lambda row: row["code"] != "c")
    assert codes(answer) == ["a"]
    assert (answer["meta"]["total_count"], answer["meta"]["total_pages"]) == (3, 2)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        pytest.param((1, 10, 5), (1, None, None, 1), id="only page"),
        pytest.param((1, 10, 10), (1, None, None, 1), id="full page"),
        pytest.param((1, 10, 11), (1, 2, None, 2), id="first"),
        pytest.param((2, 10, 30), (2, 3, 1, 3), id="middle"),
        pytest.param((3, 10, 30), (3, None, 2, 3), id="last"),
        pytest.param((7, 10, 30), (7, None, 6, 3), id="past the end"),
        pytest.param((1, 10, 0), (0, None, None, 0), id="empty"),
        pytest.param((7, 10, 0), (0, None, None, 0), id="empty, another page"),
    ],
)
def test_meta_tells_where_a_page_stands(
    asked: tuple[int, int, int], shown: tuple[int, int | None, int | None, int]
) -> None:
    current, following, before, pages = shown
    assert list(meta(*asked).items()) == [
        ("current_page", current),
        ("next_page", following),
        ("prev_page", before),
        ("total_pages", pages),
        ("total_count", asked[2]),
    ]


# Lists of one customer


CODES_FILTER = Parameter("billing_entity_codes", "array")


def of_customer(
    external_id: str = "acct-1",
    query: JSONObject | None = None,
    filters: tuple[Parameter, ...] = (CODES_FILTER,),
) -> Call:
    """Return a call on a customer's dogs: `acct-1` has two, `acct-2` one."""
    store = Store({"customers": "external_id", "billing_entities": "code", "dogs": "code"})
    view = store.view("org-1")
    for n in (1, 2):
        view.put("customers", {"lago_id": f"id-{n}", "external_id": f"acct-{n}"})
    for code in ("juniper", "alder"):
        view.put("billing_entities", {"lago_id": code, "code": code})
    for code, owner in (("rex", "id-1"), ("fido", "id-2"), ("ace", "id-1")):
        view.put("dogs", {"lago_id": code, "code": code, "name": "x", "customer_id": owner})
    store.commit(view)
    made = call(query=query)
    resources = {
        "customers": Resource("customer", "customers", "external_id", {}, present),
        "billing_entities": Resource("billing_entity", "billing_entities", "code", {}, present),
        "dogs": DOGS,
    }
    operation = replace(made.operation, query=filters)
    path = {"external_customer_id": external_id}
    view = store.view("org-1")
    return replace(made, path=path, view=view, resources=resources, operation=operation)


def test_list_of_a_customer_has_its_rows_alone() -> None:
    assert codes(customer_listing(of_customer(), "dogs")) == ["ace", "rex"]
    assert codes(customer_listing(of_customer("acct-2"), "dogs")) == ["fido"]


def test_list_of_an_unknown_customer_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        customer_listing(of_customer("acct-3"), "dogs", (NAME,))
    assert caught.value.code == "customer_not_found"


@pytest.mark.parametrize(
    ("given", "repeats"),
    [
        pytest.param(["juniper"], True, id="one"),
        pytest.param(["juniper", "alder"], False, id="two"),
        pytest.param(["juniper", "juniper"], True, id="one twice, where that may be"),
        pytest.param([], False, id="none"),
        pytest.param("nowhere", False, id="no list"),
    ],
)
def test_known_billing_entities_pass(given: JSON, repeats: bool) -> None:
    made = of_customer(query={"billing_entity_codes": given})
    assert codes(customer_listing(made, "dogs", repeats=repeats)) == ["ace", "rex"]


@pytest.mark.parametrize(
    ("given", "repeats"),
    [
        pytest.param(["juniper", "nowhere"], True, id="unknown one"),
        pytest.param([{"a": "b"}], True, id="no code"),
        pytest.param(["juniper", "juniper"], False, id="one twice, where that may not be"),
    ],
)
def test_billing_entity_that_cannot_be_is_not_found(given: JSON, repeats: bool) -> None:
    made = of_customer(query={"billing_entity_codes": given})
    with pytest.raises(NotFound) as caught:
        customer_listing(made, "dogs", (NAME,), repeats=repeats)
    assert caught.value.code == "billing_entity_not_found"


def test_billing_entity_may_stand_twice_unless_said_otherwise() -> None:
    made = of_customer(query={"billing_entity_codes": ["juniper", "juniper"]})
    assert codes(customer_listing(made, "dogs")) == ["ace", "rex"]


def test_billing_entities_count_where_the_document_has_the_filter_alone() -> None:
    made = of_customer(query={"billing_entity_codes": ["nowhere"]}, filters=())
    assert codes(customer_listing(made, "dogs")) == ["ace", "rex"]


def test_problems_of_filters_go_before_those_of_the_page() -> None:
    with pytest.raises(ValidationFailed) as caught:
        customer_listing(of_customer(query={"page": []}), "dogs", (NAME,))
    assert caught.value.problems == (NAME,)
