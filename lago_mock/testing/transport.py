"""For httpx: calls a server in this process without a port."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from concurrent.futures import Future
from typing import Any, Final

import httpx

from lago_mock.answer import ConnectionBroken
from lago_mock.testing.background import BackgroundServer

_LEAVE_SECONDS: Final = 1.0
"""How long a client that gives up waits for the server to see it go."""

Message = MutableMapping[str, Any]


class Transport(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """Hands requests to the event loop of a server in this process.

    For `httpx.AsyncClient(transport=…, base_url=…)`, and for `httpx.Client` as well. A connection
    that a fault breaks is httpx's `RemoteProtocolError`, an answer that takes longer than the read
    timeout its `ReadTimeout`, and the server then sees the client go; one that has stopped is its
    `ConnectError`.
    """

    def __init__(self, server: BackgroundServer) -> None:
        self._app = server.app
        self._loop = server.loop

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to a request of a client that waits."""
        request.read()
        return self._hand_over(request).result()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to a request of an asynchronous client."""
        await request.aread()
        return await asyncio.wrap_future(self._hand_over(request))

    def _hand_over(self, request: httpx.Request) -> Future[httpx.Response]:
        answering = self._answer(request)
        try:
            return asyncio.run_coroutine_threadsafe(answering, self._loop)
        except RuntimeError as error:  # the loop is closed
            answering.close()
            raise httpx.ConnectError("the server has stopped", request=request) from error

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(request)
        answering = asyncio.ensure_future(
            self._app(exchange.scope, exchange.receive, exchange.send)
        )
        seconds = request.extensions.get("timeout", {}).get("read")
        try:
            await asyncio.wait([answering], timeout=seconds)
            if not answering.done():
                exchange.gone.set()
                await asyncio.wait([answering], timeout=_LEAVE_SECONDS)
                raise httpx.ReadTimeout(f"no answer within {seconds} s", request=request)
            await answering
        except ConnectionBroken as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        finally:
            exchange.gone.set()
        return exchange.response()


class _Exchange:
    """One request as the ASGI application meets it, and what it answers."""

    def __init__(self, request: httpx.Request) -> None:
        self.gone = asyncio.Event()
        self._body: bytes | None = request.content
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        url = request.url
        self.scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 0),
            "root_path": "",
        }

    async def receive(self) -> Message:
        """Give the body; after it wait until the client goes."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], message["headers"]
        else:
            self._parts.append(message.get("body", b""))

    def response(self) -> httpx.Response:
        """Return the answer."""
        return httpx.Response(self._status, headers=self._headers, content=b"".join(self._parts))
