"""What clients sent and what they got."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from lago_mock.admin.call import DONE, AdminCall, AdminHandler
from lago_mock.clock import instant_of
from lago_mock.contract.formats import is_date_time
from lago_mock.errors import NotFound, Problem, ValidationFailed
from lago_mock.journal import Entry
from lago_mock.matching import unknown_operation
from lago_mock.nearest import Nearest, is_routed, nearest
from lago_mock.wire import JSONObject

MAX_DIGITS: Final = 18
"""Ids of requests have no more; Python refuses to read numbers of some thousand."""

_TRUTH: Final = MappingProxyType({None: None, "true": True, "false": False})


def list_requests(call: AdminCall) -> JSONObject:
    """Answer `listRequests`: the oldest first; `meta.total` counts those beyond the limit too.

    Of more than the limit the last are shown; with `since` the first, for a client to go on from.

    Raises:
        ValidationFailed: 422, filters with a value that cannot be, each of them named.
    """
    operation, status, matched, is_later, limit = _each(
        lambda: _operation(call),
        lambda: number_in(call, "status", 100, 599),
        lambda: _TRUTH[call.query.get("matched")],
        lambda: later_than(call.query.get("since")),
        lambda: number_in(call, "limit", 1, 10**9),
    )
    found = [
        entry
        for entry in entries(call)
        if operation in (None, entry.operation_id)
        and status in (None, entry.status)
        and matched in (None, entry.is_matched)
        and is_later(entry)
    ]
    most = limit or len(found)
    within = found[:most] if "since" in call.query else found[-most:]
    shown = [entry.shown() for entry in within]
    return {"requests": shown, "meta": {"total": len(found)}, **whether_kept(call)}


def _each(*readings: Callable[[], Any]) -> list[Any]:
    """Return what is read.

    Raises:
        ValidationFailed: 422, with the problems of all readings.
    """
    values: list[Any] = []
    problems: list[Problem] = []
    for reading in readings:
        try:
            values.append(reading())
        except ValidationFailed as error:
            problems += error.problems
    if problems:
        raise ValidationFailed(problems)
    return values


def _operation(call: AdminCall) -> Any:
    name, known = call.query.get("operation"), call.server.operations.contract.operations
    if name is None or name in known:
        return name
    raise ValidationFailed.of("operation", unknown_operation(name, known))


def entries(call: AdminCall) -> Iterable[Entry]:
    """Return the entries that a call can see, the oldest first."""
    return sorted(chain.from_iterable(call.journals()), key=lambda entry: int(entry.id))


def whether_kept(call: AdminCall) -> JSONObject:
    """Return what tells an empty journal from one that is switched off."""
    return {"requestJournalDisabled": not call.scope.journal.size}


def later_than(since: str | None) -> Callable[[Entry], bool]:
    """Return what tells entries after an id, or at or after an instant; with None all.

    Raises:
        ValidationFailed: 422, it is neither.
    """
    if since is None:
        return lambda _entry: True
    if since.isascii() and since.isdecimal() and len(since) <= MAX_DIGITS:
        number = int(since)
        return lambda entry: int(entry.id) > number
    instant = _instant(since.replace(" ", "+"))
    if instant is None:
        raise ValidationFailed.of("since", "value_is_invalid")
    return lambda entry: entry.time >= instant


def _instant(text: str) -> datetime | None:
    if is_date_time(text):
        with suppress(ValueError):  # a leap second
            return instant_of(text)
    return None


def number_in(call: AdminCall, name: str, least: int, most: int) -> int | None:
    """Return a number of the query, None where it is absent.

    Raises:
        ValidationFailed: 422, it is none, or `value_is_out_of_range`.
    """
    value = call.query.get(name)
    if value is None:
        return None
    if not value.isdecimal() or not value.isascii():
        raise ValidationFailed.of(name, "is not a number")
    if len(value) > 9 or not least <= int(value) <= most:
        raise ValidationFailed.of(name, "value_is_out_of_range")
    return int(value)


def clear_requests(call: AdminCall) -> JSONObject:
    """Answer `clearRequests`."""
    for journal in call.journals():
        journal.clear()
    return dict(DONE)


async def list_unmatched(call: AdminCall) -> JSONObject:
    """Answer `listUnmatchedRequests`: those with no route, each with what comes nearest."""
    shown = [
        {**entry.shown(), "nearest": near.shown() if near else None}
        async for entry, near in _unmatched(call)
    ]
    return {"requests": shown, **whether_kept(call)}


async def _unmatched(call: AdminCall) -> AsyncIterator[tuple[Entry, Nearest | None]]:
    contract = call.server.operations.contract
    known: dict[tuple[str, str], Nearest | None] = {}
    for entry in entries(call):
        place = (entry.method, entry.path)
        # What was refused before it was looked at has no operation either.
        if entry.is_matched or is_routed(contract, *place):
            continue
        if place not in known:
            await asyncio.sleep(0)  # each takes some time: let others in
            known[place] = nearest(contract, *place)
        yield entry, known[place]


def get_request(call: AdminCall) -> JSONObject:
    """Answer `getRequest`.

    Raises:
        NotFound: 404 `request_not_found`.
    """
    return _named(call).shown()


def _named(call: AdminCall) -> Entry:
    for entry in entries(call):
        if entry.id == call.path["id"]:
            return entry
    raise NotFound("request_not_found")


def remove_request(call: AdminCall) -> JSONObject:
    """Answer `removeRequest`.

    Raises:
        NotFound: 404 `request_not_found`.
    """
    entry = _named(call)
    for journal in call.journals():
        journal.remove(entry)
    return dict(DONE)


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "listRequests": list_requests,
        "clearRequests": clear_requests,
        "listUnmatchedRequests": list_unmatched,
        "getRequest": get_request,
        "removeRequest": remove_request,
    }
)
