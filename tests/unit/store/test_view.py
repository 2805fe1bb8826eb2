from __future__ import annotations

from sys import maxsize
from types import MappingProxyType
from typing import Any

import pytest
from tinydb import where

from lago_mock.store.pages import ROWS_A_PAGE
from lago_mock.store.store import Store
from lago_mock.store.tables import having
from lago_mock.store.view import View
from tests.unit.store.stores import discard, fixture_set, put, reset, tax, told


def codes(rows: Any) -> str:
    return "".join(row["code"] for row in rows)


@pytest.fixture
def store() -> Store:
    """A store whose organization has the taxes a to e, d of them discarded."""
    store = Store({"taxes": "code", "customers": "external_id"})
    view = store.view("org")
    for code in "abcde":
        view.put("taxes", tax(code, rates=[{"rate": 1}]))
    store.commit(view)
    view.discard("taxes", view.find("taxes", "d") or {}, "yesterday")
    store.commit(view)
    return store


@pytest.fixture
def view(store: Store) -> View:
    return store.view("org")


def test_a_view_knows_its_organization(view: View) -> None:
    assert view.organization_id == "org"


def test_a_stored_row_is_found_by_its_key_and_got_by_its_id(view: View) -> None:
    assert view.find("taxes", "a") == tax("a", rates=[{"rate": 1}])
    assert view.get("taxes", "id-b") == tax("b", rates=[{"rate": 1}])


def test_what_is_unknown_discarded_or_of_another_collection_is_not_found(view: View) -> None:
    assert [view.find("taxes", code) for code in ("nope", "d")] == [None, None]
    assert [view.get("taxes", lago_id) for lago_id in ("nope", "id-d")] == [None, None]
    assert (view.find("customers", "a"), view.get("customers", "id-a")) == (None, None)


def test_a_row_to_look_at_is_what_was_put_last(store: Store, view: View) -> None:
    assert view.look("taxes", "id-b") == view.look_for("taxes", "b") == frozen(tax("b"))
    assert (view.look("taxes", "id-d"), view.look_for("taxes", "d")) == (None, None)

    view.put("taxes", tax("b", rate=5))
    changed = (view.look("taxes", "id-b"), view.look_for("taxes", "b"))
    store.commit(view)
    later = store.view("org")

    assert changed == (tax("b", rate=5), tax("b", rate=5))
    assert {type(each) for each in changed} == {MappingProxyType}
    assert later.look("taxes", "id-b") == later.look_for("taxes", "b") == tax("b", rate=5)


@pytest.mark.parametrize("staged", [False, True])
def test_the_rows_of_a_customer_are_counted_paged_and_searched_alone(staged: bool) -> None:
    store = Store({"taxes": "code"})
    view = store.view("org")
    for code, owner in ("ax", "by", "cx", "dx"):
        view.put("taxes", tax(code, customer_id=owner))
    if not staged:
        store.commit(view)
        view = store.view("org")

    assert [view.count("taxes", owner) for owner in (None, "x", "y", "z")] == [4, 3, 1, 0]
    assert codes(view.newest_first("taxes", owner="x")) == "dca"
    assert codes(view.newest_first("taxes", 1, 2, "x")) == "c"
    assert codes(view.search("taxes", having(code="a"), "x")) == "a"
    assert codes(view.search("taxes", having(code="b"), "x")) == ""


def test_nobody_can_change_a_row_that_is_there_to_look_at(view: View) -> None:
    row = view.look("taxes", "id-a")
    assert row is not None

    with pytest.raises(TypeError):
        row["code"] = "z"  # type: ignore[index]
    with pytest.raises(TypeError):
        row["rates"][0]["rate"] = 2
    with pytest.raises(AttributeError):
        row["rates"].append({"rate": 2})
    assert view.get("taxes", "id-a") == tax("a", rates=[{"rate": 1}])


def frozen(row: dict[str, Any]) -> dict[str, Any]:
    """Return a tax as it is to look at."""
    return {**row, "rates": ({"rate": 1},)}


def test_a_row_that_was_put_is_seen_at_once(view: View) -> None:
    view.put("taxes", tax("f"))

    assert view.find("taxes", "f") == tax("f")
    assert view.get("taxes", "id-f") == tax("f")
    assert view.count("taxes") == 5
    assert codes(view.newest_first("taxes")) == "fecba"
    assert codes(view.oldest_first("taxes")) == "abcef"


def test_another_view_sees_nothing_of_it_before_the_commit(store: Store, view: View) -> None:
    other = store.view("org")
    view.put("taxes", tax("f"))

    assert (other.find("taxes", "f"), other.count("taxes")) == (None, 4)

    store.commit(view)

    assert (other.find("taxes", "f"), other.count("taxes")) == (tax("f"), 5)


