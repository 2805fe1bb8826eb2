from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from lago_mock.answer import EXTENSION
from lago_mock.protocol import Protocol, _Connection

GET = b"GET /api/%b HTTP/1.1\r\nhost: here\r\n\r\n"


def test_nothing_is_written_to_a_client_that_is_gone() -> None:
    written: list[bytes] = []
    cycle: Any = SimpleNamespace(disconnected=True, transport=SimpleNamespace(write=written.append))

    _Connection(cycle).answer(200, b"", b"late")
    _Connection(cycle).break_off("RANDOM_DATA_THEN_CLOSE")

    assert written == []


# Requests begin at once, and get a task when they wait


Wait = Callable[[], Awaitable[str]]


class App:
    """Answers each path after the wait that it names, with what came of it."""

    def __init__(self, **waits: Wait) -> None:
        self._waits = waits
        self.tasks: list[asyncio.Task[None] | None] = []

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        self.tasks.append(asyncio.current_task())
        body = (await receive())["body"].decode()
        name = scope["path"].removeprefix("/api/")
        wait = self._waits.get(name)
        text = f"/{name}:{body}:{await wait() if wait else ''}".encode()
        head = b"content-length: %d\r\n" % len(text)
        scope["extensions"][EXTENSION].answer(200, head, text)


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.send = writer.write
        self.close = writer.close

    async def answer(self) -> bytes:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await self._reader.readexactly(length)


@asynccontextmanager
async def connected(app: ASGIApp) -> AsyncIterator[tuple[Client, ServerState]]:
    config = uvicorn.Config(app, http=Protocol, log_config=None, ws="none")
    config.load()
    state = ServerState()

    def protocol() -> Protocol:
        return Protocol(config=config, server_state=state, app_state={})

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    client = Client(*await asyncio.open_connection(*server.sockets[0].getsockname()))
    try:
        yield client, state
    finally:
        client.close()
        server.close()
        while state.connections:
            await asyncio.sleep(0)


@pytest.mark.skipif(
    not hasattr(HttpToolsProtocol, "_start_asgi_task"),
    reason="this uvicorn gives each request a task itself",
)
def test_a_request_that_need_not_wait_gets_no_task() -> None:
    app = App()

    async def talk() -> list[bytes]:
        async with connected(app) as (client, _):
            client.send(GET % b"a")
            first = await client.answer()
            client.send(b"POST /api/b HTTP/1.1\r\ncontent-length: 2\r\n\r\nxy")
            return [first, await client.answer()]

    assert asyncio.run(talk()) == [b"/a::", b"/b:xy:"]
    assert app.tasks == [None, None]


def test_a_body_that_comes_later_is_waited_for() -> None:
    async def talk() -> bytes:
        async with connected(App()) as (client, state):
            client.send(b"POST /api/b HTTP/1.1\r\ncontent-length: 2\r\n\r\n")
            while not state.tasks:
                await asyncio.sleep(0)
            client.send(b"xy")
            return await client.answer()

    assert asyncio.run(talk()) == b"/b:xy:"


def test_what_a_request_waits_for_reaches_it() -> None:
    async def good() -> str:
        done, _ = await asyncio.wait([asyncio.ensure_future(asyncio.sleep(0, "one"))])
        return done.pop().result() + await asyncio.to_thread(str.upper, "two")

    async def bad() -> str:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await asyncio.to_thread(divmod, 1, 0)
        return "caught"

    async def talk() -> list[bytes]:
        async with connected(App(good=good, bad=bad)) as (client, state):
            answers = []
            for path in (b"good", b"bad"):
                client.send(GET % path)
                answers.append(await client.answer())
            while state.tasks:
                await asyncio.sleep(0)
            return answers

    assert asyncio.run(talk()) == [b"/good::oneTWO", b"/bad::caught"]


def test_requests_sent_at_once_are_answered_in_turn() -> None:
    async def wait() -> str:
        await asyncio.sleep(0)
        return "late"

    async def talk() -> list[bytes]:
        async with connected(App(slow=wait)) as (client, _):
            client.send(GET % b"slow" + GET % b"quick" + GET % b"last")
            return [await client.answer() for _ in range(3)]

    assert asyncio.run(talk()) == [b"/slow::late", b"/quick::", b"/last::"]


def test_a_request_that_waits_can_be_canceled() -> None:
    async def forever() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "canceled"
        raise AssertionError

    async def talk() -> bytes:
        async with connected(App(forever=forever)) as (client, state):
            client.send(GET % b"forever")
            while not state.tasks:
                await asyncio.sleep(0)
            await asyncio.sleep(0)  # its first step
            for task in state.tasks:
                task.cancel()
            return await client.answer()

    assert asyncio.run(talk()) == b"/forever::canceled"
