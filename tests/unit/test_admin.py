from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from lago_mock.admin.endpoint import AdminEndpoint
from lago_mock.app import LagoMockApp, build, load_admin_contract
from lago_mock.contract.contract import Contract
from lago_mock.contract.loader import load_document
from lago_mock.request import Limits
from lago_mock.settings import Settings
from lago_mock.store.store import StoreUnwritable

LIMITS = Limits(1000, 1000, 1000)
BROKEN = {"status": 500, "error": "Internal Server Error"}


@pytest.fixture
def app() -> LagoMockApp:
    return build(Settings(db=":memory:", fixtures="empty"))


def asked(endpoint: AdminEndpoint, method: str, path: str, **options: object) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=endpoint)
        async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
            return await client.request(method, path, **options)  # type: ignore[arg-type]

    return asyncio.run(ask())


def test_what_is_too_large_is_refused(app: LagoMockApp) -> None:
    endpoint = AdminEndpoint(app.server, load_admin_contract(), LIMITS)

    response = asked(endpoint, "POST", "/__admin/faults", content=b" " * 1001)

    assert response.status_code == 413
    assert response.json()["error"] == "the body is over the limit of 1000 bytes"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "1"},
        {"X-Request-Id": "a"},
        {"x y": "1"},
        {"x-a": "b\r\nc: d"},
        {"x-a": "\u20ac"},
    ],
)
def test_a_fault_with_a_header_that_cannot_be_sent_is_refused(
    app: LagoMockApp, headers: dict[str, str]
) -> None:
    endpoint = AdminEndpoint(app.server, load_admin_contract(), LIMITS)
    fault = {"operation": "*", "status": 503, "headers": headers}

    response = asked(endpoint, "POST", "/__admin/faults", json=fault)

    (name,) = headers
    assert response.status_code == 422
    assert response.json()["error_details"] == {"headers": [f"{name!r} cannot be sent"]}


def test_a_client_that_goes_before_its_body_is_whole_gets_nothing(app: LagoMockApp) -> None:
    endpoint = AdminEndpoint(app.server, load_admin_contract(), LIMITS)
    scope = {"type": "http", "method": "POST", "path": "/__admin/reset", "query_string": b""}
    sent: list[object] = []

    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    asyncio.run(endpoint({**scope, "headers": []}, gone, send))

    assert sent == []


def test_an_operation_without_a_handler_is_a_bug_of_ours(
    app: LagoMockApp, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    document = tmp_path / "admin.yaml"
    document.write_text("openapi: 3.1.0\npaths: {/x: {get: {operationId: getNothing}}}\n", "utf-8")
    endpoint = AdminEndpoint(app.server, Contract(load_document(document)), LIMITS)

    with caplog.at_level(logging.ERROR):
        response = asked(endpoint, "GET", "/__admin/x")

    assert (response.status_code, response.json()) == (500, BROKEN)
    assert "a bug of lago-mock, at /__admin/x" in caplog.text


def test_an_answer_that_the_document_forbids_is_a_bug_of_ours(
    app: LagoMockApp, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answer = "{description: x, content: {application/json: {schema: {type: array}}}}"
    document = tmp_path / "admin.yaml"
    document.write_text(
        "openapi: 3.1.0\npaths:\n  /version:\n"
        f"    get: {{operationId: getVersion, responses: {{200: {answer}}}}}\n",
        "utf-8",
    )
    endpoint = AdminEndpoint(app.server, Contract(load_document(document)), LIMITS)

    with caplog.at_level(logging.ERROR):
        response = asked(endpoint, "GET", "/__admin/version")

    assert (response.status_code, response.json()) == (500, BROKEN)
    assert "getVersion answered what the document forbids" in caplog.text


def test_a_disk_that_refuses_a_reset_is_said_to_be_so(
    app: LagoMockApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_commit: object) -> None:
        raise StoreUnwritable("state.json.journal: No space left on device")

    monkeypatch.setattr(app.store, "_append", refuse)
    server = replace(app.server)
    endpoint = AdminEndpoint(server, load_admin_contract(), LIMITS)

    with caplog.at_level(logging.ERROR):
        response = asked(endpoint, "POST", "/__admin/reset")

    assert (response.status_code, response.json()) == (500, BROKEN)
    assert "No space left on device" in caplog.text
