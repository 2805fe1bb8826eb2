"""Searches of what clients sent, which can wait for it to come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import AdminCall, AdminHandler
from lago_mock.admin.requests import entries, later_than, whether_kept
from lago_mock.errors import ValidationFailed
from lago_mock.feed import Lost
from lago_mock.journal import Entry
from lago_mock.matching import Matcher, unmatchable
from lago_mock.wire import JSONObject


async def find_requests(call: AdminCall) -> JSONObject:
    """Answer `findRequests`: those that match, the oldest first.

    Raises:
        ValidationFailed: 422, an operation that there is not, or one that is never sent so.
    """
    found = await _found(call)
    return {"requests": [entry.shown() for entry in found], **whether_kept(call)}


async def count_requests(call: AdminCall) -> JSONObject:
    """Answer `countRequests`: how many match.

    Raises:
        ValidationFailed: 422, an operation that there is not, or one that is never sent so.
    """
    return {"count": len(await _found(call)), **whether_kept(call)}


@dataclass(frozen=True)
class _Search:
    """Which entries are meant; with `statuses` only those that were answered so."""

    matcher: Matcher
    statuses: frozenset[int]
    is_later: Callable[[Entry], bool]

    @classmethod
    def of(cls, call: AdminCall) -> _Search:
        _refuse_impossible(call)
        status = call.body.get("status", [])
        return cls(
            Matcher.of(call.body),
            frozenset([status] if isinstance(status, int) else status),
            later_than(call.body.get("since")),
        )

    def wants(self, entry: Entry) -> bool:
        """Tell whether an entry is one of them, as it is by now."""
        has_status = not self.statuses or entry.status in self.statuses
        return has_status and self.is_later(entry) and self.matcher.matches(entry.sent())

    def among(self, call: AdminCall) -> list[Entry]:
        """Return those that there are."""
        return [entry for entry in entries(call) if self.wants(entry)]


def _refuse_impossible(call: AdminCall) -> None:
    """Refuse a search for an operation that can find nothing; paths alone may have no route."""
    if call.body.get("operation", "*") == "*":
        return
    problems = unmatchable(call.body, call.server.operations.contract.operations)
    if problems:
        raise ValidationFailed(problems)


async def _found(call: AdminCall) -> list[Entry]:
    search = _Search.of(call)
    seconds = call.body.get("timeout_ms", 0) / 1000
    if seconds and call.scope.journal.size:
        await _wait(call, search, call.body.get("count", 1), seconds)
    return search.among(call)


async def _wait(call: AdminCall, search: _Search, count: int, seconds: float) -> None:
    """Wait until so many are there, the time is over, or a reset or the end of the server."""
    feed = call.server.tenants.archive.feed
    reader = feed.join(call.organization_id, arrivals=True)
    ending = asyncio.ensure_future(call.scope.ended.wait())
    ending.add_done_callback(lambda _: reader.close())
    missing = count - len(search.among(call))
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while missing > 0 and (told := await reader.next()):
                    if not isinstance(told, Lost):
                        missing -= search.wants(told)
                    # One may have been told of twice, and others forgotten since.
                    if isinstance(told, Lost) or missing <= 0:
                        missing = count - len(search.among(call))
    finally:
        ending.cancel()
        feed.leave(reader)


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "findRequests": find_requests,
        "countRequests": count_requests,
    }
)
