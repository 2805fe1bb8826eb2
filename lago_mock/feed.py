"""Tells readers of each request as it comes and as it is answered, and never waits for them."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

MAX_QUEUED: Final = 1000

MAX_QUEUED_BYTES: Final = 8 * 1024 * 1024
"""The most bytes of bodies that one reader keeps from being let go."""


class Told(Protocol):
    """What readers can be told of."""

    @property
    def organization_id(self) -> str | None:
        """Whose it is; None for nobody's."""

    @property
    def body_bytes(self) -> int:
        """How many bytes it holds."""


T = TypeVar("T", bound=Told)


@dataclass(frozen=True)
class Lost:
    """In place of so many entries, which a reader was too slow for."""

    count: int


class Reader(Generic[T]):
    """The entries that one reader has yet to take: when there are too many, the oldest go."""

    def __init__(self, organization_id: str | None, *, arrivals: bool) -> None:
        """Read one organization's entries, or with None all; `arrivals` come beside answers."""
        self.arrivals = arrivals
        self.closed = asyncio.Event()
        self._organization_id = organization_id
        self._queue: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._lost = 0
        self._woken = asyncio.Event()

    def offer(self, entry: T) -> None:
        """Queue an entry, if it is the reader's to see."""
        if self._organization_id not in (None, entry.organization_id):
            return
        size = entry.body_bytes
        self._queue.append((entry, size))
        self._bytes += size
        while len(self._queue) > MAX_QUEUED or self._bytes > MAX_QUEUED_BYTES:
            self._take()
            self._lost += 1
        self._woken.set()

    def _take(self) -> T:
        entry, size = self._queue.popleft()
        self._bytes -= size
        return entry

    def close(self) -> None:
        """Let the reader go: it is told nothing more."""
        self.closed.set()
        self._woken.set()

    async def next(self, seconds: float | None = None) -> T | Lost | None:
        """Return the next entry, what was lost before it, or None at the end.

        Raises:
            TimeoutError: nothing came in so many seconds.
        """
        async with asyncio.timeout(seconds):
            await self._woken.wait()
        if self.closed.is_set():
            return None
        lost = Lost(self._lost)
        self._lost = 0
        found = lost if lost.count else self._take()
        if not self._queue:
            self._woken.clear()
        return found


class Feed(Generic[T]):
    """Entries on their way to those who read them; `readers` is empty while nobody does."""

    def __init__(self) -> None:
        self.readers: set[Reader[T]] = set()
        self._is_closed = False

    def join(self, organization_id: str | None, *, arrivals: bool) -> Reader[T]:
        """Return a reader that is told from now on, until it leaves."""
        reader: Reader[T] = Reader(organization_id, arrivals=arrivals)
        self.readers.add(reader)
        if self._is_closed:
            reader.close()
        return reader

    def leave(self, reader: Reader[T]) -> None:
        """Tell a reader nothing more, and let it go."""
        self.readers.discard(reader)
        reader.close()

    def arrived(self, entry: T) -> None:
        """Tell those who want to know of what is not answered yet."""
        for reader in self.readers:
            if reader.arrivals:
                reader.offer(entry)

    def completed(self, entry: T) -> None:
        """Tell all."""
        for reader in self.readers:
            reader.offer(entry)

    def close(self) -> None:
        """Let all readers go, and those to come at once: the server ends."""
        self._is_closed = True
        for reader in self.readers:
            reader.close()
