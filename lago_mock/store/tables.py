"""TinyDB behind its own seams: a table that lives in memory, and a storage that never rewrites.

The only module that knows TinyDB. Stock TinyDB rebuilds a table at each write and walks it at each
read; here rows are kept as trimmed JSON, decoded when read, and found through indexes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import orjson
from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Table

from lago_mock.store.file import copied
from lago_mock.wire import JSONObject

Row = JSONObject


class _Rows(MutableMapping[int, Mapping[str, Any]]):
    """What TinyDB's methods see: rows by number, decoded at each look, so nobody shares one."""

    def __init__(self, encoded: dict[int, bytes]) -> None:
        self._encoded = encoded

    def __getitem__(self, number: int) -> Row:
        row: Row = orjson.loads(self._encoded[int(number)])
        return row

    def __setitem__(self, number: int, row: Mapping[str, Any]) -> None:
        self._encoded[number] = copied(orjson.dumps(row))

    def __delitem__(self, number: int) -> None:
        del self._encoded[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)


class RowTable(Table):
    """A TinyDB table whose rows live in memory; `encoded` is number -> JSON."""

    def __init__(self, storage: Storage, name: str, **options: Any) -> None:
        self.encoded: dict[int, bytes] = {}
        options["cache_size"] = 0  # a cached result would be shared with the caller that changes it
        super().__init__(storage, name, **options)

    def _read_table(self) -> Any:
        return _Rows(self.encoded)

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        updater(_Rows(self.encoded))


class NoStorage(Storage):
    """TinyDB's storage seam, left empty: `file.StoreFile` writes the file, in its own time."""

    def read(self) -> None:
        """Return nothing: tables hold their rows themselves."""

    def write(self, data: Mapping[str, Any]) -> None:
        """Write nothing."""


class RowDatabase(TinyDB):
    """A TinyDB database of `RowTable`s."""

    table_class = RowTable  # type: ignore[assignment]  # TinyDB declares it too narrowly

    def __init__(self) -> None:
        super().__init__(storage=NoStorage)

    def collection(self, name: str, key: str) -> Collection:
        """Return a new, empty collection whose rows stand in the table of this name."""
        table = self.table(name)
        assert isinstance(table, RowTable)
        return Collection(table, key)


class Collection:
    """The rows of one resource in one organization, with the indexes to find them.

    Numbers grow with each insertion. A discarded row stays, with its `deleted_at`, but frees its
    natural key and is found by nothing.
    """

    def __init__(self, table: RowTable, key: str) -> None:
        self.table = table
        self.key = key
        self._live: list[int] = []
        self._by_key: dict[str, int] = {}
        self._by_id: dict[str, int] = {}
        self._next = 1

    def load(self, encoded: Mapping[int, bytes]) -> None:
        """Hold these rows and no others."""
        self.table.encoded = {}
        self._live, self._by_key, self._by_id = [], {}, {}
        self._next = 1
        for number in sorted(encoded):
            self.write(number, encoded[number], orjson.loads(encoded[number]))

    def write(self, number: int, encoded: bytes, row: Row) -> None:
        """Insert a row or replace it whole, and bring the indexes up to date.

        A row keeps its number and its `lago_id` for life, and a discarded row is never revived.
        """
        if number in self.table.encoded:
            self._forget(number)
        self.table.encoded[number] = encoded
        if "deleted_at" not in row:
            self._by_key[row[self.key]] = number
            self._by_id[row["lago_id"]] = number
        if number >= self._next:
            self._next = number + 1
            if "deleted_at" not in row:
                self._live.append(number)
        elif "deleted_at" in row:
            del self._live[bisect_left(self._live, number)]

    def _forget(self, number: int) -> None:
        before = self.read(number)
        if self._by_key[before[self.key]] == number:  # else a row of the same commit has it now
            del self._by_key[before[self.key]]
        del self._by_id[before["lago_id"]]

    def next_number(self) -> int:
        """Return the number that the next new row gets."""
        return self._next

    def number_of(self, lago_id: str) -> int | None:
        """Return the number of a live row."""
        return self._by_id.get(lago_id)

    def find(self, key: str) -> int | None:
        """Return the number of the live row with this natural key."""
        return self._by_key.get(key)

    def read(self, number: int) -> Row:
        """Return a row, the caller's own copy."""
        row: Row = orjson.loads(self.table.encoded[number])
        return row

    def live(self) -> Sequence[int]:
        """Return the numbers of the live rows, oldest first."""
        return self._live

    def search(self, matches: Callable[[Row], bool]) -> list[Row]:
        """Return the live rows that a test, or a TinyDB query, matches, the newest first."""
        found = self.table.search(lambda row: "deleted_at" not in row and matches(dict(row)))
        return [dict(row) for row in reversed(found)]
