"""What was asked and what was answered: a bounded list of entries, made on arrival."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from lago_mock.errors import Problem
from lago_mock.wire import JSON, JSONObject, Unparsable, decode

MAX_BODY_BYTES = 64 * 1024
"""Bodies are kept up to here, and cut."""

_SCHEMES = ("bearer", "basic", "token")
_SECRET = ("authorization", "proxy-authorization", "cookie")


@dataclass
class Entry:
    """One request and its answer (schema `Request` of the admin document).

    Made before any delay or fault, completed after; `status` is None while it is open. Bodies are
    kept as they came and decoded when somebody looks.
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

    def shown(self) -> JSONObject:
        """Return the entry as JSON, without its secrets."""
        body, as_base64 = _shown_body(self.body)
        answer, no_json = _shown_body(self.answer)
        return {
            "id": self.id,
            "time": self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "organization": self.organization_id,
            "operation": self.operation_id,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": _shown_headers(self.headers),
            "body": body,
            "body_base64": as_base64,
            "status": self.status,
            "answer": self.answer.decode("utf-8", "replace") if no_json else answer,
            "duration_ms": self.duration_ms,
            "fault": self.fault_id,
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
        value = redacted(value) if name in _SECRET else value
        shown[name] = f"{shown[name]}, {value}" if name in shown else value
    return shown


def redacted(value: str) -> str:
    """Return a secret header's value with no more of it than its last four characters.

    Of a short one, and of one in no known form, nothing is left.
    """
    words = value.split()
    scheme = words[0] if words and words[0].lower() in _SCHEMES else ""
    secret = words[1] if scheme and len(words) == 2 else ""
    hidden = f"…{secret[-4:]}" if len(secret) > 8 else "…"
    return f"{scheme} {hidden}".strip()


@dataclass
class Journal:
    """The last entries of one organization, or of requests that belong to none."""

    size: int
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=self.size)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def add(self, entry: Entry) -> None:
        """Keep an entry; the oldest one goes when there are too many."""
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()
