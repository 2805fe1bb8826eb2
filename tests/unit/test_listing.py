from __future__ import annotations

from typing import Any

import pytest

from lago_mock.errors import ValidationFailed
from lago_mock.listing import listing, meta, page_of
from lago_mock.wire import JSON, JSONObject
from tests.unit.kennel import codes, kennel


def test_list_has_the_newest_first_and_its_meta() -> None:
    assert listing(kennel("a", "b"), "dogs") == {
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
    assert listing(kennel("a"), "cats")["cats"] == [{"code": "a"}]


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
    answer = listing(kennel("a", "b", "c", "d", "e", query=query), "dogs")
    assert codes(answer) == page
    assert answer["meta"]["total_count"] == 5


def test_list_shows_a_hundred_items_unless_asked_otherwise() -> None:
    made = kennel(*(f"dog{n:03}" for n in range(101)))
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
    assert page_of(kennel(query={"page": value, "per_page": value})) == (page, per_page)


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
        page_of(kennel(query={name: value}))
    assert caught.value.details() == {name: ["value_is_out_of_range"]}


def test_page_zero_is_the_first_and_size_zero_is_refused() -> None:
    assert page_of(kennel(query={"page": "0"})) == (1, 100)
    with pytest.raises(ValidationFailed) as caught:
        listing(kennel("a", query={"per_page": "0"}), "dogs")
    assert caught.value.details() == {"per_page": ["value_is_out_of_range"]}


def test_size_zero_of_an_empty_list_is_answered() -> None:
    assert listing(kennel(query={"per_page": "0", "page": "3"}), "dogs") == {
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
    made = kennel("a", "b", "c", "d", query={"per_page": "2", "page": "2"})
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
