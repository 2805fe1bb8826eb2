"""What was asked and what was answered: a bounded list of entries, made on arrival."""

from __future__ import annotations

import base64
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Final

from lago_mock.discards import Discards
from lago_mock.errors import Problem
from lago_mock.feed import Feed
from lago_mock.matching import Sent
from lago_mock.redaction import SECRET_HEADERS, redacted, without_secrets
from lago_mock.wire import JSON, JSONObject, Unparsable, decode

MAX_BODY_BYTES: Final = 64 * 1024
"""Bodies are kept up to here, and cut."""

MAX_BYTES: Final = 64 * 1024 * 1024
"""The bodies of all entries of a server have no more than this."""


@dataclass(eq=False, slots=True)
class Entry:
    """One request and its answer (schema `Request` of the admin document).

    Made before any delay or fault, completed after; `status` is None while it is open, and for good
    when the client went. Bodies are kept as they came and decoded when somebody looks.

    `order` counts the entries as they were completed, from 1; it is 0 until then. `is_kept` tells
    whether its journal has it. `without` are the bodies that were let go: `body`, `answer`.
    """

    id: str
    time: datetime
    method: str
    path: str
    query: str
    headers: list[tuple[bytes, bytes]]
    organization_id: str | None = None
    operation_id: str | None = None
    root: str | None = None
    body: bytes = b""
    status: int | None = None
    answer: bytes = b""
    duration_ms: float | None = None
    fault_id: str | None = None
    problems: tuple[Problem, ...] = ()
    refusal: str = ""
    unknown: tuple[str, ...] = ()
    hint: str | None = None
    journal: Journal | None = field(default=None, repr=False)
    order: int = 0
    is_kept: bool = False
    without: tuple[str, ...] = ()

    @property
    def is_matched(self) -> bool:
        """Whether an operation was found for it."""
        return self.operation_id is not None

    @property
    def body_bytes(self) -> int:
        """How many bytes its bodies hold."""
        return len(self.body) + len(self.answer)

    def received(self) -> None:
        """Note that the request is whole and its operation known: that may be what one waits for.

        Only from here on do its operation and its body count in a search.
        """
        if self.journal is not None:
            self.journal.received(self)

    def complete(self) -> None:
        """Note that nothing more will come: it was answered, or the client has gone."""
        if self.journal is not None:
            self.journal.complete(self)

    def let_go(self) -> None:
        """Forget the bodies."""
        self.without = tuple(name for name in ("body", "answer") if getattr(self, name))
        self.body = self.answer = b""

    def sent(self) -> Sent:
        """Return the request as matchers look at it."""
        return Sent(self.operation_id, self.method, self.path, self.query, self.headers, self.body)

    def shown(self) -> JSONObject:
        """Return the entry as JSON, without its secrets."""
        body, as_base64 = _shown_body(self.body)
        answer, no_json = _shown_body(self.answer)
        text = self.answer[:MAX_BODY_BYTES].decode("utf-8", "replace") if no_json else None
        return {
            "id": self.id,
            "time": self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "organization": self.organization_id,
            "operation": self.operation_id,
            "matched": self.is_matched,
            "method": self.method,
            "path": self.path,
            "query": without_secrets(self.query),
            "headers": _shown_headers(self.headers),
            "body": body,
            "body_base64": as_base64,
            "body_truncated": "body" in self.without or len(self.body) > MAX_BODY_BYTES,
            "status": self.status,
            "answer": text if no_json else answer,
            "answer_truncated": "answer" in self.without or len(self.answer) > MAX_BODY_BYTES,
            "duration_ms": self.duration_ms,
            "fault": self.fault_id,
            "refusal": self.refusal or None,
            "reasons": [self._reason(problem) for problem in self.problems],
            "unknown": list(self.unknown),
            "hint": self.hint,
        }

    def _reason(self, problem: Problem) -> JSONObject:
        return {
            "pointer": problem.pointer(self.root),
            "keyword": problem.keyword,
            "field": problem.field,
            "code": problem.code,
        }

    def reason(self) -> str:
        """Return why the request was refused, in a line; empty when it was not."""
        found = [f"{each.pointer(self.root)} {each.keyword}" for each in self.problems]
        return "; ".join(found) or self.refusal


def _shown_body(body: bytes) -> tuple[JSON, str | None]:
    """Return a body as JSON, or as base64 when it is none."""
    if not body:
        return None, None
    if len(body) <= MAX_BODY_BYTES:
        try:
            return decode(body), None
        except Unparsable:
            pass
    return None, base64.b64encode(body[:MAX_BODY_BYTES]).decode()


def _shown_headers(headers: list[tuple[bytes, bytes]]) -> Mapping[str, str]:
    shown: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        value = redacted(value) if name in SECRET_HEADERS else value
        shown[name] = f"{shown[name]}, {value}" if name in shown else value
    return shown


class Budget:
    """The bytes that the bodies of completed entries may have; the oldest are let go first."""

    def __init__(self, most: int = MAX_BYTES) -> None:
        self.held = 0
        self._most = most
        self._sizes: OrderedDict[Entry, int] = OrderedDict()

    def hold(self, entry: Entry) -> None:
        """Count an entry's bodies; what is over the budget goes."""
        size = entry.body_bytes
        self._sizes[entry] = size
        self.held += size
        while self.held > self._most:
            oldest, size = self._sizes.popitem(last=False)
            self.held -= size
            oldest.let_go()

    def release(self, entry: Entry) -> None:
        """Count an entry no more."""
        self.held -= self._sizes.pop(entry, 0)


@dataclass
class Archive:
    """What the journals of one server share: numbers, the budget, and who is told."""

    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    orders: Iterator[int] = field(default_factory=lambda: count(1))
    budget: Budget = field(default_factory=Budget)
    feed: Feed[Entry] = field(default_factory=Feed)

    def __post_init__(self) -> None:
        self.discards = Discards(self.drop)

    def drop(self, entry: Entry) -> None:
        """Keep an entry no more."""
        entry.is_kept = False
        self.budget.release(entry)


class Journal:
    """The last entries of one organization, or of requests that belong to none.

    With a size of 0 none is kept; those who read the feed are told all the same.
    """

    def __init__(self, size: int, archive: Archive | None = None) -> None:
        self.size = size
        self._archive = archive or Archive()
        self.numbers = self._archive.numbers
        self._feed = self._archive.feed
        self._entries: deque[Entry] = deque()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def add(self, entry: Entry) -> None:
        """Keep an entry; the oldest one goes when there are too many."""
        entry.journal = self
        if self.size:
            if len(self._entries) == self.size:
                self._archive.drop(self._entries.popleft())
            self._entries.append(entry)
            entry.is_kept = True
        if self._feed.readers:
            self._feed.arrived(entry)

    def received(self, entry: Entry) -> None:
        """Tell of a request that is not answered yet."""
        if self._feed.readers:
            self._feed.arrived(entry)

    def complete(self, entry: Entry) -> None:
        """Count what an entry holds, and tell of it."""
        entry.order = next(self._archive.orders)
        if entry.is_kept:
            self._archive.budget.hold(entry)
        if self._feed.readers:
            self._feed.completed(entry)

    def remove(self, entry: Entry) -> None:
        """Forget an entry, if it is here."""
        if entry in self._entries:
            self._entries.remove(entry)
            self._archive.drop(entry)

    def clear(self) -> None:
        """Forget all entries; what they hold is let go a little later."""
        forgotten, self._entries = self._entries, deque()
        self._archive.discards.add(forgotten)
