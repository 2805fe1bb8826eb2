from __future__ import annotations

import gc
import logging
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from tinydb import Query, TinyDB

from lago_mock.store.store import FixtureRows, State, Store, StoreError, StoreUnwritable
from lago_mock.version import __version__
from tests.unit.store.stores import (
    KEYS,
    RESTORE,
    SECRETS,
    Row,
    Survival,
    codes,
    collection_of,
    commits,
    discard,
    disk_full_at,
    everything,
    fixture_set,
    found,
    header,
    journal_of,
    killed,
    line,
    on_disk,
    organizations,
    put,
    replace,
    reset,
    tax,
    told,
)


def refusal(path: Path) -> str:
    """Return why a store is refused; whatever is on disk must stay, and its lock be free again."""
    before = on_disk(path.parent)
    texts = []
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            Store.open(KEYS, path)
        texts.append(str(caught.value))
    assert on_disk(path.parent) == before
    assert texts[0] == texts[1]
    return texts[0]


@pytest.mark.parametrize("is_on", [True, False])
@pytest.mark.parametrize("content", [b"", b"{}"], ids=["new", "damaged"])
def test_the_search_for_garbage_is_on_after_a_start_if_it_was_before(
    path: Path, content: bytes, is_on: bool
) -> None:
    path.parent.mkdir(exist_ok=True)
    if content:
        path.write_bytes(content)
    if not is_on:
        gc.disable()
    try:
        with suppress(StoreError):
            Store.open(KEYS, path).close()
        assert gc.isenabled() is is_on
    finally:
        gc.enable()


def test_a_new_store_has_nothing_and_writes_nothing(store: Store, path: Path) -> None:
    store.commit(store.view("org"))

    assert (store.organizations(), codes(store)) == ([], "")
    assert told(store.state("org")) == ({}, {})
    assert not path.exists()
    assert not journal_of(path).exists()


def test_what_was_committed_is_there_again(store: Store, path: Path, survive: Survival) -> None:
    rows = [tax("a", rate=23.0, name="Évora & <b>"), tax("b", notes=[{"n": None}]), tax("c")]
    put(store, *rows)
    put(store, tax("b", notes=[{"n": 1}]))
    put(store, tax("other"), owner="second")

    again = Store.open(KEYS, survive(store, path))

    assert found(again) == [rows[0], tax("b", notes=[{"n": 1}]), rows[2]]
    assert codes(again, "second") == "other"
    assert again.view("org").find("taxes", "b") == again.view("org").get("taxes", "id-b")
    again.close()


def test_what_was_discarded_stays_so_and_its_key_stays_free(
    store: Store, path: Path, survive: Survival
) -> None:
    put(store, tax("a"), tax("b", "old"))
    discard(store, tax("b", "old"))

    again = Store.open(KEYS, survive(store, path))
    assert (codes(again), again.view("org").get("taxes", "old")) == ("a", None)
    put(again, tax("b", "new"))

    assert again.view("org").find("taxes", "b") == tax("b", "new")
    assert told(again.state("org"))[0]["taxes"] == {
        1: tax("a"),
        2: tax("b", "old", deleted_at="now"),
        3: tax("b", "new"),
    }
    again.close()


def test_a_key_freed_by_a_discard_can_be_taken_in_the_same_commit(
    store: Store, path: Path, survive: Survival
) -> None:
    put(store, tax("a", "old"))
    view = store.view("org")
    view.discard("taxes", tax("a", "old"), "now")
    view.put("taxes", tax("a", "new"))
    store.commit(view)

    again = Store.open(KEYS, survive(store, path))

    assert found(store) == found(again) == [tax("a", "new")]
    assert again.view("org").find("taxes", "a") == tax("a", "new")
    again.close()


def test_rows_can_exchange_their_keys_in_one_commit(
    store: Store, path: Path, survive: Survival
) -> None:
    put(store, tax("a", "one"), tax("b", "two"))
    put(store, tax("b", "one"), tax("a", "two"))

    again = Store.open(KEYS, survive(store, path))

    for each in (store, again):
        assert each.view("org").find("taxes", "a") == tax("a", "two")
        assert each.view("org").find("taxes", "b") == tax("b", "one")
    again.close()


