"""uvicorn around the application: binds, says when it listens, and stops at once."""

from __future__ import annotations

import errno
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from lago_mock.app import LagoMockApp
from lago_mock.protocol import Protocol
from lago_mock.settings import Settings, url_at

GRACE_SECONDS = 1
"""How long an answer under way may take at the end; what waits for a fault is let go at once."""


_TAKEN = "Stop what has it, or take another with --port (0 is a free one)."


class ListenError(Exception):
    """The address cannot be listened on; the text says which, why and what to do."""


def bind(settings: Settings) -> socket.socket:
    """Return a socket bound to the address, not yet listening.

    Raises:
        ListenError: the port is taken, the address is not one of this machine's, or a private key
            has no certificate.
    """
    if settings.ssl_key and not settings.ssl_cert:
        raise ListenError("a key alone serves no HTTPS. Name its certificate with --ssl-cert.")
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
        advice = "Name another with --host." if error.errno == errno.EADDRNOTAVAIL else _TAKEN
        raise ListenError(f"cannot listen on {place}: {error.strerror}. {advice}") from error
    return bound


def url_of(bound: socket.socket, scheme: str = "http") -> str:
    """Return the URL that clients on this machine reach a bound socket by."""
    return url_at(scheme, *bound.getsockname()[:2])


class Server(uvicorn.Server):
    """uvicorn's server, which says when it listens, and lets waiting calls go at the end."""

    def __init__(self, app: LagoMockApp, on_ready: Callable[[], bool | None]) -> None:
        super().__init__(
            uvicorn.Config(
                app.asgi,
                http=Protocol,
                interface="asgi3",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                ws="none",
                ssl_certfile=app.settings.ssl_cert,
                ssl_keyfile=app.settings.ssl_key,
                lifespan="on",
            )
        )
        self._tenants = app.server.tenants
        self._settings = app.settings
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        for bound in sockets or ():
            self._tenants.courier.issuer = self._settings.public_url or url_of(
                bound, self._settings.scheme
            )
        await super().startup(sockets)
        if self._on_ready() is False:
            self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; a second Ctrl-C is no reason to leave the store open, and a stop takes a second."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let delayed and hanging calls go, then stop as uvicorn does."""
        self._tenants.release()
        await super().shutdown(sockets)


def serve(app: LagoMockApp, bound: socket.socket, on_ready: Callable[[], bool]) -> None:
    """Serve until SIGTERM or Ctrl-C; the store is closed inside the server's life span.

    `on_ready` is called when it listens; when it returns False the server ends again.

    Raises:
        ListenError: the certificate is none, or another server has begun to listen on the address
            since it was bound.
    """

    def settled() -> bool:
        gc.freeze()  # the document stays: looking through it again and again costs 20 ms a time
        return on_ready()

    try:
        server = Server(app, settled)
        server.config.load()  # reads the certificate
    except (OSError, ValueError) as error:
        app.store.close()
        raise ListenError(
            f"{app.settings.ssl_cert} cannot be served with: {error}. "
            "Name a certificate and its key in PEM form with --ssl-cert and --ssl-key."
        ) from error
    try:
        bound.listen()
    except OSError as error:
        app.store.close()
        place = "{}:{}".format(*bound.getsockname()[:2])
        raise ListenError(f"cannot listen on {place}: {error.strerror}. {_TAKEN}") from error
    with _signals_to(server):
        server.run([bound])


@contextmanager
def _signals_to(server: Server) -> Iterator[None]:
    """Let signals stop the server before uvicorn takes them, and do nothing more after its end."""
    names = [signal.SIGINT, signal.SIGTERM]
    before = {name: signal.signal(name, server.handle_exit) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
