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
from lago_mock.errors import NotFound, ValidationFailed
from lago_mock.journal import Entry
from lago_mock.nearest import Nearest, is_routed, nearest
from lago_mock.wire import JSONObject

_TRUTH: Final = MappingProxyType({None: None, "true": True, "false": False})


def list_requests(call: AdminCall) -> JSONObject:
    """Answer `listRequests`: the oldest first; `meta.total` counts those beyond the limit too.

    Raises:
        ValidationFailed: 422, a filter with a value that cannot be.
    """
    operation, status = call.query.get("operation"), number_in(call, "status", 100, 599)
    matched, is_later = _truth(call, "matched"), later_than(call.query.get("since"))
    found = [
        entry
        for entry in entries(call)
        if operation in (None, entry.operation_id)
        and status in (None, entry.status)
        and matched in (None, entry.is_matched)
        and is_later(entry)
    ]
    limit = number_in(call, "limit", 1, 10**9)
    shown = [entry.shown() for entry in found[:limit]]
    return {"requests": shown, "meta": {"total": len(found)}, **whether_kept(call)}


def entries(call: AdminCall) -> Iterable[Entry]:
    """Return the entries that a call can see, the oldest first."""
    return sorted(chain.from_iterable(call.journals()), key=lambda entry: int(entry.id))


def whether_kept(call: AdminCall) -> JSONObject:
    """Return what tells an empty journal from one that is switched off."""
    return {"requestJournalDisabled": not call.scope.journal.size}


def later_than(since: Any) -> Callable[[Entry], bool]:
    """Return what tells entries after an id, or at or after an instant; with None all.

    Raises:
        ValidationFailed: 422, it is neither.
    """
    if since is None:
        return lambda _entry: True
    if isinstance(since, str) and since.isascii() and since.isdecimal() and len(since) < 19:
        number = int(since)
        return lambda entry: int(entry.id) > number
    instant = _instant(since.replace(" ", "+")) if isinstance(since, str) else None
    if instant is None:
        raise ValidationFailed.of("since", "value_is_invalid")
    return lambda entry: entry.time >= instant


def _instant(text: str) -> datetime | None:
    if is_date_time(text):
        with suppress(ValueError):  # a leap second
            return instant_of(text)
    return None


def _truth(call: AdminCall, name: str) -> bool | None:
    value = call.query.get(name)
    if isinstance(value, str | None) and value in _TRUTH:
        return _TRUTH[value]
    raise ValidationFailed.of(name, "value_is_invalid")


def number_in(call: AdminCall, name: str, least: int, most: int) -> int | None:
    """Return a number of the query, None where it is absent.

    Raises:
        ValidationFailed: 422, it is none, or `value_is_out_of_range`.
    """
    value = call.query.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.isdecimal() or not value.isascii():
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