def test_an_earlier_row_can_take_the_key_of_a_later_one_discarded_in_the_same_commit(
    store: Store,
) -> None:
    put(store, tax("a", "one"), tax("b", "two"))
    view = store.view("org")
    view.discard("taxes", tax("b", "two"), "now")
    view.put("taxes", tax("b", "one"))
    store.commit(view)

    assert store.view("org").find("taxes", "b") == tax("b", "one")


def test_sequences_go_on_where_they_were(store: Store, path: Path, survive: Survival) -> None:
    view = store.view("org")
    assert [view.next_in_sequence("taxes") for _ in range(3)] == [1, 2, 3]
    store.commit(view)
    store.view("org").next_in_sequence("taxes")

    again = Store.open(KEYS, survive(store, path))

    assert again.view("org").next_in_sequence("taxes") == 4
    assert again.view("second").next_in_sequence("taxes") == 1
    again.close()


def test_organizations_are_listed_in_the_order_they_were_made(
    store: Store, path: Path, survive: Survival
) -> None:
    reset(store, fixture_set(tax("a")), "zebra", name="Zebra", tags=["x"])
    reset(store, fixture_set(tax("a")), "aardvark", name="Aardvark")
    store.organizations()[0]["tags"].append("changed")

    again = Store.open(KEYS, survive(store, path))

    assert store.organizations() == again.organizations()
    assert again.organizations() == [
        {"lago_id": "zebra", "name": "Zebra", "tags": ["x"]},
        {"lago_id": "aardvark", "name": "Aardvark"},
    ]
    again.close()


def test_a_number_over_64_bits_is_there_again_with_all_its_digits(
    store: Store, path: Path, survive: Survival
) -> None:
    reset(store, fixture_set(tax("a", big=2**70)))
    put(store, tax("b", big=-(2**90)))

    again = Store.open(KEYS, survive(store, path))

    assert [row["big"] for row in found(again)] == [2**70, -(2**90)]
    again.close()


def test_an_organization_that_was_only_looked_at_is_not_there(store: Store, path: Path) -> None:
    put(store, tax("a"))
    for look in (store.view, store.version, store.state):
        look("stranger")
    store.snapshot(None, "all")
    store.close()

    assert b"stranger" not in path.read_bytes()


def test_a_store_that_was_opened_again_is_written_on(
    store: Store, path: Path, survive: Survival
) -> None:
    put(store, tax("a"))
    path = survive(store, path)
    for code in "bcd":
        again = Store.open(KEYS, path)
        put(again, tax(code))
        again.close()

    again = Store.open(KEYS, path)

    assert codes(again) == "abcd"
    again.close()


def test_a_state_has_the_rows_of_one_organization_without_its_own(store: Store) -> None:
    view = store.view("org")
    view.put("organizations", {"lago_id": "org"})
    view.put("taxes", tax("a"))
    view.next_in_sequence("taxes")
    store.commit(view)
    put(store, tax("b"), owner="second")

    assert told(store.state("org")) == ({"taxes": {1: tax("a")}}, {"taxes": 1})


def test_a_state_does_not_change_with_the_store(store: Store) -> None:
    put(store, tax("a"))
    state = store.state("org")

    view = store.view("org")
    view.put("taxes", tax("b"))
    view.next_in_sequence("taxes")
    store.commit(view)

    assert told(state) == ({"taxes": {1: tax("a")}}, {})


def test_a_store_in_memory_has_no_file() -> None:
    store = Store(KEYS)
    put(store, tax("a"))
    reset(store, fixture_set(tax("b")))
    put(store, tax("c"))

    store.close()

    assert codes(store) == "bc"


def test_nothing_of_a_view_is_kept_when_a_row_is_no_json(store: Store, path: Path) -> None:
    put(store, tax("a"))
    before = journal_of(path).read_bytes()
    view = store.view("org")
    view.put("taxes", tax("b"))
    view.put("taxes", tax("c", thing=object()))
    view.next_in_sequence("taxes")

    with pytest.raises(TypeError):
        store.commit(view)

    assert (codes(store), store.view("org").next_in_sequence("taxes")) == ("a", 1)
    assert journal_of(path).read_bytes() == before


