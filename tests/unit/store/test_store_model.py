from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lago_mock.store.store import Store
from lago_mock.store.view import View
from tests.unit.store.stores import (
    KEYS,
    Row,
    Survival,
    closed,
    fixture_set,
    killed,
    organizations,
    reset,
    settle,
    tax,
)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *["put", "put", "discard", "commit", "commit", "abandon", "number", "reset"],
                *["snapshot", "restore", "forget", "snapshot all", "restore all", "forget all"],
                *["remove", "compact", "settle", "closed", "killed"],
            ]
        ),
        st.sampled_from("abcd"),
        st.sampled_from(["org", "org", "second"]),
    ),
    max_size=50,
)

Content = dict[str, tuple[list[Row], int]]


class Model:
    """What a store is to its users: organizations with a list of rows and a number."""

    def __init__(self) -> None:
        self.kept: Content = {}
        self.snapshots: dict[tuple[str | None, str], Content] = {}

    def copy(self, owner: str) -> tuple[list[Row], int]:
        rows, number = self.kept.get(owner, ([], 0))
        return list(rows), number

    def restore(self, scope: str | None, name: str) -> None:
        snapshot = self.snapshots[scope, name]
        for stranger in self.kept.keys() - snapshot.keys() if scope is None else ():
            self.remove(stranger)
        self.kept = dict(snapshot) if scope is None else {**self.kept, **snapshot}

    def forget(self, scope: str | None, name: str) -> None:
        del self.snapshots[scope, name]

    def remove(self, owner: str) -> None:
        del self.kept[owner]
        self.snapshots = {at: each for at, each in self.snapshots.items() if at[0] != owner}


class Players:
    """A store and a model to which the same is done; one view is under way."""

    def __init__(self, path: Path, compact_bytes: int) -> None:
        self.path = path
        self.compact_bytes = compact_bytes
        self.model = Model()
        self.store = Store.open(KEYS, path, compact_bytes=compact_bytes)
        self.begin("org")

    def begin(self, owner: str) -> None:
        """Take a view of an organization, which is made where there is none."""
        if owner not in self.model.kept:
            reset(self.store, fixture_set(name="empty"), owner)
            self.model.kept[owner] = ([], 0)
        self.owner, self.view = owner, self.store.view(owner)
        self.rows, self.number = self.model.copy(owner)

    def play(self, index: int, step: str, code: str, owner: str) -> None:
        if step == "put":
            self.put(code, index)
        elif step == "discard":
            self.discard(code)
        elif step == "number":
            self.number += 1
            assert self.view.next_in_sequence("taxes") == self.number
        else:
            self.finish(index, step, code, owner)
            self.begin(owner)
        assert list(self.view.oldest_first("taxes")) == self.rows
        assert self.view.newest_first("taxes") == self.rows[::-1]
        assert self.view.newest_first("taxes", 1, 3) == self.rows[::-1][1:3]
        assert self.view.count("taxes") == len(self.rows)

    def put(self, code: str, index: int) -> None:
        old = self.view.find("taxes", code)
        row = tax(code, old["lago_id"] if old else f"{code}{index}", step=index)
        self.view.put("taxes", row)
        if old:
            self.rows[self.rows.index(old)] = row
        else:
            self.rows.append(row)

    def discard(self, code: str) -> None:
        if (row := self.view.find("taxes", code)) is not None:
            self.view.discard("taxes", row, "now")
            self.rows.remove(row)

    def finish(self, index: int, step: str, code: str, owner: str) -> None:
        """Do what ends the view that is under way."""
        if step == "commit":
            self.store.commit(self.view)
            self.model.kept[self.owner] = (self.rows, self.number)
        elif step == "reset":
            reset(self.store, fixture_set(tax(code), name=code, taxes=index), owner)
            self.model.kept[owner] = ([tax(code)], index)
        elif step == "compact":
            self.store.compact()
        elif step == "settle":
            settle()
        elif step in ("closed", "killed"):
            self.survive(killed if step == "killed" else closed)
        else:
            self.snap(step, code, owner)

    def snap(self, step: str, code: str, owner: str) -> None:
        """Take a snapshot, or do what takes rows or snapshots away."""
        model, store = self.model, self.store
        name, _, whole = step.partition(" ")
        scope = None if whole else owner
        if name == "snapshot":
            self.begin(owner)
            store.snapshot(scope, code)
            kept = model.kept if scope is None else {owner: model.kept[owner]}
            model.snapshots[scope, code] = dict(kept)
        elif name in ("restore", "forget") and (scope, code) in model.snapshots:
            getattr(store, name)(scope, code)
            getattr(model, name)(scope, code)
        elif step == "remove" and owner in model.kept:
            store.remove(owner)
            model.remove(owner)

    def survive(self, way: Survival) -> None:
        path = way(self.store, self.path)
        self.store.close()
        self.store, self.path = Store.open(KEYS, path, compact_bytes=self.compact_bytes), path

    def check(self) -> None:
        """Hold the store to all that is in the model."""
        kept = {owner: self.content(self.store.view(owner)) for owner in self.model.kept}
        assert kept == self.model.kept
        assert organizations(self.store).split() == list(self.model.kept)
        taken = {
            (scope, name): list(snapshot)
            for scope in (None, "org", "second")
            for name, snapshot in self.store.snapshots(scope).items()
        }
        assert taken == {place: list(each) for place, each in self.model.snapshots.items()}

    def content(self, view: View) -> tuple[list[Row], int]:
        rows = list(view.oldest_first("taxes"))
        assert [view.find("taxes", row["code"]) for row in rows] == rows
        assert [view.get("taxes", row["lago_id"]) for row in rows] == rows
        return rows, view.next_in_sequence("taxes") - 1


@settings(max_examples=40, deadline=None)
@given(
    steps=STEPS,
    way=st.sampled_from([closed, killed]),
    compact_bytes=st.sampled_from([1, 1500, 10**6]),
)
def test_a_store_is_what_a_list_is_whatever_is_done_to_it(
    steps: list[tuple[str, str, str]], way: Survival, compact_bytes: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        players = Players(Path(folder) / "lago-mock.json", compact_bytes)
        try:
            for index, step in enumerate(steps):
                players.play(index, *step)
            players.check()
            players.survive(way)
            players.check()
        finally:
            players.store.close()
