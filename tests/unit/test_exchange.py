from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest

from lago_mock import app as application
from lago_mock.app import LagoMockApp, build
from lago_mock.resource import Call
from lago_mock.resources import load_resources
from lago_mock.settings import Settings
from lago_mock.store.store import StoreUnwritable

BROKEN = {"status": 500, "error": "Internal Server Error"}
HEADERS = {"Authorization": "Bearer lago-mock-key"}


def asked(app: LagoMockApp, method: str, path: str, **options: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
            return await client.request(method, f"/api/v1{path}", headers=HEADERS, **options)

    return asyncio.run(ask())


def test_a_handler_that_breaks_is_a_500_with_its_traceback_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def divide(_call: Call) -> dict[str, Any]:
        return {"tax": 1 // 0}

    resources = dict(load_resources())
    taxes = resources["taxes"]
    operations = {**taxes.operations, "findTax": divide}
    resources["taxes"] = type(taxes)(
        **{**{name: getattr(taxes, name) for name in taxes.__dict__}, "operations": operations}
    )
    monkeypatch.setattr(application, "load_resources", lambda: resources)
    app = build(Settings(db=":memory:", fixtures="empty"))

    with caplog.at_level(logging.ERROR):
        response = asked(app, "GET", "/taxes/x")

    assert (response.status_code, response.json()) == (500, BROKEN)
    assert "a bug of lago-mock, in findTax" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_disk_that_refuses_a_write_is_a_500_with_its_reason_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_commit: object) -> None:
        raise StoreUnwritable("state.json.journal: No space left on device")

    app = build(Settings(db=":memory:", fixtures="empty"))
    monkeypatch.setattr(app.store, "_append", refuse)

    with caplog.at_level(logging.ERROR):
        response = asked(app, "POST", "/customers", json={"customer": {"external_id": "a"}})

    assert (response.status_code, response.json()) == (500, BROKEN)
    assert "No space left on device" in caplog.text
    assert asked(app, "GET", "/customers").json()["customers"] == []