@pytest.mark.parametrize("written", [0, 1, 60])
def test_a_commit_that_the_disk_refuses_changes_neither_memory_nor_disk(
    store: Store, path: Path, written: int
) -> None:
    put(store, tax("a"))
    before = journal_of(path).read_bytes()
    view = store.view("org")
    view.put("taxes", tax("b"))
    view.discard("taxes", tax("a"), "now")
    view.next_in_sequence("taxes")

    with disk_full_at(len(before) + written), pytest.raises(StoreUnwritable) as caught:
        store.commit(view)

    assert str(caught.value) == f"{journal_of(path)}: File too large"
    assert (codes(store), store.view("org").next_in_sequence("taxes")) == ("a", 1)
    assert journal_of(path).read_bytes() == before
    store.commit(view)
    assert codes(store) == "b"


@pytest.mark.parametrize("known", [True, False], ids=["known set", "new set"])
def test_a_reset_that_the_disk_refuses_changes_neither_memory_nor_disk(
    store: Store, path: Path, known: bool, survive: Survival
) -> None:
    fixtures = fixture_set(tax("f"), taxes=1)
    put(store, tax("a"))
    if known:
        reset(store, fixtures, "second")

    with disk_full_at(journal_of(path).stat().st_size + 50), pytest.raises(StoreUnwritable):
        reset(store, fixtures)

    assert codes(store) == "a"
    reset(store, fixtures)
    again = Store.open(KEYS, survive(store, path))
    assert codes(store) == codes(again) == "f"
    again.close()


def test_resets_and_removals_at_once_are_one_line(
    store: Store, path: Path, survive: Survival
) -> None:
    for owner in ("first", "second", "third"):
        reset(store, fixture_set(tax("a")), owner)
    before = len(commits(path))

    replace(store, fixture_set(tax("f"), taxes=1), ["first", "second"], gone=["third"])

    known, line = commits(path)[before:]
    assert known["fixtures"] == "demo"
    assert [each.get("reset") for each in line["together"]] == ["demo", "demo", None]
    assert line["together"][-1] == {"removed": "third"}
    again = Store.open(KEYS, survive(store, path))
    for each in (store, again):
        assert organizations(each) == "first second"
        assert codes(each, "first") == codes(each, "second") == "f"
    again.close()


def test_resets_and_removals_at_once_that_the_disk_refuses_change_nothing(
    store: Store, path: Path, survive: Survival
) -> None:
    for owner in ("first", "second", "third"):
        reset(store, fixture_set(), owner)
        put(store, tax("a"), owner=owner)
    before = everything(store)
    size = journal_of(path).stat().st_size

    for room in range(0, 400, 20):
        with disk_full_at(size + room), pytest.raises(StoreUnwritable):
            replace(store, fixture_set(tax("f"), taxes=1), ["first", "second"], gone=["third"])
        assert everything(store) == before

    again = Store.open(KEYS, survive(store, path))
    assert everything(again) == before
    again.close()


def test_a_reset_leaves_the_rows_of_the_set_and_those_of_the_view(
    store: Store, path: Path, survive: Survival
) -> None:
    put(store, tax("a"), tax("b"))
    view = store.view("org")
    view.put("customers", {"lago_id": "c", "external_id": "c"})
    store.commit(view)

    reset(store, fixture_set(tax("f"), tax("g")), name="Kept")

    again = Store.open(KEYS, survive(store, path))
    for each in (store, again):
        assert (codes(each), each.view("org").find("taxes", "a")) == ("fg", None)
        assert each.view("org").count("customers") == 0
        assert each.organizations() == [{"lago_id": "org", "name": "Kept"}]
    again.close()


