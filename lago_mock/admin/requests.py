"""What clients sent and what they got."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import DONE, AdminCall, AdminHandler
from lago_mock.errors import NotFound, ValidationFailed
from lago_mock.journal import Entry
from lago_mock.wire import JSONObject


def list_requests(call: AdminCall) -> JSONObject:
    """Answer `listRequests`: the oldest first; `meta.total` counts those beyond the limit too.

    Raises:
        ValidationFailed: 422, a filter that is no number.
    """
    wanted, status = call.query.get("operation"), _number(call, "status", 100, 599)
    found = [
        entry
        for entry in _entries(call)
        if wanted in (None, entry.operation_id) and status in (None, entry.status)
    ]
    limit = _number(call, "limit", 1, 10**9)
    shown = [entry.shown() for entry in found[:limit]]
    return {"requests": shown, "meta": {"total": len(found)}}


def _entries(call: AdminCall) -> Iterable[Entry]:
    return sorted(chain.from_iterable(call.journals()), key=lambda entry: int(entry.id))


def _number(call: AdminCall, name: str, least: int, most: int) -> int | None:
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


def get_request(call: AdminCall) -> JSONObject:
    """Answer `getRequest`.

    Raises:
        NotFound: 404 `request_not_found`.
    """
    for entry in _entries(call):
        if entry.id == call.path["id"]:
            return entry.shown()
    raise NotFound("request_not_found")


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "listRequests": list_requests,
        "clearRequests": clear_requests,
        "getRequest": get_request,
    }
)
