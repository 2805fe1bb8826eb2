"""uvicorn's HTTP protocol, with what an answer needs of the connection itself."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Coroutine, Generator
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from lago_mock.answer import EXTENSION, lines_of

_NO_CHUNK = b"this is the length of no chunk\r\n"
_GARBAGE = MappingProxyType(
    {
        "EMPTY_RESPONSE": b"",
        "MALFORMED_RESPONSE_CHUNK": b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        b"transfer-encoding: chunked\r\n\r\n" + _NO_CHUNK,
        "RANDOM_DATA_THEN_CLOSE": bytes(range(128, 256)),
    }
)
"""What is sent before the connection is closed, by the kind of the fault."""

# Without a flag for case, so that the search can jump from one line's end to the next.
_UPGRADE = re.compile(rb"(\r\n)[Uu][Pp][Gg][Rr][Aa][Dd][Ee]:")


class _Connection:
    """The extension that takes a whole answer: one write, and no header is looked at again.

    It lets go of the cycle then: each holds the other, and only a search for garbage, which costs a
    tenth of a request, would free them.
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle: RequestResponseCycle | None = cycle

    def answer(self, status: int, head: bytes, body: bytes) -> None:
        """Send a whole answer, as uvicorn's `send` does in two calls."""
        cycle, self._cycle = self._cycle, None
        if cycle is None or cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        usual = lines_of(cycle.default_headers)
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        cycle.transport.write(b"".join((STATUS_LINE[status], usual, head, end, body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()

    def break_off(self, kind: str) -> None:
        """Break the connection as `ConnectionBroken` says."""
        cycle, self._cycle = self._cycle, None
        if cycle is None or cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        transport = cycle.transport
        if kind == "CONNECTION_RESET_BY_PEER":
            # Closing a socket that lingers for no time resets the connection.
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
            transport.abort()
            return
        transport.write(_GARBAGE[kind])
        transport.close()


async def _rest(begun: Coroutine[Any, Any, None], awaited: Any) -> None:
    """Run the rest of a coroutine that ran up to its first wait."""
    await _Rest(begun, awaited)


class _Rest:
    """The rest of a coroutine that ran up to its first wait, for another one to await."""

    def __init__(self, begun: Coroutine[Any, Any, None], awaited: Any) -> None:
        self._begun = begun
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, None]:
        """Hand each thing that is awaited up, and what comes of it down."""
        with suppress(StopIteration):
            while True:
                try:
                    value = yield self._awaited
                except BaseException as error:  # the task is canceled
                    self._awaited = self._begun.throw(error)
                else:
                    self._awaited = self._begun.send(value)


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with the extension in the scope of each request.

    No upgrade is ever granted, so the wish for one is hidden from the parser, which would take the
    body for the other protocol's: Java's client wishes for HTTP/2 on each first request.

    A request to the API begins when the data at hand is read, and gets a task only if it has to
    wait: most are whole by then, and a task takes another turn of the event loop. Old versions of
    uvicorn, which do not call `_start_asgi_task`, give each a task all the same.
    """

    _in_head = True
    _is_parsing = False
    _held: Coroutine[Any, Any, None] | None = None

    def data_received(self, data: bytes) -> None:
        """Take what the client sent, and answer what can be answered."""
        if self._in_head and _UPGRADE.search(data):
            head, end, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(rb"\1x-upgrd:", head) + end + rest
        self._is_parsing = True
        super().data_received(data)
        self._is_parsing = False
        if self._held is not None:
            held, self._held = self._held, None
            self._begin(held)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._is_parsing and cycle.scope["path"].startswith("/api/"):
            self._held = cycle.run_asgi(app)
        else:  # it came before the answer to another one, or may ask which task it is in
            super()._start_asgi_task(cycle, app)

    def _begin(self, request: Coroutine[Any, Any, None]) -> None:
        """Run a request up to its first wait; the rest, if there is one, is a task's."""
        try:
            awaited = request.send(None)
        except StopIteration:
            return
        task = self.loop.create_task(_rest(request, awaited))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def on_headers_complete(self) -> None:
        """Make the request ready to begin."""
        self._in_head = False
        super().on_headers_complete()
        extensions: dict[str, Any] = {EXTENSION: _Connection(self.cycle)}
        self.scope["extensions"] = extensions

    def on_message_complete(self) -> None:
        """Note that the next byte begins another request."""
        self._in_head = True
        super().on_message_complete()

    def shutdown(self) -> None:
        """Close a connection that waits for its next request, else after the answer.

        Over TLS that waits for no farewell: a client that does nothing would never say it.
        """
        super().shutdown()
        transport = self.transport
        is_sent = transport.is_closing() and not transport.get_write_buffer_size()
        if is_sent and transport.get_extra_info("ssl_object"):
            transport.abort()