def test_a_view_that_is_not_committed_leaves_no_trace(store: Store, view: View) -> None:
    view.put("taxes", tax("f"))
    view.put("taxes", tax("z", "id-a"))
    view.discard("taxes", tax("b"), "now")

    assert codes(store.view("org").oldest_first("taxes")) == "abce"


def test_another_organization_has_rows_and_sequences_of_its_own(store: Store) -> None:
    view = store.view("org")
    view.next_in_sequence("taxes")
    store.commit(view)

    other = store.view("other")

    assert (other.find("taxes", "a"), other.get("taxes", "id-a")) == (None, None)
    assert (other.count("taxes"), other.next_in_sequence("taxes")) == (0, 1)


def test_a_replaced_row_keeps_its_place_and_answers_to_its_new_key_alone(view: View) -> None:
    view.put("taxes", tax("x", "id-b"))

    assert view.find("taxes", "x") == view.get("taxes", "id-b") == tax("x", "id-b")
    assert view.find("taxes", "b") is None
    assert (codes(view.newest_first("taxes")), view.count("taxes")) == ("ecxa", 4)


def test_the_key_that_a_replaced_row_gave_up_can_be_taken(view: View) -> None:
    view.put("taxes", tax("x", "id-b"))
    view.put("taxes", tax("b", "id-new"))

    assert view.find("taxes", "b") == tax("b", "id-new")
    assert codes(view.oldest_first("taxes")) == "axceb"


def test_a_row_put_twice_stands_once_as_it_was_put_last(store: Store, view: View) -> None:
    view.put("taxes", tax("f"))
    view.put("taxes", tax("g"))
    view.put("taxes", tax("f", rate=2))
    store.commit(view)

    after = store.view("org")
    assert codes(after.oldest_first("taxes")) == "abcefg"
    assert after.find("taxes", "f") == tax("f", rate=2)


def test_a_discarded_row_is_gone_at_once_and_frees_its_key(store: Store, view: View) -> None:
    view.discard("taxes", tax("b"), "now")

    assert (view.find("taxes", "b"), view.get("taxes", "id-b")) == (None, None)
    assert (view.count("taxes"), codes(view.newest_first("taxes"))) == (3, "eca")

    view.put("taxes", tax("b", "id-new"))
    store.commit(view)

    after = store.view("org")
    assert after.find("taxes", "b") == tax("b", "id-new")
    assert (after.get("taxes", "id-b"), codes(after.newest_first("taxes"))) == (None, "beca")


def test_discard_leaves_the_callers_row_alone(view: View) -> None:
    row = tax("b")

    view.discard("taxes", row, "now")

    assert row == tax("b")


def test_a_row_put_and_discarded_in_one_view_is_kept_as_discarded(store: Store, view: View) -> None:
    view.put("taxes", tax("f"))
    view.discard("taxes", tax("f"), "now")
    view.put("taxes", tax("g"))

    assert (view.find("taxes", "f"), codes(view.oldest_first("taxes"))) == (None, "abceg")

    store.commit(view)
    rows, _ = told(store.state("org"))
    assert codes(store.view("org").oldest_first("taxes")) == "abceg"
    assert list(rows["taxes"]) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("start", "stop", "page"),
    [
        pytest.param(0, maxsize, "feca", id="all"),
        pytest.param(0, 2, "fe", id="first page"),
        pytest.param(2, 4, "ca", id="last page"),
        pytest.param(3, 6, "a", id="page that is not full"),
        pytest.param(2, maxsize, "ca", id="without an end"),
        pytest.param(4, 6, "", id="page after the last"),
        pytest.param(40, 60, "", id="page far behind"),
        pytest.param(0, 0, "", id="no rows wanted"),
        pytest.param(0, 10**30, "feca", id="huge page"),
    ],
)
@pytest.mark.parametrize("staged", [True, False], ids=["staged", "stored"])
def test_newest_first_answers_a_page(
    store: Store, view: View, start: int, stop: int, page: str, staged: bool
) -> None:
    view.put("taxes", tax("f"))
    view.discard("taxes", tax("b"), "now")
    if not staged:
        store.commit(view)
        view = store.view("org")

    assert codes(view.newest_first("taxes", start, stop)) == page


