"""A server in a thread of this process, for tests and for a command to run beside it."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette

from lago_mock.app import LagoMockApp, build
from lago_mock.contract.loader import DocumentError
from lago_mock.server import ListenError, Server, bind, url_of
from lago_mock.settings import SettingError, Settings, settings_of
from lago_mock.store.store import StoreError, StoreUnwritable

STOP_SECONDS: Final = 10

REASONS: Final = (
    DocumentError,
    FileNotFoundError,
    ListenError,
    SettingError,
    StoreError,
    StoreUnwritable,
)
"""What may keep a server from starting; the text of each is for people."""

Prepare = Callable[[LagoMockApp], object]


class BackgroundServer:
    """A server that listens when this returns, and has stopped when `stop` returns.

    `api_key` is a key of its first organization, `token` the one of its admin API, `certificate`
    the file of what it serves HTTPS with. `prepare` is called with the application before the first
    request can come. As a context manager it stops at the end.

    Raises:
        DocumentError: the document or the fixture set is broken.
        ListenError: the address cannot be listened on.
        SettingError: webhooks may go to what is no target, or the key to sign them is none.
        StoreError: the state file is damaged or in use.
        StoreUnwritable: it cannot be written.
    """

    def __init__(self, settings: Settings, prepare: Prepare | None = None) -> None:
        self.loop: asyncio.AbstractEventLoop
        self._began = threading.Event()
        self._failure: BaseException | None = None
        with ExitStack() as failing:
            self._socket = failing.enter_context(closing(bind(settings)))
            app = build(settings)
            failing.callback(app.store.close)
            self._server = self._listening(app)
            failing.pop_all()
        if prepare:
            prepare(app)
        self.url = url_of(self._socket, settings.scheme)
        self.api_key = settings.api_key or app.server.tenants.first_key()
        self.token = settings.admin_token
        self.certificate = settings.ssl_cert
        self.app: Starlette = app.asgi
        self._thread = threading.Thread(target=self._run, name="lago-mock", daemon=True)
        self._thread.start()
        self._began.wait()
        if self._failure:
            raise ListenError(f"the server did not start: {self._failure}") from self._failure

    def _listening(self, app: LagoMockApp) -> Server:
        try:
            server = Server(app, self._on_ready)
            server.config.load()  # reads the certificate
            self._socket.listen()
        except (OSError, ValueError) as error:
            raise ListenError(f"the server cannot listen: {error}") from error
        return server

    def _on_ready(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._began.set()

    def _run(self) -> None:
        if hasattr(signal, "pthread_sigmask"):  # pragma: no branch - Windows has none
            # A signal that came to this thread would leave the main one waiting, unaware of it.
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._server.run([self._socket])
        except BaseException as error:
            self._failure = error
        finally:
            self._socket.close()
            self._began.set()

    def __enter__(self) -> BackgroundServer:
        """Return the server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def stop(self) -> None:
        """Stop the server and close its store; calls that wait in it are let go.

        Raises:
            TimeoutError: it is still there after ten seconds.
        """
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError(f"lago-mock did not stop within {STOP_SECONDS} s")


def in_memory(
    listen: tuple[str, int] = ("127.0.0.1", 0), folder: Path | None = None, **given: Any
) -> Settings:
    """Return settings for tests: a free port and nothing kept, but for those given.

    Relative paths count from `folder`, else from the working directory.

    Raises:
        SettingError: there is no such setting, or not with this value.
    """
    host, port = listen
    own = {"host": host, "port": port, "db": ":memory:"}
    return settings_of({**own, **given}, folder or Path.cwd())
