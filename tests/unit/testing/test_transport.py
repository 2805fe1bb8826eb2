from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from lago_mock import LagoMock


def options(lago: LagoMock, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {lago.api_key}"}
    return {"transport": lago.transport, "base_url": lago.api_url, "headers": headers, **more}


def customer(external_id: str) -> dict[str, Any]:
    return {"customer": {"external_id": external_id, "name": "Øre"}}


def test_a_client_that_waits_is_answered(lago: LagoMock) -> None:
    with httpx.Client(**options(lago)) as client:
        created = client.post("/customers", json=customer("a/b"))
        found = client.get("/customers/a%2Fb", params={"page": "1"})
        head = client.head("/customers")

    assert (created.status_code, found.json()) == (200, created.json())
    assert found.headers["content-type"] == "application/json; charset=utf-8"
    assert (head.status_code, head.content) == (200, b"")
    request = lago.requests("findCustomer")[0]
    assert (request.path, request.query) == ("/api/v1/customers/a/b", "page=1")
    assert request.headers["user-agent"].startswith("python-httpx")


def test_asynchronous_clients_are_answered_side_by_side(lago: LagoMock) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'{"customer": {"external_'
        yield b'id": "acct-parts"}}'

    async def scenario() -> list[int]:
        async with httpx.AsyncClient(**options(lago)) as client:
            bodies = [customer(f"acct-{number}") for number in range(5)]
            waiting = [client.post("/customers", json=body) for body in bodies]
            headers = {"Content-Type": "application/json"}
            waiting.append(client.post("/customers", content=parts(), headers=headers))
            return [answer.status_code for answer in await asyncio.gather(*waiting)]

    assert asyncio.run(scenario()) == [200] * 6
    assert len(lago.customers()) == 6


@pytest.mark.parametrize("broken", ["EMPTY_RESPONSE", "CONNECTION_RESET_BY_PEER"])
def test_a_connection_that_breaks_is_the_client_s_error(lago: LagoMock, broken: Any) -> None:
    lago.fail("createCustomer", connection=broken, when="after")
    with (
        httpx.Client(**options(lago)) as client,
        pytest.raises(httpx.RemoteProtocolError, match=f"the connection breaks: {broken}"),
    ):
        client.post("/customers", json=customer("acct-1"))
    assert len(lago.customers()) == 1


@pytest.mark.parametrize("fault", [{"connection": "HANG"}, {"delay_ms": 60_000}])
def test_an_answer_that_takes_too_long_is_a_timeout(lago: LagoMock, fault: Any) -> None:
    """The server sees the client go, as with a connection."""
    lago.fail("findAllCustomers", **fault)
    with (
        httpx.Client(**options(lago, timeout=0.05)) as client,
        pytest.raises(httpx.ReadTimeout, match=r"no answer within 0\.05 s"),
    ):
        client.get("/customers")
    (request,) = lago.requests()
    assert (request.status, request.refusal) == (None, "the client went before it was answered")


def test_a_client_that_gives_up_is_seen_to_go(lago: LagoMock) -> None:
    lago.fail("findAllCustomers", connection="HANG")

    async def scenario() -> None:
        async with httpx.AsyncClient(**options(lago, timeout=None)) as client:
            async with asyncio.timeout(0.05):
                await client.get("/customers")

    with pytest.raises(TimeoutError):
        asyncio.run(scenario())
    assert lago.requests()[0].status is None


def test_a_reset_ends_what_hangs(lago: LagoMock) -> None:
    lago.fail("findAllCustomers", connection="HANG")

    async def scenario() -> int:
        async with httpx.AsyncClient(**options(lago)) as client:
            asking = asyncio.create_task(client.get("/customers"))
            await asyncio.to_thread(lago.wait_for, "findAllCustomers")
            lago.reset()
            return (await asking).status_code

    assert asyncio.run(scenario()) == 503


def test_a_server_that_has_stopped_is_the_client_s_error() -> None:
    with LagoMock(fixtures="empty") as lago:
        transport = lago.transport
    with (
        httpx.Client(transport=transport) as client,
        pytest.raises(httpx.ConnectError, match="the server has stopped"),
    ):
        client.get(lago.api_url)
