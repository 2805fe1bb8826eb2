from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lago_mock.store.pages import ROWS_A_PAGE, RowPage
from lago_mock.store.store import Store, StoreUnwritable
from tests.unit.store.stores import (
    KEYS,
    Survival,
    codes,
    discard,
    disk_full_at,
    everything,
    fixture_set,
    found,
    journal_of,
    killed,
    on_disk,
    organizations,
    put,
    reset,
    tax,
    told,
)


def test_a_snapshot_is_listed_by_its_name_where_it_was_taken(two: Store) -> None:
    two.snapshot("first", "one")
    two.snapshot("first", "two")
    two.snapshot(None, "all")

    assert list(two.snapshots("first")) == ["one", "two"]
    assert list(two.snapshots("first")["one"]) == ["first"]
    assert two.snapshots("second") == {}
    assert {name: list(each) for name, each in two.snapshots(None).items()} == {
        "all": ["first", "second"]
    }


def test_a_snapshot_taken_again_is_the_later_one(two: Store, path: Path, survive: Survival) -> None:
    two.snapshot("first", "one")
    put(two, tax("x"), owner="first")
    two.snapshot("first", "one")
    put(two, tax("y"), owner="first")

    again = Store.open(KEYS, survive(two, path))
    again.restore("first", "one")
    assert codes(again, "first") == "ax"
    again.close()


def test_a_restore_of_one_leaves_the_others_alone(two: Store) -> None:
    two.snapshot("first", "one")
    two.snapshot(None, "all")
    put(two, tax("x"), owner="first")
    put(two, tax("y"), owner="second")

    two.restore("first", "one")
    assert (codes(two, "first"), codes(two, "second")) == ("a", "by")

    two.restore(None, "all")
    assert (codes(two, "first"), codes(two, "second")) == ("a", "b")


def test_a_snapshot_has_the_row_of_the_organization(
    two: Store, path: Path, survive: Survival
) -> None:
    two.snapshot("first", "one")
    reset(two, fixture_set(), "first", name="Renamed")
    two.restore("first", "one")

    again = Store.open(KEYS, survive(two, path))

    assert again.organizations() == [{"lago_id": "first"}, {"lago_id": "second"}]
    again.close()


def test_a_snapshot_can_be_restored_again_and_again(
    two: Store, path: Path, survive: Survival
) -> None:
    two.snapshot("first", "one")
    for code in "xyz":
        put(two, tax(code), owner="first")
        two.restore("first", "one")
        assert codes(two, "first") == "a"

    again = Store.open(KEYS, survive(two, path))

    put(again, tax("x"), owner="first")
    assert codes(again, "first") == "ax"
    again.restore("first", "one")
    assert codes(again, "first") == "a"
    again.close()


def test_a_forgotten_snapshot_is_gone(two: Store, path: Path, survive: Survival) -> None:
    for name in ("one", "two"):
        two.snapshot("first", name)
        two.snapshot(None, name)
    two.forget("first", "one")
    two.forget(None, "two")

    again = Store.open(KEYS, survive(two, path))

    for each in (two, again):
        assert (list(each.snapshots("first")), list(each.snapshots(None))) == (["two"], ["one"])
    again.close()


@pytest.mark.parametrize("scope", ["first", "unknown", None])
def test_what_names_no_snapshot_is_a_key_error_and_leaves_no_line(
    two: Store, path: Path, scope: str | None
) -> None:
    before = on_disk(path.parent)

    for call in (two.restore, two.forget):
        with pytest.raises(KeyError):
            call(scope, "nope")

    assert on_disk(path.parent) == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda store: store.snapshot("first", "more"), id="snapshot"),
        pytest.param(lambda store: store.restore("first", "one"), id="restore"),
        pytest.param(lambda store: store.forget("first", "one"), id="forget"),
        pytest.param(lambda store: store.remove("second"), id="remove"),
    ],
)
def test_what_the_disk_refuses_changes_neither_memory_nor_disk(
    two: Store, path: Path, change: Callable[[Store], None]
) -> None:
    two.snapshot("first", "one")
    put(two, tax("x"), owner="first")
    before, files = everything(two), on_disk(path.parent)

    with disk_full_at(journal_of(path).stat().st_size + 10), pytest.raises(StoreUnwritable):
        change(two)

    assert (everything(two), on_disk(path.parent)) == (before, files)
    change(two)
    assert everything(two) != before


