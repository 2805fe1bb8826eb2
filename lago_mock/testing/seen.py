"""The requests that a server has seen, as tests ask for them and as errors repeat them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, TypedDict

from lago_mock.wire import JSONObject

SHOWN: Final = 20
"""Requests that an error repeats."""


class Search(TypedDict, total=False):
    """Which requests are meant, beside their operation; what is not said is no condition.

    `path` is whole, and `*` in it stands for any characters, as in the values of `headers` and
    `query`, of which None says that one was not sent. `body` is a part of the body's JSON. `since`
    is an instant, or a request: those after it.
    """

    method: str | Sequence[str]
    path: str
    headers: Mapping[str, str | None]
    query: Mapping[str, str | Sequence[str] | None]
    body: Any
    status: int | Sequence[int]
    since: Request | datetime | str


@dataclass(frozen=True)
class Request:
    """One request that the server was sent, and its answer (schema `Request`).

    `status` and `answer` are None while it is open. `body` is the body's JSON, None without one.
    `reasons` say why it was refused: each has `pointer`, `keyword`, `field` and `code`. `nearest`
    has the operation that an unmatched one was probably meant for, and in `why` what is amiss.
    """

    id: str
    time: str
    organization: str | None
    operation: str | None
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Any
    status: int | None
    answer: Any
    duration_ms: float | None
    fault: str | None
    refusal: str | None
    reasons: Sequence[Mapping[str, str]]
    unknown: Sequence[str]
    hint: str | None
    nearest: Mapping[str, str] | None = None

    @classmethod
    def of(cls, entry: JSONObject) -> Request:
        """Return an entry of the journal."""
        return cls(**{each.name: entry[each.name] for each in fields(cls) if each.name in entry})

    def __str__(self) -> str:
        """Return it in a line: what was asked, the status, and why it was refused."""
        status = "open" if self.status is None else self.status
        path = f"{self.path}?{self.query}" if self.query else self.path
        line = f"{self.method} {path} {status} {self.operation or '-'}"
        notes = "; ".join(self._notes())
        return f"{line}: {notes}" if notes else line

    def _notes(self) -> Iterator[str]:
        if self.fault:
            yield f"fault {self.fault}"
        for reason in self.reasons:
            yield f"{reason['field']} {reason['code']} ({reason['pointer']} {reason['keyword']})"
        if self.refusal and not self.reasons:
            yield self.refusal
        if self.nearest:
            yield self.nearest["why"]
        elif self.hint:
            yield self.hint


def search_for(operation: str | Sequence[str], words: Search) -> JSONObject:
    """Return a search as the admin API takes it.

    Raises:
        TypeError: there is no such word.
    """
    strangers = words.keys() - Search.__annotations__.keys()
    if strangers:
        known = ", ".join(Search.__annotations__)
        raise TypeError(f"requests are not searched for by {min(strangers)}, but by {known}")
    names = operation if isinstance(operation, str) else list(operation)
    given: JSONObject = {"operation": names, **words}
    match = {name: given.pop(name) for name in ("headers", "query", "body") if name in given}
    if match:
        given["match"] = match
    if "since" in given:
        given["since"] = _since(given["since"])
    return given


def _since(given: Request | datetime | str) -> str:
    if isinstance(given, Request):
        return given.id
    return given if isinstance(given, str) else given.isoformat()


def explain(
    operation: str | Sequence[str],
    words: Search,
    found: int,
    wanted: int | None,
    seen: Sequence[Request],
) -> str:
    """Return why requests are not as they should be; without `wanted` at least one should be.

    `seen` are all requests there were: the one that comes nearest is told, with its differences.
    """
    named = operation if isinstance(operation, str) else " or ".join(operation)
    such = "".join(f" with {name}={value!r}" for name, value in words.items())
    called = f"called {_times(found)}" if found else "never called"
    expected = "at least once" if wanted is None else _times(wanted)
    lines = [f"{named}{such} was {called}, expected {expected}"]
    if found < (1 if wanted is None else wanted):
        lines += nearest(search_for(operation, words), seen)
    lines.append("these requests came:" if seen else "no request came")
    return "\n  ".join([*lines, *listed(seen)])


def listed(requests: Sequence[Request], most: int = SHOWN) -> list[str]:
    """Return the last requests, each in a line."""
    lines = [str(each) for each in requests[-most:]]
    before = len(requests) - len(lines)
    return [f"({before} before these)", *lines] if before else lines


def nearest(search: JSONObject, seen: Sequence[Request]) -> Iterator[str]:
    """Yield the request that comes nearest to a search or a fault, and how it differs from it."""
    missed = [(misses, each) for each in seen if (misses := list(_differences(search, each)))]
    if missed:
        misses, near = min(reversed(missed), key=lambda pair: len(pair[0]))
        yield f"nearest: {near}: {'; '.join(misses)}"


def _differences(search: JSONObject, request: Request) -> Iterator[str]:
    from lago_mock.matching import Matcher, Sent
    from lago_mock.redaction import SECRET_HEADERS

    headers = [
        (name.encode(), value.encode("latin-1", "replace"))  # of a secret, `…` stands for a part
        for name, value in request.headers.items()
    ]
    body = b"" if request.body is None else json.dumps(request.body).encode()
    place = (request.operation, request.method, request.path, request.query)
    for miss in Matcher.of(search).misses(Sent(*place, headers, body)):
        # What the journal shows of a secret is not what was sent.
        if not any(f"header {name} is another" in miss for name in SECRET_HEADERS):
            yield miss
    statuses = search.get("status", [])
    statuses = [statuses] if isinstance(statuses, int) else statuses
    if statuses and request.status not in statuses:
        yield f"the status is {request.status}, not {' or '.join(map(str, statuses))}"
    if "since" in search and not _is_later(request, search["since"]):
        yield "it came before"


def _is_later(request: Request, since: str) -> bool:
    if since.isdecimal():
        return int(request.id) > int(since)
    return datetime.fromisoformat(request.time) >= datetime.fromisoformat(since)


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
