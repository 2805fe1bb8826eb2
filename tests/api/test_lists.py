from __future__ import annotations

from typing import Any

import httpx
import pytest

EMPTY_META = {
    "current_page": 0,
    "next_page": None,
    "prev_page": None,
    "total_pages": 0,
    "total_count": 0,
}

each_collection = pytest.mark.parametrize("collection", ["customers", "taxes"])


def make(client: httpx.Client, collection: str, count: int) -> list[str]:
    """Make so many, and return what names them, the newest first."""
    names = [f"n{number:03}" for number in range(count)]
    for name in names:
        customer = {"customer": {"external_id": name}}
        tax = {"tax": {"code": name, "name": name, "rate": 1}}
        body = customer if collection == "customers" else tax
        client.post(f"/{collection}", json=body).raise_for_status()
    return names[::-1]


def names_in(collection: str, page: dict[str, Any]) -> list[str]:
    key = "external_id" if collection == "customers" else "code"
    return [item[key] for item in page[collection]]


def meta(current: int, following: int | None, previous: int | None, pages: int, total: int) -> Any:
    return {
        "current_page": current,
        "next_page": following,
        "prev_page": previous,
        "total_pages": pages,
        "total_count": total,
    }


def get(client: httpx.Client, collection: str, query: str = "") -> dict[str, Any]:
    response = client.get(f"/{collection}{query}")
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


@each_collection
def test_a_list_shows_the_newest_first_and_meta(client: httpx.Client, collection: str) -> None:
    names = make(client, collection, 3)

    page = get(client, collection)

    assert list(page) == [collection, "meta"]
    assert names_in(collection, page) == names
    assert page["meta"] == meta(1, None, None, 1, 3)
    assert list(page["meta"]) == list(EMPTY_META)


@each_collection
@pytest.mark.parametrize(
    "query", ["", "?page=1", "?page=7", "?page=x", "?page=7&per_page=2", "?per_page=x"]
)
def test_an_empty_collection_has_page_zero_whatever_was_asked(
    client: httpx.Client, collection: str, query: str
) -> None:
    assert get(client, collection, query) == {collection: [], "meta": EMPTY_META}


@each_collection
def test_pages_follow_each_other(client: httpx.Client, collection: str) -> None:
    names = make(client, collection, 5)

    pages = [get(client, collection, f"?page={number}&per_page=2") for number in (1, 2, 3)]

    assert [names_in(collection, page) for page in pages] == [names[:2], names[2:4], names[4:]]
    assert [page["meta"] for page in pages] == [
        meta(1, 2, None, 3, 5),
        meta(2, 3, 1, 3, 5),
        meta(3, None, 2, 3, 5),
    ]


@each_collection
@pytest.mark.parametrize("number", [3, 4, 1000])
def test_a_page_past_the_end_is_empty_and_tells_true_totals(
    client: httpx.Client, collection: str, number: int
) -> None:
    make(client, collection, 3)

    page = get(client, collection, f"?page={number}&per_page=2")

    assert page == {collection: [], "meta": meta(number, None, number - 1, 2, 3)}


@each_collection
@pytest.mark.parametrize(
    ("query", "current"),
    [
        ("", 1),
        ("page=", 1),
        ("page", 1),
        ("page=0", 1),
        ("page=-1", 1),
        ("page=abc", 1),
        ("page=.5", 1),
        ("page=2", 2),
        ("page=2abc", 2),
        ("page=2.9", 2),
        ("page=1e3", 1),
        ("page=002", 2),
        ("page=1&page=2", 2),
    ],
)
def test_page_is_read_by_its_leading_digits(
    client: httpx.Client, collection: str, query: str, current: int
) -> None:
    names = make(client, collection, 5)

    page = get(client, collection, f"?per_page=2&{query}")

    assert page["meta"]["current_page"] == current
    assert names_in(collection, page) == names[2 * current - 2 : 2 * current]