def test_a_removed_organization_is_gone_with_its_snapshots(
    two: Store, path: Path, survive: Survival
) -> None:
    two.snapshot("first", "one")
    two.snapshot("second", "one")
    two.snapshot(None, "all")

    two.remove("first")

    again = Store.open(KEYS, survive(two, path))
    for each in (two, again):
        assert organizations(each) == "second"
        assert (list(each.snapshots("first")), list(each.snapshots("second"))) == ([], ["one"])
        assert list(each.snapshots(None)["all"]) == ["first", "second"]
        assert codes(each, "first") == ""
        assert each.view("first").next_in_sequence("taxes") == 1
    again.close()


def test_an_organization_that_nothing_is_known_of_can_be_removed_and_kept(
    store: Store, path: Path, survive: Survival
) -> None:
    put(store, tax("a"))
    store.remove("unknown")
    store.snapshot("new", "empty")
    put(store, tax("b"), owner="new")
    store.restore("new", "empty")

    again = Store.open(KEYS, survive(store, path))

    for each in (store, again):
        assert (codes(each), codes(each, "new")) == ("a", "")
    again.close()


def test_a_restore_of_all_brings_back_who_was_removed_and_drops_strangers(
    two: Store, path: Path, survive: Survival
) -> None:
    two.snapshot(None, "all")
    before = everything(two)
    two.remove("first")
    reset(two, fixture_set(tax("z"), name="third"), "third")
    two.snapshot("third", "one")
    put(two, tax("y"), owner="second")

    two.restore(None, "all")

    again = Store.open(KEYS, survive(two, path))
    for each in (two, again):
        assert organizations(each) == "first second"
        assert everything(each) == before
        assert each.snapshots("third") == {}
        assert each.view("first").next_in_sequence("taxes") == 2
    again.close()


def test_organizations_are_in_the_order_of_the_snapshot_after_its_restore(
    two: Store, path: Path
) -> None:
    two.snapshot(None, "all")
    two.remove("first")
    reset(two, fixture_set(), "first")
    assert organizations(two) == "second first"

    two.restore(None, "all")

    assert organizations(two) == "first second"
    again = Store.open(KEYS, killed(two, path))
    assert organizations(again) == "first second"
    again.close()


def test_a_snapshot_is_not_changed_by_who_reads_its_rows(two: Store) -> None:
    put(two, tax("x", notes=["kept"]), owner="first")
    two.snapshot("first", "one")
    frozen = two.snapshots("first")["one"]["first"].collections["taxes"]

    frozen.row(2)["notes"].append("changed")
    view = two.view("first")
    row = view.find("taxes", "x")
    assert row is not None
    row["notes"].append("put")
    view.put("taxes", row)
    two.commit(view)
    row["notes"].append("later")

    assert found(two, "first")[1]["notes"] == ["kept", "put"]
    two.restore("first", "one")
    assert found(two, "first")[1]["notes"] == frozen.row(2)["notes"] == ["kept"]


def seen(store: Store) -> dict[str, Any]:
    """Return all that the taxes of `org` are to a caller."""
    view = store.view("org")
    rows = list(view.oldest_first("taxes"))
    pages = [view.newest_first("taxes", start, start + 100) for start in range(0, len(rows), 100)]
    return {
        "rows": rows,
        "pages": pages,
        "count": view.count("taxes"),
        "keys": [view.find("taxes", row["code"]) for row in rows],
        "ids": [view.get("taxes", row["lago_id"]) for row in rows],
        "number": view.next_in_sequence("taxes"),
        "state": told(store.state("org")),
    }


def write_much(store: Store) -> None:
    """Make 10,000 writes to 1000 taxes and new ones: replace, rename, discard, create, number."""
    for number in range(10_000):
        view = store.view("org")
        row = view.get("taxes", f"id-{number % 1000}")
        if row is None or number % 5 == 4:
            view.put("taxes", tax(f"new {number}", number=view.next_in_sequence("taxes")))
        elif number % 3 == 2:
            view.discard("taxes", row, "now")
        else:
            view.put("taxes", {**row, "code": f"{row['code']}'" if number % 2 else row["code"]})
        store.commit(view)


