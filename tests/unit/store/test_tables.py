from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tinydb import where

from lago_mock.store.pages import ROWS_A_PAGE
from lago_mock.store.tables import Collection, Frozen, RowDatabase, encoded_row, frozen_row
from tests.unit.store.stores import Row, tax
from tests.versions import is_older


def numbered(*rows: Row) -> dict[int, Row]:
    return dict(enumerate(rows, 1))


def write(collection: Collection, number: int, row: Row) -> None:
    collection.write(number, encoded_row(row), row)


def indexed(collection: Collection) -> dict[str, int]:
    """Return number by natural key, as the index has it, of the live rows alone."""
    rows = {number: collection.read(number) for number in collection.live()}
    found = {row["code"]: collection.find(row["code"]) for row in rows.values()}
    assert found == {row["code"]: number for number, row in rows.items()}
    assert [collection.number_of(row["lago_id"]) for row in rows.values()] == list(rows)
    assert collection.live_count() == len(rows)
    assert collection.newest(0, len(rows) + 1) == list(rows)[::-1]
    return {row["code"]: number for number, row in rows.items()}


@pytest.fixture
def taxes() -> Collection:
    return RowDatabase().collection("taxes:org", "code")


def test_a_new_collection_is_empty_and_begins_with_number_one(taxes: Collection) -> None:
    assert (list(taxes.live()), taxes.next_number(), taxes.name) == ([], 1, "taxes:org")
    assert (taxes.key, taxes.live_count(), list(taxes.numbers())) == ("code", 0, [])
    assert (taxes.find("vat"), taxes.number_of("id-vat")) == (None, None)


def test_a_number_over_64_bits_keeps_its_digits(taxes: Collection) -> None:
    row = tax("vat", big=2**70)
    write(taxes, 1, row)
    frozen = taxes.freeze()

    assert (taxes.read(1), frozen.row(1), list(frozen.live_rows())) == (row, row, [row])
    assert frozen_row(taxes.encoded(1)) == row


def test_an_inserted_row_is_found_by_its_key_and_by_its_id(taxes: Collection) -> None:
    write(taxes, 1, tax("vat"))
    write(taxes, 2, tax("gst"))

    assert indexed(taxes) == {"vat": 1, "gst": 2}
    assert taxes.next_number() == 3


def test_a_frozen_row_is_read_from_the_page_that_it_is_on(taxes: Collection) -> None:
    for number in range(1, 2 * ROWS_A_PAGE):
        write(taxes, number, tax(f"t{number}"))

    frozen = taxes.freeze()

    for number in (1, ROWS_A_PAGE - 1, ROWS_A_PAGE, 2 * ROWS_A_PAGE - 1):
        assert frozen.row(number) == tax(f"t{number}")


WAYS_OUT: dict[str, Callable[[Collection], Any]] = {
    "read": lambda taxes: taxes.read(1),
    "matching": lambda taxes: taxes.matching(lambda row: True)[0],
    "all": lambda taxes: taxes.all()[0],
    "search": lambda taxes: taxes.search(where("code") == "vat")[0],
    "get by a query": lambda taxes: taxes.get(where("code") == "vat"),
    "get by number": lambda taxes: taxes.get(doc_id=1),
    "iteration": lambda taxes: next(iter(taxes)),
    "frozen": lambda taxes: taxes.freeze().row(1),
}


@pytest.mark.parametrize("way", WAYS_OUT.values(), ids=WAYS_OUT)
def test_a_row_that_comes_out_is_the_callers_own_to_its_depth(
    taxes: Collection, way: Callable[[Collection], Any]
) -> None:
    kept = tax("vat", notes=[{"text": "kept"}])
    write(taxes, 1, kept)
    frozen = taxes.freeze()

    row = way(taxes)
    row["code"] = "changed"
    row["notes"][0]["text"] = "changed"
    row["notes"].append("more")

    assert taxes.read(1) == way(taxes) == frozen.row(1) == kept


def test_a_test_that_changes_what_it_is_shown_changes_nothing(taxes: Collection) -> None:
    write(taxes, 1, tax("vat", notes=["kept"]))

    taxes.matching(lambda row: row["notes"].append("changed") is None)

    assert taxes.read(1)["notes"] == ["kept"]


