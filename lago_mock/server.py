"""uvicorn around the application: binds, says when it listens, and stops at once."""

from __future__ import annotations

import gc
import re
import signal
import socket
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from lago_mock.answer import EXTENSION, lines_of
from lago_mock.app import LagoMockApp
from lago_mock.settings import Settings

GRACE_SECONDS = 1
"""How long an answer under way may take at the end; what waits for a fault is let go at once."""


_TAKEN = "Stop what has it, or take another with --port (0 is a free one)."


class ListenError(Exception):
    """The address cannot be listened on; the text says which, why and what to do."""


def bind(settings: Settings) -> socket.socket:
    """Return a socket bound to the address, not yet listening.

    Raises:
        ListenError: the port is taken, or the address is not one of this machine's.
    """
    place = f"{settings.host}:{settings.port}"
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, _, _, address = found[0]
        # The protocol must be named: asyncio sets TCP_NODELAY only where it is, and without it each
        # answer waits 40 ms for the client's acknowledgement.
        bound = socket.socket(family, kind, socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise ListenError(
            f"{place} is no address of this machine: {error}. Name another with --host."
        ) from error
    try:
        # On Windows, which has no SIGHUP, the option would let two servers share the port.
        if hasattr(signal, "SIGHUP"):  # pragma: no branch
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise ListenError(f"cannot listen on {place}: {error.strerror}. {_TAKEN}") from error
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the URL that clients on this machine reach a bound socket by."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


_UPGRADE = re.compile(rb"(\r\n)upgrade:", re.IGNORECASE)


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

    A request begins when the data at hand is read, and gets a task only if it has to wait: most are
    whole by then, and a task takes another turn of the event loop. Old versions of uvicorn, which
    do not call `_start_asgi_task`, give each a task all the same.
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
        if self._is_parsing:
            self._held = cycle.run_asgi(app)
        else:  # it was sent before the answer to another one
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


class Server(uvicorn.Server):
    """uvicorn's server, which says when it listens, and lets waiting calls go at the end."""

    def __init__(self, app: LagoMockApp, on_ready: Callable[[], bool | None]) -> None:
        super().__init__(
            uvicorn.Config(
                app.asgi,
                http=Protocol,
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                ws="none",
                lifespan="on",
            )
        )
        self._tenants = app.server.tenants
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        gc.freeze()  # the document stays: looking through it again and again costs 20 ms a time
        if self._on_ready() is False:
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let delayed and hanging calls go, then stop as uvicorn does."""
        self._tenants.release()
        await super().shutdown(sockets)


def serve(app: LagoMockApp, bound: socket.socket, on_ready: Callable[[], bool]) -> None:
    """Serve until SIGTERM or Ctrl-C; the store is closed inside the server's life span.

    `on_ready` is called when it listens; when it returns False the server ends again.

    Raises:
        ListenError: another server has begun to listen on the address since it was bound.
    """
    try:
        bound.listen()
    except OSError as error:
        app.store.close()
        place = "{}:{}".format(*bound.getsockname()[:2])
        raise ListenError(f"cannot listen on {place}: {error.strerror}. {_TAKEN}") from error
    with _signals_end_quietly():
        Server(app, on_ready).run([bound])


@contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """Let the signals that uvicorn raises again after its end do nothing: the end is the answer."""
    names = [signal.SIGINT, signal.SIGTERM]
    before = {name: signal.signal(name, lambda *_: None) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
