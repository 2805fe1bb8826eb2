from __future__ import annotations

from typing import Any

import orjson
import pytest
from tinydb import where

from lago_mock.store.tables import Collection, RowDatabase, RowTable

Row = dict[str, Any]


def tax(code: str, lago_id: str = "", **more: Any) -> Row:
    return {"lago_id": lago_id or f"id-{code}", "code": code, **more}


def encoded(*rows: Row) -> dict[int, bytes]:
    return {number: orjson.dumps(row) for number, row in enumerate(rows, 1)}


def write(collection: Collection, number: int, row: Row) -> None:
    collection.write(number, orjson.dumps(row), row)


def indexed(collection: Collection) -> dict[str, int]:
    """Return number by natural key, as the index has it, of the live rows alone."""
    rows = {number: collection.read(number) for number in collection.live()}
    found = {row["code"]: collection.find(row["code"]) for row in rows.values()}
    assert found == {row["code"]: number for number, row in rows.items()}
    assert [collection.number_of(row["lago_id"]) for row in rows.values()] == list(rows)
    return {row["code"]: number for number, row in rows.items()}


@pytest.fixture
def taxes() -> Collection:
    return RowDatabase().collection("taxes:org", "code")


@pytest.fixture
def table(taxes: Collection) -> RowTable:
    return taxes.table


def test_a_new_collection_is_empty_and_begins_with_number_one(taxes: Collection) -> None:
    assert (list(taxes.live()), taxes.next_number(), taxes.table.name) == ([], 1, "taxes:org")
    assert (taxes.find("vat"), taxes.number_of("id-vat")) == (None, None)


def test_an_inserted_row_is_found_by_its_key_and_by_its_id(taxes: Collection) -> None:
    write(taxes, 1, tax("vat"))
    write(taxes, 2, tax("gst"))

    assert indexed(taxes) == {"vat": 1, "gst": 2}
    assert taxes.next_number() == 3


def test_a_row_that_is_read_is_the_callers_own_to_its_depth(taxes: Collection) -> None:
    write(taxes, 1, tax("vat", notes=[{"text": "kept"}]))

    taxes.read(1)["notes"][0]["text"] = "changed"

    assert taxes.read(1) == tax("vat", notes=[{"text": "kept"}])


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

    taxes.load(encoded(tax("after")))

    assert indexed(taxes) == {"after": 1}
    assert (taxes.find("before"), taxes.number_of("id-before")) == (None, None)
    assert (len(taxes.table), taxes.next_number()) == (1, 2)


def test_load_takes_rows_in_the_order_of_their_numbers_with_gaps(taxes: Collection) -> None:
    first, second, third = (orjson.dumps(tax(code)) for code in "abc")

    taxes.load({12: third, 2: first, 7: second})

    assert indexed(taxes) == {"a": 2, "b": 7, "c": 12}
    assert taxes.next_number() == 13


def test_load_leaves_the_given_mapping_alone(taxes: Collection) -> None:
    rows = encoded(tax("vat"))
    taxes.load(rows)

    write(taxes, 1, tax("vat", rate=5))
    write(taxes, 2, tax("gst"))

    assert rows == encoded(tax("vat"))


def test_search_answers_the_live_rows_that_match_newest_first(taxes: Collection) -> None:
    rates = {"a": 5, "b": 7, "c": 5, "d": 5}
    for number, (code, rate) in enumerate(rates.items(), 1):
        write(taxes, number, tax(code, rate=rate))
    write(taxes, 3, tax("c", rate=5, deleted_at="now"))

    assert taxes.search(where("rate") == 5) == [tax("d", rate=5), tax("a", rate=5)]


def test_what_a_search_answers_is_the_callers_own_at_each_call(taxes: Collection) -> None:
    write(taxes, 1, tax("vat", notes=["kept"]))
    query = where("code") == "vat"

    taxes.search(query)[0]["notes"].append("changed")

    assert taxes.search(query) == [tax("vat", notes=["kept"])]


def test_tinydbs_own_methods_read_the_rows(taxes: Collection, table: RowTable) -> None:
    taxes.load(encoded(tax("vat"), tax("gst")))

    assert (len(table), table.all()) == (2, [tax("vat"), tax("gst")])
    assert table.get(where("code") == "gst") == tax("gst")
    assert table.get(doc_id=1) == tax("vat")
    assert table.contains(doc_id=3) is False
    assert [document.doc_id for document in table] == [1, 2]


def test_tinydbs_own_methods_insert_and_remove_rows(table: RowTable) -> None:
    assert table.insert(tax("vat")) == 1
    assert table.insert_multiple([tax("gst"), tax("iva")]) == [2, 3]
    assert table.remove(where("code") == "gst") == [2]
    assert table.all() == [tax("vat"), tax("iva")]

    table.truncate()

    assert (len(table), table.all()) == (0, [])


def test_each_table_of_a_database_has_rows_of_its_own() -> None:
    database = RowDatabase()
    taxes = database.collection("taxes:org", "code")
    others = database.collection("taxes:other", "code")

    write(taxes, 1, tax("vat"))

    assert (len(taxes.table), len(others.table)) == (1, 0)


def test_the_database_keeps_no_file_of_its_own() -> None:
    database = RowDatabase()
    database.collection("taxes:org", "code").load(encoded(tax("vat")))

    assert database.tables() == set()
    database.drop_tables()

    assert database.tables() == set()
