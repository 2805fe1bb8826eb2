from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from tinydb import Query, TinyDB

from lago_mock.store.store import Store, StoreUnwritable
from tests.unit.store.stores import (
    KEYS,
    SECRETS,
    closed,
    codes,
    disk_full_at,
    everything,
    fixture_set,
    journal_of,
    killed,
    on_disk,
    put,
    reset,
    settle,
    tax,
)


def test_a_store_in_memory_has_nothing_to_compact() -> None:
    store = Store(KEYS)
    put(store, tax("a"))

    store.compact()

    assert store.about() == {
        "path": None,
        "file_bytes": 0,
        "journal_bytes": 0,
        "compacting": False,
    }


def test_a_compaction_brings_all_into_the_file(two: Store, path: Path) -> None:
    two.snapshot("first", "one")
    two.snapshot(None, "all")
    two.keep_secrets(SECRETS)
    assert two.about()["journal_bytes"] == journal_of(path).stat().st_size
    before = everything(two)

    two.compact()
    settle()

    assert two.about() == {
        "path": str(path),
        "file_bytes": path.stat().st_size,
        "journal_bytes": 0,
        "compacting": False,
    }
    put(two, tax("x"), owner="first")
    again = Store.open(KEYS, killed(two, path))
    assert codes(again, "first") == "ax"
    again.restore("first", "one")
    assert everything(again) == before
    assert again.secrets() == SECRETS
    again.close()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda store: put(store, tax("x"), owner="first"), id="commit"),
        pytest.param(lambda store: reset(store, fixture_set(tax("x")), "first"), id="reset"),
        pytest.param(lambda store: store.snapshot("first", "two"), id="snapshot"),
        pytest.param(lambda store: store.restore("first", "one"), id="restore"),
        pytest.param(lambda store: store.forget("first", "one"), id="forget"),
        pytest.param(lambda store: store.remove("second"), id="remove"),
        pytest.param(lambda store: store.keep_secrets(SECRETS), id="secrets"),
    ],
)
def test_a_change_that_sets_a_compaction_off_is_there_after_a_kill(
    path: Path, change: Callable[[Store], None]
) -> None:
    store = Store.open(KEYS, path, compact_bytes=10**6)
    reset(store, fixture_set(tax("a"), taxes=1), "first")
    reset(store, fixture_set(tax("b"), name="other"), "second")
    store.snapshot("first", "one")
    put(store, tax("w"), owner="first")
    copy = killed(store, path)
    store.close()
    for size in (1, 10**6):
        again = Store.open(KEYS, copy, compact_bytes=size)
        if size == 1:
            change(again)
            expected = everything(again), again.secrets()
            settle()
            copy = killed(again, copy)
        else:
            assert (everything(again), again.secrets()) == expected
        again.close()


def test_writes_while_the_file_is_written_are_in_the_next_journal(
    two: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, sync = threading.Event(), os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (gate.wait(10), sync(handle))[1])
    two.compact()
    assert two.about()["compacting"] is True

    put(two, tax("x"), owner="first")
    put(two, tax("a", rate=5), owner="first")
    two.snapshot(None, "while")
    two.remove("second")
    before = everything(two)
    early = Store.open(KEYS, killed(two, path))
    assert everything(early) == before
    gate.set()
    early.close()
    settle()

    late = Store.open(KEYS, killed(two, path))
    assert orjson.loads(path.read_bytes())["taxes:first"] == {"1": tax("a")}
    assert everything(late) == before
    late.close()


def test_a_compaction_that_the_disk_refuses_is_made_up_for(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store.open(KEYS, path, compact_bytes=2000)
    put(store, tax("a", text="x" * 2000))
    with disk_full_at(1500):
        put(store, tax("b"))
        settle()
    assert caplog.messages == [f"{path}: File too large: left to the journal"]
    assert sorted(on_disk(path.parent)) == [
        "lago-mock.json.journal.0",
        "lago-mock.json.journal.1",
    ]

    put(store, tax("c", text="x" * 1000))
    put(store, tax("d", text="x" * 1000))
    settle()
    assert not path.exists()
    put(store, tax("e"))
    settle()

    assert sorted(on_disk(path.parent)) == ["lago-mock.json", "lago-mock.json.journal.2"]
    for copy in (killed(store, path), closed(store, path)):
        again = Store.open(KEYS, copy)
        assert codes(again) == "abcde"
        again.close()


def test_a_compaction_whose_journal_the_disk_refuses_is_told(two: Store, path: Path) -> None:
    before = everything(two)

    with disk_full_at(10), pytest.raises(StoreUnwritable):
        two.compact()

    assert everything(two) == before
    put(two, tax("x"), owner="first")
    again = Store.open(KEYS, killed(two, path))
    assert codes(again, "first") == "ax"
    again.close()


def test_stock_tinydb_opens_a_file_with_snapshots(two: Store, path: Path) -> None:
    two.snapshot("first", "one")
    two.snapshot(None, "all")
    put(two, tax("x"), owner="first")
    two.close()

    with TinyDB(path) as database:
        assert database.tables() == {
            "lago_mock",
            "taxes:fixtures:demo",
            "taxes:fixtures:other",
            "organizations:first",
            "organizations:second",
            "taxes:first",
            "taxes:second",
            "organizations:snapshots:first:one:first",
            "taxes:snapshots:first:one:first",
            "organizations:snapshots::all:first",
            "organizations:snapshots::all:second",
            "taxes:snapshots::all:first",
            "taxes:snapshots::all:second",
        }
        assert database.table("taxes:first").all() == [tax("a"), tax("x")]
        assert database.table("taxes:snapshots:first:one:first").all() == [tax("a")]
        assert database.table("taxes:first").search(Query().code == "x") == [tax("x")]
        assert database.table("taxes:first").insert(tax("y")) == 3
        assert database.table("taxes:snapshots:first:one:first").insert(tax("z")) == 2

    again = Store.open(KEYS, path)
    assert codes(again, "first") == "axy"
    again.restore("first", "one")
    assert codes(again, "first") == "az"
    again.restore(None, "all")
    assert (codes(again, "first"), codes(again, "second")) == ("a", "b")
    again.close()


@pytest.mark.parametrize("durable", [True, False])
def test_a_durable_store_has_each_line_kept(
    path: Path, durable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, sync = [], os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda handle: synced.append(sync(handle)))
    store = Store.open(KEYS, path, durable=durable)

    counts = []
    for code in "abc":
        put(store, tax(code))
        counts.append(len(synced))
    store.snapshot("org", "one")
    counts.append(len(synced))

    assert counts == ([2, 3, 4, 5] if durable else [0, 0, 0, 0])
    store.close()
    monkeypatch.undo()
    again = Store.open(KEYS, path)
    assert codes(again) == "abc"
    again.close()