def test_a_reset_puts_the_sequences_where_the_set_has_them(
    store: Store, path: Path, survive: Survival
) -> None:
    view = store.view("org")
    for name in ("taxes", "taxes", "taxes", "invoices"):
        view.next_in_sequence(name)
    store.commit(view)

    reset(store, fixture_set(tax("f"), taxes=1))

    again = Store.open(KEYS, survive(store, path))
    for each in (store, again):
        numbers = [each.view("org").next_in_sequence(name) for name in ("taxes", "invoices")]
        assert numbers == [2, 1]
    again.close()


def test_a_reset_leaves_other_organizations_alone(store: Store) -> None:
    put(store, tax("a"), owner="second")

    reset(store, fixture_set(tax("f")))

    assert (codes(store), codes(store, "second")) == ("f", "a")


def test_what_is_done_after_a_reset_does_not_change_the_set(store: Store) -> None:
    fixtures = fixture_set(tax("f"), taxes=1)
    reset(store, fixtures)
    put(store, tax("f", rate=99), tax("g"))

    reset(store, fixtures)
    reset(store, fixtures, "second")

    assert found(store) == found(store, "second") == [tax("f")]


def test_a_reset_is_one_line_that_names_the_set(store: Store, path: Path) -> None:
    fixtures = fixture_set(tax("f"), taxes=1)
    for _ in range(3):
        reset(store, fixtures, name="Kept")

    line = {
        "organization": "org",
        "reset": "demo",
        "rows": {"organizations": {"1": {"lago_id": "org", "name": "Kept"}}},
        "sequences": {},
    }
    rows = {"taxes": {"1": tax("f")}}
    assert commits(path) == [
        {"number": 1, "fixtures": "demo", "rows": rows, "sequences": {"taxes": 1}},
        {"number": 2, **line},
        {"number": 3, **line},
        {"number": 4, **line},
    ]


@pytest.mark.parametrize(
    "fixtures",
    [
        pytest.param(fixture_set(tax("f", rate=23.0, name="Évora"), taxes=1), id="with rows"),
        pytest.param(fixture_set(), id="empty"),
    ],
)
def test_the_rows_of_a_set_stand_in_the_file_once(
    store: Store, path: Path, fixtures: FixtureRows
) -> None:
    reset(store, fixtures)
    store.close()

    again = Store.open(KEYS, path)
    reset(again, fixtures)
    reset(again, fixtures, "second")

    assert [each.get("reset") for each in commits(path, 1)] == ["demo", "demo"]
    again.close()


def test_a_set_that_has_changed_is_written_again(
    store: Store, path: Path, survive: Survival
) -> None:
    reset(store, fixture_set(tax("f")), "first")
    reset(store, fixture_set(tax("g")), "second")
    reset(store, fixture_set(tax("h"), name="another"), "third")

    again = Store.open(KEYS, survive(store, path))

    assert [codes(again, each) for each in ("first", "second", "third")] == ["f", "g", "h"]
    reset(again, fixture_set(tax("g")), "first")
    assert codes(again, "first") == "g"
    again.close()


def test_a_close_writes_the_file_and_takes_the_journal_away(store: Store, path: Path) -> None:
    reset(store, fixture_set(tax("f"), taxes=1), name="Kept")
    view = store.view("org")
    view.put("taxes", tax("g"))
    view.next_in_sequence("taxes")
    store.commit(view)

    store.close()

    assert orjson.loads(path.read_bytes()) == {
        "taxes:fixtures:demo": {"1": tax("f")},
        "organizations:org": {"1": {"lago_id": "org", "name": "Kept"}},
        "taxes:org": {"1": tax("f"), "2": tax("g")},
        "lago_mock": {
            "1": {
                "version": __version__,
                "sequences": {"fixtures:demo": {"taxes": 1}, "org": {"taxes": 2}},
                "secrets": {},
                "format": 1,
                "generation": 1,
            }
        },
    }
    assert list(on_disk(path.parent)) == ["lago-mock.json"]


def test_a_close_that_the_disk_refuses_leaves_the_journal_and_warns(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, tax("a"))

    with disk_full_at(10):
        store.close()

    assert caplog.messages == [f"{journal_of(path, 1)}: File too large: left to the journal"]
    again = Store.open(KEYS, path)
    assert codes(again) == "a"
    again.close()


