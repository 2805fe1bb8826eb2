"""The rows and sequences of one organization, and what can be taken of them and given back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import orjson

from lago_mock.store.pages import RowPage
from lago_mock.store.tables import (
    Collection,
    Frozen,
    Row,
    RowDatabase,
    encoded_row,
    frozen_row,
)
from lago_mock.store.view import View
from lago_mock.wire import JSONObject

_NOTHING: Final = Frozen()

_LOOKS: Final = 32
"""How many rows are kept decoded for an organization."""

NONE: Final[Mapping[str, list[int]]] = MappingProxyType({})

Rows = Mapping[str, Mapping[int, Row]]
"""Rows by collection, or table, and number."""

Encoded = Mapping[str, Mapping[int, tuple[bytes, Row]]]
"""Rows by collection and number, each as JSON and as it was before."""


@dataclass(frozen=True)
class State:
    """Rows by collection and sequences at one moment; taken and given back at no row's cost."""

    collections: Mapping[str, Frozen] = field(default_factory=dict)
    sequences: Mapping[str, int] = field(default_factory=dict)

    def pages(self) -> Iterator[tuple[str, Iterable[RowPage]]]:
        """Yield the pages of each collection that has rows."""
        for name, frozen in self.collections.items():
            if frozen.rows:
                yield name, frozen.rows.values()

    def held(self) -> Iterator[object]:
        """Yield every page that is held here, of rows and of indexes."""
        for frozen in self.collections.values():
            yield from frozen.rows.values()
            yield from frozen.by_key.values()
            yield from frozen.by_id.values()
            yield from frozen.by_owner.values()

    def content(self) -> tuple[Mapping[str, Mapping[int, bytes]], Mapping[str, int]]:
        """Return all rows and sequences, to compare two states by."""
        rows = {name: dict(each.encoded()) for name, each in self.collections.items() if each.rows}
        return rows, self.sequences

    def without(self, collection: str) -> State:
        """Return the same state but for one collection."""
        rest = {name: each for name, each in self.collections.items() if name != collection}
        return State(rest, self.sequences)

    def lines(self) -> JSONObject:
        """Return rows and sequences as a journal line has them."""
        rows = {name: fragments(frozen.encoded()) for name, frozen in self.collections.items()}
        return {"rows": rows, "sequences": dict(self.sequences)}


@dataclass(frozen=True)
class FixtureRows:
    """The rows that a fixture set made, ready to be given to any organization.

    No row of it names an organization, so all that are made from it share these pages.
    """

    name: str
    state: State = field(default_factory=State)

    def row(self, collection: str, number: int) -> Row:
        """Return one row, the caller's own copy."""
        return self.state.collections[collection].row(number)

    def counts(self) -> dict[str, int]:
        """Return the number of live rows of each collection that has any."""
        collections = self.state.collections.items()
        return {name: frozen.live for name, frozen in collections if frozen.live}


class OrganizationRows:
    """The collections and sequences of one organization; `version` grows with each change."""

    def __init__(self, organization_id: str, keys: Mapping[str, str]) -> None:
        self.id = organization_id
        self.version = 0
        self._sequences: dict[str, int] = {}
        # Of the same bytes, which change with the row: what nearly every answer shows is there.
        self._frozen = lru_cache(_LOOKS)(frozen_row)
        database = RowDatabase()
        self._collections: dict[str, Collection] = {
            name: database.collection(f"{name}:{organization_id}", key)
            for name, key in keys.items()
        }

    def view(self) -> View:
        """Return a staged view of these rows."""
        return View(self.id, self._collections, self._sequences, self._frozen)

    def extent(self) -> int:
        """Return a number that grows with each row that is inserted, and never falls back."""
        return sum(collection.next_number() for collection in self._collections.values())

    def own_row(self) -> Row | None:
        """Return the organization's own row; None before its first commit."""
        own = self._collections["organizations"]
        return next(map(own.read, own.live()), None)

    def apply(
        self, rows: Encoded, sequences: Mapping[str, int], erased: Mapping[str, list[int]] = NONE
    ) -> None:
        """Write rows and sequences of one commit, and remove what it erases."""
        self.version += 1
        for name, numbers in erased.items():
            for number in numbers:
                self._collections[name].erase(number)
        for name, changed in rows.items():
            for number, (encoded, row) in sorted(changed.items()):
                self._collections[name].write(number, encoded, row)
        self._sequences.update(sequences)

    def freeze(self) -> State:
        """Return what is here now."""
        frozen = {name: each.freeze() for name, each in self._collections.items()}
        return State(frozen, dict(self._sequences))

    def restore(self, state: State) -> list[object]:
        """Take a state instead; returns the pages that were held, to be let go."""
        held: list[object] = []
        for name, collection in self._collections.items():
            held += collection.restore(state.collections.get(name, _NOTHING))
        self._sequences.clear()
        self._sequences.update(state.sequences)
        self.version += 1
        return held


def encoded(rows: Rows) -> Encoded:
    """Return rows with the JSON that they are kept as."""
    return {
        name: {number: (encoded_row(row), row) for number, row in changed.items()}
        for name, changed in rows.items()
    }


def lines(rows: Encoded, sequences: Mapping[str, int]) -> JSONObject:
    """Return rows and sequences as a journal line has them."""
    changed = {
        name: fragments((number, encoded) for number, (encoded, _) in each.items())
        for name, each in rows.items()
    }
    return {"rows": changed, "sequences": sequences}


def numbered(rows: JSONObject) -> Rows:
    """Return rows that JSON has under their numbers as text."""
    return {name: {int(number): row for number, row in each.items()} for name, each in rows.items()}


def fragments(rows: Iterable[tuple[int, bytes]]) -> JSONObject:
    """Return encoded rows as a table that orjson writes without looking into them."""
    return {str(number): orjson.Fragment(row) for number, row in rows}
