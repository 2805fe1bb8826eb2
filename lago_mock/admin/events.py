"""Requests as they are answered, sent to those who follow them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import AdminCall, AdminHandler
from lago_mock.admin.requests import MAX_DIGITS, entries
from lago_mock.admin.stream import Stream
from lago_mock.errors import LagoError
from lago_mock.feed import Lost, Reader
from lago_mock.journal import Entry
from lago_mock.wire import encode

MAX_FOLLOWERS: Final = 100
HEARTBEAT_SECONDS: Final = 15.0


class TooManyFollowers(LagoError):
    """As many follow the requests as may."""

    status = 503
    error = f"Service Unavailable: {MAX_FOLLOWERS} clients follow the events; one must go first."


def follow_events(call: AdminCall) -> Stream:
    """Answer `followEvents`: first what the header `Last-Event-ID` says was missed.

    Raises:
        TooManyFollowers: 503.
    """
    feed = call.server.tenants.archive.feed
    if sum(not reader.arrivals for reader in feed.readers) >= MAX_FOLLOWERS:
        raise TooManyFollowers
    reader = feed.join(call.organization_id, arrivals=False)
    missed = _completed_after(call, call.headers.get(b"last-event-id", b""))
    return Stream(told(reader, missed), reader.closed, partial(feed.leave, reader))


def _completed_after(call: AdminCall, last: bytes) -> list[Entry]:
    """Return what was answered after an entry, as far as it is kept, in the order of answers."""
    if not last.isdigit() or len(last) > MAX_DIGITS:
        return []
    kept = sorted((each for each in entries(call) if each.order), key=lambda each: each.order)
    for index, entry in enumerate(kept, 1):
        if entry.id.encode() == last:
            return kept[index:]
    return [entry for entry in kept if int(entry.id) > int(last)]


async def told(
    reader: Reader[Entry], missed: Sequence[Entry], heartbeat: float = HEARTBEAT_SECONDS
) -> AsyncIterator[bytes]:
    """Yield events until the reader is closed; a comment after each time of silence."""
    yield b": follows\n\n"
    for entry in missed:
        if reader.closed.is_set():
            return
        yield _event(entry)
    while True:
        await asyncio.sleep(0)  # a flood must not keep others from their answers
        try:
            each = await reader.next(heartbeat)
        except TimeoutError:
            yield b": nothing new\n\n"
            continue
        if each is None:
            return
        yield _event(each)


def _event(each: Entry | Lost) -> bytes:
    if isinstance(each, Lost):
        return b"event: lost\ndata: %d\n\n" % each.count
    return b"id: %s\nevent: request\ndata: %s\n\n" % (each.id.encode(), encode(each.shown()))


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType({"followEvents": follow_events})
