"""Pages: what a snapshot shares with what goes on changing, and only what changes is copied."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

ROWS_A_PAGE = 256
_BUCKETS = 512

Page = TypeVar("Page")


class Pages(dict[int, Page]):
    """Pages by number, as they were begun, each copied before its first change since `share`.

    What is read is found as in any dict; what is written to comes from `mine`.
    """

    def __init__(self, new: Callable[[], Page], copy: Callable[[Page], Page]) -> None:
        super().__init__()
        self._new = new
        self._copy = copy
        self._own: set[int] = set()

    def mine(self, number: int) -> Page:
        """Return a page to write to: nobody else sees it."""
        if number not in self._own:
            before = self.get(number)
            self[number] = self._new() if before is None else self._copy(before)
            self._own.add(number)
        return self[number]

    def drop(self, number: int) -> None:
        """Let a page go."""
        del self[number]
        self._own.discard(number)

    def share(self) -> Mapping[int, Page]:
        """Return the pages as they are now; none of them changes from here on."""
        self._own.clear()
        return dict(self)

    def restore(self, shared: Mapping[int, Page]) -> list[Page]:
        """Take shared pages instead of the present ones; returns these, for the caller to drop."""
        before = list(self.values())
        self.clear()
        self.update(shared)
        self._own.clear()
        return before


class Index:
    """Numbers by key, in buckets."""

    def __init__(self) -> None:
        self.pages: Pages[dict[str, int]] = Pages(dict, dict.copy)

    def get(self, key: str) -> int | None:
        """Return the number of a key."""
        bucket = self.pages.get(hash(key) % _BUCKETS)
        return bucket.get(key) if bucket else None

    def put(self, key: str, number: int) -> None:
        """Set the number of a key."""
        self.pages.mine(hash(key) % _BUCKETS)[key] = number

    def drop(self, key: str) -> None:
        """Forget a key that is there."""
        del self.pages.mine(hash(key) % _BUCKETS)[key]


class OwnerIndex:
    """Numbers by the owner that they share, the oldest first, in buckets."""

    def __init__(self) -> None:
        self.pages: Pages[dict[str, list[int]]] = Pages(dict, _copied)

    def get(self, owner: str) -> list[int]:
        """Return the numbers of an owner, not to be changed."""
        bucket = self.pages.get(hash(owner) % _BUCKETS)
        return bucket.get(owner, []) if bucket else []

    def put(self, owner: str, number: int) -> None:
        """Give an owner a number that it has not."""
        insort(self.pages.mine(hash(owner) % _BUCKETS).setdefault(owner, []), number)

    def drop(self, owner: str, number: int) -> None:
        """Take a number from its owner."""
        self.pages.mine(hash(owner) % _BUCKETS)[owner].remove(number)


def _copied(bucket: dict[str, list[int]]) -> dict[str, list[int]]:
    return {owner: numbers.copy() for owner, numbers in bucket.items()}


@dataclass
class RowPage:
    """Rows by number, and the numbers of those that are live, the oldest first."""

    rows: dict[int, bytes] = field(default_factory=dict)
    live: list[int] = field(default_factory=list)

    def copy(self) -> RowPage:
        """Return a page that changes by itself."""
        return RowPage(dict(self.rows), list(self.live))


class RowPages:
    """Encoded rows by number. Numbers only grow, so pages follow each other as their rows do."""

    def __init__(self) -> None:
        self.pages: Pages[RowPage] = Pages(RowPage, RowPage.copy)

    def __getitem__(self, number: int) -> bytes:
        return self.pages.get(number // ROWS_A_PAGE, _EMPTY).rows[number]

    def __contains__(self, number: int) -> bool:
        return number in self.pages.get(number // ROWS_A_PAGE, _EMPTY).rows

    def __iter__(self) -> Iterator[int]:
        return (number for page in self.pages.values() for number in page.rows)

    def put(self, number: int, encoded: bytes, *, live: bool) -> None:
        """Insert a row or replace it; one that is no longer live is never live again."""
        page = self.pages.mine(number // ROWS_A_PAGE)
        if live and number not in page.rows:
            page.live.append(number)
        elif not live and number in page.live:
            page.live.remove(number)
        page.rows[number] = encoded

    def drop(self, number: int) -> None:
        """Remove a row, and its page when that was the last one."""
        page = self.pages.mine(number // ROWS_A_PAGE)
        del page.rows[number]
        if number in page.live:
            page.live.remove(number)
        if not page.rows:
            self.pages.drop(number // ROWS_A_PAGE)

    def newest(self, start: int, stop: int) -> list[int]:
        """Return the numbers of live rows `start` to `stop`, counted from the newest.

        Rows before `start` cost nothing but one look at each page.
        """
        found: list[int] = []
        before = 0
        for page in reversed(self.pages.values()):
            count = len(page.live)
            if before + count > start:
                first, last = max(count - (stop - before), 0), count - max(start - before, 0)
                found += reversed(page.live[first:last])
            before += count
            if before >= stop:
                break
        return found

    def live(self) -> Iterator[int]:
        """Yield the numbers of the live rows, the oldest first."""
        return (number for page in self.pages.values() for number in page.live)


_EMPTY = RowPage()