def test_a_second_close_leaves_alone_what_another_has_written_since(
    store: Store, path: Path
) -> None:
    store.close()
    other = Store.open(KEYS, path)
    put(other, tax("a"))

    store.close()

    again = Store.open(KEYS, killed(other, path))
    assert codes(again) == "a"
    again.close()
    other.close()


def test_stock_tinydb_lists_and_searches_a_closed_file(store: Store, path: Path) -> None:
    put(store, tax("a", rate=5), tax("b", rate=7), tax("c", rate=5))
    discard(store, tax("b", rate=7))
    store.close()

    with TinyDB(path) as database:
        table = database.table("taxes:org")
        assert database.tables() == {"taxes:org", "lago_mock"}
        assert table.all() == [
            tax("a", rate=5),
            tax("b", rate=7, deleted_at="now"),
            tax("c", rate=5),
        ]
        assert [document.doc_id for document in table] == [1, 2, 3]
        assert table.search(Query().rate == 5) == [tax("a", rate=5), tax("c", rate=5)]
        assert table.get(doc_id=3) == tax("c", rate=5)


def test_a_row_that_stock_tinydb_inserted_is_served(store: Store, path: Path) -> None:
    put(store, tax("a"), tax("b"))
    store.close()

    with TinyDB(path) as database:
        assert database.table("taxes:org").insert(tax("c")) == 3

    again = Store.open(KEYS, path)
    assert (codes(again), again.view("org").find("taxes", "c")) == ("abc", tax("c"))
    put(again, tax("d"))
    assert codes(again) == "abcd"
    again.close()


def test_a_file_that_is_open_is_refused(store: Store, path: Path) -> None:
    put(store, tax("a"))

    with pytest.raises(StoreError) as caught:
        Store.open(KEYS, path)

    assert str(caught.value) == (
        f"{path}: another lago-mock has this file open. "
        "Stop that one, or give this one a file of its own with --db."
    )


def test_a_line_that_a_kill_has_cut_short_is_left_out_and_told(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, tax("a"))
    put(store, tax("b"))
    copy = killed(store, path)
    journal_of(copy).write_bytes(journal_of(copy).read_bytes()[:-5])

    again = Store.open(KEYS, copy)

    assert codes(again) == "a"
    assert caplog.record_tuples == [
        (
            "lago_mock.store",
            logging.WARNING,
            f"{journal_of(copy)}: the torn last line was dropped",
        )
    ]
    put(again, tax("c"))
    assert codes(again) == "ac"
    again.close()


def test_a_damaged_journal_is_refused(store: Store, path: Path) -> None:
    put(store, tax("a"))
    put(store, tax("b"))
    copy = killed(store, path)
    journal_of(copy).write_bytes(journal_of(copy).read_bytes().replace(b"id-a", b"id-x"))

    assert refusal(copy) == (f"{journal_of(copy)}: line 2 does not match its checksum. {RESTORE}")


@pytest.mark.parametrize("table", ["plans:org", "plans:fixtures:demo", "_default"])
def test_a_file_with_a_table_of_no_known_collection_is_refused(
    store: Store, path: Path, table: str
) -> None:
    reset(store, fixture_set(tax("a")))
    store.close()
    with TinyDB(path) as database:
        database.table(table).insert({"lago_id": "p", "code": "p"})

    text = refusal(path)

    assert text == f"{path}: the table {table!r} is of no collection that is known. {RESTORE}"


