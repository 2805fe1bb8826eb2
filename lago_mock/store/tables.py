"""TinyDB behind its own seams: a table that lives in memory, and a storage that never rewrites.

The only module that knows TinyDB. Stock TinyDB rebuilds a table at each write and walks it at each
read; here rows are kept as trimmed JSON, decoded when read, and found through indexes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import orjson
from tinydb import Query, TinyDB
from tinydb.storages import Storage
from tinydb.table import Table

from lago_mock.store.pages import ROWS_A_PAGE, Index, OwnerIndex, RowPage, RowPages
from lago_mock.wire import JSONObject, copied

Row = JSONObject

_WIDE: Final = b" "
"""Begins a row with a whole number over 64 bits, which orjson would round."""

OWNER: Final = "customer_id"
"""The column of rows that belong to a customer, and are found by it too."""

FrozenRow = Mapping[str, Any]
"""A row to look at: nobody can change it, at no depth."""


@dataclass(frozen=True)
class Frozen:
    """The content of a collection at one moment, shared by all that hold it, changed by none."""

    rows: Mapping[int, RowPage] = field(default_factory=dict)
    by_key: Mapping[int, dict[str, int]] = field(default_factory=dict)
    by_id: Mapping[int, dict[str, int]] = field(default_factory=dict)
    by_owner: Mapping[int, dict[str, list[int]]] = field(default_factory=dict)
    next: int = 1
    live: int = 0

    def encoded(self) -> Iterator[tuple[int, bytes]]:
        """Yield all rows, discarded ones too, as number and JSON."""
        return (each for page in self.rows.values() for each in page.rows.items())

    def live_rows(self) -> Iterator[Row]:
        """Yield the live rows, each the caller's own copy; the oldest first."""
        for page in self.rows.values():
            for number in page.live:
                yield decoded_row(page.rows[number])

    def row(self, number: int) -> Row:
        """Return one row, the caller's own copy."""
        return decoded_row(self.rows[number // ROWS_A_PAGE].rows[number])


class Collection(Table):
    """A TinyDB table: the rows of one resource in one organization, and the indexes to find them.

    Numbers grow with each insertion. A discarded row stays, with its `deleted_at`, but frees its
    natural key and is found by nothing.
    """

    def __init__(self, storage: Storage, name: str, key: str) -> None:
        # A cached result would be shared with the caller that changes it.
        super().__init__(storage, name, cache_size=0)
        self.key = key
        self._rows = RowPages()
        self._by_key = Index()
        self._by_id = Index()
        self._by_owner = OwnerIndex()
        self._live = 0
        self._next = 1

    def _read_table(self) -> Any:
        return _Decoded(self)

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        """Let TinyDB's own methods change the rows, at the price that they have in TinyDB."""
        before = {number: self.read(number) for number in self.numbers()}
        after = {number: dict(row) for number, row in before.items()}
        updater(after)
        for number in before.keys() - after.keys():
            self.erase(number)
        for number, row in after.items():
            if row != before.get(number):
                self.write(number, encoded_row(row), dict(row))

    def _get_next_id(self) -> int:
        self._next += 1  # TinyDB's own count knows nothing of `write`
        return self._next - 1

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of all rows, discarded ones too, the oldest first."""
        return iter(self._rows)

    def load(self, rows: Mapping[int, Row]) -> None:
        """Hold these rows and no others."""
        self.restore(Frozen())
        for number in sorted(rows):
            self.write(number, encoded_row(rows[number]), rows[number])

    def freeze(self) -> Frozen:
        """Return the content as it is now; it costs a look at each page, and no row is copied."""
        return Frozen(
            self._rows.pages.share(),
            self._by_key.pages.share(),
            self._by_id.pages.share(),
            self._by_owner.pages.share(),
            self._next,
            self._live,
        )

    def restore(self, frozen: Frozen) -> list[object]:
        """Hold a frozen content instead; returns the pages that were held, to be let go."""
        if self._next == frozen.next == 1:
            return []  # neither ever had a row, as with most collections of most organizations
        self._next, self._live = frozen.next, frozen.live
        return [
            *self._rows.pages.restore(frozen.rows),
            *self._by_key.pages.restore(frozen.by_key),
            *self._by_id.pages.restore(frozen.by_id),
            *self._by_owner.pages.restore(frozen.by_owner),
        ]

    def write(self, number: int, encoded: bytes, row: Row) -> None:
        """Insert a row or replace it whole, and bring the indexes up to date.

        A row keeps its number and its `lago_id` for life, and a discarded row is never revived.
        """
        live = "deleted_at" not in row
        if number in self._rows:
            self._forget(number, self.read(number))
            self._live -= 1
        if live:
            self._by_key.put(row[self.key], number)
            self._by_id.put(row["lago_id"], number)
            if OWNER in row:
                self._by_owner.put(row[OWNER], number)
            self._live += 1
        self._rows.put(number, encoded, live=live)
        self._next = max(self._next, number + 1)

    def erase(self, number: int) -> None:
        """Remove a row for good, as TinyDB does; of what the API shows it only ever discards."""
        before = self.read(number)
        if "deleted_at" not in before:
            self._forget(number, before)
            self._live -= 1
        self._rows.drop(number)

    def _forget(self, number: int, before: Row) -> None:
        if self._by_key.get(before[self.key]) == number:  # else a row of the same commit has it now
            self._by_key.drop(before[self.key])
        self._by_id.drop(before["lago_id"])
        if OWNER in before:
            self._by_owner.drop(before[OWNER], number)

    def next_number(self) -> int:
        """Return the number that the next new row gets."""
        return self._next

    def number_of(self, lago_id: str) -> int | None:
        """Return the number of a live row."""
        return self._by_id.get(lago_id)

    def owned(self, owner: str) -> list[int]:
        """Return the numbers of the live rows of an owner, the oldest first, not to be changed."""
        return self._by_owner.get(owner)

    def find(self, key: str) -> int | None:
        """Return the number of the live row with this natural key."""
        return self._by_key.get(key)

    def read(self, number: int) -> Row:
        """Return a row, the caller's own copy."""
        return decoded_row(self._rows[number])

    def encoded(self, number: int) -> bytes:
        """Return a row as JSON."""
        return self._rows[number]

    def live_count(self) -> int:
        """Count the live rows."""
        return self._live

    def newest(self, start: int, stop: int) -> list[int]:
        """Return the numbers of live rows `start` to `stop`, counted from the newest."""
        return self._rows.newest(start, stop)

    def live(self) -> Iterator[int]:
        """Yield the numbers of the live rows, the oldest first."""
        return self._rows.live()

    def matching(self, matches: Callable[[Row], bool]) -> list[Row]:
        """Return the live rows that a test, or a TinyDB query, matches, the newest first."""
        found = self.search(lambda row: "deleted_at" not in row and matches(dict(row)))
        return [dict(row) for row in reversed(found)]


class _Decoded(Mapping[str, Row]):
    """What TinyDB's methods see: rows by number, decoded at each look, so nobody shares one."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def __getitem__(self, number: str) -> Row:
        return self._collection.read(int(number))

    def __iter__(self) -> Iterator[str]:
        return map(str, self._collection.numbers())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def having(**columns: Any) -> Callable[[Row], bool]:
    """Return the TinyDB query of the rows that have these values in these columns."""
    query: Callable[[Row], bool] = Query().fragment(columns)
    return query


def encoded_row(row: Row) -> bytes:
    """Return a row as the JSON that it is kept as."""
    try:
        return copied(orjson.dumps(row))
    except TypeError:  # a whole number over 64 bits, in a value that is kept as it was sent
        return _WIDE + json.dumps(row).encode()


def decoded_row(encoded: bytes) -> Row:
    """Return the row that JSON of `encoded_row` holds, the caller's own."""
    row: Row = json.loads(encoded) if encoded.startswith(_WIDE) else orjson.loads(encoded)
    return row


def frozen_row(encoded: bytes) -> FrozenRow:
    """Return a row to look at."""
    row: FrozenRow = frozen(decoded_row(encoded))
    return row


def frozen(value: Any) -> Any:
    """Return a value of JSON that nobody can change: lists are tuples in it."""
    if isinstance(value, dict):
        return MappingProxyType({key: frozen(member) for key, member in value.items()})
    return tuple(map(frozen, value)) if isinstance(value, list) else value


class NoStorage(Storage):
    """TinyDB's storage seam, left empty: `file.StoreFile` writes the file, in its own time."""

    def read(self) -> None:
        """Return nothing: tables hold their rows themselves."""

    def write(self, data: Mapping[str, Any]) -> None:
        """Write nothing."""


class RowDatabase(TinyDB):
    """A TinyDB database of `Collection`s."""

    table_class = Collection  # type: ignore[assignment]  # TinyDB declares it too narrowly

    def __init__(self) -> None:
        super().__init__(storage=NoStorage)

    def collection(self, name: str, key: str) -> Collection:
        """Return a new, empty collection that is the table of this name."""
        table = self.table(name, key=key)
        assert isinstance(table, Collection)
        return table