@each_collection
@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("per_page=2", 2),
        ("per_page=2abc", 2),
        ("per_page=2.9", 2),
        ("per_page=1e3", 1),
        ("per_page=5", 5),
        ("per_page=1000000", 5),
        ("per_page=9223372036854775807", 5),
    ],
)
def test_per_page_is_read_by_its_leading_digits_and_has_no_limit(
    client: httpx.Client, collection: str, query: str, size: int
) -> None:
    names = make(client, collection, 5)

    page = get(client, collection, f"?{query}")

    assert names_in(collection, page) == names[:size]
    assert page["meta"]["total_pages"] == -(-5 // size)


@each_collection
def test_a_bad_per_page_means_twenty_five(client: httpx.Client, collection: str) -> None:
    names = make(client, collection, 26)

    for value in ("", "-1", "abc", ".5"):
        page = get(client, collection, f"?per_page={value}")
        assert names_in(collection, page) == names[:25]
        assert page["meta"] == meta(1, 2, None, 2, 26)


@each_collection
def test_a_hundred_stand_on_a_page_unless_asked_otherwise(
    client: httpx.Client, collection: str
) -> None:
    names = make(client, collection, 101)

    page = get(client, collection)
    whole = get(client, collection, "?per_page=101")

    assert names_in(collection, page) == names[:100]
    assert page["meta"] == meta(1, 2, None, 2, 101)
    assert names_in(collection, whole) == names


@each_collection
@pytest.mark.parametrize("name", ["page", "per_page"])
@pytest.mark.parametrize(
    "query",
    ["{}[]=1", "{}[]=1&{}[]=2", "{}[a]=1", "{}=9223372036854775808", "{}=1" + "0" * 400],
    ids=["list", "two", "object", "64 bits", "long"],
)
def test_a_page_that_cannot_be_counted_is_refused(
    client: httpx.Client, collection: str, name: str, query: str
) -> None:
    make(client, collection, 1)

    response = client.get(f"/{collection}?{query.replace('{}', name)}")

    assert response.status_code == 422
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": {name: ["value_is_out_of_range"]},
    }


@each_collection
@pytest.mark.parametrize("value", ["0", "00", "0.5", "0x10"])
def test_pages_of_no_items_are_refused(client: httpx.Client, collection: str, value: str) -> None:
    make(client, collection, 1)

    response = client.get(f"/{collection}?per_page={value}")

    assert response.status_code == 422
    assert response.json()["error_details"] == {"per_page": ["value_is_out_of_range"]}


@each_collection
def test_deleted_ones_are_neither_listed_nor_counted(client: httpx.Client, collection: str) -> None:
    make(client, collection, 3)
    client.delete(f"/{collection}/n001").raise_for_status()

    for query in ("", "?with_deleted=true"):
        page = get(client, collection, query)
        assert names_in(collection, page) == ["n002", "n000"]
        assert page["meta"] == meta(1, None, None, 1, 2)


@each_collection
def test_the_last_one_deleted_leaves_an_empty_collection(
    client: httpx.Client, collection: str
) -> None:
    make(client, collection, 1)
    client.delete(f"/{collection}/n000").raise_for_status()

    assert get(client, collection) == {collection: [], "meta": EMPTY_META}


@each_collection
def test_one_made_again_after_deletion_is_the_newest(client: httpx.Client, collection: str) -> None:
    make(client, collection, 3)
    client.delete(f"/{collection}/n000").raise_for_status()
    make(client, collection, 1)

    assert names_in(collection, get(client, collection)) == ["n000", "n002", "n001"]


@each_collection
def test_unknown_parameters_are_ignored(client: httpx.Client, collection: str) -> None:
    names = make(client, collection, 2)

    page = get(client, collection, "?limit=1&offset=1&order=asc&x[y][]=z")

    assert names_in(collection, page) == names


def test_an_update_does_not_move_a_customer(client: httpx.Client) -> None:
    names = make(client, "customers", 3)

    body = {"customer": {"external_id": "n000", "name": "Ann"}}
    client.post("/customers", json=body).raise_for_status()

    assert names_in("customers", get(client, "customers")) == names


def test_an_update_does_not_move_a_tax(client: httpx.Client) -> None:
    names = make(client, "taxes", 3)

    client.put("/taxes/n000", json={"tax": {"name": "VAT"}}).raise_for_status()

    assert names_in("taxes", get(client, "taxes")) == names


def test_a_customer_is_listed_as_shown_but_for_sections_and_error_details(
    client: httpx.Client,
) -> None:
    make(client, "taxes", 1)
    item = {"key": "a", "value": "b"}
    customer = {"external_id": "acct-1", "metadata": [item], "tax_codes": ["n000"]}
    client.post("/customers", json={"customer": customer}).raise_for_status()

    shown = client.get("/customers/acct-1").json()["customer"]
    [listed] = get(client, "customers")["customers"]

    omitted = ["applicable_invoice_custom_sections", "error_details"]
    assert list(shown) == [*listed, *omitted]
    assert listed == {key: value for key, value in shown.items() if key not in omitted}


def test_a_tax_is_listed_as_shown(client: httpx.Client) -> None:
    make(client, "taxes", 1)

    shown = client.get("/taxes/n000").json()["tax"]
    [listed] = get(client, "taxes")["taxes"]

    assert listed == shown
    assert list(listed) == list(shown)