@pytest.mark.parametrize("kind", ["rows", "fixtures"])
def test_a_journal_with_rows_of_no_known_collection_is_refused(path: Path, kind: str) -> None:
    store = Store.open({**KEYS, "plans": "code"}, path)
    view = store.view("org")
    if kind == "rows":
        view.put("plans", tax("p"))
        store.commit(view)
    else:
        plans = State({"plans": collection_of(tax("p")).freeze()})
        store.reset(view, FixtureRows("demo", plans))
    copy = killed(store, path)
    store.close()

    text = refusal(copy)

    assert text.startswith(f"{journal_of(copy)}: ")
    assert "'plans'" in text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({}, "KeyError('organization')", id="no change at all"),
        pytest.param({"organization": "org", "sequences": {}}, "KeyError('rows')", id="no rows"),
        pytest.param({"organization": "org", "rows": {}}, "KeyError('sequences')", id="no numbers"),
        pytest.param(
            {"organization": "org", "rows": {}, "sequences": {"taxes": "one"}},
            "TypeError(\"'str' object cannot be interpreted as an integer\")",
            id="a text for a number",
        ),
        pytest.param(
            {"organization": "org", "rows": [], "sequences": {}},
            "AttributeError(\"'list' object has no attribute 'keys'\")",
            id="rows are a list",
        ),
        pytest.param(
            {"organization": "org", "rows": {"taxes": {"x": tax("a")}}, "sequences": {}},
            "ValueError(\"invalid literal for int() with base 10: 'x'\")",
            id="a row has no number",
        ),
        pytest.param(
            {"organization": "org", "rows": {"taxes": {"1": {"code": "a"}}}, "sequences": {}},
            "KeyError('lago_id')",
            id="a row without its id",
        ),
        pytest.param(
            {"organization": "org", "rows": {}, "sequences": {}, "erased": {"taxes": [9]}},
            "KeyError(9)",
            id="a row that is not there is erased",
        ),
        pytest.param(
            {"organization": "org", "reset": "demo", "rows": {}, "sequences": {}},
            "KeyError('demo')",
            id="a set that nobody knows",
        ),
        pytest.param(
            {"together": [{"organization": "org", "restored": "one"}]},
            "KeyError(('org', 'one'))",
            id="a snapshot that nobody took",
        ),
    ],
)
def test_a_line_that_is_no_change_of_the_store_is_refused(
    path: Path, change: Row, reason: str
) -> None:
    path.parent.mkdir(exist_ok=True)
    journal_of(path).write_bytes(header() + line({"number": 1, **change}))

    text = refusal(path)

    what = f"line 2 is no change of this store ({reason})"
    assert text == f"{journal_of(path)}: {what}. {RESTORE}"


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"code": "x"}, id="no lago_id"),
        pytest.param({"lago_id": "x"}, id="no natural key"),
        pytest.param({"lago_id": "x", "code": ["x"]}, id="a natural key that is no text"),
    ],
)
def test_a_row_without_what_it_is_found_by_is_refused(store: Store, path: Path, row: Row) -> None:
    put(store, tax("a"))
    store.close()
    with TinyDB(path) as database:
        database.table("taxes:org").insert(row)

    text = refusal(path)

    assert text.startswith(f"{path}: ")
    assert "taxes:org" in text
    assert text.endswith(RESTORE)


@pytest.mark.parametrize(
    "sequences",
    [
        pytest.param([], id="a list"),
        pytest.param({"org": ["taxes"]}, id="a list in it"),
        pytest.param({"org": {"taxes": "one"}}, id="a text for a number"),
    ],
)
def test_sequences_that_are_none_are_refused(path: Path, sequences: Any) -> None:
    head = {"format": 1, "generation": 0, "sequences": sequences}
    path.write_bytes(orjson.dumps({"lago_mock": {"1": head}}))

    text = refusal(path)

    assert text.startswith(f"{path}: ")
    assert text.endswith(RESTORE)


def test_a_head_without_sequences_is_a_store_that_used_none(path: Path) -> None:
    path.write_bytes(b'{"lago_mock": {"1": {"format": 1, "generation": 0}}}')
    store = Store.open(KEYS, path)

    assert (store.organizations(), store.view("org").next_in_sequence("taxes")) == ([], 1)
    store.close()


def test_a_new_store_has_no_secrets(store: Store) -> None:
    assert store.secrets() == {}


def test_secrets_that_are_kept_are_there_again(store: Store, path: Path, survive: Survival) -> None:
    put(store, tax("a"))
    store.keep_secrets({"portal_secret": "old"})
    store.keep_secrets(SECRETS)
    put(store, tax("b"))

    again = Store.open(KEYS, survive(store, path))

    assert store.secrets() == again.secrets() == SECRETS
    assert codes(again) == "ab"
    again.close()