def test_a_row_that_was_written_does_not_change_with_the_callers_object(taxes: Collection) -> None:
    row = tax("vat", notes=["kept"])
    write(taxes, 1, row)

    row["notes"].append("more")

    assert taxes.read(1)["notes"] == ["kept"]


def test_a_replaced_row_keeps_its_place_and_loses_its_old_key(taxes: Collection) -> None:
    write(taxes, 1, tax("vat"))
    write(taxes, 2, tax("gst"))

    write(taxes, 1, tax("iva", "id-vat"))

    assert indexed(taxes) == {"iva": 1, "gst": 2}
    assert (taxes.find("vat"), taxes.next_number()) == (None, 3)


def test_two_rows_can_exchange_their_keys(taxes: Collection) -> None:
    write(taxes, 1, tax("vat", "one"))
    write(taxes, 2, tax("gst", "two"))

    write(taxes, 1, tax("gst", "one"))
    write(taxes, 2, tax("vat", "two"))

    assert (taxes.find("gst"), taxes.find("vat")) == (1, 2)


def test_a_discarded_row_stays_in_the_table_and_is_found_by_nothing(taxes: Collection) -> None:
    for number, code in enumerate(("a", "b", "c"), 1):
        write(taxes, number, tax(code))

    write(taxes, 2, tax("b", deleted_at="now"))

    assert indexed(taxes) == {"a": 1, "c": 3}
    assert (taxes.find("b"), taxes.number_of("id-b")) == (None, None)
    assert taxes.read(2) == tax("b", deleted_at="now")


def test_a_discarded_rows_key_can_be_taken_by_a_new_row(taxes: Collection) -> None:
    write(taxes, 1, tax("vat", "old"))
    write(taxes, 1, tax("vat", "old", deleted_at="now"))

    write(taxes, 2, tax("vat", "new"))

    assert indexed(taxes) == {"vat": 2}


def test_a_row_that_comes_discarded_uses_up_its_number_alone(taxes: Collection) -> None:
    write(taxes, 1, tax("vat", deleted_at="now"))

    assert (list(taxes.live()), taxes.find("vat"), taxes.next_number()) == ([], None, 2)


def test_load_holds_the_given_rows_and_no_others(taxes: Collection) -> None:
    write(taxes, 1, tax("before"))
    write(taxes, 2, tax("also before"))

    taxes.load(numbered(tax("after")))

    assert indexed(taxes) == {"after": 1}
    assert (taxes.find("before"), taxes.number_of("id-before")) == (None, None)
    assert (len(taxes), taxes.next_number()) == (1, 2)


def test_load_takes_rows_in_the_order_of_their_numbers_with_gaps(taxes: Collection) -> None:
    taxes.load({12: tax("c"), 2: tax("a"), 7: tax("b")})

    assert indexed(taxes) == {"a": 2, "b": 7, "c": 12}
    assert taxes.next_number() == 13


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"code": "x"}, id="no lago_id"),
        pytest.param({"lago_id": "x"}, id="no natural key"),
    ],
)
def test_load_refuses_a_row_without_what_it_is_found_by(taxes: Collection, row: Row) -> None:
    with pytest.raises(KeyError):
        taxes.load(numbered(row))


def test_matching_answers_the_live_rows_that_match_newest_first(taxes: Collection) -> None:
    rates = {"a": 5, "b": 7, "c": 5, "d": 5}
    for number, (code, rate) in enumerate(rates.items(), 1):
        write(taxes, number, tax(code, rate=rate))
    write(taxes, 3, tax("c", rate=5, deleted_at="now"))

    assert taxes.matching(where("rate") == 5) == [tax("d", rate=5), tax("a", rate=5)]
    assert taxes.matching(lambda row: row["rate"] == 7) == [tax("b", rate=7)]
    assert taxes.search(where("rate") == 5) == [
        tax("a", rate=5),
        tax("c", rate=5, deleted_at="now"),
        tax("d", rate=5),
    ]


