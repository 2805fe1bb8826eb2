"""Pages: what a snapshot shares with what goes on changing, and only what changes is copied."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Mapping, ValuesView
from dataclasses import dataclass, field
from typing import Generic, TypeVar

ROWS_A_PAGE = 256
_BUCKETS = 512

Page = TypeVar("Page")


class Pages(Generic[Page]):
    """Pages by number, each copied before its first change since the last `share`."""

    def __init__(self, new: Callable[[], Page], copy: Callable[[Page], Page]) -> None:
        self._new = new
        self._copy = copy
        self._pages: dict[int, Page] = {}
        self._own: set[int] = set()

    def get(self, number: int) -> Page | None:
        """Return a page to read from, None where nothing was ever written."""
        return self._pages.get(number)

    def mine(self, number: int) -> Page:
        """Return a page to write to: nobody else sees it."""
        if number not in self._own:
            before = self._pages.get(number)
            self._pages[number] = self._new() if before is None else self._copy(before)
            self._own.add(number)
        return self._pages[number]

    def drop(self, number: int) -> None:
        """Let a page go."""
        del self._pages[number]
        self._own.discard(number)

    def all(self) -> ValuesView[Page]:
        """Return the pages in the order in which they were begun."""
        return self._pages.values()

    def newest_first(self) -> Iterator[Page]:
        """Yield the pages, the last begun first."""
        return reversed(self._pages.values())

    def share(self) -> Mapping[int, Page]:
        """Return the pages as they are now; none of them changes from here on."""
        self._own.clear()
        return dict(self._pages)

    def restore(self, shared: Mapping[int, Page]) -> list[Page]:
        """Take shared pages instead of the present ones; returns these, for the caller to drop."""
        before = list(self._pages.values())
        self._pages = dict(shared)
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
        return self._page(number).rows[number]

    def __contains__(self, number: int) -> bool:
        return number in self._page(number).rows

    def __iter__(self) -> Iterator[int]:
        return (number for page in self.pages.all() for number in page.rows)

    def _page(self, number: int) -> RowPage:
        return self.pages.get(number // ROWS_A_PAGE) or _EMPTY

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
        for page in self.pages.newest_first():
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
        return (number for page in self.pages.all() for number in page.live)


_EMPTY = RowPage()