@pytest.mark.parametrize("scope", ["org", None], ids=["one", "all"])
def test_ten_thousand_writes_after_a_snapshot_leave_no_trace_after_its_restore(
    scope: str | None,
) -> None:
    store = Store(KEYS)
    put(store, *(tax(str(number)) for number in range(1000)))
    for number in range(0, 1000, 7):
        discard(store, tax(str(number)))
    view = store.view("org")
    view.next_in_sequence("taxes")
    store.commit(view)
    before = seen(store)
    assert len(before["state"][0]["taxes"]) > 3 * ROWS_A_PAGE
    store.snapshot(scope, "before")

    write_much(store)
    assert len(seen(store)["state"][0]["taxes"]) > 6000
    store.restore(scope, "before")

    assert seen(store) == before
    assert store.view("org").find("taxes", "new 4") is None
    assert store.view("org").find("taxes", "0") is None


class Loop:
    """Runs each step when it is told to, as an event loop would."""

    def __init__(self) -> None:
        self.steps: list[Callable[[], None]] = []

    def run(self) -> Iterator[None]:
        """Run the steps, one at each `next`."""
        while self.steps:
            self.steps.pop(0)()
            yield


def pages_of(store: Store) -> list[weakref.ref[RowPage]]:
    rows = store.state("org").collections["taxes"].rows
    return [weakref.ref(page) for page in rows.values()]


def alive(pages: list[weakref.ref[RowPage]]) -> int:
    return sum(page() is not None for page in pages)


@pytest.mark.parametrize(
    "drop",
    [
        pytest.param(lambda store: reset(store, fixture_set(tax("f"))), id="reset"),
        pytest.param(lambda store: store.restore("org", "empty"), id="restore"),
        pytest.param(lambda store: store.restore(None, "empty"), id="restore of all"),
        pytest.param(lambda store: store.remove("org"), id="remove"),
    ],
)
@pytest.mark.parametrize("deferred", [True, False], ids=["deferred", "at once"])
def test_rows_that_were_replaced_go_one_page_at_a_step(
    drop: Callable[[Store], None], deferred: bool
) -> None:
    store, loop = Store(KEYS), Loop()
    if deferred:
        store.defer(loop.steps.append)
    store.view("org")
    store.snapshot("org", "empty")
    store.snapshot(None, "empty")
    put(store, *(tax(str(number)) for number in range(3 * ROWS_A_PAGE)))
    pages = pages_of(store)
    assert alive(pages) == 4

    drop(store)

    if not deferred:
        assert (alive(pages), loop.steps) == (0, [])
        return
    left = [alive(pages), *(alive(pages) for _ in loop.run())]
    assert left[0] == 4
    assert left[-1] == 0
    assert all(before - after in (0, 1) for before, after in pairwise(left))


def test_rows_of_a_forgotten_snapshot_go_one_page_at_a_step() -> None:
    store, loop = Store(KEYS), Loop()
    put(store, *(tax(str(number)) for number in range(3 * ROWS_A_PAGE)))
    store.snapshot("org", "full")
    reset(store, fixture_set())
    pages = [
        weakref.ref(page)
        for page in store.snapshots("org")["full"]["org"].collections["taxes"].rows.values()
    ]
    store.defer(loop.steps.append)

    store.forget("org", "full")

    seen = [alive(pages), *(alive(pages) for _ in loop.run())]
    assert [seen[0], seen[-1]] == [4, 0]
    assert max(before - after for before, after in pairwise(seen)) == 1


def test_what_a_loop_that_ended_did_not_get_to_goes_with_the_next() -> None:
    store, ended, loop = Store(KEYS), Loop(), Loop()
    store.defer(ended.steps.append)
    put(store, *(tax(str(number)) for number in range(3 * ROWS_A_PAGE)))
    pages = pages_of(store)
    reset(store, fixture_set())
    assert alive(pages) == 4
    ended.steps.clear()

    store.defer(loop.steps.append)
    gc.collect()
    assert alive(pages) == 0

    put(store, tax("a"))
    reset(store, fixture_set())
    assert len(loop.steps) == 1


@pytest.mark.parametrize("how", ["replaced", "gone with its organization"])
def test_rows_of_a_snapshot_that_nobody_forgets_go_one_page_at_a_step(how: str) -> None:
    store, loop = Store(KEYS), Loop()
    put(store, *(tax(str(number)) for number in range(3 * ROWS_A_PAGE)))
    store.snapshot("org", "full")
    pages = pages_of(store)
    reset(store, fixture_set())
    store.defer(loop.steps.append)

    if how == "replaced":
        store.snapshot("org", "full")
    else:
        store.remove("org")

    seen = [alive(pages), *(alive(pages) for _ in loop.run())]
    assert [seen[0], seen[-1]] == [4, 0]
    assert max(before - after for before, after in pairwise(seen)) == 1