def test_what_a_search_answers_is_the_callers_own_at_each_call(taxes: Collection) -> None:
    write(taxes, 1, tax("vat", notes=["kept"]))
    query = where("code") == "vat"

    taxes.search(query)[0]["notes"].append("changed")

    assert taxes.search(query) == [tax("vat", notes=["kept"])]


def test_what_a_frozen_collection_holds_stays_whatever_is_written(taxes: Collection) -> None:
    taxes.load(numbered(tax("a"), tax("b"), tax("c")))
    frozen = taxes.freeze()
    before = list(frozen.encoded())

    write(taxes, 1, tax("a", rate=5))
    write(taxes, 2, tax("b", deleted_at="now"))
    write(taxes, 4, tax("d"))

    assert list(frozen.encoded()) == before
    assert (frozen.live, frozen.next, frozen.row(2)) == (3, 4, tax("b"))


def test_a_restored_collection_is_as_it_was_frozen(taxes: Collection) -> None:
    taxes.load(numbered(tax("a"), tax("b"), tax("c")))
    write(taxes, 3, tax("c", deleted_at="now"))
    frozen = taxes.freeze()
    write(taxes, 1, tax("z", "id-a"))
    write(taxes, 2, tax("b", deleted_at="now"))
    write(taxes, 4, tax("c", "other"))

    for _ in range(2):
        taxes.restore(frozen)
        assert indexed(taxes) == {"a": 1, "b": 2}
        assert (taxes.find("z"), taxes.find("c"), taxes.number_of("other")) == (None, None, None)
        assert (taxes.next_number(), len(taxes)) == (4, 3)
        write(taxes, 4, tax("c", "other"))


def test_restore_gives_back_the_pages_that_were_held(taxes: Collection) -> None:
    taxes.load(numbered(*(tax(str(number)) for number in range(2 * ROWS_A_PAGE))))
    held = {id(page) for page in taxes.freeze().rows.values()}

    pages = taxes.restore(Frozen())

    assert held < {id(page) for page in pages}
    assert (len(taxes), taxes.next_number(), taxes.live_count()) == (0, 1, 0)


def test_two_collections_can_hold_one_frozen_content_and_change_by_themselves() -> None:
    first, second = (RowDatabase().collection("taxes:org", "code") for _ in range(2))
    first.load(numbered(tax("a"), tax("b")))
    frozen = first.freeze()
    second.restore(frozen)

    write(first, 1, tax("first", "id-a"))
    write(second, 2, tax("second", "id-b"))

    assert indexed(first) == {"first": 1, "b": 2}
    assert indexed(second) == {"a": 1, "second": 2}
    assert [frozen.row(1), frozen.row(2)] == [tax("a"), tax("b")]


def test_one_write_after_a_freeze_copies_a_page_of_rows_and_the_buckets_it_touches(
    taxes: Collection,
) -> None:
    taxes.load(numbered(*(tax(str(number)) for number in range(4 * ROWS_A_PAGE))))
    before = taxes.freeze()

    write(taxes, 1, tax("0", rate=5))

    after = taxes.freeze()
    assert [n for n, page in after.rows.items() if before.rows[n] is not page] == [0]
    for now, then in ((after.by_key, before.by_key), (after.by_id, before.by_id)):
        assert sum(then[number] is not bucket for number, bucket in now.items()) == 1


def test_rows_are_found_by_the_customer_that_they_belong_to(taxes: Collection) -> None:
    for number, (code, owner) in enumerate(("ax", "by", "cx", "dx"), 1):
        write(taxes, number, tax(code, customer_id=owner))
    write(taxes, 5, tax("of nobody"))
    before = taxes.freeze()

    write(taxes, 1, tax("a", rate=5, customer_id="x"))  # stays the oldest
    write(taxes, 2, tax("b", customer_id="x"))
    write(taxes, 3, tax("c", customer_id="x", deleted_at="now"))
    taxes.erase(4)

    assert (taxes.owned("x"), taxes.owned("y"), taxes.owned("z")) == ([1, 2], [], [])
    taxes.restore(before)
    assert (taxes.owned("x"), taxes.owned("y")) == ([1, 3, 4], [2])


