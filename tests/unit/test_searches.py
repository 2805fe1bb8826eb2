from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from lago_mock.admin.call import AdminCall
from lago_mock.admin.searches import count_requests
from lago_mock.app import build
from lago_mock.journal import Entry
from lago_mock.settings import Settings

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        pytest.param(1000, 1000, id="enough are kept"),
        pytest.param(1001, 1000, id="more than are kept"),
    ],
)
def test_a_wait_that_was_told_too_much_at_once_looks_again(wanted: int, count: int) -> None:
    server = build(Settings(db=":memory:", fixtures="empty")).server
    body: dict[str, Any] = {"path": "/", "count": wanted, "timeout_ms": 60_000}
    call = AdminCall(server, None, body, {}, {}, {})

    async def wait() -> Any:
        waiting = asyncio.ensure_future(count_requests(call))
        await asyncio.sleep(0)
        for number in range(1500):
            server.tenants.server.journal.add(Entry(str(number), NOON, "GET", "/", "", []))
        for _ in range(10):
            await asyncio.sleep(0)
        server.tenants.release()
        return await waiting

    assert asyncio.run(wait()) == {"count": count, "requestJournalDisabled": False}


def test_a_wait_ends_as_soon_as_there_are_enough() -> None:
    server = build(Settings(db=":memory:", fixtures="empty")).server
    call = AdminCall(server, None, {"count": 1000, "timeout_ms": 60_000}, {}, {}, {})

    async def wait() -> Any:
        waiting = asyncio.ensure_future(count_requests(call))
        await asyncio.sleep(0)
        for number in range(1500):
            server.tenants.server.journal.add(Entry(str(number), NOON, "GET", "/", "", []))
        return await waiting

    assert asyncio.run(wait()) == {"count": 1000, "requestJournalDisabled": False}