@pytest.mark.parametrize("staged", [True, False], ids=["staged", "stored"])
def test_any_page_of_a_long_list_is_answered_and_all_are_counted(staged: bool) -> None:
    store = Store({"taxes": "code"})
    rows = [tax(str(number)) for number in range(3 * ROWS_A_PAGE)]
    put(store, *rows)
    for row in rows[::3]:
        discard(store, row)
    view = store.view("org")
    kept = [row for index, row in enumerate(rows) if index % 3]
    if staged:
        view.put("taxes", tax("new"))
        kept.append(tax("new"))

    assert view.count("taxes") == len(kept)
    for start in range(0, len(kept) + 100, 100):
        assert view.newest_first("taxes", start, start + 100) == kept[::-1][start : start + 100]


def test_a_test_of_a_search_that_changes_what_it_is_shown_changes_nothing(view: View) -> None:
    view.search("taxes", lambda row: row["rates"].append("changed") is None)

    assert view.find("taxes", "a") == tax("a", rates=[{"rate": 1}])


def test_a_row_of_a_fixture_set_is_not_changed_by_who_reads_it(store: Store) -> None:
    fixtures = fixture_set(tax("f", rates=[{"rate": 1}]))
    reset(store, fixtures)

    for row in (store.view("org").find("taxes", "f"), fixtures.row("taxes", 1)):
        assert row is not None
        row["rates"][0]["rate"] = 99

    assert fixtures.row("taxes", 1) == tax("f", rates=[{"rate": 1}])
    assert store.view("org").find("taxes", "f") == tax("f", rates=[{"rate": 1}])


@pytest.mark.parametrize(
    "matches",
    [
        pytest.param(lambda row: row["code"] in "abdz", id="test"),
        pytest.param(where("code").one_of(list("abdz")), id="TinyDB query"),
    ],
)
def test_search_answers_the_live_rows_that_match_newest_first(view: View, matches: Any) -> None:
    assert codes(view.search("taxes", matches)) == "ba"
    assert view.search("customers", matches) == []

    view.put("taxes", tax("z"))
    view.put("taxes", tax("q", "id-b"))

    assert codes(view.search("taxes", matches)) == "za"


def test_oldest_first_goes_on_over_the_rows_it_began_with(view: View) -> None:
    rows = view.oldest_first("taxes")
    view.put("taxes", tax("f"))

    assert codes(rows) == "abce"


@pytest.mark.parametrize("staged", [True, False], ids=["staged", "stored"])
@pytest.mark.parametrize(
    "way",
    [
        pytest.param(lambda view: view.find("taxes", "a"), id="find"),
        pytest.param(lambda view: view.get("taxes", "id-a"), id="get"),
        pytest.param(lambda view: view.newest_first("taxes")[-1], id="newest_first"),
        pytest.param(lambda view: next(view.oldest_first("taxes")), id="oldest_first"),
        pytest.param(lambda view: view.search("taxes", where("code") == "a")[0], id="search"),
    ],
)
def test_a_row_that_comes_out_is_the_callers_own_to_its_depth(
    store: Store, view: View, way: Any, staged: bool
) -> None:
    if staged:
        view.put("taxes", tax("a", rates=[{"rate": 1}]))

    row = way(view)
    row["code"] = "changed"
    row["rates"][0]["rate"] = 99
    row["rates"].append("more")

    assert way(view) == way(store.view("org")) == tax("a", rates=[{"rate": 1}])


def test_a_committed_row_does_not_change_with_the_object_that_was_put(
    store: Store, view: View
) -> None:
    row = tax("f", rates=[{"rate": 1}])
    view.put("taxes", row)
    store.commit(view)
    store.snapshot("org", "before")

    row["rates"][0]["rate"] = 99

    assert store.view("org").find("taxes", "f") == tax("f", rates=[{"rate": 1}])
    store.restore("org", "before")
    assert store.view("org").find("taxes", "f") == tax("f", rates=[{"rate": 1}])


def test_a_sequence_counts_from_one_in_its_view(view: View) -> None:
    assert [view.next_in_sequence("taxes") for _ in range(3)] == [1, 2, 3]
    assert view.next_in_sequence("customers") == 1


def test_a_number_of_a_sequence_is_used_up_by_the_commit_alone(store: Store) -> None:
    abandoned = store.view("org")
    abandoned.next_in_sequence("taxes")
    kept = store.view("org")

    assert kept.next_in_sequence("taxes") == 1
    store.commit(kept)

    assert store.view("org").next_in_sequence("taxes") == 2
    assert store.view("org").next_in_sequence("taxes") == 2


def test_a_discarded_row_gives_no_number_back(store: Store) -> None:
    view = store.view("org")
    view.put("taxes", tax("f", number=view.next_in_sequence("taxes")))
    store.commit(view)
    view = store.view("org")
    view.discard("taxes", tax("f"), "now")
    store.commit(view)

    assert store.view("org").next_in_sequence("taxes") == 2
