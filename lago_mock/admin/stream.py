"""An answer that goes on: chunks as they come, until their source ends or the client goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from starlette.types import Receive, Scope, Send

from lago_mock.answer import ConnectionBroken, break_off
from lago_mock.request import ClientGone, disconnected
from lago_mock.version import __version__

LAST_SECONDS: Final = 0.2
"""How long a client may take for the rest, once its stream has ended."""

T = TypeVar("T")


@dataclass(frozen=True)
class Stream:
    """Server-sent events to come.

    The chunks end when `ended` is set, which `close` does too; it may be called twice.
    """

    chunks: AsyncIterator[bytes]
    ended: asyncio.Event
    close: Callable[[], None]

    async def send(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Send all chunks; a HEAD request gets the headers alone.

        A client that reads nothing any more does not delay the end: its connection is reset.
        """
        sending = asyncio.ensure_future(self._send(scope, send, request_id))
        going = asyncio.ensure_future(disconnected(receive))
        going.add_done_callback(lambda _: self.close())
        ending = asyncio.ensure_future(self.ended.wait())
        try:
            await asyncio.wait((sending, ending), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((sending,), timeout=LAST_SECONDS)
            if sending.done():
                sending.result()  # raises what went wrong
            else:
                break_off(scope, ConnectionBroken("CONNECTION_RESET_BY_PEER"))
        finally:
            self.close()
            for task in (sending, going, ending):
                task.cancel()

    async def _send(self, scope: Scope, send: Send, request_id: str) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),  # nginx would keep events back
            (b"x-lago-mock", __version__.encode()),
            (b"x-request-id", request_id.encode("latin-1")),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] != "HEAD":
            async for chunk in self.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def while_there(receive: Receive, answering: Awaitable[T]) -> T:
    """Return what an answer comes to, however long it takes.

    Raises:
        ClientGone: nobody waits for it any more.
    """
    answer = asyncio.ensure_future(answering)
    going = asyncio.ensure_future(disconnected(receive))
    try:
        await asyncio.wait((answer, going), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ClientGone
        return answer.result()
    finally:
        answer.cancel()
        going.cancel()