def test_a_reset_leaves_secrets_alone(store: Store, path: Path, survive: Survival) -> None:
    store.keep_secrets(SECRETS)
    reset(store, fixture_set(tax("f")))

    again = Store.open(KEYS, survive(store, path))

    assert store.secrets() == again.secrets() == SECRETS
    again.close()


def test_secrets_stand_in_the_head_of_the_file_and_in_no_table(store: Store, path: Path) -> None:
    store.keep_secrets(SECRETS)
    store.close()

    content = orjson.loads(path.read_bytes())
    assert content.keys() == {"lago_mock"}
    assert content["lago_mock"]["1"]["secrets"] == SECRETS


def test_secrets_that_the_disk_refuses_are_not_kept(store: Store, path: Path) -> None:
    put(store, tax("a"))
    before = journal_of(path).read_bytes()

    with disk_full_at(len(before) + 10), pytest.raises(StoreUnwritable):
        store.keep_secrets(SECRETS)

    assert store.secrets() == {}
    assert journal_of(path).read_bytes() == before


def test_a_store_in_memory_keeps_secrets_too() -> None:
    store = Store(KEYS)

    store.keep_secrets(SECRETS)

    assert store.secrets() == SECRETS


def test_a_head_without_sequences_can_have_rows(path: Path) -> None:
    head = {"1": {"format": 1, "generation": 0}}
    path.write_bytes(orjson.dumps({"lago_mock": head, "taxes:org": {"1": tax("a")}}))

    store = Store.open(KEYS, path)

    assert (codes(store), store.view("org").next_in_sequence("taxes")) == ("a", 1)
    store.close()


def test_a_refused_store_keeps_its_journal(path: Path) -> None:
    keys = {**KEYS, "plans": "code"}
    store = Store.open(keys, path)
    view = store.view("org")
    view.put("plans", tax("p"))
    store.commit(view)
    store.close()
    store = Store.open(keys, path)
    put(store, tax("a"))
    copy = killed(store, path)
    store.close()

    assert "'plans:org'" in refusal(copy)

    again = Store.open(keys, copy)
    assert codes(again) == "a"
    again.close()


@pytest.mark.parametrize("name", ["we:ird", "a:b:c", ":", "Évora 🚣", "", " "])
def test_a_fixture_set_and_a_snapshot_can_have_any_name(path: Path, name: str) -> None:
    store = Store.open(KEYS, path)
    reset(store, fixture_set(tax("f"), name=name))
    for scope in ("org", None):
        store.snapshot(scope, name)
    before = everything(store)
    store.close()

    again = Store.open(KEYS, path)

    assert everything(again) == before
    for scope in ("org", None):
        put(again, tax("g"))
        again.restore(scope, name)
        assert codes(again) == "f"
    reset(again, fixture_set(tax("f"), name=name), "second")
    assert [each.get("fixtures") for each in commits(path, 1)] == [None] * 5
    again.close()


def test_the_version_of_an_organization_grows_with_each_change(store: Store) -> None:
    versions = [store.version("org")]
    for change in (
        lambda: put(store, tax("a")),
        lambda: discard(store, tax("a")),
        lambda: reset(store, fixture_set(tax("f"))),
        lambda: store.snapshot("org", "s"),
        lambda: store.restore("org", "s"),
        lambda: store.restore("org", "s"),
    ):
        change()
        versions.append(store.version("org"))

    assert [after > before for before, after in pairwise(versions)] == [
        True,
        True,
        True,
        False,
        True,
        True,
    ]
    assert store.version("second") == 0


def test_a_set_that_is_compiled_anew_and_is_the_same_is_not_written_again(
    store: Store, path: Path
) -> None:
    reset(store, fixture_set(tax("f"), taxes=3))
    store.close()
    again = Store.open(KEYS, path)

    reset(again, fixture_set(tax("f"), taxes=3))
    reset(again, fixture_set(tax("f"), taxes=4))

    assert [sorted({"fixtures", "reset"} & each.keys()) for each in commits(path, 1)] == [
        ["reset"],
        ["fixtures"],
        ["reset"],
    ]
    again.close()