def test_a_freeze_copies_no_page(taxes: Collection) -> None:
    taxes.load(numbered(*(tax(str(number)) for number in range(2 * ROWS_A_PAGE))))

    first, second = taxes.freeze(), taxes.freeze()

    assert [*map(id, first.rows.values())] == [*map(id, second.rows.values())]


def test_tinydbs_own_methods_read_the_rows(taxes: Collection) -> None:
    taxes.load(numbered(tax("vat"), tax("gst")))

    assert (len(taxes), taxes.all()) == (2, [tax("vat"), tax("gst")])
    assert taxes.get(where("code") == "gst") == tax("gst")
    assert taxes.get(doc_id=1) == tax("vat")
    assert taxes.contains(doc_id=3) is False
    assert [document.doc_id for document in taxes] == [1, 2]


@pytest.mark.skipif(is_older("tinydb", "4.9"), reason="it refuses ids that are not there")
def test_tinydbs_own_removal_passes_over_ids_that_are_not_there(taxes: Collection) -> None:
    taxes.load(numbered(tax("vat")))

    assert taxes.remove(doc_ids=[1, 7]) == [1]
    assert taxes.all() == []


def test_tinydbs_own_methods_insert_and_remove_rows(taxes: Collection) -> None:
    assert taxes.insert(tax("vat")) == 1
    assert taxes.insert_multiple([tax("gst"), tax("iva")]) == [2, 3]
    assert taxes.remove(where("code") == "gst") == [2]
    assert taxes.all() == [tax("vat"), tax("iva")]

    assert indexed(taxes) == {"vat": 1, "iva": 3}
    assert taxes.remove(doc_ids=[1]) == [1]
    assert (indexed(taxes), taxes.find("vat"), taxes.number_of("id-vat")) == (
        {"iva": 3},
        None,
        None,
    )

    taxes.truncate()

    assert (len(taxes), taxes.all(), indexed(taxes)) == (0, [], {})


def test_tinydb_can_remove_a_discarded_row(taxes: Collection) -> None:
    write(taxes, 1, tax("vat", "old"))
    write(taxes, 1, tax("vat", "old", deleted_at="now"))
    write(taxes, 2, tax("vat", "new"))

    assert taxes.remove(where("deleted_at") == "now") == [1]

    assert (indexed(taxes), len(taxes)) == ({"vat": 2}, 1)


def test_what_tinydb_inserts_gets_the_next_number_whoever_wrote_before(taxes: Collection) -> None:
    assert taxes.insert(tax("a")) == 1
    write(taxes, 2, tax("b"))

    assert taxes.insert(tax("c")) == 3
    assert taxes.insert_multiple([tax("d"), tax("e")]) == [4, 5]
    assert taxes.next_number() == 6


def test_what_tinydb_inserted_does_not_change_with_the_callers_object(taxes: Collection) -> None:
    row = tax("vat", notes=["kept"])
    taxes.insert(row)

    row["notes"].append("more")

    assert taxes.read(1)["notes"] == ["kept"]


def test_each_table_of_a_database_has_rows_of_its_own() -> None:
    database = RowDatabase()
    taxes = database.collection("taxes:org", "code")
    others = database.collection("taxes:other", "code")

    write(taxes, 1, tax("vat"))

    assert (len(taxes), len(others)) == (1, 0)


def test_the_database_keeps_no_file_of_its_own() -> None:
    database = RowDatabase()
    database.collection("taxes:org", "code").load(numbered(tax("vat")))

    assert database.tables() == set()
    database.drop_tables()

    assert database.tables() == set()


def test_tinydbs_own_methods_change_rows(taxes: Collection) -> None:
    first, second = taxes.insert(tax("a")), taxes.insert(tax("b"))

    assert taxes.update({"code": "c"}, where("code") == "a") == [first]
    assert taxes.upsert({**tax("b"), "rate": 5}, where("code") == "b") == [second]

    assert taxes.find("a") is None
    assert taxes.find("c") == first
    assert taxes.read(second)["rate"] == 5
    assert [row.doc_id for row in taxes.get(doc_ids=[first, second])] == [first, second]
