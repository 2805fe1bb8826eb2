"""The rows of one organization as one operation sees them: its own writes at once, others never."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from sys import maxsize

from lago_mock.store.tables import OWNER, Collection, FrozenRow, Row, frozen, frozen_row


class View:
    """A staged view: what is put here is kept by `Store.commit`, and lost without it.

    Every row that comes out is the caller's own copy, but for what is only looked at.
    """

    def __init__(
        self,
        organization_id: str,
        collections: Mapping[str, Collection],
        sequences: Mapping[str, int],
        frozen: Callable[[bytes], FrozenRow] = frozen_row,
    ) -> None:
        self.organization_id = organization_id
        self._collections = collections
        self._sequences = sequences
        self._frozen = frozen
        self.rows: dict[str, dict[int, Row]] = {}
        self.sequences: dict[str, int] = {}
        self.erased: dict[str, list[int]] = {}

    def find(self, collection: str, key: str) -> Row | None:
        """Return the live row with this natural key."""
        field = self._collections[collection].key
        for row in self._staged(collection).values():
            if row[field] == key and "deleted_at" not in row:
                return deepcopy(row)
        return self._stored(collection, self._collections[collection].find(key))

    def get(self, collection: str, lago_id: str) -> Row | None:
        """Return the live row with this id."""
        for row in self._staged(collection).values():
            if row["lago_id"] == lago_id and "deleted_at" not in row:
                return deepcopy(row)
        return self._stored(collection, self._collections[collection].number_of(lago_id))

    def look(self, collection: str, lago_id: str) -> FrozenRow | None:
        """Return the live row with this id to look at, which costs less than a copy of it."""
        if collection in self.rows:
            return _frozen(self.get(collection, lago_id))
        return self._look_at(collection, self._collections[collection].number_of(lago_id))

    def look_for(self, collection: str, key: str) -> FrozenRow | None:
        """Return the live row with this natural key to look at."""
        if collection in self.rows:
            return _frozen(self.find(collection, key))
        return self._look_at(collection, self._collections[collection].find(key))

    def _look_at(self, collection: str, number: int | None) -> FrozenRow | None:
        if number is None:
            return None
        return self._frozen(self._collections[collection].encoded(number))

    def _staged(self, collection: str) -> Mapping[int, Row]:
        return self.rows.get(collection, {})

    def _stored(self, collection: str, number: int | None) -> Row | None:
        if number is None or number in self._staged(collection):
            return None
        return self._collections[collection].read(number)

    def put(self, collection: str, row: Row) -> None:
        """Insert a row, or replace the one with its `lago_id`, whole."""
        self.rows.setdefault(collection, {})[self._number(collection, row["lago_id"])] = row

    def _number(self, collection: str, lago_id: str) -> int:
        stored = self._collections[collection].number_of(lago_id)
        if stored is not None:
            return stored
        following = self._collections[collection].next_number()
        for number, row in self._staged(collection).items():
            if row["lago_id"] == lago_id:
                return number
            following = max(following, number + 1)
        return following

    def discard(self, collection: str, row: Row, deleted_at: str) -> None:
        """Delete a row softly: it stays in the file, and its natural key is free again."""
        self.put(collection, {**row, "deleted_at": deleted_at})

    def erase(self, collection: str, lago_id: str) -> None:
        """Remove a stored row for good, and its number with it; nothing when there is none."""
        number = self._collections[collection].number_of(lago_id)
        if number is not None:
            self.erased.setdefault(collection, []).append(number)

    def next_in_sequence(self, name: str) -> int:
        """Return the next number of a sequence, from 1; a number is used up by the commit alone."""
        number = self.sequences.get(name, self._sequences.get(name, 0)) + 1
        self.sequences[name] = number
        return number

    def count(self, collection: str, owner: str | None = None) -> int:
        """Count the live rows, those of a customer where one is named."""
        if owner is not None:
            return len(self._owned(collection, owner))
        if self._staged(collection):
            return sum(1 for _ in self._live(collection))
        return self._collections[collection].live_count()

    def newest_first(
        self, collection: str, start: int = 0, stop: int = maxsize, owner: str | None = None
    ) -> list[Row]:
        """Return live rows `start` to `stop`, of all or of a customer, the last inserted first."""
        if owner is not None:
            numbers = self._owned(collection, owner)[::-1][start:stop]
        elif self._staged(collection):
            numbers = sorted(self._live(collection), reverse=True)[start:stop]
        else:
            numbers = self._collections[collection].newest(start, stop)
        return [self._row(collection, number) for number in numbers]

    def search(
        self, collection: str, matches: Callable[[Row], bool], owner: str | None = None
    ) -> list[Row]:
        """Return the live rows that a test, or a TinyDB query, matches, the newest first."""
        if owner is not None or self._staged(collection):
            return [row for row in self.newest_first(collection, owner=owner) if matches(row)]
        return self._collections[collection].matching(matches)

    def _owned(self, collection: str, owner: str) -> list[int]:
        """Return the numbers of the live rows of a customer, the first inserted first."""
        if self._staged(collection):
            live = sorted(self._live(collection))
            return [each for each in live if self._row(collection, each)[OWNER] == owner]
        return self._collections[collection].owned(owner)

    def oldest_first(self, collection: str) -> Iterator[Row]:
        """Yield all live rows, the first inserted first."""
        return (self._row(collection, number) for number in sorted(self._live(collection)))

    def _row(self, collection: str, number: int) -> Row:
        staged = self._staged(collection).get(number)
        return deepcopy(staged) if staged else self._collections[collection].read(number)

    def _live(self, collection: str) -> Iterator[int]:
        staged = self._staged(collection)
        for number in self._collections[collection].live():
            if number not in staged:
                yield number
        for number, row in staged.items():
            if "deleted_at" not in row:
                yield number


def _frozen(row: Row | None) -> FrozenRow | None:
    look: FrozenRow | None = frozen(row)
    return look
